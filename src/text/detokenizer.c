/*
 * Detokenizer: pieces through the UTF-8 filter. Only the very first text token can carry the space that encode added; special
 * tokens before it, written or left out, do not count as a start.
 */
#include "text/detokenizer.h"

#include "base/error.h"
#include "text/tokenizer_kind.h"

void gol_detokenizer_init(gol_detokenizer *d, const gol_tokenizer *tok, bool skip_special,
                          bool at_start)
{
    *d = (gol_detokenizer){
        .tok = tok, .skip_special = skip_special, .at_start = at_start, .last = -1};
}

/* A space at the end of a word waits for the next word. */
static gol_str hold_space(gol_detokenizer *d, gol_str piece, gol_buf *out)
{
    if (d->owes_space)
        gol_utf8_filter_push(&d->filter, GOL_STR(" "), out);
    d->owes_space = piece.len > 0 && piece.data[piece.len - 1] == ' ';
    return (gol_str){piece.data, piece.len - d->owes_space};
}

void gol_detokenizer_push(gol_detokenizer *d, int32_t id, gol_buf *out)
{
    const bool is_control = gol_tokenizer_is_control(d->tok, id);
    if (is_control && d->skip_special)
        return;
    if (d->tok->vocab.drops_repeats && id == d->last)
        return;
    d->last = id;
    gol_str piece = gol_tokenizer_piece(d->tok, id);
    const bool is_user_defined = d->tok->vocab.tokens[id].type == GOL_TOKEN_USER_DEFINED;
    const bool is_special = is_control || (is_user_defined && !d->tok->vocab.user_tokens_are_text);
    if (d->at_start && !is_special) {
        d->at_start = false;
        if (d->tok->vocab.adds_space && piece.len > 0 && piece.data[0] == ' ')
            piece = (gol_str){piece.data + 1, piece.len - 1};
    }
    if (d->tok->vocab.spaces_end_words)
        piece = hold_space(d, piece, out);
    gol_utf8_filter_push(&d->filter, piece, out);
}

void gol_detokenizer_flush(gol_detokenizer *d, gol_buf *out)
{
    gol_utf8_filter_flush(&d->filter, out);
}

int gol_tokenizer_decode(const gol_tokenizer *tok, gol_buf *out, const int32_t *ids, size_t n,
                         bool skip_special, gol_err *err)
{
    const int32_t n_vocab = gol_tokenizer_n_vocab(tok);
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= n_vocab)
            return gol_fail(err, GOL_EINVAL, "token %zu: id %d, the vocabulary has the ids 0 to %d",
                            i, ids[i], n_vocab - 1);
    }
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, skip_special, true);
    for (size_t i = 0; i < n; i++)
        gol_detokenizer_push(&d, ids[i], out);
    gol_detokenizer_flush(&d, out);
    return out->failed
               ? gol_fail(err, GOL_ENOMEM, "detokenizer: out of memory, or a text over %zu bytes",
                          out->len_max)
               : 0;
}
