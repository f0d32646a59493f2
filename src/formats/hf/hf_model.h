/*
 * What the files of formats/hf/ share: a Hugging Face folder on its way into GGUF's vocabulary. A family (hf_<name>.c) says for
 * one or more of the library's model classes which keys of config.json become which metadata, and which tensors become which,
 * by tables of rules; hf_rules.c obeys these, hf_changes.c has the changes of data that they name.
 */
#ifndef GOL_FORMATS_HF_MODEL_H
#define GOL_FORMATS_HF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str_table.h"
#include "formats/file_format.h"
#include "formats/json_doc.h"
#include "formats/safetensors.h"

enum {
    GOL_HF_TEXT_MAX = 64 << 20, /* bytes of one JSON or text file: what a GGUF string may have */
    GOL_HF_SHARDS_MAX = 999,
    GOL_HF_META_MAX = 128, /* keys that we make of a folder */
    GOL_HF_NAME_MAX = 256, /* bytes of a tensor name that a rule can make */
    GOL_HF_LAYERS_MAX = 1024,
    GOL_HF_EXPERTS_MAX = 1024,
    GOL_HF_RULE_TABLES_MAX = 4,
    GOL_HF_MODULES_MAX = 2, /* linear layers behind a pooling: what GGUF has names for */
    GOL_HF_MODULE_NAME_MAX = 64,
    GOL_HF_MODEL_NAME_MAX = 256,
};

#define GOL_HF_ZEROS UINT32_MAX /* in answer_rows: no row of the source, but zeros */

/* A tensor of the folder. */
typedef struct gol_hf_source {
    const gol_safetensor *tensor;
    int part;                          /* which file of the folder */
    const uint8_t *data;               /* tensor->n_bytes, any alignment */
    const struct gol_hf_source *scale; /* of 8-bit or 4-bit floats; NULL: none */
    bool is_used;
} gol_hf_source;

struct gol_hf_recipe;

/* A change between a source's elements and the tensor's. plan() turns type and shape, which come as the source's (fastest first),
 * into the result's; false: the source has no shape that this can be done with. apply() gets one source's elements, already of the
 * tensor's type, and writes the part of the tensor that this source makes; NULL: elements stay as they are. */
typedef struct gol_hf_change {
    const char *name; /* for messages: "cannot be <name>" */
    bool (*plan)(struct gol_hf_recipe *recipe, gol_tensor *tensor);
    void (*apply)(const struct gol_hf_recipe *recipe, const gol_tensor *tensor, uint8_t *dst,
                  const uint8_t *src);
    bool takes_bytes; /* apply() gets the source as it is in the file, whatever its numbers are */
} gol_hf_change;

/* How a tensor is made. */
typedef struct gol_hf_recipe {
    const gol_hf_change *change; /* NULL: none */
    const gol_hf_source *const
        *stack;         /* [n_sources]: one per expert; stack[0] alone when it is no stack */
    uint32_t n_sources; /* 0: data was made from the configuration */
    uint32_t n_heads;   /* what the changes of attention need */
    uint32_t n_kv_heads;
    uint32_t n_groups;
    uint32_t n_skipped;      /* rows at the beginning of a table that are left out */
    uint32_t answer_rows[2]; /* of a reranker's two answers, the good one first; or GOL_HF_ZEROS */
    uint64_t first;          /* elements of the source that are skipped */
} gol_hf_recipe;

/* One row of a family's table. In both names '#' stands for the layer; in `from` '@' for the expert, '%' for the head, '&' for the
 * key-value head: all of these are stacked; '~' for what the folder's names begin with; a '*' at the end for "weight" and "bias".
 * A source that is not there makes no tensor: what a model must have is known to the model layer. */
typedef struct gol_hf_rule {
    const char *to; /* NULL: the source is known and left out on purpose */
    const char *from;
    const gol_hf_change *change;
} gol_hf_rule;

typedef struct gol_hf gol_hf;

/* What the class has where config.json says nothing: files of models in several parts leave out what is the class's default. */
typedef struct gol_hf_default {
    const char *key;
    double value;
} gol_hf_default;

/* Whether a folder of Qwen3 is a reranker, once somebody has looked. */
typedef enum gol_hf_reranker {
    GOL_HF_RERANKER_UNKNOWN,
    GOL_HF_RERANKER_YES,
    GOL_HF_RERANKER_NO,
} gol_hf_reranker;

typedef struct gol_hf_family {
    const char *class_name; /* config.json: architectures[0] */
    const char *arch;       /* general.architecture */
    void (*read)(gol_hf *hf);
    const gol_hf_rule *rules[GOL_HF_RULE_TABLES_MAX]; /* each ends with an empty row */
    const char *const *prefixes; /* what '~' may be; the first with which `anchor` is there */
    const char *anchor;
    bool is_tied; /* tie_word_embeddings when config.json has none */
    /* Of the families of one class the first whose model this is. NULL: any. */
    bool (*is_model)(gol_hf *hf);
    const gol_hf_default *defaults; /* ends with a NULL key; NULL: none */
    bool answers;                   /* its score is of two tokens' logits: takes LogitScore */
} gol_hf_family;

struct gol_hf {
    gol_model_file *file;
    const gol_hf_family *family;
    json_t *config;     /* config.json, or the part of it that is about text */
    json_t *whole;      /* config.json */
    json_t *generation; /* generation_config.json, or NULL */
    gol_arena *arena;   /* of the file's first part: lives as long as the file */
    gol_meta *meta;     /* [GOL_HF_META_MAX] */
    size_t n_meta;
    gol_hf_source *sources; /* [n_sources] */
    size_t n_sources;
    gol_str_table source_names;
    gol_tensor *tensors; /* [cap] */
    size_t n_tensors;
    size_t tensors_cap;
    const char *prefix;
    char modules[GOL_HF_MODULES_MAX][GOL_HF_MODULE_NAME_MAX]; /* the folders of linear layers */
    int n_modules;
    bool has_logit_score;    /* modules.json names a LogitScore, */
    uint32_t logit_score[2]; /* of these tokens, the good one first */
    gol_hf_reranker reranker;
    int n_shards; /* parts of the model itself; those of the modules follow */
    /* Set by gol_hf_put_sizes() and the family, for rules and changes. */
    uint32_t n_layers;
    uint32_t n_embd;
    uint32_t n_heads;
    uint32_t n_kv_heads;
    uint32_t head_dim;
    uint32_t n_experts;
    uint32_t n_groups;  /* of a state-space layer's norm */
    uint32_t n_skipped; /* of the table of positions */
    uint32_t answer_rows[2];
    int rc; /* the first failure sticks */
    gol_err *err;
};

/* ---- config.json (hf_config.c). null counts as absent. After a failure they return 0 and do nothing. ---- */

/* hf->rc and err: "config.json: key: ..." */
void gol_hf_refuse(gol_hf *hf, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const json_t *gol_hf_find(gol_hf *hf, const char *key); /* NULL: absent; "a.b": b in a */
bool gol_hf_has(gol_hf *hf, const char *key);
uint32_t gol_hf_u32(gol_hf *hf, const char *key); /* must be there */
uint32_t gol_hf_u32_or(gol_hf *hf, const char *key, uint32_t otherwise);
double gol_hf_real(gol_hf *hf, const char *key);
double gol_hf_real_or(gol_hf *hf, const char *key, double otherwise);
bool gol_hf_bool_or(gol_hf *hf, const char *key, bool otherwise);
gol_str gol_hf_text_or(gol_hf *hf, const char *key, const char *otherwise);
/* The first of two names that is there; NULL: none. */
const char *gol_hf_key(gol_hf *hf, const char *a, const char *b);

/* Metadata. name: "<arch>." is put before it. Strings are copied. What is put again replaces what was there. */
void gol_hf_put_u32(gol_hf *hf, const char *name, uint32_t v);
void gol_hf_put_f32(gol_hf *hf, const char *name, double v);
void gol_hf_put_bool(gol_hf *hf, const char *name, bool v);
void gol_hf_put_str(gol_hf *hf, const char *name, gol_str v);
void gol_hf_put_u32s(gol_hf *hf, const char *name, const uint32_t *v, size_t n);
void gol_hf_put_bools(gol_hf *hf, const char *name, const bool *v, size_t n);
void gol_hf_put_strs(gol_hf *hf, const char *name, const char *const *v, size_t n);
/* The whole key; the value is viewed. */
void gol_hf_put_meta(gol_hf *hf, const char *key, const gol_value *value);

/* One more tensor for the caller to fill; NULL: out of memory. */
gol_tensor *gol_hf_add_tensor(gol_hf *hf);
/* A tensor of floats that the configuration says: [n], copied. */
void gol_hf_put_floats(gol_hf *hf, const char *name, const float *v, size_t n);

/* ---- what many families have (hf_common.c) ---- */

/* context_length, embedding_length, block_count, heads; feed_forward_length too unless the family has another; sets the sizes. */
void gol_hf_put_sizes(gol_hf *hf);
void gol_hf_put_ffn(gol_hf *hf, const char *key); /* feed_forward_length from this key */
void gol_hf_put_rms_eps(gol_hf *hf);
void gol_hf_put_layer_eps(gol_hf *hf, const char *key);
/* rope.dimension_count, freq_base, scaling; tensors of factors (hf_rope.c). */
void gol_hf_put_rope(gol_hf *hf);
/* rope.freq_base_swa of layers with a window, or the number where config.json has none; 0: then nothing is put. */
void gol_hf_put_local_rope(gol_hf *hf, double otherwise);
void gol_hf_put_experts(gol_hf *hf);
/* attention.sliding_window when the configuration has one, and which layers have it when it says so. */
void gol_hf_put_window(gol_hf *hf);
/* attention.sliding_window_pattern: each n-th layer is without a window, or a truth value for each of n_layers. */
void gol_hf_put_window_layers(gol_hf *hf, const bool *has_window);
/* Whether layer_types[i] is one of the words ('|' between them), for each layer; false: the configuration has no layer_types. */
bool gol_hf_layer_types(gol_hf *hf, const char *words, bool out[static GOL_HF_LAYERS_MAX]);
/* hidden_act (or that key) is one of these, '|' between them; anything else is unsupported. */
void gol_hf_require_act(gol_hf *hf, const char *key, const char *accepted);

/* Encoders: how many token types there are, and that every token sees all others (hf_bert.c). */
void gol_hf_put_types(gol_hf *hf);
/* What looks at pictures is left out: texts never reach it. */
void gol_hf_leave_pictures_out(gol_hf *hf);

/* ---- what sentence-transformers put beside a model (hf_modules.c) ---- */

/* The linear layers that modules.json names, into hf->modules; a module that changes vectors in another way is refused. */
void gol_hf_list_modules(gol_hf *hf);
/* dense_N_feat_in and _out of these; N from 2. */
void gol_hf_put_dense(gol_hf *hf);
/* pooling_type, where 1_Pooling/config.json says how a text becomes one vector. */
void gol_hf_put_pooling(gol_hf *hf);

/* ---- rerankers of Qwen3's classes (hf_rerank.c) ---- */

/* gol_hf_family.is_model: scores by two tokens' logits; and those whose matrix for logits is the table of tokens. */
bool gol_hf_is_reranker(gol_hf *hf);
bool gol_hf_is_tied_reranker(gol_hf *hf);
/* What such a one has beyond its class's metadata, and answer_rows: by its tokens, or by its tensor score.weight. */
void gol_hf_put_answers(gol_hf *hf);
void gol_hf_put_scores(gol_hf *hf);

/* ---- families: hf_families.c lists them ---- */

extern const gol_hf_family gol_hf_families_llama[];
extern const gol_hf_family gol_hf_families_gpt2[];
extern const gol_hf_family gol_hf_families_gemma[];
extern const gol_hf_family gol_hf_families_granite[];
extern const gol_hf_family gol_hf_families_fused[];
extern const gol_hf_family gol_hf_families_layer_norm[];
extern const gol_hf_family gol_hf_families_mamba[];
extern const gol_hf_family gol_hf_families_gpt_oss[];
extern const gol_hf_family gol_hf_families_bert[];
extern const gol_hf_family gol_hf_families_nomic[];
const gol_hf_family *gol_hf_family_find(gol_hf *hf, gol_str class_name); /* NULL: none */

/* ---- tensors ---- */

/* All rules of the family; every source must have a place (hf_rules.c). */
void gol_hf_apply_rules(gol_hf *hf);
const gol_hf_source *gol_hf_find_source(const gol_hf *hf, gol_str name);

extern const gol_hf_change gol_hf_f32; /* widened: takes part in sums, or others expect it so */
extern const gol_hf_change gol_hf_permute_q; /* rotary pairs: from halves of a head to neighbours */
extern const gol_hf_change gol_hf_permute_k;
extern const gol_hf_change gol_hf_plus_one;
extern const gol_hf_change gol_hf_transpose; /* [in][out] to [out][in] */
extern const gol_hf_change
    gol_hf_ungroup_qkv; /* rows of (q.., k, v) per key-value head to all q, all k, all v */
extern const gol_hf_change gol_hf_first_half; /* of the rows, of each matrix */
extern const gol_hf_change gol_hf_second_half;
extern const gol_hf_change gol_hf_minus_exp;      /* -exp(x): the decay of a state-space layer */
extern const gol_hf_change gol_hf_column;         /* [n] to [n][1] */
extern const gol_hf_change gol_hf_squeeze;        /* [n][1][k] to [n][k] */
extern const gol_hf_change gol_hf_rows_of_groups; /* [n] to [groups][n / groups] */
extern const gol_hf_change gol_hf_answer_rows;    /* two rows alone (hf_rerank.c) */
extern const gol_hf_change gol_hf_later_rows;     /* without the first n_skipped, widened */

/* ---- the folder's files ---- */

enum { GOL_HF_PATH_MAX = 4096 };

/* "<folder>/<name>" of the model's folder; false: too long. */
bool gol_hf_path(const gol_hf *hf, char out[static GOL_HF_PATH_MAX], const char *name);
/* The whole file into the arena. 1: read, 0: there is none, < 0: error (hf->rc too). */
int gol_hf_read_text(gol_hf *hf, const char *name, gol_str *out);
/* The same as JSON; *out is to be released. */
int gol_hf_read_json(gol_hf *hf, const char *name, json_t **out);
int gol_hf_read_json_within(gol_hf *hf, const char *name, const gol_json_limits *limits,
                            json_t **out);
/* The last part of the path that says something: of a cache, the model's name and not its revision. */
gol_str gol_hf_model_name(const char *path, char buf[static GOL_HF_MODEL_NAME_MAX]);
/* Maps the files of the weights as the model's parts and lists their tensors (hf_shards.c). */
void gol_hf_open_shards(gol_hf *hf);
/* Tokenizer, chat template, sampling: texts handed on as they are (hf_texts.c). */
void gol_hf_put_texts(gol_hf *hf);

/* Bytes of a tensor without data (hf_make.c). */
int gol_hf_make(const gol_model_file *file, const gol_tensor *tensor, uint8_t *out, gol_err *err);
void gol_hf_drop(const gol_model_file *file, const gol_tensor *tensor);
/* The type that a source's numbers have here: 8-bit floats become BF16. false: none. */
bool gol_hf_source_type(const gol_hf_source *source, gol_type *type);

#endif
