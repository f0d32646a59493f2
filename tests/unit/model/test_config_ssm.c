/* Recurrent models: what is read of their keys, what is refused, which tensors must be there, and what their states take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "support/test_dir.h"
#include "support/tiny_model.h"

/* Loads the model, or says why not. */
static int load(gol_model **model, gol_model_file **file, gol_backend *be, const tiny_model *m,
                gol_err *err)
{
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    if (tiny_model_write(m, path, err) < 0 || gol_model_file_open(file, path, err) < 0)
        fail_msg("%s", err->message);
    return gol_model_load(model, *file, be, NULL, err);
}

static gol_backend *make_backend(void)
{
    gol_backend *be;
    gol_err err = {0};
    assert_int_equal(gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 1}, &err), 0);
    return be;
}

static void expect_refusal(const tiny_model *m, const char *part_of_message)
{
    gol_backend *be = make_backend();
    gol_model *model;
    gol_model_file *file;
    gol_err err = {0};
    const int rc = load(&model, &file, be, m, &err);
    if (rc != GOL_EMODEL || !strstr(err.message, part_of_message))
        fail_msg("got %d '%s', want '%s'", rc, err.message, part_of_message);
    assert_null(model);
    gol_model_file_close(&file);
    gol_backend_destroy(&be);
}

static void a_hybrid_has_both_kinds_of_layers(void **state)
{
    (void)state;
    gol_backend *be = make_backend();
    gol_model *model;
    gol_model_file *file;
    gol_err err = {0};
    if (load(&model, &file, be, &(tiny_model){.arch = "granitehybrid"}, &err) != 0)
        fail_msg("%s", err.message);
    const gol_config *c = gol_model_config(model);
    assert_int_equal(c->layers[0].kind, GOL_LAYER_MAMBA2);
    assert_int_equal(c->layers[0].n_heads, 0);
    assert_int_equal(c->layers[0].n_kv_heads, 0);
    assert_int_equal(c->layers[1].kind, GOL_LAYER_ATTENTION);
    assert_int_equal(c->layers[1].n_kv_heads, TINY_KV_HEADS);
    assert_int_equal(c->ssm.d_conv, TINY_SSM_CONV);
    assert_int_equal(c->ssm.n_groups, TINY_SSM_GROUPS);
    assert_int_equal(gol_config_ssm_channels(c), TINY_SSM_CHANNELS);
    assert_true(gol_config_has_state(c));
    gol_kv_layer_shape layers[TINY_LAYERS];
    gol_model_kv_layers(model, layers);
    assert_int_equal(layers[0].n_kv_heads, 0);
    gol_model_destroy(&model);
    gol_model_file_close(&file);
    gol_backend_destroy(&be);
}

static void states_take_what_was_planned(void **state)
{
    (void)state;
    const char *const archs[] = {"granitehybrid", "mamba2", "llama"};
    enum { N_SLOTS = 3 };
    /* floats of a layer's state; both parts are whole cache lines here */
    const uint64_t layer = (TINY_SSM_CONV - 1) * TINY_SSM_CHANNELS +
                           TINY_SSM_INNER * TINY_SSM_STATE;
    for (uint64_t i = 0; i < 3; i++) {
        gol_backend *be = make_backend();
        gol_model *model;
        gol_model_file *file;
        gol_state *slots;
        gol_err err = {0};
        assert_int_equal(load(&model, &file, be, &(tiny_model){.arch = archs[i]}, &err), 0);
        const uint64_t n_recurrent = i == 2 ? 0 : i + 1;
        assert_int_equal(gol_config_state_bytes(gol_model_config(model), be, N_SLOTS),
                         N_SLOTS * n_recurrent * layer * sizeof(float));
        assert_int_equal(gol_model_state_create(&slots, model, N_SLOTS, &err), 0);
        assert_true((slots != NULL) == (n_recurrent > 0));
        be->ops->state_destroy(be, &slots);
        gol_model_destroy(&model);
        gol_model_file_close(&file);
        gol_backend_destroy(&be);
    }
}

static void a_missing_key_is_named(void **state)
{
    (void)state;
    static const char *const keys[] = {"ssm.inner_size", "ssm.state_size", "ssm.time_step_rank",
                                       "ssm.group_count", "attention.layer_norm_rms_epsilon"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_refusal(&(tiny_model){.arch = "mamba2", .without_key = keys[i]}, keys[i]);
    expect_refusal(&(tiny_model){.arch = "granitehybrid", .without_key = "ssm.conv_kernel"},
                   "ssm.conv_kernel is missing");
}

static void add_odd_heads(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "mamba2.ssm.time_step_rank", 6);
}

static void add_odd_groups(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "mamba2.ssm.group_count", 3);
}

static void add_one_tap(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "mamba2.ssm.conv_kernel", 1);
}

static void add_many_taps(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "mamba2.ssm.conv_kernel", GOL_SSM_CONV_MAX + 1);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    expect_refusal(&(tiny_model){.arch = "mamba2",
                                 .without_key = "ssm.time_step_rank",
                                 .add_keys = add_odd_heads},
                   "heads) 6");
    expect_refusal(&(tiny_model){.arch = "mamba2",
                                 .without_key = "ssm.group_count",
                                 .add_keys = add_odd_groups},
                   "group_count 3");
    expect_refusal(
        &(tiny_model){.arch = "mamba2", .without_key = "ssm.conv_kernel", .add_keys = add_one_tap},
        "ssm.conv_kernel");
    expect_refusal(&(tiny_model){.arch = "mamba2",
                                 .without_key = "ssm.conv_kernel",
                                 .add_keys = add_many_taps},
                   "ssm.conv_kernel");
}

static void tensors_are_named_that_are_missing_or_misshaped(void **state)
{
    (void)state;
    static const char *const names[] = {"blk.1.ssm_in.weight",   "blk.0.ssm_conv1d.weight",
                                        "blk.0.ssm_conv1d.bias", "blk.0.ssm_dt.bias",
                                        "blk.1.ssm_a",           "blk.0.ssm_d",
                                        "blk.0.ssm_out.weight"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_refusal(&(tiny_model){.arch = "mamba2", .without_tensor = names[i]}, names[i]);
        expect_refusal(&(tiny_model){.arch = "mamba2", .misshaped = names[i]}, names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hybrid_has_both_kinds_of_layers),
        cmocka_unit_test(states_take_what_was_planned),
        cmocka_unit_test(a_missing_key_is_named),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(tensors_are_named_that_are_missing_or_misshaped),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
