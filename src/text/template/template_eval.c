/*
 * Expressions. One function per kind of node; gol_jeval() counts depth and steps and picks.
 */
#include <assert.h>

#include "text/template/render.h"

static int eval_items(gol_jinja *j, gol_jvalue *out, const gol_jnode *n, gol_jtype type)
{
    int rc = gol_jlist_create(j, out, type, 0);
    for (const gol_jnode *item = n->list; item && rc == 0; item = item->next) {
        gol_jvalue value;
        rc = gol_jeval(j, &value, item);
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, value);
    }
    return rc;
}

static int eval_dict(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    int rc = gol_jdict_create(j, out);
    for (const gol_jnode *pair = n->list; pair && rc == 0; pair = pair->next) {
        gol_jvalue key, value;
        rc = gol_jeval(j, &key, pair->a);
        if (rc == 0)
            rc = gol_jeval(j, &value, pair->b);
        if (rc == 0)
            rc = gol_jdict_set(j, out->dict, &key, value);
    }
    return rc;
}

static int eval_slice(gol_jinja *j, gol_jvalue *out, const gol_jvalue *of, const gol_jnode *slice)
{
    const gol_jnode *const parts[3] = {slice->a, slice->b, slice->c};
    gol_jvalue bounds[3] = {{0}, {0}, {0}};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        if (parts[i])
            rc = gol_jeval(j, &bounds[i], parts[i]);
    }
    return rc == 0 ? gol_jaccess_slice(j, out, of, bounds) : rc;
}

static int eval_getitem(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue of, index;
    int rc = gol_jeval(j, &of, n->a);
    if (rc == 0 && n->b->kind == GOL_JNODE_SLICE)
        return eval_slice(j, out, &of, n->b);
    if (rc == 0)
        rc = gol_jeval(j, &index, n->b);
    j->line = n->line;
    return rc == 0 ? gol_jaccess_item(j, out, &of, &index) : rc;
}

static int eval_getattr(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue of;
    const int rc = gol_jeval(j, &of, n->a);
    j->line = n->line;
    return rc == 0 ? gol_jaccess_attr(j, out, &of, n->name) : rc;
}

static int eval_call(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue of, callee;
    gol_jargs args;
    const gol_jbuiltin *method = NULL;
    int rc;
    if (n->a->kind ==
        GOL_JNODE_GETATTR) { /* no object is made of a method that is called at once */
        rc = gol_jeval(j, &of, n->a->a);
        if (rc == 0)
            method = gol_jmethod_find(&of, n->a->name);
        if (rc == 0 && !method)
            rc = gol_jaccess_attr(j, &callee, &of, n->a->name);
    } else {
        rc = gol_jeval(j, &callee, n->a);
    }
    if (rc == 0)
        rc = gol_jcall_args(j, &args, n->list);
    j->line = n->line;
    if (rc != 0)
        return rc;
    return method ? gol_jbuiltin_call(j, out, method, &of, &args)
                  : gol_jcall(j, out, &callee, &args);
}

static int fail_unknown(gol_jinja *j, const char *what, gol_str name)
{
    char quoted[64];
    return gol_jinja_fail(j, "there is no %s named '%s'", what,
                          gol_quote(quoted, sizeof quoted, name));
}

/* text: what the first filter of a block or of a {% set %} with a body is applied to; such a chain never gets into gol_jeval(). */
static int eval_filter(gol_jinja *j, gol_jvalue *out, const gol_jnode *n, const gol_jvalue *text)
{
    gol_jvalue of;
    gol_jargs args;
    int rc = 0;
    if (!n->a) {
        assert(text);
        of = *text;
    } else if (text && n->a->kind == GOL_JNODE_FILTER) {
        rc = gol_jeval_filters(j, &of, n->a, text);
    } else {
        rc = gol_jeval(j, &of, n->a);
    }
    if (rc == 0)
        rc = gol_jcall_args(j, &args, n->list);
    j->line = n->line;
    if (rc == 0 && !n->row)
        return fail_unknown(j, "filter", n->name);
    return rc == 0 ? gol_jbuiltin_call(j, out, n->row, &of, &args) : rc;
}

int gol_jeval_filters(gol_jinja *j, gol_jvalue *out, const gol_jnode *n, const gol_jvalue *text)
{
    int rc = gol_jinja_enter(j);
    if (rc != 0)
        return rc;
    rc = eval_filter(j, out, n, text);
    j->depth--;
    return rc;
}

static int eval_test(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue of;
    gol_jargs args;
    int rc = gol_jeval(j, &of, n->a);
    if (rc == 0)
        rc = gol_jcall_args(j, &args, n->list);
    j->line = n->line;
    if (rc == 0 && !n->row)
        return fail_unknown(j, "test", n->name);
    return rc == 0 ? gol_jbuiltin_call(j, out, n->row, &of, &args) : rc;
}

static int eval_unary(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue a;
    const int rc = gol_jeval(j, &a, n->a);
    j->line = n->line;
    return rc == 0 ? gol_jop_unary(j, out, (gol_joperator)n->op, &a) : rc;
}

static int eval_binary(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue a, b;
    int rc = gol_jeval(j, &a, n->a);
    if (rc == 0)
        rc = gol_jeval(j, &b, n->b);
    j->line = n->line;
    return rc == 0 ? gol_jop_binary(j, out, (gol_joperator)n->op, &a, &b) : rc;
}

/* The value that decided, not a bool. */
static int eval_logic(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    const int rc = gol_jeval(j, out, n->a);
    const bool goes_on = rc == 0 && gol_jvalue_is_true(out) == (n->kind == GOL_JNODE_AND);
    return goes_on ? gol_jeval(j, out, n->b) : rc;
}

/* a < b < c is a < b and b < c, with b evaluated once. */
static int eval_compare(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue left;
    bool holds = true;
    int rc = gol_jeval(j, &left, n->a);
    for (const gol_jnode *operand = n->list; operand && rc == 0 && holds; operand = operand->next) {
        gol_jvalue right;
        rc = gol_jeval(j, &right, operand->a);
        j->line = n->line;
        if (rc == 0)
            rc = gol_jop_compare(j, &holds, (gol_joperator)operand->op, &left, &right);
        left = right;
    }
    *out = gol_jvalue_bool(holds);
    return rc;
}

static int eval_concat(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue parts;
    const int rc = eval_items(j, &parts, n, GOL_J_LIST);
    return rc == 0 ? gol_jop_concat(j, out, parts.list->items, parts.list->n) : rc;
}

static int eval_cond(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jvalue test;
    const int rc = gol_jeval(j, &test, n->a);
    if (rc != 0)
        return rc;
    if (gol_jvalue_is_true(&test))
        return gol_jeval(j, out, n->b);
    if (n->c)
        return gol_jeval(j, out, n->c);
    *out = gol_jvalue_undefined(GOL_JHINT_TEXT,
                                GOL_STR("the inline if-expression evaluated to false and no else "
                                        "section was defined"));
    return 0;
}

static int eval_one(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    switch (n->kind) {
    case GOL_JNODE_CONST:
        *out = n->value;
        return 0;
    case GOL_JNODE_NAME:
        return gol_jscope_get(j, out, n->name);
    case GOL_JNODE_LIST:
        return eval_items(j, out, n, GOL_J_LIST);
    case GOL_JNODE_TUPLE:
        return eval_items(j, out, n, GOL_J_TUPLE);
    case GOL_JNODE_DICT:
        return eval_dict(j, out, n);
    case GOL_JNODE_GETATTR:
        return eval_getattr(j, out, n);
    case GOL_JNODE_GETITEM:
        return eval_getitem(j, out, n);
    case GOL_JNODE_SLICE:
        return gol_jinja_fail(j, "a slice inside of a tuple");
    case GOL_JNODE_CALL:
        return eval_call(j, out, n);
    case GOL_JNODE_FILTER:
        return eval_filter(j, out, n, NULL);
    case GOL_JNODE_TEST:
        return eval_test(j, out, n);
    case GOL_JNODE_UNARY:
        return eval_unary(j, out, n);
    case GOL_JNODE_BINARY:
        return eval_binary(j, out, n);
    case GOL_JNODE_AND:
    case GOL_JNODE_OR:
        return eval_logic(j, out, n);
    case GOL_JNODE_CONCAT:
        return eval_concat(j, out, n);
    case GOL_JNODE_COMPARE:
        return eval_compare(j, out, n);
    default:
        return eval_cond(j, out, n);
    }
}

int gol_jeval(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    *out = gol_jvalue_none();
    int rc = gol_jinja_enter(j);
    if (rc != 0)
        return rc;
    j->line = n->line;
    rc = gol_jinja_charge(j, 1);
    if (rc == 0)
        rc = eval_one(j, out, n);
    j->depth--;
    return rc;
}
