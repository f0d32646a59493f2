/* XXH3 with secrets from the system's random numbers. Hashes never leave the process, so byte order does not matter. */
#include "engine/block_hash.h"

#include <assert.h>
#include <xxhash.h>

#include "base/rng.h"

static_assert(GOL_HASH_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "XXH3 wants a longer secret");

void gol_block_hasher_init(gol_block_hasher *hasher)
{
    gol_rng_entropy(hasher->root_secret, sizeof hasher->root_secret);
    gol_rng_entropy(hasher->block_secret, sizeof hasher->block_secret);
}

gol_block_hash gol_block_hash_root(const gol_block_hasher *hasher, const void *salt, size_t n_bytes)
{
    const XXH128_hash_t h = XXH3_128bits_withSecret(salt, n_bytes, hasher->root_secret,
                                                    sizeof hasher->root_secret);
    return (gol_block_hash){.low = h.low64, .high = h.high64};
}

/* Parent and tokens are not copied together: the tokens' own hash stands for them, so any number of tokens will do. */
gol_block_hash gol_block_hash_next(const gol_block_hasher *hasher, gol_block_hash parent,
                                   const int32_t *tokens, int32_t n_tokens)
{
    const XXH128_hash_t own = XXH3_128bits_withSecret(tokens, (size_t)n_tokens * sizeof *tokens,
                                                      hasher->block_secret,
                                                      sizeof hasher->block_secret);
    const uint64_t both[] = {parent.low, parent.high, own.low64, own.high64};
    const XXH128_hash_t h = XXH3_128bits_withSecret(both, sizeof both, hasher->block_secret,
                                                    sizeof hasher->block_secret);
    return (gol_block_hash){.low = h.low64, .high = h.high64};
}
