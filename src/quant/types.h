/*
 * The tensor types of GGUF, by their ids in the file: name, block geometry, reference conversions.
 * A row of n elements is n / block_size blocks of type_size bytes; n must be a multiple of block_size.
 * Source: the GGUF specification (ggml docs/gguf.md) and ggml's type list; ids 4, 5, 31-33, 36-38 were retired
 * there.
 */
#ifndef GOL_QUANT_TYPES_H
#define GOL_QUANT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef enum gol_type {
    GOL_TYPE_F32 = 0,
    GOL_TYPE_F16 = 1,
    GOL_TYPE_Q4_0 = 2,
    GOL_TYPE_Q4_1 = 3,
    GOL_TYPE_Q5_0 = 6,
    GOL_TYPE_Q5_1 = 7,
    GOL_TYPE_Q8_0 = 8,
    GOL_TYPE_Q8_1 = 9,
    GOL_TYPE_Q2_K = 10,
    GOL_TYPE_Q3_K = 11,
    GOL_TYPE_Q4_K = 12,
    GOL_TYPE_Q5_K = 13,
    GOL_TYPE_Q6_K = 14,
    GOL_TYPE_Q8_K = 15,
    GOL_TYPE_IQ2_XXS = 16,
    GOL_TYPE_IQ2_XS = 17,
    GOL_TYPE_IQ3_XXS = 18,
    GOL_TYPE_IQ1_S = 19,
    GOL_TYPE_IQ4_NL = 20,
    GOL_TYPE_IQ3_S = 21,
    GOL_TYPE_IQ2_S = 22,
    GOL_TYPE_IQ4_XS = 23,
    GOL_TYPE_I8 = 24,
    GOL_TYPE_I16 = 25,
    GOL_TYPE_I32 = 26,
    GOL_TYPE_I64 = 27,
    GOL_TYPE_F64 = 28,
    GOL_TYPE_IQ1_M = 29,
    GOL_TYPE_BF16 = 30,
    GOL_TYPE_TQ1_0 = 34,
    GOL_TYPE_TQ2_0 = 35,
    GOL_TYPE_MXFP4 = 39,
    GOL_TYPE_N_IDS = 40 /* one more than the highest id */
} gol_type;

/* y[n] = the values of n / block_size blocks at x (any alignment). n a multiple of block_size. */
typedef void gol_dequant_row(float *y, const void *x, size_t n);

typedef struct gol_type_info {
    const char *name;  /* "Q4_K" */
    int block_size;    /* elements of a block */
    size_t type_size;  /* bytes of a block */
    bool is_quantized; /* blocks with scales */
    /* Reference, exact to the bit; NULL for integer types and for Q8_1, Q8_K, which only activations have. */
    gol_dequant_row *dequant;
} gol_type_info;

const gol_type_info *gol_type_find(uint32_t id);  /* NULL: no such type (or a retired one) */
const gol_type_info *gol_type_get(gol_type type); /* must exist */
bool gol_type_parse(gol_str name, gol_type *out); /* name as in the table, any case */

/* Bytes of n elements; false when n is not a multiple of block_size or the product overflows. */
bool gol_type_row_bytes(size_t *out, gol_type type, uint64_t n);

#endif
