/* Products of bfloat16 weights in bfloat16 arithmetic: by the processor where it executes the instructions (even if CPUID hides
 * them), and by the C kernels, which must give the same bits. */
#include "unit/backend/backend_test.h"

#include <stdio.h>

#include "backend/cpu/backend_cpu.h"
#include "quant/half.h"
#include "support/native_has.h"

typedef enum kernel_choice {
    BY_C,
    BY_PROCESSOR,
    N_CHOICES,
} kernel_choice;

static bool is_available(kernel_choice choice)
{
    return choice == BY_C || native_has(GOL_CPU_AVX512BF16);
}

static gol_backend *make_bf16_backend(int n_threads, kernel_choice choice)
{
    gol_backend *be = make_backend(n_threads);
    gol_kernels *kernels = &gol_backend_cpu_of(be)->kernels;
    gol_kernels_init(kernels, choice == BY_C ? GOL_CPU_C : GOL_CPU_AVX512BF16);
    kernels->has_bf16 = true; /* by C only here: it would be slower than float32 */
    assert_int_equal(gol_kernels_product(kernels, GOL_TYPE_BF16), GOL_PRODUCT_BF16);
    return be;
}

typedef struct problem {
    size_t n_out;
    size_t n_in;
    size_t n_tokens;
    uint16_t *w; /* [n_out][n_in] */
    float *x;    /* [n_tokens][n_in] */
    float *bias; /* [n_out] */
} problem;

static problem make_problem(size_t n_out, size_t n_in, size_t n_tokens, uint64_t seed)
{
    gol_rng rng = {.key = seed};
    problem p = {n_out,
                 n_in,
                 n_tokens,
                 malloc(n_out * n_in * sizeof *p.w),
                 random_floats(&rng, n_tokens * n_in),
                 random_floats(&rng, n_out)};
    assert_non_null(p.w);
    for (size_t i = 0; i < n_out * n_in; i++)
        p.w[i] = gol_f32_to_bf16((float)gol_rng_next_normal(&rng));
    return p;
}

static void free_problem(problem *p)
{
    free(p->w);
    free(p->x);
    free(p->bias);
}

static gol_weight load(gol_backend *be, const problem *p)
{
    gol_weight w;
    gol_err err = {0};
    const gol_weight_desc desc = {
        "w",  GOL_TYPE_BF16, (int64_t)p->n_out, (int64_t)p->n_in, p->w, p->n_out * p->n_in * 2,
        false};
    assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
    return w;
}

/* out [n_tokens][n_out], to be freed */
static float *multiply(const problem *p, int n_threads, kernel_choice choice)
{
    gol_backend *be = make_bf16_backend(n_threads, choice);
    gol_weight w = load(be, p);
    float *out = malloc(p->n_tokens * p->n_out * sizeof *out);
    assert_non_null(out);
    be->ops->matmul(be, out, p->x, &w, p->bias, (int32_t)p->n_tokens);
    be->ops->weight_free(be, &w);
    gol_backend_destroy(&be);
    return out;
}

/* Rows and columns around the sizes of panels, tiles, blocks and stretches. */
static const struct {
    size_t n_out, n_in, n_tokens;
} shapes[] = {
    {1, 1, 1},    {16, 32, 6},  {83, 100, 5}, {65, 33, 7},   {31, 255, 13},
    {64, 256, 6}, {17, 257, 3}, {48, 31, 12}, {130, 700, 2}, {128, 512, 49},
};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

/* An activation is off by half a unit of 8 bits, 2^-9 of itself, at most; a sum of n terms by n times 2^-24 of the sum of their
 * magnitudes (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1). */
static void a_product_is_off_by_the_rounding_of_activations_at_most(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES * N_CHOICES; i++) {
        if (!is_available(i % N_CHOICES))
            continue;
        problem p = make_problem(shapes[i / N_CHOICES].n_out, shapes[i / N_CHOICES].n_in,
                                 shapes[i / N_CHOICES].n_tokens, i);
        float *out = multiply(&p, 2, i % N_CHOICES);
        double off = 0.0;
        double allowed = 0.0;
        for (size_t t = 0; t < p.n_tokens; t++) {
            for (size_t o = 0; o < p.n_out; o++) {
                double sum = (double)p.bias[o];
                double magnitude = fabs(sum);
                for (size_t k = 0; k < p.n_in; k++) {
                    const double term = (double)gol_bf16_to_f32(p.w[o * p.n_in + k]) *
                                        (double)p.x[t * p.n_in + k];
                    sum += term;
                    magnitude += fabs(term);
                }
                const double got = (double)out[t * p.n_out + o];
                const double bound = magnitude * (0x1p-9 + 2.0 * (double)(p.n_in + 1) * 0x1p-24);
                assert_close(got, sum, bound);
                off += fabs(got - sum);
                allowed += bound;
            }
        }
        /* Roundings go both ways: of many, most of the bound cancels. */
        if (p.n_in >= 256)
            assert_true(off < 0.1 * allowed);
        free(out);
        free_problem(&p);
    }
}

static void the_processor_and_c_give_the_same_bits(void **state)
{
    (void)state;
    if (!is_available(BY_PROCESSOR)) {
        print_message("this processor has no AVX-512 BF16\n");
        skip();
    }
    for (size_t i = 0; i < N_SHAPES; i++) {
        problem p = make_problem(shapes[i].n_out, shapes[i].n_in, shapes[i].n_tokens, 100 + i);
        for (size_t k = 0; k < p.n_tokens * p.n_in; k += 7) /* of many sizes */
            p.x[k] = ldexpf(p.x[k], (int)(k % 280) - 140);
        float *by_c = multiply(&p, 1, BY_C);
        float *by_processor = multiply(&p, 2, BY_PROCESSOR);
        assert_memory_equal(by_c, by_processor, p.n_tokens * p.n_out * sizeof *by_c);
        free(by_c);
        free(by_processor);
        free_problem(&p);
    }
}

static void a_row_has_the_same_bits_in_batches_of_1_to_64_on_1_and_2_threads(void **state)
{
    (void)state;
    enum { N_OUT = 83, N_IN = 300, N_TOKENS = 64 };
    for (kernel_choice choice = BY_C; choice < N_CHOICES; choice++) {
        if (!is_available(choice))
            continue;
        /* C takes a hundred times as long */
        const int step = choice == BY_C ? 9 : 1;
        problem p = make_problem(N_OUT, N_IN, N_TOKENS, 7);
        float *want = multiply(&p, 1, choice);
        float *got = malloc((size_t)N_TOKENS * N_OUT * sizeof *got);
        assert_non_null(got);
        for (int n_threads = 1; n_threads <= 2; n_threads++) {
            gol_backend *be = make_bf16_backend(n_threads, choice);
            gol_weight w = load(be, &p);
            for (int n = 1; n <= N_TOKENS; n += step) {
                const size_t first = (size_t)((N_TOKENS - n) * 5 % (N_TOKENS - n + 1));
                memset(got, 0xff, (size_t)n * N_OUT * sizeof *got);
                be->ops->matmul(be, got, p.x + first * N_IN, &w, p.bias, n);
                assert_memory_equal(got, want + first * N_OUT, (size_t)n * N_OUT * sizeof *got);
            }
            be->ops->weight_free(be, &w);
            gol_backend_destroy(&be);
        }
        free(got);
        free(want);
        free_problem(&p);
    }
}

static void what_is_no_number_stays_in_its_token_and_row(void **state)
{
    (void)state;
    enum { N_OUT = 40, N_IN = 96, N_TOKENS = 9, BAD_TOKEN = 4, BAD_ROW = 33 };
    static const float bad[] = {INFINITY, -INFINITY, NAN, 0x1.ffp127f};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] * N_CHOICES; i++) {
        const kernel_choice choice = i % N_CHOICES;
        if (!is_available(choice))
            continue;
        problem p = make_problem(N_OUT, N_IN, N_TOKENS, 3);
        float *good = multiply(&p, 2, choice);
        p.x[BAD_TOKEN * N_IN + 50] = bad[i / N_CHOICES]; /* the last one rounds to infinity */
        p.w[BAD_ROW * N_IN + 11] = i % 4 < 2 ? 0x7f80 : 0xffc0;
        float *got = multiply(&p, 2, choice);
        for (size_t k = 0; k < N_TOKENS * N_OUT; k++) {
            if (k / N_OUT == BAD_TOKEN || k % N_OUT == BAD_ROW)
                assert_true(!isfinite(got[k]));
            else
                assert_memory_equal(&got[k], &good[k], sizeof got[k]);
        }
        free(good);
        free(got);
        free_problem(&p);
    }
}

static void numbers_too_small_to_be_normal_count_as_zero(void **state)
{
    (void)state;
    enum { N_OUT = 20, N_IN = 64, N_TOKENS = 3 };
    for (kernel_choice choice = BY_C; choice < N_CHOICES; choice++) {
        if (!is_available(choice))
            continue;
        problem p = make_problem(N_OUT, N_IN, N_TOKENS, 5);
        problem zeros = make_problem(N_OUT, N_IN, N_TOKENS, 5);
        for (size_t k = 3; k < N_IN; k += 5) {
            p.x[k] = k % 2 ? 0x1.fcp-127f : -0x1p-149f;
            zeros.x[k] = 0.0f;
            p.w[4 * N_IN + k - 1] = k % 2 ? 0x007f : 0x8001;
            zeros.w[4 * N_IN + k - 1] = 0;
        }
        float *got = multiply(&p, 1, choice);
        float *want = multiply(&zeros, 1, choice);
        assert_memory_equal(got, want, N_TOKENS * N_OUT * sizeof *got);
        free(got);
        free(want);
        free_problem(&p);
        free_problem(&zeros);
    }
}

static void only_level_avx512bf16_multiplies_bf16_and_nothing_else_so(void **state)
{
    (void)state;
    for (int level = 0; level < GOL_CPU_N_LEVELS; level++) {
        gol_kernels kernels;
        gol_kernels_init(&kernels, (gol_cpu_level)level);
        const bool is_bf16 = level == GOL_CPU_AVX512BF16;
        const char *name = gol_kernels_matmul_name(&kernels, GOL_TYPE_BF16);
        const char *unpack = gol_kernels_unpack_name(&kernels, GOL_TYPE_BF16);
        assert_memory_equal(name, is_bf16 ? "bf16_core_" : "f32_core_", 9);
        assert_true((unpack == NULL) == is_bf16);
        for (int type = 0; type < GOL_TYPE_N_IDS; type++)
            if (type != GOL_TYPE_BF16)
                assert_int_equal(gol_kernels_product(&kernels, (gol_type)type),
                                 gol_panel_format_get((gol_type)type)->product);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_off_by_the_rounding_of_activations_at_most),
        cmocka_unit_test(the_processor_and_c_give_the_same_bits),
        cmocka_unit_test(a_row_has_the_same_bits_in_batches_of_1_to_64_on_1_and_2_threads),
        cmocka_unit_test(what_is_no_number_stays_in_its_token_and_row),
        cmocka_unit_test(numbers_too_small_to_be_normal_count_as_zero),
        cmocka_unit_test(only_level_avx512bf16_multiplies_bf16_and_nothing_else_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
