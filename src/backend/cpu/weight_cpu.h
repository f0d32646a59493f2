/*
 * Weights in host memory as the ops of this backend read them (panel_format.h): packed panels that the backend owns, or raw rows
 * in the file's mapping.
 */
#ifndef GOL_BACKEND_CPU_WEIGHT_CPU_H
#define GOL_BACKEND_CPU_WEIGHT_CPU_H

#include "backend/backend.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/panel_format.h"

/* Panels of 16 rows, the last perhaps with rows that do not exist. */
static inline size_t gol_weight_cpu_n_panels(const gol_weight *w)
{
    return ((size_t)w->n_out + GOL_PANEL_ROWS - 1) / GOL_PANEL_ROWS;
}

/* Of a row as it lies in a file. */
size_t gol_weight_cpu_row_bytes(const gol_weight *w);

/* From panel to panel; row_bytes is gol_weight_cpu_row_bytes(). */
static inline size_t gol_weight_cpu_panel_bytes(const gol_weight *w, size_t row_bytes)
{
    return w->panel_bytes > 0 ? w->panel_bytes : row_bytes * GOL_PANEL_ROWS;
}

/* Matrix number i of a stack. */
static inline gol_weight gol_weight_cpu_of_stack(const gol_weight *stack, int32_t i)
{
    gol_weight w = *stack;
    w.data = (const uint8_t *)stack->data + (size_t)i * stack->stack_bytes;
    return w;
}

gol_stretch gol_weight_cpu_stretch(const gol_weight *w, const gol_panel_format *f, size_t row_bytes,
                                   size_t panel, size_t stretch);

/* out[n_in] = row `row`, bit for bit what the reference conversion makes of the file's row. */
void gol_weight_cpu_row(const gol_weight *w, const gol_kernels *kernels, float *out, size_t row);

#endif
