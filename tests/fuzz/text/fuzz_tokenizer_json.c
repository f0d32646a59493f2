/*
 * Any bytes as a tokenizer.json: an error that names it, or a tokenizer: texts go in, ids inside the vocabulary come out, and
 * these decode. The fuzzer changes it as JSON most of the time.
 */
#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/text/tokenizer_json_words.h"
#include "fuzz/text/use_tokenizer.h"
#include "text/hf/hf_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL);
    gol_tokenizer *tok = NULL;
    gol_err err = {0};
    const gol_hftok_files files = {.tokenizer_json = {(const char *)data, size}};
    const int rc = gol_hftok_create(&tok, &files, &err);
    if (rc == 0)
        use_tokenizer_on_texts(tok);
    else
        FUZZ_EXPECT(!tok && err.code == rc && strncmp(err.message, "tokenizer.", 10) == 0);
    gol_tokenizer_destroy(&tok);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    gol_rng rng = {.key = seed};
    if (json_pick(&rng, 4) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    json_text text = {(char *)data, size, max_size};
    for (size_t n = 1 + json_pick(&rng, 3); n > 0; n--)
        json_mutate(&text, &rng, &tokenizer_json_words);
    return text.len;
}
