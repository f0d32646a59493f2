/*
 * From logged tokens to text: incremental detokenizer, then stop strings, then what may be handed out. Tokens are taken one
 * by one in both modes, streaming or not, so the reader's pace cannot change the answer.
 */
#include "api/choice.h"

#include <assert.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"

enum { CHOICE_TEXT_MAX = 1 << 30 };

int gol_choice_init(gol_choice *c, gol_api_call *call, int32_t index, int32_t max_tokens,
                    gol_str echo)
{
    const gol_params *p = &call->params;
    *c = (gol_choice){.call = call, .index = index, .stop_string = -1, .stop_id = -1};
    c->trims_space = call->trims_space;
    c->cap = max_tokens;
    gol_buf_init(&c->text, CHOICE_TEXT_MAX);
    gol_buf_put_str(&c->text, echo);
    c->n_chars = (int32_t)gol_utf8_count(echo);
    gol_detokenizer_init(&c->detok, call->api->tok, p->skip_special, false);

    /* Large arrays come from fresh pages: what an answer does not use costs nothing. */
    const size_t n = (size_t)max_tokens;
    c->tokens = gol_try_array(n, sizeof *c->tokens);
    if (!c->tokens || c->text.failed)
        return GOL_ENOMEM;
    const bool is_compared = gol_params_n_candidates(p) > p->n;
    if (p->n_logprobs < 0 && !is_compared)
        return 0;
    c->logprobs = gol_try_array(n, sizeof *c->logprobs);
    if (p->n_logprobs < 0)
        return c->logprobs ? 0 : GOL_ENOMEM;
    const int32_t n_vocab = gol_model_config(gol_engine_model(call->api->engine))->n_vocab;
    c->n_top = p->n_logprobs < n_vocab ? p->n_logprobs : n_vocab;
    c->offsets = gol_try_array(n, sizeof *c->offsets);
    c->tops = gol_try_array(n, (size_t)c->n_top * sizeof *c->tops);
    return c->logprobs && c->offsets && c->tops ? 0 : GOL_ENOMEM;
}

void gol_choice_deinit(gol_choice *c)
{
    if (c->is_first_of_prompt)
        gol_scored_prompt_destroy(&c->scored);
    gol_free(c->tokens);
    gol_free(c->logprobs);
    gol_free(c->tops);
    gol_free(c->offsets);
    gol_buf_deinit(&c->text);
}

static void log_token(gol_choice *c, const gol_output *output)
{
    assert(c->n_logged < c->cap);
    const int32_t i = c->n_logged++;
    c->tokens[i] = output->token;
    if (!c->logprobs)
        return;
    c->logprobs[i] = output->logprob;
    assert(output->n_top == c->n_top);
    if (c->n_top > 0)
        memcpy(c->tops + (size_t)i * (size_t)c->n_top, output->top,
               (size_t)c->n_top * sizeof *c->tops);
}

/* The engine's thread. */
static void on_output(void *user, const gol_output *output)
{
    gol_choice *c = user;
    gol_api_call *call = c->call;
    const bool is_last = output->finish != GOL_FINISH_NONE;

    pthread_mutex_lock(&call->lock);
    if (output->token >= 0 && !c->is_cut)
        log_token(c, output);
    if (c->scored && c->is_first_of_prompt)
        gol_scored_prompt_publish(c->scored, is_last);
    c->n_cached = output->n_cached;
    c->end = output->finish;
    if (is_last)
        call->n_running--;
    const bool is_news = call->wants_tokens || output->finish == GOL_FINISH_ERROR ||
                         (is_last && call->n_running == 0);
    if (is_news && call->wake && !call->is_awake) {
        call->is_awake = true;
        call->wake(call->wake_user);
    }
    pthread_mutex_unlock(&call->lock);
    if (is_last)
        gol_call_unref(call);
}

int gol_choice_submit(gol_choice *c, gol_engine *engine, gol_request *request, gol_err *err)
{
    gol_api_call *call = c->call;
    request->on_output = on_output;
    request->user = c;
    atomic_fetch_add(&call->n_refs, 1);
    pthread_mutex_lock(&call->lock);
    call->n_running++;
    pthread_mutex_unlock(&call->lock);
    const int rc = gol_engine_submit(engine, request, &c->sequence, err);
    if (rc != 0) {
        pthread_mutex_lock(&call->lock);
        call->n_running--;
        pthread_mutex_unlock(&call->lock);
        gol_call_unref(call); /* never the last one: begin() holds its own */
        return rc;
    }
    c->is_submitted = true;
    return 0;
}

void gol_choice_cut(gol_choice *c, gol_engine *engine)
{
    pthread_mutex_lock(&c->call->lock);
    const bool has_ended = c->end != GOL_FINISH_NONE || c->is_cut;
    c->is_cut = true;
    pthread_mutex_unlock(&c->call->lock);
    if (!has_ended)
        gol_engine_abort(engine, c->sequence);
}

void gol_choice_refresh(gol_choice *c)
{
    c->n_seen = c->n_logged;
    c->seen_cached = c->n_cached;
    c->seen_end = c->end;
    if (c->scored && c->is_first_of_prompt)
        gol_scored_prompt_refresh(c->scored);
}

double gol_choice_mean_logprob(const gol_choice *c)
{
    double sum = 0;
    for (int32_t i = 0; i < c->n_taken; i++)
        sum += (double)c->logprobs[i];
    return c->n_taken > 0 ? sum / c->n_taken : 0;
}

size_t gol_choice_n_ready(const gol_choice *c)
{
    if (c->is_done)
        return c->text.len;
    return c->text.len - gol_stop_n_held(&c->call->stops, &c->stop);
}

/* Looks for stop strings in what text has gained behind `before`. They count, like stop ids, after min_tokens only. */
static void scan_fresh_text(gol_choice *c, size_t before)
{
    gol_api_call *call = c->call;
    if (c->trims_space && c->text.len > 0) {
        c->trims_space = false;
        if (c->text.data[0] == ' ')
            gol_buf_drop_front(&c->text, 1);
    }
    const gol_str fresh = {c->text.data + before, c->text.len - before};
    size_t n_used;
    int found = -1;
    if (c->n_taken > call->params.min_tokens)
        found = gol_stop_feed(&call->stops, &c->stop, fresh, &n_used);
    if (found >= 0) {
        const bool is_own = found < call->n_own_stops;
        size_t end = before + n_used;
        if (!is_own || !call->params.include_stop)
            end -= call->stops.strings[found].text.len;
        c->text.len = end;
        c->text.data[end] = '\0';
        c->is_done = true;
        c->finish = GOL_FINISH_STOP;
        c->stop_string = found;
        gol_choice_cut(c, call->api->engine);
    }
    if (c->text.len > before)
        c->n_chars += (int32_t)gol_utf8_count(
            (gol_str){c->text.data + before, c->text.len - before});
}

static bool has_piece(const gol_choice *c, int32_t id)
{
    return id >= 0 && id < gol_tokenizer_n_vocab(c->call->api->tok);
}

gol_str gol_choice_piece(const gol_choice *c, int32_t id)
{
    return has_piece(c, id) ? gol_tokenizer_piece(c->call->api->tok, id) : GOL_STR("");
}

static void take_token(gol_choice *c)
{
    const gol_params *p = &c->call->params;
    const int32_t i = c->n_taken++;
    if (c->offsets)
        c->offsets[i] = c->n_chars;
    const bool is_stop_id = c->seen_end == GOL_FINISH_STOP && c->n_taken == c->n_seen;
    if ((is_stop_id && !p->include_stop) || !has_piece(c, c->tokens[i]))
        return;
    const size_t before = c->text.len;
    gol_detokenizer_push(&c->detok, c->tokens[i], &c->text);
    if (c->text.len > before)
        scan_fresh_text(c, before);
}

static bool is_client_stop_id(const gol_params *p, int32_t id)
{
    for (int i = 0; i < p->n_stop_ids; i++)
        if (p->stop_ids[i] == id)
            return true;
    return false;
}

/* The engine has said its last word and all of it is taken. */
static void close_text(gol_choice *c)
{
    const size_t before = c->text.len;
    gol_detokenizer_flush(&c->detok, &c->text);
    if (c->text.len > before)
        scan_fresh_text(c, before);
    if (c->is_done)
        return;
    c->is_done = true;
    c->finish = c->seen_end;
    if (c->finish != GOL_FINISH_STOP || c->n_taken == 0)
        return;
    const int32_t last = c->tokens[c->n_taken - 1];
    if (is_client_stop_id(&c->call->params, last))
        c->stop_id = last;
}

void gol_choice_advance(gol_choice *c, size_t enough)
{
    while (!c->is_done && c->n_taken < c->n_seen && gol_choice_n_ready(c) < enough)
        take_token(c);
    if (!c->is_done && c->n_taken == c->n_seen && c->seen_end != GOL_FINISH_NONE)
        close_text(c);
    if (c->text.failed)
        c->call->has_failed = true;
}
