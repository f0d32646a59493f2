/*
 * chat.completion, and chat.completion.chunk with its deltas: the role first, then content, then an empty delta with the
 * finish_reason.
 */
#include "api/logprobs_json.h"
#include "api/shape.h"

static void put_index(gol_json *j, const gol_choice *c)
{
    gol_json_begin_object(j);
    gol_json_put_int(j, "index", c->index);
}

static void put_rest(gol_json *j, const gol_choice *c, const gol_piece *piece)
{
    gol_json_key(j, "logprobs");
    if (piece->is_first && !piece->is_last)
        gol_json_null(j); /* no token yet */
    else
        gol_logprobs_put_chat(j, c, piece->first_token, piece->end_token);
    gol_shape_put_finish(j, c, piece->is_last);
    gol_shape_put_token_ids(j, c, piece);
    gol_json_end_object(j);
}

static void put_choice(gol_json *j, const gol_choice *c, const gol_piece *piece)
{
    put_index(j, c);
    gol_json_key(j, "message");
    gol_json_begin_object(j);
    gol_json_put_cstr(j, "role", "assistant");
    gol_json_put_string(j, "content", piece->text);
    gol_json_put_null(j, "refusal");
    gol_json_end_object(j);
    put_rest(j, c, piece);
}

static void put_piece(gol_json *j, const gol_choice *c, const gol_piece *piece)
{
    put_index(j, c);
    gol_json_key(j, "delta");
    gol_json_begin_object(j);
    if (piece->is_first) {
        gol_json_put_cstr(j, "role", "assistant");
    }
    if (!piece->is_last) {
        gol_json_put_string(j, "content", piece->text);
    }
    gol_json_end_object(j);
    put_rest(j, c, piece);
}

static void put_tail(gol_json *j, const gol_api_call *call)
{
    gol_logprobs_put_prompt(j, &call->choices[0]); /* there is one prompt */
}

const gol_shape gol_shape_chat = {
    .id_prefix = "chatcmpl-",
    .object = "chat.completion",
    .chunk_object = "chat.completion.chunk",
    .has_opening = true,
    .put_choice = put_choice,
    .put_piece = put_piece,
    .put_tail = put_tail,
};
