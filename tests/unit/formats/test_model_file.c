/* Opening models by path and in memory, typed look-ups with their messages, and the models of other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "formats/gguf.h"
#include "support/cpu_time.h"
#include "support/gguf_bytes.h"
#include "support/test_dir.h"

static gol_model_file *open_typed_file(void)
{
    char path[256];
    gol_gguf_writer *w;
    gol_err err = {0};
    gol_model_file *file = NULL;
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_u32(w, "u", 5);
    gol_gguf_writer_add_i32(w, "i", -5);
    gol_gguf_writer_add_u64(w, "big", 1ull << 33);
    gol_gguf_writer_add_f32(w, "f", 1.5f);
    gol_gguf_writer_add_f32(w, "nan", NAN);
    gol_gguf_writer_add_f32(w, "inf", INFINITY);
    gol_gguf_writer_add_bool(w, "b", true);
    gol_gguf_writer_add_str(w, "s", GOL_STR("text"));
    gol_gguf_writer_add_array(w, "ints", GOL_VALUE_I32, (const int32_t[]){1, 2}, 2);
    if (gol_gguf_writer_write(w, temp_dir_file(&dir, "typed.gguf", path), &err) != 0 ||
        gol_model_file_open(&file, path, &err) != 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_destroy(&w);
    return file;
}

static void expect_message(const gol_err *err, const char *part)
{
    assert_int_equal(err->code, GOL_EMODEL);
    assert_non_null(strstr(err->message, "typed.gguf: "));
    if (!strstr(err->message, part))
        fail_msg("'%s', expected '%s'", err->message, part);
}

static void numbers_are_looked_up_with_their_range(void **state)
{
    (void)state;
    gol_model_file *file = open_typed_file();
    gol_err err;
    uint32_t u = 99;
    float f = 99;
    assert_int_equal(gol_meta_u32(file, "none", 0, 9, &u, &err), 0);
    assert_int_equal(gol_meta_u32(file, "u", 6, 9, &u, &err), GOL_EMODEL);
    expect_message(&err, "u: is 5; 6 to 9 is accepted");
    assert_int_equal(gol_meta_u32(file, "i", 0, 9, &u, &err), GOL_EMODEL);
    expect_message(&err, "i: is -5; 0 to 9 is accepted");
    assert_int_equal(gol_meta_u32(file, "big", 0, UINT32_MAX, &u, &err), GOL_EMODEL);
    expect_message(&err, "big: is 8589934592; 0 to 4294967295 is accepted");
    assert_int_equal(gol_meta_u32(file, "f", 0, 9, &u, &err), GOL_EMODEL);
    expect_message(&err, "f: has type f32; an integer is accepted");
    assert_int_equal(gol_meta_u32(file, "f", 0, 9, &u, NULL), GOL_EMODEL);
    assert_int_equal(u, 99);
    assert_int_equal(gol_meta_u32(file, "u", 5, 5, &u, &err), 1);
    assert_int_equal(u, 5);

    assert_int_equal(gol_meta_f32(file, "none", 0, 9, &f, &err), 0);
    assert_int_equal(gol_meta_f32(file, "nan", -FLT_MAX, FLT_MAX, &f, &err), GOL_EMODEL);
    expect_message(&err, "nan: is nan");
    assert_int_equal(gol_meta_f32(file, "inf", 0, INFINITY, &f, &err), GOL_EMODEL);
    assert_int_equal(gol_meta_f32(file, "f", 2, 3, &f, &err), GOL_EMODEL);
    expect_message(&err, "f: is 1.5; 2 to 3 is accepted");
    assert_int_equal(gol_meta_f32(file, "s", 2, 3, &f, &err), GOL_EMODEL);
    expect_message(&err, "s: has type string; a number is accepted");
    assert_true(f == 99);
    assert_int_equal(gol_meta_f32(file, "i", -5, 0, &f, &err), 1);
    assert_true(f == -5);
    gol_model_file_close(&file);
}

static void other_types_are_looked_up_as_themselves(void **state)
{
    (void)state;
    gol_model_file *file = open_typed_file();
    gol_err err;
    bool b = false;
    gol_str s;
    const gol_value *array;
    assert_int_equal(gol_meta_bool(file, "none", &b, &err), 0);
    assert_int_equal(gol_meta_bool(file, "u", &b, &err), GOL_EMODEL);
    expect_message(&err, "u: has type u32; bool is accepted");
    assert_int_equal(gol_meta_bool(file, "b", &b, &err), 1);
    assert_true(b);
    assert_int_equal(gol_meta_str(file, "b", &s, &err), GOL_EMODEL);
    assert_int_equal(gol_meta_str(file, "none", &s, &err), 0);
    assert_int_equal(gol_meta_str(file, "s", &s, &err), 1);
    assert_int_equal(gol_meta_array(file, "none", ~0u, &array, &err), 0);
    assert_int_equal(gol_meta_array(file, "s", ~0u, &array, &err), GOL_EMODEL);
    expect_message(&err, "s: has type string; an array is accepted");
    const uint32_t floats = 1u << GOL_VALUE_F32 | 1u << GOL_VALUE_F64;
    assert_int_equal(gol_meta_array(file, "ints", floats, &array, &err), GOL_EMODEL);
    expect_message(&err, "ints: is an array of i32; an array of f32, f64 is accepted");
    assert_int_equal(gol_meta_array(file, "ints", 1u << GOL_VALUE_I32, &array, &err), 1);
    assert_int_equal(gol_value_n(array), 2);
    gol_model_file_close(&file);
}

static void memory_works_like_a_file(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    gguf_bytes b = spec_build(&s);
    gol_model_file *file;
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "built in", NULL), 0);
    assert_string_equal(gol_model_file_path(file), "built in");
    assert_int_equal(gol_model_file_n_bytes(file), b.len);
    assert_int_equal(gol_model_file_n_parts(file), 1);
    const gol_tensor *t = gol_model_file_find_tensor(file, GOL_STR("second"));
    assert_ptr_equal(t->data, b.data + b.len - 32);
    gol_model_file_drop_tensor(file, t); /* nothing to drop, nothing happens */
    gol_model_file_close(&file);
    gol_model_file_close(&file); /* closing nothing is fine */
    bytes_free(&b);
}

static void a_part_of_a_split_model_needs_a_path(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    s.n_kv = 2;
    spec_set_key(&s, "split.count");
    s.value.len = 0;
    bytes_put_u32(&s.value, 2);
    bytes_put_str(&s.value, "split.no");
    bytes_put_u32(&s.value, 4);
    bytes_put_u32(&s.value, 1);
    gguf_bytes b = spec_build(&s);
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "x", &err), GOL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "is part 2 of 2 of a split model; in memory"));
    bytes_free(&b);
}

static void paths_that_are_no_file_are_errors(void **state)
{
    (void)state;
    gol_model_file *file;
    gol_err err;
    assert_int_equal(gol_model_file_open(&file, "/nonexistent.gguf", &err), GOL_ENOTFOUND);
    assert_non_null(strstr(err.message, "/nonexistent.gguf"));
    assert_null(file);
    assert_int_equal(gol_model_file_open(&file, dir.path, &err), GOL_ENOTFOUND);
    assert_non_null(strstr(err.message, "config.json"));
    assert_int_equal(gol_model_file_open(&file, "", NULL), GOL_ENOTFOUND);
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    gol_model_file *first = open_typed_file();
    gol_model_file_close(&first);
    char path[256];
    temp_dir_file(&dir, "typed.gguf", path);
    int n = 1;
    for (int rc = -1; rc != 0; n++) {
        gol_err err = {0};
        gol_model_file *file;
        gol_mem_fail_nth((uint64_t)n, n % 2 == 0);
        rc = gol_model_file_open(&file, path, &err);
        gol_mem_fail_nth(0, false);
        gol_model_file_close(&file);
        if (rc != 0) {
            assert_int_equal(rc, GOL_ENOMEM);
            assert_true(err.message[0] != '\0');
        }
        assert_true(n < 1000);
    }
    assert_true(n > 5);
}

/* A vocabulary as large as today's largest. */
static void a_quarter_million_tokens_load_in_milliseconds(void **state)
{
    (void)state;
    enum { N = 262144 };
    gguf_bytes b = {0};
    bytes_put_u32(&b, 0x46554747);
    bytes_put_u32(&b, 3);
    bytes_put_u64(&b, 0);
    bytes_put_u64(&b, 1);
    bytes_put_str(&b, "tokenizer.ggml.tokens");
    bytes_put_u32(&b, 9);
    bytes_put_u32(&b, 8);
    bytes_put_u64(&b, N);
    for (uint32_t i = 0; i < N; i++) {
        char token[16];
        snprintf(token, sizeof token, "token%u", i);
        bytes_put_str(&b, token);
    }
    gol_model_file *file;
    const double begin_s = cpu_seconds_of_thread();
    assert_int_equal(gol_model_file_open_memory(&file, b.data, b.len, "vocab", NULL), 0);
    const double took_s = cpu_seconds_of_thread() - begin_s;
    print_message("262144 tokens in %.2f ms\n", took_s * 1e3);
    const gol_value *tokens = gol_model_file_find_meta(file, "tokenizer.ggml.tokens");
    gol_str s;
    assert_true(gol_value_at_str(tokens, N - 1, &s) && gol_str_is(s, "token262143"));
    gol_model_file_close(&file);
    bytes_free(&b);
    assert_true(took_s <
                10); /* on any machine, sanitized too; the square of the tokens would take longer */
}

static int open_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d)
        return 0;
    int n = 0;
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".gguf") != 0)
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        gol_model_file *file;
        gol_err err = {0};
        if (gol_model_file_open(&file, path, &err) != 0)
            fail_msg("%s", err.message);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(gol_model_file_n_bytes(file), st.st_size);
        gol_str architecture;
        assert_int_equal(gol_meta_str(file, "general.architecture", &architecture, &err), 1);
        for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
            const gol_tensor *t = gol_model_file_get_tensor(file, i);
            assert_ptr_equal(gol_model_file_find_tensor(file, t->name), t);
            assert_true(t->file_offset + t->n_bytes <= (uint64_t)st.st_size);
        }
        gol_model_file_close(&file);
        n++;
    }
    closedir(d);
    return n;
}

static void models_of_other_programs_open(void **state)
{
    (void)state;
    const int n = open_folder(TEST_CONFORMANCE_DIR "/models") +
                  open_folder(TEST_CONFORMANCE_DIR "/vocab");
    if (n == 0) {
        print_message("no conformance data in %s\n", TEST_CONFORMANCE_DIR);
        skip();
    }
    print_message("%d models and vocabularies\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_looked_up_with_their_range, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(other_types_are_looked_up_as_themselves, make_dir,
                                        remove_dir),
        cmocka_unit_test(memory_works_like_a_file),
        cmocka_unit_test(a_part_of_a_split_model_needs_a_path),
        cmocka_unit_test_setup_teardown(paths_that_are_no_file_are_errors, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(no_failed_allocation_leaks, make_dir, remove_dir),
        cmocka_unit_test(a_quarter_million_tokens_load_in_milliseconds),
        cmocka_unit_test(models_of_other_programs_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
