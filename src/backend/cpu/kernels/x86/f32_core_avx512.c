/*
 * The float core with AVX-512: one register holds an input's 16 rows, an instruction multiplies it by one token's activation,
 * broadcast from memory, and adds to that token's sums. Weights pass through a register and are used by all tokens at once: 24
 * sums are more chains than hide the latency of an addition (8), and each load of weights is shared by 24 products, so that the
 * two load ports keep up with the two multipliers.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/unroll.h"

/* acc[n] += the input's weights times the activations of n tokens. */
static inline __attribute__((always_inline)) void add_input(__m512 *acc, const float *w,
                                                            const float *x, size_t n)
{
    const __m512 rows = _mm512_load_ps(w);
    GOL_UNROLL
    for (size_t k = 0; k < n; k++)
        acc[k] = _mm512_fmadd_ps(rows, _mm512_set1_ps(x[k]), acc[k]);
}

static inline __attribute__((always_inline)) void add_tokens(const gol_f32_tile *t, size_t n)
{
    __m512 acc[GOL_F32_TILE];
    GOL_UNROLL
    for (size_t k = 0; k < n; k++)
        acc[k] = _mm512_load_ps(t->acc + k * GOL_PANEL_ROWS);
    for (size_t i = 0; i < t->n_in; i += 2) {
        if (t->ahead)
            _mm_prefetch((const char *)t->ahead + i * GOL_AHEAD_BYTES, _MM_HINT_T0);
        add_input(acc, t->w + i * GOL_PANEL_ROWS, t->x + i * n, n);
        add_input(acc, t->w + (i + 1) * GOL_PANEL_ROWS, t->x + (i + 1) * n, n);
    }
    GOL_UNROLL
    for (size_t k = 0; k < n; k++)
        _mm512_store_ps(t->acc + k * GOL_PANEL_ROWS, acc[k]);
}

#define TOKENS(n)                                                                                  \
    case n:                                                                                        \
        add_tokens(t, n);                                                                          \
        break;

void gol_f32_core_avx512(const gol_f32_tile *t)
{
    switch (t->n_tokens) {
        TOKENS(1)
        TOKENS(2)
        TOKENS(3)
        TOKENS(4)
        TOKENS(5)
        TOKENS(6)
        TOKENS(7)
        TOKENS(8)
        TOKENS(9)
        TOKENS(10)
        TOKENS(11)
        TOKENS(12)
        TOKENS(13)
        TOKENS(14)
        TOKENS(15)
        TOKENS(16)
        TOKENS(17)
        TOKENS(18)
        TOKENS(19)
        TOKENS(20)
        TOKENS(21)
        TOKENS(22)
        TOKENS(23)
        TOKENS(24)
    }
}
