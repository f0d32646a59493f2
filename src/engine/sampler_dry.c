/*
 * DRY, "don't repeat yourself" (P. E. Weidmann, text-generation-webui, 2024): which tokens would make a repetition longer, and how
 * long it is already.
 *
 *     window   a b c d x a b c y a b c        the end "a b c" stands twice before; "d" and "y" would continue the repetition
 *
 * How much of the end stands before each place is the Z array (Gusfield, "Algorithms on strings, trees and sequences", 1997, 1.4)
 * of the window read backwards: O(window), whatever is in it.
 */
#include <float.h>
#include <math.h>

#include "engine/sampler_parts.h"

#include "base/minmax.h"

/* Where the breakers of several tokens that begin with `head` begin in x->long_breakers. */
static int32_t find_head(const gol_seq_extras *x, int32_t head)
{
    int32_t low = 0;
    int32_t high = x->n_long_breakers;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        const int32_t *tokens;
        gol_phrase_get(&x->params.dry_breakers, x->long_breakers[middle], &tokens);
        if (tokens[0] < head)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const int32_t *window, int32_t n, const int32_t *tokens, int32_t n_tokens)
{
    if (n_tokens > n)
        return false;
    for (int32_t i = 0; i < n_tokens; i++)
        if (window[i] != tokens[i])
            return false;
    return true;
}

/* Tokens of the longest breaker that stands at the beginning of window[n]; 0: none does. */
static int32_t match_breaker(const gol_seq_extras *x, const int32_t *window, int32_t n)
{
    int32_t longest = gol_seq_extras_has_bit(x->is_breaker, window[0]) ? 1 : 0;
    if (!gol_seq_extras_has_bit(x->is_head, window[0]))
        return longest;
    for (int32_t i = find_head(x, window[0]); i < x->n_long_breakers; i++) {
        const int32_t *tokens;
        const int32_t n_tokens = gol_phrase_get(&x->params.dry_breakers, x->long_breakers[i],
                                                &tokens);
        if (tokens[0] != window[0])
            break;
        if (n_tokens > longest && is_at(window, n, tokens, n_tokens))
            longest = n_tokens;
    }
    return longest;
}

/* Tokens behind the last breaker in window[n]: no repetition is longer. */
static int32_t find_limit(const gol_seq_extras *x, const int32_t *window, int32_t n)
{
    for (int32_t n_behind = 1; n_behind <= n; n_behind++) {
        const int32_t length = match_breaker(x, window + n - n_behind, n_behind);
        if (length > 0)
            return n_behind - length;
    }
    return n;
}

/* repeats[i], 1 <= i < n: how many tokens in front of window[n - i] are those at the window's end. */
static void find_repeats(int32_t *repeats, const int32_t *window, int32_t n)
{
    const int32_t *last = window + n - 1;
    int32_t left = 0; /* [left, right) is the match that reaches furthest, counted from the end */
    int32_t right = 0;
    for (int32_t i = 1; i < n; i++) {
        int32_t length = i < right ? gol_min_i32(right - i, repeats[i - left]) : 0;
        if (i + length >= right || i >= right)
            while (i + length < n && last[-length] == last[-i - length])
                length++;
        repeats[i] = length;
        if (i + length > right) {
            left = i;
            right = i + length;
        }
    }
}

static float lower(float logit, const gol_sampling_extras *p, int32_t length)
{
    const double exponent = (double)(length - p->dry_allowed_length);
    const double x = (double)logit - (double)p->dry_multiplier * pow((double)p->dry_base, exponent);
    return x < -(double)FLT_MAX ? -FLT_MAX : (float)x;
}

void gol_dry_penalize(float *logits, int32_t *scratch, const gol_seq_extras *x,
                      const int32_t *tokens, int32_t n_tokens)
{
    const gol_sampling_extras *p = &x->params;
    const int32_t n = p->dry_penalty_last_n < 0 ? n_tokens
                                                : gol_min_i32(n_tokens, p->dry_penalty_last_n);
    const int32_t *window = tokens + n_tokens - n;
    if (n <= p->dry_allowed_length)
        return;
    const int32_t limit = find_limit(x, window, n);
    if (limit < p->dry_allowed_length)
        return;

    /* The longest for each token, in three rounds over the matches, so that the scratch need not be cleared as a whole. */
    int32_t *repeats = x->repeats;
    int32_t *longest = scratch;
    find_repeats(repeats, window, n);
    for (int32_t i = 1; i < n; i++)
        if (repeats[i] >= p->dry_allowed_length)
            longest[window[n - i]] = -1;
    for (int32_t i = 1; i < n; i++) {
        const int32_t length = gol_min_i32(repeats[i], limit);
        int32_t *best = &longest[window[n - i]];
        if (length >= p->dry_allowed_length && length > *best)
            *best = length;
    }
    for (int32_t i = 1; i < n; i++) {
        const int32_t token = window[n - i];
        if (repeats[i] < p->dry_allowed_length || longest[token] < 0)
            continue;
        if (!gol_seq_extras_has_bit(x->is_breaker, token))
            logits[token] = lower(logits[token], p, longest[token]);
        longest[token] = -1;
    }
}
