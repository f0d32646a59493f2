/* Binding tensors: what must be there, with which shape, and what must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/model.h"
#include "model/model_impl.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

static temp_dir dir;
static gol_backend *be;

static gol_model_file *open_file(const tiny_model *m)
{
    gol_err err = {0};
    gol_model_file *file = NULL;
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    if (tiny_model_write(m, path, &err) < 0 || gol_model_file_open(&file, path, &err) < 0)
        fail_msg("%s", err.message);
    return file;
}

static void expect_refusal(const tiny_model *m, int code, const char *part_of_message)
{
    gol_err err = {0};
    gol_model *model;
    gol_model_file *file = open_file(m);
    const int rc = gol_model_load(&model, file, be, NULL, &err);
    if (rc != code || !strstr(err.message, part_of_message))
        fail_msg("got %d '%s', want %d with '%s'", rc, err.message, code, part_of_message);
    assert_non_null(strstr(err.message, "m.gguf"));
    assert_null(model);
    gol_model_file_close(&file);
}

static void each_missing_tensor_is_named(void **state)
{
    (void)state;
    static const char *const llama[] = {
        "output_norm.weight",    "blk.0.attn_norm.weight", "blk.1.attn_q.weight",
        "blk.0.attn_k.weight",   "blk.0.attn_v.weight",    "blk.1.attn_output.weight",
        "blk.0.ffn_norm.weight", "blk.0.ffn_gate.weight",  "blk.1.ffn_up.weight",
        "blk.0.ffn_down.weight",
    };
    static const char *const gpt2[] = {"position_embd.weight", "blk.1.attn_qkv.weight"};
    for (size_t i = 0; i < sizeof llama / sizeof llama[0]; i++)
        expect_refusal(&(tiny_model){.arch = "llama", .without_tensor = llama[i]}, GOL_EMODEL,
                       llama[i]);
    for (size_t i = 0; i < sizeof gpt2 / sizeof gpt2[0]; i++)
        expect_refusal(&(tiny_model){.arch = "gpt2", .without_tensor = gpt2[i]}, GOL_EMODEL,
                       gpt2[i]);
}

static void each_wrong_shape_is_named_with_the_right_one(void **state)
{
    (void)state;
    static const struct {
        const char *name, *want;
    } llama[] = {
        {"output.weight", "[32, 40]"},
        {"output_norm.weight", "[32]"},
        {"rope_freqs.weight", "[4]"},
        {"blk.0.attn_norm.weight", "[32]"},
        {"blk.0.attn_q.weight", "[32, 32]"},
        {"blk.0.attn_k.weight", "[32, 16]"},
        {"blk.0.attn_v.weight", "[32, 16]"},
        {"blk.0.attn_k.bias", "[16]"},
        {"blk.1.attn_output.weight", "[32, 32]"},
        {"blk.1.ffn_norm.weight", "[32]"},
        {"blk.0.ffn_gate.weight", "[32, 64]"},
        {"blk.0.ffn_up.weight", "[32, 64]"},
        {"blk.1.ffn_down.weight", "[64, 32]"},
    };
    static const struct {
        const char *name, *want;
    } gpt2[] = {
        {"position_embd.weight", "[32, 128]"},
        {"blk.0.attn_qkv.weight", "[32, 96]"},
        {"blk.0.attn_qkv.bias", "[96]"},
        {"blk.0.ffn_norm.bias", "[32]"},
    };
    for (size_t i = 0; i < sizeof llama / sizeof llama[0]; i++) {
        const tiny_model m = {.arch = "llama",
                              .misshaped = llama[i].name,
                              .has_qkv_bias = true,
                              .has_rope_freqs = true};
        expect_refusal(&m, GOL_EMODEL, llama[i].name);
        expect_refusal(&m, GOL_EMODEL, llama[i].want);
    }
    for (size_t i = 0; i < sizeof gpt2 / sizeof gpt2[0]; i++) {
        const tiny_model m = {.arch = "gpt2", .misshaped = gpt2[i].name};
        expect_refusal(&m, GOL_EMODEL, gpt2[i].name);
        expect_refusal(&m, GOL_EMODEL, gpt2[i].want);
    }
}

static void experts_that_are_missing_or_misshaped_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *want;
    } tensors[] = {
        {"blk.0.ffn_gate_inp.weight", "[32, 6]"},
        {"blk.1.ffn_gate_exps.weight", "[32, 64, 6]"},
        {"blk.0.ffn_up_exps.weight", "[32, 64, 6]"},
        {"blk.1.ffn_down_exps.weight", "[64, 32, 6]"},
    };
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        const char *name = tensors[i].name;
        expect_refusal(&(tiny_model){.arch = "llama", .n_experts = 6, .without_tensor = name},
                       GOL_EMODEL, name);
        const tiny_model m = {.arch = "llama", .n_experts = 6, .misshaped = name};
        expect_refusal(&m, GOL_EMODEL, name);
        expect_refusal(&m, GOL_EMODEL, tensors[i].want);
    }
    /* a dense layer's tensor has no place beside them */
    expect_refusal(
        &(tiny_model){.arch = "llama", .n_experts = 6, .extra_tensor = "blk.0.ffn_up.weight"},
        GOL_EUNSUPPORTED, "blk.0.ffn_up.weight");
}

static void a_tensor_without_a_place_is_refused(void **state)
{
    (void)state;
    static const char *const extra[] = {
        "blk.0.attn_q_norm.weight", /* another architecture's */
        "blk.2.attn_norm.weight",   /* a layer too many */
        "blk.00.attn_norm.weight",  /* not how numbers are written */
        "blk.0.attn_norm.bias",     /* RMS norms have none */
        "position_embd.weight",     "something",
    };
    for (size_t i = 0; i < sizeof extra / sizeof extra[0]; i++)
        expect_refusal(&(tiny_model){.arch = "llama", .extra_tensor = extra[i]}, GOL_EUNSUPPORTED,
                       extra[i]);
}

typedef struct progress {
    uint64_t n_done, n_total;
    int n_calls;
} progress;

static void note_progress(void *user, uint64_t n_done, uint64_t n_total)
{
    progress *p = user;
    assert_true(n_done >= p->n_done && n_done <= n_total);
    *p = (progress){n_done, n_total, p->n_calls + 1};
}

static void a_load_reports_its_progress_and_sizes(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_model *model;
    progress p = {0};
    gol_model_file *file = open_file(&(tiny_model){.arch = "gpt2"});
    const gol_load_opts opts = {note_progress, &p, 0};
    assert_int_equal(gol_model_load(&model, file, be, &opts, &err), 0);
    uint64_t n_params = 0;
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        n_params += gol_model_file_get_tensor(file, i)->n_elements;
        n_bytes += gol_model_file_get_tensor(file, i)->n_bytes;
    }
    assert_int_equal(p.n_calls, gol_model_file_n_tensors(file)); /* fused ones count once */
    assert_true(p.n_done == n_bytes && p.n_total == n_bytes);
    assert_true(gol_model_n_params(model) == n_params);
    assert_true(gol_model_n_bytes(model) >=
                n_bytes); /* all F32 here; tiny matrices are filled up to whole panels */
    assert_ptr_equal(gol_model_backend(model), be);
    gol_kv_layer_shape shapes[TINY_LAYERS];
    gol_model_kv_layers(model, shapes);
    assert_int_equal(shapes[1].n_kv_heads, TINY_HEADS);
    assert_int_equal(shapes[1].head_dim_k, TINY_HEAD_DIM);
    gol_model_destroy(&model);
    gol_model_destroy(&model); /* NULL is fine */
    gol_model_file_close(&file);
}

static void tied_weights_are_held_once(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_model *model;
    gol_model_file *file = open_file(&(tiny_model){.arch = "llama", .is_tied = true});
    assert_int_equal(gol_model_load(&model, file, be, NULL, &err), 0);
    assert_ptr_equal(model->weights.logits, &model->weights.token_embd);
    assert_int_equal(model->weights.output.n_out, 0);
    gol_model_destroy(&model);
    gol_model_file_close(&file);
}

static void loading_survives_every_failing_allocation(void **state)
{
    (void)state;
    static const tiny_model kinds[] = {{.arch = "llama", .has_rope_freqs = true},
                                       {.arch = "gpt2"},
                                       {.arch = "llama", .n_experts = 4}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        gol_model_file *file = open_file(&kinds[i]);
        uint64_t n = 1;
        for (;; n++) {
            gol_err err = {0};
            gol_model *model;
            gol_mem_fail_nth(n, false);
            const int rc = gol_model_load(&model, file, be, NULL, &err);
            const bool has_failed = gol_mem_n_failed() > 0;
            gol_mem_fail_nth(0, false);
            assert_int_equal(rc, has_failed ? GOL_ENOMEM : 0);
            assert_int_equal(model != NULL, rc == 0);
            gol_model_destroy(&model);
            if (!has_failed)
                break;
        }
        assert_true(n > 10);
        gol_model_file_close(&file);
    }
}

static int set_up(void **state)
{
    (void)state;
    gol_err err = {0};
    dir = temp_dir_create();
    return gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 1}, &err);
}

static int tear_down(void **state)
{
    (void)state;
    gol_backend_destroy(&be);
    temp_dir_destroy(&dir);
    return 0;
}

static void weights_that_cannot_fit_are_refused_before_they_are_loaded(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_model *model;
    progress p = {0};
    gol_model_file *file = open_file(&(tiny_model){.arch = "llama"});
    gol_load_opts opts = {note_progress, &p, 1000};
    assert_int_equal(gol_model_load(&model, file, be, &opts, &err), GOL_ENOMEM);
    assert_non_null(strstr(err.message, "GiB are available"));
    assert_int_equal(p.n_calls, 0);
    opts.mem_available = 64u << 20;
    assert_int_equal(gol_model_load(&model, file, be, &opts, &err), 0);
    assert_true(gol_model_n_bytes(model) < opts.mem_available);
    gol_model_destroy(&model);
    gol_model_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_missing_tensor_is_named),
        cmocka_unit_test(each_wrong_shape_is_named_with_the_right_one),
        cmocka_unit_test(experts_that_are_missing_or_misshaped_are_named),
        cmocka_unit_test(a_tensor_without_a_place_is_refused),
        cmocka_unit_test(a_load_reports_its_progress_and_sizes),
        cmocka_unit_test(weights_that_cannot_fit_are_refused_before_they_are_loaded),
        cmocka_unit_test(tied_weights_are_held_once),
        cmocka_unit_test(loading_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
