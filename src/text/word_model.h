/*
 * Word models: the part of a tokenizer that turns a normalized word (or a whole text, where nothing cuts it) into ids. A tokenizer
 * has one; new kinds are one file with a const struct like this.
 */
#ifndef GOL_TEXT_WORD_MODEL_H
#define GOL_TEXT_WORD_MODEL_H

#include "base/str.h"
#include "text/merger.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

/* One best way to a position of the text. */
typedef struct gol_best_path {
    double score;
    int32_t id;
    uint32_t len; /* bytes of the last token; 0: no way leads here yet */
} gol_best_path;

/* What one call of encode keeps from word to word. Zero-initialize. */
typedef struct gol_word_scratch {
    gol_merger merger;
    gol_best_path *paths;
    size_t n_paths;
    size_t cap_paths;
} gol_word_scratch;

void gol_word_scratch_deinit(gol_word_scratch *scratch);

typedef struct gol_word_model_class {
    const char *name; /* "WordPiece" */
    /* Appends the ids of a word, not empty, valid UTF-8 (any bytes for a byte-level model). 0 or GOL_ENOMEM. */
    int (*encode)(const void *state, const gol_vocab *vocab, gol_word_scratch *scratch,
                  gol_ids *ids, gol_str word);
    void (*destroy)(void *state);
} gol_word_model_class;

typedef struct gol_word_model {
    const gol_word_model_class *kind;
    void *state;
} gol_word_model;

static inline void gol_word_model_deinit(gol_word_model *model)
{
    if (model->kind != NULL)
        model->kind->destroy(model->state);
    *model = (gol_word_model){0};
}

/* The token whose text is the word, else the unknown one. No state. */
extern const gol_word_model_class gol_word_level;

typedef struct gol_wordpiece_opts {
    gol_str first_mark; /* what tokens that begin a word begin with: "" or U+2581 */
    gol_str rest_mark;  /* the others: "##" or "" */
    size_t word_chars_max;
} gol_wordpiece_opts;

/* Errors of both: GOL_ENOMEM, GOL_EMODEL. */
int gol_wordpiece_create(gol_word_model *out, const gol_vocab *vocab,
                         const gol_wordpiece_opts *opts, gol_err *err);

typedef struct gol_unigram_opts {
    const double *scores; /* [n_vocab], copied; NULL: the vocabulary's own */
    bool byte_fallback;
    bool reads_byte_tokens; /* "<0x41>" written in the text is that token, as in tokenizer.json */
    bool
        adds_floats; /* sums are rounded to floats, as sentencepiece's are, not kept in doubles, as in tokenizer.json */
} gol_unigram_opts;

int gol_unigram_create(gol_word_model *out, const gol_vocab *vocab, const gol_unigram_opts *opts,
                       gol_err *err);

/* SentencePiece's BPE over text whose spaces are escaped (sentencepiece.c). */
int gol_spm_bpe_create(gol_word_model *out, const gol_vocab *vocab, gol_err *err);
/* Pieces of a SentencePiece vocabulary: space marks become spaces, byte tokens bytes. Errors: GOL_ENOMEM, GOL_EMODEL. */
int gol_spm_set_pieces(gol_vocab *vocab, gol_err *err);

#endif
