/*
 * The integer cores for AVX-VNNI: vpdpbusd of 256 bits in the encoding of AVX, for processors that have it and no AVX-512.
 */
#define VPDPBUSD           "%{vex%} vpdpbusd"
#define INT_CORE(operands) gol_int_core_##operands##_avxvnni

#include "backend/cpu/kernels/x86/int_core_vnni256.inc"
