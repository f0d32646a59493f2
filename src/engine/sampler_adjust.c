/*
 * Everything that changes single logits before the draw: biases, penalties, bans. The model's row is left as it is; most requests
 * draw from that very row.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/sampler_parts.h"

/* Changes may be large; the row stays finite. */
static float clamp_finite(float x)
{
    if (x > FLT_MAX)
        return FLT_MAX;
    return x < -FLT_MAX ? -FLT_MAX : x;
}

static float penalize(float logit, const gol_sampling_params *p, const gol_token_count *entry)
{
    const float r = entry->n_window > 0 ? p->repetition_penalty : 1.0f;
    float x = logit > 0.0f ? logit / r : logit * r;
    if (entry->n_output > 0)
        x -= p->presence_penalty + p->frequency_penalty * (float)entry->n_output;
    return clamp_finite(x);
}

static void add_biases(float *row, const gol_sampling_extras *x)
{
    for (int32_t i = 0; i < x->n_logit_bias; i++) {
        const gol_logit_bias *b = &x->logit_bias[i];
        if (b->bias != -INFINITY)
            row[b->token] = clamp_finite(row[b->token] + b->bias);
    }
}

/* scratch: [n_vocab] */
static void ban_all_but(float *row, int32_t n_vocab, const int32_t *allowed, int32_t n_allowed,
                        float *scratch)
{
    for (int32_t i = 0; i < n_allowed; i++)
        scratch[i] = row[allowed[i]];
    for (int32_t i = 0; i < n_vocab; i++)
        row[i] = -INFINITY;
    for (int32_t i = 0; i < n_allowed; i++)
        row[allowed[i]] = scratch[i];
}

/* output: [n_output] */
static void ban_bad_words(float *row, const gol_phrases *words, const int32_t *output,
                          int32_t n_output)
{
    for (int32_t i = 0; i < words->n; i++) {
        const int32_t *tokens;
        const int32_t n_before = gol_phrase_get(words, i, &tokens) - 1;
        if (n_before <= n_output &&
            memcmp(output + n_output - n_before, tokens, (size_t)n_before * sizeof *tokens) == 0)
            row[tokens[n_before]] = -INFINITY;
    }
}

static void ban(gol_sampler *s, const gol_draw *draw)
{
    const gol_sampling_extras *x = &draw->extras->params;
    if (x->n_allowed > 0)
        ban_all_but(s->logits, s->n_vocab, x->allowed, x->n_allowed, s->candidates.weights);
    for (int32_t i = 0; i < x->n_logit_bias; i++)
        if (x->logit_bias[i].bias == -INFINITY)
            s->logits[x->logit_bias[i].token] = -INFINITY;
    if (x->bad_words.n > 0)
        ban_bad_words(s->logits, &x->bad_words, draw->tokens + draw->n_prompt,
                      draw->position - draw->n_prompt);
}

static bool has_changes(const gol_seq_extras *x)
{
    return x->params.n_logit_bias > 0 || x->params.n_allowed > 0 || x->params.bad_words.n > 0 ||
           x->has_dry;
}

const float *gol_sampler_adjust(gol_sampler *s, const float *logits, const gol_draw *draw)
{
    const gol_seq_extras *x = draw->extras && has_changes(draw->extras) ? draw->extras : NULL;
    if (!draw->counts && draw->n_banned == 0 && !x)
        return logits;
    memcpy(s->logits, logits, (size_t)s->n_vocab * sizeof *logits);
    if (x)
        add_biases(s->logits, &x->params);
    if (draw->counts) {
        for (int32_t i = 0; i < draw->counts->n_entries; i++) {
            const gol_token_count *entry = &draw->counts->entries[i];
            float *logit = &s->logits[entry->token];
            *logit = penalize(*logit, draw->params, entry);
        }
    }
    if (x && x->has_dry)
        gol_dry_penalize(s->logits, s->candidates.ids, x, draw->tokens, draw->position);
    if (x)
        ban(s, draw);
    for (int32_t i = 0; i < draw->n_banned; i++)
        s->logits[draw->banned[i]] = -INFINITY;
    return s->logits;
}
