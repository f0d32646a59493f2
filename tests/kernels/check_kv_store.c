/*
 * Storing keys and values: every number of the cache is the nearest to what was stored, and nothing beside it changes. Other
 * versions write the bytes of the C version, NaNs included.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "kernels/kv_cells.h"
#include "quant/half.h"

enum { DIM_MAX = 256, LANES = GOL_ATTN_LANES, N_CASES = N_PATTERNS + 3 };

#define KEY_ROW(slot, kernel, level)   VERSION_ROW(kv_store_key, slot, kernel, level),
#define VALUE_ROW(slot, kernel, level) VERSION_ROW(kv_store_value, slot, kernel, level),
static const version key_versions[] = {GOL_KERN_KV_STORE_KEY(KEY_ROW)};
static const version value_versions[] = {GOL_KERN_KV_STORE_VALUE(VALUE_ROW)};

static size_t padded(size_t dim)
{
    return (dim + LANES - 1) / LANES * LANES;
}

/* The last patterns: any bits, subnormals, infinities and NaNs among them; numbers too large for binary16; and halves and the floats
 * beside them, where a block's largest is 127, so that Q8_0 rounds all of them. */
static void fill_input(checker *ck, float *x, size_t n, int pattern)
{
    if (pattern < N_PATTERNS) {
        fill(ck, x, n, pattern);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (pattern == N_PATTERNS) {
            x[i] = gol_f32_from_bits((uint32_t)gol_rng_next(&ck->rng));
        } else if (pattern == N_PATTERNS + 1) {
            x[i] = 1e5f * (float)gol_rng_next_normal(&ck->rng);
        } else {
            const float half = (float)gol_rng_below(&ck->rng, 253) - 126.0f + 0.5f;
            const uint64_t side = gol_rng_below(&ck->rng, 3);
            x[i] = side == 0 ? half : nextafterf(half, side == 1 ? -127.0f : 127.0f);
            x[i] = i % GOL_QK == 7 ? 127.0f : x[i];
        }
    }
}

/* What the format makes of x, in double; a block of Q8_0 has one scale. */
static double stored(gol_kv_type type, const float *x, size_t i)
{
    if (type == GOL_KV_F32 || isnan(x[i]))
        return (double)x[i];
    if (type == GOL_KV_BF16)
        return (double)gol_bf16_to_f32(gol_f32_to_bf16(x[i]));
    if (type == GOL_KV_F16)
        return (double)gol_f16_to_f32(gol_f32_to_f16(fminf(fmaxf(x[i], -65504.0f), 65504.0f)));
    const float *block = x + i / GOL_QK * GOL_QK;
    float largest = 0.0f;
    for (size_t j = 0; j < GOL_QK; j++) {
        if (isnan(block[j]))
            return (double)NAN;
        largest = fmaxf(largest, fabsf(block[j]));
    }
    const float d = gol_f16_to_f32(gol_f32_to_f16(fminf(largest / 127.0f, 65504.0f)));
    const float q = d > 0.0f ? roundf(x[i] * (1.0f / d)) : 0.0f;
    return (double)d * (double)fminf(fmaxf(q, -127.0f), 127.0f);
}

static void compare_number(checker *ck, const char *what, size_t i, double got, double want)
{
    if (got != want && !(isnan(got) && isnan(want)))
        fail_number(ck, what, i, got, want, 0);
}

static void check_key_of(checker *ck, const version *v, const version *c, size_t dim, size_t lane,
                         int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    const size_t n_bytes = panel_bytes(type, dim);
    float *k = guarded_floats(dim);
    uint8_t *panel = fenced(n_bytes);
    uint8_t *before = fenced(n_bytes);
    random_cells(ck, panel, type, LANES * dim, 0, true);
    memcpy(before, panel, n_bytes);
    fill_input(ck, k, dim, pattern);
    ((gol_kv_store_key_fn *)v->fn)(panel, k, lane, dim);
    for (size_t l = 0; l < LANES; l++)
        for (size_t d = 0; d < dim; d++)
            compare_number(ck, l == lane ? "key" : "another key", d,
                           panel_number(panel, type, l, d),
                           l == lane ? stored(type, k, d) : panel_number(before, type, l, d));
    if (c)
        ((gol_kv_store_key_fn *)c->fn)(before, k, lane, dim);
    if (c && memcmp(panel, before, n_bytes) != 0)
        fail_text(ck, "a key has other bytes than from the C version");
    buffers_check(ck);
    buffers_free();
}

static void check_value_of(checker *ck, const version *v, const version *c, size_t dim, int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    float *x = guarded_floats(dim);
    const size_t n_bytes = row_bytes(type, padded(dim));
    uint8_t *row = fenced(n_bytes);
    uint8_t *from_c = fenced(n_bytes);
    fill_input(ck, x, dim, pattern);
    ((gol_kv_store_value_fn *)v->fn)(row, x, dim);
    for (size_t d = 0; d < padded(dim); d++)
        compare_number(ck, "value", d, row_number(row, type, d),
                       d < dim ? stored(type, x, d) : 0.0);
    if (c)
        ((gol_kv_store_value_fn *)c->fn)(from_c, x, dim);
    if (c && memcmp(row, from_c, n_bytes) != 0)
        fail_text(ck, "a value has other bytes than from the C version");
    buffers_check(ck);
    buffers_free();
}

static void check_kv_store_key(checker *ck, const version *v, const version *c)
{
    const size_t step = v->index == GOL_KV_Q8_0 ? GOL_QK : 1;
    for (size_t dim = step; dim <= DIM_MAX; dim += dim < 70 || step > 1 ? step : 31)
        for (int pattern = 0; pattern < N_CASES; pattern++)
            check_key_of(ck, v, c, dim, (dim / step + (size_t)pattern) % LANES, pattern);
}

static void check_kv_store_value(checker *ck, const version *v, const version *c)
{
    const size_t step = v->index == GOL_KV_Q8_0 ? GOL_QK : 1;
    for (size_t dim = step; dim <= DIM_MAX; dim += dim < 70 || step > 1 ? step : 31)
        for (int pattern = 0; pattern < N_CASES; pattern++)
            check_value_of(ck, v, c, dim, pattern);
}

enum { BENCH_DIM = 64 };

static size_t bench_kv_store(checker *ck, const version *v)
{
    static const version *made_for;
    static float *x;
    static uint8_t *out;
    const gol_kv_type type = (gol_kv_type)v->index;
    if (made_for != v) {
        made_for = v;
        x = guarded_floats(BENCH_DIM);
        out = fenced(panel_bytes(type, BENCH_DIM));
        fill(ck, x, BENCH_DIM, 0);
    }
    if (v->slot_offset < offsetof(gol_kernels, kv_store_value))
        ((gol_kv_store_key_fn *)v->fn)(out, x, 3, BENCH_DIM);
    else
        ((gol_kv_store_value_fn *)v->fn)(out, x, BENCH_DIM);
    return BENCH_DIM * sizeof *x + row_bytes(type, BENCH_DIM);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_kv_store_key = {"kv_store_key", key_versions, COUNT(key_versions),
                                    check_kv_store_key, bench_kv_store};
const family family_kv_store_value = {"kv_store_value", value_versions, COUNT(value_versions),
                                      check_kv_store_value, bench_kv_store};
