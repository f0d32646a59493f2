/*
 * A request's body as JSON. Depth and size are checked by a flat scan before the recursive parser sees a byte, so that
 * neither stack nor memory depends on the client.
 */
#ifndef GOL_API_REQUEST_JSON_H
#define GOL_API_REQUEST_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "api/api_error.h"
#include "base/str.h"

enum {
    GOL_REQUEST_JSON_DEPTH_MAX = 64,
    GOL_REQUEST_JSON_NODES_MAX = 1000000, /* values, keys not counted */
};

/* The body must be one object; duplicate keys, invalid UTF-8 and numbers beyond 64 bits are refused. The caller owns *out
 * (json_decref). */
int gol_request_json_parse(json_t **out, gol_str body, gol_api_error *error);

/* A value in few words for a message, "the string \"abc\"" or "an array"; returns buf. */
const char *gol_request_json_describe(char *buf, size_t size, const json_t *value);

/* A token id, written 16 or 16.0; -1 for anything else. */
static inline int64_t gol_request_json_id(const json_t *value)
{
    const double real = json_is_real(value) ? json_real_value(value) : -1;
    if (real >= 0 && real <= INT32_MAX && real == (double)(int32_t)real)
        return (int32_t)real;
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static inline gol_str gol_request_json_str(const json_t *string)
{
    return (gol_str){json_string_value(string), json_string_length(string)};
}

#endif
