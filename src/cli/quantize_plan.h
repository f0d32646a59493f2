/*
 * `gollum quantize` and `gollum convert` without their command line: what each tensor of a model becomes, and writing that.
 *
 *     gol_quantize_plan plan;
 *     rc = gol_quantize_plan_init(&plan, file, mix, &err);
 *     rc = gol_quantize_write(&plan, "out.gguf", &opts, &err);
 *     gol_quantize_plan_deinit(&plan);
 */
#ifndef GOL_CLI_QUANTIZE_PLAN_H
#define GOL_CLI_QUANTIZE_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/worker_pool.h"
#include "formats/model_file.h"
#include "quant/quantize_mix.h"

typedef struct gol_quantize_tensor {
    const gol_tensor *source;
    gol_type wanted; /* the mixture's choice */
    gol_type to;     /* the same, or what replaces it because rows are no whole blocks of it */
    uint64_t n_bytes;
    /* After writing with opts.wants_errors; of the new values against the source's. */
    double sum_squares;
    float error_max;
} gol_quantize_tensor;

typedef struct gol_quantize_plan {
    const gol_model_file *file;
    const gol_mix *mix;           /* NULL: every tensor keeps its type */
    uint32_t file_type;           /* general.file_type of the result */
    gol_quantize_tensor *tensors; /* [n] in file order */
    size_t n;
    uint64_t n_elements;
    uint64_t n_bytes_from; /* of tensors */
    uint64_t n_bytes_to;
    gol_err
        tokenizer_err; /* after writing: why a folder's tokenizer was not written in GGUF's keys; code 0: it was, or is none */
} gol_quantize_plan;

typedef struct gol_quantize_opts {
    gol_worker_pool *pool;
    bool wants_errors;
    /* After every few thousand elements, from the calling thread; false stops. May be NULL. */
    bool (*progress)(void *user, const gol_tensor *tensor, uint64_t n_done, uint64_t n_total);
    void *user;
} gol_quantize_opts;

/* file must outlive the plan; mix NULL: as stored. Errors: GOL_ENOMEM. */
int gol_quantize_plan_init(gol_quantize_plan *plan, const gol_model_file *file, const gol_mix *mix,
                           gol_err *err);
void gol_quantize_plan_deinit(gol_quantize_plan *plan);

bool gol_quantize_changes(const gol_quantize_tensor *t);

/* The first tensor that is quantized and would be again; NULL: none. */
const gol_quantize_tensor *gol_quantize_find_requantized(const gol_quantize_plan *plan);

/* Writes path.tmp and renames it; on failure nothing is left. Errors: GOL_EMODEL (a tensor holds what is not finite or too
 * large for its type; names tensor and place), GOL_EABORTED (progress said so), GOL_EIO, GOL_ENOMEM. */
int gol_quantize_write(gol_quantize_plan *plan, const char *path, const gol_quantize_opts *opts,
                       gol_err *err);

/* Tables for people: what would become what; the errors of a written plan. */
void gol_quantize_print_plan(FILE *out, const gol_quantize_plan *plan);
void gol_quantize_print_errors(FILE *out, const gol_quantize_plan *plan);

#endif
