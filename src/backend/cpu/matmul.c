/*
 * out[n_tokens][n_out] = x[n_tokens][n_in] * w[n_out][n_in]^T, as panel.h cuts it: output columns are split over the workers by
 * panels of 16, and inside a worker's share the loops are, from the outside:
 *
 *     slabs of tokens      whose packed activations fit into the scratch that reserve() made; all workers pack, then multiply
 *     groups of panels     whose weights stay in a core's L2 cache while all tokens of the slab pass over them
 *     chunks of tokens     whose activations stay in L2 beside them
 *     panels of the group
 *     stretches of inputs  unpacked into L1, used by all tokens of the chunk
 *     tiles of tokens      one call of a core
 *
 * None of these cuts is inside a sum: a row's bits depend on the row alone.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum {
    /* Tokens of a slab: activations of that many are packed at a time. More would read weights from memory less often, but at
     * this many multiplications per byte that costs 1% of the time, while scratch grows with it. A multiple of both tiles. */
    SLAB_TOKENS = 480,
    CHUNK_TOKENS = 96,           /* a multiple of both tiles, too */
    GROUP_BYTES_MAX = 384 << 10, /* half of a small L2 cache */
    /* Segments of a row that the workers pack: small enough to share one decoded token's row between them. */
    PACK_BLOCKS = 32,
    CACHE_LINE = GOL_MEM_ALIGN,
};
static_assert(SLAB_TOKENS % GOL_INT_TILE == 0 && SLAB_TOKENS % GOL_F32_TILE == 0, "whole tiles");
static_assert(CHUNK_TOKENS % GOL_INT_TILE == 0 && CHUNK_TOKENS % GOL_F32_TILE == 0, "whole tiles");

/* What one worker has to itself. */
struct gol_matmul_scratch {
    float acc[CHUNK_TOKENS][GOL_PANEL_ROWS];
    union {
        gol_int_panel int_panel;
        float f32_panel[GOL_STRETCH_INPUTS][GOL_PANEL_ROWS];
    };
} __attribute__((aligned(64)));

typedef struct matmul_job {
    const gol_backend_cpu *cpu;
    float *out;     /* [n_tokens][n_out] */
    const float *x; /* [n_tokens][n_in] */
    const gol_weight *w;
    const gol_panel_format *format;
    const float *bias; /* [n_out] or NULL */
    size_t n_tokens;
    size_t n_blocks; /* of a row */
    size_t tile;     /* tokens */
    size_t tile_bytes;
    size_t row_bytes; /* of a raw weight */
} matmul_job;

static size_t align_up(size_t n)
{
    return (n + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

/* Packed activations of one tile: float32 [n_blocks * 32][tokens], or the three planes of gol_int_x. */
static size_t tile_bytes(const gol_panel_format *f, size_t n_blocks)
{
    if (f->product == GOL_PRODUCT_F32)
        return n_blocks * GOL_BLOCK_INPUTS * GOL_F32_TILE * sizeof(float);
    const size_t n_groups = (size_t)(GOL_BLOCK_INPUTS / gol_int_kind_group(f->kind));
    return align_up(n_blocks * GOL_INT_TILE * GOL_BLOCK_INPUTS) +
           align_up(n_blocks * GOL_INT_TILE * sizeof(float)) +
           align_up(n_blocks * GOL_INT_TILE * n_groups * sizeof(float));
}

static gol_int_x planes_of(const matmul_job *job, size_t tile)
{
    uint8_t *base = job->cpu->packed_x + tile * job->tile_bytes;
    uint8_t *scale = base + align_up(job->n_blocks * GOL_INT_TILE * GOL_BLOCK_INPUTS);
    uint8_t *aux = scale + align_up(job->n_blocks * GOL_INT_TILE * sizeof(float));
    return (gol_int_x){(int8_t *)base, (float *)(void *)scale, aux};
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Packs this worker's share of a slab: (tile, segment) pairs. */
static void pack_slab(const matmul_job *job, size_t first_token, size_t n_tokens, int ith,
                      int n_threads)
{
    const gol_kernels *kernels = &job->cpu->kernels;
    const size_t n_segments = (job->n_blocks + PACK_BLOCKS - 1) / PACK_BLOCKS;
    const size_t n_tiles = (n_tokens + job->tile - 1) / job->tile;
    const size_t n_in = (size_t)job->w->n_in;
    size_t item;
    size_t end;
    gol_worker_range(&item, &end, n_tiles * n_segments, 1, ith, n_threads);
    for (; item < end; item++) {
        const size_t tile = item / n_segments;
        const size_t begin = item % n_segments * PACK_BLOCKS;
        const gol_pack_x p = {
            .x = job->x + (first_token + tile * job->tile) * n_in,
            .x_stride = n_in,
            .n_in = n_in,
            .n_tokens = min_size(job->tile, n_tokens - tile * job->tile),
            .begin = begin,
            .end = min_size(begin + PACK_BLOCKS, job->n_blocks),
        };
        if (job->format->product == GOL_PRODUCT_INT) {
            const gol_int_x planes = planes_of(job, tile);
            kernels->pack_x_int(&planes, &p, gol_int_kind_group(job->format->kind),
                                job->format->zero);
        } else {
            kernels->pack_x_f32((float *)(void *)(job->cpu->packed_x + tile * job->tile_bytes), &p);
        }
    }
}

/* One stretch of a panel with tiles [tile, end_tile) of the slab, whose sums begin at scratch->acc. */
static void multiply_stretch(const matmul_job *job, gol_matmul_scratch *scratch,
                             const gol_stretch *s, size_t stretch, size_t tile, size_t end_tile,
                             size_t n_tokens)
{
    const gol_kernels *kernels = &job->cpu->kernels;
    const gol_panel_format *f = job->format;
    const size_t block = stretch * GOL_STRETCH_BLOCKS;
    /* Halves are widened in one rush, and memory would rest until the next one: the first tile asks for what comes then. */
    const bool has_ahead = f->quant_bytes == GOL_BLOCK_INPUTS * GOL_AHEAD_BYTES;
    const uint8_t *ahead = has_ahead ? s->data + s->n_blocks * f->quant_bytes : NULL;
    const float *w = NULL;
    if (f->product == GOL_PRODUCT_INT)
        kernels->unpack_int[job->w->type](&scratch->int_panel, s);
    else
        w = kernels->unpack_f32[job->w->type](scratch->f32_panel[0], s);
    float *acc = scratch->acc[0];
    for (; tile < end_tile; tile++) {
        const size_t n = min_size(job->tile, n_tokens - tile * job->tile);
        if (f->product == GOL_PRODUCT_INT) {
            const gol_int_x x = planes_of(job, tile);
            const size_t n_groups = (size_t)(GOL_BLOCK_INPUTS / gol_int_kind_group(f->kind));
            kernels->int_core[f->kind](&(gol_int_tile){
                .acc = acc,
                .x = {x.q + block * n * GOL_BLOCK_INPUTS, x.scale + block * n,
                      (uint8_t *)x.aux + block * n * n_groups * sizeof(float)},
                .panel = &scratch->int_panel,
                .n_blocks = s->n_blocks,
                .n_tokens = n,
            });
        } else {
            const float *x = (const float *)(void *)(job->cpu->packed_x + tile * job->tile_bytes);
            kernels->f32_core(&(gol_f32_tile){
                .acc = acc,
                .x = x + block * GOL_BLOCK_INPUTS * n,
                .w = w,
                .n_in = s->n_blocks * GOL_BLOCK_INPUTS,
                .n_tokens = n,
                .ahead = ahead,
            });
            ahead = NULL;
        }
        acc += n * GOL_PANEL_ROWS;
    }
}

/* Sums begin at the bias. */
static void begin_sums(const matmul_job *job, gol_matmul_scratch *scratch, size_t panel,
                       size_t n_columns, size_t n_tokens)
{
    memset(scratch->acc, 0, n_tokens * sizeof scratch->acc[0]);
    for (size_t t = 0; job->bias && t < n_tokens; t++)
        memcpy(scratch->acc[t], job->bias + panel * GOL_PANEL_ROWS, n_columns * sizeof(float));
}

/* A panel with tokens [begin, end) of the slab. */
static void multiply_panel(const matmul_job *job, gol_matmul_scratch *scratch, size_t panel,
                           size_t first_token, size_t begin, size_t end)
{
    const gol_weight *w = job->w;
    const size_t n_out = (size_t)w->n_out;
    const size_t n_columns = min_size(GOL_PANEL_ROWS, n_out - panel * GOL_PANEL_ROWS);
    begin_sums(job, scratch, panel, n_columns, end - begin);
    for (size_t block = 0; block < job->n_blocks; block += GOL_STRETCH_BLOCKS) {
        const size_t stretch = block / GOL_STRETCH_BLOCKS;
        const gol_stretch s = gol_weight_cpu_stretch(w, job->format, job->row_bytes, panel,
                                                     stretch);
        multiply_stretch(job, scratch, &s, stretch, begin / job->tile,
                         (end + job->tile - 1) / job->tile, end);
    }
    float *out = job->out + (first_token + begin) * n_out + panel * GOL_PANEL_ROWS;
    if (n_columns == GOL_PANEL_ROWS) /* of known length a copy is one vector */
        for (size_t t = 0; t < end - begin; t++)
            memcpy(out + t * n_out, scratch->acc[t], sizeof scratch->acc[t]);
    else
        for (size_t t = 0; t < end - begin; t++)
            memcpy(out + t * n_out, scratch->acc[t], n_columns * sizeof(float));
}

static void multiply_slab(const matmul_job *job, size_t first_token, size_t n_tokens, int ith,
                          int n_threads)
{
    gol_matmul_scratch *scratch = job->cpu->matmul_scratch + ith;
    const size_t n_panels = gol_weight_cpu_n_panels(job->w);
    const size_t panel_bytes = gol_weight_cpu_panel_bytes(job->w, job->row_bytes);
    const size_t group = panel_bytes < GROUP_BYTES_MAX ? GROUP_BYTES_MAX / panel_bytes : 1;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, n_panels, 1, ith, n_threads);
    for (size_t g = begin; g < end; g += group) {
        const size_t group_end = min_size(g + group, end);
        for (size_t t = 0; t < n_tokens; t += CHUNK_TOKENS)
            for (size_t panel = g; panel < group_end; panel++)
                multiply_panel(job, scratch, panel, first_token, t,
                               min_size(t + CHUNK_TOKENS, n_tokens));
    }
}

static void multiply(void *arg, int ith, int n_threads)
{
    const matmul_job *job = arg;
    for (size_t t = 0; t < job->n_tokens; t += SLAB_TOKENS) {
        const size_t n_tokens = min_size(SLAB_TOKENS, job->n_tokens - t);
        if (t > 0 && n_threads > 1) /* nobody still reads the slab before */
            gol_worker_pool_barrier(job->cpu->pool, ith);
        pack_slab(job, t, n_tokens, ith, n_threads);
        if (n_threads > 1)
            gol_worker_pool_barrier(job->cpu->pool, ith);
        multiply_slab(job, t, n_tokens, ith, n_threads);
    }
}

void gol_backend_cpu_matmul(gol_backend *be, float *out, const float *x, const gol_weight *w,
                            const float *bias, int32_t n_tokens)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_tokens >= 0);
    assert(!w->is_lookup);
    if (n_tokens == 0)
        return;
    const gol_panel_format *format = gol_panel_format_get(w->type);
    const size_t n_blocks = gol_panel_n_blocks((size_t)w->n_in);
    matmul_job job = {
        .cpu = cpu,
        .out = out,
        .x = x,
        .w = w,
        .format = format,
        .bias = bias,
        .n_tokens = (size_t)n_tokens,
        .n_blocks = n_blocks,
        .tile = format->product == GOL_PRODUCT_INT ? GOL_INT_TILE : GOL_F32_TILE,
        .tile_bytes = tile_bytes(format, n_blocks),
        .row_bytes = gol_weight_cpu_row_bytes(w),
    };
    const size_t n_slab = min_size((size_t)n_tokens, SLAB_TOKENS);
    assert((n_slab + job.tile - 1) / job.tile * job.tile_bytes <=
           cpu->packed_x_bytes); /* reserve() came first */
    gol_backend_cpu_run(cpu, multiply, &job, (size_t)w->n_out * (size_t)w->n_in);
}

int gol_matmul_reserve(gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max, gol_err *err)
{
    static const gol_panel_format widest = {.product = GOL_PRODUCT_F32};
    if (!cpu->matmul_scratch) {
        cpu->matmul_scratch = gol_try_aligned((size_t)cpu->n_threads * sizeof *cpu->matmul_scratch);
        if (!cpu->matmul_scratch)
            return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for scratch of %d threads",
                            cpu->n_threads);
    }
    const size_t n_slab = min_size(n_tokens_max, SLAB_TOKENS);
    const size_t n_tiles = (n_slab + GOL_F32_TILE - 1) / GOL_F32_TILE;
    size_t n_bytes;
    if (n_in_max > SIZE_MAX / (GOL_F32_TILE * 2 * sizeof(float)) ||
        !gol_mul_size(&n_bytes, tile_bytes(&widest, gol_panel_n_blocks(n_in_max)), n_tiles))
        return gol_fail(err, GOL_ENOMEM, "cpu: scratch for rows of %zu does not fit into memory",
                        n_in_max);
    if (n_bytes <= cpu->packed_x_bytes)
        return 0;
    uint8_t *packed_x = gol_try_aligned(n_bytes);
    if (!packed_x)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for %zu bytes of scratch", n_bytes);
    gol_aligned_free(cpu->packed_x);
    cpu->packed_x = packed_x;
    cpu->packed_x_bytes = n_bytes;
    return 0;
}

void gol_matmul_release(gol_backend_cpu *cpu)
{
    gol_aligned_free(cpu->packed_x);
    gol_aligned_free(cpu->matmul_scratch);
}
