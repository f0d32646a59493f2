/*
 * Starting and stopping: the listening socket (ours, so that errors are precise), libmicrohttpd's daemon with every limit set,
 * the hang-up watch, the slow lane.
 */
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/connections.h"
#include "http/server.h"

enum {
    BODY_MAX = 8 << 20,
    HEADER_MAX = 32 << 10,
    CONNECTIONS_MAX = 4096,
    CONNECTIONS_PER_IP_MAX = 1024,
    IDLE_TIMEOUT_S = 60,
    FDS_RESERVED = 32,    /* for everything that is not a connection */
    PING_EVERY_TICKS = 8, /* a stream is asked for its ping every 2 s */
};

struct gol_http_server {
    gol_connection_env env;
    gol_connections connections;
    gol_hangup_watch *watch;
    gol_slow_lane *lane;
    struct MHD_Daemon *daemon;
    gol_listener listener;
    bool is_quiesced; /* no longer listening */
    unsigned n_ticks; /* the watch's thread only */
};

static void on_hangup(void *user, uint64_t key)
{
    gol_http_server *server = user;
    gol_connections_hang_up(&server->connections, key);
}

static void on_tick(void *user)
{
    gol_http_server *server = user;
    server->n_ticks++;
    gol_connections_tick(&server->connections, server->n_ticks % PING_EVERY_TICKS == 0);
}

__attribute__((format(printf, 2, 0))) static void log_line(void *cls, const char *format,
                                                           va_list args)
{
    (void)cls;
    char line[256];
    vsnprintf(line, sizeof line, format, args);
    gol_log_debug("http", "%s", line); /* mostly about clients that misbehave */
}

/* Raises the soft limit on file descriptors as far as it goes; returns how many connections that allows. */
static int connections_allowed(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    const rlim_t needed = (rlim_t)wanted + FDS_RESERVED;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed) {
        const bool within_hard = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= needed;
        limit.rlim_cur = within_hard ? needed : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
        return wanted;
    const int allowed = limit.rlim_cur > FDS_RESERVED + 1 ? (int)limit.rlim_cur - FDS_RESERVED : 1;
    gol_log_warn("http", "%d connections at once instead of %d: the limit on open files is %llu",
                 allowed, wanted, (unsigned long long)limit.rlim_cur);
    return allowed;
}

static int or_default(int value, int default_value)
{
    return value > 0 ? value : default_value;
}

static int start_daemon(gol_http_server *server, const gol_http_opts *opts, int n_connections,
                        gol_err *err)
{
    const size_t header_max = opts->header_max ? opts->header_max : (size_t)HEADER_MAX;
#ifdef __linux__
    const unsigned loop = MHD_USE_EPOLL_INTERNAL_THREAD;
#else
    const unsigned loop = MHD_USE_POLL_INTERNAL_THREAD;
#endif
    server->daemon = MHD_start_daemon(
        loop | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        gol_http_on_request, &server->env, MHD_OPTION_EXTERNAL_LOGGER, log_line,
        NULL, /* first: it covers the other options */
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)server->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)n_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)or_default(opts->max_connections_per_ip, CONNECTIONS_PER_IP_MAX),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, header_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)or_default(opts->idle_timeout_s, IDLE_TIMEOUT_S), MHD_OPTION_NOTIFY_CONNECTION,
        gol_http_on_connection, &server->env, MHD_OPTION_URI_LOG_CALLBACK, gol_http_on_uri, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, gol_http_on_completed, NULL, MHD_OPTION_END);
    if (server->daemon == NULL)
        return gol_fail(err, GOL_ELISTEN, "http: libmicrohttpd did not start (%s)",
                        errno ? strerror(errno) : "no reason given");
    return 0;
}

static int take_listener(gol_http_server *server, const gol_http_opts *opts, gol_err *err)
{
    if (opts->listener == NULL)
        return gol_listener_open(&server->listener, opts->host, opts->port, err);
    server->listener = *opts->listener;
    opts->listener->fd = -1;
    return 0;
}

int gol_http_server_start(gol_http_server **out, gol_api *api, const gol_http_opts *opts,
                          gol_err *err)
{
    *out = NULL;
    gol_http_server *server = gol_try_calloc(1, sizeof *server);
    if (server == NULL)
        return gol_fail(err, GOL_ENOMEM, "http: out of memory for the server");
    server->listener.fd = -1;
    server->env = (gol_connection_env){
        .api = api,
        .connections = &server->connections,
        .body_max = opts->body_max ? opts->body_max : (size_t)BODY_MAX,
        .idle_ms = 1000 * or_default(opts->idle_timeout_s, IDLE_TIMEOUT_S),
        .cors_origin = opts->cors_origin,
    };
    const int n_connections = connections_allowed(
        or_default(opts->max_connections, CONNECTIONS_MAX));
    const gol_hangup_watch_events events = {on_hangup, on_tick, server};

    int rc = gol_connections_init(&server->connections, 2 * n_connections, err);
    if (rc == 0)
        rc = take_listener(server, opts, err);
    if (rc == 0)
        rc = gol_hangup_watch_create(&server->watch, &events, err);
    if (rc == 0)
        rc = gol_slow_lane_create(&server->lane, err);
    server->env.watch = server->watch;
    server->env.lane = server->lane;
    if (rc == 0)
        rc = start_daemon(server, opts, n_connections, err);
    if (rc != 0) {
        gol_http_server_stop(&server);
        return rc;
    }
    *out = server;
    return 0;
}

int gol_http_server_port(const gol_http_server *server)
{
    return server->listener.port;
}

int gol_http_server_n_requests(gol_http_server *server)
{
    return gol_connections_n_requests(&server->connections);
}

void gol_http_server_stop_listening(gol_http_server *server)
{
    if (server->is_quiesced)
        return;
    server->is_quiesced = true;
    (void)MHD_quiesce_daemon(server->daemon);
    /* Refuses newcomers at once. Closing is for stop(): libmicrohttpd's thread may still touch the socket. */
    (void)shutdown(server->listener.fd, SHUT_RDWR);
}

void gol_http_server_stop(gol_http_server **server_ptr)
{
    gol_http_server *server = *server_ptr;
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        gol_http_server_stop_listening(server);
        gol_connections_close_all(&server->connections); /* none but the lane's is suspended now */
        gol_slow_lane_destroy(&server->lane); /* waits for what it runs, begins nothing more */
        MHD_stop_daemon(server->daemon);
    }
    gol_slow_lane_destroy(&server->lane); /* idle: the daemon did not start */
    gol_listener_close(&server->listener);
    gol_hangup_watch_destroy(&server->watch);
    if (server->connections.slots != NULL)
        gol_connections_deinit(&server->connections);
    gol_free(server);
    *server_ptr = NULL;
}
