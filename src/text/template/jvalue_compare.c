/*
 * Truth, equality and order of values, as Python has them. Numbers of different types compare by value, exactly: a 64-bit
 * integer is never rounded to a double first.
 */
#include <math.h>
#include <string.h>

#include "text/template/jvalue.h"

const char *gol_jvalue_type_name(const gol_jvalue *v)
{
    switch (v->type) {
    case GOL_J_UNDEFINED:
        return "Undefined";
    case GOL_J_NONE:
        return "NoneType";
    case GOL_J_BOOL:
        return "bool";
    case GOL_J_INT:
        return "int";
    case GOL_J_FLOAT:
        return "float";
    case GOL_J_STRING:
        return "str";
    case GOL_J_LIST:
        return "list";
    case GOL_J_TUPLE:
        return "tuple";
    case GOL_J_RANGE:
        return "range";
    case GOL_J_VIEW:
        return v->list ? v->list->view
                       : "dict view"; /* of an undefined value only the type is known */
    case GOL_J_ITERATOR:
        return "generator";
    case GOL_J_DICT:
        return "dict";
    case GOL_J_NAMESPACE:
        return "Namespace";
    default:
        return "object";
    }
}

bool gol_jvalue_is_true(const gol_jvalue *v)
{
    switch (v->type) {
    case GOL_J_ABSENT:
    case GOL_J_UNDEFINED:
    case GOL_J_NONE:
        return false;
    case GOL_J_BOOL:
        return v->b;
    case GOL_J_INT:
        return v->i != 0;
    case GOL_J_FLOAT:
        return v->f != 0;
    case GOL_J_STRING:
        return v->str.len > 0;
    case GOL_J_LIST:
    case GOL_J_TUPLE:
    case GOL_J_RANGE:
    case GOL_J_VIEW:
        return v->list->n > 0;
    case GOL_J_DICT:
        return v->dict->n > 0;
    default: /* an iterator is true, also an empty one */
        return true;
    }
}

int gol_jvalue_fail_undefined(gol_jinja *j, const gol_jvalue *v)
{
    char quoted[128];
    gol_quote(quoted, sizeof quoted, v->str);
    switch (v->hint) {
    case GOL_JHINT_TEXT:
        return gol_jinja_fail(j, "%s", quoted);
    case GOL_JHINT_ATTRIBUTE:
        return gol_jinja_fail(j, "'%s' object has no attribute '%s'",
                              gol_jvalue_type_name(&(gol_jvalue){.type = v->of}), quoted);
    default:
        return gol_jinja_fail(j, "'%s' is undefined", quoted);
    }
}

static bool is_number(const gol_jvalue *v)
{
    return v->type == GOL_J_BOOL || v->type == GOL_J_INT || v->type == GOL_J_FLOAT;
}

static int64_t as_int(const gol_jvalue *v)
{
    return v->type == GOL_J_BOOL ? (v->b ? 1 : 0) : v->i;
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* -1, 0, 1; 2 when f is no number. */
static int compare_int_float(int64_t i, double f)
{
    if (isnan(f))
        return 2;
    if (f >= 0x1p63)
        return -1;
    if (f < -0x1p63)
        return 1;
    const double whole = trunc(f);
    const int cmp = order(i, (int64_t)whole);
    return cmp != 0 ? cmp : (whole > f) - (whole < f);
}

static int compare_numbers(const gol_jvalue *a, const gol_jvalue *b)
{
    if (a->type == GOL_J_FLOAT && b->type == GOL_J_FLOAT)
        return isnan(a->f) || isnan(b->f) ? 2 : (a->f > b->f) - (a->f < b->f);
    if (a->type == GOL_J_FLOAT) {
        const int cmp = compare_int_float(as_int(b), a->f);
        return cmp == 2 ? 2 : -cmp;
    }
    if (b->type == GOL_J_FLOAT)
        return compare_int_float(as_int(a), b->f);
    return order(as_int(a), as_int(b));
}

/* UTF-8 sorts by bytes as it does by characters. */
static int compare_text(gol_str a, gol_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int cmp = n > 0 ? memcmp(a.data, b.data, n) : 0;
    return cmp != 0 ? (cmp > 0) - (cmp < 0) : (a.len > b.len) - (a.len < b.len);
}

static int equal_at_depth(gol_jinja *j, bool *out, const gol_jvalue *a, const gol_jvalue *b,
                          int depth);

static int equal_lists(gol_jinja *j, bool *out, const gol_jlist *a, const gol_jlist *b, int depth)
{
    *out = a->n == b->n;
    int rc = 0;
    for (size_t i = 0; i < a->n && *out && rc == 0; i++)
        rc = equal_at_depth(j, out, &a->items[i], &b->items[i], depth);
    return rc;
}

static int equal_dicts(gol_jinja *j, bool *out, const gol_jdict *a, const gol_jdict *b, int depth)
{
    *out = a->n == b->n;
    int rc = 0;
    for (size_t i = 0; i < a->n && *out && rc == 0; i++) {
        gol_jvalue *other;
        rc = gol_jdict_find(j, &other, b, &a->entries[i].key);
        if (rc == 0 && !other)
            *out = false;
        else if (rc == 0)
            rc = equal_at_depth(j, out, &a->entries[i].value, other, depth);
    }
    return rc;
}

static int equal_at_depth(gol_jinja *j, bool *out, const gol_jvalue *a, const gol_jvalue *b,
                          int depth)
{
    *out = false;
    int rc = gol_jinja_charge(j, 1);
    if (rc != 0)
        return rc;
    if (is_number(a) && is_number(b)) {
        *out = compare_numbers(a, b) == 0;
        return 0;
    }
    if (a->type != b->type)
        return 0;
    if (depth >= GOL_JINJA_VALUE_DEPTH_MAX)
        return gol_jinja_fail(j, "values nested more than %d deep", GOL_JINJA_VALUE_DEPTH_MAX);
    switch (a->type) {
    case GOL_J_UNDEFINED:
    case GOL_J_NONE:
        *out = true;
        return 0;
    case GOL_J_STRING:
        *out = gol_str_eq(a->str, b->str);
        return gol_jinja_charge_bytes(j, *out ? a->str.len : 0);
    case GOL_J_LIST:
    case GOL_J_TUPLE:
    case GOL_J_RANGE:
        *out = a->list == b->list;
        return *out ? 0 : equal_lists(j, out, a->list, b->list, depth + 1);
    case GOL_J_VIEW: /* keys and items are sets, values are not equal even to themselves */
        *out = a->list == b->list;
        return 0;
    case GOL_J_DICT:
        *out = a->dict == b->dict;
        return *out ? 0 : equal_dicts(j, out, a->dict, b->dict, depth + 1);
    case GOL_J_NAMESPACE:
        *out = a->dict == b->dict;
        return 0;
    case GOL_J_ITERATOR:
        *out = a->list == b->list;
        return 0;
    default:
        *out = a->object == b->object;
        return 0;
    }
}

int gol_jvalue_equal(gol_jinja *j, bool *out, const gol_jvalue *a, const gol_jvalue *b)
{
    return equal_at_depth(j, out, a, b, 0);
}

static int compare_at_depth(gol_jinja *j, int *out, const gol_jvalue *a, const gol_jvalue *b,
                            const char *op, int depth)
{
    *out = 0;
    int rc = gol_jinja_charge(j, 1);
    if (rc != 0)
        return rc;
    if (is_number(a) && is_number(b)) {
        *out = compare_numbers(a, b);
        return 0;
    }
    if (a->type == GOL_J_STRING && b->type == GOL_J_STRING) {
        *out = compare_text(a->str, b->str);
        return 0;
    }
    if (a->type == GOL_J_UNDEFINED || b->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, a->type == GOL_J_UNDEFINED ? a : b);
    if (a->type != b->type || (a->type != GOL_J_LIST && a->type != GOL_J_TUPLE))
        return gol_jinja_fail(j, "'%s' not supported between instances of '%s' and '%s'", op,
                              gol_jvalue_type_name(a), gol_jvalue_type_name(b));
    if (depth >= GOL_JINJA_VALUE_DEPTH_MAX)
        return gol_jinja_fail(j, "values nested more than %d deep", GOL_JINJA_VALUE_DEPTH_MAX);
    /* The first items that differ decide. */
    const gol_jlist *x = a->list;
    const gol_jlist *y = b->list;
    for (size_t i = 0; i < x->n && i < y->n; i++) {
        bool same;
        rc = equal_at_depth(j, &same, &x->items[i], &y->items[i], depth + 1);
        if (rc != 0)
            return rc;
        if (!same)
            return compare_at_depth(j, out, &x->items[i], &y->items[i], op, depth + 1);
    }
    *out = (x->n > y->n) - (x->n < y->n);
    return 0;
}

int gol_jvalue_compare(gol_jinja *j, int *out, const gol_jvalue *a, const gol_jvalue *b,
                       const char *op)
{
    return compare_at_depth(j, out, a, b, op, 0);
}
