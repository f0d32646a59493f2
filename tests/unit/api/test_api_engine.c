/*
 * The api over a real engine with a tiny model: threads, cancelled clients, and answers that do not depend on them. The model
 * knows 40 ids; its tokenizer reads them as bytes.
 */
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/rng.h"
#include "support/loaded_model.h"
#include "support/patience.h"
#include "unit/api/tiny_tokenizer.h"

static loaded_model model;
static gguf_bytes tok_bytes;
static gol_model_file *tok_file;
static gol_tokenizer *tok;
static gol_engine *engine;
static gol_api *api;

static int setup(void **state)
{
    (void)state;
    gol_err err = {0};
    loaded_model_create(&model, 1);
    tok_bytes = tokenizer_file();
    int rc = gol_model_file_open_memory(&tok_file, tok_bytes.data, tok_bytes.len, "test", &err);
    if (rc == 0)
        rc = gol_tokenizer_load(&tok, tok_file, &err);
    const gol_engine_opts opts = {
        .max_seqs = 4, .max_batch_tokens = 16, .max_queued_reqs = 8, .kv_bytes = 1 << 20};
    if (rc == 0)
        rc = gol_engine_create(&engine, model.model, &opts, &err);
    const gol_api_opts api_opts = {.model_id = "tiny", .engine = engine, .tok = tok};
    if (rc == 0)
        rc = gol_api_create(&api, &api_opts, &err);
    if (rc != 0)
        fail_msg("%s", err.message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gol_api_destroy(&api);
    gol_engine_destroy(&engine);
    gol_tokenizer_destroy(&tok);
    gol_model_file_close(&tok_file);
    bytes_free(&tok_bytes);
    loaded_model_destroy(&model);
    return 0;
}

/* What a client waits on. */
typedef struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rings;
    bool has_rung;
} bell;

static void ring(void *user)
{
    bell *b = user;
    pthread_mutex_lock(&b->lock);
    b->has_rung = true;
    pthread_cond_signal(&b->rings);
    pthread_mutex_unlock(&b->lock);
}

static void wait_for(bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (!b->has_rung)
        pthread_cond_wait(&b->rings, &b->lock);
    b->has_rung = false;
    pthread_mutex_unlock(&b->lock);
}

static gol_api_call *begin(const char *body, bell *b)
{
    const gol_api_request request = {
        .method = GOL_STR("POST"),
        .path = GOL_STR("/v1/completions"),
        .body = gol_str_from(body),
    };
    return gol_api_begin(api, &request, ring, b);
}

static json_t *parse_json(gol_str text)
{
    json_error_t info;
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &info);
    if (!root)
        fail_msg("%s: %.*s", info.text, GOL_STR_ARG(text));
    return root;
}

/* The reply of a request that is answered whole. */
static json_t *ask(const char *body, int *status)
{
    bell b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    gol_api_call *call = begin(body, &b);
    while (!gol_api_call_is_ready(call))
        wait_for(&b);
    *status = gol_api_call_reply(call)->status;
    json_t *root = parse_json(gol_api_call_reply(call)->body);
    gol_api_call_end(&call);
    return root;
}

static void add_ids(json_t *out, const json_t *choice)
{
    json_t *ids = json_object_get(choice, "token_ids");
    assert_true(json_is_array(ids));
    json_array_extend(out, ids);
}

static json_t *ask_ids(const char *body)
{
    int status;
    json_t *root = ask(body, &status);
    assert_int_equal(status, 200);
    json_t *ids = json_array();
    add_ids(ids, json_array_get(json_object_get(root, "choices"), 0));
    json_decref(root);
    return ids;
}

/* The same from a stream, read in small pieces. */
static json_t *stream_ids(const char *body)
{
    bell b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    gol_api_call *call = begin(body, &b);
    assert_true(gol_api_call_is_ready(call));
    gguf_bytes bytes = {0};
    char buf[100];
    ptrdiff_t n;
    while ((n = gol_api_call_read(call, buf, sizeof buf)) != GOL_API_END) {
        if (n == 0)
            wait_for(&b);
        else
            bytes_put(&bytes, buf, (size_t)n);
    }
    json_t *ids = json_array();
    for (size_t pos = 0; pos < bytes.len;) {
        const char *start = (const char *)bytes.data + pos;
        const char *end = memmem(start, bytes.len - pos, "\n\n", 2);
        assert_non_null(end);
        pos += (size_t)(end - start) + 2;
        if (start[6] != '{')
            continue; /* [DONE] */
        json_t *chunk = parse_json((gol_str){start + 6, (size_t)(end - start) - 6});
        add_ids(ids, json_array_get(json_object_get(chunk, "choices"), 0));
        json_decref(chunk);
    }
    bytes_free(&bytes);
    gol_api_call_end(&call);
    return ids;
}

static void make_body(char *out, size_t size, int k, bool streams)
{
    snprintf(out, size,
             "{\"prompt\":[%d,%d,7,8,9],\"max_tokens\":%d,\"seed\":%d,\"ignore_eos\":true,"
             "\"temperature\":0.9,\"return_token_ids\":true,\"stream\":%s}",
             3 + k, 5 + k % 3, 10 + k, 100 + k, streams ? "true" : "false");
}

static void test_a_stream_says_what_the_whole_answer_says(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++) {
        char body[300];
        make_body(body, sizeof body, k, false);
        json_t *whole = ask_ids(body);
        assert_int_equal(json_array_size(whole), 10 + k);
        make_body(body, sizeof body, k, true);
        json_t *stream = stream_ids(body);
        assert_true(json_equal(whole, stream));
        json_decref(whole);
        json_decref(stream);
    }
}

/* ---- many clients ---- */

enum { N_CLIENTS = 6, N_ROUNDS = 12 };

typedef struct client {
    int k;
    json_t *expected;
    int n_answers;
    int n_other; /* answers that differ */
} client;

/* Starts a call and goes away somewhere in it. */
static void vanish(int k, gol_rng *rng)
{
    char body[300];
    bell b = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    make_body(body, sizeof body, k, gol_rng_below(rng, 2) == 0);
    gol_api_call *call = begin(body, &b);
    const uint64_t n_looks = gol_rng_below(rng, 6);
    for (uint64_t i = 0; i < n_looks; i++) {
        char buf[64];
        if (gol_api_call_is_ready(call))
            (void)gol_api_call_read(call, buf, sizeof buf);
        usleep((useconds_t)gol_rng_below(rng, 300));
    }
    gol_api_call_end(&call);
}

static void *run_client(void *arg)
{
    client *c = arg;
    gol_rng rng = {.key = (uint64_t)c->k};
    for (int i = 0; i < N_ROUNDS; i++) {
        char body[300];
        vanish(c->k, &rng);
        make_body(body, sizeof body, c->k, false);
        int status;
        json_t *root = ask(body, &status);
        if (status == 200) {
            json_t *ids = json_array();
            add_ids(ids, json_array_get(json_object_get(root, "choices"), 0));
            c->n_answers++;
            c->n_other += !json_equal(ids, c->expected);
            json_decref(ids);
        }
        json_decref(root);
    }
    return NULL;
}

static void test_clients_that_vanish_change_no_answer_and_leave_nothing(void **state)
{
    (void)state;
    client clients[N_CLIENTS];
    pthread_t threads[N_CLIENTS];
    for (int k = 0; k < N_CLIENTS; k++) {
        char body[300];
        make_body(body, sizeof body, k, false);
        clients[k] = (client){.k = k, .expected = ask_ids(body)};
    }
    for (int k = 0; k < N_CLIENTS; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, run_client, &clients[k]), 0);
    int n_answers = 0;
    for (int k = 0; k < N_CLIENTS; k++) {
        pthread_join(threads[k], NULL);
        assert_int_equal(clients[k].n_other, 0);
        n_answers += clients[k].n_answers;
        json_decref(clients[k].expected);
    }
    assert_true(n_answers > 0); /* others may have met a full queue */
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_running + stats.n_waiting, 0);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
}

static void expect_code(const char *body, int expected_status, const char *expected_code)
{
    int status;
    json_t *root = ask(body, &status);
    assert_int_equal(status, expected_status);
    const json_t *error = json_object_get(root, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), expected_code);
    json_decref(root);
}

static void test_the_engines_refusals_reach_the_client(void **state)
{
    (void)state;
    char body[200];
    snprintf(body, sizeof body, "{\"prompt\":[1,%d]}", POISON_TOKEN);
    expect_code(body, 500, "computation_failed");
    expect_code("{\"prompt\":[40]}", 400,
                "invalid_value"); /* the tokenizer knows it, the model not */
    /* 8 may wait, 4 may run: 32 do not fit, and none is left behind. */
    expect_code("{\"prompt\":[1],\"n\":32,\"max_tokens\":100,\"ignore_eos\":true}", 429,
                "queue_full");
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    expect_code("{\"prompt\":[1]}", 503, "shutting_down");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_stream_says_what_the_whole_answer_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_clients_that_vanish_change_no_answer_and_leave_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_engines_refusals_reach_the_client, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
