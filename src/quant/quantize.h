/*
 * Reference quantization: float rows into blocks of least error (README.md, rule 6), deterministic. Used to convert model
 * files, to make test models, and (Q8_0) as the yardstick of the kernels that quantize activations.
 */
#ifndef GOL_QUANT_QUANTIZE_H
#define GOL_QUANT_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "quant/types.h"

/* All types that weights have but integers, F64 and those with codebooks of vectors (IQ1, IQ2, IQ3). */
bool gol_can_quantize(gol_type type);

/* The largest magnitude that the type holds, whatever the other elements of a block are. */
float gol_quantize_limit(gol_type type);

/* The first of x[n] that is not finite or beyond the limit; n: none. */
size_t gol_quantize_find_bad(gol_type type, const float *x, size_t n);

/*
 * y = n / block_size blocks of `type` (any alignment) from x[n]; n a multiple of block_size, a type that can be
 * quantized. GOL_EINVAL when an element is not finite or too large for the type; the message names it and y is
 * untouched.
 */
int gol_quantize_row(void *y, gol_type type, const float *x, size_t n, gol_err *err);

#endif
