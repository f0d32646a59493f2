/*
 * An engine that says what a test tells it to, when it tells it to: the functions of engine/engine.h, defined here and so
 * taken by the linker instead of the real ones. Events come in the test's own thread.
 */
#ifndef TESTS_UNIT_API_FAKE_ENGINE_H
#define TESTS_UNIT_API_FAKE_ENGINE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/seq_extras.h"

enum { FAKE_SEQS_MAX = 512 };

typedef struct fake_seq {
    gol_request request;
    int32_t *prompt;
    int32_t stop_ids[GOL_STOP_IDS_MAX];
    gol_seq_extras *extras; /* as a sequence gets them; NULL: none are on */
    int32_t n_generated;
    int32_t n_cached;
    bool is_aborted;
    bool has_ended;
} fake_seq;

struct gol_engine {
    gol_engine_limits limits;
    gol_memory_plan memory;
    gol_engine_stats stats;
    gol_config config;
    fake_seq seqs[FAKE_SEQS_MAX];
    int n_seqs;
    int refuse_at;   /* the submit with this number, from 0, fails; -1: none */
    int refuse_code; /* GOL_E... */
};

static inline void fake_engine_init(gol_engine *e, int32_t n_vocab)
{
    memset(e, 0, sizeof *e);
    e->limits = (gol_engine_limits){.max_model_len = 256, .max_seqs = 4, .block_size = 16};
    e->config = (gol_config){.n_vocab = n_vocab, .n_ctx_train = 256, .n_embd = 8};
    strcpy(e->config.arch, "fake");
    e->refuse_at = -1;
}

/* What the model "says" about tokens of a prompt behind the first: every second is the likeliest one, the others are not among the
 * likeliest, their neighbours. */
static inline float fake_prompt_logprob(int32_t i)
{
    return i % 2 == 0 ? -0.25f : -1.0f - (float)i / 8;
}

static inline void fake_score(gol_engine *e, fake_seq *s)
{
    gol_prompt_scores *scores = s->request.scores;
    for (int32_t i = 1; scores && scores->n_scored == 1 && i < s->request.n_prompt; i++) {
        scores->tokens[i] = (gol_prompt_score){fake_prompt_logprob(i), i % 2 == 0 ? 1 : 30};
        for (int32_t k = 0; k < scores->n_top; k++) {
            const int32_t id = (s->prompt[i] + k + i % 2) % e->config.n_vocab;
            scores->top[i * scores->n_top + k] = (gol_top_logprob){id, -0.25f - (float)k};
        }
    }
    if (scores)
        scores->n_scored = s->request.n_prompt;
}

/* One event. token -1: none. */
static inline void fake_event(gol_engine *e, int i, int32_t token, gol_finish_reason finish)
{
    fake_seq *s = &e->seqs[i];
    assert(i < e->n_seqs && !s->has_ended);
    gol_top_logprob tops[GOL_LOGPROBS_MAX];
    gol_output output = {
        .request_id = (uint64_t)i + 1,
        .token = token,
        .logprob = -0.5f,
        .top = tops,
        .finish = finish,
        .n_prompt = s->request.n_prompt,
        .n_cached = s->n_cached,
    };
    /* The most likely one is the drawn one, then its neighbours. */
    for (int32_t k = 0; k < s->request.n_logprobs; k++) {
        const int32_t id = (token - k + e->config.n_vocab) % e->config.n_vocab;
        tops[k] = (gol_top_logprob){id, -0.5f - (float)k};
        output.n_top++;
    }
    if (token >= 0)
        output.n_generated = ++s->n_generated;
    s->has_ended = finish != GOL_FINISH_NONE;
    if (finish != GOL_FINISH_ABORT)
        fake_score(e, s);
    s->request.on_output(s->request.user, &output);
}

static inline void fake_say(gol_engine *e, int i, int32_t token)
{
    fake_event(e, i, token, GOL_FINISH_NONE);
}

/* What the engine does after abort(): the last event, without a token. */
static inline void fake_settle(gol_engine *e)
{
    for (int i = 0; i < e->n_seqs; i++)
        if (e->seqs[i].is_aborted && !e->seqs[i].has_ended)
            fake_event(e, i, -1, GOL_FINISH_ABORT);
}

static inline int fake_n_live(const gol_engine *e)
{
    int n = 0;
    for (int i = 0; i < e->n_seqs; i++)
        n += !e->seqs[i].has_ended && !e->seqs[i].is_aborted;
    return n;
}

static inline void fake_engine_deinit(gol_engine *e)
{
    for (int i = 0; i < e->n_seqs; i++) {
        assert(e->seqs[i].has_ended);
        free(e->seqs[i].prompt);
        gol_seq_extras_destroy(&e->seqs[i].extras);
    }
    e->n_seqs = 0;
}

int gol_engine_submit(gol_engine *e, const gol_request *request, uint64_t *id, gol_err *err)
{
    if (e->refuse_at == e->n_seqs)
        return gol_fail(err, e->refuse_code, "refused: %s", gol_error_text(e->refuse_code));
    assert(e->n_seqs < FAKE_SEQS_MAX);
    assert(request->n_prompt >= 1 && request->max_tokens >= 0);
    assert(request->min_tokens <= request->max_tokens);
    gol_seq_extras *extras;
    const int rc = gol_seq_extras_create(&extras, request->sampling.extras, e->config.n_vocab,
                                         e->limits.max_model_len, err);
    if (rc != 0)
        return rc;
    fake_seq *s = &e->seqs[e->n_seqs++];
    *s = (fake_seq){.request = *request, .extras = extras};
    s->request.sampling.extras = NULL;
    if (request->scores)
        request->scores->n_scored = 1;
    const size_t n_bytes = (size_t)request->n_prompt * sizeof *s->prompt;
    s->prompt = malloc(n_bytes);
    assert(s->prompt);
    memcpy(s->prompt, request->prompt, n_bytes);
    memcpy(s->stop_ids, request->stop_ids, (size_t)request->n_stop_ids * sizeof *s->stop_ids);
    *id = (uint64_t)e->n_seqs;
    return 0;
}

void gol_engine_abort(gol_engine *e, uint64_t id)
{
    assert(id >= 1 && id <= (uint64_t)e->n_seqs);
    e->seqs[id - 1].is_aborted = true;
}

int gol_engine_create(gol_engine **out, const gol_model *model, const gol_engine_opts *opts,
                      gol_err *err)
{
    (void)model;
    (void)opts;
    *out = NULL;
    return gol_fail(err, GOL_EINTERNAL, "tests make their own");
}

void gol_engine_destroy(gol_engine **e)
{
    *e = NULL;
}

bool gol_engine_drain(gol_engine *e, int64_t timeout_ms)
{
    (void)timeout_ms;
    return fake_n_live(e) == 0;
}

const gol_engine_limits *gol_engine_get_limits(const gol_engine *e)
{
    return &e->limits;
}

const gol_memory_plan *gol_engine_get_memory(const gol_engine *e)
{
    return &e->memory;
}

void gol_engine_get_histogram(const gol_engine *engine, gol_engine_histogram which,
                              gol_histogram_view *out)
{
    static const double bounds[] = {0.5, 2.0};
    (void)engine;
    *out = (gol_histogram_view){.bounds = bounds, .n_bounds = 2, .counts = {1, 2, 3}, .n = 6};
    out->sum = (double)which;
}

void gol_engine_get_stats(const gol_engine *e, gol_engine_stats *out)
{
    *out = e->stats;
}

/* The api only hands it on to the functions below. */
const gol_model *gol_engine_model(const gol_engine *e)
{
    return (const gol_model *)(const void *)e;
}

const gol_config *gol_model_config(const gol_model *model)
{
    return &((const gol_engine *)(const void *)model)->config;
}

uint64_t gol_model_n_params(const gol_model *model)
{
    (void)model;
    return 1000;
}

uint64_t gol_model_n_bytes(const gol_model *model)
{
    (void)model;
    return 4000;
}

#endif
