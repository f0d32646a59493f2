/*
 * Safetensors: a u64 (little-endian) with the length of a JSON header, the header, the bytes of all tensors. The header is an
 * object {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text"}};
 * offsets count from the header's end. Source: the format's README and reference implementation, version 0.8
 * (github.com/huggingface/safetensors).
 *
 * As there, a file is refused unless: the header has at most 100 MB and is one JSON object in UTF-8 without duplicate keys, with
 * no blanks before it; each dtype is known; dtype and shape give a whole number of bytes, equal to the span of the offsets;
 * spans lie one after the other without a hole or an overlap, from 0 to the file's end. Our own limits are below.
 */
#ifndef GOL_FORMATS_SAFETENSORS_H
#define GOL_FORMATS_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "quant/types.h"

enum {
    GOL_SAFETENSORS_HEADER_MAX = 100000000, /* bytes; the reference's limit */
    GOL_SAFETENSORS_TENSORS_MAX = 1 << 17,  /* the largest published files have some thousand */
    GOL_SAFETENSORS_DIMS_MAX = 8,
    GOL_SAFETENSORS_NAME_MAX = 1023,
    /* Values in the header's JSON: what a tensor with all dimensions has, for each. */
    GOL_SAFETENSORS_VALUES_MAX = GOL_SAFETENSORS_TENSORS_MAX * 14,
};

typedef enum gol_dtype {
    GOL_DTYPE_BOOL,
    GOL_DTYPE_F4,
    GOL_DTYPE_F6_E2M3,
    GOL_DTYPE_F6_E3M2,
    GOL_DTYPE_U8,
    GOL_DTYPE_I8,
    GOL_DTYPE_F8_E5M2,
    GOL_DTYPE_F8_E4M3,
    GOL_DTYPE_F8_E8M0,
    GOL_DTYPE_I16,
    GOL_DTYPE_U16,
    GOL_DTYPE_F16,
    GOL_DTYPE_BF16,
    GOL_DTYPE_I32,
    GOL_DTYPE_U32,
    GOL_DTYPE_F32,
    GOL_DTYPE_C64,
    GOL_DTYPE_F64,
    GOL_DTYPE_I64,
    GOL_DTYPE_U64,
    GOL_DTYPE_N
} gol_dtype;

typedef struct gol_dtype_info {
    const char *name; /* "BF16" */
    int n_bits;
    bool has_type;
    gol_type type; /* the GGUF type of the same numbers, where has_type */
} gol_dtype_info;

const gol_dtype_info *gol_dtype_get(gol_dtype dtype);

typedef struct gol_safetensor {
    gol_str name;
    gol_dtype dtype;
    int n_dims;                               /* 0: one number */
    uint64_t shape[GOL_SAFETENSORS_DIMS_MAX]; /* slowest first, as in the file; may hold 0 */
    uint64_t n_elements;
    uint64_t offset; /* from the file's start; any alignment */
    uint64_t n_bytes;
} gol_safetensor;

typedef struct gol_safetensors {
    size_t n;
    gol_safetensor *tensors; /* in the order of their bytes */
    struct gol_arena *arena; /* heap object that owns tensors and names */
} gol_safetensors;

/* Can it be one? The length of a header that fits, and the header's first byte. */
bool gol_safetensors_probe(const uint8_t *data, uint64_t size);

/* name: for messages. Errors: GOL_EMODEL, GOL_EUNSUPPORTED, GOL_ENOMEM; *out is then zeroed. */
int gol_safetensors_parse(gol_safetensors *out, const uint8_t *data, uint64_t size,
                          const char *name, gol_err *err);
void gol_safetensors_deinit(gol_safetensors *file); /* zeroed is fine */

#endif
