/*
 * Normalizing: what a tokenizer does to a text before cutting it. A tokenizer has a row of steps; each writes a new text. New kinds
 * of step are one file with a const struct like this.
 */
#ifndef GOL_TEXT_NORMALIZER_H
#define GOL_TEXT_NORMALIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct gol_norm_class {
    const char *name; /* "NFC" */
    /* Appends what becomes of text (valid UTF-8) to out, valid UTF-8 again. at_start: nothing or a special token is before it. 0,
     * GOL_ENOMEM, GOL_EINVAL (a limit of a regular expression). Whether it fitted, out->failed says. */
    int (*apply)(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err);
    void (*destroy)(void *state); /* NULL: there is no state */
} gol_norm_class;

typedef struct gol_norm_step {
    const gol_norm_class *kind;
    void *state;
} gol_norm_step;

static inline void gol_norm_step_deinit(gol_norm_step *step)
{
    if (step->kind != NULL && step->kind->destroy != NULL)
        step->kind->destroy(step->state);
    *step = (gol_norm_step){0};
}

/* Without options. */
extern const gol_norm_class gol_norm_nfc, gol_norm_nfd, gol_norm_nfkc, gol_norm_nfkd;
extern const gol_norm_class gol_norm_lowercase, gol_norm_strip_accents, gol_norm_nmt;
extern const gol_norm_class gol_norm_byte_level; /* bytes written as GPT-2 writes them */

/* The rest are made; on failure *out is untouched. All can fail with GOL_ENOMEM, replacing by a regular expression with GOL_EINVAL. */
int gol_norm_strip_create(gol_norm_step *out, bool left, bool right, gol_err *err);
int gol_norm_prepend_create(gol_norm_step *out, gol_str prefix, gol_err *err);
int gol_norm_replace_create(gol_norm_step *out, gol_str pattern, bool is_regex, gol_str content,
                            gol_err *err);

/* BERT's (Devlin et al. 2018, tokenization.py): each of the four parts may be left out. */
typedef struct gol_norm_bert_opts {
    bool clean_text;
    bool spaces_cjk;
    bool strip_accents;
    bool lowercase;
    /* Accents as llama.cpp strips them: a composed letter becomes its base letter, a Hangul syllable its first consonant; marks that
     * stand by themselves stay. */
    bool keeps_marks;
} gol_norm_bert_opts;

int gol_norm_bert_create(gol_norm_step *out, gol_norm_bert_opts opts, gol_err *err);

/* SentencePiece's own (Kudo and Richardson 2018, normalizer.cc). */
typedef struct gol_norm_spm_opts {
    gol_str charsmap; /* copied; empty: characters stay as they are */
    const char *charsmap_name;
    bool adds_space;
    bool removes_extra_spaces;
} gol_norm_spm_opts;

/* Also GOL_EMODEL: a map that is none. */
int gol_norm_spm_create(gol_norm_step *out, const gol_norm_spm_opts *opts, gol_err *err);
/* The "Precompiled" step of tokenizer.json: the same map, looked up by grapheme. */
int gol_norm_precompiled_create(gol_norm_step *out, gol_str charsmap, const char *name,
                                gol_err *err);

#endif
