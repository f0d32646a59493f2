/*
 * Writes JSON (RFC 8259) into a buffer as one goes along: commas, escapes and nesting are kept right here. Fails only
 * through the buffer's sticky flag. Strings may hold anything: what is no UTF-8 becomes U+FFFD.
 *
 *     gol_json j;
 *     gol_json_init(&j, &buf);
 *     gol_json_begin_object(&j);
 *     gol_json_key(&j, "tokens");
 *     gol_json_begin_array(&j);
 *     gol_json_int(&j, 42);
 *     gol_json_end_array(&j);
 *     gol_json_end_object(&j);                  // {"tokens":[42]}
 *     if (buf.failed) ...
 *
 * The order of calls is ours to get right: a value without its key, or an end too many, is an assertion.
 */
#ifndef GOL_BASE_JSON_OUT_H
#define GOL_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { GOL_JSON_DEPTH_MAX = 128 };

typedef struct gol_json {
    gol_buf *buf;
    int depth;
    bool after_key;
    uint8_t levels[GOL_JSON_DEPTH_MAX]; /* flags of each open object or array */
} gol_json;

void gol_json_init(gol_json *j, gol_buf *buf);
bool gol_json_is_done(const gol_json *j); /* everything that was begun has ended */

void gol_json_begin_object(gol_json *j);
void gol_json_end_object(gol_json *j);
void gol_json_begin_array(gol_json *j);
void gol_json_end_array(gol_json *j);

void gol_json_key(gol_json *j, const char *key);
void gol_json_key_str(gol_json *j, gol_str key);

void gol_json_string(gol_json *j, gol_str s);
void gol_json_cstr(gol_json *j, const char *s); /* NULL becomes null */
void gol_json_int(gol_json *j, int64_t v);
void gol_json_uint(gol_json *j, uint64_t v);
/* The shortest digits that read back as the same double (or float); no JSON number exists for NaN and infinity: null. */
void gol_json_double(gol_json *j, double v);
void gol_json_float(gol_json *j, float v);
void gol_json_bool(gol_json *j, bool v);
void gol_json_null(gol_json *j);
void gol_json_raw(gol_json *j, gol_str json); /* one complete value, already JSON */

/* A key and its value. */
void gol_json_put_string(gol_json *j, const char *key, gol_str s);
void gol_json_put_cstr(gol_json *j, const char *key, const char *s);
void gol_json_put_int(gol_json *j, const char *key, int64_t v);
void gol_json_put_uint(gol_json *j, const char *key, uint64_t v);
void gol_json_put_bool(gol_json *j, const char *key, bool v);
void gol_json_put_null(gol_json *j, const char *key);

#endif
