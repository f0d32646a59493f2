/*
 * Many streaming completions at once over plain HTTP/1.1, in one thread, with the time of every event: what a client of an
 * OpenAI-compatible server sees. For loopback servers that are trusted: limits are assertions, a broken answer ends the program.
 *
 *     sse_stream s[8];
 *     sse_start(&s[i], host, port, "/v1/completions", body);      // body: JSON with "stream": true
 *     while (sse_poll(s, 8, 1000)) ...                            // false: all have ended
 *     sse_finish(&s[i]);
 */
#ifndef BENCH_SSE_CLIENT_H
#define BENCH_SSE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SSE_EVENTS_MAX = 8192, SSE_LINE_MAX = 65536 };

typedef enum sse_state { SSE_IDLE, SSE_SENDING, SSE_HEAD, SSE_BODY, SSE_DONE } sse_state;

typedef struct sse_stream {
    sse_state state;
    int fd;
    char *request;
    size_t request_len;
    size_t n_sent;
    int status; /* HTTP */
    bool is_chunked;
    int64_t
        chunk_left; /* bytes of the chunk at hand; -1: its size line comes; -2: the line end after it */
    char *line;     /* [SSE_LINE_MAX] what has come of a line */
    size_t line_len;
    char *size_line; /* of a chunk: hexadecimal digits so far */
    size_t size_len;
    uint64_t start_ns;  /* gol_clock_ns() at sse_start() */
    uint64_t *event_ns; /* [n_events] events that bring a piece of the answer */
    int n_events;
    int n_completion_tokens; /* of the usage; -1: none came */
} sse_stream;

/* Connects, and takes over a copy of the request. The stream's memory is all zeros or has been finished. */
void sse_start(sse_stream *s, const char *host, int port, const char *path, const char *body);

/* Waits up to timeout_ms for anything to happen on any of them and handles it. True: some stream goes on. */
bool sse_poll(sse_stream *streams, int n, int timeout_ms);

/* Closes the connection if it is open, which aborts the request, and frees what the stream has. */
void sse_finish(sse_stream *s);

#endif
