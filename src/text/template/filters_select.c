/*
 * map, select and their kin: a filter or test of the given name, or an attribute, over every item.
 */
#include "text/template/jtext.h"

int gol_jcall_filter(gol_jinja *j, gol_jvalue *out, gol_str name, const gol_jvalue *self,
                     const gol_jargs *args)
{
    char quoted[64];
    const gol_jbuiltin *row = gol_jfilter_find(name);
    if (!row)
        return gol_jinja_fail(j, "there is no filter named '%s'",
                              gol_quote(quoted, sizeof quoted, name));
    int rc = gol_jinja_enter(j); /* map(map(...)) */
    if (rc != 0)
        return rc;
    rc = gol_jbuiltin_call(j, out, row, self, args);
    j->depth--;
    return rc;
}

int gol_jcall_test(gol_jinja *j, bool *out, gol_str name, const gol_jvalue *self,
                   const gol_jargs *args)
{
    char quoted[64];
    gol_jvalue result;
    const gol_jbuiltin *row = gol_jtest_find(name);
    if (!row)
        return gol_jinja_fail(j, "there is no test named '%s'",
                              gol_quote(quoted, sizeof quoted, name));
    const int rc = gol_jbuiltin_call(j, &result, row, self, args);
    *out = rc == 0 && gol_jvalue_is_true(&result);
    return rc;
}

/* ---- map ---- */

typedef struct mapping {
    bool is_attribute;
    gol_jvalue path;
    gol_jvalue otherwise; /* ABSENT: none */
    gol_str filter;
    gol_jargs args;
} mapping;

static int read_mapping(gol_jinja *j, mapping *m, const gol_jargs *args)
{
    *m = (mapping){0};
    for (size_t i = 0; i < args->n_named && args->n == 0; i++)
        m->is_attribute |= gol_str_is(args->named[i].key.str, "attribute");
    if (!m->is_attribute) {
        if (args->n == 0)
            return gol_jinja_fail(j, "map requires a filter argument");
        m->args = (gol_jargs){args->items + 1, args->n - 1, args->named, args->n_named};
        return gol_jarg_str(j, &m->filter, &args->items[0], GOL_STR(""), "map's filter");
    }
    for (size_t i = 0; i < args->n_named; i++) {
        char quoted[64];
        const gol_str name = args->named[i].key.str;
        if (gol_str_is(name, "attribute"))
            m->path = args->named[i].value;
        else if (gol_str_is(name, "default"))
            m->otherwise = args->named[i].value;
        else
            return gol_jinja_fail(j, "map takes no argument '%s'",
                                  gol_quote(quoted, sizeof quoted, name));
    }
    return 0;
}

static int map_item(gol_jinja *j, gol_jvalue *out, const mapping *m, const gol_jvalue *item)
{
    if (!m->is_attribute)
        return gol_jcall_filter(j, out, m->filter, item, &m->args);
    const int rc = gol_jaccess_path(j, out, item, &m->path);
    const bool has_default = m->otherwise.type != GOL_J_ABSENT && m->otherwise.type != GOL_J_NONE;
    if (rc == 0 && out->type == GOL_J_UNDEFINED && has_default)
        *out = m->otherwise;
    return rc;
}

static int filter_map(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    mapping m;
    const gol_jlist *items;
    if (self->type == GOL_J_UNDEFINED || !gol_jvalue_is_true(self))
        return gol_jlist_create(j, out, GOL_J_ITERATOR, 0);
    int rc = read_mapping(j, &m, args);
    if (rc == 0)
        rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_ITERATOR, items->n);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue item = gol_jvalue_none();
        rc = map_item(j, &item, &m, &items->items[i]);
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, item);
    }
    return rc;
}

/* ---- select ---- */

typedef struct selection {
    bool has_attribute;
    gol_jvalue path;
    bool has_test;
    gol_str test;
    gol_jargs args;
} selection;

static int read_selection(gol_jinja *j, selection *s, const gol_jargs *args, bool has_attribute)
{
    *s = (selection){.has_attribute = has_attribute};
    size_t at = 0;
    if (has_attribute) {
        if (args->n == 0)
            return gol_jinja_fail(j, "missing parameter for attribute name");
        s->path = args->items[at++];
    }
    s->has_test = args->n > at;
    if (!s->has_test)
        return 0;
    const gol_jvalue *name = &args->items[at++];
    s->args = (gol_jargs){args->items + at, args->n - at, args->named, args->n_named};
    return gol_jarg_str(j, &s->test, name, GOL_STR(""), "the test's name");
}

static int is_selected(gol_jinja *j, bool *out, const selection *s, const gol_jvalue *item)
{
    gol_jvalue value = *item;
    int rc = s->has_attribute ? gol_jaccess_path(j, &value, item, &s->path) : 0;
    if (rc == 0 && s->has_test)
        rc = gol_jcall_test(j, out, s->test, &value, &s->args);
    else
        *out = gol_jvalue_is_true(&value);
    return rc;
}

static int choose(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args,
                  bool has_attribute, bool wanted)
{
    selection s;
    const gol_jlist *items;
    int rc = gol_jlist_create(j, out, GOL_J_ITERATOR, 0);
    if (rc != 0 || !gol_jvalue_is_true(self))
        return rc;
    rc = read_selection(j, &s, args, has_attribute);
    if (rc == 0)
        rc = gol_jiterate(j, &items, self);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        bool passes = false;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = is_selected(j, &passes, &s, &items->items[i]);
        if (rc == 0 && passes == wanted)
            rc = gol_jlist_push(j, out->list, items->items[i]);
    }
    return rc;
}

static int filter_select(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jargs *args)
{
    return choose(j, out, self, args, false, true);
}

static int filter_reject(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jargs *args)
{
    return choose(j, out, self, args, false, false);
}

static int filter_selectattr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                             const gol_jargs *args)
{
    return choose(j, out, self, args, true, true);
}

static int filter_rejectattr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                             const gol_jargs *args)
{
    return choose(j, out, self, args, true, false);
}

const gol_jbuiltin gol_jfilters_select[] = {
    {.name = "map", .run_raw = filter_map},
    {.name = "reject", .run_raw = filter_reject},
    {.name = "rejectattr", .run_raw = filter_rejectattr},
    {.name = "select", .run_raw = filter_select},
    {.name = "selectattr", .run_raw = filter_selectattr},
    {0},
};
