/*
 * Requests as bytes: what is malformed or could be read in two ways is refused and its connection closed, odd but correct ones
 * are answered, and after each the server works.
 */
#include "unit/http/http_fixture.h"

#include <stdlib.h>

enum {
    CLOSED = 1,        /* refused without a reply, which libmicrohttpd does for some */
    REFUSED = 400,     /* any 4xx or 5xx, or CLOSED */
    SILENCE_MS = 3000, /* after which a wrong answer would have come; where none has to come */
};

typedef struct raw_case {
    const char *name;
    const char *request; /* {N:x} stands for N times x */
    int status;          /* of the first reply, or one of the above */
    const char *says;    /* in what comes back; NULL: anything */
} raw_case;

#define H             "Host: x\r\n"
#define GET(target)   "GET " target " HTTP/1.1\r\n" H "\r\n"
#define WITH(headers) "GET /echo HTTP/1.1\r\n" H headers "\r\n"
#define POST(headers) "POST /echo HTTP/1.1\r\n" H headers "\r\n"
#define CHUNKED(body) POST("Transfer-Encoding: chunked\r\n") body

static const raw_case cases[] = {
    /* request lines */
    {"plain", GET("/echo"), 200, "/echo 0 bytes"},
    {"HTTP/1.0 needs no Host", "GET /echo HTTP/1.0\r\n\r\n", 200, "Connection: close"},
    {"HTTP/1.0 keep-alive", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, NULL},
    {"HTTP/0.9", "GET /echo\r\n\r\n", REFUSED, NULL},
    {"HTTP/2.0", "GET /echo HTTP/2.0\r\n" H "\r\n", 505, NULL},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED, NULL},
    {"HTTP/9.9", "GET /echo HTTP/9.9\r\n\r\n", REFUSED, NULL},
    {"version with a tail", "GET /echo HTTP/1.1x\r\n" H "\r\n", REFUSED, NULL},
    {"version in small letters", "GET /echo http/1.1\r\n" H "\r\n", REFUSED, NULL},
    {"method alone", "GET\r\n\r\n", REFUSED, NULL},
    {"tabs between words", "GET\t/echo\tHTTP/1.1\r\n" H "\r\n", REFUSED, NULL},
    {"white space in target", "GET /echo x HTTP/1.1\r\n" H "\r\n", 400, NULL},
    {"empty lines before", "\r\n\r\nGET /echo HTTP/1.1\r\n" H "\r\n", 200, NULL},
    {"bare LF", "GET /echo HTTP/1.1\nHost: x\n\n", 200, NULL},          /* RFC 9112, 2.2 */
    {"long method", "{5000:A} /echo HTTP/1.1\r\n" H "\r\n", 200, NULL}, /* our api takes any */
    {"TLS hello", "\x16\x03\x01\x02\r\n\x01\xfc\x03\x03\r\n\r\n", REFUSED, NULL},
    {"high bytes", "\xff\xfe\xfd \x80 \xff\r\n\r\n", REFUSED, NULL},

    /* targets */
    {"query", GET("/echo?a=b&c=%zz&d"), 200, "/echo 0 bytes"},
    {"100 parameters", "GET /echo?{99:a&}b HTTP/1.1\r\n" H "\r\n", 200, NULL},
    {"101 parameters", "GET /echo?{100:a&}b HTTP/1.1\r\n" H "\r\n", 414, "too_many_parameters"},
    {"parameters over the buffer", "GET /echo?{4000:a&} HTTP/1.1\r\n" H "\r\n", 408, NULL},
    {"zero byte in query", GET("/echo?a=%00"), 400, NULL},
    {"percent-encoding", GET("/%65ch%6F"), 200, "/echo 0 bytes"},
    {"bad percent-encoding", GET("/echo%zz"), 200, "/echo%zz"},
    {"cut percent-encoding", GET("/echo%4"), 200, "/echo%4"},
    {"encoded zero byte", GET("/echo%00x"), 400, "zero_byte"},
    {"encoded line end", GET("/echo%0d%0aX-Evil:1"), 200, NULL},
    {"absolute form", GET("http://x/echo"), 200, "/echo 0 bytes"},
    {"absolute form, capitals", GET("HTTP://x:80/echo?q"), 200, "/echo 0 bytes"},
    {"absolute form without path", GET("http://x"), 200, "/ 0 bytes"},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 200, "* 0 bytes"},
    {"authority form", "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", 200, "x:80"},
    {"dots are not walked", GET("/a/../echo"), 200, "/a/../echo"},
    {"control character in target", GET("/echo\x01"), 400, NULL},
    {"delete in target", GET("/echo\x7f"), 400, NULL},
    {"high bytes in target", GET("/\xff\xc0\xaf"), 200, NULL},
    {"target at the limit", "GET /{8191:a} HTTP/1.1\r\n" H "\r\n", 200, NULL},
    {"target over the limit", "GET /{8192:a} HTTP/1.1\r\n" H "\r\n", 414, NULL},
    {"target over the buffer", "GET /{100000:a} HTTP/1.1\r\n" H "\r\n", REFUSED, NULL},

    /* headers */
    {"no Host", "GET /echo HTTP/1.1\r\n\r\n", 400, "Connection: close"},
    {"empty Host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", 200, NULL},
    {"two Hosts", WITH("Host: y\r\n"), 400, NULL},
    {"no colon", WITH("junk\r\n"), 400, NULL},
    {"empty name", WITH(": x\r\n"), 200, NULL}, /* libmicrohttpd drops the line */
    {"blank before colon", POST("Content-Length : 3\r\n") "abc", 400, NULL},
    {"parenthesis in name", WITH("X(y): a\r\n"), 400, NULL},
    {"high byte in name", WITH("X\xe9: a\r\n"), 400, NULL},
    {"obs-fold", WITH("X-A: a\r\n b\r\n"), 200, NULL}, /* RFC 9112, 5.2: replaced by blanks */
    {"CR in value", WITH("X-A: a\rb\r\n"), 400, NULL},
    {"control character in value", WITH("X-A: a\x02\r\n"), 400, NULL},
    {"tab in value", WITH("X-A: a\tb\r\n"), 200, NULL},
    {"high bytes in value", WITH("X-A: \xc3\xa9\xff\r\n"), 200, NULL},
    {"100 headers", WITH("{99:X-A: b\r\n}"), 200, NULL},
    {"101 headers", WITH("{100:X-A: b\r\n}"), 431, "too_many_headers"},
    {"10000 headers", WITH("{10000:X-A: b\r\n}"), 431, NULL},
    {"header at the limit", WITH("X-A: {8189:a}\r\n"), 200, NULL},
    {"header over the limit", WITH("X-A: {8190:a}\r\n"), 431, "header_too_long"},
    {"header over the buffer", WITH("X-A: {100000:a}\r\n"), 431, NULL},
    {"header name over the buffer", WITH("{100000:X}: a\r\n"), 431, NULL},
    {"many cookies", WITH("Cookie: {2000:a=b;}\r\n"), REFUSED, NULL},
    {"upgrade is ignored", WITH("Connection: Upgrade\r\nUpgrade: h2c\r\n"), 200, NULL},
    {"Connection: close", WITH("Connection: close\r\n"), 200, "Connection: close"},

    /* lengths */
    {"length", POST("Content-Length: 3\r\n") "abc", 200, "/echo 3 bytes"},
    {"no length", POST(""), 200, "/echo 0 bytes"},
    {"leading zeros", POST("Content-Length: 0003\r\n") "abc", 200, "/echo 3 bytes"},
    {"two lengths", POST("Content-Length: 3\r\nContent-Length: 4\r\n") "abc", 400, NULL},
    {"the same length twice", POST("Content-Length: 3\r\nContent-Length: 3\r\n") "abc", 400, NULL},
    {"list of lengths", POST("Content-Length: 3, 3\r\n") "abc", 400, NULL},
    {"negative length", POST("Content-Length: -3\r\n") "abc", 400, NULL},
    {"signed length", POST("Content-Length: +3\r\n") "abc", 400, NULL},
    {"hexadecimal length", POST("Content-Length: 0x3\r\n") "abc", 400, NULL},
    {"empty length", POST("Content-Length:\r\n") "abc", 400, NULL},
    {"blank in length", POST("Content-Length: 1 3\r\n") "abc", 400, NULL},
    {"length with a fraction", POST("Content-Length: 3.0\r\n") "abc", 400, NULL},
    {"length over 64 bits", POST("Content-Length: 18446744073709551616\r\n"), 413, NULL},
    {"length of 64 bits", POST("Content-Length: 18446744073709551615\r\n"), 413, NULL},
    {"length in a GET", WITH("Content-Length: 3\r\n") "abc", 200, "/echo 3 bytes"},

    /* transfer codings */
    {"chunked", CHUNKED("3\r\nabc\r\n0\r\n\r\n"), 200, "/echo 3 bytes"},
    {"Chunked in capitals", POST("Transfer-Encoding: CHUNKED\r\n") "1\r\na\r\n0\r\n\r\n", 200,
     "/echo 1 bytes"},
    {"length and chunked",
     POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") "3\r\nabc\r\n0\r\n\r\n", 400,
     NULL},
    {"chunked and length",
     POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") "3\r\nabc\r\n0\r\n\r\n", 400,
     NULL},
    {"gzip", POST("Transfer-Encoding: gzip\r\n") "abc", 501, NULL},
    {"gzip, chunked", POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", 501, NULL},
    {"xchunked", POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", 501, NULL},
    {"chunked with a comma", POST("Transfer-Encoding: chunked,\r\n") "0\r\n\r\n", 501, NULL},
    {"chunked behind a vertical tab", POST("Transfer-Encoding: \vchunked\r\n") "0\r\n\r\n", 400,
     NULL},
    {"identity", POST("Transfer-Encoding: identity\r\n") "abc", 501, NULL},
    {"two codings",
     POST("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 501, NULL},
    {"chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, NULL},

    /* chunks */
    {"chunk extension", CHUNKED("3;a=b\r\nabc\r\n0\r\n\r\n"), 200, "/echo 3 bytes"},
    {"chunk of size -2", CHUNKED("-2\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"chunk of size +2", CHUNKED("+2\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"chunk of size 0x2", CHUNKED("0x2\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"blank before size", CHUNKED(" 2\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"blank after size", CHUNKED("2 \r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"no size", CHUNKED("\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"letters for a size", CHUNKED("zz\r\nab\r\n0\r\n\r\n"), 400, NULL},
    {"chunk longer than its size", CHUNKED("2\r\nabc\r\n0\r\n\r\n"), 400, NULL},
    {"size over 64 bits", CHUNKED("10000000000000002\r\nab\r\n0\r\n\r\n"), 413, NULL},
    {"huge size", CHUNKED("ffffffffffffffffff\r\n"), 413, NULL},
    {"many zeros in size", CHUNKED("{1000:0}2\r\nab\r\n0\r\n\r\n"), 200, "/echo 2 bytes"},
    {"size line over the buffer", CHUNKED("2;{100000:x}\r\nab\r\n0\r\n\r\n"), REFUSED, NULL},
    {"trailer", CHUNKED("2\r\nab\r\n0\r\nX-A: b\r\n\r\n"), 200, "/echo 2 bytes"},
    {"trailers over the buffer", CHUNKED("2\r\nab\r\n0\r\n{10000:X-A: b\r\n}\r\n"), 431, NULL},

    /* several at once */
    {"pipeline", GET("/a") GET("/b") POST("Content-Length: 1\r\n") "x" GET("/c"), 200,
     "/c 0 bytes"},
    {"pipeline behind a refusal",
     POST("Content-Length: 1\r\nContent-Length: 9\r\n") "x" GET("/second"), 400, NULL},
    {"length in a trailer", CHUNKED("1\r\na\r\n0\r\nContent-Length: 40\r\n\r\n") GET("/second"),
     200, "/second 0 bytes"},

    /* Expect */
    {"100-continue", POST("Expect: 100-continue\r\nContent-Length: 3\r\n"), 100, NULL},
    {"100-continue with body", POST("Expect: 100-continue\r\nContent-Length: 3\r\n") "abc", 200,
     "/echo 3 bytes"},
    {"100-continue and too large", POST("Expect: 100-continue\r\nContent-Length: 99999999\r\n"),
     413, NULL},
};

/* Copies text with each {N:x} written out; the caller frees. */
static char *expand(const char *text)
{
    char *out = gol_xalloc(strlen(text) + (1u << 20));
    size_t n = 0;
    while (*text != '\0') {
        char *colon = NULL;
        const long times = *text == '{' ? strtol(text + 1, &colon, 10) : 0;
        if (times <= 0) {
            out[n++] = *text++;
            continue;
        }
        const char *what = colon + 1;
        const char *end = strchr(what, '}');
        for (long i = 0; i < times; i++) {
            memcpy(out + n, what, (size_t)(end - what));
            n += (size_t)(end - what);
        }
        text = end + 1;
    }
    out[n] = '\0';
    return out;
}

typedef struct talk {
    const void *data; /* what the client says */
    size_t len;
    const char *until; /* what it waits for */
    int timeout_ms;
} talk;

/* What comes back until `until`, or else until the server closes or is silent for too long; true: it closed, without a word. */
static bool converse(const gol_http_server *server, const talk *t, char *buf, size_t size)
{
    const int fd = dial(server);
    (void)send_all(fd, t->data, t->len); /* may be refused in the middle */
    hear(fd, buf, size, t->until, t->timeout_ms);
    char rest;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    const bool closed = buf[0] == '\0' && poll(&p, 1, 0) > 0 && recv(fd, &rest, 1, 0) <= 0;
    close(fd);
    return closed;
}

static bool works(const gol_http_server *server)
{
    char buf[1024];
    const talk plain = {GET("/echo"), strlen(GET("/echo")), "bytes", PATIENCE_MS};
    converse(server, &plain, buf, sizeof buf);
    return strstr(buf, "200 OK") != NULL && strstr(buf, "/echo 0 bytes") != NULL;
}

static bool is_as_expected(const raw_case *c, const char *reply, bool closed)
{
    const int status = strncmp(reply, "HTTP/1.1 ", 9) == 0 ? atoi(reply + 9) : CLOSED;
    if (status == CLOSED && !closed)
        return false;
    if (status >= 400 && strstr(reply, "/second") != NULL)
        return false; /* what follows a refused request is not read as one */
    if (c->status == REFUSED)
        return status == CLOSED || status >= 400;
    if (c->status == 200 && status == 100)
        return strstr(reply, "200 OK") != NULL && strstr(reply, c->says) != NULL;
    return status == c->status && (c->says == NULL || strstr(reply, c->says) != NULL);
}

static void each_raw_request_has_its_answer(void **state)
{
    (void)state;
    static char reply[64 << 10];
    gol_http_server *server = start(&(gol_http_opts){0});
    int n_wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const raw_case *c = &cases[i];
        char *request = expand(c->request);
        const char *until = c->says != NULL ? c->says : "\r\n\r\n"; /* the body may come later */
        const talk t = {request, strlen(request), until,
                        PATIENCE_MS}; /* each is answered or closed */
        const bool closed = converse(server, &t, reply, sizeof reply);
        if (!is_as_expected(c, reply, closed)) {
            print_error("%s: expected %d, got %s: %.200s\n", c->name, c->status,
                        closed ? "closed" : "open", reply);
            n_wrong++;
        }
        assert_true(works(server));
        gol_free(request);
    }
    assert_int_equal(n_wrong, 0);
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* libmicrohttpd reads lines up to a zero byte and drops the rest of the line: what remains must be right, and nothing behind
 * it is taken for a request. */
static void zero_bytes_do_no_harm(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        bool may_pass;
    } zeros[] = {
#define ZERO(text, may_pass) {text, sizeof text - 1, may_pass}
        ZERO("GET /echo\0x HTTP/1.1\r\nHost: x\r\n\r\n", true),
        ZERO("GET\0/echo HTTP/1.1\r\nHost: x\r\n\r\n", false),
        ZERO("GET /echo HTTP/1.1\0\r\nHost: x\r\n\r\n", false),
        ZERO("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", true),
        ZERO("GET /echo HTTP/1.1\r\nHost: x\r\nX\0A: a\r\n\r\n", false),
        ZERO("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\0\r\n\r\nabc", true),
        ZERO("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length\0: 3\r\n\r\nabc", false),
        ZERO("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\0\r\nabc\r\n",
             false),
        ZERO("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na\0c", true),
    };
    gol_http_server *server = start(&(gol_http_opts){0});
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        char reply[4096];
        const int n_before = n_begun();
        const talk t = {zeros[i].data, zeros[i].len, "\r\n\r\n", SILENCE_MS};
        converse(server, &t, reply, sizeof reply);
        if (!zeros[i].may_pass && strstr(reply, "200 OK") != NULL)
            fail_msg("request %zu was answered: %s", i, reply);
        assert_in_range(n_begun() - n_before, 0, 1);
        assert_true(works(server));
    }
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

/* Seeded bytes, and a good request with a few of its bytes changed, cut anywhere, sent in pieces. */
static void noise_never_stops_the_server(void **state)
{
    (void)state;
    static const char good[] = "POST /echo?a=%41 HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    gol_http_server *server = start(&(gol_http_opts){0});
    srand(1);
    for (int round = 0; round < 600; round++) {
        char noise[sizeof good];
        memcpy(noise, good, sizeof good);
        const int n_changes = round % 8;
        for (int i = 0; i < n_changes; i++)
            noise[(size_t)rand() % (sizeof good - 1)] = (char)(rand() % 256);
        const size_t len = round % 3 == 0 ? (size_t)rand() % sizeof good : sizeof good - 1;
        const size_t cut = len > 0 ? (size_t)rand() % len : 0;
        const int fd = dial(server);
        (void)send_all(fd, noise, cut);
        (void)send_all(fd, noise + cut, len - cut);
        if (round % 2)
            shutdown(fd, SHUT_WR);
        char buf[512];
        (void)recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        close(fd);
        if (round % 100 == 0)
            assert_true(works(server));
    }
    assert_true(works(server));
    gol_http_server_stop(&server);
    assert_int_equal(test_api.n_begun, test_api.n_ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_raw_request_has_its_answer),
        cmocka_unit_test(zero_bytes_do_no_harm),
        cmocka_unit_test(noise_never_stops_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
