/*
 * Names of the KV cache's number types.
 */
#include "backend/backend.h"

#include <strings.h>

static const struct {
    const char *name;
    gol_kv_type type;
} names[] = {
    /* the first of a type is its name */
    {"f16", GOL_KV_F16},   {"float16", GOL_KV_F16},   {"fp16", GOL_KV_F16},  {"half", GOL_KV_F16},
    {"f32", GOL_KV_F32},   {"float32", GOL_KV_F32},   {"fp32", GOL_KV_F32},  {"float", GOL_KV_F32},
    {"bf16", GOL_KV_BF16}, {"bfloat16", GOL_KV_BF16}, {"q8_0", GOL_KV_Q8_0},
};
enum { N_NAMES = sizeof names / sizeof names[0] };

const char *gol_kv_type_name(gol_kv_type type)
{
    for (int i = 0; i < N_NAMES; i++)
        if (names[i].type == type)
            return names[i].name;
    return NULL;
}

bool gol_kv_type_parse(const char *name, gol_kv_type *out)
{
    for (int i = 0; i < N_NAMES; i++) {
        if (strcasecmp(name, names[i].name) == 0) {
            *out = names[i].type;
            return true;
        }
    }
    return false;
}
