/* Is a request one that the engine can carry out? */
#ifndef GOL_ENGINE_REQUEST_CHECK_H
#define GOL_ENGINE_REQUEST_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "engine/request.h"

/* Errors: GOL_EINVAL (names the field, what it is, what is accepted), GOL_ECONTEXT (prompt + 1 > max_model_len), GOL_ENOMEM (only
 * of a request with sampling extras). */
int gol_request_check(const gol_request *request, int32_t max_model_len, int32_t n_vocab,
                      gol_err *err);

#endif
