/*
 * Ops of recurrent layers. A token's state comes of the one before it, so nobody may cut a sequence: channels of the convolution
 * and heads of the scan are dealt to the workers, and each goes through its sequences token by token, whatever the slice.
 *
 * Work is dealt with sequences as the inner of two loops: each worker has its channels or heads of all sequences, so a long prompt
 * among many decoding sequences is shared by all workers.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/ssm_tile.h"

enum {
    /* Channels that are dealt and convolved together: a few cache lines of each row. */
    CHANNELS = 64,
    /* Rows of a scan's tile: they pass through the first-level cache for every part of the state. */
    TILE_ROWS = 32,
};

typedef struct conv_job {
    const gol_kernels *kernels;
    float *out;        /* [n_tokens][n_channels] */
    const float *x;    /* [n_tokens][n_channels] */
    const float *w;    /* [d_conv][n_channels] */
    const float *bias; /* [n_channels] */
    const gol_state *state;
    const gol_state_layer *layer;
    const gol_batch *batch;
} conv_job;

/* A run of channels of one sequence. */
typedef struct conv_run {
    const float *x; /* row t at x + t * n_channels: [n] */
    float *past;    /* row i at past + i * n_channels, i < d_conv - 1: [n] the oldest first */
    size_t n_channels;
    size_t n_past; /* d_conv - 1 */
    size_t n;
} conv_run;

/* Input number i, counted from the oldest that the state keeps. */
static const float *input_of(const conv_run *run, size_t i)
{
    return i < run->n_past ? run->past + i * run->n_channels
                           : run->x + (i - run->n_past) * run->n_channels;
}

/* The state behind n_rows rows. It may overwrite the run's own: what is read lies behind what is written. */
static void keep_inputs(const conv_run *run, float *dst, size_t n_rows)
{
    for (size_t i = 0; i < run->n_past; i++)
        memmove(dst + i * run->n_channels, input_of(run, n_rows + i), run->n * sizeof *dst);
}

static void convolve_run(const conv_job *job, const gol_batch_seq *seq, size_t channel, size_t n)
{
    const gol_state_layer *l = job->layer;
    const size_t n_channels = (size_t)l->shape.n_channels;
    const size_t d_conv = (size_t)l->shape.d_conv;
    const size_t first = (size_t)seq->first_row * n_channels + channel;
    const size_t offset = l->conv_offset + channel;
    const conv_run run = {
        .x = job->x + first,
        .past = gol_state_cpu_slot(job->state, seq->state_slot) + offset,
        .n_channels = n_channels,
        .n_past = d_conv - 1,
        .n = n,
    };
    if (seq->n_past == 0)
        for (size_t i = 0; i < run.n_past; i++)
            memset(run.past + i * n_channels, 0, n * sizeof *run.past);
    for (size_t t = 0; t < (size_t)seq->n_rows; t++) {
        const float *rows[GOL_SSM_CONV_MAX];
        for (size_t k = 0; k < d_conv; k++)
            rows[k] = input_of(&run, t + k);
        float *out = job->out + first + t * n_channels;
        job->kernels->ssm_conv(out, rows, job->w + channel, n_channels, job->bias + channel, d_conv,
                               n);
        job->kernels->act[GOL_ACT_SILU](out, out, n);
    }
    for (int32_t i = 0; i < seq->n_snapshots; i++)
        keep_inputs(&run, gol_state_cpu_slot(job->state, seq->snapshots[i].slot) + offset,
                    (size_t)seq->snapshots[i].n_rows);
    keep_inputs(&run, run.past, (size_t)seq->n_rows);
}

static void convolve(void *arg, int ith, int n_threads)
{
    const conv_job *job = arg;
    const size_t n_channels = (size_t)job->layer->shape.n_channels;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, n_channels, CHANNELS, ith, n_threads);
    for (size_t channel = begin; channel < end; channel += CHANNELS) {
        const size_t n = end - channel < CHANNELS ? end - channel : CHANNELS;
        for (int32_t i = 0; i < job->batch->n_seqs; i++)
            convolve_run(job, &job->batch->seqs[i], channel, n);
    }
}

static const gol_state_layer *layer_of(const gol_state *state, int32_t layer,
                                       const gol_batch *batch)
{
    assert(layer >= 0 && layer < state->n_layers);
    assert(state->layers[layer].shape.n_heads > 0);
    for (int32_t i = 0; i < batch->n_seqs; i++) {
        const gol_batch_seq *seq = &batch->seqs[i];
        assert(seq->state_slot >= 0 && seq->state_slot < state->n_slots);
        for (int32_t k = 0; k < seq->n_snapshots; k++) {
            const gol_state_snapshot *s = &seq->snapshots[k];
            assert(s->slot >= 0 && s->slot < state->n_slots && s->slot != seq->state_slot);
            assert(s->n_rows >= 1 && s->n_rows <= seq->n_rows);
            assert(k == 0 || s->n_rows > s[-1].n_rows);
        }
    }
    return &state->layers[layer];
}

void gol_backend_cpu_ssm_conv(gol_backend *be, float *out, const float *x, const float *w,
                              const float *bias, gol_state *state, int32_t layer,
                              const gol_batch *batch)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    const gol_state_layer *l = layer_of(state, layer, batch);
    conv_job job = {&cpu->kernels, out, x, w, bias, state, l, batch};
    gol_backend_cpu_run(cpu, convolve, &job,
                        (size_t)batch->n_tokens * (size_t)l->shape.n_channels *
                            (size_t)l->shape.d_conv);
}

typedef struct steps_job {
    float *dt;    /* [n_tokens][n_heads] */
    float *decay; /* [n_tokens][n_heads] */
    const gol_ssm_params *params;
    size_t n_tokens;
    size_t n_heads;
} steps_job;

/* ln(1 + e^x); beyond 20 the one is less than half a unit in the last place of float32. */
static float softplus(float x)
{
    return x > 20.0f ? x : log1pf(expf(x));
}

static void fill_steps(void *arg, int ith, int n_threads)
{
    const steps_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        float *dt = job->dt + t * job->n_heads;
        float *decay = job->decay + t * job->n_heads;
        for (size_t h = 0; h < job->n_heads; h++) {
            dt[h] = softplus(dt[h] + job->params->dt_bias[h]);
            decay[h] = expf(dt[h] * job->params->a[h]);
        }
    }
}

void gol_backend_cpu_ssm_steps(gol_backend *be, float *dt, float *decay,
                               const gol_ssm_params *params, int32_t n_tokens, int32_t n_heads)
{
    /* Two exponentials and a logarithm cost about as much as so many numbers that pass by. */
    enum { COST = 32 };
    steps_job job = {dt, decay, params, (size_t)n_tokens, (size_t)n_heads};
    gol_backend_cpu_run(gol_backend_cpu_of(be), fill_steps, &job,
                        COST * job.n_tokens * job.n_heads);
}

typedef struct scan_job {
    const gol_kernels *kernels;
    float *y;           /* [n_tokens][n_heads][head_dim] */
    const float *xbc;   /* [n_tokens][n_channels] */
    const float *dt;    /* [n_tokens][n_heads] */
    const float *decay; /* [n_tokens][n_heads] */
    const gol_ssm_params *params;
    const gol_state *state;
    const gol_state_layer *layer;
    const gol_batch *batch;
} scan_job;

/* Rows [begin, end) of the tile's sequence, in small tiles. */
static void scan_rows(const scan_job *job, const gol_scan_tile *all, size_t begin, size_t end)
{
    for (size_t t = begin; t < end; t += TILE_ROWS) {
        gol_scan_tile tile = *all;
        tile.y += t * tile.y_stride;
        tile.x += t * tile.x_stride;
        tile.b += t * tile.x_stride;
        tile.c += t * tile.x_stride;
        tile.dt += t * tile.dt_stride;
        tile.decay += t * tile.dt_stride;
        tile.n_rows = end - t < TILE_ROWS ? end - t : TILE_ROWS;
        job->kernels->ssm_scan(&tile);
    }
}

static gol_scan_tile tile_of(const scan_job *job, const gol_batch_seq *seq, size_t head)
{
    const gol_state_layer_shape *s = &job->layer->shape;
    const size_t n_heads = (size_t)s->n_heads;
    const size_t head_dim = (size_t)s->head_dim;
    const size_t d_state = (size_t)s->d_state;
    const size_t n_groups = (size_t)s->n_groups;
    const size_t row = (size_t)seq->first_row;
    const float *xbc = job->xbc + row * (size_t)s->n_channels;
    const float *b = xbc + n_heads * head_dim + head / (n_heads / n_groups) * d_state;
    return (gol_scan_tile){
        .state = gol_state_cpu_slot(job->state, seq->state_slot) + job->layer->heads_offset +
                 head * d_state * head_dim,
        .y = job->y + (row * n_heads + head) * head_dim,
        .x = xbc + head * head_dim,
        .b = b,
        .c = b + n_groups * d_state,
        .dt = job->dt + row * n_heads + head,
        .decay = job->decay + row * n_heads + head,
        .y_stride = n_heads * head_dim,
        .x_stride = (size_t)s->n_channels,
        .dt_stride = n_heads,
        .head_dim = head_dim,
        .d_state = d_state,
        .d = job->params->d[head],
    };
}

static void scan_head(const scan_job *job, const gol_batch_seq *seq, size_t head)
{
    const gol_scan_tile tile = tile_of(job, seq, head);
    const size_t n_floats = tile.d_state * tile.head_dim;
    const size_t offset = job->layer->heads_offset + head * n_floats;
    if (seq->n_past == 0)
        memset(tile.state, 0, n_floats * sizeof *tile.state);
    size_t t = 0;
    for (int32_t i = 0; i < seq->n_snapshots; i++) {
        const size_t n_rows = (size_t)seq->snapshots[i].n_rows;
        scan_rows(job, &tile, t, n_rows);
        memcpy(gol_state_cpu_slot(job->state, seq->snapshots[i].slot) + offset, tile.state,
               n_floats * sizeof *tile.state);
        t = n_rows;
    }
    scan_rows(job, &tile, t, (size_t)seq->n_rows);
}

static void scan_heads(void *arg, int ith, int n_threads)
{
    const scan_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)job->layer->shape.n_heads, 1, ith, n_threads);
    for (size_t head = begin; head < end; head++)
        for (int32_t i = 0; i < job->batch->n_seqs; i++)
            scan_head(job, &job->batch->seqs[i], head);
}

void gol_backend_cpu_ssm_scan(gol_backend *be, float *y, const float *xbc, const float *dt,
                              const float *decay, const gol_ssm_params *params, gol_state *state,
                              int32_t layer, const gol_batch *batch)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    const gol_state_layer *l = layer_of(state, layer, batch);
    scan_job job = {&cpu->kernels, y, xbc, dt, decay, params, state, l, batch};
    const size_t n_state = (size_t)l->shape.n_heads * (size_t)l->shape.d_state *
                           (size_t)l->shape.head_dim;
    gol_backend_cpu_run(cpu, scan_heads, &job, (size_t)batch->n_tokens * n_state);
}

typedef struct gate_job {
    const gol_kernels *kernels;
    float *out;     /* [n_rows][n_groups][n] */
    const float *y; /* [n_rows][n_groups][n] */
    const float *z; /* [n_rows][n_groups][n] */
    const float *w; /* [n_groups][n] or NULL */
    float eps;
    size_t n_rows;
    size_t n_groups;
    size_t n;
} gate_job;

static void gate_rows(void *arg, int ith, int n_threads)
{
    const gate_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_rows * job->n_groups, 1, ith, n_threads);
    for (size_t r = begin; r < end; r++) {
        float *out = job->out + r * job->n;
        const size_t group = r % job->n_groups;
        job->kernels->glu[GOL_ACT_SILU](out, job->z + r * job->n, job->y + r * job->n, job->n);
        if (job->w)
            job->kernels->rms_norm(out, out, job->w + group * job->n, job->eps, job->n);
    }
}

void gol_backend_cpu_gated_norm(gol_backend *be, float *out, const float *y, const float *z,
                                const float *w, float eps, int64_t n_rows, int32_t n_groups,
                                int32_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_rows >= 0 && n_groups > 0 && n > 0);
    gate_job job = {&cpu->kernels, out, y, z, w, eps, (size_t)n_rows, (size_t)n_groups, (size_t)n};
    gol_backend_cpu_run(cpu, gate_rows, &job, job.n_rows * job.n_groups * job.n);
}
