/*
 * Pre-tokenizing by steps: each cuts the pieces that the step before it made, and may rewrite them. New kinds of step are one file
 * with a const struct like this. (Vocabularies of GGUF files have rows of expressions instead: pre_tokenizer.h.)
 */
#ifndef GOL_TEXT_PRE_STEP_H
#define GOL_TEXT_PRE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "text/regex.h"

typedef struct gol_piece {
    gol_str text;       /* valid UTF-8 */
    bool at_text_start; /* the whole text begins with it */
    bool is_mapped;     /* its bytes are written as GPT-2 writes them (byte_map.h) */
} gol_piece;

/* Takes the pieces in order; not 0: stop and return it. */
typedef struct gol_piece_sink {
    int (*put)(const struct gol_piece_sink *sink, const gol_piece *piece, gol_err *err);
    void *user;
    int level;
} gol_piece_sink;

/* What a step may use while it splits one piece: nobody else's until it returns. */
typedef struct gol_pre_scratch {
    const gol_regex_run *regex;
    gol_buf *text;
} gol_pre_scratch;

typedef struct gol_pre_class {
    const char *name; /* "Split" */
    int (*split)(const void *state, const gol_pre_scratch *scratch, const gol_piece *piece,
                 const gol_piece_sink *next, gol_err *err);
    void (*destroy)(void *state); /* NULL: there is no state */
} gol_pre_class;

typedef struct gol_pre_step {
    const gol_pre_class *kind;
    void *state;
} gol_pre_step;

static inline void gol_pre_step_deinit(gol_pre_step *step)
{
    if (step->kind != NULL && step->kind->destroy != NULL)
        step->kind->destroy(step->state);
    *step = (gol_pre_step){0};
}

/* What happens to the stretches that match. */
typedef enum gol_split_behavior {
    GOL_SPLIT_ISOLATED,
    GOL_SPLIT_REMOVED,
    GOL_SPLIT_MERGED_WITH_PREVIOUS,
    GOL_SPLIT_MERGED_WITH_NEXT,
    GOL_SPLIT_CONTIGUOUS,
} gol_split_behavior;

/* The next match at or behind pos: 1 and its borders, 0 none, or an error. */
typedef int gol_split_find(const void *state, const gol_pre_scratch *scratch, gol_str text,
                           size_t pos, size_t *start, size_t *end, gol_err *err);

/* Cuts a piece at the matches, for the steps (split_behavior.c). is_inverted: what does not match counts as the match. */
int gol_split_piece(const gol_piece *piece, gol_split_find *find, const void *state,
                    const gol_pre_scratch *scratch, gol_split_behavior behavior, bool is_inverted,
                    const gol_piece_sink *next, gol_err *err);

/* Without options: BERT's white space and punctuation, white space, words and runs of what is neither, changes of writing. */
extern const gol_pre_class gol_pre_bert, gol_pre_whitespace_split, gol_pre_whitespace;
extern const gol_pre_class gol_pre_scripts;

/* Each returns 0 or GOL_ENOMEM, with *out untouched on failure. */
int gol_pre_digits_create(gol_pre_step *out, bool individual, gol_err *err);
int gol_pre_punctuation_create(gol_pre_step *out, gol_split_behavior behavior, gol_err *err);
int gol_pre_delimiter_create(gol_pre_step *out, uint32_t cp, gol_err *err);
int gol_pre_length_create(gol_pre_step *out, size_t n, gol_err *err); /* n characters each, n > 0 */
/* Also GOL_EINVAL: the expression does not compile. */
int gol_pre_split_create(gol_pre_step *out, gol_str pattern, gol_split_behavior behavior,
                         bool is_inverted, gol_err *err);
/* A text to look for, not an expression. */
int gol_pre_literal_create(gol_pre_step *out, gol_str pattern, gol_split_behavior behavior,
                           bool is_inverted, gol_err *err);

typedef struct gol_pre_bytes_opts {
    bool adds_space;    /* before a piece that has none */
    bool uses_pattern;  /* cuts as GPT-2 does */
    bool writes_mapped; /* steps follow that look at the mapped text */
} gol_pre_bytes_opts;

int gol_pre_bytes_create(gol_pre_step *out, const gol_pre_bytes_opts *opts, gol_err *err);

typedef enum gol_prepend_scheme {
    GOL_PREPEND_ALWAYS,
    GOL_PREPEND_FIRST, /* to the beginning of the text alone */
    GOL_PREPEND_NEVER,
} gol_prepend_scheme;

/* mark: one character, that spaces are written as. */
int gol_pre_metaspace_create(gol_pre_step *out, gol_str mark, gol_prepend_scheme scheme,
                             bool splits, gol_err *err);

#endif
