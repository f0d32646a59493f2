/*
 * Text <-> token ids, exactly as the model's authors tokenize. Loaded from the metadata of a model file; kinds are plug-ins in
 * one const array (SentencePiece-BPE "llama", byte-level BPE "gpt2"). Immutable after load: any thread may use one tokenizer.
 *
 *     gol_tokenizer *tok;
 *     gol_tokenizer_load(&tok, file, &err);
 *     gol_ids ids = {0};
 *     rc = gol_tokenizer_encode(tok, &ids, text, GOL_ENCODE_ADD_SPECIAL, &err);
 *     ...
 *     gol_ids_deinit(&ids);
 *     gol_tokenizer_destroy(&tok);
 *
 * Cost of encode: O(n log n) in the text's length, memory O(n); the regular expressions run with match and heap limits.
 */
#ifndef GOL_TEXT_TOKENIZER_H
#define GOL_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "formats/model_file.h"

typedef struct gol_tokenizer gol_tokenizer;

/* A growing list of token ids. Zero-initialize. */
typedef struct gol_ids {
    int32_t *data;
    size_t n;
    size_t cap;
} gol_ids;

int gol_ids_push(gol_ids *ids, int32_t id); /* 0 or GOL_ENOMEM */
void gol_ids_deinit(gol_ids *ids);

enum {
    GOL_ENCODE_ADD_SPECIAL = 1, /* BOS/EOS as the model's metadata says */
    /* Control tokens written in the text ("<|eot_id|>") become their ids; without it they are plain text. User-defined
     * tokens are always recognised. */
    GOL_ENCODE_PARSE_SPECIAL = 2,
};

enum {
    GOL_ENCODE_TEXT_MAX = 64 << 20, /* bytes; more is GOL_ETOOLARGE */
    GOL_EOG_IDS_MAX = 32,           /* tokens that end a generation: what end_tokens.c can find */
};

/* Errors: GOL_EMODEL (names the file and the key), GOL_EUNSUPPORTED (unknown tokenizer.ggml.model), GOL_ENOMEM. An unknown
 * tokenizer.ggml.pre is a warning in the log and the default pattern. */
int gol_tokenizer_load(gol_tokenizer **out, const gol_model_file *file, gol_err *err);
void gol_tokenizer_destroy(gol_tokenizer **tok);

/* Appends to ids. text need not be valid UTF-8. A character that the vocabulary cannot express becomes its unknown token, or,
 * where there is none, is left out, as in the models' own tokenizers. Errors: GOL_ENOMEM, GOL_ETOOLARGE, GOL_EINVAL (a limit
 * of the regular expressions was hit). On failure ids holds what it held before. */
int gol_tokenizer_encode(const gol_tokenizer *tok, gol_ids *ids, gol_str text, unsigned flags,
                         gol_err *err);

/* The bytes a token stands for in running text (a space for SentencePiece's U+2581, raw bytes for byte tokens): may be part of
 * a UTF-8 sequence. Control tokens give their written name. Lives as long as tok. id must be in [0, n_vocab). */
gol_str gol_tokenizer_piece(const gol_tokenizer *tok, int32_t id);

/* All of ids as text, the reverse of encode: a leading space that encode added is removed, invalid UTF-8 is U+FFFD. Control
 * tokens are left out when skip_special. Ids outside the vocabulary: GOL_EINVAL. */
int gol_tokenizer_decode(const gol_tokenizer *tok, gol_buf *out, const int32_t *ids, size_t n,
                         bool skip_special, gol_err *err);

const char *
gol_tokenizer_kind(const gol_tokenizer *tok); /* "llama", "gpt2", "bert", "t5", "tokenizer.json" */
const char *gol_tokenizer_pre(const gol_tokenizer *tok); /* "llama-bpe"; "" for kinds without */
int32_t gol_tokenizer_n_vocab(const gol_tokenizer *tok);
/* By written name ("<s>"); -1: none. */
int32_t gol_tokenizer_find(const gol_tokenizer *tok, gol_str token);
/* Control or unknown: no text of the answer. */
bool gol_tokenizer_is_control(const gol_tokenizer *tok, int32_t id);
/* encode() puts a space before the first word. */
bool gol_tokenizer_adds_space(const gol_tokenizer *tok);
/* Ends a generation: eos, eot, eom and known names. */
bool gol_tokenizer_is_eog(const gol_tokenizer *tok, int32_t id);
/* All of those: at most GOL_EOG_IDS_MAX. */
const int32_t *gol_tokenizer_eog_ids(const gol_tokenizer *tok, size_t *n);

/* -1 when the vocabulary has none. */
int32_t gol_tokenizer_bos(const gol_tokenizer *tok);
int32_t gol_tokenizer_eos(const gol_tokenizer *tok);
bool gol_tokenizer_adds_bos(const gol_tokenizer *tok); /* what GOL_ENCODE_ADD_SPECIAL does */

#endif
