/* HTTP and event streams as far as completions need them: one request per connection, chunked or until the connection ends. */
#include "sse_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { STREAMS_MAX = 1024, SIZE_LINE_MAX = 64 };

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "client: %s%s%s\n", what, *detail ? ": " : "", detail);
    exit(1);
}

static int connect_to(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        die("not an IPv4 address", host);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect", strerror(errno));
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        die("fcntl", strerror(errno));
    return fd;
}

void sse_start(sse_stream *s, const char *host, int port, const char *path, const char *body)
{
    const size_t room = strlen(body) + strlen(path) + strlen(host) + 256;
    *s = (sse_stream){
        .state = SSE_SENDING,
        .request = gol_xalloc(room),
        .line = gol_xalloc(SSE_LINE_MAX),
        .size_line = gol_xalloc(SIZE_LINE_MAX),
        .event_ns = gol_xcalloc(SSE_EVENTS_MAX, sizeof *s->event_ns),
        .chunk_left = -1,
        .n_completion_tokens = -1,
    };
    s->request_len = (size_t)snprintf(s->request, room,
                                      "POST %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n"
                                      "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                                      "\r\n%s",
                                      path, host, port, strlen(body), body);
    s->fd = connect_to(host, port);
    s->start_ns = gol_clock_ns();
}

static void end(sse_stream *s)
{
    if (s->status != 200) {
        s->line[s->line_len] = '\0';
        die("the server refused", s->line);
    }
    s->state = SSE_DONE;
    close(s->fd);
    s->fd = -1;
}

static int number_after(const char *text, const char *key, int otherwise)
{
    const char *found = strstr(text, key);
    if (!found)
        return otherwise;
    found += strlen(key);
    while (*found == ' ' || *found == ':')
        found++;
    return *found >= '0' && *found <= '9' ? atoi(found) : otherwise;
}

/* A line of the event stream. */
static void take_event_line(sse_stream *s, const char *line)
{
    if (strncmp(line, "data:", 5) != 0 || strstr(line, "[DONE]"))
        return;
    s->n_completion_tokens = number_after(line, "\"completion_tokens\"", s->n_completion_tokens);
    if (!strstr(line, "\"text\"") || s->n_events == SSE_EVENTS_MAX)
        return;
    s->event_ns[s->n_events++] = gol_clock_ns();
}

static void take_head_line(sse_stream *s, const char *line)
{
    if (strncmp(line, "HTTP/1.1 ", 9) == 0)
        s->status = atoi(line + 9);
    else if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0)
        s->is_chunked = true;
    else if (*line == '\0')
        s->state = SSE_BODY;
}

/* One byte of head or body text, line by line. */
static void take_text(sse_stream *s, char c)
{
    if (c == '\r')
        return;
    if (c != '\n') {
        if (s->line_len + 1 == SSE_LINE_MAX)
            die("a line of the answer is too long", "");
        s->line[s->line_len++] = c;
        return;
    }
    s->line[s->line_len] = '\0';
    s->line_len = 0;
    if (s->state == SSE_HEAD)
        take_head_line(s, s->line);
    else if (s->status == 200)
        take_event_line(s, s->line);
    else
        die("the server refused", s->line);
}

/* One byte of the chunked body. */
static void take_chunked(sse_stream *s, char c)
{
    if (s->chunk_left > 0) {
        take_text(s, c);
        if (--s->chunk_left == 0)
            s->chunk_left = -2;
    } else if (s->chunk_left == -2) {
        if (c == '\n')
            s->chunk_left = -1;
    } else if (c != '\n') {
        if (s->size_len + 1 == SIZE_LINE_MAX)
            die("a chunk's size is too long", "");
        s->size_line[s->size_len++] = c;
    } else {
        s->size_line[s->size_len] = '\0';
        s->size_len = 0;
        s->chunk_left = strtoll(s->size_line, NULL, 16);
        if (s->chunk_left == 0)
            end(s);
    }
}

static void receive(sse_stream *s)
{
    char buf[16384];
    const ssize_t n = recv(s->fd, buf, sizeof buf, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(s);
        return;
    }
    for (ssize_t i = 0; i < n && s->state != SSE_DONE; i++) {
        if (s->state == SSE_BODY && s->is_chunked)
            take_chunked(s, buf[i]);
        else
            take_text(s, buf[i]);
    }
}

static void send_more(sse_stream *s)
{
    const ssize_t n = send(s->fd, s->request + s->n_sent, s->request_len - s->n_sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("cannot send", strerror(errno));
    s->n_sent += n > 0 ? (size_t)n : 0;
    if (s->n_sent == s->request_len)
        s->state = SSE_HEAD;
}

bool sse_poll(sse_stream *streams, int n, int timeout_ms)
{
    struct pollfd fds[STREAMS_MAX];
    sse_stream *of[STREAMS_MAX];
    nfds_t n_fds = 0;
    for (int i = 0; i < n && n_fds < STREAMS_MAX; i++) {
        if (streams[i].state == SSE_IDLE || streams[i].state == SSE_DONE)
            continue;
        of[n_fds] = &streams[i];
        fds[n_fds++] = (struct pollfd){
            .fd = streams[i].fd,
            .events = streams[i].state == SSE_SENDING ? POLLOUT : POLLIN,
        };
    }
    if (n_fds == 0)
        return false;
    if (poll(fds, n_fds, timeout_ms) < 0 && errno != EINTR)
        die("poll", strerror(errno));
    for (nfds_t i = 0; i < n_fds; i++) {
        if (fds[i].revents & POLLOUT)
            send_more(of[i]);
        else if (fds[i].revents)
            receive(of[i]);
    }
    return true;
}

void sse_finish(sse_stream *s)
{
    if (s->state != SSE_IDLE && s->state != SSE_DONE)
        close(s->fd);
    gol_free(s->request);
    gol_free(s->line);
    gol_free(s->size_line);
    gol_free(s->event_ns);
    *s = (sse_stream){0};
}
