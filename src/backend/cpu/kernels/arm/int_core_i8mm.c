/*
 * The integer cores with Armv8.6's matrix products of bytes: usmmla multiplies two rows of eight unsigned bytes with two tokens
 * of eight signed ones into 2 x 2 sums, twice the products of a dot product. Weights are unsigned there, so that every kind begins
 * at its start sums and none is wide.
 *
 * Eight inputs of two rows are two quads side by side; a block is put into that order once for all tokens of the tile. A token
 * without a partner takes usdot, whose operands lie as they should; sums of integers are the same either way.
 *
 * Two pairs of tokens at a time (16 registers of sums, 2 of activations), one pair for groups of 16, which need twice the sums.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/arm/int_core_neon.h"

enum {
    OCTETS = GOL_BLOCK_INPUTS / 8,
    ROW_PAIRS = GOL_PANEL_ROWS / 2,
    QUAD = 4 * GOL_PANEL_ROWS,
    PAIRS_MAX = GOL_CORE_TOKENS_MAX / 2,
};

/* A block's weights [8 inputs at a time][two rows at a time][2][8]. */
typedef uint8_t paired_block[OCTETS][ROW_PAIRS][16];

static inline void pair_rows(paired_block out, const uint8_t *q)
{
    for (size_t o = 0; o < OCTETS; o++) {
        for (size_t v = 0; v < GOL_ROW_VECTORS; v++) {
            const uint32x4_t a = vreinterpretq_u32_u8(vld1q_u8(q + 2 * o * QUAD + v * 16));
            const uint32x4_t b = vreinterpretq_u32_u8(vld1q_u8(q + (2 * o + 1) * QUAD + v * 16));
            vst1q_u8(out[o][2 * v], vreinterpretq_u8_u32(vzip1q_u32(a, b)));
            vst1q_u8(out[o][2 * v + 1], vreinterpretq_u8_u32(vzip2q_u32(a, b)));
        }
    }
}

/* Tokens [first, first + 2 * n_pairs). A register of sums is [row][token]. */
GOL_INLINE void add_pairs(const gol_int_tile *t, gol_int_shape shape, const paired_block w,
                          size_t b, size_t first, size_t n_pairs)
{
    int32x4_t pairs[PAIRS_MAX][2][ROW_PAIRS];
    for (size_t p = 0; p < n_pairs; p++) {
        const int32_t *start = (const int32_t *)t->x.aux +
                               gol_block_aux(t, shape, b, first + 2 * p);
        for (size_t g = 0; g < shape.n_groups; g++) {
            const int32x2_t two = shape.has_mins ? vdup_n_s32(GOL_INT_SUM_ZERO)
                                                 : vld1_s32(start + g * t->n_tokens);
            for (size_t r = 0; r < ROW_PAIRS; r++)
                pairs[p][g][r] = vcombine_s32(two, two);
        }
    }
#pragma GCC unroll 4
    for (size_t o = 0; o < OCTETS; o++) {
        const size_t g = o * shape.n_groups / OCTETS;
        int8x16_t x[PAIRS_MAX];
        for (size_t p = 0; p < n_pairs; p++) {
            const int8_t *two = gol_block_x(t, b, first + 2 * p) + 8 * o;
            x[p] = vcombine_s8(vld1_s8(two), vld1_s8(two + GOL_BLOCK_INPUTS));
        }
        for (size_t r = 0; r < ROW_PAIRS; r++) {
            const uint8x16_t rows = vld1q_u8(w[o][r]);
            for (size_t p = 0; p < n_pairs; p++)
                pairs[p][g][r] = vusmmlaq_s32(pairs[p][g][r], rows, x[p]);
        }
    }
    gol_int_sums sums;
    for (size_t p = 0; p < n_pairs; p++) {
        for (size_t g = 0; g < shape.n_groups; g++) {
            for (size_t v = 0; v < GOL_ROW_VECTORS; v++) {
                const int32x4_t *from = &pairs[p][g][2 * v];
                sums[2 * p][g][v] = vuzp1q_s32(from[0], from[1]);
                sums[2 * p + 1][g][v] = vuzp2q_s32(from[0], from[1]);
            }
        }
    }
    gol_finish_block_neon(t, shape, b, first, 2 * n_pairs, sums, 0, GOL_ROW_VECTORS);
}

#define ADD_QUAD(lane)                                                                             \
    for (size_t v = 0; v < GOL_ROW_VECTORS; v++)                                                   \
        sums[0][g][v] = vusdotq_laneq_s32(sums[0][g][v], vld1q_u8(q + (lane)*QUAD + v * 16), x,    \
                                          lane);

GOL_INLINE void add_single(const gol_int_tile *t, gol_int_shape shape, size_t b, size_t token)
{
    const uint8_t *q = gol_block_q(t, b);
    const int32_t *start = (const int32_t *)t->x.aux + gol_block_aux(t, shape, b, token);
    gol_int_sums sums;
    for (size_t g = 0; g < shape.n_groups; g++)
        for (size_t v = 0; v < GOL_ROW_VECTORS; v++)
            sums[0][g][v] = vdupq_n_s32(shape.has_mins ? GOL_INT_SUM_ZERO : start[g * t->n_tokens]);
    for (size_t half = 0; half < 2; half++, q += 4 * QUAD) {
        const size_t g = half * (shape.n_groups - 1);
        const int8x16_t x = vld1q_s8(gol_block_x(t, b, token) + 16 * half);
        ADD_QUAD(0)
        ADD_QUAD(1)
        ADD_QUAD(2)
        ADD_QUAD(3)
    }
    gol_finish_block_neon(t, shape, b, token, 1, sums, 0, GOL_ROW_VECTORS);
}

GOL_INLINE void multiply_panel(const gol_int_tile *t, gol_int_shape shape)
{
    for (size_t b = 0; b < t->n_blocks; b++) {
        size_t k = 0;
        if (t->n_tokens > 1) {
            paired_block w;
            pair_rows(w, gol_block_q(t, b));
            for (; shape.n_groups == 1 && k + 4 <= t->n_tokens; k += 4)
                add_pairs(t, shape, w, b, k, 2);
            for (; k + 2 <= t->n_tokens; k += 2)
                add_pairs(t, shape, w, b, k, 1);
        }
        if (k < t->n_tokens)
            add_single(t, shape, b, k);
    }
}

GOL_INLINE void core(const gol_int_tile *t, gol_int_shape shape)
{
    for (size_t p = 0; p < t->n_panels; p++) {
        const gol_int_tile one = gol_int_tile_panels(t, p, 1);
        multiply_panel(&one, shape);
    }
}

void gol_int_core_z32_i8mm(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1});
}

void gol_int_core_m32_i8mm(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 1, .has_mins = true});
}

void gol_int_core_z16_i8mm(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2});
}

void gol_int_core_m16_i8mm(const gol_int_tile *tile)
{
    core(tile, (gol_int_shape){.n_groups = 2, .has_mins = true});
}
