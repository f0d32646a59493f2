/*
 * What the clients of a simulation ask: prompts that are new, that begin like others, that repeat one, or that go on where an
 * answer ended; of several tenants, and some that want nothing to do with the cache.
 */
#ifndef TESTS_SIM_SIM_LOAD_H
#define TESTS_SIM_SIM_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "engine/sequence.h"

enum { SIM_DOCUMENTS = 3, SIM_PAST = 12, SIM_VOCAB = 8 };

typedef struct sim_text {
    int32_t *tokens; /* [n of max_model_len] */
    int32_t n;
} sim_text;

typedef struct sim_load {
    gol_rng *rng;
    const gol_seq_limits *limits;
    bool shares;                       /* false: all prompts are new */
    sim_text documents[SIM_DOCUMENTS]; /* beginnings that many prompts have */
    sim_text past[SIM_PAST];           /* conversations so far; the last prompt among them */
    int32_t n_past;
    sim_text prompt;
} sim_load;

void sim_load_init(sim_load *load, gol_rng *rng, const gol_seq_limits *limits, bool shares);
void sim_load_deinit(sim_load *load);

/* A new request. *salt is different for sequences that must not find each other's blocks. */
gol_seq *sim_load_make(sim_load *load, uint64_t id, uint64_t *salt);

/* A conversation to which somebody may come back. */
void sim_load_remember(sim_load *load, const gol_seq *seq);

/* Mostly small, sometimes as large as allowed: the mix that makes pools overflow. */
int32_t sim_load_pick_size(sim_load *load, int32_t max);
int32_t sim_pick(gol_rng *rng, int32_t min, int32_t max);

#endif
