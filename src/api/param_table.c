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
        name, GOL_PARAM_ELSEWHERE, routes, 0, 0, 0, false, 0, NULL, NULL                           \
    }
#define NO_EFFECT(name)                                                                            \
    {                                                                                              \
        name, GOL_PARAM_NO_EFFECT, ANY_ROUTE, 0, 0, 0, false, 0, NULL, NULL                        \
    }
#define BOOL(name, routes, field)                                                                  \
    {                                                                                              \
        name, GOL_PARAM_BOOL, routes, AT(field), 0, 0, false, 0, NULL, NULL                        \
    }
#define INT(name, routes, field, min, max)                                                         \
    {                                                                                              \
        name, GOL_PARAM_INT, routes, AT(field), min, max, false, 0, NULL, NULL                     \
    }
#define FLOAT(name, field, min, max)                                                               \
    {                                                                                              \
        name, GOL_PARAM_FLOAT, ANY_ROUTE, AT(field), min, max, false, 0, NULL, NULL                \
    }
#define FLOAT_ABOVE(name, field, min, max)                                                         \
    {                                                                                              \
        name, GOL_PARAM_FLOAT, ANY_ROUTE, AT(field), min, max, true, 0, NULL, NULL                 \
    }
#define ALIAS(name, kind, field, min, max, is_above, other)                                        \
    {                                                                                              \
        name, kind, ANY_ROUTE, AT(field), min, max, is_above, 0, NULL, other                       \
    }
#define WORDS(name, field, max)                                                                    \
    {                                                                                              \
        name, GOL_PARAM_WORDS, ANY_ROUTE, AT(field), 0, max, false, 0, NULL, NULL                  \
    }
#define SPECIAL(name, kind)                                                                        \
    {                                                                                              \
        name, kind, ANY_ROUTE, 0, 0, 0, false, 0, NULL, NULL                                       \
    }
#define REFUSED(name, neutral)                                                                     \
    {                                                                                              \
        name, GOL_PARAM_REFUSED, ANY_ROUTE, 0, 0, 0, false, neutral, NULL, NULL                    \
    }
#define REFUSED_AT(name, routes, neutral, hint)                                                    \
    {                                                                                              \
        name, GOL_PARAM_REFUSED, routes, 0, 0, 0, false, neutral, hint, NULL                       \
    }

const gol_param gol_param_table[] = {
    ELSEWHERE("model", ANY_ROUTE),
    ELSEWHERE("prompt", GOL_PARAM_COMPLETIONS),
    ELSEWHERE("messages", GOL_PARAM_CHAT),
    ELSEWHERE("tools", GOL_PARAM_CHAT),
    ELSEWHERE("documents", GOL_PARAM_CHAT),
    ELSEWHERE("reasoning_effort", GOL_PARAM_CHAT),
    ELSEWHERE("chat_template", GOL_PARAM_CHAT),
    ELSEWHERE("chat_template_kwargs", GOL_PARAM_CHAT),
    ELSEWHERE("add_generation_prompt", GOL_PARAM_CHAT),
    ELSEWHERE("continue_final_message", GOL_PARAM_CHAT),

    FLOAT("temperature", sampling.temperature, 0, 100),
    FLOAT_ABOVE("top_p", sampling.top_p, 0, 1),
    FLOAT("min_p", sampling.min_p, 0, 1),
    INT("top_k", ANY_ROUTE, sampling.top_k, -1, INT32_MAX),
    FLOAT_ABOVE("repetition_penalty", sampling.repetition_penalty, 0, 100),
    FLOAT("presence_penalty", sampling.presence_penalty, -2, 2),
    FLOAT("frequency_penalty", sampling.frequency_penalty, -2, 2),
    SPECIAL("seed", GOL_PARAM_SEED),

    ALIAS("repeat_penalty", GOL_PARAM_FLOAT, sampling.repetition_penalty, 0, 100, true,
          "repetition_penalty"),
    INT("repeat_last_n", ANY_ROUTE, extras.repeat_last_n, -1, INT32_MAX),
    FLOAT("top_n_sigma", extras.top_n_sigma, -1, 100),
    FLOAT_ABOVE("typical_p", extras.typical_p, 0, 1),
    FLOAT("xtc_probability", extras.xtc_probability, 0, 1),
    FLOAT("xtc_threshold", extras.xtc_threshold, 0, 1),
    FLOAT("dynatemp_range", extras.dynatemp_range, 0, 100),
    FLOAT("dynatemp_exponent", extras.dynatemp_exponent, 0, 100),
    INT("mirostat", ANY_ROUTE, extras.mirostat, 0, 2),
    FLOAT("mirostat_tau", extras.mirostat_tau, 0, 1000),
    FLOAT("mirostat_eta", extras.mirostat_eta, 0, 100),
    FLOAT("dry_multiplier", extras.dry_multiplier, 0, 100),
    FLOAT("dry_base", extras.dry_base, 1, 100),
    INT("dry_allowed_length", ANY_ROUTE, extras.dry_allowed_length, 0, INT32_MAX),
    INT("dry_penalty_last_n", ANY_ROUTE, extras.dry_penalty_last_n, -1, INT32_MAX),
    WORDS("dry_sequence_breakers", dry_breakers, GOL_PARAM_BREAKERS_MAX),
    SPECIAL("samplers", GOL_PARAM_SAMPLERS),
    SPECIAL("logit_bias", GOL_PARAM_LOGIT_BIAS),
    SPECIAL("allowed_token_ids", GOL_PARAM_ALLOWED_IDS),
    WORDS("bad_words", bad_words, GOL_PARAM_BAD_WORDS_MAX),

    INT("max_tokens", ANY_ROUTE, max_tokens, 0, INT32_MAX),
    INT("max_completion_tokens", ANY_ROUTE, max_completion_tokens, 0, INT32_MAX),
    ALIAS("n_predict", GOL_PARAM_INT, n_predict, -1, INT32_MAX, false, "max_tokens"),
    ALIAS("num_predict", GOL_PARAM_INT, n_predict, -1, INT32_MAX, false, "max_tokens"),
    INT("min_tokens", ANY_ROUTE, min_tokens, 0, INT32_MAX),
    INT("n", ANY_ROUTE, n, 1, GOL_PARAM_N_MAX),
    INT("best_of", GOL_PARAM_COMPLETIONS, best_of, 1, GOL_PARAM_N_MAX),
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
    BOOL("return_tokens_as_token_ids", ANY_ROUTE, tokens_as_ids),
    INT("prompt_logprobs", ANY_ROUTE, n_prompt_logprobs, 0, GOL_LOGPROBS_MAX),
    INT("truncate_prompt_tokens", ANY_ROUTE, n_prompt_keep, -1, INT32_MAX),
    INT("priority", ANY_ROUTE, priority, INT32_MIN, INT32_MAX),

    SPECIAL("cache_salt", GOL_PARAM_CACHE_SALT),
    BOOL("cache_prompt", ANY_ROUTE, cache_prompt),

    NO_EFFECT("user"),
    NO_EFFECT("metadata"),
    NO_EFFECT("store"),
    NO_EFFECT("service_tier"),
    NO_EFFECT("safety_identifier"),
    NO_EFFECT("prompt_cache_key"),
    NO_EFFECT("parallel_tool_calls"),
    NO_EFFECT("spaces_between_special_tokens"),

    /* Whose answer is it: choosing among candidates. */
    REFUSED_AT("best_of", GOL_PARAM_CHAT, ONE | GOL_NEUTRAL_SAME_AS_N, "use /v1/completions"),
    REFUSED("use_beam_search", OFF),
    REFUSED("length_penalty", ONE),
    REFUSED("logits_processors", EMPTY),
    REFUSED("repetition_detection", 0),
    REFUSED("thinking_token_budget", GOL_NEUTRAL_NEGATIVE),

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
    REFUSED_AT("tools", GOL_PARAM_COMPLETIONS, TOOLS, NULL),
    REFUSED_AT("reasoning_effort", GOL_PARAM_COMPLETIONS, GOL_NEUTRAL_NONE, NULL),
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

    /* What comes back. */
    REFUSED_AT("top_logprobs", GOL_PARAM_COMPLETIONS, ZERO, "use logprobs"),
    REFUSED("logprob_token_ids", EMPTY),
    REFUSED("return_token_offsets", OFF),

    /* llama.cpp's names. */
    REFUSED_AT("n_probs", ANY_ROUTE, ZERO, "use logprobs"),
    REFUSED("adaptive_target", GOL_NEUTRAL_NEGATIVE),
    REFUSED("min_keep", ZERO | ONE),
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
