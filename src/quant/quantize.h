/*
 * Reference quantization: float rows into blocks, plain round to nearest, deterministic. Used to convert model
 * files, to make test models, and as the yardstick of the kernels that quantize activations.
 */
#ifndef GOL_QUANT_QUANTIZE_H
#define GOL_QUANT_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "quant/types.h"

/* F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K; the others have no quantizer here. */
bool gol_can_quantize(gol_type type);

/*
 * y = n / block_size blocks of `type` (any alignment) from x[n]; n a multiple of block_size, a type that can be
 * quantized. GOL_EINVAL when an element is not finite or too large for the type; the message names it and y is
 * untouched.
 */
int gol_quantize_row(void *y, gol_type type, const float *x, size_t n, gol_err *err);

#endif
