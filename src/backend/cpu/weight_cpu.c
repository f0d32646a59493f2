/*
 * Weights in host memory: they stay where they lie in the file's mapping, unless a kernel could not read them there.
 */
#include "backend/cpu/backend_cpu.h"

#include <string.h>

#include "base/mem.h"

int gol_backend_cpu_weight_load(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                                gol_err *err)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    *out = (gol_weight){0};
    const gol_type_info *info = gol_type_find((uint32_t)desc->type);
    if (!info || !cpu->kernels.matmul[desc->type])
        return gol_fail(err, GOL_EUNSUPPORTED, "tensor '%s': type %s cannot be a weight on the cpu",
                        desc->name, info ? info->name : "unknown");
    size_t row_bytes;
    size_t n_bytes;
    if (desc->n_in <= 0 || desc->n_out <= 0 ||
        !gol_type_row_bytes(&row_bytes, desc->type, (uint64_t)desc->n_in) ||
        !gol_mul_size(&n_bytes, row_bytes, (size_t)desc->n_out) || n_bytes != desc->n_bytes)
        return gol_fail(err, GOL_EMODEL, "tensor '%s': %zu bytes are no [%lld][%lld] matrix of %s",
                        desc->name, desc->n_bytes, (long long)desc->n_out, (long long)desc->n_in,
                        info->name);
    *out = (gol_weight){.type = desc->type,
                        .n_out = desc->n_out,
                        .n_in = desc->n_in,
                        .data = desc->data,
                        .n_bytes = n_bytes};
    /* Rows of float32 are read in place, which wants them aligned; a file need not oblige. */
    if (desc->type == GOL_TYPE_F32 && (uintptr_t)desc->data % sizeof(float) != 0) {
        out->owned = gol_try_aligned(n_bytes);
        if (!out->owned) {
            *out = (gol_weight){0};
            return gol_fail(err, GOL_ENOMEM, "tensor '%s': out of memory for %zu bytes", desc->name,
                            n_bytes);
        }
        memcpy(out->owned, desc->data, n_bytes);
        out->data = out->owned;
    }
    return 0;
}

void gol_backend_cpu_weight_free(gol_backend *be, gol_weight *w)
{
    (void)be;
    gol_aligned_free(w->owned);
    *w = (gol_weight){0};
}
