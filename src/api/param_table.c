/*
 * The table of request fields. A field that some other server understands and that changes the answer stands here as
 * refused until it is implemented: dropping it in silence would answer another question than the one asked.
 */
#include "api/param_table.h"

#include <stdint.h>

#include "api/params.h"
#include "engine/request.h"

#define AT(field) offsetof(gol_params, field)

enum {
    ANY_ROUTE = GOL_PARAM_BOTH,
    OFF = GOL_NEUTRAL_FALSE,
    EMPTY = GOL_NEUTRAL_EMPTY,
    ZERO = GOL_NEUTRAL_ZERO,
    ONE = GOL_NEUTRAL_ONE,
    TOOLS = GOL_NEUTRAL_EMPTY | GOL_NEUTRAL_TOOLS_OFF,
};

#define ELSEWHERE(name, routes)                                                                    \
    {                                                                                              \
        name, GOL_PARAM_ELSEWHERE, routes, 0, 0, 0, false, 0, NULL                                 \
    }
#define NO_EFFECT(name)                                                                            \
    {                                                                                              \
        name, GOL_PARAM_NO_EFFECT, ANY_ROUTE, 0, 0, 0, false, 0, NULL                              \
    }
#define BOOL(name, routes, field)                                                                  \
    {                                                                                              \
        name, GOL_PARAM_BOOL, routes, AT(field), 0, 0, false, 0, NULL                              \
    }
#define INT(name, routes, field, min, max)                                                         \
    {                                                                                              \
        name, GOL_PARAM_INT, routes, AT(field), min, max, false, 0, NULL                           \
    }
#define FLOAT(name, field, min, max)                                                               \
    {                                                                                              \
        name, GOL_PARAM_FLOAT, ANY_ROUTE, AT(field), min, max, false, 0, NULL                      \
    }
#define FLOAT_ABOVE(name, field, min, max)                                                         \
    {                                                                                              \
        name, GOL_PARAM_FLOAT, ANY_ROUTE, AT(field), min, max, true, 0, NULL                       \
    }
#define SPECIAL(name, kind)                                                                        \
    {                                                                                              \
        name, kind, ANY_ROUTE, 0, 0, 0, false, 0, NULL                                             \
    }
#define REFUSED(name, neutral)                                                                     \
    {                                                                                              \
        name, GOL_PARAM_REFUSED, ANY_ROUTE, 0, 0, 0, false, neutral, NULL                          \
    }
#define REFUSED_AT(name, routes, neutral, hint)                                                    \
    {                                                                                              \
        name, GOL_PARAM_REFUSED, routes, 0, 0, 0, false, neutral, hint                             \
    }

const gol_param gol_param_table[] = {
    ELSEWHERE("model", ANY_ROUTE),
    ELSEWHERE("prompt", GOL_PARAM_COMPLETIONS),
    ELSEWHERE("messages", GOL_PARAM_CHAT),

    FLOAT("temperature", sampling.temperature, 0, 100),
    FLOAT_ABOVE("top_p", sampling.top_p, 0, 1),
    FLOAT("min_p", sampling.min_p, 0, 1),
    INT("top_k", ANY_ROUTE, sampling.top_k, -1, INT32_MAX),
    FLOAT_ABOVE("repetition_penalty", sampling.repetition_penalty, 0, 100),
    FLOAT("presence_penalty", sampling.presence_penalty, -2, 2),
    FLOAT("frequency_penalty", sampling.frequency_penalty, -2, 2),
    SPECIAL("seed", GOL_PARAM_SEED),

    INT("max_tokens", ANY_ROUTE, max_tokens, 1, INT32_MAX),
    INT("max_completion_tokens", ANY_ROUTE, max_completion_tokens, 1, INT32_MAX),
    INT("min_tokens", ANY_ROUTE, min_tokens, 0, INT32_MAX),
    INT("n", ANY_ROUTE, n, 1, GOL_PARAM_N_MAX),
    SPECIAL("stop", GOL_PARAM_STOP),
    SPECIAL("stop_token_ids", GOL_PARAM_STOP_IDS),
    BOOL("include_stop_str_in_output", ANY_ROUTE, include_stop),
    BOOL("ignore_eos", ANY_ROUTE, ignore_eos),

    BOOL("stream", ANY_ROUTE, stream),
    SPECIAL("stream_options", GOL_PARAM_STREAM_OPTIONS),
    INT("logprobs", GOL_PARAM_COMPLETIONS, n_logprobs, 0, GOL_LOGPROBS_MAX),
    BOOL("logprobs", GOL_PARAM_CHAT, chat_logprobs),
    INT("top_logprobs", GOL_PARAM_CHAT, top_logprobs, 0, GOL_LOGPROBS_MAX),
    BOOL("echo", GOL_PARAM_COMPLETIONS, echo),
    BOOL("skip_special_tokens", ANY_ROUTE, skip_special),
    BOOL("add_special_tokens", ANY_ROUTE, add_special),
    BOOL("return_token_ids", ANY_ROUTE, return_token_ids),

    NO_EFFECT("user"),
    NO_EFFECT("metadata"),
    NO_EFFECT("store"),
    NO_EFFECT("service_tier"),
    NO_EFFECT("safety_identifier"),
    NO_EFFECT("prompt_cache_key"),
    NO_EFFECT("parallel_tool_calls"),
    NO_EFFECT("spaces_between_special_tokens"),

    /* Whose answer is it: choosing among candidates, forcing and forbidding tokens. */
    REFUSED_AT("best_of", ANY_ROUTE, ONE | GOL_NEUTRAL_SAME_AS_N, NULL),
    REFUSED("use_beam_search", OFF),
    REFUSED("length_penalty", ONE),
    REFUSED("logit_bias", EMPTY),
    REFUSED("allowed_token_ids", EMPTY),
    REFUSED("bad_words", EMPTY),
    REFUSED("logits_processors", EMPTY),
    REFUSED("repetition_detection", 0),
    REFUSED("thinking_token_budget", GOL_NEUTRAL_NEGATIVE),
    REFUSED("reasoning_effort", GOL_NEUTRAL_NONE),

    /* Constrained output. */
    REFUSED("response_format", GOL_NEUTRAL_TEXT),
    REFUSED("structured_outputs", EMPTY),
    REFUSED("grammar", EMPTY),
    REFUSED("json_schema", EMPTY),
    REFUSED("guided_json", EMPTY),
    REFUSED("guided_regex", EMPTY),
    REFUSED("guided_choice", EMPTY),
    REFUSED("guided_grammar", EMPTY),

    /* Tools, and other kinds of content. */
    REFUSED("tools", TOOLS),
    REFUSED("tool_choice", GOL_NEUTRAL_NONE | GOL_NEUTRAL_AUTO),
    REFUSED("functions", EMPTY),
    REFUSED("function_call", GOL_NEUTRAL_NONE | GOL_NEUTRAL_AUTO),
    REFUSED("modalities", GOL_NEUTRAL_TEXT),
    REFUSED("audio", 0),
    REFUSED("web_search_options", 0),

    /* The prompt. */
    REFUSED_AT("suffix", GOL_PARAM_COMPLETIONS, EMPTY, NULL),
    REFUSED_AT("prompt_embeds", GOL_PARAM_COMPLETIONS, 0, NULL),
    REFUSED_AT("echo", GOL_PARAM_CHAT, OFF, NULL),
    REFUSED_AT("chat_template", GOL_PARAM_CHAT, 0, NULL),
    REFUSED_AT("chat_template_kwargs", GOL_PARAM_CHAT, EMPTY, NULL),
    REFUSED_AT("documents", GOL_PARAM_CHAT, EMPTY, NULL),
    REFUSED_AT("add_generation_prompt", GOL_PARAM_CHAT, GOL_NEUTRAL_TRUE, NULL),
    REFUSED_AT("continue_final_message", GOL_PARAM_CHAT, OFF, NULL),
    REFUSED("truncate_prompt_tokens", 0),
    REFUSED("prompt_logprobs", OFF),
    REFUSED("cache_salt", EMPTY),

    /* What comes back. */
    REFUSED_AT("top_logprobs", GOL_PARAM_COMPLETIONS, ZERO, "use logprobs"),
    REFUSED("logprob_token_ids", EMPTY),
    REFUSED("return_tokens_as_token_ids", OFF),
    REFUSED("return_token_offsets", OFF),

    /* llama.cpp's names. */
    REFUSED_AT("n_predict", ANY_ROUTE, GOL_NEUTRAL_NEGATIVE, "use max_tokens"),
    REFUSED_AT("n_probs", ANY_ROUTE, ZERO, "use logprobs"),
    REFUSED_AT("repeat_penalty", ANY_ROUTE, ONE, "use repetition_penalty"),
    REFUSED("typical_p", ONE),
    REFUSED("top_n_sigma", ZERO | GOL_NEUTRAL_NEGATIVE),
    REFUSED("dynatemp_range", ZERO),
    REFUSED("xtc_probability", ZERO),
    REFUSED("dry_multiplier", ZERO),
    REFUSED("mirostat", ZERO),
    REFUSED("adaptive_target", GOL_NEUTRAL_NEGATIVE),
    REFUSED("samplers", EMPTY),
    REFUSED("min_keep", ZERO),
    REFUSED("n_keep", ZERO),
    REFUSED("n_discard", ZERO),
    REFUSED("n_indent", ZERO),
    REFUSED("t_max_predict_ms", ZERO | GOL_NEUTRAL_NEGATIVE),
    REFUSED("lora", EMPTY),
};

const size_t gol_param_table_n = sizeof gol_param_table / sizeof *gol_param_table;

const gol_param *gol_param_find(gol_str name, unsigned route)
{
    for (size_t i = 0; i < gol_param_table_n; i++) {
        const gol_param *row = &gol_param_table[i];
        if ((row->routes & route) != 0 && gol_str_is(name, row->name))
            return row;
    }
    return NULL;
}
