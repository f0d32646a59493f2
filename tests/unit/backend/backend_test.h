/*
 * What the backend's tests share: a CPU backend per number of threads, random numbers, a batch over a paged cache, and plain
 * references in double.
 */
#ifndef TESTS_UNIT_BACKEND_BACKEND_TEST_H
#define TESTS_UNIT_BACKEND_BACKEND_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/backend.h"
#include "base/rng.h"

static inline gol_backend *make_backend(int n_threads)
{
    gol_backend *be;
    gol_err err = {0};
    if (gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = n_threads}, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(be->ops->reserve(be, 64, 8192, 4096, &err), 0);
    return be;
}

static inline float *random_floats(gol_rng *rng, size_t n)
{
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)gol_rng_next_normal(rng);
    return x;
}

static inline void assert_close(double got, double want, double bound)
{
    if (!(fabs(got - want) <= bound))
        fail_msg("got %.9g, want %.9g, off by %.3g of %.3g allowed", got, want, fabs(got - want),
                 bound);
}

#endif
