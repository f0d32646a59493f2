/* See check_range.h. NaN is in no range. */
#include "engine/check_range.h"

int gol_check_i32(const char *field, int32_t v, int32_t min, int32_t max, gol_err *err)
{
    if (v >= min && v <= max)
        return 0;
    if (max == INT32_MAX)
        return gol_fail(err, GOL_EINVAL, "%s is %d, at least %d is accepted", field, v, min);
    return gol_fail(err, GOL_EINVAL, "%s is %d, %d to %d is accepted", field, v, min, max);
}

int gol_check_f32(const char *field, float v, float min, float max, gol_err *err)
{
    if (v >= min && v <= max)
        return 0;
    return gol_fail(err, GOL_EINVAL, "%s is %g, %g to %g is accepted", field, (double)v,
                    (double)min, (double)max);
}

int gol_check_positive(const char *field, float v, float max, gol_err *err)
{
    if (v > 0.0f && v <= max)
        return 0;
    return gol_fail(err, GOL_EINVAL, "%s is %g, more than 0 and at most %g is accepted", field,
                    (double)v, (double)max);
}

int gol_check_ids(const char *field, const int32_t *ids, int32_t n, int32_t n_vocab, gol_err *err)
{
    if (n > 0 && !ids)
        return gol_fail(err, GOL_EINVAL, "%s is NULL with %d entries", field, n);
    for (int32_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= n_vocab)
            return gol_fail(err, GOL_EINVAL, "%s[%d] is %d, the model's token ids are 0 to %d",
                            field, i, ids[i], n_vocab - 1);
    }
    return 0;
}
