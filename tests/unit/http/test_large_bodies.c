/*
 * Requests that take long to begin, in the slow lane: nobody else waits for them, and their clients may leave, and the server may
 * stop, while one is being begun and while others wait for their turn.
 */
#include "unit/http/http_fixture.h"

#include <stdlib.h>

#include "http/slow_lane.h"

enum {
    SLOW_BODY = 32 << 10, /* the largest that is not slow */
    LARGE = SLOW_BODY + 1,
};

static char filling[LARGE]; /* set by main() */

static int setup(void **state)
{
    (void)state;
    atomic_store(&test_api.n_slow_begun, 0);
    atomic_store(&test_api.n_slow_done, 0);
    atomic_store(&test_api.holds_slow, true);
    return 0;
}

static int post(int fd, const char *path, const char *headers, size_t n_body)
{
    char head[256];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
             path, headers, n_body);
    const int error = send_all(fd, head, strlen(head));
    return error != 0 ? error : send_all(fd, filling, n_body);
}

static int dial_and_post(const gol_http_server *server, const char *path)
{
    const int fd = dial(server);
    assert_int_equal(post(fd, path, "", LARGE), 0);
    return fd;
}

static void expect_reply(int fd, const char *status, const char *text)
{
    char buf[1024];
    hear(fd, buf, sizeof buf, text, PATIENCE_MS);
    if (strstr(buf, status) == NULL || strstr(buf, text) == NULL)
        fail_msg("instead of %s with \"%s\": %s", status, text, buf);
}

static void expect_nothing(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void wait_for_count(atomic_int *count, int wanted)
{
    patience p = patience_begin();
    while (atomic_load(count) < wanted && patience_lasts(&p))
        continue;
    assert_int_equal(atomic_load(count), wanted);
}

static void stop(gol_http_server *server)
{
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
    assert_int_equal(atomic_load(&test_api.n_slow_begun), atomic_load(&test_api.n_slow_done));
}

/* ---- others ---- */

/* It is held until all of them are answered. */
static void small_requests_do_not_wait_for_a_large_one(void **state)
{
    (void)state;
    enum { N = 21 };
    gol_http_server *server = start(&(gol_http_opts){0});
    const int slow = dial_and_post(server, "/slow");
    wait_for_count(&test_api.n_slow_begun, 1);
    for (int i = 0; i < N; i++) {
        const int fd = dial(server);
        assert_int_equal(post(fd, "/echo", "", (size_t)i * (SLOW_BODY / (N - 1))), 0);
        expect_reply(fd, "200 OK", "bytes");
        close(fd);
    }
    assert_int_equal(atomic_load(&test_api.n_slow_done), 0);
    expect_nothing(slow);

    atomic_store(&test_api.holds_slow, false);
    expect_reply(slow, "200 OK", "/slow 32769 bytes");
    assert_int_equal(post(slow, "/echo", "", 3), 0); /* the connection goes on */
    expect_reply(slow, "200 OK", "/echo 3 bytes");
    assert_int_equal(post(slow, "/slow", "", LARGE), 0);
    expect_reply(slow, "200 OK", "/slow 32769 bytes");
    assert_int_equal(atomic_load(&test_api.n_slow_begun), 2); /* each once, however often woken */
    close(slow);
    stop(server);
}

/* Returns the thread that the api was asked in. */
static unsigned long long post_and_check_head(int fd, size_t n_body)
{
    static const char headers[] = "Content-Type: application/json\r\nAuthorization: Bearer k\r\n"
                                  "Origin: http://o\r\nX-Request-Id: id7\r\n";
    static const char seen[] =
        "POST /head type application/json key Bearer k from http://o id id7 thread ";
    unsigned sum = 0;
    for (size_t i = 0; i < n_body; i++)
        sum = sum * 31 + (unsigned char)filling[i];
    char sum_seen[32];
    snprintf(sum_seen, sizeof sum_seen, " sum %u end", sum);

    char buf[1024];
    assert_int_equal(post(fd, "/he%61d", headers, n_body), 0);
    hear(fd, buf, sizeof buf, " end", PATIENCE_MS);
    const char *body = strstr(buf, seen);
    if (body == NULL || strstr(body, sum_seen) == NULL)
        fail_msg("instead of \"%s\" and \"%s\": %s", seen, sum_seen, buf);
    return strtoull(body + sizeof seen - 1, NULL, 16);
}

static void the_api_sees_the_whole_request_in_either_thread(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int fd = dial(server);
    const unsigned long long thread = post_and_check_head(fd, 1);
    assert_true(post_and_check_head(fd, SLOW_BODY) == thread);
    assert_true(post_and_check_head(fd, LARGE) != thread);
    close(fd);
    stop(server);
}

static void a_large_request_may_wait_for_the_engine_afterwards(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int late = dial_and_post(server, "/late");
    const int stream = dial_and_post(server, "/stream");
    assert_true(wait_for_n_waiting(2));
    push_all(1, true);
    expect_reply(late, "200 OK", "/late 32769 bytes");
    expect_reply(stream, "200 OK", "chunk\n");
    push_all(-1, true);
    expect_reply(stream, "", "0\r\n\r\n");
    close(late);
    close(stream);
    stop(server);
}

/* Whichever of the clients are read first: as many are refused as do not fit. */
static void a_full_lane_is_refused_at_once(void **state)
{
    (void)state;
    enum { N_TAKEN = 1 + GOL_SLOW_LANE_JOBS_MAX, N_REFUSED = 5, N = N_TAKEN + N_REFUSED };
    gol_http_server *server = start(&(gol_http_opts){0});
    struct pollfd fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = (struct pollfd){.fd = dial_and_post(server, "/slow"), .events = POLLIN};
        if (i == 0)
            wait_for_count(&test_api.n_slow_begun, 1);
    }
    patience p = patience_begin();
    int n_refused = 0;
    while (n_refused < N_REFUSED && patience_lasts(&p))
        n_refused = poll(fds, N, 0);
    assert_int_equal(n_refused, N_REFUSED);
    for (int i = 0; i < N; i++) {
        if (fds[i].revents == 0)
            continue;
        expect_reply(fds[i].fd, "HTTP/1.1 503", "too_many_large_requests");
        assert_int_equal(post(fds[i].fd, "/echo", "", 5), 0); /* it is not closed */
        expect_reply(fds[i].fd, "200 OK", "/echo 5 bytes");
    }
    atomic_store(&test_api.holds_slow, false);
    for (int i = 0; i < N; i++) {
        if (fds[i].revents == 0)
            expect_reply(fds[i].fd, "200 OK", "/slow 32769 bytes");
    }
    for (int i = 0; i < N; i++) { /* there is room again, once the last of them is begun */
        assert_int_equal(post(fds[i].fd, "/slow", "", LARGE), 0);
        expect_reply(fds[i].fd, "200 OK", "/slow 32769 bytes");
        close(fds[i].fd);
    }
    stop(server);
}

/* ---- hanging up, stopping ---- */

static void a_client_may_leave_while_its_request_is_begun(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    const int gone = dial_and_post(server, "/slow");
    wait_for_count(&test_api.n_slow_begun, 1);
    close(gone);
    usleep(300000); /* the watch has noticed, and ticked; the request stays where it is */
    assert_int_equal(gol_http_server_n_requests(server), 1);
    atomic_store(&test_api.holds_slow, false);
    wait_for_n_requests(server, 0);
    assert_int_equal(atomic_load(&test_api.n_slow_begun), 1);
    const int fd = dial_and_post(server, "/slow");
    expect_reply(fd, "200 OK", "/slow 32769 bytes");
    close(fd);
    stop(server);
}

/* The second of three leaves while the first is held; returns how many were begun. */
static int leave_the_queue(int pause_ms)
{
    setup(NULL);
    gol_http_server *server = start(&(gol_http_opts){0});
    const int first = dial_and_post(server, "/slow");
    wait_for_count(&test_api.n_slow_begun, 1);
    const int second = dial_and_post(server, "/slow");
    const int third = dial_and_post(server, "/slow");
    wait_for_n_requests(server, 3);
    close(second);
    usleep((useconds_t)pause_ms * 1000);
    atomic_store(&test_api.holds_slow, false);
    expect_reply(first, "200 OK", "/slow 32769 bytes");
    expect_reply(third, "200 OK", "/slow 32769 bytes");
    wait_for_n_requests(server, 0);
    const int n = atomic_load(&test_api.n_slow_begun);
    close(first);
    close(third);
    stop(server);
    return n;
}

/* That the server has noticed cannot be seen from outside: on a machine which needs longer than the pause, with a longer one. */
static void nothing_is_begun_for_a_client_that_left_the_queue(void **state)
{
    (void)state;
    int pause_ms = 50;
    while (leave_the_queue(pause_ms) != 2) {
        pause_ms *= 2;
        assert_true(pause_ms < PATIENCE_MS);
    }
}

/* What ends when the server has let go of all connections, those in the lane before: its own was opened last. */
static void *release_when_closed(void *arg)
{
    const int *late = arg;
    char byte;
    (void)!recv(*late, &byte, 1, 0);
    atomic_store(&test_api.holds_slow, false);
    return NULL;
}

static void stopping_waits_for_what_is_begun_and_begins_nothing(void **state)
{
    (void)state;
    enum { N = 8 };
    gol_http_server *server = start(&(gol_http_opts){0});
    int fds[N];
    for (int i = 0; i < N; i++)
        fds[i] = dial_and_post(server, "/slow");
    wait_for_count(&test_api.n_slow_begun, 1);
    wait_for_n_requests(server, N);
    int late = dial(server);
    say(late, GET_LATE);
    assert_true(wait_for_n_waiting(1));
    pthread_t releaser;
    assert_int_equal(pthread_create(&releaser, NULL, release_when_closed, &late), 0);
    stop(server);
    assert_int_equal(atomic_load(&test_api.n_slow_begun), 1);
    pthread_join(releaser, NULL);
    close(late);
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

/* Head and body of one reply. */
static void hear_whole(int fd, char *buf, size_t size)
{
    const size_t n = hear(fd, buf, size, "\r\n\r\n", PATIENCE_MS);
    const char *length = strstr(buf, "Content-Length: ");
    const char *body = strstr(buf, "\r\n\r\n");
    assert_true(length != NULL && body != NULL);
    const size_t n_whole = (size_t)(body + 4 - buf) + strtoul(length + 16, NULL, 10);
    assert_true(n_whole < size);
    if (n < n_whole)
        hear(fd, buf + n, n_whole - n + 1, "nothing else", PATIENCE_MS);
}

/* The n-th allocation fails, until none does; returns how often that was the one for the headers. Pieces of the body are others,
 * as many as the kernel makes of it. */
static int count_refusals(gol_http_server *server)
{
    int n_refused = 0;
    for (uint64_t n = 1;; n++) {
        const int fd = dial(server);
        assert_int_equal(post(fd, "/echo", "", 0), 0); /* the connection's own memory is there */
        expect_reply(fd, "200 OK", "/echo 0 bytes");
        gol_mem_fail_nth(n, false);
        assert_int_equal(post(fd, "/slow", "", LARGE), 0);
        char buf[1024];
        hear_whole(fd, buf, sizeof buf);
        const bool failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        close(fd);
        if (!failed) {
            assert_non_null(strstr(buf, "200 OK"));
            return n_refused;
        }
        assert_true(strstr(buf, "503") != NULL || strstr(buf, "413") != NULL);
        n_refused += strstr(buf, "out_of_memory") != NULL;
    }
}

static void without_memory_for_its_headers_a_large_request_is_refused(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){0});
    atomic_store(&test_api.holds_slow, false);
    int n_tries = 1; /* when the body comes in other pieces each time, the one may be skipped */
    while (count_refusals(server) == 0)
        assert_true(n_tries++ < 100);
    stop(server);
}

/* ---- storms ---- */

typedef struct storm {
    const gol_http_server *server;
    unsigned seed;
    int n_rounds;
} storm;

/* Large and small requests on one connection after another, left at a random moment in one of three ways. */
static void *storm_main(void *arg)
{
    static const char *const paths[] = {"/slow", "/late", "/stream", "/echo", "/slow"};
    storm *s = arg;
    for (int i = 0; i < s->n_rounds; i++) {
        const int fd = dial(s->server);
        const char *path = paths[rand_r(&s->seed) % 5];
        const size_t n_body = rand_r(&s->seed) % 4 != 0 ? (size_t)LARGE : 10;
        (void)post(fd, path, "", n_body);
        if (rand_r(&s->seed) % 2 != 0) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            (void)poll(&p, 1, rand_r(&s->seed) % 20);
        }
        hang_up(fd, rand_r(&s->seed) % 3);
    }
    return NULL;
}

static void clients_of_the_lane_may_leave_at_any_moment(void **state)
{
    (void)state;
    enum { N = 4 };
    atomic_store(&test_api.holds_slow, false);
    gol_http_server *server = start(&(gol_http_opts){0});
    atomic_bool stops = false;
    pthread_t pusher;
    pthread_t threads[N];
    storm storms[N];
    pthread_create(&pusher, NULL, push_main, &stops);
    for (unsigned i = 0; i < N; i++) {
        storms[i] = (storm){server, i + 1, 150};
        pthread_create(&threads[i], NULL, storm_main, &storms[i]);
    }
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    wait_for_n_requests(server, 0);
    atomic_store(&stops, true);
    pthread_join(pusher, NULL);
    assert_true(atomic_load(&test_api.n_slow_begun) > 0);
    stop(server);
}

static void the_server_may_stop_with_a_busy_lane(void **state)
{
    (void)state;
    atomic_store(&test_api.holds_slow, false);
    for (unsigned round = 0; round < 20; round++) {
        enum { N = 16 };
        gol_http_server *server = start(&(gol_http_opts){0});
        atomic_bool stops = false;
        pthread_t pusher;
        pthread_create(&pusher, NULL, push_main, &stops);
        unsigned seed = round;
        int fds[N];
        for (int i = 0; i < N; i++) {
            fds[i] = dial_and_post(server, i % 4 == 0 ? "/late" : "/slow");
            if (rand_r(&seed) % 4 == 0)
                shutdown(fds[i], SHUT_WR);
        }
        usleep((useconds_t)(rand_r(&seed) % 10000));
        stop(server);
        atomic_store(&stops, true);
        pthread_join(pusher, NULL);
        for (int i = 0; i < N; i++)
            close(fds[i]);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof filling; i++)
        filling[i] = (char)('a' + i % 23);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(small_requests_do_not_wait_for_a_large_one, setup),
        cmocka_unit_test_setup(the_api_sees_the_whole_request_in_either_thread, setup),
        cmocka_unit_test_setup(a_large_request_may_wait_for_the_engine_afterwards, setup),
        cmocka_unit_test_setup(a_full_lane_is_refused_at_once, setup),
        cmocka_unit_test_setup(a_client_may_leave_while_its_request_is_begun, setup),
        cmocka_unit_test_setup(nothing_is_begun_for_a_client_that_left_the_queue, setup),
        cmocka_unit_test_setup(stopping_waits_for_what_is_begun_and_begins_nothing, setup),
        cmocka_unit_test_setup(without_memory_for_its_headers_a_large_request_is_refused, setup),
        cmocka_unit_test_setup(clients_of_the_lane_may_leave_at_any_moment, setup),
        cmocka_unit_test_setup(the_server_may_stop_with_a_busy_lane, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
