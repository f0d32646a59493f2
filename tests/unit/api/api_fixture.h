/*
 * An api over a scripted engine and a real tokenizer of 256 byte tokens and a few words, and the steps every test needs:
 * post a body, look at the reply, read a stream.
 */
#ifndef TESTS_UNIT_API_API_FIXTURE_H
#define TESTS_UNIT_API_API_FIXTURE_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/mem.h"
#include "unit/api/fake_engine.h"
#include "unit/api/tiny_tokenizer.h"

static gol_engine engine;
static gol_model_file *file;
static gguf_bytes file_bytes;
static gol_tokenizer *tok;
static gol_api *api;
static _Atomic int n_wakes;

/* Calls begun and not ended: a test that fails leaves them behind. */
enum { OPEN_CALLS_MAX = 64 };
static gol_api_call *open_calls[OPEN_CALLS_MAX];

static inline void make_api(const gol_api_opts *more)
{
    gol_err err = {0};
    gol_api_opts opts = more ? *more : (gol_api_opts){0};
    opts.model_id = "org/tiny";
    opts.engine = &engine;
    opts.tok = tok;
    if (gol_api_create(&api, &opts, &err) != 0)
        fail_msg("%s", err.message);
}

static inline int setup_api(void **state)
{
    (void)state;
    gol_err err = {0};
    file_bytes = tokenizer_file();
    if (gol_model_file_open_memory(&file, file_bytes.data, file_bytes.len, "test", &err) != 0 ||
        gol_tokenizer_load(&tok, file, &err) != 0)
        fail_msg("%s", err.message);
    fake_engine_init(&engine, TOK_N_VOCAB);
    n_wakes = 0;
    make_api(NULL);
    return 0;
}

static inline gol_api_call *opened(gol_api_call *call)
{
    int i = 0;
    while (open_calls[i])
        i++;
    assert(i < OPEN_CALLS_MAX);
    open_calls[i] = call;
    return call;
}

static inline void end_call(gol_api_call **call)
{
    int i = 0;
    while (open_calls[i] != *call)
        i++;
    open_calls[i] = NULL;
    gol_api_call_end(call);
    assert_null(*call);
}

static inline int teardown_api(void **state)
{
    (void)state;
    gol_mem_fail_nth(0, false);
    for (int i = 0; i < OPEN_CALLS_MAX; i++)
        gol_api_call_end(&open_calls[i]); /* NULL is fine */
    fake_settle(&engine);
    gol_api_destroy(&api);
    fake_engine_deinit(&engine);
    gol_tokenizer_destroy(&tok);
    gol_model_file_close(&file);
    bytes_free(&file_bytes);
    return 0;
}

#define api_test(f) cmocka_unit_test_setup_teardown(f, setup_api, teardown_api)

static inline void count_wake(void *user)
{
    (void)user;
    n_wakes++;
}

static inline gol_api_call *request_bytes(const char *method, const char *path, const void *body,
                                          size_t len)
{
    const gol_api_request request = {
        .method = gol_str_from(method),
        .path = gol_str_from(path),
        .content_type = GOL_STR("application/json"),
        .body = {body, len},
    };
    return opened(gol_api_begin(api, &request, count_wake, NULL));
}

static inline gol_api_call *get(const char *path)
{
    return request_bytes("GET", path, NULL, 0);
}

static inline gol_api_call *post(const char *path, const char *body)
{
    return request_bytes("POST", path, body, strlen(body));
}

static inline const char *header_of(gol_api_call *call, const char *name)
{
    const gol_api_reply *reply = gol_api_call_reply(call);
    for (int i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return NULL;
}

static inline json_t *parse_json(gol_str text)
{
    json_error_t info;
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &info);
    if (!root)
        fail_msg("%s in %.*s", info.text, GOL_STR_ARG(text));
    return root;
}

/* The whole reply of a call that is ready; the caller drops it. */
static inline json_t *reply_of(gol_api_call *call, int status)
{
    assert_true(gol_api_call_is_ready(call));
    const gol_api_reply *reply = gol_api_call_reply(call);
    if (reply->status != status)
        fail_msg("status %d: %.*s", reply->status, GOL_STR_ARG(reply->body));
    assert_false(reply->is_stream);
    assert_string_equal(reply->headers[0].name, "Content-Type");
    assert_string_equal(reply->headers[0].value, "application/json");
    assert_int_equal(gol_api_call_read(call, &(char){0}, 1), GOL_API_END);
    return parse_json(reply->body);
}

/* A member by path, "choices/0/text". NULL: not there. */
static inline json_t *at(const json_t *root, const char *path)
{
    char word[64];
    json_t *v = (json_t *)root;
    while (v && *path != '\0') {
        const size_t n = strcspn(path, "/");
        assert(n < sizeof word);
        memcpy(word, path, n);
        word[n] = '\0';
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(word)) : json_object_get(v, word);
        path += n + (path[n] == '/');
    }
    return v;
}

static inline const char *str_at(const json_t *root, const char *path)
{
    const json_t *v = at(root, path);
    if (!json_is_string(v))
        fail_msg("%s is no string", path);
    return json_string_value(v);
}

static inline long long int_at(const json_t *root, const char *path)
{
    const json_t *v = at(root, path);
    if (!json_is_integer(v))
        fail_msg("%s is no integer", path);
    return json_integer_value(v);
}

/* The call is an error of exactly this shape; ends it. NULL: null. */
static inline void expect_error(gol_api_call *call, int status, const char *param, const char *code)
{
    json_t *root = reply_of(call, status);
    assert_int_equal(json_object_size(root), 1);
    const json_t *error = at(root, "error");
    assert_int_equal(json_object_size(error), 4);
    assert_true(json_string_length(at(error, "message")) > 0);
    const char *type = status == 401   ? "authentication_error"
                       : status == 404 ? "not_found_error"
                       : status == 429 ? "rate_limit_error"
                       : status >= 500 ? "server_error"
                                       : "invalid_request_error";
    assert_string_equal(str_at(error, "type"), type);
    if (param && (!json_is_string(at(error, "param")) ||
                  strcmp(param, json_string_value(at(error, "param"))) != 0))
        fail_msg("param is not %s: %s", param, str_at(error, "message"));
    if (!param && !json_is_null(at(error, "param")))
        fail_msg("param is %s", str_at(error, "param"));
    if (code)
        assert_string_equal(str_at(error, "code"), code);
    else
        assert_true(json_is_null(at(error, "code")));
    assert_int_equal(header_of(call, "Retry-After") != NULL, status == 429 || status == 503);
    json_decref(root);
    end_call(&call);
}

/* ---- streams ---- */

/* Appends what can be read now, in pieces of `size`; true: the stream is over. */
static inline bool read_some(gol_api_call *call, gguf_bytes *out, size_t size)
{
    char buf[4096];
    assert(size <= sizeof buf);
    for (;;) {
        const ptrdiff_t n = gol_api_call_read(call, buf, size);
        if (n <= 0)
            return n == GOL_API_END;
        bytes_put(out, buf, (size_t)n);
    }
}

/* The events so far: an array of the chunks, "[DONE]" as a string, comments left out. Takes the bytes. */
static inline json_t *take_events(gguf_bytes *bytes)
{
    json_t *events = json_array();
    size_t pos = 0;
    while (pos < bytes->len) {
        const char *start = (const char *)bytes->data + pos;
        const char *end = memmem(start, bytes->len - pos, "\n\n", 2);
        assert_non_null(end);
        const size_t len = (size_t)(end - start);
        pos += len + 2;
        if (start[0] == ':')
            continue;
        assert_true(len > 6 && memcmp(start, "data: ", 6) == 0);
        if (len == 12 && memcmp(start, "data: [DONE]", 12) == 0)
            json_array_append_new(events, json_string("[DONE]"));
        else
            json_array_append_new(events, parse_json((gol_str){start + 6, len - 6}));
    }
    bytes_free(bytes);
    return events;
}

/* All texts of one choice in the events, joined: of "text" or of "delta/content". */
static inline void join_texts(char *out, size_t size, const json_t *events, int index)
{
    size_t len = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *choice = at(json_array_get(events, i), "choices/0");
        if (!choice || int_at(choice, "index") != index)
            continue;
        const json_t *text = at(choice, "text") ? at(choice, "text") : at(choice, "delta/content");
        if (!text)
            continue;
        assert(len + json_string_length(text) < size);
        memcpy(out + len, json_string_value(text), json_string_length(text));
        len += json_string_length(text);
    }
    out[len] = '\0';
}

/* The bytes of s as byte tokens of sequence i. */
static inline void say_bytes(int i, const char *s)
{
    for (; *s != '\0'; s++)
        fake_say(&engine, i, tok_byte((unsigned char)*s));
}

#endif
