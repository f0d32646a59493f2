/*
 * One worker's part of a product: some panels of a weight with all tokens of a slab, whose packed activations are there. The loops
 * are, from the outside:
 *
 *     groups of panels     whose weights stay in a core's L2 cache while all tokens of the slab pass over them
 *     chunks of tokens     whose activations stay in L2 beside them
 *     batches of panels    whose sums are open at the same time
 *     stretches of inputs
 *     panels of the batch  unpacked into L1, used by all tokens of the chunk
 *     tiles of tokens      one call of a core
 *
 * Float32 activations are four times as large as bytes: a chunk of them would fill L2, and be too small for the widening of
 * weights to pay. Of many tokens the chunk is the slab then, and a batch of panels uses one stretch of it, which stays in L2.
 *
 * None of these cuts is inside a sum: a row's bits depend on the row alone.
 */
#include "backend/cpu/panel_job.h"

#include <assert.h>
#include <string.h>

enum {
    /* Tokens of a chunk, a multiple of the tile. Of bytes: 96 cost 8 to 10% (perhaps because activations and sums
     * do not stay in L1 beside the weights then); fewer unpack more often. Floats take longer to unpack. */
    CHUNK_TOKENS_INT = 264,
    CHUNK_TOKENS = 96,
    MANY_TOKENS =
        48, /* of bytes: up to here one panel at a time is as fast, and reads memory in one stream */
    GROUP_BYTES_MAX = 384 << 10, /* half of a small L2 cache */
    /* Bytes behind the next stretch that a core asks for, into L2. A quarter costs 2 to 4%. */
    AHEAD_FAR = 8192,
    /* Tiles that share the asking. One alone asks for more than memory delivers while it is multiplied, and memory rests during the
     * others: 5 to 13% of 32 to 64 tokens. Six gain 2% more with some types
     * and lose 2% with others (docs/performance-notes/int-core.md). */
    AHEAD_TILES = 4,
    CACHE_LINE = GOL_MEM_ALIGN,
};
static_assert(CHUNK_TOKENS_INT % GOL_INT_TILE == 0 && CHUNK_TOKENS % GOL_F32_TILE == 0,
              "whole tiles");

/* A unit is float32 [256][tokens], bfloat16 likewise, or the three planes of gol_int_x. */
enum {
    UNIT_X = GOL_STRETCH_INPUTS * GOL_INT_TILE,
    UNIT_SCALES = GOL_STRETCH_BLOCKS * GOL_INT_TILE * sizeof(float),
    UNIT_AUX_MAX = GOL_STRETCH_INPUTS / GOL_GROUP_MIN * GOL_INT_TILE * sizeof(float),
    UNIT_BF16 = GOL_STRETCH_INPUTS * GOL_BF16_TOKENS * sizeof(uint16_t),
};
static_assert(UNIT_X % CACHE_LINE == 0 && UNIT_SCALES % CACHE_LINE == 0, "aligned planes");
static_assert(UNIT_AUX_MAX % CACHE_LINE == 0, "aligned units");
static_assert(UNIT_X + UNIT_SCALES + UNIT_AUX_MAX < GOL_PANEL_UNIT_MAX, "float32 is the widest");

static size_t unit_bytes(const gol_panel_format *f, gol_product product)
{
    if (product == GOL_PRODUCT_F32)
        return GOL_PANEL_UNIT_MAX;
    if (product == GOL_PRODUCT_BF16)
        return UNIT_BF16;
    return gol_int_kind_group(f->kind) == GOL_GROUP_MIN ? UNIT_X + UNIT_SCALES + UNIT_AUX_MAX
                                                        : UNIT_X + UNIT_SCALES + UNIT_AUX_MAX / 2;
}

static gol_int_x planes_at(uint8_t *unit)
{
    return (gol_int_x){(int8_t *)unit, (float *)(void *)(unit + UNIT_X),
                       unit + UNIT_X + UNIT_SCALES};
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static uint8_t *unit_at(const gol_panel_job *job, size_t stretch, size_t tile)
{
    return job->packed_x + (stretch * gol_panel_job_n_tiles(job) + tile) * job->unit_bytes;
}

void gol_panel_job_set_tokens(gol_panel_job *job, size_t n_tokens)
{
    job->n_tokens = n_tokens;
    const bool is_wide = job->n_tokens > CHUNK_TOKENS;
    switch (job->product) {
    case GOL_PRODUCT_INT:
        job->tile = GOL_INT_TILE;
        job->chunk = CHUNK_TOKENS_INT;
        job->side = GOL_TILE_PANELS;
        job->batch = job->n_tokens > MANY_TOKENS ? GOL_TILE_PANELS : 1;
        break;
    case GOL_PRODUCT_BF16:
        job->tile = GOL_BF16_TOKENS;
        job->chunk = CHUNK_TOKENS;
        job->side = GOL_BF16_PANELS;
        job->batch = GOL_BF16_PANELS;
        break;
    case GOL_PRODUCT_F32:
    case GOL_PRODUCT_NONE: /* no weight has it */
        job->tile = GOL_F32_TILE;
        job->chunk = is_wide ? job->n_tokens : CHUNK_TOKENS;
        job->side = 1;
        job->batch = is_wide ? GOL_PANEL_BATCH : 1;
        break;
    }
}

void gol_panel_job_init(gol_panel_job *job, const gol_backend_cpu *cpu, const gol_weight *w,
                        size_t n_tokens)
{
    const gol_panel_format *format = gol_panel_format_get(w->type);
    const gol_product product = gol_kernels_product(&cpu->kernels, w->type);
    assert(!w->is_lookup);
    *job = (gol_panel_job){
        .cpu = cpu,
        .w = w,
        .format = format,
        .product = product,
        .n_stretches = gol_panel_n_stretches((size_t)w->n_in),
        .unit_bytes = unit_bytes(format, product),
        .row_bytes = gol_weight_cpu_row_bytes(w),
    };
    gol_panel_job_set_tokens(job, n_tokens);
}

void gol_panel_job_pack(const gol_panel_job *job, size_t stretch, size_t tile, const float *x,
                        size_t x_stride)
{
    const gol_kernels *kernels = &job->cpu->kernels;
    const size_t n_in = (size_t)job->w->n_in;
    const gol_pack_x p = {
        .x = x,
        .x_stride = x_stride,
        .n_in = min_size(GOL_STRETCH_INPUTS, n_in - stretch * GOL_STRETCH_INPUTS),
        .n_tokens = min_size(job->tile, job->n_tokens - tile * job->tile),
        .begin = 0,
        .end = gol_stretch_n_blocks(n_in, stretch),
    };
    uint8_t *unit = unit_at(job, stretch, tile);
    if (job->product == GOL_PRODUCT_INT) {
        const gol_int_x planes = planes_at(unit);
        kernels->pack_x_int(&planes, &p, gol_int_kind_group(job->format->kind), job->format->zero);
    } else if (job->product == GOL_PRODUCT_BF16) {
        kernels->pack_x_bf16((uint32_t *)(void *)unit, &p);
    } else {
        kernels->pack_x_f32((float *)(void *)unit, &p);
    }
}

/* What is multiplied while its sums are open: panels of the weight, at most job->batch, with tokens [begin, end). */
typedef struct open_batch {
    size_t panel;
    size_t n_panels;
    size_t begin;
    size_t end;
} open_batch;

/* Results will be written to lines that are far away, one after another: each stretch asks for those of some of a tile's tokens. (All
 * at once are more than a core can wait for without standing still.) */
static void prefetch_out(const gol_panel_job *job, const open_batch *batch, size_t first,
                         size_t n_panels, size_t stretch, size_t token, size_t n_tokens)
{
    const size_t n_out = (size_t)job->w->n_out;
    const float *out = job->out + token * n_out + (batch->panel + first) * GOL_PANEL_ROWS;
    for (size_t t = stretch; t < n_tokens; t += job->n_stretches)
        for (size_t p = 0; p < n_panels; p++)
            __builtin_prefetch(out + t * n_out + p * GOL_PANEL_ROWS, 1);
}

/* Unpacks one stretch of panels [first, first + n_panels) of the batch, at most a tile's, and multiplies it by all tokens. */
static void multiply_stretch(const gol_panel_job *job, gol_matmul_scratch *scratch,
                             const open_batch *batch, size_t first, size_t n_panels, size_t stretch)
{
    const gol_kernels *kernels = &job->cpu->kernels;
    const gol_panel_format *f = job->format;
    const size_t n_blocks = gol_stretch_n_blocks((size_t)job->w->n_in, stretch);
    const size_t stretch_bytes = gol_stretch_bytes(f, n_blocks);
    const uint8_t *ahead = NULL;
    const float *w = NULL;
    if (job->n_tokens == 1 && kernels->f32_one[job->w->type]) {
        const gol_stretch s = gol_weight_cpu_stretch(job->w, f, job->row_bytes,
                                                     batch->panel + first, stretch);
        kernels->f32_one[job->w->type](scratch->acc[first][0],
                                       (const float *)(const void *)unit_at(job, stretch, 0), &s);
        return;
    }
    for (size_t p = 0; p < n_panels; p++) {
        const gol_stretch s = gol_weight_cpu_stretch(job->w, job->format, job->row_bytes,
                                                     batch->panel + first + p, stretch);
        if (p == 0)
            ahead = s.data + stretch_bytes;
        if (f->product == GOL_PRODUCT_INT)
            kernels->unpack_int[job->w->type](&scratch->int_panel[p], &s);
        else
            w = kernels->unpack_f32[job->w->type](scratch->f32_panel[0], &s);
    }
    float *acc = scratch->acc[first][0];
    const size_t first_tile = batch->begin / job->tile;
    const size_t end_tile = (batch->end + job->tile - 1) / job->tile;
    const size_t n_ahead = min_size(AHEAD_TILES, end_tile - first_tile);
    for (size_t tile = first_tile; tile < end_tile; tile++) {
        const size_t i = tile - first_tile;
        const size_t n = min_size(job->tile, batch->end - tile * job->tile);
        uint8_t *unit = unit_at(job, stretch, tile);
        prefetch_out(job, batch, first, n_panels, stretch, tile * job->tile, n);
        if (f->product == GOL_PRODUCT_INT) {
            gol_int_tile t = {
                .acc = acc,
                .acc_stride = sizeof scratch->acc[0] / sizeof(float),
                .x = planes_at(unit),
                .panel = scratch->int_panel,
                .n_panels = n_panels,
                .n_blocks = n_blocks,
                .n_tokens = n,
            };
            /* Unpacking reads in one rush, and memory would rest until the next one: the first tiles ask for what comes then. The
             * others ask for the next tile's activations, a part beside each panel. */
            if (i < n_ahead) {
                t.ahead_bytes = (stretch_bytes / n_blocks / n_ahead + 63) / 64 * 64;
                t.ahead = ahead + i * t.ahead_bytes * n_blocks;
                t.ahead_stride = gol_weight_cpu_panel_bytes(job->w, job->row_bytes);
                t.ahead_far = AHEAD_FAR;
            } else {
                t.ahead = unit + job->unit_bytes;
                t.ahead_bytes = UNIT_X / GOL_STRETCH_BLOCKS / GOL_TILE_PANELS / 64 * 64 + 64;
                t.ahead_stride = t.ahead_bytes * n_blocks;
            }
            kernels->int_core[f->kind](&t);
        } else {
            const bool has_ahead = i == 0 && f->quant_bytes == GOL_BLOCK_INPUTS * GOL_AHEAD_BYTES;
            kernels->f32_core(&(gol_f32_tile){
                .acc = acc,
                .x = (const float *)(const void *)unit,
                .w = w,
                .n_in = n_blocks * GOL_BLOCK_INPUTS,
                .n_tokens = n,
                .ahead = has_ahead ? ahead : NULL,
            });
        }
        acc += n * GOL_PANEL_ROWS;
    }
}

/* The same where packed weights are what the core reads. */
static void multiply_stretch_bf16(const gol_panel_job *job, gol_matmul_scratch *scratch,
                                  const open_batch *batch, size_t first, size_t n_panels,
                                  size_t stretch)
{
    const gol_stretch s = gol_weight_cpu_stretch(job->w, job->format, job->row_bytes,
                                                 batch->panel + first, stretch);
    for (size_t token = batch->begin; token < batch->end; token += job->tile) {
        const size_t n = min_size(job->tile, batch->end - token);
        prefetch_out(job, batch, first, n_panels, stretch, token, n);
        job->cpu->kernels.bf16_core(&(gol_bf16_tile){
            .acc = scratch->acc[first][token - batch->begin],
            .acc_stride = sizeof scratch->acc[0] / sizeof(float),
            .x = (const uint32_t *)(const void *)unit_at(job, stretch, token / job->tile),
            .w = s.data,
            .w_stride = job->w->panel_bytes,
            .n_in = s.n_blocks * GOL_BLOCK_INPUTS,
            .n_panels = n_panels,
            .n_tokens = n,
            .is_first = token == batch->begin,
        });
    }
}

static size_t n_columns_of(const gol_weight *w, size_t panel)
{
    return min_size(GOL_PANEL_ROWS, (size_t)w->n_out - panel * GOL_PANEL_ROWS);
}

/* Sums acc [n_tokens][16] begin at the bias. */
static void begin_sums(const gol_panel_job *job, float (*acc)[GOL_PANEL_ROWS], size_t panel,
                       size_t n_tokens)
{
    memset(acc, 0, n_tokens * sizeof acc[0]);
    for (size_t t = 0; job->bias && t < n_tokens; t++)
        memcpy(acc[t], job->bias + panel * GOL_PANEL_ROWS,
               n_columns_of(job->w, panel) * sizeof(float));
}

/* Sums of a batch to out. Rows of out lie far apart, and a batch's part of one is a run: token after token. */
static void store_sums(const gol_panel_job *job, const gol_matmul_scratch *scratch,
                       const open_batch *batch)
{
    const size_t n_out = (size_t)job->w->n_out;
    const size_t n_last = n_columns_of(job->w, batch->panel + batch->n_panels - 1);
    const size_t n_whole = batch->n_panels - (n_last < GOL_PANEL_ROWS);
    float *out = job->out + batch->begin * n_out + batch->panel * GOL_PANEL_ROWS;
    for (size_t t = 0; t < batch->end - batch->begin; t++, out += n_out) {
        for (size_t p = 0; p < n_whole; p++) /* of known length a copy is one vector */
            memcpy(out + p * GOL_PANEL_ROWS, scratch->acc[p][t], sizeof scratch->acc[p][t]);
        if (n_whole < batch->n_panels)
            memcpy(out + n_whole * GOL_PANEL_ROWS, scratch->acc[n_whole][t],
                   n_last * sizeof(float));
    }
}

static void multiply_batch(const gol_panel_job *job, gol_matmul_scratch *scratch,
                           const open_batch *batch)
{
    for (size_t p = 0; p < batch->n_panels; p++)
        begin_sums(job, scratch->acc[p], batch->panel + p, batch->end - batch->begin);
    for (size_t stretch = 0; stretch < job->n_stretches; stretch++) {
        for (size_t p = 0; p < batch->n_panels; p += job->side) {
            const size_t n_panels = min_size(job->side, batch->n_panels - p);
            if (job->product == GOL_PRODUCT_BF16)
                multiply_stretch_bf16(job, scratch, batch, p, n_panels, stretch);
            else
                multiply_stretch(job, scratch, batch, p, n_panels, stretch);
        }
    }
    store_sums(job, scratch, batch);
}

void gol_panel_job_multiply(const gol_panel_job *job, size_t begin, size_t end, int ith)
{
    assert(job->batch > 0);
    gol_matmul_scratch *scratch = job->cpu->matmul_scratch + ith;
    const size_t panel_bytes = gol_weight_cpu_panel_bytes(job->w, job->row_bytes);
    const size_t in_cache = panel_bytes < GROUP_BYTES_MAX ? GROUP_BYTES_MAX / panel_bytes : 1;
    const size_t group = in_cache > job->batch ? in_cache / job->batch * job->batch : job->batch;
    for (size_t g = begin; g < end; g += group) {
        const size_t group_end = min_size(g + group, end);
        for (size_t t = 0; t < job->n_tokens; t += job->chunk)
            for (size_t panel = g; panel < group_end; panel += job->batch)
                multiply_batch(job, scratch,
                               &(open_batch){
                                   .panel = panel,
                                   .n_panels = min_size(job->batch, group_end - panel),
                                   .begin = t,
                                   .end = min_size(t + job->chunk, job->n_tokens),
                               });
    }
}
