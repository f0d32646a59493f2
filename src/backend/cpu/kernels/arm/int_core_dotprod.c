/*
 * The integer cores with Armv8.2's dot products: sdot adds four products of bytes to each of four sums. Four inputs of four rows
 * are one register of weights, and the four bytes of a token that go with them are a lane of the register that holds 16 of its
 * inputs. Both sides are signed: most kinds' q fits, and a wide kind's q - 128 is its value already, so that its sums need no start.
 *
 * Four tokens at a time (16 sums, 4 weights, 4 activations of 32 registers), three for groups of 16, which need twice the sums.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/arm/int_core_neon.h"

/* Four inputs of the block, whose activations are lane `lane` of x[token]. */
#define ADD_QUAD(lane)                                                                             \
    for (size_t v = 0; v < GOL_ROW_VECTORS; v++) {                                                 \
        const uint8x16_t w = vld1q_u8(q + (lane)*4 * GOL_PANEL_ROWS + v * 16);                     \
        const int8x16_t s = vreinterpretq_s8_u8(shape.is_wide ? veorq_u8(w, vdupq_n_u8(128)) : w); \
        for (size_t k = 0; k < n; k++)                                                             \
            sums[k][g][v] = vdotq_laneq_s32(sums[k][g][v], s, x[k], lane);                         \
    }

GOL_INLINE void add_block(const gol_int_tile *t, gol_int_shape shape, size_t b, size_t first,
                          size_t n)
{
    const uint8_t *q = gol_block_q(t, b);
    gol_int_sums sums;
    for (size_t k = 0; k < n; k++) {
        const int32_t *start = (const int32_t *)t->x.aux + gol_block_aux(t, shape, b, first + k);
        for (size_t g = 0; g < shape.n_groups; g++)
            for (size_t v = 0; v < GOL_ROW_VECTORS; v++)
                sums[k][g][v] = vdupq_n_s32(
                    shape.has_mins || shape.is_wide ? GOL_INT_SUM_ZERO : start[g * t->n_tokens]);
    }
    for (size_t half = 0; half < 2; half++, q += 16 * GOL_PANEL_ROWS) {
        const size_t g = half * (shape.n_groups - 1);
        int8x16_t x[GOL_CORE_TOKENS_MAX];
        for (size_t k = 0; k < n; k++)
            x[k] = vld1q_s8(gol_block_x(t, b, first + k) + 16 * half);
        ADD_QUAD(0)
        ADD_QUAD(1)
        ADD_QUAD(2)
        ADD_QUAD(3)
    }
    gol_finish_block_neon(t, shape, b, first, n, sums, 0, GOL_ROW_VECTORS);
}

GOL_INLINE void multiply_panel(const gol_int_tile *t, gol_int_shape shape)
{
    const size_t step = shape.n_groups == 1 ? 4 : 3;
    for (size_t b = 0; b < t->n_blocks; b++) {
        size_t k = 0;
        for (; k + step <= t->n_tokens; k += step)
            add_block(t, shape, b, k, step);
        if (k + 2 <= t->n_tokens) {
            add_block(t, shape, b, k, 2);
            k += 2;
        }
        if (k < t->n_tokens)
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

void gol_int_core_z32_dotprod(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1});
}

void gol_int_core_z32_wide_dotprod(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .is_wide = true});
}

void gol_int_core_m32_dotprod(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .has_mins = true});
}

void gol_int_core_z16_dotprod(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2});
}

void gol_int_core_m16_dotprod(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2, .has_mins = true});
}
