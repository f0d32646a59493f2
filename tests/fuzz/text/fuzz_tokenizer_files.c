/*
 * Any bytes as the files of a folder without a tokenizer.json: tokenizer.model, vocab.json with merges.txt, vocab.txt, and what
 * stands beside them. The first byte says which two files the rest is, the last 0xFE stands between them. An error, or a tokenizer that
 * works.
 */
#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/text/use_tokenizer.h"
#include "text/hf/hf_files.h"

enum { SEPARATOR = 0xFE };

/* Where the two files go, by the first byte. */
static void set_files(gol_hftok_files *files, uint8_t kind, gol_str first, gol_str second)
{
    static const gol_str merges = {"#version: 0.2\na b\n", 18};
    switch (kind % 7) {
    case 0:
        files->tokenizer_model = first;
        break;
    case 1:
        files->vocab_json = first;
        files->merges_txt = second;
        break;
    case 2:
        files->vocab_json = first;
        files->merges_txt = merges;
        files->tokenizer_config_json = second;
        break;
    case 3:
        files->vocab_txt = first;
        files->tokenizer_config_json = second;
        break;
    case 4:
        files->tokenizer_model = first;
        files->tokenizer_config_json = second;
        break;
    case 5:
        files->tokenizer_model = first;
        files->added_tokens_json = second;
        break;
    default:
        files->vocab_json = first;
        files->merges_txt = merges;
        files->special_tokens_map_json = second;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL);
    if (size < 1)
        return 0;
    const char *begin = (const char *)data + 1;
    const uint8_t kind = data[0];
    const char *end = kind % 7 == 0 ? NULL : memrchr(begin, SEPARATOR, size - 1);
    const gol_str first = {begin, end ? (size_t)(end - begin) : size - 1};
    const gol_str second = end ? (gol_str){end + 1, size - first.len - 2} : (gol_str){begin, 0};
    gol_hftok_files files = {0};
    gol_tokenizer *tok = NULL;
    gol_err err = {0};
    set_files(&files, kind, first, second);
    const int rc = gol_hftok_create(&tok, &files, &err);
    if (rc == 0)
        use_tokenizer_on_texts(tok);
    else
        FUZZ_EXPECT(!tok && err.code == rc && err.message[0] != '\0');
    gol_tokenizer_destroy(&tok);
    return 0;
}
