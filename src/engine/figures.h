/*
 * What the engine counts and measures: written by its thread alone, read by any thread at any time, without locks. Each figure
 * was true at some moment; together they may be of different ones.
 */
#ifndef GOL_ENGINE_FIGURES_H
#define GOL_ENGINE_FIGURES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/histogram.h"
#include "engine/engine.h"
#include "engine/kv_cache.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"

typedef struct gol_figures {
    _Atomic int32_t n_blocks_free;
    _Atomic int32_t n_blocks_cached;
    _Atomic int32_t n_states_free;
    _Atomic int32_t n_snapshots;
    _Atomic uint64_t n_prefix_queries;
    _Atomic uint64_t n_prefix_hits;
    _Atomic uint64_t n_exact_hits;
    _Atomic uint64_t n_block_evictions;
    _Atomic uint64_t n_block_copies;
    _Atomic uint64_t n_snapshot_evictions;
    _Atomic uint64_t n_steps;
    _Atomic uint64_t n_prompt_tokens;
    _Atomic uint64_t n_generated_tokens;
    _Atomic uint64_t n_preemptions;
    _Atomic uint64_t n_finished[GOL_FINISH_ERROR + 1];
    _Atomic uint64_t last_step_ns;
    gol_histogram histograms[GOL_N_ENGINE_HISTOGRAMS];
} gol_figures;

void gol_figures_init(gol_figures *f);

/* The engine's thread; times are gol_clock_ns(). Blocks change when sequences start, compute and end. */
void gol_figures_blocks(gol_figures *f, const gol_kv_cache *kv);
/* A plan is about to be carried out: some sequences in it do for the first time. */
void gol_figures_begin_step(gol_figures *f, const gol_plan *plan, uint64_t now_ns);
/* It has been. */
void gol_figures_end_step(gol_figures *f, const gol_scheduler *s, uint64_t begin_ns,
                          uint64_t now_ns);
/* A token was drawn for the sequence and appended to it. */
void gol_figures_token(gol_figures *f, gol_seq *seq, uint64_t now_ns);
void gol_figures_finish(gol_figures *f, const gol_seq *seq, gol_finish_reason reason,
                        uint64_t now_ns);

/* Any thread: all of *out but who runs and waits. */
void gol_figures_read(const gol_figures *f, gol_engine_stats *out);

#endif
