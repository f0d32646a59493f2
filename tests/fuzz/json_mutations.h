/*
 * Changes to a JSON text that know its structure: members and elements are dropped, doubled, renamed and exchanged, values become
 * others, numbers and strings their neighbours, and now and then single bytes change. Most results are still JSON and reach what
 * lies behind the parser. Works on any bytes: where the text is no JSON any more, what can still be seen of it counts.
 */
#ifndef TESTS_FUZZ_JSON_MUTATIONS_H
#define TESTS_FUZZ_JSON_MUTATIONS_H

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

enum { JSON_ITEMS_MAX = 4096, JSON_DEPTH_MAX = 64, JSON_WRAP_MAX = 200 };

/* A text of at most cap bytes; a mutation that needs more room is left out. */
typedef struct json_text {
    char *data;
    size_t len;
    size_t cap;
} json_text;

/* A value, with its key where it has one: text[begin, end), the value itself from `value` on. */
typedef struct json_item {
    size_t begin;
    size_t value;
    size_t end;
    int parent; /* -1: none */
    bool has_key;
} json_item;

typedef struct json_items {
    json_item items[JSON_ITEMS_MAX];
    int n;
} json_items;

/* What a format adds to the words that stand for any. */
typedef struct json_words {
    const char *const *values; /* JSON values */
    size_t n_values;
    const char *const *keys; /* without quotes */
    size_t n_keys;
} json_words;

static inline size_t json_pick(gol_rng *rng, size_t n)
{
    return n > 0 ? (size_t)gol_rng_below(rng, n) : 0;
}

/* text[where, where + n_old) becomes these bytes, which may be a part of it. */
static inline void json_splice(json_text *t, size_t where, size_t n_old, const char *with, size_t n)
{
    static char copy[1 << 16];
    assert(where <= t->len && n_old <= t->len - where);
    if (t->len - n_old + n > t->cap || n > sizeof copy)
        return;
    memcpy(copy, with, n);
    memmove(t->data + where + n, t->data + where + n_old, t->len - where - n_old);
    memcpy(t->data + where, copy, n);
    t->len += n - n_old;
}

static inline void json_replace(json_text *t, size_t begin, size_t end, const char *with)
{
    json_splice(t, begin, end - begin, with, strlen(with));
}

/* Behind the string that begins here. */
static inline size_t json_skip_string(const json_text *t, size_t at)
{
    for (at++; at < t->len && t->data[at] != '"'; at++)
        at += t->data[at] == '\\';
    return at < t->len ? at + 1 : t->len;
}

static inline bool json_is_mark(char c)
{
    return c != '\0' && strchr(",:{}[]\"", c) != NULL;
}

static inline size_t json_skip_space(const json_text *t, size_t at)
{
    while (at < t->len && isspace((unsigned char)t->data[at]))
        at++;
    return at;
}

static inline void json_items_find(json_items *out, const json_text *t)
{
    int stack[JSON_DEPTH_MAX];
    int depth = 0;
    size_t key = SIZE_MAX; /* of the item to come */
    out->n = 0;
    for (size_t i = 0; i < t->len && out->n < JSON_ITEMS_MAX;) {
        const char c = t->data[i];
        if (c == '}' || c == ']') {
            i++;
            if (depth > 0)
                out->items[stack[--depth]].end = i;
            continue;
        }
        if (isspace((unsigned char)c) || c == ',' || c == ':') {
            i++;
            continue;
        }
        const size_t begin = i;
        if (c == '"')
            i = json_skip_string(t, i);
        else if (c == '{' || c == '[')
            i++;
        else
            while (i < t->len && !json_is_mark(t->data[i]) && !isspace((unsigned char)t->data[i]))
                i++;
        const size_t behind = json_skip_space(t, i);
        if (c == '"' && behind < t->len && t->data[behind] == ':') {
            key = begin;
            continue;
        }
        out->items[out->n] = (json_item){.begin = key == SIZE_MAX ? begin : key,
                                         .value = begin,
                                         .end = i,
                                         .parent = depth > 0 ? stack[depth - 1] : -1,
                                         .has_key = key != SIZE_MAX};
        key = SIZE_MAX;
        if ((c == '{' || c == '[') && depth < JSON_DEPTH_MAX)
            stack[depth++] = out->n;
        out->n++;
    }
    for (; depth > 0; depth--)
        out->items[stack[depth - 1]].end = t->len;
}

/* Walks down from the root and stops somewhere, so that a long list counts no more than a short one. NULL: there is nothing. */
static inline const json_item *json_pick_item(const json_items *all, gol_rng *rng)
{
    int chosen = -1;
    for (;;) {
        int n = 0;
        int next = -1;
        for (int i = chosen + 1; i < all->n; i++) {
            if (all->items[i].parent == chosen && json_pick(rng, (size_t)++n) == 0)
                next = i;
        }
        if (next < 0)
            return chosen < 0 ? NULL : &all->items[chosen];
        chosen = next;
        if (all->items[chosen].parent >= 0 && json_pick(rng, 4) == 0)
            return &all->items[chosen];
    }
}

static inline const char *json_pick_value(gol_rng *rng, const json_words *words)
{
    static const char *const values[] = {"0",
                                         "1",
                                         "-1",
                                         "2",
                                         "3",
                                         "7",
                                         "8",
                                         "64",
                                         "65",
                                         "1024",
                                         "2147483647",
                                         "2147483648",
                                         "4294967295",
                                         "4294967296",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "1e308",
                                         "1e999",
                                         "0.5",
                                         "-0.0",
                                         "1e-30",
                                         "1.0",
                                         "NaN",
                                         "Infinity",
                                         "null",
                                         "true",
                                         "false",
                                         "\"\"",
                                         "\"x\"",
                                         "\"\\u0000\"",
                                         "\"\\ud800\"",
                                         "\"\\ud83d\\ude00\"",
                                         "\"\xc3\xa9\"",
                                         "\"\xff\"",
                                         "[]",
                                         "{}",
                                         "[1]",
                                         "[null]",
                                         "[[]]",
                                         "{\"a\": 1}",
                                         "[\"a\", \"a\"]"};
    const size_t n = sizeof values / sizeof *values;
    const bool is_own = words && words->n_values > 0 && json_pick(rng, 2) == 0;
    return is_own ? words->values[json_pick(rng, words->n_values)] : values[json_pick(rng, n)];
}

static inline void json_mutate_bytes(json_text *t, gol_rng *rng)
{
    if (t->len == 0)
        return;
    const size_t at = json_pick(rng, t->len);
    const size_t left = t->len - at;
    const size_t n = 1 + json_pick(rng, left < 40 ? left : 40);
    switch (json_pick(rng, 5)) {
    case 0:
        t->data[at] = (char)(t->data[at] ^ 1 << json_pick(rng, 8));
        break;
    case 1:
        t->data[at] = (char)json_pick(rng, 256);
        break;
    case 2:
        json_splice(t, at, n < left ? n : left, "", 0);
        break;
    case 3:
        json_splice(t, at, 0, t->data + at, n < left ? n : left);
        break;
    default:
        if (json_pick(rng, 8) == 0)
            t->len = at;
        else
            json_replace(t, at, at, json_pick_value(rng, NULL));
    }
}

/* The item with the comma before or behind it goes. */
static inline void json_drop(json_text *t, const json_item *item)
{
    size_t begin = item->begin;
    size_t end = json_skip_space(t, item->end);
    if (end < t->len && t->data[end] == ',') {
        end++;
    } else {
        end = item->end;
        while (begin > 0 && isspace((unsigned char)t->data[begin - 1]))
            begin--;
        begin -= begin > 0 && t->data[begin - 1] == ',';
    }
    json_splice(t, begin, end - begin, "", 0);
}

static inline void json_double(json_text *t, const json_item *item)
{
    json_splice(t, item->end, 0, t->data + item->begin, item->end - item->begin);
    json_replace(t, item->end, item->end, ",");
}

static inline void json_wrap(json_text *t, const json_item *item, gol_rng *rng)
{
    static const int depths[] = {1, 2, 3, 31, 63, JSON_WRAP_MAX};
    char opening[JSON_WRAP_MAX * 5 + 1] = "";
    char closing[JSON_WRAP_MAX + 1] = "";
    const bool is_object = json_pick(rng, 2) == 0;
    size_t n = 0;
    const int depth = depths[json_pick(rng, sizeof depths / sizeof *depths)];
    for (int i = 0; i < depth; i++) {
        n += (size_t)snprintf(opening + n, sizeof opening - n, is_object ? "{\"a\":" : "[");
        closing[i] = is_object ? '}' : ']';
    }
    json_replace(t, item->end, item->end, closing);
    json_replace(t, item->value, item->value, opening);
}

/* A string or a number becomes one like it; anything else another value. */
static inline void json_tweak(json_text *t, const json_item *item, gol_rng *rng,
                              const json_words *words)
{
    static const char *const pieces[] = {
        "\\n", "\\u0000", "\\ud83d", "\xe2\x96\x81", "\xcc\x81", "\\\\", " ", "/", "..",
        "(",   "[a-z]+*", "0",       "\xff",         "<",        "a"};
    const char first = t->data[item->value];
    if (first == '"') {
        const size_t at = item->value + 1 +
                          json_pick(rng,
                                    item->end - item->value > 1 ? item->end - item->value - 1 : 1);
        const char *piece = pieces[json_pick(rng, sizeof pieces / sizeof *pieces)];
        if (json_pick(rng, 3) == 0 && at + 1 < item->end)
            json_splice(t, at, 1, "", 0);
        else
            for (size_t i = json_pick(rng, 16) == 0 ? 300 : 1; i > 0; i--)
                json_replace(t, at, at, piece);
        return;
    }
    char number[40];
    long long value = 0;
    const size_t n = item->end - item->value;
    if ((first != '-' && !isdigit((unsigned char)first)) || n >= sizeof number) {
        json_replace(t, item->value, item->end, json_pick_value(rng, words));
        return;
    }
    memcpy(number, t->data + item->value, n);
    number[n] = '\0';
    if (sscanf(number, "%18lld", &value) != 1)
        value = 0;
    const long long others[] = {value + 1, value - 1, -value,   value * 2,
                                value / 2, value + 8, value ^ 1};
    snprintf(number, sizeof number, "%lld", others[json_pick(rng, sizeof others / sizeof *others)]);
    json_replace(t, item->value, item->end, number);
}

static inline void json_rename(json_text *t, const json_item *item, const json_items *all,
                               gol_rng *rng, const json_words *words)
{
    char key[128];
    const json_item *other = json_pick_item(all, rng);
    if (!item->has_key) {
        json_replace(t, item->value, item->end, json_pick_value(rng, words));
        return;
    }
    const size_t end = json_skip_string(t, item->begin);
    if (words && words->n_keys > 0 && json_pick(rng, 2) == 0) {
        snprintf(key, sizeof key, "\"%s\"", words->keys[json_pick(rng, words->n_keys)]);
        json_replace(t, item->begin, end, key);
    } else if (other && other->has_key) {
        const size_t n = json_skip_string(t, other->begin) - other->begin;
        json_splice(t, item->begin, end - item->begin, t->data + other->begin, n);
    }
}

/* A new member before this one. */
static inline void json_add(json_text *t, const json_item *item, gol_rng *rng,
                            const json_words *words)
{
    char member[512];
    const char *value = json_pick_value(rng, words);
    if (!item->has_key)
        snprintf(member, sizeof member, "%s, ", value);
    else if (words && words->n_keys > 0)
        snprintf(member, sizeof member, "\"%s\": %s, ", words->keys[json_pick(rng, words->n_keys)],
                 value);
    else
        snprintf(member, sizeof member, "\"a\": %s, ", value);
    json_replace(t, item->begin, item->begin, member);
}

/* One change; words may be NULL. */
static inline void json_mutate(json_text *t, gol_rng *rng, const json_words *words)
{
    static json_items all;
    json_items_find(&all, t);
    const json_item *item = json_pick_item(&all, rng);
    const json_item *other = json_pick_item(&all, rng);
    if (!item || json_pick(rng, 10) == 0) {
        json_mutate_bytes(t, rng);
        return;
    }
    switch (json_pick(rng, 11)) {
    case 0:
        json_drop(t, item);
        break;
    case 1:
        json_double(t, item);
        break;
    case 2:
        if (json_pick(rng, 4) == 0)
            json_wrap(t, item, rng);
        else
            json_add(t, item, rng, words);
        break;
    case 3:
        json_rename(t, item, &all, rng, words);
        break;
    case 4:
    case 5:
        json_splice(t, item->value, item->end - item->value, t->data + other->value,
                    other->end - other->value);
        break;
    case 6:
    case 7:
        json_tweak(t, item, rng, words);
        break;
    default:
        json_replace(t, item->value, item->end, json_pick_value(rng, words));
    }
}

#endif
