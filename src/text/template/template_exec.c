/*
 * Statements. Text goes to j->out; what captures text (a macro, a set block) notes where the buffer ends, runs, and cuts its part off
 * again.
 *
 *     j->out:  [ caller's ][ the prompt so far ][ text of an open macro ][ text of a set block in it ]
 *                          out_base              start                    start
 */
#include "text/template/render.h"

static int check_out(gol_jinja *j)
{
    if (!j->out->failed && j->out->len - j->out_base <= j->limits.output_max)
        return 0;
    if (j->out->len - j->out_base > j->limits.output_max ||
        j->out->len > j->out->len_max - j->out->len_max / 4)
        return gol_jinja_fail(j, "the template writes more than %zu bytes",
                              j->out->len_max < j->limits.output_max ? j->out->len_max
                                                                     : j->limits.output_max);
    return gol_fail(&j->err, GOL_ENOMEM, "chat template: out of memory");
}

static int write_value(gol_jinja *j, const gol_jvalue *v)
{
    const int rc = gol_jvalue_put_str(j, j->out, v);
    return rc == 0 ? check_out(j) : rc;
}

/* What was written since start, as a value; it is cut off. */
static int take_text(gol_jinja *j, gol_jvalue *out, size_t start)
{
    const gol_str text = {j->out->data ? j->out->data + start : NULL, j->out->len - start};
    const int rc = gol_jvalue_copy_str(j, out, text);
    j->out->len = start;
    if (j->out->data)
        j->out->data[start] = '\0';
    return rc;
}

int gol_jexec_capture(gol_jinja *j, gol_jvalue *out, const gol_jnode *list)
{
    const size_t start = j->out->len;
    const int done = gol_jexec(j, list);
    if (done < 0)
        return done;
    const int rc = take_text(j, out, start);
    return rc == 0 ? done : rc; /* a break out of the block drops its text */
}

/* ---- assignment ---- */

static int assign(gol_jinja *j, const gol_jnode *target, const gol_jvalue *value);

static int assign_attribute(gol_jinja *j, const gol_jnode *target, const gol_jvalue *value)
{
    gol_jvalue ns;
    const int rc = gol_jscope_get(j, &ns, target->name);
    if (rc != 0)
        return rc;
    if (ns.type != GOL_J_NAMESPACE)
        return gol_jinja_fail(j, "cannot assign attribute on non-namespace object");
    return gol_jdict_set_str(j, ns.dict, target->a->name, *value);
}

static int unpack(gol_jinja *j, const gol_jnode *target, const gol_jvalue *value)
{
    size_t n = 0;
    for (const gol_jnode *t = target->list; t; t = t->next)
        n++;
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, value);
    if (rc != 0)
        return rc;
    if (items->n != n)
        return gol_jinja_fail(j, "%s values to unpack (expected %zu, got %zu)",
                              items->n < n ? "not enough" : "too many", n, items->n);
    size_t i = 0;
    for (const gol_jnode *t = target->list; t && rc == 0; t = t->next)
        rc = assign(j, t, &items->items[i++]);
    return rc;
}

static int assign(gol_jinja *j, const gol_jnode *target, const gol_jvalue *value)
{
    if (target->kind == GOL_JNODE_NAME)
        return gol_jscope_set(j, target->name, *value);
    if (target->kind == GOL_JNODE_NSREF)
        return assign_attribute(j, target, value);
    return unpack(j, target, value);
}

static int exec_set(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue value;
    const int rc = gol_jeval(j, &value, n->b);
    return rc == 0 ? assign(j, n->a, &value) : rc;
}

/* Captures the body in a scope of its own and puts the text through the filters, if any, which see that scope. */
static int capture_filtered(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    gol_jscope *outer = j->scope;
    if (!gol_jscope_push(j, outer))
        return j->err.code;
    int rc = gol_jexec_capture(j, out, n->list);
    if (rc == 0 && n->b) {
        const gol_jvalue text = *out;
        rc = gol_jeval_filters(j, out, n->b, &text);
    }
    gol_jscope_pop(j, outer);
    return rc;
}

static int exec_set_block(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue value;
    const int rc = capture_filtered(j, &value, n);
    return rc == 0 ? assign(j, n->a, &value) : rc;
}

static int exec_filter_block(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue value;
    const int rc = capture_filtered(j, &value, n);
    return rc == 0 ? write_value(j, &value) : rc;
}

/* ---- if, with, scopes ---- */

static int exec_if(gol_jinja *j, const gol_jnode *n)
{
    for (const gol_jnode *branch = n->list; branch; branch = branch->next) {
        gol_jvalue test = gol_jvalue_bool(true);
        const int rc = branch->a ? gol_jeval(j, &test, branch->a) : 0;
        if (rc != 0)
            return rc;
        if (gol_jvalue_is_true(&test))
            return gol_jexec(j, branch->list);
    }
    return 0;
}

/* All values are evaluated outside, then the names are set inside. */
static int exec_with(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue values;
    int rc = gol_jlist_create(j, &values, GOL_J_LIST, 0);
    for (const gol_jnode *set = n->list2; set && rc == 0; set = set->next) {
        gol_jvalue value;
        rc = gol_jeval(j, &value, set->b);
        if (rc == 0)
            rc = gol_jlist_push(j, values.list, value);
    }
    gol_jscope *outer = j->scope;
    if (rc != 0 || !gol_jscope_push(j, outer))
        return j->err.code;
    size_t i = 0;
    for (const gol_jnode *set = n->list2; set && rc == 0; set = set->next)
        rc = assign(j, set->a, &values.list->items[i++]);
    if (rc == 0)
        rc = gol_jexec(j, n->list);
    gol_jscope_pop(j, outer);
    return rc;
}

static int exec_scope(gol_jinja *j, const gol_jnode *n)
{
    gol_jscope *outer = j->scope;
    gol_jscope *parent = outer;
    while (n->flag && parent->parent)
        parent = parent->parent;
    if (!gol_jscope_push(j, parent))
        return j->err.code;
    const int rc = gol_jexec(j, n->list);
    gol_jscope_pop(j, outer);
    return rc;
}

/* ---- loops ---- */

/* The items that pass the loop's own test, which sees the target but not the loop. */
static int filter_items(gol_jinja *j, const gol_jlist **out, const gol_jnode *n,
                        const gol_jlist *items)
{
    gol_jscope *outer = j->scope;
    gol_jvalue passed;
    int rc = gol_jlist_create(j, &passed, GOL_J_LIST, items->n);
    if (rc != 0 || !gol_jscope_push(j, outer))
        return j->err.code;
    for (size_t i = 0; i < items->n && rc == 0; i++) {
        gol_jvalue test = {0};
        const gol_jvalue item = items->items[i];
        rc = assign(j, n->a, &item);
        if (rc == 0)
            rc = gol_jeval(j, &test, n->c);
        if (rc == 0 && gol_jvalue_is_true(&test))
            rc = gol_jlist_push(j, passed.list, item);
    }
    gol_jscope_pop(j, outer);
    *out = passed.list;
    return rc;
}

static int run_iteration(gol_jinja *j, const gol_jnode *n, const gol_jvalue *loop)
{
    gol_jscope *outer = j->scope;
    gol_jscope *scope = gol_jscope_push(j, outer);
    if (!scope)
        return j->err.code;
    scope->is_kept = n->flag; /* a recursive loop can be called when its block is over */
    const gol_jvalue item = loop->object->items->items[loop->object->index];
    int rc = gol_jscope_set(j, gol_jname_loop, *loop);
    if (rc == 0)
        rc = assign(j, n->a, &item);
    if (rc == 0)
        rc = gol_jexec(j, n->list);
    gol_jscope_pop(j, outer);
    return rc;
}

/* Over the items of value; the current scope is the one around the loop. */
static int run_loop(gol_jinja *j, const gol_jnode *n, const gol_jvalue *value, int64_t depth)
{
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, value);
    if (rc == 0 && n->c)
        rc = filter_items(j, &items, n, items);
    gol_jvalue loop;
    if (rc == 0)
        rc = gol_jobject_create(j, &loop,
                                (gol_jobject){.kind = GOL_JOBJECT_LOOP,
                                              .node = n,
                                              .scope = j->scope,
                                              .items = items,
                                              .depth = depth});
    if (rc != 0)
        return rc;
    /* A list that grows while it is walked is walked to its new end, as in Python; the budget ends what would not end. */
    bool has_finished_one = false;
    for (size_t i = 0; i < items->n && rc >= 0 && rc != GOL_JRUN_BREAK; i++) {
        loop.object->index = i;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = run_iteration(j, n, &loop);
        has_finished_one |= rc == GOL_JRUN_ON;
    }
    if (rc < 0 || has_finished_one || !n->list2)
        return rc < 0 ? rc : 0;
    /* Jinja's else is for loops of which no iteration came to its end: also when all broke off. */
    gol_jscope *outer = j->scope;
    if (!gol_jscope_push(j, outer))
        return j->err.code;
    rc = gol_jexec(j, n->list2);
    gol_jscope_pop(j, outer);
    return rc;
}

int gol_jexec_loop_again(gol_jinja *j, gol_jvalue *out, const gol_jobject *loop,
                         const gol_jvalue *items)
{
    if (!loop->node->flag)
        return gol_jinja_fail(j, "the loop must have the 'recursive' marker to be called");
    int rc = gol_jinja_enter(j);
    if (rc != 0)
        return rc;
    gol_jscope *outer = j->scope;
    const size_t start = j->out->len;
    j->scope = loop->scope;
    rc = run_loop(j, loop->node, items, loop->depth + 1);
    j->scope = outer;
    j->depth--;
    return rc == 0 ? take_text(j, out, start) : rc;
}

static void keep_scopes(gol_jscope *scope)
{
    for (; scope && !scope->is_kept; scope = scope->parent)
        scope->is_kept = true;
}

static int exec_for(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue value;
    const int rc = gol_jeval(j, &value, n->b);
    if (n->flag)
        keep_scopes(j->scope);
    return rc == 0 ? run_loop(j, n, &value, 0) : rc;
}

/* ---- macros ---- */

static int create_macro(gol_jinja *j, gol_jvalue *out, const gol_jnode *n)
{
    keep_scopes(j->scope);
    return gol_jobject_create(
        j, out, (gol_jobject){.kind = GOL_JOBJECT_MACRO, .node = n, .scope = j->scope});
}

static int exec_macro(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue macro;
    const int rc = create_macro(j, &macro, n);
    return rc == 0 ? gol_jscope_set(j, n->name, macro) : rc;
}

/* The body becomes a macro that the called one finds as "caller". */
static int exec_call_block(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue callee, result;
    gol_jargs args;
    int rc = gol_jeval(j, &callee, n->a->a);
    if (rc == 0)
        rc = gol_jcall_args(j, &args, n->a->list);
    gol_jentry *named = rc == 0 ? gol_jinja_alloc(j, args.n_named + 1, sizeof *named) : NULL;
    if (!named)
        return j->err.code;
    for (size_t i = 0; i < args.n_named; i++)
        named[i] = args.named[i];
    named[args.n_named].key = gol_jvalue_str(GOL_STR("caller"));
    rc = create_macro(j, &named[args.n_named].value, n);
    args.named = named;
    args.n_named++;
    if (rc == 0)
        rc = gol_jcall(j, &result, &callee, &args);
    return rc == 0 ? write_value(j, &result) : rc;
}

/* ---- all of them ---- */

static int exec_output(gol_jinja *j, const gol_jnode *n)
{
    gol_jvalue value;
    const int rc = gol_jeval(j, &value, n->a);
    return rc == 0 ? write_value(j, &value) : rc;
}

static int exec_one(gol_jinja *j, const gol_jnode *n)
{
    switch (n->kind) {
    case GOL_JNODE_DATA:
        return write_value(j, &n->value);
    case GOL_JNODE_OUTPUT:
        return exec_output(j, n);
    case GOL_JNODE_IF:
        return exec_if(j, n);
    case GOL_JNODE_FOR:
        return exec_for(j, n);
    case GOL_JNODE_SET:
        return exec_set(j, n);
    case GOL_JNODE_SETBLOCK:
        return exec_set_block(j, n);
    case GOL_JNODE_WITH:
        return exec_with(j, n);
    case GOL_JNODE_MACRO:
        return exec_macro(j, n);
    case GOL_JNODE_CALLBLOCK:
        return exec_call_block(j, n);
    case GOL_JNODE_FILTERBLOCK:
        return exec_filter_block(j, n);
    case GOL_JNODE_SCOPE:
        return exec_scope(j, n);
    case GOL_JNODE_BREAK:
        return GOL_JRUN_BREAK;
    default:
        return GOL_JRUN_CONTINUE;
    }
}

int gol_jexec(gol_jinja *j, const gol_jnode *list)
{
    int rc = gol_jinja_enter(j);
    if (rc != 0)
        return rc;
    for (const gol_jnode *n = list; n && rc == 0; n = n->next) {
        j->line = n->line;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = exec_one(j, n);
    }
    j->depth--;
    return rc;
}
