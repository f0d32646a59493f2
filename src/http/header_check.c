/* See header_check.h. Runs once per request, when its headers are in and its body is not. */
#include "http/header_check.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static const gol_http_refusal none = {0};

typedef struct header_scan {
    int n_headers;
    int n_hosts;
    int n_lengths;
    int n_encodings;
    bool is_chunked;
    gol_http_refusal refusal;
} header_scan;

static gol_http_refusal refuse(const char *message)
{
    return (gol_http_refusal){400, "bad_request", message};
}

/* RFC 9110, 5.6.2. */
static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_token_char(s.data[i]))
            return false;
    }
    return s.len > 0;
}

static bool has_control_char(gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool is_name(gol_str name, const char *known)
{
    return name.len == strlen(known) && strncasecmp(name.data, known, name.len) == 0;
}

static gol_http_refusal check_header(header_scan *scan, gol_str name, gol_str value)
{
    if (++scan->n_headers > GOL_HTTP_HEADERS_MAX)
        return (gol_http_refusal){431, "too_many_headers", "There are more than 100 headers."};
    if (name.len + value.len > GOL_HTTP_LINE_MAX)
        return (gol_http_refusal){431, "header_too_long", "A header is longer than 8 KiB."};
    if (!is_token(name))
        return refuse("A header's name is not a token.");
    if (has_control_char(value))
        return refuse("A header's value has control characters.");
    scan->n_hosts += is_name(name, "Host");
    scan->n_lengths += is_name(name, "Content-Length");
    if (is_name(name, "Transfer-Encoding")) {
        scan->n_encodings++;
        scan->is_chunked = value.len == 7 && strncasecmp(value.data, "chunked", 7) == 0;
    }
    return none;
}

/* MHD_KeyValueIteratorN */
static enum MHD_Result scan_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                   size_t key_size, const char *value, size_t value_size)
{
    (void)kind;
    header_scan *scan = cls;
    scan->refusal = check_header(scan, (gol_str){key, key_size}, (gol_str){value, value_size});
    return scan->refusal.status == 0 ? MHD_YES : MHD_NO;
}

gol_http_refusal gol_http_check_headers(struct MHD_Connection *mhd, const char *version)
{
    header_scan scan = {0};
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, scan_header, &scan);
    if (scan.refusal.status != 0)
        return scan.refusal;
    const bool is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    if (scan.n_hosts > 1 || (scan.n_hosts == 0 && !is_1_0))
        return refuse("A request has one Host header.");
    if (scan.n_lengths > 1)
        return refuse("There is more than one Content-Length.");
    if (scan.n_encodings == 0)
        return none;
    if (scan.n_lengths > 0)
        return refuse("There are both Content-Length and Transfer-Encoding.");
    if (is_1_0)
        return refuse("HTTP/1.0 has no Transfer-Encoding.");
    if (scan.n_encodings > 1 || !scan.is_chunked)
        return (gol_http_refusal){501, "unknown_transfer_encoding",
                                  "The only Transfer-Encoding that is understood is chunked."};
    return none;
}

gol_http_refusal gol_http_check_target(const char *target)
{
    const gol_str s = gol_str_from(target);
    if (s.len > GOL_HTTP_LINE_MAX)
        return (gol_http_refusal){414, "uri_too_long", "The request target is longer than 8 KiB."};
    if (has_control_char(s) || strchr(target, ' ') != NULL)
        return refuse("The request target has white space or control characters.");
    int n_parameters = 0;
    for (const char *at = strchr(target, '&'); at != NULL; at = strchr(at + 1, '&'))
        n_parameters++;
    if (n_parameters >= GOL_HTTP_HEADERS_MAX)
        return (gol_http_refusal){414, "too_many_parameters",
                                  "There are more than 100 parameters."};
    if (strstr(target, "%00") != NULL)
        return refuse("The request target has a zero byte.");
    return none;
}
