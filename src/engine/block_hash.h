/*
 * Names of what a block holds. A hash stands for all tokens from the sequence's start to the block's end, because it takes in the
 * hash of the block before:
 *
 *     root = H(salt)      hash[0] = H(root, tokens of block 0)      hash[i] = H(hash[i - 1], tokens of block i)
 *
 * H is XXH3 of 128 bits under secrets that are drawn anew for each hasher: nobody outside can compute a hash, or prepare two
 * prompts of the same one. Roots have a secret of their own, so that no salt can stand for a chain.
 */
#ifndef GOL_ENGINE_BLOCK_HASH_H
#define GOL_ENGINE_BLOCK_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GOL_HASH_SECRET_BYTES = 192 };

typedef struct gol_block_hash {
    uint64_t low;
    uint64_t high;
} gol_block_hash;

/* Constant after init: any thread may use it. */
typedef struct gol_block_hasher {
    uint8_t root_secret[GOL_HASH_SECRET_BYTES];
    uint8_t block_secret[GOL_HASH_SECRET_BYTES];
} gol_block_hasher;

void gol_block_hasher_init(gol_block_hasher *hasher);

/* Sequences of different salts have nothing in common. n_bytes 0: no salt. */
gol_block_hash gol_block_hash_root(const gol_block_hasher *hasher, const void *salt,
                                   size_t n_bytes);

/* tokens: [n_tokens] */
gol_block_hash gol_block_hash_next(const gol_block_hasher *hasher, gol_block_hash parent,
                                   const int32_t *tokens, int32_t n_tokens);

/* The name of the same tokens in a group of layers (kv_layout.h); group 0: the hash itself. Like any two hashes those of different
 * groups are equal by a chance of one in 2^128 only. */
static inline gol_block_hash gol_block_hash_in(gol_block_hash hash, int32_t group)
{
    const uint64_t golden_ratio = 0x9e3779b97f4a7c15u;
    hash.low ^= (uint64_t)group * golden_ratio;
    hash.high ^= (uint64_t)group;
    return hash;
}

static inline bool gol_block_hash_eq(gol_block_hash a, gol_block_hash b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
