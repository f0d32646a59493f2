/*
 * The integer cores with plain Armv8 NEON: smull and smlal multiply eight bytes into eight 16-bit sums, sadalp adds neighbours of
 * those to 32-bit sums. A group's products fit into 16 bits in the low kinds and those with mins (8 * 31 * 127 and 4 * 63 * 127 are
 * below 2^15), so that two instructions multiply 16 bytes; elsewhere the sums are emptied after two products (2 * 128 * 127). A
 * wide kind's q - 128 is its value already, in [-128, 127] and needs no start.
 *
 * Half of the rows and four tokens at a time: 16 sums, 4 weights, 2 activations.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/arm/int_core_neon.h"

enum {
    HALF_VECTORS = GOL_ROW_VECTORS / 2,
    QUAD = 4 * GOL_PANEL_ROWS,
};

/* Products of four rows: of rows 0 and 1, and of rows 2 and 3. */
typedef struct products {
    int16x8_t low, high;
} products;

GOL_INLINE products multiply(int8x16_t w, int8x16_t x)
{
    return (products){vmull_s8(vget_low_s8(w), vget_low_s8(x)), vmull_high_s8(w, x)};
}

GOL_INLINE products multiply_add(products p, int8x16_t w, int8x16_t x)
{
    return (products){vmlal_s8(p.low, vget_low_s8(w), vget_low_s8(x)), vmlal_high_s8(p.high, w, x)};
}

/* Neighbours of them added: two numbers of each row. */
typedef struct wide_sums {
    int32x4_t low, high;
} wide_sums;

GOL_INLINE wide_sums widen(products p)
{
    return (wide_sums){vpaddlq_s16(p.low), vpaddlq_s16(p.high)};
}

GOL_INLINE wide_sums widen_add(wide_sums w, products p)
{
    return (wide_sums){vpadalq_s16(w.low, p.low), vpadalq_s16(w.high, p.high)};
}

GOL_INLINE int8x16_t load_weights(const uint8_t *q, gol_int_shape shape)
{
    const uint8x16_t w = vld1q_u8(q);
    return vreinterpretq_s8_u8(shape.is_wide ? veorq_u8(w, vdupq_n_u8(128)) : w);
}

GOL_INLINE int8x16_t repeat_quad(const int8_t *x)
{
    int32_t quad;
    memcpy(&quad, x, sizeof quad);
    return vreinterpretq_s8_s32(vdupq_n_s32(quad));
}

/* Sums of group g of row vectors [2 * half, 2 * half + 2). */
GOL_INLINE void add_group(gol_int_sums sums, const gol_int_tile *t, gol_int_shape shape, size_t b,
                          size_t first, size_t n, size_t half, size_t g)
{
    const size_t n_pairs = GOL_BLOCK_INPUTS / 8 / shape.n_groups;
    const bool fits = shape.is_low || shape.has_mins;
    const uint8_t *q = gol_block_q(t, b) + g * n_pairs * 2 * QUAD + half * HALF_VECTORS * 16;
    products p[GOL_CORE_TOKENS_MAX][HALF_VECTORS];
    wide_sums wide[GOL_CORE_TOKENS_MAX][HALF_VECTORS];
    for (size_t i = 0; i < n_pairs; i++, q += 2 * QUAD) {
        for (size_t v = 0; v < HALF_VECTORS; v++) {
            const int8x16_t w0 = load_weights(q + v * 16, shape);
            const int8x16_t w1 = load_weights(q + QUAD + v * 16, shape);
            for (size_t k = 0; k < n; k++) {
                const int8_t *x = gol_block_x(t, b, first + k) + (g * n_pairs + i) * 8;
                p[k][v] = i == 0 || !fits ? multiply(w0, repeat_quad(x))
                                          : multiply_add(p[k][v], w0, repeat_quad(x));
                p[k][v] = multiply_add(p[k][v], w1, repeat_quad(x + 4));
                if (!fits)
                    wide[k][v] = i == 0 ? widen(p[k][v]) : widen_add(wide[k][v], p[k][v]);
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        const int32_t *start = (const int32_t *)t->x.aux + gol_block_aux(t, shape, b, first + k);
        for (size_t v = 0; v < HALF_VECTORS; v++) {
            const wide_sums w = !fits ? wide[k][v] : widen(p[k][v]);
            const bool has_start = !shape.has_mins && !shape.is_wide;
            const int32_t begin = has_start ? start[g * t->n_tokens] : GOL_INT_SUM_ZERO;
            sums[k][g][half * HALF_VECTORS + v] = vaddq_s32(vpaddq_s32(w.low, w.high),
                                                            vdupq_n_s32(begin));
        }
    }
}

GOL_INLINE void add_block(const gol_int_tile *t, gol_int_shape shape, size_t b, size_t first,
                          size_t n)
{
    for (size_t half = 0; half < 2; half++) {
        gol_int_sums sums;
        for (size_t g = 0; g < shape.n_groups; g++)
            add_group(sums, t, shape, b, first, n, half, g);
        gol_finish_block_neon(t, shape, b, first, n, sums, half * HALF_VECTORS,
                              (half + 1) * HALF_VECTORS);
    }
}

GOL_INLINE void multiply_panel(const gol_int_tile *t, gol_int_shape shape)
{
    for (size_t b = 0; b < t->n_blocks; b++) {
        size_t k = 0;
        for (; k + 4 <= t->n_tokens; k += 4)
            add_block(t, shape, b, k, 4);
        for (; k < t->n_tokens; k++)
            add_block(t, shape, b, k, 1);
    }
}

GOL_INLINE void core(const gol_int_tile *t, gol_int_shape shape)
{
    for (size_t p = 0; p < t->n_panels; p++) {
        const gol_int_tile one = gol_int_tile_panels(t, p, 1);
        multiply_panel(&one, shape);
    }
}

void gol_int_core_z32_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1});
}

void gol_int_core_z32_low_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .is_low = true});
}

void gol_int_core_z32_wide_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .is_wide = true});
}

void gol_int_core_m32_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .has_mins = true});
}

void gol_int_core_z16_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2});
}

void gol_int_core_z16_low_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2, .is_low = true});
}

void gol_int_core_m16_neon(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2, .has_mins = true});
}
