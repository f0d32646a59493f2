/* Copies of lists, and DRY's tables, all in one arena. */
#include "engine/seq_extras.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* NULL for an empty list too; *ok becomes false when memory ends. */
static void *copy_list(gol_arena *arena, const void *list, int32_t n, size_t size, bool *ok)
{
    if (n == 0)
        return NULL;
    void *copy = gol_arena_try_array(arena, (size_t)n, size);
    if (copy)
        memcpy(copy, list, (size_t)n * size);
    else
        *ok = false;
    return copy;
}

static gol_phrases copy_phrases(gol_arena *arena, const gol_phrases *phrases, bool *ok)
{
    const int32_t n_tokens = phrases->n > 0 ? phrases->ends[phrases->n - 1] : 0;
    return (gol_phrases){
        .tokens = copy_list(arena, phrases->tokens, n_tokens, sizeof *phrases->tokens, ok),
        .ends = copy_list(arena, phrases->ends, phrases->n, sizeof *phrases->ends, ok),
        .n = phrases->n,
    };
}

static bool copy_lists(gol_seq_extras *x, const gol_sampling_extras *from)
{
    gol_arena *arena = &x->arena;
    bool ok = true;
    x->params.logit_bias = copy_list(arena, from->logit_bias, from->n_logit_bias,
                                     sizeof *from->logit_bias, &ok);
    x->params.allowed = copy_list(arena, from->allowed, from->n_allowed, sizeof *from->allowed,
                                  &ok);
    x->params.bad_words = copy_phrases(arena, &from->bad_words, &ok);
    x->params.dry_breakers = (gol_phrases){0};
    if (x->has_dry)
        x->params.dry_breakers = copy_phrases(arena, &from->dry_breakers, &ok);
    return ok;
}

static void set_bit(uint64_t *bits, int32_t i)
{
    bits[i / 64] |= (uint64_t)1 << (i % 64);
}

typedef struct long_breaker {
    int32_t head;
    int32_t index;
} long_breaker;

static int by_head(const void *a, const void *b)
{
    const long_breaker *x = a;
    const long_breaker *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The indexes of breakers of several tokens, by their first. */
static bool sort_long_breakers(gol_seq_extras *x)
{
    const gol_phrases *breakers = &x->params.dry_breakers;
    long_breaker *sorted = gol_try_array((size_t)breakers->n, sizeof *sorted);
    x->long_breakers = gol_arena_try_array(&x->arena, (size_t)breakers->n,
                                           sizeof *x->long_breakers);
    if (!sorted || !x->long_breakers) {
        gol_free(sorted);
        return false;
    }
    for (int32_t i = 0; i < breakers->n; i++) {
        const int32_t *tokens;
        if (gol_phrase_get(breakers, i, &tokens) > 1)
            sorted[x->n_long_breakers++] = (long_breaker){tokens[0], i};
    }
    qsort(sorted, (size_t)x->n_long_breakers, sizeof *sorted, by_head);
    for (int32_t i = 0; i < x->n_long_breakers; i++)
        x->long_breakers[i] = sorted[i].index;
    gol_free(sorted);
    return true;
}

static bool init_dry(gol_seq_extras *x, int32_t n_vocab, int32_t n_tokens_max)
{
    const gol_phrases *breakers = &x->params.dry_breakers;
    const size_t n_words = (size_t)n_vocab / 64 + 1;
    x->repeats = gol_arena_try_array(&x->arena, (size_t)n_tokens_max, sizeof *x->repeats);
    x->is_breaker = gol_arena_try_calloc(&x->arena, n_words, sizeof *x->is_breaker);
    x->is_head = gol_arena_try_calloc(&x->arena, n_words, sizeof *x->is_head);
    if (!x->repeats || !x->is_breaker || !x->is_head)
        return false;
    for (int32_t i = 0; i < breakers->n; i++) {
        const int32_t *tokens;
        const int32_t n = gol_phrase_get(breakers, i, &tokens);
        set_bit(n == 1 ? x->is_breaker : x->is_head, tokens[0]);
    }
    return breakers->n == 0 || sort_long_breakers(x);
}

int gol_seq_extras_create(gol_seq_extras **out, const gol_sampling_extras *extras, int32_t n_vocab,
                          int32_t n_tokens_max, gol_err *err)
{
    *out = NULL;
    if (!extras || !gol_sampling_has_extras(extras))
        return 0;
    gol_seq_extras *x = gol_try_calloc(1, sizeof *x);
    if (!x)
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling parameters");
    gol_arena_init(&x->arena, SIZE_MAX);
    x->params = *extras;
    x->has_chain = gol_sampling_has_chain(extras);
    x->has_dry = gol_sampling_has_dry(extras);
    x->mu = 2.0f * extras->mirostat_tau;
    if (!copy_lists(x, extras) || (x->has_dry && !init_dry(x, n_vocab, n_tokens_max))) {
        gol_seq_extras_destroy(&x);
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling parameters");
    }
    *out = x;
    return 0;
}

void gol_seq_extras_destroy(gol_seq_extras **extras)
{
    gol_seq_extras *x = *extras;
    if (!x)
        return;
    gol_arena_deinit(&x->arena);
    gol_free(x);
    *extras = NULL;
}
