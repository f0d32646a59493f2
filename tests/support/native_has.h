/*
 * Which levels does this processor execute? Virtual machines may hide the CPUID bits of instructions that run all the same: tests
 * and benches try one and can then check kernels which the program itself would not choose here.
 */
#ifndef TESTS_SUPPORT_NATIVE_HAS_H
#define TESTS_SUPPORT_NATIVE_HAS_H

#include <stdbool.h>

#include "base/cpu.h"

#if defined(__x86_64__)

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf native_has_return;

static inline void native_has_on_sigill(int signal_number)
{
    (void)signal_number;
    siglongjmp(native_has_return, 1);
}

/* The instructions as bytes, since this file is compiled for any x86-64. */
static inline bool native_has_tried(gol_cpu_level level)
{
    if (sigsetjmp(native_has_return, 1) != 0)
        return false;
    if (level == GOL_CPU_AVX512BF16) /* vdpbf16ps zmm0, zmm0, zmm0 */
        __asm__ volatile(".byte 0x62, 0xf2, 0x7e, 0x48, 0x52, 0xc0" ::: "xmm0");
    else /* {vex} vpdpbusd xmm0, xmm0, xmm0 */
        __asm__ volatile(".byte 0xc4, 0xe2, 0x79, 0x50, 0xc0" ::: "xmm0");
    return true;
}

/* Where the level in force stops just below, or has the twin: a limit of the level counts here too. */
static inline bool native_has_hidden(gol_cpu_level level)
{
    const bool is_bf16 = level == GOL_CPU_AVX512BF16 && gol_cpu_get() == GOL_CPU_AVX512VNNI;
    const bool is_vex = level == GOL_CPU_AVXVNNI && gol_cpu_has(GOL_CPU_EVEXVNNI);
    if (!is_bf16 && !is_vex)
        return false;
    struct sigaction old;
    struct sigaction on_sigill = {.sa_handler = native_has_on_sigill};
    sigemptyset(&on_sigill.sa_mask);
    if (sigaction(SIGILL, &on_sigill, &old) != 0)
        return false;
    const bool executes = native_has_tried(level);
    sigaction(SIGILL, &old, NULL);
    return executes;
}

#else

static inline bool native_has_hidden(gol_cpu_level level)
{
    (void)level;
    return false;
}

#endif

/* gol_cpu_has(), and the levels that CPUID hides. */
static inline bool native_has(gol_cpu_level level)
{
    return gol_cpu_has(level) || native_has_hidden(level);
}

#endif
