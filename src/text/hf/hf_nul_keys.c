/*
 * Keys with U+0000: see the header. In a copy of the text each "\u0000" of a key gives way to an escape as long, of a character that
 * is nowhere in the text; when the library has made its tree of that, the keys get their own character back.
 *
 * Memory: one copy of the text, and the members of one object twice.
 */
#include "text/hf/hf_nul_keys.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/json_doc.h"
#include "text/hf/hf_json.h"

/* The noncharacters U+FDD0 to U+FDEF, in UTF-8 EF B7 90 to EF B7 AF. */
enum { N_STAND_INS = 32, STAND_IN_FIRST = 0xFDD0, ESCAPE_LEN = 6, STAND_IN_LEN = 3 };

typedef struct stand_in {
    char escape[ESCAPE_LEN + 1];
    char utf8[STAND_IN_LEN + 1];
} stand_in;

static void set_stand_in(stand_in *s, int i)
{
    snprintf(s->escape, sizeof s->escape, "\\u%04x", (unsigned)(STAND_IN_FIRST + i));
    snprintf(s->utf8, sizeof s->utf8, "\xEF\xB7%c", 0x90 + i);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits behind "\u"; -1: none. */
static int escaped_unit(gol_str text, size_t pos)
{
    if (text.len - pos < ESCAPE_LEN || text.data[pos] != '\\' || text.data[pos + 1] != 'u')
        return -1;
    int unit = 0;
    for (size_t i = 2; i < ESCAPE_LEN; i++) {
        const int digit = hex_value(text.data[pos + i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The first noncharacter that the text has neither as it is nor escaped. false: it has them all. */
static bool choose_stand_in(stand_in *out, gol_str text)
{
    uint32_t used = 0;
    for (size_t pos = 0; pos < text.len; pos++) {
        int i = -1;
        if (text.data[pos] == '\\')
            i = escaped_unit(text, pos) - STAND_IN_FIRST;
        else if (text.len - pos >= STAND_IN_LEN && memcmp(text.data + pos, "\xEF\xB7", 2) == 0)
            i = (uint8_t)text.data[pos + 2] - 0x90;
        if (i >= 0 && i < N_STAND_INS)
            used |= UINT32_C(1) << i;
    }
    for (int i = 0; i < N_STAND_INS; i++) {
        if ((used >> i & 1) == 0) {
            set_stand_in(out, i);
            return true;
        }
    }
    return false;
}

/* Of the string that begins behind a quote at pos; text.len: it does not end. */
static size_t string_end(gol_str text, size_t pos)
{
    while (pos < text.len && text.data[pos] != '"')
        pos += text.data[pos] == '\\' && pos + 1 < text.len ? 2 : 1;
    return pos;
}

static bool is_key(gol_str text, size_t end)
{
    size_t pos = end + 1;
    while (pos < text.len && strchr(" \t\r\n", text.data[pos]) != NULL && text.data[pos] != '\0')
        pos++;
    return pos < text.len && text.data[pos] == ':';
}

static void replace_escapes(char *copy, gol_str text, const stand_in *s)
{
    for (size_t pos = 0; pos < text.len; pos++) {
        if (text.data[pos] != '"')
            continue;
        const size_t end = string_end(text, pos + 1);
        const bool replaces = is_key(text, end);
        while (replaces && ++pos < end) {
            if (escaped_unit(text, pos) == 0)
                memcpy(copy + pos, s->escape, ESCAPE_LEN);
            pos += text.data[pos] == '\\'; /* the escaped character begins nothing */
        }
        pos = end;
    }
}

static size_t restore_key(char *key, size_t len, const stand_in *s)
{
    size_t n = 0;
    for (size_t pos = 0; pos < len; n++) {
        const bool is_stand_in = len - pos >= STAND_IN_LEN &&
                                 memcmp(key + pos, s->utf8, STAND_IN_LEN) == 0;
        key[n] = is_stand_in ? '\0' : key[pos];
        pos += is_stand_in ? STAND_IN_LEN : 1;
    }
    return n;
}

/* The same members with their own keys, in the same order. */
static int restore_members(json_t *object, const stand_in *s)
{
    json_t *members = json_object();
    int rc = members != NULL ? 0 : GOL_ENOMEM;
    const char *key;
    size_t len;
    json_t *value;
    json_object_keylen_foreach(object, key, len, value)
    {
        char *own = rc == 0 ? gol_try_alloc(len + 1) : NULL;
        if (own == NULL) {
            rc = GOL_ENOMEM;
            break;
        }
        memcpy(own, key, len);
        const size_t n = restore_key(own, len, s);
        if (json_object_setn_nocheck(members, own, n, value) != 0)
            rc = GOL_ENOMEM;
        gol_free(own);
    }
    if (rc == 0)
        json_object_clear(object);
    json_object_keylen_foreach(members, key, len, value)
    {
        if (rc == 0 && json_object_setn_nocheck(object, key, len, value) != 0)
            rc = GOL_ENOMEM;
    }
    json_decref(members);
    return rc;
}

/* Not deeper than GOL_HFTOK_JSON_DEPTH_MAX. */
static int restore(json_t *json, const stand_in *s)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(json); i++)
        rc = restore(json_array_get(json, i), s);
    bool has_stand_in = false;
    const char *key;
    size_t len;
    json_t *value;
    json_object_keylen_foreach(json, key, len, value)
    {
        has_stand_in = has_stand_in || memmem(key, len, s->utf8, STAND_IN_LEN) != NULL;
        if (rc == 0 && (json_is_object(value) || json_is_array(value)))
            rc = restore(value, s);
    }
    return rc == 0 && has_stand_in ? restore_members(json, s) : rc;
}

int gol_hftok_load_nul_keys(json_t **out, gol_str bytes, json_error_t *error)
{
    *out = NULL;
    stand_in s;
    if (!choose_stand_in(&s,
                         bytes)) /* it has them all: what there is of NUL in keys stays an error */
        return gol_json_load(out, bytes, JSON_ALLOW_NUL, error);
    char *copy = gol_try_alloc(bytes.len);
    if (copy == NULL)
        return GOL_ENOMEM;
    memcpy(copy, bytes.data, bytes.len);
    replace_escapes(copy, bytes, &s);
    int rc = gol_json_load(out, (gol_str){copy, bytes.len}, JSON_ALLOW_NUL, error);
    gol_free(copy);
    if (rc == 0)
        rc = restore(*out, &s);
    if (rc != 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
