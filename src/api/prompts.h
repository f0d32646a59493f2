/* The forms in which a completion's prompt may come: a string, strings, token ids, lists of token ids. */
#ifndef GOL_API_PROMPTS_H
#define GOL_API_PROMPTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api_error.h"
#include "base/arena.h"
#include "base/str.h"
#include "text/tokenizer.h"

typedef struct gol_prompt {
    /* As it came, a view into the JSON; data NULL: it came as ids, or only its end was taken. */
    gol_str text;
    int32_t *ids; /* [n_ids], in the arena */
    int32_t n_ids;
} gol_prompt;

typedef struct gol_prompts {
    gol_prompt *items; /* [n], in the arena */
    int32_t n;
} gol_prompts;

typedef struct gol_prompt_reader {
    const gol_tokenizer *tok;
    gol_arena *arena;
    int32_t n_vocab; /* ids from a client must be below */
    int32_t max_prompts;
    int32_t max_model_len;
    int32_t n_answer_min; /* tokens that a prompt must leave room for */
    int32_t n_keep;       /* of longer prompts only the last tokens are taken; 0: all are */
    bool add_special;
} gol_prompt_reader;

/* value: the request's "prompt", NULL when it has none. */
int gol_prompts_parse(gol_prompts *out, const gol_prompt_reader *reader, const json_t *value,
                      gol_api_error *error);

/* One text. param names the field in errors. Control tokens written in the text count as such when parse_special. */
int gol_prompts_encode(gol_prompt *out, const gol_prompt_reader *reader, gol_str text,
                       bool parse_special, const char *param, gol_api_error *error);

#endif
