/* A JSON parser's allocations, and whether one of them failed in this thread. */
#include "base/json_memory.h"

#include <stdlib.h>

#include "base/mem.h"

static _Thread_local bool has_failed;

void *gol_json_alloc(size_t n_bytes)
{
    void *p = gol_try_alloc(n_bytes);
    if (p)
        return p;
    /* jansson 2.14 writes behind a string whose buffer could not grow: whoever parses is told of the failure, the parser gets a
     * second try. */
    has_failed = true;
    return malloc(n_bytes);
}

void gol_json_clear_failure(void)
{
    has_failed = false;
}

bool gol_json_has_failed(void)
{
    return has_failed;
}
