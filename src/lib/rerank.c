/* gollum_rerank(): pairs of a query and a document become prompts, and a classifier's first score of each is its answer. */
#include "base/mem.h"
#include "lib/embed_call.h"
#include "lib/normalize.h"
#include "lib/public_struct.h"
#include "text/text_pair.h"

typedef struct pairs_call {
    const gollum *g;
    const gollum_pair *pairs;
    gol_str prompt; /* data NULL: none */
    unsigned flags;
} pairs_call;

static int check_text(const char *name, const char *text, size_t len, gol_err *err)
{
    return text != NULL || len == 0
               ? 0
               : gol_fail(err, GOL_EINVAL, "%s is NULL, but %s_len is %zu", name, name, len);
}

static int encode(void *user, size_t i, gol_embed_tokens *tokens, gol_err *err)
{
    const pairs_call *call = user;
    const gollum_pair *p = &call->pairs[i];
    int rc = check_text("query", p->query, p->query_len, err);
    if (rc == 0)
        rc = check_text("document", p->document, p->document_len, err);
    if (rc != 0)
        return rc;
    rc = gol_text_pair_encode(call->g->parts.tok, &tokens->owned, &tokens->n_first, call->prompt,
                              (gol_str){p->query, p->query_len},
                              (gol_str){p->document, p->document_len}, call->flags, err);
    tokens->ids = tokens->owned.data;
    tokens->n = tokens->owned.n;
    return rc;
}

/* Which of several classes would be the score, nobody says; of two with a softmax it is the first (Qwen3-Reranker's "yes"). */
static int check_classifier(const gol_classifier *c, gol_err *err)
{
    if (c->n_classes == 0)
        return gol_fail(err, GOL_EUNSUPPORTED, "the model has no classifier, so it is no reranker");
    if (c->n_classes == 1 || (c->n_classes == 2 && c->has_softmax))
        return 0;
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "the model's classifier has %d classes, a reranker's has 1; embedding with the "
                    "pooling rank gives them all",
                    c->n_classes);
}

static int rerank(gollum *g, const gollum_embed_options *o, const gollum_pair *pairs, size_t n,
                  float *scores, gol_err *err)
{
    const gol_classifier *c = &gol_model_config(g->parts.model)->classifier;
    pairs_call pairs_of = {.g = g,
                           .pairs = pairs,
                           .flags = o->parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u};
    int rc = check_classifier(c, err);
    if (rc == 0)
        rc = gol_text_pair_find_prompt(g->parts.file, &pairs_of.prompt, err);
    if (rc != 0)
        return rc;
    const size_t n_classes = (size_t)c->n_classes;
    float *values = gol_try_array(n, n_classes * sizeof *values);
    if (values == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu scores", n);
    const gol_embed_call call = {.g = g,
                                 .pooling = GOL_POOLING_RANK,
                                 .item = "pair",
                                 .array = "pairs",
                                 .encode = encode,
                                 .user = &pairs_of};
    rc = gol_embed_run(&call, n, values, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (o->normalize)
            gol_normalize_scores(values + i * n_classes, c);
        scores[i] = values[i * n_classes];
    }
    gol_free(values);
    return rc;
}

static int check_arguments(const gollum *g, const gollum_embed_options *options,
                           gollum_embed_options *o, const gollum_pair *pairs, size_t n,
                           const float *scores, gol_err *err)
{
    *o = (gollum_embed_options){0};
    if (g == NULL)
        return gol_fail(err, GOL_EINVAL, "g is NULL");
    if (n > 0 && (pairs == NULL || scores == NULL))
        return gol_fail(err, GOL_EINVAL, "%s is NULL, but there are %zu pairs",
                        pairs == NULL ? "pairs" : "scores", n);
    const int rc = options != NULL ? gol_public_read(o, sizeof *o, options, "options", err) : 0;
    if (rc == 0 && o->pooling != GOLLUM_POOLING_MODEL && o->pooling != GOLLUM_POOLING_RANK)
        return gol_fail(err, GOL_EINVAL, "pooling is %d, %d (model) and %d (rank) are accepted",
                        (int)o->pooling, GOLLUM_POOLING_MODEL, GOLLUM_POOLING_RANK);
    return rc;
}

int gollum_rerank(gollum *g, const gollum_embed_options *options, const gollum_pair *pairs,
                  size_t n, float *scores, gollum_error *error)
{
    gol_err err = {0};
    gollum_embed_options o;
    int rc = check_arguments(g, options, &o, pairs, n, scores, &err);
    if (rc == 0 && n > 0)
        rc = rerank(g, &o, pairs, n, scores, &err);
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}
