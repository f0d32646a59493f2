/*
 * Any bytes as a tokenizer.json: if a tokenizer comes out of it, texts go in, ids inside the vocabulary come out, and these decode.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "text/hf/hf_files.h"
#include "text/utf8.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void encode_and_decode(const gol_tokenizer *tok, gol_str text, unsigned flags)
{
    gol_ids ids = {0};
    gol_buf out;
    gol_buf_init(&out, 1u << 24);
    gol_err err = {0};
    const int rc = gol_tokenizer_encode(tok, &ids, text, flags, &err);
    expect(rc == 0 || (err.code == rc && ids.n == 0));
    for (size_t i = 0; i < ids.n; i++)
        expect(ids.data[i] >= 0 && ids.data[i] < gol_tokenizer_n_vocab(tok));
    expect(gol_tokenizer_decode(tok, &out, ids.data, ids.n, false, &err) == 0);
    expect(gol_utf8_is_valid(gol_buf_view(&out)));
    gol_buf_deinit(&out);
    gol_ids_deinit(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "", "Hello, world", " a  b\n\n\tc 123's <s><user> x",
        "\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\xff\xc3 \xcc\x81\xe2\x96\x81"};
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL);
    gol_tokenizer *tok = NULL;
    gol_err err = {0};
    const gol_hftok_files files = {.tokenizer_json = {(const char *)data, size}};
    if (gol_hftok_create(&tok, &files, &err) == 0) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            const gol_str text = {texts[i], strlen(texts[i])};
            encode_and_decode(tok, text, GOL_ENCODE_ADD_SPECIAL);
            encode_and_decode(tok, text, GOL_ENCODE_PARSE_SPECIAL);
        }
    } else {
        expect(err.code < 0 && err.message[0] != '\0');
    }
    gol_tokenizer_destroy(&tok);
    return 0;
}
