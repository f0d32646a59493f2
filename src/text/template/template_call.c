/*
 * Calls: arguments, builtin rows, macros, and the objects that templates hold (functions, methods, macros, loops, cyclers).
 */
#include <string.h>

#include "text/template/render.h"

/* ---- arguments ---- */

static int add_dict_args(gol_jinja *j, gol_jdict *named, const gol_jvalue *dict)
{
    if (dict->type != GOL_J_DICT)
        return gol_jinja_fail(j, "argument after ** must be a mapping, not %s",
                              gol_jvalue_type_name(dict));
    int rc = 0;
    for (size_t i = 0; i < dict->dict->n && rc == 0; i++) {
        const gol_jentry *entry = &dict->dict->entries[i];
        if (entry->key.type != GOL_J_STRING)
            return gol_jinja_fail(j, "keywords must be strings");
        rc = gol_jdict_set(j, named, &entry->key, entry->value);
    }
    return rc;
}

static int add_list_args(gol_jinja *j, gol_jlist *positions, const gol_jvalue *list)
{
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, list);
    for (size_t i = 0; rc == 0 && i < items->n; i++)
        rc = gol_jlist_push(j, positions, items->items[i]);
    return rc;
}

int gol_jcall_args(gol_jinja *j, gol_jargs *out, const gol_jnode *list)
{
    *out = (gol_jargs){0};
    if (!list)
        return 0;
    gol_jvalue positions, named;
    int rc = gol_jlist_create(j, &positions, GOL_J_LIST, 0);
    if (rc == 0)
        rc = gol_jdict_create(j, &named);
    for (const gol_jnode *arg = list; arg && rc == 0; arg = arg->next) {
        gol_jvalue value, *found;
        rc = gol_jeval(j, &value, arg->a);
        if (rc != 0)
            break;
        switch (arg->op) {
        case GOL_JPASS_LIST:
            rc = add_list_args(j, positions.list, &value);
            break;
        case GOL_JPASS_DICT:
            rc = add_dict_args(j, named.dict, &value);
            break;
        case GOL_JPASS_KEYWORD:
            found = gol_jdict_find_str(j, named.dict, arg->name);
            if (found)
                return gol_jinja_fail(j, "keyword argument '%.*s' is given twice",
                                      GOL_STR_ARG(arg->name));
            rc = gol_jdict_set_str(j, named.dict, arg->name, value);
            break;
        default:
            rc = gol_jlist_push(j, positions.list, value);
        }
    }
    if (rc == 0)
        *out = (gol_jargs){positions.list->items, positions.list->n, named.dict->entries,
                           named.dict->n};
    return rc;
}

static int find_param(const gol_jbuiltin *row, gol_str name)
{
    for (int i = 0; i < GOL_JPARAMS_MAX && row->params[i]; i++) {
        if (gol_str_is(name, row->params[i]))
            return i;
    }
    return -1;
}

static int bind(gol_jinja *j, gol_jvalue bound[static GOL_JPARAMS_MAX], const gol_jbuiltin *row,
                const gol_jargs *args)
{
    int n_params = 0;
    while (n_params < GOL_JPARAMS_MAX && row->params[n_params])
        n_params++;
    if (args->n > (size_t)n_params)
        return gol_jinja_fail(j, "%s() takes at most %d arguments, found %zu", row->name, n_params,
                              args->n);
    for (size_t i = 0; i < args->n; i++)
        bound[i] = args->items[i];
    for (size_t i = 0; i < args->n_named; i++) {
        const int at = find_param(row, args->named[i].key.str);
        char quoted[64];
        if (at < 0 || gol_jarg_is_given(&bound[at]))
            return gol_jinja_fail(j, "%s() %s argument '%s'", row->name,
                                  at < 0 ? "takes no" : "has twice the",
                                  gol_quote(quoted, sizeof quoted, args->named[i].key.str));
        bound[at] = args->named[i].value;
    }
    for (int i = 0; i < row->n_required; i++) {
        if (!gol_jarg_is_given(&bound[i]))
            return gol_jinja_fail(j, "%s() needs the argument '%s'", row->name, row->params[i]);
    }
    return 0;
}

int gol_jbuiltin_call(gol_jinja *j, gol_jvalue *out, const gol_jbuiltin *row,
                      const gol_jvalue *self, const gol_jargs *args)
{
    *out = gol_jvalue_none();
    if (row->run_raw)
        return row->run_raw(j, out, self, args);
    gol_jvalue bound[GOL_JPARAMS_MAX] = {{0}};
    const int rc = bind(j, bound, row, args);
    return rc == 0 ? row->run(j, out, self, bound) : rc;
}

int gol_jarg_int(gol_jinja *j, int64_t *out, const gol_jvalue *arg, int64_t otherwise,
                 const char *what)
{
    switch (arg->type) {
    case GOL_J_ABSENT:
        *out = otherwise;
        return 0;
    case GOL_J_BOOL:
        *out = arg->b ? 1 : 0;
        return 0;
    case GOL_J_INT:
        *out = arg->i;
        return 0;
    case GOL_J_UNDEFINED:
        return gol_jvalue_fail_undefined(j, arg);
    default:
        return gol_jinja_fail(j, "%s must be an integer, not %s", what, gol_jvalue_type_name(arg));
    }
}

int gol_jarg_str(gol_jinja *j, gol_str *out, const gol_jvalue *arg, gol_str otherwise,
                 const char *what)
{
    *out = arg->type == GOL_J_STRING ? arg->str : otherwise;
    if (arg->type == GOL_J_STRING || arg->type == GOL_J_ABSENT)
        return 0;
    if (arg->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, arg);
    return gol_jinja_fail(j, "%s must be a string, not %s", what, gol_jvalue_type_name(arg));
}

/* ---- macros ---- */

/* Takes the keyword out of the list; absent when it is not there. */
static gol_jvalue take_named(gol_jargs *args, gol_jentry *named, gol_str name)
{
    for (size_t i = 0; i < args->n_named; i++) {
        if (!gol_str_eq(named[i].key.str, name))
            continue;
        const gol_jvalue value = named[i].value;
        args->n_named--;
        memmove(named + i, named + i + 1, (args->n_named - i) * sizeof *named);
        return value;
    }
    return (gol_jvalue){0};
}

/* What no parameter takes goes to varargs, kwargs and caller, when the body reads them; otherwise it is an error. */
static int bind_rest(gol_jinja *j, const gol_jnode *macro, gol_jargs *args, gol_jentry *named,
                     size_t n_params)
{
    int rc = 0;
    if (macro->op & GOL_JUSES_CALLER) {
        gol_jvalue caller = take_named(args, named, gol_jname_caller);
        if (!gol_jarg_is_given(&caller))
            caller = gol_jvalue_undefined(GOL_JHINT_TEXT, GOL_STR("No caller defined"));
        rc = gol_jscope_set(j, gol_jname_caller, caller);
    }
    char quoted[64];
    if (rc == 0 && (macro->op & GOL_JUSES_KWARGS)) {
        gol_jvalue dict;
        rc = gol_jdict_create(j, &dict);
        for (size_t i = 0; i < args->n_named && rc == 0; i++)
            rc = gol_jdict_set(j, dict.dict, &named[i].key, named[i].value);
        if (rc == 0)
            rc = gol_jscope_set(j, gol_jname_kwargs, dict);
    } else if (rc == 0 && args->n_named > 0) {
        return gol_jinja_fail(j, "macro '%.*s' takes no keyword argument '%s'",
                              GOL_STR_ARG(macro->name),
                              gol_quote(quoted, sizeof quoted, named[0].key.str));
    }
    if (rc == 0 && (macro->op & GOL_JUSES_VARARGS)) {
        gol_jvalue rest;
        rc = gol_jlist_create(j, &rest, GOL_J_TUPLE, 0);
        for (size_t i = n_params; i < args->n && rc == 0; i++)
            rc = gol_jlist_push(j, rest.list, args->items[i]);
        if (rc == 0)
            rc = gol_jscope_set(j, gol_jname_varargs, rest);
    } else if (rc == 0 && args->n > n_params) {
        return gol_jinja_fail(j, "macro '%.*s' takes not more than %zu arguments, found %zu",
                              GOL_STR_ARG(macro->name), n_params, args->n);
    }
    return rc;
}

/* Sets the parameters in the current scope, which is the macro's. */
static int bind_macro(gol_jinja *j, const gol_jnode *macro, const gol_jargs *given)
{
    gol_jargs args = *given;
    gol_jentry *named = gol_jinja_alloc(j, args.n_named, sizeof *named);
    if (!named)
        return j->err.code;
    if (args.n_named > 0)
        memcpy(named, given->named, args.n_named * sizeof *named);
    size_t n_params = 0;
    int rc = 0;
    for (const gol_jnode *param = macro->list2; param && rc == 0; param = param->next) {
        gol_jvalue value = {0};
        if (n_params < args.n)
            value = args.items[n_params];
        else
            value = take_named(&args, named, param->name);
        const bool is_given = gol_jarg_is_given(&value);
        if (!is_given && param->a)
            rc = gol_jeval(j, &value, param->a);
        else if (!is_given)
            value = gol_jvalue_undefined(GOL_JHINT_NAME, param->name);
        if (rc == 0)
            rc = gol_jscope_set(j, param->name, value);
        n_params++;
    }
    return rc == 0 ? bind_rest(j, macro, &args, named, n_params) : rc;
}

static int call_macro(gol_jinja *j, gol_jvalue *out, const gol_jobject *macro,
                      const gol_jargs *args)
{
    int rc = gol_jinja_enter(j);
    if (rc != 0)
        return rc;
    gol_jscope *outer = j->scope;
    if (!gol_jscope_push(j, macro->scope))
        return j->err.code;
    rc = bind_macro(j, macro->node, args);
    if (rc == 0)
        rc = gol_jexec_capture(j, out, macro->node->list);
    gol_jscope_pop(j, outer);
    j->depth--;
    return rc;
}

/* ---- objects ---- */

int gol_jobject_create(gol_jinja *j, gol_jvalue *out, gol_jobject object)
{
    gol_jobject *copy = gol_jinja_alloc(j, 1, sizeof *copy);
    if (!copy)
        return j->err.code;
    *copy = object;
    *out = (gol_jvalue){.type = GOL_J_OBJECT, .object = copy};
    return 0;
}

static int call_cycler(gol_jinja *j, gol_jvalue *out, gol_jobject *cycler)
{
    if (cycler->self.list->n == 0)
        return gol_jinja_fail(j, "at least one item has to be provided");
    *out = cycler->self.list->items[cycler->index];
    cycler->index = (cycler->index + 1) % cycler->self.list->n;
    return 0;
}

int gol_jcall(gol_jinja *j, gol_jvalue *out, const gol_jvalue *callee, const gol_jargs *args)
{
    *out = gol_jvalue_none();
    if (callee->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, callee);
    if (callee->type != GOL_J_OBJECT)
        return gol_jinja_fail(j, "'%s' object is not callable", gol_jvalue_type_name(callee));
    gol_jobject *object = callee->object;
    switch (object->kind) {
    case GOL_JOBJECT_FUNCTION:
        return gol_jbuiltin_call(j, out, object->row, NULL, args);
    case GOL_JOBJECT_METHOD:
        return gol_jbuiltin_call(j, out, object->row, &object->self, args);
    case GOL_JOBJECT_MACRO:
        return call_macro(j, out, object, args);
    case GOL_JOBJECT_LOOP:
        if (args->n != 1 || args->n_named != 0)
            return gol_jinja_fail(j, "loop() takes one argument: what to walk");
        return gol_jexec_loop_again(j, out, object, &args->items[0]);
    case GOL_JOBJECT_JOINER:
        *out = object->index == 0 ? gol_jvalue_str(GOL_STR("")) : object->self;
        object->index = 1;
        return 0;
    default:
        return gol_jinja_fail(j, "'Cycler' object is not callable");
    }
}

/* ---- attributes of objects ---- */

static int loop_cycle(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    if (args->n == 0)
        return gol_jinja_fail(j, "no items for cycling given");
    *out = args->items[self->object->index % args->n];
    return 0;
}

static int loop_changed(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jargs *args)
{
    gol_jvalue now;
    bool same = false;
    int rc = gol_jlist_create(j, &now, GOL_J_TUPLE, args->n);
    for (size_t i = 0; i < args->n && rc == 0; i++)
        rc = gol_jlist_push(j, now.list, args->items[i]);
    if (rc == 0 && gol_jarg_is_given(&self->object->changed))
        rc = gol_jvalue_equal(j, &same, &now, &self->object->changed);
    if (rc == 0 && !same)
        self->object->changed = now;
    *out = gol_jvalue_bool(!same);
    return rc;
}

static int cycler_next(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)args;
    return call_cycler(j, out, self->object);
}

static int cycler_reset(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)j;
    (void)args;
    self->object->index = 0;
    *out = gol_jvalue_none();
    return 0;
}

static const gol_jbuiltin loop_methods[] = {
    {.name = "cycle", .run_raw = loop_cycle},
    {.name = "changed", .run_raw = loop_changed},
};

static const gol_jbuiltin cycler_methods[] = {
    {.name = "next", .run = cycler_next},
    {.name = "reset", .run = cycler_reset},
};

static const gol_jbuiltin *find_in(const gol_jbuiltin *rows, size_t n, gol_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (gol_str_is(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static int undefined_text(gol_jvalue *out, gol_str text)
{
    *out = gol_jvalue_undefined(GOL_JHINT_TEXT, text);
    return 0;
}

static bool loop_number(const gol_jobject *loop, gol_str name, int64_t *out)
{
    const int64_t index = (int64_t)loop->index;
    const int64_t n = (int64_t)loop->items->n;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"index", index + 1},
        {"index0", index},
        {"length", n},
        {"revindex", n - index},
        {"revindex0", n - index - 1},
        {"depth", loop->depth + 1},
        {"depth0", loop->depth},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (gol_str_is(name, numbers[i].name)) {
            *out = numbers[i].value;
            return true;
        }
    }
    return false;
}

static int loop_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    const gol_jobject *loop = v->object;
    int64_t number;
    if (loop_number(loop, name, &number)) {
        *out = gol_jvalue_int(number);
        return 0;
    }
    if (gol_str_is(name, "first")) {
        *out = gol_jvalue_bool(loop->index == 0);
        return 0;
    }
    if (gol_str_is(name, "last")) {
        *out = gol_jvalue_bool(loop->index + 1 == loop->items->n);
        return 0;
    }
    if (gol_str_is(name, "previtem")) {
        if (loop->index == 0 || loop->index > loop->items->n)
            return undefined_text(out, GOL_STR("there is no previous item"));
        *out = loop->items->items[loop->index - 1];
        return 0;
    }
    if (gol_str_is(name, "nextitem")) {
        if (loop->index + 1 >= loop->items->n)
            return undefined_text(out, GOL_STR("there is no next item"));
        *out = loop->items->items[loop->index + 1];
        return 0;
    }
    const gol_jbuiltin *method = find_in(loop_methods, sizeof loop_methods / sizeof loop_methods[0],
                                         name);
    if (method)
        return gol_jobject_create(
            j, out, (gol_jobject){.kind = GOL_JOBJECT_METHOD, .row = method, .self = *v});
    *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
    out->of = GOL_J_OBJECT;
    return 0;
}

static int cycler_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    const gol_jbuiltin *method = find_in(cycler_methods,
                                         sizeof cycler_methods / sizeof cycler_methods[0], name);
    if (method)
        return gol_jobject_create(
            j, out, (gol_jobject){.kind = GOL_JOBJECT_METHOD, .row = method, .self = *v});
    if (gol_str_is(name, "current") && v->object->self.list->n > 0) {
        *out = v->object->self.list->items[v->object->index];
        return 0;
    }
    *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
    out->of = GOL_J_OBJECT;
    return 0;
}

static int macro_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    const gol_jnode *macro = v->object->node;
    int rc = 0;
    if (gol_str_is(name, "name")) {
        *out = macro->name.len > 0 ? gol_jvalue_str(macro->name) : gol_jvalue_none();
    } else if (gol_str_is(name, "arguments")) {
        rc = gol_jlist_create(j, out, GOL_J_TUPLE, 0);
        for (const gol_jnode *param = macro->list2; param && rc == 0; param = param->next)
            rc = gol_jlist_push(j, out->list, gol_jvalue_str(param->name));
    } else if (gol_str_is(name, "catch_kwargs")) {
        *out = gol_jvalue_bool((macro->op & GOL_JUSES_KWARGS) != 0);
    } else if (gol_str_is(name, "catch_varargs")) {
        *out = gol_jvalue_bool((macro->op & GOL_JUSES_VARARGS) != 0);
    } else if (gol_str_is(name, "caller")) {
        *out = gol_jvalue_bool((macro->op & GOL_JUSES_CALLER) != 0);
    } else {
        *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
        out->of = GOL_J_OBJECT;
    }
    return rc;
}

int gol_jobject_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    switch (v->object->kind) {
    case GOL_JOBJECT_LOOP:
        return loop_attr(j, out, v, name);
    case GOL_JOBJECT_CYCLER:
        return cycler_attr(j, out, v, name);
    case GOL_JOBJECT_MACRO:
        return macro_attr(j, out, v, name);
    default:
        *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
        out->of = GOL_J_OBJECT;
        return 0;
    }
}
