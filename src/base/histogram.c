/* There is one writer: it adds by load and store, and nobody waits. */
#include "base/histogram.h"

#include <assert.h>
#include <math.h>

void gol_histogram_init(gol_histogram *h, const double *bounds, int n_bounds)
{
    assert(n_bounds >= 1 && n_bounds <= GOL_HISTOGRAM_BOUNDS_MAX);
    for (int i = 1; i < n_bounds; i++)
        assert(bounds[i - 1] < bounds[i]);
    h->bounds = bounds;
    h->n_bounds = n_bounds;
    for (int i = 0; i <= GOL_HISTOGRAM_BOUNDS_MAX; i++)
        atomic_init(&h->counts[i], 0);
    atomic_init(&h->sum, 0.0);
}

void gol_histogram_observe(gol_histogram *h, double value)
{
    int i = 0;
    while (i < h->n_bounds && !(value <= h->bounds[i]))
        i++;
    const uint64_t n = atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    atomic_store_explicit(&h->counts[i], n + 1, memory_order_relaxed);
    if (isnan(value))
        return;
    const double sum = atomic_load_explicit(&h->sum, memory_order_relaxed);
    atomic_store_explicit(&h->sum, sum + value, memory_order_relaxed);
}

void gol_histogram_read(const gol_histogram *h, gol_histogram_view *out)
{
    *out = (gol_histogram_view){.bounds = h->bounds, .n_bounds = h->n_bounds};
    for (int i = 0; i <= h->n_bounds; i++) {
        out->counts[i] = atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        out->n += out->counts[i];
    }
    out->sum = atomic_load_explicit(&h->sum, memory_order_relaxed);
}
