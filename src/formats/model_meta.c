/* Typed look-ups of metadata: one place for the messages about missing ranges and wrong types. */
#include "formats/model_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "formats/value.h"

static int fail_key(const gol_model_file *file, const char *key, gol_err *err)
{
    char name[GOL_ERR_MESSAGE_MAX / 2];
    return gol_fail_prefix(
        err, "%s: %s", gol_quote(name, sizeof name, gol_str_from(gol_model_file_path(file))), key);
}

static int fail_type(const gol_model_file *file, const char *key, const gol_value *v,
                     const char *accepted, gol_err *err)
{
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    gol_fail(e, GOL_EMODEL, "has type %s; %s is accepted", gol_value_type_name(v->type), accepted);
    return fail_key(file, key, e);
}

int gol_meta_u32(const gol_model_file *file, const char *key, uint32_t min, uint32_t max,
                 uint32_t *out, gol_err *err)
{
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    int64_t i;
    uint64_t u;
    if (gol_value_as_u64(v, &u)) {
        if (u >= min && u <= max) {
            *out = (uint32_t)u;
            return 1;
        }
        gol_fail(e, GOL_EMODEL, "is %" PRIu64 "; %" PRIu32 " to %" PRIu32 " is accepted", u, min,
                 max);
        return fail_key(file, key, e);
    }
    if (gol_value_as_i64(v, &i)) {
        gol_fail(e, GOL_EMODEL, "is %" PRId64 "; %" PRIu32 " to %" PRIu32 " is accepted", i, min,
                 max);
        return fail_key(file, key, e);
    }
    return fail_type(file, key, v, "an integer", e);
}

int gol_meta_f32(const gol_model_file *file, const char *key, float min, float max, float *out,
                 gol_err *err)
{
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    double d;
    if (!gol_value_as_f64(v, &d))
        return fail_type(file, key, v, "a number", err);
    if (isfinite(d) && d >= (double)min && d <= (double)max) {
        *out = (float)d;
        return 1;
    }
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    gol_fail(e, GOL_EMODEL, "is %g; %g to %g is accepted", d, (double)min, (double)max);
    return fail_key(file, key, e);
}

int gol_meta_bool(const gol_model_file *file, const char *key, bool *out, gol_err *err)
{
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    return gol_value_as_bool(v, out) ? 1 : fail_type(file, key, v, "bool", err);
}

int gol_meta_str(const gol_model_file *file, const char *key, gol_str *out, gol_err *err)
{
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    return gol_value_as_str(v, out) ? 1 : fail_type(file, key, v, "a string", err);
}

/* "u32, i32" for the types of a mask. */
static void describe_types(char *buf, size_t size, uint32_t type_mask)
{
    size_t len = 0;
    buf[0] = '\0';
    for (int t = 0; t < GOL_VALUE_N_TYPES && len < size; t++) {
        if (type_mask & (1u << t))
            len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
                                    gol_value_type_name((gol_value_type)t));
    }
}

int gol_meta_array(const gol_model_file *file, const char *key, uint32_t type_mask,
                   const gol_value **out, gol_err *err)
{
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    if (v->type != GOL_VALUE_ARRAY)
        return fail_type(file, key, v, "an array", err);
    if (type_mask & (1u << v->array.type)) {
        *out = v;
        return 1;
    }
    char accepted[128];
    describe_types(accepted, sizeof accepted, type_mask);
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    gol_fail(e, GOL_EMODEL, "is an array of %s; an array of %s is accepted",
             gol_value_type_name(v->array.type), accepted);
    return fail_key(file, key, e);
}
