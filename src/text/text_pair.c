/*
 * See text_pair.h. A prompt is cut at its own control tokens, before the texts are put in: what lies between them is encoded in one
 * piece, so words and spaces merge as they do in running text, and a document that spells a control token stays text.
 */
#include "text/text_pair.h"

#include <string.h>

#include "text/tokenizer_kind.h"

static const gol_str query_mark = {"{query}", 7};
static const gol_str document_mark = {"{document}", 10};

static bool begins_with(gol_str text, gol_str mark)
{
    return text.len >= mark.len && memcmp(text.data, mark.data, mark.len) == 0;
}

static bool contains(gol_str text, gol_str mark)
{
    return text.len > 0 && memmem(text.data, text.len, mark.data, mark.len) != NULL;
}

int gol_text_pair_find_prompt(const gol_model_file *file, gol_str *out, gol_err *err)
{
    const char *key = "tokenizer.chat_template.rerank";
    *out = (gol_str){NULL, 0};
    const int rc = gol_meta_str(file, key, out, err);
    if (rc <= 0)
        return rc;
    if (contains(*out, query_mark) && contains(*out, document_mark))
        return 0;
    return gol_fail(err, GOL_EMODEL, "%s: %s has no place for %s", gol_model_file_path(file), key,
                    contains(*out, query_mark) ? "{document}" : "{query}");
}

typedef struct pair {
    gol_str query;
    gol_str document;
    unsigned flags;
} pair;

/* A stretch of the prompt with the texts in their places. One pass: marks inside of the texts are text. */
static int fill_stretch(gol_buf *out, gol_str stretch, const pair *p, gol_err *err)
{
    while (stretch.len > 0) {
        gol_str take = {stretch.data, 1};
        size_t n_taken = 1;
        if (begins_with(stretch, query_mark)) {
            take = p->query;
            n_taken = query_mark.len;
        } else if (begins_with(stretch, document_mark)) {
            take = p->document;
            n_taken = document_mark.len;
        }
        if (take.len > GOL_ENCODE_TEXT_MAX - out->len)
            return gol_fail(err, GOL_ETOOLARGE,
                            "query and document: at most %d bytes are accepted with the prompt",
                            GOL_ENCODE_TEXT_MAX);
        gol_buf_put_str(out, take);
        if (out->failed)
            return gol_fail(err, GOL_ENOMEM, "out of memory for query and document");
        stretch = (gol_str){stretch.data + n_taken, stretch.len - n_taken};
    }
    return 0;
}

/* A stretch without control tokens. */
static int encode_stretch(const gol_tokenizer *tok, gol_ids *ids, gol_str stretch, const pair *p,
                          gol_err *err)
{
    gol_buf text;
    gol_buf_init(&text, GOL_ENCODE_TEXT_MAX);
    int rc = fill_stretch(&text, stretch, p, err);
    if (rc == 0)
        rc = gol_tokenizer_encode(tok, ids, gol_buf_view(&text), p->flags, err);
    gol_buf_deinit(&text);
    return rc;
}

static int encode_prompt(const gol_tokenizer *tok, gol_ids *ids, gol_str prompt, const pair *p,
                         gol_err *err)
{
    size_t pos = 0;
    int rc = 0;
    while (rc == 0 && pos < prompt.len) {
        gol_special_match match = {.start = prompt.len, .end = prompt.len, .id = -1};
        gol_special_tokens_next(&tok->special, prompt, pos, true, &match);
        if (match.start > pos)
            rc = encode_stretch(tok, ids, (gol_str){prompt.data + pos, match.start - pos}, p, err);
        if (rc == 0 && match.id >= 0 && gol_ids_push(ids, match.id) != 0)
            rc = gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory for %zu tokens", ids->n);
        pos = match.end;
    }
    return rc;
}

static int push_all(gol_ids *ids, const gol_ids *more, gol_err *err)
{
    for (size_t i = 0; i < more->n; i++) {
        if (gol_ids_push(ids, more->data[i]) != 0)
            return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory for %zu tokens", ids->n);
    }
    return 0;
}

static int encode_joined(const gol_tokenizer *tok, gol_ids *ids, size_t *n_first, const pair *p,
                         gol_err *err)
{
    const size_t n_before = ids->n;
    if (tok->middle.n == 0)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "the model has no token to put between two texts, and its file no prompt "
                        "for them (tokenizer.chat_template.rerank)");
    int rc = push_all(ids, &tok->prefix, err);
    if (rc == 0)
        rc = gol_tokenizer_encode(tok, ids, p->query, p->flags, err);
    if (rc == 0)
        rc = push_all(ids, &tok->middle, err);
    *n_first = ids->n - n_before;
    if (rc == 0)
        rc = gol_tokenizer_encode(tok, ids, p->document, p->flags, err);
    return rc == 0 ? push_all(ids, &tok->suffix, err) : rc;
}

int gol_text_pair_encode(const gol_tokenizer *tok, gol_ids *ids, size_t *n_first, gol_str prompt,
                         gol_str query, gol_str document, unsigned flags, gol_err *err)
{
    *n_first = 0;
    const size_t n_before = ids->n;
    const pair p = {query, document, flags & (unsigned)GOL_ENCODE_PARSE_SPECIAL};
    const int rc = prompt.data != NULL ? encode_prompt(tok, ids, prompt, &p, err)
                                       : encode_joined(tok, ids, n_first, &p, err);
    if (rc != 0)
        ids->n = n_before;
    return rc;
}
