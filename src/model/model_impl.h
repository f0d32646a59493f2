/* Inside of gol_model and gol_forward: model.c loads and frees, forward.c computes. */
#ifndef GOL_MODEL_MODEL_IMPL_H
#define GOL_MODEL_MODEL_IMPL_H

#include "model/model.h"
#include "model/weights.h"

struct gol_model {
    gol_backend *be;
    gol_config config;
    gol_weights weights;
    float *rope_inv_freq; /* [n_rot / 2], on the device; NULL without rotation */
    gol_rope rope;
};

#endif
