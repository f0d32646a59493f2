/* See embed_call.h. */
#include "lib/embed_call.h"

#include "base/mem.h"

/* One call, between its own thread and the engine's. */
typedef struct open_call {
    const gol_embed_call *call;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* n_open has fallen */
    size_t n_open;          /* requests that the engine has */
    gol_finish_reason bad;  /* of one that failed; LENGTH: none has */
} open_call;

/* The engine's thread. */
static void on_output(void *user, const gol_output *output)
{
    open_call *c = user;
    if (output->finish == GOL_FINISH_NONE)
        return;
    pthread_mutex_lock(&c->mutex);
    if (output->finish != GOL_FINISH_LENGTH)
        c->bad = output->finish;
    c->n_open--;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

/* Until at most n are open. */
static void wait_for(open_call *c, size_t n)
{
    pthread_mutex_lock(&c->mutex);
    while (c->n_open > n)
        pthread_cond_wait(&c->changed, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
}

/* Before it is submitted: its end may come first. Returns how many others there are. */
static size_t note_open(open_call *c)
{
    pthread_mutex_lock(&c->mutex);
    const size_t n_others = c->n_open++;
    pthread_mutex_unlock(&c->mutex);
    return n_others;
}

static void note_refused(open_call *c)
{
    pthread_mutex_lock(&c->mutex);
    c->n_open--;
    pthread_mutex_unlock(&c->mutex);
}

/* A full queue is waited for as long as one of ours is in it. */
static int submit(open_call *c, const gol_request *request, gol_err *err)
{
    for (;;) {
        uint64_t id;
        const size_t n_others = note_open(c);
        const int rc = gol_engine_submit(c->call->g->parts.engine, request, &id, err);
        if (rc == 0)
            return 0;
        note_refused(c);
        if (rc != GOL_EBUSY || n_others == 0)
            return rc;
        wait_for(c, n_others - 1);
    }
}

/* The engine copies the tokens, so they live for the moment only. */
static int submit_item(open_call *c, size_t i, gol_embedding *embedding, gol_err *err)
{
    gol_embed_tokens tokens = {0};
    const int32_t n_max = gollum_max_model_len(c->call->g);
    int rc = c->call->encode(c->call->user, i, &tokens, err);
    if (rc == 0 && tokens.n > (size_t)n_max)
        rc = gol_fail(err, GOL_ECONTEXT, "the %s has %zu tokens, the context has %d", c->call->item,
                      tokens.n, n_max);
    if (rc == 0) {
        embedding->n_first = (int32_t)tokens.n_first;
        const gol_request request = {
            .prompt = tokens.ids,
            .n_prompt = (int32_t)tokens.n,
            .n_logprobs = -1,
            .embedding = embedding,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = on_output,
            .user = c,
        };
        rc = submit(c, &request, err);
    }
    gol_ids_deinit(&tokens.owned);
    return rc;
}

static int fail_finish(gol_finish_reason finish, gol_err *err)
{
    if (finish == GOL_FINISH_ERROR)
        return gol_fail(err, GOL_EINTERNAL, "the model's output is not finite");
    return gol_fail(err, GOL_EABORTED, "the embedding was aborted");
}

static int run(open_call *c, size_t n, float *values, gol_err *err)
{
    const gol_embed_call *call = c->call;
    const size_t width = gol_embed_width(call->g, call->pooling);
    gol_embedding *embeddings = gol_try_array(n, sizeof *embeddings);
    if (embeddings == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu requests", n);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        embeddings[i] = (gol_embedding){.values = values + i * width, .pooling = call->pooling};
        rc = submit_item(c, i, &embeddings[i], err);
        if (rc != 0 && n > 1)
            gol_fail_prefix(err, "%s[%zu]", call->array, i);
    }
    wait_for(c, 0);
    gol_free(embeddings);
    return rc == 0 && c->bad != GOL_FINISH_LENGTH ? fail_finish(c->bad, err) : rc;
}

size_t gol_embed_width(const gollum *g, gol_pooling pooling)
{
    const gol_config *config = gol_model_config(g->parts.model);
    switch (pooling != GOL_POOLING_NONE ? pooling : config->pooling) {
    case GOL_POOLING_MEAN:
    case GOL_POOLING_CLS:
    case GOL_POOLING_LAST:
        return (size_t)config->n_embd;
    case GOL_POOLING_RANK:
        return (size_t)config->classifier.n_classes;
    case GOL_POOLING_NONE:
        break;
    }
    return 0;
}

int gol_embed_run(const gol_embed_call *call, size_t n, float *values, gol_err *err)
{
    open_call c = {.call = call, .bad = GOL_FINISH_LENGTH};
    pthread_mutex_init(&c.mutex, NULL);
    pthread_cond_init(&c.changed, NULL);
    const int rc = run(&c, n, values, err);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.mutex);
    return rc;
}
