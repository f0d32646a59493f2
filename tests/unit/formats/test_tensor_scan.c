/* NaN and infinity are found in every type that can hold them, wherever they are, with any number of workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/tensor_scan.h"
#include "quant/half.h"

static gol_tensor_scan scan(gol_type type, const void *data, uint64_t n, int n_threads)
{
    const gol_type_info *info = gol_type_get(type);
    const gol_tensor t = {.name = GOL_STR("t"),
                          .type = type,
                          .n_dims = 1,
                          .shape = {n, 1, 1, 1},
                          .n_elements = n,
                          .data = data,
                          .n_bytes = n / (uint64_t)info->block_size * info->type_size};
    gol_worker_pool *pool;
    assert_int_equal(gol_worker_pool_create(&pool, n_threads, NULL), 0);
    gol_tensor_scan result;
    gol_tensor_scan_run(&result, &t, t.data, pool);
    gol_worker_pool_destroy(&pool);
    return result;
}

enum { N = 20000 }; /* several chunks, the last one short */

static void each_bad_value_is_found_at_its_place(void **state)
{
    (void)state;
    static float data[N];
    for (int i = 0; i < N; i++)
        data[i] = (float)i;
    gol_tensor_scan result = scan(GOL_TYPE_F32, data, N, 1);
    assert_true(result.is_scanned && result.n_nan == 0 && result.n_inf == 0 &&
                result.first_bad == UINT64_MAX);
    static const int places[] = {0, 4095, 4096, 12345, N - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const float old = data[places[i]];
        data[places[i]] = NAN;
        result = scan(GOL_TYPE_F32, data, N, 2);
        assert_true(result.n_nan == 1 && result.n_inf == 0);
        assert_int_equal(result.first_bad, places[i]);
        data[places[i]] = -INFINITY;
        result = scan(GOL_TYPE_F32, data, N, 3);
        assert_true(result.n_nan == 0 && result.n_inf == 1);
        assert_int_equal(result.first_bad, places[i]);
        data[places[i]] = old;
    }
}

static void many_are_counted_over_all_workers(void **state)
{
    (void)state;
    static uint16_t data[N];
    for (int i = 7; i < N; i += 3)
        data[i] = i % 2 ? 0x7e00 : 0xfc00; /* half NaN, half -infinity */
    for (int n_threads = 1; n_threads <= 4; n_threads++) {
        const gol_tensor_scan result = scan(GOL_TYPE_F16, data, N, n_threads);
        assert_int_equal(result.n_nan + result.n_inf, (N - 7 + 2) / 3);
        assert_true(llabs((long long)result.n_nan - (long long)result.n_inf) <= 1);
        assert_int_equal(result.first_bad, 7);
    }
}

/* A scale of infinity or NaN makes each value of its block bad, 0 * infinity too. */
static void a_scale_that_is_no_number_is_found(void **state)
{
    (void)state;
    enum { N_BLOCKS = 300, Q8_0_BYTES = 34 };
    static uint8_t data[N_BLOCKS * Q8_0_BYTES];
    static const uint16_t scales[] = {0x7c00, 0x7e00};
    for (int s = 0; s < 2; s++) {
        memcpy(data + 200 * Q8_0_BYTES, &scales[s], 2);
        const gol_tensor_scan result = scan(GOL_TYPE_Q8_0, data, N_BLOCKS * 32, 2);
        assert_int_equal(result.first_bad, 200 * 32);
        assert_int_equal(result.n_nan + result.n_inf, 32);
    }
}

static void every_type_is_scanned_or_has_no_values(void **state)
{
    (void)state;
    static const uint8_t zeros[4096];
    int n_scanned = 0;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (!info)
            continue;
        const gol_tensor_scan result = scan((gol_type)id, zeros, (uint64_t)info->block_size, 1);
        assert_int_equal(result.is_scanned, info->dequant != NULL);
        assert_int_equal(result.first_bad, UINT64_MAX);
        n_scanned += result.is_scanned;
    }
    assert_true(n_scanned > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bad_value_is_found_at_its_place),
        cmocka_unit_test(many_are_counted_over_all_workers),
        cmocka_unit_test(a_scale_that_is_no_number_is_found),
        cmocka_unit_test(every_type_is_scanned_or_has_no_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
