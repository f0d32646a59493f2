/*
 * Filters on what can be walked: ends, pieces, sums.
 */
#include "text/template/jtext.h"

static int no_item(gol_jvalue *out, gol_str why)
{
    *out = gol_jvalue_undefined(GOL_JHINT_TEXT, why);
    return 0;
}

static int filter_first(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    const gol_jlist *items;
    if (self->type == GOL_J_ITERATOR && self->list->n_taken < self->list->n) {
        *out = self->list->items[self->list->n_taken++];
        return 0;
    }
    const int rc = gol_jiterate(j, &items, self);
    if (rc != 0)
        return rc;
    if (items->n == 0)
        return no_item(out, GOL_STR("No first item, sequence was empty."));
    *out = items->items[0];
    return 0;
}

static int filter_last(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)args;
    const gol_jlist *items;
    if (self->type == GOL_J_ITERATOR)
        return gol_jinja_fail(j, "'generator' object is not reversible; put |list before |last");
    const int rc = gol_jiterate(j, &items, self);
    if (rc != 0)
        return rc;
    if (items->n == 0)
        return no_item(out, GOL_STR("No last item, sequence was empty."));
    *out = items->items[items->n - 1];
    return 0;
}

static int copy_items(gol_jinja *j, gol_jvalue *out, gol_jtype type, const gol_jlist *items)
{
    int rc = gol_jlist_create(j, out, type, items->n);
    for (size_t i = 0; i < items->n && rc == 0; i++)
        rc = gol_jlist_push(j, out->list, items->items[i]);
    return rc;
}

static int filter_list(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)args;
    const gol_jlist *items;
    const int rc = gol_jiterate(j, &items, self);
    return rc == 0 ? copy_items(j, out, GOL_J_LIST, items) : rc;
}

static int filter_reverse(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    (void)args;
    if (self->type == GOL_J_STRING) {
        const gol_jvalue bounds[3] = {{0}, {0}, gol_jvalue_int(-1)};
        return gol_jaccess_slice(j, out, self, bounds);
    }
    /* Python can reverse an iterator only by making a list of it. */
    const gol_jtype type = self->type == GOL_J_ITERATOR ? GOL_J_LIST : GOL_J_ITERATOR;
    const gol_jlist *items;
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, out, type, items->n);
    for (size_t i = 0; rc == 0 && i < items->n; i++)
        rc = gol_jlist_push(j, out->list, items->items[items->n - 1 - i]);
    return rc;
}

static int filter_join(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    const gol_jlist *items;
    gol_str separator = GOL_STR("");
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0 && gol_jarg_is_given(&args[0]))
        rc = gol_jvalue_to_str(j, &separator, &args[0]);
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue item;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = gol_jaccess_path(j, &item, &items->items[i], &args[1]);
        if (i > 0)
            gol_buf_put_str(&text, separator);
        if (rc == 0)
            rc = gol_jvalue_put_str(j, &text, &item);
    }
    return gol_jfinish_text(j, out, &text, rc);
}

static int filter_sum(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    const gol_jlist *items;
    gol_jvalue sum = gol_jarg_is_given(&args[1]) ? args[1] : gol_jvalue_int(0);
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0 && sum.type == GOL_J_STRING)
        rc = gol_jinja_fail(j, "sum() can't sum strings");
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue item;
        const gol_jvalue before = sum;
        rc = gol_jaccess_path(j, &item, &items->items[i], &args[0]);
        if (rc == 0)
            rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = gol_jop_binary(j, &sum, GOL_JOP_ADD, &before, &item);
    }
    *out = sum;
    return rc;
}

static int read_size(gol_jinja *j, size_t *out, const gol_jvalue *arg, const char *what)
{
    int64_t n;
    const int rc = gol_jarg_int(j, &n, arg, 0, what);
    if (rc == 0 && (n < 1 || n > GOL_JINJA_RANGE_MAX))
        return gol_jinja_fail(j, "%s must be 1 to %d", what, GOL_JINJA_RANGE_MAX);
    *out = (size_t)n;
    return rc;
}

/* Lists of n items each; the last one is filled up. */
static int filter_batch(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    size_t n = 1;
    const gol_jlist *items;
    gol_jvalue row = {0};
    int rc = read_size(j, &n, &args[0], "batch's linecount");
    if (rc == 0)
        rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_ITERATOR, 0);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        if (i % n == 0) {
            rc = gol_jlist_create(j, &row, GOL_J_LIST, 0);
            if (rc == 0)
                rc = gol_jlist_push(j, out->list, row);
        }
        if (rc == 0)
            rc = gol_jlist_push(j, row.list, items->items[i]);
    }
    const bool fills = gol_jarg_is_given(&args[1]) && args[1].type != GOL_J_NONE;
    while (rc == 0 && fills && row.list && row.list->n < n)
        rc = gol_jlist_push(j, row.list, args[1]);
    return rc;
}

/* n lists of nearly equal length; the shorter ones, at the end, are filled up. */
static int filter_slice(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    size_t n = 1;
    const gol_jlist *items;
    int rc = read_size(j, &n, &args[0], "slice's number");
    if (rc == 0)
        rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_ITERATOR, n);
    const bool fills = gol_jarg_is_given(&args[1]) && args[1].type != GOL_J_NONE;
    size_t from = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        gol_jvalue part;
        const bool is_longer = i < items->n % n;
        const size_t len = items->n / n + is_longer;
        rc = gol_jlist_create(j, &part, GOL_J_LIST, len + 1);
        for (size_t k = 0; k < len && rc == 0; k++)
            rc = gol_jlist_push(j, part.list, items->items[from + k]);
        if (rc == 0 && fills && !is_longer)
            rc = gol_jlist_push(j, part.list, args[1]);
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, part);
        from += len;
    }
    return rc;
}

const gol_jbuiltin gol_jfilters_list[] = {
    {.name = "batch", .n_required = 1, .params = {"linecount", "fill_with"}, .run = filter_batch},
    {.name = "first", .run = filter_first},
    {.name = "join", .params = {"d", "attribute"}, .run = filter_join},
    {.name = "last", .run = filter_last},
    {.name = "list", .run = filter_list},
    {.name = "reverse", .run = filter_reverse},
    {.name = "slice", .n_required = 1, .params = {"slices", "fill_with"}, .run = filter_slice},
    {.name = "sum", .params = {"attribute", "start"}, .run = filter_sum},
    {0},
};
