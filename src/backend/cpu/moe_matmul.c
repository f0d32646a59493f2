/*
 * Products of a mixture of experts: the rows of an expert times that expert's matrix, for all experts in one run of the workers. A
 * piece is an expert's rows, at most a slab of them; pieces whose packed activations fit into the product's scratch together are
 * a round:
 *
 *     rounds            all workers pack the rows of the round's pieces, then multiply
 *     pieces
 *     products          matrices that read the same rows (gate and up)
 *     panels            as in every product (panel_job.c)
 *
 * The round's panels, of all pieces and products one after another, are cut into as many runs of equal cost as there are workers:
 * one token with eight experts keeps every worker busy, and each reads memory in long streams.
 */
#include "backend/cpu/moe_cpu.h"

#include <assert.h>
#include <string.h>

#include "backend/cpu/backend_cpu.h"
#include "backend/cpu/panel_job.h"

/* A panel costs as much as so many rows before it has any: its weights must come from memory and be unpacked. Too low gives
 * experts with few rows to too few workers, too high those with many. */
enum { PANEL_COST = 12 };

typedef struct moe_op {
    const gol_backend_cpu *cpu;
    const gol_moe *moe;
    const gol_moe_matmul *m;
    gol_panel_job jobs[GOL_MOE_PRODUCTS_MAX]; /* of a piece, without what depends on it */
    int32_t first_product;
    int32_t n_products;
    size_t n_panels; /* of all products of an expert */
    size_t capacity; /* tiles of a round */
} moe_op;

/* Rows of one expert. */
typedef struct piece {
    int32_t expert;
    size_t row;
    size_t n_rows;
    size_t n_tiles;
} piece;

typedef struct round_sums {
    size_t n_tiles;
    size_t cost;
    size_t end_row; /* first row of the next round */
} round_sums;

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The piece that begins at `row`, of at most n_tiles; p->expert is one at or before the row's. False: no rows or no tiles are left. */
static bool next_piece(const moe_op *op, piece *p, size_t row, size_t n_tiles)
{
    const int32_t *first = op->moe->first;
    if (row >= (size_t)first[op->moe->n_experts] || n_tiles == 0)
        return false;
    while ((size_t)first[p->expert + 1] <= row)
        p->expert++;
    const size_t tile = op->jobs[0].tile;
    p->row = row;
    p->n_rows = min_size((size_t)first[p->expert + 1] - row,
                         min_size(n_tiles * tile, GOL_SLAB_TOKENS));
    p->n_tiles = (p->n_rows + tile - 1) / tile;
    return true;
}

static size_t panel_cost(const piece *p)
{
    return PANEL_COST + p->n_rows;
}

static round_sums find_round(const moe_op *op, int32_t expert, size_t row)
{
    round_sums r = {.end_row = row};
    piece p = {.expert = expert};
    while (next_piece(op, &p, r.end_row, op->capacity - r.n_tiles)) {
        r.n_tiles += p.n_tiles;
        r.cost += op->n_panels * panel_cost(&p);
        r.end_row += p.n_rows;
    }
    return r;
}

/* Job number i of a piece whose packed activations begin at tile first_tile of the scratch. */
static gol_panel_job job_of(const moe_op *op, int32_t i, const piece *p, size_t first_tile)
{
    gol_panel_job job = op->jobs[i];
    const int32_t product = op->first_product + i;
    const size_t n_out = (size_t)job.w->n_out;
    const float *bias = op->m->products[product].bias;
    gol_panel_job_set_tokens(&job, p->n_rows);
    job.out = op->m->products[product].out + p->row * n_out;
    job.bias = bias ? bias + (size_t)p->expert * n_out : NULL;
    job.packed_x = op->cpu->packed_x + first_tile * job.n_stretches * job.unit_bytes;
    return job;
}

/* Packs one unit of a piece. Rows that do not lie one after another are brought together first. */
static void pack_unit(const moe_op *op, const gol_panel_job *job, const piece *p, size_t stretch,
                      size_t tile, int ith)
{
    const size_t n_in = (size_t)job->w->n_in;
    const size_t first_in = stretch * GOL_STRETCH_INPUTS;
    const size_t width = min_size(GOL_STRETCH_INPUTS, n_in - first_in);
    const size_t row = p->row + tile * job->tile;
    const size_t n_rows = min_size(job->tile, p->n_rows - tile * job->tile);
    const int32_t *tokens = op->moe->tokens + row;
    if (op->m->is_sorted || n_rows == 1) {
        const size_t first = op->m->is_sorted ? row : (size_t)tokens[0];
        gol_panel_job_pack(job, stretch, tile, op->m->x + first * n_in + first_in, n_in);
        return;
    }
    float(*gathered)[GOL_STRETCH_INPUTS] = op->cpu->matmul_scratch[ith].gathered;
    for (size_t i = 0; i < n_rows; i++)
        memcpy(gathered[i], op->m->x + (size_t)tokens[i] * n_in + first_in,
               width * sizeof gathered[i][0]);
    gol_panel_job_pack(job, stretch, tile, gathered[0], GOL_STRETCH_INPUTS);
}

static void pack_round(const moe_op *op, piece p, const round_sums *r, int ith, int n_threads)
{
    const size_t n_stretches = op->jobs[0].n_stretches;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, r->n_tiles * n_stretches, 1, ith, n_threads);
    size_t first_tile = 0;
    for (size_t row = p.row; next_piece(op, &p, row, r->n_tiles - first_tile); row += p.n_rows) {
        const gol_panel_job job = job_of(op, 0, &p, first_tile);
        const size_t first = first_tile * n_stretches; /* unit of the round */
        const size_t n_units = p.n_tiles * n_stretches;
        for (size_t u = begin > first ? begin - first : 0; u < n_units && first + u < end; u++)
            pack_unit(op, &job, &p, u / p.n_tiles, u % p.n_tiles, ith);
        first_tile += p.n_tiles;
    }
}

/* Of panels that begin at cost `first` and cost `each`: how many begin before `at`, at most n. */
static size_t n_panels_before(size_t at, size_t first, size_t each, size_t n)
{
    return at > first ? min_size((at - first + each - 1) / each, n) : 0;
}

static void multiply_round(const moe_op *op, piece p, const round_sums *r, int ith, int n_threads)
{
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, r->cost, 1, ith, n_threads);
    size_t first_tile = 0;
    size_t cost = 0;
    for (size_t row = p.row; next_piece(op, &p, row, r->n_tiles - first_tile); row += p.n_rows) {
        const size_t each = panel_cost(&p);
        for (int32_t i = 0; i < op->n_products; i++) {
            const size_t n_panels = gol_weight_cpu_n_panels(op->jobs[i].w);
            const size_t from = n_panels_before(begin, cost, each, n_panels);
            const size_t to = n_panels_before(end, cost, each, n_panels);
            cost += n_panels * each;
            if (from == to)
                continue;
            gol_panel_job job = job_of(op, i, &p, first_tile);
            const gol_weight w = gol_weight_cpu_of_stack(job.w, p.expert);
            job.w = &w;
            gol_panel_job_multiply(&job, from, to, ith);
        }
        first_tile += p.n_tiles;
    }
}

static void multiply(void *arg, int ith, int n_threads)
{
    const moe_op *op = arg;
    piece p = {0};
    for (;;) {
        const round_sums r = find_round(op, p.expert, p.row);
        if (r.n_tiles == 0)
            return;
        if (p.row > 0 && n_threads > 1) /* nobody still reads the round before */
            gol_worker_pool_barrier(op->cpu->pool, ith);
        pack_round(op, p, &r, ith, n_threads);
        if (n_threads > 1)
            gol_worker_pool_barrier(op->cpu->pool, ith);
        multiply_round(op, p, &r, ith, n_threads);
        p.row = r.end_row;
    }
}

/* Products [first, first + n), which read the same packed activations. */
static void run_products(const gol_backend_cpu *cpu, const gol_moe *moe, const gol_moe_matmul *m,
                         int32_t first, int32_t n)
{
    moe_op op = {.cpu = cpu, .moe = moe, .m = m, .first_product = first, .n_products = n};
    size_t n_touched = 0;
    for (int32_t i = 0; i < n; i++) {
        const gol_weight *w = m->products[first + i].w;
        assert(w->n_stack == moe->n_experts);
        gol_panel_job_init(&op.jobs[i], cpu, w, 1);
        op.n_panels += gol_weight_cpu_n_panels(w);
        n_touched += (size_t)w->n_out * (size_t)w->n_in;
    }
    op.capacity = cpu->packed_x_bytes / (op.jobs[0].n_stretches * op.jobs[0].unit_bytes);
    assert(op.capacity > 0); /* reserve() came first */
    gol_backend_cpu_run(cpu, multiply, &op, n_touched * (size_t)moe->n_used);
}

void gol_backend_cpu_moe_matmul(gol_backend *be, const gol_moe *moe, const gol_moe_matmul *m)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(m->n_products >= 1 && m->n_products <= GOL_MOE_PRODUCTS_MAX);
    for (int32_t i = 0, n; i < m->n_products; i += n) {
        const gol_weight *w = m->products[i].w;
        n = 1; /* packing depends on the type */
        while (i + n < m->n_products && m->products[i + n].w->type == w->type &&
               m->products[i + n].w->n_in == w->n_in)
            n++;
        run_products(cpu, moe, m, i, n);
    }
}
