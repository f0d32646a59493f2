/*
 * How long a step will take, learned from the steps before it, so that the scheduler can fill a step up to a duration. Three
 * parts, because they grow with different things:
 *
 *     rows        everything but the other two: a curve over the number of rows, piecewise linear between fixed knots. Few rows cost
 *                 what reading the weights costs, many what multiplying them costs.
 *     attention   proportional to pairs (row, position it looks at), with a price of their own for rows that decode (each
 *                 reads its context alone) and for rows of a prompt (which share it).
 *     scores      proportional to the rows of prompts that are scored: their logits and log-probabilities, which other rows of
 *                 prompts do without.
 *
 * The cost of a load is that of an undisturbed step. What makes a step longer than it need be (another program, a stopped machine)
 * comes and goes, and nothing makes it shorter. So a time below the prediction is believed, and the prediction moves by half of the
 * error; one above it only as far as the step before of that size was above it too, and it moves by a quarter. One slow step
 * changes nothing, a change that lasts is learned within some ten steps. The curve never falls: a step of more rows is never
 * predicted to be shorter.
 *
 * Before anything was seen it is 0. Sizes beyond those that were seen follow by the rule that each row costs the same, which is too much
 * (weights are read once for all), and are corrected by the first look; sizes between two that were seen lie on the line between
 * them. A scored row counts as two until one was seen.
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
    int32_t n_scored_rows;   /* of n_rows: read for scores of a prompt */
} gol_step_load;

typedef struct gol_step_cost {
    double rows_ns[GOL_STEP_COST_KNOTS]; /* at the knots' numbers of rows, never falling */
    bool is_seen[GOL_STEP_COST_KNOTS];
    double decode_pair_ns;
    double prefill_pair_ns;
    double scored_row_ns; /* 0: none was seen */
    /* Of the last step of each kind, seen to predicted; 0: there was none. */
    double last_ratio[GOL_STEP_COST_KNOTS];
    double last_decode_ratio;
    double last_prefill_ratio;
    double last_scored_ratio;
} gol_step_cost;

/* n rows of a sequence from position `first` on, decoding or of a prompt. Those at positions [scores_begin, scores_end) are
 * scored. */
typedef struct gol_slice {
    int32_t first;
    int32_t n;
    bool is_decode;
    int32_t scores_begin;
    int32_t scores_end;
} gol_slice;

/* What a step took. */
typedef struct gol_step_time {
    uint64_t step_ns;
    uint64_t attention_ns; /* of it */
    uint64_t
        scores_ns; /* of it, and not of attention: logits of scored rows and what is made of them */
} gol_step_time;

gol_step_load gol_step_load_of(const gol_slice *slice);
void gol_step_load_add(gol_step_load *sum, const gol_step_load *load);

void gol_step_cost_init(gol_step_cost *cost);

void gol_step_cost_observe(gol_step_cost *cost, const gol_step_load *load,
                           const gol_step_time *time);

/* In nanoseconds; 0 before the first observation. Not less for a load that is not less. */
double gol_step_cost_predict(const gol_step_cost *cost, const gol_step_load *load);

/* How many rows of a prompt's slice, from its first on, a step which has `load` already can take without being predicted longer
 * than limit_ns; all before the first observation. O(log n). */
int32_t gol_step_cost_rows_within(const gol_step_cost *cost, const gol_step_load *load,
                                  const gol_slice *slice, double limit_ns);

#endif
