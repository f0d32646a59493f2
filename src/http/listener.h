/*
 * A listening socket, apart from the server: a port that is taken is best noticed before a model is loaded. Connections made
 * meanwhile wait in the kernel's queue and are served as soon as the server starts.
 */
#ifndef GOL_HTTP_LISTENER_H
#define GOL_HTTP_LISTENER_H

#include "base/error.h"

typedef struct gol_listener {
    int fd;   /* -1: none */
    int port; /* the one listened on */
} gol_listener;

/* host: an IPv4 or IPv6 address or a name, NULL for 127.0.0.1; port: -1 for any free one, 0 for 8000.
 * Errors: GOL_EINVAL (port), GOL_ELISTEN (address in use, no permission, no such host). *out is then closed. */
int gol_listener_open(gol_listener *out, const char *host, int port, gol_err *err);
void gol_listener_close(gol_listener *listener); /* a closed one is fine */

#endif
