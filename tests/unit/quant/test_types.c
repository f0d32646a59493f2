/*
 * The type table against a second list of GGUF's ids, and the arithmetic of row sizes at its limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quant/types.h"

/* The GGUF specification's ids with elements and bytes of a block; bytes 0: retired or never given out. */
static const struct {
    const char *name;
    int block_size;
    size_t type_size;
} spec[] = {
    {"F32", 1, 4},        {"F16", 1, 2},       {"Q4_0", 32, 18},     {"Q4_1", 32, 20},
    {NULL, 0, 0},         {NULL, 0, 0},        {"Q5_0", 32, 22},     {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},     {"Q8_1", 32, 36},    {"Q2_K", 256, 84},    {"Q3_K", 256, 110},
    {"Q4_K", 256, 144},   {"Q5_K", 256, 176},  {"Q6_K", 256, 210},   {"Q8_K", 256, 292},
    {"IQ2_XXS", 256, 66}, {"IQ2_XS", 256, 74}, {"IQ3_XXS", 256, 98}, {"IQ1_S", 256, 50},
    {"IQ4_NL", 32, 18},   {"IQ3_S", 256, 110}, {"IQ2_S", 256, 82},   {"IQ4_XS", 256, 136},
    {"I8", 1, 1},         {"I16", 1, 2},       {"I32", 1, 4},        {"I64", 1, 8},
    {"F64", 1, 8},        {"IQ1_M", 256, 56},  {"BF16", 1, 2},       {NULL, 0, 0},
    {NULL, 0, 0},         {NULL, 0, 0},        {"TQ1_0", 256, 54},   {"TQ2_0", 256, 66},
    {NULL, 0, 0},         {NULL, 0, 0},        {NULL, 0, 0},         {"MXFP4", 32, 17},
};

static void the_table_has_the_ids_and_block_sizes_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(sizeof spec / sizeof spec[0], GOL_TYPE_N_IDS);
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (!spec[id].name) {
            assert_null(info);
            continue;
        }
        assert_non_null(info);
        assert_string_equal(info->name, spec[id].name);
        assert_int_equal(info->block_size, spec[id].block_size);
        assert_int_equal(info->type_size, spec[id].type_size);
        assert_int_equal(info->is_quantized, info->block_size > 1);
        assert_ptr_equal(gol_type_get((gol_type)id), info);
    }
}

static void ids_beyond_the_table_are_not_found(void **state)
{
    (void)state;
    assert_null(gol_type_find(GOL_TYPE_N_IDS));
    assert_null(gol_type_find(UINT32_MAX));
}

static void only_integers_and_activation_types_lack_a_dequantizer(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (!info)
            continue;
        const bool is_integer = info->name[0] == 'I' && info->name[1] != 'Q';
        const bool is_activation = id == GOL_TYPE_Q8_1 || id == GOL_TYPE_Q8_K;
        assert_int_equal(info->dequant == NULL, is_integer || is_activation);
    }
}

static void names_are_parsed_in_any_case_and_come_back(void **state)
{
    (void)state;
    gol_type type;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        if (!spec[id].name)
            continue;
        assert_true(gol_type_parse(gol_str_from(spec[id].name), &type));
        assert_int_equal(type, id);
    }
    assert_true(gol_type_parse(GOL_STR("q4_k"), &type));
    assert_int_equal(type, GOL_TYPE_Q4_K);
    assert_true(gol_type_parse(GOL_STR("iQ2_xXs"), &type));
    assert_int_equal(type, GOL_TYPE_IQ2_XXS);
}

static void what_is_no_name_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    const gol_str wrong[] = {
        GOL_STR(""),
        GOL_STR("Q4"),
        GOL_STR("Q4_"),
        GOL_STR("Q4_00"),
        GOL_STR(" Q4_0"),
        GOL_STR("Q4_0\0"),
        GOL_STR("Q4_0_4_4"),
        GOL_STR("\xc3\xa9"),
        GOL_STR("Q4\x7f"
                "0"),
        {NULL, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gol_type type = GOL_TYPE_MXFP4;
        assert_false(gol_type_parse(wrong[i], &type));
        assert_int_equal(type, GOL_TYPE_MXFP4);
    }
}

static void row_bytes_counts_whole_blocks_and_refuses_parts_of_one(void **state)
{
    (void)state;
    size_t bytes = 1;
    assert_true(gol_type_row_bytes(&bytes, GOL_TYPE_Q4_0, 0));
    assert_int_equal(bytes, 0);
    assert_true(gol_type_row_bytes(&bytes, GOL_TYPE_Q4_0, 4096));
    assert_int_equal(bytes, 128 * 18);
    assert_true(gol_type_row_bytes(&bytes, GOL_TYPE_F16, 3));
    assert_int_equal(bytes, 6);
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_Q4_0, 31));
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_Q4_0, 33));
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_Q6_K, 128));
    assert_int_equal(bytes, SIZE_MAX);
}

static void row_bytes_refuses_what_a_size_cannot_hold(void **state)
{
    (void)state;
    size_t bytes;
    assert_true(gol_type_row_bytes(&bytes, GOL_TYPE_F64, SIZE_MAX / 8));
    assert_int_equal(bytes, SIZE_MAX / 8 * 8);
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_F64, (uint64_t)SIZE_MAX / 8 + 1));
    assert_int_equal(bytes, SIZE_MAX);
    /* Q8_0 and Q8_1 are the types whose blocks have more bytes than elements. */
    const uint64_t n_blocks = SIZE_MAX / 36;
    assert_true(gol_type_row_bytes(&bytes, GOL_TYPE_Q8_1, n_blocks * 32));
    assert_int_equal(bytes, n_blocks * 36);
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_Q8_1, (n_blocks + 1) * 32));
    assert_false(gol_type_row_bytes(&bytes, GOL_TYPE_Q8_0, UINT64_MAX - 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_the_ids_and_block_sizes_of_the_specification),
        cmocka_unit_test(ids_beyond_the_table_are_not_found),
        cmocka_unit_test(only_integers_and_activation_types_lack_a_dequantizer),
        cmocka_unit_test(names_are_parsed_in_any_case_and_come_back),
        cmocka_unit_test(what_is_no_name_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(row_bytes_counts_whole_blocks_and_refuses_parts_of_one),
        cmocka_unit_test(row_bytes_refuses_what_a_size_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
