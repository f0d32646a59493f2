/*
 * Real vocabularies against the ids that another implementation gives: line i of vocab/V.ids is the encoding of line i of
 * vocab/texts.hex (UTF-8, in hex), with no special tokens added or parsed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "text/tokenizer.h"

enum { N_TEXTS = 304, SKIPPED = 77 };

static FILE *open_data(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/vocab/%s", TEST_CONFORMANCE_DIR, name);
    return fopen(path, "r");
}

static void read_text(gol_buf *out, const char *hex)
{
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        gol_buf_putc(out, (char)byte);
}

/* The line's numbers against ids; prints the first difference. */
static int compare_ids(const char *line, const gol_ids *ids)
{
    size_t i = 0;
    char *end;
    for (long id = strtol(line, &end, 10); end != line; id = strtol(line, &end, 10), i++) {
        if (i >= ids->n || ids->data[i] != id) {
            fprintf(stderr, "token %zu: %d, expected %ld\n", i, i < ids->n ? ids->data[i] : -1, id);
            return 1;
        }
        line = end;
    }
    if (i != ids->n)
        fprintf(stderr, "%zu tokens, expected %zu\n", ids->n, i);
    return i != ids->n;
}

/* is_lossless: decoding gives the text back. */
static void check_vocabulary(const char *name, bool is_lossless)
{
    char file_name[64], path[1024];
    snprintf(path, sizeof path, "%s/vocab/%s.gguf", TEST_CONFORMANCE_DIR, name);
    snprintf(file_name, sizeof file_name, "%s.ids", name);
    FILE *texts = open_data("texts.hex");
    FILE *expected = open_data(file_name);
    assert_non_null(texts);
    assert_non_null(expected);
    gol_err err;
    gol_model_file *file;
    gol_tokenizer *tok;
    if (gol_model_file_open(&file, path, &err) != 0 || gol_tokenizer_load(&tok, file, &err) != 0)
        fail_msg("%s", err.message);

    char *hex = NULL, *line = NULL;
    size_t hex_cap = 0, line_cap = 0;
    int n = 0, n_wrong = 0;
    while (getline(&hex, &hex_cap, texts) > 0 && getline(&line, &line_cap, expected) > 0) {
        gol_buf text, decoded;
        gol_buf_init(&text, 1 << 20);
        gol_buf_init(&decoded, 1 << 20);
        read_text(&text, hex);
        gol_ids ids = {0};
        assert_int_equal(gol_tokenizer_encode(tok, &ids, gol_buf_view(&text), 0, &err), 0);
        if (compare_ids(line, &ids) != 0) {
            fprintf(stderr, "%s: text %d: %s", name, n, hex);
            n_wrong++;
        }
        assert_int_equal(gol_tokenizer_decode(tok, &decoded, ids.data, ids.n, false, &err), 0);
        if (is_lossless)
            assert_int_equal(decoded.len, text.len);
        if (is_lossless && text.len > 0)
            assert_memory_equal(decoded.data, text.data, text.len);
        gol_ids_deinit(&ids);
        gol_buf_deinit(&decoded);
        gol_buf_deinit(&text);
        n++;
    }
    assert_int_equal(n, N_TEXTS);
    assert_int_equal(n_wrong, 0);
    free(hex);
    free(line);
    fclose(texts);
    fclose(expected);
    gol_tokenizer_destroy(&tok);
    gol_model_file_close(&file);
}

static void gpt2_vocabulary_encodes_exactly(void **state)
{
    (void)state;
    check_vocabulary("gpt-2", true);
}

static void llama_vocabulary_encodes_exactly(void **state)
{
    (void)state;
    check_vocabulary("llama-spm", true);
}

static void falcon_vocabulary_encodes_exactly(void **state)
{
    (void)state;
    check_vocabulary("falcon", true);
}

static void deepseek_coder_vocabulary_encodes_exactly(void **state)
{
    (void)state;
    check_vocabulary("deepseek-coder", true);
}

static void bert_vocabulary_encodes_exactly(void **state)
{
    (void)state;
    check_vocabulary("bert-bge", false);
}

int main(void)
{
    if (access(TEST_CONFORMANCE_DIR "/vocab/texts.hex", R_OK) != 0) {
        fprintf(stderr, "skipped: no vocabularies in " TEST_CONFORMANCE_DIR "/vocab\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_vocabulary_encodes_exactly),
        cmocka_unit_test(llama_vocabulary_encodes_exactly),
        cmocka_unit_test(falcon_vocabulary_encodes_exactly),
        cmocka_unit_test(deepseek_coder_vocabulary_encodes_exactly),
        cmocka_unit_test(bert_vocabulary_encodes_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
