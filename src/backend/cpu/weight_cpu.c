/*
 * Loading weights: panels are packed by all workers, each its share. What is only looked up by row, and types whose packers do
 * not pay, stay where they lie in the file's mapping.
 */
#include "backend/cpu/weight_cpu.h"

#include <assert.h>
#include <string.h>

#include "backend/cpu/backend_cpu.h"
#include "base/mem.h"

size_t gol_weight_cpu_row_bytes(const gol_weight *w)
{
    size_t row_bytes;
    const bool is_whole = gol_type_row_bytes(&row_bytes, w->type, (uint64_t)w->n_in);
    assert(is_whole);
    return row_bytes;
}

gol_stretch gol_weight_cpu_stretch(const gol_weight *w, const gol_panel_format *f, size_t row_bytes,
                                   size_t panel, size_t stretch)
{
    const size_t n_in = (size_t)w->n_in;
    const size_t first_in = stretch * GOL_STRETCH_INPUTS;
    const size_t first_row = panel * GOL_PANEL_ROWS;
    const size_t n_rows = (size_t)w->n_out - first_row;
    const size_t n_left = n_in - first_in;
    gol_stretch s = {
        .row_bytes = row_bytes,
        .n_rows = n_rows < GOL_PANEL_ROWS ? n_rows : GOL_PANEL_ROWS,
        .n_blocks = gol_stretch_n_blocks(n_in, stretch),
        .n_in = n_left < GOL_STRETCH_INPUTS ? n_left : GOL_STRETCH_INPUTS,
    };
    const uint8_t *data = w->data;
    if (w->panel_bytes > 0) {
        s.data = data + panel * w->panel_bytes + stretch * gol_stretch_bytes(f, GOL_STRETCH_BLOCKS);
    } else {
        const gol_type_info *info = gol_type_get(w->type);
        s.data = data + first_row * row_bytes +
                 first_in / (size_t)info->block_size * info->type_size;
    }
    return s;
}

void gol_weight_cpu_row(const gol_weight *w, const gol_kernels *kernels, float *out, size_t row)
{
    const gol_panel_format *f = gol_panel_format_get(w->type);
    const size_t row_bytes = gol_weight_cpu_row_bytes(w);
    if (w->panel_bytes == 0) {
        gol_type_get(w->type)->dequant(out, (const uint8_t *)w->data + row * row_bytes,
                                       (size_t)w->n_in);
        return;
    }
    union {
        gol_int_panel bytes;
        float floats[GOL_STRETCH_INPUTS][GOL_PANEL_ROWS];
    } __attribute__((aligned(64))) panel;
    const size_t r = row % GOL_PANEL_ROWS;
    const bool has_min = f->kind == GOL_INT_M32 || f->kind == GOL_INT_M16;
    const size_t group = (size_t)gol_int_kind_group(f->kind);
    for (size_t first = 0; first < (size_t)w->n_in; first += GOL_STRETCH_INPUTS) {
        const gol_stretch s = gol_weight_cpu_stretch(w, f, row_bytes, row / GOL_PANEL_ROWS,
                                                     first / GOL_STRETCH_INPUTS);
        if (f->product == GOL_PRODUCT_F32) {
            const float *in = kernels->unpack_f32[w->type](panel.floats[0], &s);
            for (size_t i = 0; i < s.n_in; i++)
                out[first + i] = in[i * GOL_PANEL_ROWS + r];
            continue;
        }
        kernels->unpack_int[w->type](&panel.bytes, &s);
        for (size_t i = 0; i < s.n_in; i++) {
            const int q = panel.bytes.q[(i / 4 * GOL_PANEL_ROWS + r) * 4 + i % 4];
            const float value = panel.bytes.scale[i / group][r] * (float)(q - f->zero);
            out[first + i] = has_min ? value - panel.bytes.min[i / group][r] : value;
        }
    }
}

typedef struct pack_job {
    uint8_t *dst;
    const gol_weight_desc *desc;
    const void *const *data; /* [n_stack] matrices */
    size_t n_stack;
    const gol_panel_format *format;
    size_t panel_bytes;
    size_t row_bytes;
    size_t n_panels; /* of a matrix */
} pack_job;

static void pack_panels(void *arg, int ith, int n_threads)
{
    const pack_job *job = arg;
    const gol_panel_format *f = job->format;
    const size_t n_in = (size_t)job->desc->n_in;
    const size_t n_blocks = gol_panel_n_blocks(n_in);
    size_t panel;
    size_t end;
    gol_worker_range(&panel, &end, job->n_stack * job->n_panels, 1, ith, n_threads);
    for (; panel < end; panel++) {
        const size_t first_row = panel % job->n_panels * GOL_PANEL_ROWS;
        const uint8_t *data = job->data[panel / job->n_panels];
        const size_t n_rows = (size_t)job->desc->n_out - first_row;
        const gol_pack_rows rows = {
            .data = data + first_row * job->row_bytes,
            .row_bytes = job->row_bytes,
            .n_rows = n_rows < GOL_PANEL_ROWS ? n_rows : GOL_PANEL_ROWS,
            .n_in = n_in,
        };
        uint8_t *dst = job->dst + panel * job->panel_bytes;
        /* Where rows or inputs are missing, zeros stay: scales and weights that add nothing. */
        if (rows.n_rows < GOL_PANEL_ROWS || n_in % GOL_BLOCK_INPUTS != 0)
            memset(dst, 0, job->panel_bytes);
        for (size_t s = 0; s * GOL_STRETCH_BLOCKS < n_blocks; s++)
            f->pack(dst + s * gol_stretch_bytes(f, GOL_STRETCH_BLOCKS), f, &rows, s);
    }
}

/* The panels of n_stack matrices in memory of our own; out describes one that lies in the file. */
static int pack_weight(gol_backend_cpu *cpu, gol_weight *out, const gol_weight_desc *desc,
                       const void *const *data, int32_t n_stack, gol_err *err)
{
    const gol_panel_format *format = gol_panel_format_get(desc->type);
    pack_job job = {
        .desc = desc,
        .data = data,
        .n_stack = (size_t)n_stack,
        .format = format,
        .panel_bytes = gol_panel_bytes(format, (size_t)desc->n_in),
        .row_bytes = gol_weight_cpu_row_bytes(out),
        .n_panels = gol_weight_cpu_n_panels(out),
    };
    size_t matrix_bytes;
    size_t n_bytes = SIZE_MAX;
    if (gol_mul_size(&matrix_bytes, job.panel_bytes, job.n_panels) &&
        gol_mul_size(&n_bytes, matrix_bytes, job.n_stack))
        job.dst = gol_try_aligned(n_bytes);
    if (!job.dst)
        return gol_fail(err, GOL_ENOMEM, "tensor '%s': out of memory for %zu bytes", desc->name,
                        n_bytes);
    gol_backend_cpu_run(cpu, pack_panels, &job, n_bytes);
    out->panel_bytes = job.panel_bytes;
    out->stack_bytes = matrix_bytes;
    out->n_bytes = n_bytes;
    out->owned = job.dst;
    out->data = job.dst;
    return 0;
}

size_t gol_backend_cpu_weight_bytes(gol_backend *be, const gol_weight_desc *desc)
{
    (void)be;
    const gol_panel_format *format = gol_panel_format_get(desc->type);
    if (desc->is_lookup || !format->pack)
        return 0;
    const gol_weight shape = {.n_out = desc->n_out, .n_in = desc->n_in};
    size_t n_bytes;
    gol_mul_size(&n_bytes, gol_panel_bytes(format, (size_t)desc->n_in),
                 gol_weight_cpu_n_panels(&shape));
    return n_bytes;
}

/* What desc says, as a weight that lies in the file. */
static int check_weight(gol_weight *out, const gol_weight_desc *desc, gol_err *err)
{
    *out = (gol_weight){0};
    const gol_type_info *info = gol_type_find((uint32_t)desc->type);
    const gol_panel_format *format = gol_panel_format_get(desc->type);
    if (!info || format->product == GOL_PRODUCT_NONE)
        return gol_fail(err, GOL_EUNSUPPORTED, "tensor '%s': type %s cannot be a weight on the cpu",
                        desc->name, info ? info->name : "unknown");
    size_t row_bytes;
    size_t n_bytes;
    if (desc->n_in <= 0 || desc->n_out <= 0 ||
        !gol_type_row_bytes(&row_bytes, desc->type, (uint64_t)desc->n_in) ||
        !gol_mul_size(&n_bytes, row_bytes, (size_t)desc->n_out) || n_bytes != desc->n_bytes)
        return gol_fail(err, GOL_EMODEL, "tensor '%s': %zu bytes are no [%lld][%lld] matrix of %s",
                        desc->name, desc->n_bytes, (long long)desc->n_out, (long long)desc->n_in,
                        info->name);
    *out = (gol_weight){.type = desc->type,
                        .n_out = desc->n_out,
                        .n_in = desc->n_in,
                        .data = desc->data,
                        .n_bytes = n_bytes,
                        .is_lookup = desc->is_lookup};
    return 0;
}

int gol_backend_cpu_weight_load(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                                gol_err *err)
{
    int rc = check_weight(out, desc, err);
    if (rc < 0 || desc->is_lookup || !gol_panel_format_get(desc->type)->pack)
        return rc;
    rc = pack_weight(gol_backend_cpu_of(be), out, desc, &desc->data, 1, err);
    if (rc < 0)
        *out = (gol_weight){0};
    return rc;
}

int gol_backend_cpu_stack_load(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                               const void *const *data, int32_t n_stack, gol_err *err)
{
    assert(n_stack > 0 && !desc->is_lookup);
    int rc = check_weight(out, desc, err);
    if (rc < 0)
        return rc;
    if (gol_panel_format_get(desc->type)->pack)
        rc = pack_weight(gol_backend_cpu_of(be), out, desc, data, n_stack, err);
    else
        rc = gol_fail(err, GOL_EUNSUPPORTED, "tensor '%s': experts of type %s are not possible",
                      desc->name, gol_type_get(desc->type)->name);
    if (rc < 0)
        *out = (gol_weight){0};
    else
        out->n_stack = n_stack;
    return rc;
}

void gol_backend_cpu_weight_free(gol_backend *be, gol_weight *w)
{
    (void)be;
    gol_aligned_free(w->owned);
    *w = (gol_weight){0};
}
