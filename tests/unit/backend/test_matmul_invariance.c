/* Same row, same bits: products of every weight type, in batches of many sizes, with one thread and two, at every level of this
 * machine, also where CPUID hides one. */
#include "unit/backend/backend_test.h"

#include "backend/cpu/backend_cpu.h"
#include "base/cpu.h"
#include "support/native_has.h"
#include "support/random_blocks.h"

enum { N_OUT = 37, N_IN = 768, N_TOKENS = 64 };

static const int batch_sizes[] = {1, 2, 3, 5, 8, 17, 32, 64};
enum { N_BATCH_SIZES = sizeof batch_sizes / sizeof batch_sizes[0] };

typedef struct fixture {
    gol_rng rng;
    float *x;    /* [N_TOKENS][N_IN] */
    float *want; /* [N_TOKENS][N_OUT], of single rows */
    float *got;
    float bias[N_OUT];
} fixture;

static void multiply(gol_backend *be, float *out, const fixture *f, const gol_weight *w, int first,
                     int n_tokens)
{
    be->ops->matmul(be, out, f->x + (size_t)first * N_IN, w, f->bias, n_tokens);
}

/* The first and the last of batches of n_tokens; the last one takes what is left. */
static void check_batches(gol_backend *be, const fixture *f, const gol_weight *w, int n_tokens,
                          const char *level)
{
    const int last = (N_TOKENS - 1) / n_tokens * n_tokens;
    for (int i = 0; i < 2; i++) {
        const int first = i == 0 ? 0 : last;
        const int n = first + n_tokens <= N_TOKENS ? n_tokens : N_TOKENS - first;
        const size_t at = (size_t)first * N_OUT;
        memset(f->got, 0xff, (size_t)n * N_OUT * sizeof *f->got);
        multiply(be, f->got, f, w, first, n);
        for (size_t k = 0; k < (size_t)n * N_OUT; k++)
            if (memcmp(&f->got[k], &f->want[at + k], sizeof(float)) != 0)
                fail_msg("%s at level %s: token %zu of %d, output %zu is %.9g, alone %.9g",
                         gol_type_get(w->type)->name, level, k / N_OUT, n, k % N_OUT,
                         (double)f->got[k], (double)f->want[at + k]);
    }
}

static void check_type(gol_backend *const be[2], fixture *f, gol_type type, const char *level)
{
    gol_err err = {0};
    size_t row_bytes;
    assert_true(gol_type_row_bytes(&row_bytes, type, N_IN));
    uint8_t *bytes = malloc(row_bytes * N_OUT);
    assert_non_null(bytes);
    random_blocks(&f->rng, type, bytes, N_OUT * N_IN);
    const gol_weight_desc desc = {"w", type, N_OUT, N_IN, bytes, row_bytes * N_OUT, false};
    for (int i = 0; i < 2; i++) {
        gol_weight w;
        assert_int_equal(be[i]->ops->weight_load(be[i], &w, &desc, &err), 0);
        for (int t = 0; i == 0 && t < N_TOKENS; t++)
            multiply(be[0], f->want + t * N_OUT, f, &w, t, 1);
        for (int b = 0; b < N_BATCH_SIZES; b++)
            check_batches(be[i], f, &w, batch_sizes[b], level);
        be[i]->ops->weight_free(be[i], &w);
    }
    free(bytes);
}

static void check_level(gol_cpu_level level)
{
    const char *name = gol_cpu_level_name(level);
    fixture f = {.rng = {.key = 5}};
    f.x = random_floats(&f.rng, (size_t)N_TOKENS * N_IN);
    f.want = malloc((size_t)N_TOKENS * N_OUT * sizeof *f.want);
    f.got = malloc((size_t)N_TOKENS * N_OUT * sizeof *f.got);
    assert_non_null(f.want);
    assert_non_null(f.got);
    for (int i = 0; i < N_OUT; i++)
        f.bias[i] = (float)gol_rng_next_normal(&f.rng);
    /* large enough for the second thread to have work */
    gol_backend *be[2] = {make_backend(1), make_backend(2)};
    for (int i = 0; i < 2; i++)
        gol_kernels_init(&gol_backend_cpu_of(be[i])->kernels, level);
    int n_types = 0;
    for (int type = 0; type < GOL_TYPE_N_IDS; type++) {
        if (!gol_type_find((uint32_t)type) ||
            gol_panel_format_get((gol_type)type)->product == GOL_PRODUCT_NONE)
            continue;
        check_type(be, &f, (gol_type)type, name);
        n_types++;
    }
    assert_true(n_types >= 20);
    gol_backend_destroy(&be[0]);
    gol_backend_destroy(&be[1]);
    free(f.x);
    free(f.want);
    free(f.got);
}

static void a_row_has_the_same_bits_in_every_batch_at_every_level(void **state)
{
    (void)state;
    const gol_cpu_level highest = gol_cpu_get();
    int n_levels = 0;
    /* asked before a level is in force that includes fewer */
    bool has[GOL_CPU_N_LEVELS];
    bool is_native[GOL_CPU_N_LEVELS];
    for (int level = 0; level < GOL_CPU_N_LEVELS; level++) {
        has[level] = gol_cpu_has((gol_cpu_level)level);
        is_native[level] = native_has((gol_cpu_level)level);
    }
    /* the last limit counts, and none goes above what the machine has */
    for (int level = GOL_CPU_N_LEVELS - 1; level >= 0; level--) {
        if (!is_native[level])
            continue;
        if (has[level]) {
            assert_true(gol_cpu_limit(gol_cpu_level_name((gol_cpu_level)level)));
            assert_int_equal(gol_cpu_get(), level);
        }
        check_level((gol_cpu_level)level);
        n_levels++;
    }
    assert_true(n_levels >= 1 + (highest != GOL_CPU_C));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_the_same_bits_in_every_batch_at_every_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
