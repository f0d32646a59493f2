/*
 * Ranges of sampling_extras.h, and that one token at least can always be drawn: a token that no list can ever ban, so that the
 * sampler need not ask at every step.
 */
#include "engine/extras_check.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "engine/check_range.h"
#include "engine/seq_extras.h"

static int check_logit_bias(const gol_sampling_extras *x, int32_t n_vocab, gol_err *err)
{
    const int rc = gol_check_i32("n_logit_bias", x->n_logit_bias, 0, GOL_LOGIT_BIAS_MAX, err);
    if (rc != 0)
        return rc;
    for (int32_t i = 0; i < x->n_logit_bias; i++) {
        const gol_logit_bias *b = &x->logit_bias[i];
        if (b->token < 0 || b->token >= n_vocab)
            return gol_fail(err, GOL_EINVAL,
                            "logit_bias[%d] is of token %d, the model's token ids are 0 to %d", i,
                            b->token, n_vocab - 1);
        if (!(b->bias >= -100.0f && b->bias <= 100.0f) && b->bias != -INFINITY)
            return gol_fail(err, GOL_EINVAL,
                            "logit_bias of token %d is %g, -100 to 100 is accepted", b->token,
                            (double)b->bias);
    }
    return 0;
}

static int check_phrases(const char *field, const gol_phrases *phrases, int32_t n_vocab,
                         gol_err *err)
{
    int rc = gol_check_i32(field, phrases->n, 0, GOL_PHRASES_MAX, err);
    int32_t begin = 0;
    for (int32_t i = 0; i < phrases->n && rc == 0; i++) {
        const int32_t n = phrases->ends[i] - begin;
        if (n < 1 || n > GOL_PHRASE_TOKENS_MAX)
            return gol_fail(err, GOL_EINVAL, "%s[%d] has %d tokens, 1 to %d are accepted", field, i,
                            n, GOL_PHRASE_TOKENS_MAX);
        rc = gol_check_ids(field, phrases->tokens + begin, n, n_vocab, err);
        begin = phrases->ends[i];
    }
    return rc;
}

static int check_lists(const gol_sampling_extras *x, int32_t n_vocab, gol_err *err)
{
    int rc = check_logit_bias(x, n_vocab, err);
    if (rc == 0)
        rc = gol_check_i32("n_allowed", x->n_allowed, 0, n_vocab, err);
    if (rc == 0)
        rc = gol_check_ids("allowed_token_ids", x->allowed, x->n_allowed, n_vocab, err);
    if (rc == 0)
        rc = check_phrases("bad_words", &x->bad_words, n_vocab, err);
    if (rc == 0)
        rc = check_phrases("dry_sequence_breakers", &x->dry_breakers, n_vocab, err);
    return rc;
}

static int check_filters(const gol_sampling_extras *x, gol_err *err)
{
    int rc = gol_check_i32("repeat_last_n", x->repeat_last_n, -1, INT32_MAX, err);
    if (rc == 0)
        rc = gol_check_i32("order", (int32_t)x->order, 0, GOL_ORDER_TEMPERATURE_LAST, err);
    if (rc == 0)
        rc = gol_check_f32("top_n_sigma", x->top_n_sigma, 0.0f, 1e6f, err);
    if (rc == 0)
        rc = gol_check_positive("typical_p", x->typical_p, 1.0f, err);
    if (rc == 0)
        rc = gol_check_f32("xtc_probability", x->xtc_probability, 0.0f, 1.0f, err);
    if (rc == 0)
        rc = gol_check_f32("xtc_threshold", x->xtc_threshold, 0.0f, 1.0f, err);
    if (rc == 0)
        rc = gol_check_f32("dynatemp_range", x->dynatemp_range, 0.0f, 1e6f, err);
    if (rc == 0)
        rc = gol_check_f32("dynatemp_exponent", x->dynatemp_exponent, 0.0f, 100.0f, err);
    return rc;
}

static int check_mirostat_and_dry(const gol_sampling_extras *x, gol_err *err)
{
    int rc = gol_check_i32("mirostat", x->mirostat, 0, 2, err);
    if (rc == 0)
        rc = gol_check_f32("mirostat_tau", x->mirostat_tau, 0.0f, 1000.0f, err);
    if (rc == 0)
        rc = gol_check_f32("mirostat_eta", x->mirostat_eta, 0.0f, 100.0f, err);
    if (rc == 0)
        rc = gol_check_f32("dry_multiplier", x->dry_multiplier, 0.0f, 1e6f, err);
    if (rc == 0)
        rc = gol_check_f32("dry_base", x->dry_base, 1.0f, 1e6f, err);
    if (rc == 0)
        rc = gol_check_i32("dry_allowed_length", x->dry_allowed_length, 0, INT32_MAX, err);
    if (rc == 0)
        rc = gol_check_i32("dry_penalty_last_n", x->dry_penalty_last_n, -1, INT32_MAX, err);
    return rc;
}

static void set_bit(uint64_t *bits, int32_t i, bool value)
{
    const uint64_t bit = (uint64_t)1 << (i % 64);
    bits[i / 64] = value ? bits[i / 64] | bit : bits[i / 64] & ~bit;
}

/* is_banned: [n_vocab / 64 + 1] zeroed */
static bool has_token_to_draw(const gol_request *request, int32_t n_vocab, uint64_t *is_banned)
{
    const gol_sampling_extras *x = request->sampling.extras;
    for (int32_t i = 0; i < n_vocab && x->n_allowed > 0; i++)
        set_bit(is_banned, i, true);
    for (int32_t i = 0; i < x->n_allowed; i++)
        set_bit(is_banned, x->allowed[i], false);
    for (int32_t i = 0; i < x->n_logit_bias; i++)
        if (x->logit_bias[i].bias == -INFINITY)
            set_bit(is_banned, x->logit_bias[i].token, true);
    for (int32_t i = 0; i < x->bad_words.n; i++)
        set_bit(is_banned, x->bad_words.tokens[x->bad_words.ends[i] - 1], true);
    for (int32_t i = 0; i < request->n_stop_ids && request->min_tokens > 0; i++)
        set_bit(is_banned, request->stop_ids[i], true);
    for (int32_t i = 0; i < n_vocab; i++)
        if (!gol_seq_extras_has_bit(is_banned, i))
            return true;
    return false;
}

static int check_bans(const gol_request *request, int32_t n_vocab, gol_err *err)
{
    const gol_sampling_extras *x = request->sampling.extras;
    if (x->n_allowed == 0 && x->n_logit_bias == 0 && x->bad_words.n == 0)
        return 0;
    uint64_t *is_banned = gol_try_calloc((size_t)n_vocab / 64 + 1, sizeof *is_banned);
    if (!is_banned)
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling parameters");
    const bool has_one = has_token_to_draw(request, n_vocab, is_banned);
    gol_free(is_banned);
    return has_one ? 0
                   : gol_fail(err, GOL_EINVAL,
                              "allowed_token_ids, logit_bias, bad_words and min_tokens together "
                              "leave no token that can be drawn");
}

int gol_extras_check(const gol_request *request, int32_t n_vocab, gol_err *err)
{
    const gol_sampling_extras *x = request->sampling.extras;
    int rc = check_lists(x, n_vocab, err);
    if (rc == 0)
        rc = check_filters(x, err);
    if (rc == 0)
        rc = check_mirostat_and_dry(x, err);
    if (rc == 0)
        rc = check_bans(request, n_vocab, err);
    return rc;
}
