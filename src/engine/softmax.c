/*
 * Which of the compiled row loops this machine can run.
 */
#include "engine/softmax.h"

#include "base/cpu.h"

const gol_row_loops *gol_row_loops_get(void)
{
#if defined(__x86_64__)
    if (gol_cpu_has(GOL_CPU_AVX512))
        return &gol_row_loops_avx512;
    if (gol_cpu_has(GOL_CPU_AVX2))
        return &gol_row_loops_avx2;
#endif
    return &gol_row_loops_c;
}
