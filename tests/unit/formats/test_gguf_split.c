/* Split models: opened by any part, in the right order; and every way in which the parts can disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/gguf.h"
#include "support/temp_dir.h"

enum { N_PARTS = 3 };

static temp_dir dir;

/* What one part says; valid_part() gives what it should. */
typedef struct part {
    uint64_t count;
    uint64_t number;
    uint64_t n_tensors;
    bool has_number;
    const char *tensor;
    const char *extra_key; /* NULL: none */
    uint32_t extra_value;
    bool is_absent;
} part;

static const char *const tensor_names[N_PARTS] = {"a", "b", "c"};
static part parts[N_PARTS];

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_create();
    for (uint64_t i = 0; i < N_PARTS; i++)
        parts[i] = (part){N_PARTS, i, N_PARTS, true, tensor_names[i], NULL, 0, false};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_destroy(&dir);
    return 0;
}

static const char *part_path(int number, char buf[static 256])
{
    char name[64];
    snprintf(name, sizeof name, "model-%05d-of-%05d.gguf", number + 1, N_PARTS);
    return temp_dir_file(&dir, name, buf);
}

static void write_parts(void)
{
    static const float data[N_PARTS][8] = {{1}, {2}, {3}};
    for (int i = 0; i < N_PARTS; i++) {
        if (parts[i].is_absent)
            continue;
        gol_gguf_writer *w;
        gol_err err = {0};
        char path[256];
        assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
        gol_gguf_writer_set_alignment(w, i == 1 ? 64 : 32);
        if (i == 0)
            gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
        if (parts[i].has_number)
            gol_gguf_writer_add_u32(w, "split.no", (uint32_t)parts[i].number);
        gol_gguf_writer_add_u32(w, "split.count", (uint32_t)parts[i].count);
        gol_gguf_writer_add_i32(w, "split.tensors.count", (int32_t)parts[i].n_tensors);
        if (parts[i].extra_key)
            gol_gguf_writer_add_u32(w, parts[i].extra_key, parts[i].extra_value);
        const gol_tensor t = {.name = gol_str_from(parts[i].tensor),
                              .type = GOL_TYPE_F32,
                              .n_dims = 1,
                              .shape = {8},
                              .data = (const uint8_t *)data[i]};
        gol_gguf_writer_add_tensor(w, &t);
        if (gol_gguf_writer_write(w, part_path(i, path), &err) != 0)
            fail_msg("%s", err.message);
        gol_gguf_writer_destroy(&w);
    }
}

static void any_part_opens_the_whole_model(void **state)
{
    (void)state;
    parts[2].extra_key = "late.key";
    parts[1].extra_key = "late.key"; /* the same value twice is fine */
    write_parts();
    for (int named = 0; named < N_PARTS; named++) {
        char path[256];
        gol_err err = {0};
        gol_model_file *file;
        if (gol_model_file_open(&file, part_path(named, path), &err) != 0)
            fail_msg("%s", err.message);
        assert_string_equal(gol_model_file_path(file), path);
        assert_int_equal(gol_model_file_n_parts(file), N_PARTS);
        assert_int_equal(gol_model_file_n_tensors(file), N_PARTS);
        for (size_t i = 0; i < N_PARTS; i++) {
            const gol_tensor *t = gol_model_file_get_tensor(file, i);
            float first;
            memcpy(&first, t->data, sizeof first);
            assert_true(gol_str_is(t->name, tensor_names[i]));
            assert_ptr_equal(gol_model_file_find_tensor(file, t->name), t);
            assert_int_equal(t->file_index, i);
            assert_true(first == (float)(i + 1));
            gol_model_file_drop_tensor(file, t);
        }
        uint32_t number = 99;
        assert_int_equal(gol_meta_u32(file, "split.no", 0, 99, &number, NULL), 1);
        assert_int_equal(number, 0);
        assert_non_null(gol_model_file_find_meta(file, "late.key"));
        /* of the first part architecture, alignment and three of split.*; late.key */
        assert_int_equal(gol_model_file_n_meta(file), 6);
        gol_model_file_close(&file);
    }
}

static void expect_refusal(int named, int code, const char *message)
{
    write_parts();
    char path[256];
    gol_err err = {0};
    gol_model_file *file;
    assert_int_equal(gol_model_file_open(&file, part_path(named, path), &err), code);
    assert_null(file);
    if (!strstr(err.message, message))
        fail_msg("'%s', expected '%s'", err.message, message);
}

static void a_missing_part_is_named_with_its_path(void **state)
{
    (void)state;
    parts[1].is_absent = true;
    char path[256];
    expect_refusal(0, GOL_ENOTFOUND, part_path(1, path));
    expect_refusal(2, GOL_ENOTFOUND, "part 2 of 3");
}

static void a_broken_part_is_named(void **state)
{
    (void)state;
    write_parts();
    char path[256];
    char named[256];
    temp_write_file(part_path(2, path), "GGUF", 4);
    gol_err err;
    gol_model_file *file;
    assert_int_equal(gol_model_file_open(&file, part_path(0, named), &err), GOL_EMODEL);
    assert_non_null(strstr(err.message, path));
}

static void counts_must_agree(void **state)
{
    (void)state;
    parts[2].count = 4;
    expect_refusal(0, GOL_EMODEL, "split.count is 4, in the part that was named it is 3");
}

static void a_part_that_is_no_part_is_refused(void **state)
{
    (void)state;
    parts[2].count = 0;
    expect_refusal(0, GOL_EMODEL, "split.count is 1, in the part that was named it is 3");
}

static void numbers_must_be_those_of_the_names(void **state)
{
    (void)state;
    parts[1].number = 2;
    expect_refusal(0, GOL_EMODEL, "split.no is 2; by its name it should be 1");
}

static void the_named_part_must_have_its_own_name(void **state)
{
    (void)state;
    parts[0].number = 1;
    expect_refusal(
        0, GOL_EMODEL,
        "is part 2 of 3 of a split model, so its name must end in '-00002-of-00003.gguf'");
}

static void a_number_must_be_there_and_below_the_count(void **state)
{
    (void)state;
    parts[0].has_number = false;
    expect_refusal(0, GOL_EMODEL, "split.count is 3 but split.no is absent");
    parts[0].has_number = true;
    parts[0].number = 3;
    expect_refusal(0, GOL_EMODEL, "split.no: is 3; at most 2 is accepted");
}

static void too_many_parts_are_refused(void **state)
{
    (void)state;
    parts[0].count = 1000;
    expect_refusal(0, GOL_EMODEL, "split.count: is 1000; at most 999 is accepted");
}

static void all_tensors_must_be_there(void **state)
{
    (void)state;
    for (int i = 0; i < N_PARTS; i++)
        parts[i].n_tensors = 4;
    expect_refusal(0, GOL_EMODEL, "the parts hold 3 tensors together, split.tensors.count says 4");
    parts[1].n_tensors = 3;
    expect_refusal(0, GOL_EMODEL, "split.tensors.count is 3, in the part that was named it is 4");
}

static void a_tensor_in_two_parts_is_refused(void **state)
{
    (void)state;
    parts[2].tensor = "a";
    expect_refusal(0, GOL_EMODEL, "model-00003-of-00003.gguf: tensor 'a' comes twice");
}

static void a_key_with_two_values_is_refused(void **state)
{
    (void)state;
    parts[0].extra_key = "late.key";
    parts[2].extra_key = "late.key";
    parts[2].extra_value = 1;
    expect_refusal(0, GOL_EMODEL,
                   "metadata key 'late.key' has another value than in an earlier part");
}

static void a_count_of_one_is_no_split(void **state)
{
    (void)state;
    parts[0].count = 1;
    parts[1].is_absent = true;
    write_parts();
    char path[256];
    gol_model_file *file;
    assert_int_equal(gol_model_file_open(&file, part_path(0, path), NULL), 0);
    assert_int_equal(gol_model_file_n_parts(file), 1);
    gol_model_file_close(&file);
}

/* Each part within the limit, together beyond it. */
static void all_parts_share_the_limit_of_keys(void **state)
{
    (void)state;
    static char keys[2][GOL_GGUF_KV_MAX / 2][16];
    char paths[2][256];
    for (uint32_t p = 0; p < 2; p++) {
        gol_gguf_writer *w;
        gol_err err = {0};
        assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
        gol_gguf_writer_add_u32(w, "split.no", p);
        gol_gguf_writer_add_u32(w, "split.count", 2);
        for (uint32_t i = 0; i < GOL_GGUF_KV_MAX / 2; i++) {
            snprintf(keys[p][i], sizeof keys[p][i], "%u.%u", p, i);
            gol_gguf_writer_add_u32(w, keys[p][i], i);
        }
        temp_dir_file(&dir, p == 0 ? "keys-00001-of-00002.gguf" : "keys-00002-of-00002.gguf",
                      paths[p]);
        if (gol_gguf_writer_write(w, paths[p], &err) != 0)
            fail_msg("%s", err.message);
        gol_gguf_writer_destroy(&w);
    }
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open(&file, paths[0], &err), GOL_EMODEL);
    assert_non_null(strstr(err.message, "over 65536 metadata keys in all parts together"));
}

static void no_failed_allocation_leaks_a_part(void **state)
{
    (void)state;
    write_parts();
    char path[256];
    part_path(1, path);
    int n = 1;
    for (int rc = -1; rc != 0; n++) {
        gol_err err = {0};
        gol_model_file *file;
        gol_mem_fail_nth((uint64_t)n, n % 2 == 0);
        rc = gol_model_file_open(&file, path, &err);
        gol_mem_fail_nth(0, false);
        gol_model_file_close(&file);
        if (rc != 0)
            assert_int_equal(rc, GOL_ENOMEM);
        assert_true(n < 1000);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_part_opens_the_whole_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_part_is_named_with_its_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_part_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_must_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_is_no_part_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_must_be_those_of_the_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_named_part_must_have_its_own_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_number_must_be_there_and_below_the_count, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_many_parts_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_tensors_must_be_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tensor_in_two_parts_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_with_two_values_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_count_of_one_is_no_split, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_parts_share_the_limit_of_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_failed_allocation_leaks_a_part, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
