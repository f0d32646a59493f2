/*
 * What the tests of the scheduler share: one on a bench, with a cache of blocks and no model, and short ways to add sequences and
 * make steps. Included once per test program.
 */
#ifndef TESTS_UNIT_ENGINE_SCHEDULER_TEST_H
#define TESTS_UNIT_ENGINE_SCHEDULER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/scheduler.h"
#include "support/seqs.h"

enum { VOCAB = 100, ANSWER = 90, SEQS_MAX = 8 };

typedef struct bench_opts {
    int32_t n_blocks;
    int32_t block_size;
    int32_t max_model_len;          /* as many as the blocks have places, if these are fewer */
    const gol_block_hasher *hasher; /* NULL: no prefix cache */
    int32_t n_exact_rows;           /* prompts whose rows are kept */
    gol_scheduler_opts sched;
} bench_opts;

typedef struct bench {
    gol_seq_limits limits;
    gol_exact_cache exact;
    gol_kv_cache kv;
    gol_scheduler sched;
    gol_seq *seqs[SEQS_MAX]; /* with ids from 1 on */
    int n_seqs;
    gol_block_copy copy; /* of the last step, if it had one */
    int32_t n_copies;
    int32_t n_hits;
    int32_t n_tokens;
} bench;

static inline void bench_init(bench *b, const bench_opts *opts)
{
    const int32_t n_places = opts->n_blocks * opts->block_size;
    *b = (bench){
        .limits = {
            .max_model_len = n_places < opts->max_model_len ? n_places : opts->max_model_len,
            .block_size = opts->block_size,
            .n_vocab = VOCAB,
            .hasher = opts->hasher,
        }};
    const gol_kv_layout layout = gol_kv_layout_plain(opts->block_size);
    assert_int_equal(
        gol_exact_cache_init(&b->exact, opts->n_exact_rows, VOCAB, opts->block_size, NULL), 0);
    assert_int_equal(gol_kv_cache_init(&b->kv, opts->n_blocks, &layout, &b->exact, NULL), 0);
    assert_int_equal(gol_scheduler_init(&b->sched, &opts->sched, &b->kv, NULL), 0);
}

/* Nothing is left of what its sequences held. */
static inline void tear_down(bench *b)
{
    for (int i = 0; i < b->n_seqs; i++) {
        if (b->seqs[i]->status != GOL_SEQ_FINISHED)
            gol_scheduler_finish(&b->sched, b->seqs[i]);
        gol_seq_destroy(&b->seqs[i]);
    }
    assert_int_equal(gol_kv_cache_n_free(&b->kv), b->kv.pool.n_blocks);
    gol_scheduler_deinit(&b->sched);
    gol_kv_cache_deinit(&b->kv);
    gol_exact_cache_deinit(&b->exact);
}

static inline uint64_t next_id(const bench *b)
{
    assert_true(b->n_seqs < SEQS_MAX);
    return (uint64_t)b->n_seqs + 1;
}

/* A sequence made with next_id(). */
static inline gol_seq *submit(bench *b, gol_seq *seq)
{
    b->seqs[b->n_seqs++] = seq;
    gol_scheduler_add(&b->sched, seq);
    return seq;
}

/* As the engine makes it: rows of prompts are kept, and who has caught up gets a token. Returns the tokens computed. */
static inline int32_t step(bench *b)
{
    const gol_plan *plan = gol_scheduler_schedule(&b->sched);
    b->n_copies = plan->n_copies;
    b->n_hits = plan->n_hits;
    b->n_tokens = plan->n_tokens;
    if (plan->n_copies > 0)
        b->copy = plan->copies[0];
    static const float row[VOCAB];
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        const gol_seq *seq = plan->seqs[i];
        const gol_prompt_key key = gol_seq_prompt_key(seq);
        if (seq->hasher && gol_seq_n_pending(seq) == seq->n_scheduled &&
            seq->n_tokens == seq->n_prompt)
            gol_exact_cache_put(&b->exact, &key, row);
    }
    gol_scheduler_update(&b->sched);
    for (gol_seq *seq = b->sched.running.head; seq; seq = seq->next) {
        if (gol_seq_n_pending(seq) == 0)
            gol_seq_append(seq, ANSWER);
    }
    return b->n_tokens;
}

static inline void finish(bench *b, gol_seq *seq)
{
    gol_scheduler_finish(&b->sched, seq);
}

#endif
