/*
 * Does this processor execute the instructions of AVX-512 BF16? Virtual machines may hide the CPUID bit of instructions that run
 * all the same: tests and benches try one and can then check kernels which the program itself would not choose here.
 */
#ifndef TESTS_SUPPORT_NATIVE_BF16_H
#define TESTS_SUPPORT_NATIVE_BF16_H

#include <stdbool.h>

#include "base/cpu.h"

#if defined(__x86_64__)

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf native_bf16_return;

static inline void native_bf16_on_sigill(int signal_number)
{
    (void)signal_number;
    siglongjmp(native_bf16_return, 1);
}

/* VDPBF16PS zmm0, zmm0, zmm0: as bytes, since this file is compiled for any x86-64. */
static inline bool native_try_vdpbf16ps(void)
{
    if (sigsetjmp(native_bf16_return, 1) != 0)
        return false;
    __asm__ volatile(".byte 0x62, 0xf2, 0x7e, 0x48, 0x52, 0xc0" ::: "xmm0");
    return true;
}

/* Where the level in force stops just below: a limit of the level counts here too. */
static inline bool native_executes_bf16(void)
{
    if (gol_cpu_get() != GOL_CPU_AVX512VNNI)
        return false;
    struct sigaction old;
    struct sigaction on_sigill = {.sa_handler = native_bf16_on_sigill};
    sigemptyset(&on_sigill.sa_mask);
    if (sigaction(SIGILL, &on_sigill, &old) != 0)
        return false;
    const bool executes = native_try_vdpbf16ps();
    sigaction(SIGILL, &old, NULL);
    return executes;
}

#else

static inline bool native_executes_bf16(void)
{
    return false;
}

#endif

/* gol_cpu_has(), and the level that CPUID hides. */
static inline bool native_has(gol_cpu_level level)
{
    return gol_cpu_has(level) || (level == GOL_CPU_AVX512BF16 && native_executes_bf16());
}

#endif
