/*
 * The HTTP/1.1 server: libmicrohttpd in front of the api. It owns sockets, limits and timeouts; it knows no JSON.
 *
 *     gol_http_server *server;
 *     rc = gol_http_server_start(&server, api, &opts, &err);   // GOL_ELISTEN: address in use, no permission, bad host
 *     ...
 *     gol_http_server_stop_listening(server);                   // drain: streams in flight go on
 *     gol_http_server_stop(&server);                            // closes what is left
 *
 * All connections live in one thread (libmicrohttpd's epoll loop; poll elsewhere), plus one that watches the sockets of
 * waiting connections for clients that went away and wakes silent streams for their pings, and one that begins requests with
 * large bodies, whose JSON and tokens take long. A connection that waits is suspended and costs nothing.
 */
#ifndef GOL_HTTP_SERVER_H
#define GOL_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "base/error.h"
#include "http/listener.h"

typedef struct gol_http_server gol_http_server;

/* 0 means the default in brackets. */
typedef struct gol_http_opts {
    gol_listener *
        listener; /* taken over (its fd becomes -1, so closing it later is right); NULL: made from: */
    const char *host;           /* IPv4 or IPv6 address or name [127.0.0.1] */
    int port;                   /* -1: any free port; [8000] */
    size_t body_max;            /* bytes of a request body, 413 beyond [8 MiB] */
    size_t header_max;          /* bytes of request line and headers, 431 beyond [32 KiB] */
    int max_connections;        /* [4096] lowered to what the file descriptor limit allows */
    int max_connections_per_ip; /* [1024] */
    int idle_timeout_s;         /* no bytes from or to a client that is not waiting for us [60] */
    const char *cors_origin;    /* Access-Control-Allow-Origin; NULL: no CORS headers */
} gol_http_opts;

int gol_http_server_start(gol_http_server **out, gol_api *api, const gol_http_opts *opts,
                          gol_err *err);
int gol_http_server_port(const gol_http_server *server); /* the one listened on */
void gol_http_server_stop_listening(gol_http_server *server);
int gol_http_server_n_requests(gol_http_server *server); /* received and not yet fully answered */
void gol_http_server_stop(gol_http_server **server);     /* NULL is fine */

#endif
