/* Philox4x32-10 and what is drawn from it. Constants: Salmon et al., SC 2011, section 4.3 ("Philox"). No state here. */
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { PHILOX_ROUNDS = 10 };

static const uint32_t multiplier_0 = 0xd2511f53;
static const uint32_t multiplier_1 = 0xcd9e8d57;
static const uint32_t weyl_0 = 0x9e3779b9; /* golden ratio */
static const uint32_t weyl_1 = 0xbb67ae85; /* sqrt(3) - 1 */

void gol_rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t p0 = (uint64_t)multiplier_0 * c0;
        const uint64_t p1 = (uint64_t)multiplier_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += weyl_0;
        k1 += weyl_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t gol_rng_u64(uint64_t key, uint64_t counter)
{
    const uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    uint32_t out[4];
    gol_rng_philox(out, c, k);
    return (uint64_t)out[1] << 32 | out[0];
}

/* The upper 53 bits as a fraction: every value is exact, 1 is never reached. */
static double unit_from(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

double gol_rng_unit(uint64_t key, uint64_t counter)
{
    return unit_from(gol_rng_u64(key, counter));
}

uint64_t gol_rng_next(gol_rng *rng)
{
    return gol_rng_u64(rng->key, rng->counter++);
}

uint64_t gol_rng_below(gol_rng *rng, uint64_t n)
{
    assert(n >= 1);
    /* 2^64 mod n values at the bottom are refused; the rest is a whole number of rounds of n. */
    const uint64_t n_refused = (0 - n) % n;
    uint64_t bits = gol_rng_next(rng);
    while (bits < n_refused)
        bits = gol_rng_next(rng);
    return bits % n;
}

double gol_rng_next_unit(gol_rng *rng)
{
    return unit_from(gol_rng_next(rng));
}

/* Box-Muller. 1 - unit is in (0, 1], so the logarithm is finite. Always two draws, so streams stay in step. */
double gol_rng_next_normal(gol_rng *rng)
{
    const double two_pi = 6.283185307179586;
    const double radius = sqrt(-2.0 * log(1.0 - gol_rng_next_unit(rng)));
    return radius * cos(two_pi * gol_rng_next_unit(rng));
}

void gol_rng_entropy(void *out, size_t n_bytes)
{
    enum { CALL_MAX = 256 }; /* getentropy's own limit */
    unsigned char *p = out;
    while (n_bytes != 0) {
        const size_t n = n_bytes < CALL_MAX ? n_bytes : CALL_MAX;
        if (getentropy(p, n) != 0) {
            /* Secrets without randomness would be worse than stopping. */
            perror("gollum: getentropy");
            exit(71);
        }
        p += n;
        n_bytes -= n;
    }
}
