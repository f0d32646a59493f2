/*
 * Planning and writing a quantized model, from a small F16 file of tools/make_model's kind made by hand: sizes that hold,
 * errors that are those of the file, stopping, and running out of memory at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cli/quantize_plan.h"
#include "formats/gguf.h"
#include "support/temp_dir.h"

enum { N_ROW = 512, N_ROWS = 300 }; /* more than two chunks of 65536, the last one cut */

typedef struct bed {
    temp_dir dir;
    char in[256];
    char out[256];
    gol_model_file *file;
    gol_worker_pool *pool;
} bed;

static float weights[N_ROW * N_ROWS];

static void write_source(const char *path, float last)
{
    gol_rng rng = {.key = 3};
    for (int i = 0; i < N_ROW * N_ROWS; i++)
        weights[i] = (float)(gol_rng_next_normal(&rng) * 0.02);
    weights[N_ROW * N_ROWS - 3] = last;
    gol_err err = {0};
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("none"));
    gol_gguf_writer_add_u32(w, "general.alignment", 64);
    gol_gguf_writer_add_u32(w, "general.file_type", 0);
    gol_gguf_writer_add_u32(w, "split.count", 0);
    static const float ones[N_ROW] = {1};
    const gol_tensor tensors[] = {
        {.name = GOL_STR("blk.0.attn_norm.weight"),
         .type = GOL_TYPE_F32,
         .n_dims = 1,
         .shape = {N_ROW},
         .data = (const uint8_t *)ones},
        {.name = GOL_STR("blk.0.attn_q.weight"),
         .type = GOL_TYPE_F32,
         .n_dims = 2,
         .shape = {N_ROW, N_ROWS},
         .data = (const uint8_t *)weights},
    };
    gol_gguf_writer_add_tensor(w, &tensors[0]);
    gol_gguf_writer_add_tensor(w, &tensors[1]);
    assert_int_equal(gol_gguf_writer_write(w, path, &err), 0);
    gol_gguf_writer_destroy(&w);
}

static void set_up(bed *b, float last)
{
    gol_err err = {0};
    *b = (bed){.dir = temp_dir_create()};
    temp_dir_file(&b->dir, "in.gguf", b->in);
    temp_dir_file(&b->dir, "out.gguf", b->out);
    write_source(b->in, last);
    assert_int_equal(gol_model_file_open(&b->file, b->in, &err), 0);
    assert_int_equal(gol_worker_pool_create(&b->pool, 2, &err), 0);
}

static void tear_down(bed *b)
{
    gol_worker_pool_destroy(&b->pool);
    gol_model_file_close(&b->file);
    temp_dir_destroy(&b->dir);
}

static const gol_mix *mix(const char *name)
{
    return gol_mix_find(gol_str_from(name));
}

static void what_is_written_is_what_was_planned(void **state)
{
    (void)state;
    bed b;
    gol_err err = {0};
    gol_quantize_plan plan;
    set_up(&b, 0.25f);
    assert_int_equal(gol_quantize_plan_init(&plan, b.file, mix("Q4_K_S"), &err), 0);
    assert_null(gol_quantize_find_requantized(&plan));
    const gol_quantize_opts opts = {.pool = b.pool, .wants_errors = true};
    assert_int_equal(gol_quantize_write(&plan, b.out, &opts, &err), 0);
    gol_model_file *out;
    assert_int_equal(gol_model_file_open(&out, b.out, &err), 0);
    const gol_tensor *norm = gol_model_file_get_tensor(out, 0);
    const gol_tensor *q = gol_model_file_get_tensor(out, 1);
    assert_int_equal(q->type, GOL_TYPE_Q4_K);
    assert_int_equal(q->n_bytes + norm->n_bytes, plan.n_bytes_to);
    assert_int_equal(q->file_offset % 64, 0);
    assert_memory_equal(norm->data, gol_model_file_get_tensor(b.file, 0)->data, norm->n_bytes);
    static float back[N_ROW * N_ROWS];
    gol_type_get(q->type)->dequant(back, q->data, N_ROW * N_ROWS);
    double sum_squares = 0;
    float error_max = 0;
    for (int i = 0; i < N_ROW * N_ROWS; i++) {
        const float off = fabsf(back[i] - weights[i]);
        sum_squares += (double)off * (double)off;
        error_max = fmaxf(error_max, off);
    }
    assert_true(fabs(plan.tensors[1].sum_squares / sum_squares - 1) < 1e-9);
    assert_true(plan.tensors[1].error_max == error_max);
    assert_true(plan.tensors[0].sum_squares == 0 && plan.tensors[0].error_max == 0);
    uint32_t value = 0;
    assert_int_equal(gol_meta_u32(out, "general.file_type", 0, 99, &value, &err), 1);
    assert_int_equal(value, 14);
    assert_int_equal(gol_meta_u32(out, "general.quantization_version", 0, 99, &value, &err), 1);
    assert_null(gol_model_file_find_meta(out, "split.count"));
    /* The result would be quantized again. */
    gol_quantize_plan again;
    assert_int_equal(gol_quantize_plan_init(&again, out, mix("Q8_0"), &err), 0);
    assert_ptr_equal(gol_quantize_find_requantized(&again)->source, q);
    gol_quantize_plan_deinit(&again);
    gol_model_file_close(&out);
    gol_quantize_plan_deinit(&plan);
    tear_down(&b);
}

static void what_cannot_be_written_is_named_with_its_place_in_the_source(void **state)
{
    (void)state;
    static const struct {
        const char *mix;
        float value;
        const char *said;
    } cases[] = {
        {"Q8_0", INFINITY, "is inf"}, {"F16", 1e6f, "65504"}, {"F32", NAN, "not a number"}};
    for (size_t k = 0; k < 3; k++) {
        bed b;
        gol_err err = {0};
        gol_quantize_plan plan;
        set_up(&b, cases[k].value);
        assert_int_equal(gol_quantize_plan_init(&plan, b.file, mix(cases[k].mix), &err), 0);
        const gol_quantize_opts opts = {.pool = b.pool};
        assert_int_equal(gol_quantize_write(&plan, b.out, &opts, &err), GOL_EMODEL);
        assert_ptr_equal(strstr(err.message, b.in), err.message);
        assert_non_null(strstr(err.message, "blk.0.attn_q.weight"));
        assert_non_null(strstr(err.message, "element 153597"));
        assert_non_null(strstr(err.message, cases[k].said));
        assert_int_equal(temp_dir_n_files(&b.dir), 1);
        gol_quantize_plan_deinit(&plan);
        tear_down(&b);
    }
}

static bool stop_at_half(void *user, const gol_tensor *tensor, uint64_t n_done, uint64_t n_total)
{
    (void)tensor;
    int *n_calls = user;
    ++*n_calls;
    assert_true(n_done <= n_total);
    return n_done * 2 < n_total;
}

static void progress_can_stop_it(void **state)
{
    (void)state;
    bed b;
    gol_err err = {0};
    gol_quantize_plan plan;
    int n_calls = 0;
    set_up(&b, 0);
    assert_int_equal(gol_quantize_plan_init(&plan, b.file, mix("Q5_0"), &err), 0);
    const gol_quantize_opts opts = {.pool = b.pool, .progress = stop_at_half, .user = &n_calls};
    assert_int_equal(gol_quantize_write(&plan, b.out, &opts, &err), GOL_EABORTED);
    assert_true(n_calls >= 2);
    assert_int_equal(temp_dir_n_files(&b.dir), 1);
    gol_quantize_plan_deinit(&plan);
    tear_down(&b);
}

static void a_failed_allocation_ends_in_an_error_and_no_file_or_does_not_matter(void **state)
{
    (void)state;
    bed b;
    set_up(&b, 0);
    bool has_failed = true;
    int n_errors = 0;
    for (uint64_t n = 1; has_failed; n++) {
        gol_err err = {0};
        gol_quantize_plan plan;
        gol_mem_fail_nth(n, false);
        int rc = gol_quantize_plan_init(&plan, b.file, mix("Q8_0"), &err);
        if (rc == 0) {
            const gol_quantize_opts opts = {.pool = b.pool};
            rc = gol_quantize_write(&plan, b.out, &opts, &err);
            gol_quantize_plan_deinit(&plan);
        }
        has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || (has_failed && rc == GOL_ENOMEM));
        assert_int_equal(temp_dir_n_files(&b.dir), rc == 0 ? 2 : 1);
        n_errors += rc != 0;
        if (rc == 0)
            assert_int_equal(unlink(b.out), 0);
    }
    assert_true(n_errors > 4);
    tear_down(&b);
}

static void tables_have_a_row_for_each_tensor(void **state)
{
    (void)state;
    bed b;
    gol_err err = {0};
    gol_quantize_plan plan;
    set_up(&b, 0);
    assert_int_equal(gol_quantize_plan_init(&plan, b.file, mix("Q8_0"), &err), 0);
    char text[2048] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    gol_quantize_print_plan(out, &plan);
    gol_quantize_print_errors(out, &plan);
    fclose(out);
    assert_non_null(
        strstr(text, "blk.0.attn_q.weight     512 x 300         F32      Q8_0           163200"));
    assert_non_null(strstr(text, "602.0 KiB of tensors become 161.4 KiB (Q8_0), 8.58 bits"));
    assert_non_null(strstr(text, "over 153600 converted weights"));
    gol_quantize_plan_deinit(&plan);
    tear_down(&b);
}

/* gollum convert: what is opened and what was written of it are the same model. */
static void a_folder_written_as_stored_is_the_same_model(void **state)
{
    (void)state;
    static const char *const folders[] = {"llama", "llama_shards", "gpt2"};
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
        bed b;
        gol_err err = {0};
        gol_quantize_plan plan;
        gol_model_file *folder;
        gol_model_file *out;
        char path[512];
        set_up(&b, 0.25f);
        snprintf(path, sizeof path, "%s/hf/%s", TEST_DATA_DIR, folders[f]);
        assert_int_equal(gol_model_file_open(&folder, path, &err), 0);
        assert_int_equal(gol_quantize_plan_init(&plan, folder, NULL, &err), 0);
        const gol_quantize_opts opts = {.pool = b.pool};
        assert_int_equal(gol_quantize_write(&plan, b.out, &opts, &err), 0);
        assert_int_equal(gol_model_file_open(&out, b.out, &err), 0);
        assert_int_equal(gol_model_file_n_tensors(out), gol_model_file_n_tensors(folder));
        for (size_t i = 0; i < plan.n; i++) {
            const gol_tensor *t = gol_model_file_get_tensor(folder, i);
            const gol_tensor *copy = gol_model_file_find_tensor(out, t->name);
            gol_tensor_bytes bytes;
            assert_non_null(copy);
            assert_int_equal(copy->type, t->type);
            assert_memory_equal(copy->shape, t->shape, sizeof t->shape);
            assert_int_equal(gol_model_file_fetch(folder, t, &bytes, &err), 0);
            assert_memory_equal(copy->data, bytes.data, t->n_bytes);
            gol_tensor_bytes_deinit(&bytes);
        }
        for (size_t i = 0; i < gol_model_file_n_meta(folder); i++) {
            const gol_meta *meta = gol_model_file_get_meta(folder, i);
            char key[128];
            snprintf(key, sizeof key, "%.*s", GOL_STR_ARG(meta->key));
            const gol_value *value = gol_model_file_find_meta(out, key);
            assert_true(value && gol_value_eq(value, &meta->value));
        }
        uint32_t type = 99;
        assert_int_equal(gol_meta_u32(out, "general.file_type", 0, 99, &type, &err), 1);
        assert_int_equal(type, 0);
        gol_model_file_close(&out);
        gol_quantize_plan_deinit(&plan);
        gol_model_file_close(&folder);
        tear_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_what_was_planned),
        cmocka_unit_test(what_cannot_be_written_is_named_with_its_place_in_the_source),
        cmocka_unit_test(progress_can_stop_it),
        cmocka_unit_test(a_failed_allocation_ends_in_an_error_and_no_file_or_does_not_matter),
        cmocka_unit_test(tables_have_a_row_for_each_tensor),
        cmocka_unit_test(a_folder_written_as_stored_is_the_same_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
