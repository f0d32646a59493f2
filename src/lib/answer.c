/* Tokens -> text -> stop strings -> events. See answer.h. */
#include "lib/answer.h"

#include <string.h>

#include "base/mem.h"

enum { TEXT_MAX = 1 << 20 }; /* bytes of one event: a token and what was held back */

static int add_stops(gol_answer *answer, const gollum_request *request, gol_err *err)
{
    if (request->n_stop > GOL_STOP_STRINGS_MAX)
        return gol_fail(err, GOL_EINVAL, "stop: %zu strings, accepted are up to %d",
                        request->n_stop, GOL_STOP_STRINGS_MAX);
    for (size_t i = 0; i < request->n_stop; i++) {
        const gol_str stop = gol_str_from(request->stop[i]);
        if (stop.len == 0 || stop.len > GOL_STOP_STRING_LEN_MAX || !gol_utf8_is_valid(stop))
            return gol_fail(err, GOL_EINVAL,
                            "stop[%zu]: %zu bytes, accepted are 1 to %d bytes of UTF-8", i,
                            stop.len, GOL_STOP_STRING_LEN_MAX);
        if (gol_stop_set_add(&answer->stops, &answer->arena, stop) != 0)
            return gol_fail(err, GOL_ENOMEM, "no memory for stop strings");
    }
    return 0;
}

int gol_answer_create(gol_answer **out, gollum *owner, const gol_tokenizer *tok,
                      const gollum_request *request, int32_t n_tokens_max, gol_err *err)
{
    *out = NULL;
    gol_answer *answer = gol_try_calloc(1, sizeof *answer);
    if (answer == NULL)
        return gol_fail(err, GOL_ENOMEM, "no memory for a request");
    answer->owner = owner;
    answer->on_event = request->on_event;
    answer->user = request->user;
    answer->n_tokens_max = n_tokens_max;
    gol_detokenizer_init(&answer->detok, tok, true, false);
    gol_arena_init(&answer->arena, 1u << 20);
    gol_buf_init(&answer->text, TEXT_MAX);
    answer->tokens = gol_try_array((size_t)n_tokens_max, sizeof *answer->tokens);
    /* A callback runs inside the engine's step, where nothing is allocated: make room now. */
    const bool has_room = gol_buf_reserve(&answer->text, 4096);
    int rc = answer->tokens == NULL || !has_room
                 ? gol_fail(err, GOL_ENOMEM, "no memory for an answer of %d tokens", n_tokens_max)
                 : add_stops(answer, request, err);
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
    gol_buf_deinit(&(*answer)->text);
    gol_arena_deinit(&(*answer)->arena);
    gol_free((*answer)->tokens);
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

/* Cuts the text at a complete stop string (true), or tells in *n_ready how much of it can be handed out. */
static bool apply_stops(gol_answer *answer, size_t n_old, bool is_end, size_t *n_ready)
{
    const gol_str fresh = {answer->text.data + n_old, answer->text.len - n_old};
    size_t n_used = 0;
    const int found = gol_stop_feed(&answer->stops, &answer->stop_state, fresh, &n_used);
    if (found >= 0) {
        *n_ready = n_old + n_used - answer->stops.strings[found].text.len;
        return true;
    }
    const size_t n_held = is_end ? 0 : gol_stop_n_held(&answer->stops, &answer->stop_state);
    *n_ready = answer->text.len - n_held;
    return false;
}

bool gol_answer_make_event(gol_answer *answer, const gol_answer_token *record, int32_t n_generated,
                           gollum_event *event)
{
    const bool is_end = record->finish != GOL_FINISH_NONE;
    gol_buf_drop_front(&answer->text, answer->n_handed_out);
    const size_t n_old = answer->text.len;
    /* An end token ends the answer and is no part of its text. */
    if (record->token >= 0 && record->finish != GOL_FINISH_STOP)
        gol_detokenizer_push(&answer->detok, record->token, &answer->text);
    if (is_end)
        gol_detokenizer_flush(&answer->detok, &answer->text);

    bool is_stopped = false;
    answer->n_handed_out = answer->text.len;
    if (answer->stops.n > 0 && answer->text.len > 0)
        is_stopped = apply_stops(answer, n_old, is_end, &answer->n_handed_out);
    answer->is_over = is_end || is_stopped;
    *event = (gollum_event){
        .struct_size = sizeof *event,
        .id = answer->id,
        .token = record->token,
        .logprob = record->logprob,
        .text = answer->text.data != NULL ? answer->text.data : "",
        .text_len = answer->n_handed_out,
        .finish = is_stopped ? GOLLUM_FINISH_STOP : public_finish(record->finish),
        .n_prompt = answer->n_prompt,
        .n_generated = n_generated,
        .user = answer->user,
    };
    return is_stopped;
}
