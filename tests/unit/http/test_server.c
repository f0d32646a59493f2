/*
 * The HTTP layer over an api made for the test: replies at once, replies late, streams, and notices every end(). Clients are
 * plain sockets on loopback.
 */
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
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/server.h"

/* ---- the api of the test ---- */

enum { WAITING_MAX = 512 };

struct gol_api {
    pthread_mutex_t lock;
    gol_api_call *waiting[WAITING_MAX]; /* calls of /late and /stream that have not ended */
    int n_begun;
    int n_ended;
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

static gol_api_call *new_call(gol_api *api, int status, const char *body)
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

gol_api_call *gol_api_begin(gol_api *api, const gol_api_request *request, gol_api_wake *wake,
                            void *user)
{
    char text[128];
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
static int push_all(int n_chunks, bool ready)
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

static int n_waiting(void)
{
    int n = 0;
    pthread_mutex_lock(&test_api.lock);
    for (int i = 0; i < WAITING_MAX; i++)
        n += test_api.waiting[i] != NULL;
    pthread_mutex_unlock(&test_api.lock);
    return n;
}

/* ---- clients ---- */

static gol_http_server *start(const gol_http_opts *opts)
{
    gol_http_server *server;
    gol_err err = {0};
    gol_http_opts with_port = *opts;
    with_port.port = -1;
    if (gol_http_server_start(&server, &test_api, &with_port, &err) != 0)
        fail_msg("%s", err.message);
    return server;
}

static int dial(const gol_http_server *server)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)gol_http_server_port(server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until `until` has been seen, the peer closes, or the time is over; NUL-terminates. */
static size_t hear(int fd, char *buf, size_t size, const char *until, int timeout_ms)
{
    size_t n = 0;
    buf[0] = '\0';
    const uint64_t end_ns = gol_clock_ns() + (uint64_t)timeout_ms * 1000000u;
    while (n + 1 < size && gol_clock_ns() < end_ns && strstr(buf, until) == NULL) {
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

static bool wait_for_n_waiting(int wanted, int timeout_ms)
{
    for (int ms = 0; ms < timeout_ms; ms += 5) {
        if (n_waiting() == wanted)
            return true;
        usleep(5000);
    }
    return false;
}

static const char GET_STREAM[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
static const char GET_LATE[] = "GET /late HTTP/1.1\r\nHost: x\r\n\r\n";

/* ---- tests ---- */

static void answers_and_keeps_the_connection(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    for (int i = 0; i < 3; i++) {
        say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        hear(fd, buf, sizeof buf, "5 bytes", 2000);
        assert_non_null(strstr(buf, "200 OK"));
        assert_non_null(strstr(buf, "/echo 5 bytes"));
    }
    close(fd);
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

static void reads_a_chunked_body(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(fd, "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    hear(fd, buf, sizeof buf, "bytes", 2000);
    assert_non_null(strstr(buf, "/echo 7 bytes"));
    close(fd);
    gol_http_server_stop(&server);
}

static void refuses_a_body_over_the_limit_and_takes_one_at_it(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.body_max = 10});
    char buf[1024];

    int fd = dial(server);
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789");
    hear(fd, buf, sizeof buf, "bytes", 2000);
    assert_non_null(strstr(buf, "/echo 10 bytes"));
    close(fd);

    fd = dial(server); /* the length alone is enough to refuse */
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    hear(fd, buf, sizeof buf, "request_too_large", 2000);
    assert_non_null(strstr(buf, "HTTP/1.1 413"));
    close(fd);

    fd = dial(server); /* without a length it is counted */
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(fd, "b\r\n0123456789a\r\n0\r\n\r\n");
    hear(fd, buf, sizeof buf, "request_too_large", 2000);
    assert_non_null(strstr(buf, "HTTP/1.1 413"));
    close(fd);
    gol_http_server_stop(&server);
}

static void refuses_an_unknown_path_before_its_body(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    say(fd, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    hear(fd, buf, sizeof buf, "bytes", 2000);
    assert_non_null(strstr(buf, "HTTP/1.1 404"));
    close(fd);
    gol_http_server_stop(&server);
}

static void refuses_headers_over_the_limit(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.header_max = 4096});
    const int fd = dial(server);
    char buf[1024];
    char line[8192];
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\0';
    say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: ");
    (void)send(fd, line, sizeof line - 1, MSG_NOSIGNAL);
    (void)send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL);
    hear(fd, buf, sizeof buf, "\r\n\r\n", 2000);
    assert_true(strstr(buf, "HTTP/1.1 431") != NULL || strstr(buf, "HTTP/1.1 413") != NULL ||
                buf[0] == '\0'); /* refused; a reset may overtake the reply */
    assert_null(strstr(buf, "200 OK"));
    close(fd);
    gol_http_server_stop(&server);
}

static void answers_late_when_woken(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    say(fd, GET_LATE);
    assert_true(wait_for_n_waiting(1, 2000));
    assert_int_equal(hear(fd, buf, sizeof buf, "\r\n", 100), 0); /* nothing yet */
    push_all(0, true);
    hear(fd, buf, sizeof buf, "/late", 2000);
    assert_non_null(strstr(buf, "/late 0 bytes"));
    close(fd);
    gol_http_server_stop(&server);
}

static void streams_as_it_comes(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[4096];
    say(fd, GET_STREAM);
    assert_true(wait_for_n_waiting(1, 2000));
    hear(fd, buf, sizeof buf, "\r\n\r\n", 2000); /* headers come before the first chunk */
    assert_non_null(strstr(buf, "200 OK"));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(push_all(1, true), 1);
        hear(fd, buf, sizeof buf, "chunk\n", 2000);
        assert_non_null(strstr(buf, "chunk\n"));
    }
    push_all(-1, true);
    hear(fd, buf, sizeof buf, "0\r\n\r\n", 2000);
    assert_non_null(strstr(buf, "0\r\n\r\n")); /* the last HTTP chunk */
    assert_true(wait_for_n_waiting(0, 2000));
    close(fd);
    gol_http_server_stop(&server);
}

static void a_client_that_hangs_up_ends_its_call(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    enum { N = 40 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = dial(server);
        say(fds[i], i % 2 ? GET_STREAM : GET_LATE);
    }
    assert_true(wait_for_n_waiting(N, 5000));
    const uint64_t begin_ns = gol_clock_ns();
    for (int i = 0; i < N; i++) {
        const struct linger reset = {.l_onoff = 1};
        if (i % 3 == 0) /* some with RST */
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fds[i]);
    }
    assert_true(wait_for_n_waiting(0, 5000));
    assert_true(gol_clock_ns() - begin_ns < 1000000000u);
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

static void stopping_ends_waiting_calls(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    enum { N = 20 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = dial(server);
        say(fds[i], i % 2 ? GET_STREAM : GET_LATE);
    }
    assert_true(wait_for_n_waiting(N, 5000));
    gol_http_server_stop_listening(server);
    gol_http_server_stop(&server);
    assert_int_equal(n_waiting(), 0);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

static void *push_often(void *arg)
{
    atomic_bool *stop = arg;
    while (!atomic_load(stop))
        push_all(1, true);
    return NULL;
}

/* wake() against suspend, end() against wake(), hang-up against both. */
static void no_wake_is_lost_in_a_storm(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    atomic_bool stop = false;
    pthread_t thread;
    pthread_create(&thread, NULL, push_often, &stop);
    char buf[2048];
    for (int round = 0; round < 150; round++) {
        const int fd = dial(server);
        say(fd, round % 2 ? GET_STREAM : GET_LATE);
        if (round % 3 != 0) {
            hear(fd, buf, sizeof buf, round % 2 ? "chunk\n" : "/late", 5000);
            assert_non_null(strstr(buf, round % 2 ? "chunk\n" : "/late"));
        }
        close(fd);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_true(wait_for_n_waiting(0, 5000));
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

static void answers_preflights_when_cors_is_on(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.cors_origin = "https://example.org"});
    const int fd = dial(server);
    char buf[2048];
    say(fd, "OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: https://example.org\r\n\r\n");
    hear(fd, buf, sizeof buf, "\r\n\r\n", 2000);
    assert_non_null(strstr(buf, "HTTP/1.1 204"));
    assert_non_null(strstr(buf, "Access-Control-Allow-Origin: https://example.org"));
    close(fd);
    gol_http_server_stop(&server);
}

static void says_why_it_cannot_listen(void **state)
{
    (void)state;
    gol_http_server *first = start(&(gol_http_opts){0});
    gol_http_server *second;
    gol_err err = {0};
    const gol_http_opts same = {.port = gol_http_server_port(first)};
    assert_int_equal(gol_http_server_start(&second, &test_api, &same, &err), GOL_ELISTEN);
    assert_non_null(strstr(err.message, "in use"));
    assert_null(second);
    const gol_http_opts high = {.port = 70000};
    assert_int_equal(gol_http_server_start(&second, &test_api, &high, &err), GOL_EINVAL);
    const gol_http_opts nowhere = {.host = "host.invalid"};
    assert_int_equal(gol_http_server_start(&second, &test_api, &nowhere, &err), GOL_ELISTEN);
    gol_http_server_stop(&first);
}

static void raw_garbage_is_refused(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "GET /echo HTTP/1.1\r\n\r\n", /* no Host */
    };
    gol_http_server *server = start(&(gol_http_opts){0});
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char buf[1024];
        const int fd = dial(server);
        say(fd, requests[i]);
        shutdown(fd, SHUT_WR);
        hear(fd, buf, sizeof buf, "\r\n\r\n", 1000);
        if (strstr(buf, "200 OK") != NULL)
            fail_msg("request %zu was answered with 200", i);
        close(fd);
    }
    const int fd = dial(server); /* and it still works */
    char buf[1024];
    say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, buf, sizeof buf, "bytes", 2000);
    assert_non_null(strstr(buf, "200 OK"));
    close(fd);
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* One header byte a second would hold a connection for hours; the request has ten seconds. */
static void a_dripping_request_is_dropped(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    say(fd, "GET /echo HTTP/1.1\r\n");
    const uint64_t begin_ns = gol_clock_ns();
    bool dropped = false;
    for (int i = 0; i < 70 && !dropped; i++) {
        usleep(200000);
        char byte;
        dropped = send(fd, "X", 1, MSG_NOSIGNAL) < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
    }
    assert_true(dropped);
    assert_true(gol_clock_ns() - begin_ns > 9000000000u);
    close(fd);
    gol_http_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_keeps_the_connection),
        cmocka_unit_test(reads_a_chunked_body),
        cmocka_unit_test(refuses_a_body_over_the_limit_and_takes_one_at_it),
        cmocka_unit_test(refuses_an_unknown_path_before_its_body),
        cmocka_unit_test(refuses_headers_over_the_limit),
        cmocka_unit_test(answers_late_when_woken),
        cmocka_unit_test(streams_as_it_comes),
        cmocka_unit_test(a_client_that_hangs_up_ends_its_call),
        cmocka_unit_test(stopping_ends_waiting_calls),
        cmocka_unit_test(no_wake_is_lost_in_a_storm),
        cmocka_unit_test(answers_preflights_when_cors_is_on),
        cmocka_unit_test(says_why_it_cannot_listen),
        cmocka_unit_test(raw_garbage_is_refused),
        cmocka_unit_test(a_dripping_request_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
