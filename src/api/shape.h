/* What the two shapes of answers share (api/call.h declares gol_shape). */
#ifndef GOL_API_SHAPE_H
#define GOL_API_SHAPE_H

#include "api/call.h"

extern const gol_shape gol_shape_completion; /* text_completion */
extern const gol_shape gol_shape_chat;       /* chat.completion */

/* {"id","object","created","model","system_fingerprint": the members before "choices", inside an object that is open. */
void gol_shape_put_head(gol_json *j, const gol_api_call *call, const char *object);

/* Members of a choice. */
void gol_shape_put_finish(gol_json *j, const gol_choice *c, bool has_finished);
void gol_shape_put_token_ids(gol_json *j, const gol_choice *c, const gol_piece *piece);

/* {"prompt_tokens","completion_tokens","total_tokens","prompt_tokens_details":{"cached_tokens"}} */
void gol_shape_put_usage(gol_json *j, const gol_api_call *call);

#endif
