/* See listener.h. */
#include "http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_DEFAULT = 8000, LISTEN_BACKLOG = 511 };

static int listen_on(const struct addrinfo *address)
{
    const int fd = socket(address->ai_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int gol_listener_open(gol_listener *out, const char *host, int port, gol_err *err)
{
    *out = (gol_listener){.fd = -1};
    if (host == NULL)
        host = "127.0.0.1";
    const int wanted_port = port == 0 ? PORT_DEFAULT : port;
    if (wanted_port < -1 || wanted_port > 65535)
        return gol_fail(err, GOL_EINVAL,
                        "port: %d, accepted are 1 to 65535, or -1 for any free one", wanted_port);
    char service[16];
    snprintf(service, sizeof service, "%d", wanted_port < 0 ? 0 : wanted_port);

    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses;
    const int error = getaddrinfo(host, service, &hints, &addresses);
    if (error != 0)
        return gol_fail(err, GOL_ELISTEN, "cannot listen on %s: %s", host, gai_strerror(error));
    errno = 0;
    for (const struct addrinfo *a = addresses; a != NULL && out->fd < 0; a = a->ai_next)
        out->fd = listen_on(a);
    const int listen_errno = errno;
    freeaddrinfo(addresses);
    if (out->fd < 0)
        return gol_fail(err, GOL_ELISTEN, "cannot listen on %s port %d: %s", host, wanted_port,
                        strerror(listen_errno));

    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {0};
    socklen_t n_bound = sizeof bound;
    out->port = wanted_port;
    if (getsockname(out->fd, &bound.any, &n_bound) == 0)
        out->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return 0;
}

void gol_listener_close(gol_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}
