/* The safetensors header: each rule of the format has a file that breaks it and one that just does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "formats/safetensors.h"
#include "support/safetensors_bytes.h"

/* The file in memory of exactly its size, so that a sanitizer sees a byte too many. */
static int parse(gol_safetensors *out, gguf_bytes *b, gol_err *err)
{
    uint8_t *exact = malloc(b->len ? b->len : 1);
    assert_non_null(exact);
    memcpy(exact, b->data, b->len);
    const int rc = gol_safetensors_parse(out, exact, b->len, "x.safetensors", err);
    free(exact); /* names are copies */
    bytes_free(b);
    return rc;
}

static void a_file_is_read(void **state)
{
    (void)state;
    gol_safetensors f;
    gol_err err = {0};
    gguf_bytes b = safetensors_make(
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"one\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[30,31]},"
        "\"none\":{\"dtype\":\"I64\",\"shape\":[4,0],\"data_offsets\":[30,30]}}   ",
        31);
    const uint64_t data_offset = b.len - 31;
    assert_int_equal(parse(&f, &b, &err), 0);
    assert_int_equal(f.n, 4); /* in the order of their bytes */
    assert_true(gol_str_is(f.tensors[0].name, "a"));
    assert_int_equal(f.tensors[0].dtype, GOL_DTYPE_F32);
    assert_int_equal(f.tensors[0].n_dims, 2);
    assert_int_equal(f.tensors[0].shape[0], 2);
    assert_int_equal(f.tensors[0].shape[1], 3);
    assert_int_equal(f.tensors[0].n_elements, 6);
    assert_int_equal(f.tensors[0].offset, data_offset);
    assert_true(gol_str_is(f.tensors[1].name, "b"));
    assert_int_equal(f.tensors[1].offset, data_offset + 24);
    assert_int_equal(f.tensors[1].n_bytes, 6);
    assert_true(gol_str_is(f.tensors[2].name, "none"));
    assert_int_equal(f.tensors[2].n_elements, 0);
    assert_true(gol_str_is(f.tensors[3].name, "one"));
    assert_int_equal(f.tensors[3].n_dims, 0);
    assert_int_equal(f.tensors[3].n_elements, 1);
    gol_safetensors_deinit(&f);
}

static void a_file_without_tensors_is_read(void **state)
{
    (void)state;
    gol_safetensors f;
    gguf_bytes b = safetensors_make("{}", 0);
    assert_int_equal(parse(&f, &b, NULL), 0);
    assert_int_equal(f.n, 0);
    gol_safetensors_deinit(&f);
}

#define TENSOR(dtype, shape, begin, end)                                                           \
    "{\"x\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}}"
#define PAIR(b1, e1, b2, e2)                                                                       \
    "{\"x\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[" #b1 "," #e1                        \
    "]},\"y\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[" #b2 "," #e2 "]}}"

typedef struct broken {
    const char *header;
    size_t n_data;
    int code;
    const char *message; /* part of it; NULL: the file is right */
} broken;

static const broken files[] = {
    {TENSOR("F32", "[2]", 0, 8), 8, 0, NULL},
    {TENSOR("F32", "[2]", 0, 8), 7, GOL_EMODEL, "data_offsets end at 8, the file has 7"},
    {TENSOR("F32", "[2]", 0, 8), 9, GOL_EMODEL, "end at byte 8 of 9"},
    {TENSOR("F32", "[2]", 1, 9), 9, GOL_EMODEL, "behind a hole"},
    {TENSOR("F32", "[2]", 0, 7), 7, GOL_EMODEL, "span 7 bytes; 2 elements of F32 are 8"},
    {TENSOR("F32", "[2]", 8, 0), 8, GOL_EMODEL, "data_offsets is no pair"},
    {TENSOR("F32", "[2]", -8, 0), 8, GOL_EMODEL, "data_offsets is no pair"},
    {TENSOR("F32", "[2]", 0, 8.0), 8, GOL_EMODEL, "data_offsets is no pair"},
    {TENSOR("F32", "[-1]", 0, 8), 8, GOL_EMODEL, "dimension 0 is no whole number"},
    {TENSOR("F32", "[2.0]", 0, 8), 8, GOL_EMODEL, "dimension 0 is no whole number"},
    {TENSOR("F32", "2", 0, 8), 8, GOL_EMODEL, "shape is a whole number; an array"},
    {TENSOR("F32", "[1,1,1,1,1,1,1,2]", 0, 8), 8, 0, NULL},
    {TENSOR("F32", "[1,1,1,1,1,1,1,1,2]", 0, 8), 8, GOL_EUNSUPPORTED, "has 9 dimensions"},
    {TENSOR("F32", "[4294967296,4294967296]", 0, 8), 8, GOL_EMODEL, "too many elements"},
    {TENSOR("F64", "[4611686018427387904]", 0, 8), 8, GOL_EMODEL, "too many bytes"},
    {TENSOR("F32", "[18446744073709551616]", 0, 8), 8, GOL_EMODEL,
     "dimension 0 is no whole number"},
    {TENSOR("F33", "[2]", 0, 8), 8, GOL_EUNSUPPORTED, "dtype 'F33' is none"},
    {TENSOR("f32", "[2]", 0, 8), 8, GOL_EUNSUPPORTED, "dtype 'f32' is none"},
    {TENSOR("F4", "[2]", 0, 1), 1, 0, NULL},
    {TENSOR("F4", "[3]", 0, 1), 1, GOL_EMODEL, "no whole number of bytes"},
    {TENSOR("F6_E2M3", "[4]", 0, 3), 3, 0, NULL},
    {PAIR(0, 4, 4, 8), 8, 0, NULL},
    {PAIR(4, 8, 0, 4), 8, 0, NULL},
    {PAIR(0, 4, 3, 7), 7, GOL_EMODEL, "inside another one, which ends at 4"},
    {PAIR(0, 4, 0, 4), 4, GOL_EMODEL, "inside another one, which ends at 4"},
    {PAIR(0, 4, 5, 9), 9, GOL_EMODEL, "behind a hole"},
    {"{\"x\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"x\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
     2, GOL_EMODEL, "duplicate object key"},
    {"{\"x\":{\"dtype\":\"I8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
     GOL_EMODEL, "duplicate object key"},
    {"{\"x\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, GOL_EMODEL, "dtype is missing"},
    {"{\"x\":{\"dtype\":\"I8\",\"data_offsets\":[0,1]}}", 1, GOL_EMODEL, "shape is missing"},
    {"{\"x\":{\"dtype\":\"I8\",\"shape\":[1]}}", 1, GOL_EMODEL, "data_offsets is no pair"},
    {"{\"x\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, GOL_EMODEL,
     "data_offsets is no pair"},
    {"{\"x\":[]}", 0, GOL_EMODEL, "is an array; an object is expected"},
    {"{\"\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, GOL_EMODEL,
     "a name of 0"},
    {"{\"__metadata__\":{\"a\":\"b\"}}", 0, 0, NULL},
    {"{\"__metadata__\":{\"a\":1}}", 0, GOL_EMODEL, "only strings are accepted"},
    {"{\"__metadata__\":\"a\"}", 0, GOL_EMODEL, "__metadata__ is a string"},
    {" {}", 0, GOL_EMODEL, "does not begin with '{'"},
    {"{}   ", 0, 0, NULL},
    {"{} x", 0, GOL_EMODEL, "not valid JSON"},
    {"{\"x\":[[[[[[[[1]]]]]]]]}", 0, GOL_EMODEL, "nested deeper than 8"},
    {"{\"\xff\":1}", 0, GOL_EMODEL, "not valid JSON"},
    {"", 0, GOL_EMODEL, "does not begin with '{'"},
};

static void each_rule_has_a_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gol_safetensors f;
        gol_err err = {0};
        gguf_bytes b = safetensors_make(files[i].header, files[i].n_data);
        const int rc = parse(&f, &b, &err);
        if (rc != files[i].code || (files[i].message && !strstr(err.message, files[i].message)) ||
            (rc != 0 && !strstr(err.message, "x.safetensors: ")))
            fail_msg("file %zu (%s): %d, '%s'", i, files[i].header, rc, err.message);
        assert_true(rc == 0 || f.tensors == NULL);
        gol_safetensors_deinit(&f);
    }
}

static void lengths_of_headers_are_checked_before_they_are_used(void **state)
{
    (void)state;
    static const struct {
        uint64_t claimed;
        const char *message;
    } cases[] = {
        {3, "the header's length is 3, the file goes on for 2"},
        {GOL_SAFETENSORS_HEADER_MAX, "the header's length is 100000000, the file goes on for 2"},
        {GOL_SAFETENSORS_HEADER_MAX + 1ull, "at most 100000000 bytes are accepted"},
        {UINT64_MAX, "at most 100000000 bytes are accepted"},
        {0, "does not begin with '{'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gol_safetensors f;
        gol_err err = {0};
        gguf_bytes b = safetensors_claiming(cases[i].claimed, "{}", 0);
        assert_int_equal(parse(&f, &b, &err), GOL_EMODEL);
        if (!strstr(err.message, cases[i].message))
            fail_msg("'%s' is not in '%s'", cases[i].message, err.message);
    }
    for (size_t n = 0; n < 8; n++) {
        gol_safetensors f;
        gguf_bytes b = safetensors_make("{}", 0);
        b.len = n;
        assert_int_equal(parse(&f, &b, NULL), GOL_EMODEL);
    }
}

static void every_dtype_has_its_size(void **state)
{
    (void)state;
    for (int d = 0; d < GOL_DTYPE_N; d++) {
        const gol_dtype_info *info = gol_dtype_get((gol_dtype)d);
        char header[128];
        snprintf(header, sizeof header,
                 "{\"x\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":[0,%d]}}", info->name,
                 info->n_bits);
        gol_safetensors f;
        gguf_bytes b = safetensors_make(header, (size_t)info->n_bits);
        assert_int_equal(parse(&f, &b, NULL), 0);
        assert_int_equal(f.tensors[0].dtype, d);
        if (info->has_type)
            assert_int_equal(gol_type_get(info->type)->type_size * 8, info->n_bits);
        gol_safetensors_deinit(&f);
    }
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    int rc = -1;
    for (uint64_t n = 1; rc != 0; n++) {
        gol_safetensors f;
        gol_err err = {0};
        gguf_bytes b = safetensors_make(PAIR(0, 4, 4, 8), 8);
        gol_mem_fail_nth(n, n % 2 == 0);
        rc = gol_safetensors_parse(&f, b.data, b.len, "x", &err);
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || rc == GOL_ENOMEM);
        gol_safetensors_deinit(&f);
        bytes_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(a_file_without_tensors_is_read),
        cmocka_unit_test(each_rule_has_a_message),
        cmocka_unit_test(lengths_of_headers_are_checked_before_they_are_used),
        cmocka_unit_test(every_dtype_has_its_size),
        cmocka_unit_test(no_failed_allocation_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
