/*
 * POST /v1/completions: prompts in one of four forms -> token ids -> requests.
 */
#include "api/generate.h"
#include "api/param_table.h"
#include "api/route.h"
#include "api/shape.h"

enum { MAX_TOKENS_DEFAULT = 16 }; /* OpenAI's */

int gol_completions_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    int rc = gol_generate_read_params(call, root, GOL_PARAM_COMPLETIONS, error);
    if (rc != 0)
        return rc;
    gol_generation g = {.shape = &gol_shape_completion, .max_tokens = MAX_TOKENS_DEFAULT};
    const gol_prompt_reader reader = gol_generate_prompt_reader(call, g.max_tokens);
    rc = gol_prompts_parse(&g.prompts, &reader, json_object_get(root, "prompt"), error);
    if (rc != 0)
        return rc;
    return gol_generate_start(call, &g, error);
}
