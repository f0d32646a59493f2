/*
 * The candidates of one draw and the filters that thin them out. Candidates stand in the order of their ids throughout, so
 * nothing is ever sorted: a filter finds the depth at which to cut and closes the gaps.
 */
#ifndef GOL_ENGINE_SAMPLER_SELECT_H
#define GOL_ENGINE_SAMPLER_SELECT_H

#include <stdint.h>

#include "base/error.h"

typedef struct gol_candidates {
    int32_t n;
    int32_t *ids; /* [n] ascending */
    /* [n] distance below the most likely candidate in units of temperature, >= 0, +infinity allowed */
    float *depths;
    float *weights; /* [n] exp(-depth); filled before the filter by mass */
    double *mass;   /* scratch of the selection */
} gol_candidates;

/* Errors: GOL_ENOMEM; *c is then zeroed. */
int gol_candidates_init(gol_candidates *c, int32_t n_max, gol_err *err);
void gol_candidates_deinit(gol_candidates *c);
uint64_t gol_candidates_bytes(int32_t n_max); /* what init() allocates */

/* Keeps those with depth <= depth_max. */
void gol_candidates_keep_depth(gol_candidates *c, float depth_max);

/* Keeps the k most likely; of equals the lower ids. 1 <= k. */
void gol_candidates_keep_count(gol_candidates *c, int32_t k);

/* Keeps the fewest, most likely first and of equals the lower ids, whose weights sum to >= mass. At least one stays. */
void gol_candidates_keep_mass(gol_candidates *c, double mass);

/* Of those with weight >= weight_min only the least likely stays, of equals the highest id. */
void gol_candidates_drop_top(gol_candidates *c, double weight_min);

#endif
