/*
 * A tokenizer as a row of parts: normalizer steps, tokens that are looked for in the normalized text, pre-tokenizer steps, a word
 * model. Tokenizers of tokenizer.json are this, and the GGUF kinds "bert" and "t5".
 */
#ifndef GOL_TEXT_PIPELINE_H
#define GOL_TEXT_PIPELINE_H

#include "text/normalizer.h"
#include "text/pre_step.h"
#include "text/special_tokens.h"
#include "text/word_model.h"

enum {
    GOL_PIPELINE_STEPS_MAX = 16, /* of each sort */
    /* Bytes of a normalized text: compatibility forms can be eighteen times as long as the text, replacements any. */
    GOL_NORMALIZED_TEXT_MAX = 256 << 20,
};

typedef struct gol_pipeline {
    gol_norm_step norms[GOL_PIPELINE_STEPS_MAX];
    int n_norms;
    gol_special_tokens normalized; /* tokens looked for behind the normalizer */
    gol_pre_step pres[GOL_PIPELINE_STEPS_MAX];
    int n_pres;
    gol_word_model model;
    bool norms_write_mapped; /* a normalizer step writes bytes as GPT-2 does */
    bool norms_replace;      /* one replaces matches of an expression or a text */
    bool is_byte_level;      /* the model takes bytes: text that is no UTF-8, too */
    bool model_reads_mapped; /* as GPT-2 writes them */
    bool starts_mapped;      /* what the normalizer writes is what the model reads, already */
    bool marks_first;        /* a step that asks whether a piece begins the text */
    char pre_name[32];       /* as tokenizer.ggml.pre would say; "": it has none */
} gol_pipeline;

/* Zeroed and half-filled ones are fine. */
void gol_pipeline_deinit(gol_pipeline *pipeline);

/* All normalizer steps over a valid text. Errors as in gol_norm_class, GOL_ETOOLARGE. */
int gol_pipeline_normalize(const gol_pipeline *pipeline, gol_buf *out, gol_str text, bool at_start,
                           gol_err *err);

/* As gol_tokenizer_class says. */
int gol_pipeline_encode(const void *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                        unsigned where, gol_err *err);

#endif
