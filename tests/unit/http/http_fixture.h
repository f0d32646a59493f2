/*
 * An api made for tests of the HTTP layer: it replies at once, replies late, streams, is slow to begin, and notices every end().
 * And clients, which are plain sockets on loopback.
 */
#ifndef TESTS_UNIT_HTTP_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/server.h"
#include "support/patience.h"

/* ---- the api of the test ---- */

enum { WAITING_MAX = 512 };

struct gol_api {
    pthread_mutex_t lock;
    gol_api_call *waiting[WAITING_MAX]; /* calls of /late and /stream that have not ended */
    int n_begun;
    int n_ended;
    atomic_int n_slow_begun; /* calls of /slow */
    atomic_int n_slow_done;  /* ... whose begin() has returned */
    atomic_bool holds_slow;  /* begin() of /slow waits for the end of it */
};

struct gol_api_call {
    gol_api *api;
    gol_api_wake *wake;
    void *user;
    atomic_bool is_ready;
    atomic_int n_chunks; /* of a stream, ready to be read; -1: then the end */
    char body[256];
    gol_api_reply reply;
};

static gol_api test_api = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline gol_api_call *new_call(gol_api *api, int status, const char *body)
{
    gol_api_call *call = gol_xcalloc(1, sizeof *call);
    call->api = api;
    snprintf(call->body, sizeof call->body, "%s", body);
    call->reply = (gol_api_reply){
        .status = status, .body = {call->body, strlen(call->body)}, .n_headers = 1};
    call->reply.headers[0] = (gol_api_header){"Content-Type", "text/plain"};
    atomic_store(&call->is_ready, true);
    pthread_mutex_lock(&api->lock);
    api->n_begun++;
    pthread_mutex_unlock(&api->lock);
    return call;
}

/* Every header the api is given, the thread it is asked in, and a sum over the body. */
static inline gol_api_call *new_call_about_head(gol_api *api, const gol_api_request *request)
{
    char text[256];
    unsigned sum = 0;
    for (size_t i = 0; i < request->body.len; i++)
        sum = sum * 31 + (unsigned char)request->body.data[i];
    snprintf(text, sizeof text,
             "%.*s %.*s type %.*s key %.*s from %.*s id %.*s thread %llx sum %u end",
             GOL_STR_ARG(request->method), GOL_STR_ARG(request->path),
             GOL_STR_ARG(request->content_type), GOL_STR_ARG(request->authorization),
             GOL_STR_ARG(request->origin), GOL_STR_ARG(request->request_id),
             (unsigned long long)pthread_self(), sum);
    return new_call(api, 200, text);
}

int gol_api_route_status(const gol_api *api, gol_str method, gol_str path)
{
    (void)api;
    (void)method;
    return gol_str_is(path, "/nowhere") ? 404 : 0;
}

gol_api_call *gol_api_begin_error(gol_api *api, int status, const char *code, const char *message)
{
    (void)message;
    return new_call(api, status, code);
}

/* Wakes, as the engine may at any moment, and takes its time: until it is let go. */
static inline void begin_slowly(gol_api *api, gol_api_wake *wake, void *user)
{
    atomic_fetch_add(&api->n_slow_begun, 1);
    do {
        wake(user);
        usleep(1000);
    } while (atomic_load(&api->holds_slow));
    atomic_fetch_add(&api->n_slow_done, 1);
}

gol_api_call *gol_api_begin(gol_api *api, const gol_api_request *request, gol_api_wake *wake,
                            void *user)
{
    char text[128];
    if (gol_str_is(request->path, "/slow"))
        begin_slowly(api, wake, user);
    if (gol_str_is(request->path, "/head")) /* read to the last byte, as the api does */
        return new_call_about_head(api, request);
    snprintf(text, sizeof text, "%.*s %zu bytes", GOL_STR_ARG(request->path), request->body.len);
    gol_api_call *call = new_call(api, gol_str_is(request->path, "/nowhere") ? 404 : 200, text);
    const bool is_stream = gol_str_is(request->path, "/stream");
    if (!is_stream && !gol_str_is(request->path, "/late"))
        return call;
    call->wake = wake;
    call->user = user;
    call->reply.is_stream = is_stream;
    atomic_store(&call->is_ready, is_stream);
    pthread_mutex_lock(&api->lock);
    for (int i = 0; i < WAITING_MAX; i++) {
        if (api->waiting[i] == NULL) {
            api->waiting[i] = call;
            break;
        }
    }
    pthread_mutex_unlock(&api->lock);
    return call;
}

bool gol_api_call_is_ready(gol_api_call *call)
{
    return atomic_load(&call->is_ready);
}

const gol_api_reply *gol_api_call_reply(gol_api_call *call)
{
    return &call->reply;
}

ptrdiff_t gol_api_call_read(gol_api_call *call, char *buf, size_t size)
{
    const int n_chunks = atomic_load(&call->n_chunks);
    if (n_chunks == 0)
        return 0;
    if (n_chunks < 0)
        return GOL_API_END;
    atomic_fetch_sub(&call->n_chunks, 1);
    assert_true(size >= 6);
    memcpy(buf, "chunk\n", 6);
    return 6;
}

void gol_api_call_end(gol_api_call **call_ptr)
{
    gol_api_call *call = *call_ptr;
    if (call == NULL)
        return;
    *call_ptr = NULL;
    pthread_mutex_lock(&call->api->lock);
    for (int i = 0; i < WAITING_MAX; i++) {
        if (call->api->waiting[i] == call)
            call->api->waiting[i] = NULL;
    }
    call->api->n_ended++;
    pthread_mutex_unlock(&call->api->lock);
    gol_free(call);
}

/* For every waiting call, under the api's lock: wake() cannot come after end(), as the contract says. */
static inline int push_all(int n_chunks, bool ready)
{
    int n = 0;
    pthread_mutex_lock(&test_api.lock);
    for (int i = 0; i < WAITING_MAX; i++) {
        gol_api_call *call = test_api.waiting[i];
        if (call == NULL)
            continue;
        if (n_chunks < 0)
            atomic_store(&call->n_chunks, -1);
        else
            atomic_fetch_add(&call->n_chunks, n_chunks);
        if (ready)
            atomic_store(&call->is_ready, true);
        call->wake(call->user);
        n++;
    }
    pthread_mutex_unlock(&test_api.lock);
    return n;
}

static inline int n_waiting(void)
{
    int n = 0;
    pthread_mutex_lock(&test_api.lock);
    for (int i = 0; i < WAITING_MAX; i++)
        n += test_api.waiting[i] != NULL;
    pthread_mutex_unlock(&test_api.lock);
    return n;
}

static inline int n_begun(void)
{
    pthread_mutex_lock(&test_api.lock);
    const int n = test_api.n_begun;
    pthread_mutex_unlock(&test_api.lock);
    return n;
}

/* ---- clients ---- */

static inline gol_http_server *start(const gol_http_opts *opts)
{
    gol_http_server *server;
    gol_err err = {0};
    gol_http_opts with_port = *opts;
    with_port.port = -1;
    if (gol_http_server_start(&server, &test_api, &with_port, &err) != 0)
        fail_msg("%s", err.message);
    return server;
}

static inline int dial(const gol_http_server *server)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)gol_http_server_port(server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* 0, or the errno of the first send that failed. */
static inline int send_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0)
            return errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Real time, also where a test has a clock of its own. */
static inline uint64_t now_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Reads until `until` has been seen, the peer closes, or the time is over; NUL-terminates. */
static inline size_t hear(int fd, char *buf, size_t size, const char *until, int timeout_ms)
{
    size_t n = 0;
    buf[0] = '\0';
    const uint64_t end_ns = now_ns() + (uint64_t)timeout_ms * 1000000u;
    while (n + 1 < size && now_ns() < end_ns && strstr(buf, until) == NULL) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0)
            continue;
        const ssize_t got = recv(fd, buf + n, size - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        buf[n] = '\0';
    }
    return n;
}

static inline bool wait_for_n_waiting(int wanted)
{
    patience p = patience_begin();
    while (n_waiting() != wanted) {
        if (!patience_lasts(&p))
            return false;
    }
    return true;
}

/* For a moment at least: a connection may bring its next request behind one that has ended. */
static inline void wait_for_n_requests(gol_http_server *server, int wanted)
{
    patience p = patience_begin();
    int n = gol_http_server_n_requests(server);
    while (n != wanted && patience_lasts(&p))
        n = gol_http_server_n_requests(server);
    assert_int_equal(n, wanted);
}

static const char GET_STREAM[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
static const char GET_LATE[] = "GET /late HTTP/1.1\r\nHost: x\r\n\r\n";

/* way 0: half a FIN, then the rest; 1: RST; 2: FIN. */
static inline void hang_up(int fd, int way)
{
    const struct linger reset = {.l_onoff = 1};
    if (way == 0)
        shutdown(fd, SHUT_WR);
    else if (way == 1)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

/* A thread that lets every waiting call go on, over and over. arg: an atomic_bool that stops it. */
static inline void *push_main(void *arg)
{
    atomic_bool *stops = arg;
    while (!atomic_load(stops)) {
        push_all(1, true);
        usleep(500);
        push_all(-1, true);
    }
    return NULL;
}

#endif
