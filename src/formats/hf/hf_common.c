/* What the configurations of many model classes have in common, and its names in GGUF. */
#include <string.h>

#include "formats/hf/hf_model.h"

void gol_hf_put_sizes(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "num_hidden_layers");
    hf->n_embd = gol_hf_u32(hf, "hidden_size");
    hf->n_heads = gol_hf_u32(hf, "num_attention_heads");
    hf->n_kv_heads = gol_hf_u32_or(hf, "num_key_value_heads", hf->n_heads);
    if (hf->rc != 0)
        return;
    if (hf->n_layers < 1 || hf->n_layers > GOL_HF_LAYERS_MAX)
        gol_hf_refuse(hf, GOL_EMODEL, "num_hidden_layers is %u; 1 to %d is accepted", hf->n_layers,
                      (int)GOL_HF_LAYERS_MAX);
    if (hf->n_heads < 1 || hf->n_kv_heads < 1 || hf->n_heads % hf->n_kv_heads != 0)
        gol_hf_refuse(hf, GOL_EMODEL,
                      "num_attention_heads is %u, num_key_value_heads %u; a multiple of it is "
                      "expected",
                      hf->n_heads, hf->n_kv_heads);
    if (hf->rc != 0)
        return;
    hf->head_dim = gol_hf_u32_or(hf, "head_dim", hf->n_embd / hf->n_heads);
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", gol_hf_u32(hf, "max_position_embeddings"));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_kv_heads);
    gol_hf_put_u32(hf, "attention.key_length", hf->head_dim);
    gol_hf_put_u32(hf, "attention.value_length", hf->head_dim);
    if (gol_hf_has(hf, "vocab_size"))
        gol_hf_put_u32(hf, "vocab_size", gol_hf_u32(hf, "vocab_size"));
}

void gol_hf_put_ffn(gol_hf *hf, const char *key)
{
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32(hf, key));
}

void gol_hf_put_rms_eps(gol_hf *hf)
{
    gol_hf_put_f32(hf, "attention.layer_norm_rms_epsilon",
                   gol_hf_real_or(hf, "rms_norm_eps", 1e-6));
}

void gol_hf_put_layer_eps(gol_hf *hf, const char *key)
{
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon", gol_hf_real_or(hf, key, 1e-5));
}

/* One thing has two names, by the age of the class. */
void gol_hf_put_experts(gol_hf *hf)
{
    const char *key = gol_hf_key(hf, "num_local_experts", "num_experts");
    hf->n_experts = key ? gol_hf_u32(hf, key) : 0;
    if (hf->n_experts > GOL_HF_EXPERTS_MAX)
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %u; at most %d is accepted", key, hf->n_experts,
                      (int)GOL_HF_EXPERTS_MAX);
    if (hf->n_experts == 0)
        return;
    gol_hf_put_u32(hf, "expert_count", hf->n_experts);
    gol_hf_put_u32(hf, "expert_used_count", gol_hf_u32(hf, "num_experts_per_tok"));
}

static bool is_one_of(gol_str word, const char *words)
{
    while (*words) {
        const size_t len = strcspn(words, "|");
        if (gol_str_eq(word, (gol_str){words, len}))
            return true;
        words += len + (words[len] == '|');
    }
    return false;
}

bool gol_hf_layer_types(gol_hf *hf, const char *words, bool out[static GOL_HF_LAYERS_MAX])
{
    const char *key = gol_hf_key(hf, "layer_types", "layers_block_type");
    const json_t *types = key ? gol_hf_find(hf, key) : NULL;
    if (!types || hf->rc != 0)
        return false;
    if (json_array_size(types) < hf->n_layers) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s has %zu elements; one for each of %u layers is expected",
                      key, json_array_size(types), hf->n_layers);
        return false;
    }
    for (uint32_t i = 0; i < hf->n_layers; i++) {
        const json_t *type = json_array_get(types, i);
        out[i] = json_is_string(type) && is_one_of(gol_json_str(type), words);
    }
    return true;
}

void gol_hf_put_window_layers(gol_hf *hf, const bool *has_window)
{
    for (uint32_t period = 0; period <= hf->n_layers; period++) {
        uint32_t i = 0;
        while (i < hf->n_layers && has_window[i] == (period == 0 || (i + 1) % period != 0))
            i++;
        if (i == hf->n_layers) {
            gol_hf_put_u32(hf, "attention.sliding_window_pattern", period);
            return;
        }
    }
    gol_hf_put_bools(hf, "attention.sliding_window_pattern", has_window, hf->n_layers);
}

void gol_hf_put_window(gol_hf *hf)
{
    bool has_window[GOL_HF_LAYERS_MAX];
    if (!gol_hf_has(hf, "sliding_window"))
        return;
    gol_hf_put_u32(hf, "attention.sliding_window", gol_hf_u32(hf, "sliding_window"));
    const char *period = gol_hf_key(hf, "sliding_window_pattern", "_sliding_window_pattern");
    if (gol_hf_layer_types(hf, "sliding_attention", has_window))
        gol_hf_put_window_layers(hf, has_window);
    else if (period)
        gol_hf_put_u32(hf, "attention.sliding_window_pattern", gol_hf_u32(hf, period));
}

void gol_hf_leave_pictures_out(gol_hf *hf)
{
    static const char *const prefixes[] = {"vision_tower.", "model.vision_tower.",
                                           "multi_modal_projector.",
                                           "model.multi_modal_projector."};
    for (size_t i = 0; i < hf->n_sources; i++) {
        const gol_str name = hf->sources[i].tensor->name;
        for (size_t k = 0; k < sizeof prefixes / sizeof *prefixes; k++) {
            const gol_str prefix = gol_str_from(prefixes[k]);
            if (name.len > prefix.len && gol_str_eq((gol_str){name.data, prefix.len}, prefix))
                hf->sources[i].is_used = true;
        }
    }
}

void gol_hf_require_act(gol_hf *hf, const char *key, const char *accepted)
{
    const gol_str act = gol_hf_text_or(hf, key, "");
    if (hf->rc != 0 ||
        act.len == 0) /* absent: the class's default, which is what the family means */
        return;
    if (is_one_of(act, accepted))
        return;
    char quoted[48];
    gol_hf_refuse(hf, GOL_EUNSUPPORTED, "%s is '%s'; %s is supported", key,
                  gol_quote(quoted, sizeof quoted, act), accepted);
}
