/* Log-probabilities in OpenAI's two shapes, for tokens[first .. end) of a choice; null when none were asked for. And those of its
 * prompt, in vLLM's. */
#ifndef GOL_API_LOGPROBS_JSON_H
#define GOL_API_LOGPROBS_JSON_H

#include "api/choice.h"
#include "base/json_out.h"

/* {"content":[{"token","logprob","bytes","top_logprobs":[...]}],"refusal":null} */
void gol_logprobs_put_chat(gol_json *j, const gol_choice *c, int32_t first, int32_t end);

/* {"tokens":[...],"token_logprobs":[...],"top_logprobs":[{token: logprob}],"text_offset":[...]}; offsets count characters of
 * the choice's text. with_prompt: the prompt's tokens stand in front, the first with null for what nobody can say. */
void gol_logprobs_put_legacy(gol_json *j, const gol_choice *c, int32_t first, int32_t end,
                             bool with_prompt);

/* "prompt_logprobs": [null, {"ID": {"logprob","rank","decoded_token"}, ...}, ...], the prompt's own token and then the most likely
 * others; no member at all when they were not asked for. */
void gol_logprobs_put_prompt(gol_json *j, const gol_choice *c);

#endif
