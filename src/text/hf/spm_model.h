/*
 * sentencepiece's tokenizer.model: a protocol buffer (ModelProto of sentencepiece_model.proto). Views into the bytes.
 *
 *   1 pieces (repeated): 1 piece, 2 score (f32), 3 type    2 trainer_spec: 3 model_type, 35 byte_fallback, 40..43 unk bos eos pad id
 *   3 normalizer_spec: 2 precompiled_charsmap, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces
 */
#ifndef GOL_TEXT_HF_SPM_MODEL_H
#define GOL_TEXT_HF_SPM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* model_type and the pieces' types, numbered as in the file; the latter as in GGUF. */
typedef enum gol_spm_kind { GOL_SPM_UNIGRAM = 1, GOL_SPM_BPE = 2 } gol_spm_kind;

typedef struct gol_spm_piece {
    gol_str text;
    float score;
    int32_t type;
} gol_spm_piece;

typedef struct gol_spm_model {
    gol_spm_piece *pieces;
    size_t n;
    int32_t kind;
    bool byte_fallback;
    bool suffixes_space;   /* treat_whitespace_as_suffix */
    int64_t bos, eos, unk; /* below 0: none */
    gol_str charsmap;
    bool adds_space, removes_extra_spaces, escapes_spaces;
} gol_spm_model;

/* Errors: GOL_EMODEL (begins with "tokenizer.model: "), GOL_ENOMEM. On failure *model needs no deinit. */
int gol_spm_model_parse(gol_spm_model *model, gol_str bytes, gol_err *err);
void gol_spm_model_deinit(gol_spm_model *model);

#endif
