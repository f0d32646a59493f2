/*
 * Safetensors files whose header is almost valid: types, shapes, offsets, names and nesting changed where they stand, bytes changed
 * anywhere, the header's length right or not, tensors cut or longer. Each is refused with a message that names the file, or
 * gives tensors that lie in it.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/formats/check_safetensors.h"
#include "fuzz/formats/safetensors_words.h"
#include "fuzz/mutation_cases.h"

enum { N_CASES = 20000, HEADER_MAX = 8192, DATA_MAX = 64 };

typedef struct seed {
    const char *header;
    size_t n_data;
} seed;

#define TWO                                                                                        \
    "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"                           \
    "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]}"

static const seed seeds[] = {
    {"{" TWO "}", 30},
    {"{\"__metadata__\":{\"format\":\"pt\",\"total_size\":\"30\"}," TWO "}   ", 30},
    {"{\"s\":{\"dtype\":\"F8_E4M3\",\"shape\":[],\"data_offsets\":[0,1]}}", 1},
    {"{\"e\":{\"dtype\":\"I64\",\"shape\":[0,5],\"data_offsets\":[0,0]}}", 0},
    {"{ \"model.embed_tokens.weight\": {\"data_offsets\": [0, 12], \"dtype\": \"F4\", \"shape\": "
     "[4, 6]},\n"
     "  \"w\\u00e9\": {\"shape\": [1, 2, 1, 2, 1, 1, 1, 1], \"dtype\": \"U32\", \"data_offsets\": "
     "[12, 28]},\n"
     "  \"z\": {\"dtype\": \"BOOL\", \"shape\": [0], \"data_offsets\": [28, 28]},\n"
     "  \"i\": {\"dtype\": \"I8\", \"shape\": [4], \"data_offsets\": [28, 32]} }",
     32},
};

enum { N_SEEDS = sizeof seeds / sizeof *seeds };

static void put_length(uint8_t out[8], uint64_t n)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(n >> (8 * i));
}

static uint64_t wrong_length(gol_rng *rng, uint64_t n, uint64_t size)
{
    const uint64_t others[] = {0,
                               1,
                               n - 1,
                               n + 1,
                               size - 8,
                               size - 7,
                               size,
                               GOL_SAFETENSORS_HEADER_MAX,
                               GOL_SAFETENSORS_HEADER_MAX + 1,
                               UINT32_MAX,
                               INT64_MAX,
                               UINT64_MAX - 7,
                               UINT64_MAX,
                               n << 8,
                               n ^ 1ull << json_pick(rng, 64)};
    return others[json_pick(rng, sizeof others / sizeof *others)];
}

static bool run_case(uint64_t k)
{
    gol_rng rng = {.key = k};
    const seed *s = &seeds[json_pick(&rng, N_SEEDS)];
    char header[HEADER_MAX];
    json_text text = {header, strlen(s->header), sizeof header};
    memcpy(header, s->header, text.len);
    for (size_t n = json_pick(&rng, 4); n > 0; n--)
        json_mutate(&text, &rng, &safetensors_words);
    size_t n_data = s->n_data;
    if (json_pick(&rng, 8) == 0)
        n_data = json_pick(&rng, DATA_MAX);
    const size_t size = 8 + text.len + n_data;
    const uint64_t length = json_pick(&rng, 12) == 0 ? wrong_length(&rng, text.len, size)
                                                     : text.len;
    uint8_t *file = malloc(size); /* of its exact size: AddressSanitizer sees a byte too many */
    assert_non_null(file);
    put_length(file, length);
    memcpy(file + 8, header, text.len);
    for (size_t i = 0; i < n_data; i++)
        file[8 + text.len + i] = (uint8_t)(i * 7);
    if (json_pick(&rng, 30) == 0)
        put_length(file, gol_rng_next(&rng));
    const bool is_accepted = check_safetensors(
        file, json_pick(&rng, 30) == 0 ? json_pick(&rng, size) : size);
    free(file);
    return is_accepted;
}

static void mutated_headers_are_refused_or_describe_the_file(void **state)
{
    (void)state;
    const mutation_range cases = mutation_range_find(N_CASES);
    const uint64_t n_cases = cases.end - cases.begin;
    uint64_t n_accepted = 0;
    for (uint64_t k = cases.begin; k < cases.end; k++)
        n_accepted += run_case(k);
    printf("%llu accepted, %llu refused\n", (unsigned long long)n_accepted,
           (unsigned long long)(n_cases - n_accepted));
    if (cases.is_whole) /* neither side is left untried */
        assert_true(n_accepted > n_cases / 5 && n_accepted < n_cases / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_headers_are_refused_or_describe_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
