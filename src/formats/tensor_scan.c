/*
 * A tensor is one sequence of blocks (rows are whole blocks), so workers take contiguous runs of chunks whatever the shape
 * is. Each chunk is converted on the worker's stack; results are added up in worker order.
 */
#include "formats/tensor_scan.h"

#include "quant/half.h"

/* Elements converted at once: a multiple of every block size (1, 32, 256). 16 KiB of stack, which stays in L1. */
enum { SCAN_CHUNK = 4096 };

typedef struct scan_job {
    const gol_tensor *tensor;
    const uint8_t *data;
    const gol_type_info *info;
    gol_tensor_scan results[GOL_WORKERS_MAX]; /* by worker */
} scan_job;

static bool is_finite_bits(uint32_t bits)
{
    return (bits & 0x7f800000u) != 0x7f800000u;
}

/* values[n], the elements of the tensor from `begin` on. */
static void scan_values(gol_tensor_scan *result, const float *values, size_t n, uint64_t begin)
{
    uint32_t n_bad = 0;
    for (size_t i = 0; i < n; i++)
        n_bad += !is_finite_bits(gol_f32_bits(values[i]));
    if (n_bad == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = gol_f32_bits(values[i]);
        if (is_finite_bits(bits))
            continue;
        if (result->first_bad == UINT64_MAX)
            result->first_bad = begin + i;
        if (bits & 0x7fffffu)
            result->n_nan++;
        else
            result->n_inf++;
    }
}

static void scan_part(void *arg, int ith, int n_threads)
{
    scan_job *job = arg;
    const uint64_t n_elements = job->tensor->n_elements;
    const size_t block_size = (size_t)job->info->block_size;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)n_elements, SCAN_CHUNK, ith, n_threads);
    gol_tensor_scan result = {.is_scanned = true, .first_bad = UINT64_MAX};
    float values[SCAN_CHUNK];
    for (size_t i = begin; i < end; i += SCAN_CHUNK) {
        const size_t n = end - i < SCAN_CHUNK ? end - i : SCAN_CHUNK;
        job->info->dequant(values, job->data + i / block_size * job->info->type_size, n);
        scan_values(&result, values, n, i);
    }
    job->results[ith] = result;
}

void gol_tensor_scan_run(gol_tensor_scan *out, const gol_tensor *tensor, const uint8_t *data,
                         gol_worker_pool *pool)
{
    *out = (gol_tensor_scan){.first_bad = UINT64_MAX};
    scan_job job = {.tensor = tensor, .data = data, .info = gol_type_get(tensor->type)};
    if (!job.info->dequant)
        return;
    out->is_scanned = true;
    gol_worker_pool_run(pool, scan_part, &job);
    for (int i = 0; i < gol_worker_pool_size(pool); i++) {
        const gol_tensor_scan *part = &job.results[i];
        out->n_nan += part->n_nan;
        out->n_inf += part->n_inf;
        if (part->first_bad < out->first_bad)
            out->first_bad = part->first_bad;
    }
}
