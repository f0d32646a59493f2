/*
 * What a tokenizer kind provides, and what a tokenizer is made of. A new kind is one file with a const struct like this,
 * listed in tokenizer.c.
 */
#ifndef GOL_TEXT_TOKENIZER_KIND_H
#define GOL_TEXT_TOKENIZER_KIND_H

#include <stdbool.h>

#include "text/special_tokens.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

/* A Unicode form (NFC, ...) that byte-level BPE puts texts into: gollum's own key, others do not read it. */
#define GOL_META_NORMALIZER "gollum.tokenizer.normalizer"

enum {
    GOL_RUN_AT_START = 1,      /* nothing or a special token is before it */
    GOL_RUN_AT_TEXT_START = 2, /* nothing is */
    GOL_RUN_PARSE_SPECIAL = 4, /* GOL_ENCODE_PARSE_SPECIAL was given */
};

typedef struct gol_tokenizer_class {
    const char *name; /* tokenizer.ggml.model */
    /* Builds the kind's own tables, sets every token's piece, and puts the kind's defaults into vocab. *state is
     * untouched on failure. */
    int (*create)(void **state, gol_vocab *vocab, const gol_model_file *file, gol_err *err);
    void (*destroy)(void *state);
    /* Appends the ids of a stretch of plain text, not empty, without special tokens; where is of GOL_RUN_…. On failure ids
     * may hold some of them. */
    int (*encode)(const void *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                  unsigned where, gol_err *err);
    const char *(*pre)(const void *state);
} gol_tokenizer_class;

struct gol_tokenizer {
    const gol_tokenizer_class *kind;
    void *state;
    gol_vocab vocab;
    gol_special_tokens special;
    gol_ids prefix, suffix; /* what GOL_ENCODE_ADD_SPECIAL puts around a text */
    gol_ids middle; /* between two texts in one sequence; empty: the model was not made for that */
};

extern const gol_tokenizer_class gol_kind_sentencepiece; /* "llama" */
extern const gol_tokenizer_class gol_kind_byte_bpe;      /* "gpt2" */
extern const gol_tokenizer_class gol_kind_bert;          /* "bert" */
extern const gol_tokenizer_class gol_kind_t5;            /* "t5" */
/* Not by name: a gol_pipeline that the readers of src/text/hf make. */
extern const gol_tokenizer_class gol_kind_pipeline;

#endif
