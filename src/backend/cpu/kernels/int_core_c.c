/*
 * The integer cores and their activations in plain C: what panel.h says, one number after another.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>
#include <string.h>

/* Sums q * x over the inputs [4 * begin, 4 * end) of a block for 16 rows. */
static void sum_products(int32_t sums[GOL_PANEL_ROWS], const uint8_t *q, const int8_t *x,
                         size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j++)
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
            for (size_t i = 0; i < 4; i++)
                sums[r] += q[(j * GOL_PANEL_ROWS + r) * 4 + i] * x[4 * j + i];
}

static void core_z(const gol_int_tile *t, size_t n_groups)
{
    const int32_t *start = t->x.aux;
    const size_t quads = GOL_BLOCK_INPUTS / 4 / n_groups;
    for (size_t b = 0; b < t->n_blocks; b++) {
        const uint8_t *q = t->panel->q + b * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
        for (size_t k = 0; k < t->n_tokens; k++) {
            const int8_t *x = t->x.q + (b * t->n_tokens + k) * GOL_BLOCK_INPUTS;
            const float x_scale = t->x.scale[b * t->n_tokens + k];
            float *acc = t->acc + k * GOL_PANEL_ROWS;
            float sums[GOL_PANEL_ROWS] = {0};
            for (size_t g = 0; g < n_groups; g++) {
                const float *scale = t->panel->scale[b * n_groups + g];
                int32_t i[GOL_PANEL_ROWS];
                for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
                    i[r] = start[(b * n_groups + g) * t->n_tokens + k];
                sum_products(i, q, x, g * quads, (g + 1) * quads);
                for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
                    if (n_groups == 1)
                        acc[r] += (float)i[r] * (scale[r] * x_scale);
                    else
                        sums[r] += (float)i[r] * scale[r];
                }
            }
            for (size_t r = 0; n_groups > 1 && r < GOL_PANEL_ROWS; r++)
                acc[r] += sums[r] * x_scale;
        }
    }
}

static void core_m(const gol_int_tile *t, size_t n_groups)
{
    const float *x_sum = t->x.aux;
    const size_t quads = GOL_BLOCK_INPUTS / 4 / n_groups;
    for (size_t b = 0; b < t->n_blocks; b++) {
        const uint8_t *q = t->panel->q + b * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
        for (size_t k = 0; k < t->n_tokens; k++) {
            const int8_t *x = t->x.q + (b * t->n_tokens + k) * GOL_BLOCK_INPUTS;
            const float x_scale = t->x.scale[b * t->n_tokens + k];
            float *acc = t->acc + k * GOL_PANEL_ROWS;
            float sums[GOL_PANEL_ROWS] = {0};
            for (size_t g = 0; g < n_groups; g++) {
                const float *scale = t->panel->scale[b * n_groups + g];
                int32_t i[GOL_PANEL_ROWS] = {0};
                sum_products(i, q, x, g * quads, (g + 1) * quads);
                for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
                    if (n_groups == 1)
                        acc[r] += (float)i[r] * (scale[r] * x_scale);
                    else
                        sums[r] += (float)i[r] * scale[r];
                }
            }
            for (size_t r = 0; n_groups > 1 && r < GOL_PANEL_ROWS; r++)
                acc[r] += sums[r] * x_scale;
            for (size_t g = 0; g < n_groups; g++) {
                const float sum = x_sum[(b * n_groups + g) * t->n_tokens + k];
                for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
                    acc[r] -= t->panel->min[b * n_groups + g][r] * sum;
            }
        }
    }
}

void gol_int_core_z32_c(const gol_int_tile *tile)
{
    core_z(tile, 1);
}

void gol_int_core_z16_c(const gol_int_tile *tile)
{
    core_z(tile, 2);
}

void gol_int_core_m32_c(const gol_int_tile *tile)
{
    core_m(tile, 1);
}

void gol_int_core_m16_c(const gol_int_tile *tile)
{
    core_m(tile, 2);
}

/* Blocks whose largest magnitude is below this are zeros: 127 / magnitude must not overflow. */
static const float magnitude_min = 1e-30f;

/* The nearest integer, ties to even: adding 1.5 * 2^23 leaves no bits behind the point. |x| <= 2^22. */
static float round_even(float x)
{
    const float magic = 0x1.8p23f;
    return (x + magic) - magic;
}

/* q[32] and the scale of one block of one token; x[n], the rest is zero. */
static float quantize_block(int8_t *q, const float *x, size_t n)
{
    float magnitude = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float a = fabsf(x[i]);
        magnitude = a > magnitude || isnan(a) ? a : magnitude;
        if (isnan(magnitude))
            break;
    }
    memset(q, 0, GOL_BLOCK_INPUTS);
    if (!isfinite(magnitude))
        return NAN;
    if (magnitude < magnitude_min)
        return 0.0f;
    const float factor = 127.0f / magnitude;
    for (size_t i = 0; i < n; i++)
        q[i] = (int8_t)round_even(x[i] * factor);
    return magnitude / 127.0f;
}

void gol_pack_x_int_c(const gol_int_x *dst, const gol_pack_x *p, int group, int zero)
{
    const size_t n_groups = (size_t)(GOL_BLOCK_INPUTS / group);
    for (size_t b = p->begin; b < p->end; b++) {
        const size_t first = b * GOL_BLOCK_INPUTS;
        const size_t n = p->n_in - first < GOL_BLOCK_INPUTS ? p->n_in - first : GOL_BLOCK_INPUTS;
        for (size_t t = 0; t < p->n_tokens; t++) {
            const size_t at = b * p->n_tokens + t;
            int8_t *q = dst->q + at * GOL_BLOCK_INPUTS;
            const float scale = quantize_block(q, p->x + t * p->x_stride + first, n);
            dst->scale[at] = scale;
            for (size_t g = 0; g < n_groups; g++) {
                int32_t sum = 0;
                for (int i = 0; i < group; i++)
                    sum += q[(int)g * group + i];
                const size_t to = (b * n_groups + g) * p->n_tokens + t;
                if (zero > 0)
                    ((int32_t *)dst->aux)[to] = -zero * sum;
                else
                    ((float *)dst->aux)[to] = scale * (float)sum;
            }
        }
    }
}
