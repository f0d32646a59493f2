/*
 * What the processor at hand can do at most, measured by loops that do nothing else: one core, registers only, no memory.
 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* Runs n rounds; a round is ops_per_round() operations, a multiplication and its addition counting two. Returns something of
 * the result, so that no compiler drops the work. */
typedef float peak_fn(size_t n);

typedef struct peak_loop {
    gol_cpu_level level;
    const char *name;
    peak_fn *run;
    size_t ops_per_round;
} peak_loop;

/* Products of bytes, summed in 32 bits; float32. The best one up to `level`, NULL when there is none for this processor. */
const peak_loop *peak_int8(gol_cpu_level level);
const peak_loop *peak_f32(gol_cpu_level level);
/* Pairs of bfloat16, summed in float32; NULL on other processor families, not to be run where the level is not to be had. */
const peak_loop *peak_bf16(void);

peak_fn peak_int8_avx2, peak_int8_evexvnni, peak_int8_avxvnni, peak_int8_avx512,
    peak_int8_avx512vnni, peak_f32_avx2, peak_f32_avx512, peak_bf16_avx512bf16;

/* Reads n bytes, a multiple of 64, once. */
uint64_t peak_read(const void *p, size_t n);

#endif
