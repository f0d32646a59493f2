/*
 * Stretches of panels of binary16 and bfloat16 as float32 with AVX2. Packed stretches are drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

enum { LANES = 8 };

const float *gol_unpack_f16_avx2(float *store, const gol_stretch *s)
{
    const size_t n = s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    for (size_t i = 0; i < n; i += LANES)
        _mm256_store_ps(store + i,
                        _mm256_cvtph_ps(_mm_load_si128((const void *)(s->data + 2 * i))));
    return store;
}

const float *gol_unpack_bf16_avx2(float *store, const gol_stretch *s)
{
    const __m256i upper = _mm256_set1_epi32((int)0xffff0000u);
    const size_t n = s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    for (size_t i = 0; i < n; i += 2 * GOL_PANEL_ROWS) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r += LANES) {
            const __m256i pairs = _mm256_load_si256((const void *)(s->data + 2 * i + 4 * r));
            _mm256_store_si256((void *)(store + i + r), _mm256_slli_epi32(pairs, 16));
            _mm256_store_si256((void *)(store + i + GOL_PANEL_ROWS + r),
                               _mm256_and_si256(pairs, upper));
        }
    }
    return store;
}
