/* Hugging Face folders: which files are read, what becomes of names and numbers, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/model_file.h"
#include "quant/half.h"
#include "support/hf_folder.h"

/* ------------------------------------------------------------------ names and numbers ---- */

static void sizes_and_names_are_ggufs(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.mlp.down_proj.weight", "F32", "[4,8]", 128, NULL);
    add(&w, "lm_head.weight", "F16", "[3,4]", 24, NULL);
    write_weights(&w, "model.safetensors");
    write_config(",\"rope_theta\":5000,\"head_dim\":null");
    gol_model_file *file = open_folder();
    gol_str arch;
    uint32_t v = 0;
    float base = 0;
    assert_int_equal(gol_meta_str(file, "general.architecture", &arch, NULL), 1);
    assert_true(gol_str_is(arch, "llama"));
    assert_int_equal(gol_meta_u32(file, "llama.attention.key_length", 0, 99, &v, NULL), 1);
    assert_int_equal(v, 4);
    assert_int_equal(gol_meta_f32(file, "llama.rope.freq_base", 0, 1e6f, &base, NULL), 1);
    assert_true(base == 5000.0f);
    assert_int_equal(gol_model_file_n_tensors(file), 3);
    const gol_tensor *down = gol_model_file_find_tensor(file, GOL_STR("blk.0.ffn_down.weight"));
    assert_non_null(down);
    assert_int_equal(down->shape[0], 8); /* the row first */
    assert_int_equal(down->shape[1], 4);
    assert_non_null(gol_model_file_find_tensor(file, GOL_STR("output.weight")));
    gol_model_file_close(&file);

    write_config(",\"tie_word_embeddings\":true");
    file = open_folder();
    assert_null(gol_model_file_find_tensor(file, GOL_STR("output.weight")));
    gol_model_file_close(&file);
}

static void the_table_of_tokens_has_a_row_for_each(void **state)
{
    (void)state;
    static const struct {
        const char *shape;
        size_t n_rows;
        const char *sizes[4]; /* that are taken; then one that is not */
    } tables[] = {
        {"[16,4]", 16, {"16", "15", "1", "17"}},
        {"[15,4]", 15, {"15", "15", "15", "14"}}, /* no multiple of anything */
        {"[1024,4]", 1024, {"1024", "1000", "513", "512"}},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        weights w = {0};
        add(&w, "model.embed_tokens.weight", "F16", tables[i].shape, tables[i].n_rows * 8, NULL);
        write_weights(&w, "model.safetensors");
        for (int k = 0; k < 4; k++) {
            char more[64];
            char message[96];
            snprintf(more, sizeof more, ",\"vocab_size\":%s", tables[i].sizes[k]);
            snprintf(message, sizeof message,
                     "vocab_size is %s, but the table of tokens has %zu rows", tables[i].sizes[k],
                     tables[i].n_rows);
            write_config(more);
            if (k < 3) {
                gol_model_file *file = open_folder();
                gol_model_file_close(&file);
            } else {
                expect_refusal(GOL_EMODEL, message);
            }
        }
    }
}

static void bytes_that_do_not_change_are_the_files(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.v_proj.weight", "BF16", "[4,4]", 32, NULL);
    write_weights(&w, "model.safetensors");
    write_config("");
    gol_model_file *file = open_folder();
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        gol_tensor_bytes bytes;
        /* the header's length is odd, so elements of two bytes lie at odd places: these are copied */
        assert_int_equal(gol_model_file_fetch(file, t, &bytes, NULL), 0);
        assert_true((t->data == NULL) == (bytes.owned != NULL));
        for (size_t k = 0; k < t->n_bytes; k++)
            assert_int_equal(bytes.data[k], k);
        gol_tensor_bytes_deinit(&bytes);
    }
    gol_model_file_close(&file);
}

static void halves_of_heads_become_neighbours(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.q_proj.weight", "I8", "[4,4]", 16, NULL);
    add(&w, "model.layers.0.self_attn.q_proj.bias", "I8", "[4]", 4, NULL);
    write_weights(&w, "model.safetensors");
    write_config("");
    gol_model_file *file = open_folder();
    static const uint8_t rows[] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};
    static const uint8_t elements[] = {0, 2, 1, 3};
    expect_bytes(file, "blk.0.attn_q.weight", GOL_TYPE_I8, rows, sizeof rows);
    expect_bytes(file, "blk.0.attn_q.bias", GOL_TYPE_I8, elements, sizeof elements);
    gol_model_file_close(&file);
}

static void vectors_become_32_bit_floats(void **state)
{
    (void)state;
    const uint16_t half[] = {0x3c00, 0xc000, 0x3555, 0x0001};
    float want[4];
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.norm.weight", "F16", "[4]", 8, half);
    write_weights(&w, "model.safetensors");
    write_config("");
    gol_model_file *file = open_folder();
    for (int i = 0; i < 4; i++)
        want[i] = gol_f16_to_f32(half[i]);
    expect_bytes(file, "output_norm.weight", GOL_TYPE_F32, want, sizeof want);
    gol_model_file_close(&file);
}

/* 1.0 is 0x38; 448 the largest, 0x7e; 2^-9 the smallest, 0x01; 0x7f no number. */
static void eight_bit_floats_have_their_scales(void **state)
{
    (void)state;
    static const uint8_t codes[16] = {0x38, 0xb8, 0x7e, 0x01, 0, 0x80, 0x40, 0x3c,
                                      0x38, 0xb8, 0x7e, 0x01, 0, 0x80, 0x40, 0x3c};
    static const float values[8] = {1, -1, 448, 0x1p-9f, 0, -0.0f, 2, 1.5f};
    static const float one = 0.5f;
    static const float per_row[4] = {1, 2, 4, 8};
    static const float blocks[4] = {1, 2, 4, 8}; /* of two rows and two columns */
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.v_proj.weight", "F8_E4M3", "[4,4]", 16, codes);
    add(&w, "model.layers.0.self_attn.v_proj.weight_scale", "F32", "[]", 4, &one);
    add(&w, "model.layers.0.self_attn.o_proj.weight", "F8_E4M3", "[4,4]", 16, codes);
    add(&w, "model.layers.0.self_attn.o_proj.weight_scale", "F32", "[4,1]", 16, per_row);
    add(&w, "model.layers.0.mlp.up_proj.weight", "F8_E4M3", "[4,4]", 16, codes);
    add(&w, "model.layers.0.mlp.up_proj.weight_scale_inv", "F32", "[2,2]", 16, blocks);
    write_weights(&w, "model.safetensors");
    write_config(",\"quantization_config\":{\"quant_method\":\"fp8\"}");
    gol_model_file *file = open_folder();
    uint16_t want[3][16];
    for (int i = 0; i < 16; i++) {
        want[0][i] = gol_f32_to_bf16(values[i % 8] * one);
        want[1][i] = gol_f32_to_bf16(values[i % 8] * per_row[i / 4]);
        want[2][i] = gol_f32_to_bf16(values[i % 8] * blocks[i / 8 * 2 + i % 4 / 2]);
    }
    expect_bytes(file, "blk.0.attn_v.weight", GOL_TYPE_BF16, want[0], 32);
    expect_bytes(file, "blk.0.attn_output.weight", GOL_TYPE_BF16, want[1], 32);
    expect_bytes(file, "blk.0.ffn_up.weight", GOL_TYPE_BF16, want[2], 32);
    gol_model_file_close(&file);
}

static void eight_bit_floats_without_scales_are_refused_when_read(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.v_proj.weight", "F8_E4M3", "[4,4]", 16, NULL);
    write_weights(&w, "model.safetensors");
    write_config("");
    gol_model_file *file = open_folder();
    gol_err err = {0};
    gol_tensor_bytes bytes;
    const gol_tensor *t = gol_model_file_find_tensor(file, GOL_STR("blk.0.attn_v.weight"));
    assert_int_equal(gol_model_file_fetch(file, t, &bytes, &err), GOL_EMODEL);
    assert_non_null(strstr(err.message, "without a tensor of scales"));
    assert_null(bytes.owned);
    gol_model_file_close(&file);
}

/* 32 codes 0, 1, ..., 15, 0, ...: the folder has two neighbours in a byte, GGUF element j and j + 16. */
static void four_bit_blocks_are_put_in_ggufs_order(void **state)
{
    (void)state;
    uint8_t blocks[2 * 2 *
                   16]; /* one expert, four rows of gate and up, of which each half: [4][1][16] */
    uint8_t scales[4] = {10, 20, 30, 40};
    for (int i = 0; i < 64; i++)
        blocks[i] = (uint8_t)((2 * i + 1) % 16 << 4 | 2 * i % 16);
    blocks[16] ^= 1; /* the second row is another one */
    weights w = {0};
    add(&w, "model.embed_tokens.weight", "F16", "[3,4]", 24, NULL);
    add(&w, "model.layers.0.mlp.experts.gate_up_proj_blocks", "U8", "[1,4,1,16]", 64, blocks);
    add(&w, "model.layers.0.mlp.experts.gate_up_proj_scales", "U8", "[1,4,1]", 4, scales);
    write_weights(&w, "model.safetensors");
    write_text(
        "config.json",
        "{\"architectures\":[\"GptOssForCausalLM\"],\"hidden_size\":32,\"num_hidden_layers\":1,"
        "\"num_attention_heads\":1,\"intermediate_size\":2,\"max_position_embeddings\":16,"
        "\"num_local_experts\":1,\"num_experts_per_tok\":1}");
    gol_model_file *file = open_folder();
    uint8_t gate[34];
    uint8_t up[34];
    for (int row = 0; row < 2; row++) {
        gate[17 * row] = scales[2 * row];
        up[17 * row] = scales[2 * row + 1];
        for (int j = 0; j < 16; j++)
            gate[17 * row + 1 + j] = up[17 * row + 1 + j] = (uint8_t)(j | j << 4);
    }
    up[1] ^= 1;
    expect_bytes(file, "blk.0.ffn_gate_exps.weight", GOL_TYPE_MXFP4, gate, sizeof gate);
    expect_bytes(file, "blk.0.ffn_up_exps.weight", GOL_TYPE_MXFP4, up, sizeof up);
    gol_model_file_close(&file);
}

static void experts_are_stacked(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    static const uint8_t second[8] = {50, 51, 52, 53, 54, 55, 56, 57};
    static const uint8_t want[16] = {0, 1, 2, 3, 4, 5, 6, 7, 50, 51, 52, 53, 54, 55, 56, 57};
    add(&w, "model.layers.0.block_sparse_moe.experts.1.w1.weight", "I8", "[2,4]", 8, second);
    add(&w, "model.layers.0.block_sparse_moe.experts.0.w1.weight", "I8", "[2,4]", 8, NULL);
    write_weights(&w, "model.safetensors");
    write_config_of("MixtralForCausalLM", ",\"num_local_experts\":2,\"num_experts_per_tok\":1");
    gol_model_file *file = open_folder();
    const gol_tensor *t = gol_model_file_find_tensor(file, GOL_STR("blk.0.ffn_gate_exps.weight"));
    assert_non_null(t);
    assert_int_equal(t->shape[2], 2);
    expect_bytes(file, "blk.0.ffn_gate_exps.weight", GOL_TYPE_I8, want, sizeof want);
    gol_model_file_close(&file);

    add_embeddings(&w);
    add(&w, "model.layers.0.block_sparse_moe.experts.0.w1.weight", "I8", "[2,4]", 8, NULL);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_EMODEL, "experts.1.w1.weight' is missing");
    write_config_of("MixtralForCausalLM", ",\"num_local_experts\":0,\"num_experts_per_tok\":1");
    expect_refusal(GOL_EMODEL, "experts.0.w1.weight' is the first of its kind in a layer; by "
                               "config.json there are none");
}

/* ------------------------------------------------------------------ refusals ---- */

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_ENOTFOUND, "config.json");
    write_text("config.json", "{\"architectures\":[\"NobodyForCausalLM\"]}");
    expect_refusal(GOL_EUNSUPPORTED, "model class 'NobodyForCausalLM' is not supported");
    write_text("config.json", "{}");
    expect_refusal(GOL_EMODEL, "architectures: the name of a model class is missing");
    write_text("config.json", "[]");
    expect_refusal(GOL_EMODEL, "is a JSON array");
    write_text("config.json", "{\"a\":1,\"a\":1}");
    expect_refusal(GOL_EMODEL, "duplicate object key");
    write_config(",\"quantization_config\":{\"quant_method\":\"gptq\"}");
    expect_refusal(GOL_EUNSUPPORTED, "method 'gptq' is not supported");
    write_config(",\"num_key_value_heads\":3");
    expect_refusal(GOL_EMODEL, "num_key_value_heads 3");
    write_config(",\"hidden_act\":\"relu\"");
    expect_refusal(GOL_EUNSUPPORTED, "hidden_act is 'relu'");
    write_config(",\"rope_scaling\":{\"rope_type\":\"new\"}");
    expect_refusal(GOL_EUNSUPPORTED, "rope type 'new'");
    for (int i = 0; i < 2; i++) {
        static const char *const n_layers[] = {"0", "2147483647"};
        char config[256];
        snprintf(config, sizeof config,
                 "{\"architectures\":[\"GPT2LMHeadModel\"],\"n_embd\":4,\"n_head\":1,"
                 "\"n_layer\":%s,\"n_positions\":16}",
                 n_layers[i]);
        write_text("config.json", config);
        expect_refusal(GOL_EMODEL, "layers; 1 to 1024 are accepted");
    }
    write_config(",\"head_dim\":\"4\"");
    expect_refusal(GOL_EMODEL, "head_dim is a string; a whole number is expected");
    add_embeddings(&w);
    add(&w, "model.layers.1.mlp.up_proj.weight", "F32", "[1,1]", 4, NULL);
    write_weights(&w, "model.safetensors");
    write_config("");
    expect_refusal(GOL_EUNSUPPORTED, "'model.layers.1.mlp.up_proj.weight' has no place");
    add_embeddings(&w);
    add(&w, "model.layers.0.self_attn.q_proj.weight", "F32", "[3,4]", 48, NULL);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_EMODEL, "cannot be split into its heads");
    add(&w, "other.weight", "F32", "[1]", 4, NULL);
    write_weights(&w, "model.safetensors");
    expect_refusal(GOL_EMODEL, "no tensor is named like 'model.embed_tokens.weight'");
}

/* ------------------------------------------------------------------ several files ---- */

static void write_two_shards(void)
{
    weights w = {0};
    add_embeddings(&w);
    write_weights(&w, "m-1.safetensors");
    add(&w, "model.norm.weight", "F32", "[4]", 16, NULL);
    write_weights(&w, "m-2.safetensors");
    write_config("");
}

static void write_index(const char *first, const char *second)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"metadata\":{},\"weight_map\":{\"model.embed_tokens.weight\":\"%s\","
             "\"model.norm.weight\":\"%s\"}}",
             first, second);
    write_text("model.safetensors.index.json", text);
}

static void an_index_names_files_beside_it(void **state)
{
    (void)state;
    write_two_shards();
    write_index("m-1.safetensors", "m-2.safetensors");
    gol_model_file *file = open_folder();
    assert_int_equal(gol_model_file_n_parts(file), 2);
    assert_int_equal(gol_model_file_n_tensors(file), 2);
    gol_model_file_close(&file);
    char path[256];
    gol_err err = {0};
    assert_int_equal(gol_model_file_open(&file, temp_dir_file(&dir, "m-2.safetensors", path), &err),
                     0);
    assert_int_equal(gol_model_file_n_tensors(file), 2); /* all of them, by whichever one */
    gol_model_file_close(&file);
    write_index("m-2.safetensors", "m-1.safetensors");
    expect_refusal(GOL_EMODEL, "is not in the file that the index names");
    write_index("m-1.safetensors", "m-1.safetensors");
    expect_refusal(GOL_EMODEL, "is not in the file that the index names");
    write_index("m-1.safetensors", "m-3.safetensors");
    expect_refusal(GOL_ENOTFOUND, "m-3.safetensors");
    static const char *const bad[] = {
        "../m-1.safetensors", "/m-1.safetensors", ".safetensors", ".m.safetensors",
        "a/m-1.safetensors",  "m-1.bin",          "..",           "a\\\\b.safetensors"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_index("m-1.safetensors", bad[i]);
        expect_refusal(GOL_EMODEL, "of a file beside it, is expected");
    }
    write_text("model.safetensors.index.json", "{\"weight_map\":{}}");
    expect_refusal(GOL_EMODEL, "weight_map is empty");
    write_text("model.safetensors.index.json", "{\"weight_map\":[]}");
    expect_refusal(GOL_EMODEL, "weight_map is no object");
}

static void a_single_file_is_opened_with_its_folder(void **state)
{
    (void)state;
    char path[256];
    gol_model_file *file;
    gol_err err = {0};
    write_two_shards();
    assert_int_equal(gol_model_file_open(&file, temp_dir_file(&dir, "m-1.safetensors", path), &err),
                     0);
    assert_int_equal(gol_model_file_n_tensors(file), 1);
    assert_string_equal(gol_model_file_format(file), "safetensors");
    gol_model_file_close(&file);
}

/* ------------------------------------------------------------------ texts ---- */

static void expect_text(const gol_model_file *file, const char *key, const char *want)
{
    gol_str text = {0};
    if (gol_meta_str(file, key, &text, NULL) != 1 || !gol_str_is(text, want))
        fail_msg("%s is '%.*s'", key, GOL_STR_ARG(text));
}

static void tokenizers_and_templates_are_handed_on(void **state)
{
    (void)state;
    weights w = {0};
    add_embeddings(&w);
    write_weights(&w, "model.safetensors");
    write_config("");
    write_text("tokenizer.json", "{\"version\":\"1.0\"}");
    write_text("merges.txt", "a b\n");
    write_text("tokenizer_config.json", "{\"chat_template\":\"{{ x }}\"}");
    write_text("generation_config.json",
               "{\"temperature\":0.5,\"top_k\":20,\"top_p\":7,\"eos_token_id\":[1,2]}");
    gol_model_file *file = open_folder();
    expect_text(file, "gollum.hf.tokenizer_json", "{\"version\":\"1.0\"}");
    expect_text(file, "gollum.hf.merges_txt", "a b\n");
    expect_text(file, "tokenizer.chat_template", "{{ x }}");
    float temp = 0;
    assert_int_equal(gol_meta_f32(file, "general.sampling.temp", 0, 1, &temp, NULL), 1);
    assert_true(temp == 0.5f);
    assert_null(gol_model_file_find_meta(file, "general.sampling.top_p")); /* 7 is no probability */
    gol_model_file_close(&file);
    write_text("tokenizer_config.json", "{\"chat_template\":[{\"name\":\"default\",\"template\":"
                                        "\"A\"},{\"name\":\"rag\",\"template\":\"B\"}]}");
    file = open_folder();
    expect_text(file, "tokenizer.chat_template", "A");
    expect_text(file, "tokenizer.chat_template.rag", "B");
    gol_model_file_close(&file);
    write_text("chat_template.jinja", "C");
    file = open_folder();
    expect_text(file, "tokenizer.chat_template", "C");
    gol_model_file_close(&file);
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    write_two_shards();
    write_index("m-1.safetensors", "m-2.safetensors");
    write_text("tokenizer_config.json", "{\"chat_template\":\"{{ x }}\"}");
    expect_no_leaks();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sizes_and_names_are_ggufs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_table_of_tokens_has_a_row_for_each, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(bytes_that_do_not_change_are_the_files, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(halves_of_heads_become_neighbours, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(vectors_become_32_bit_floats, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(eight_bit_floats_have_their_scales, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(eight_bit_floats_without_scales_are_refused_when_read,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(four_bit_blocks_are_put_in_ggufs_order, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(experts_are_stacked, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(an_index_names_files_beside_it, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_single_file_is_opened_with_its_folder, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(tokenizers_and_templates_are_handed_on, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(no_failed_allocation_leaks, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
