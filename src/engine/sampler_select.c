/*
 * Selection of the most likely candidates in O(n), worst case included, by radix: the bits of a non-negative float order as
 * the float does, so three histograms over 11, 10 and 10 bits of the depth find the exact depth at which the wanted mass is
 * reached. "The k most likely" is the same search with every weight 1.
 *
 *     depth bits  [ 0 | 11 bits: exponent and 3 of mantissa | 10 bits | 10 bits ]
 *
 * Sums run in the order of ids inside a bucket and of buckets in a level: the result depends on the row alone.
 */
#include "engine/sampler_select.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

enum {
    FIRST_BITS = 11,
    NEXT_BITS = 10,
    FIRST_SHIFT = 2 * NEXT_BITS,
    N_BUCKETS = 1 << FIRST_BITS,
};

int gol_candidates_init(gol_candidates *c, int32_t n_max, gol_err *err)
{
    *c = (gol_candidates){0};
    c->ids = gol_try_array((size_t)n_max, sizeof *c->ids);
    c->depths = gol_try_array((size_t)n_max, sizeof *c->depths);
    c->weights = gol_try_calloc((size_t)n_max, sizeof *c->weights);
    c->mass = gol_try_array(N_BUCKETS, sizeof *c->mass);
    if (!c->ids || !c->depths || !c->weights || !c->mass) {
        gol_candidates_deinit(c);
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling from %d tokens", n_max);
    }
    return 0;
}

void gol_candidates_deinit(gol_candidates *c)
{
    gol_free(c->ids);
    gol_free(c->depths);
    gol_free(c->weights);
    gol_free(c->mass);
    *c = (gol_candidates){0};
}

static inline uint32_t depth_key(float depth)
{
    uint32_t bits;
    memcpy(&bits, &depth, sizeof bits);
    return bits;
}

/* What counts towards the target: the weights, or 1 for each candidate. */
static inline double weight_at(const gol_candidates *c, int32_t i, bool by_count)
{
    return by_count ? 1.0 : (double)c->weights[i];
}

/* Where the target is reached: all with a smaller key are kept, their weights sum to mass_below; of those with this very
 * key the first ones, until the target is reached. */
typedef struct cut {
    uint32_t key;
    double mass_below;
} cut;

/* The bucket in which mass_below + the buckets' masses reaches the target; moves *mass_below up to its lower end. When
 * rounding leaves the target just out of reach, the last bucket that holds anything. */
static uint32_t find_bucket(const double *mass, uint32_t n_buckets, double target,
                            double *mass_below)
{
    double below = *mass_below;
    uint32_t last = 0;
    double last_below = below;
    for (uint32_t b = 0; b < n_buckets; b++) {
        if (mass[b] == 0.0)
            continue;
        last = b;
        last_below = below;
        below += mass[b];
        if (below >= target)
            break;
    }
    *mass_below = last_below;
    return last;
}

static cut find_cut(const gol_candidates *c, double target, bool by_count)
{
    cut at = {0};
    for (int shift = FIRST_SHIFT; shift >= 0; shift -= NEXT_BITS) {
        const bool is_first = shift == FIRST_SHIFT;
        const uint32_t n_buckets = 1u << (is_first ? FIRST_BITS : NEXT_BITS);
        memset(c->mass, 0, n_buckets * sizeof *c->mass);
        for (int32_t i = 0; i < c->n; i++) {
            const uint32_t key = depth_key(c->depths[i]) >> shift;
            if (is_first || key >> NEXT_BITS == at.key)
                c->mass[key & (n_buckets - 1)] += weight_at(c, i, by_count);
        }
        const uint32_t bucket = find_bucket(c->mass, n_buckets, target, &at.mass_below);
        at.key = (is_first ? 0 : at.key << NEXT_BITS) | bucket;
    }
    return at;
}

static void keep(gol_candidates *c, int32_t *n_kept, int32_t i)
{
    c->ids[*n_kept] = c->ids[i];
    c->depths[*n_kept] = c->depths[i];
    c->weights[*n_kept] = c->weights[i];
    ++*n_kept;
}

static void keep_until(gol_candidates *c, double target, bool by_count)
{
    const cut at = find_cut(c, target, by_count);
    double mass = at.mass_below;
    bool is_reached = false;
    int32_t n_kept = 0;
    for (int32_t i = 0; i < c->n; i++) {
        const uint32_t key = depth_key(c->depths[i]);
        if (key > at.key || (key == at.key && is_reached))
            continue;
        if (key == at.key) {
            mass += weight_at(c, i, by_count);
            is_reached = mass >= target;
        }
        keep(c, &n_kept, i);
    }
    assert(n_kept >= 1);
    c->n = n_kept;
}

void gol_candidates_keep_depth(gol_candidates *c, float depth_max)
{
    int32_t n_kept = 0;
    for (int32_t i = 0; i < c->n; i++) {
        if (c->depths[i] <= depth_max)
            keep(c, &n_kept, i);
    }
    assert(n_kept >= 1);
    c->n = n_kept;
}

void gol_candidates_keep_count(gol_candidates *c, int32_t k)
{
    assert(k >= 1);
    if (k < c->n)
        keep_until(c, (double)k, true);
}

void gol_candidates_keep_mass(gol_candidates *c, double mass)
{
    keep_until(c, mass, false);
}

void gol_candidates_drop_top(gol_candidates *c, double weight_min)
{
    int32_t last = -1;
    for (int32_t i = 0; i < c->n; i++) {
        if ((double)c->weights[i] >= weight_min && (last < 0 || c->depths[i] >= c->depths[last]))
            last = i;
    }
    int32_t n_kept = 0;
    for (int32_t i = 0; i < c->n; i++) {
        if ((double)c->weights[i] < weight_min || i == last)
            keep(c, &n_kept, i);
    }
    c->n = n_kept;
}

uint64_t gol_candidates_bytes(int32_t n_max)
{
    return (uint64_t)n_max * (sizeof(int32_t) + 2 * sizeof(float)) + N_BUCKETS * sizeof(double);
}
