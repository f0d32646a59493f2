/*
 * Converting and writing, tensor by tensor. A tensor is one sequence of elements (rows are whole blocks of both types), cut
 * in chunks; in each round every worker reads, quantizes and, if asked, reads back one chunk, then the bytes are written in
 * order. Memory: three chunks per worker, whatever the model's size is; the source's pages are given back after each tensor.
 *
 * Errors are added up by chunk, in order, so that they do not depend on the number of workers.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cli/quantize_plan.h"
#include "formats/gguf.h"
#include "formats/tensor_scan.h"
#include "quant/quantize.h"
#include "text/hf/hf_files.h"

enum {
    CHUNK = 65536,        /* elements; whole blocks of every type */
    COPY_PIECE = 4 << 20, /* bytes of an unchanged tensor between two calls of progress */
    QUANTIZATION_VERSION = 2
};

/* What one worker makes of one chunk. */
typedef struct chunk {
    float values[CHUNK];
    float read_back[CHUNK];
    uint8_t bytes[CHUNK * sizeof(float)];
    size_t n;   /* elements; 0: the tensor has ended */
    size_t bad; /* index of the first element that cannot be written; n: all can */
    double sum_squares;
    float error_max;
} chunk;

typedef struct writing {
    gol_quantize_plan *plan;
    const gol_quantize_opts *opts;
    chunk *chunks; /* [n_workers] */
    const gol_quantize_tensor *tensor;
    const uint8_t *data; /* the source's bytes */
    uint64_t first;      /* element of worker 0's chunk */
    uint64_t n_done;     /* elements of the model */
    bool has_bad;        /* the message is about the source, not about the new file */
} writing;

static void measure(chunk *c, const gol_type_info *to)
{
    to->dequant(c->read_back, c->bytes, c->n);
    c->sum_squares = 0;
    c->error_max = 0;
    for (size_t i = 0; i < c->n; i++) {
        const float off = fabsf(c->read_back[i] - c->values[i]);
        c->sum_squares += (double)off * (double)off;
        c->error_max = off > c->error_max ? off : c->error_max;
    }
}

static void convert_chunk(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    const writing *w = arg;
    const gol_tensor *source = w->tensor->source;
    const gol_type_info *from = gol_type_get(source->type);
    const uint64_t first = w->first + (uint64_t)ith * CHUNK;
    chunk *c = &w->chunks[ith];
    c->n = c->bad = 0;
    if (first >= source->n_elements)
        return;
    c->n = source->n_elements - first < CHUNK ? (size_t)(source->n_elements - first) : CHUNK;
    from->dequant(c->values, w->data + first / (uint64_t)from->block_size * from->type_size, c->n);
    c->bad = gol_quantize_find_bad(w->tensor->to, c->values, c->n);
    if (c->bad < c->n)
        return;
    const int rc = gol_quantize_row(c->bytes, w->tensor->to, c->values, c->n, NULL);
    assert(rc == 0);
    (void)rc;
    if (w->opts->wants_errors)
        measure(c, gol_type_get(w->tensor->to));
}

static int fail_bad(writing *w, uint64_t element, float value, gol_err *err)
{
    w->has_bad = true;
    const uint64_t n_row = w->tensor->source->shape[0];
    return gol_fail(err, GOL_EMODEL,
                    "element %" PRIu64 " (row %" PRIu64 ", column %" PRIu64
                    ") is %g: %s holds finite values up to %g",
                    element, element / n_row, element % n_row, (double)value,
                    gol_type_get(w->tensor->to)->name, (double)gol_quantize_limit(w->tensor->to));
}

/* false: stop. */
static bool advance(writing *w, uint64_t n_elements)
{
    w->n_done += n_elements;
    return !w->opts->progress ||
           w->opts->progress(w->opts->user, w->tensor->source, w->n_done, w->plan->n_elements);
}

static int emit_round(writing *w, gol_quantize_tensor *t, gol_gguf_emit *emit, void *sink,
                      gol_err *err)
{
    uint64_t n_elements = 0;
    for (int ith = 0; ith < gol_worker_pool_size(w->opts->pool); ith++) {
        const chunk *c = &w->chunks[ith];
        if (c->bad < c->n)
            return fail_bad(w, w->first + n_elements + c->bad, c->values[c->bad], err);
        size_t n_bytes;
        const bool fits = gol_type_row_bytes(&n_bytes, t->to, c->n);
        assert(fits);
        const int rc = emit(sink, c->bytes, n_bytes, err);
        if (rc != 0)
            return rc;
        if (w->opts->wants_errors && c->n > 0) {
            t->sum_squares += c->sum_squares;
            t->error_max = c->error_max > t->error_max ? c->error_max : t->error_max;
        }
        n_elements += c->n;
    }
    return advance(w, n_elements) ? 0 : gol_fail(err, GOL_EABORTED, "interrupted");
}

static int convert_tensor(writing *w, gol_quantize_tensor *t, gol_gguf_emit *emit, void *sink,
                          gol_err *err)
{
    const uint64_t n_round = (uint64_t)gol_worker_pool_size(w->opts->pool) * CHUNK;
    int rc = 0;
    for (w->first = 0; w->first < t->source->n_elements && rc == 0; w->first += n_round) {
        gol_worker_pool_run(w->opts->pool, convert_chunk, w);
        rc = emit_round(w, t, emit, sink, err);
    }
    return rc;
}

static int copy_tensor(writing *w, gol_gguf_emit *emit, void *sink, gol_err *err)
{
    const gol_tensor *source = w->tensor->source;
    gol_tensor_scan scan;
    gol_tensor_scan_run(&scan, source, w->data, w->opts->pool);
    if (scan.first_bad != UINT64_MAX) {
        w->has_bad = true;
        return gol_fail(err, GOL_EMODEL, "element %" PRIu64 " is %s", scan.first_bad,
                        scan.n_nan > 0 ? "not a number (or infinite)" : "infinite");
    }
    for (uint64_t at = 0; at < source->n_bytes; at += COPY_PIECE) {
        const uint64_t n = source->n_bytes - at < COPY_PIECE ? source->n_bytes - at : COPY_PIECE;
        const int rc = emit(sink, w->data + at, (size_t)n, err);
        if (rc != 0)
            return rc;
        if (!advance(w, 0))
            return gol_fail(err, GOL_EABORTED, "interrupted");
    }
    return advance(w, source->n_elements) ? 0 : gol_fail(err, GOL_EABORTED, "interrupted");
}

static int fill_tensor(void *user, size_t index, gol_gguf_emit *emit, void *sink, gol_err *err)
{
    writing *w = user;
    gol_quantize_tensor *t = &w->plan->tensors[index];
    w->tensor = t;
    t->sum_squares = 0;
    t->error_max = 0;
    gol_tensor_bytes bytes;
    int rc = gol_model_file_fetch(w->plan->file, t->source, &bytes, err);
    if (rc != 0)
        return rc;
    w->data = bytes.data;
    rc = gol_quantize_changes(t) ? convert_tensor(w, t, emit, sink, err)
                                 : copy_tensor(w, emit, sink, err);
    gol_tensor_bytes_deinit(&bytes);
    gol_model_file_drop_tensor(w->plan->file, t->source);
    return rc;
}

static bool begins_with(gol_str key, const char *prefix)
{
    const size_t n = strlen(prefix);
    return key.len > n && memcmp(key.data, prefix, n) == 0;
}

/* The tokenizer of a folder, in GGUF's keys. 1: written, 0: there is none, or GGUF has no words for it: the message is kept in the
 * plan, and the folder's own files are written. */
static int add_tokenizer(gol_gguf_writer *writer, gol_quantize_plan *plan, gol_err *err)
{
    gol_hftok_files files;
    const gol_tensor *embd = gol_model_file_find_tensor(plan->file, GOL_STR("token_embd.weight"));
    if (gol_model_file_find_meta(plan->file, "tokenizer.ggml.tokens"))
        return 0;
    int rc = gol_hftok_files_find(&files, plan->file, &plan->tokenizer_err);
    if (rc == 1)
        rc = gol_hftok_write(&files, embd ? (size_t)embd->shape[1] : 0, writer,
                             &plan->tokenizer_err);
    else
        return rc == GOL_ENOMEM ? gol_fail(err, rc, "%s", plan->tokenizer_err.message) : 0;
    if (rc == GOL_ENOMEM)
        return gol_fail(err, rc, "%s", plan->tokenizer_err.message);
    return rc == 0;
}

/* Everything the source says, except what is no longer true: parts (the result is one file), what the tensors are, and files of a
 * folder whose tokenizer has become keys. */
static int add_metadata(gol_gguf_writer *writer, gol_quantize_plan *plan, gol_err *err)
{
    const int has_tokenizer = add_tokenizer(writer, plan, err);
    if (has_tokenizer < 0)
        return has_tokenizer;
    for (size_t i = 0; i < gol_model_file_n_meta(plan->file); i++) {
        const gol_meta *meta = gol_model_file_get_meta(plan->file, i);
        const bool is_written = has_tokenizer == 1 && begins_with(meta->key, "gollum.hf.");
        if (!begins_with(meta->key, "split.") && !is_written &&
            !gol_str_is(meta->key, "general.file_type") &&
            !gol_str_is(meta->key, "general.quantization_version"))
            gol_gguf_writer_add_value(writer, meta->key, &meta->value);
    }
    gol_gguf_writer_add_u32(writer, "general.file_type", plan->file_type);
    gol_gguf_writer_add_u32(writer, "general.quantization_version", QUANTIZATION_VERSION);
    return 0;
}

int gol_quantize_write(gol_quantize_plan *plan, const char *path, const gol_quantize_opts *opts,
                       gol_err *err)
{
    writing w = {.plan = plan, .opts = opts};
    gol_gguf_writer *writer = NULL;
    w.chunks = gol_try_array((size_t)gol_worker_pool_size(opts->pool), sizeof *w.chunks);
    int rc = w.chunks ? gol_gguf_writer_create(&writer, err)
                      : gol_fail(err, GOL_ENOMEM, "out of memory for converting tensors");
    if (rc != 0)
        goto done;
    rc = add_metadata(writer, plan, err);
    if (rc != 0)
        goto done;
    for (size_t i = 0; i < plan->n; i++) {
        gol_tensor t = *plan->tensors[i].source;
        t.type = plan->tensors[i].to;
        t.data = NULL;
        gol_gguf_writer_add_tensor(writer, &t);
    }
    rc = gol_gguf_writer_stream(writer, path, fill_tensor, &w, err);
    if (rc != 0 && w.has_bad) {
        /* "OUT: tensor 'x': element ..." is about the source. */
        char message[GOL_ERR_MESSAGE_MAX];
        char quoted[GOL_ERR_MESSAGE_MAX / 2];
        const size_t n_skipped = strlen(path) + 2;
        snprintf(message, sizeof message, "%s",
                 strlen(err->message) > n_skipped ? err->message + n_skipped : err->message);
        rc = gol_fail(
            err, GOL_EMODEL, "%s: %s",
            gol_quote(quoted, sizeof quoted, gol_str_from(gol_model_file_path(plan->file))),
            message);
    }
done:
    gol_gguf_writer_destroy(&writer);
    gol_free(w.chunks);
    return rc;
}
