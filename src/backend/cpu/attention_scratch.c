/*
 * Sizes and places of attention's scratch (attention_scratch.h). It grows with reserve() and kv_create(), never in an op.
 */
#include "backend/cpu/attention_scratch.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static gol_attn_fold fold_at(float *p, size_t n_rows, size_t dim_v)
{
    return (gol_attn_fold){p, p + n_rows * dim_v, p + n_rows * (dim_v + 1)};
}

/* Floats of a fold, rounded up to whole cache lines. */
static size_t fold_floats(size_t n_rows, size_t dim_v)
{
    return gol_attn_pad(n_rows * (dim_v + 2));
}

/* What comes before `saved`. */
static size_t fixed_floats(size_t dim_k, size_t dim_v)
{
    return GOL_ATTN_ITEM_ROWS * dim_k + fold_floats(GOL_ATTN_ITEM_ROWS, dim_v) +
           fold_floats(GOL_ATTN_ROWS, dim_v) + GOL_ATTN_ROWS * GOL_ATTN_STRIDE;
}

/* Chunks that a context can touch. */
static size_t count_chunks(int32_t n_ctx)
{
    return ((size_t)n_ctx - 1) / GOL_ATTN_CHUNK + 1;
}

/* Floats of one worker, SIZE_MAX on overflow. */
static size_t stride_of(int32_t n_ctx, int32_t dim_k, int32_t dim_v)
{
    const size_t dim = gol_attn_pad((size_t)dim_v);
    size_t n_saved;
    size_t stride;
    if (gol_mul_size(&n_saved, count_chunks(n_ctx), fold_floats(GOL_ATTN_SPLIT_ROWS, dim)))
        gol_add_size(&stride, gol_attn_pad(fixed_floats((size_t)dim_k, dim)), n_saved);
    else
        stride = SIZE_MAX;
    return stride;
}

/* Of all workers, SIZE_MAX on overflow. */
static size_t bytes_of(const gol_backend_cpu *cpu, size_t stride)
{
    size_t n_bytes;
    gol_mul_size(&n_bytes, stride, (size_t)cpu->n_threads * sizeof(float));
    return n_bytes;
}

size_t gol_backend_cpu_attention_bytes(const gol_backend_cpu *cpu, int32_t n_ctx, int32_t dim_k,
                                       int32_t dim_v)
{
    if (n_ctx == 0 || dim_k == 0 || dim_v == 0)
        return 0;
    return bytes_of(cpu, stride_of(n_ctx, dim_k, dim_v));
}

int gol_backend_cpu_reserve_attention(gol_backend_cpu *cpu, int32_t n_ctx, int32_t dim_k,
                                      int32_t dim_v, gol_err *err)
{
    gol_attention_memory *m = &cpu->attention;
    gol_attention_memory next = *m;
    next.n_ctx_max = n_ctx > m->n_ctx_max ? n_ctx : m->n_ctx_max;
    next.dim_k_max = dim_k > m->dim_k_max ? dim_k : m->dim_k_max;
    next.dim_v_max = dim_v > m->dim_v_max ? dim_v : m->dim_v_max;
    if (next.n_ctx_max == 0 || next.dim_k_max == 0 || next.dim_v_max == 0) {
        *m = next;
        return 0;
    }
    next.stride = stride_of(next.n_ctx_max, next.dim_k_max, next.dim_v_max);
    if (next.stride > m->stride) {
        const size_t dim = gol_attn_pad((size_t)next.dim_v_max);
        next.data = gol_try_aligned(bytes_of(cpu, next.stride));
        if (!next.data)
            return gol_fail(err, GOL_ENOMEM,
                            "cpu: out of memory for attention over a context of %d with heads of "
                            "%d and %d",
                            next.n_ctx_max, next.dim_k_max, next.dim_v_max);
        gol_aligned_free(m->data);
        for (int i = 0; i < cpu->n_threads; i++) {
            /* rows that a tile does not have are computed too, and must be numbers */
            float *worker = next.data + (size_t)i * next.stride;
            memset(worker, 0, fixed_floats((size_t)next.dim_k_max, dim) * sizeof *worker);
        }
    }
    *m = next;
    return 0;
}

void gol_attn_scratch_get(gol_attn_scratch *out, const gol_backend_cpu *cpu, int ith, size_t dim_k,
                          size_t dim_v)
{
    assert(dim_k <= (size_t)cpu->attention.dim_k_max);
    assert(dim_v <= gol_attn_pad((size_t)cpu->attention.dim_v_max));
    float *p = cpu->attention.data + (size_t)ith * cpu->attention.stride;
    out->q = p;
    p += GOL_ATTN_ITEM_ROWS * dim_k;
    out->state = fold_at(p, GOL_ATTN_ITEM_ROWS, dim_v);
    p += fold_floats(GOL_ATTN_ITEM_ROWS, dim_v);
    out->part = fold_at(p, GOL_ATTN_ROWS, dim_v);
    p += fold_floats(GOL_ATTN_ROWS, dim_v);
    out->scores = p + GOL_ATTN_MARGIN;
    p += GOL_ATTN_ROWS * GOL_ATTN_STRIDE;
    out->saved = p;
    out->saved_stride = fold_floats(GOL_ATTN_SPLIT_ROWS, dim_v);
}

gol_attn_fold gol_attn_scratch_saved(const gol_attn_scratch *s, int32_t i, size_t dim_v)
{
    return fold_at(s->saved + (size_t)i * s->saved_stride, GOL_ATTN_SPLIT_ROWS, dim_v);
}
