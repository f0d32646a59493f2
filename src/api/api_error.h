/*
 * An error on its way to a client: {"error":{"message","type","param","code"}}. The type follows from the HTTP status.
 */
#ifndef GOL_API_API_ERROR_H
#define GOL_API_API_ERROR_H

#include "base/buf.h"
#include "base/error.h"

/* The one error that must be told without memory. */
#define GOL_API_NO_MEMORY_JSON                                                                     \
    "{\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\",\"param\":null,"          \
    "\"code\":\"out_of_memory\"}}"

enum { GOL_API_PARAM_MAX = 80 };

typedef struct gol_api_error {
    int status;                    /* HTTP */
    const char *code;              /* a literal; NULL becomes null */
    char param[GOL_API_PARAM_MAX]; /* the field, "messages[2].role"; "" becomes null */
    char message[GOL_ERR_MESSAGE_MAX];
} gol_api_error;

/* Fills *error and returns GOL_EINVAL, so that it can end a function. Bytes from outside among the arguments must have passed
 * gol_quote(). param may be NULL. */
int gol_api_refuse(gol_api_error *error, int status, const char *code, const char *param,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same from an error of a lower layer; returns its code. */
int gol_api_refuse_err(gol_api_error *error, const char *param, const gol_err *err);

void gol_api_error_put(gol_buf *out, const gol_api_error *error);

#endif
