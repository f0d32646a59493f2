/*
 * What of a step is still to be handed out: rows, and time as step_cost.h predicts it. Decodes are taken whatever they cost;
 * rows of prompts are granted as long as the step stays within its limit, but never fewer than a few: neither may starve the
 * other.
 */
#ifndef GOL_ENGINE_STEP_BUDGET_H
#define GOL_ENGINE_STEP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/step_cost.h"

enum {
    /* Rows of prompts that a step takes however long the decodes of it are: with a step of 200 ms 80 tokens per second. */
    GOL_STEP_PROMPT_ROWS_MIN = 16,
};

typedef struct gol_step_budget {
    const gol_step_cost *cost; /* NULL: time does not count */
    double limit_ns;           /* of the whole step; 0: none */
    int32_t n_rows_left;
    int32_t n_prompt_rows; /* taken */
    gol_step_load load;    /* taken */
} gol_step_budget;

void gol_step_budget_init(gol_step_budget *b, const gol_step_cost *cost, int32_t n_rows);

/* From now on the step shall not be longer than this. */
void gol_step_budget_set_limit(gol_step_budget *b, double limit_ns);

/* How many rows of a prompt's slice, from its first on, may be taken. */
int32_t gol_step_budget_grant(const gol_step_budget *b, const gol_slice *slice);

void gol_step_budget_take(gol_step_budget *b, const gol_slice *slice);
void gol_step_budget_give_back(gol_step_budget *b, const gol_slice *slice);

#endif
