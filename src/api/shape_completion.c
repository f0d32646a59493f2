/*
 * text_completion: {"index","text","logprobs","finish_reason","stop_reason"} for every choice, whole or in pieces.
 */
#include "api/logprobs_json.h"
#include "api/shape.h"

static void put_piece(gol_json *j, const gol_choice *c, const gol_piece *piece)
{
    gol_json_begin_object(j);
    gol_json_put_int(j, "index", c->index);
    gol_json_put_string(j, "text", piece->text);
    gol_json_key(j, "logprobs");
    gol_logprobs_put_legacy(j, c, piece->first_token, piece->end_token,
                            piece->is_first && c->call->params.echo);
    gol_shape_put_finish(j, c, piece->is_last);
    gol_shape_put_token_ids(j, c, piece);
    if (piece->is_last)
        gol_logprobs_put_prompt(j, c); /* never in a stream */
    gol_json_end_object(j);
}

const gol_shape gol_shape_completion = {
    .id_prefix = "cmpl-",
    .object = "text_completion",
    .chunk_object = "text_completion",
    .put_choice = put_piece, /* a whole answer is one piece */
    .put_piece = put_piece,
};
