/* The HTTP layer with well-behaved clients and those that leave: replies, streams, sleep and wake, stopping. */
#include "unit/http/http_fixture.h"

#include <sched.h>

static void answers_and_keeps_the_connection(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    for (int i = 0; i < 3; i++) {
        say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        hear(fd, buf, sizeof buf, "5 bytes", PATIENCE_MS);
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
    hear(fd, buf, sizeof buf, "bytes", PATIENCE_MS);
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
    hear(fd, buf, sizeof buf, "bytes", PATIENCE_MS);
    assert_non_null(strstr(buf, "/echo 10 bytes"));
    close(fd);

    fd = dial(server); /* a client that waits for it is refused before it sends anything */
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
    hear(fd, buf, sizeof buf, "request_too_large", PATIENCE_MS);
    assert_non_null(strstr(buf, "HTTP/1.1 413"));
    close(fd);

    fd = dial(server); /* without a length it is counted */
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    say(fd, "b\r\n0123456789a\r\n0\r\n\r\n");
    hear(fd, buf, sizeof buf, "request_too_large", PATIENCE_MS);
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
    say(fd, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            "Expect: 100-continue\r\n\r\n");
    hear(fd, buf, sizeof buf, "bytes", PATIENCE_MS);
    assert_non_null(strstr(buf, "HTTP/1.1 404"));
    close(fd);
    gol_http_server_stop(&server);
}

/* Clients that look at a reply only when they have sent all must be able to read it: no reset in the middle. */
static void a_refused_body_is_read_to_its_end(void **state)
{
    (void)state;
    static char body[9 << 20];
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9437184\r\n\r\n",
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n",
    };
    memset(body, 'a', sizeof body);
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    for (int i = 0; i < 4; i++) { /* and the connection goes on */
        char buf[1024];
        say(fd, heads[i % 2]);
        assert_int_equal(send_all(fd, body, i % 2 ? 8 << 20 : sizeof body), 0);
        hear(fd, buf, sizeof buf, i % 2 ? "bytes" : "request_too_large", PATIENCE_MS);
        assert_non_null(strstr(buf, i % 2 ? "HTTP/1.1 404" : "HTTP/1.1 413"));
    }
    close(fd);
    gol_http_server_stop(&server);
}

static void head_has_the_headers_of_get_and_no_body(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    char buf[1024];
    for (int i = 0; i < 2; i++) {
        say(fd, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        hear(fd, buf, sizeof buf, "\r\n\r\n", PATIENCE_MS);
        assert_non_null(strstr(buf, "200 OK"));
        assert_non_null(strstr(buf, "Content-Length: 13\r\n")); /* of "/echo 0 bytes" */
        assert_string_equal(strstr(buf, "\r\n\r\n"), "\r\n\r\n");
    }
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
    assert_true(wait_for_n_waiting(1));
    assert_int_equal(hear(fd, buf, sizeof buf, "\r\n", 100), 0); /* nothing yet */
    push_all(0, true);
    hear(fd, buf, sizeof buf, "/late", PATIENCE_MS);
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
    assert_true(wait_for_n_waiting(1));
    hear(fd, buf, sizeof buf, "\r\n\r\n", PATIENCE_MS); /* headers come before the first chunk */
    assert_non_null(strstr(buf, "200 OK"));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(push_all(1, true), 1);
        hear(fd, buf, sizeof buf, "chunk\n", PATIENCE_MS);
        assert_non_null(strstr(buf, "chunk\n"));
    }
    push_all(-1, true);
    hear(fd, buf, sizeof buf, "0\r\n\r\n", PATIENCE_MS);
    assert_non_null(strstr(buf, "0\r\n\r\n")); /* the last HTTP chunk */
    assert_true(wait_for_n_waiting(0));
    close(fd);
    gol_http_server_stop(&server);
}

static void a_client_that_hangs_up_ends_its_call(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.idle_timeout_s = 3600}); /* not by that */
    enum { N = 40 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = dial(server);
        say(fds[i], i % 2 ? GET_STREAM : GET_LATE);
    }
    assert_true(wait_for_n_waiting(N));
    for (int i = 0; i < N; i++) {
        const struct linger reset = {.l_onoff = 1};
        if (i % 3 == 0) /* some with RST */
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fds[i]);
    }
    assert_true(wait_for_n_waiting(0));
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
    assert_true(wait_for_n_waiting(N));
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
    while (!atomic_load(stop)) {
        push_all(1, true);
        sched_yield(); /* the lock is nobody's for a moment */
    }
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
            hear(fd, buf, sizeof buf, round % 2 ? "chunk\n" : "/late", PATIENCE_MS);
            assert_non_null(strstr(buf, round % 2 ? "chunk\n" : "/late"));
        }
        close(fd);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_true(wait_for_n_waiting(0));
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
    hear(fd, buf, sizeof buf, "\r\n\r\n", PATIENCE_MS);
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
    const gol_http_opts nowhere = {.host = "no..host"}; /* no name server is asked */
    assert_int_equal(gol_http_server_start(&second, &test_api, &nowhere, &err), GOL_ELISTEN);
    gol_http_server_stop(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_keeps_the_connection),
        cmocka_unit_test(reads_a_chunked_body),
        cmocka_unit_test(refuses_a_body_over_the_limit_and_takes_one_at_it),
        cmocka_unit_test(refuses_an_unknown_path_before_its_body),
        cmocka_unit_test(a_refused_body_is_read_to_its_end),
        cmocka_unit_test(head_has_the_headers_of_get_and_no_body),
        cmocka_unit_test(answers_late_when_woken),
        cmocka_unit_test(streams_as_it_comes),
        cmocka_unit_test(a_client_that_hangs_up_ends_its_call),
        cmocka_unit_test(stopping_ends_waiting_calls),
        cmocka_unit_test(no_wake_is_lost_in_a_storm),
        cmocka_unit_test(answers_preflights_when_cors_is_on),
        cmocka_unit_test(says_why_it_cannot_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
