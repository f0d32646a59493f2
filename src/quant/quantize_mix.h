/*
 * The named mixtures that people ask for ("Q4_K_M"): most matrices get one type, the few whose errors hurt most get
 * a better one, small tensors stay as they are. Names, numbers and choices are those of the field's quantizers, so
 * that a file of a given name is what its users expect.
 *
 *     const gol_mix *mix = gol_mix_find(GOL_STR("q4_k_m"));
 *     gol_mix_assign(mix, &model, tensors, n);        // fills tensors[i].wanted and .to
 */
#ifndef GOL_QUANT_QUANTIZE_MIX_H
#define GOL_QUANT_QUANTIZE_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "quant/types.h"

typedef struct gol_mix {
    const char *name;
    gol_type type;      /* of most matrices */
    uint32_t file_type; /* general.file_type of such a file */
} gol_mix;

/* What the choice depends on beside the tensor. Unknown numbers are 0. */
typedef struct gol_mix_model {
    uint32_t n_layers;       /* 0: as many as the tensors' names tell */
    uint32_t n_heads_per_kv; /* query heads that share one attn_v: its errors count so many times */
    uint32_t n_experts;
    bool is_falcon; /* its fused attention and parallel blocks have choices of their own */
} gol_mix_model;

typedef struct gol_mix_tensor {
    gol_str name;
    int n_dims;
    uint64_t shape[4]; /* shape[0] is the row */
    gol_type from;
    gol_type wanted; /* out: the mixture's choice */
    gol_type to;     /* out: the same, or what replaces it because rows are no whole blocks of it */
} gol_mix_tensor;

const gol_mix *gol_mix_find(gol_str name); /* any case; NULL: none */
const gol_mix *gol_mix_get(int i);         /* NULL after the last */

/* All tensors of the model at once: the choice for one depends on which others there are. */
void gol_mix_assign(const gol_mix *mix, const gol_mix_model *model, gol_mix_tensor *tensors,
                    size_t n);

#endif
