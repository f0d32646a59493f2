/*
 * The blocks of the quantized types as they lie in a file, bit for bit. Everything is little-endian and packed:
 * a block may start at any address, so read members by value and never take the address of a 16 or 32 bit one.
 * d is a scale in binary16 unless its type says otherwise; "element j" counts within the block.
 * Source: ggml's formats (the GGUF specification names them; the layouts are those of its reference
 * quantizers).
 */
#ifndef GOL_QUANT_BLOCKS_H
#define GOL_QUANT_BLOCKS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are read in place, little-endian");

enum {
    GOL_QK = 32,    /* elements of a small block */
    GOL_QK_K = 256, /* elements of a super-block */
};

#define GOL_PACKED __attribute__((packed))

/* Pins a layout: the size of the block and the place of one member. */
#define GOL_BLOCK_CHECK(type, size, member, at)                                                    \
    static_assert(sizeof(type) == (size), #type " has another size in files");                     \
    static_assert(offsetof(type, member) == (at), #type "." #member " lies elsewhere in files")

/* ---- 32 elements, one scale ----
 * Nibble order of all of them: byte j holds element j in its low and element j + 16 in its high nibble. */

typedef struct GOL_PACKED gol_block_q4_0 {
    uint16_t d;
    uint8_t qs[16]; /* value = d * (q - 8) */
} gol_block_q4_0;
GOL_BLOCK_CHECK(gol_block_q4_0, 18, qs, 2);

typedef struct GOL_PACKED gol_block_q4_1 {
    uint16_t d;
    uint16_t m;     /* binary16: the block's minimum */
    uint8_t qs[16]; /* value = d * q + m */
} gol_block_q4_1;
GOL_BLOCK_CHECK(gol_block_q4_1, 20, qs, 4);

typedef struct GOL_PACKED gol_block_q5_0 {
    uint16_t d;
    uint8_t qh[4];  /* 32 bits, little-endian: bit j is bit 4 of element j */
    uint8_t qs[16]; /* value = d * (q - 16) */
} gol_block_q5_0;
GOL_BLOCK_CHECK(gol_block_q5_0, 22, qs, 6);

typedef struct GOL_PACKED gol_block_q5_1 {
    uint16_t d;
    uint16_t m;
    uint8_t qh[4];
    uint8_t qs[16]; /* value = d * q + m */
} gol_block_q5_1;
GOL_BLOCK_CHECK(gol_block_q5_1, 24, qs, 8);

typedef struct GOL_PACKED gol_block_q8_0 {
    uint16_t d;
    int8_t qs[32]; /* value = d * q */
} gol_block_q8_0;
GOL_BLOCK_CHECK(gol_block_q8_0, 34, qs, 2);

/* Activations only: never a weight in a file. */
typedef struct GOL_PACKED gol_block_q8_1 {
    uint16_t d;
    uint16_t s; /* binary16: d * sum of qs */
    int8_t qs[32];
} gol_block_q8_1;
GOL_BLOCK_CHECK(gol_block_q8_1, 36, qs, 4);

typedef struct GOL_PACKED gol_block_iq4_nl {
    uint16_t d;
    uint8_t qs[16]; /* value = d * gol_iq4_levels[q] */
} gol_block_iq4_nl;
GOL_BLOCK_CHECK(gol_block_iq4_nl, 18, qs, 2);

typedef struct GOL_PACKED gol_block_mxfp4 {
    uint8_t e;      /* E8M0: scale 2^(e - 127); the levels are doubled, so half of it is used */
    uint8_t qs[16]; /* value = 2^(e - 128) * gol_mxfp4_levels[q] */
} gol_block_mxfp4;
GOL_BLOCK_CHECK(gol_block_mxfp4, 17, qs, 1);

/* ---- 256 elements, scales of groups: the "K" types ---- */

/* 16 groups of 16. value = d * scale * q - dmin * min
 * Element 128h + 32s + i (h < 2, s < 4, i < 32): bits 2s, 2s + 1 of qs[32h + i]. */
typedef struct GOL_PACKED gol_block_q2_k {
    uint8_t scales[16]; /* group g: scale in the low, min in the high nibble */
    uint8_t qs[64];
    uint16_t d;
    uint16_t dmin;
} gol_block_q2_k;
GOL_BLOCK_CHECK(gol_block_q2_k, 84, d, 80);

/* 16 groups of 16. value = d * (scale - 32) * (q - 4), q of three bits
 * Scale of group g: low four bits in nibble g / 8 of scales[g % 8], high two in bits 2(g / 4) and up of
 * scales[8 + g % 4]. */
typedef struct GOL_PACKED gol_block_q3_k {
    uint8_t hmask[32]; /* bit 2 of element 128h + 32s + i: bit 4h + s of hmask[i] */
    uint8_t qs[64];    /* bits 0, 1: as in Q2_K */
    uint8_t scales[12];
    uint16_t d;
} gol_block_q3_k;
GOL_BLOCK_CHECK(gol_block_q3_k, 110, d, 108);

/* 8 groups of 32. value = d * scale * q - dmin * min
 * Scales and mins have six bits. Groups 0-3: scale in bits 0-5 of scales[g], min in those of scales[g + 4].
 * Groups 4-7: bits 0-3 in scales[g + 4] (scale: low nibble, min: high), bits 4, 5 in bits 6, 7 of scales[g - 4]
 * (scale) and scales[g] (min). Element 64c + i (c < 4, i < 32) is the low nibble of qs[32c + i], element
 * 64c + 32 + i the high one. */
typedef struct GOL_PACKED gol_block_q4_k {
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[12];
    uint8_t qs[128];
} gol_block_q4_k;
GOL_BLOCK_CHECK(gol_block_q4_k, 144, qs, 16);

/* As Q4_K with a fifth bit. */
typedef struct GOL_PACKED gol_block_q5_k {
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[12];
    uint8_t qh[32]; /* bit 4 of element 32g + i: bit g of qh[i] */
    uint8_t qs[128];
} gol_block_q5_k;
GOL_BLOCK_CHECK(gol_block_q5_k, 176, qs, 48);

/* 16 groups of 16. value = d * scale * (q - 32), q of six bits, of element 128h + 32s + i: */
typedef struct GOL_PACKED gol_block_q6_k {
    uint8_t ql[128]; /* bits 0-3: nibble s / 2 of ql[64h + 32(s % 2) + i] */
    uint8_t qh[64];  /* bits 4, 5: bits 2s, 2s + 1 of qh[32h + i] */
    int8_t scales[16];
    uint16_t d;
} gol_block_q6_k;
GOL_BLOCK_CHECK(gol_block_q6_k, 210, d, 208);

/* Activations only. */
typedef struct GOL_PACKED gol_block_q8_k {
    float d; /* binary32 */
    int8_t qs[256];
    int16_t bsums[16]; /* sum of group g's qs, groups of 16 */
} gol_block_q8_k;
GOL_BLOCK_CHECK(gol_block_q8_k, 292, bsums, 260);

/* 8 groups of 32. value = d * (scale - 32) * gol_iq4_levels[q] */
typedef struct GOL_PACKED gol_block_iq4_xs {
    uint16_t d;
    uint16_t scales_h;   /* bits 2g, 2g + 1: bits 4, 5 of group g's scale */
    uint8_t scales_l[4]; /* bits 0-3: nibble g % 2 of scales_l[g / 2] */
    uint8_t qs[128];     /* group g: 16 bytes in the nibble order of the small blocks */
} gol_block_iq4_xs;
GOL_BLOCK_CHECK(gol_block_iq4_xs, 136, qs, 8);

/* ---- 256 elements of three values (BitNet). value = d * (t - 1), t of 0, 1, 2 ---- */

/* Five base-3 digits a byte, as a fraction of 256 rounded up: digit k of byte b is 3 * (b * 3^k mod 256) / 256,
 * cut to a whole number. Element 32k + i: digit k of qs[i] (k < 5, i < 32); element 160 + 16k + i: digit k of
 * qs[32 + i] (i < 16). */
typedef struct GOL_PACKED gol_block_tq1_0 {
    uint8_t qs[48];
    uint8_t qh[4]; /* element 240 + 4k + i: digit k of qh[i] (k < 4) */
    uint16_t d;
} gol_block_tq1_0;
GOL_BLOCK_CHECK(gol_block_tq1_0, 54, d, 52);

typedef struct GOL_PACKED gol_block_tq2_0 {
    uint8_t qs[64]; /* as in Q2_K */
    uint16_t d;
} gol_block_tq2_0;
GOL_BLOCK_CHECK(gol_block_tq2_0, 66, d, 64);

/* ---- 256 elements by codebook: the "IQ" types ----
 * Grids (quant/iq_grids.h) hold vectors of 8 (IQ2, IQ1) or 4 (IQ3) levels. g counts the 8 groups of 32
 * elements, v the 4 vectors of eight elements in a group. A "sign index" is seven bits that gol_iq_signs()
 * completes to even parity. */

/* value = d * (scale + 1/2) / 4 * sign * grid
 * Group g has qs[4g .. 4g + 3]: four bytes of grid indices, then 32 bits: sign index v in bits 7v .. 7v + 6,
 * scale in bits 28-31. */
typedef struct GOL_PACKED gol_block_iq2_xxs {
    uint16_t d;
    uint16_t qs[32];
} gol_block_iq2_xxs;
GOL_BLOCK_CHECK(gol_block_iq2_xxs, 66, qs, 2);

typedef struct GOL_PACKED gol_block_iq2_xs {
    uint16_t d;
    uint16_t qs[32];   /* vector 4g + v: grid index in bits 0-8, sign index in bits 9-15 */
    uint8_t scales[8]; /* group g: nibble 0 for vectors 0 and 1, nibble 1 for 2 and 3 */
} gol_block_iq2_xs;
GOL_BLOCK_CHECK(gol_block_iq2_xs, 74, scales, 66);

typedef struct GOL_PACKED gol_block_iq2_s {
    uint16_t d;
    uint8_t qs[32];    /* bits 0-7 of the grid index of vector 4g + v */
    uint8_t signs[32]; /* eight signs each, complete */
    uint8_t qh[8];     /* bits 8, 9: bits 2v, 2v + 1 of qh[g] */
    uint8_t scales[8]; /* as in IQ2_XS */
} gol_block_iq2_s;
GOL_BLOCK_CHECK(gol_block_iq2_s, 82, qh, 66);

/* value = d * (scale + 1/2) / 2 * sign * grid */
typedef struct GOL_PACKED gol_block_iq3_xxs {
    uint16_t d;
    uint8_t qs[64]; /* two indices of four elements per vector: qs[8g + 2v], qs[8g + 2v + 1] */
    uint8_t scales_signs[8][4]; /* 32 bits of group g: as in IQ2_XXS */
} gol_block_iq3_xxs;
GOL_BLOCK_CHECK(gol_block_iq3_xxs, 98, scales_signs, 66);

/* value = d * (2 * scale + 1) * sign * grid */
typedef struct GOL_PACKED gol_block_iq3_s {
    uint16_t d;
    uint8_t qs[64];    /* bits 0-7 of the grid indices: as in IQ3_XXS */
    uint8_t qh[8];     /* bit 8 of index k of group g: bit k of qh[g] (k < 8) */
    uint8_t signs[32]; /* complete */
    uint8_t scales[4]; /* group g: nibble g % 2 of scales[g / 2] */
} gol_block_iq3_s;
GOL_BLOCK_CHECK(gol_block_iq3_s, 110, scales, 106);

/* value = d * (2 * scale + 1) * (grid + delta), delta = +-1/8
 * qh[g]: bits 8-10 of grid index v in bits 3v .. 3v + 2, scale in bits 12-14, delta's sign in bit 15. */
typedef struct GOL_PACKED gol_block_iq1_s {
    uint16_t d;
    uint8_t qs[32]; /* bits 0-7 of the grid index of vector 4g + v */
    uint16_t qh[8];
} gol_block_iq1_s;
GOL_BLOCK_CHECK(gol_block_iq1_s, 50, qh, 34);

/* As IQ1_S with a scale for each pair p of vectors (p = 2g + v / 2), a delta for each vector, and d cut in four
 * nibbles. scales[k]: scale of pair 4k + m in bits 3m .. 3m + 2 (m < 4), nibble k of d in bits 12-15. */
typedef struct GOL_PACKED gol_block_iq1_m {
    uint8_t qs[32]; /* as in IQ1_S */
    uint8_t qh[16]; /* nibble v % 2 of qh[p]: bits 8-10 of index v, then its delta's sign */
    uint16_t scales[4];
} gol_block_iq1_m;
GOL_BLOCK_CHECK(gol_block_iq1_m, 56, scales, 48);

#endif
