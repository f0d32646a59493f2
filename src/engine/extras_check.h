/* Are a request's sampling extras ones that the sampler can carry out? */
#ifndef GOL_ENGINE_EXTRAS_CHECK_H
#define GOL_ENGINE_EXTRAS_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "engine/request.h"

/* Those of request->sampling, whose other fields are checked. Errors: GOL_EINVAL (names the field; or all bans together leave no
 * token to draw), GOL_ENOMEM. */
int gol_extras_check(const gol_request *request, int32_t n_vocab, gol_err *err);

#endif
