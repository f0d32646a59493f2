/*
 * The vocabulary: what each token id is, as the model file's tokenizer.ggml.* arrays say. Owns copies of all texts.
 *
 * A token has two faces. `text` is its written form, the name in the file ("Ġhello", "▁hello", "<0x0A>", "<|eot_id|>");
 * `piece` is what it stands for in running text (" hello", "\n"), worked out by the tokenizer kind.
 */
#ifndef GOL_TEXT_VOCAB_H
#define GOL_TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/str_table.h"
#include "formats/model_file.h"

enum {
    GOL_VOCAB_TOKENS_MAX = 16 << 20,
    GOL_VOCAB_TEXT_MAX = 16 << 10, /* bytes of one token; the longest real ones have hundreds */
    /* Bytes of a control or user-defined token: bounds the splitter's work per byte. */
    GOL_VOCAB_SPECIAL_TEXT_MAX = 512,
};

/* tokenizer.ggml.token_type, numbered as in the file. */
typedef enum gol_token_type {
    GOL_TOKEN_UNDEFINED = 0, /* treated as normal */
    GOL_TOKEN_NORMAL = 1,
    GOL_TOKEN_UNKNOWN = 2,
    GOL_TOKEN_CONTROL = 3,
    GOL_TOKEN_USER_DEFINED = 4,
    GOL_TOKEN_UNUSED = 5, /* treated as normal */
    GOL_TOKEN_BYTE = 6,
    GOL_TOKEN_N_TYPES
} gol_token_type;

typedef struct gol_token {
    gol_str text;
    gol_str piece;
    float score; /* SentencePiece's log-probability or minus its rank; 0: the file has no scores */
    uint8_t type;
    bool is_eog;
    bool is_added; /* no part of the model: only written out in a text is it found */
} gol_token;

typedef struct gol_vocab {
    gol_arena arena;
    gol_token *tokens; /* [n] */
    int32_t n;
    bool has_scores;
    gol_str_table by_text; /* of equal texts the lowest id is found; empty texts are not in it */

    /* -1: none. The kind puts in its defaults, then gol_vocab_load_special() what the file says. */
    int32_t bos, eos, unk;
    bool adds_bos, adds_eos;
    bool adds_space;           /* encode puts a space before the text's first word */
    bool user_tokens_are_text; /* decoding: a user-defined token is the start of a text, too */
    bool spaces_end_words;     /* decoding: a token's last space is there only if a token follows */
    bool drops_repeats;        /* decoding: a token that follows itself is left out (CTC) */
    int32_t *eog_ids;
    size_t n_eog_ids;
} gol_vocab;

/* An empty vocabulary of n tokens, 1 to GOL_VOCAB_TOKENS_MAX, all empty and unused. 0 or GOL_ENOMEM; on failure *vocab needs no
 * deinit. */
int gol_vocab_init(gol_vocab *vocab, size_t n, gol_err *err);
/* Gives a token its text (copied), its piece being the text; false in *is_new: another token has it already. Errors: GOL_EMODEL
 * (too long), GOL_ENOMEM. */
int gol_vocab_set_text(gol_vocab *vocab, int32_t id, gol_str text, bool *is_new, gol_err *err);

/* Tokens, types, scores. Pieces are set to the texts. On failure *vocab needs no deinit. */
int gol_vocab_load(gol_vocab *vocab, const gol_model_file *file, gol_err *err);
/* Ids of special tokens, adds_bos and adds_eos, and which tokens end a generation (end_tokens.c). */
int gol_vocab_load_special(gol_vocab *vocab, const gol_model_file *file, gol_err *err);
/* file may be NULL: by eos and by name then. */
int gol_vocab_load_end_tokens(gol_vocab *vocab, const gol_model_file *file, gol_err *err);
void gol_vocab_deinit(gol_vocab *vocab);

/* An id named by a metadata key: 1 found, 0 absent (or -1, which some converters write), GOL_EMODEL when it is no integer
 * or outside the vocabulary. */
int gol_vocab_meta_id(const gol_vocab *vocab, const gol_model_file *file, const char *key,
                      int32_t *out, gol_err *err);

/* Tokens that plain text may turn into: control and unknown ones may not, whatever the text spells. -1: none. */
int32_t gol_vocab_find_plain(const gol_vocab *vocab, gol_str text);
bool gol_vocab_is_plain(const gol_vocab *vocab, int32_t id);

/* The value of a byte token's name "<0xNN>", exactly two hex digits; -1: not of that form. */
int gol_vocab_parse_byte(gol_str text);

/* The piece of a byte token, from its name. Errors: GOL_EMODEL (another name), GOL_ENOMEM. */
int gol_vocab_set_byte_piece(gol_vocab *vocab, int32_t id, gol_err *err);

#endif
