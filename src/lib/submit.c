/*
 * gollum_submit(): a public request becomes an answer and an engine's request, and the engine's outputs go to where the
 * answer's events are made: into the outbox, or to the callback at once.
 */
#include "base/rng.h"
#include "lib/gollum_impl.h"
#include "lib/public_struct.h"
#include "lib/request_extras.h"
#include "lib/sampling_defaults.h"

void gollum_request_init_sized(gollum_request *request, size_t struct_size)
{
    const gollum_request defaults = {
        .temperature = 1.0f,
        .top_p = 1.0f,
        .repetition_penalty = 1.0f,
        .repeat_last_n = -1,
        .typical_p = 1.0f,
        .xtc_threshold = 0.1f,
        .dynatemp_exponent = 1.0f,
        .mirostat_tau = 5.0f,
        .mirostat_eta = 0.1f,
        .dry_base = 1.75f,
        .dry_allowed_length = 2,
        .dry_penalty_last_n = -1,
    };
    if (request != NULL && gol_public_is_size(struct_size))
        gol_public_write(request, struct_size, &defaults, sizeof defaults);
}

int gollum_request_use_model_sampling(const gollum *g, gollum_request *request)
{
    gol_err err = {0};
    gollum_request r;
    gollum_request_init(&r);
    if (g == NULL || gol_public_read(&r, sizeof r, request, "request", &err) != 0)
        return 0;
    gol_sampling_params params = {
        .temperature = r.temperature,
        .top_k = r.top_k,
        .top_p = r.top_p,
        .min_p = r.min_p,
        .repetition_penalty = r.repetition_penalty,
    };
    const int n = gol_sampling_defaults_read(&params, g->parts.file);
    r.temperature = params.temperature;
    r.top_k = params.top_k;
    r.top_p = params.top_p;
    r.min_p = params.min_p;
    r.repetition_penalty = params.repetition_penalty;
    gol_public_write(request, request->struct_size, &r, sizeof r);
    return n;
}

/* Nothing follows a stop string but the engine's own end. */
static void serve_callback(gol_answer *answer, const gol_answer_record *record)
{
    if (!answer->is_over) {
        gollum_event event;
        const bool is_stopped = gol_answer_make_event(answer, record, &event);
        answer->on_event(&event);
        if (is_stopped)
            gol_engine_abort(answer->owner->parts.engine, answer->id);
    }
    if (record->finish != GOL_FINISH_NONE)
        gol_answer_destroy(&answer);
}

/* The engine's thread, outside of its step. */
static void on_output(void *user, const gol_output *output)
{
    gol_answer *answer = user;
    const gol_answer_record record = {
        .request_id = output->request_id,
        .token = output->token,
        .logprob = output->logprob,
        .finish = output->finish,
        .n_cached = output->n_cached,
    };
    if (answer->on_event != NULL)
        serve_callback(answer, &record);
    else
        gol_outbox_put(&answer->owner->outbox, answer, &record);
}

static int encode_prompt(const gollum *g, const gollum_request *r, gol_ids *ids, gol_err *err)
{
    const unsigned flags = (unsigned)GOL_ENCODE_ADD_SPECIAL |
                           (r->parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u);
    if (r->prompt == NULL && r->prompt_len > 0)
        return gol_fail(err, GOL_EINVAL, "prompt is NULL, but prompt_len is %zu", r->prompt_len);
    const int rc = gol_tokenizer_encode(g->parts.tok, ids, (gol_str){r->prompt, r->prompt_len},
                                        flags, err);
    if (rc == 0 && ids->n == 0)
        return gol_fail(err, GOL_EINVAL,
                        "prompt is empty, and this model has no token to begin with");
    return rc;
}

/* The prompt's tokens, of the caller or encoded into ids. */
static int find_prompt(const gollum *g, const gollum_request *r, gol_ids *ids, gol_request *out,
                       gol_err *err)
{
    if (r->n_prompt_ids == 0) {
        const int rc = encode_prompt(g, r, ids, err);
        if (rc != 0)
            return rc;
    } else if (r->prompt_ids == NULL) {
        return gol_fail(err, GOL_EINVAL, "prompt_ids is NULL, but n_prompt_ids is %zu",
                        r->n_prompt_ids);
    }
    const size_t n = r->n_prompt_ids > 0 ? r->n_prompt_ids : ids->n;
    const int32_t max_model_len = gollum_max_model_len(g);
    if (n >= (size_t)max_model_len)
        return gol_fail(err, GOL_ECONTEXT,
                        "the prompt has %zu tokens; with one token of answer that is more than "
                        "max_model_len, %d",
                        n, max_model_len);
    out->prompt = r->n_prompt_ids > 0 ? r->prompt_ids : ids->data;
    out->n_prompt = (int32_t)n;
    return 0;
}

static int find_max_tokens(const gollum *g, const gollum_request *r, gol_request *out, gol_err *err)
{
    if (r->max_tokens < 0)
        return gol_fail(err, GOL_EINVAL,
                        "max_tokens is %d, at least 1 is accepted (0: to the end of the context)",
                        r->max_tokens);
    const int32_t n_room = gollum_max_model_len(g) - out->n_prompt;
    out->max_tokens = r->max_tokens == 0 || r->max_tokens > n_room ? n_room : r->max_tokens;
    return 0;
}

static void fill_sampling(gol_sampling_params *out, const gollum_request *r)
{
    *out = (gol_sampling_params){
        .temperature = r->temperature,
        .top_p = r->top_p,
        .min_p = r->min_p,
        .top_k = r->top_k,
        .repetition_penalty = r->repetition_penalty,
        .presence_penalty = r->presence_penalty,
        .frequency_penalty = r->frequency_penalty,
        .seed = r->seed,
    };
    if (!r->has_seed)
        gol_rng_entropy(&out->seed, sizeof out->seed);
}

/* How the prompt meets the cache, and whether it is scored. */
static int fill_prompt_options(const gollum_request *r, gol_request *out, gol_err *err)
{
    if (r->n_cache_salt > 0 && r->cache_salt == NULL)
        return gol_fail(err, GOL_EINVAL, "cache_salt is NULL, but n_cache_salt is %zu",
                        r->n_cache_salt);
    if (r->n_cache_salt > GOLLUM_CACHE_SALT_MAX)
        return gol_fail(err, GOL_EINVAL, "n_cache_salt is %zu, 0 to %d is accepted",
                        r->n_cache_salt, GOLLUM_CACHE_SALT_MAX);
    if (r->n_prompt_top < 0 || r->n_prompt_top > GOLLUM_TOP_MAX)
        return gol_fail(err, GOL_EINVAL, "n_prompt_top is %d, 0 to %d is accepted", r->n_prompt_top,
                        GOLLUM_TOP_MAX);
    if (r->n_prompt_top > 0 && !r->score_prompt)
        return gol_fail(err, GOL_EINVAL, "n_prompt_top is %d, but score_prompt is 0",
                        r->n_prompt_top);
    out->cache_salt = r->cache_salt;
    out->n_cache_salt = r->n_cache_salt;
    out->no_cache = r->no_cache != 0;
    return 0;
}

/* Once the engine has the request, the answer is the engine's thread's and the poller's: it may be gone before this returns. */
static int give_to_engine(gollum *g, gol_answer *answer, const gol_request *request, uint64_t *id,
                          gol_err *err)
{
    const bool is_polled = answer->on_event == NULL;
    if (is_polled)
        gol_outbox_open(&g->outbox);
    const int rc = gol_engine_submit(g->parts.engine, request, id, err);
    if (rc != 0 && is_polled)
        gol_outbox_close(&g->outbox);
    if (rc != 0)
        gol_answer_destroy(&answer);
    return rc;
}

static int submit(gollum *g, const gollum_request *r, uint64_t *id, gol_err *err)
{
    gol_ids ids = {0};
    gol_answer *answer = NULL;
    int32_t stop_ids[GOL_STOP_IDS_MAX];
    gol_request request = {.on_output = on_output};
    gol_request_extras extras = {0};
    fill_sampling(&request.sampling, r);
    request.sampling.extras = &extras.params;
    gol_instance_set_stop_ids(&g->parts, &request, stop_ids, r->ignore_eos != 0);
    int rc = find_prompt(g, r, &ids, &request, err);
    if (rc == 0)
        rc = gol_request_extras_init(&extras, g, r, err);
    if (rc == 0)
        rc = find_max_tokens(g, r, &request, err);
    if (rc == 0)
        rc = fill_prompt_options(r, &request, err);
    if (rc == 0) {
        const gol_answer_opts opts = {
            .owner = g,
            .tok = g->parts.tok,
            .request = r,
            .n_prompt = request.n_prompt,
            .n_tokens_max = request.max_tokens,
            .n_text_max = g->n_text_max,
        };
        rc = gol_answer_create(&answer, &opts, err);
    }
    if (rc == 0) {
        request.user = answer;
        request.scores = r->score_prompt ? &answer->scores.engine : NULL;
        rc = give_to_engine(g, answer, &request, id, err);
    }
    gol_request_extras_deinit(&extras);
    gol_ids_deinit(&ids);
    return rc;
}

int gollum_submit(gollum *g, const gollum_request *request, uint64_t *id, gollum_error *error)
{
    gol_err err = {0};
    gollum_request r;
    gollum_request_init(&r);
    uint64_t new_id = 0;
    int rc = g != NULL ? gol_public_read(&r, sizeof r, request, "request", &err)
                       : gol_fail(&err, GOL_EINVAL, "g is NULL");
    if (rc == 0)
        rc = submit(g, &r, &new_id, &err);
    if (id != NULL)
        *id = new_id;
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}

void gollum_abort(gollum *g, uint64_t id)
{
    if (g != NULL)
        gol_engine_abort(g->parts.engine, id);
}
