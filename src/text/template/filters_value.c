/*
 * Filters on any value: defaults, lengths, JSON.
 */
#include "text/template/jtext.h"

static int filter_default(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    (void)j;
    const bool is_missing = self->type == GOL_J_UNDEFINED ||
                            (gol_jarg_is_true(&args[1]) && !gol_jvalue_is_true(self));
    *out = !is_missing                   ? *self
           : gol_jarg_is_given(&args[0]) ? args[0]
                                         : gol_jvalue_str(GOL_STR(""));
    return 0;
}

static int filter_length(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    (void)args;
    size_t n;
    const int rc = gol_jlength(j, &n, self);
    *out = gol_jvalue_int((int64_t)n);
    return rc;
}

static int filter_string(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    *out = gol_jvalue_str(rc == 0 ? s : GOL_STR(""));
    out->is_safe = self->type == GOL_J_STRING && self->is_safe;
    return rc;
}

/* The attribute, never the item of that name. */
static int filter_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    gol_str name;
    int rc = gol_jarg_str(j, &name, &args[0], GOL_STR(""), "the attribute's name");
    if (rc == 0 && self->type == GOL_J_UNDEFINED)
        rc = gol_jvalue_fail_undefined(j, self);
    if (rc != 0)
        return rc;
    if (self->type == GOL_J_DICT && !gol_jmethod_find(self, name)) {
        *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
        out->of = self->type;
        return 0;
    }
    return gol_jaccess_attr(j, out, self, name);
}

static int filter_items(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    if (self->type == GOL_J_UNDEFINED)
        return gol_jlist_create(j, out, GOL_J_ITERATOR, 0);
    if (self->type != GOL_J_DICT)
        return gol_jinja_fail(j, "Can only get item pairs from a mapping.");
    const int rc = gol_jmethod_find(self, GOL_STR("items"))->run(j, out, self, args);
    out->type = GOL_J_ITERATOR;
    return rc;
}

/* ---- tojson ---- */

static int read_separators(gol_jinja *j, gol_jjson_opts *opts, const gol_jvalue *arg)
{
    if (!gol_jarg_is_given(arg) || arg->type == GOL_J_NONE)
        return 0;
    const gol_jlist *pair;
    int rc = gol_jiterate(j, &pair, arg);
    if (rc == 0 && pair->n != 2)
        rc = gol_jinja_fail(j, "tojson: separators are two strings");
    if (rc == 0)
        rc = gol_jarg_str(j, &opts->item_separator, &pair->items[0], GOL_STR(""), "a separator");
    if (rc == 0)
        rc = gol_jarg_str(j, &opts->key_separator, &pair->items[1], GOL_STR(""), "a separator");
    return rc;
}

static int read_indent(gol_jinja *j, gol_jjson_opts *opts, const gol_jvalue *arg)
{
    if (!gol_jarg_is_given(arg) || arg->type == GOL_J_NONE)
        return 0;
    opts->has_indent = true;
    opts->item_separator = GOL_STR(",");
    if (arg->type == GOL_J_STRING) {
        opts->indent = arg->str;
        return 0;
    }
    int64_t n;
    int rc = gol_jarg_int(j, &n, arg, 0, "tojson's indent");
    if (rc != 0)
        return rc;
    gol_buf text;
    gol_jvalue blanks;
    gol_jbegin_text(j, &text);
    rc = gol_jtext_put_fill(j, &text, GOL_STR(" "), n);
    rc = gol_jfinish_text(j, &blanks, &text, rc);
    if (rc == 0)
        opts->indent = blanks.str;
    return rc;
}

/* As Hugging Face has it: nothing is escaped for HTML, and characters stay as they are. */
static int filter_tojson(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    gol_jjson_opts opts = {
        .item_separator = GOL_STR(", "),
        .key_separator = GOL_STR(": "),
        .ensure_ascii = gol_jarg_is_true(&args[0]),
        .sort_keys = gol_jarg_is_true(&args[3]),
    };
    int rc = read_indent(j, &opts, &args[1]);
    if (rc == 0)
        rc = read_separators(j, &opts, &args[2]);
    gol_buf text;
    gol_jbegin_text(j, &text);
    if (rc == 0)
        rc = gol_jvalue_put_json(j, &text, self, &opts);
    return gol_jfinish_text(j, out, &text, rc);
}

const gol_jbuiltin gol_jfilters_value[] = {
    {.name = "attr", .n_required = 1, .params = {"name"}, .run = filter_attr},
    {.name = "count", .run = filter_length},
    {.name = "d", .params = {"default_value", "boolean"}, .run = filter_default},
    {.name = "default", .params = {"default_value", "boolean"}, .run = filter_default},
    {.name = "items", .run = filter_items},
    {.name = "length", .run = filter_length},
    {.name = "string", .run = filter_string},
    {.name = "tojson",
     .params = {"ensure_ascii", "indent", "separators", "sort_keys"},
     .run = filter_tojson},
    {0},
};
