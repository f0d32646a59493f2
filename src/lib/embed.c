/*
 * gollum_embed(): texts become requests of the engine, all at once as far as its queue goes, and this thread waits until the last
 * vector is there. Vectors lie in the caller's memory, so nobody returns before the engine is done with all of them.
 */
#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "lib/gollum_impl.h"
#include "lib/public_struct.h"

static_assert((int)GOLLUM_POOLING_MODEL == (int)GOL_POOLING_NONE &&
                  (int)GOLLUM_POOLING_MEAN == (int)GOL_POOLING_MEAN &&
                  (int)GOLLUM_POOLING_CLS == (int)GOL_POOLING_CLS &&
                  (int)GOLLUM_POOLING_LAST == (int)GOL_POOLING_LAST,
              "the public poolings are the engine's");

/* One call. */
typedef struct embed_call {
    gollum *g;
    const gollum_embed_options *options;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* n_open has fallen */
    size_t n_open;          /* requests that the engine has */
    gol_finish_reason bad;  /* of one that failed; LENGTH: none has */
} embed_call;

/* The engine's thread. */
static void on_output(void *user, const gol_output *output)
{
    embed_call *call = user;
    if (output->finish == GOL_FINISH_NONE)
        return;
    pthread_mutex_lock(&call->mutex);
    if (output->finish != GOL_FINISH_LENGTH)
        call->bad = output->finish;
    call->n_open--;
    pthread_cond_signal(&call->changed);
    pthread_mutex_unlock(&call->mutex);
}

/* Until at most n are open. */
static void wait_for(embed_call *call, size_t n)
{
    pthread_mutex_lock(&call->mutex);
    while (call->n_open > n)
        pthread_cond_wait(&call->changed, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
}

/* Before it is submitted: its end may come first. Returns how many others there are. */
static size_t note_open(embed_call *call)
{
    pthread_mutex_lock(&call->mutex);
    const size_t n_others = call->n_open++;
    pthread_mutex_unlock(&call->mutex);
    return n_others;
}

static void note_refused(embed_call *call)
{
    pthread_mutex_lock(&call->mutex);
    call->n_open--;
    pthread_mutex_unlock(&call->mutex);
}

/* A full queue is waited for as long as one of ours is in it. */
static int submit(embed_call *call, const gol_request *request, gol_err *err)
{
    for (;;) {
        uint64_t id;
        const size_t n_others = note_open(call);
        const int rc = gol_engine_submit(call->g->parts.engine, request, &id, err);
        if (rc == 0)
            return 0;
        note_refused(call);
        if (rc != GOL_EBUSY || n_others == 0)
            return rc;
        wait_for(call, n_others - 1);
    }
}

static int encode(const embed_call *call, const gollum_text *text, gol_ids *ids, gol_err *err)
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

/* The engine copies the tokens, so ids live for the moment only. */
static int submit_text(embed_call *call, const gollum_text *text, gol_embedding *embedding,
                       gol_err *err)
{
    gol_ids ids = {0};
    int rc = 0;
    if (text->n_ids == 0)
        rc = encode(call, text, &ids, err);
    else if (text->ids == NULL)
        rc = gol_fail(err, GOL_EINVAL, "ids is NULL, but n_ids is %zu", text->n_ids);
    const size_t n = text->n_ids > 0 ? text->n_ids : ids.n;
    if (rc == 0 && n > (size_t)gollum_max_model_len(call->g))
        rc = gol_fail(err, GOL_ECONTEXT, "the text has %zu tokens, the context has %d", n,
                      gollum_max_model_len(call->g));
    if (rc == 0) {
        const gol_request request = {
            .prompt = text->n_ids > 0 ? text->ids : ids.data,
            .n_prompt = (int32_t)n,
            .n_logprobs = -1,
            .embedding = embedding,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = on_output,
            .user = call,
        };
        rc = submit(call, &request, err);
    }
    gol_ids_deinit(&ids);
    return rc;
}

static void normalize(float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    const double scale = sum > 0 ? 1.0 / sqrt(sum) : 0.0;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((double)x[i] * scale);
}

static int fail_finish(gol_finish_reason finish, gol_err *err)
{
    if (finish == GOL_FINISH_ERROR)
        return gol_fail(err, GOL_EINTERNAL, "the model's output is not finite");
    return gol_fail(err, GOL_EABORTED, "the embedding was aborted");
}

static int embed(embed_call *call, const gollum_text *texts, size_t n, float *values, gol_err *err)
{
    const size_t n_embd = (size_t)gollum_n_embd(call->g);
    gol_embedding *embeddings = gol_try_array(n, sizeof *embeddings);
    if (embeddings == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu embeddings", n);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        embeddings[i] = (gol_embedding){.values = values + i * n_embd,
                                        .pooling = (gol_pooling)call->options->pooling};
        rc = submit_text(call, &texts[i], &embeddings[i], err);
        if (rc != 0 && n > 1)
            gol_fail_prefix(err, "text %zu", i);
    }
    wait_for(call, 0);
    gol_free(embeddings);
    if (rc == 0 && call->bad != GOL_FINISH_LENGTH)
        rc = fail_finish(call->bad, err);
    for (size_t i = 0; i < n && rc == 0 && call->options->normalize; i++)
        normalize(values + i * n_embd, n_embd);
    return rc;
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

int gollum_embed(gollum *g, const gollum_embed_options *options, const gollum_text *texts, size_t n,
                 float *values, gollum_error *error)
{
    gol_err err = {0};
    gollum_embed_options o;
    int rc = check_arguments(g, options, &o, texts, n, values, &err);
    if (rc == 0 && n > 0) {
        embed_call call = {.g = g, .options = &o, .bad = GOL_FINISH_LENGTH};
        pthread_mutex_init(&call.mutex, NULL);
        pthread_cond_init(&call.changed, NULL);
        rc = embed(&call, texts, n, values, &err);
        pthread_cond_destroy(&call.changed);
        pthread_mutex_destroy(&call.mutex);
    }
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}
