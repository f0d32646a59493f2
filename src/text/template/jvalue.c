/*
 * Making values: memory, lists and dicts, and the budget. A dict of up to SMALL_DICT entries is searched in order; beyond that
 * a table of slots, at most half full, points into the entries. Its hash is keyed by random numbers of each render (SipHash),
 * so nobody can prepare keys that fall together.
 */
#include "text/template/jvalue.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str_table.h"

enum { SMALL_DICT = 8, BYTES_PER_STEP = 64 };

void gol_jinja_init(gol_jinja *j, const gol_jinja_limits *limits)
{
    *j = (gol_jinja){0};
    if (limits)
        j->limits = *limits;
    if (j->limits.memory_max == 0)
        j->limits.memory_max = GOL_JINJA_MEMORY_MAX;
    if (j->limits.output_max == 0)
        j->limits.output_max = GOL_JINJA_OUTPUT_MAX;
    if (j->limits.steps_max == 0)
        j->limits.steps_max = GOL_JINJA_STEPS_MAX;
    gol_arena_init(&j->arena, j->limits.memory_max);
    gol_rng_entropy(j->hash_key, sizeof j->hash_key);
}

void gol_jinja_deinit(gol_jinja *j)
{
    gol_arena_deinit(&j->arena);
}

int gol_jinja_fail(gol_jinja *j, const char *format, ...)
{
    char message[GOL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (j->line == 0)
        return gol_fail(&j->err, GOL_EINVAL, "%s", message);
    return gol_fail(&j->err, GOL_EINVAL, "line %u: %s", j->line, message);
}

int gol_jinja_no_memory(gol_jinja *j)
{
    /* Near the limit it is the template's fault, otherwise the machine's. */
    if (j->arena.n_bytes > j->limits.memory_max / 2)
        return gol_jinja_fail(j, "the template needs more than %zu bytes of memory",
                              j->limits.memory_max);
    return gol_fail(&j->err, GOL_ENOMEM, "chat template: out of memory");
}

int gol_jinja_charge(gol_jinja *j, uint64_t n)
{
    j->n_steps += n;
    if (j->n_steps <= j->limits.steps_max)
        return 0;
    return gol_jinja_fail(j, "the template takes more than %llu steps",
                          (unsigned long long)j->limits.steps_max);
}

int gol_jinja_charge_bytes(gol_jinja *j, size_t n_bytes)
{
    return gol_jinja_charge(j, n_bytes / BYTES_PER_STEP);
}

void *gol_jinja_alloc(gol_jinja *j, size_t n, size_t size)
{
    void *p = gol_arena_try_array(&j->arena, n, size);
    if (!p) {
        size_t n_bytes;
        if (!gol_mul_size(&n_bytes, n, size) || n_bytes > j->limits.memory_max)
            gol_jinja_fail(j, "the template needs more than %zu bytes of memory",
                           j->limits.memory_max);
        else
            gol_jinja_no_memory(j);
    }
    return p;
}

int gol_jvalue_copy_str(gol_jinja *j, gol_jvalue *out, gol_str s)
{
    if (gol_jinja_charge_bytes(j, s.len) != 0)
        return j->err.code;
    char *copy = gol_jinja_alloc(j, s.len, 1);
    if (!copy)
        return j->err.code;
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    *out = gol_jvalue_str((gol_str){copy, s.len});
    return 0;
}

/* ---- lists ---- */

int gol_jlist_create(gol_jinja *j, gol_jvalue *out, gol_jtype type, size_t cap)
{
    gol_jlist *list = gol_jinja_alloc(j, 1, sizeof *list);
    if (!list)
        return j->err.code;
    *list = (gol_jlist){0};
    if (cap > 0) {
        list->items = gol_jinja_alloc(j, cap, sizeof *list->items);
        if (!list->items)
            return j->err.code;
        list->cap = cap;
    }
    *out = (gol_jvalue){.type = (uint8_t)type, .list = list};
    return 0;
}

static int grow_list(gol_jinja *j, gol_jlist *list)
{
    const size_t cap = list->cap < 4 ? 4 : 2 * list->cap;
    gol_jvalue *items = gol_jinja_alloc(j, cap, sizeof *items);
    if (!items)
        return j->err.code;
    if (list->n > 0)
        memcpy(items, list->items, list->n * sizeof *items);
    list->items = items;
    list->cap = cap;
    return 0;
}

int gol_jlist_push(gol_jinja *j, gol_jlist *list, gol_jvalue item)
{
    int rc = gol_jinja_charge(j, 1);
    if (rc == 0 && list->n == list->cap)
        rc = grow_list(j, list);
    if (rc == 0)
        list->items[list->n++] = item;
    return rc;
}

int gol_jlist_insert(gol_jinja *j, gol_jlist *list, size_t at, gol_jvalue item)
{
    assert(at <= list->n);
    int rc = gol_jinja_charge(j, 1 + (list->n - at) / 4);
    if (rc == 0 && list->n == list->cap)
        rc = grow_list(j, list);
    if (rc != 0)
        return rc;
    memmove(list->items + at + 1, list->items + at, (list->n - at) * sizeof *list->items);
    list->items[at] = item;
    list->n++;
    return 0;
}

void gol_jlist_remove(gol_jlist *list, size_t at)
{
    assert(at < list->n);
    list->n--;
    memmove(list->items + at, list->items + at + 1, (list->n - at) * sizeof *list->items);
}

/* ---- dicts ---- */

int gol_jdict_create(gol_jinja *j, gol_jvalue *out)
{
    gol_jdict *dict = gol_jinja_alloc(j, 1, sizeof *dict);
    if (!dict)
        return j->err.code;
    *dict = (gol_jdict){0};
    *out = (gol_jvalue){.type = GOL_J_DICT, .dict = dict};
    return 0;
}

static int fail_unhashable(gol_jinja *j, const gol_jvalue *v)
{
    return gol_jinja_fail(j, "unhashable type: '%s'", gol_jvalue_type_name(v));
}

static uint64_t hash_number(const gol_jinja *j, double f)
{
    if (f == 0)
        f = 0; /* one zero */
    return gol_str_hash(j->hash_key, (gol_str){(const char *)&f, sizeof f});
}

static int hash_at_depth(gol_jinja *j, uint64_t *out, const gol_jvalue *v, int depth)
{
    switch (v->type) {
    case GOL_J_STRING:
        *out = gol_str_hash(j->hash_key, v->str);
        return gol_jinja_charge_bytes(j, v->str.len);
    case GOL_J_BOOL: /* equal numbers of all types must have equal hashes */
        *out = hash_number(j, v->b ? 1 : 0);
        return 0;
    case GOL_J_INT:
        *out = hash_number(j, (double)v->i);
        return 0;
    case GOL_J_FLOAT:
        *out = hash_number(j, v->f);
        return 0;
    case GOL_J_NONE:
    case GOL_J_UNDEFINED:
        *out = v->type;
        return 0;
    case GOL_J_TUPLE:
        break;
    case GOL_J_OBJECT:
        *out = (uint64_t)(uintptr_t)v->object;
        return 0;
    default:
        return fail_unhashable(j, v);
    }
    if (depth >= GOL_JINJA_VALUE_DEPTH_MAX)
        return gol_jinja_fail(j, "values nested more than %d deep", GOL_JINJA_VALUE_DEPTH_MAX);
    uint64_t h = v->list->n;
    for (size_t i = 0; i < v->list->n; i++) {
        uint64_t item = 0;
        int rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = hash_at_depth(j, &item, &v->list->items[i], depth + 1);
        if (rc != 0)
            return rc;
        h = (h ^ item) * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio: any odd number mixes */
    }
    *out = h;
    return 0;
}

int gol_jvalue_hash(gol_jinja *j, uint64_t *out, const gol_jvalue *v)
{
    *out = 0;
    return hash_at_depth(j, out, v, 0);
}

/* Strings are nearly all keys there are. */
static int is_same_key(gol_jinja *j, bool *same, const gol_jvalue *a, const gol_jvalue *b)
{
    if (a->type == GOL_J_STRING && b->type == GOL_J_STRING) {
        *same = gol_str_eq(a->str, b->str);
        return 0;
    }
    return gol_jvalue_equal(j, same, a, b);
}

/* *index: of the entry, or SIZE_MAX; *slot: where it is or would be in the table. */
static int locate(gol_jinja *j, const gol_jdict *dict, const gol_jvalue *key, size_t *index,
                  size_t *slot)
{
    *index = SIZE_MAX;
    *slot = 0;
    uint64_t hash;
    int rc = gol_jvalue_hash(j, &hash, key);
    if (!dict->slots) {
        for (size_t i = 0; i < dict->n && rc == 0; i++) {
            bool same = false;
            rc = is_same_key(j, &same, &dict->entries[i].key, key);
            if (rc == 0 && same) {
                *index = i;
                return 0;
            }
        }
        return rc;
    }
    for (size_t s = hash & (dict->n_slots - 1); rc == 0; s = (s + 1) & (dict->n_slots - 1)) {
        bool same = false;
        *slot = s;
        if (dict->slots[s] == 0)
            return 0;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = is_same_key(j, &same, &dict->entries[dict->slots[s] - 1].key, key);
        if (rc == 0 && same) {
            *index = dict->slots[s] - 1;
            return 0;
        }
    }
    return rc;
}

/* A table for n_slots, over the entries that are there. */
static int rebuild(gol_jinja *j, gol_jdict *dict, size_t n_slots)
{
    uint32_t *slots = dict->slots;
    if (n_slots != dict->n_slots)
        slots = gol_jinja_alloc(j, n_slots, sizeof *slots);
    if (!slots || gol_jinja_charge(j, dict->n) != 0)
        return j->err.code;
    memset(slots, 0, n_slots * sizeof *slots);
    for (size_t i = 0; i < dict->n; i++) {
        uint64_t hash;
        const int rc = gol_jvalue_hash(j, &hash, &dict->entries[i].key);
        if (rc != 0)
            return rc;
        size_t s = hash & (n_slots - 1);
        while (slots[s] != 0)
            s = (s + 1) & (n_slots - 1);
        slots[s] = (uint32_t)i + 1;
    }
    dict->slots = slots;
    dict->n_slots = n_slots;
    return 0;
}

static int grow_dict(gol_jinja *j, gol_jdict *dict)
{
    const size_t cap = dict->cap < 4 ? 4 : 2 * dict->cap;
    gol_jentry *entries = cap < UINT32_MAX ? gol_jinja_alloc(j, cap, sizeof *entries) : NULL;
    if (!entries)
        return j->err.code;
    if (dict->n > 0)
        memcpy(entries, dict->entries, dict->n * sizeof *entries);
    dict->entries = entries;
    dict->cap = cap;
    return cap > SMALL_DICT ? rebuild(j, dict, 2 * cap) : 0; /* cap is a power of two */
}

int gol_jdict_set(gol_jinja *j, gol_jdict *dict, const gol_jvalue *key, gol_jvalue value)
{
    size_t index, slot;
    int rc = gol_jinja_charge(j, 1);
    if (rc == 0)
        rc = locate(j, dict, key, &index, &slot);
    if (rc != 0)
        return rc;
    if (index != SIZE_MAX) {
        dict->entries[index].value = value;
        return 0;
    }
    if (dict->n == dict->cap) {
        rc = grow_dict(j, dict);
        if (rc == 0)
            rc = locate(j, dict, key, &index, &slot);
        if (rc != 0)
            return rc;
    }
    dict->entries[dict->n++] = (gol_jentry){*key, value};
    if (dict->slots)
        dict->slots[slot] = (uint32_t)dict->n;
    return 0;
}

int gol_jdict_set_str(gol_jinja *j, gol_jdict *dict, gol_str key, gol_jvalue value)
{
    const gol_jvalue k = gol_jvalue_str(key);
    return gol_jdict_set(j, dict, &k, value);
}

int gol_jdict_find(gol_jinja *j, gol_jvalue **out, const gol_jdict *dict, const gol_jvalue *key)
{
    size_t index, slot;
    const int rc = locate(j, dict, key, &index, &slot);
    *out = rc == 0 && index != SIZE_MAX ? &dict->entries[index].value : NULL;
    return rc;
}

gol_jvalue *gol_jdict_find_str(gol_jinja *j, const gol_jdict *dict, gol_str key)
{
    gol_jvalue *found;
    const gol_jvalue k = gol_jvalue_str(key);
    /* Strings always hash; what can fail is the budget, and then the next step fails, too. */
    return gol_jdict_find(j, &found, dict, &k) == 0 ? found : NULL;
}

int gol_jdict_remove(gol_jinja *j, gol_jdict *dict, size_t at)
{
    assert(at < dict->n);
    int rc = gol_jinja_charge(j, 1 + (dict->n - at) / 4);
    if (rc != 0)
        return rc;
    dict->n--;
    memmove(dict->entries + at, dict->entries + at + 1, (dict->n - at) * sizeof *dict->entries);
    if (dict->slots)
        rc = rebuild(j, dict, dict->n_slots);
    return rc;
}
