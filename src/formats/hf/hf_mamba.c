/* Mamba 2 alone: no attention, no feed-forward network, one norm and one mixer in each layer. */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"backbone.", "model.", "", NULL};

static const gol_hf_rule rules[] = {
    {"token_embd.weight", "~embeddings.weight", NULL},
    {"token_embd.weight", "~embedding.weight", NULL},
    {"output_norm.weight", "~norm_f.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.norm.weight", NULL},
    {"blk.#.ssm_in.weight", "~layers.#.mixer.in_proj.weight", NULL},
    {"blk.#.ssm_conv1d.weight", "~layers.#.mixer.conv1d.weight", &gol_hf_squeeze},
    {"blk.#.ssm_conv1d.bias", "~layers.#.mixer.conv1d.bias", NULL},
    {"blk.#.ssm_dt.bias", "~layers.#.mixer.dt_bias", NULL},
    {"blk.#.ssm_a", "~layers.#.mixer.A_log", &gol_hf_minus_exp},
    {"blk.#.ssm_d", "~layers.#.mixer.D", &gol_hf_column},
    {"blk.#.ssm_norm.weight", "~layers.#.mixer.norm.weight", &gol_hf_rows_of_groups},
    {"blk.#.ssm_out.weight", "~layers.#.mixer.out_proj.weight", NULL},
    {0},
};

/* The models have no end of their context; this is what others write. */
enum { CONTEXT = 1 << 20 };

static void read_mamba2(gol_hf *hf)
{
    const uint32_t expand = gol_hf_u32_or(hf, "expand", 2);
    const uint32_t n_heads = gol_hf_u32(hf, "num_heads");
    hf->n_layers = gol_hf_u32(hf, "num_hidden_layers");
    hf->n_embd = gol_hf_u32(hf, "hidden_size");
    hf->n_groups = gol_hf_u32_or(hf, "n_groups", 8);
    if (hf->rc == 0 && (uint64_t)expand * hf->n_embd > INT32_MAX)
        gol_hf_refuse(hf, GOL_EMODEL, "expand is %u; times hidden_size that is too large", expand);
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", CONTEXT);
    gol_hf_put_u32(hf, "feed_forward_length", 0);
    gol_hf_put_u32(hf, "attention.head_count", 0);
    gol_hf_put_u32(hf, "ssm.conv_kernel", gol_hf_u32_or(hf, "conv_kernel", 4));
    gol_hf_put_u32(hf, "ssm.inner_size", expand * hf->n_embd);
    gol_hf_put_u32(hf, "ssm.state_size", gol_hf_u32_or(hf, "state_size", 128));
    gol_hf_put_u32(hf, "ssm.time_step_rank", n_heads);
    gol_hf_put_u32(hf, "ssm.group_count", hf->n_groups);
    gol_hf_put_f32(hf, "attention.layer_norm_rms_epsilon",
                   gol_hf_real_or(hf, "layer_norm_epsilon", 1e-5));
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
}

const gol_hf_family gol_hf_families_mamba[] = {
    {"Mamba2ForCausalLM",
     "mamba2",
     read_mamba2,
     {rules},
     .prefixes = prefixes,
     .anchor = "~norm_f.weight"},
    {0},
};
