/*
 * Packing of the types whose values come in blocks. A packed stretch holds the bytes of its blocks, no more and no fewer, in
 * another order: the same field of 16 rows side by side. So a stretch is as large as its blocks were (parts are rounded up to 64
 * bytes, which whole stretches rarely need), and every type is a list of fields: where in the file's block it lies, how many bytes
 * of one row stay together, and where in the stretch it goes.
 *
 * Fields of quants keep four bytes together, quads[i / 4][16 rows][i % 4] for byte i of the file's field: what the unpackers then
 * do to bytes (masks, shifts, levels) leaves them in the order in which the cores want them.
 */
#include "backend/cpu/panel_format.h"

#include <assert.h>
#include <string.h>

#include "quant/blocks.h"

typedef enum field_part {
    PART_HEAD,
    PART_SCALES,
    PART_QUANTS,
} field_part;

/* What else happens to the four bytes of a row. */
typedef enum field_change {
    CHANGE_NONE,
    CHANGE_UNSIGNED, /* signed bytes + 128 */
    CHANGE_PLANES, /* bits of 32 elements: bit j of byte i becomes that of element 4j + i, as if they were nibbles' */
} field_change;

typedef struct field {
    uint8_t from;    /* offset in the file's block */
    uint8_t n_bytes; /* 0: no more fields */
    uint8_t unit;    /* bytes of a row side by side: 1, 2, 4 */
    uint8_t part;
    uint16_t to; /* offset in the part; of types with blocks of 32 in the block's share of it */
    uint8_t change;
} field;

enum { N_FIELDS_MAX = 5 };

#define FROM(block, member)                                                                        \
    offsetof(gol_block_##block, member), sizeof((gol_block_##block *)NULL)->member
/* binary16 numbers of the 16 rows */
#define HALVES(block, member, part, to)                                                            \
    {                                                                                              \
        FROM(block, member), 2, part, to, CHANGE_NONE                                              \
    }
/* bytes [member's bytes][16 rows] */
#define BYTES(block, member, part, to)                                                             \
    {                                                                                              \
        FROM(block, member), 1, part, to, CHANGE_NONE                                              \
    }
/* bytes [member's bytes / 4][16 rows][4] */
#define QUADS(block, member, to, change)                                                           \
    {                                                                                              \
        FROM(block, member), 4, PART_QUANTS, to, change                                            \
    }

/* clang-format off */
static const field fields[GOL_TYPE_N_IDS][N_FIELDS_MAX + 1] = {
    [GOL_TYPE_Q8_0]   = {HALVES(q8_0, d, PART_SCALES, 0),
                         QUADS(q8_0, qs, 0, CHANGE_UNSIGNED)},
    [GOL_TYPE_Q4_0]   = {HALVES(q4_0, d, PART_SCALES, 0),
                         QUADS(q4_0, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_Q4_1]   = {HALVES(q4_1, d, PART_SCALES, 0), HALVES(q4_1, m, PART_SCALES, 32),
                         QUADS(q4_1, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_Q5_0]   = {HALVES(q5_0, d, PART_SCALES, 0),
                         QUADS(q5_0, qh, 0, CHANGE_PLANES), QUADS(q5_0, qs, 64, CHANGE_NONE)},
    [GOL_TYPE_Q5_1]   = {HALVES(q5_1, d, PART_SCALES, 0), HALVES(q5_1, m, PART_SCALES, 32),
                         QUADS(q5_1, qh, 0, CHANGE_PLANES), QUADS(q5_1, qs, 64, CHANGE_NONE)},
    [GOL_TYPE_IQ4_NL] = {HALVES(iq4_nl, d, PART_SCALES, 0),
                         QUADS(iq4_nl, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_MXFP4]  = {BYTES(mxfp4, e, PART_SCALES, 0),
                         QUADS(mxfp4, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_Q2_K]   = {HALVES(q2_k, d, PART_HEAD, 0), HALVES(q2_k, dmin, PART_HEAD, 32),
                         BYTES(q2_k, scales, PART_SCALES, 0),
                         QUADS(q2_k, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_Q3_K]   = {HALVES(q3_k, d, PART_HEAD, 0),
                         BYTES(q3_k, scales, PART_SCALES, 0),
                         QUADS(q3_k, hmask, 0, CHANGE_NONE), QUADS(q3_k, qs, 512, CHANGE_NONE)},
    [GOL_TYPE_Q4_K]   = {HALVES(q4_k, d, PART_HEAD, 0), HALVES(q4_k, dmin, PART_HEAD, 32),
                         BYTES(q4_k, scales, PART_SCALES, 0),
                         QUADS(q4_k, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_Q5_K]   = {HALVES(q5_k, d, PART_HEAD, 0), HALVES(q5_k, dmin, PART_HEAD, 32),
                         BYTES(q5_k, scales, PART_SCALES, 0),
                         QUADS(q5_k, qh, 0, CHANGE_NONE), /* bit g: group g, as CHANGE_PLANES makes it */
                         QUADS(q5_k, qs, 512, CHANGE_NONE)},
    [GOL_TYPE_Q6_K]   = {HALVES(q6_k, d, PART_HEAD, 0),
                         BYTES(q6_k, scales, PART_SCALES, 0),
                         QUADS(q6_k, qh, 0, CHANGE_NONE), QUADS(q6_k, ql, 1024, CHANGE_NONE)},
    [GOL_TYPE_IQ4_XS] = {HALVES(iq4_xs, d, PART_HEAD, 0),
                         BYTES(iq4_xs, scales_h, PART_SCALES, 0), BYTES(iq4_xs, scales_l, PART_SCALES, 32),
                         QUADS(iq4_xs, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_TQ1_0]  = {HALVES(tq1_0, d, PART_HEAD, 0),
                         QUADS(tq1_0, qs, 0, CHANGE_NONE), QUADS(tq1_0, qh, 768, CHANGE_NONE)},
    [GOL_TYPE_TQ2_0]  = {HALVES(tq2_0, d, PART_HEAD, 0),
                         QUADS(tq2_0, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_IQ2_XXS] = {HALVES(iq2_xxs, d, PART_HEAD, 0),
                          QUADS(iq2_xxs, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_IQ2_XS] = {HALVES(iq2_xs, d, PART_HEAD, 0),
                         BYTES(iq2_xs, scales, PART_SCALES, 0),
                         QUADS(iq2_xs, qs, 0, CHANGE_NONE)},
    [GOL_TYPE_IQ2_S]  = {HALVES(iq2_s, d, PART_HEAD, 0),
                         BYTES(iq2_s, scales, PART_SCALES, 0),
                         QUADS(iq2_s, qs, 0, CHANGE_NONE), QUADS(iq2_s, signs, 512, CHANGE_NONE),
                         QUADS(iq2_s, qh, 1024, CHANGE_NONE)},
    [GOL_TYPE_IQ3_XXS] = {HALVES(iq3_xxs, d, PART_HEAD, 0),
                          QUADS(iq3_xxs, qs, 0, CHANGE_NONE), QUADS(iq3_xxs, scales_signs, 1024, CHANGE_NONE)},
    [GOL_TYPE_IQ3_S]  = {HALVES(iq3_s, d, PART_HEAD, 0),
                         BYTES(iq3_s, scales, PART_SCALES, 0),
                         QUADS(iq3_s, qs, 0, CHANGE_NONE), QUADS(iq3_s, qh, 1024, CHANGE_NONE),
                         QUADS(iq3_s, signs, 1152, CHANGE_NONE)},
    [GOL_TYPE_IQ1_S]  = {HALVES(iq1_s, d, PART_HEAD, 0),
                         QUADS(iq1_s, qs, 0, CHANGE_NONE), QUADS(iq1_s, qh, 512, CHANGE_NONE)},
    [GOL_TYPE_IQ1_M]  = {QUADS(iq1_m, qs, 0, CHANGE_NONE), QUADS(iq1_m, qh, 512, CHANGE_NONE),
                         QUADS(iq1_m, scales, 768, CHANGE_NONE)},
};
/* clang-format on */

/* Bits 0, 4, ... 28 of x side by side. */
static uint32_t every_fourth_bit(uint32_t x)
{
    x &= 0x11111111u;
    x = (x | x >> 3) & 0x03030303u;
    x = (x | x >> 6) & 0x000f000fu;
    return (x | x >> 12) & 0xffu;
}

static uint32_t change_quad(uint32_t quad, field_change change)
{
    switch (change) {
    case CHANGE_NONE:
        return quad;
    case CHANGE_UNSIGNED:
        return quad ^ 0x80808080u;
    case CHANGE_PLANES:
        return every_fourth_bit(quad) | every_fourth_bit(quad >> 1) << 8 |
               every_fourth_bit(quad >> 2) << 16 | every_fourth_bit(quad >> 3) << 24;
    }
    return quad;
}

/* dst[n_bytes / unit][16][unit] = n_bytes at src of each row. */
static void interleave(uint8_t *dst, const uint8_t *src, const gol_pack_rows *rows, size_t n_bytes,
                       size_t unit)
{
    for (size_t r = 0; r < rows->n_rows; r++, src += rows->row_bytes) {
        uint8_t *out = dst + r * unit;
        for (size_t i = 0; i < n_bytes / unit; i++, out += unit * GOL_PANEL_ROWS)
            memcpy(out, src + i * unit, unit);
    }
}

static void interleave_quads(uint8_t *dst, const uint8_t *src, const gol_pack_rows *rows,
                             size_t n_bytes, field_change change)
{
    for (size_t r = 0; r < rows->n_rows; r++, src += rows->row_bytes) {
        uint8_t *out = dst + r * 4;
        for (size_t i = 0; i < n_bytes / 4; i++, out += 4 * GOL_PANEL_ROWS) {
            uint32_t quad;
            memcpy(&quad, src + i * 4, sizeof quad);
            quad = change_quad(quad, change);
            memcpy(out, &quad, sizeof quad);
        }
    }
}

void gol_pack_blocks(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                     size_t stretch)
{
    const gol_type_info *info = gol_type_get(f->type);
    const size_t n_blocks = gol_stretch_n_blocks(rows->n_in, stretch);
    const size_t per_block = (size_t)info->block_size / GOL_BLOCK_INPUTS; /* of the file: 1 or 8 */
    uint8_t *const parts[] = {dst, dst + f->head_bytes, dst + gol_stretch_quants(f, n_blocks)};
    const size_t strides[] = {0, f->scale_bytes * per_block, f->quant_bytes * per_block};
    assert(n_blocks % per_block == 0);
    for (size_t b = 0; b < n_blocks / per_block; b++) {
        const uint8_t *block = rows->data +
                               (stretch * GOL_STRETCH_BLOCKS / per_block + b) * info->type_size;
        for (const field *x = fields[f->type]; x->n_bytes > 0; x++) {
            uint8_t *out = parts[x->part] + b * strides[x->part] + x->to;
            if (x->change == CHANGE_NONE)
                interleave(out, block + x->from, rows, x->n_bytes, x->unit);
            else
                interleave_quads(out, block + x->from, rows, x->n_bytes, (field_change)x->change);
        }
    }
}
