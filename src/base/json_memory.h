/*
 * Memory of the JSON library. It is told once per process where its memory comes from; all layers that read JSON tell it the
 * same, so that its failures are counted and tested like ours, and who came first does not matter:
 *
 *     json_set_alloc_funcs(gol_json_alloc, gol_free);
 *     gol_json_clear_failure();
 *     ...parse...
 *     if (gol_json_has_failed()) ...out of memory, whatever the parser says: it may have cut a string unnoticed
 */
#ifndef GOL_BASE_JSON_MEMORY_H
#define GOL_BASE_JSON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *gol_json_alloc(size_t n_bytes);

/* Of this thread. */
void gol_json_clear_failure(void);
bool gol_json_has_failed(void);

#endif
