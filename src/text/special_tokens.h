/*
 * Finds tokens written out in a text, before the tokenizer proper sees it: control tokens ("<|eot_id|>") on request,
 * user-defined ones always. Leftmost match first, the longest of those; control tokens that are not asked for do not hide
 * shorter user-defined ones.
 *
 *     gol_special_match m;
 *     size_t pos = 0;
 *     while (gol_special_tokens_next(&special, text, pos, parse_control, &m)) {
 *         // plain text: [pos, m.start)
 *         pos = m.end;
 *     }
 *     // plain text: [pos, text.len)
 */
#ifndef GOL_TEXT_SPECIAL_TOKENS_H
#define GOL_TEXT_SPECIAL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/vocab.h"

typedef struct gol_special_node {
    int32_t id; /* of the token that ends here, -1: none */
    uint32_t first_child;
    uint32_t next_sibling; /* 0: none, the root is nobody's child */
    uint8_t byte;
    bool is_control;   /* only with parse_control */
    bool strips_left;  /* white space before it belongs to the token */
    bool strips_right; /* that behind it does */
    bool single_word;  /* not beside a letter or digit */
} gol_special_node;

typedef struct gol_special_tokens {
    gol_special_node *nodes; /* a trie; [0] is the root */
    size_t n_nodes;
    uint32_t by_first_byte[256]; /* the root's children; 0: none */
} gol_special_tokens;

typedef struct gol_special_match {
    size_t start;
    size_t end; /* both with the white space that the token strips */
    int32_t id;
} gol_special_match;

/* strips_right: tokens other than <unk>, <s> and <|endoftext|> take following white space with them (Phi-3). */
int gol_special_tokens_init(gol_special_tokens *special, const gol_vocab *vocab, bool strips_right,
                            gol_err *err);

/* The same from a list. Longer texts than GOL_VOCAB_SPECIAL_TEXT_MAX: GOL_EMODEL. Empty ones are left out; of equal ones the first
 * counts. */
typedef struct gol_special_entry {
    gol_str text;
    int32_t id;
    bool is_control;
    bool strips_left, strips_right;
    bool single_word;
} gol_special_entry;

int gol_special_tokens_build(gol_special_tokens *special, const gol_special_entry *entries,
                             size_t n, gol_err *err);
void gol_special_tokens_deinit(gol_special_tokens *special);

bool gol_special_tokens_next(const gol_special_tokens *special, gol_str text, size_t pos,
                             bool parse_control, gol_special_match *match);

#endif
