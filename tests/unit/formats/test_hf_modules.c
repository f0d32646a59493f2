/* What sentence-transformers put beside a model: a pooling, linear layers in folders of their own, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/hf_folder.h"

#define TYPE(name) "\"type\":\"sentence_transformers.models." name "\""

static const float dense_2[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
static const float dense_3[4][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};

static void write_encoder(const char *class_name)
{
    weights w = {0};
    add_embeddings(&w);
    write_weights(&w, "model.safetensors");
    write_config_of(
        class_name,
        ",\"use_bidirectional_attention\":true,\"head_dim\":4,\"num_key_value_heads\":1,"
        "\"query_pre_attn_scalar\":4");
}

static void write_dense(const char *name, const char *shape, const void *matrix,
                        const char *activation)
{
    char path[64];
    char text[256];
    weights w = {0};
    make_folder(name);
    add(&w, "linear.weight", "F32", shape, 32, matrix);
    snprintf(path, sizeof path, "%s/model.safetensors", name);
    write_weights(&w, path);
    snprintf(path, sizeof path, "%s/config.json", name);
    snprintf(text, sizeof text, "{\"bias\":false,\"activation_function\":\"%s\"}", activation);
    write_text(path, text);
}

static void write_two_dense(void)
{
    write_dense("2_Dense", "[2,4]", dense_2, "torch.nn.modules.linear.Identity");
    write_dense("3_Dense", "[4,2]", dense_3, "torch.nn.modules.linear.Identity");
    write_text(
        "modules.json",
        "[{\"idx\":0,\"path\":\"\"," TYPE(
            "Transformer") "},"
                           "{\"idx\":1,\"path\":\"1_Pooling\"," TYPE(
                               "Pooling") "},"
                                          "{\"idx\":2,\"path\":\"2_Dense\"," TYPE(
                                              "Dense") "},"
                                                       "{\"idx\":3,\"path\":\"3_Dense\"," TYPE(
                                                           "Dense") "},"
                                                                    "{\"idx\":4,\"path\":\"4_"
                                                                    "Normalize\"," TYPE(
                                                                        "Normalize") "}]");
}

static void linear_layers_become_tensors(void **state)
{
    (void)state;
    write_encoder("Gemma3TextModel");
    write_two_dense();
    gol_model_file *file = open_folder();
    expect_bytes(file, "dense_2.weight", GOL_TYPE_F32, dense_2, sizeof dense_2);
    expect_bytes(file, "dense_3.weight", GOL_TYPE_F32, dense_3, sizeof dense_3);
    expect_u32(file, "gemma-embedding.dense_2_feat_in", 4);
    expect_u32(file, "gemma-embedding.dense_2_feat_out", 2);
    expect_u32(file, "gemma-embedding.dense_3_feat_in", 2);
    expect_u32(file, "gemma-embedding.dense_3_feat_out", 4);
    gol_model_file_close(&file);
}

static void models_that_have_no_place_for_them_are_refused(void **state)
{
    (void)state;
    write_encoder("LlamaForCausalLM");
    write_two_dense();
    expect_refusal(GOL_EUNSUPPORTED, "'2_Dense/linear.weight' has no place in a LlamaForCausalLM");
}

static void what_changes_vectors_in_another_way_is_refused(void **state)
{
    (void)state;
    write_encoder("Gemma3TextModel");
    write_dense("2_Dense", "[2,4]", dense_2, "torch.nn.modules.activation.Tanh");
    write_text("modules.json", "[{\"path\":\"2_Dense\"," TYPE("Dense") "}]");
    expect_refusal(GOL_EUNSUPPORTED, "'torch.nn.modules.activation.Tanh' is no activation");
    write_text("modules.json", "[{\"path\":\"2_LSTM\"," TYPE("LSTM") "}]");
    expect_refusal(GOL_EUNSUPPORTED, "models.LSTM' is no module that is supported");
    write_text("modules.json", "[7]");
    expect_refusal(GOL_EUNSUPPORTED, "is no module that is supported");
    write_text("modules.json", "{\"a\":1}");
    expect_refusal(GOL_EUNSUPPORTED, "modules.json: 'an object' stands where a list");
    write_text("modules.json", "3");
    expect_refusal(GOL_EUNSUPPORTED, "modules.json");
    write_text("modules.json", "{\"a\":");
    expect_refusal(GOL_EMODEL, "modules.json");
    static const char *const paths[] = {"../2_Dense", "/tmp", "2_Dense/..", "", "a\\u0000b"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[256];
        snprintf(text, sizeof text, "[{\"path\":\"%s\"," TYPE("Dense") "}]", paths[i]);
        write_text("modules.json", text);
        expect_refusal(GOL_EUNSUPPORTED, "modules.json");
    }
    write_text("modules.json",
               "[{\"path\":\"2_Dense\"," TYPE("Dense") "},{\"path\":\"3_Dense\"," TYPE(
                   "Dense") "},{\"path\":\"4_Dense\"," TYPE("Dense") "}]");
    write_dense("3_Dense", "[4,2]", dense_3, "torch.nn.modules.linear.Identity");
    write_text("2_Dense/config.json", "{}");
    expect_refusal(GOL_EUNSUPPORTED, "'4_Dense' is one linear layer too many");
}

static void a_pooling_is_read_in_the_forms_of_both_ages(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        uint32_t type;
    } cases[] = {
        {"{\"pooling_mode_cls_token\":false,\"pooling_mode_mean_tokens\":true}", 1},
        {"{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}", 2},
        {"{\"pooling_mode_lasttoken\":true}", 3},
        {"{\"pooling_mode\":\"mean\"}", 1},
        {"{\"pooling_mode\":\"cls\"}", 2},
        {"{\"pooling_mode\":\"lasttoken\"}", 3},
        {"{\"pooling_mode\":\"max\"}", 0},
        {"{\"pooling_mode_max_tokens\":true}", 0},
        {"{\"pooling_mode_mean_tokens\":true,\"pooling_mode_cls_token\":true}", 0},
        {"{\"pooling_mode_mean_tokens\":true,\"pooling_mode_max_tokens\":true}", 0},
    };
    write_encoder("LlamaForCausalLM");
    make_folder("1_Pooling");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("1_Pooling/config.json", cases[i].config);
        gol_model_file *file = open_folder();
        if (cases[i].type > 0)
            expect_u32(file, "llama.pooling_type", cases[i].type);
        else
            assert_null(gol_model_file_find_meta(file, "llama.pooling_type"));
        gol_model_file_close(&file);
    }
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    write_encoder("Gemma3TextModel");
    write_two_dense();
    expect_no_leaks();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(linear_layers_become_tensors, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(models_that_have_no_place_for_them_are_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(what_changes_vectors_in_another_way_is_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_pooling_is_read_in_the_forms_of_both_ages, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(no_failed_allocation_leaks, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
