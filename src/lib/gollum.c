/*
 * The public library: include/gollum.h over the engine. This file owns the handle, its list of answers and the way of an event
 * from the engine's thread to who polls.
 *
 *   submit:  answer made, request given to the engine, n_live++
 *   engine:  on_output appends a record; a polled answer is linked into the ready list, one with a callback is served at once
 *   poll:    takes the first ready answer, makes one event of its first record
 *   last:    after the engine's last event *and* the last event handed out, the answer is freed, n_live--
 */
#include "gollum.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "lib/answer.h"
#include "lib/instance.h"

struct gollum {
    gol_instance parts;
    pthread_mutex_t lock; /* over everything below and the answers' records */
    pthread_cond_t changed;
    gol_answer *ready_head;
    gol_answer *ready_tail;
    gol_answer *polled;        /* whose text the last poll handed out */
    int32_t n_polled;          /* live answers without a callback */
    pthread_mutex_t poll_lock; /* one poller at a time */
};

static void to_public(gollum_error *out, const gol_err *err)
{
    if (out == NULL)
        return;
    out->code = err->code;
    out->exit_code = gol_error_exit_code(err->code);
    static_assert(sizeof out->message == sizeof err->message, "messages are copied whole");
    memcpy(out->message, err->message, sizeof out->message);
}

static int fail(gollum_error *out, const gol_err *err)
{
    to_public(out, err);
    return err->code;
}

const char *gollum_version(void)
{
    return GOL_VERSION;
}

/* ---- open and close ---- */

void gollum_options_init(gollum_options *options)
{
    *options = (gollum_options){.struct_size = sizeof *options};
}

typedef struct log_target {
    gollum_log_fn *fn;
    void *user;
} log_target;

static log_target the_log;

static void on_log(void *user, gol_log_level level, const char *area, const char *message)
{
    (void)user;
    (void)area;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (the_log.fn != NULL)
        the_log.fn(the_log.user, names[level], message);
}

static void init_log(const gollum_options *options)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static bool is_done;
    pthread_mutex_lock(&once);
    if (!is_done || (the_log.fn == NULL && options->log != NULL)) {
        the_log = (log_target){options->log, options->log_user};
        gol_log_init(GOL_LOG_DEBUG, GOL_LOG_TEXT, on_log, NULL);
        is_done = true;
    }
    pthread_mutex_unlock(&once);
}

static void init_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__ /* macOS has no such attribute; gollum_poll() then waits by the wall clock */
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

int gollum_open(gollum **out, const gollum_options *options, gollum_error *error)
{
    *out = NULL;
    gol_err err = {0};
    /* The first version has this size; an older caller would be shorter, a newer one longer: what is known is read. */
    gollum_options o;
    gollum_options_init(&o);
    if (options->struct_size < sizeof o.struct_size) {
        gol_fail(&err, GOL_EINVAL, "options.struct_size: %zu, call gollum_options_init() first",
                 options->struct_size);
        return fail(error, &err);
    }
    memcpy(&o, options, options->struct_size < sizeof o ? options->struct_size : sizeof o);
    if (o.model_path == NULL) {
        gol_fail(&err, GOL_EINVAL, "options.model_path: not set");
        return fail(error, &err);
    }
    init_log(&o);

    gollum *g = gol_try_calloc(1, sizeof *g);
    if (g == NULL) {
        gol_fail(&err, GOL_ENOMEM, "no memory");
        return fail(error, &err);
    }
    const gol_instance_opts opts = {
        .model_path = o.model_path,
        .n_threads = o.n_threads,
        .load = {.progress = o.progress, .progress_user = o.progress_user},
        .engine = {.max_seqs = o.max_seqs,
                   .max_batch_tokens = o.max_batch_tokens,
                   .max_model_len = o.max_context,
                   .kv_bytes = o.kv_bytes,
                   .kv_type = o.kv_type == GOLLUM_KV_F32 ? GOL_KV_F32 : GOL_KV_F16,
                   .max_queued_reqs = o.max_queued},
    };
    if (gol_instance_open(&g->parts, &opts, &err) != 0) {
        gol_free(g);
        return fail(error, &err);
    }
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->poll_lock, NULL);
    init_condition(&g->changed);
    *out = g;
    return 0;
}

/* Under the lock. */
static gol_answer *take_ready(gollum *g)
{
    gol_answer *answer = g->ready_head;
    if (answer != NULL) {
        g->ready_head = answer->next_ready;
        if (g->ready_head == NULL)
            g->ready_tail = NULL;
        answer->next_ready = NULL;
        answer->is_ready = false;
    }
    return answer;
}

void gollum_close(gollum **g_ptr)
{
    gollum *g = *g_ptr;
    if (g == NULL)
        return;
    gol_engine_destroy(
        &g->parts.engine); /* every live answer gets its last record, and so is in the list */
    for (gol_answer *answer = take_ready(g); answer != NULL; answer = take_ready(g))
        gol_answer_destroy(&answer);
    gol_answer_destroy(&g->polled);
    gol_instance_close(&g->parts);
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->poll_lock);
    pthread_mutex_destroy(&g->lock);
    gol_free(g);
    *g_ptr = NULL;
}

/* ---- text and tokens ---- */

int32_t gollum_n_vocab(const gollum *g)
{
    return gol_tokenizer_n_vocab(g->parts.tok);
}

int32_t gollum_max_context(const gollum *g)
{
    return gol_engine_get_limits(g->parts.engine)->max_model_len;
}

int gollum_tokenize(const gollum *g, const char *text, size_t text_len, int add_special,
                    int parse_special, int32_t *ids, size_t max, size_t *n, gollum_error *error)
{
    gol_err err = {0};
    gol_ids list = {0};
    const unsigned flags = (add_special ? (unsigned)GOL_ENCODE_ADD_SPECIAL : 0u) |
                           (parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u);
    const int rc = gol_tokenizer_encode(g->parts.tok, &list, (gol_str){text, text_len}, flags,
                                        &err);
    *n = list.n;
    const size_t n_copied = list.n < max ? list.n : max;
    if (n_copied > 0)
        memcpy(ids, list.data, n_copied * sizeof *ids);
    gol_ids_deinit(&list);
    return rc != 0 ? fail(error, &err) : 0;
}

int gollum_detokenize(const gollum *g, const int32_t *ids, size_t n, char *buf, size_t size,
                      size_t *len, gollum_error *error)
{
    gol_err err = {0};
    gol_buf text;
    gol_buf_init(&text, SIZE_MAX / 2);
    const int rc = gol_tokenizer_decode(g->parts.tok, &text, ids, n, false, &err);
    *len = text.len;
    if (size > 0) {
        const size_t n_copied = text.len < size - 1 ? text.len : size - 1;
        if (n_copied > 0)
            memcpy(buf, text.data, n_copied);
        buf[n_copied] = '\0';
    }
    gol_buf_deinit(&text);
    return rc != 0 ? fail(error, &err) : 0;
}

/* ---- requests ---- */

void gollum_request_init(gollum_request *request)
{
    *request = (gollum_request){
        .struct_size = sizeof *request,
        .temperature = 1.0f,
        .top_p = 1.0f,
        .repetition_penalty = 1.0f,
    };
}

/* Under the lock. */
static void link_ready(gollum *g, gol_answer *answer)
{
    if (answer->is_ready)
        return;
    answer->is_ready = true;
    answer->next_ready = NULL;
    if (g->ready_tail != NULL)
        g->ready_tail->next_ready = answer;
    else
        g->ready_head = answer;
    g->ready_tail = answer;
}

/* A callback's answer: the engine's thread makes the event itself. Nothing follows a stop string but the engine's own end. */
static void serve_callback(gol_answer *answer, const gol_answer_token *record, int32_t n_generated)
{
    if (!answer->is_over) {
        gollum_event event;
        const bool stop = gol_answer_make_event(answer, record, n_generated, &event);
        answer->on_event(&event);
        if (stop && record->finish == GOL_FINISH_NONE)
            gol_engine_abort(answer->owner->parts.engine, answer->id);
    }
    if (record->finish != GOL_FINISH_NONE)
        gol_answer_destroy(&answer);
}

static void on_output(void *user, const gol_output *output)
{
    gol_answer *answer = user;
    gollum *g = answer->owner;
    const gol_answer_token record = {output->token, output->logprob, output->finish};
    answer->id = output->request_id; /* submit may not have returned yet */
    if (answer->on_event != NULL) {
        answer->n_prompt = output->n_prompt;
        serve_callback(answer, &record, output->n_generated);
        return;
    }
    pthread_mutex_lock(&g->lock);
    assert(answer->n_written < answer->n_tokens_max);
    answer->n_prompt = output->n_prompt;
    answer->tokens[answer->n_written++] = record;
    link_ready(g, answer);
    pthread_cond_signal(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static uint64_t random_seed(void)
{
    uint64_t seed;
    gol_rng_entropy(&seed, sizeof seed);
    return seed;
}

static int encode_prompt(const gollum *g, const gollum_request *r, gol_ids *ids, gol_err *err)
{
    if (r->n_prompt_ids > 0) {
        for (size_t i = 0; i < r->n_prompt_ids; i++) {
            if (gol_ids_push(ids, r->prompt_ids[i]) != 0)
                return gol_fail(err, GOL_ENOMEM, "no memory for a prompt of %zu tokens",
                                r->n_prompt_ids);
        }
        return 0;
    }
    const unsigned flags = (unsigned)GOL_ENCODE_ADD_SPECIAL |
                           (r->parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u);
    const int rc = gol_tokenizer_encode(g->parts.tok, ids, (gol_str){r->prompt, r->prompt_len},
                                        flags, err);
    if (rc == 0 && ids->n == 0)
        return gol_fail(err, GOL_EINVAL,
                        "prompt: empty, and this model begins with no token of its own");
    return rc;
}

static int submit(gollum *g, const gollum_request *r, uint64_t *id, gol_err *err)
{
    gol_ids ids = {0};
    gol_answer *answer = NULL;
    int rc = encode_prompt(g, r, &ids, err);
    if (rc != 0)
        goto done;
    const int32_t max_context = gollum_max_context(g);
    const bool fits = ids.n < (size_t)max_context;
    const int32_t n_room = fits ? max_context - (int32_t)ids.n
                                : 1; /* 1: the engine will refuse, with numbers */
    const int32_t max_tokens = r->max_tokens == 0 || r->max_tokens > n_room ? n_room
                                                                            : r->max_tokens;
    rc = gol_answer_create(&answer, g, g->parts.tok, r, max_tokens > 0 ? max_tokens + 1 : 1, err);
    if (rc != 0)
        goto done;

    int32_t stop_ids[GOL_STOP_IDS_MAX];
    gol_request request = {
        .prompt = ids.data,
        .n_prompt = ids.n > INT32_MAX ? INT32_MAX : (int32_t)ids.n,
        .max_tokens = max_tokens,
        .n_logprobs = 0,
        .sampling = {.temperature = r->temperature,
                     .top_p = r->top_p,
                     .min_p = r->min_p,
                     .top_k = r->top_k,
                     .repetition_penalty = r->repetition_penalty,
                     .presence_penalty = r->presence_penalty,
                     .frequency_penalty = r->frequency_penalty,
                     .seed = r->has_seed ? r->seed : random_seed()},
        .on_output = on_output,
        .user = answer,
    };
    gol_instance_set_stop_ids(&g->parts, &request, stop_ids, r->ignore_eos != 0);
    const bool is_polled = r->on_event == NULL;
    pthread_mutex_lock(&g->lock); /* before submit: the last event may come before it returns */
    g->n_polled += is_polled;
    pthread_mutex_unlock(&g->lock);
    rc = gol_engine_submit(g->parts.engine, &request, id, err);
    if (rc != 0) {
        pthread_mutex_lock(&g->lock);
        g->n_polled -= is_polled;
        pthread_mutex_unlock(&g->lock);
        gol_answer_destroy(&answer);
    }
done:
    gol_ids_deinit(&ids);
    return rc;
}

int gollum_submit(gollum *g, const gollum_request *request, uint64_t *id, gollum_error *error)
{
    gol_err err = {0};
    gollum_request r;
    gollum_request_init(&r);
    if (request->struct_size < sizeof r.struct_size)
        gol_fail(&err, GOL_EINVAL, "request.struct_size: %zu, call gollum_request_init() first",
                 request->struct_size);
    else
        memcpy(&r, request, request->struct_size < sizeof r ? request->struct_size : sizeof r);
    if (err.code == 0)
        (void)submit(g, &r, id, &err);
    return err.code != 0 ? fail(error, &err) : 0;
}

void gollum_abort(gollum *g, uint64_t id)
{
    gol_engine_abort(g->parts.engine, id);
}

/* ---- poll ---- */

static struct timespec wait_until(int timeout_ms)
{
#ifdef __APPLE__
    const uint64_t end_ns = (uint64_t)gol_clock_unix_ms() * 1000000u +
                            (uint64_t)timeout_ms * 1000000u;
#else
    const uint64_t end_ns = gol_clock_ns() + (uint64_t)timeout_ms * 1000000u;
#endif
    return (struct timespec){.tv_sec = (time_t)(end_ns / 1000000000u),
                             .tv_nsec = (long)(end_ns % 1000000000u)};
}

/* Waits, under the lock, until an answer is ready; NULL: time is over or nothing runs. */
static gol_answer *wait_ready(gollum *g, int timeout_ms)
{
    const struct timespec end = wait_until(timeout_ms < 0 ? 0 : timeout_ms);
    while (g->ready_head == NULL && g->n_polled > 0) {
        if (timeout_ms < 0)
            pthread_cond_wait(&g->changed, &g->lock);
        else if (pthread_cond_timedwait(&g->changed, &g->lock, &end) == ETIMEDOUT)
            break;
    }
    return take_ready(g);
}

/* Under the poll lock. What follows a stop string is read silently until the engine's own end. */
static bool next_event(gollum *g, gol_answer *answer, gollum_event *event)
{
    pthread_mutex_lock(&g->lock);
    const gol_answer_token record = answer->tokens[answer->n_read++];
    const int32_t n_generated = answer->n_read - (record.token < 0);
    if (answer->n_read < answer->n_written)
        link_ready(g, answer);
    pthread_mutex_unlock(&g->lock);

    const bool is_engines_last = record.finish != GOL_FINISH_NONE;
    const bool is_silent = answer->is_over;
    if (!is_silent && gol_answer_make_event(answer, &record, n_generated, event) &&
        !is_engines_last)
        gol_engine_abort(g->parts.engine, answer->id);
    if (is_engines_last) {
        pthread_mutex_lock(&g->lock);
        g->n_polled--;
        pthread_cond_broadcast(&g->changed); /* a poller with nothing left to wait for returns */
        pthread_mutex_unlock(&g->lock);
        g->polled = answer; /* freed by the next poll: the event views its text */
    }
    return !is_silent;
}

int gollum_poll(gollum *g, gollum_event *event, int timeout_ms)
{
    pthread_mutex_lock(&g->poll_lock);
    bool have_event = false;
    for (;;) {
        gol_answer_destroy(&g->polled);
        pthread_mutex_lock(&g->lock);
        gol_answer *answer = wait_ready(g, timeout_ms);
        pthread_mutex_unlock(&g->lock);
        if (answer == NULL)
            break;
        have_event = next_event(g, answer, event);
        if (have_event)
            break;
    }
    pthread_mutex_unlock(&g->poll_lock);
    return have_event ? 1 : 0;
}
