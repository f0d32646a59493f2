/* Every field of a request against its range in request.h. Reads the request only. */
#include "engine/request_check.h"

#include <stdbool.h>

#include "engine/check_range.h"
#include "engine/extras_check.h"

/* Ranges where every value has a meaning; the finite upper ends keep the arithmetic of the sampler finite. */
static int check_sampling(const gol_sampling_params *p, gol_err *err)
{
    int rc = gol_check_f32("temperature", p->temperature, 0.0f, 1e6f, err);
    if (rc == 0)
        rc = gol_check_positive("top_p", p->top_p, 1.0f, err);
    if (rc == 0)
        rc = gol_check_f32("min_p", p->min_p, 0.0f, 1.0f, err);
    if (rc == 0)
        rc = gol_check_i32("top_k", p->top_k, 0, INT32_MAX, err);
    if (rc == 0)
        rc = gol_check_positive("repetition_penalty", p->repetition_penalty, 1e6f, err);
    if (rc == 0)
        rc = gol_check_f32("presence_penalty", p->presence_penalty, -2.0f, 2.0f, err);
    if (rc == 0)
        rc = gol_check_f32("frequency_penalty", p->frequency_penalty, -2.0f, 2.0f, err);
    return rc;
}

static int check_scores(const gol_prompt_scores *scores, int32_t n_vocab, gol_err *err)
{
    if (!scores->tokens || (scores->n_top > 0 && !scores->top))
        return gol_fail(err, GOL_EINVAL, "scores has no arrays");
    const int32_t n_top_max = n_vocab < GOL_LOGPROBS_MAX ? n_vocab : GOL_LOGPROBS_MAX;
    return gol_check_i32("scores.n_top", scores->n_top, 0, n_top_max, err);
}

/* Before min_tokens no stop id may be drawn, so some other token must exist. Vocabularies above GOL_STOP_IDS_MAX have one. */
static bool has_token_to_draw(const gol_request *request, int32_t n_vocab)
{
    if (request->min_tokens == 0 || n_vocab > GOL_STOP_IDS_MAX)
        return true;
    uint64_t stops = 0;
    for (int32_t i = 0; i < request->n_stop_ids; i++)
        stops |= (uint64_t)1 << request->stop_ids[i];
    return stops != UINT64_MAX >> (64 - n_vocab);
}

int gol_request_check(const gol_request *request, int32_t max_model_len, int32_t n_vocab,
                      gol_err *err)
{
    int rc = gol_check_i32("n_prompt", request->n_prompt, 1, INT32_MAX, err);
    if (rc == 0)
        rc = gol_check_i32("max_tokens", request->max_tokens, 0, INT32_MAX, err);
    if (rc == 0)
        rc = gol_check_i32("min_tokens", request->min_tokens, 0, request->max_tokens, err);
    if (rc == 0)
        rc = gol_check_i32("n_stop_ids", request->n_stop_ids, 0, GOL_STOP_IDS_MAX, err);
    if (rc == 0)
        rc = gol_check_i32("n_logprobs", request->n_logprobs, -1, GOL_LOGPROBS_MAX, err);
    if (rc == 0)
        rc = check_sampling(&request->sampling, err);
    if (rc != 0)
        return rc;
    if (!request->on_output)
        return gol_fail(err, GOL_EINVAL, "on_output is NULL");
    /* Before the prompt is read: a prompt that is too long is not worth a walk over its tokens. */
    if (request->max_tokens > 0 && request->n_prompt >= max_model_len)
        return gol_fail(err, GOL_ECONTEXT,
                        "the prompt has %d tokens; with one token of answer it needs %lld, the "
                        "context has %d",
                        request->n_prompt, (long long)request->n_prompt + 1, max_model_len);
    if (request->n_prompt > max_model_len)
        return gol_fail(err, GOL_ECONTEXT, "the prompt has %d tokens, the context has %d",
                        request->n_prompt, max_model_len);
    if (request->n_cache_salt > GOL_CACHE_SALT_MAX)
        return gol_fail(err, GOL_EINVAL, "n_cache_salt is %zu, 0 to %d is accepted",
                        request->n_cache_salt, GOL_CACHE_SALT_MAX);
    if (request->scores)
        rc = check_scores(request->scores, n_vocab, err);
    if (rc == 0)
        rc = gol_check_ids("prompt", request->prompt, request->n_prompt, n_vocab, err);
    if (rc == 0)
        rc = gol_check_ids("stop_ids", request->stop_ids, request->n_stop_ids, n_vocab, err);
    if (rc == 0 && !has_token_to_draw(request, n_vocab))
        rc = gol_fail(err, GOL_EINVAL, "min_tokens is %d but stop_ids hold the whole vocabulary",
                      request->min_tokens);
    if (rc == 0 && request->sampling.extras)
        rc = gol_extras_check(request, n_vocab, err);
    return rc;
}
