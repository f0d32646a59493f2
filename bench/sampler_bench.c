/*
 * sampler_bench [n_vocab]: microseconds per draw from one row, the fastest of several, for each way of sampling. Two rows: "peaked",
 * as trained models make them (normal logits of deviation 2.5, and a few likely ones), and "flat" (deviation 0.5), where no filter
 * leaves little.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "engine/sampler.h"

typedef struct way {
    const char *name;
    float temperature;
    float top_p;
    float min_p;
    int32_t top_k;
    bool has_penalty;
    int32_t n_logprobs;
} way;

static const way ways[] = {
    {"greedy", 0.0f, 1.0f, 0.0f, 0, false, -1},
    {"greedy, 20 logprobs", 0.0f, 1.0f, 0.0f, 0, false, 20},
    {"temperature", 0.8f, 1.0f, 0.0f, 0, false, -1},
    {"top_k 40", 0.8f, 1.0f, 0.0f, 40, false, -1},
    {"top_p 0.95", 0.8f, 0.95f, 0.0f, 0, false, -1},
    {"min_p 0.05", 0.8f, 1.0f, 0.05f, 0, false, -1},
    {"top_k 40, top_p 0.95, min_p 0.05", 0.8f, 0.95f, 0.05f, 40, false, -1},
    {"the same with penalties", 0.8f, 0.95f, 0.05f, 40, true, -1},
};

static double time_draws(gol_sampler *s, const float *logits, const way *w,
                         const gol_token_counts *counts)
{
    enum { N_DRAWS = 40 };
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    p.temperature = w->temperature;
    p.top_p = w->top_p;
    p.min_p = w->min_p;
    p.top_k = w->top_k;
    p.repetition_penalty = w->has_penalty ? 1.1f : 1.0f;
    uint64_t best = UINT64_MAX;
    for (int32_t i = 0; i < N_DRAWS; i++) {
        const gol_draw d = {.params = &p,
                            .counts = w->has_penalty ? counts : NULL,
                            .position = i,
                            .n_logprobs = w->n_logprobs};
        gol_sample sample;
        const uint64_t start = gol_clock_ns();
        gol_sampler_draw(s, &sample, logits, &d);
        const uint64_t ns = gol_clock_ns() - start;
        best = ns < best ? ns : best;
    }
    return (double)best / 1000.0;
}

static void fill(float *logits, int32_t n, double deviation, bool is_peaked)
{
    gol_rng rng = {.key = 1};
    for (int32_t i = 0; i < n; i++)
        logits[i] = (float)(deviation * gol_rng_next_normal(&rng));
    for (int32_t i = 0; is_peaked && i < 8; i++)
        logits[gol_rng_below(&rng, (uint64_t)n)] = 16.0f - (float)i;
}

int main(int argc, char **argv)
{
    const int32_t n_vocab = argc > 1 ? atoi(argv[1]) : 131072;
    gol_sampler s;
    gol_token_counts counts;
    float *logits = calloc((size_t)(n_vocab > 0 ? n_vocab : 1), sizeof *logits);
    if (n_vocab < 1 || !logits || gol_sampler_init(&s, n_vocab, NULL) < 0 ||
        gol_token_counts_init(&counts, n_vocab, NULL) < 0) {
        fprintf(stderr, "usage: sampler_bench [n_vocab]\n");
        return 1;
    }
    for (int32_t i = 0; i < 500; i++)
        gol_token_counts_add_output(&counts, i * 7 % n_vocab);
    printf("%d tokens, microseconds per draw %27s %10s\n", n_vocab, "peaked", "flat");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        fill(logits, n_vocab, 2.5, true);
        const double peaked = time_draws(&s, logits, &ways[i], &counts);
        fill(logits, n_vocab, 0.5, false);
        printf("%-50s %10.1f %10.1f\n", ways[i].name, peaked,
               time_draws(&s, logits, &ways[i], &counts));
    }
    gol_token_counts_deinit(&counts);
    gol_sampler_deinit(&s);
    free(logits);
    return 0;
}
