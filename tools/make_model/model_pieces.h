/*
 * An endless enough list of text pieces, each made of two that came before it or are single characters, so that
 * it serves as a list of BPE merges and, joined, as SentencePiece's vocabulary. A blank stands for the start of
 * a word.
 */
#ifndef GOL_MAKE_MODEL_MODEL_PIECES_H
#define GOL_MAKE_MODEL_MODEL_PIECES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct make_model_piece {
    char left[8];
    char right[8];
} make_model_piece;

typedef struct make_model_pieces {
    size_t n_common; /* given out so far */
    size_t family;
    size_t index; /* in the family */
} make_model_pieces;

/* Start with all zeros. No text comes twice. false: the list is at its end (after about 510000 pieces). */
bool make_model_next_piece(make_model_pieces *pieces, make_model_piece *out);

#endif
