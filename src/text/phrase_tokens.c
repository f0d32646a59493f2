/* See phrase_tokens.h. */
#include "text/phrase_tokens.h"

#include <stdbool.h>
#include <string.h>

const char *const gol_default_breakers[GOL_DEFAULT_BREAKERS_N] = {"\n", ":", "\"", "*"};

void gol_phrase_list_deinit(gol_phrase_list *list)
{
    gol_ids_deinit(&list->tokens);
    gol_ids_deinit(&list->ends);
}

static int no_memory(gol_err *err)
{
    return gol_fail(err, GOL_ENOMEM, "out of memory for the tokens of words");
}

static int add_tokens(gol_phrase_list *list, const int32_t *tokens, size_t n, gol_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (gol_ids_push(&list->tokens, tokens[i]) != 0)
            return no_memory(err);
    return 0;
}

/* What was added since the last end is a sequence. */
static int end_phrase(gol_phrase_list *list, gol_err *err)
{
    if (list->ends.n >= GOL_PHRASE_LIST_MAX || list->tokens.n > INT32_MAX)
        return gol_fail(err, GOL_ETOOLARGE, "the words become more than %d token sequences",
                        GOL_PHRASE_LIST_MAX);
    return gol_ids_push(&list->ends, (int32_t)list->tokens.n) == 0 ? 0 : no_memory(err);
}

static int encode(gol_ids *ids, const gol_tokenizer *tok, const char *prefix, gol_str text,
                  gol_err *err)
{
    gol_buf whole;
    gol_buf_init(&whole, 4096);
    gol_buf_puts(&whole, prefix);
    gol_buf_put_str(&whole, text);
    ids->n = 0;
    const int rc = whole.failed ? no_memory(err)
                                : gol_tokenizer_encode(tok, ids, gol_buf_view(&whole), 0, err);
    gol_buf_deinit(&whole);
    return rc;
}

int gol_phrase_add_bad_word(gol_phrase_list *list, const gol_tokenizer *tok, gol_str word,
                            gol_err *err)
{
    if (word.len > GOL_PHRASE_LEN_MAX)
        return gol_fail(err, GOL_EINVAL, "a bad word has %zu bytes, 1 to %d are accepted", word.len,
                        GOL_PHRASE_LEN_MAX);
    while (word.len > 0 && word.data[0] == ' ')
        word = (gol_str){word.data + 1, word.len - 1};
    gol_ids plain = {0};
    gol_ids spaced = {0};
    int rc = encode(&plain, tok, "", word, err);
    if (rc == 0 && plain.n == 0)
        rc = gol_fail(err, GOL_EINVAL, "a bad word is empty: it has no tokens");
    if (rc == 0)
        rc = add_tokens(list, plain.data, plain.n, err);
    if (rc == 0)
        rc = end_phrase(list, err);
    if (rc == 0)
        rc = encode(&spaced, tok, " ", word, err);
    if (rc == 0 && spaced.n == plain.n && spaced.data[0] != plain.data[0]) {
        rc = add_tokens(list, spaced.data, spaced.n, err);
        if (rc == 0)
            rc = end_phrase(list, err);
    }
    gol_ids_deinit(&plain);
    gol_ids_deinit(&spaced);
    return rc;
}

static bool contains(gol_str text, gol_str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        const char *first = memchr(text.data + i, part.data[0], text.len - part.len + 1 - i);
        if (!first)
            return false;
        i = (size_t)(first - text.data);
        if (memcmp(first, part.data, part.len) == 0)
            return true;
    }
    return false;
}

/* The tokens of text in the middle of a line, without the space that some tokenizers put in front of the first word: encoded behind
 * a line end, of which nothing merges with what follows. */
static int encode_inside(gol_ids *ids, const gol_tokenizer *tok, gol_str text, gol_err *err)
{
    if (!gol_tokenizer_adds_space(tok))
        return encode(ids, tok, "", text, err);
    const int rc = encode(ids, tok, "\n", text, err);
    if (rc != 0)
        return rc;
    size_t n_bytes = 0; /* from the end: those that say text */
    size_t first = ids->n;
    while (first > 0 && n_bytes < text.len)
        n_bytes += gol_tokenizer_piece(tok, ids->data[--first]).len;
    if (n_bytes != text.len)
        return encode(ids, tok, "", text, err);
    memmove(ids->data, ids->data + first, (ids->n - first) * sizeof *ids->data);
    ids->n -= first;
    return 0;
}

/* The token, and the tokens of what the breaker has behind its part in the token's text. */
static int add_overlap(gol_phrase_list *list, const gol_tokenizer *tok, int32_t token, gol_str rest,
                       gol_err *err)
{
    gol_ids ids = {0};
    int rc = add_tokens(list, &token, 1, err);
    if (rc == 0)
        rc = encode_inside(&ids, tok, rest, err);
    if (rc == 0)
        rc = add_tokens(list, ids.data, ids.n, err);
    if (rc == 0)
        rc = end_phrase(list, err);
    gol_ids_deinit(&ids);
    return rc;
}

static int add_token(gol_phrase_list *list, const gol_tokenizer *tok, int32_t token,
                     gol_str breaker, gol_err *err)
{
    const gol_str piece = gol_tokenizer_piece(tok, token);
    if (piece.len >= breaker.len && contains(piece, breaker)) {
        const int rc = add_tokens(list, &token, 1, err);
        return rc != 0 ? rc : end_phrase(list, err);
    }
    for (size_t n = breaker.len - 1; n > 0; n--) {
        if (n > piece.len || memcmp(piece.data + piece.len - n, breaker.data, n) != 0)
            continue;
        const gol_str rest = {breaker.data + n, breaker.len - n};
        const int rc = add_overlap(list, tok, token, rest, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int gol_phrase_add_breaker(gol_phrase_list *list, const gol_tokenizer *tok, int32_t n_vocab,
                           gol_str breaker, gol_err *err)
{
    if (breaker.len == 0)
        return gol_fail(err, GOL_EINVAL, "a sequence breaker is empty");
    if (breaker.len > GOL_BREAKER_LEN_MAX)
        breaker.len = GOL_BREAKER_LEN_MAX;
    const int32_t n = gol_tokenizer_n_vocab(tok) < n_vocab ? gol_tokenizer_n_vocab(tok) : n_vocab;
    for (int32_t token = 0; token < n; token++) {
        const int rc = add_token(list, tok, token, breaker, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}
