/*
 * The routing of a mixture of experts in host memory.
 */
#ifndef GOL_BACKEND_CPU_MOE_CPU_H
#define GOL_BACKEND_CPU_MOE_CPU_H

#include "backend/backend.h"

struct gol_moe {
    int32_t n_tokens_max;
    int32_t n_experts;
    int32_t n_used;
    int32_t n_tokens; /* of the batch at hand */
    int32_t *ids;     /* [n_tokens][n_used] expert of a slot */
    int32_t *rows;    /* [n_tokens][n_used] row of a slot */
    int32_t *tokens;  /* [n_tokens * n_used] token of a row */
    int32_t *first;   /* [n_experts + 1] first row of an expert; the last: number of rows */
    float *weights;   /* [n_tokens][n_used] */
};

#endif
