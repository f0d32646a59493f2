/*
 * How many event streams can the HTTP layer carry? The real server (src/http) over an api that only makes events: each of N
 * streams gets R events a second of the size of a chat chunk, stamped with the time they were made. The client, a second
 * process with one epoll loop, checks that every event arrives and how late.
 *
 *     http_streams [n_streams [events_per_second [seconds]]]
 *
 * Prints events delivered, lateness percentiles and the processor time of the serving process. Exit code 1 when a stream broke
 * or events are missing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/server.h"

enum { STREAMS_MAX = 10000, BUF_SIZE = 8192 };

static int n_streams = 1000;
static int rate = 20;
static int n_seconds = 20;

/* ---- the api: a feeder thread makes events, read() frames them ---- */

struct gol_api_call {
    gol_api_wake *wake;
    void *user;
    atomic_int n_pending;
    int n_sent;
    uint64_t made_ns;
    gol_api_reply reply;
};

struct gol_api {
    pthread_mutex_t lock;
    gol_api_call *calls[STREAMS_MAX];
    atomic_int n_calls;
};

static int n_events_each(void)
{
    return rate * n_seconds;
}

int gol_api_route_status(const gol_api *api, gol_str method, gol_str path)
{
    (void)api;
    (void)method;
    (void)path;
    return 0;
}

gol_api_call *gol_api_begin(gol_api *api, const gol_api_request *request, gol_api_wake *wake,
                            void *user)
{
    (void)request;
    gol_api_call *call = gol_xcalloc(1, sizeof *call);
    call->wake = wake;
    call->user = user;
    call->reply = (gol_api_reply){.status = 200, .is_stream = true, .n_headers = 1};
    call->reply.headers[0] = (gol_api_header){"Content-Type", "text/event-stream"};
    pthread_mutex_lock(&api->lock);
    api->calls[api->n_calls] = call;
    atomic_fetch_add(&api->n_calls, 1);
    pthread_mutex_unlock(&api->lock);
    return call;
}

gol_api_call *gol_api_begin_error(gol_api *api, int status, const char *code, const char *message)
{
    fprintf(stderr, "server: %d %s: %s\n", status, code, message);
    return gol_api_begin(api, NULL, NULL, NULL);
}

bool gol_api_call_is_ready(gol_api_call *call)
{
    (void)call;
    return true;
}

const gol_api_reply *gol_api_call_reply(gol_api_call *call)
{
    return &call->reply;
}

ptrdiff_t gol_api_call_read(gol_api_call *call, char *buf, size_t size)
{
    if (call->n_sent == n_events_each())
        return GOL_API_END;
    if (atomic_load(&call->n_pending) == 0)
        return 0;
    atomic_fetch_sub(&call->n_pending, 1);
    call->n_sent++;
    const int n = snprintf(buf, size,
                           "data: "
                           "{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion."
                           "chunk\",\"created\":1700000000,"
                           "\"model\":\"bench\",\"system_fingerprint\":\"fp\",\"choices\":[{"
                           "\"index\":0,\"delta\":{\"content\":"
                           "\"@%020llu\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
                           (unsigned long long)call->made_ns);
    return n;
}

/* The feeder may still know the call: it is freed at the end of the run. */
void gol_api_call_end(gol_api_call **call)
{
    if (*call != NULL)
        atomic_store(&(*call)->n_pending, -1000000);
    *call = NULL;
}

/* Like an engine with all streams in one batch: every period one event for each. */
static void *feed(void *arg)
{
    gol_api *api = arg;
    while (atomic_load(&api->n_calls) < n_streams)
        usleep(1000);
    const uint64_t period_ns = 1000000000u / (uint64_t)rate;
    uint64_t next_ns = gol_clock_ns();
    for (int i = 0; i < n_events_each(); i++, next_ns += period_ns) {
        const uint64_t now_ns = gol_clock_ns();
        if (now_ns < next_ns)
            usleep((useconds_t)((next_ns - now_ns) / 1000));
        for (int s = 0; s < n_streams; s++) {
            gol_api_call *call = api->calls[s];
            call->made_ns = gol_clock_ns();
            if (atomic_fetch_add(&call->n_pending, 1) >= 0)
                call->wake(call->user);
        }
    }
    return NULL;
}

/* ---- the client ---- */

typedef struct stream {
    int fd;
    bool is_done;
    size_t n_digits; /* of a stamp being read; stamps may be split between reads */
    bool in_stamp;
    uint64_t stamp;
    int n_events;
} stream;

static uint32_t *lateness_us;
static size_t n_lateness;

static void scan(stream *s, const char *data, size_t n)
{
    const uint64_t now_ns = gol_clock_ns();
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '@') {
            s->in_stamp = true;
            s->n_digits = 0;
            s->stamp = 0;
        } else if (s->in_stamp) {
            s->stamp = s->stamp * 10 + (uint64_t)(data[i] - '0');
            if (++s->n_digits == 20) {
                s->in_stamp = false;
                s->n_events++;
                lateness_us[n_lateness++] = (uint32_t)((now_ns - s->stamp) / 1000);
            }
        }
    }
}

static int open_stream(int port)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char request[] =
        "GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, request, sizeof request - 1, 0) != (ssize_t)sizeof request - 1) {
        perror("client");
        exit(1);
    }
    return fd;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int report(const stream *streams)
{
    int n_short = 0;
    for (int i = 0; i < n_streams; i++)
        n_short += streams[i].n_events != n_events_each();
    qsort(lateness_us, n_lateness, sizeof *lateness_us, by_value);
    printf("client: %zu events of %zu, %d streams short; lateness ms: p50 %.2f p90 %.2f p99 %.2f "
           "max %.2f\n",
           n_lateness, (size_t)n_streams * (size_t)n_events_each(), n_short,
           lateness_us[n_lateness / 2] / 1e3, lateness_us[n_lateness * 9 / 10] / 1e3,
           lateness_us[n_lateness * 99 / 100] / 1e3,
           lateness_us[n_lateness ? n_lateness - 1 : 0] / 1e3);
    return n_short == 0 ? 0 : 1;
}

static int client(int port)
{
    stream *streams = gol_xcalloc((size_t)n_streams, sizeof *streams);
    lateness_us = gol_xcalloc((size_t)n_streams * (size_t)n_events_each() + 1, sizeof *lateness_us);
    const int epoll_fd = epoll_create1(0);
    for (int i = 0; i < n_streams; i++) {
        streams[i].fd = open_stream(port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, streams[i].fd, &event);
    }
    int n_open = n_streams;
    static char buf[BUF_SIZE];
    while (n_open > 0) {
        struct epoll_event events[256];
        const int n = epoll_wait(epoll_fd, events, 256, 10000);
        if (n == 0)
            break; /* nothing for 10 s: report what is missing */
        for (int i = 0; i < n; i++) {
            stream *s = &streams[events[i].data.u32];
            const ssize_t got = recv(s->fd, buf, sizeof buf, 0);
            if (got <= 0) {
                close(s->fd);
                n_open--;
            } else {
                scan(s, buf, (size_t)got);
            }
        }
    }
    return report(streams);
}

int main(int argc, char **argv)
{
    n_streams = argc > 1 ? atoi(argv[1]) : n_streams;
    rate = argc > 2 ? atoi(argv[2]) : rate;
    n_seconds = argc > 3 ? atoi(argv[3]) : n_seconds;
    if (n_streams < 1 || n_streams > STREAMS_MAX || rate < 1 || n_seconds < 1) {
        fprintf(stderr, "usage: http_streams [n_streams [events_per_second [seconds]]]\n");
        return 64;
    }
    int port_pipe[2];
    if (pipe(port_pipe) != 0)
        return 1;
    const struct rlimit files = {STREAMS_MAX + 100, STREAMS_MAX + 100};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    const pid_t pid = fork();
    if (pid == 0) {
        int port;
        if (read(port_pipe[0], &port, sizeof port) != (ssize_t)sizeof port)
            return 1;
        return client(port);
    }
    static gol_api api;
    pthread_mutex_init(&api.lock, NULL);
    gol_http_server *server;
    gol_err err = {0};
    const gol_http_opts opts = {
        .port = -1, .max_connections = n_streams + 8, .max_connections_per_ip = n_streams + 8};
    if (gol_http_server_start(&server, &api, &opts, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const int port = gol_http_server_port(server);
    if (write(port_pipe[1], &port, sizeof port) != (ssize_t)sizeof port)
        return 1;
    pthread_t feeder;
    pthread_create(&feeder, NULL, feed, &api);
    int status = 1;
    waitpid(pid, &status, 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double cpu_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("server: %d streams x %d/s for %d s: %.2f s of processor time, %.0f%% of one core, %.1f "
           "us per event, %ld KiB\n",
           n_streams, rate, n_seconds, cpu_s, 100.0 * cpu_s / n_seconds,
           cpu_s * 1e6 / ((double)n_streams * n_events_each()), usage.ru_maxrss);
    pthread_join(feeder, NULL);
    gol_http_server_stop(&server);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
