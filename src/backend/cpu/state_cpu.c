/*
 * Recurrent states in host memory: sizes, life, copying a slot. The layout is drawn in backend_cpu.h.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { LINE = GOL_MEM_ALIGN / sizeof(float) };

/* *end += a * b * c floats, and then up to a whole line. */
static bool place(size_t *end, int32_t a, int32_t b, int32_t c)
{
    size_t n = (size_t)a;
    return gol_mul_size(&n, n, (size_t)b) && gol_mul_size(&n, n, (size_t)c) &&
           gol_add_size(end, *end, n) && gol_add_size(end, *end, (LINE - *end % LINE) % LINE);
}

/* Places all layers of a slot one after another; layers may be NULL when only the sum is wanted. SIZE_MAX: it overflows. */
static size_t place_layers(gol_state_layer *layers, const gol_state_shape *shape)
{
    size_t end = 0;
    for (int32_t i = 0; i < shape->n_layers; i++) {
        gol_state_layer l = {.shape = shape->layers[i], .conv_offset = end};
        const gol_state_layer_shape *s = &l.shape;
        assert(s->n_heads >= 0);
        if (s->n_heads > 0) {
            assert(s->d_conv >= 2 && s->d_conv <= GOL_SSM_CONV_MAX);
            assert(s->head_dim > 0 && s->d_state > 0);
            assert(s->n_groups > 0 && s->n_heads % s->n_groups == 0);
            assert(s->n_channels == s->n_heads * s->head_dim + 2 * s->n_groups * s->d_state);
            if (!place(&end, s->d_conv - 1, s->n_channels, 1))
                return SIZE_MAX;
            l.heads_offset = end;
            if (!place(&end, s->n_heads, s->d_state, s->head_dim))
                return SIZE_MAX;
        }
        if (layers)
            layers[i] = l;
    }
    return end;
}

size_t gol_backend_cpu_state_bytes(gol_backend *be, const gol_state_shape *shape)
{
    (void)be;
    assert(shape->n_layers >= 0 && shape->n_slots >= 0);
    size_t n = place_layers(NULL, shape);
    if (n == SIZE_MAX || !gol_mul_size(&n, n, sizeof(float)) ||
        !gol_mul_size(&n, n, (size_t)shape->n_slots))
        return SIZE_MAX;
    return n;
}

int gol_backend_cpu_state_create(gol_backend *be, gol_state **out, const gol_state_shape *shape,
                                 gol_err *err)
{
    *out = NULL;
    const size_t n_bytes = gol_backend_cpu_state_bytes(be, shape);
    if (n_bytes == SIZE_MAX)
        return gol_fail(err, GOL_ENOMEM, "cpu: %d recurrent states do not fit into memory",
                        shape->n_slots);
    const size_t n_layers = (size_t)shape->n_layers;
    gol_state *state = gol_try_calloc(1, sizeof *state + n_layers * sizeof state->layers[0]);
    if (!state)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory");
    state->data = gol_try_aligned(n_bytes);
    if (!state->data) {
        gol_free(state);
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for recurrent states of %zu bytes",
                        n_bytes);
    }
    state->n_layers = shape->n_layers;
    state->n_slots = shape->n_slots;
    state->slot_floats = place_layers(state->layers, shape);
    *out = state;
    return 0;
}

void gol_backend_cpu_state_destroy(gol_backend *be, gol_state **state)
{
    (void)be;
    if (!*state)
        return;
    gol_aligned_free((*state)->data);
    gol_free(*state);
    *state = NULL;
}

typedef struct copy_job {
    float *dst;
    const float *src;
    size_t n;
} copy_job;

static void copy_part(void *arg, int ith, int n_threads)
{
    const copy_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n, LINE, ith, n_threads);
    memcpy(job->dst + begin, job->src + begin, (end - begin) * sizeof(float));
}

void gol_backend_cpu_state_copy_slot(gol_backend *be, gol_state *state, int32_t dst_slot,
                                     int32_t src_slot)
{
    assert(dst_slot >= 0 && dst_slot < state->n_slots);
    assert(src_slot >= 0 && src_slot < state->n_slots);
    if (dst_slot == src_slot)
        return;
    copy_job job = {gol_state_cpu_slot(state, dst_slot), gol_state_cpu_slot(state, src_slot),
                    state->slot_floats};
    gol_backend_cpu_run(gol_backend_cpu_of(be), copy_part, &job, job.n);
}
