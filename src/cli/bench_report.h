/* Results of `gollum bench` as a table, as comma-separated values, or as JSON; on stdout, row by row (JSON: at the end). */
#ifndef GOL_CLI_BENCH_REPORT_H
#define GOL_CLI_BENCH_REPORT_H

#include "base/buf.h"
#include "base/json_out.h"
#include "cli/bench_cost.h"
#include "cli/bench_plan.h"

typedef enum gol_bench_format {
    GOL_BENCH_TABLE,
    GOL_BENCH_CSV,
    GOL_BENCH_JSON,
} gol_bench_format;

typedef struct gol_bench_row {
    const char *model; /* name for people */
    const char *file;  /* the file's path */
    uint64_t n_bytes;  /* of all tensors */
    uint64_t n_params;
    const char *type;   /* most of the bytes are of this type */
    const char *cpu;    /* level */
    const char *kernel; /* of matrix products with that type */
    const char *kv_type;
    int n_threads;
    gol_bench_test test;
    gol_bench_cost cost;
    const double *seconds; /* [n_samples], in order of measurement */
    int32_t n_samples;
    double memory_bytes_s; /* --machine: bytes per second that can be read; 0: not measured */
} gol_bench_row;

typedef struct gol_bench_report {
    gol_bench_format format;
    bool has_memory; /* a column for what share of memory_bytes_s is reached */
    bool has_rows;
    gol_buf buf;
    gol_json json;
} gol_bench_report;

void gol_bench_report_begin(gol_bench_report *r, gol_bench_format format, bool has_memory);
void gol_bench_report_add(gol_bench_report *r, const gol_bench_row *row);
int gol_bench_report_end(gol_bench_report *r, gol_err *err); /* GOL_ENOMEM */
void gol_bench_report_deinit(gol_bench_report *r);

/* The middle of values[n], of two middle ones their mean; n >= 1. Sorts values. */
double gol_bench_median(double *values, int32_t n);

#endif
