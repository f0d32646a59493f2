/*
 * Functions that every template can call, and the look-up of all builtin rows by name.
 */
#include <string.h>
#include <time.h>

#include "text/template/render.h"
#include "text/utf8.h"

enum { STRFTIME_MAX = 512 }; /* bytes of a date */

static int make_range(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    (void)self;
    int64_t ends[3] = {0, 0, 1}; /* start, stop, step */
    if (args->n < 1 || args->n > 3 || args->n_named > 0)
        return gol_jinja_fail(j, "range() takes 1 to 3 arguments, found %zu", args->n);
    int rc = 0;
    for (size_t i = 0; i < args->n && rc == 0; i++)
        rc = gol_jarg_int(j, &ends[args->n == 1 ? 1 : i], &args->items[i], 0, "range()'s argument");
    if (rc != 0)
        return rc;
    if (ends[2] == 0)
        return gol_jinja_fail(j, "range() arg 3 must not be zero");
    const bool is_up = ends[2] > 0;
    const uint64_t distance = is_up
                                  ? (ends[1] > ends[0] ? (uint64_t)ends[1] - (uint64_t)ends[0] : 0)
                                  : (ends[0] > ends[1] ? (uint64_t)ends[0] - (uint64_t)ends[1] : 0);
    const uint64_t stride = is_up ? (uint64_t)ends[2] : (uint64_t)0 - (uint64_t)ends[2];
    const uint64_t n = distance == 0 ? 0 : (distance - 1) / stride + 1;
    if (n > GOL_JINJA_RANGE_MAX)
        return gol_jinja_fail(j, "range() of more than %d items", GOL_JINJA_RANGE_MAX);
    rc = gol_jlist_create(j, out, GOL_J_RANGE, (size_t)n);
    for (uint64_t i = 0; i < n && rc == 0; i++)
        rc = gol_jlist_push(j, out->list, gol_jvalue_int(ends[0] + (int64_t)i * ends[2]));
    if (rc == 0) {
        out->list->start = ends[0];
        out->list->stop = ends[1];
        out->list->step = ends[2];
    }
    return rc;
}

static int make_dict(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    (void)self;
    const int rc = gol_jdict_create(j, out);
    return rc == 0 ? gol_jdict_fill(j, out->dict, args) : rc;
}

static int make_namespace(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jargs *args)
{
    const int rc = make_dict(j, out, self, args);
    out->type = GOL_J_NAMESPACE;
    return rc;
}

static int make_cycler(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    (void)self;
    gol_jvalue items;
    if (args->n == 0)
        return gol_jinja_fail(j, "at least one item has to be provided");
    int rc = gol_jlist_create(j, &items, GOL_J_LIST, args->n);
    for (size_t i = 0; i < args->n && rc == 0; i++)
        rc = gol_jlist_push(j, items.list, args->items[i]);
    return rc == 0 ? gol_jobject_create(j, out,
                                        (gol_jobject){.kind = GOL_JOBJECT_CYCLER, .self = items})
                   : rc;
}

static int make_joiner(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)self;
    const gol_jvalue sep = gol_jarg_is_given(&args[0]) ? args[0] : gol_jvalue_str(GOL_STR(", "));
    return gol_jobject_create(j, out, (gol_jobject){.kind = GOL_JOBJECT_JOINER, .self = sep});
}

static int raise_exception(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jvalue *args)
{
    (void)out;
    (void)self;
    gol_str message;
    const int rc = gol_jvalue_to_str(j, &message, &args[0]);
    if (rc != 0)
        return rc;
    j->was_raised = true;
    if (message.len == 0 || message.data[0] == '\0')
        return gol_jinja_fail(j, "the template refuses the conversation and gives no reason");
    return gol_fail(&j->err, GOL_EINVAL, "%.*s",
                    (int)gol_utf8_cut(message.data, message.len < GOL_ERR_MESSAGE_MAX - 1
                                                        ? message.len
                                                        : GOL_ERR_MESSAGE_MAX - 1),
                    message.data);
}

/* C's conversions, in the C locale; the time is the one that was injected. */
static int strftime_now(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)self;
    gol_str format;
    int rc = gol_jarg_str(j, &format, &args[0], GOL_STR(""), "the date's format");
    if (rc != 0)
        return rc;
    char text[STRFTIME_MAX];
    char c_format[STRFTIME_MAX];
    if (format.len + 2 > sizeof c_format ||
        (format.len > 0 && memchr(format.data, '\0', format.len)))
        return gol_jinja_fail(j, "strftime_now(): a format of more than %d bytes, or with a NUL",
                              STRFTIME_MAX - 2);
    if (format.len > 0)
        memcpy(c_format, format.data, format.len);
    memcpy(c_format + format.len, ".", 2); /* so that an empty result is no failure */
    const size_t n = strftime(text, sizeof text, c_format, &j->now);
    if (n == 0 || !gol_utf8_is_valid((gol_str){text, n - 1}))
        return gol_jinja_fail(j, "strftime_now(): the date has more than %d bytes", STRFTIME_MAX);
    return gol_jvalue_copy_str(j, out, (gol_str){text, n - 1});
}

const gol_jbuiltin gol_jfunctions[] = {
    {.name = "range", .run_raw = make_range},
    {.name = "dict", .run_raw = make_dict},
    {.name = "namespace", .run_raw = make_namespace},
    {.name = "cycler", .run_raw = make_cycler},
    {.name = "joiner", .params = {"sep"}, .run = make_joiner},
    {.name = "raise_exception", .n_required = 1, .params = {"message"}, .run = raise_exception},
    {.name = "strftime_now", .n_required = 1, .params = {"format"}, .run = strftime_now},
    {0},
};

/* ---- look-up ---- */

static const gol_jbuiltin *find_row(const gol_jbuiltin *rows, gol_str name)
{
    for (; rows->name; rows++) {
        if (gol_str_is(name, rows->name))
            return rows;
    }
    return NULL;
}

static const gol_jbuiltin *find_in_groups(const gol_jbuiltin *const *groups, size_t n, gol_str name)
{
    const gol_jbuiltin *row = NULL;
    for (size_t i = 0; i < n && !row; i++)
        row = find_row(groups[i], name);
    return row;
}

const gol_jbuiltin *gol_jfilter_find(gol_str name)
{
    static const gol_jbuiltin *const groups[] = {
        gol_jfilters_text, gol_jfilters_html,   gol_jfilters_number, gol_jfilters_list,
        gol_jfilters_sort, gol_jfilters_select, gol_jfilters_value,
    };
    return find_in_groups(groups, sizeof groups / sizeof groups[0], name);
}

const gol_jbuiltin *gol_jtest_find(gol_str name)
{
    return find_row(gol_jtests, name);
}

const gol_jbuiltin *gol_jfunction_find(gol_str name)
{
    return find_row(gol_jfunctions, name);
}

const gol_jbuiltin *gol_jmethod_find(const gol_jvalue *self, gol_str name)
{
    static const gol_jbuiltin *const text[] = {gol_jmethods_str, gol_jmethods_str_split};
    switch (self->type) {
    case GOL_J_STRING:
        return find_in_groups(text, 2, name);
    case GOL_J_LIST:
        return find_row(gol_jmethods_list, name);
    case GOL_J_TUPLE:
    case GOL_J_RANGE:
        return find_row(gol_jmethods_tuple, name);
    case GOL_J_DICT:
        return find_row(gol_jmethods_dict, name);
    case GOL_J_INT:
    case GOL_J_FLOAT:
    case GOL_J_BOOL:
        return find_row(gol_jmethods_number, name);
    default:
        return NULL;
    }
}
