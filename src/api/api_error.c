/*
 * Errors in OpenAI's shape. Statuses of lower layers' errors come from the one list in base/error.h; what OpenAI clients
 * look at, the type and the code, is added here.
 */
#include "api/api_error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_out.h"
#include "base/utf8_scan.h"

/* vsnprintf that leaves no half character at a cut. */
__attribute__((format(printf, 3, 0))) static void format_text(char *buf, size_t size,
                                                              const char *format, va_list args)
{
    const int n = vsnprintf(buf, size, format, args);
    if (n < 0)
        buf[0] = '\0';
    else if ((size_t)n >= size)
        buf[gol_utf8_cut(buf, size - 1)] = '\0';
}

int gol_api_refuse(gol_api_error *error, int status, const char *code, const char *param,
                   const char *format, ...)
{
    error->status = status;
    error->code = code;
    snprintf(error->param, sizeof error->param, "%s", param ? param : "");
    va_list args;
    va_start(args, format);
    format_text(error->message, sizeof error->message, format, args);
    va_end(args);
    return GOL_EINVAL;
}

static const char *code_of(int code)
{
    switch (code) {
    case GOL_ECONTEXT:
        return "context_length_exceeded";
    case GOL_EBUSY:
        return "queue_full";
    case GOL_ECLOSED:
        return "shutting_down";
    case GOL_ENOMEM:
        return "out_of_memory";
    case GOL_EINVAL:
        return "invalid_value";
    case GOL_EUNSUPPORTED:
        return "unsupported_by_model";
    default:
        return NULL;
    }
}

int gol_api_refuse_err(gol_api_error *error, const char *param, const gol_err *err)
{
    gol_api_refuse(error, gol_error_http_status(err->code), code_of(err->code), param, "%s",
                   err->message);
    return err->code;
}

static const char *error_type(int status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

void gol_api_error_put(gol_buf *out, const gol_api_error *error)
{
    gol_json j;
    gol_json_init(&j, out);
    gol_json_begin_object(&j);
    gol_json_key(&j, "error");
    gol_json_begin_object(&j);
    gol_json_put_cstr(&j, "message", error->message);
    gol_json_put_cstr(&j, "type", error_type(error->status));
    gol_json_put_cstr(&j, "param", error->param[0] != '\0' ? error->param : NULL);
    gol_json_put_cstr(&j, "code", error->code);
    gol_json_end_object(&j);
    gol_json_end_object(&j);
}
