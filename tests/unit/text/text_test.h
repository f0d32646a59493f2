/* What the text layer's tests share: cmocka, and encodings written as lists. */
#ifndef TESTS_UNIT_TEXT_TEXT_TEST_H
#define TESTS_UNIT_TEXT_TEXT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "support/vocab_file.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

static inline gol_tokenizer *load_file(gol_model_file *file)
{
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    if (gol_tokenizer_load(&tok, file, &err) != 0)
        fail_msg("%s", err.message);
    gol_model_file_close(&file); /* a tokenizer needs its file no more */
    return tok;
}

static inline gol_tokenizer *load_spec(const vocab_spec *v)
{
    return load_file(vocab_file(v));
}

/* Loading must fail with this code, and a message that names the file, once and first, and holds these words. */
static inline void assert_refused(gol_gguf_writer *w, int code, const char *words)
{
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    gol_model_file *file = vocab_finish(w);
    assert_int_equal(gol_tokenizer_load(&tok, file, &err), code);
    assert_int_equal(err.code, code);
    assert_null(tok);
    if (!strstr(err.message, words))
        fail_msg("message '%s' lacks '%s'", err.message, words);
    const char *path = gol_model_file_path(file);
    const size_t n_path = strlen(path);
    if (strncmp(err.message, path, n_path) != 0 || err.message[n_path] != ':' ||
        strstr(err.message + n_path, path))
        fail_msg("message '%s' does not begin with '%s', or says it twice", err.message, path);
    gol_model_file_close(&file);
}

static inline void assert_ids(const gol_tokenizer *tok, gol_str text, unsigned flags,
                              const int32_t *expected, size_t n)
{
    gol_err err = {0};
    gol_ids ids = {0};
    if (gol_tokenizer_encode(tok, &ids, text, flags, &err) != 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < ids.n && i < n; i++) {
        if (ids.data[i] != expected[i])
            fail_msg("'%.*s': token %zu is %d, expected %d", GOL_STR_ARG(text), i, ids.data[i],
                     expected[i]);
    }
    assert_int_equal(ids.n, n);
    gol_ids_deinit(&ids);
}

#define IDS(...)                                                                                   \
    (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)
#define assert_encodes(tok, text, flags, ...)                                                      \
    assert_ids((tok), GOL_STR(text), (flags), IDS(__VA_ARGS__))

static inline void assert_decodes(const gol_tokenizer *tok, const int32_t *ids, size_t n,
                                  bool skip_special, const char *expected)
{
    gol_err err = {0};
    gol_buf out;
    gol_buf_init(&out, 1 << 20);
    assert_int_equal(gol_tokenizer_decode(tok, &out, ids, n, skip_special, &err), 0);
    gol_buf_putc(&out, '\0');
    assert_string_equal(out.data, expected);
    gol_buf_deinit(&out);
}

#endif
