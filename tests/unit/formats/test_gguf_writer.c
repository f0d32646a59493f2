/* What the writer writes, the reader gives back: every value type, every tensor type, alignments; and the writer's refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "formats/gguf.h"
#include "support/test_dir.h"

static const gol_value scalars[] = {
    {.type = GOL_VALUE_U8, .u = 255},           {.type = GOL_VALUE_I8, .i = -128},
    {.type = GOL_VALUE_U16, .u = 65535},        {.type = GOL_VALUE_I16, .i = -32768},
    {.type = GOL_VALUE_U32, .u = UINT32_MAX},   {.type = GOL_VALUE_I32, .i = INT32_MIN},
    {.type = GOL_VALUE_U64, .u = UINT64_MAX},   {.type = GOL_VALUE_I64, .i = INT64_MIN},
    {.type = GOL_VALUE_F32, .f = -0.5},         {.type = GOL_VALUE_F64, .f = DBL_MIN},
    {.type = GOL_VALUE_BOOL, .u = 1},           {.type = GOL_VALUE_STRING, .str = {"a\0b", 3}},
    {.type = GOL_VALUE_STRING, .str = {"", 0}},
};

enum { N_SCALARS = sizeof scalars / sizeof *scalars };

static gol_model_file *write_and_open(gol_gguf_writer *w)
{
    char path[256];
    gol_err err = {0};
    gol_model_file *file = NULL;
    temp_dir_file(&dir, "model.gguf", path);
    if (gol_gguf_writer_write(w, path, &err) != 0 || gol_model_file_open(&file, path, &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

static void scalars_of_every_type_come_back(void **state)
{
    (void)state;
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
    char keys[N_SCALARS][16];
    for (int i = 0; i < N_SCALARS; i++) {
        snprintf(keys[i], sizeof keys[i], "key.%d", i);
        gol_gguf_writer_add_value(w, gol_str_from(keys[i]), &scalars[i]);
    }
    gol_model_file *file = write_and_open(w);
    assert_string_equal(gol_model_file_format(file), "GGUF v3");
    assert_int_equal(gol_model_file_n_meta(file), N_SCALARS);
    for (int i = 0; i < N_SCALARS; i++) {
        assert_true(gol_str_is(gol_model_file_get_meta(file, (size_t)i)->key, keys[i]));
        assert_true(gol_value_eq(gol_model_file_find_meta(file, keys[i]), &scalars[i]));
    }
    gol_model_file_close(&file);
    gol_gguf_writer_destroy(&w);
}

static void the_typed_adders_write_their_types(void **state)
{
    (void)state;
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
    gol_gguf_writer_add_u32(w, "u32", 7);
    gol_gguf_writer_add_i32(w, "i32", -7);
    gol_gguf_writer_add_u64(w, "u64", 1ull << 40);
    gol_gguf_writer_add_f32(w, "f32", 0.25f);
    gol_gguf_writer_add_bool(w, "bool", true);
    gol_gguf_writer_add_str(w, "str", GOL_STR("text"));
    gol_gguf_writer_add_strs(w, "strs",
                             (const gol_str[]){GOL_STR("a"), GOL_STR(""), GOL_STR("ccc")}, 3);
    gol_gguf_writer_add_array(w, "floats", GOL_VALUE_F32, (const float[]){1.5f, -2.0f}, 2);
    gol_model_file *file = write_and_open(w);
    uint32_t u = 0;
    float f = 0;
    bool b = false;
    gol_str s = {0};
    int64_t i = 0;
    double d = 0;
    assert_int_equal(gol_meta_u32(file, "u32", 0, 10, &u, NULL), 1);
    assert_int_equal(u, 7);
    assert_true(gol_value_as_i64(gol_model_file_find_meta(file, "i32"), &i) && i == -7);
    assert_true(gol_value_as_i64(gol_model_file_find_meta(file, "u64"), &i) && i == 1ll << 40);
    assert_int_equal(gol_meta_f32(file, "f32", 0, 1, &f, NULL), 1);
    assert_true(f == 0.25f);
    assert_int_equal(gol_meta_bool(file, "bool", &b, NULL), 1);
    assert_true(b);
    assert_int_equal(gol_meta_str(file, "str", &s, NULL), 1);
    assert_true(gol_str_is(s, "text"));
    const gol_value *strs = gol_model_file_find_meta(file, "strs");
    assert_int_equal(gol_value_n(strs), 3);
    assert_true(gol_value_at_str(strs, 2, &s) && gol_str_is(s, "ccc"));
    assert_true(gol_value_at_str(strs, 1, &s) && s.len == 0);
    assert_false(gol_value_at_str(strs, 3, &s));
    const gol_value *floats = gol_model_file_find_meta(file, "floats");
    assert_true(gol_value_at_f64(floats, 1, &d) && d == -2.0);
    gol_model_file_close(&file);
    gol_gguf_writer_destroy(&w);
}

static void arrays_of_every_type_come_back_nested_too(void **state)
{
    (void)state;
    static const uint8_t numbers[64] = {1, 0, 1, 1, 0, 0, 1, 0, 1};
    gol_value arrays[GOL_VALUE_N_TYPES];
    size_t n = 0;
    for (int t = 0; t < GOL_VALUE_N_TYPES; t++) {
        const gol_value_type type = (gol_value_type)t;
        if (gol_value_type_size(type) > 0)
            arrays[n++] = (gol_value){.type = GOL_VALUE_ARRAY,
                                      .array = {.type = type, .n = 8, .data = numbers}};
    }
    const uint64_t offsets[] = {0, 9};
    arrays[n++] = (gol_value){
        .type = GOL_VALUE_ARRAY,
        .array = {.type = GOL_VALUE_STRING,
                  .n = 2,
                  .data = (const uint8_t *)"\1\0\0\0\0\0\0\0a\2\0\0\0\0\0\0\0bc",
                  .offsets = offsets},
    };
    const gol_value nested = {.type = GOL_VALUE_ARRAY,
                              .array = {.type = GOL_VALUE_ARRAY, .n = n, .values = arrays}};
    const gol_value deep = {.type = GOL_VALUE_ARRAY,
                            .array = {.type = GOL_VALUE_ARRAY, .n = 1, .values = &nested}};
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
    gol_gguf_writer_add_value(w, GOL_STR("nested"), &nested);
    gol_gguf_writer_add_value(w, GOL_STR("deep"), &deep);
    gol_gguf_writer_add_strs(w, "none", NULL, 0);
    gol_model_file *file = write_and_open(w);
    assert_true(gol_value_eq(gol_model_file_find_meta(file, "nested"), &nested));
    assert_true(gol_value_eq(gol_model_file_find_meta(file, "deep"), &deep));
    assert_false(gol_value_eq(gol_model_file_find_meta(file, "deep"), &nested));
    assert_int_equal(gol_value_n(gol_model_file_find_meta(file, "none")), 0);

    gol_gguf_writer *copier; /* what was read is written again */
    assert_int_equal(gol_gguf_writer_create(&copier, NULL), 0);
    for (size_t i = 0; i < gol_model_file_n_meta(file); i++)
        gol_gguf_writer_add_value(copier, gol_model_file_get_meta(file, i)->key,
                                  &gol_model_file_get_meta(file, i)->value);
    char path[256];
    assert_int_equal(gol_gguf_writer_write(copier, temp_dir_file(&dir, "copy.gguf", path), NULL),
                     0);
    gol_model_file *copy;
    assert_int_equal(gol_model_file_open(&copy, path, NULL), 0);
    assert_int_equal(gol_model_file_n_bytes(copy), gol_model_file_n_bytes(file));
    assert_true(gol_value_eq(gol_model_file_find_meta(copy, "deep"), &deep));
    gol_model_file_close(&copy);
    gol_gguf_writer_destroy(&copier);
    gol_model_file_close(&file);
    gol_gguf_writer_destroy(&w);
}

static void tensors_of_every_type_come_back_aligned(void **state)
{
    (void)state;
    static uint8_t data[256 * 16];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    static const uint32_t alignments[] = {8, 32, 64, 4096};
    for (size_t a = 0; a < sizeof alignments / sizeof *alignments; a++) {
        gol_gguf_writer *w;
        assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
        gol_gguf_writer_set_alignment(w, alignments[a]);
        size_t n = 0;
        for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
            const gol_type_info *info = gol_type_find(id);
            if (!info)
                continue;
            const gol_tensor t = {.name = gol_str_from(info->name),
                                  .type = (gol_type)id,
                                  .n_dims = 1 + (int)(n % GOL_DIMS_MAX),
                                  .shape = {(uint64_t)info->block_size, n % 4 > 0 ? 2 : 1, 1, 1},
                                  .data = data};
            gol_gguf_writer_add_tensor(w, &t);
            n++;
        }
        gol_model_file *file = write_and_open(w);
        assert_int_equal(gol_model_file_n_tensors(file), n);
        for (size_t i = 0; i < n; i++) {
            const gol_tensor *t = gol_model_file_get_tensor(file, i);
            const gol_type_info *info = gol_type_get(t->type);
            assert_ptr_equal(gol_model_file_find_tensor(file, gol_str_from(info->name)), t);
            assert_int_equal(t->n_dims, 1 + (int)(i % GOL_DIMS_MAX));
            assert_int_equal(t->n_elements, (uint64_t)info->block_size * (i % 4 > 0 ? 2 : 1));
            assert_int_equal(t->n_bytes, info->type_size * (i % 4 > 0 ? 2 : 1));
            assert_int_equal((uintptr_t)t->data % alignments[a], 0);
            assert_memory_equal(t->data, data, (size_t)t->n_bytes);
            gol_model_file_drop_tensor(file, t);
            assert_memory_equal(t->data, data, (size_t)t->n_bytes); /* comes back from the file */
        }
        assert_null(gol_model_file_find_tensor(file, GOL_STR("none")));
        gol_model_file_close(&file);
        gol_gguf_writer_destroy(&w);
    }
}

typedef struct filler {
    size_t n_wanted;
    size_t n_per_call;
    int rc;
} filler;

static int fill(void *user, size_t tensor_index, gol_gguf_emit *emit, void *sink, gol_err *err)
{
    const filler *f = user;
    for (size_t n = 0; n < f->n_wanted; n += f->n_per_call) {
        uint8_t bytes[64];
        memset(bytes, (int)tensor_index + 1, sizeof bytes);
        const int rc = emit(sink, bytes, f->n_per_call, err);
        if (rc != 0)
            return rc;
    }
    return f->rc != 0 ? gol_fail(err, f->rc, "the source dried up") : 0;
}

static void streamed_tensors_must_be_exactly_as_long_as_they_say(void **state)
{
    (void)state;
    char path[256];
    temp_dir_file(&dir, "streamed.gguf", path);
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
    for (int i = 0; i < 2; i++) {
        gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = i ? GOL_STR("b") : GOL_STR("a"),
                                                    .type = GOL_TYPE_F32,
                                                    .n_dims = 1,
                                                    .shape = {3}});
    }
    gol_err err;
    assert_int_equal(gol_gguf_writer_stream(w, path, fill, &(filler){8, 4, 0}, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "tensor 'a': 4 of its bytes were not given"));
    assert_int_equal(gol_gguf_writer_stream(w, path, fill, &(filler){16, 4, 0}, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "4 bytes are more than the 0"));
    assert_int_equal(gol_gguf_writer_stream(w, path, fill, &(filler){12, 4, GOL_EIO}, &err),
                     GOL_EIO);
    assert_non_null(strstr(err.message, "tensor 'a': the source dried up"));
    assert_int_equal(gol_gguf_writer_write(w, path, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "tensor 'a': has no data"));
    assert_int_equal(temp_dir_n_files(&dir), 0); /* nothing half-done is left */
    assert_int_equal(gol_gguf_writer_stream(w, path, fill, &(filler){12, 2, 0}, &err), 0);
    gol_model_file *file;
    assert_int_equal(gol_model_file_open(&file, path, &err), 0);
    assert_memory_equal(gol_model_file_find_tensor(file, GOL_STR("b"))->data,
                        "\2\2\2\2\2\2\2\2\2\2\2\2", 12);
    gol_model_file_close(&file);
    gol_gguf_writer_destroy(&w);
}

static void expect_refusal(gol_gguf_writer *w, int code, const char *message)
{
    char path[256];
    gol_err err = {0};
    assert_int_equal(gol_gguf_writer_write(w, temp_dir_file(&dir, "refused.gguf", path), &err),
                     code);
    if (!strstr(err.message, message))
        fail_msg("'%s', expected '%s'", err.message, message);
    gol_gguf_writer_destroy(&w);
    assert_null(w);
}

static gol_gguf_writer *new_writer(void)
{
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, NULL), 0);
    return w;
}

static void what_no_reader_would_accept_is_refused(void **state)
{
    (void)state;
    gol_gguf_writer *w = new_writer();
    gol_gguf_writer_add_u32(w, "same", 1);
    gol_gguf_writer_add_u32(w, "same", 1);
    expect_refusal(w, GOL_EINVAL, "metadata key 'same' was added twice");

    w = new_writer();
    gol_gguf_writer_add_u32(w, "", 1);
    gol_gguf_writer_add_u32(w, "later", 1); /* the first failure is the one reported */
    expect_refusal(w, GOL_EINVAL, "metadata '': a key has 1 to 65535 bytes");

    w = new_writer();
    gol_gguf_writer_set_alignment(w, 24);
    expect_refusal(w, GOL_EINVAL, "must be a power of two from 8 to 1048576");

    w = new_writer();
    gol_gguf_writer_add_str(w, "general.alignment", GOL_STR("32"));
    expect_refusal(w, GOL_EINVAL, "'general.alignment': must be a power of two");

    w = new_writer();
    gol_gguf_writer_add_array(w, "k", GOL_VALUE_STRING, "", 0);
    expect_refusal(w, GOL_EINVAL, "only numbers and bools come as packed arrays");

    gol_value levels[GOL_GGUF_DEPTH_MAX + 1];
    for (int i = 0; i <= GOL_GGUF_DEPTH_MAX; i++) {
        levels[i] = (gol_value){.type = GOL_VALUE_ARRAY,
                                .array = {.type = GOL_VALUE_U8, .data = (const uint8_t *)""}};
        if (i > 0)
            levels[i].array = (gol_value_array){
                .type = GOL_VALUE_ARRAY, .n = 1, .values = &levels[i - 1]};
    }
    w = new_writer();
    gol_gguf_writer_add_value(w, GOL_STR("deep"), &levels[GOL_GGUF_DEPTH_MAX]);
    expect_refusal(w, GOL_EINVAL, "arrays nested too deep");
}

static void tensors_that_no_reader_would_accept_are_refused(void **state)
{
    (void)state;
    static const uint8_t data[128];
    const gol_tensor good = {
        .name = GOL_STR("t"), .type = GOL_TYPE_Q8_0, .n_dims = 2, .shape = {32, 1}, .data = data};
    gol_tensor bad[8];
    for (size_t i = 0; i < 8; i++)
        bad[i] = good;
    static char long_name[256];
    memset(long_name, 'x', sizeof long_name);
    bad[0].name = (gol_str){"", 0};
    bad[1].name = (gol_str){long_name, 256};
    bad[2].n_dims = 0;
    bad[3].n_dims = 5;
    bad[4].shape[0] = 33;
    bad[5].shape[1] = 0;
    bad[6].shape[1] = 1ull << 60;
    bad[7].type = (gol_type)4;
    for (size_t i = 0; i < 8; i++) {
        gol_gguf_writer *w = new_writer();
        gol_gguf_writer_add_tensor(w, &good);
        gol_gguf_writer_add_tensor(w, &bad[i]);
        expect_refusal(w, GOL_EINVAL, "name, type or shape cannot be written");
    }
    gol_gguf_writer *w = new_writer();
    gol_gguf_writer_add_tensor(w, &good);
    gol_gguf_writer_add_tensor(w, &good);
    expect_refusal(w, GOL_EINVAL, "tensor 't' was added twice");
}

static void keys_end_at_the_readers_limit(void **state)
{
    (void)state;
    static char keys[GOL_GGUF_KV_MAX + 1][16];
    for (int n = GOL_GGUF_KV_MAX; n <= GOL_GGUF_KV_MAX + 1; n++) {
        gol_gguf_writer *w = new_writer();
        for (int i = 0; i < n; i++) {
            snprintf(keys[i], sizeof keys[i], "%d", i);
            gol_gguf_writer_add_u32(w, keys[i], 1);
        }
        if (n == GOL_GGUF_KV_MAX) {
            gol_model_file *file = write_and_open(w);
            assert_int_equal(gol_model_file_n_meta(file), GOL_GGUF_KV_MAX);
            gol_model_file_close(&file);
            gol_gguf_writer_set_alignment(w, 64); /* one key more */
            expect_refusal(w, GOL_EINVAL, "65537 metadata keys; at most 65536");
        } else {
            expect_refusal(w, GOL_EINVAL, "metadata '65536': too many keys");
        }
    }
}

static void sizes_beyond_the_limits_are_refused_before_they_are_read(void **state)
{
    (void)state;
    static const gol_str huge = {"", (size_t)GOL_GGUF_STRING_MAX + 1}; /* more than is there */
    gol_gguf_writer *w = new_writer();
    gol_gguf_writer_add_strs(w, "k", NULL, GOL_GGUF_ARRAY_MAX + 1);
    expect_refusal(w, GOL_EINVAL, "metadata 'k': an array of too many elements");
    w = new_writer();
    gol_gguf_writer_add_array(w, "k", GOL_VALUE_U8, "", GOL_GGUF_ARRAY_MAX + 1);
    expect_refusal(w, GOL_EINVAL, "metadata 'k': an array of too many elements");
    w = new_writer();
    gol_gguf_writer_add_strs(w, "k", &huge, 1);
    expect_refusal(w, GOL_EINVAL, "metadata 'k': a string over 64 MiB");
    w = new_writer();
    gol_gguf_writer_add_str(w, "k", huge);
    expect_refusal(w, GOL_EINVAL, "metadata 'k': a string over 64 MiB");
    w = new_writer();
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = gol_str_from(names[i]),
                                                    .type = GOL_TYPE_F32,
                                                    .n_dims = 1,
                                                    .shape = {1ull << 60}});
    }
    expect_refusal(w, GOL_EINVAL, "the tensors together are too large");
}

static void a_folder_is_not_replaced(void **state)
{
    (void)state;
    gol_gguf_writer *w = new_writer();
    gol_err err;
    assert_int_equal(gol_gguf_writer_write(w, dir.path, &err), GOL_EIO);
    assert_non_null(strstr(err.message, "is a folder"));
    char tmp[256];
    snprintf(tmp, sizeof tmp, "%s.tmp", dir.path);
    assert_int_equal(access(tmp, F_OK), -1);
    gol_gguf_writer_destroy(&w);
}

/* A pipe stands for /dev/null, which a test must not risk. */
static void a_device_or_pipe_is_not_replaced(void **state)
{
    (void)state;
    char path[256];
    char link[256];
    struct stat info;
    assert_int_equal(mkfifo(temp_dir_file(&dir, "pipe", path), 0600), 0);
    assert_int_equal(symlink("pipe", temp_dir_file(&dir, "link", link)), 0);
    gol_gguf_writer *w = new_writer();
    const char *const paths[] = {path, link};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        gol_err err = {0};
        char tmp[260];
        assert_int_equal(gol_gguf_writer_write(w, paths[i], &err), GOL_EIO);
        assert_non_null(strstr(err.message, "is a device, pipe or socket"));
        snprintf(tmp, sizeof tmp, "%s.tmp", paths[i]);
        assert_int_equal(access(tmp, F_OK), -1);
    }
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    gol_gguf_writer_destroy(&w);
}

static void a_path_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    gol_gguf_writer *w = new_writer();
    gol_err err;
    assert_int_equal(gol_gguf_writer_write(w, "/nonexistent/model.gguf", &err), GOL_EIO);
    assert_non_null(strstr(err.message, "/nonexistent/model.gguf.tmp: cannot create"));
    gol_gguf_writer_destroy(&w);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    char tmp[256];
    char path[256];
    assert_int_equal(symlink("/dev/full", temp_dir_file(&dir, "full.gguf.tmp", tmp)), 0);
    gol_gguf_writer *w = new_writer();
    gol_err err;
    assert_int_equal(gol_gguf_writer_write(w, temp_dir_file(&dir, "full.gguf", path), &err),
                     GOL_EIO);
    assert_non_null(strstr(err.message, "cannot write: No space left on device"));
    assert_int_equal(access(path, F_OK), -1);
    gol_gguf_writer_destroy(&w);
}

static void no_failed_allocation_leaves_a_file_or_a_leak(void **state)
{
    (void)state;
    char path[256];
    temp_dir_file(&dir, "oom.gguf", path);
    static const uint8_t data[32];
    int rc = -1;
    int n = 1;
    for (; rc != 0; n++) {
        gol_err err = {0};
        gol_gguf_writer *w;
        gol_mem_fail_nth((uint64_t)n, n % 2 == 0);
        rc = gol_gguf_writer_create(&w, &err);
        if (rc == 0) {
            for (int i = 0; i < 3; i++)
                gol_gguf_writer_add_u32(w, (const char *[]){"a", "b", "c"}[i], 1);
            gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = GOL_STR("t"),
                                                        .type = GOL_TYPE_F32,
                                                        .n_dims = 1,
                                                        .shape = {8},
                                                        .data = data});
            rc = gol_gguf_writer_write(w, path, &err);
        }
        gol_mem_fail_nth(0, false);
        gol_gguf_writer_destroy(&w);
        if (rc != 0) {
            assert_int_equal(rc, GOL_ENOMEM);
            assert_int_equal(temp_dir_n_files(&dir), 0);
        }
        assert_true(n < 1000);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scalars_of_every_type_come_back, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_typed_adders_write_their_types, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(arrays_of_every_type_come_back_nested_too, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(tensors_of_every_type_come_back_aligned, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(streamed_tensors_must_be_exactly_as_long_as_they_say,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_no_reader_would_accept_is_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(tensors_that_no_reader_would_accept_are_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(keys_end_at_the_readers_limit, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(sizes_beyond_the_limits_are_refused_before_they_are_read,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_folder_is_not_replaced, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_device_or_pipe_is_not_replaced, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_path_that_cannot_be_written_is_an_error, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(no_failed_allocation_leaves_a_file_or_a_leak, make_dir,
                                        remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
