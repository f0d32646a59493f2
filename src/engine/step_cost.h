/*
 * How long a step will take, learned from the steps before it, so that the scheduler can fill a step up to a duration. Two
 * parts, because they grow with different things:
 *
 *     rows        everything but attention: a curve over the number of rows, piecewise linear between fixed knots. Few rows cost
 *                 what reading the weights costs, many what multiplying them costs.
 *     attention   proportional to pairs (row, position it looks at), with a price of their own for rows that decode (each
 *                 reads its context alone) and for rows of a prompt (which share it).
 *
 * Every step moves the curve by a quarter of the error at its number of rows; one slow step changes little, a change that lasts
 * is learned within ten steps. The curve never falls: a step of more rows is never predicted to be shorter. Before anything was
 * seen it is 0, and after the first observation unseen parts follow from the seen ones by the rule that a row among many costs at
 * least an eighth of one alone.
 *
 * Owner: the engine's thread. No allocation, no clock: durations come from the caller.
 */
#ifndef GOL_ENGINE_STEP_COST_H
#define GOL_ENGINE_STEP_COST_H

#include <stdbool.h>
#include <stdint.h>

enum { GOL_STEP_COST_KNOTS = 24 };

/* What a step has to do. */
typedef struct gol_step_load {
    int32_t n_rows;
    int64_t n_decode_pairs;  /* sum of positions that rows of decoding sequences look at */
    int64_t n_prefill_pairs; /* of the other rows */
} gol_step_load;

typedef struct gol_step_cost {
    double rows_ns[GOL_STEP_COST_KNOTS]; /* at the knots' numbers of rows, never falling */
    bool is_seen[GOL_STEP_COST_KNOTS];
    double decode_pair_ns;
    double prefill_pair_ns;
} gol_step_cost;

/* A load of n rows that start at position `first` of one sequence. */
gol_step_load gol_step_load_of(int32_t first, int32_t n, bool is_decode);
void gol_step_load_add(gol_step_load *sum, const gol_step_load *load);

void gol_step_cost_init(gol_step_cost *cost);

/* A step took step_ns, of which attention_ns were attention. */
void gol_step_cost_observe(gol_step_cost *cost, const gol_step_load *load, uint64_t step_ns,
                           uint64_t attention_ns);

/* In nanoseconds; 0 before the first observation. Not less for a load that is not less. */
double gol_step_cost_predict(const gol_step_cost *cost, const gol_step_load *load);

/* The most rows, up to n_max, of a sequence's prompt from position `first` on that a step which has `load` already can take
 * without being predicted longer than limit_ns; n_max before the first observation. O(log n_max). */
int32_t gol_step_cost_rows_within(const gol_step_cost *cost, const gol_step_load *load,
                                  int32_t first, int32_t n_max, double limit_ns);

#endif
