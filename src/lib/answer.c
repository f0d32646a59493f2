/*
 * Tokens -> text -> stop strings -> events. See answer.h.
 *
 *   text:  | handed out by the last event | held: may begin a stop string | this record's |
 *            dropped when the next is made  fewer bytes than a stop string  n_text_max at most in all
 */
#include "lib/answer.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"

static_assert((int)GOLLUM_STOPS_MAX <= (int)GOL_STOP_STRINGS_MAX,
              "gollum.h promises no more than there is");
static_assert((int)GOLLUM_STOP_LEN_MAX <= (int)GOL_STOP_STRING_LEN_MAX,
              "gollum.h promises no more than there is");

enum {
    HELD_MAX = 3,        /* bytes of an unfinished character that the detokenizer keeps */
    REPLACEMENT_LEN = 3, /* a byte that is no UTF-8 becomes U+FFFD */
};

size_t gol_answer_text_max(const gol_tokenizer *tok)
{
    size_t n_piece_max = 0;
    const int32_t n_vocab = gol_tokenizer_n_vocab(tok);
    for (int32_t id = 0; id < n_vocab; id++) {
        const size_t n = gol_tokenizer_piece(tok, id).len;
        if (n > n_piece_max)
            n_piece_max = n;
    }
    return GOLLUM_STOP_LEN_MAX + REPLACEMENT_LEN * (HELD_MAX + n_piece_max);
}

static int add_stops(gol_answer *answer, const gollum_request *request, gol_err *err)
{
    if (request->n_stop > GOLLUM_STOPS_MAX)
        return gol_fail(err, GOL_EINVAL, "n_stop is %zu, 0 to %d is accepted", request->n_stop,
                        GOLLUM_STOPS_MAX);
    if (request->n_stop > 0 && request->stop == NULL)
        return gol_fail(err, GOL_EINVAL, "stop is NULL, but n_stop is %zu", request->n_stop);
    for (size_t i = 0; i < request->n_stop; i++) {
        if (request->stop[i] == NULL)
            return gol_fail(err, GOL_EINVAL, "stop[%zu] is NULL", i);
        const gol_str stop = gol_str_from(request->stop[i]);
        if (stop.len == 0 || stop.len > GOLLUM_STOP_LEN_MAX)
            return gol_fail(err, GOL_EINVAL, "stop[%zu] has %zu bytes, 1 to %d are accepted", i,
                            stop.len, GOLLUM_STOP_LEN_MAX);
        if (!gol_utf8_is_valid(stop))
            return gol_fail(err, GOL_EINVAL, "stop[%zu] is not valid UTF-8", i);
        if (gol_stop_set_add(&answer->stops, &answer->stop_arena, stop) != 0)
            return gol_fail(err, GOL_ENOMEM, "out of memory for stop strings");
    }
    return 0;
}

static int init_memory(gol_answer *answer, const gol_answer_opts *opts, gol_err *err)
{
    gol_arena_init(&answer->stop_arena, 1u << 20);
    gol_buf_init(&answer->text, opts->n_text_max);
    if (!gol_buf_reserve(&answer->text, opts->n_text_max))
        return gol_fail(err, GOL_ENOMEM, "out of memory for a request's text");
    if (answer->on_event != NULL)
        return 0;
    answer->n_records_max = opts->n_tokens_max + 1;
    answer->records = gol_try_array((size_t)answer->n_records_max, sizeof *answer->records);
    if (answer->records == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for an answer of %d tokens",
                        opts->n_tokens_max);
    return 0;
}

static int init_scores(gol_answer *answer, const gol_answer_opts *opts, gol_err *err)
{
    const int32_t n_top = opts->request->n_prompt_top;
    const int32_t n_vocab = gol_tokenizer_n_vocab(opts->tok);
    return gol_answer_scores_init(&answer->scores, opts->n_prompt, gol_min_i32(n_top, n_vocab),
                                  err);
}

int gol_answer_create(gol_answer **out, const gol_answer_opts *opts, gol_err *err)
{
    assert(opts->n_tokens_max >= 1 && opts->n_tokens_max < INT32_MAX);
    *out = NULL;
    gol_answer *answer = gol_try_calloc(1, sizeof *answer);
    if (answer == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for a request");
    answer->owner = opts->owner;
    answer->on_event = opts->request->on_event;
    answer->user = opts->request->user;
    answer->n_prompt = opts->n_prompt;
    /* The answer continues the prompt: the blank before its first word belongs to its text. */
    gol_detokenizer_init(&answer->detok, opts->tok, true, false);
    int rc = init_memory(answer, opts, err);
    if (rc == 0)
        rc = add_stops(answer, opts->request, err);
    if (rc == 0 && opts->request->score_prompt)
        rc = init_scores(answer, opts, err);
    if (rc != 0) {
        gol_answer_destroy(&answer);
        return rc;
    }
    *out = answer;
    return 0;
}

void gol_answer_destroy(gol_answer **answer)
{
    if (*answer == NULL)
        return;
    gol_answer_scores_deinit(&(*answer)->scores);
    gol_buf_deinit(&(*answer)->text);
    gol_arena_deinit(&(*answer)->stop_arena);
    gol_free((*answer)->records);
    gol_free(*answer);
    *answer = NULL;
}

static gollum_finish public_finish(gol_finish_reason finish)
{
    switch (finish) {
    case GOL_FINISH_NONE:
        return GOLLUM_FINISH_NONE;
    case GOL_FINISH_STOP:
        return GOLLUM_FINISH_STOP;
    case GOL_FINISH_LENGTH:
        return GOLLUM_FINISH_LENGTH;
    case GOL_FINISH_ABORT:
        return GOLLUM_FINISH_ABORT;
    case GOL_FINISH_ERROR:
        break;
    }
    return GOLLUM_FINISH_ERROR;
}

static void append_text(gol_answer *answer, const gol_answer_record *record)
{
    /* An end token ends the answer and is no part of its text. */
    if (record->token >= 0 && record->finish != GOL_FINISH_STOP)
        gol_detokenizer_push(&answer->detok, record->token, &answer->text);
    if (record->finish != GOL_FINISH_NONE)
        gol_detokenizer_flush(&answer->detok, &answer->text);
    assert(!answer->text.failed);
}

/* Of the text, of which n_old bytes were looked at before: how much can be handed out. True: up to a stop string. */
static bool apply_stops(gol_answer *answer, size_t n_old, bool is_end, size_t *n_ready)
{
    *n_ready = answer->text.len;
    if (answer->stops.n == 0)
        return false;
    const gol_str fresh = {answer->text.data + n_old, answer->text.len - n_old};
    size_t n_used = 0;
    const int found = gol_stop_feed(&answer->stops, &answer->stop_state, fresh, &n_used);
    if (found >= 0)
        *n_ready = n_old + n_used - answer->stops.strings[found].text.len;
    else if (!is_end)
        *n_ready -= gol_stop_n_held(&answer->stops, &answer->stop_state);
    return found >= 0;
}

bool gol_answer_make_event(gol_answer *answer, const gol_answer_record *record, gollum_event *event)
{
    assert(!answer->is_over);
    gol_mem_forbid(
        true); /* this may be the engine's thread, and there is no way to say "no memory" */
    const bool is_end = record->finish != GOL_FINISH_NONE;
    gol_buf_drop_front(&answer->text, answer->n_handed_out);
    const size_t n_old = answer->text.len;
    append_text(answer, record);
    const bool is_stopped = apply_stops(answer, n_old, is_end, &answer->n_handed_out);
    answer->is_over = is_end || is_stopped;
    answer->id = record->request_id;
    answer->n_generated += record->token >= 0;
    *event = (gollum_event){
        .struct_size = sizeof *event,
        .id = answer->id,
        .token = record->token,
        .logprob = record->logprob,
        .text = answer->text.data,
        .text_len = answer->n_handed_out,
        .finish = is_stopped ? GOLLUM_FINISH_STOP : public_finish(record->finish),
        .n_prompt = answer->n_prompt,
        .n_generated = answer->n_generated,
        .user = answer->user,
        .n_cached = record->n_cached,
    };
    gol_answer_scores_show(&answer->scores, event);
    gol_mem_forbid(false);
    return is_stopped && !is_end;
}
