/*
 * The changes of data that rules name. Shapes come fastest first: a matrix [n_out][n_in] has shape[0] = n_in, shape[1] = n_out.
 * Those that only move elements know their size, not their type.
 */
#include <math.h>
#include <string.h>

#include "formats/hf/hf_model.h"

static size_t element_size(const gol_tensor *t)
{
    return gol_type_get(t->type)->type_size;
}

/* Rows of a matrix, or elements of a vector: what is reordered, and the bytes of one. */
static uint64_t n_rows_of(const gol_tensor *t)
{
    return t->n_dims == 1 ? t->shape[0] : t->shape[1];
}

static size_t row_size_of(const gol_tensor *t)
{
    return t->n_dims == 1 ? element_size(t) : (size_t)t->shape[0] * element_size(t);
}

static bool is_float(gol_type type)
{
    return type == GOL_TYPE_F32 || type == GOL_TYPE_F16 || type == GOL_TYPE_BF16;
}

static bool plan_f32(gol_hf_recipe *recipe, gol_tensor *t)
{
    (void)recipe;
    const bool fits = is_float(t->type);
    t->type = GOL_TYPE_F32;
    return fits;
}

const gol_hf_change gol_hf_f32 = {"read as 32-bit floats", plan_f32, NULL, false};

/* ------------------------------------------------------------------ rotary pairs ---- */

static bool plan_permute(const gol_tensor *t, uint32_t n_heads)
{
    return t->n_dims <= 2 && n_heads > 0 && n_rows_of(t) % (2 * (uint64_t)n_heads) == 0;
}

/* Head [2][half] becomes [half][2]: rows i and half + i are neighbours then. */
static void permute(const gol_tensor *t, uint32_t n_heads, uint8_t *dst, const uint8_t *src)
{
    const size_t size = row_size_of(t);
    const uint64_t half = n_rows_of(t) / n_heads / 2;
    for (uint32_t h = 0; h < n_heads; h++) {
        for (uint64_t i = 0; i < half; i++) {
            memcpy(dst, src + (size_t)i * size, size);
            memcpy(dst + size, src + (size_t)(half + i) * size, size);
            dst += 2 * size;
        }
        src += 2 * (size_t)half * size;
    }
}

static bool plan_permute_q(gol_hf_recipe *recipe, gol_tensor *t)
{
    return plan_permute(t, recipe->n_heads);
}

static bool plan_permute_k(gol_hf_recipe *recipe, gol_tensor *t)
{
    return plan_permute(t, recipe->n_kv_heads);
}

static void permute_q(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                      const uint8_t *src)
{
    permute(t, recipe->n_heads, dst, src);
}

static void permute_k(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                      const uint8_t *src)
{
    permute(t, recipe->n_kv_heads, dst, src);
}

const gol_hf_change gol_hf_permute_q = {"split into its heads", plan_permute_q, permute_q, false};
const gol_hf_change gol_hf_permute_k = {"split into its key-value heads", plan_permute_k, permute_k,
                                        false};

/* ------------------------------------------------------------------ arithmetic ---- */

static void plus_one(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                     const uint8_t *src)
{
    (void)recipe;
    float *y = (float *)(void *)dst;
    for (uint64_t i = 0; i < t->n_elements; i++) {
        float x;
        memcpy(&x, src + i * sizeof x, sizeof x);
        y[i] = x + 1.0f;
    }
}

const gol_hf_change gol_hf_plus_one = {"read as 32-bit floats", plan_f32, plus_one, false};

static bool plan_column(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (t->n_dims != 1)
        return false;
    t->n_dims = 2;
    t->shape[1] = t->shape[0];
    t->shape[0] = 1;
    return plan_f32(recipe, t);
}

static void minus_exp(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                      const uint8_t *src)
{
    (void)recipe;
    float *y = (float *)(void *)dst;
    for (uint64_t i = 0; i < t->n_elements; i++) {
        float x;
        memcpy(&x, src + i * sizeof x, sizeof x);
        y[i] = -expf(x);
    }
}

const gol_hf_change gol_hf_column = {"made a column", plan_column, NULL, false};
const gol_hf_change gol_hf_minus_exp = {"made a column", plan_column, minus_exp, false};

/* ------------------------------------------------------------------ shapes ---- */

static bool plan_squeeze(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (t->n_dims != 3 || t->shape[1] != 1)
        return false;
    t->n_dims = 2;
    t->shape[1] = t->shape[2];
    t->shape[2] = 1;
    return plan_f32(recipe, t);
}

const gol_hf_change gol_hf_squeeze = {"made a matrix", plan_squeeze, NULL, false};

static bool plan_rows_of_groups(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (t->n_dims != 1 || recipe->n_groups == 0 || t->shape[0] % recipe->n_groups != 0)
        return false;
    t->n_dims = 2;
    t->shape[0] /= recipe->n_groups;
    t->shape[1] = recipe->n_groups;
    return plan_f32(recipe, t);
}

const gol_hf_change gol_hf_rows_of_groups = {"split into its groups", plan_rows_of_groups, NULL,
                                             false};

static bool plan_transpose(gol_hf_recipe *recipe, gol_tensor *t)
{
    (void)recipe;
    const uint64_t n_out = t->shape[0];
    t->shape[0] = t->shape[1];
    t->shape[1] = n_out;
    return t->n_dims == 2 || t->n_dims == 3;
}

enum { SIDE = 32 };

static void transpose_square(uint8_t *dst, const uint8_t *src, size_t n_out, size_t n_in,
                             size_t row, size_t col, size_t size)
{
    for (size_t r = row; r < row + SIDE && r < n_out; r++) {
        for (size_t c = col; c < col + SIDE && c < n_in; c++)
            memcpy(dst + (r * n_in + c) * size, src + (c * n_out + r) * size, size);
    }
}

/* Each src [n_in][n_out], in squares whose rows stay in the cache. */
static void transpose(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                      const uint8_t *src)
{
    (void)recipe;
    const size_t size = element_size(t);
    const size_t n_in = (size_t)t->shape[0];
    const size_t n_out = (size_t)t->shape[1];
    for (uint64_t i = 0; i < t->shape[2]; i++) {
        for (size_t row = 0; row < n_out; row += SIDE) {
            for (size_t col = 0; col < n_in; col += SIDE)
                transpose_square(dst, src, n_out, n_in, row, col, size);
        }
        dst += n_out * n_in * size;
        src += n_out * n_in * size;
    }
}

const gol_hf_change gol_hf_transpose = {"transposed", plan_transpose, transpose, false};

/* ------------------------------------------------------------------ rows ---- */

static bool plan_later_rows(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (t->n_dims != 2 || t->shape[1] <= recipe->n_skipped)
        return false;
    recipe->first = t->shape[0] * recipe->n_skipped;
    t->shape[1] -= recipe->n_skipped;
    return plan_f32(recipe, t);
}

static void later_rows(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                       const uint8_t *src)
{
    memcpy(dst, src + (size_t)recipe->first * element_size(t),
           (size_t)t->n_elements * element_size(t));
}

const gol_hf_change gol_hf_later_rows = {"cut to its positions", plan_later_rows, later_rows,
                                         false};

static bool plan_ungroup(gol_hf_recipe *recipe, gol_tensor *t)
{
    const uint64_t n_parts = (uint64_t)recipe->n_heads + 2 * (uint64_t)recipe->n_kv_heads;
    return t->n_dims <= 2 && recipe->n_kv_heads > 0 && n_rows_of(t) % n_parts == 0;
}

/* Groups of (n_heads / n_kv_heads of q, one k, one v) become all q, all k, all v. */
static void ungroup(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                    const uint8_t *src)
{
    const uint64_t n_q = recipe->n_heads / recipe->n_kv_heads;
    const uint64_t head = n_rows_of(t) / (recipe->n_heads + 2 * (uint64_t)recipe->n_kv_heads);
    const size_t size = row_size_of(t) * (size_t)head; /* bytes of a head */
    uint8_t *k = dst + recipe->n_heads * size;
    uint8_t *v = k + recipe->n_kv_heads * size;
    for (uint32_t g = 0; g < recipe->n_kv_heads; g++) {
        memcpy(dst + g * n_q * size, src, n_q * size);
        memcpy(k + g * size, src + n_q * size, size);
        memcpy(v + g * size, src + (n_q + 1) * size, size);
        src += (n_q + 2) * size;
    }
}

const gol_hf_change gol_hf_ungroup_qkv = {"split into the heads of q, k and v", plan_ungroup,
                                          ungroup, false};

static bool plan_half(gol_tensor *t)
{
    if (t->n_dims < 2 || t->shape[1] % 2 != 0)
        return false;
    t->shape[1] /= 2;
    return true;
}

static bool plan_first_half(gol_hf_recipe *recipe, gol_tensor *t)
{
    (void)recipe;
    return plan_half(t);
}

static bool plan_second_half(gol_hf_recipe *recipe, gol_tensor *t)
{
    if (!plan_half(t))
        return false;
    recipe->first = t->shape[0] * t->shape[1];
    return true;
}

static void copy_half(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                      const uint8_t *src)
{
    const size_t size = (size_t)(t->shape[0] * t->shape[1]) * element_size(t);
    src += (size_t)recipe->first * element_size(t);
    for (uint64_t i = 0; i < t->shape[2] * t->shape[3]; i++)
        memcpy(dst + i * size, src + i * 2 * size, size);
}

const gol_hf_change gol_hf_first_half = {"cut in halves", plan_first_half, copy_half, false};
const gol_hf_change gol_hf_second_half = {"cut in halves", plan_second_half, copy_half, false};
