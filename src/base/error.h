/*
 * Errors. One list; a function that can fail returns 0 or a negative GOL_E… code and, when it has a gol_err *, fills it
 * with a message for the person who must fix the cause: which file or field, what was found, what is accepted.
 *
 *     int open_it(const char *path, gol_err *err)
 *     {
 *         if (!ok)
 *             return gol_fail(err, GOL_EMODEL, "%s: bad magic 0x%08x, a GGUF file starts with 'GGUF'", path, magic);
 *         return 0;
 *     }
 *
 * Messages are UTF-8-safe only if their arguments are: pass bytes from outside through gol_quote() first.
 */
#ifndef GOL_BASE_ERROR_H
#define GOL_BASE_ERROR_H

#include <stddef.h>

#include "base/str.h"

/*  X(name, code, process exit code (sysexits), HTTP status, text) */
#define GOL_ERRORS(X)                                                                              \
    X(GOL_EINTERNAL, -1, 70, 500, "internal error")                                                \
    X(GOL_EUSAGE, -2, 64, 400, "wrong usage")                                                      \
    X(GOL_EINVAL, -3, 64, 400, "invalid argument")                                                 \
    X(GOL_EMODEL, -4, 65, 500, "bad model file")                                                   \
    X(GOL_EUNSUPPORTED, -5, 65, 400, "not supported")                                              \
    X(GOL_ENOTFOUND, -6, 66, 404, "not found")                                                     \
    X(GOL_ELISTEN, -7, 69, 500, "cannot listen")                                                   \
    X(GOL_ENOMEM, -8, 71, 503, "out of memory")                                                    \
    X(GOL_EIO, -9, 74, 500, "input/output error")                                                  \
    X(GOL_ECONFIG, -10, 78, 500, "bad configuration")                                              \
    X(GOL_ETOOLARGE, -11, 65, 413, "too large")                                                    \
    X(GOL_ECONTEXT, -12, 64, 400, "context length exceeded")                                       \
    X(GOL_EBUSY, -13, 69, 429, "too busy")                                                         \
    X(GOL_EABORTED, -14, 70, 499, "aborted")                                                       \
    X(GOL_ECLOSED, -15, 70, 503, "shutting down")

enum gol_error_code {
#define GOL_ERROR_ENUM(name, code, exit_code, http_status, text) name = code,
    GOL_ERRORS(GOL_ERROR_ENUM)
#undef GOL_ERROR_ENUM
};

enum { GOL_ERR_MESSAGE_MAX = 512 };

typedef struct gol_err {
    int code; /* 0 or GOL_E… */
    char message[GOL_ERR_MESSAGE_MAX];
} gol_err;

/* Fills *err (may be NULL) and returns code, so that it can end a function. The message is cut at the buffer's end, on a
 * UTF-8 border. */
int gol_fail(gol_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message already in *err and returns err->code (GOL_EINTERNAL when err is NULL: a caller that
 * may have none returns the code it has). */
int gol_fail_prefix(gol_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *gol_error_name(int code); /* "GOL_EMODEL"; "GOL_E?" for an unknown code */
const char *gol_error_text(int code); /* "bad model file" */
int gol_error_exit_code(int code);    /* for exit(); 70 for an unknown code, 0 for 0 */
int gol_error_http_status(int code);  /* 500 for an unknown code, 200 for 0 */

/* Writes s into buf as printable text for a message: control bytes and invalid UTF-8 as \xNN, cut with "…" when it is too
 * long. Always NUL-terminates (size >= 8); returns buf. */
const char *gol_quote(char *buf, size_t size, gol_str s);

#endif
