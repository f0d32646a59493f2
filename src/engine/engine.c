/*
 * The engine's thread and its loop:
 *
 *     inbox -> [ schedule -> forward -> sample ] -> events
 *                 no allocation in here              callbacks may do what they like
 *
 * Only this thread touches sequences, blocks, scheduler and runner; everybody else reaches it through the inbox, and reads
 * the figures at the bottom of struct gol_engine, which this thread alone writes.
 */
#include "engine/engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os_thread.h"
#include "base/sysmem.h"
#include "base/thread_signals.h"
#include "engine/engine_limits.h"
#include "engine/figures.h"
#include "engine/inbox.h"
#include "engine/kv_cache.h"
#include "engine/runner.h"
#include "engine/scheduler.h"

/* While nobody's answer waits, a step may last so many times longer. Its end is what new requests wait for. */
enum { IDLE_STEP_FACTOR = 5 };

/* Of the time that a stream may wait, one part of so many is left for what no prediction knows: other programs, the system's own work,
 * the way to the client. */
enum { RESERVE_INVERSE = 10 };

struct gol_engine {
    const gol_model *model;
    gol_engine_limits limits;
    gol_memory_plan memory;
    gol_seq_limits seq_limits;
    pthread_t thread;
    bool has_thread;
    bool has_inbox;
    gol_inbox inbox;

    /* the thread's */
    gol_mail mail;
    gol_block_hasher hasher; /* constant: submitting threads read it */
    gol_exact_cache exact_cache;
    gol_kv_cache kv_cache;
    gol_step_cost step_cost;
    gol_scheduler scheduler;
    gol_runner runner;

    gol_figures figures;
};

static gol_running running_of(const gol_engine *engine)
{
    gol_running running = {.n = engine->scheduler.running.n};
    for (const gol_seq *seq = engine->scheduler.running.head; seq; seq = seq->next)
        running.n_prompt_tokens += seq->n_prompt;
    return running;
}

/* The last event is out: nobody can name the sequence any more. */
static void retire(gol_engine *engine, gol_seq *seq)
{
    const gol_running running = running_of(engine);
    gol_inbox_retire(&engine->inbox, seq, &running);
    gol_seq_destroy(&seq);
}

static gol_output output_of(const gol_seq *seq, gol_finish_reason finish)
{
    return (gol_output){
        .request_id = seq->id,
        .token = -1,
        .finish = finish,
        .n_prompt = seq->n_prompt,
        .n_cached = seq->n_cached > 0 ? seq->n_cached : 0,
        .n_generated = gol_seq_n_generated(seq),
    };
}

/* Blocks first, then the event, then the memory: who hears of the end may count on the room. */
static void finish(gol_engine *engine, gol_seq *seq, const gol_output *output)
{
    assert(output->finish != GOL_FINISH_NONE);
    gol_scheduler_finish(&engine->scheduler, seq);
    gol_figures_blocks(&engine->figures, &engine->kv_cache);
    gol_figures_finish(&engine->figures, seq, output->finish, gol_clock_ns());
    seq->on_output(seq->user, output);
    retire(engine, seq);
}

static void finish_without_token(gol_engine *engine, gol_seq *seq, gol_finish_reason reason)
{
    const gol_output output = output_of(seq, reason);
    finish(engine, seq, &output);
}

static void take_mail(gol_engine *engine)
{
    const bool is_idle = !gol_scheduler_has_work(&engine->scheduler);
    gol_inbox_take(&engine->inbox, &engine->mail, is_idle);
    while (engine->mail.submitted.head)
        gol_scheduler_add(&engine->scheduler, gol_seq_queue_pop(&engine->mail.submitted));
    for (int32_t i = 0; i < engine->mail.n_aborted; i++)
        finish_without_token(engine, engine->mail.aborted[i], GOL_FINISH_ABORT);
}

static gol_finish_reason reason_to_finish(const gol_seq *seq, int32_t token)
{
    if (gol_seq_is_stop(seq, token))
        return GOL_FINISH_STOP;
    return seq->n_tokens == seq->n_tokens_max ? GOL_FINISH_LENGTH : GOL_FINISH_NONE;
}

/* One sampled token into its sequence and out to whoever asked. */
static void deliver(gol_engine *engine, const gol_step_result *result, uint64_t now_ns)
{
    gol_seq *seq = result->seq;
    if (!result->is_finite) {
        gol_log_warn(
            "engine",
            "request %llu: the model's logits are not finite, at position %d at the latest",
            (unsigned long long)seq->id, seq->n_computed - 1);
        if (seq->scores)
            seq->scores->n_scored = 0;
        finish_without_token(engine, seq, GOL_FINISH_ERROR);
        return;
    }
    if (seq->n_tokens == seq->n_tokens_max) { /* max_tokens is 0: it was about the prompt */
        finish_without_token(engine, seq, GOL_FINISH_LENGTH);
        return;
    }
    const gol_sample *sample = &result->sample;
    gol_seq_append(seq, sample->token);
    if (seq->extras)
        seq->extras->mu = sample->mu;
    gol_figures_token(&engine->figures, seq, now_ns);
    gol_output output = output_of(seq, reason_to_finish(seq, sample->token));
    output.token = sample->token;
    output.logprob = sample->logprob;
    output.n_top = sample->n_top;
    output.top = sample->top;
    if (output.finish != GOL_FINISH_NONE)
        finish(engine, seq, &output);
    else
        seq->on_output(seq->user, &output);
}

/* Returns the number of results. */
static int32_t compute(gol_engine *engine)
{
    gol_mem_forbid(true);
    const gol_plan *plan = gol_scheduler_schedule(&engine->scheduler);
    const gol_running running = running_of(engine);
    gol_inbox_set_running(&engine->inbox, &running);
    gol_figures_blocks(&engine->figures, &engine->kv_cache);
    const gol_step_load load = engine->scheduler.budget.load;
    const uint64_t begin_ns = gol_clock_ns();
    gol_figures_begin_step(&engine->figures, plan, begin_ns);
    const int32_t n_results = gol_runner_run(&engine->runner, plan);
    if (load.n_rows > 0) {
        const gol_step_time time = {
            .step_ns = gol_clock_ns() - begin_ns,
            .attention_ns = gol_runner_attention_ns(&engine->runner),
            .scores_ns = gol_runner_scores_ns(&engine->runner),
        };
        gol_step_cost_observe(&engine->step_cost, &load, &time);
    }
    gol_scheduler_update(&engine->scheduler);
    gol_mem_forbid(false);
    return n_results;
}

static void step(gol_engine *engine)
{
    const uint64_t begin_ns = gol_clock_ns();
    const int32_t n_results = compute(engine);
    const uint64_t now_ns = gol_clock_ns();
    gol_figures_blocks(&engine->figures, &engine->kv_cache);
    gol_figures_end_step(&engine->figures, &engine->scheduler, begin_ns, now_ns);
    for (int32_t i = 0; i < n_results; i++)
        deliver(engine, &engine->runner.results[i], now_ns);
}

static void abort_all(gol_engine *engine)
{
    gol_scheduler *s = &engine->scheduler;
    while (s->running.head)
        finish_without_token(engine, s->running.head, GOL_FINISH_ABORT);
    while (s->waiting.head)
        finish_without_token(engine, s->waiting.head, GOL_FINISH_ABORT);
}

static void *run(void *arg)
{
    gol_engine *engine = arg;
    gol_os_thread_set_name("gollum-engine");
    for (;;) {
        take_mail(engine);
        if (engine->mail.is_stopping)
            break;
        if (gol_scheduler_has_work(&engine->scheduler))
            step(engine);
    }
    abort_all(engine);
    return NULL;
}

/* What the model and the machine are. */
static int find_limits(gol_engine *engine, const gol_engine_opts *opts, gol_err *err)
{
    const gol_config *config = gol_model_config(engine->model);
    gol_kv_layer_shape *layers = gol_try_array((size_t)config->n_layers, sizeof *layers);
    if (!layers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the shapes of %d layers",
                        config->n_layers);
    gol_kv_groups groups;
    gol_config_kv_groups(&groups, config, gol_engine_ctx_asked(opts, config), layers);
    gol_memory_basis basis = {
        .be = gol_model_backend(engine->model),
        .config = config,
        .layers = layers,
        .groups = groups,
        .other_bytes = opts->other_bytes,
        .available = opts->mem_available,
    };
    gol_model_weight_bytes(engine->model, &basis.weights);
    if (basis.available == 0) {
        basis.available = gol_sysmem_available();
        if (basis.available > 0) /* which the weights are no part of any more */
            basis.available += basis.weights.owned;
    }
    const int rc = gol_engine_limits_init(&engine->limits, &engine->memory, opts, &basis, err);
    gol_free(layers);
    if (rc != 0)
        return rc;
    gol_block_hasher_init(&engine->hasher);
    if (opts->max_model_len == 0 && engine->limits.max_model_len < config->n_ctx_train)
        gol_log_info("engine", "the context is %d tokens: the model's %d do not fit",
                     engine->limits.max_model_len, config->n_ctx_train);
    engine->seq_limits = (gol_seq_limits){
        .max_model_len = engine->limits.max_model_len,
        .block_size = engine->limits.block_size,
        .n_kv_groups = engine->limits.layout.n_groups,
        .n_vocab = config->n_vocab,
        .hasher = engine->limits.has_prefix_caching ? &engine->hasher : NULL,
        .max_batch_tokens = engine->limits.max_batch_tokens,
        .pooling = config->pooling,
        .n_classes = config->classifier.n_classes,
        .is_encoder = !config->is_causal,
    };
    return 0;
}

static int init_parts(gol_engine *engine, const gol_engine_opts *opts, gol_err *err)
{
    const gol_engine_limits *limits = &engine->limits;
    gol_exact_cache *exact = &engine->exact_cache;
    int rc = gol_exact_cache_init(exact, limits->n_exact_rows, engine->seq_limits.n_vocab,
                                  limits->block_size, err);
    if (rc == 0)
        rc = gol_runner_init(&engine->runner, engine->model, limits, exact, err);
    if (rc == 0)
        rc = gol_kv_cache_init(&engine->kv_cache, limits->n_blocks, &limits->layout, exact, err);
    if (rc == 0)
        rc = gol_kv_cache_init_states(&engine->kv_cache, limits->n_states, err);
    if (rc != 0)
        return rc;
    gol_step_cost_init(&engine->step_cost);
    const double max_itl_ns = 1e6 * limits->max_itl_ms;
    const gol_scheduler_opts scheduler_opts = {
        .policy = opts->policy,
        .max_seqs = limits->max_seqs,
        .max_batch_tokens = limits->max_batch_tokens,
        .max_itl_ns = max_itl_ns * (RESERVE_INVERSE - 1) / RESERVE_INVERSE,
        .max_step_ns = IDLE_STEP_FACTOR * max_itl_ns,
        .cost = limits->max_itl_ms > 0 ? &engine->step_cost : NULL,
    };
    rc = gol_scheduler_init(&engine->scheduler, &scheduler_opts, &engine->kv_cache, err);
    if (rc != 0)
        return rc;
    const gol_inbox_limits inbox_limits = {
        .max_seqs = limits->max_seqs,
        .max_queued_reqs = limits->max_queued_reqs,
        .max_queued_tokens = limits->max_queued_tokens,
        .max_prompt_tokens = gol_memory_prompt_tokens(limits),
    };
    rc = gol_inbox_init(&engine->inbox, &inbox_limits, err);
    if (rc != 0)
        return rc;
    engine->has_inbox = true;
    engine->mail.aborted = gol_try_array((size_t)engine->inbox.n_slots, sizeof(gol_seq *));
    if (!engine->mail.aborted)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %d aborts", engine->inbox.n_slots);
    return 0;
}

int gol_engine_create(gol_engine **out, const gol_model *model, const gol_engine_opts *opts,
                      gol_err *err)
{
    *out = NULL;
    gol_engine *engine = gol_try_calloc(1, sizeof *engine);
    if (!engine)
        return gol_fail(err, GOL_ENOMEM, "out of memory for an engine");
    engine->model = model;
    gol_figures_init(&engine->figures);
    int rc = find_limits(engine, opts, err);
    if (rc == 0)
        rc = init_parts(engine, opts, err);
    if (rc != 0)
        goto fail;
    gol_figures_blocks(&engine->figures, &engine->kv_cache);
    sigset_t saved;
    gol_thread_signals_block(&saved);
    engine->has_thread = pthread_create(&engine->thread, NULL, run, engine) == 0;
    gol_thread_signals_restore(&saved);
    if (!engine->has_thread) {
        rc = gol_fail(err, GOL_ENOMEM, "the engine's thread cannot be created");
        goto fail;
    }
    *out = engine;
    return 0;
fail:
    gol_engine_destroy(&engine);
    return rc;
}

void gol_engine_stop(gol_engine *engine)
{
    if (!engine->has_thread)
        return;
    gol_inbox_stop(&engine->inbox);
    pthread_join(engine->thread, NULL);
    engine->has_thread = false;
}

void gol_engine_destroy(gol_engine **engine_ptr)
{
    gol_engine *engine = *engine_ptr;
    if (!engine)
        return;
    gol_engine_stop(engine);
    gol_free(engine->mail.aborted);
    if (engine->has_inbox)
        gol_inbox_deinit(&engine->inbox);
    gol_scheduler_deinit(&engine->scheduler);
    gol_kv_cache_deinit(&engine->kv_cache);
    gol_runner_deinit(&engine->runner);
    gol_exact_cache_deinit(&engine->exact_cache);
    gol_free(engine);
    *engine_ptr = NULL;
}

int gol_engine_submit(gol_engine *engine, const gol_request *request, uint64_t *id, gol_err *err)
{
    gol_seq *seq;
    int rc = gol_seq_create(&seq, request, &engine->seq_limits, err);
    if (rc != 0)
        return rc;
    rc = gol_inbox_push(&engine->inbox, seq, id, err);
    if (rc != 0)
        gol_seq_destroy(&seq);
    return rc;
}

void gol_engine_abort(gol_engine *engine, uint64_t id)
{
    gol_inbox_abort(&engine->inbox, id);
}

bool gol_engine_drain(gol_engine *engine, int64_t timeout_ms)
{
    gol_inbox_close(&engine->inbox);
    return gol_inbox_wait_idle(&engine->inbox, timeout_ms);
}

const gol_engine_limits *gol_engine_get_limits(const gol_engine *engine)
{
    return &engine->limits;
}

const gol_memory_plan *gol_engine_get_memory(const gol_engine *engine)
{
    return &engine->memory;
}

const gol_model *gol_engine_model(const gol_engine *engine)
{
    return engine->model;
}

void gol_engine_get_stats(const gol_engine *engine, gol_engine_stats *out)
{
    const int32_t n_live = atomic_load_explicit(&engine->inbox.n_live, memory_order_relaxed);
    const int32_t n_running = atomic_load_explicit(&engine->inbox.n_running, memory_order_relaxed);
    *out = (gol_engine_stats){
        .n_running = n_running,
        .n_waiting = n_live > n_running ? n_live - n_running : 0,
        .n_blocks = engine->limits.n_blocks,
        .n_states = engine->limits.n_states,
    };
    gol_figures_read(&engine->figures, out);
}

void gol_engine_get_histogram(const gol_engine *engine, gol_engine_histogram which,
                              gol_histogram_view *out)
{
    gol_histogram_read(&engine->figures.histograms[which], out);
}
