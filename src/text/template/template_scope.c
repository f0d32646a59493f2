/*
 * Variables: a chain of scopes, then the context, then the functions every template has.
 */
#include <string.h>

#include "text/template/render.h"

gol_jscope *gol_jscope_push(gol_jinja *j, gol_jscope *parent)
{
    gol_jscope *scope = j->free_scopes;
    if (scope) {
        j->free_scopes = scope->parent;
    } else {
        scope = gol_jinja_alloc(j, 1, sizeof *scope);
        if (!scope)
            return NULL;
        *scope = (gol_jscope){0};
    }
    scope->parent = parent;
    scope->n = 0;
    j->scope = scope;
    return scope;
}

void gol_jscope_pop(gol_jinja *j, gol_jscope *outer)
{
    gol_jscope *scope = j->scope;
    j->scope = outer;
    if (scope->is_kept)
        return;
    scope->parent = j->free_scopes;
    j->free_scopes = scope;
}

static gol_jvar *find(gol_jscope *scope, gol_str name)
{
    for (size_t i = 0; i < scope->n; i++) {
        if (scope->vars[i].name.data == name.data)
            return &scope->vars[i];
    }
    return NULL;
}

int gol_jscope_set(gol_jinja *j, gol_str name, gol_jvalue value)
{
    gol_jscope *scope = j->scope;
    gol_jvar *var = find(scope, name);
    if (var) {
        var->value = value;
        return 0;
    }
    if (scope->n == scope->cap) {
        const size_t cap = scope->cap == 0 ? 4 : 2 * scope->cap;
        gol_jvar *vars = gol_jinja_alloc(j, cap, sizeof *vars);
        if (!vars)
            return j->err.code;
        if (scope->n > 0)
            memcpy(vars, scope->vars, scope->n * sizeof *vars);
        scope->vars = vars;
        scope->cap = cap;
    }
    scope->vars[scope->n++] = (gol_jvar){name, value};
    return 0;
}

int gol_jscope_get(gol_jinja *j, gol_jvalue *out, gol_str name)
{
    for (gol_jscope *scope = j->scope; scope; scope = scope->parent) {
        const int rc = gol_jinja_charge(j, 1);
        if (rc != 0)
            return rc;
        const gol_jvar *var = find(scope, name);
        if (var) {
            *out = var->value;
            return 0;
        }
    }
    const gol_jvalue *in_context = gol_jdict_find_str(j, j->context, name);
    if (in_context) {
        *out = *in_context;
        return 0;
    }
    const gol_jbuiltin *function = gol_jfunction_find(name);
    if (function)
        return gol_jobject_create(j, out,
                                  (gol_jobject){.kind = GOL_JOBJECT_FUNCTION, .row = function});
    *out = gol_jvalue_undefined(GOL_JHINT_NAME, name);
    return 0;
}

int gol_jinja_enter(gol_jinja *j)
{
    if (j->depth >= GOL_JINJA_DEPTH_MAX)
        return gol_jinja_fail(j, "statements, expressions and calls nested more than %d deep",
                              GOL_JINJA_DEPTH_MAX);
    j->depth++;
    return 0;
}
