/* Names of the parts of a plan, apart from the plan itself: who shows figures needs no engine. */
#include "engine/engine.h"

#include <assert.h>

const char *gol_memory_part_name(gol_memory_part part)
{
    static const char *const names[] = {
        [GOL_MEMORY_PROMPTS] = "prompt_cache", [GOL_MEMORY_WEIGHTS] = "weights",
        [GOL_MEMORY_FILE] = "weights_in_file", [GOL_MEMORY_KV] = "kv_cache",
        [GOL_MEMORY_SCRATCH] = "scratch",      [GOL_MEMORY_REQUESTS] = "requests",
        [GOL_MEMORY_OTHER] = "other",          [GOL_MEMORY_STATES] = "states",
    };
    static_assert(sizeof names / sizeof *names == GOL_N_MEMORY_PARTS, "every part has a name");
    assert(part >= 0 && part < GOL_N_MEMORY_PARTS);
    return names[part];
}
