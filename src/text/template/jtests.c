/*
 * What may stand behind "is".
 */
#include "text/template/jtext.h"

#define TEST(name, condition)                                                                      \
    static int name(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args) \
    {                                                                                              \
        (void)j;                                                                                   \
        (void)args;                                                                                \
        *out = gol_jvalue_bool(condition);                                                         \
        return 0;                                                                                  \
    }

static bool is_bool(const gol_jvalue *v, bool value)
{
    return v->type == GOL_J_BOOL && v->b == value;
}

static bool is_iterable(const gol_jvalue *v)
{
    return v->type == GOL_J_UNDEFINED || v->type == GOL_J_STRING || v->type == GOL_J_DICT ||
           gol_jvalue_is_sequence(v) ||
           (v->type == GOL_J_OBJECT && v->object->kind == GOL_JOBJECT_LOOP);
}

/* Has a length and can be indexed. */
static bool is_sequence(const gol_jvalue *v)
{
    return v->type == GOL_J_UNDEFINED || v->type == GOL_J_STRING || v->type == GOL_J_DICT ||
           v->type == GOL_J_LIST || v->type == GOL_J_TUPLE || v->type == GOL_J_RANGE;
}

static bool is_callable(const gol_jvalue *v)
{
    return v->type == GOL_J_UNDEFINED ||
           (v->type == GOL_J_OBJECT && v->object->kind != GOL_JOBJECT_CYCLER);
}

/* Small integers and short strings are shared in Python; whoever asks for identity means none, true or false. */
static bool is_same(const gol_jvalue *a, const gol_jvalue *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case GOL_J_NONE:
        return true;
    case GOL_J_BOOL:
        return a->b == b->b;
    case GOL_J_INT:
        return a->i == b->i;
    case GOL_J_STRING:
        return gol_str_eq(a->str, b->str);
    case GOL_J_DICT:
    case GOL_J_NAMESPACE:
        return a->dict == b->dict;
    case GOL_J_OBJECT:
        return a->object == b->object;
    default:
        return gol_jvalue_is_sequence(a) && a->list == b->list;
    }
}

TEST(test_defined, self->type != GOL_J_UNDEFINED)
TEST(test_undefined, self->type == GOL_J_UNDEFINED)
TEST(test_none, self->type == GOL_J_NONE)
TEST(test_boolean, self->type == GOL_J_BOOL)
TEST(test_true, is_bool(self, true))
TEST(test_false, is_bool(self, false))
TEST(test_integer, self->type == GOL_J_INT)
TEST(test_float, self->type == GOL_J_FLOAT)
TEST(test_number, self->type == GOL_J_INT || self->type == GOL_J_FLOAT || self->type == GOL_J_BOOL)
TEST(test_string, self->type == GOL_J_STRING)
TEST(test_mapping, self->type == GOL_J_DICT)
TEST(test_sequence, is_sequence(self))
TEST(test_iterable, is_iterable(self))
TEST(test_callable, is_callable(self))
TEST(test_escaped, self->type == GOL_J_STRING && self->is_safe)
TEST(test_sameas, is_same(self, &args[0]))
TEST(test_filter, self->type == GOL_J_STRING && gol_jfilter_find(self->str) != NULL)
TEST(test_test, self->type == GOL_J_STRING && gol_jtest_find(self->str) != NULL)

static int compare(gol_jinja *j, gol_jvalue *out, gol_joperator op, const gol_jvalue *self,
                   const gol_jvalue *args)
{
    bool holds = false;
    const int rc = gol_jop_compare(j, &holds, op, self, &args[0]);
    *out = gol_jvalue_bool(holds);
    return rc;
}

#define COMPARISON(name, op)                                                                       \
    static int name(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args) \
    {                                                                                              \
        return compare(j, out, op, self, args);                                                    \
    }

COMPARISON(test_eq, GOL_JOP_EQ)
COMPARISON(test_ne, GOL_JOP_NE)
COMPARISON(test_lt, GOL_JOP_LT)
COMPARISON(test_le, GOL_JOP_LE)
COMPARISON(test_gt, GOL_JOP_GT)
COMPARISON(test_ge, GOL_JOP_GE)
COMPARISON(test_in, GOL_JOP_IN)

/* self % by == rest */
static int leaves_rest(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *by,
                       int64_t rest)
{
    gol_jvalue mod;
    bool same = false;
    const gol_jvalue expected = gol_jvalue_int(rest);
    int rc = gol_jop_binary(j, &mod, GOL_JOP_MOD, self, by);
    if (rc == 0)
        rc = gol_jvalue_equal(j, &same, &mod, &expected);
    *out = gol_jvalue_bool(same);
    return rc;
}

static int test_even(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    const gol_jvalue two = gol_jvalue_int(2);
    return leaves_rest(j, out, self, &two, 0);
}

static int test_odd(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    const gol_jvalue two = gol_jvalue_int(2);
    return leaves_rest(j, out, self, &two, 1);
}

static int test_divisibleby(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    return leaves_rest(j, out, self, &args[0], 0);
}

static int ask_str(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const char *method)
{
    gol_jvalue text = gol_jvalue_str(GOL_STR(""));
    const int rc = gol_jvalue_to_str(j, &text.str, self);
    const gol_jvalue none[GOL_JPARAMS_MAX] = {{0}};
    return rc == 0 ? gol_jmethod_find(&text, gol_str_from(method))->run(j, out, &text, none) : rc;
}

static int test_lower(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return ask_str(j, out, self, "islower");
}

static int test_upper(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return ask_str(j, out, self, "isupper");
}

#define ONE_ARGUMENT .n_required = 1, .params = {"other"}

const gol_jbuiltin gol_jtests[] = {
    {.name = "boolean", .run = test_boolean},
    {.name = "callable", .run = test_callable},
    {.name = "defined", .run = test_defined},
    {.name = "divisibleby", .n_required = 1, .params = {"num"}, .run = test_divisibleby},
    {.name = "eq", ONE_ARGUMENT, .run = test_eq},
    {.name = "equalto", ONE_ARGUMENT, .run = test_eq},
    {.name = "==", ONE_ARGUMENT, .run = test_eq},
    {.name = "escaped", .run = test_escaped},
    {.name = "even", .run = test_even},
    {.name = "false", .run = test_false},
    {.name = "filter", .run = test_filter},
    {.name = "float", .run = test_float},
    {.name = "ge", ONE_ARGUMENT, .run = test_ge},
    {.name = ">=", ONE_ARGUMENT, .run = test_ge},
    {.name = "gt", ONE_ARGUMENT, .run = test_gt},
    {.name = "greaterthan", ONE_ARGUMENT, .run = test_gt},
    {.name = ">", ONE_ARGUMENT, .run = test_gt},
    {.name = "in", .n_required = 1, .params = {"seq"}, .run = test_in},
    {.name = "integer", .run = test_integer},
    {.name = "iterable", .run = test_iterable},
    {.name = "le", ONE_ARGUMENT, .run = test_le},
    {.name = "<=", ONE_ARGUMENT, .run = test_le},
    {.name = "lower", .run = test_lower},
    {.name = "lt", ONE_ARGUMENT, .run = test_lt},
    {.name = "lessthan", ONE_ARGUMENT, .run = test_lt},
    {.name = "<", ONE_ARGUMENT, .run = test_lt},
    {.name = "mapping", .run = test_mapping},
    {.name = "ne", ONE_ARGUMENT, .run = test_ne},
    {.name = "!=", ONE_ARGUMENT, .run = test_ne},
    {.name = "none", .run = test_none},
    {.name = "number", .run = test_number},
    {.name = "odd", .run = test_odd},
    {.name = "sameas", ONE_ARGUMENT, .run = test_sameas},
    {.name = "sequence", .run = test_sequence},
    {.name = "string", .run = test_string},
    {.name = "test", .run = test_test},
    {.name = "true", .run = test_true},
    {.name = "undefined", .run = test_undefined},
    {.name = "upper", .run = test_upper},
    {0},
};
