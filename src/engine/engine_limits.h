/*
 * From what the user asked for and what the machine has to what the engine will use. No allocation, no threads, nothing measured: a
 * pure function, so that it can be asked before the weights are loaded and gives the same answer afterwards.
 *
 * How much memory may be taken:
 *
 *     memory given    exactly that, for everything; the KV cache gets what the rest leaves, as far as max_seqs sequences of
 *                     max_model_len can use it. More than is available is refused.
 *     not given       what is available without a margin of an eighth, at most 1 GiB. The KV cache gets half of what the rest leaves
 *                     of that: a machine has other work, and its page cache is worth having. Only a max_model_len that
 *                     was asked for may take more than the half, as much as one sequence of it needs.
 *     kv_bytes given  exactly that for the KV cache, the sum as above (without margin when memory is not given).
 *
 * The margin is there because what is available is the kernel's estimate, made before loading: others allocate too, and an
 * allocator rounds up.
 */
#ifndef GOL_ENGINE_ENGINE_LIMITS_H
#define GOL_ENGINE_ENGINE_LIMITS_H

#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/memory_plan.h"

/* Highest values of the options; beyond them lies a typing error. */
enum {
    GOL_ENGINE_SEQS_MAX = 4096,
    GOL_ENGINE_SNAPSHOTS_MAX = 1 << 20,
    GOL_ENGINE_BATCH_TOKENS_MAX = 1 << 16,
    GOL_ENGINE_BLOCK_SIZE_MAX = 1024,
    GOL_ENGINE_QUEUED_REQS_MAX = 1 << 15,
    GOL_ENGINE_ITL_MS_MAX = 60 * 1000,
};

/* The context that groups of layers are made for: the one that was asked for, or the model's. */
static inline int32_t gol_engine_ctx_asked(const gol_engine_opts *opts, const gol_config *config)
{
    return opts->max_model_len > 0 ? opts->max_model_len : config->n_ctx_train;
}

/* plan: what the sizes take, also when they do not fit (then for the smallest that was acceptable). Errors: GOL_EINVAL (an option is
 * out of range, or options contradict each other: which, with the numbers), GOL_ENOMEM (it does not fit: all parts with
 * their bytes, what may be taken, and what would help). */
int gol_engine_limits_init(gol_engine_limits *out, gol_memory_plan *plan,
                           const gol_engine_opts *opts, const gol_memory_basis *basis,
                           gol_err *err);

#endif
