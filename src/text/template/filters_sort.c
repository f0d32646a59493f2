/*
 * Filters that need an order: sort, dictsort, groupby, unique, min and max. Strings are compared in lower case unless the template
 * wants otherwise.
 *
 * Sorting is a merge sort from the bottom up, stable, over pairs of key and item.
 */
#include <string.h>

#include "text/template/jtext.h"

typedef struct sorter {
    gol_jinja *j;
    gol_jvalue *items;
    gol_jvalue *keys; /* may be items */
    gol_jvalue *spare_items;
    gol_jvalue *spare_keys;
    bool is_reverse;
    bool has_keys;
} sorter;

/* Whether the right one must come before the left one. */
static int comes_before(const sorter *s, bool *out, const gol_jvalue *right, const gol_jvalue *left)
{
    int cmp;
    const int rc = gol_jvalue_compare(s->j, &cmp, right, left, "<");
    *out = s->is_reverse ? cmp == 1 : cmp < 0;
    return rc;
}

/* [from, middle) and [middle, to) become one in the spare arrays. */
static int merge(const sorter *s, size_t from, size_t middle, size_t to)
{
    size_t a = from;
    size_t b = middle;
    for (size_t i = from; i < to; i++) {
        bool takes_b = b < to;
        if (takes_b && a < middle) {
            const int rc = comes_before(s, &takes_b, &s->keys[b], &s->keys[a]);
            if (rc != 0)
                return rc;
        }
        const size_t at = takes_b ? b++ : a++;
        s->spare_items[i] = s->items[at];
        if (s->has_keys)
            s->spare_keys[i] = s->keys[at];
    }
    return 0;
}

int gol_jsort(gol_jinja *j, gol_jvalue *items, gol_jvalue *keys, size_t n, bool is_reverse)
{
    sorter s = {.j = j,
                .items = items,
                .keys = keys ? keys : items,
                .is_reverse = is_reverse,
                .has_keys = keys != NULL};
    s.spare_items = gol_jinja_alloc(j, n, sizeof *items);
    s.spare_keys = s.spare_items;
    if (keys)
        s.spare_keys = gol_jinja_alloc(j, n, sizeof *keys);
    if (!s.spare_items || !s.spare_keys)
        return j->err.code;
    for (size_t width = 1; width < n; width *= 2) {
        int rc = gol_jinja_charge(j, n);
        for (size_t from = 0; from < n && rc == 0; from += 2 * width) {
            const size_t middle = from + width < n ? from + width : n;
            const size_t to = middle + width < n ? middle + width : n;
            rc = merge(&s, from, middle, to);
        }
        if (rc != 0)
            return rc;
        memcpy(items, s.spare_items, n * sizeof *items);
        if (keys)
            memcpy(keys, s.spare_keys, n * sizeof *keys);
    }
    return 0;
}

static int fold_case(gol_jinja *j, gol_jvalue *v, bool case_sensitive)
{
    if (case_sensitive || v->type != GOL_J_STRING)
        return 0;
    const gol_jvalue text = *v;
    return gol_jtext_case(j, v, text.str, GOL_JCASE_LOWER);
}

static int make_key(gol_jinja *j, gol_jvalue *out, const gol_jvalue *item, const gol_jvalue *path,
                    bool case_sensitive)
{
    const int rc = gol_jaccess_path(j, out, item, path);
    return rc == 0 ? fold_case(j, out, case_sensitive) : rc;
}

/* "a,b" sorts by a, then by b: the key is a list. */
static int make_keys(gol_jinja *j, gol_jvalue *out, const gol_jvalue *item, const gol_jvalue *paths,
                     bool case_sensitive)
{
    if (paths->type != GOL_J_STRING)
        return make_key(j, out, item, paths, case_sensitive);
    int rc = gol_jlist_create(j, out, GOL_J_LIST, 1);
    for (size_t from = 0; from <= paths->str.len && rc == 0;) {
        const gol_str rest = {paths->str.data + from, paths->str.len - from};
        const size_t comma = gol_jtext_find(rest, GOL_STR(","));
        const gol_str part = {rest.data, comma == SIZE_MAX ? rest.len : comma};
        const gol_jvalue path = gol_jvalue_str(part);
        gol_jvalue key;
        rc = make_key(j, &key, item, &path, case_sensitive);
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, key);
        from += part.len + 1;
    }
    return rc;
}

static int filter_sort(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    const gol_jlist *items;
    gol_jvalue keys;
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_LIST, items->n);
    if (rc == 0)
        rc = gol_jlist_create(j, &keys, GOL_J_LIST, items->n);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue key;
        rc = make_keys(j, &key, &items->items[i], &args[2], gol_jarg_is_true(&args[1]));
        if (rc == 0)
            rc = gol_jlist_push(j, keys.list, key);
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, items->items[i]);
    }
    if (rc != 0)
        return rc;
    return gol_jsort(j, out->list->items, keys.list->items, out->list->n,
                     gol_jarg_is_true(&args[0]));
}

static int filter_dictsort(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jvalue *args)
{
    gol_str by;
    gol_jvalue keys;
    int rc = gol_jarg_str(j, &by, &args[1], GOL_STR("key"), "by");
    if (rc == 0 && !gol_str_is(by, "key") && !gol_str_is(by, "value"))
        rc = gol_jinja_fail(j, "you can only sort by either \"key\" or \"value\"");
    if (rc == 0 && self->type == GOL_J_UNDEFINED)
        rc = gol_jvalue_fail_undefined(j, self);
    else if (rc == 0 && self->type != GOL_J_DICT)
        rc = gol_jinja_fail(j, "dictsort: a mapping is accepted, not %s",
                            gol_jvalue_type_name(self));
    if (rc == 0)
        rc = gol_jmethod_find(self, GOL_STR("items"))->run(j, out, self, args);
    if (rc == 0)
        rc = gol_jlist_create(j, &keys, GOL_J_LIST, out->list->n);
    for (size_t i = 0; rc == 0 && i < out->list->n; i++) {
        gol_jvalue key = out->list->items[i].list->items[gol_str_is(by, "value")];
        rc = fold_case(j, &key, gol_jarg_is_true(&args[0]));
        if (rc == 0)
            rc = gol_jlist_push(j, keys.list, key);
    }
    if (rc != 0)
        return rc;
    out->type = GOL_J_LIST;
    return gol_jsort(j, out->list->items, keys.list->items, out->list->n,
                     gol_jarg_is_true(&args[2]));
}

static int group_key(gol_jinja *j, gol_jvalue *out, const gol_jvalue *item, const gol_jvalue *args,
                     bool case_sensitive)
{
    int rc = gol_jaccess_path(j, out, item, &args[0]);
    if (rc == 0 && out->type == GOL_J_UNDEFINED && gol_jarg_is_given(&args[1]) &&
        args[1].type != GOL_J_NONE)
        *out = args[1];
    return rc == 0 ? fold_case(j, out, case_sensitive) : rc;
}

/* A new (grouper, list) pair that begins with this item. */
static int begin_group(gol_jinja *j, gol_jvalue *groups, gol_jlist **members,
                       const gol_jvalue *item, const gol_jvalue *args)
{
    gol_jvalue pair, name, list;
    int rc = group_key(j, &name, item, args, true);
    if (rc == 0)
        rc = gol_jlist_create(j, &list, GOL_J_LIST, 0);
    if (rc == 0)
        rc = gol_jlist_create(j, &pair, GOL_J_TUPLE, 2);
    if (rc == 0)
        rc = gol_jlist_push(j, pair.list, name);
    if (rc == 0)
        rc = gol_jlist_push(j, pair.list, list);
    if (rc == 0)
        rc = gol_jlist_push(j, groups->list, pair);
    if (rc != 0)
        return rc;
    pair.list->is_group = true;
    *members = list.list;
    return 0;
}

static int filter_groupby(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    const gol_jlist *items;
    gol_jvalue sorted, keys;
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jlist_create(j, &sorted, GOL_J_LIST, items->n);
    if (rc == 0)
        rc = gol_jlist_create(j, &keys, GOL_J_LIST, items->n);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue key;
        rc = group_key(j, &key, &items->items[i], args, gol_jarg_is_true(&args[2]));
        if (rc == 0)
            rc = gol_jlist_push(j, keys.list, key);
        if (rc == 0)
            rc = gol_jlist_push(j, sorted.list, items->items[i]);
    }
    if (rc == 0)
        rc = gol_jsort(j, sorted.list->items, keys.list->items, sorted.list->n, false);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_LIST, 0);
    gol_jlist *members = NULL;
    for (size_t i = 0; rc == 0 && i < sorted.list->n; i++) {
        bool same = false;
        if (i > 0)
            rc = gol_jvalue_equal(j, &same, &keys.list->items[i - 1], &keys.list->items[i]);
        if (rc == 0 && !same)
            rc = begin_group(j, out, &members, &sorted.list->items[i], args);
        if (rc == 0)
            rc = gol_jlist_push(j, members, sorted.list->items[i]);
    }
    return rc;
}

static int filter_unique(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    const gol_jlist *items;
    gol_jvalue seen;
    int rc = gol_jiterate(j, &items, self);
    if (rc == 0)
        rc = gol_jdict_create(j, &seen);
    if (rc == 0)
        rc = gol_jlist_create(j, out, GOL_J_ITERATOR, 0);
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue key;
        gol_jvalue *found = NULL;
        rc = make_key(j, &key, &items->items[i], &args[1], gol_jarg_is_true(&args[0]));
        if (rc == 0)
            rc = gol_jdict_find(j, &found, seen.dict, &key);
        if (rc != 0 || found)
            continue;
        rc = gol_jdict_set(j, seen.dict, &key, gol_jvalue_none());
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, items->items[i]);
    }
    return rc;
}

static int find_extreme(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args, int wanted)
{
    const gol_jlist *items;
    gol_jvalue best;
    int rc = gol_jiterate(j, &items, self);
    if (rc != 0)
        return rc;
    if (items->n == 0) {
        *out = gol_jvalue_undefined(GOL_JHINT_TEXT,
                                    GOL_STR("No aggregated item, sequence was empty."));
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < items->n; i++) {
        gol_jvalue key;
        int cmp = wanted;
        rc = make_key(j, &key, &items->items[i], &args[1], gol_jarg_is_true(&args[0]));
        if (rc == 0 && i > 0)
            rc = gol_jvalue_compare(j, &cmp, &key, &best, wanted < 0 ? "<" : ">");
        if (rc == 0 && cmp == wanted) {
            best = key;
            *out = items->items[i];
        }
    }
    return rc;
}

static int filter_min(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_extreme(j, out, self, args, -1);
}

static int filter_max(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_extreme(j, out, self, args, 1);
}

const gol_jbuiltin gol_jfilters_sort[] = {
    {.name = "dictsort", .params = {"case_sensitive", "by", "reverse"}, .run = filter_dictsort},
    {.name = "groupby",
     .n_required = 1,
     .params = {"attribute", "default", "case_sensitive"},
     .run = filter_groupby},
    {.name = "max", .params = {"case_sensitive", "attribute"}, .run = filter_max},
    {.name = "min", .params = {"case_sensitive", "attribute"}, .run = filter_min},
    {.name = "sort", .params = {"reverse", "case_sensitive", "attribute"}, .run = filter_sort},
    {.name = "unique", .params = {"case_sensitive", "attribute"}, .run = filter_unique},
    {0},
};
