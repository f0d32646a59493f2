/*
 * What the public library's tests share: a tiny model file with a working tokenizer, opened through gollum.h as a program
 * would, and a listener that keeps what an answer's events said. A listener works with gollum_poll() and as a callback; a
 * held one keeps the engine's thread inside its first event, so that a test can act at a moment it knows.
 */
#ifndef TESTS_UNIT_LIB_LIB_TEST_H
#define TESTS_UNIT_LIB_LIB_TEST_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gollum.h"
#include "make_model/make_model.h"
#include "support/patience.h"
#include "support/temp_dir.h"

enum {
    HEARD_TOKENS_MAX = 600,
    HEARD_TEXT_MAX = 16384,
    SPM_BYTE_0 = 3, /* id of the made vocabulary's first byte token */
};

static temp_dir lib_dir;
static char lib_model[256];

static inline int make_lib_model(void **state)
{
    (void)state;
    gol_err err = {0};
    lib_dir = temp_dir_create();
    temp_dir_file(&lib_dir, "tiny.gguf", lib_model);
    const make_model_options options = {
        .shape = make_model_find_shape("llama", "tiny"), .type = GOL_TYPE_F16, .seed = 1};
    if (make_model_write(lib_model, &options, &err) != 0)
        fail_msg("%s", err.message);
    return 0;
}

static inline int remove_lib_model(void **state)
{
    (void)state;
    temp_dir_destroy(&lib_dir);
    return 0;
}

static inline gollum_options lib_options(void)
{
    gollum_options options;
    gollum_options_init(&options);
    options.model_path = lib_model;
    options.n_threads = 1;
    options.max_seqs = 8;
    options.max_batch_tokens = 64;
    return options;
}

static inline gollum *open_with(const gollum_options *options)
{
    gollum *g;
    gollum_error error;
    if (gollum_open(&g, options, &error) != 0)
        fail_msg("%s", error.message);
    return g;
}

static inline gollum *open_lib(void)
{
    const gollum_options options = lib_options();
    return open_with(&options);
}

typedef struct listener {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_held;
    bool is_inside; /* the thread of the events is in listen(): nothing here may go away */
    uint64_t id;
    int n_events;
    int n_last;  /* must end up as 1 */
    int n_wrong; /* events whose counters do not go with the others */
    int32_t n_prompt;
    int32_t n_tokens;
    int32_t tokens[HEARD_TOKENS_MAX];
    float logprobs[HEARD_TOKENS_MAX];
    size_t ends[HEARD_TOKENS_MAX]; /* of the text after each token */
    gollum_finish finish;
    size_t text_len;
    char text[HEARD_TEXT_MAX];
} listener;

static inline void listener_init(listener *l)
{
    memset(l, 0, sizeof *l);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->changed, NULL);
}

/* Once that thread has left: the last event is seen here before its callback has returned. */
static inline void listener_deinit(listener *l)
{
    pthread_mutex_lock(&l->mutex);
    while (l->is_inside)
        pthread_cond_wait(&l->changed, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
}

/* As on_event, and for what gollum_poll() brings. */
static inline void listen(const gollum_event *event)
{
    listener *l = event->user;
    pthread_mutex_lock(&l->mutex);
    l->is_inside = true;
    const bool has_room = l->text_len + event->text_len < HEARD_TEXT_MAX &&
                          l->n_tokens < HEARD_TOKENS_MAX;
    l->n_wrong += !has_room || l->n_last > 0 || (l->n_events > 0 && event->id != l->id);
    l->n_events++;
    l->n_last += event->finish != GOLLUM_FINISH_NONE;
    l->id = event->id;
    l->n_prompt = event->n_prompt;
    l->finish = event->finish;
    if (has_room) {
        memcpy(l->text + l->text_len, event->text, event->text_len);
        l->text_len += event->text_len;
        l->text[l->text_len] = '\0';
    }
    if (has_room && event->token >= 0) {
        l->tokens[l->n_tokens] = event->token;
        l->logprobs[l->n_tokens] = event->logprob;
        l->ends[l->n_tokens] = l->text_len;
        l->n_tokens++;
    }
    l->n_wrong += event->n_generated != l->n_tokens;
    pthread_cond_broadcast(&l->changed);
    while (l->is_held)
        pthread_cond_wait(&l->changed, &l->mutex);
    l->is_inside = false;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
}

static inline void listener_release(listener *l)
{
    pthread_mutex_lock(&l->mutex);
    l->is_held = false;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
}

/* Of a callback: until n events have come or the last one has. */
static inline void listener_wait(listener *l, int n_events)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int rc = 0;
    pthread_mutex_lock(&l->mutex);
    while (rc == 0 && l->n_events < n_events && l->n_last == 0)
        rc = pthread_cond_timedwait(&l->changed, &l->mutex, &until);
    pthread_mutex_unlock(&l->mutex);
    assert_int_equal(rc, 0);
}

static inline void listener_wait_end(listener *l)
{
    listener_wait(l, INT32_MAX);
    assert_int_equal(l->n_last, 1);
    assert_int_equal(l->n_wrong, 0);
}

/* Everything that there is to poll, each event to its listener. */
static inline void poll_all(gollum *g)
{
    gollum_event event;
    gollum_event_init(&event);
    int rc = gollum_poll(g, &event, -1);
    for (; rc == 1; rc = gollum_poll(g, &event, -1))
        listen(&event);
    assert_int_equal(rc, 0);
}

/* A request that never ends by an end token. */
static inline gollum_request request_of(listener *l, const char *prompt, int32_t max_tokens)
{
    gollum_request request;
    gollum_request_init(&request);
    request.prompt = prompt;
    request.prompt_len = strlen(prompt);
    request.max_tokens = max_tokens;
    request.ignore_eos = 1;
    request.has_seed = 1;
    request.seed = 42;
    request.user = l;
    return request;
}

static inline uint64_t submit_ok(gollum *g, const gollum_request *request)
{
    gollum_error error;
    uint64_t id = 0;
    if (gollum_submit(g, request, &id, &error) != 0)
        fail_msg("%s", error.message);
    assert_int_not_equal(id, 0);
    return id;
}

/* A callback request whose first event keeps the engine's thread until listener_release(). */
static inline void hold_engine(gollum *g, listener *l)
{
    listener_init(l);
    l->is_held = true;
    gollum_request request = request_of(l, "hold", 2);
    request.on_event = listen;
    (void)submit_ok(g, &request);
    listener_wait(l, 1);
}

static inline void assert_same_answer(const listener *a, const listener *b)
{
    assert_int_equal(a->finish, b->finish);
    assert_int_equal(a->n_prompt, b->n_prompt);
    assert_int_equal(a->n_tokens, b->n_tokens);
    assert_memory_equal(a->tokens, b->tokens, (size_t)a->n_tokens * sizeof *a->tokens);
    assert_memory_equal(a->logprobs, b->logprobs, (size_t)a->n_tokens * sizeof *a->logprobs);
    assert_string_equal(a->text, b->text);
}

#endif
