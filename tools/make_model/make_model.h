/*
 * Model files of real shape with random weights, for tests and benches: right keys and tensor names, a
 * tokenizer that works, activations that stay finite. Deterministic: the same shape, type, vocabulary and seed
 * give the same bytes on every machine, with any number of threads.
 *
 *     const make_model_shape *shape = make_model_find_shape("llama", "tiny");
 *     const make_model_options options = {.shape = shape, .type = GOL_TYPE_Q8_0, .seed = 1};
 *     if (make_model_write("tiny.gguf", &options, &err))
 *         ...
 */
#ifndef GOL_MAKE_MODEL_MAKE_MODEL_H
#define GOL_MAKE_MODEL_MAKE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "formats/gguf.h"
#include "quant/quantize_mix.h"
#include "quant/types.h"

typedef enum make_model_vocab {
    MAKE_MODEL_VOCAB_SPM,   /* scored pieces, byte tokens */
    MAKE_MODEL_VOCAB_GEMMA, /* the same with Gemma's control tokens */
    MAKE_MODEL_VOCAB_BPE,   /* byte symbols, merges */
} make_model_vocab;

typedef struct make_model_shape {
    const char *arch;
    const char *name;
    uint32_t n_layers;
    uint32_t n_embd;
    uint32_t n_heads;
    uint32_t n_kv_heads;
    uint32_t head_dim; /* 0: n_embd / n_heads */
    uint32_t n_ff;
    uint32_t n_experts; /* of each layer's mixture; 0: dense */
    uint32_t n_used;    /* by a token */
    uint32_t n_ff_exp;
    uint32_t n_ctx;
    float norm_epsilon;
    float rope_base;         /* 0: learned positions */
    float rope_factor;       /* Llama 3's scaling of low frequencies; 0: none */
    float yarn_factor;       /* YaRN's stretching of the context; 0: none */
    uint32_t n_ctx_orig;     /* what YaRN stretches */
    uint32_t sliding_window; /* 0: none */
    uint32_t n_dense;   /* width between the two dense layers after an encoder's pooling; 0: none */
    uint32_t ssm_heads; /* Mamba2 in most layers; 0: all have attention */
    uint32_t ssm_head_dim;
    uint32_t ssm_state;
    uint32_t attn_period; /* with Mamba2: of so many layers the middle one has attention */
    bool has_qk_norm;
    bool has_post_norm; /* norms after attention and after the feed-forward part, too */
    bool has_biases;    /* of attention, router and experts */
    bool is_gpt_oss;    /* a sink per head, another name of the norm before the experts */
    bool is_tied;       /* token_embd is the output matrix too */
    make_model_vocab vocab;
    const char *pre;    /* pre-tokenizer of BPE */
    uint32_t n_special; /* control tokens of BPE, at the end */
    uint32_t n_vocab;
} make_model_shape;

typedef struct make_model_options {
    const make_model_shape *shape;
    /* Of matrices; norms, biases, positions are F32. Types without a quantizer get random blocks of the right size. */
    gol_type type;
    const gol_mix *mix; /* instead of type; NULL: none */
    bool byte_vocab;    /* only bytes and control tokens, whatever the shape says */
    uint64_t seed;
} make_model_options;

/* arch may be NULL: the first shape of that name. NULL: none. */
const make_model_shape *make_model_find_shape(const char *arch, const char *name);
const make_model_shape *make_model_get_shape(int i); /* NULL at the end */

/* Tokens of the vocabulary, byte_vocab as in the options. */
uint32_t make_model_n_vocab(const make_model_shape *shape, bool byte_vocab);

bool make_model_can_write(gol_type type);

/* GOL_EINVAL: rows are no whole blocks of the type. Otherwise what the GGUF writer returns. */
int make_model_write(const char *path, const make_model_options *options, gol_err *err);

#endif
