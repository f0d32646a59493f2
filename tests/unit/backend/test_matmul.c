/* Weights and the matrix product of the CPU backend. */
#include "unit/backend/backend_test.h"

#include "backend/cpu/backend_cpu.h"
#include "base/mem.h"
#include "support/random_blocks.h"

typedef struct matrix {
    uint8_t *bytes;
    gol_weight w;
} matrix;

static matrix make_matrix(gol_backend *be, gol_rng *rng, gol_type type, int64_t n_out, int64_t n_in)
{
    matrix m;
    gol_err err;
    size_t row_bytes;
    assert_true(gol_type_row_bytes(&row_bytes, type, (uint64_t)n_in));
    m.bytes = malloc(row_bytes * (size_t)n_out);
    random_blocks(rng, type, m.bytes, (size_t)(n_out * n_in));
    const gol_weight_desc desc = {"w",  type, n_out, n_in, m.bytes, row_bytes * (size_t)n_out,
                                  false};
    assert_int_equal(be->ops->weight_load(be, &m.w, &desc, &err), 0);
    return m;
}

static void free_matrix(gol_backend *be, matrix *m)
{
    be->ops->weight_free(be, &m->w);
    free(m->bytes);
}

/* The error of activation i: of bytes half a step of the block's largest magnitude / 127, of bfloat16 half a unit of 8 bits. */
static double rounding_of(gol_product product, const float *x, size_t n_in, size_t i)
{
    if (product == GOL_PRODUCT_F32)
        return 0.0;
    if (product == GOL_PRODUCT_BF16)
        return fabs((double)x[i]) * 0x1p-9;
    double largest = 0.0;
    const size_t first = i / 32 * 32;
    for (size_t k = first; k < n_in && k < first + 32; k++)
        largest = fmax(largest, fabs((double)x[k]));
    return largest / 254.0;
}

/* The whole product against double. Sums of n products in any order are off by n units of 2^-24 of the sum of magnitudes at
 * most (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1). */
static void compare_with_double(gol_backend *be, const float *out, const float *x, const matrix *m,
                                const float *bias, int n_tokens)
{
    const gol_product product = gol_kernels_product(&gol_backend_cpu_of(be)->kernels, m->w.type);
    const size_t n_in = (size_t)m->w.n_in;
    const size_t n_out = (size_t)m->w.n_out;
    size_t row_bytes;
    assert_true(gol_type_row_bytes(&row_bytes, m->w.type, n_in));
    float *row = malloc(n_in * sizeof *row);
    for (size_t o = 0; o < n_out; o++) {
        gol_type_get(m->w.type)->dequant(row, m->bytes + o * row_bytes, n_in);
        for (size_t t = 0; t < (size_t)n_tokens; t++) {
            double sum = bias ? (double)bias[o] : 0.0;
            double magnitude = fabs(sum);
            double rounding = 0.0;
            for (size_t i = 0; i < n_in; i++) {
                sum += (double)row[i] * (double)x[t * n_in + i];
                magnitude += fabs((double)row[i] * (double)x[t * n_in + i]);
                rounding += fabs((double)row[i]) * rounding_of(product, x + t * n_in, n_in, i);
            }
            assert_close((double)out[t * n_out + o], sum,
                         rounding * 1.001 + magnitude * ((double)n_in + 8) * 0x1p-24);
        }
    }
    free(row);
}

static void a_product_equals_the_definition_for_every_type(void **state)
{
    (void)state;
    gol_rng rng = {.key = 1};
    gol_backend *be = make_backend(2);
    int n_types = 0;
    for (int type = 0; type < GOL_TYPE_N_IDS; type++) {
        const gol_type_info *info = gol_type_find((uint32_t)type);
        if (!info || !info->dequant)
            continue;
        n_types++;
        const int64_t n_in = info->block_size == 1 ? 100 : 2 * info->block_size;
        const int64_t n_out = 83; /* neither a multiple of a cache line nor of a kernel call */
        matrix m = make_matrix(be, &rng, (gol_type)type, n_out, n_in);
        float *x = random_floats(&rng, (size_t)(5 * n_in));
        float *bias = random_floats(&rng, (size_t)n_out);
        float *out = malloc((size_t)(5 * n_out) * sizeof *out);
        be->ops->matmul(be, out, x, &m.w, NULL, 5);
        compare_with_double(be, out, x, &m, NULL, 5);
        be->ops->matmul(be, out, x, &m.w, bias, 5);
        compare_with_double(be, out, x, &m, bias, 5);
        assert_non_null(gol_backend_cpu_kernel_name(be, (gol_type)type));
        const char *unpack = gol_backend_cpu_unpack_name(be, (gol_type)type);
        if (gol_kernels_product(&gol_backend_cpu_of(be)->kernels, (gol_type)type) ==
            GOL_PRODUCT_BF16)
            assert_null(unpack);
        else
            assert_memory_equal(unpack, "unpack_", 7);
        free(x);
        free(bias);
        free(out);
        free_matrix(be, &m);
    }
    assert_true(n_types >= 20);
    gol_backend_destroy(&be);
}

static void a_row_has_the_same_bits_in_every_batch_and_with_every_thread_count(void **state)
{
    (void)state;
    enum { N_TOKENS = 33, N_IN = 512, N_OUT = 77 };
    /* float32 cores, and one type of every kind of integer core */
    static const gol_type types[] = {GOL_TYPE_F32,  GOL_TYPE_F16,  GOL_TYPE_BF16,
                                     GOL_TYPE_F64,  GOL_TYPE_Q4_0, GOL_TYPE_Q8_0,
                                     GOL_TYPE_Q4_K, GOL_TYPE_Q6_K, GOL_TYPE_Q2_K};
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        float *first = NULL;
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            gol_rng rng = {.key = 7};
            gol_backend *be = make_backend(n_threads);
            matrix m = make_matrix(be, &rng, types[k], N_OUT, N_IN);
            float *x = random_floats(&rng, N_TOKENS * N_IN);
            float *out = malloc(N_TOKENS * N_OUT * sizeof *out);
            be->ops->matmul(be, out, x, &m.w, NULL, N_TOKENS);
            for (int t = 0; t < N_TOKENS; t++) { /* alone, and with its right-hand neighbour */
                float pair[2 * N_OUT];
                be->ops->matmul(be, pair, x + t * N_IN, &m.w, NULL,
                                t + 1 < N_TOKENS ? 1 + t % 2 : 1);
                assert_memory_equal(pair, out + t * N_OUT, N_OUT * sizeof *out);
            }
            if (first)
                assert_memory_equal(out, first, N_TOKENS * N_OUT * sizeof *out);
            else
                first = out;
            if (out != first)
                free(out);
            free(x);
            free_matrix(be, &m);
            gol_backend_destroy(&be);
        }
        free(first);
    }
}

static void embedding_takes_rows_of_the_table(void **state)
{
    (void)state;
    gol_rng rng = {.key = 3};
    gol_backend *be = make_backend(3);
    matrix m = make_matrix(be, &rng, GOL_TYPE_Q8_0, 50, 4096);
    const int32_t ids[] = {49, 0, 17, 17};
    float *out = malloc(4 * 4096 * sizeof *out);
    float *want = malloc(4096 * sizeof *want);
    be->ops->embed(be, out, &m.w, ids, 4);
    for (size_t t = 0; t < 4; t++) {
        gol_dequant_row *dequant = gol_type_get(GOL_TYPE_Q8_0)->dequant;
        dequant(want, m.bytes + (size_t)ids[t] * (4096 / 32 * 34), 4096);
        assert_memory_equal(out + t * 4096, want, 4096 * sizeof *want);
    }
    free(out);
    free(want);
    free_matrix(be, &m);
    gol_backend_destroy(&be);
}

static void types_without_values_are_refused_as_weights(void **state)
{
    (void)state;
    static const gol_type refused[] = {GOL_TYPE_I8,  GOL_TYPE_I16,  GOL_TYPE_I32,
                                       GOL_TYPE_I64, GOL_TYPE_Q8_1, GOL_TYPE_Q8_K};
    gol_backend *be = make_backend(1);
    uint8_t bytes[4096] = {0};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        gol_weight w;
        gol_err err = {0};
        const gol_weight_desc desc = {"blk.0.ffn_up.weight", refused[i], 1, 256, bytes, 256, false};
        assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), GOL_EUNSUPPORTED);
        assert_non_null(strstr(err.message, "blk.0.ffn_up.weight"));
        assert_non_null(strstr(err.message, gol_type_get(refused[i])->name));
        assert_null(gol_backend_cpu_kernel_name(be, refused[i]));
    }
    gol_backend_destroy(&be);
}

static void a_weight_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    uint8_t bytes[4096] = {0};
    static const struct {
        int64_t n_out, n_in;
        size_t n_bytes;
    } wrong[] = {{2, 32, 35},
                 {2, 32, 37},
                 {2, 33, 36},
                 {0, 32, 0},
                 {-1, 32, 18},
                 {2, 0, 0},
                 {INT64_MAX, 1 << 20, 36}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gol_weight w;
        gol_err err = {0};
        const gol_weight_desc desc = {"w",   GOL_TYPE_Q4_0,    wrong[i].n_out, wrong[i].n_in,
                                      bytes, wrong[i].n_bytes, false};
        assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), GOL_EMODEL);
    }
    gol_backend_destroy(&be);
}

static void weights_are_repacked_and_tables_for_lookup_stay_in_the_file(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    gol_err err = {0};
    static const float values[4] = {1, 2, 3, 4};
    uint8_t bytes[sizeof values + 1];
    memcpy(bytes + 1, values, sizeof values);
    gol_weight w;
    const uint8_t *odd = (uintptr_t)bytes % 2 ? bytes : bytes + 1;
    memmove((uint8_t *)bytes + (odd - bytes), values, sizeof values);
    gol_weight_desc desc = {"w", GOL_TYPE_F32, 2, 2, odd, sizeof values, false};
    gol_mem_fail_nth(1, false);
    assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    assert_null(w.data);
    assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
    assert_non_null(w.owned);
    float out[2];
    be->ops->matmul(be, out, (const float[]){1, 1}, &w, NULL, 1);
    assert_true(out[0] == 3.0f && out[1] == 7.0f);
    const int32_t id = 1;
    be->ops->embed(be, out, &w, &id, 1);
    assert_true(out[0] == 3.0f && out[1] == 4.0f);
    be->ops->weight_free(be, &w);
    desc.is_lookup = true;
    assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
    assert_null(w.owned);
    assert_ptr_equal(w.data, odd);
    be->ops->embed(be, out, &w, &id, 1);
    assert_true(out[0] == 3.0f && out[1] == 4.0f);
    be->ops->weight_free(be, &w);
    gol_backend_destroy(&be);
}

static void a_packed_row_reads_back_bit_for_bit(void **state)
{
    (void)state;
    enum { N_OUT = 21 };
    gol_rng rng = {.key = 11};
    gol_backend *be = make_backend(2);
    for (int type = 0; type < GOL_TYPE_N_IDS; type++) {
        const gol_type_info *info = gol_type_find((uint32_t)type);
        if (!info || !info->dequant)
            continue;
        /* for types of blocks of 32 also a stretch that is cut short */
        const size_t n_in = info->block_size == 1 ? 300 : info->block_size == 32 ? 11 * 32 : 512;
        matrix m = make_matrix(be, &rng, (gol_type)type, N_OUT, (int64_t)n_in);
        float *out = malloc(n_in * sizeof *out);
        float *want = malloc(n_in * sizeof *want);
        size_t row_bytes;
        assert_true(gol_type_row_bytes(&row_bytes, (gol_type)type, n_in));
        for (int32_t row = 0; row < N_OUT; row++) {
            be->ops->embed(be, out, &m.w, &row, 1);
            info->dequant(want, m.bytes + (size_t)row * row_bytes, n_in);
            for (size_t i = 0; i < n_in; i++) /* zeros may lose their sign */
                if (out[i] != want[i] && !(isnan(out[i]) && isnan(want[i])))
                    fail_msg("%s, row %d, input %zu: %.9g instead of %.9g", info->name, row, i,
                             (double)out[i], (double)want[i]);
        }
        free(out);
        free(want);
        free_matrix(be, &m);
    }
    gol_backend_destroy(&be);
}

static void a_packed_weight_takes_at_most_a_twentieth_more_than_in_the_file(void **state)
{
    (void)state;
    gol_rng rng = {.key = 13};
    gol_backend *be = make_backend(1);
    for (int type = 0; type < GOL_TYPE_N_IDS; type++) {
        const gol_type_info *info = gol_type_find((uint32_t)type);
        if (!info || !info->dequant)
            continue;
        static const int64_t lengths[] = {512, 2048,
                                          2880}; /* the last is no whole number of stretches */
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            size_t row_bytes;
            if (!gol_type_row_bytes(&row_bytes, (gol_type)type, (uint64_t)lengths[i]))
                continue;
            matrix m = make_matrix(be, &rng, (gol_type)type, 32, lengths[i]);
            if (m.w.n_bytes * 20 > row_bytes * 32 * 21)
                fail_msg("%s, rows of %lld: %zu bytes instead of %zu", info->name,
                         (long long)lengths[i], m.w.n_bytes, row_bytes * 32);
            free_matrix(be, &m);
        }
    }
    gol_backend_destroy(&be);
}

/* Bits of all ones: scales that are no numbers, in most types. */
static void a_scale_that_is_no_number_stays_in_its_row(void **state)
{
    (void)state;
    enum { N_OUT = 20, N_TOKENS = 3, BAD_ROW = 17 };
    gol_backend *be = make_backend(2);
    int n_bad = 0;
    for (int type = 0; type < GOL_TYPE_N_IDS; type++) {
        const gol_type_info *info = gol_type_find((uint32_t)type);
        if (!info || !info->dequant)
            continue;
        gol_rng rng = {.key = 17};
        const size_t n_in = 512;
        matrix good = make_matrix(be, &rng, (gol_type)type, N_OUT, (int64_t)n_in);
        size_t row_bytes;
        assert_true(gol_type_row_bytes(&row_bytes, (gol_type)type, n_in));
        float *x = random_floats(&rng, N_TOKENS * n_in);
        float want[N_TOKENS * N_OUT];
        float got[N_TOKENS * N_OUT];
        be->ops->matmul(be, want, x, &good.w, NULL, N_TOKENS);
        memset(good.bytes + BAD_ROW * row_bytes, 0xff, info->type_size);
        gol_weight bad;
        gol_err err;
        const gol_weight_desc desc = {"w",        (gol_type)type,    N_OUT, (int64_t)n_in,
                                      good.bytes, row_bytes * N_OUT, false};
        assert_int_equal(be->ops->weight_load(be, &bad, &desc, &err), 0);
        be->ops->matmul(be, got, x, &bad, NULL, N_TOKENS);
        float value[GOL_STRETCH_INPUTS];
        info->dequant(value, good.bytes + BAD_ROW * row_bytes, (size_t)info->block_size);
        for (size_t i = 0; i < N_TOKENS * N_OUT; i++) {
            if (i % N_OUT != BAD_ROW)
                assert_memory_equal(&got[i], &want[i], sizeof got[i]);
            else if (!isfinite(value[0]))
                assert_true(!isfinite(got[i]));
        }
        n_bad += !isfinite(value[0]);
        be->ops->weight_free(be, &bad);
        free(x);
        free_matrix(be, &good);
    }
    assert_true(n_bad >= 20);
    gol_backend_destroy(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_equals_the_definition_for_every_type),
        cmocka_unit_test(a_row_has_the_same_bits_in_every_batch_and_with_every_thread_count),
        cmocka_unit_test(embedding_takes_rows_of_the_table),
        cmocka_unit_test(types_without_values_are_refused_as_weights),
        cmocka_unit_test(a_weight_of_the_wrong_size_is_refused),
        cmocka_unit_test(weights_are_repacked_and_tables_for_lookup_stay_in_the_file),
        cmocka_unit_test(a_packed_row_reads_back_bit_for_bit),
        cmocka_unit_test(a_packed_weight_takes_at_most_a_twentieth_more_than_in_the_file),
        cmocka_unit_test(a_scale_that_is_no_number_stays_in_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
