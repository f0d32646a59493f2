/*
 * Hashing for the vocabulary's tables. Keyed by a seed drawn per table, since a model file's author chooses the strings:
 * without the key nobody can prepare a file whose tokens all collide. The mixing step is a 64x64 -> 128 bit product folded
 * to 64 bits, as in wyhash.
 */
#ifndef GOL_TEXT_BYTE_HASH_H
#define GOL_TEXT_BYTE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t gol_hash_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t gol_hash_u64(uint64_t key, uint64_t seed)
{
    return gol_hash_mix(key ^ 0x9E3779B97F4A7C15u ^ seed, seed | 1);
}

static inline uint64_t gol_hash_bytes(const char *data, size_t len, uint64_t seed)
{
    uint64_t h = seed ^ len;
    while (len >= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        h = gol_hash_mix(h ^ word, seed | 1);
        data += 8;
        len -= 8;
    }
    uint64_t tail = 0;
    if (len > 0)
        memcpy(&tail, data, len);
    return gol_hash_mix(h ^ tail, 0x9E3779B97F4A7C15u ^ seed);
}

#endif
