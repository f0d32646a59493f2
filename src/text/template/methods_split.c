/*
 * Methods of strings that cut them apart, join them or fill them in.
 */
#include <string.h>

#include "text/template/jtext.h"
#include "text/utf8.h"

static int push_part(gol_jinja *j, gol_jlist *list, gol_str s, size_t from, size_t to)
{
    return gol_jlist_push(j, list,
                          gol_jvalue_str((gol_str){s.data ? s.data + from : NULL, to - from}));
}

/* At runs of white space; at most max cuts. */
static int split_blanks(gol_jinja *j, gol_jlist *list, gol_str s, int64_t max)
{
    int rc = gol_jinja_charge_bytes(j, s.len);
    s = gol_jchar_strip(s, true, false);
    while (s.len > 0 && rc == 0) {
        if (max == 0)
            return push_part(j, list, s, 0, s.len);
        size_t end = 0;
        for (size_t pos = 0; pos < s.len; end = pos) {
            if (gol_jchar_is_space(gol_jchar_next(s, &pos)))
                break;
        }
        rc = push_part(j, list, s, 0, end);
        s = gol_jchar_strip((gol_str){s.data + end, s.len - end}, true, false);
        max--;
    }
    return rc;
}

static int split_at(gol_jinja *j, gol_jlist *list, gol_str s, gol_str sep, int64_t max)
{
    size_t pos = 0;
    int rc = gol_jinja_charge_bytes(j, s.len);
    while (rc == 0 && max != 0) {
        const size_t at = gol_jtext_find((gol_str){s.data + pos, s.len - pos}, sep);
        if (at == SIZE_MAX)
            break;
        rc = push_part(j, list, s, pos, pos + at);
        pos += at + sep.len;
        max--;
    }
    return rc == 0 ? push_part(j, list, s, pos, s.len) : rc;
}

static void reverse(gol_jlist *list)
{
    for (size_t i = 0; i < list->n / 2; i++) {
        const gol_jvalue item = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = item;
    }
}

/* From the end; the parts are collected backwards. */
static int rsplit_blanks(gol_jinja *j, gol_jlist *list, gol_str s, int64_t max)
{
    int rc = gol_jinja_charge_bytes(j, s.len);
    s = gol_jchar_strip(s, false, true);
    while (s.len > 0 && rc == 0) {
        if (max == 0) {
            rc = push_part(j, list, s, 0, s.len);
            break;
        }
        size_t start = s.len;
        for (size_t pos = s.len; pos > 0; start = pos) {
            if (gol_jchar_is_space(gol_jchar_prev(s, &pos)))
                break;
        }
        rc = push_part(j, list, s, start, s.len);
        s = gol_jchar_strip((gol_str){s.data, start}, false, true);
        max--;
    }
    reverse(list);
    return rc;
}

/* From the end, backwards as well. */
static int rsplit_at(gol_jinja *j, gol_jlist *list, gol_str s, gol_str sep, int64_t max)
{
    int rc = 0;
    while (rc == 0 && max != 0) {
        size_t at;
        rc = gol_jtext_find_last(j, &at, s, sep);
        if (rc != 0 || at == SIZE_MAX)
            break;
        rc = push_part(j, list, s, at + sep.len, s.len);
        s.len = at;
        max--;
    }
    if (rc == 0)
        rc = push_part(j, list, s, 0, s.len);
    reverse(list);
    return rc;
}

static int split(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args,
                 bool from_end)
{
    gol_str sep;
    int64_t max;
    const bool has_sep = gol_jarg_is_given(&args[0]) && args[0].type != GOL_J_NONE;
    int rc = has_sep ? gol_jarg_str(j, &sep, &args[0], GOL_STR(""), "sep") : 0;
    if (rc == 0)
        rc = gol_jarg_int(j, &max, &args[1], -1, "maxsplit");
    if (rc == 0 && has_sep && sep.len == 0)
        rc = gol_jinja_fail(j, "empty separator");
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_LIST, 0);
    if (rc != 0)
        return rc;
    if (from_end)
        return has_sep ? rsplit_at(j, out->list, self->str, sep, max)
                       : rsplit_blanks(j, out->list, self->str, max);
    return has_sep ? split_at(j, out->list, self->str, sep, max)
                   : split_blanks(j, out->list, self->str, max);
}

static int str_split(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return split(j, out, self, args, false);
}

static int str_rsplit(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return split(j, out, self, args, true);
}

static int str_splitlines(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    return gol_jtext_lines(j, out, self->str, gol_jarg_is_true(&args[0]));
}

/* (before, separator, behind) */
static int partition(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args,
                     bool from_end)
{
    gol_str sep;
    const gol_str s = self->str;
    int rc = gol_jarg_str(j, &sep, &args[0], GOL_STR(""), "sep");
    if (rc == 0 && sep.len == 0)
        rc = gol_jinja_fail(j, "empty separator");
    if (rc == 0)
        rc = gol_jinja_charge_bytes(j, s.len);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_TUPLE, 3);
    if (rc != 0)
        return rc;
    size_t at = gol_jtext_find(s, sep);
    if (from_end)
        rc = gol_jtext_find_last(j, &at, s, sep);
    if (rc != 0)
        return rc;
    const bool found = at != SIZE_MAX;
    const size_t to = found ? at : from_end ? 0 : s.len;
    const size_t behind = found ? at + sep.len : to;
    rc = push_part(j, out->list, s, 0, to);
    if (rc == 0)
        rc = push_part(j, out->list, s, to, behind);
    return rc == 0 ? push_part(j, out->list, s, behind, s.len) : rc;
}

static int str_partition(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    return partition(j, out, self, args, false);
}

static int str_rpartition(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    return partition(j, out, self, args, true);
}

static int strip(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args,
                 bool left, bool right)
{
    gol_str chars;
    const bool has_chars = gol_jarg_is_given(&args[0]) && args[0].type != GOL_J_NONE;
    const int rc = has_chars ? gol_jarg_str(j, &chars, &args[0], GOL_STR(""), "chars") : 0;
    if (rc != 0 || !has_chars) {
        *out = gol_jvalue_str(gol_jchar_strip(self->str, left, right));
        return rc;
    }
    return gol_jtext_strip(j, out, self->str, chars, left, right);
}

static int str_strip(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return strip(j, out, self, args, true, true);
}

static int str_lstrip(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return strip(j, out, self, args, true, false);
}

static int str_rstrip(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return strip(j, out, self, args, false, true);
}

static int str_join(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, &args[0]);
    if (rc != 0)
        return rc;
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t i = 0; i < items->n && rc == 0; i++) {
        if (items->items[i].type != GOL_J_STRING)
            rc = gol_jinja_fail(j, "sequence item %zu: expected str instance, %s found", i,
                                gol_jvalue_type_name(&items->items[i]));
        else if (i > 0)
            gol_buf_put_str(&text, self->str);
        if (rc == 0)
            rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            gol_buf_put_str(&text, items->items[i].str);
    }
    return gol_jfinish_text(j, out, &text, rc);
}

static int str_replace(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    gol_str old, by;
    int64_t count;
    int rc = gol_jarg_str(j, &old, &args[0], GOL_STR(""), "old");
    if (rc == 0)
        rc = gol_jarg_str(j, &by, &args[1], GOL_STR(""), "new");
    if (rc == 0)
        rc = gol_jarg_int(j, &count, &args[2], -1, "count");
    return rc == 0 ? gol_jtext_replace(j, out, self->str, old, by, count) : rc;
}

static int str_format(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    return gol_jformat_braces(j, out, self->str, args);
}

/* Names that Python's strings have and that hide a dict's key of the same name, but that no template can use. */
static int str_unsupported(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jargs *args)
{
    (void)out;
    (void)self;
    (void)args;
    return gol_jinja_fail(j, "encode(), format_map(), maketrans() and translate() are not "
                             "supported");
}

const gol_jbuiltin gol_jmethods_str_split[] = {
    {.name = "encode", .run_raw = str_unsupported},
    {.name = "format", .run_raw = str_format},
    {.name = "format_map", .run_raw = str_unsupported},
    {.name = "join", .n_required = 1, .params = {"iterable"}, .run = str_join},
    {.name = "lstrip", .params = {"chars"}, .run = str_lstrip},
    {.name = "maketrans", .run_raw = str_unsupported},
    {.name = "partition", .n_required = 1, .params = {"sep"}, .run = str_partition},
    {.name = "replace", .n_required = 2, .params = {"old", "new", "count"}, .run = str_replace},
    {.name = "rpartition", .n_required = 1, .params = {"sep"}, .run = str_rpartition},
    {.name = "rsplit", .params = {"sep", "maxsplit"}, .run = str_rsplit},
    {.name = "rstrip", .params = {"chars"}, .run = str_rstrip},
    {.name = "split", .params = {"sep", "maxsplit"}, .run = str_split},
    {.name = "splitlines", .params = {"keepends"}, .run = str_splitlines},
    {.name = "strip", .params = {"chars"}, .run = str_strip},
    {.name = "translate", .run_raw = str_unsupported},
    {0},
};
