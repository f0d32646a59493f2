/*
 * The bfloat16 core: one register holds two inputs of a panel's 16 rows, an instruction multiplies it by the same two inputs of a
 * token, broadcast from memory, and adds both products to that token's sums. Four panels and six tokens are 24 sums, four
 * registers of weights and one of activations; each load of weights serves six instructions, each broadcast four.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/unroll.h"

/* Bytes of a panel. The processor alone got 90% of the memory's rate for one token, with 1 KB and 2 KB it is 97%; more is slower. */
enum { AHEAD = 2048 };

/* The panels may end before: what does not exist is not fetched. */
static inline __attribute__((always_inline)) void prefetch(const uint8_t *w, size_t w_stride,
                                                           size_t n_panels)
{
    GOL_UNROLL
    for (size_t p = 0; p < n_panels; p++)
        _mm_prefetch((const char *)w + p * w_stride, _MM_HINT_T0);
}

static inline __attribute__((always_inline)) void add_tile(const gol_bf16_tile *t, size_t n_panels,
                                                           size_t n_tokens)
{
    __m512 acc[GOL_BF16_PANELS][GOL_BF16_TOKENS];
    GOL_UNROLL
    for (size_t p = 0; p < n_panels; p++)
        GOL_UNROLL
    for (size_t k = 0; k < n_tokens; k++)
        acc[p][k] = _mm512_load_ps(t->acc + p * t->acc_stride + k * GOL_PANEL_ROWS);
    const uint8_t *w = t->w;
    const uint32_t *x = t->x;
    for (size_t i = 0; i < t->n_in; i += 2, w += GOL_BF16_PAIR_BYTES, x += n_tokens) {
        __m512bh rows[GOL_BF16_PANELS];
        GOL_UNROLL
        for (size_t p = 0; p < n_panels; p++)
            rows[p] = (__m512bh)_mm512_load_si512(w + p * t->w_stride);
        if (t->is_first)
            prefetch(w + AHEAD, t->w_stride, n_panels);
        GOL_UNROLL
        for (size_t k = 0; k < n_tokens; k++) {
            const __m512bh one = (__m512bh)_mm512_set1_epi32((int)x[k]);
            GOL_UNROLL
            for (size_t p = 0; p < n_panels; p++)
                acc[p][k] = _mm512_dpbf16_ps(acc[p][k], rows[p], one);
        }
    }
    GOL_UNROLL
    for (size_t p = 0; p < n_panels; p++)
        GOL_UNROLL
    for (size_t k = 0; k < n_tokens; k++)
        _mm512_store_ps(t->acc + p * t->acc_stride + k * GOL_PANEL_ROWS, acc[p][k]);
}

/* A function for each number of panels, so that none is too large to compile well. */
#define DEFINE_PANELS(n)                                                                           \
    static void add_panels_##n(const gol_bf16_tile *t)                                             \
    {                                                                                              \
        switch (t->n_tokens) {                                                                     \
        case 1:                                                                                    \
            add_tile(t, n, 1);                                                                     \
            break;                                                                                 \
        case 2:                                                                                    \
            add_tile(t, n, 2);                                                                     \
            break;                                                                                 \
        case 3:                                                                                    \
            add_tile(t, n, 3);                                                                     \
            break;                                                                                 \
        case 4:                                                                                    \
            add_tile(t, n, 4);                                                                     \
            break;                                                                                 \
        case 5:                                                                                    \
            add_tile(t, n, 5);                                                                     \
            break;                                                                                 \
        case 6:                                                                                    \
            add_tile(t, n, 6);                                                                     \
            break;                                                                                 \
        }                                                                                          \
    }

DEFINE_PANELS(1)
DEFINE_PANELS(2)
DEFINE_PANELS(3)
DEFINE_PANELS(4)

void gol_bf16_core_avx512bf16(const gol_bf16_tile *t)
{
    switch (t->n_panels) {
    case 1:
        add_panels_1(t);
        break;
    case 2:
        add_panels_2(t);
        break;
    case 3:
        add_panels_3(t);
        break;
    case 4:
        add_panels_4(t);
        break;
    }
}
