/*
 * The bytes of tensors that the folder holds in another form: each source's elements are brought to the tensor's type, then changed.
 * Memory: the tensor, and one source in the tensor's type where both steps do something.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "formats/hf/hf_model.h"
#include "quant/half.h"

/* An 8-bit float of 4 exponent and 3 mantissa bits without infinities ("E4M3FN"; arXiv 2209.05433). */
static float from_e4m3(uint8_t bits)
{
    const unsigned exponent = bits >> 3 & 15u;
    const unsigned mantissa = bits & 7u;
    if ((bits & 0x7fu) == 0x7fu)
        return gol_f32_from_bits(0x7fc00000u);
    const float magnitude = exponent == 0
                                ? (float)mantissa * 0x1p-9f
                                : gol_f32_from_bits((exponent + 120u) << 23 | mantissa << 20);
    return bits & 0x80u ? -magnitude : magnitude;
}

bool gol_hf_source_type(const gol_hf_source *source, gol_type *type)
{
    const gol_dtype_info *info = gol_dtype_get(source->tensor->dtype);
    if (source->tensor->dtype == GOL_DTYPE_F8_E4M3)
        *type = GOL_TYPE_BF16;
    else if (info->has_type)
        *type = info->type;
    else
        return false;
    return true;
}

/* Scales of a matrix: one, one per row, or one per block of rows and columns. */
typedef struct scales {
    const uint8_t *data;
    gol_dequant_row *read;
    size_t size; /* of an element */
    uint64_t n_cols;
    uint64_t row_block;
    uint64_t col_block;
} scales;

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static int find_scales(scales *out, const gol_hf_source *source, uint64_t n_rows, uint64_t n_cols,
                       gol_err *err)
{
    *out = (scales){.row_block = n_rows, .col_block = n_cols, .n_cols = 1};
    if (!source)
        return gol_fail(err, GOL_EMODEL, "8-bit floats without a tensor of scales");
    const gol_safetensor *t = source->tensor;
    gol_type type;
    if (!gol_hf_source_type(source, &type) || !gol_dtype_get(t->dtype)->has_type ||
        !gol_type_get(type)->dequant || t->n_elements == 0)
        return gol_fail(err, GOL_EUNSUPPORTED, "scales of type %s are not supported",
                        gol_dtype_get(t->dtype)->name);
    out->data = source->data;
    out->read = gol_type_get(type)->dequant;
    out->size = gol_type_get(type)->type_size;
    if (t->n_elements == 1)
        return 0;
    const uint64_t n_scale_rows = t->n_dims > 0 ? t->shape[0] : 1;
    out->n_cols = t->n_dims > 1 ? t->shape[1] : 1;
    if (t->n_dims > 2 || n_scale_rows > n_rows || out->n_cols > n_cols)
        return gol_fail(err, GOL_EMODEL, "its scales have no shape that fits");
    /* Blocks are powers of two (128 in published models); the last one may be cut. */
    out->row_block = out->col_block = 1;
    while (ceil_div(n_rows, out->row_block) > n_scale_rows)
        out->row_block *= 2;
    while (ceil_div(n_cols, out->col_block) > out->n_cols)
        out->col_block *= 2;
    if (ceil_div(n_rows, out->row_block) != n_scale_rows ||
        ceil_div(n_cols, out->col_block) != out->n_cols)
        return gol_fail(err, GOL_EMODEL, "its scales have no shape that fits");
    return 0;
}

/* To bfloat16, or to 32-bit floats where the tensor wants these. */
static int read_e4m3(const gol_hf_source *source, gol_type type, uint8_t *dst, gol_err *err)
{
    const gol_safetensor *s = source->tensor;
    const uint8_t *src = source->data;
    const uint64_t n_cols = s->n_dims > 0 ? s->shape[s->n_dims - 1] : 1;
    const uint64_t n_rows = s->n_elements / n_cols;
    scales scale;
    const int rc = find_scales(&scale, source->scale, n_rows, n_cols, err);
    if (rc != 0)
        return rc;
    for (uint64_t row = 0; row < n_rows; row++) {
        const uint8_t *scale_row = scale.data + row / scale.row_block * scale.n_cols * scale.size;
        float factor = 0;
        for (uint64_t col = 0; col < n_cols; col++, src++) {
            if (col % scale.col_block == 0)
                scale.read(&factor, scale_row + col / scale.col_block * scale.size, 1);
            const float value = from_e4m3(*src) * factor;
            const uint16_t half = gol_f32_to_bf16(value);
            if (type == GOL_TYPE_F32)
                memcpy(dst, &value, sizeof value);
            else
                memcpy(dst, &half, sizeof half);
            dst += type == GOL_TYPE_F32 ? sizeof value : sizeof half;
        }
    }
    return 0;
}

/* A source's elements in the tensor's type, into dst. */
static int convert(const gol_hf_source *source, gol_type type, uint8_t *dst, gol_err *err)
{
    const gol_safetensor *s = source->tensor;
    if (s->dtype == GOL_DTYPE_F8_E4M3)
        return read_e4m3(source, type, dst, err);
    const gol_dtype_info *dtype = gol_dtype_get(s->dtype);
    if (dtype->type == type)
        memcpy(dst, source->data, (size_t)s->n_bytes);
    else /* plan() lets only floats become 32-bit ones */
        gol_type_get(dtype->type)
            ->dequant((float *)(void *)dst, source->data, (size_t)s->n_elements);
    return 0;
}

static int make_part(const gol_hf_recipe *recipe, const gol_hf_source *source, const gol_tensor *t,
                     uint8_t *dst, gol_err *err)
{
    if (!recipe->change || !recipe->change->apply)
        return convert(source, t->type, dst, err);
    const gol_dtype_info *dtype = gol_dtype_get(source->tensor->dtype);
    if (recipe->change->takes_bytes || (dtype->has_type && dtype->type == t->type)) {
        recipe->change->apply(recipe, t, dst, source->data);
        return 0;
    }
    size_t n_bytes;
    uint8_t *values = NULL;
    if (gol_mul_size(&n_bytes, (size_t)source->tensor->n_elements,
                     gol_type_get(t->type)->type_size))
        values = gol_try_aligned(n_bytes);
    if (!values)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu bytes", n_bytes);
    const int rc = convert(source, t->type, values, err);
    if (rc == 0)
        recipe->change->apply(recipe, t, dst, values);
    gol_aligned_free(values);
    return rc;
}

int gol_hf_make(const gol_model_file *file, const gol_tensor *tensor, uint8_t *out, gol_err *err)
{
    (void)file;
    const gol_hf_recipe *recipe = tensor->recipe;
    gol_tensor part = *tensor; /* what one source makes */
    if (recipe->n_sources > 1) {
        part.shape[--part.n_dims] = 1;
        part.n_elements /= recipe->n_sources;
        part.n_bytes /= recipe->n_sources;
    }
    int rc = 0;
    for (uint32_t i = 0; i < recipe->n_sources && rc == 0; i++)
        rc = make_part(recipe, recipe->stack[i], &part, out + i * part.n_bytes, err);
    return rc;
}

void gol_hf_drop(const gol_model_file *file, const gol_tensor *tensor)
{
    for (uint32_t i = 0; i < tensor->recipe->n_sources; i++) {
        const gol_hf_source *source = tensor->recipe->stack[i];
        gol_mapped_file_drop_pages(&file->parts[source->part].map, (size_t)source->tensor->offset,
                                   (size_t)source->tensor->n_bytes);
    }
}
