/*
 * The table of peak loops, and reading of memory, which moves whole lines of the cache whatever is read of them.
 */
#include "peak.h"

#include <string.h>

/* Chains of a loop, as in the loops themselves. */
enum { N_CHAINS = 12, N_CHAINS_VNNI = 16, N_CHAINS_BF16 = 16 };

#if defined(__x86_64__)
static const peak_loop int8_loops[] = {
    {GOL_CPU_AVX2, "maddubs + maddwd + add, 256 bits", peak_int8_avx2, N_CHAINS * 32 * 2},
    {GOL_CPU_EVEXVNNI, "vpdpbusd, 256 bits", peak_int8_evexvnni, N_CHAINS * 32 * 2},
    {GOL_CPU_AVXVNNI, "vpdpbusd, 256 bits", peak_int8_avxvnni, N_CHAINS * 32 * 2},
    {GOL_CPU_AVX512, "maddubs + maddwd + add, 512 bits", peak_int8_avx512, N_CHAINS * 64 * 2},
    {GOL_CPU_AVX512VNNI, "vpdpbusd, 512 bits", peak_int8_avx512vnni, N_CHAINS_VNNI * 64 * 2},
};
static const peak_loop f32_loops[] = {
    {GOL_CPU_AVX2, "fma, 256 bits", peak_f32_avx2, N_CHAINS * 8 * 2},
    {GOL_CPU_AVX512, "fma, 512 bits", peak_f32_avx512, N_CHAINS * 16 * 2},
};

static const peak_loop *find(const peak_loop *loops, size_t n, gol_cpu_level level)
{
    const peak_loop *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (loops[i].level <= level && gol_cpu_has(loops[i].level))
            best = &loops[i];
    return best;
}

const peak_loop *peak_int8(gol_cpu_level level)
{
    return find(int8_loops, sizeof int8_loops / sizeof int8_loops[0], level);
}

const peak_loop *peak_f32(gol_cpu_level level)
{
    return find(f32_loops, sizeof f32_loops / sizeof f32_loops[0], level);
}

const peak_loop *peak_bf16(void)
{
    static const peak_loop loop = {GOL_CPU_AVX512BF16, "vdpbf16ps, 512 bits", peak_bf16_avx512bf16,
                                   N_CHAINS_BF16 * 32 * 2};
    return &loop;
}
#else
const peak_loop *peak_bf16(void)
{
    return NULL;
}

const peak_loop *peak_int8(gol_cpu_level level)
{
    (void)level;
    return NULL;
}

const peak_loop *peak_f32(gol_cpu_level level)
{
    (void)level;
    return NULL;
}
#endif

uint64_t peak_read(const void *p, size_t n)
{
    enum {
        LINE = 64,
        AHEAD = 4096
    }; /* bytes; found best of 0 .. 32 KiB where the hardware alone left 10% */
    const uint8_t *bytes = p;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i += LINE) {
        uint64_t word;
        __builtin_prefetch(bytes + i + AHEAD);
        memcpy(&word, bytes + i, sizeof word);
        sum += word;
    }
    return sum;
}
