/*
 * How a model's authors sample from it, where its file says so: general.sampling.{temp,top_k,top_p,min_p,penalty_repeat}, as in
 * GGUF and as a folder's generation_config.json is read.
 */
#ifndef GOL_LIB_SAMPLING_DEFAULTS_H
#define GOL_LIB_SAMPLING_DEFAULTS_H

#include "engine/request.h"
#include "formats/model_file.h"

/* Changes what the file names and returns how many that are. A value that no request could ask for is left out with a warning: a
 * default must not keep a model from running. */
int gol_sampling_defaults_read(gol_sampling_params *params, const gol_model_file *file);

#endif
