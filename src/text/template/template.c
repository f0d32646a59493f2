/*
 * A parsed template is a tree in an arena of its own; a render walks it with the state in gol_jinja.
 */
#include "text/template/template.h"

#include <assert.h>

#include "base/mem.h"
#include "text/template/render.h"

struct gol_template {
    gol_arena arena;
    gol_jtree tree;
};

int gol_template_parse(gol_template **out, gol_str source, gol_err *err)
{
    *out = NULL;
    if (source.len > GOL_TEMPLATE_SOURCE_MAX)
        return gol_fail(err, GOL_ETOOLARGE, "a chat template of %zu bytes; at most %d are accepted",
                        source.len, GOL_TEMPLATE_SOURCE_MAX);
    gol_template *t = gol_try_calloc(1, sizeof *t);
    if (!t)
        return gol_fail(err, GOL_ENOMEM, "chat template: out of memory");
    gol_arena_init(&t->arena, GOL_TEMPLATE_MEMORY_MAX);
    const int rc = gol_template_parse_tree(&t->tree, &t->arena, source, err);
    if (rc != 0) {
        gol_template_destroy(&t);
        return rc;
    }
    *out = t;
    return 0;
}

void gol_template_destroy(gol_template **t)
{
    if (!*t)
        return;
    gol_arena_deinit(&(*t)->arena);
    gol_free(*t);
    *t = NULL;
}

bool gol_template_reads(const gol_template *t, gol_str name)
{
    for (size_t i = 0; i < t->tree.n_names; i++) {
        if (gol_str_eq(t->tree.names[i], name))
            return true;
    }
    return false;
}

static int render(gol_jinja *j, const gol_template *t)
{
    if (!gol_jscope_push(j, NULL))
        return j->err.code;
    int rc = gol_jexec(j, t->tree.body);
    gol_jscope_pop(j, NULL);
    if (rc == 0 && j->out->failed)
        rc = gol_fail(&j->err, GOL_ENOMEM, "chat template: out of memory");
    return rc;
}

int gol_template_render(const gol_template *t, gol_buf *out, gol_jinja *j,
                        const gol_jvalue *context, const struct tm *now, gol_err *err)
{
    assert(context->type == GOL_J_DICT && !j->scope);
    j->out = out;
    j->out_base = out->len;
    j->context = context->dict;
    j->now = *now;
    const int rc = render(j, t);
    j->scope = NULL;
    if (rc == 0)
        return 0;
    out->len = j->out_base;
    out->failed = false;
    if (out->data)
        out->data[out->len] = '\0';
    return gol_fail(err, j->err.code, "%s", j->err.message);
}
