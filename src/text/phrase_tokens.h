/*
 * Words as the token sequences that can spell them, for samplers that only know tokens.
 *
 *     gol_phrase_list list = {0};
 *     rc = gol_phrase_add_bad_word(&list, tok, word, &err);
 *     ... list.tokens, list.ends ...
 *     gol_phrase_list_deinit(&list);
 */
#ifndef GOL_TEXT_PHRASE_TOKENS_H
#define GOL_TEXT_PHRASE_TOKENS_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "text/tokenizer.h"

enum {
    GOL_PHRASE_LEN_MAX = 256,     /* bytes of a word */
    GOL_BREAKER_LEN_MAX = 40,     /* bytes of a breaker that count: the first ones */
    GOL_PHRASE_LIST_MAX = 1 << 18 /* sequences in a list */
};

/* Token sequences, one after the other. Zero-initialize. */
typedef struct gol_phrase_list {
    gol_ids tokens;
    gol_ids ends; /* where each ends in tokens */
} gol_phrase_list;

void gol_phrase_list_deinit(gol_phrase_list *list);

/* The sequences that a word is made of at the beginning of a text and, where that differs, after a space (as vLLM does: the latter
 * only when it begins with another token and is as long). Errors: GOL_EINVAL (empty, too long, or nothing that tokens can say),
 * GOL_ENOMEM; the list then has a part of them. */
int gol_phrase_add_bad_word(gol_phrase_list *list, const gol_tokenizer *tok, gol_str word,
                            gol_err *err);

/* Every token below n_vocab in whose text the breaker stands, and for each whose text ends with a beginning of the breaker, that
 * token and those of the rest (as llama.cpp does). Costs a walk over the vocabulary. Errors as above, GOL_ETOOLARGE. */
int gol_phrase_add_breaker(gol_phrase_list *list, const gol_tokenizer *tok, int32_t n_vocab,
                           gol_str breaker, gol_err *err);

enum { GOL_DEFAULT_BREAKERS_N = 4 };
/* DRY's own: newline, colon, quotation mark, asterisk. */
extern const char *const gol_default_breakers[GOL_DEFAULT_BREAKERS_N];

#endif
