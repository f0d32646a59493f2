/*
 * What published models write into config.json, and have written at other times: which keys of GGUF come of it, and what is refused.
 * The numbers that come of whole models are compared in tests/golden/test_hf_logits.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/hf_folder.h"

static void write_tensor(const char *name)
{
    weights w = {0};
    add(&w, name, "F16", "[3,4]", 24, NULL);
    write_weights(&w, "model.safetensors");
}

static void write_llama_like(void)
{
    write_tensor("model.embed_tokens.weight");
}

/* ------------------------------------------------------------------ rotation ---- */

static void rotation_is_read_from_the_keys_of_every_age(void **state)
{
    (void)state;
    write_tensor("gpt_neox.embed_in.weight");
    write_config_of("GPTNeoXForCausalLM", ",\"rotary_pct\":0.5,\"rotary_emb_base\":700");
    gol_model_file *file = open_folder();
    expect_u32(file, "gptneox.rope.dimension_count", 2);
    expect_f32(file, "gptneox.rope.freq_base", 700);
    gol_model_file_close(&file);
    write_config_of("GPTNeoXForCausalLM", ",\"rope_parameters\":{\"rope_theta\":800,"
                                          "\"partial_rotary_factor\":1.0}");
    file = open_folder();
    expect_u32(file, "gptneox.rope.dimension_count", 4);
    expect_f32(file, "gptneox.rope.freq_base", 800);
    gol_model_file_close(&file);

    write_llama_like();
    write_config_of("StableLmForCausalLM", ""); /* the class's share is a quarter */
    file = open_folder();
    expect_u32(file, "stablelm.rope.dimension_count", 1);
    gol_model_file_close(&file);
    write_config_of("Olmo3ForCausalLM",
                    ",\"sliding_window\":4,\"rope_parameters\":{\"full_attention\":{"
                    "\"rope_theta\":900},\"sliding_attention\":{\"rope_theta\":30}}");
    file = open_folder();
    expect_f32(file, "olmo2.rope.freq_base", 900);
    expect_f32(file, "olmo2.rope.freq_base_swa", 30);
    gol_model_file_close(&file);
}

static void expect_factor(const char *scaling, double want)
{
    char more[512];
    snprintf(more, sizeof more,
             ",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4,%s"
             "\"original_max_position_embeddings\":8}",
             scaling);
    write_config(more);
    gol_model_file *file = open_folder();
    gol_str type;
    assert_int_equal(gol_meta_str(file, "llama.rope.scaling.type", &type, NULL), 1);
    assert_true(gol_str_is(type, "yarn"));
    if (want > 0)
        expect_f32(file, "llama.rope.scaling.attn_factor", want);
    else
        assert_null(gol_model_file_find_meta(file, "llama.rope.scaling.attn_factor"));
    gol_model_file_close(&file);
}

/* 1 + 0.1 ln 4 is what YaRN has by itself; the file's factor stands for all of it. */
static void yarns_factor_is_what_comes_on_top(void **state)
{
    (void)state;
    const double own = 1.0 + 0.1 * log(4.0);
    write_llama_like();
    expect_factor("", 0);
    expect_factor("\"attention_factor\":1.5,", 1.5 / own);
    expect_factor("\"mscale\":1,\"mscale_all_dim\":1,", 1.0 / own);
    expect_factor("\"mscale\":2,\"mscale_all_dim\":0.5,",
                  (1.0 + 0.2 * log(4.0)) / (1.0 + 0.05 * log(4.0)) / own);
    expect_factor("\"mscale\":2,", 0); /* one alone says nothing */
}

static void rotations_that_we_do_not_have_are_refused(void **state)
{
    (void)state;
    write_llama_like();
    write_config(",\"rope_parameters\":{\"rope_type\":\"default\",\"llama_4_scaling_beta\":0.1}");
    expect_refusal(GOL_EUNSUPPORTED, "rope_parameters.llama_4_scaling_beta");
    write_config_of("Olmo3ForCausalLM",
                    ",\"rope_parameters\":{\"full_attention\":{\"rope_theta\":900},"
                    "\"sliding_attention\":{\"rope_type\":\"linear\",\"factor\":2}}");
    expect_refusal(GOL_EUNSUPPORTED, "rope_parameters.sliding_attention.rope_type");
    static const char *const contexts[] = {"1", "1e30", "2147483648"};
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        char more[256];
        snprintf(more, sizeof more,
                 ",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1,1],"
                 "\"long_factor\":[1,1]},\"original_max_position_embeddings\":%s",
                 contexts[i]);
        write_config_of("Phi3ForCausalLM", more);
        expect_refusal(GOL_EMODEL, "original_max_position_embeddings");
    }
}

/* ------------------------------------------------------------------ windows ---- */

static void windows_are_those_of_the_layers_that_are_named(void **state)
{
    (void)state;
    write_llama_like();
    write_config_of("Qwen2ForCausalLM", ",\"sliding_window\":8,\"max_window_layers\":0,"
                                        "\"use_sliding_window\":false");
    gol_model_file *file = open_folder();
    assert_null(gol_model_file_find_meta(file, "qwen2.attention.sliding_window"));
    gol_model_file_close(&file);
    write_config_of("Qwen2ForCausalLM", ",\"sliding_window\":8,\"max_window_layers\":0,"
                                        "\"use_sliding_window\":true");
    file = open_folder();
    expect_u32(file, "qwen2.attention.sliding_window", 8);
    expect_u32(file, "qwen2.attention.sliding_window_pattern", 0); /* all */
    gol_model_file_close(&file);
    write_config_of("Qwen2ForCausalLM", ",\"sliding_window\":8,\"max_window_layers\":1,"
                                        "\"use_sliding_window\":true");
    file = open_folder();
    expect_u32(file, "qwen2.attention.sliding_window_pattern", 1); /* none */
    gol_model_file_close(&file);
    write_config_of("Qwen2ForCausalLM", ",\"sliding_window\":8,\"use_sliding_window\":true");
    expect_refusal(GOL_EMODEL, "max_window_layers is missing");
    write_config_of("Cohere2ForCausalLM", ",\"sliding_window\":8,\"sliding_window_pattern\":3");
    file = open_folder();
    expect_u32(file, "cohere2.attention.sliding_window_pattern", 3);
    gol_model_file_close(&file);
}

/* ------------------------------------------------------------------ classes ---- */

static void what_a_class_says_by_itself_need_not_be_written(void **state)
{
    (void)state;
    weights w = {0};
    add(&w, "language_model.model.embed_tokens.weight", "F16", "[3,4]", 24, NULL);
    add(&w, "vision_tower.vision_model.post_layernorm.weight", "F16", "[4]", 8, NULL);
    add(&w, "multi_modal_projector.mm_input_projection_weight", "F16", "[4]", 8, NULL);
    write_weights(&w, "model.safetensors");
    /* as the 4B model has it */
    write_text("config.json",
               "{\"architectures\":[\"Gemma3ForConditionalGeneration\"],\"model_type\":\"gemma3\","
               "\"text_config\":{\"hidden_size\":4,\"intermediate_size\":8,\"model_type\":"
               "\"gemma3_text\",\"num_hidden_layers\":1,\"rope_scaling\":{\"factor\":8.0,"
               "\"rope_type\":\"linear\"},\"sliding_window\":1024},\"vision_config\":{}}");
    gol_model_file *file = open_folder();
    expect_u32(file, "gemma3.attention.head_count", 8);
    expect_u32(file, "gemma3.attention.head_count_kv", 4);
    expect_u32(file, "gemma3.attention.key_length", 256);
    expect_u32(file, "gemma3.context_length", 131072);
    expect_u32(file, "gemma3.attention.sliding_window", 1024);
    expect_f32(file, "gemma3.rope.freq_base", 1e6);
    expect_f32(file, "gemma3.rope.freq_base_swa", 1e4);
    expect_f32(file, "gemma3.rope.scaling.factor", 8);
    assert_null(gol_model_file_find_meta(file, "gemma3.attention.scale"));
    assert_int_equal(gol_model_file_n_tensors(file), 1);
    gol_model_file_close(&file);
}

static void scores_of_another_scale_are_written_down(void **state)
{
    (void)state;
    write_llama_like();
    write_config_of("Gemma2ForCausalLM",
                    ",\"num_key_value_heads\":1,\"head_dim\":4,\"query_pre_attn_scalar\":4");
    gol_model_file *file = open_folder();
    assert_null(gol_model_file_find_meta(file, "gemma2.attention.scale"));
    gol_model_file_close(&file);
    write_config_of("Gemma2ForCausalLM",
                    ",\"num_key_value_heads\":1,\"head_dim\":4,\"query_pre_attn_scalar\":16");
    file = open_folder();
    expect_f32(file, "gemma2.attention.scale", 0.25);
    gol_model_file_close(&file);
    write_config_of("Gemma2ForCausalLM",
                    ",\"num_key_value_heads\":1,\"head_dim\":4,\"query_pre_attn_scalar\":0");
    expect_refusal(GOL_EMODEL, "query_pre_attn_scalar is 0");
    write_config_of("Gemma3ForCausalLM",
                    ",\"num_key_value_heads\":1,\"attn_logit_softcapping\":50.0");
    expect_refusal(GOL_EUNSUPPORTED, "attn_logit_softcapping");
    write_config_of("Gemma3ForCausalLM",
                    ",\"num_key_value_heads\":1,\"use_bidirectional_attention\":true");
    expect_refusal(GOL_EUNSUPPORTED, "use_bidirectional_attention is true");
    write_config_of("Gemma3TextModel", ",\"num_key_value_heads\":1");
    expect_refusal(GOL_EUNSUPPORTED, "use_bidirectional_attention is false");
}

static void a_context_longer_than_written_is_found(void **state)
{
    (void)state;
    write_llama_like();
    write_config_of("CohereForCausalLM", ",\"model_max_length\":64");
    gol_model_file *file = open_folder();
    expect_u32(file, "command-r.context_length", 64);
    gol_model_file_close(&file);
}

static void text_of_models_that_see_is_mistrals_only(void **state)
{
    (void)state;
    write_tensor("language_model.model.embed_tokens.weight");
    static const char config[] =
        "{\"architectures\":[\"Mistral3ForConditionalGeneration\"],\"text_config\":{"
        "\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
        "\"num_key_value_heads\":1,\"intermediate_size\":8,\"sliding_window\":null,"
        "\"model_type\":\"%s\"}}";
    char text[512];
    snprintf(text, sizeof text, config, "mistral");
    write_text("config.json", text);
    gol_model_file *file = open_folder();
    assert_null(gol_model_file_find_meta(file, "llama.attention.sliding_window"));
    gol_model_file_close(&file);
    snprintf(text, sizeof text, config, "ministral3");
    write_text("config.json", text);
    expect_refusal(GOL_EUNSUPPORTED, "text_config.model_type");
}

static void norms_of_heads_are_stacked(void **state)
{
    (void)state;
    static const float norms[3][2] = {{1, 2}, {3, 4}, {5, 6}};
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.q_layernorm.norms.1.weight", "F32", "[2]", 8, norms[1]);
    add(&w, "model.layers.0.self_attn.q_layernorm.norms.0.weight", "F32", "[2]", 8, norms[0]);
    add(&w, "model.layers.0.self_attn.k_layernorm.norms.0.weight", "F32", "[2]", 8, norms[2]);
    write_weights(&w, "model.safetensors");
    write_text("config.json",
               "{\"architectures\":[\"StableLmForCausalLM\"],\"hidden_size\":4,"
               "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
               "\"intermediate_size\":8,\"max_position_embeddings\":16,\"qk_layernorm\":true}");
    gol_model_file *file = open_folder();
    expect_bytes(file, "blk.0.attn_q_norm.weight", GOL_TYPE_F32, norms, 16);
    expect_bytes(file, "blk.0.attn_k_norm.weight", GOL_TYPE_F32, norms[2], 8);
    gol_model_file_close(&file);

    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.q_layernorm.norms.0.weight", "F32", "[2]", 8, norms[0]);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_EMODEL, "q_layernorm.norms.1.weight' is missing");
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.q_layernorm.norms.0.weight", "F32", "[2]", 8, norms[0]);
    add(&w, "model.layers.0.self_attn.q_layernorm.norms.1.weight", "F32", "[1]", 4, norms[1]);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_EMODEL, "differs from the first of its stack");
}

/* ------------------------------------------------------------------ encoders ---- */

static void positions_of_roberta_begin_behind_padding(void **state)
{
    (void)state;
    float table[5][4];
    for (int i = 0; i < 20; i++)
        ((float *)table)[i] = (float)i;
    weights w = {0};
    add(&w, "roberta.embeddings.word_embeddings.weight", "F16", "[3,4]", 24, NULL);
    add(&w, "roberta.embeddings.position_embeddings.weight", "F32", "[5,4]", 80, table);
    write_weights(&w, "model.safetensors");
    static const char config[] =
        "{\"architectures\":[\"XLMRobertaModel\"],\"hidden_size\":4,\"num_hidden_layers\":1,"
        "\"num_attention_heads\":1,\"intermediate_size\":8,\"max_position_embeddings\":%d,"
        "\"type_vocab_size\":1,\"pad_token_id\":1}";
    char text[512];
    snprintf(text, sizeof text, config, 5);
    write_text("config.json", text);
    gol_model_file *file = open_folder();
    expect_u32(file, "bert.context_length", 3);
    expect_bytes(file, "position_embd.weight", GOL_TYPE_F32, table[2], 48);
    gol_model_file_close(&file);
    snprintf(text, sizeof text, config, 2);
    write_text("config.json", text);
    expect_refusal(GOL_EMODEL, "max_position_embeddings is 2; more than 2 is expected");
}

static void nomics_own_form_is_understood(void **state)
{
    (void)state;
    weights w = {0};
    add(&w, "embeddings.word_embeddings.weight", "F16", "[3,4]", 24, NULL);
    write_weights(&w, "model.safetensors");
    static const char config[] =
        "{\"architectures\":[\"NomicBertModel\"],\"n_embd\":4,\"n_layer\":1,\"n_head\":1,"
        "\"n_inner\":8,\"n_positions\":8192,\"max_trained_positions\":2048,"
        "\"rotary_emb_base\":1000,\"rotary_emb_fraction\":%s,\"rotary_emb_scale_base\":%s,"
        "\"activation_function\":\"swiglu\",\"prenorm\":%s,\"causal\":false}";
    static const struct {
        const char *share, *scale_base, *prenorm;
        int rc;
        const char *message;
    } cases[] = {
        {"1.0", "null", "false", 0, NULL},
        {"1.5", "null", "false", GOL_EMODEL, "rotary_emb_fraction is 1.5"},
        {"1.0", "512", "false", GOL_EUNSUPPORTED, "rotary_emb_scale_base"},
        {"1.0", "null", "true", GOL_EUNSUPPORTED, "prenorm is true"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, config, cases[i].share, cases[i].scale_base, cases[i].prenorm);
        write_text("config.json", text);
        if (cases[i].rc != 0) {
            expect_refusal(cases[i].rc, cases[i].message);
            continue;
        }
        gol_model_file *file = open_folder();
        expect_u32(file, "nomic-bert.context_length", 2048); /* what it was trained on */
        expect_f32(file, "nomic-bert.rope.freq_base", 1000);
        gol_model_file_close(&file);
    }
}

/* BERT's oldest names for a norm's weights; what predicts words is left out. */
static void masked_language_models_are_encoders(void **state)
{
    (void)state;
    weights w = {0};
    add(&w, "bert.embeddings.word_embeddings.weight", "F16", "[3,4]", 24, NULL);
    add(&w, "bert.embeddings.LayerNorm.gamma", "F32", "[4]", 16, NULL);
    add(&w, "bert.embeddings.LayerNorm.beta", "F32", "[4]", 16, NULL);
    add(&w, "cls.predictions.bias", "F32", "[3]", 12, NULL);
    add(&w, "cls.predictions.transform.LayerNorm.gamma", "F32", "[4]", 16, NULL);
    add(&w, "cls.predictions.decoder.weight", "F16", "[3,4]", 24, NULL);
    write_weights(&w, "model.safetensors");
    write_config_of("BertForMaskedLM", "");
    gol_model_file *file = open_folder();
    assert_non_null(gol_model_file_find_tensor(file, GOL_STR("token_embd_norm.weight")));
    assert_non_null(gol_model_file_find_tensor(file, GOL_STR("token_embd_norm.bias")));
    assert_int_equal(gol_model_file_n_tensors(file), 3);
    gol_model_file_close(&file);
    write_config_of("BertForMaskedLM", ",\"is_decoder\":true");
    expect_refusal(GOL_EUNSUPPORTED, "is_decoder is true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rotation_is_read_from_the_keys_of_every_age, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(yarns_factor_is_what_comes_on_top, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(rotations_that_we_do_not_have_are_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(windows_are_those_of_the_layers_that_are_named, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(what_a_class_says_by_itself_need_not_be_written, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(scores_of_another_scale_are_written_down, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_context_longer_than_written_is_found, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(text_of_models_that_see_is_mistrals_only, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(norms_of_heads_are_stacked, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(positions_of_roberta_begin_behind_padding, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(nomics_own_form_is_understood, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(masked_language_models_are_encoders, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
