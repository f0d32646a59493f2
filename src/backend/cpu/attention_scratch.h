/*
 * Memory of one worker in attention, for the longest context and the widest heads that were announced. In floats:
 *
 *     q        [ITEM_ROWS / ROWS] of [dim_k][ROWS]   query rows of the item, scaled, by tiles
 *     state    fold of [ITEM_ROWS]                   of the item, over the chunks so far
 *     part     fold of [ROWS]                        of one tile and chunk
 *     scores   [ROWS][STRIDE]
 *     saved    n_chunks folds of [SPLIT_ROWS]        chunks of an item that another worker has begun
 */
#ifndef GOL_BACKEND_CPU_ATTENTION_SCRATCH_H
#define GOL_BACKEND_CPU_ATTENTION_SCRATCH_H

#include "backend/cpu/attention_plan.h"
#include "backend/cpu/backend_cpu.h"

/* Softmax over some keys, unfinished: the weights exp(score - max) have this sum, and acc is the sum of weight times value.
 * A sum of 0 says that there was no key yet; acc is 0 then. */
typedef struct gol_attn_fold {
    float *acc; /* [n_rows][dim_v], padded */
    float *max; /* [n_rows] */
    float *sum; /* [n_rows] */
} gol_attn_fold;

typedef struct gol_attn_scratch {
    float *q;
    gol_attn_fold state;
    gol_attn_fold part;
    float *scores; /* of pos 0 in row 0 */
    float *saved;
    size_t saved_stride; /* floats of a fold in saved */
} gol_attn_scratch;

/* For heads of dim_k and (padded) dim_v numbers, which must have been announced. */
void gol_attn_scratch_get(gol_attn_scratch *out, const gol_backend_cpu *cpu, int ith, size_t dim_k,
                          size_t dim_v);
/* Fold number i of saved. */
gol_attn_fold gol_attn_scratch_saved(const gol_attn_scratch *s, int32_t i, size_t dim_v);

static inline size_t gol_attn_pad(size_t n)
{
    return (n + GOL_ATTN_LANES - 1) / GOL_ATTN_LANES * GOL_ATTN_LANES;
}

#endif
