/*
 * Methods of lists, tuples, dicts and numbers. Lists and dicts change in place: a render works on its own copy of the context.
 */
#include <math.h>
#include <stddef.h>

#include "text/template/render.h"

/* ---- lists ---- */

static int list_append(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)out;
    return gol_jlist_push(j, self->list, args[0]);
}

static int list_extend(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)out;
    const gol_jlist *more;
    int rc = gol_jiterate(j, &more, &args[0]);
    const size_t n = rc == 0 ? more->n : 0; /* of itself: what it has now */
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = gol_jlist_push(j, self->list, more->items[i]);
    return rc;
}

static int list_insert(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)out;
    int64_t at;
    const int64_t n = (int64_t)self->list->n;
    const int rc = gol_jarg_int(j, &at, &args[0], 0, "index");
    if (rc != 0)
        return rc;
    at = at < -n ? 0 : at < 0 ? at + n : at > n ? n : at;
    return gol_jlist_insert(j, self->list, (size_t)at, args[1]);
}

static int list_pop(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    int64_t at;
    const int64_t n = (int64_t)self->list->n;
    int rc = gol_jarg_int(j, &at, &args[0], -1, "index");
    if (rc == 0 && (at < -n || at >= n))
        rc = gol_jinja_fail(j, n == 0 ? "pop from empty list" : "pop index out of range");
    if (rc == 0)
        rc = gol_jinja_charge(j, self->list->n / 4);
    if (rc != 0)
        return rc;
    const size_t place = (size_t)(at < 0 ? at + n : at);
    *out = self->list->items[place];
    gol_jlist_remove(self->list, place);
    return 0;
}

/* Of the first equal item; SIZE_MAX: none. */
static int find_equal(gol_jinja *j, size_t *at, const gol_jlist *list, const gol_jvalue *item)
{
    *at = SIZE_MAX;
    for (size_t i = 0; i < list->n; i++) {
        bool same;
        const int rc = gol_jvalue_equal(j, &same, &list->items[i], item);
        if (rc != 0)
            return rc;
        if (same) {
            *at = i;
            return 0;
        }
    }
    return 0;
}

static int list_index(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    size_t at;
    const int rc = find_equal(j, &at, self->list, &args[0]);
    if (rc == 0 && at == SIZE_MAX)
        return gol_jinja_fail(j, "the value is not in the list");
    *out = gol_jvalue_int((int64_t)at);
    return rc;
}

static int list_remove(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)out;
    size_t at;
    const int rc = find_equal(j, &at, self->list, &args[0]);
    if (rc == 0 && at == SIZE_MAX)
        return gol_jinja_fail(j, "list.remove(x): x not in list");
    if (rc == 0)
        gol_jlist_remove(self->list, at);
    return rc == 0 ? gol_jinja_charge(j, self->list->n / 4) : rc;
}

static int list_count(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    int64_t n = 0;
    int rc = 0;
    for (size_t i = 0; i < self->list->n && rc == 0; i++) {
        bool same = false;
        rc = gol_jvalue_equal(j, &same, &self->list->items[i], &args[0]);
        n += same;
    }
    *out = gol_jvalue_int(n);
    return rc;
}

static int list_clear(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)j;
    (void)out;
    (void)args;
    self->list->n = 0;
    return 0;
}

static int list_copy(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    const gol_jvalue bounds[3] = {{0}, {0}, {0}};
    return gol_jaccess_slice(j, out, self, bounds);
}

static int list_reverse(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)out;
    (void)args;
    gol_jlist *list = self->list;
    for (size_t i = 0; i < list->n / 2; i++) {
        const gol_jvalue item = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = item;
    }
    return gol_jinja_charge(j, list->n / 4);
}

static int list_sort(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)out;
    return gol_jsort(j, self->list->items, NULL, self->list->n, gol_jarg_is_true(&args[0]));
}

const gol_jbuiltin gol_jmethods_list[] = {
    {.name = "append", .n_required = 1, .params = {"object"}, .run = list_append},
    {.name = "clear", .run = list_clear},
    {.name = "copy", .run = list_copy},
    {.name = "count", .n_required = 1, .params = {"value"}, .run = list_count},
    {.name = "extend", .n_required = 1, .params = {"iterable"}, .run = list_extend},
    {.name = "index", .n_required = 1, .params = {"value"}, .run = list_index},
    {.name = "insert", .n_required = 2, .params = {"index", "object"}, .run = list_insert},
    {.name = "pop", .params = {"index"}, .run = list_pop},
    {.name = "remove", .n_required = 1, .params = {"value"}, .run = list_remove},
    {.name = "reverse", .run = list_reverse},
    {.name = "sort", .params = {"reverse"}, .run = list_sort},
    {0},
};

const gol_jbuiltin gol_jmethods_tuple[] = {
    {.name = "count", .n_required = 1, .params = {"value"}, .run = list_count},
    {.name = "index", .n_required = 1, .params = {"value"}, .run = list_index},
    {0},
};

/* ---- dicts ---- */

static int dict_get(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    gol_jvalue *found;
    const int rc = gol_jdict_find(j, &found, self->dict, &args[0]);
    if (found)
        *out = *found;
    else if (gol_jarg_is_given(&args[1]))
        *out = args[1];
    return rc;
}

typedef enum dict_part { PART_KEYS, PART_VALUES, PART_ITEMS } dict_part;

static int view(gol_jinja *j, gol_jvalue *out, const gol_jdict *dict, dict_part part)
{
    static const char *const names[] = {"dict_keys", "dict_values", "dict_items"};
    int rc = gol_jlist_create(j, out, GOL_J_VIEW, dict->n);
    if (rc == 0)
        out->list->view = names[part];
    for (size_t i = 0; i < dict->n && rc == 0; i++) {
        gol_jvalue item = part == PART_KEYS ? dict->entries[i].key : dict->entries[i].value;
        if (part == PART_ITEMS) {
            rc = gol_jlist_create(j, &item, GOL_J_TUPLE, 2);
            if (rc == 0)
                rc = gol_jlist_push(j, item.list, dict->entries[i].key);
            if (rc == 0)
                rc = gol_jlist_push(j, item.list, dict->entries[i].value);
        }
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, item);
    }
    return rc;
}

static int dict_keys(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return view(j, out, self->dict, PART_KEYS);
}

static int dict_values(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)args;
    return view(j, out, self->dict, PART_VALUES);
}

static int dict_items(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return view(j, out, self->dict, PART_ITEMS);
}

/* *at: of the key, SIZE_MAX: none. */
static int find_entry(gol_jinja *j, size_t *at, const gol_jdict *dict, const gol_jvalue *key)
{
    gol_jvalue *found;
    const int rc = gol_jdict_find(j, &found, dict, key);
    const gol_jentry *entry =
        found ? (const gol_jentry *)((const char *)found - offsetof(gol_jentry, value)) : NULL;
    *at = entry ? (size_t)(entry - dict->entries) : SIZE_MAX;
    return rc;
}

static int dict_pop(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    size_t at;
    const int rc = find_entry(j, &at, self->dict, &args[0]);
    if (rc != 0)
        return rc;
    if (at != SIZE_MAX) {
        *out = self->dict->entries[at].value;
        return gol_jdict_remove(j, self->dict, at);
    }
    if (!gol_jarg_is_given(&args[1]))
        return gol_jinja_fail(j, "dict.pop(key): no such key");
    *out = args[1];
    return 0;
}

static int dict_popitem(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_jdict *dict = self->dict;
    if (dict->n == 0)
        return gol_jinja_fail(j, "popitem(): dictionary is empty");
    int rc = gol_jlist_create(j, out, GOL_J_TUPLE, 2);
    if (rc == 0)
        rc = gol_jlist_push(j, out->list, dict->entries[dict->n - 1].key);
    if (rc == 0)
        rc = gol_jlist_push(j, out->list, dict->entries[dict->n - 1].value);
    return rc == 0 ? gol_jdict_remove(j, dict, dict->n - 1) : rc;
}

static int dict_setdefault(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jvalue *args)
{
    gol_jvalue *found;
    const int rc = gol_jdict_find(j, &found, self->dict, &args[0]);
    if (rc != 0)
        return rc;
    *out = found ? *found : gol_jarg_is_given(&args[1]) ? args[1] : gol_jvalue_none();
    return found ? 0 : gol_jdict_set(j, self->dict, &args[0], *out);
}

static int dict_update(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args)
{
    (void)out;
    return gol_jdict_fill(j, self->dict, args);
}

static int dict_clear(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)j;
    (void)out;
    (void)args;
    *self->dict = (gol_jdict){0};
    return 0;
}

static int dict_copy(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    const gol_jargs source = {.items = self, .n = 1};
    const int rc = gol_jdict_create(j, out);
    return rc == 0 ? gol_jdict_fill(j, out->dict, &source) : rc;
}

static int dict_fromkeys(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    (void)self;
    const gol_jlist *keys;
    int rc = gol_jiterate(j, &keys, &args[0]);
    if (rc == 0)
        rc = gol_jdict_create(j, out);
    const gol_jvalue value = gol_jarg_is_given(&args[1]) ? args[1] : gol_jvalue_none();
    for (size_t i = 0; rc == 0 && i < keys->n; i++)
        rc = gol_jdict_set(j, out->dict, &keys->items[i], value);
    return rc;
}

const gol_jbuiltin gol_jmethods_dict[] = {
    {.name = "clear", .run = dict_clear},
    {.name = "copy", .run = dict_copy},
    {.name = "fromkeys", .n_required = 1, .params = {"iterable", "value"}, .run = dict_fromkeys},
    {.name = "get", .n_required = 1, .params = {"key", "default"}, .run = dict_get},
    {.name = "items", .run = dict_items},
    {.name = "keys", .run = dict_keys},
    {.name = "pop", .n_required = 1, .params = {"key", "default"}, .run = dict_pop},
    {.name = "popitem", .run = dict_popitem},
    {.name = "setdefault", .n_required = 1, .params = {"key", "default"}, .run = dict_setdefault},
    {.name = "update", .run_raw = dict_update},
    {.name = "values", .run = dict_values},
    {0},
};

int gol_jdict_fill(gol_jinja *j, gol_jdict *dict, const gol_jargs *args)
{
    int rc = 0;
    if (args->n > 1)
        return gol_jinja_fail(j, "expected at most 1 argument, got %zu", args->n);
    if (args->n == 1 && args->items[0].type == GOL_J_DICT) {
        const gol_jdict *source = args->items[0].dict;
        const size_t n = source->n;
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = gol_jdict_set(j, dict, &source->entries[i].key, source->entries[i].value);
    } else if (args->n == 1) {
        const gol_jlist *pairs;
        const gol_jlist *pair = NULL;
        if (args->items[0].type == GOL_J_UNDEFINED)
            return gol_jvalue_fail_undefined(j, &args->items[0]);
        rc = gol_jiterate(j, &pairs, &args->items[0]);
        for (size_t i = 0; rc == 0 && i < pairs->n; i++) {
            rc = gol_jiterate(j, &pair, &pairs->items[i]);
            if (rc == 0 && pair->n != 2)
                return gol_jinja_fail(j,
                                      "dictionary update sequence element %zu has length %zu; 2 "
                                      "is required",
                                      i, pair->n);
            if (rc == 0)
                rc = gol_jdict_set(j, dict, &pair->items[0], pair->items[1]);
        }
    }
    for (size_t i = 0; i < args->n_named && rc == 0; i++)
        rc = gol_jdict_set(j, dict, &args->named[i].key, args->named[i].value);
    return rc;
}

/* ---- numbers ---- */

static int number_is_integer(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                             const gol_jvalue *args)
{
    (void)j;
    (void)args;
    *out = gol_jvalue_bool(self->type != GOL_J_FLOAT ||
                           (isfinite(self->f) && trunc(self->f) == self->f));
    return 0;
}

static int number_bit_length(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                             const gol_jvalue *args)
{
    (void)args;
    if (self->type == GOL_J_FLOAT)
        return gol_jinja_fail(j, "a float has no bit_length()");
    const int64_t i = self->type == GOL_J_BOOL ? (self->b ? 1 : 0) : self->i;
    const uint64_t magnitude = i < 0 ? (uint64_t)0 - (uint64_t)i : (uint64_t)i;
    *out = gol_jvalue_int(magnitude == 0 ? 0 : 64 - __builtin_clzll(magnitude));
    return 0;
}

const gol_jbuiltin gol_jmethods_number[] = {
    {.name = "bit_length", .run = number_bit_length},
    {.name = "is_integer", .run = number_is_integer},
    {0},
};
