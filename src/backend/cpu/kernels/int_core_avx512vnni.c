/*
 * The integer cores for AVX-512 VNNI: a vector holds 4 inputs of 16 rows, an instruction multiplies it by 4 activations of one
 * token, broadcast from memory, and adds to that token's 16 sums.
 *
 * Weights pass through one register and are used by all tokens of the tile at once: 12 integer sums and 12 results are as many
 * chains as hide the latency, and as many as 32 registers hold. Of 11 operations on a token's block 8 multiply, so that 73% of
 * the processor's peak is the limit of groups of 32 (67% with mins; 62% and 53% for groups of 16).
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "backend/cpu/kernels/unroll.h"

/* x[0 .. 3] in every group of four bytes. */
static inline __m512i broadcast(const int8_t *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
}

/* sums[n] = integer sums of group g of the block at q; x [n][32], start [n] or NULL for 0. */
static inline __attribute__((always_inline)) void
sum_group(__m512i *sums, const uint8_t *q, const int8_t *x, const int32_t *start, int n, int quads)
{
    GOL_UNROLL
    for (int k = 0; k < n; k++)
        sums[k] = start ? _mm512_set1_epi32(start[k]) : _mm512_setzero_si512();
    GOL_UNROLL
    for (int j = 0; j < quads; j++) {
        const __m512i w = _mm512_load_si512(q + j * GOL_PANEL_ROWS * 4);
        GOL_UNROLL
        for (int k = 0; k < n; k++)
            sums[k] = _mm512_dpbusd_epi32(sums[k], w, broadcast(x + k * GOL_BLOCK_INPUTS + 4 * j));
    }
}

/* Memory would rest while a stretch is multiplied: the part of the next one that falls to block b is asked for. */
static inline __attribute__((always_inline)) void prefetch_ahead(const gol_int_tile *t, size_t b)
{
    if (t->ahead_bytes == 0)
        return;
    const uint8_t *ahead = t->ahead + b * t->ahead_bytes;
    for (size_t i = 0; i < t->ahead_bytes; i += 64)
        _mm_prefetch((const char *)ahead + i, _MM_HINT_T0);
}

/* acc[n] -= min * x_sum, group after group. */
static inline __attribute__((always_inline)) void subtract_mins(__m512 *acc,
                                                                const float (*min)[GOL_PANEL_ROWS],
                                                                const float *x_sum, int n,
                                                                int n_groups)
{
    GOL_UNROLL
    for (int g = 0; g < n_groups; g++) {
        const __m512 m = _mm512_load_ps(min[g]);
        GOL_UNROLL
        for (int k = 0; k < n; k++)
            acc[k] = _mm512_fnmadd_ps(m, _mm512_set1_ps(x_sum[g * n + k]), acc[k]);
    }
}

/* Groups of 32. */
static inline __attribute__((always_inline)) void core32(const gol_int_tile *t, int n, bool has_min)
{
    __m512 acc[GOL_INT_TILE];
    const gol_int_panel *panel = t->panel;
    const uint8_t *q = panel->q;
    const int8_t *x = t->x.q;
    const float *x_scale = t->x.scale;
    const int32_t *start = t->x.aux;
    const float *x_sum = t->x.aux;
    GOL_UNROLL
    for (int k = 0; k < n; k++)
        acc[k] = _mm512_load_ps(t->acc + k * GOL_PANEL_ROWS);
    for (size_t b = 0; b < t->n_blocks; b++) {
        __m512i sums[GOL_INT_TILE];
        prefetch_ahead(t, b);
        sum_group(sums, q, x, has_min ? NULL : start, n, 8);
        const __m512 scale = _mm512_load_ps(panel->scale[b]);
        GOL_UNROLL
        for (int k = 0; k < n; k++)
            acc[k] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[k]),
                                     _mm512_mul_ps(scale, _mm512_set1_ps(x_scale[k])), acc[k]);
        if (has_min)
            subtract_mins(acc, &panel->min[b], x_sum, n, 1);
        q += GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
        x += n * GOL_BLOCK_INPUTS;
        x_scale += n;
        start += n;
        x_sum += n;
    }
    GOL_UNROLL
    for (int k = 0; k < n; k++)
        _mm512_store_ps(t->acc + k * GOL_PANEL_ROWS, acc[k]);
}

/* Groups of 16: the results wait in memory, as the first group's products need registers beside the second's sums. */
static inline __attribute__((always_inline)) void core16(const gol_int_tile *t, int n, bool has_min)
{
    const gol_int_panel *panel = t->panel;
    const uint8_t *q = panel->q;
    const int8_t *x = t->x.q;
    const float *x_scale = t->x.scale;
    const int32_t *start = t->x.aux;
    const float *x_sum = t->x.aux;
    for (size_t b = 0; b < t->n_blocks; b++) {
        __m512 s[GOL_INT_TILE];
        __m512i sums[GOL_INT_TILE];
        prefetch_ahead(t, b);
        sum_group(sums, q, x, has_min ? NULL : start, n, 4);
        const __m512 scale0 = _mm512_load_ps(panel->scale[2 * b]);
        GOL_UNROLL
        for (int k = 0; k < n; k++)
            s[k] = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[k]), scale0);
        sum_group(sums, q + 4 * GOL_PANEL_ROWS * 4, x + 16, has_min ? NULL : start + n, n, 4);
        const __m512 scale1 = _mm512_load_ps(panel->scale[2 * b + 1]);
        __m512 acc[GOL_INT_TILE];
        GOL_UNROLL
        for (int k = 0; k < n; k++) {
            s[k] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[k]), scale1, s[k]);
            acc[k] = _mm512_fmadd_ps(s[k], _mm512_set1_ps(x_scale[k]),
                                     _mm512_load_ps(t->acc + k * GOL_PANEL_ROWS));
        }
        if (has_min)
            subtract_mins(acc, &panel->min[2 * b], x_sum, n, 2);
        GOL_UNROLL
        for (int k = 0; k < n; k++)
            _mm512_store_ps(t->acc + k * GOL_PANEL_ROWS, acc[k]);
        q += GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
        x += n * GOL_BLOCK_INPUTS;
        x_scale += n;
        start += 2 * n;
        x_sum += 2 * n;
    }
}

static inline __attribute__((always_inline)) void core(const gol_int_tile *t, int n, int n_groups,
                                                       bool has_min)
{
    if (n_groups == 1)
        core32(t, n, has_min);
    else
        core16(t, n, has_min);
}

/* One copy of the loop for each number of tokens. */
static inline __attribute__((always_inline)) void dispatch(const gol_int_tile *t, int n_groups,
                                                           bool has_min)
{
    switch (t->n_tokens) {
    case 1:
        core(t, 1, n_groups, has_min);
        break;
    case 2:
        core(t, 2, n_groups, has_min);
        break;
    case 3:
        core(t, 3, n_groups, has_min);
        break;
    case 4:
        core(t, 4, n_groups, has_min);
        break;
    case 5:
        core(t, 5, n_groups, has_min);
        break;
    case 6:
        core(t, 6, n_groups, has_min);
        break;
    case 7:
        core(t, 7, n_groups, has_min);
        break;
    case 8:
        core(t, 8, n_groups, has_min);
        break;
    case 9:
        core(t, 9, n_groups, has_min);
        break;
    case 10:
        core(t, 10, n_groups, has_min);
        break;
    case 11:
        core(t, 11, n_groups, has_min);
        break;
    default:
        core(t, 12, n_groups, has_min);
        break;
    }
}

void gol_int_core_z32_avx512vnni(const gol_int_tile *tile)
{
    dispatch(tile, 1, false);
}

void gol_int_core_m32_avx512vnni(const gol_int_tile *tile)
{
    dispatch(tile, 1, true);
}

void gol_int_core_z16_avx512vnni(const gol_int_tile *tile)
{
    dispatch(tile, 2, false);
}

void gol_int_core_m16_avx512vnni(const gol_int_tile *tile)
{
    dispatch(tile, 2, true);
}
