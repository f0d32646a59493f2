/*
 * The float core with NEON: four registers of rows times one lane of tokens. Six tokens at a time are 24 sums, 4 weights and 2
 * registers of activations.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    ROW_VECTORS = GOL_PANEL_ROWS / 4,
    TOKENS_MAX = 6,
};

#define ADD_TOKEN(k, x, lane)                                                                      \
    for (size_t v = 0; v < ROW_VECTORS; v++)                                                       \
        acc[k][v] = vfmaq_laneq_f32(acc[k][v], w[v], x, lane);

/* n = 6, 4, 2 or 1 tokens from `first` on. */
INLINE void add_tokens(const gol_f32_tile *t, size_t first, size_t n)
{
    float32x4_t acc[TOKENS_MAX][ROW_VECTORS];
    for (size_t k = 0; k < n; k++)
        for (size_t v = 0; v < ROW_VECTORS; v++)
            acc[k][v] = vld1q_f32(t->acc + (first + k) * GOL_PANEL_ROWS + 4 * v);
    const float *x = t->x + first;
    for (size_t i = 0; i < t->n_in; i++, x += t->n_tokens) {
        float32x4_t w[ROW_VECTORS];
        for (size_t v = 0; v < ROW_VECTORS; v++)
            w[v] = vld1q_f32(t->w + i * GOL_PANEL_ROWS + 4 * v);
        if (n >= 4) {
            const float32x4_t four = vld1q_f32(x);
            ADD_TOKEN(0, four, 0)
            ADD_TOKEN(1, four, 1)
            ADD_TOKEN(2, four, 2)
            ADD_TOKEN(3, four, 3)
        }
        if (n == 6 || n == 2) {
            const float32x2_t two = vld1_f32(x + (n - 2));
            const float32x4_t wide = vcombine_f32(two, two);
            ADD_TOKEN(n - 2, wide, 0)
            ADD_TOKEN(n - 1, wide, 1)
        }
        if (n == 1) {
            const float32x4_t one = vld1q_dup_f32(x);
            ADD_TOKEN(0, one, 0)
        }
    }
    for (size_t k = 0; k < n; k++)
        for (size_t v = 0; v < ROW_VECTORS; v++)
            vst1q_f32(t->acc + (first + k) * GOL_PANEL_ROWS + 4 * v, acc[k][v]);
}

void gol_f32_core_neon(const gol_f32_tile *t)
{
    size_t k = 0;
    for (; k + 6 <= t->n_tokens; k += 6)
        add_tokens(t, k, 6);
    if (k + 4 <= t->n_tokens) {
        add_tokens(t, k, 4);
        k += 4;
    }
    if (k + 2 <= t->n_tokens) {
        add_tokens(t, k, 2);
        k += 2;
    }
    if (k < t->n_tokens)
        add_tokens(t, k, 1);
}
