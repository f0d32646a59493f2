/*
 * Operators. Integers have 64 bits: what would be larger in Python is an error here, never a wrong number.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "text/template/render.h"

static const char *const symbols[] = {
    [GOL_JOP_ADD] = "+",       [GOL_JOP_SUB] = "-", [GOL_JOP_MUL] = "*",  [GOL_JOP_DIV] = "/",
    [GOL_JOP_FLOORDIV] = "//", [GOL_JOP_MOD] = "%", [GOL_JOP_POW] = "**", [GOL_JOP_EQ] = "==",
    [GOL_JOP_NE] = "!=",       [GOL_JOP_LT] = "<",  [GOL_JOP_LE] = "<=",  [GOL_JOP_GT] = ">",
    [GOL_JOP_GE] = ">=",
};

static int fail_types(gol_jinja *j, gol_joperator op, const gol_jvalue *a, const gol_jvalue *b)
{
    if (a->type == GOL_J_UNDEFINED || b->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, a->type == GOL_J_UNDEFINED ? a : b);
    return gol_jinja_fail(j, "unsupported operand types for %s: '%s' and '%s'", symbols[op],
                          gol_jvalue_type_name(a), gol_jvalue_type_name(b));
}

static int fail_overflow(gol_jinja *j)
{
    return gol_jinja_fail(j, "integer overflow: numbers have 64 bits here");
}

static bool is_int(const gol_jvalue *v)
{
    return v->type == GOL_J_INT || v->type == GOL_J_BOOL;
}

static bool is_number(const gol_jvalue *v)
{
    return is_int(v) || v->type == GOL_J_FLOAT;
}

static int64_t int_of(const gol_jvalue *v)
{
    return v->type == GOL_J_BOOL ? (v->b ? 1 : 0) : v->i;
}

static double float_of(const gol_jvalue *v)
{
    return v->type == GOL_J_FLOAT ? v->f : (double)int_of(v);
}

/* ---- numbers ---- */

/* Rounded down; b is not 0. */
static bool floor_divide(int64_t a, int64_t b, int64_t *quotient, int64_t *rest)
{
    if (a == INT64_MIN && b == -1)
        return false;
    *quotient = a / b;
    *rest = a % b;
    if (*rest != 0 && (*rest < 0) != (b < 0)) {
        (*quotient)--;
        *rest += b;
    }
    return true;
}

static int int_power(gol_jinja *j, gol_jvalue *out, int64_t base, int64_t exponent)
{
    if (exponent < 0) {
        if (base == 0)
            return gol_jinja_fail(j, "0 cannot be raised to a negative power");
        *out = gol_jvalue_float(pow((double)base, (double)exponent));
        return 0;
    }
    int64_t result = 1;
    for (;;) { /* square and multiply */
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
            return fail_overflow(j);
        exponent >>= 1;
        if (exponent == 0)
            break;
        if (__builtin_mul_overflow(base, base, &base))
            return fail_overflow(j);
    }
    *out = gol_jvalue_int(result);
    return 0;
}

static int int_binary(gol_jinja *j, gol_jvalue *out, gol_joperator op, int64_t a, int64_t b)
{
    int64_t result = 0;
    int64_t rest = 0;
    bool overflows = false;
    if (b == 0 && (op == GOL_JOP_DIV || op == GOL_JOP_FLOORDIV || op == GOL_JOP_MOD))
        return gol_jinja_fail(j, "division by zero");
    switch (op) {
    case GOL_JOP_ADD:
        overflows = __builtin_add_overflow(a, b, &result);
        break;
    case GOL_JOP_SUB:
        overflows = __builtin_sub_overflow(a, b, &result);
        break;
    case GOL_JOP_MUL:
        overflows = __builtin_mul_overflow(a, b, &result);
        break;
    case GOL_JOP_DIV:
        *out = gol_jvalue_float((double)a / (double)b);
        return 0;
    case GOL_JOP_FLOORDIV:
        overflows = !floor_divide(a, b, &result, &rest);
        break;
    case GOL_JOP_MOD:
        result = 0;
        if (floor_divide(a, b, &rest, &result) == false)
            result = 0; /* of -2^63 and -1 */
        break;
    default:
        return int_power(j, out, a, b);
    }
    if (overflows)
        return fail_overflow(j);
    *out = gol_jvalue_int(result);
    return 0;
}

/* Python's float // and %: the rest has the divisor's sign. */
static void float_divide(double a, double b, double *quotient, double *rest)
{
    double mod = fmod(a, b);
    double div = (a - mod) / b;
    if (mod != 0) {
        if ((b < 0) != (mod < 0)) {
            mod += b;
            div -= 1;
        }
    } else {
        mod = copysign(0, b);
    }
    if (div != 0) {
        double whole = floor(div);
        if (div - whole > 0.5)
            whole += 1;
        div = whole;
    } else {
        div = copysign(0, a / b);
    }
    *quotient = div;
    *rest = mod;
}

static int float_power(gol_jinja *j, gol_jvalue *out, double a, double b)
{
    const double result = pow(a, b);
    if (a == 0 && b < 0)
        return gol_jinja_fail(j, "0.0 cannot be raised to a negative power");
    if (isnan(result) && !isnan(a) && !isnan(b))
        return gol_jinja_fail(j, "a power that is no real number");
    if (isinf(result) && isfinite(a) && isfinite(b))
        return gol_jinja_fail(j, "the power is out of range");
    *out = gol_jvalue_float(result);
    return 0;
}

static int float_binary(gol_jinja *j, gol_jvalue *out, gol_joperator op, double a, double b)
{
    double quotient, rest;
    if (b == 0 && (op == GOL_JOP_DIV || op == GOL_JOP_FLOORDIV || op == GOL_JOP_MOD))
        return gol_jinja_fail(j, "float division by zero");
    switch (op) {
    case GOL_JOP_ADD:
        *out = gol_jvalue_float(a + b);
        return 0;
    case GOL_JOP_SUB:
        *out = gol_jvalue_float(a - b);
        return 0;
    case GOL_JOP_MUL:
        *out = gol_jvalue_float(a * b);
        return 0;
    case GOL_JOP_DIV:
        *out = gol_jvalue_float(a / b);
        return 0;
    case GOL_JOP_FLOORDIV:
    case GOL_JOP_MOD:
        float_divide(a, b, &quotient, &rest);
        *out = gol_jvalue_float(op == GOL_JOP_MOD ? rest : quotient);
        return 0;
    default:
        return float_power(j, out, a, b);
    }
}

/* ---- text and lists ---- */

int gol_jop_concat(gol_jinja *j, gol_jvalue *out, const gol_jvalue *parts, size_t n)
{
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = gol_jvalue_put_str(j, &text, &parts[i]);
    return gol_jfinish_text(j, out, &text, rc);
}

/* What is added to a safe text is escaped (~ does not care). */
static int join_text(gol_jinja *j, gol_jvalue *out, const gol_jvalue *a, const gol_jvalue *b)
{
    gol_jvalue parts[] = {*a, *b};
    const bool is_safe = a->is_safe || b->is_safe;
    int rc = gol_jinja_charge_bytes(j, a->str.len + b->str.len);
    for (int i = 0; i < 2 && is_safe && rc == 0; i++) {
        const gol_jvalue part = parts[i];
        rc = gol_jhtml_escape(j, &parts[i], &part);
    }
    if (rc != 0)
        return rc;
    const gol_str x = parts[0].str;
    const gol_str y = parts[1].str;
    char *text = gol_jinja_alloc(j, x.len + y.len, 1);
    if (!text)
        return j->err.code;
    if (x.len > 0)
        memcpy(text, x.data, x.len);
    if (y.len > 0)
        memcpy(text + x.len, y.data, y.len);
    *out = gol_jvalue_str((gol_str){text, x.len + y.len});
    out->is_safe = is_safe;
    return 0;
}

static int join_lists(gol_jinja *j, gol_jvalue *out, const gol_jvalue *a, const gol_jvalue *b)
{
    const size_t n_a = a->list->n;
    const size_t n_b = b->list->n;
    int rc = gol_jinja_charge(j, (n_a + n_b) / 4);
    if (rc == 0)
        rc = gol_jlist_create(j, out, (gol_jtype)a->type, n_a + n_b);
    if (rc != 0)
        return rc;
    if (n_a > 0)
        memcpy(out->list->items, a->list->items, n_a * sizeof *out->list->items);
    if (n_b > 0)
        memcpy(out->list->items + n_a, b->list->items, n_b * sizeof *out->list->items);
    out->list->n = n_a + n_b;
    return 0;
}

static int repeat_text(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, size_t times)
{
    size_t len;
    if (!gol_mul_size(&len, v->str.len, times) || len > j->limits.memory_max)
        return gol_jinja_fail(j, "the template needs more than %zu bytes of memory",
                              j->limits.memory_max);
    int rc = gol_jinja_charge_bytes(j, len);
    if (rc == 0)
        rc = gol_jinja_charge(j, v->str.len > 0 ? times / 8 : 0);
    char *text = rc == 0 ? gol_jinja_alloc(j, len, 1) : NULL;
    if (!text)
        return j->err.code;
    for (size_t i = 0; v->str.len > 0 && i < times; i++)
        memcpy(text + i * v->str.len, v->str.data, v->str.len);
    *out = gol_jvalue_str((gol_str){text, len});
    out->is_safe = v->is_safe;
    return 0;
}

static int repeat_list(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, size_t times)
{
    size_t n;
    if (!gol_mul_size(&n, v->list->n, times) || n > j->limits.memory_max / sizeof(gol_jvalue))
        return gol_jinja_fail(j, "the template needs more than %zu bytes of memory",
                              j->limits.memory_max);
    int rc = gol_jinja_charge(j, n / 4);
    if (rc == 0)
        rc = gol_jlist_create(j, out, (gol_jtype)v->type, n);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        out->list->items[i] = v->list->items[i % v->list->n];
    out->list->n = n;
    return 0;
}

static bool can_repeat(const gol_jvalue *v)
{
    return v->type == GOL_J_STRING || v->type == GOL_J_LIST || v->type == GOL_J_TUPLE;
}

static int repeat(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, int64_t times)
{
    const size_t n = times > 0 ? (size_t)times : 0;
    return v->type == GOL_J_STRING ? repeat_text(j, out, v, n) : repeat_list(j, out, v, n);
}

/* ---- the operators ---- */

int gol_jop_binary(gol_jinja *j, gol_jvalue *out, gol_joperator op, const gol_jvalue *a,
                   const gol_jvalue *b)
{
    if (is_int(a) && is_int(b))
        return int_binary(j, out, op, int_of(a), int_of(b));
    if (is_number(a) && is_number(b))
        return float_binary(j, out, op, float_of(a), float_of(b));
    if (op == GOL_JOP_MOD && a->type == GOL_J_STRING)
        return gol_jformat_percent(j, out, a->str, b);
    if (op == GOL_JOP_ADD && a->type == GOL_J_STRING && b->type == GOL_J_STRING)
        return join_text(j, out, a, b);
    if (op == GOL_JOP_ADD && a->type == b->type &&
        (a->type == GOL_J_LIST || a->type == GOL_J_TUPLE))
        return join_lists(j, out, a, b);
    if (op == GOL_JOP_MUL && can_repeat(a) && is_int(b))
        return repeat(j, out, a, int_of(b));
    if (op == GOL_JOP_MUL && can_repeat(b) && is_int(a))
        return repeat(j, out, b, int_of(a));
    return fail_types(j, op, a, b);
}

int gol_jop_unary(gol_jinja *j, gol_jvalue *out, gol_joperator op, const gol_jvalue *a)
{
    if (op == GOL_JOP_NOT) {
        *out = gol_jvalue_bool(!gol_jvalue_is_true(a));
        return 0;
    }
    if (a->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, a);
    if (!is_number(a))
        return gol_jinja_fail(j, "bad operand type for unary %s: '%s'",
                              op == GOL_JOP_NEG ? "-" : "+", gol_jvalue_type_name(a));
    if (a->type == GOL_J_FLOAT) {
        *out = gol_jvalue_float(op == GOL_JOP_NEG ? -a->f : a->f);
        return 0;
    }
    if (op == GOL_JOP_POS) {
        *out = gol_jvalue_int(int_of(a));
        return 0;
    }
    if (int_of(a) == INT64_MIN)
        return fail_overflow(j);
    *out = gol_jvalue_int(-int_of(a));
    return 0;
}

static int contains_text(gol_jinja *j, bool *out, const gol_jvalue *item, gol_str in)
{
    if (item->type != GOL_J_STRING)
        return gol_jinja_fail(j, "'in <string>' requires string as left operand, not %s",
                              gol_jvalue_type_name(item));
    *out = item->str.len == 0 ||
           (in.len > 0 && memmem(in.data, in.len, item->str.data, item->str.len) != NULL);
    return gol_jinja_charge_bytes(j, in.len);
}

int gol_jop_contains(gol_jinja *j, bool *out, const gol_jvalue *item, const gol_jvalue *in)
{
    *out = false;
    if (in->type == GOL_J_STRING)
        return contains_text(j, out, item, in->str);
    if (in->type == GOL_J_DICT) {
        gol_jvalue *found;
        const int rc = gol_jdict_find(j, &found, in->dict, item);
        *out = found != NULL;
        return rc;
    }
    if (in->type != GOL_J_UNDEFINED && !gol_jvalue_is_sequence(in))
        return gol_jinja_fail(j, "argument of type '%s' is not iterable", gol_jvalue_type_name(in));
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, in);
    for (size_t i = 0; rc == 0 && i < items->n && !*out; i++)
        rc = gol_jvalue_equal(j, out, item, &items->items[i]);
    return rc;
}

int gol_jop_compare(gol_jinja *j, bool *out, gol_joperator op, const gol_jvalue *a,
                    const gol_jvalue *b)
{
    int order = 0;
    int rc;
    switch (op) {
    case GOL_JOP_IN:
    case GOL_JOP_NOTIN:
        rc = gol_jop_contains(j, out, a, b);
        *out = *out == (op == GOL_JOP_IN);
        return rc;
    case GOL_JOP_EQ:
    case GOL_JOP_NE:
        rc = gol_jvalue_equal(j, out, a, b);
        *out = *out == (op == GOL_JOP_EQ);
        return rc;
    default:
        rc = gol_jvalue_compare(j, &order, a, b, symbols[op]);
    }
    switch (op) {
    case GOL_JOP_LT:
        *out = order < 0;
        break;
    case GOL_JOP_LE:
        *out = order <= 0;
        break;
    case GOL_JOP_GT:
        *out = order == 1;
        break;
    default:
        *out = order == 0 || order == 1;
        break;
    }
    return rc;
}
