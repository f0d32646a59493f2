/* One draw with extras, and rows to draw from. */
#ifndef TESTS_UNIT_ENGINE_SAMPLER_TEST_H
#define TESTS_UNIT_ENGINE_SAMPLER_TEST_H

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/sampler.h"
#include "engine/softmax.h"

enum { N_VOCAB_MAX = 2048 };

static inline void fill_normal(float *logits, int32_t n, uint64_t seed, double scale)
{
    gol_rng rng = {.key = seed};
    for (int32_t i = 0; i < n; i++)
        logits[i] = (float)(scale * gol_rng_next_normal(&rng));
}

/* A draw as of a sequence with these parameters: their extras are made as at submit. */
static inline gol_sample draw_as(const float *logits, int32_t n_vocab,
                                 const gol_sampling_params *params, gol_draw d)
{
    gol_sampler s;
    gol_seq_extras *extras;
    assert_int_equal(gol_sampler_init(&s, n_vocab, NULL), 0);
    assert_int_equal(gol_seq_extras_create(&extras, params->extras, n_vocab, d.position + 1, NULL),
                     0);
    d.params = params;
    d.extras = extras;
    d.n_logprobs = -1;
    gol_sample sample;
    assert_true(gol_sampler_draw(&s, &sample, logits, &d));
    gol_seq_extras_destroy(&extras);
    gol_sampler_deinit(&s);
    return sample;
}

static inline gol_sample draw_with(const float *logits, int32_t n_vocab,
                                   const gol_sampling_params *params, int32_t position)
{
    return draw_as(logits, n_vocab, params, (gol_draw){.position = position});
}

/* -infinity in logits stands for a ban. */
static inline gol_sample draw_banned(const float *logits, int32_t n_vocab,
                                     const gol_sampling_params *params, int32_t position)
{
    float finite[64];
    int32_t banned[64];
    gol_draw d = {.position = position, .banned = banned};
    for (int32_t i = 0; i < n_vocab; i++) {
        finite[i] = logits[i] > -INFINITY ? logits[i] : 0.0f;
        if (logits[i] == -INFINITY)
            banned[d.n_banned++] = i;
    }
    return draw_as(finite, n_vocab, params, d);
}

#endif
