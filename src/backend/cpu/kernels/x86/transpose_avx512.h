/*
 * A square of 16 x 16 numbers of 32 bits with rows and columns exchanged. For files of AVX-512 and above.
 */
#ifndef GOL_BACKEND_CPU_TRANSPOSE_AVX512_H
#define GOL_BACKEND_CPU_TRANSPOSE_AVX512_H

#include <immintrin.h>

#include "backend/cpu/kernels/unroll.h"

enum { GOL_SQUARE_AVX512 = 16 };

/* v[16][16] */
static inline void gol_transpose_avx512(__m512i *v)
{
    __m512i a[GOL_SQUARE_AVX512];
    __m512i b[GOL_SQUARE_AVX512];
    GOL_UNROLL
    for (int i = 0; i < GOL_SQUARE_AVX512; i += 2) {
        a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    /* b[4 * i + j]: column j of every four, of rows 4 * i to 4 * i + 3 */
    GOL_UNROLL
    for (int i = 0; i < GOL_SQUARE_AVX512; i += 4) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    GOL_UNROLL
    for (int i = 0; i < 4; i++) {
        const __m512i even_top = _mm512_shuffle_i32x4(b[i], b[i + 4], 0x88);
        const __m512i odd_top = _mm512_shuffle_i32x4(b[i], b[i + 4], 0xdd);
        const __m512i even_end = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0x88);
        const __m512i odd_end = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0xdd);
        v[i] = _mm512_shuffle_i32x4(even_top, even_end, 0x88);
        v[i + 4] = _mm512_shuffle_i32x4(odd_top, odd_end, 0x88);
        v[i + 8] = _mm512_shuffle_i32x4(even_top, even_end, 0xdd);
        v[i + 12] = _mm512_shuffle_i32x4(odd_top, odd_end, 0xdd);
    }
}

#endif
