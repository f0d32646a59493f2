/*
 * Clients that are slow on purpose, too many, or gone at every moment; and a process that runs out of file descriptors.
 * Deadlines are the real ones: the tests of one phase run side by side.
 */
#include "unit/http/http_fixture.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define GET_ECHO "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"

static double seconds_since(uint64_t begin_ns)
{
    return (double)(gol_clock_ns() - begin_ns) / 1e9;
}

typedef struct dripper {
    const char *name;
    const char *first; /* sent at once, then one byte at a time */
    char byte;
    double min_s, max_s; /* until it is dropped */
    const char *reply;   /* NULL: none */
    int fd;
    double dropped_s; /* 0: not yet */
    char heard[512];
    size_t n_heard;
} dripper;

/* One byte more each quarter of a second; notes when the server has had enough. */
static void drip(dripper *d, uint64_t begin_ns)
{
    const ssize_t n = recv(d->fd, d->heard + d->n_heard, sizeof d->heard - 1 - d->n_heard,
                           MSG_DONTWAIT);
    if (n > 0)
        d->n_heard += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        d->dropped_s = seconds_since(begin_ns);
    else
        (void)send(d->fd, &d->byte, 1, MSG_NOSIGNAL);
}

static void dripping_clients_are_dropped(void **state)
{
    (void)state;
    dripper drippers[] = {
        {.name = "silent", .first = "", .byte = '\n', .min_s = 5, .max_s = 29},
        {.name = "request line", .first = "GET /ec", .byte = 'x', .min_s = 5, .max_s = 29},
        {.name = "empty lines", .first = "\r\n", .byte = '\n', .min_s = 5, .max_s = 29},
        {.name = "header",
         .first = "GET /echo HTTP/1.1\r\n",
         .byte = 'X',
         .min_s = 9,
         .max_s = 33,
         .reply = "HTTP/1.1 408"},
        {.name = "body",
         .first = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n",
         .byte = 'x',
         .min_s = 4,
         .max_s = 28,
         .reply = "HTTP/1.1 408"},
        {.name = "chunk",
         .first = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7ffff\r\n",
         .byte = 'x',
         .min_s = 4,
         .max_s = 28,
         .reply = "HTTP/1.1 408"},
        {.name = "refused body",
         .first = "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n",
         .byte = 'x',
         .min_s = 4,
         .max_s = 28,
         .reply = "HTTP/1.1 408"},
        {.name = "second request",
         .first = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /ec",
         .byte = 'x',
         .min_s = 5,
         .max_s = 29,
         .reply = "HTTP/1.1 200"},
    };
    enum { N = sizeof drippers / sizeof *drippers };
    gol_http_server *server = start(&(gol_http_opts){.idle_timeout_s = 6});
    const uint64_t begin_ns = gol_clock_ns();
    for (int i = 0; i < N; i++) {
        drippers[i].fd = dial(server);
        say(drippers[i].fd, drippers[i].first);
    }
    int n_left = N;
    while (n_left > 0 && seconds_since(begin_ns) < 60) {
        usleep(250000);
        n_left = 0;
        for (int i = 0; i < N; i++) {
            if (drippers[i].dropped_s == 0)
                drip(&drippers[i], begin_ns);
            n_left += drippers[i].dropped_s == 0;
        }
    }
    for (int i = 0; i < N; i++) {
        const dripper *d = &drippers[i];
        if (d->dropped_s < d->min_s || d->dropped_s > d->max_s)
            fail_msg("%s: dropped after %.1f s", d->name, d->dropped_s);
        if (d->reply != NULL ? strncmp(d->heard, d->reply, strlen(d->reply)) != 0 : d->n_heard > 0)
            fail_msg("%s: heard '%s'", d->name, d->heard);
        close(d->fd);
    }
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* 12 KiB in 7 s is slow, but faster than 1 KiB/s: with and without a length it is waited for. */
static void a_slow_but_steady_body_is_taken(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 12288\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3000\r\n",
    };
    gol_http_server *server = start(&(gol_http_opts){0});
    int fds[2];
    char piece[1024];
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial(server);
        say(fds[i], heads[i]);
    }
    const uint64_t begin_ns = gol_clock_ns();
    for (int n = 0; n < 12;) {
        usleep(50000);
        for (; n < 12 && seconds_since(begin_ns) >= 0.6 * (n + 1); n++) {
            for (int i = 0; i < 2; i++)
                assert_int_equal(send_all(fds[i], piece, sizeof piece), 0);
        }
    }
    say(fds[1], "\r\n0\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        char buf[512];
        hear(fds[i], buf, sizeof buf, "bytes", 20000);
        assert_non_null(strstr(buf, "/echo 12288 bytes"));
        close(fds[i]);
    }
    gol_http_server_stop(&server);
}

/* ---- storms ---- */

typedef struct storm {
    const gol_http_server *server;
    unsigned seed;
    int n_rounds;
} storm;

static const char *const storm_requests[] = {
    GET_ECHO,
    "GET /late HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n123456789012345678901234567890",
    "POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /late HTTP/1.1\r\nHost: x\r\n\r\n",
};

/* Leaves at a random byte of the request or of the answer, with FIN, half a FIN or RST. */
static void *storm_main(void *arg)
{
    storm *s = arg;
    for (int i = 0; i < s->n_rounds; i++) {
        const char *request = storm_requests[(unsigned)rand_r(&s->seed) % 6];
        const size_t len = strlen(request);
        const bool whole = rand_r(&s->seed) % 3 != 0;
        const int fd = dial(s->server);
        (void)send_all(fd, request, whole ? len : (size_t)rand_r(&s->seed) % len);
        if (rand_r(&s->seed) % 2) {
            char buf[64];
            struct pollfd p = {.fd = fd, .events = POLLIN};
            if (poll(&p, 1, rand_r(&s->seed) % 20) > 0)
                (void)recv(fd, buf, 1 + (size_t)rand_r(&s->seed) % sizeof buf, 0);
        }
        hang_up(fd, rand_r(&s->seed) % 3);
    }
    return NULL;
}

static void clients_may_leave_at_any_moment(void **state)
{
    (void)state;
    enum { N = 4 };
    gol_http_server *server = start(&(gol_http_opts){0});
    atomic_bool stop = false;
    pthread_t pusher;
    pthread_t threads[N];
    storm storms[N];
    pthread_create(&pusher, NULL, push_main, &stop);
    for (unsigned i = 0; i < N; i++) {
        storms[i] = (storm){server, i + 1, 300};
        pthread_create(&threads[i], NULL, storm_main, &storms[i]);
    }
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    assert_true(wait_for_n_waiting(0, 20000));
    for (int ms = 0; gol_http_server_n_requests(server) > 0 && ms < 20000; ms += 10)
        usleep(10000);
    assert_int_equal(gol_http_server_n_requests(server), 0);
    atomic_store(&stop, true);
    pthread_join(pusher, NULL);
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* The server is stopped in the middle of it all, with requests in every phase. */
static void the_server_may_stop_at_any_moment(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        gol_http_server *server = start(&(gol_http_opts){0});
        atomic_bool stop = false;
        pthread_t pusher;
        pthread_create(&pusher, NULL, push_main, &stop);
        enum { N = 24 };
        int fds[N];
        unsigned seed = (unsigned)round;
        for (int i = 0; i < N; i++) {
            const char *request = storm_requests[i % 6];
            fds[i] = dial(server);
            (void)send_all(fds[i], request,
                           i < 12 ? strlen(request) : (size_t)rand_r(&seed) % strlen(request));
        }
        usleep((useconds_t)(rand_r(&seed) % 5000));
        gol_http_server_stop(&server);
        atomic_store(&stop, true);
        pthread_join(pusher, NULL);
        for (int i = 0; i < N; i++)
            close(fds[i]);
        assert_int_equal(test_api.n_begun, test_api.n_ended);
    }
}

/* ---- limits of the process ---- */

static bool is_answered(const gol_http_server *server)
{
    char buf[512];
    const int fd = dial(server);
    (void)send_all(fd, GET_ECHO, strlen(GET_ECHO));
    hear(fd, buf, sizeof buf, "bytes", 20000);
    close(fd);
    return strstr(buf, "200 OK") != NULL;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* In a process of its own: takes every file descriptor away from a running server, then gives them back. */
static int starve(void)
{
    enum { FDS = 128, CLIENTS = 16 };
    const struct rlimit limit = {FDS, FDS};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 10;
    gol_http_server *server = start(&(gol_http_opts){0});
    if (!is_answered(server))
        return 11;
    int clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    int taken[FDS];
    int n_taken = 0;
    for (int fd = dup(0); fd >= 0; fd = dup(0))
        taken[n_taken++] = fd;
    close(taken[--n_taken]); /* one is left, so that the server holds one connection */
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)gol_http_server_port(server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CLIENTS; i++) {
        if (connect(clients[i], (const struct sockaddr *)&address, sizeof address) != 0)
            return 12;
    }
    usleep(200000);
    const double begin_s = cpu_seconds();
    usleep(1500000);
    if (cpu_seconds() - begin_s > 0.3)
        return 13; /* the accept loop spins */
    while (n_taken > 0)
        close(taken[--n_taken]);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    if (!is_answered(server))
        return 14;
    gol_http_server_stop(&server);
    return 0;
}

static void without_file_descriptors_it_waits_and_recovers(void **state)
{
    (void)state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(starve());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void connections_over_the_limit_wait_their_turn(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.max_connections = 4});
    int fds[8];
    char buf[512];
    for (int i = 0; i < 8; i++) {
        fds[i] = dial(server);
        say(fds[i], GET_ECHO);
    }
    for (int i = 0; i < 4; i++) {
        hear(fds[i], buf, sizeof buf, "bytes", 20000);
        assert_non_null(strstr(buf, "200 OK"));
    }
    assert_int_equal(hear(fds[4], buf, sizeof buf, "bytes", 200), 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    for (int i = 4; i < 8; i++) {
        hear(fds[i], buf, sizeof buf, "bytes", 20000);
        assert_non_null(strstr(buf, "200 OK"));
        close(fds[i]);
    }
    gol_http_server_stop(&server);
}

static void connections_over_the_limit_of_an_address_are_closed(void **state)
{
    (void)state;
    gol_http_server *server = start(&(gol_http_opts){.max_connections_per_ip = 2});
    int fds[3];
    char buf[512];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(server);
        (void)send_all(fds[i], GET_ECHO, strlen(GET_ECHO));
        hear(fds[i], buf, sizeof buf, "bytes", 20000);
        assert_int_equal(strstr(buf, "200 OK") != NULL, i < 2);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    for (int ms = 0; !is_answered(server) && ms < 20000; ms += 50)
        usleep(50000);
    assert_true(is_answered(server));
    gol_http_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_file_descriptors_it_waits_and_recovers),
        cmocka_unit_test(connections_over_the_limit_wait_their_turn),
        cmocka_unit_test(connections_over_the_limit_of_an_address_are_closed),
        cmocka_unit_test(clients_may_leave_at_any_moment),
        cmocka_unit_test(the_server_may_stop_at_any_moment),
        cmocka_unit_test(a_slow_but_steady_body_is_taken),
        cmocka_unit_test(dripping_clients_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
