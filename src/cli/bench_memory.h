/* How fast this machine reads memory now, with so many threads: what decoding cannot exceed. */
#ifndef GOL_CLI_BENCH_MEMORY_H
#define GOL_CLI_BENCH_MEMORY_H

#include "base/error.h"

/* Bytes per second, the best of several passes. Errors: GOL_ENOMEM, GOL_EINVAL. */
int gol_bench_memory_read(double *out, int n_threads, gol_err *err);

#endif
