/*
 * The forward pass by its definition, in double, straight from a model file: no cache, no batches, no ops. The independent answer
 * for tests of the model layer, good for llama and gpt2 as tiny_model.h writes them (heads and sizes are that header's).
 */
#ifndef TESTS_SUPPORT_DOUBLE_MODEL_H
#define TESTS_SUPPORT_DOUBLE_MODEL_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/model_file.h"
#include "support/tiny_model.h"

enum { DOUBLE_TOKENS_MAX = 128 };

/* All values of a tensor, or NULL: the caller frees. */
static inline float *double_tensor(const gol_model_file *file, int il, const char *name)
{
    char full[128];
    if (il >= 0)
        snprintf(full, sizeof full, "blk.%d.%s", il, name);
    else
        snprintf(full, sizeof full, "%s", name);
    const gol_tensor *t = gol_model_file_find_tensor(file, gol_str_from(full));
    if (!t)
        return NULL;
    float *x = malloc(t->n_elements * sizeof *x);
    gol_type_get(t->type)->dequant(x, t->data, t->n_elements);
    return x;
}

/* out[n_out] = w x (+ b), for the rows from `first` of the tensor. */
static inline void double_linear(double *out, const double *x, const gol_model_file *file, int il,
                                 const char *name, int first, int n_out, int n_in)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    float *w = double_tensor(file, il, full);
    snprintf(full, sizeof full, "%s.bias", name);
    float *b = double_tensor(file, il, full);
    for (int o = 0; o < n_out; o++) {
        out[o] = b ? (double)b[first + o] : 0.0;
        for (int i = 0; i < n_in; i++)
            out[o] += (double)w[(first + o) * n_in + i] * x[i];
    }
    free(w);
    free(b);
}

static inline void double_norm(double *out, const double *x, const gol_model_file *file, int il,
                               const char *name, bool is_rms)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    float *w = double_tensor(file, il, full);
    snprintf(full, sizeof full, "%s.bias", name);
    float *b = double_tensor(file, il, full);
    double mean = 0;
    double squares = 0;
    for (int i = 0; i < TINY_EMBD && !is_rms; i++)
        mean += x[i] / TINY_EMBD;
    for (int i = 0; i < TINY_EMBD; i++)
        squares += (x[i] - mean) * (x[i] - mean) / TINY_EMBD;
    for (int i = 0; i < TINY_EMBD; i++)
        out[i] = (x[i] - mean) / sqrt(squares + (double)1e-5f) * (double)w[i] +
                 (b ? (double)b[i] : 0.0);
    free(w);
    free(b);
}

/* Adjacent pairs of each head; factors as in rope_freqs.weight or NULL. */
static inline void double_rope(double *x, int n_heads, int position, const float *factors)
{
    for (int h = 0; h < n_heads; h++) {
        for (int i = 0; i < TINY_HEAD_DIM / 2; i++) {
            double *pair = x + h * TINY_HEAD_DIM + 2 * i;
            const double freq = pow(10000.0, -2.0 * i / TINY_HEAD_DIM) /
                                (factors ? (double)factors[i] : 1.0);
            const double a = pair[0];
            const double b = pair[1];
            pair[0] = a * cos(position * freq) - b * sin(position * freq);
            pair[1] = a * sin(position * freq) + b * cos(position * freq);
        }
    }
}

typedef struct double_layer {
    double k[DOUBLE_TOKENS_MAX][TINY_EMBD];
    double v[DOUBLE_TOKENS_MAX][TINY_EMBD];
} double_layer;

/* out[TINY_EMBD]: all heads of the row at position t. */
static inline void double_attend(double *out, const double *q, const double_layer *l, int t,
                                 int n_kv_heads)
{
    for (int h = 0; h < TINY_HEADS; h++) {
        const int kv = h / (TINY_HEADS / n_kv_heads) * TINY_HEAD_DIM;
        double weights[DOUBLE_TOKENS_MAX];
        double total = 0;
        for (int p = 0; p <= t; p++) {
            double score = 0;
            for (int d = 0; d < TINY_HEAD_DIM; d++)
                score += q[h * TINY_HEAD_DIM + d] * l->k[p][kv + d];
            weights[p] = exp(score / sqrt(TINY_HEAD_DIM));
            total += weights[p];
        }
        for (int d = 0; d < TINY_HEAD_DIM; d++) {
            out[h * TINY_HEAD_DIM + d] = 0;
            for (int p = 0; p <= t; p++)
                out[h * TINY_HEAD_DIM + d] += weights[p] / total * l->v[p][kv + d];
        }
    }
}

static inline void double_feed_forward(double *out, const double *x, const gol_model_file *file,
                                       int il, bool is_gpt2)
{
    double up[TINY_FF];
    double gate[TINY_FF];
    double_linear(up, x, file, il, "ffn_up", 0, TINY_FF, TINY_EMBD);
    if (!is_gpt2)
        double_linear(gate, x, file, il, "ffn_gate", 0, TINY_FF, TINY_EMBD);
    for (int i = 0; i < TINY_FF; i++) {
        const double u = up[i];
        if (is_gpt2)
            up[i] = 0.5 * u *
                    (1 + tanh(sqrt(2 / 3.14159265358979323846) * (u + 0.044715 * u * u * u)));
        else
            up[i] = gate[i] / (1 + exp(-gate[i])) * u;
    }
    double_linear(out, up, file, il, "ffn_down", 0, TINY_EMBD, TINY_FF);
}

/* logits[n_tokens][TINY_VOCAB]. */
static inline void double_forward(double *logits, const gol_model_file *file, const int32_t *tokens,
                                  int n_tokens)
{
    float *embd = double_tensor(file, -1, "token_embd.weight");
    float *position_embd = double_tensor(file, -1, "position_embd.weight");
    float *factors = double_tensor(file, -1, "rope_freqs.weight");
    const bool is_gpt2 = position_embd != NULL;
    const bool is_tied = gol_model_file_find_tensor(file, GOL_STR("output.weight")) == NULL;
    const int n_kv_heads = is_gpt2 ? TINY_HEADS : TINY_KV_HEADS;
    const int n_kv = n_kv_heads * TINY_HEAD_DIM;
    const char *const names[3] = {is_gpt2 ? "attn_qkv" : "attn_q", is_gpt2 ? "attn_qkv" : "attn_k",
                                  is_gpt2 ? "attn_qkv" : "attn_v"};
    double_layer *layers = malloc(TINY_LAYERS * sizeof *layers);
    for (int t = 0; t < n_tokens; t++) {
        double x[TINY_EMBD];
        double h[TINY_EMBD];
        double q[TINY_EMBD];
        double more[TINY_EMBD];
        for (int i = 0; i < TINY_EMBD; i++)
            x[i] = (double)embd[tokens[t] * TINY_EMBD + i] +
                   (is_gpt2 ? (double)position_embd[t * TINY_EMBD + i] : 0.0);
        for (int il = 0; il < TINY_LAYERS; il++) {
            double_layer *l = &layers[il];
            double_norm(h, x, file, il, "attn_norm", !is_gpt2);
            double_linear(q, h, file, il, names[0], 0, TINY_EMBD, TINY_EMBD);
            double_linear(l->k[t], h, file, il, names[1], is_gpt2 ? TINY_EMBD : 0, n_kv, TINY_EMBD);
            double_linear(l->v[t], h, file, il, names[2], is_gpt2 ? 2 * TINY_EMBD : 0, n_kv,
                          TINY_EMBD);
            if (!is_gpt2) {
                double_rope(q, TINY_HEADS, t, factors);
                double_rope(l->k[t], n_kv_heads, t, factors);
            }
            double_attend(h, q, l, t, n_kv_heads);
            double_linear(more, h, file, il, "attn_output", 0, TINY_EMBD, TINY_EMBD);
            for (int i = 0; i < TINY_EMBD; i++)
                x[i] += more[i];
            double_norm(h, x, file, il, "ffn_norm", !is_gpt2);
            double_feed_forward(more, h, file, il, is_gpt2);
            for (int i = 0; i < TINY_EMBD; i++)
                x[i] += more[i];
        }
        double_norm(h, x, file, -1, "output_norm", !is_gpt2);
        double_linear(logits + t * TINY_VOCAB, h, file, -1, is_tied ? "token_embd" : "output", 0,
                      TINY_VOCAB, TINY_EMBD);
    }
    free(embd);
    free(position_embd);
    free(factors);
    free(layers);
}

#endif
