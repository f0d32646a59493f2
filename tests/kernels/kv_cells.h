/*
 * Numbers of the KV cache as the checks make and read them, one at a time. Layouts: backend/cpu/kernels/attention_tile.h.
 */
#ifndef TESTS_KERNELS_KV_CELLS_H
#define TESTS_KERNELS_KV_CELLS_H

#include "kernels/check_kernels.h"

/* Bytes of a panel of GOL_ATTN_LANES keys, and of a value row, of dim numbers (whole blocks). */
size_t panel_bytes(gol_kv_type type, size_t dim);
size_t row_bytes(gol_kv_type type, size_t dim);
/* n random numbers in memory; in panels the scales of Q8_0 lie together. */
void random_cells(checker *ck, uint8_t *out, gol_kv_type type, size_t n, int pattern,
                  bool is_panel);
/* Dimension d of key `lane`, and of a value row. */
double panel_number(const uint8_t *panel, gol_kv_type type, size_t lane, size_t d);
double row_number(const uint8_t *row, gol_kv_type type, size_t d);

#endif
