/* Inside of gol_model and gol_forward: model.c loads and frees, forward.c computes. */
#ifndef GOL_MODEL_MODEL_IMPL_H
#define GOL_MODEL_MODEL_IMPL_H

#include "model/model.h"
#include "model/weights.h"

struct gol_model {
    gol_backend *be;
    gol_config config;
    gol_weights weights;
    gol_rope rope;       /* kind NONE: the model has none, here and below */
    gol_rope rope_long;  /* in place of rope where the context is longer than the original one */
    gol_rope rope_local; /* of layers that have a table of their own */
    float *inv_freq[3];  /* of these, [n_rot / 2] on the device; NULL: none */
};

/* The table for a served context of n_ctx. It is the context's doing and not a sequence's length: an answer stays the same when
 * the sequence grows, and cached keys stay valid. */
const gol_rope *gol_model_rope(const gol_model *model, int32_t n_ctx);

#endif
