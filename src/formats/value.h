/*
 * A metadata value of a model file, viewed in place. Types and their ids are GGUF's; other formats map theirs to them.
 * Numbers in arrays are not aligned in the file: read them through the accessors, which check type and index.
 */
#ifndef GOL_FORMATS_VALUE_H
#define GOL_FORMATS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef enum gol_value_type {
    GOL_VALUE_U8 = 0,
    GOL_VALUE_I8 = 1,
    GOL_VALUE_U16 = 2,
    GOL_VALUE_I16 = 3,
    GOL_VALUE_U32 = 4,
    GOL_VALUE_I32 = 5,
    GOL_VALUE_F32 = 6,
    GOL_VALUE_BOOL = 7,
    GOL_VALUE_STRING = 8,
    GOL_VALUE_ARRAY = 9,
    GOL_VALUE_U64 = 10,
    GOL_VALUE_I64 = 11,
    GOL_VALUE_F64 = 12,
    GOL_VALUE_N_TYPES
} gol_value_type;

typedef struct gol_value gol_value;

typedef struct gol_value_array {
    gol_value_type type; /* of the elements */
    uint64_t n;
    const uint8_t *data;     /* numbers, bools: n packed little-endian elements */
    const uint64_t *offsets; /* strings: [n], where in data each u64 length + bytes is; or NULL */
    const gol_value *values; /* arrays of arrays: [n]; NULL otherwise */
} gol_value_array;

struct gol_value {
    gol_value_type type;
    union {
        uint64_t u; /* U8 U16 U32 U64 BOOL */
        int64_t i;  /* I8 I16 I32 I64 */
        double f;   /* F32 F64 */
        gol_str str;
        gol_value_array array;
    };
};

const char *gol_value_type_name(gol_value_type type); /* "u32", "string"; "unknown" if it is */
size_t gol_value_type_size(gol_value_type type); /* bytes in a file; 0 for strings and arrays */

/* The number or bool at p, of any alignment; false: type is none of these. */
bool gol_value_load(gol_value *out, gol_value_type type, const void *p);

/* Same type and same content, bit for bit. */
bool gol_value_eq(const gol_value *a, const gol_value *b);

/* Conversions that lose nothing: any integer type whose value fits (a float is no integer); any number as double; a bool only
 * as bool. false: wrong type or out of range, *out untouched. */
bool gol_value_as_u64(const gol_value *v, uint64_t *out);
bool gol_value_as_i64(const gol_value *v, int64_t *out);
bool gol_value_as_f64(const gol_value *v, double *out);
bool gol_value_as_bool(const gol_value *v, bool *out);
bool gol_value_as_str(const gol_value *v, gol_str *out);

/* Element i of an array, converted in the same way; false also when v is no array or i is out of range. */
bool gol_value_at(const gol_value *v, uint64_t i, gol_value *out); /* as it is, of any type */
bool gol_value_at_u64(const gol_value *v, uint64_t i, uint64_t *out);
bool gol_value_at_i64(const gol_value *v, uint64_t i, int64_t *out);
bool gol_value_at_f64(const gol_value *v, uint64_t i, double *out);
bool gol_value_at_bool(const gol_value *v, uint64_t i, bool *out);
bool gol_value_at_str(const gol_value *v, uint64_t i, gol_str *out);
uint64_t gol_value_n(const gol_value *v); /* elements of an array, 0 for anything else */

#endif
