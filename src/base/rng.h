/*
 * Counter-based random numbers: a value is a pure function of (key, counter), so the k-th draw of a sequence is the same
 * whatever ran before or beside it. Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011), checked against the paper's known answers. Not for secrets: gol_rng_entropy() is.
 */
#ifndef GOL_BASE_RNG_H
#define GOL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* The raw block function: counter[4], key[2] -> out[4]. */
void gol_rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

uint64_t gol_rng_u64(uint64_t key, uint64_t counter);
double gol_rng_unit(uint64_t key, uint64_t counter); /* uniform in [0, 1), 53 bits */

/* A stream for tests, simulations and ids: counter-based underneath. */
typedef struct gol_rng {
    uint64_t key;
    uint64_t counter;
} gol_rng;

uint64_t gol_rng_next(gol_rng *rng);
uint64_t gol_rng_below(gol_rng *rng, uint64_t n); /* uniform in [0, n), n >= 1, unbiased */
double gol_rng_next_unit(gol_rng *rng);
double gol_rng_next_normal(gol_rng *rng); /* mean 0, variance 1 */

/* From the OS; ends the process if the OS has none. */
void gol_rng_entropy(void *out, size_t n_bytes);

#endif
