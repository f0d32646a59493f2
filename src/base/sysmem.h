/* How much memory this process may still take without harm: what the system has left, and what its control groups let it
 * have. For planning big buffers before they are allocated; by the time they are, others may have taken it. */
#ifndef GOL_BASE_SYSMEM_H
#define GOL_BASE_SYSMEM_H

#include <stdint.h>

/* Bytes. 0 when the system does not tell. */
uint64_t gol_sysmem_available(void);

/* What this process holds in memory now, pages of mapped files included. Bytes; 0 when the system does not tell. */
uint64_t gol_sysmem_resident(void);

/* What is available, with all files of Linux looked for under root, a folder in tests. */
uint64_t gol_sysmem_available_at(const char *root);

#endif
