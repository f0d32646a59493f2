/*
 * Reading JSON from strangers: within limits, and as nodes that know where they stand, so that a message can say
 * "tokenizer.json: normalizer.normalizers[2].pattern: ...".
 */
#ifndef GOL_TEXT_HF_HF_JSON_H
#define GOL_TEXT_HF_HF_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* A vocabulary of a quarter million tokens with its merges as pairs is 2 million values. */
enum {
    GOL_HFTOK_JSON_LEN_MAX = 256 << 20,
    GOL_HFTOK_JSON_DEPTH_MAX = 64,
    GOL_HFTOK_JSON_VALUES_MAX = 8 << 20
};

/* On the stack of whoever walks; parents outlive their children. */
typedef struct gol_hftok_node {
    json_t *json; /* NULL: absent, or null */
    const struct gol_hftok_node *parent;
    const char *key; /* of the root: the file's name; NULL: an element */
    size_t index;
} gol_hftok_node;

/* *out is to be released by json_decref(). Errors: GOL_EMODEL (name, and where), GOL_ETOOLARGE. */
int gol_hftok_json_parse(json_t **out, gol_str bytes, const char *name, gol_err *err);

gol_hftok_node gol_hftok_root(json_t *json, const char *name);
gol_hftok_node gol_hftok_get(const gol_hftok_node *from,
                             const char *key);                     /* of no object: absent */
gol_hftok_node gol_hftok_at(const gol_hftok_node *from, size_t i); /* of no array: absent */
size_t gol_hftok_n(const gol_hftok_node *node); /* elements of an array, else 0 */
static inline bool gol_hftok_is_there(const gol_hftok_node *node)
{
    return node->json != NULL;
}

/* Puts the node's path before the message. Returns code. */
int gol_hftok_fail(const gol_hftok_node *node, gol_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a message that is in *err already. */
int gol_hftok_fail_at(const gol_hftok_node *node, gol_err *err, int code);

/* The member's value: 1, 0 absent (*out untouched), GOL_EMODEL another type. Views of strings live as long as the JSON. */
int gol_hftok_str(const gol_hftok_node *from, const char *key, gol_str *out, gol_err *err);
int gol_hftok_bool(const gol_hftok_node *from, const char *key, bool *out, gol_err *err);
int gol_hftok_int(const gol_hftok_node *from, const char *key, int64_t min, int64_t max,
                  int64_t *out, gol_err *err);
/* The same where it must be there: 0 or GOL_EMODEL. */
int gol_hftok_need_str(const gol_hftok_node *from, const char *key, gol_str *out, gol_err *err);
/* "type" of an object. */
int gol_hftok_type(const gol_hftok_node *node, gol_str *out, gol_err *err);

/* A type that we do not know: GOL_EUNSUPPORTED. */
int gol_hftok_unknown_type(const gol_hftok_node *node, gol_str type, const char *accepted,
                           gol_err *err);

static inline gol_str gol_hftok_view(const json_t *string)
{
    return (gol_str){json_string_value(string), json_string_length(string)};
}

#endif
