/*
 * Panels unpacked with AVX2: the bodies are shared (unpack_*_simd.inc), the operations are this instruction set's.
 */
#include "backend/cpu/kernels/x86/vec_bytes_avx2.h"

#define UNPACK(type) gol_unpack_##type##_avx2

/* IQ4_XS takes its bytes as the small blocks do. */
#include "backend/cpu/kernels/unpack_q32_simd.inc"

#include "backend/cpu/kernels/unpack_k_simd.inc"

#include "backend/cpu/kernels/unpack_iq_simd.inc"
