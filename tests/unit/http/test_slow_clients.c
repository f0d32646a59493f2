/*
 * Clients that are slow on purpose, too many, or gone at every moment; and a process that runs out of file descriptors. Time is
 * the test's own: it goes on when the server has seen what came before, so that nobody is late because the machine is.
 */
#include "support/set_clock.h"
#include "unit/http/http_fixture.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define GET_ECHO "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"

static bool is_answered(const gol_http_server *server)
{
    char buf[512];
    const int fd = dial(server);
    (void)send_all(fd, GET_ECHO, strlen(GET_ECHO));
    hear(fd, buf, sizeof buf, "bytes", PATIENCE_MS);
    close(fd);
    return strstr(buf, "200 OK") != NULL;
}

/* Whatever was sent before has been read when this returns: what is ready at once is worked on in turns, and the second newcomer's
 * turn comes behind everybody's. */
static void wait_until_seen(const gol_http_server *server)
{
    assert_true(is_answered(server));
    assert_true(is_answered(server));
}

typedef struct dripper {
    const char *name;
    const char *first; /* sent at once, then one byte at a time */
    char byte;
    int min_ms, max_ms; /* until it is dropped */
    const char *reply;  /* NULL: none */
    int fd;
    bool is_dropped;
    char heard[512];
    size_t n_heard;
} dripper;

/* Reads what has come; notes when the server has had enough. */
static void listen_to(dripper *d)
{
    const ssize_t n = recv(d->fd, d->heard + d->n_heard, sizeof d->heard - 1 - d->n_heard,
                           MSG_DONTWAIT);
    if (n > 0)
        d->n_heard += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        d->is_dropped = true;
}

/* One byte more of each that is not dropped, then time goes on. */
static void drip_all(dripper *drippers, int n, int ms)
{
    for (int i = 0; i < n; i++) {
        if (!drippers[i].is_dropped)
            (void)send(drippers[i].fd, &drippers[i].byte, 1, MSG_NOSIGNAL);
    }
    set_clock_advance((uint64_t)ms);
}

/* At this moment, which is before its deadline, or after: then the server may take its time. */
static void check_dripper(dripper *d, int now_ms)
{
    patience p = patience_begin();
    if (!d->is_dropped)
        listen_to(d);
    while (now_ms >= d->max_ms && !d->is_dropped && patience_lasts(&p))
        listen_to(d);
    if (now_ms < d->min_ms && d->is_dropped)
        fail_msg("%s: dropped after %d ms", d->name, now_ms);
    if (now_ms >= d->max_ms && !d->is_dropped)
        fail_msg("%s: not dropped after %d ms", d->name, now_ms);
}

static void dripping_clients_are_dropped(void **state)
{
    (void)state;
    static const char body[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n";
    static const char chunk[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7ffff\r\n";
    static const char refused[] =
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n";
    enum { IDLE = 60000, HEADERS = 10000, BODY = 5000, LATE = 1000 };
    dripper drippers[] = {
        {"silent", .first = "", .byte = '\n', .min_ms = IDLE},
        {"request line", .first = "GET /ec", .min_ms = IDLE},
        {"empty lines", .first = "\r\n", .byte = '\n', .min_ms = IDLE},
        {"header", .first = "GET /echo HTTP/1.1\r\n", .min_ms = HEADERS, .reply = "HTTP/1.1 408"},
        {"body", .first = body, .min_ms = BODY, .reply = "HTTP/1.1 408"},
        {"chunk", .first = chunk, .min_ms = BODY, .reply = "HTTP/1.1 408"},
        {"refused body", .first = refused, .min_ms = BODY, .reply = "HTTP/1.1 408"},
        {"second request", .first = GET_ECHO "GET /ec", .min_ms = IDLE, .reply = "HTTP/1.1 200"},
    };
    enum { N = sizeof drippers / sizeof *drippers, STEP_MS = 250 };
    gol_http_server *server = start(&(gol_http_opts){.idle_timeout_s = IDLE / 1000});
    for (int i = 0; i < N; i++) {
        dripper *d = &drippers[i];
        d->byte = d->byte ? d->byte : 'x';
        d->max_ms = d->min_ms + LATE;
        d->fd = dial(server);
        say(d->fd, d->first);
    }
    wait_until_seen(server);
    for (int ms = STEP_MS; ms <= IDLE + LATE; ms += STEP_MS) {
        drip_all(drippers, N, STEP_MS);
        const int next = ms + STEP_MS;
        if (next == BODY || next == HEADERS || next == IDLE)
            usleep(600000); /* time for the server to look, which finds none too late */
        for (int i = 0; i < N; i++)
            check_dripper(&drippers[i], ms);
    }
    for (int i = 0; i < N; i++) {
        const dripper *d = &drippers[i];
        if (d->reply != NULL ? strncmp(d->heard, d->reply, strlen(d->reply)) != 0 : d->n_heard > 0)
            fail_msg("%s: heard '%s'", d->name, d->heard);
        close(d->fd);
    }
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* 12 KiB in 11 s is slow, but faster than 1 KiB/s: with and without a length it is waited for. */
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
    for (int n = 0; n < 12; n++) {
        wait_until_seen(server);
        set_clock_advance(900);
        usleep(50000); /* the server may look at its clients now, or later */
        for (int i = 0; i < 2; i++)
            assert_int_equal(send_all(fds[i], piece, sizeof piece), 0);
    }
    say(fds[1], "\r\n0\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        char buf[512];
        hear(fds[i], buf, sizeof buf, "bytes", PATIENCE_MS);
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

/* A thread in which time goes on as it always does. arg: an atomic_bool that stops it. */
static void *time_main(void *arg)
{
    atomic_bool *stops = arg;
    while (!atomic_load(stops)) {
        usleep(1000);
        set_clock_advance(1);
    }
    return NULL;
}

static void clients_may_leave_at_any_moment(void **state)
{
    (void)state;
    enum { N = 4 };
    gol_http_server *server = start(&(gol_http_opts){0});
    atomic_bool stop = false;
    pthread_t clock;
    pthread_create(&clock, NULL, time_main, &stop);
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
    assert_true(wait_for_n_waiting(0));
    wait_for_n_requests(server, 0);
    atomic_store(&stop, true);
    pthread_join(pusher, NULL);
    pthread_join(clock, NULL);
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
        hear(fds[i], buf, sizeof buf, "bytes", PATIENCE_MS);
        assert_non_null(strstr(buf, "200 OK"));
    }
    assert_int_equal(hear(fds[4], buf, sizeof buf, "bytes", 200), 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    for (int i = 4; i < 8; i++) {
        hear(fds[i], buf, sizeof buf, "bytes", PATIENCE_MS);
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
        hear(fds[i], buf, sizeof buf, "bytes", PATIENCE_MS);
        assert_int_equal(strstr(buf, "200 OK") != NULL, i < 2);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    patience p = patience_begin();
    while (!is_answered(server))
        assert_true(patience_lasts(&p));
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
