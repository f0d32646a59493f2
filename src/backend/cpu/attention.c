/*
 * Causal attention over the paged cache. Work items are (row, head) pairs, dealt to the workers in turn: a later row of a prompt
 * sees more keys than an earlier one, and dealing evens that out. One item walks its context from the first visible position to
 * its own, in runs that end at block borders and at multiples of KEYS_MAX inside a block, with the running maximum and sum of
 * Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018). The borders depend on positions alone, so an
 * item's bits depend on its sequence alone.
 *
 *     positions   0 . . . . . . 15 | 16 . . . . . 31 | 32 . . 37 = own
 *     runs       [ one kernel call ] [ next          ] [ last    ]
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Keys in one kernel call, at most: their scores live on the stack. */
enum { KEYS_MAX = 64 };

typedef struct attention_job {
    const gol_backend_cpu *cpu;
    float *out;     /* [n_tokens][n_heads][head_dim_v] */
    const float *q; /* row t at q + t * q_stride: [n_heads][head_dim_k] */
    int64_t q_stride;
    const gol_kv *kv;
    const gol_attention *a;
    const gol_batch *batch;
} attention_job;

/* Keys of the run that starts at `offset` of a block, when n_left positions remain. */
static int32_t run_length(int32_t offset, int32_t block_size, int32_t n_left)
{
    int32_t n = KEYS_MAX - offset % KEYS_MAX;
    if (n > block_size - offset)
        n = block_size - offset;
    return n < n_left ? n : n_left;
}

static float max_of(const float *x, int32_t n)
{
    float max = x[0];
    for (int32_t i = 1; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

/* One head of the row at position own: out[head_dim_v]. */
static void attend(const attention_job *job, float *out, const float *q, const gol_batch_seq *seq,
                   int32_t own, int32_t kv_head)
{
    const gol_kv *kv = job->kv;
    const gol_attention *a = job->a;
    const gol_kernels *kernels = &job->cpu->kernels;
    const gol_kv_layer_shape *shape = &kv->layers[a->layer].shape;
    const size_t dim_v = (size_t)shape->head_dim_v;
    const int32_t first = a->window > 0 && own >= a->window ? own + 1 - a->window : 0;
    float scores[KEYS_MAX];
    float max = -INFINITY;
    float sum = 0.0f;
    memset(out, 0, dim_v * sizeof *out);
    for (int32_t p = first; p <= own;) {
        const int32_t block = seq->block_table[p / kv->block_size];
        const int32_t offset = p % kv->block_size;
        const int32_t n = run_length(offset, kv->block_size, own + 1 - p);
        assert(block >= 0 && block < kv->n_blocks);
        kernels->attn_scores[kv->type](scores, q,
                                       gol_kv_cpu_keys(kv, a->layer, block, kv_head, offset),
                                       a->scale, (size_t)n, (size_t)shape->head_dim_k);
        if (a->softcap > 0.0f)
            kernels->softcap(scores, scores, a->softcap, (size_t)n);
        const float run_max = max_of(scores, n);
        const float new_max = run_max > max ? run_max : max;
        const float keep = p == first ? 0.0f : expf(max - new_max);
        sum = sum * keep + kernels->exp_sum(scores, new_max, (size_t)n);
        kernels->attn_mix[kv->type](out, keep, scores,
                                    gol_kv_cpu_values(kv, a->layer, block, kv_head, offset),
                                    (size_t)n, dim_v);
        max = new_max;
        p += n;
    }
    kernels->scale(out, out, 1.0f / sum, dim_v);
}

static void attend_items(void *arg, int ith, int n_threads)
{
    const attention_job *job = arg;
    const gol_batch *batch = job->batch;
    const gol_kv_layer_shape *shape = &job->kv->layers[job->a->layer].shape;
    const int64_t n_heads = job->a->n_heads;
    const int32_t group = job->a->n_heads / shape->n_kv_heads;
    const int64_t n_items = batch->n_tokens * n_heads;
    int32_t s = 0;
    for (int64_t item = ith; item < n_items; item += n_threads) {
        const int32_t row = (int32_t)(item / n_heads);
        const int32_t head = (int32_t)(item % n_heads);
        while (row >= batch->seqs[s].first_row + batch->seqs[s].n_rows)
            s++;
        const gol_batch_seq *seq = &batch->seqs[s];
        const int32_t own = seq->n_past + row - seq->first_row;
        attend(job, job->out + item * shape->head_dim_v,
               job->q + row * job->q_stride + (int64_t)head * shape->head_dim_k, seq, own,
               head / group);
    }
}

/* Multiplications of the batch in this layer, for the choice between one and all workers. */
static size_t count_work(const gol_batch *batch, size_t n_per_key)
{
    size_t n_keys = 0;
    for (int32_t s = 0; s < batch->n_seqs; s++) {
        const gol_batch_seq *seq = &batch->seqs[s];
        n_keys += (size_t)seq->n_rows * ((size_t)seq->n_past + (size_t)seq->n_rows);
    }
    return n_keys * n_per_key;
}

static void check_batch(const gol_batch *batch, int32_t block_size)
{
    int32_t n_rows = 0;
    for (int32_t s = 0; s < batch->n_seqs; s++) {
        const gol_batch_seq *seq = &batch->seqs[s];
        assert(seq->first_row == n_rows && seq->n_rows >= 1 && seq->n_past >= 0);
        assert((int64_t)seq->n_blocks * block_size >= (int64_t)seq->n_past + seq->n_rows);
        n_rows += seq->n_rows;
    }
    assert(n_rows == batch->n_tokens);
}

void gol_backend_cpu_attention(gol_backend *be, float *out, const float *q, int64_t q_stride,
                               const gol_kv *kv, const gol_attention *a, const gol_batch *batch)
{
    assert(a->layer >= 0 && a->layer < kv->n_layers);
    const gol_kv_layer_shape *shape = &kv->layers[a->layer].shape;
    assert(shape->n_kv_heads > 0 && a->n_heads % shape->n_kv_heads == 0);
    check_batch(batch, kv->block_size);
    attention_job job = {gol_backend_cpu_of(be), out, q, q_stride, kv, a, batch};
    const size_t n_per_key = (size_t)a->n_heads * (size_t)(shape->head_dim_k + shape->head_dim_v);
    gol_backend_cpu_run(job.cpu, attend_items, &job, count_work(batch, n_per_key));
}
