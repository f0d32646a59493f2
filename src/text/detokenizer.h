/*
 * Token ids -> text as they come, for streams. What has been handed out is always whole, valid UTF-8: up to three bytes of an
 * unfinished sequence are held back until the next token or flush; bytes that cannot begin or go on a sequence become
 * U+FFFD, one per maximal subpart (Unicode 15, section 3.9, table 3-8). The concatenation of all pieces equals the decoding
 * of all ids at once.
 */
#ifndef GOL_TEXT_DETOKENIZER_H
#define GOL_TEXT_DETOKENIZER_H

#include "base/buf.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

typedef struct gol_detokenizer {
    const gol_tokenizer *tok;
    gol_utf8_filter filter;
    bool skip_special; /* leave control tokens out */
    bool at_start;     /* no token seen yet: a leading space that encode added is dropped */
    bool owes_space;   /* the last token ended a word */
    int32_t last;      /* the last token that was not left out; -1: none */
} gol_detokenizer;

/* at_start false: the tokens continue a prompt, their leading space belongs to the text. */
void gol_detokenizer_init(gol_detokenizer *d, const gol_tokenizer *tok, bool skip_special,
                          bool at_start);
void gol_detokenizer_push(gol_detokenizer *d, int32_t id, gol_buf *out); /* id in [0, n_vocab) */
void gol_detokenizer_flush(gol_detokenizer *d, gol_buf *out); /* what is unfinished: U+FFFD */

#endif
