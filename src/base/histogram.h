/*
 * How often a figure fell into which range, as Prometheus counts it: rising upper bounds, one more range above them, the sum.
 * One thread observes, any thread may take a snapshot: each number of it was true at some moment, together they may be of
 * different ones. No allocation, no locks.
 */
#ifndef GOL_BASE_HISTOGRAM_H
#define GOL_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { GOL_HISTOGRAM_BOUNDS_MAX = 24 };

typedef struct gol_histogram {
    const double *bounds; /* [n_bounds] rising; must outlive it */
    int n_bounds;
    _Atomic uint64_t
        counts[GOL_HISTOGRAM_BOUNDS_MAX + 1]; /* of each range alone; the last: above all bounds */
    _Atomic double sum;
} gol_histogram;

typedef struct gol_histogram_view {
    const double *bounds;
    int n_bounds;
    uint64_t counts[GOL_HISTOGRAM_BOUNDS_MAX + 1];
    uint64_t n; /* sum of counts */
    double sum;
} gol_histogram_view;

/* n_bounds from 1 to GOL_HISTOGRAM_BOUNDS_MAX. */
void gol_histogram_init(gol_histogram *h, const double *bounds, int n_bounds);

/* A value that equals a bound belongs below it. NaN counts as above all bounds and not into the sum. */
void gol_histogram_observe(gol_histogram *h, double value);

void gol_histogram_read(const gol_histogram *h, gol_histogram_view *out);

#endif
