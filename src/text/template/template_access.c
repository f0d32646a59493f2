/*
 * Reaching into values: attributes, items, slices, and walking. As in Jinja, what is not there is undefined, not an error; an
 * attribute of something undefined is an error.
 */
#include <string.h>

#include "text/template/jchar.h"
#include "text/template/render.h"
#include "text/utf8.h"

static int lacks(gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    *out = gol_jvalue_undefined(GOL_JHINT_ATTRIBUTE, name);
    out->of = v->type;
    return 0;
}

static int make_method(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jbuiltin *row)
{
    return gol_jobject_create(j, out,
                              (gol_jobject){.kind = GOL_JOBJECT_METHOD, .row = row, .self = *v});
}

/* What Python's getattr() finds: true when there is something. */
static int find_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name, bool *found)
{
    *found = true;
    if (v->type == GOL_J_OBJECT) {
        const int rc = gol_jobject_attr(j, out, v, name);
        *found = rc != 0 || out->type != GOL_J_UNDEFINED || out->hint == GOL_JHINT_TEXT;
        return rc;
    }
    if (v->type == GOL_J_NAMESPACE) {
        const gol_jvalue *value = gol_jdict_find_str(j, v->dict, name);
        *found = value != NULL;
        if (value)
            *out = *value;
        return 0;
    }
    if (v->type == GOL_J_TUPLE && v->list->is_group) {
        const bool is_list = gol_str_is(name, "list");
        if (is_list || gol_str_is(name, "grouper")) {
            *out = v->list->items[is_list];
            return 0;
        }
    }
    const gol_jbuiltin *method = gol_jmethod_find(v, name);
    *found = method != NULL;
    return method ? make_method(j, out, v, method) : 0;
}

int gol_jaccess_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name)
{
    if (v->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, v);
    bool found;
    const int rc = find_attr(j, out, v, name, &found);
    if (rc != 0 || found)
        return rc;
    if (v->type == GOL_J_DICT) {
        const gol_jvalue *value = gol_jdict_find_str(j, v->dict, name);
        if (value) {
            *out = *value;
            return 0;
        }
    }
    return lacks(out, v, name);
}

/* Where index (from the end when negative) is among n; SIZE_MAX: outside. */
static size_t place(int64_t index, size_t n)
{
    if (index < 0)
        index += (int64_t)n;
    return index >= 0 && index < (int64_t)n ? (size_t)index : SIZE_MAX;
}

static int item_of_text(gol_jinja *j, gol_jvalue *out, gol_str s, int64_t index, bool *found)
{
    const int rc = gol_jinja_charge_bytes(j, s.len);
    const size_t at = place(index, gol_utf8_count(s));
    *found = at != SIZE_MAX;
    if (!*found)
        return rc;
    const size_t from = gol_jchar_offset(s, at);
    size_t to = from;
    gol_jchar_next(s, &to);
    *out = gol_jvalue_str((gol_str){s.data + from, to - from});
    return rc;
}

static int find_item(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jvalue *index,
                     bool *found)
{
    *found = false;
    if (v->type == GOL_J_DICT) {
        gol_jvalue *value = NULL;
        const bool can_be_key = index->type != GOL_J_LIST && index->type != GOL_J_DICT;
        const int rc = can_be_key ? gol_jdict_find(j, &value, v->dict, index) : 0;
        *found = value != NULL;
        if (value)
            *out = *value;
        return rc;
    }
    const bool is_int = index->type == GOL_J_INT || index->type == GOL_J_BOOL;
    if (!is_int)
        return 0;
    const int64_t i = index->type == GOL_J_INT ? index->i : index->b;
    if (v->type == GOL_J_STRING)
        return item_of_text(j, out, v->str, i, found);
    if (v->type != GOL_J_LIST && v->type != GOL_J_TUPLE && v->type != GOL_J_RANGE)
        return 0;
    const size_t at = place(i, v->list->n);
    *found = at != SIZE_MAX;
    if (*found)
        *out = v->list->items[at];
    return 0;
}

int gol_jaccess_item(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jvalue *index)
{
    if (v->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, v);
    bool found;
    int rc = find_item(j, out, v, index, &found);
    if (rc == 0 && !found && index->type == GOL_J_STRING)
        rc = find_attr(j, out, v, index->str, &found);
    if (rc != 0 || found)
        return rc;
    return lacks(out, v, index->type == GOL_J_STRING ? index->str : GOL_STR("[item]"));
}

static bool is_digits(gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return s.len > 0 && s.len < 10;
}

int gol_jaccess_path(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jvalue *path)
{
    *out = *v;
    if (path->type == GOL_J_ABSENT || path->type == GOL_J_NONE)
        return 0;
    if (path->type != GOL_J_STRING)
        return gol_jaccess_item(j, out, v, path);
    const gol_str s = path->str;
    int rc = 0;
    for (size_t from = 0; from <= s.len && rc == 0;) {
        const char *dot = from < s.len ? memchr(s.data + from, '.', s.len - from) : NULL;
        const size_t to = dot ? (size_t)(dot - s.data) : s.len;
        const gol_str part = {s.data ? s.data + from : NULL, to - from};
        gol_jvalue index = gol_jvalue_str(part);
        if (is_digits(part)) {
            int64_t i = 0;
            for (size_t k = 0; k < part.len; k++)
                i = i * 10 + (part.data[k] - '0');
            index = gol_jvalue_int(i);
        }
        const gol_jvalue of = *out;
        rc = gol_jinja_charge(j, 1);
        if (rc == 0)
            rc = gol_jaccess_item(j, out, &of, &index);
        from = to + 1;
    }
    return rc;
}

/* ---- slices ---- */

typedef struct slice {
    int64_t start;
    int64_t step;
    size_t n;
} slice;

/* One end of a slice, brought into [low, high]. */
static int clamp(gol_jinja *j, int64_t *out, const gol_jvalue *bound, int64_t otherwise, int64_t n,
                 int64_t low, int64_t high)
{
    if (bound->type == GOL_J_ABSENT || bound->type == GOL_J_NONE) {
        *out = otherwise;
        return 0;
    }
    const int rc = gol_jarg_int(j, out, bound, 0, "a slice's end");
    if (rc == 0 && *out < 0)
        *out = *out < -n ? low : *out + n;
    if (rc == 0 && *out < low)
        *out = low;
    if (rc == 0 && *out > high)
        *out = high;
    return rc;
}

static int find_slice(gol_jinja *j, slice *out, const gol_jvalue bounds[3], size_t length)
{
    const int64_t n = (int64_t)length;
    out->step = 1;
    int rc = 0;
    if (bounds[2].type != GOL_J_NONE)
        rc = gol_jarg_int(j, &out->step, &bounds[2], 1, "a slice's step");
    if (rc == 0 && out->step == 0)
        return gol_jinja_fail(j, "slice step cannot be zero");
    const bool is_back = out->step < 0;
    const int64_t low = is_back ? -1 : 0;
    const int64_t high = is_back ? n - 1 : n;
    int64_t stop = 0;
    if (rc == 0)
        rc = clamp(j, &out->start, &bounds[0], is_back ? high : low, n, low, high);
    if (rc == 0)
        rc = clamp(j, &stop, &bounds[1], is_back ? low : high, n, low, high);
    if (rc != 0)
        return rc;
    const int64_t distance = is_back ? out->start - stop : stop - out->start;
    /* A step beyond the length takes one item; its negation cannot overflow. */
    const uint64_t stride = is_back ? (uint64_t)0 - (uint64_t)out->step : (uint64_t)out->step;
    out->n = distance <= 0 ? 0 : (size_t)(((uint64_t)distance - 1) / stride + 1);
    return 0;
}

static int slice_list(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const slice *s)
{
    int rc = gol_jinja_charge(j, s->n / 4);
    if (rc == 0)
        rc = gol_jlist_create(j, out, (gol_jtype)v->type, s->n);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < s->n; i++) /* start and n keep it in range */
        out->list->items[i] = v->list->items[s->start + (int64_t)i * s->step];
    out->list->n = s->n;
    if (v->type == GOL_J_RANGE) {
        const gol_jlist *of = v->list;
        out->list->start = of->start + s->start * of->step;
        out->list->step = of->step * s->step;
        out->list->stop = out->list->start + (int64_t)s->n * out->list->step;
    }
    return 0;
}

static int slice_text(gol_jinja *j, gol_jvalue *out, gol_str text, const slice *s)
{
    int rc = gol_jinja_charge_bytes(j, text.len);
    if (rc != 0)
        return rc;
    if (s->step == 1 || s->n <= 1) {
        const size_t from = gol_jchar_offset(text, s->start < 0 ? 0 : (size_t)s->start);
        const gol_str rest = {text.data ? text.data + from : NULL, text.len - from};
        *out = gol_jvalue_str((gol_str){rest.data, gol_jchar_offset(rest, s->n)});
        return 0;
    }
    /* Where each character begins, then the chosen ones. */
    const size_t n_chars = gol_utf8_count(text);
    uint32_t *starts = text.len < UINT32_MAX ? gol_jinja_alloc(j, n_chars + 1, sizeof *starts)
                                             : NULL;
    char *chosen = gol_jinja_alloc(j, text.len, 1);
    if (!starts || !chosen)
        return j->err.code != 0 ? j->err.code : gol_jinja_no_memory(j);
    size_t k = 0;
    for (size_t pos = 0; pos < text.len; gol_jchar_next(text, &pos))
        starts[k++] = (uint32_t)pos;
    starts[k] = (uint32_t)text.len;
    size_t len = 0;
    for (size_t i = 0; i < s->n; i++) {
        const size_t at = (size_t)(s->start + (int64_t)i * s->step);
        memcpy(chosen + len, text.data + starts[at], starts[at + 1] - starts[at]);
        len += starts[at + 1] - starts[at];
    }
    *out = gol_jvalue_str((gol_str){chosen, len});
    return gol_jinja_charge_bytes(j, text.len * 8);
}

int gol_jaccess_slice(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v,
                      const gol_jvalue bounds[3])
{
    slice s;
    if (v->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, v);
    const bool is_list = v->type == GOL_J_LIST || v->type == GOL_J_TUPLE || v->type == GOL_J_RANGE;
    if (!is_list && v->type != GOL_J_STRING)
        return gol_jinja_fail(j, "'%s' object cannot be sliced", gol_jvalue_type_name(v));
    const size_t n = is_list ? v->list->n : gol_utf8_count(v->str);
    const int rc = find_slice(j, &s, bounds, n);
    if (rc != 0)
        return rc;
    return is_list ? slice_list(j, out, v, &s) : slice_text(j, out, v->str, &s);
}

/* ---- walking ---- */

static int chars_of(gol_jinja *j, gol_jvalue *out, gol_str s)
{
    int rc = gol_jlist_create(j, out, GOL_J_LIST, gol_utf8_count(s));
    for (size_t pos = 0; pos < s.len && rc == 0;) {
        const size_t from = pos;
        gol_jchar_next(s, &pos);
        rc = gol_jlist_push(j, out->list, gol_jvalue_str((gol_str){s.data + from, pos - from}));
    }
    return rc;
}

static int keys_of(gol_jinja *j, gol_jvalue *out, const gol_jdict *dict)
{
    int rc = gol_jlist_create(j, out, GOL_J_LIST, dict->n);
    for (size_t i = 0; i < dict->n && rc == 0; i++)
        rc = gol_jlist_push(j, out->list, dict->entries[i].key);
    return rc;
}

/* What is left of an iterator, which is then used up. */
static int rest_of(gol_jinja *j, gol_jvalue *out, gol_jlist *list)
{
    int rc = gol_jlist_create(j, out, GOL_J_LIST, list->n - list->n_taken);
    for (size_t i = list->n_taken; i < list->n && rc == 0; i++)
        rc = gol_jlist_push(j, out->list, list->items[i]);
    list->n_taken = list->n;
    return rc;
}

int gol_jiterate(gol_jinja *j, const gol_jlist **out, const gol_jvalue *v)
{
    static const gol_jlist empty = {0};
    gol_jvalue list;
    int rc;
    *out = &empty;
    switch (v->type) {
    case GOL_J_LIST:
    case GOL_J_TUPLE:
    case GOL_J_RANGE:
    case GOL_J_VIEW:
        *out = v->list;
        return 0;
    case GOL_J_UNDEFINED:
        return 0;
    case GOL_J_ITERATOR:
        rc = rest_of(j, &list, v->list);
        break;
    case GOL_J_STRING:
        rc = chars_of(j, &list, v->str);
        break;
    case GOL_J_DICT:
        rc = keys_of(j, &list, v->dict);
        break;
    default:
        return gol_jinja_fail(j, "'%s' object is not iterable", gol_jvalue_type_name(v));
    }
    if (rc == 0)
        *out = list.list;
    return rc;
}

int gol_jlength(gol_jinja *j, size_t *out, const gol_jvalue *v)
{
    *out = 0;
    switch (v->type) {
    case GOL_J_UNDEFINED:
        return 0;
    case GOL_J_STRING:
        *out = gol_utf8_count(v->str);
        return gol_jinja_charge_bytes(j, v->str.len);
    case GOL_J_LIST:
    case GOL_J_TUPLE:
    case GOL_J_RANGE:
    case GOL_J_VIEW:
        *out = v->list->n;
        return 0;
    case GOL_J_DICT:
        *out = v->dict->n;
        return 0;
    case GOL_J_OBJECT:
        if (v->object->kind == GOL_JOBJECT_LOOP) {
            *out = v->object->items->n;
            return 0;
        }
        break;
    default:
        break;
    }
    return gol_jinja_fail(j, "object of type '%s' has no len()", gol_jvalue_type_name(v));
}
