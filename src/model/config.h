/*
 * What distinguishes one transformer from another, as data: sizes and traits. An architecture file (arch_*.c) fills it from the
 * model file's metadata; forward.c obeys it and knows no architecture by name.
 */
#ifndef GOL_MODEL_CONFIG_H
#define GOL_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "formats/model_file.h"

enum {
    GOL_LAYERS_MAX = 1024,
    GOL_EMBD_MAX = 1 << 17,
    GOL_FF_MAX = 1 << 20,
    GOL_HEADS_MAX = 4096,
    GOL_HEAD_DIM_MAX = 4096,
    GOL_QKV_MAX = 1 << 20, /* heads * head_dim of a layer */
    GOL_CTX_MAX = 1 << 27,
    GOL_VOCAB_MAX = 1 << 24
};

typedef enum gol_norm_kind {
    GOL_NORM_RMS,
    GOL_NORM_LAYER, /* mean removed, bias allowed */
} gol_norm_kind;

typedef enum gol_rope_scaling {
    GOL_ROPE_SCALING_NONE,
    GOL_ROPE_SCALING_LINEAR,
    GOL_ROPE_SCALING_YARN,
} gol_rope_scaling;

typedef struct gol_rope_config {
    gol_rope_kind kind;
    gol_rope_scaling scaling;
    int32_t n_rot;
    float freq_base;
    float factor;          /* context stretch, 1 when not scaled */
    int32_t n_ctx_orig;    /* context before scaling */
    float attn_factor;     /* multiplies cos and sin */
    float yarn_ext_factor; /* 1 with YaRN unless the file says otherwise */
    float yarn_beta_fast;  /* 32 */
    float yarn_beta_slow;  /* 1 */
} gol_rope_config;

/* One layer; arrays in the metadata may make layers differ. */
typedef struct gol_layer_config {
    int32_t n_heads;
    int32_t n_kv_heads;
    int32_t n_ff;
    int32_t window; /* sliding window in tokens; 0: none */
} gol_layer_config;

typedef struct gol_config {
    char arch[64]; /* general.architecture */
    int32_t n_vocab;
    int32_t n_embd;
    int32_t n_layers;
    int32_t n_ctx_train;
    int32_t head_dim_k;
    int32_t head_dim_v;
    int32_t n_positions; /* rows of the learned position table; 0: none */

    gol_norm_kind norm_kind;
    float norm_eps;
    gol_activation act;
    bool is_gated;      /* ffn: act(gate) * up; otherwise act(up) */
    bool has_fused_qkv; /* one attn_qkv tensor: rows of q, then k, then v */
    gol_rope_config rope;
    float attn_scale; /* of q·k, usually 1 / sqrt(head_dim_k) */

    gol_layer_config *layers; /* [n_layers], owned */
} gol_config;

/* An architecture: const struct in the array of arch.c. Adding one = one file + one golden test (model/README.md). */
typedef struct gol_arch {
    const char *name; /* general.architecture */
    /* Fills *config, whose common part (sizes, heads, rotary embedding, vocabulary) is already there. Errors: GOL_EMODEL, GOL_EUNSUPPORTED. */
    int (*read)(gol_config *config, const gol_model_file *file, gol_err *err);
} gol_arch;

const gol_arch *gol_arch_find(gol_str name); /* NULL: unknown */
void gol_arch_list(char *buf, size_t size);  /* "gpt2, llama", for messages */

/* Reads and checks everything: architecture, sizes against the limits above and against each other. */
int gol_config_read(gol_config *out, const gol_model_file *file, gol_err *err);
void gol_config_deinit(gol_config *config);

/* <arch>.<suffix> look-ups for architecture files, as gol_meta_u32() and friends: 1 found, 0 absent, < 0 error. */
int gol_config_u32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   uint32_t min, uint32_t max, int32_t *out, gol_err *err);
int gol_config_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   float min, float max, float *out, gol_err *err);

/* The same for a key that must be there: 0 or an error. */
int gol_config_require_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                           float min, float max, float *out, gol_err *err);
/* "<arch>.<suffix>" into buf, cut to its size. */
void gol_config_key(char *buf, size_t size, const gol_config *config, const char *suffix);

#endif
