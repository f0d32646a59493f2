/* The table of mapped ranges that the SIGBUS handler looks into; used by mapped_file.c alone. */
#ifndef GOL_BASE_MAP_FAULT_H
#define GOL_BASE_MAP_FAULT_H

#include <stddef.h>

/* Enters [data, data + n_bytes) under a name that must live until remove(); installs the handler at the first call.
 * Returns the slot, -1 when the table is full. Any thread. */
int gol_map_fault_add(const void *data, size_t n_bytes, const char *path);

/* Before the range is unmapped. */
void gol_map_fault_remove(int slot);

#endif
