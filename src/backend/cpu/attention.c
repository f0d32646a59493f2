/*
 * Attention over the paged cache. Per query row and head: the context is cut into chunks at multiples of GOL_ATTN_CHUNK; within a
 * chunk come all scores, then their maximum, exponentials and sum, then the mix of values; chunks are folded together in order,
 * by the running maximum and sum of Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018).
 *
 *     positions    0 . . . . . . 255 | 256 . . . . . 511 | 512 . . 600 = own
 *     chunks       (max, sum, acc)   | (max, sum, acc)   | (max, sum, acc)        each by itself
 *     fold           state       <-- +           <------ +                        in order
 *
 * A chunk's three numbers depend on the row's own sequence alone and are folded by one function, so it does not matter who
 * computed them: rows that read the same KV head share its reads in tiles, and chunks of a long context may be dealt to several
 * workers (attention_plan.h). Keys that a row does not see have score -infinity and are left out of its mix, whose memory may
 * hold anything there.
 */
#include "backend/cpu/attention_scratch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/c/vec_math_c.h"
#include "base/minmax.h"

typedef struct attention_job {
    const gol_backend_cpu *cpu;
    float *out;     /* [n_tokens][n_heads][head_dim_v] */
    const float *q; /* row t at q + t * q_stride: [n_heads][head_dim_k] */
    int64_t q_stride;
    const gol_kv *kv;
    const gol_kv_layer *layer;
    const gol_attention *a;
    gol_attn_plan plan;
} attention_job;

/* [n_blocks], of the sequence in the layer's group. */
static const int32_t *table_of(const attention_job *job, const gol_batch_seq *seq)
{
    return seq->block_table + (ptrdiff_t)job->layer->shape.group * seq->table_stride;
}

/* A worker at work on an item. */
typedef struct worker {
    const attention_job *job;
    gol_attn_scratch scratch;
    gol_attn_item item;
    size_t dim_k;
    size_t dim_v; /* padded */
    /* The chunk at hand, see gol_attn_tile. A block begins at most every position. */
    size_t n_panels;
    int32_t panel_pos[GOL_ATTN_CHUNK];
    const uint8_t *panels[GOL_ATTN_CHUNK + GOL_ATTN_AHEAD];
    const uint8_t *values[GOL_ATTN_CHUNK + GOL_ATTN_AHEAD];
} worker;

/* Pos that each row of a tile sees in the chunk at hand: [begin, end), empty when begin == end. */
typedef struct row_ranges {
    int32_t begin[GOL_ATTN_ROWS];
    int32_t end[GOL_ATTN_ROWS];
    int32_t first;        /* of any row */
    int32_t last;         /* end of any row; first == last: none sees anything */
    int32_t common_begin; /* of all rows */
    int32_t common_end;
} row_ranges;

/* q of the item's rows, times scale, by tiles. */
static void pack_queries(worker *w)
{
    const attention_job *job = w->job;
    const gol_attn_item *item = &w->item;
    const int32_t group = job->plan.group;
    const size_t n_tiles = ((size_t)item->n_rows + GOL_ATTN_ROWS - 1) / GOL_ATTN_ROWS;
    memset(w->scratch.q, 0, n_tiles * GOL_ATTN_ROWS * w->dim_k * sizeof *w->scratch.q);
    for (int32_t i = 0; i < item->n_rows; i++) {
        const int32_t row = item->first_row + i;
        const int64_t token = item->seq->first_row + row / group;
        const int32_t head = item->kv_head * group + row % group;
        const float *q = job->q + token * job->q_stride + (size_t)head * w->dim_k;
        float *out = w->scratch.q + (size_t)(i / GOL_ATTN_ROWS) * GOL_ATTN_ROWS * w->dim_k +
                     i % GOL_ATTN_ROWS;
        for (size_t d = 0; d < w->dim_k; d++)
            out[d * GOL_ATTN_ROWS] = q[d] * job->a->scale;
    }
}

/* Panels and values at positions [p, p + n) of one block, which are pos, ... of the chunk. */
static void list_block(worker *w, int32_t p, int32_t pos, int32_t n)
{
    const gol_kv *kv = w->job->kv;
    const gol_kv_layer *l = w->job->layer;
    const int32_t block = table_of(w->job, w->item.seq)[p / kv->block_size];
    const int32_t offset = p % kv->block_size;
    assert(block >= 0 && block < kv->n_blocks);
    for (int32_t o = offset - offset % GOL_ATTN_LANES; o < offset + n; o += GOL_ATTN_LANES) {
        w->panels[w->n_panels] = gol_kv_cpu_panel(kv, l, w->item.kv_head, block, o);
        w->panel_pos[w->n_panels++] = pos + o - offset;
    }
    const uint8_t *value = gol_kv_cpu_value(kv, l, w->item.kv_head, block, offset);
    for (int32_t i = 0; i < n; i++)
        w->values[pos + i] = value + (size_t)i * l->row_bytes;
}

/* What the item reads from the chunk that begins at position `start`, and behind it what it reads next. */
static void list_chunk(worker *w, int32_t start)
{
    const gol_kv *kv = w->job->kv;
    const gol_attn_item *item = &w->item;
    const int32_t begin = gol_max_i32(item->begin, start);
    const int32_t end = gol_min_i32(item->end, start + GOL_ATTN_CHUNK);
    w->n_panels = 0;
    for (int32_t p = begin; p < end;) {
        const int32_t n = gol_min_i32(kv->block_size - p % kv->block_size, end - p);
        list_block(w, p, p - start, n);
        p += n;
    }
    for (size_t i = 0; i < GOL_ATTN_AHEAD; i++)
        w->panels[w->n_panels + i] =
            w->values[gol_min_i32(begin - start + (int32_t)i * GOL_ATTN_LANES, end - start - 1)];
    const uint8_t *next = w->values[end - start - 1];
    if (end < item->end)
        next = gol_kv_cpu_panel(kv, w->job->layer, item->kv_head,
                                table_of(w->job, item->seq)[end / kv->block_size],
                                end % kv->block_size);
    for (size_t i = 0; i < GOL_ATTN_AHEAD; i++)
        w->values[(size_t)(end - start) + i] = next +
                                               (end < item->end ? i : 0) * w->job->layer->row_bytes;
}

static void find_ranges(row_ranges *out, const worker *w, int32_t first_row, int32_t n_rows,
                        int32_t start)
{
    *out = (row_ranges){.first = GOL_ATTN_CHUNK, .common_end = GOL_ATTN_CHUNK};
    for (int32_t r = 0; r < n_rows; r++) {
        int32_t begin;
        int32_t end;
        gol_attn_plan_row(&w->job->plan, w->item.seq, w->item.first_row + first_row + r, &begin,
                          &end);
        begin = gol_max_i32(begin - start, 0);
        end = gol_max_i32(gol_min_i32(end - start, GOL_ATTN_CHUNK), begin);
        out->begin[r] = begin;
        out->end[r] = end;
        if (begin < end) {
            out->first = gol_min_i32(out->first, begin);
            out->last = gol_max_i32(out->last, end);
        }
        out->common_begin = gol_max_i32(out->common_begin, begin);
        out->common_end = gol_min_i32(out->common_end, end);
    }
    out->first = gol_min_i32(out->first, out->last);
    if (out->common_end <= out->common_begin)
        out->common_begin = out->common_end = 0;
}

/* Scores of one row become weights. */
static float weigh(const worker *w, float *scores, int32_t begin, int32_t end, float *max)
{
    const gol_kernels *kernels = &w->job->cpu->kernels;
    const int32_t from = begin - begin % GOL_ATTN_LANES;
    const int32_t to = (end + GOL_ATTN_LANES - 1) / GOL_ATTN_LANES * GOL_ATTN_LANES;
    float *x = scores + from;
    const size_t n = (size_t)(to - from);
    if (w->job->a->softcap > 0.0f)
        kernels->softcap(x, x, w->job->a->softcap, n);
    for (int32_t i = from; i < begin; i++)
        scores[i] = -INFINITY;
    for (int32_t i = end; i < to; i++)
        scores[i] = -INFINITY;
    return kernels->softmax(max, x, n);
}

/* acc += weights times values. Every row takes its own keys in order; those that all rows see are read once for all. */
static void mix_tile(const worker *w, const gol_attn_tile *tile, const row_ranges *ranges,
                     float *acc)
{
    gol_attn_mix_fn *mix = w->job->cpu->kernels.attn_mix[w->job->kv->type];
    const int32_t begin = ranges->common_begin;
    const int32_t end = ranges->common_end;
    for (size_t r = 0; begin < end && r < tile->n_rows; r++)
        if (ranges->begin[r] < begin)
            mix(tile, acc, r, 1, (size_t)ranges->begin[r], (size_t)begin);
    if (begin < end)
        mix(tile, acc, 0, tile->n_rows, (size_t)begin, (size_t)end);
    for (size_t r = 0; r < tile->n_rows; r++) {
        const int32_t from = begin < end ? end : ranges->begin[r];
        if (from < ranges->end[r])
            mix(tile, acc, r, 1, (size_t)from, (size_t)ranges->end[r]);
    }
}

/* The fold over the chunk at hand of a tile, whose rows see something in it. */
static void attend_tile(worker *w, const gol_attn_fold *out, const row_ranges *ranges,
                        int32_t i_tile, size_t n_rows)
{
    size_t first = 0;
    size_t end = w->n_panels;
    while (first + 1 < end && w->panel_pos[first + 1] <= ranges->first)
        first++;
    while (w->panel_pos[end - 1] >= ranges->last)
        end--;
    const gol_attn_tile tile = {
        .scores = w->scratch.scores,
        .q = w->scratch.q + (size_t)i_tile * GOL_ATTN_ROWS * w->dim_k,
        .n_rows = n_rows,
        .panels = w->panels + first,
        .panel_pos = w->panel_pos + first,
        .n_panels = end - first,
        .values = w->values,
        .dim_k = w->dim_k,
        .dim_v = w->dim_v,
    };
    w->job->cpu->kernels.attn_scores[w->job->kv->type](&tile);
    for (size_t r = 0; r < n_rows; r++) {
        out->sum[r] = 0.0f;
        if (ranges->begin[r] < ranges->end[r])
            out->sum[r] = weigh(w, tile.scores + r * GOL_ATTN_STRIDE, ranges->begin[r],
                                ranges->end[r], &out->max[r]);
    }
    memset(out->acc, 0, GOL_ATTN_ROWS * w->dim_v * sizeof *out->acc);
    mix_tile(w, &tile, ranges, out->acc);
}

/* Row i of state = itself and row j of next, which comes after it. */
static void fold_row(const worker *w, const gol_attn_fold *state, size_t i,
                     const gol_attn_fold *next, size_t j)
{
    const size_t dim = w->dim_v;
    if (next->sum[j] == 0.0f)
        return;
    if (state->sum[i] == 0.0f) {
        state->max[i] = next->max[j];
        state->sum[i] = next->sum[j];
        memcpy(state->acc + i * dim, next->acc + j * dim, dim * sizeof *state->acc);
        return;
    }
    const float max = next->max[j] > state->max[i] ? next->max[j] : state->max[i];
    const float keep = gol_exp_c(state->max[i] - max);
    const float factor = gol_exp_c(next->max[j] - max);
    state->max[i] = max;
    state->sum[i] = state->sum[i] * keep + next->sum[j] * factor;
    w->job->cpu->kernels.attn_merge(state->acc + i * dim, keep, next->acc + j * dim, factor, dim);
}

static gol_attn_fold skip_rows(const gol_attn_fold *fold, size_t n, size_t dim_v)
{
    return (gol_attn_fold){fold->acc + n * dim_v, fold->max + n, fold->sum + n};
}

static bool is_empty(const gol_attn_fold *fold, size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++)
        if (fold->sum[r] != 0.0f)
            return false;
    return true;
}

/* Folds part `i` of the item into `state`. */
static void attend_chunk(worker *w, const gol_attn_fold *state, int32_t i)
{
    const int32_t start = (w->item.first_chunk + i) * GOL_ATTN_CHUNK;
    list_chunk(w, start);
    for (int32_t row = 0, i_tile = 0; row < w->item.n_rows; row += GOL_ATTN_ROWS, i_tile++) {
        const int32_t n_rows = gol_min_i32(w->item.n_rows - row, GOL_ATTN_ROWS);
        row_ranges ranges;
        find_ranges(&ranges, w, row, n_rows, start);
        if (ranges.first == ranges.last)
            continue;
        const gol_attn_fold tile_state = skip_rows(state, (size_t)row, w->dim_v);
        if (is_empty(&tile_state, (size_t)n_rows)) {
            attend_tile(w, &tile_state, &ranges, i_tile, (size_t)n_rows);
            continue;
        }
        attend_tile(w, &w->scratch.part, &ranges, i_tile, (size_t)n_rows);
        for (size_t r = 0; r < (size_t)n_rows; r++)
            fold_row(w, &tile_state, r, &w->scratch.part, r);
    }
}

static void clear_fold(const gol_attn_fold *fold, int32_t n_rows)
{
    memset(fold->sum, 0, (size_t)n_rows * sizeof *fold->sum);
}

/* All of the item's chunks are in state: out. */
static void finish_item(const worker *w)
{
    const attention_job *job = w->job;
    const gol_attn_item *item = &w->item;
    const gol_attn_fold *state = &w->scratch.state;
    const size_t dim = (size_t)job->layer->shape.head_dim_v;
    for (int32_t i = 0; i < item->n_rows; i++) {
        const int32_t row = item->first_row + i;
        const int32_t token = item->seq->first_row + row / job->plan.group;
        const int32_t head = item->kv_head * job->plan.group + row % job->plan.group;
        float factor = 1.0f / state->sum[i];
        if (job->a->sinks) {
            const float sink = job->a->sinks[head];
            const float max = sink > state->max[i] ? sink : state->max[i];
            const float keep = gol_exp_c(state->max[i] - max);
            factor = keep / (state->sum[i] * keep + gol_exp_c(sink - max));
        }
        job->cpu->kernels.scale(job->out +
                                    ((size_t)token * (size_t)job->a->n_heads + (size_t)head) * dim,
                                state->acc + (size_t)i * w->dim_v, factor, dim);
    }
}

/* This worker's parts of the item; true: it has the first of them, and others follow at the next workers. */
static bool attend_item(worker *w, int32_t begin, int32_t end)
{
    pack_queries(w);
    if (begin > 0) {
        for (int32_t i = begin; i < end; i++) {
            const gol_attn_fold saved = gol_attn_scratch_saved(&w->scratch, i - begin, w->dim_v);
            clear_fold(&saved, w->item.n_rows);
            attend_chunk(w, &saved, i);
        }
        return false;
    }
    clear_fold(&w->scratch.state, w->item.n_rows);
    for (int32_t i = begin; i < end; i++)
        attend_chunk(w, &w->scratch.state, i);
    if (end == w->item.n_chunks)
        finish_item(w);
    return end < w->item.n_chunks;
}

/* Completes the item that worker ith has begun with what its successors have saved. */
static void join_item(worker *w, int ith, int n_threads)
{
    const gol_attn_plan *plan = &w->job->plan;
    for (int other = ith + 1; other < n_threads; other++) {
        const int32_t begin = gol_attn_plan_border(plan, &w->item, other, n_threads);
        const int32_t end = gol_attn_plan_border(plan, &w->item, other + 1, n_threads);
        gol_attn_scratch theirs;
        gol_attn_scratch_get(&theirs, w->job->cpu, other, w->dim_k, w->dim_v);
        for (int32_t i = begin; i < end; i++) {
            const gol_attn_fold saved = gol_attn_scratch_saved(&theirs, i - begin, w->dim_v);
            for (size_t r = 0; r < (size_t)w->item.n_rows; r++)
                fold_row(w, &w->scratch.state, r, &saved, r);
        }
    }
    finish_item(w);
}

static void attend_items(void *arg, int ith, int n_threads)
{
    const attention_job *job = arg;
    worker w = {
        .job = job,
        .dim_k = (size_t)job->layer->shape.head_dim_k,
        .dim_v = gol_attn_pad((size_t)job->layer->shape.head_dim_v),
    };
    gol_attn_scratch_get(&w.scratch, job->cpu, ith, w.dim_k, w.dim_v);
    gol_attn_cursor cursor = {0};
    gol_attn_item item;
    bool is_begun = false;
    while (!is_begun && gol_attn_plan_next(&job->plan, &cursor, &item)) {
        const int32_t begin = gol_attn_plan_border(&job->plan, &item, ith, n_threads);
        const int32_t end = gol_attn_plan_border(&job->plan, &item, ith + 1, n_threads);
        if (begin == end)
            continue;
        w.item = item;
        is_begun = attend_item(&w, begin, end);
    }
    if (n_threads > 1 && job->plan.is_split)
        gol_worker_pool_barrier(job->cpu->pool, ith);
    if (is_begun)
        join_item(&w, ith, n_threads);
}

static void check_batch(const attention_job *job, const gol_batch *batch)
{
    int32_t n_rows = 0;
    for (int32_t s = 0; s < batch->n_seqs; s++) {
        const gol_batch_seq *seq = &batch->seqs[s];
        const int64_t n = (int64_t)seq->n_past + seq->n_rows;
        assert(seq->first_row == n_rows && seq->n_rows >= 1 && seq->n_past >= 0);
        assert((int64_t)seq->n_blocks * job->kv->block_size >= n);
        assert(n <= job->cpu->attention.n_ctx_max);
        assert(!job->a->is_full || seq->n_past == 0);
        n_rows += seq->n_rows;
    }
    assert(n_rows == batch->n_tokens);
}

void gol_backend_cpu_attention(gol_backend *be, float *out, const float *q, int64_t q_stride,
                               const gol_kv *kv, const gol_attention *a, const gol_batch *batch)
{
    assert(a->layer >= 0 && a->layer < kv->n_layers);
    const gol_kv_layer *layer = &kv->layers[a->layer];
    const int32_t n_kv_heads = layer->shape.n_kv_heads;
    assert(n_kv_heads > 0 && a->n_heads % n_kv_heads == 0);
    attention_job job = {gol_backend_cpu_of(be), out, q, q_stride, kv, layer, a, {0}};
    check_batch(&job, batch);
    gol_attn_plan_init(&job.plan, a, n_kv_heads, batch, job.cpu->n_threads);
    const size_t n_touched = (size_t)job.plan.cost * gol_attn_pad((size_t)layer->shape.head_dim_v);
    gol_backend_cpu_run(job.cpu, attend_items, &job, n_touched);
}
