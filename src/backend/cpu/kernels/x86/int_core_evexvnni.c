/*
 * The twin of int_core_avxvnni.c with vpdpbusd in the encoding of AVX-512 (VNNI and VL), for processors that have only that one: the
 * same instructions else, hence the same bits and the same order.
 */
#define VPDPBUSD           "%{evex%} vpdpbusd"
#define INT_CORE(operands) gol_int_core_##operands##_evexvnni

#include "backend/cpu/kernels/x86/int_core_vnni256.inc"
