/* From what the user asked for and what the machine has to what the engine will use. No allocation, no threads. */
#ifndef GOL_ENGINE_ENGINE_LIMITS_H
#define GOL_ENGINE_ENGINE_LIMITS_H

#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "engine/engine.h"

/* Highest values of the options; beyond them lies a typing error. */
enum {
    GOL_ENGINE_SEQS_MAX = 4096,
    GOL_ENGINE_BATCH_TOKENS_MAX = 1 << 16,
    GOL_ENGINE_BLOCK_SIZE_MAX = 1024,
    GOL_ENGINE_QUEUED_REQS_MAX = 1 << 15,
};

/* What the options are measured against. */
typedef struct gol_limits_basis {
    gol_backend *be;
    const gol_kv_layer_shape *layers; /* [n_layers] */
    int32_t n_layers;
    int32_t n_ctx; /* the model's context */
    int32_t n_vocab;
    uint64_t mem_available; /* gol_sysmem_available() */
} gol_limits_basis;

/* Errors: GOL_EINVAL (an option is out of range, or options contradict each other: which, with the numbers), GOL_ENOMEM
 * (not even the smallest KV cache fits). */
int gol_engine_limits_init(gol_engine_limits *out, const gol_engine_opts *opts,
                           const gol_limits_basis *basis, gol_err *err);

#endif
