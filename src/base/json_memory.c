/* A JSON parser's allocations, and whether one of them failed in this thread. */
#include "base/json_memory.h"

#include "base/mem.h"

static _Thread_local bool has_failed;

void *gol_json_alloc(size_t n_bytes)
{
    void *p = gol_try_alloc(n_bytes);
    if (!p)
        has_failed = true;
    return p;
}

void gol_json_clear_failure(void)
{
    has_failed = false;
}

bool gol_json_has_failed(void)
{
    return has_failed;
}
