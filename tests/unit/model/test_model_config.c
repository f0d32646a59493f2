/* Configuration: what is read, what is refused, and what the message says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config.h"
#include "support/test_dir.h"
#include "support/tiny_model.h"

/* Writes the model and reads its configuration. */
static int read_config(gol_config *c, const tiny_model *m, gol_err *err)
{
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    if (tiny_model_write(m, path, err) < 0)
        fail_msg("%s", err->message);
    gol_model_file *file = NULL;
    if (gol_model_file_open(&file, path, err) < 0)
        fail_msg("%s", err->message);
    const int rc = gol_config_read(c, file, err);
    gol_model_file_close(&file);
    return rc;
}

static void expect_refusal(const tiny_model *m, int code, const char *part_of_message)
{
    gol_config c;
    gol_err err = {0};
    const int rc = read_config(&c, m, &err);
    if (rc != code || !strstr(err.message, part_of_message))
        fail_msg("got %d '%s', want %d with '%s'", rc, err.message, code, part_of_message);
    assert_null(c.layers);
    if (code == GOL_EMODEL || code == GOL_EUNSUPPORTED)
        assert_non_null(strstr(err.message, "m.gguf")); /* which file */
}

static void a_llama_is_read(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama"}, &err), 0);
    assert_string_equal(c.arch, "llama");
    assert_int_equal(c.n_vocab, TINY_VOCAB);
    assert_int_equal(c.n_embd, TINY_EMBD);
    assert_int_equal(c.n_layers, TINY_LAYERS);
    assert_int_equal(c.n_ctx_train, TINY_CTX);
    assert_int_equal(c.head_dim_k, TINY_HEAD_DIM);
    assert_int_equal(c.head_dim_v, TINY_HEAD_DIM);
    assert_int_equal(c.n_positions, 0);
    assert_int_equal(c.norm_kind, GOL_NORM_RMS);
    assert_int_equal(c.act, GOL_ACT_SILU);
    assert_true(c.is_gated && !c.has_fused_qkv);
    assert_int_equal(c.rope.kind, GOL_ROPE_NORM);
    assert_int_equal(c.rope.scaling, GOL_ROPE_SCALING_NONE);
    assert_int_equal(c.rope.n_rot, TINY_HEAD_DIM);
    assert_true(c.rope.freq_base == 10000.0f && c.rope.factor == 1.0f &&
                c.rope.attn_factor == 1.0f);
    assert_true(fabsf(c.attn_scale - 1.0f / sqrtf(TINY_HEAD_DIM)) < 1e-7f);
    assert_int_equal(c.layers[1].n_heads, TINY_HEADS);
    assert_int_equal(c.layers[1].n_kv_heads, TINY_KV_HEADS);
    assert_int_equal(c.layers[1].n_ff, TINY_FF);
    gol_config_deinit(&c);
    assert_null(c.layers);
}

static void a_gpt2_has_a_position_for_each_token_of_its_context(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "gpt2"}, &err), 0);
    assert_int_equal(c.n_positions, TINY_CTX);
    assert_int_equal(c.norm_kind, GOL_NORM_LAYER);
    assert_int_equal(c.rope.kind, GOL_ROPE_NONE);
    assert_int_equal(c.rope.n_rot, 0);
    assert_true(c.has_fused_qkv && !c.is_gated);
    /* As many as heads when the key is absent. */
    assert_int_equal(c.layers[0].n_kv_heads, TINY_HEADS);
    gol_config_deinit(&c);
}

static void each_missing_key_is_named(void **state)
{
    (void)state;
    static const char *const required[] = {
        "block_count",         "embedding_length",     "context_length",
        "feed_forward_length", "attention.head_count", "attention.layer_norm_rms_epsilon"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        expect_refusal(&(tiny_model){.arch = "llama", .without_key = required[i]}, GOL_EMODEL,
                       required[i]);
}

static void an_unknown_architecture_is_refused_with_the_known_ones(void **state)
{
    (void)state;
    char known[512];
    char message[640];
    gol_arch_list(known, sizeof known);
    assert_non_null(strstr(known, ", gpt2, "));
    snprintf(message, sizeof message, "'mamba9' is not supported; known are %s", known);
    expect_refusal(&(tiny_model){.arch = "llama", .claimed_arch = "mamba9"}, GOL_EUNSUPPORTED,
                   message);
    expect_refusal(&(tiny_model){.arch = "llama", .claimed_arch = "ll\x01"}, GOL_EUNSUPPORTED,
                   "\\x01");
}

static void add_experts(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "gpt2.expert_count", 8);
}

static void add_no_experts(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.expert_count", 0);
}

static void experts_of_an_architecture_that_has_none_are_refused(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    expect_refusal(&(tiny_model){.arch = "gpt2", .add_keys = add_experts}, GOL_EUNSUPPORTED,
                   "expert_count is 8");
    assert_int_equal(
        read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_no_experts}, &err), 0);
    gol_config_deinit(&c);
}

/* Values for one key that replaces the writer's own: number, or array of numbers. */
static const char *changed_key;
static int64_t changed_values[4];
static size_t n_changed; /* 0: a scalar, changed_values[0] */

static void add_changed(gol_gguf_writer *w, const char *arch)
{
    static char key[128]; /* the writer keeps views */
    static int32_t values[4];
    snprintf(key, sizeof key, "%s.%s", arch, changed_key);
    if (n_changed == 0) {
        if (changed_values[0] < 0)
            gol_gguf_writer_add_i32(w, key, (int32_t)changed_values[0]);
        else
            gol_gguf_writer_add_u64(w, key, (uint64_t)changed_values[0]);
        return;
    }
    for (size_t i = 0; i < n_changed; i++)
        values[i] = (int32_t)changed_values[i];
    gol_gguf_writer_add_array(w, key, GOL_VALUE_I32, values, n_changed);
}

static tiny_model change(const char *arch, const char *key, size_t n, int64_t a, int64_t b)
{
    static char kept[64];
    snprintf(kept, sizeof kept, "%s", key);
    changed_key = kept;
    changed_values[0] = a;
    changed_values[1] = b;
    n_changed = n;
    return (tiny_model){.arch = arch, .without_key = kept, .add_keys = add_changed};
}

static void sizes_beyond_their_limits_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int64_t value;
    } wrong[] = {
        {"block_count", 0},
        {"block_count", GOL_LAYERS_MAX + 1},
        {"block_count", -1},
        {"embedding_length", 0},
        {"embedding_length", GOL_EMBD_MAX + 1},
        {"context_length", 0},
        {"context_length", (int64_t)GOL_CTX_MAX + 1},
        {"feed_forward_length", 0},
        {"feed_forward_length", GOL_FF_MAX + 1},
        {"feed_forward_length", INT64_MAX},
        {"attention.head_count", 0},
        {"attention.head_count", GOL_HEADS_MAX + 1},
        {"attention.head_count_kv", 0},
        {"attention.key_length", 0},
        {"attention.key_length", GOL_HEAD_DIM_MAX + 1},
        {"attention.value_length", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const tiny_model m = change("llama", wrong[i].key, 0, wrong[i].value, 0);
        expect_refusal(&m, GOL_EMODEL, wrong[i].key);
    }
    gol_config c;
    gol_err err = {0};
    tiny_model m = change("llama", "context_length", 0, GOL_CTX_MAX, 0);
    assert_int_equal(read_config(&c, &m, &err), 0);
    gol_config_deinit(&c);
    m = change("llama", "block_count", 0, GOL_LAYERS_MAX, 0);
    assert_int_equal(read_config(&c, &m, &err), 0); /* tensors are not this step's business */
    gol_config_deinit(&c);
}

static void sizes_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    tiny_model m = change("llama", "attention.head_count_kv", 0, 3, 0);
    expect_refusal(&m, GOL_EMODEL, "4 heads are no multiple of its 3");
    m = change("llama", "attention.head_count", 0, 5, 0);
    expect_refusal(&m, GOL_EMODEL, "no multiple of the 5 heads");
    m = change("llama", "rope.dimension_count", 0, 7, 0);
    expect_refusal(&m, GOL_EMODEL, "rope.dimension_count is 7");
    m = change("llama", "rope.dimension_count", 0, TINY_HEAD_DIM + 2, 0);
    expect_refusal(&m, GOL_EMODEL, "rope.dimension_count is 10");
    m = change("llama", "rope.dimension_count", 0, 0, 0);
    expect_refusal(&m, GOL_EMODEL, "rope.dimension_count is 0");
    m = (tiny_model){.arch = "llama", .n_tokens = TINY_VOCAB - 1};
    expect_refusal(&m, GOL_EMODEL,
                   "tokenizer.ggml.tokens has 39 elements, token_embd.weight 40 rows");
    m = (tiny_model){.arch = "llama", .without_tensor = "token_embd.weight"};
    expect_refusal(&m, GOL_EMODEL, "'token_embd.weight' is missing");
}

static void per_layer_arrays_make_layers_differ(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    tiny_model m = change("llama", "attention.head_count_kv", 2, 4, 1);
    assert_int_equal(read_config(&c, &m, &err), 0);
    assert_int_equal(c.layers[0].n_kv_heads, 4);
    assert_int_equal(c.layers[1].n_kv_heads, 1);
    gol_config_deinit(&c);
    m = change("llama", "feed_forward_length", 2, 16, 48);
    assert_int_equal(read_config(&c, &m, &err), 0);
    assert_int_equal(c.layers[0].n_ff, 16);
    assert_int_equal(c.layers[1].n_ff, 48);
    gol_config_deinit(&c);
    m = change("llama", "feed_forward_length", 1, 16, 0);
    expect_refusal(&m, GOL_EMODEL, "has 1 elements; one for each of the 2 layers");
    m = change("llama", "feed_forward_length", 3, 16, 16);
    expect_refusal(&m, GOL_EMODEL, "has 3 elements");
    m = change("llama", "attention.head_count_kv", 2, 2, -2);
    expect_refusal(&m, GOL_EMODEL, "element 1");
    m = change("llama", "attention.head_count_kv", 2, 2, 0); /* a llama's layers have attention */
    expect_refusal(&m, GOL_EMODEL, "layer 1: 4 heads and 0 key-value heads");
}

static void a_sliding_window_holds_for_all_layers(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    tiny_model m = change("llama", "attention.sliding_window", 0, 16, 0);
    assert_int_equal(read_config(&c, &m, &err), 0);
    assert_int_equal(c.layers[0].window, 16);
    assert_int_equal(c.layers[1].window, 16);
    gol_config_deinit(&c);
    m = change("llama", "attention.sliding_window", 0, -4, 0);
    expect_refusal(&m, GOL_EMODEL, "attention.sliding_window");
}

static void add_window_of_second(gol_gguf_writer *w, const char *arch)
{
    static char window_key[64], pattern_key[64]; /* the writer keeps views */
    static const int32_t has_window[TINY_LAYERS] = {0, 1};
    snprintf(window_key, sizeof window_key, "%s.attention.sliding_window", arch);
    snprintf(pattern_key, sizeof pattern_key, "%s.attention.sliding_window_pattern", arch);
    gol_gguf_writer_add_u32(w, window_key, 16);
    gol_gguf_writer_add_array(w, pattern_key, GOL_VALUE_I32, has_window, TINY_LAYERS);
}

/* Files of these name a window that is off; one that is on comes with the layers that have it. */
static void qwens_have_windows_only_where_they_are_written_down(void **state)
{
    (void)state;
    static const char *const archs[] = {"qwen2", "qwen3"};
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++) {
        gol_config c;
        gol_err err = {0};
        tiny_model m = change("llama", "attention.sliding_window", 0, 16, 0);
        m.arch = archs[i];
        assert_int_equal(read_config(&c, &m, &err), 0);
        assert_int_equal(c.layers[1].window, 0);
        gol_config_deinit(&c);
        m = (tiny_model){.arch = archs[i], .add_keys = add_window_of_second};
        assert_int_equal(read_config(&c, &m, &err), 0);
        assert_int_equal(c.layers[0].window, 0);
        assert_int_equal(c.layers[1].window, 16);
        gol_config_deinit(&c);
    }
}

static void cohere2_without_its_window_is_refused(void **state)
{
    (void)state;
    expect_refusal(&(tiny_model){.arch = "cohere2"}, GOL_EMODEL,
                   "cohere2.attention.sliding_window is missing");
}

static void add_yarn(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_str(w, "llama.rope.scaling.type", GOL_STR("yarn"));
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.factor", 4.0f);
    gol_gguf_writer_add_u32(w, "llama.rope.scaling.original_context_length", 64);
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.attn_factor", 1.5f);
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.yarn_beta_fast", 16.0f);
    gol_gguf_writer_add_f32(w, "llama.rope.freq_base", 5e5f);
}

static void add_old_linear(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_f32(w, "llama.rope.scale_linear", 8.0f);
}

static void add_longrope(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_str(w, "llama.rope.scaling.type", GOL_STR("longrope"));
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.attn_factor", 1.25f);
}

static void add_spiral(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_str(w, "llama.rope.scaling.type", GOL_STR("spiral"));
}

static void add_tiny_factor(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.factor", 1e-30f);
}

static void add_log_multiplier(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_f32(w, "llama.rope.scaling.yarn_log_multiplier", 0.1f);
}

static void rope_scaling_is_read_or_refused(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_yarn}, &err),
                     0);
    assert_int_equal(c.rope.scaling, GOL_ROPE_SCALING_YARN);
    assert_true(c.rope.factor == 4.0f && c.rope.n_ctx_orig == 64 && c.rope.attn_factor == 1.5f);
    assert_true(c.rope.yarn_ext_factor == 1.0f && c.rope.yarn_beta_fast == 16.0f &&
                c.rope.yarn_beta_slow == 1.0f);
    assert_true(c.rope.freq_base == 5e5f);
    gol_config_deinit(&c);
    assert_int_equal(
        read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_old_linear}, &err), 0);
    assert_int_equal(c.rope.scaling, GOL_ROPE_SCALING_LINEAR);
    assert_true(c.rope.factor == 8.0f);
    gol_config_deinit(&c);
    assert_int_equal(
        read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_longrope}, &err), 0);
    assert_int_equal(c.rope.scaling, GOL_ROPE_SCALING_NONE); /* the stretch lies in tensors */
    assert_true(c.rope.factor == 1.0f && c.rope.attn_factor == 1.25f);
    gol_config_deinit(&c);
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_spiral}, GOL_EUNSUPPORTED,
                   "'spiral'");
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_tiny_factor}, GOL_EMODEL,
                   "rope.scaling.factor");
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_log_multiplier}, GOL_EUNSUPPORTED,
                   "yarn_log_multiplier");
}

static const char *pattern_key = "llama.attention.sliding_window_pattern";

static void add_period(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.attention.sliding_window", 16);
    gol_gguf_writer_add_u32(w, pattern_key, 2);
}

static void add_pattern(gol_gguf_writer *w, const char *arch)
{
    static const uint8_t has_window[TINY_LAYERS] = {0, 1};
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.attention.sliding_window", 16);
    gol_gguf_writer_add_array(w, pattern_key, GOL_VALUE_BOOL, has_window, TINY_LAYERS);
}

static void add_wrong_pattern(gol_gguf_writer *w, const char *arch)
{
    static const int32_t has_window[TINY_LAYERS] = {0, 2};
    (void)arch;
    gol_gguf_writer_add_array(w, pattern_key, GOL_VALUE_I32, has_window, TINY_LAYERS);
}

static void add_short_pattern(gol_gguf_writer *w, const char *arch)
{
    static const int32_t has_window[1] = {1};
    (void)arch;
    gol_gguf_writer_add_array(w, pattern_key, GOL_VALUE_I32, has_window, 1);
}

static void a_pattern_says_which_layers_have_a_window(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_period}, &err),
                     0);
    assert_int_equal(c.layers[0].window, 16);
    assert_int_equal(c.layers[1].window, 0);
    gol_config_deinit(&c);
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_pattern}, &err),
                     0);
    assert_int_equal(c.layers[0].window, 0);
    assert_int_equal(c.layers[1].window, 16);
    gol_config_deinit(&c);
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_wrong_pattern}, GOL_EMODEL,
                   "element 1 is no truth value");
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_short_pattern}, GOL_EMODEL,
                   "has 1 elements; one for each of the 2 layers");
}

static void add_pooling(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.pooling_type", 3);
}

static void add_rank(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.pooling_type", 4);
}

static void add_wild_pooling(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_u32(w, "llama.pooling_type", 5);
}

static void add_not_causal(gol_gguf_writer *w, const char *arch)
{
    (void)arch;
    gol_gguf_writer_add_bool(w, "llama.attention.causal", false);
}

static void a_decoder_may_see_both_ways(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama"}, &err), 0);
    assert_true(c.is_causal);
    gol_config_deinit(&c);
    assert_int_equal(
        read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_not_causal}, &err), 0);
    assert_false(c.is_causal);
    gol_config_deinit(&c);
}

static void a_pooling_is_read_and_a_reranker_refused(void **state)
{
    (void)state;
    gol_config c;
    gol_err err = {0};
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama"}, &err), 0);
    assert_int_equal(c.pooling, GOL_POOLING_NONE);
    gol_config_deinit(&c);
    assert_int_equal(read_config(&c, &(tiny_model){.arch = "llama", .add_keys = add_pooling}, &err),
                     0);
    assert_int_equal(c.pooling, GOL_POOLING_LAST);
    gol_config_deinit(&c);
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_rank}, GOL_EUNSUPPORTED,
                   "a reranker");
    expect_refusal(&(tiny_model){.arch = "llama", .add_keys = add_wild_pooling}, GOL_EMODEL,
                   "pooling_type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_llama_is_read),
        cmocka_unit_test(a_gpt2_has_a_position_for_each_token_of_its_context),
        cmocka_unit_test(each_missing_key_is_named),
        cmocka_unit_test(an_unknown_architecture_is_refused_with_the_known_ones),
        cmocka_unit_test(experts_of_an_architecture_that_has_none_are_refused),
        cmocka_unit_test(sizes_beyond_their_limits_are_refused),
        cmocka_unit_test(sizes_that_contradict_each_other_are_refused),
        cmocka_unit_test(per_layer_arrays_make_layers_differ),
        cmocka_unit_test(a_sliding_window_holds_for_all_layers),
        cmocka_unit_test(qwens_have_windows_only_where_they_are_written_down),
        cmocka_unit_test(cohere2_without_its_window_is_refused),
        cmocka_unit_test(a_pattern_says_which_layers_have_a_window),
        cmocka_unit_test(a_pooling_is_read_and_a_reranker_refused),
        cmocka_unit_test(a_decoder_may_see_both_ways),
        cmocka_unit_test(rope_scaling_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
