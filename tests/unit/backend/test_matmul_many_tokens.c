/* Products of many tokens at every level of this machine: panels beside each other, several chunks and slabs of tokens, and what
 * is left over of each. A row has the bits it has alone. */
#include "unit/backend/backend_test.h"

#include "base/cpu.h"
#include "support/random_blocks.h"

/* Ten panels, the last with five rows; two slabs of tokens, the first of more than one chunk. */
enum { N_OUT = 149, N_IN = 512, N_TOKENS = 540 };

/* Every token of the first and the last tiles of slabs and chunks is too slow with the plain C kernels; a step that shares no factor
 * with any tile meets every place in one. */
enum { TOKEN_STEP = 29 };

static void check_type(gol_type type, int n_threads)
{
    gol_err err = {0};
    gol_rng rng = {.key = 11};
    gol_backend *be = make_backend(n_threads);
    assert_int_equal(be->ops->reserve(be, N_TOKENS, N_IN, N_IN, &err), 0);
    size_t row_bytes;
    assert_true(gol_type_row_bytes(&row_bytes, type, N_IN));
    uint8_t *bytes = malloc(row_bytes * N_OUT);
    float *x = random_floats(&rng, (size_t)N_TOKENS * N_IN);
    float *bias = random_floats(&rng, N_OUT);
    float *out = malloc((size_t)N_TOKENS * N_OUT * sizeof *out);
    assert_non_null(bytes);
    assert_non_null(out);
    random_blocks(&rng, type, bytes, N_OUT * N_IN);
    const gol_weight_desc desc = {"w", type, N_OUT, N_IN, bytes, row_bytes * N_OUT, false};
    gol_weight w;
    assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
    memset(out, 0xff, (size_t)N_TOKENS * N_OUT * sizeof *out);
    be->ops->matmul(be, out, x, &w, bias, N_TOKENS);
    for (size_t t = 0; t < N_TOKENS; t += t + TOKEN_STEP < N_TOKENS ? TOKEN_STEP : 1) {
        float alone[N_OUT];
        be->ops->matmul(be, alone, x + t * N_IN, &w, bias, 1);
        for (size_t i = 0; i < N_OUT; i++)
            if (memcmp(&out[t * N_OUT + i], &alone[i], sizeof alone[i]) != 0)
                fail_msg("%s at level %s, %d threads: token %zu, output %zu is %.9g, alone %.9g",
                         gol_type_get(type)->name, gol_cpu_level_name(gol_cpu_get()), n_threads, t,
                         i, (double)out[t * N_OUT + i], (double)alone[i]);
    }
    be->ops->weight_free(be, &w);
    gol_backend_destroy(&be);
    free(bytes);
    free(x);
    free(bias);
    free(out);
}

static void a_row_among_hundreds_has_the_bits_it_has_alone(void **state)
{
    (void)state;
    /* float32, and integer cores with zero and with mins, with groups of 32 and of 16 */
    static const gol_type types[] = {GOL_TYPE_F16, GOL_TYPE_Q8_0, GOL_TYPE_Q4_K, GOL_TYPE_Q6_K,
                                     GOL_TYPE_Q2_K};
    bool has[GOL_CPU_N_LEVELS]; /* before a level is in force that includes fewer */
    for (int level = 0; level < GOL_CPU_N_LEVELS; level++)
        has[level] = gol_cpu_has((gol_cpu_level)level);
    for (int level = GOL_CPU_N_LEVELS - 1; level >= 0; level--) {
        if (!has[level])
            continue;
        assert_true(gol_cpu_limit(gol_cpu_level_name((gol_cpu_level)level)));
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            const int n_threads = 1 + (int)i % 2;
            check_type(types[i], n_threads);
            if (level > GOL_CPU_C)
                check_type(types[i], 3 - n_threads);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_among_hundreds_has_the_bits_it_has_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
