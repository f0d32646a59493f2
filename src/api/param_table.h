/*
 * Every request field that is known, in one table: where it is valid, its kind, its range and where its value goes. Parsing,
 * range checks, the ignored-fields header and the tests all walk it.
 */
#ifndef GOL_API_PARAM_TABLE_H
#define GOL_API_PARAM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { GOL_PARAM_COMPLETIONS = 1, GOL_PARAM_CHAT = 2, GOL_PARAM_BOTH = 3 };

typedef enum gol_param_kind {
    GOL_PARAM_ELSEWHERE, /* read by its endpoint: model, prompt, messages */
    GOL_PARAM_NO_EFFECT, /* means nothing here and changes no answer: accepted and listed as ignored */
    GOL_PARAM_BOOL,      /* bool at offset */
    GOL_PARAM_INT,       /* int32_t at offset, in [min, max] */
    GOL_PARAM_FLOAT,     /* float at offset, in [min, max] or (min, max] */
    GOL_PARAM_SEED,
    GOL_PARAM_STOP,
    GOL_PARAM_STOP_IDS,
    GOL_PARAM_STREAM_OPTIONS,
    GOL_PARAM_LOGIT_BIAS,
    GOL_PARAM_ALLOWED_IDS,
    GOL_PARAM_WORDS, /* array of strings, as const json_t * at offset; at most max of them */
    GOL_PARAM_SAMPLERS,
    GOL_PARAM_CACHE_SALT,
    GOL_PARAM_REFUSED, /* would change the answer: only neutral values pass */
} gol_param_kind;

/* Values under which a refused field asks for nothing. null always does. */
enum {
    GOL_NEUTRAL_FALSE = 1,
    GOL_NEUTRAL_TRUE = 2,
    GOL_NEUTRAL_ZERO = 4,
    GOL_NEUTRAL_ONE = 8,
    GOL_NEUTRAL_NEGATIVE = 16,
    GOL_NEUTRAL_EMPTY = 32, /* "", [], {} */
    GOL_NEUTRAL_NONE = 64,  /* "none" */
    GOL_NEUTRAL_AUTO = 128, /* "auto" */
    GOL_NEUTRAL_TEXT = 256, /* {"type":"text"}, ["text"] */
    GOL_NEUTRAL_SAME_AS_N = 512,
    GOL_NEUTRAL_TOOLS_OFF = 1024 /* anything, while tool_choice is "none" */
};

typedef struct gol_param {
    const char *name;
    gol_param_kind kind;
    unsigned routes;
    size_t offset; /* in gol_params */
    double min;
    double max;
    bool is_min_excluded;
    unsigned neutral;
    const char *hint; /* for a refused field: what to use instead; may be NULL */
    const char
        *alias_of; /* another name for this field: only one of them may be given. May be NULL */
} gol_param;

extern const gol_param gol_param_table[];
extern const size_t gol_param_table_n;

const gol_param *gol_param_find(gol_str name, unsigned route); /* NULL: unknown at this endpoint */

#endif
