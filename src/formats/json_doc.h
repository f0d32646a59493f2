/*
 * JSON files that come with a model: bytes into a tree of the JSON library, within limits, duplicate keys refused.
 *
 *     json_t *root;
 *     rc = gol_json_doc_parse(&root, text, &(gol_json_limits){.depth_max = 32, .n_values_max = 1 << 16}, "config.json", &err);
 *     ...
 *     json_decref(root);
 */
#ifndef GOL_FORMATS_JSON_DOC_H
#define GOL_FORMATS_JSON_DOC_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

typedef struct gol_json_limits {
    size_t depth_max;
    size_t
        n_values_max; /* what bounds the tree's memory: less than 200 bytes for each, and its text */
} gol_json_limits;

/* *out is an object. name: for messages, put before them. Errors: GOL_EMODEL, GOL_ENOMEM. */
int gol_json_doc_parse(json_t **out, gol_str text, const gol_json_limits *limits, const char *name,
                       gol_err *err);

/* json_loadb(), but whole numbers that do not fit into 64 bits are read as reals. Returns 0, GOL_ENOMEM, or GOL_EMODEL with *info. */
int gol_json_load(json_t **out, gol_str text, size_t flags, json_error_t *info);

/* Before any tree is made. Errors: GOL_EMODEL. */
int gol_json_check_limits(gol_str text, const gol_json_limits *limits, gol_err *err);

/* "a string", "an array", ... for messages. */
const char *gol_json_type_name(const json_t *value);

static inline gol_str gol_json_str(const json_t *string)
{
    return (gol_str){json_string_value(string), json_string_length(string)};
}

#endif
