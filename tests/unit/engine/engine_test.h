/*
 * What the tests of the engine's life share: one tiny model, requests of eight tokens, and short ways to make, ask and look.
 * Included once per test program.
 */
#ifndef TESTS_UNIT_ENGINE_ENGINE_TEST_H
#define TESTS_UNIT_ENGINE_ENGINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "support/collector.h"
#include "support/loaded_model.h"

static loaded_model tiny;

static const int32_t poison_id = POISON_TOKEN;
static const int32_t prompt_ids[] = {3, 1, 4, 1, 5, 9, 2, 6};
enum { N_PROMPT = sizeof prompt_ids / sizeof *prompt_ids };

static inline int set_up(void **state)
{
    (void)state;
    loaded_model_create(&tiny, 1);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    loaded_model_destroy(&tiny);
    return 0;
}

static inline gol_engine *create(const gol_engine_opts *opts)
{
    gol_engine *engine;
    gol_err err = {0};
    if (gol_engine_create(&engine, tiny.model, opts, &err) != 0)
        fail_msg("%s", err.message);
    return engine;
}

/* Eight tokens of prompt and as many of answer as asked for. */
static inline gol_request request_of(collector *c, int32_t max_tokens)
{
    return (gol_request){
        .prompt = prompt_ids,
        .n_prompt = N_PROMPT,
        .max_tokens = max_tokens,
        .min_tokens = max_tokens,
        .stop_ids = &poison_id,
        .n_stop_ids = 1,
        .n_logprobs = -1,
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = collector_take,
        .user = c,
    };
}

static inline uint64_t submit(gol_engine *engine, const gol_request *request)
{
    uint64_t id = 0;
    gol_err err = {0};
    if (gol_engine_submit(engine, request, &id, &err) != 0)
        fail_msg("%s", err.message);
    return id;
}

static inline void assert_all_free(gol_engine *engine)
{
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    assert_int_equal(stats.n_running, 0);
    assert_int_equal(stats.n_waiting, 0);
}

#endif
