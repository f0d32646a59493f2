/*
 * The float core with AVX2: two registers hold an input's 16 rows, and six tokens at a time make 12 sums, which hide the latency
 * of an addition and leave registers for the weights and one activation.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/unroll.h"

enum { LANES = 8, TOKENS_AT_ONCE = 6 };

/* Tokens [first, first + n) of the tile. */
static inline __attribute__((always_inline)) void add_tokens(const gol_f32_tile *t, size_t first,
                                                             size_t n)
{
    __m256 low[TOKENS_AT_ONCE];
    __m256 high[TOKENS_AT_ONCE];
    float *sums = t->acc + first * GOL_PANEL_ROWS;
    const float *x = t->x + first;
    const char *ahead = first == 0 ? (const char *)t->ahead : NULL;
    GOL_UNROLL
    for (size_t k = 0; k < n; k++) {
        low[k] = _mm256_load_ps(sums + k * GOL_PANEL_ROWS);
        high[k] = _mm256_load_ps(sums + k * GOL_PANEL_ROWS + LANES);
    }
    for (size_t i = 0; i < t->n_in; i++, x += t->n_tokens) {
        const __m256 w_low = _mm256_load_ps(t->w + i * GOL_PANEL_ROWS);
        const __m256 w_high = _mm256_load_ps(t->w + i * GOL_PANEL_ROWS + LANES);
        if (ahead && i % 2 == 0)
            _mm_prefetch(ahead + i * GOL_AHEAD_BYTES, _MM_HINT_T0);
        GOL_UNROLL
        for (size_t k = 0; k < n; k++) {
            const __m256 one = _mm256_broadcast_ss(x + k);
            low[k] = _mm256_fmadd_ps(w_low, one, low[k]);
            high[k] = _mm256_fmadd_ps(w_high, one, high[k]);
        }
    }
    GOL_UNROLL
    for (size_t k = 0; k < n; k++) {
        _mm256_store_ps(sums + k * GOL_PANEL_ROWS, low[k]);
        _mm256_store_ps(sums + k * GOL_PANEL_ROWS + LANES, high[k]);
    }
}

void gol_f32_core_avx2(const gol_f32_tile *t)
{
    size_t first = 0;
    for (; t->n_tokens - first >= TOKENS_AT_ONCE; first += TOKENS_AT_ONCE)
        add_tokens(t, first, TOKENS_AT_ONCE);
    switch (t->n_tokens - first) {
    case 5:
        add_tokens(t, first, 5);
        break;
    case 4:
        add_tokens(t, first, 4);
        break;
    case 3:
        add_tokens(t, first, 3);
        break;
    case 2:
        add_tokens(t, first, 2);
        break;
    case 1:
        add_tokens(t, first, 1);
        break;
    }
}
