/* What libmicrohttpd lets pass and HTTP does not (RFC 9110, RFC 9112), above all whatever two servers could read differently. */
#ifndef GOL_HTTP_HEADER_CHECK_H
#define GOL_HTTP_HEADER_CHECK_H

#include <microhttpd.h>

enum {
    GOL_HTTP_LINE_MAX = 8 << 10, /* bytes of a request target, of a header */
    GOL_HTTP_HEADERS_MAX = 100,  /* also of parameters in a query */
};

typedef struct gol_http_refusal {
    int status; /* 0: none */
    const char *code;
    const char *message;
} gol_http_refusal;

gol_http_refusal gol_http_check_headers(struct MHD_Connection *mhd, const char *version);

/* Why a request target, as it came, is refused with 400 or 414; status 0: it is not. */
gol_http_refusal gol_http_check_target(const char *target);

#endif
