/*
 * Admission: every choice's memory first, then every sequence, all or nothing.
 */
#include "api/generate.h"

#include <assert.h>
#include <stdio.h>

#include "api/param_table.h"
#include "api/request_json.h"
#include "api/sampler_words.h"
#include "api/shape.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

static int check_model(const gol_api *api, const json_t *root, gol_api_error *error)
{
    const json_t *model = json_object_get(root, "model");
    if (!model || json_is_null(model))
        return 0;
    char found[80];
    if (!json_is_string(model)) {
        gol_request_json_describe(found, sizeof found, model);
        return gol_api_refuse(error, 400, "invalid_type", "model", "model is %s; accepted: \"%s\"",
                              found, api->model_id);
    }
    const gol_str name = gol_request_json_str(model);
    if (gol_str_is(name, api->model_id))
        return 0;
    gol_quote(found, sizeof found, name);
    return gol_api_refuse(error, 404, "model_not_found", "model",
                          "The model '%s' does not exist; this server has '%s'", found,
                          api->model_id);
}

int gol_generate_read_params(gol_api_call *call, const json_t *root, unsigned route,
                             gol_api_error *error)
{
    const gol_api *api = call->api;
    const int rc = check_model(api, root, error);
    if (rc != 0)
        return rc;
    size_t n_eog;
    gol_tokenizer_eog_ids(api->tok, &n_eog);
    static_assert((int)GOL_EOG_IDS_MAX < (int)GOL_STOP_IDS_MAX, "the client's stop ids have room");
    const gol_params_limits limits = {
        .max_n = api->max_n,
        .n_vocab = api->n_vocab,
        .n_stop_ids_max = GOL_STOP_IDS_MAX - (int)n_eog,
        .is_strict = api->is_strict,
        .sampling = &api->sampling,
        .arena = &call->arena,
    };
    return gol_params_parse(&call->params, root, route, &limits, error);
}

/* -1 stands for what fits beside the answer, or beside one token of it if the answer may take the whole context. */
static int32_t find_keep(const gol_params *p, int32_t max_model_len, int32_t max_tokens)
{
    if (p->n_prompt_keep >= 0)
        return p->n_prompt_keep;
    const int32_t n_answer = p->max_tokens >= 0 ? p->max_tokens : max_tokens;
    return max_model_len - (n_answer >= 0 && n_answer < max_model_len ? n_answer : 1);
}

gol_prompt_reader gol_generate_prompt_reader(gol_api_call *call, int32_t max_tokens)
{
    const gol_params *p = &call->params;
    const int32_t max_model_len = gol_engine_get_limits(call->api->engine)->max_model_len;
    return (gol_prompt_reader){
        .tok = call->api->tok,
        .n_vocab = call->api->n_vocab,
        .arena = &call->arena,
        .max_prompts = call->api->max_n,
        .max_model_len = max_model_len,
        .n_answer_min = p->max_tokens == 0 ? 0 : 1,
        .n_keep = find_keep(p, max_model_len, max_tokens),
        .add_special = p->add_special,
    };
}

static int no_memory(gol_api_error *error)
{
    gol_api_refuse(error, 503, "out_of_memory", NULL, "out of memory");
    return GOL_ENOMEM;
}

static int set_stops(gol_api_call *call, gol_str format_stop, gol_api_error *error)
{
    const gol_params *p = &call->params;
    int rc = 0;
    for (int i = 0; i < p->n_stops && rc == 0; i++)
        rc = gol_stop_set_add(&call->stops, &call->arena, p->stops[i]);
    call->n_own_stops = p->n_stops;
    if (rc == 0 && format_stop.len > 0)
        rc = gol_stop_set_add(&call->stops, &call->arena, format_stop);
    return rc == 0 ? 0 : no_memory(error);
}

/* The text in front of a choice's answer: the prompt as it came, or what its ids say. */
static int make_echo(gol_api_call *call, const gol_prompt *prompt, gol_buf *out,
                     gol_api_error *error)
{
    gol_buf_clear(out);
    if (!call->params.echo)
        return 0;
    gol_err err = {0};
    if (prompt->text.data)
        gol_buf_put_str(out, prompt->text);
    else if (gol_tokenizer_decode(call->api->tok, out, prompt->ids, (size_t)prompt->n_ids,
                                  call->params.skip_special, &err) != 0)
        return gol_api_refuse_err(error, "prompt", &err);
    return out->failed ? no_memory(error) : 0;
}

/* max_tokens of one sequence: what was asked for, cut at the context's end (finish_reason "length" says so). */
static int32_t count_room(const gol_api_call *call, const gol_generation *g, int32_t n_prompt)
{
    const int32_t room = gol_engine_get_limits(call->api->engine)->max_model_len - n_prompt;
    const int32_t asked = call->params.max_tokens >= 0 ? call->params.max_tokens : g->max_tokens;
    return asked >= 0 && asked < room ? asked : room;
}

/* Where the prompt's log-probabilities will be, if they are asked for; of its first answer, for all of them. */
static int make_scored(gol_choice *c, const gol_prompt *prompt, gol_str echo, gol_api_error *error)
{
    const gol_api_call *call = c->call;
    const gol_params *p = &call->params;
    const bool is_echoed = gol_params_echo_logprobs(p);
    if (!is_echoed && p->n_prompt_logprobs < 0)
        return 0;
    const int32_t n_asked = is_echoed && p->n_logprobs > p->n_prompt_logprobs
                                ? p->n_logprobs
                                : p->n_prompt_logprobs;
    const int32_t n_vocab = gol_model_config(gol_engine_model(call->api->engine))->n_vocab;
    const int32_t n_top = n_asked < n_vocab ? n_asked : n_vocab;
    if (gol_scored_prompt_create(&c->scored, prompt->n_ids, n_top) != 0)
        return no_memory(error);
    if (!is_echoed)
        return 0;
    const gol_echoed echoed = {
        .tok = call->api->tok,
        .ids = prompt->ids,
        .text = prompt->text,
        .has_bos = prompt->text.data && p->add_special && gol_tokenizer_adds_bos(call->api->tok),
        .skip_special = p->skip_special,
    };
    return gol_scored_prompt_find_offsets(c->scored, &echoed, echo) == 0 ? 0 : no_memory(error);
}

static int init_choices(gol_api_call *call, const gol_generation *g, gol_api_error *error)
{
    const int32_t n = gol_params_n_candidates(&call->params);
    gol_buf echo;
    gol_buf_init(&echo, SIZE_MAX);
    int rc = 0;
    for (int32_t i = 0; i < g->prompts.n && rc == 0; i++) {
        const gol_prompt *prompt = &g->prompts.items[i];
        rc = make_echo(call, prompt, &echo, error);
        for (int32_t k = 0; k < n && rc == 0; k++) {
            gol_choice *c = &call->choices[call->n_choices];
            const int32_t room = count_room(call, g, prompt->n_ids);
            if (gol_choice_init(c, call, call->n_choices++, room, gol_buf_view(&echo)) != 0)
                rc = no_memory(error);
            c->is_first_of_prompt = k == 0;
            c->prompt_ids = prompt->ids;
            c->n_prompt = prompt->n_ids;
            if (rc == 0 && k > 0)
                c->scored = c[-1].scored;
            else if (rc == 0)
                rc = make_scored(c, prompt, gol_buf_view(&echo), error);
        }
    }
    gol_buf_deinit(&echo);
    return rc;
}

/* The model's own ends, unless the client does not want them, and the client's. */
static int32_t collect_stop_ids(const gol_api_call *call, int32_t out[static GOL_STOP_IDS_MAX])
{
    const gol_params *p = &call->params;
    int32_t n_out = 0;
    size_t n_eog;
    const int32_t *eog = gol_tokenizer_eog_ids(call->api->tok, &n_eog);
    for (size_t i = 0; i < n_eog && !p->ignore_eos; i++)
        out[n_out++] = eog[i];
    for (int i = 0; i < p->n_stop_ids; i++)
        out[n_out++] = p->stop_ids[i];
    assert(n_out <= GOL_STOP_IDS_MAX); /* read_params left room for the model's */
    return n_out;
}

static uint64_t pick_seed(const gol_params *p, int32_t k)
{
    if (p->has_seed)
        return (uint64_t)p->seed + (uint64_t)k;
    uint64_t seed;
    gol_rng_entropy(&seed, sizeof seed);
    return seed;
}

static void note_busy(gol_api *api)
{
    gol_engine_stats stats;
    gol_engine_get_stats(api->engine, &stats);
    if (stats.n_running + stats.n_waiting == 0)
        atomic_store(&api->busy_since_ns, gol_clock_ns());
}

static int submit_all(gol_api_call *call, const gol_sampling_extras *extras, gol_api_error *error)
{
    const gol_params *p = &call->params;
    int32_t stop_ids[GOL_STOP_IDS_MAX];
    const int32_t n_stop_ids = collect_stop_ids(call, stop_ids);
    note_busy(call->api);
    for (int32_t i = 0; i < call->n_choices; i++) {
        gol_choice *c = &call->choices[i];
        gol_request request = {
            .prompt = c->prompt_ids,
            .n_prompt = c->n_prompt,
            .max_tokens = c->cap,
            .min_tokens = p->min_tokens < c->cap ? p->min_tokens : c->cap,
            .stop_ids = stop_ids,
            .n_stop_ids = n_stop_ids,
            .n_logprobs = c->logprobs && p->n_logprobs < 0 ? 0 : p->n_logprobs,
            .scores = c->scored && c->is_first_of_prompt ? &c->scored->scores : NULL,
            .priority = p->priority,
            .no_cache = !p->cache_prompt,
            .cache_salt = p->cache_salt.data,
            .n_cache_salt = p->cache_salt.len,
            .sampling = p->sampling,
        };
        request.sampling.seed = pick_seed(p, i % gol_params_n_candidates(p));
        request.sampling.extras = extras;
        gol_err err = {0};
        const int rc = gol_choice_submit(c, call->api->engine, &request, &err);
        if (rc != 0) {
            gol_stream_cut_all(call);
            return gol_api_refuse_err(error, NULL, &err);
        }
    }
    return 0;
}

/* With the words as tokens, which the engine copies. */
static int submit_with_words(gol_api_call *call, gol_api_error *error)
{
    gol_sampling_extras extras = call->params.extras;
    gol_sampler_words words = {0};
    int rc = gol_sampler_words_encode(&words, &extras, call, error);
    if (rc == 0)
        rc = submit_all(call, &extras, error);
    gol_sampler_words_deinit(&words);
    return rc;
}

static int check_counts(const gol_api_call *call, const gol_generation *g, gol_api_error *error)
{
    const gol_params *p = &call->params;
    const int32_t n_candidates = gol_params_n_candidates(p);
    const char *name = n_candidates > p->n ? "best_of" : "n";
    const int64_t n_choices = (int64_t)g->prompts.n * n_candidates;
    if (n_choices > call->api->max_n)
        return gol_api_refuse(error, 400, "invalid_value", name,
                              "%d prompts with %s = %d are %lld answers; accepted: at most %d",
                              g->prompts.n, name, n_candidates, (long long)n_choices,
                              call->api->max_n);
    if (p->max_tokens < 0 && g->max_tokens >= 0 && p->min_tokens > g->max_tokens)
        return gol_api_refuse(error, 400, "invalid_value", "min_tokens",
                              "min_tokens is %d; accepted: at most max_tokens, which is %d here "
                              "when it is not given",
                              p->min_tokens, g->max_tokens);
    return 0;
}

int gol_generate_start(gol_api_call *call, const gol_generation *g, gol_api_error *error)
{
    int rc = check_counts(call, g, error);
    if (rc == 0)
        rc = set_stops(call, g->format_stop, error);
    if (rc != 0)
        return rc;

    const size_t n_choices = (size_t)g->prompts.n * (size_t)gol_params_n_candidates(&call->params);
    call->choices = gol_try_calloc(n_choices, sizeof *call->choices);
    if (!call->choices)
        return no_memory(error);
    call->wants_tokens = call->params.stream || call->stops.n > 0;
    rc = init_choices(call, g, error);
    if (rc == 0)
        rc = submit_with_words(call, error);
    if (rc != 0)
        return rc;

    char random[GOL_API_ID_LEN + 1];
    gol_random_id(random);
    snprintf(call->id, sizeof call->id, "%s%s", g->shape->id_prefix, random);
    call->created = gol_clock_unix_s();
    call->last_frame_ns = gol_clock_ns();
    call->shape = g->shape;
    if (call->params.stream)
        gol_call_reply_stream(call);
    return 0;
}
