/* Counts weights as the file holds them: a kernel that repacks them into more bytes has to read more than is counted here. */
#include "cli/bench_cost.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/bench_bed.h"

static bool ends_with(gol_str s, const char *end)
{
    const size_t n = strlen(end);
    return s.len >= n && memcmp(s.data + s.len - n, end, n) == 0;
}

/* Tables that rows are picked from, one per token. */
static bool is_table(const gol_model_file *file, gol_str name)
{
    if (gol_str_is(name, "position_embd.weight"))
        return true;
    return gol_str_is(name, "token_embd.weight") &&
           gol_model_file_find_tensor(file, GOL_STR("output.weight")) != NULL;
}

static bool is_behind_last_attention(gol_str name, int32_t n_layers)
{
    char prefix[32];
    const int n = snprintf(prefix, sizeof prefix, "blk.%" PRId32 ".", n_layers - 1);
    if (name.len < (size_t)n || memcmp(name.data, prefix, (size_t)n) != 0)
        return false;
    return !ends_with(name, "attn_q.weight") && !ends_with(name, "attn_k.weight") &&
           !ends_with(name, "attn_v.weight") && !ends_with(name, "attn_qkv.weight");
}

/* "ffn_up_exps.weight", or of older files "ffn_up.7.weight". */
static bool is_of_experts(const gol_tensor *t)
{
    if (t->n_dims == 3)
        return true;
    const char *dot = memchr(t->name.data, '.', t->name.len);
    int n_dots = 0;
    for (; dot; dot = memchr(dot + 1, '.', (size_t)(t->name.data + t->name.len - dot - 1)))
        n_dots++;
    return n_dots == 4; /* blk.N.ffn_up.E.weight */
}

/* Of n_bytes of experts, what a step of n_rows reads when rows are routed evenly. */
static double read_by(const gol_bench_weights *w, double n_bytes, double n_rows)
{
    return n_bytes * (1 - pow(1 - w->used_share, n_rows));
}

void gol_bench_weights_count(gol_bench_weights *out, const gol_model_file *file,
                             const gol_config *config)
{
    const gol_moe_config *moe = &config->moe;
    *out = (gol_bench_weights){0};
    out->used_share = moe->n_experts > 0 ? (double)moe->n_used / moe->n_experts : 1;
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        if (t->n_dims < 2 || is_table(file, t->name))
            continue;
        const bool is_logits = gol_str_is(t->name, "output.weight") ||
                               gol_str_is(t->name, "token_embd.weight");
        const bool is_expert = moe->n_experts > 0 && is_of_experts(t);
        const double n_params = (double)t->n_elements * (is_expert ? out->used_share : 1);
        const double n_bytes = (double)t->n_bytes;
        if (is_logits || is_behind_last_attention(t->name, config->n_layers)) {
            out->output_params += n_params;
            *(is_expert ? &out->output_expert_bytes : &out->output_bytes) += n_bytes;
        } else {
            out->row_params += n_params;
            *(is_expert ? &out->row_expert_bytes : &out->row_bytes) += n_bytes;
        }
    }
}

/* One layer's attention: bytes and operations per position that a row sees. */
typedef struct layer_cost {
    double n_bytes;
    double n_ops;
    int32_t window;
} layer_cost;

static layer_cost cost_of_layer(const gol_model *model, gol_kv_layer_shape layer, int32_t i,
                                gol_kv_type kv_type)
{
    enum { BLOCKS = 64 }; /* many, so that what aligns the layer's ends vanishes */
    gol_backend *be = gol_model_backend(model);
    const gol_kv_shape shape = {.type = kv_type,
                                .n_layers = 1,
                                .n_blocks = BLOCKS,
                                .block_size = GOL_BENCH_BLOCK_SIZE,
                                .layers = &layer};
    const gol_config *config = gol_model_config(model);
    const gol_layer_config *l = &config->layers[i];
    return (layer_cost){
        .n_bytes = layer.n_kv_heads > 0
                       ? (double)be->ops->kv_bytes(be, &shape) / (BLOCKS * GOL_BENCH_BLOCK_SIZE)
                       : 0,
        .n_ops = 2.0 * l->n_heads * (config->head_dim_k + config->head_dim_v),
        .window = l->window,
    };
}

/* Sum over rows at positions [first, first + n) of how many positions each sees. */
static double n_seen(int32_t first, int32_t n, int32_t window)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t position = first + i;
        sum += window > 0 && position >= window ? window : position + 1;
    }
    return sum;
}

/* Prefill reads the cache once per step; decode reads it once per token. */
static gol_bench_cost cost_of_attention(const gol_bench_test *test, const layer_cost *layer)
{
    const bool is_prefill = test->n_prompt > 0;
    const int32_t n = is_prefill ? test->n_prompt : test->n_gen;
    const double n_pairs = n_seen(test->n_depth, n, layer->window) * test->n_batch;
    double n_read = n_pairs;
    if (is_prefill) {
        n_read = 0;
        for (int32_t done = 0; done < n; done += GOL_BENCH_STEP_TOKENS) {
            const int32_t n_left = n - done;
            const int32_t n_step = n_left < GOL_BENCH_STEP_TOKENS ? n_left : GOL_BENCH_STEP_TOKENS;
            const int32_t end = test->n_depth + done + n_step;
            const bool is_cut = layer->window > 0 && end > layer->window + n_step;
            n_read += is_cut ? layer->window + n_step : end;
        }
    }
    return (gol_bench_cost){.n_bytes = n_read * layer->n_bytes, .n_ops = n_pairs * layer->n_ops};
}

gol_bench_cost gol_bench_cost_of(const gol_bench_test *test, const gol_bench_weights *weights,
                                 const gol_model *model, gol_kv_type kv_type)
{
    const double n_rows = (double)gol_bench_test_n_tokens(test);
    double n_steps = test->n_gen;
    double n_outputs = n_rows, n_output_steps = n_steps;
    if (test->n_prompt > 0) {
        n_steps = (test->n_prompt + GOL_BENCH_STEP_TOKENS - 1) / GOL_BENCH_STEP_TOKENS;
        n_outputs = n_output_steps = 1;
    }
    gol_bench_cost cost = {
        .n_bytes = n_steps * weights->row_bytes + n_output_steps * weights->output_bytes,
        .n_ops = 2 * (n_rows * weights->row_params + n_outputs * weights->output_params),
    };
    cost.n_bytes += n_steps * read_by(weights, weights->row_expert_bytes, n_rows / n_steps) +
                    n_output_steps *
                        read_by(weights, weights->output_expert_bytes, n_outputs / n_output_steps);
    const int32_t n_layers = gol_model_config(model)->n_layers;
    gol_kv_layer_shape *layers = gol_xalloc((size_t)n_layers * sizeof *layers);
    gol_model_kv_layers(model, layers);
    for (int32_t i = 0; i < n_layers; i++) {
        const layer_cost layer = cost_of_layer(model, layers[i], i, kv_type);
        const gol_bench_cost attention = cost_of_attention(test, &layer);
        cost.n_bytes += attention.n_bytes;
        cost.n_ops += attention.n_ops;
    }
    gol_free(layers);
    return cost;
}
