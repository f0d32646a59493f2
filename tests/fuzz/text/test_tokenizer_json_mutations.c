/*
 * Small tokenizers of every kind with something wrong in their tokenizer.json, thousands and always the same: parts exchanged, dropped,
 * doubled and nested, ids and names changed. Each is refused with a message that names the file, or encodes and decodes.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/log.h"
#include "fuzz/mutation_cases.h"
#include "fuzz/seed_files.h"
#include "fuzz/text/tokenizer_json_words.h"
#include "fuzz/text/use_tokenizer.h"
#include "text/hf/hf_files.h"

enum { N_CASES = 10000 };

#define FOLDER TEST_DATA_DIR "/../fuzz/corpus/tokenizer_json"

static seed_files seeds;

static int load_seeds(void **state)
{
    (void)state;
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL); /* oddities are warnings */
    seed_files_load(&seeds, FOLDER, ".json");
    assert_true(seeds.n >= 20);
    return 0;
}

static int free_seeds(void **state)
{
    (void)state;
    seed_files_free(&seeds);
    return 0;
}

static bool run_case(uint64_t k)
{
    static char data[2 * SEED_BYTES_MAX];
    mutation_begin(k);
    gol_rng rng = {.key = k};
    const gol_str seed = seeds.files[k % seeds.n];
    json_text text = {data, seed.len, sizeof data};
    memcpy(data, seed.data, seed.len);
    for (size_t n = json_pick(&rng, 4); n > 0; n--)
        json_mutate(&text, &rng, &tokenizer_json_words);
    char *copy = malloc(text.len +
                        1); /* of its exact size: AddressSanitizer sees a byte too many */
    assert_non_null(copy);
    memcpy(copy, data, text.len);
    const gol_hftok_files files = {.tokenizer_json = {copy, text.len}};
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    const int rc = gol_hftok_create(&tok, &files, &err);
    free(copy);
    if (rc == 0)
        use_tokenizer_on_texts(tok);
    else if (tok || err.code != rc ||
             (strncmp(err.message, "tokenizer.json: ", 16) != 0 &&
              strncmp(err.message, "tokenizer.ggml.tokens[", 22) != 0))
        fail_msg("case %llu: %d, message '%s' does not name the file", (unsigned long long)k, rc,
                 err.message);
    gol_tokenizer_destroy(&tok);
    return rc == 0;
}

static void mutated_files_are_refused_or_work(void **state)
{
    (void)state;
    const mutation_range cases = mutation_range_find(N_CASES);
    const uint64_t n_cases = cases.end - cases.begin;
    uint64_t n_loaded = 0;
    for (uint64_t k = cases.begin; k < cases.end; k++)
        n_loaded += run_case(k);
    printf("%llu work, %llu refused\n", (unsigned long long)n_loaded,
           (unsigned long long)(n_cases - n_loaded));
    if (cases.is_whole) /* neither side is left untried */
        assert_true(n_loaded > n_cases / 5 && n_cases - n_loaded > n_cases / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_files_are_refused_or_work),
    };
    return cmocka_run_group_tests(tests, load_seeds, free_seeds);
}
