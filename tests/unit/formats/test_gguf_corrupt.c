/* Named corrupt files: each is refused with the code and the message that tells the field, what was found, what is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/gguf.h"
#include "support/gguf_bytes.h"

typedef struct corrupt_case {
    const char *name;
    void (*change)(gguf_spec *s); /* NULL: none */
    size_t n_kept;                /* of the built file, from the front; 0: all */
    int code;
    const char *message; /* part of it */
} corrupt_case;

static void bad_magic(gguf_spec *s)
{
    s->magic = 0x58554747;
}

static void swapped_magic(gguf_spec *s)
{
    s->magic = 0x47475546;
}

static void old_ggml(gguf_spec *s)
{
    s->magic = 0x67676d6c;
}

static void version_0(gguf_spec *s)
{
    s->version = 0;
}

static void version_1(gguf_spec *s)
{
    s->version = 1;
}

static void version_4(gguf_spec *s)
{
    s->version = 4;
}

static void big_endian(gguf_spec *s)
{
    s->version = 0x03000000;
}

static void n_tensors_huge(gguf_spec *s)
{
    s->n_tensors = UINT64_MAX;
}

static void n_tensors_beyond_file(gguf_spec *s)
{
    s->n_tensors = 1000;
}

static void n_kv_huge(gguf_spec *s)
{
    s->n_kv = 1ull << 63;
}

static void n_kv_beyond_file(gguf_spec *s)
{
    s->n_kv = 60000;
}

static void key_len_huge(gguf_spec *s)
{
    s->key_len = UINT64_MAX - 7;
}

static void key_len_beyond_file(gguf_spec *s)
{
    s->key_len = 60000;
}

static void key_empty(gguf_spec *s)
{
    spec_set_key(s, "");
}

static void value_type_unknown(gguf_spec *s)
{
    s->value_type = 13;
}

static void bool_2(gguf_spec *s)
{
    spec_set_value(s, 7, "\x02", 1);
}

static void bool_array_with_255(gguf_spec *s)
{
    spec_begin_array(s, 7, 3);
    bytes_put(&s->value, "\x00\x01\xff", 3);
}

static void string_len_2_63(gguf_spec *s)
{
    s->value_type = 8;
    s->value.len = 0;
    bytes_put_u64(&s->value, 1ull << 63);
}

static void string_beyond_file(gguf_spec *s)
{
    s->value_type = 8;
    s->value.len = 0;
    bytes_put_u64(&s->value, 10000);
}

static void array_type_unknown(gguf_spec *s)
{
    spec_begin_array(s, 200, 1);
}

static void array_n_2_63(gguf_spec *s)
{
    spec_begin_array(s, 12, 1ull << 63);
}

static void array_n_wraps(gguf_spec *s)
{
    spec_begin_array(s, 10, (1ull << 61) + 1); /* * 8 = 8 modulo 2^64 */
}

static void array_beyond_file(gguf_spec *s)
{
    spec_begin_array(s, 4, 1000000);
}

static void strings_beyond_file(gguf_spec *s)
{
    spec_begin_array(s, 8, 1000000);
}

static void third_string_too_long(gguf_spec *s)
{
    spec_begin_array(s, 8, 3);
    bytes_put_str(&s->value, "a");
    bytes_put_str(&s->value, "b");
    bytes_put_u64(&s->value, UINT64_MAX);
}

static void arrays_beyond_file(gguf_spec *s)
{
    spec_begin_array(s, 9, 1000000);
}

static void arrays_too_deep(gguf_spec *s)
{
    spec_begin_array(s, 9, 1);
    for (int i = 0; i < 3; i++) {
        bytes_put_u32(&s->value, 9);
        bytes_put_u64(&s->value, 1);
    }
    bytes_put_u32(&s->value, 0);
    bytes_put_u64(&s->value, 0);
}

static void set_alignment(gguf_spec *s, uint32_t alignment)
{
    const uint8_t bytes[4] = {(uint8_t)alignment, (uint8_t)(alignment >> 8),
                              (uint8_t)(alignment >> 16), (uint8_t)(alignment >> 24)};
    spec_set_key(s, "general.alignment");
    spec_set_value(s, 4, bytes, sizeof bytes);
}

static void alignment_0(gguf_spec *s)
{
    set_alignment(s, 0);
}

static void alignment_4(gguf_spec *s)
{
    set_alignment(s, 4);
}

static void alignment_48(gguf_spec *s)
{
    set_alignment(s, 48);
}

static void alignment_2_31(gguf_spec *s)
{
    set_alignment(s, 1u << 31);
}

static void alignment_string(gguf_spec *s)
{
    spec_set_key(s, "general.alignment");
    s->value_type = 8;
    s->value.len = 0;
    bytes_put_str(&s->value, "32");
}

static void alignment_beyond_file(gguf_spec *s)
{
    set_alignment(s, 1u << 20);
}

static void name_len_256(gguf_spec *s)
{
    s->name_len = 256;
}

static void name_len_huge(gguf_spec *s)
{
    s->name_len = UINT64_MAX;
}

static void name_empty(gguf_spec *s)
{
    s->names[0] = "";
    s->name_len = 0;
}

static void name_twice(gguf_spec *s)
{
    s->names[1] = "first";
}

static void n_dims_0(gguf_spec *s)
{
    s->n_dims = 0;
}

static void n_dims_5(gguf_spec *s)
{
    s->n_dims = 5;
}

static void n_dims_huge(gguf_spec *s)
{
    s->n_dims = UINT32_MAX;
}

static void dim_0(gguf_spec *s)
{
    s->n_dims = 2;
    s->dims[1] = 0;
}

static void dims_wrap(gguf_spec *s)
{
    s->n_dims = 3;
    s->dims[0] = 8;
    s->dims[1] = 1ull << 61;
    s->dims[2] = 1;
}

static void dims_wrap_to_one(gguf_spec *s)
{
    s->n_dims = 3;
    s->dims[0] = 1;
    s->dims[1] = 0x5555555555555555ull; /* * 3 = 2^64 - 1 */
    s->dims[2] = 3;
}

static void rows_wrap(gguf_spec *s)
{
    s->n_dims = 4;
    s->dims[1] = 1ull << 32;
    s->dims[2] = 1ull << 32;
    s->dims[3] = 2;
}

static void split_count_string(gguf_spec *s)
{
    spec_set_key(s, "split.count");
    s->value_type = 8;
    s->value.len = 0;
    bytes_put_str(&s->value, "2");
}

static void dim_over_signed(gguf_spec *s)
{
    s->dims[0] = 1ull << 63;
}

static void bytes_wrap(gguf_spec *s)
{
    s->dims[0] = 1ull << 62; /* elements still fit, four bytes each do not */
}

static void type_unknown(gguf_spec *s)
{
    s->type = 40;
}

static void type_retired(gguf_spec *s)
{
    s->type = 4;
}

static void type_huge(gguf_spec *s)
{
    s->type = UINT32_MAX;
}

static void row_no_whole_block(gguf_spec *s)
{
    s->type = 8; /* Q8_0 */
}

static void offset_misaligned(gguf_spec *s)
{
    s->offsets[0] = 8;
}

static void offset_beyond_file(gguf_spec *s)
{
    s->offsets[1] = 64;
}

static void offset_huge(gguf_spec *s)
{
    s->offsets[1] = UINT64_MAX - 31;
}

static void size_beyond_file(gguf_spec *s)
{
    s->dims[0] = 24;
}

static void same_place(gguf_spec *s)
{
    s->offsets[1] = 0;
}

static void partial_overlap(gguf_spec *s)
{
    s->n_data = 128;
    s->offsets[0] = 32;
    s->dims[0] = 9; /* bytes 32 to 67 */
    s->offsets[1] = 64;
}

static void no_data(gguf_spec *s)
{
    s->n_data = 0;
}

static const corrupt_case cases[] = {
    {"bad magic", bad_magic, 0, GOL_EUNSUPPORTED,
     "starts with 'GGUX', a GGUF file starts with 'GGUF'"},
    {"swapped magic", swapped_magic, 0, GOL_EUNSUPPORTED, "bytes swapped; only little-endian"},
    {"a GGML file", old_ggml, 0, GOL_EUNSUPPORTED, "a GGML file from before August 2023"},
    {"version 0", version_0, 0, GOL_EUNSUPPORTED, "GGUF version 0; versions 2 and 3 are read"},
    {"version 1", version_1, 0, GOL_EUNSUPPORTED, "GGUF version 1 (of August 2023)"},
    {"version 4", version_4, 0, GOL_EUNSUPPORTED, "GGUF version 4; versions 2 and 3 are read"},
    {"big-endian", big_endian, 0, GOL_EUNSUPPORTED,
     "a big-endian GGUF file (version field 0x03000000)"},
    {"three bytes", NULL, 3, GOL_EUNSUPPORTED, "starts with 'GGU'"},
    {"the magic alone", NULL, 4, GOL_EMODEL, "at byte 4 more is needed than the 4 bytes"},
    {"cut in the counts", NULL, 20, GOL_EMODEL, "ends too early"},
    {"n_tensors 2^64-1", n_tensors_huge, 0, GOL_EMODEL,
     "header: 18446744073709551615 tensors; at most 1048576"},
    {"n_tensors beyond the file", n_tensors_beyond_file, 0, GOL_EMODEL,
     "header: 1000 tensors do not fit"},
    {"n_kv 2^63", n_kv_huge, 0, GOL_EMODEL, "9223372036854775808 metadata keys; at most 65536"},
    {"n_kv beyond the file", n_kv_beyond_file, 0, GOL_EMODEL, "60000 metadata keys do not fit"},
    {"key length near 2^64", key_len_huge, 0, GOL_EMODEL,
     "metadata 0 '': a length of 18446744073709551608 bytes at byte 24"},
    {"key length beyond the file", key_len_beyond_file, 0, GOL_EMODEL,
     "metadata 0 '': the file ends too early: at byte 32"},
    {"empty key", key_empty, 0, GOL_EMODEL, "metadata 0 '': an empty key at byte 24"},
    {"unknown value type", value_type_unknown, 0, GOL_EMODEL,
     "metadata 0 'some.key': value type 13 at byte 40"},
    {"bool 2", bool_2, 0, GOL_EMODEL,
     "'some.key': a bool with the value 2 at byte 44; accepted are 0 and 1"},
    {"bool array with 255", bool_array_with_255, 0, GOL_EMODEL,
     "a bool with the value 255 at byte 58"},
    {"string length 2^63", string_len_2_63, 0, GOL_EMODEL, "a length of 9223372036854775808 bytes"},
    {"string beyond the file", string_beyond_file, 0, GOL_EMODEL,
     "'some.key': the file ends too early"},
    {"unknown array type", array_type_unknown, 0, GOL_EMODEL, "array element type 200"},
    {"array of 2^63", array_n_2_63, 0, GOL_EMODEL, "an array of 9223372036854775808 elements"},
    {"array whose size wraps", array_n_wraps, 0, GOL_EMODEL,
     "an array of 2305843009213693953 elements"},
    {"array beyond the file", array_beyond_file, 0, GOL_EMODEL,
     "'some.key': the file ends too early"},
    {"strings beyond the file", strings_beyond_file, 0, GOL_EMODEL, "1000000 strings do not fit"},
    {"the third string too long", third_string_too_long, 0, GOL_EMODEL,
     "'some.key': string 2: a length of 18446744073709551615"},
    {"arrays beyond the file", arrays_beyond_file, 0, GOL_EMODEL, "1000000 arrays do not fit"},
    {"arrays five deep", arrays_too_deep, 0, GOL_EMODEL, "arrays nested deeper than 4"},
    {"alignment 0", alignment_0, 0, GOL_EMODEL,
     "'general.alignment': is 0; a power of two from 8 to 1048576"},
    {"alignment 4", alignment_4, 0, GOL_EMODEL, "'general.alignment': is 4;"},
    {"alignment 48", alignment_48, 0, GOL_EMODEL, "'general.alignment': is 48;"},
    {"alignment 2^31", alignment_2_31, 0, GOL_EMODEL, "'general.alignment': is 2147483648;"},
    {"alignment a string", alignment_string, 0, GOL_EMODEL,
     "'general.alignment': has type string; u32 is accepted"},
    {"alignment beyond the file", alignment_beyond_file, 0, GOL_EMODEL, "the file ends too early"},
    {"name of 256 bytes", name_len_256, 0, GOL_EMODEL,
     "tensor 0 '': a length of 256 bytes at byte 48; at most 255"},
    {"name length 2^64-1", name_len_huge, 0, GOL_EMODEL,
     "tensor 0 '': a length of 18446744073709551615"},
    {"empty name", name_empty, 0, GOL_EMODEL, "tensor 0 '': an empty name at byte 48"},
    {"a name twice", name_twice, 0, GOL_EMODEL,
     "tensor 'first' comes twice: as number 0 and number 1"},
    {"no dimensions", n_dims_0, 0, GOL_EMODEL,
     "tensor 0 'first': has 0 dimensions; 1 to 4 are accepted"},
    {"five dimensions", n_dims_5, 0, GOL_EMODEL, "tensor 0 'first': has 5 dimensions"},
    {"2^32-1 dimensions", n_dims_huge, 0, GOL_EMODEL, "has 4294967295 dimensions"},
    {"a dimension of 0", dim_0, 0, GOL_EMODEL, "tensor 0 'first': dimension 1 is 0"},
    {"dimensions whose product is 2^64", dims_wrap, 0, GOL_EMODEL,
     "shape 8x2305843009213693952x1x1 has too many elements"},
    {"dimensions whose product is 2^64-1", dims_wrap_to_one, 0, GOL_EMODEL,
     "has too many elements"},
    {"rows whose product is 2^65", rows_wrap, 0, GOL_EMODEL,
     "shape 8x4294967296x4294967296x2 has too many elements"},
    {"split.count a string", split_count_string, 0, GOL_EMODEL,
     "split.count: has type string; an integer of 0 or more"},
    {"a dimension of 2^63", dim_over_signed, 0, GOL_EMODEL, "has too many elements"},
    {"bytes that wrap", bytes_wrap, 0, GOL_EMODEL,
     "4611686018427387904 elements of type F32 are too many bytes"},
    {"type 40", type_unknown, 0, GOL_EUNSUPPORTED, "tensor 0 'first': has type id 40"},
    {"a retired type", type_retired, 0, GOL_EUNSUPPORTED, "has type id 4,"},
    {"type 2^32-1", type_huge, 0, GOL_EUNSUPPORTED, "has type id 4294967295"},
    {"a row of no whole block", row_no_whole_block, 0, GOL_EMODEL,
     "a row of 8 elements is no multiple of Q8_0's block of 32"},
    {"offset off the alignment", offset_misaligned, 0, GOL_EMODEL,
     "'first': offset 8 is no multiple of the alignment 32"},
    {"offset at the end", offset_beyond_file, 0, GOL_EMODEL,
     "'second': offset 64 and size 32 reach beyond the 64 bytes"},
    {"offset near 2^64", offset_huge, 0, GOL_EMODEL,
     "'second': offset 18446744073709551584 and size 32 reach beyond"},
    {"size beyond the file", size_beyond_file, 0, GOL_EMODEL,
     "'first': offset 0 and size 96 reach beyond the 64 bytes"},
    {"two tensors in one place", same_place, 0, GOL_EMODEL, "tensors 'first' and 'second' overlap"},
    {"two tensors over each other", partial_overlap, 0, GOL_EMODEL,
     "tensors 'first' and 'second' overlap"},
    {"no data", no_data, 0, GOL_EMODEL, "'first': offset 0 and size 32 reach beyond the 0 bytes"},
};

static void the_unchanged_file_is_valid(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    gguf_bytes b = spec_build(&s);
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "valid", &err), 0);
    assert_int_equal(gol_model_file_n_tensors(file), 2);
    gol_model_file_close(&file);
    bytes_free(&b);
}

static void every_corrupt_file_is_refused_with_its_message(void **state)
{
    (void)state;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gguf_spec s = spec_valid();
        if (cases[i].change)
            cases[i].change(&s);
        gguf_bytes b = spec_build(&s);
        gol_model_file *file;
        gol_err err = {0};
        const size_t size = cases[i].n_kept ? cases[i].n_kept : b.len;
        uint8_t *exact = malloc(size); /* so that a sanitizer sees a byte too many */
        assert_non_null(exact);
        memcpy(exact, b.data, size);
        const int rc = gol_model_file_open_memory(&file, exact, size, "bad.gguf", &err);
        if (rc != cases[i].code || !strstr(err.message, cases[i].message) ||
            strncmp(err.message, "bad.gguf: ", 10) != 0) {
            print_error("%s: %d '%s', expected %d '%s'\n", cases[i].name, rc, err.message,
                        cases[i].code, cases[i].message);
            n_bad++;
        }
        gol_model_file_close(&file);
        free(exact);
        bytes_free(&b);
    }
    assert_int_equal(n_bad, 0);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    gguf_bytes b = spec_build(&s);
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, b.data, n);
        gol_model_file *file;
        gol_err err;
        assert_true(gol_model_file_open_memory(&file, exact, n, "cut.gguf", &err) < 0);
        assert_null(file);
        free(exact);
    }
    bytes_free(&b);
}

static void a_key_twice_is_refused(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    s.n_kv = 2; /* the second is a copy, put behind the first by hand */
    gguf_bytes second = {0};
    bytes_put_str(&second, "some.key");
    bytes_put_u32(&second, 4);
    bytes_put_u32(&second, 7);
    bytes_put(&s.value, second.data, second.len);
    gguf_bytes b = spec_build(&s);
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "twice", &err), GOL_EMODEL);
    assert_non_null(strstr(err.message, "metadata key 'some.key' comes twice"));
    bytes_free(&second);
    bytes_free(&b);
}

static void parsing_alone_checks_the_magic(void **state)
{
    (void)state;
    gol_gguf gguf;
    gol_err err;
    assert_int_equal(gol_gguf_parse(&gguf, "GGML\3\0\0\0", 8, "bad.gguf", &err), GOL_EMODEL);
    assert_non_null(strstr(err.message,
                           "bad.gguf: starts with 0x4c4d4747, a GGUF file starts with 0x46554747"));
    assert_null(gguf.arena);
    gol_gguf_deinit(&gguf);
}

static void names_that_would_obey_the_terminal_are_quoted(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    s.names[0] = "\x1b[2J\xff";
    s.name_len = 5;
    s.type = 99;
    gguf_bytes b = spec_build(&s);
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "esc", &err),
                     GOL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "'\\x1b[2J\\xff'"));
    bytes_free(&b);
}

static const struct {
    const char *bytes;
    const char *message;
} strangers[] = {
    {"", "the file is empty"},
    {"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"},
    {"<!DOCTYPE html>", "an HTML page"},
    {"PK\x03\x04zip", "a ZIP archive"},
    {"AAAAAAAA{\"x\":1}", "looks like safetensors"},
    {"\x01", "starts with '\\x01'"},
};

static void files_of_other_kinds_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        gol_model_file *file;
        gol_err err;
        assert_true(gol_model_file_open_memory(&file, strangers[i].bytes,
                                               strlen(strangers[i].bytes), "x", &err) < 0);
        assert_non_null(strstr(err.message, strangers[i].message));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unchanged_file_is_valid),
        cmocka_unit_test(every_corrupt_file_is_refused_with_its_message),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(a_key_twice_is_refused),
        cmocka_unit_test(parsing_alone_checks_the_magic),
        cmocka_unit_test(names_that_would_obey_the_terminal_are_quoted),
        cmocka_unit_test(files_of_other_kinds_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
