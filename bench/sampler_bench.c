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
    const gol_sampling_extras *extras; /* NULL: none */
} way;

#define EXTRAS(...)                                                                                \
    &(const gol_sampling_extras)                                                                   \
    {                                                                                              \
        .repeat_last_n = -1, .dynatemp_exponent = 1.0f, .mirostat_tau = 5.0f,                      \
        .mirostat_eta = 0.1f, .dry_base = 1.75f, .dry_penalty_last_n = -1, __VA_ARGS__             \
    }

enum { N_TOKENS = 4096 }; /* prompt and answer so far, for DRY */

static const way ways[] = {
    {"greedy", 0.0f, 1.0f, 0.0f, 0, false, -1, NULL},
    {"greedy, 20 logprobs", 0.0f, 1.0f, 0.0f, 0, false, 20, NULL},
    {"temperature", 0.8f, 1.0f, 0.0f, 0, false, -1, NULL},
    {"top_k 40", 0.8f, 1.0f, 0.0f, 40, false, -1, NULL},
    {"top_p 0.95", 0.8f, 0.95f, 0.0f, 0, false, -1, NULL},
    {"min_p 0.05", 0.8f, 1.0f, 0.05f, 0, false, -1, NULL},
    {"top_k 40, top_p 0.95, min_p 0.05", 0.8f, 0.95f, 0.05f, 40, false, -1, NULL},
    {"the same with penalties", 0.8f, 0.95f, 0.05f, 40, true, -1, NULL},
    {"the same with DRY, 4096 tokens", 0.8f, 0.95f, 0.05f, 40, false, -1,
     EXTRAS(.typical_p = 1.0f, .dry_multiplier = 0.8f, .dry_allowed_length = 2)},
    {"the same with xtc", 0.8f, 0.95f, 0.05f, 40, false, -1,
     EXTRAS(.typical_p = 1.0f, .xtc_probability = 0.5f, .xtc_threshold = 0.1f)},
    {"typical_p 0.9", 0.8f, 1.0f, 0.0f, 0, false, -1, EXTRAS(.typical_p = 0.9f)},
    {"top_n_sigma 1", 0.8f, 1.0f, 0.0f, 0, false, -1,
     EXTRAS(.typical_p = 1.0f, .top_n_sigma = 1.0f)},
    {"dynamic temperature, min_p 0.05", 0.8f, 1.0f, 0.05f, 0, false, -1,
     EXTRAS(.typical_p = 1.0f, .dynatemp_range = 0.5f)},
    {"mirostat 1", 0.8f, 1.0f, 0.0f, 0, false, -1, EXTRAS(.typical_p = 1.0f, .mirostat = 1)},
    {"mirostat 2", 0.8f, 1.0f, 0.0f, 0, false, -1, EXTRAS(.typical_p = 1.0f, .mirostat = 2)},
};

static double time_draws(gol_sampler *s, const float *logits, const way *w,
                         const gol_token_counts *counts, const int32_t *tokens)
{
    enum { N_DRAWS = 40 };
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    p.temperature = w->temperature;
    p.top_p = w->top_p;
    p.min_p = w->min_p;
    p.top_k = w->top_k;
    p.repetition_penalty = w->has_penalty ? 1.1f : 1.0f;
    gol_seq_extras *extras = NULL;
    if (gol_seq_extras_create(&extras, w->extras, s->n_vocab, N_TOKENS, NULL) < 0)
        return 0;
    uint64_t best = UINT64_MAX;
    for (int32_t i = 0; i < N_DRAWS; i++) {
        const gol_draw d = {.params = &p,
                            .counts = w->has_penalty ? counts : NULL,
                            .extras = extras,
                            .tokens = tokens,
                            .position = extras ? N_TOKENS - i : i,
                            .n_logprobs = w->n_logprobs};
        gol_sample sample;
        const uint64_t start = gol_clock_ns();
        gol_sampler_draw(s, &sample, logits, &d);
        const uint64_t ns = gol_clock_ns() - start;
        best = ns < best ? ns : best;
    }
    gol_seq_extras_destroy(&extras);
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
    static int32_t tokens[N_TOKENS];
    for (int32_t i = 0; i < N_TOKENS; i++)
        tokens[i] = i % 97 * 31 % n_vocab;
    printf("%d tokens, microseconds per draw %27s %10s\n", n_vocab, "peaked", "flat");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        fill(logits, n_vocab, 2.5, true);
        const double peaked = time_draws(&s, logits, &ways[i], &counts, tokens);
        fill(logits, n_vocab, 0.5, false);
        printf("%-50s %10.1f %10.1f\n", ways[i].name, peaked,
               time_draws(&s, logits, &ways[i], &counts, tokens));
    }
    gol_token_counts_deinit(&counts);
    gol_sampler_deinit(&s);
    free(logits);
    return 0;
}
