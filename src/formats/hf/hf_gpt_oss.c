/*
 * gpt-oss. Rows of gate and up alternate in one matrix per expert. The experts come as published, in blocks of 32 4-bit floats with
 * a power of two each (MXFP4; OCP Microscaling Formats 1.0), or in wider floats, transposed.
 *
 * A block of the folder: byte b holds elements 2b (low half) and 2b + 1. Of GGUF: the exponent first, then byte j with elements
 * j (low half) and j + 16. The codes are the same.
 */
#include <string.h>

#include "formats/hf/hf_model.h"

enum { BLOCK = 32, FOLDER_BYTES = 16, GGUF_BYTES = 17 };

static const char *const prefixes[] = {"model.", "", NULL};

static void repack_block(uint8_t dst[static GGUF_BYTES], const uint8_t src[static FOLDER_BYTES],
                         uint8_t exponent)
{
    uint8_t codes[BLOCK];
    for (int b = 0; b < FOLDER_BYTES; b++) {
        codes[2 * b] = src[b] & 15u;
        codes[2 * b + 1] = src[b] >> 4;
    }
    dst[0] = exponent;
    for (int j = 0; j < FOLDER_BYTES; j++)
        dst[1 + j] = (uint8_t)(codes[j] | codes[j + FOLDER_BYTES] << 4);
}

/* [experts][n_out][blocks][16 bytes] of which each step-th row is taken. The scales must be [experts][n_out][blocks]. */
static bool plan_blocks(gol_hf_recipe *recipe, gol_tensor *t, uint64_t step)
{
    const gol_hf_source *source = recipe->stack[0];
    const gol_safetensor *scales = source->scale ? source->scale->tensor : NULL;
    if (source->tensor->dtype != GOL_DTYPE_U8 || !scales || scales->dtype != GOL_DTYPE_U8 ||
        t->n_dims != 4 || t->shape[0] != FOLDER_BYTES || t->shape[2] % step != 0 ||
        t->shape[1] > INT32_MAX || scales->n_dims != 3 ||
        memcmp(scales->shape, source->tensor->shape, 3 * sizeof scales->shape[0]) != 0)
        return false;
    t->type = GOL_TYPE_MXFP4;
    t->n_dims = 3;
    t->shape[0] = t->shape[1] * BLOCK;
    t->shape[1] = t->shape[2] / step;
    t->shape[2] = t->shape[3];
    t->shape[3] = 1;
    return true;
}

/* Row r of the tensor is row step * r + first of the source, in each expert. */
static void copy_blocks(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                        const uint8_t *src, uint64_t step, uint64_t first)
{
    const uint64_t n_blocks = t->shape[0] / BLOCK;
    const uint8_t *scales = recipe->stack[0]->scale->data;
    for (uint64_t row = 0; row < t->shape[1] * t->shape[2]; row++) {
        const uint64_t from = (row * step + first) * n_blocks;
        for (uint64_t i = 0; i < n_blocks; i++, dst += GGUF_BYTES)
            repack_block(dst, src + (from + i) * FOLDER_BYTES, scales[from + i]);
    }
}

static bool plan_all_blocks(gol_hf_recipe *recipe, gol_tensor *t)
{
    return plan_blocks(recipe, t, 1);
}

static bool plan_half_blocks(gol_hf_recipe *recipe, gol_tensor *t)
{
    return plan_blocks(recipe, t, 2);
}

static void all_blocks(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                       const uint8_t *src)
{
    copy_blocks(recipe, t, dst, src, 1, 0);
}

static void even_blocks(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                        const uint8_t *src)
{
    copy_blocks(recipe, t, dst, src, 2, 0);
}

static void odd_blocks(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                       const uint8_t *src)
{
    copy_blocks(recipe, t, dst, src, 2, 1);
}

static const gol_hf_change change_blocks = {"read as MXFP4", plan_all_blocks, all_blocks, true};
static const gol_hf_change change_even_blocks = {"read as MXFP4", plan_half_blocks, even_blocks,
                                                 true};
static const gol_hf_change change_odd_blocks = {"read as MXFP4", plan_half_blocks, odd_blocks,
                                                true};

/* ------------------------------------------------------------------ wider floats ---- */

/* Source [experts][n_in][2 * n_out]: every second column becomes a row. */
static bool plan_columns(gol_hf_recipe *recipe, gol_tensor *t)
{
    (void)recipe;
    const uint64_t n_in = t->shape[1];
    if (t->n_dims != 3 || t->shape[0] % 2 != 0)
        return false;
    t->shape[1] = t->shape[0] / 2;
    t->shape[0] = n_in;
    return true;
}

static void copy_columns(const gol_tensor *t, uint8_t *dst, const uint8_t *src, size_t first)
{
    const size_t size = gol_type_get(t->type)->type_size;
    const size_t n_in = (size_t)t->shape[0];
    const size_t n_out = (size_t)t->shape[1];
    for (uint64_t e = 0; e < t->shape[2]; e++) {
        for (size_t row = 0; row < n_out; row++) {
            for (size_t i = 0; i < n_in; i++, dst += size)
                memcpy(dst, src + (i * 2 * n_out + 2 * row + first) * size, size);
        }
        src += n_in * 2 * n_out * size;
    }
}

static void even_columns(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                         const uint8_t *src)
{
    (void)recipe;
    copy_columns(t, dst, src, 0);
}

static void odd_columns(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                        const uint8_t *src)
{
    (void)recipe;
    copy_columns(t, dst, src, 1);
}

/* Biases [experts][2 * n_out]. */
static bool plan_elements(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (t->n_dims != 2 || t->shape[0] % 2 != 0)
        return false;
    t->shape[0] /= 2;
    return gol_hf_f32.plan(recipe, t);
}

static void copy_elements(const gol_tensor *t, uint8_t *dst, const uint8_t *src, size_t first)
{
    for (uint64_t i = 0; i < t->n_elements; i++, dst += sizeof(float))
        memcpy(dst, src + (2 * i + first) * sizeof(float), sizeof(float));
}

static void even_elements(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                          const uint8_t *src)
{
    (void)recipe;
    copy_elements(t, dst, src, 0);
}

static void odd_elements(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                         const uint8_t *src)
{
    (void)recipe;
    copy_elements(t, dst, src, 1);
}

static const gol_hf_change change_even_columns = {"split into gate and up", plan_columns,
                                                  even_columns, false};
static const gol_hf_change change_odd_columns = {"split into gate and up", plan_columns,
                                                 odd_columns, false};
static const gol_hf_change change_even_elements = {"split into gate and up", plan_elements,
                                                   even_elements, false};
static const gol_hf_change change_odd_elements = {"split into gate and up", plan_elements,
                                                  odd_elements, false};

/* ------------------------------------------------------------------ the family ---- */

static const gol_hf_rule common_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", NULL},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.attn_sinks.weight", "~layers.#.self_attn.sinks", NULL},
    {"blk.#.post_attention_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {"blk.#.ffn_gate_inp.weight", "~layers.#.mlp.router.weight", &gol_hf_f32},
    {"blk.#.ffn_gate_inp.bias", "~layers.#.mlp.router.bias", NULL},
    {"blk.#.ffn_gate_exps.bias", "~layers.#.mlp.experts.gate_up_proj_bias", &change_even_elements},
    {"blk.#.ffn_up_exps.bias", "~layers.#.mlp.experts.gate_up_proj_bias", &change_odd_elements},
    {"blk.#.ffn_down_exps.bias", "~layers.#.mlp.experts.down_proj_bias", &gol_hf_f32},
    {0},
};

static const gol_hf_rule block_rules[] = {
    {"blk.#.ffn_gate_exps.weight", "~layers.#.mlp.experts.gate_up_proj_blocks",
     &change_even_blocks},
    {"blk.#.ffn_up_exps.weight", "~layers.#.mlp.experts.gate_up_proj_blocks", &change_odd_blocks},
    {"blk.#.ffn_down_exps.weight", "~layers.#.mlp.experts.down_proj_blocks", &change_blocks},
    {0},
};

static const gol_hf_rule float_rules[] = {
    {"blk.#.ffn_gate_exps.weight", "~layers.#.mlp.experts.gate_up_proj", &change_even_columns},
    {"blk.#.ffn_up_exps.weight", "~layers.#.mlp.experts.gate_up_proj", &change_odd_columns},
    {"blk.#.ffn_down_exps.weight", "~layers.#.mlp.experts.down_proj", &gol_hf_transpose},
    {0},
};

static void read_gpt_oss(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_u32(hf, "expert_feed_forward_length", gol_hf_u32(hf, "intermediate_size"));
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_put_window(hf);
    gol_hf_put_experts(hf);
}

const gol_hf_family gol_hf_families_gpt_oss[] = {
    {"GptOssForCausalLM",
     "gpt-oss",
     read_gpt_oss,
     {common_rules, block_rules, float_rules},
     .prefixes = prefixes,
     .anchor = "~embed_tokens.weight"},
    {0},
};
