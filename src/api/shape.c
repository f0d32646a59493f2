/*
 * The parts of an answer that completions and chat have in common.
 */
#include "api/shape.h"

void gol_shape_put_head(gol_json *j, const gol_api_call *call, const char *object)
{
    gol_json_put_cstr(j, "id", call->id);
    gol_json_put_cstr(j, "object", object);
    gol_json_put_int(j, "created", call->created);
    gol_json_put_cstr(j, "model", call->api->model_id);
    gol_json_put_cstr(j, "system_fingerprint", call->api->fingerprint);
}

static const char *finish_name(gol_finish_reason finish)
{
    switch (finish) {
    case GOL_FINISH_STOP:
        return "stop";
    case GOL_FINISH_LENGTH:
        return "length";
    case GOL_FINISH_ABORT:
        return "abort";
    case GOL_FINISH_ERROR:
        return "error";
    case GOL_FINISH_NONE:
        break;
    }
    return NULL;
}

/* stop_reason: the client's stop string or id that ended the answer; null for the model's own end and everything else. */
void gol_shape_put_finish(gol_json *j, const gol_choice *c, bool has_finished)
{
    gol_json_put_cstr(j, "finish_reason", has_finished ? finish_name(c->finish) : NULL);
    gol_json_key(j, "stop_reason");
    if (has_finished && c->stop_string >= 0 && c->stop_string < c->call->n_own_stops)
        gol_json_string(j, c->call->stops.strings[c->stop_string].text);
    else if (has_finished && c->stop_id >= 0)
        gol_json_int(j, c->stop_id);
    else
        gol_json_null(j);
}

static void put_ids(gol_json *j, const int32_t *ids, int32_t n)
{
    gol_json_begin_array(j);
    for (int32_t i = 0; i < n; i++)
        gol_json_int(j, ids[i]);
    gol_json_end_array(j);
}

void gol_shape_put_token_ids(gol_json *j, const gol_choice *c, const gol_piece *piece)
{
    if (!c->call->params.return_token_ids)
        return;
    if (piece->is_first) {
        gol_json_key(j, "prompt_token_ids");
        put_ids(j, c->prompt_ids, c->n_prompt);
    }
    gol_json_key(j, "token_ids");
    put_ids(j, c->tokens + piece->first_token, piece->end_token - piece->first_token);
}

/* A prompt counts once however many answers it gets; what its first answer found cached is what was saved. */
void gol_shape_put_usage(gol_json *j, const gol_api_call *call)
{
    int64_t n_prompt = 0;
    int64_t n_cached = 0;
    int64_t n_completion = 0;
    for (int32_t i = 0; i < call->n_choices; i++) {
        const gol_choice *c = &call->choices[i];
        n_completion += c->n_taken;
        if (c->is_first_of_prompt) {
            n_prompt += c->n_prompt;
            n_cached += c->seen_cached;
        }
    }
    gol_json_begin_object(j);
    gol_json_put_int(j, "prompt_tokens", n_prompt);
    gol_json_put_int(j, "completion_tokens", n_completion);
    gol_json_put_int(j, "total_tokens", n_prompt + n_completion);
    gol_json_key(j, "prompt_tokens_details");
    gol_json_begin_object(j);
    gol_json_put_int(j, "cached_tokens", n_cached);
    gol_json_end_object(j);
    gol_json_end_object(j);
}
