/* gollum_embed(): a vector, or a classifier's scores, for each of many texts. */
#include <assert.h>

#include "lib/embed_call.h"
#include "lib/normalize.h"
#include "lib/public_struct.h"

static_assert((int)GOLLUM_POOLING_MODEL == (int)GOL_POOLING_NONE &&
                  (int)GOLLUM_POOLING_MEAN == (int)GOL_POOLING_MEAN &&
                  (int)GOLLUM_POOLING_CLS == (int)GOL_POOLING_CLS &&
                  (int)GOLLUM_POOLING_LAST == (int)GOL_POOLING_LAST &&
                  (int)GOLLUM_POOLING_RANK == (int)GOL_POOLING_RANK,
              "the public poolings are the engine's");

typedef struct texts_call {
    const gollum *g;
    const gollum_embed_options *options;
    const gollum_text *texts;
} texts_call;

static int encode_text(const texts_call *call, const gollum_text *text, gol_ids *ids, gol_err *err)
{
    const unsigned flags = (unsigned)GOL_ENCODE_ADD_SPECIAL |
                           (call->options->parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u);
    if (text->text == NULL && text->text_len > 0)
        return gol_fail(err, GOL_EINVAL, "text is NULL, but text_len is %zu", text->text_len);
    const int rc = gol_tokenizer_encode(call->g->parts.tok, ids,
                                        (gol_str){text->text, text->text_len}, flags, err);
    if (rc == 0 && ids->n == 0)
        return gol_fail(err, GOL_EINVAL,
                        "text is empty, and this model has no token to begin with");
    return rc;
}

static int lend_ids(const gollum_text *text, gol_embed_tokens *tokens, gol_err *err)
{
    if (text->ids == NULL)
        return gol_fail(err, GOL_EINVAL, "ids is NULL, but n_ids is %zu", text->n_ids);
    tokens->ids = text->ids;
    tokens->n = text->n_ids;
    return 0;
}

static int encode(void *user, size_t i, gol_embed_tokens *tokens, gol_err *err)
{
    const texts_call *call = user;
    const gollum_text *text = &call->texts[i];
    if (text->n_ids > 0)
        return lend_ids(text, tokens, err);
    const int rc = encode_text(call, text, &tokens->owned, err);
    tokens->ids = tokens->owned.data;
    tokens->n = tokens->owned.n;
    return rc;
}

static int embed(gollum *g, const gollum_embed_options *o, const gollum_text *texts, size_t n,
                 float *values, gol_err *err)
{
    texts_call texts_of = {g, o, texts};
    const gol_embed_call call = {.g = g,
                                 .pooling = (gol_pooling)o->pooling,
                                 .item = "text",
                                 .array = "texts",
                                 .encode = encode,
                                 .user = &texts_of};
    const int rc = gol_embed_run(&call, n, values, err);
    if (rc != 0 || !o->normalize)
        return rc;
    const gol_config *config = gol_model_config(g->parts.model);
    const size_t width = gol_embed_width(g, call.pooling);
    const bool is_rank = (call.pooling != GOL_POOLING_NONE ? call.pooling : config->pooling) ==
                         GOL_POOLING_RANK;
    for (size_t i = 0; i < n; i++) {
        if (is_rank)
            gol_normalize_scores(values + i * width, &config->classifier);
        else
            gol_normalize_vector(values + i * width, width);
    }
    return 0;
}

static int check_arguments(const gollum *g, const gollum_embed_options *options,
                           gollum_embed_options *o, const gollum_text *texts, size_t n,
                           const float *values, gol_err *err)
{
    *o = (gollum_embed_options){0};
    if (g == NULL)
        return gol_fail(err, GOL_EINVAL, "g is NULL");
    if (n > 0 && (texts == NULL || values == NULL))
        return gol_fail(err, GOL_EINVAL, "%s is NULL, but there are %zu texts",
                        texts == NULL ? "texts" : "values", n);
    return options != NULL ? gol_public_read(o, sizeof *o, options, "options", err) : 0;
}

void gollum_embed_options_init_sized(gollum_embed_options *options, size_t struct_size)
{
    const gollum_embed_options defaults = {0};
    if (options != NULL && gol_public_is_size(struct_size))
        gol_public_write(options, struct_size, &defaults, sizeof defaults);
}

int32_t gollum_n_embd(const gollum *g)
{
    return g != NULL ? gol_model_config(g->parts.model)->n_embd : 0;
}

int32_t gollum_embed_width(const gollum *g, gollum_pooling pooling)
{
    return g != NULL ? (int32_t)gol_embed_width(g, (gol_pooling)pooling) : 0;
}

int gollum_embed(gollum *g, const gollum_embed_options *options, const gollum_text *texts, size_t n,
                 float *values, gollum_error *error)
{
    gol_err err = {0};
    gollum_embed_options o;
    int rc = check_arguments(g, options, &o, texts, n, values, &err);
    if (rc == 0 && n > 0)
        rc = embed(g, &o, texts, n, values, &err);
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}
