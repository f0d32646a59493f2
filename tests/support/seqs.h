/* Sequences for tests that have no model: made from plain numbers, through the same door as real requests. */
#ifndef TESTS_SUPPORT_SEQS_H
#define TESTS_SUPPORT_SEQS_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/sequence.h"

static inline void seqs_ignore_output(void *user, const gol_output *output)
{
    (void)user;
    (void)output;
}

/* A sequence of this prompt and salt (one letter, 0: none) that may generate max_tokens; id as given. */
static inline gol_seq *seqs_create_from(uint64_t id, const int32_t *prompt, int32_t n_prompt,
                                        int32_t max_tokens, int32_t priority, char salt,
                                        const gol_seq_limits *limits)
{
    const gol_request request = {
        .prompt = prompt,
        .n_prompt = n_prompt,
        .max_tokens = max_tokens,
        .priority = priority,
        .n_logprobs = -1,
        .cache_salt = &salt,
        .n_cache_salt = salt != 0,
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = seqs_ignore_output,
    };
    gol_seq *seq;
    const int rc = gol_seq_create(&seq, &request, limits, NULL);
    assert(rc == 0);
    (void)rc;
    seq->id = id;
    return seq;
}

/* The same with n_prompt tokens 1. */
static inline gol_seq *seqs_create(uint64_t id, int32_t n_prompt, int32_t max_tokens,
                                   int32_t priority, const gol_seq_limits *limits)
{
    int32_t *prompt = malloc((size_t)n_prompt * sizeof *prompt);
    assert(prompt);
    for (int32_t i = 0; i < n_prompt; i++)
        prompt[i] = 1;
    gol_seq *seq = seqs_create_from(id, prompt, n_prompt, max_tokens, priority, 0, limits);
    free(prompt);
    return seq;
}

#endif
