/* Is a field in its range? 0, or GOL_EINVAL with a message of its name, what was found and what is accepted. */
#ifndef GOL_ENGINE_CHECK_RANGE_H
#define GOL_ENGINE_CHECK_RANGE_H

#include <stdint.h>

#include "base/error.h"

int gol_check_i32(const char *field, int32_t v, int32_t min, int32_t max, gol_err *err);
int gol_check_f32(const char *field, float v, float min, float max, gol_err *err); /* inclusive */
int gol_check_positive(const char *field, float v, float max, gol_err *err);

/* ids [n]: each in [0, n_vocab). */
int gol_check_ids(const char *field, const int32_t *ids, int32_t n, int32_t n_vocab, gol_err *err);

#endif
