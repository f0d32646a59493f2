/* Between this tool's files: what stands in a made model before any value is made. */
#ifndef GOL_MAKE_MODEL_MODEL_PLAN_H
#define GOL_MAKE_MODEL_MODEL_PLAN_H

#include "make_model/make_model.h"

typedef struct plan_tensor {
    gol_tensor tensor;
    float mean;
    float deviation;
    bool is_rope_freqs;
    bool is_plain; /* F32, whatever the mixture says */
} plan_tensor;

typedef struct model_plan {
    const make_model_options *options;
    gol_arena arena;
    plan_tensor *tensors; /* [n_max] */
    uint32_t n;
    uint32_t n_max;
    bool failed; /* out of memory */
} model_plan;

/* A name in the plan's arena; sets failed when there is no room. */
gol_str make_model_keep(model_plan *plan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The list of tensors, with types. GOL_EINVAL: rows are no whole blocks of the type. */
int make_model_plan_tensors(model_plan *plan, uint32_t n_vocab, gol_err *err);

/* Every key but the tokenizer's. */
void make_model_add_keys(gol_gguf_writer *w, model_plan *plan, uint32_t n_vocab);

/* The tokenizer's keys; strings live in the arena. */
int make_model_add_vocab(gol_gguf_writer *w, gol_arena *arena, const make_model_shape *shape,
                         uint32_t n_vocab, gol_err *err);

enum { MAKE_MODEL_SSM_CONV = 4 };

bool make_model_is_recurrent(const make_model_shape *shape, uint32_t layer);
uint32_t make_model_head_dim(const make_model_shape *shape);

/* y = blocks of elements first .. first + n - 1 of tensor `stream` (its place in the plan); first and n are whole blocks of
 * every type, except for the last n. values: scratch of n floats. */
int make_model_fill(void *y, float *values, size_t n, uint64_t first, uint32_t stream,
                    const make_model_options *options, const plan_tensor *t, gol_err *err);

#endif
