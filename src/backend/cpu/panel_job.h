/*
 * A product of one weight with the tokens of a slab, as panel.h cuts it: the common part of matmul.c and moe_matmul.c. Who
 * packs which unit and who multiplies which panel is the op's decision.
 *
 *     gol_panel_job_init(&job, cpu, w, n_tokens);
 *     job.out = ..., job.bias = ..., job.packed_x = ...;
 *     gol_panel_job_pack(&job, stretch, tile, x, x_stride);    every stretch and tile, by whoever
 *                                                              (barrier)
 *     gol_panel_job_multiply(&job, begin, end, ith);           every panel, by whoever
 */
#ifndef GOL_BACKEND_CPU_PANEL_JOB_H
#define GOL_BACKEND_CPU_PANEL_JOB_H

#include "backend/cpu/backend_cpu.h"
#include "backend/cpu/kernels/panel_bf16.h"
#include "base/mem.h"

enum {
    /* Tokens of a slab: activations of that many are packed at a time. More would read weights from memory less often, but at
     * this many multiplications per byte that costs 1% of the time, while scratch grows with it. A multiple of both tiles. */
    GOL_SLAB_TOKENS = 528,
    /* Panels of a float batch: activations come from beyond L2 once per batch. More panels have more open sums in L2. */
    GOL_PANEL_BATCH = 8,
    /* Bytes of a unit of packed activations, of float32: the widest. */
    GOL_PANEL_UNIT_MAX = GOL_STRETCH_INPUTS * GOL_F32_TILE * (int)sizeof(float),
};
static_assert(GOL_SLAB_TOKENS % GOL_F32_TILE == 0 && GOL_F32_TILE % GOL_INT_TILE == 0 &&
                  GOL_INT_TILE % GOL_BF16_TOKENS == 0,
              "whole tiles");

/* What one worker has to itself. */
struct gol_matmul_scratch {
    float acc[GOL_PANEL_BATCH][GOL_SLAB_TOKENS][GOL_PANEL_ROWS];
    union {
        gol_int_panel int_panel[GOL_TILE_PANELS];
        float f32_panel[GOL_STRETCH_INPUTS][GOL_PANEL_ROWS];
        float gathered[GOL_F32_TILE]
                      [GOL_STRETCH_INPUTS]; /* rows of a tile on their way to be packed */
    };
} __attribute__((aligned(64)));

typedef struct gol_panel_job {
    const gol_backend_cpu *cpu;
    const gol_weight *w;
    const gol_panel_format *format;
    gol_product product;
    float *out;        /* [n_tokens][n_out] */
    const float *bias; /* [n_out] or NULL */
    /* Packed activations lie in units: a tile's part of one stretch, [stretch][tile], so that a core that goes from tile to tile
     * reads on and on. */
    uint8_t *packed_x;
    size_t n_tokens;    /* 1 .. GOL_SLAB_TOKENS */
    size_t chunk;       /* tokens */
    size_t batch;       /* panels whose sums are open at the same time */
    size_t side;        /* panels of a tile */
    size_t n_stretches; /* of a row */
    size_t tile;        /* tokens */
    size_t unit_bytes;
    size_t row_bytes; /* of a raw weight */
} gol_panel_job;

static inline size_t gol_panel_n_stretches(size_t n_in)
{
    return n_in / GOL_STRETCH_INPUTS + (n_in % GOL_STRETCH_INPUTS != 0);
}

static inline size_t gol_panel_job_n_tiles(const gol_panel_job *job)
{
    return (job->n_tokens + job->tile - 1) / job->tile;
}

/* Everything but out, bias and packed_x. */
void gol_panel_job_init(gol_panel_job *job, const gol_backend_cpu *cpu, const gol_weight *w,
                        size_t n_tokens);
/* The same job with another number of tokens. */
void gol_panel_job_set_tokens(gol_panel_job *job, size_t n_tokens);
/* Packs the tile's rows, x_stride floats apart; x points at the first one's first input of the stretch. */
void gol_panel_job_pack(const gol_panel_job *job, size_t stretch, size_t tile, const float *x,
                        size_t x_stride);
/* Panels [begin, end), as worker ith. */
void gol_panel_job_multiply(const gol_panel_job *job, size_t begin, size_t end, int ith);

#endif
