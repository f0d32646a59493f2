/*
 * The integer cores and their activations in plain C: what panel.h says, one number after another.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Adds q * x over the inputs of a group for 16 rows; q [n_quads][16][4], x [n_quads * 4]. */
static void sum_products(int32_t sums[GOL_PANEL_ROWS], const uint8_t *q, const int8_t *x,
                         size_t n_quads)
{
    for (size_t j = 0; j < n_quads; j++)
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
            for (size_t i = 0; i < 4; i++)
                sums[r] += q[(j * GOL_PANEL_ROWS + r) * 4 + i] * x[4 * j + i];
}

/* One group of one token and panel. */
static void add_group(float *acc, const gol_int_panel *panel, size_t group, size_t n_quads,
                      const int8_t *x, int32_t start, float x_scale)
{
    int32_t sums[GOL_PANEL_ROWS];
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
        sums[r] = start;
    sum_products(sums, panel->q + group * n_quads * 4 * GOL_PANEL_ROWS, x, n_quads);
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
        acc[r] += (float)(sums[r] - GOL_INT_SUM_ZERO) * panel->scale[group][r] * x_scale;
}

static void core(const gol_int_tile *t, size_t n_groups, bool has_mins)
{
    const size_t n_quads = GOL_BLOCK_INPUTS / 4 / n_groups;
    for (size_t i = 0; i < t->n_panels * t->n_blocks * n_groups; i++) {
        const gol_int_panel *panel = t->panel + i / n_groups / t->n_blocks;
        const size_t group = i % (t->n_blocks * n_groups);
        const size_t b = group / n_groups;
        for (size_t k = 0; k < t->n_tokens; k++) {
            float *acc = t->acc + i / n_groups / t->n_blocks * t->acc_stride + k * GOL_PANEL_ROWS;
            const int8_t *x = t->x.q + (b * t->n_tokens + k) * GOL_BLOCK_INPUTS +
                              group % n_groups * n_quads * 4;
            const size_t aux = group * t->n_tokens + k;
            add_group(acc, panel, group, n_quads, x,
                      has_mins ? GOL_INT_SUM_ZERO : ((const int32_t *)t->x.aux)[aux],
                      t->x.scale[b * t->n_tokens + k]);
            for (size_t r = 0; has_mins && r < GOL_PANEL_ROWS; r++)
                acc[r] -= panel->min[group][r] * ((const float *)t->x.aux)[aux];
        }
    }
}

void gol_int_core_z32_c(const gol_int_tile *tile)
{
    core(tile, 1, false);
}

void gol_int_core_z16_c(const gol_int_tile *tile)
{
    core(tile, 2, false);
}

void gol_int_core_m32_c(const gol_int_tile *tile)
{
    core(tile, 1, true);
}

void gol_int_core_m16_c(const gol_int_tile *tile)
{
    core(tile, 2, true);
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
                    ((int32_t *)dst->aux)[to] = GOL_INT_SUM_ZERO - zero * sum;
                else
                    ((float *)dst->aux)[to] = scale * (float)sum;
            }
        }
    }
}
