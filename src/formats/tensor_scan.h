/*
 * Looks at every value of a tensor, through the reference conversion: NaN and infinity have no place in weights, and a block
 * whose scale is not finite has no finite value.
 *
 *     gol_tensor_scan scan;
 *     gol_tensor_scan_run(&scan, tensor, bytes.data, pool);
 *     if (scan.n_nan + scan.n_inf > 0) ...bad from element scan.first_bad on
 */
#ifndef GOL_FORMATS_TENSOR_SCAN_H
#define GOL_FORMATS_TENSOR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/worker_pool.h"
#include "formats/model_file.h"

typedef struct gol_tensor_scan {
    bool is_scanned; /* false: integers, always fine, or a type that no weights have */
    uint64_t n_nan;
    uint64_t n_inf;
    uint64_t first_bad; /* element, counted through the rows; UINT64_MAX: none */
} gol_tensor_scan;

/* data: the tensor's bytes (gol_model_file_fetch()). */
void gol_tensor_scan_run(gol_tensor_scan *out, const gol_tensor *tensor, const uint8_t *data,
                         gol_worker_pool *pool);

#endif
