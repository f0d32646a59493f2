/* What inspect and verify print about a small model that the test writes, sound and with a NaN in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inspect_report.h"
#include "cli/model_facts.h"
#include "cli/verify_report.h"
#include "formats/gguf.h"
#include "support/temp_dir.h"

static temp_dir dir;
static gol_model_file *file;
static float weights[64];
static char *text; /* what was printed */
static size_t text_len;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_create();
    char path[256];
    gol_gguf_writer *w;
    gol_err err = {0};
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
    gol_gguf_writer_add_str(w, "general.name", GOL_STR("tiny \x1b[31m \"quoted\" \xff"));
    gol_gguf_writer_add_u32(w, "llama.context_length", 2048);
    gol_gguf_writer_add_u32(w, "llama.block_count", 2);
    gol_gguf_writer_add_array(w, "llama.attention.head_count", GOL_VALUE_I32,
                              (const int32_t[]){4, 8}, 2);
    gol_gguf_writer_add_str(w, "tokenizer.ggml.model", GOL_STR("gpt2"));
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens",
                             (const gol_str[]){GOL_STR("a"), GOL_STR("b\n"), GOL_STR("c"),
                                               GOL_STR("d"), GOL_STR("e"), GOL_STR("f"),
                                               GOL_STR("seventh")},
                             7);
    gol_gguf_writer_add_u64(w, "big", UINT64_MAX);
    gol_gguf_writer_add_i32(w, "small", -3);
    gol_gguf_writer_add_bool(w, "flag", true);
    gol_gguf_writer_add_f32(w, "tenth", 0.1f);
    static const uint8_t blocks[2 * 34];
    gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = GOL_STR("token_embd.weight"),
                                                .type = GOL_TYPE_F32,
                                                .n_dims = 2,
                                                .shape = {32, 2},
                                                .data = (const uint8_t *)weights});
    gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = GOL_STR("blk.0.attn_q.weight"),
                                                .type = GOL_TYPE_Q8_0,
                                                .n_dims = 1,
                                                .shape = {64},
                                                .data = blocks});
    gol_gguf_writer_add_tensor(w, &(gol_tensor){.name = GOL_STR("ids"),
                                                .type = GOL_TYPE_I32,
                                                .n_dims = 1,
                                                .shape = {4},
                                                .data = blocks});
    if (gol_gguf_writer_write(w, temp_dir_file(&dir, "tiny.gguf", path), &err) != 0 ||
        gol_model_file_open(&file, path, &err) != 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_destroy(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gol_model_file_close(&file);
    temp_dir_destroy(&dir);
    free(text);
    text = NULL;
    weights[40] = 0;
    return 0;
}

static int set_up_with_nan(void **state)
{
    weights[40] = NAN;
    return set_up(state);
}

typedef int printer(FILE *out, gol_err *err);

static int run_printer(printer *print, gol_err *err)
{
    free(text);
    text = NULL;
    FILE *out = open_memstream(&text, &text_len);
    assert_non_null(out);
    const int rc = print(out, err);
    fclose(out);
    return rc;
}

static int inspect_short(FILE *out, gol_err *err)
{
    return gol_inspect_print_text(out, file, false, err);
}

static int inspect_long(FILE *out, gol_err *err)
{
    return gol_inspect_print_text(out, file, true, err);
}

static int inspect_json(FILE *out, gol_err *err)
{
    return gol_inspect_print_json(out, file, err);
}

static int verify(FILE *out, bool as_json, gol_err *err)
{
    gol_worker_pool *pool;
    assert_int_equal(gol_worker_pool_create(&pool, 2, NULL), 0);
    const int rc = gol_verify_print(out, file, pool, as_json, err);
    gol_worker_pool_destroy(&pool);
    return rc;
}

static int verify_text(FILE *out, gol_err *err)
{
    return verify(out, false, err);
}

static int verify_json(FILE *out, gol_err *err)
{
    return verify(out, true, err);
}

static void expect_part(const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in:\n%s", part, text);
}

static void inspect_shows_the_facts(void **state)
{
    (void)state;
    assert_int_equal(run_printer(inspect_short, NULL), 0);
    expect_part("format        GGUF v3, 1 file, ");
    expect_part("architecture  llama\n");
    expect_part("name          tiny \\x1b[31m \"quoted\" \\xff\n");
    expect_part("parameters    132 (132)\n");
    expect_part("context       2048\n");
    expect_part("heads         8\n"); /* of a list the largest */
    expect_part("  tokens      7\n");
    expect_part("metadata, 11 keys\n");
    expect_part("[7 x string] \"a\", \"b\\x0a\", \"c\", \"d\", \"e\", \"f\", ...\n");
    expect_part("18446744073709551615\n");
    assert_null(strstr(text, "seventh"));
    assert_null(strstr(text, "token_embd.weight"));
    assert_null(strchr(text, '\x1b'));
}

static void inspect_lists_tensors_when_asked(void **state)
{
    (void)state;
    assert_int_equal(run_printer(inspect_long, NULL), 0);
    expect_part("token_embd.weight");
    expect_part("32 x 2");
}

static json_t *parse(void)
{
    json_error_t error;
    json_t *root = json_loadb(text, text_len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
                              &error);
    if (!root)
        fail_msg("%s in:\n%s", error.text, text);
    return root;
}

static void the_json_of_inspect_holds_everything(void **state)
{
    (void)state;
    assert_int_equal(run_printer(inspect_json, NULL), 0);
    json_t *root = parse();
    assert_string_equal(json_string_value(json_object_get(root, "architecture")), "llama");
    assert_string_equal(json_string_value(json_object_get(root, "name")),
                        "tiny \x1b[31m \"quoted\" \xef\xbf\xbd");
    assert_true(json_number_value(json_object_get(root, "heads")) == 8);
    assert_true(json_is_null(json_object_get(root, "experts")));
    const json_t *meta = json_object_get(root, "metadata");
    assert_int_equal(json_object_size(meta), 11);
    const json_t *tokens = json_object_get(json_object_get(meta, "tokenizer.ggml.tokens"), "value");
    assert_int_equal(json_array_size(tokens), 7);
    assert_string_equal(json_string_value(json_array_get(tokens, 1)), "b\n");
    assert_true(json_is_true(json_object_get(json_object_get(meta, "flag"), "value")));
    assert_true(json_number_value(json_object_get(json_object_get(meta, "small"), "value")) == -3);
    expect_part("\"big\":{\"type\":\"u64\",\"value\":18446744073709551615}");
    expect_part("\"tenth\":{\"type\":\"f32\",\"value\":0.1}");
    const json_t *tensors = json_object_get(root, "tensors");
    assert_int_equal(json_array_size(tensors), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(tensors, 1), "name")),
                        "blk.0.attn_q.weight");
    assert_true(json_number_value(json_object_get(json_array_get(tensors, 1), "bytes")) == 68);
    assert_int_equal(json_array_size(json_object_get(json_array_get(tensors, 0), "shape")), 2);
    json_decref(root);
}

static void verify_finds_nothing_in_a_sound_model(void **state)
{
    (void)state;
    gol_err err = {0};
    assert_int_equal(run_printer(verify_text, &err), 0);
    expect_part("structure  ok: GGUF v3, 1 file, ");
    expect_part("values     ok: 2 tensors scanned, 1 without floating-point values, 0 bad\n");
    assert_int_equal(run_printer(verify_json, &err), 0);
    json_t *root = parse();
    assert_true(json_is_true(json_object_get(root, "ok")));
    assert_int_equal(json_array_size(json_object_get(root, "types")), 3);
    json_decref(root);
}

static void verify_names_the_tensor_with_a_nan(void **state)
{
    (void)state;
    gol_err err = {0};
    assert_int_equal(run_printer(verify_text, &err), GOL_EMODEL);
    assert_int_equal(gol_error_exit_code(err.code), 65);
    assert_non_null(strstr(err.message, "tiny.gguf: 1 tensor holds NaN or infinity"));
    expect_part("values     BAD: 2 tensors scanned");
    expect_part("token_embd.weight (F32): 1 NaN, 0 infinite of 64, the first at element 40\n");
    assert_int_equal(run_printer(verify_json, &err), GOL_EMODEL);
    json_t *root = parse();
    assert_true(json_is_false(json_object_get(root, "ok")));
    const json_t *bad = json_array_get(json_object_get(root, "bad"), 0);
    assert_string_equal(json_string_value(json_object_get(bad, "name")), "token_embd.weight");
    json_decref(root);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    gol_err err = {0};
    assert_int_equal(gol_inspect_print_text(full, file, true, &err), GOL_EIO);
    assert_int_equal(gol_inspect_print_json(full, file, &err), GOL_EIO);
    assert_int_equal(verify(full, false, &err), GOL_EIO);
    assert_int_equal(verify(full, true, &err), GOL_EIO);
    assert_non_null(strstr(err.message, "stdout: No space left on device"));
    fclose(full);
}

static void sizes_and_counts_are_short(void **state)
{
    (void)state;
    char buf[32];
    assert_string_equal(gol_format_bytes(buf, 0), "0 B");
    assert_string_equal(gol_format_bytes(buf, 1023), "1023 B");
    assert_string_equal(gol_format_bytes(buf, 1536), "1.50 KiB");
    assert_string_equal(gol_format_bytes(buf, UINT64_MAX), "16.0 EiB");
    assert_string_equal(gol_format_count(buf, 999), "999");
    assert_string_equal(gol_format_count(buf, 7241732096), "7.24 B");
    assert_string_equal(gol_format_count(buf, 13000000000), "13.0 B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(inspect_shows_the_facts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inspect_lists_tensors_when_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_json_of_inspect_holds_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verify_finds_nothing_in_a_sound_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(verify_names_the_tensor_with_a_nan, set_up_with_nan,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, set_up, tear_down),
        cmocka_unit_test(sizes_and_counts_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
