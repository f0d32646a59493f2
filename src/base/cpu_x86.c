/*
 * What an x86-64 processor has: CPUID, and XCR0 for what the operating system saves on a context switch. Bit numbers:
 * Intel SDM volume 2, CPUID; volume 1, 13.3 "XSAVE-enabled features". (macOS switches AVX-512 state on at a thread's first
 * use only, so XCR0 does not show it and such a Mac runs the AVX2 level.)
 */
#include "base/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct registers {
    uint32_t eax, ebx, ecx, edx;
} registers;

/* All zero for a leaf that the processor does not have. */
static registers read_leaf(uint32_t leaf, uint32_t subleaf)
{
    registers r = {0};
    if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx))
        r = (registers){0};
    return r;
}

static uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has_all(uint64_t value, uint64_t bits)
{
    return (value & bits) == bits;
}

#define BIT(n) ((uint64_t)1 << (n))

/* fma osxsave avx f16c */
static const uint64_t leaf1_ecx_avx2 = BIT(12) | BIT(27) | BIT(28) | BIT(29);
/* avx2 bmi2 */
static const uint64_t leaf7_ebx_avx2 = BIT(5) | BIT(8);
/* f dq cd bw vl */
static const uint64_t leaf7_ebx_avx512 = BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31);
static const uint64_t leaf7_ecx_vnni = BIT(11);
static const uint64_t leaf7_1_eax_avxvnni = BIT(4);
static const uint64_t leaf7_1_eax_bf16 = BIT(5);
/* xmm, upper halves of ymm */
static const uint64_t xcr0_avx = BIT(1) | BIT(2);
/* masks, upper halves of zmm, zmm16-31 */
static const uint64_t xcr0_avx512 = BIT(5) | BIT(6) | BIT(7);

unsigned gol_cpu_machine_levels(void)
{
    unsigned levels = 1u << GOL_CPU_C;
    /* Before read_xcr0(): without osxsave, xgetbv faults. */
    if (!has_all(read_leaf(1, 0).ecx, leaf1_ecx_avx2))
        return levels;
    const uint64_t xcr0 = read_xcr0();
    const registers leaf7 = read_leaf(7, 0);
    if (!has_all(xcr0, xcr0_avx) || !has_all(leaf7.ebx, leaf7_ebx_avx2))
        return levels;
    levels |= 1u << GOL_CPU_AVX2;
    const uint32_t leaf7_1_eax = leaf7.eax >= 1 ? read_leaf(7, 1).eax : 0;
    if (has_all(leaf7_1_eax, leaf7_1_eax_avxvnni))
        levels |= 1u << GOL_CPU_AVXVNNI;
    if (!has_all(xcr0, xcr0_avx512) || !has_all(leaf7.ebx, leaf7_ebx_avx512))
        return levels;
    levels |= 1u << GOL_CPU_AVX512;
    if (!has_all(leaf7.ecx, leaf7_ecx_vnni))
        return levels;
    levels |= 1u << GOL_CPU_EVEXVNNI | 1u << GOL_CPU_AVX512VNNI;
    if (has_all(leaf7_1_eax, leaf7_1_eax_bf16))
        levels |= 1u << GOL_CPU_AVX512BF16;
    return levels;
}

/* The processor's maker says whether VDPBF16PS (32 products of bfloat16 an instruction) beats FMA (16 of float32). AMD's run both
 * at one rate: Zen 4 one of 512 bits a cycle each, so it is twice as fast. Intel's halve the rate and more: on Emerald Rapids one
 * every two cycles, against two FMA a cycle, which is half the speed of float32 with less accurate sums. Others are not known. A
 * measurement at start would be surer, but two starts of one machine could then answer with different bits. */
static bool is_bf16_fast(void)
{
    const registers vendor = read_leaf(0, 0);
    char name[12]; /* "AuthenticAMD" */
    memcpy(name, &vendor.ebx, 4);
    memcpy(name + 4, &vendor.edx, 4);
    memcpy(name + 8, &vendor.ecx, 4);
    return memcmp(name, "AuthenticAMD", sizeof name) == 0;
}

gol_cpu_level gol_cpu_preferred(void)
{
    const gol_cpu_level highest = gol_cpu_detect();
    return highest == GOL_CPU_AVX512BF16 && !is_bf16_fast() ? GOL_CPU_AVX512VNNI : highest;
}

void gol_cpu_model_name(char *buf, size_t size)
{
    /* 16 characters each */
    static const uint32_t leaves[] = {0x80000002u, 0x80000003u, 0x80000004u};
    char brand[sizeof leaves / sizeof *leaves * sizeof(registers) + 1] = "";
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        const registers r = read_leaf(leaves[i], 0);
        memcpy(brand + i * sizeof r, &r, sizeof r);
    }
    const char *start = brand + strspn(brand, " ");
    size_t len = strlen(start);
    while (len > 0 && start[len - 1] == ' ')
        len--;
    if (len == 0)
        snprintf(buf, size, "unknown");
    else
        snprintf(buf, size, "%.*s", (int)len, start);
}

#endif
