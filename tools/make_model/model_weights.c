/*
 * Writes a made model: keys, tokenizer, then every tensor in chunks, which all workers make at once, so that a model of
 * any size needs little memory.
 */
#include "make_model/make_model.h"

#include <assert.h>

#include "base/mem.h"
#include "base/worker_pool.h"
#include "make_model/model_plan.h"

enum { CHUNK = 65536 }; /* elements that a worker makes at a time; whole blocks of every type */

/* One round: chunk ith of every worker. */
typedef struct round_job {
    const model_plan *plan;
    uint32_t index; /* of the tensor */
    uint64_t first; /* element of worker 0's chunk */
    float *values;  /* [n_threads][CHUNK] */
    uint8_t *bytes; /* [n_threads][CHUNK * sizeof(float)] */
    int *codes;     /* [n_threads] */
    gol_err *errs;  /* [n_threads] */
} round_job;

typedef struct weights_writer {
    gol_worker_pool *pool;
    round_job job;
} weights_writer;

static size_t chunk_size(const round_job *job, int ith)
{
    const uint64_t first = job->first + (uint64_t)ith * CHUNK;
    const uint64_t n = job->plan->tensors[job->index].tensor.n_elements;
    if (first >= n)
        return 0;
    return n - first < CHUNK ? (size_t)(n - first) : CHUNK;
}

static void make_chunk(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    const round_job *job = arg;
    const size_t n = chunk_size(job, ith);
    job->codes[ith] = 0;
    if (n > 0)
        job->codes[ith] = make_model_fill(
            job->bytes + (size_t)ith * CHUNK * sizeof(float), job->values + (size_t)ith * CHUNK, n,
            job->first + (uint64_t)ith * CHUNK, job->index, job->plan->options,
            &job->plan->tensors[job->index], &job->errs[ith]);
}

static int emit_round(const round_job *job, int n_threads, gol_gguf_emit *emit, void *sink,
                      gol_err *err)
{
    for (int ith = 0; ith < n_threads; ith++) {
        if (job->codes[ith])
            return gol_fail(err, job->codes[ith], "%s", job->errs[ith].message);
        size_t n_bytes;
        const bool fits = gol_type_row_bytes(&n_bytes, job->plan->tensors[job->index].tensor.type,
                                             chunk_size(job, ith));
        assert(fits);
        const int rc = emit(sink, job->bytes + (size_t)ith * CHUNK * sizeof(float), n_bytes, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int fill_tensor(void *user, size_t index, gol_gguf_emit *emit, void *sink, gol_err *err)
{
    weights_writer *writer = user;
    round_job *job = &writer->job;
    const int n_threads = gol_worker_pool_size(writer->pool);
    job->index = (uint32_t)index;
    const uint64_t n = job->plan->tensors[index].tensor.n_elements;
    int rc = 0;
    for (job->first = 0; job->first < n && !rc; job->first += (uint64_t)n_threads * CHUNK) {
        gol_worker_pool_run(writer->pool, make_chunk, job);
        rc = emit_round(job, n_threads, emit, sink, err);
    }
    return rc;
}

static int create_writer(weights_writer *writer, const model_plan *plan, gol_err *err)
{
    const int rc = gol_worker_pool_create(&writer->pool, 0, err);
    if (rc)
        return rc;
    const size_t n = (size_t)gol_worker_pool_size(writer->pool);
    writer->job = (round_job){
        .plan = plan,
        .values = gol_try_array(n, CHUNK * sizeof(float)),
        .bytes = gol_try_array(n, CHUNK * sizeof(float)),
        .codes = gol_try_calloc(n, sizeof(int)),
        .errs = gol_try_calloc(n, sizeof(gol_err)),
    };
    if (!writer->job.values || !writer->job.bytes || !writer->job.codes || !writer->job.errs)
        return gol_fail(err, GOL_ENOMEM, "out of memory for making weights");
    return 0;
}

static void destroy_writer(weights_writer *writer)
{
    gol_worker_pool_destroy(&writer->pool);
    gol_free(writer->job.values);
    gol_free(writer->job.bytes);
    gol_free(writer->job.codes);
    gol_free(writer->job.errs);
}

int make_model_write(const char *path, const make_model_options *options, gol_err *err)
{
    const uint32_t n_vocab = make_model_n_vocab(options->shape, options->byte_vocab);
    model_plan plan = {.options = options};
    weights_writer writer = {0};
    gol_arena_init(&plan.arena, 256u << 20);
    gol_gguf_writer *w = NULL;
    int rc = gol_gguf_writer_create(&w, err);
    if (!rc)
        rc = create_writer(&writer, &plan, err);
    if (!rc)
        make_model_add_keys(w, &plan, n_vocab);
    if (!rc)
        rc = make_model_add_vocab(w, &plan.arena, options->shape, n_vocab, err);
    if (!rc)
        rc = make_model_plan_tensors(&plan, n_vocab, err);
    for (uint32_t i = 0; i < plan.n && !rc; i++)
        gol_gguf_writer_add_tensor(w, &plan.tensors[i].tensor);
    if (!rc)
        rc = gol_gguf_writer_stream(w, path, fill_tensor, &writer, err);
    gol_gguf_writer_destroy(&w);
    destroy_writer(&writer);
    gol_arena_deinit(&plan.arena);
    return rc;
}
