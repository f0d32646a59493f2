/* Sampling defaults of a model's file: each key at its borders, beyond them, and of a wrong type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/gguf.h"
#include "lib/sampling_defaults.h"
#include "support/temp_dir.h"

static temp_dir dir;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_create();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_destroy(&dir);
    return 0;
}

static gol_gguf_writer *begin(void)
{
    gol_gguf_writer *w = NULL;
    gol_err err = {0};
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
    return w;
}

/* Ends the file and reads it: how many defaults were taken. */
static int read_back(gol_gguf_writer *w, gol_sampling_params *params)
{
    char path[256];
    gol_err err = {0};
    gol_model_file *file;
    temp_dir_file(&dir, "m.gguf", path);
    if (gol_gguf_writer_write(w, path, &err) != 0 || gol_model_file_open(&file, path, &err) != 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_destroy(&w);
    *params = GOL_SAMPLING_DEFAULT;
    const int n = gol_sampling_defaults_read(params, file);
    gol_model_file_close(&file);
    return n;
}

static void assert_default(const gol_sampling_params *p)
{
    const gol_sampling_params d = GOL_SAMPLING_DEFAULT;
    assert_memory_equal(p, &d, sizeof d);
}

static void a_file_that_says_nothing_changes_nothing(void **state)
{
    (void)state;
    gol_sampling_params p;
    assert_int_equal(read_back(begin(), &p), 0);
    assert_default(&p);
}

static void every_key_has_its_field(void **state)
{
    (void)state;
    gol_gguf_writer *w = begin();
    gol_gguf_writer_add_f32(w, "general.sampling.temp", 0.0f);
    gol_gguf_writer_add_i32(w, "general.sampling.top_k", 1 << 24);
    gol_gguf_writer_add_f32(w, "general.sampling.top_p", 1e-6f);
    gol_gguf_writer_add_f32(w, "general.sampling.min_p", 1.0f);
    gol_gguf_writer_add_f32(w, "general.sampling.penalty_repeat", 1.5f);
    gol_sampling_params p;
    assert_int_equal(read_back(w, &p), 5);
    assert_true(p.temperature == 0.0f && p.top_k == 1 << 24 && p.top_p == 1e-6f);
    assert_true(p.min_p == 1.0f && p.repetition_penalty == 1.5f);
}

static void what_no_request_could_ask_for_is_left_out(void **state)
{
    (void)state;
    gol_gguf_writer *w = begin();
    gol_gguf_writer_add_f32(w, "general.sampling.temp", -0.5f);
    gol_gguf_writer_add_i32(w, "general.sampling.top_k", -1);
    gol_gguf_writer_add_f32(w, "general.sampling.top_p", 0.0f);
    gol_gguf_writer_add_f32(w, "general.sampling.min_p", 1.01f);
    gol_gguf_writer_add_str(w, "general.sampling.penalty_repeat", GOL_STR("1"));
    gol_sampling_params p;
    assert_int_equal(read_back(w, &p), 0);
    assert_default(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_says_nothing_changes_nothing),
        cmocka_unit_test(every_key_has_its_field),
        cmocka_unit_test(what_no_request_could_ask_for_is_left_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
