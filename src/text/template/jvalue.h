/*
 * The values of chat templates, with Python's semantics where templates can see them: 64-bit integers (an overflow is an error),
 * shortest floats, text counted in characters, lists and dicts that are shared, not copied.
 *
 * All values of one render live in one gol_jinja: its arena owns them, its budget pays for them, and its err says why an
 * operation failed. Nothing is ever freed before the whole.
 *
 *     gol_jinja j;
 *     gol_jinja_init(&j, NULL);                       // default limits
 *     gol_jvalue context, messages;
 *     gol_jdict_create(&j, &context);
 *     gol_jlist_create(&j, &messages, GOL_J_LIST, 1);
 *     gol_jdict_set_str(&j, context.dict, GOL_STR("messages"), messages);
 *     ...
 *     gol_jinja_deinit(&j);
 *
 * Functions that return int give 0, or a negative GOL_E... with j->err filled.
 */
#ifndef GOL_TEXT_TEMPLATE_JVALUE_H
#define GOL_TEXT_TEMPLATE_JVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef enum gol_jtype {
    GOL_J_ABSENT, /* an argument that was not given; templates never see it */
    GOL_J_UNDEFINED,
    GOL_J_NONE,
    GOL_J_BOOL,
    GOL_J_INT,
    GOL_J_FLOAT,
    GOL_J_STRING,
    GOL_J_LIST,
    GOL_J_TUPLE,
    GOL_J_RANGE,
    GOL_J_VIEW,     /* keys, values or items of a dict */
    GOL_J_ITERATOR, /* what map, select and their like give: can be walked once */
    GOL_J_DICT,
    GOL_J_NAMESPACE,
    GOL_J_OBJECT, /* what can be called, and loops */
} gol_jtype;

/* Why a value is undefined; its str is the name. */
typedef enum gol_jhint {
    GOL_JHINT_NAME,      /* 'x' is undefined */
    GOL_JHINT_ATTRIBUTE, /* ... has no attribute 'x' */
    GOL_JHINT_TEXT,      /* str is the whole message */
} gol_jhint;

typedef struct gol_jlist gol_jlist;
typedef struct gol_jdict gol_jdict;
typedef struct gol_jobject gol_jobject; /* render.h */

typedef struct gol_jvalue {
    uint8_t type; /* gol_jtype */
    uint8_t hint; /* gol_jhint */
    uint8_t of;   /* UNDEFINED: the type of what lacks the attribute */
    bool is_safe; /* STRING: escaped for HTML, or said to be */
    union {
        bool b;
        int64_t i;
        double f;
        gol_str str; /* valid UTF-8 */
        gol_jlist *list;
        gol_jdict *dict;
        gol_jobject *object;
    };
} gol_jvalue;

struct gol_jlist {
    gol_jvalue *items; /* [n] */
    size_t n;
    size_t cap;
    size_t n_taken;      /* ITERATOR: items that were handed out already */
    const char *view;    /* VIEW: "dict_keys" */
    bool is_group;       /* TUPLE: from groupby, has .grouper and .list */
    int64_t start, stop; /* RANGE, for printing */
    int64_t step;
};

typedef struct gol_jentry {
    gol_jvalue key;
    gol_jvalue value;
} gol_jentry;

/* In order of insertion. Small ones are searched, larger ones have a hash table over the entries. */
struct gol_jdict {
    gol_jentry *entries; /* [n] */
    size_t n;
    size_t cap;
    uint32_t *slots; /* [n_slots] index + 1, 0 is free; NULL while small */
    size_t n_slots;
};

/* What a render may use. */
typedef struct gol_jinja_limits {
    size_t memory_max;  /* bytes of values */
    size_t output_max;  /* bytes of text, also while it is captured */
    uint64_t steps_max; /* nodes evaluated, items touched, bytes copied / 64 */
} gol_jinja_limits;

enum {
    GOL_JINJA_MEMORY_MAX = 256 << 20,
    GOL_JINJA_OUTPUT_MAX = 64 << 20,
    GOL_JINJA_STEPS_MAX = 20000000,
    GOL_JINJA_DEPTH_MAX = 400, /* statements, expressions and calls inside each other */
    GOL_JINJA_VALUE_DEPTH_MAX =
        128,                      /* lists and dicts inside each other, when printed or compared */
    GOL_JINJA_RANGE_MAX = 100000, /* items of one range(), as in Jinja's sandbox */
};

typedef struct gol_jinja {
    gol_arena arena;
    gol_jinja_limits limits;
    uint64_t n_steps;
    uint64_t hash_key[2];
    gol_err err;
    bool was_raised; /* by the template's raise_exception() */

    /* During a render; render.h. */
    uint32_t line;
    int depth;
    gol_buf *out;
    size_t out_base; /* of out->len: where the render's text begins */
    struct gol_jscope *scope;
    struct gol_jscope *free_scopes;
    const gol_jdict *context;
    struct tm now;
} gol_jinja;

/* limits: NULL for the defaults; a member that is 0 is its default. */
void gol_jinja_init(gol_jinja *j, const gol_jinja_limits *limits);
void gol_jinja_deinit(gol_jinja *j);

/* Fills j->err ("line 12: ...", when a line is known) and returns GOL_EINVAL. */
int gol_jinja_fail(gol_jinja *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
int gol_jinja_no_memory(gol_jinja *j);
/* Counts n steps; fails when there are too many. */
int gol_jinja_charge(gol_jinja *j, uint64_t n);
int gol_jinja_charge_bytes(gol_jinja *j, size_t n_bytes);
void *gol_jinja_alloc(gol_jinja *j, size_t n, size_t size); /* NULL with j->err filled */

static inline gol_jvalue gol_jvalue_none(void)
{
    return (gol_jvalue){.type = GOL_J_NONE};
}

static inline gol_jvalue gol_jvalue_bool(bool b)
{
    return (gol_jvalue){.type = GOL_J_BOOL, .b = b};
}

static inline gol_jvalue gol_jvalue_int(int64_t i)
{
    return (gol_jvalue){.type = GOL_J_INT, .i = i};
}

static inline gol_jvalue gol_jvalue_float(double f)
{
    return (gol_jvalue){.type = GOL_J_FLOAT, .f = f};
}

/* A view: the bytes must outlive the render and be valid UTF-8. */
static inline gol_jvalue gol_jvalue_str(gol_str s)
{
    return (gol_jvalue){.type = GOL_J_STRING, .str = s};
}

static inline gol_jvalue gol_jvalue_undefined(gol_jhint hint, gol_str name)
{
    return (gol_jvalue){.type = GOL_J_UNDEFINED, .hint = (uint8_t)hint, .str = name};
}

/* Its whole part fits into 64 bits; a NaN's does not. */
static inline bool gol_jfloat_fits(double f)
{
    const double two_63 = 9223372036854775808.0;
    return f >= -two_63 && f < two_63;
}

static inline bool gol_jvalue_is_sequence(const gol_jvalue *v) /* v->list is set */
{
    return v->type >= GOL_J_LIST && v->type <= GOL_J_ITERATOR;
}

/* A copy of s in the arena. */
int gol_jvalue_copy_str(gol_jinja *j, gol_jvalue *out, gol_str s);

/* type: one of the sequences. cap: room to begin with. */
int gol_jlist_create(gol_jinja *j, gol_jvalue *out, gol_jtype type, size_t cap);
int gol_jlist_push(gol_jinja *j, gol_jlist *list, gol_jvalue item);
int gol_jlist_insert(gol_jinja *j, gol_jlist *list, size_t at, gol_jvalue item);
void gol_jlist_remove(gol_jlist *list, size_t at);

int gol_jdict_create(gol_jinja *j, gol_jvalue *out);
/* An equal key keeps its place. Fails for keys that Python could not hash. */
int gol_jdict_set(gol_jinja *j, gol_jdict *dict, const gol_jvalue *key, gol_jvalue value);
int gol_jdict_set_str(gol_jinja *j, gol_jdict *dict, gol_str key, gol_jvalue value);
/* *out: the value in place, NULL when there is none. */
int gol_jdict_find(gol_jinja *j, gol_jvalue **out, const gol_jdict *dict, const gol_jvalue *key);
gol_jvalue *gol_jdict_find_str(gol_jinja *j, const gol_jdict *dict, gol_str key);
int gol_jdict_remove(gol_jinja *j, gol_jdict *dict, size_t at);

/* Python's name of the type: "str", "NoneType". */
const char *gol_jvalue_type_name(const gol_jvalue *v);
bool gol_jvalue_is_true(const gol_jvalue *v);
/* An operation met an undefined value: says which. Returns GOL_EINVAL. */
int gol_jvalue_fail_undefined(gol_jinja *j, const gol_jvalue *v);

/* ==; numbers by value, lists and dicts by content. */
int gol_jvalue_equal(gol_jinja *j, bool *out, const gol_jvalue *a, const gol_jvalue *b);
/* < 0, 0 or > 0; fails where Python has no order. op is for the message ("<"). A NaN is unordered: *out is then 2. */
int gol_jvalue_compare(gol_jinja *j, int *out, const gol_jvalue *a, const gol_jvalue *b,
                       const char *op);
/* Of what may be a dict's key. */
int gol_jvalue_hash(gol_jinja *j, uint64_t *out, const gol_jvalue *v);

/* str(v) and repr(v), appended to out. */
int gol_jvalue_put_str(gol_jinja *j, gol_buf *out, const gol_jvalue *v);
int gol_jvalue_put_repr(gol_jinja *j, gol_buf *out, const gol_jvalue *v);
/* str(v) as a value: v itself when it is a string. */
int gol_jvalue_to_str(gol_jinja *j, gol_str *out, const gol_jvalue *v);
/* As Python writes a float: shortest digits, "1e+16", "inf". */
enum { GOL_JFLOAT_SIZE = 32 };
void gol_jvalue_format_float(char buf[static GOL_JFLOAT_SIZE], double f);

typedef struct gol_jjson_opts {
    bool has_indent;
    gol_str indent; /* of one level */
    gol_str item_separator;
    gol_str key_separator;
    bool ensure_ascii;
    bool sort_keys;
} gol_jjson_opts;

/* json.dumps(v), appended to out. */
int gol_jvalue_put_json(gol_jinja *j, gol_buf *out, const gol_jvalue *v,
                        const gol_jjson_opts *opts);

#endif
