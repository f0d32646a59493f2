/* Log-probabilities in OpenAI's two shapes, for tokens[first .. end) of a choice; null when none were asked for. */
#ifndef GOL_API_LOGPROBS_JSON_H
#define GOL_API_LOGPROBS_JSON_H

#include "api/choice.h"
#include "base/json_out.h"

/* {"content":[{"token","logprob","bytes","top_logprobs":[...]}],"refusal":null} */
void gol_logprobs_put_chat(gol_json *j, const gol_choice *c, int32_t first, int32_t end);

/* {"tokens":[...],"token_logprobs":[...],"top_logprobs":[{token: logprob}],"text_offset":[...]}; offsets count characters of
 * the choice's text. */
void gol_logprobs_put_legacy(gol_json *j, const gol_choice *c, int32_t first, int32_t end);

#endif
