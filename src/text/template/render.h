/*
 * The evaluator's own: scopes, callable objects, and what its files ask of each other.
 */
#ifndef GOL_TEXT_TEMPLATE_RENDER_H
#define GOL_TEXT_TEMPLATE_RENDER_H

#include "text/template/jbuiltin.h"
#include "text/template/template_ast.h"

typedef struct gol_jvar {
    gol_str name; /* interned by the parser: compared by pointer */
    gol_jvalue value;
} gol_jvar;

/* Variables of one block, searched from the innermost outwards. Used again when its block ends, unless a macro keeps it. */
typedef struct gol_jscope {
    struct gol_jscope *parent;
    gol_jvar *vars; /* [n] */
    size_t n;
    size_t cap;
    bool is_kept;
} gol_jscope;

typedef enum gol_jobject_kind {
    GOL_JOBJECT_FUNCTION, /* row */
    GOL_JOBJECT_METHOD,   /* row, self */
    GOL_JOBJECT_MACRO,    /* node, scope */
    GOL_JOBJECT_LOOP,
    GOL_JOBJECT_CYCLER,
    GOL_JOBJECT_JOINER,
} gol_jobject_kind;

struct gol_jobject {
    gol_jobject_kind kind;
    const gol_jbuiltin *row;
    gol_jvalue self;        /* METHOD; CYCLER: list of items; JOINER: the separator */
    const gol_jnode *node;  /* MACRO, LOOP: where it stands */
    gol_jscope *scope;      /* MACRO: where it was defined; LOOP: around it */
    const gol_jlist *items; /* LOOP: what is walked */
    size_t index;           /* LOOP, CYCLER: the current item; JOINER: 1 after its first use */
    int64_t depth;          /* LOOP: of recursion */
    gol_jvalue changed;     /* LOOP: the last arguments of changed() */
};

/* What a statement did: an error code, or one of these. */
enum { GOL_JRUN_ON = 0, GOL_JRUN_BREAK = 1, GOL_JRUN_CONTINUE = 2 };

int gol_jeval(gol_jinja *j, gol_jvalue *out, const gol_jnode *n);
/* A chain of FILTER nodes whose innermost has no operand: text is it. */
int gol_jeval_filters(gol_jinja *j, gol_jvalue *out, const gol_jnode *n, const gol_jvalue *text);
int gol_jexec(gol_jinja *j, const gol_jnode *list);
/* Runs a list of statements in a scope that is already there and gives what they wrote. */
int gol_jexec_capture(gol_jinja *j, gol_jvalue *out, const gol_jnode *list);
/* The body of a recursive loop over other items. */
int gol_jexec_loop_again(gol_jinja *j, gol_jvalue *out, const gol_jobject *loop,
                         const gol_jvalue *items);

/* depth + 1, refused beyond the limit; the caller takes it back. */
int gol_jinja_enter(gol_jinja *j);

gol_jscope *gol_jscope_push(gol_jinja *j, gol_jscope *parent); /* NULL with j->err filled */
void gol_jscope_pop(gol_jinja *j,
                    gol_jscope *outer); /* back to the scope that was current before */
int gol_jscope_set(gol_jinja *j, gol_str name, gol_jvalue value);
int gol_jscope_get(gol_jinja *j, gol_jvalue *out, gol_str name);

/* a op b */
int gol_jop_binary(gol_jinja *j, gol_jvalue *out, gol_joperator op, const gol_jvalue *a,
                   const gol_jvalue *b);
int gol_jop_compare(gol_jinja *j, bool *out, gol_joperator op, const gol_jvalue *a,
                    const gol_jvalue *b);
int gol_jop_unary(gol_jinja *j, gol_jvalue *out, gol_joperator op, const gol_jvalue *a);
int gol_jop_contains(gol_jinja *j, bool *out, const gol_jvalue *item, const gol_jvalue *in);
/* What ~ does: str() of all, joined. */
int gol_jop_concat(gol_jinja *j, gol_jvalue *out, const gol_jvalue *parts, size_t n);

/* v.name and v[index]; what is not there is undefined. */
int gol_jaccess_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name);
int gol_jaccess_item(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jvalue *index);
/* bounds[3]: start, stop, step; absent or none where left out. */
int gol_jaccess_slice(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v,
                      const gol_jvalue bounds[3]);
/* "a.b.0", an integer, or nothing: how filters name attributes. */
int gol_jaccess_path(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, const gol_jvalue *path);

/* The items of anything that can be walked: a list that may be v's own (not to be changed), or a new one. An iterator is used
 * up. n of len(v), or an error. */
int gol_jiterate(gol_jinja *j, const gol_jlist **out, const gol_jvalue *v);
int gol_jlength(gol_jinja *j, size_t *out, const gol_jvalue *v);

int gol_jcall(gol_jinja *j, gol_jvalue *out, const gol_jvalue *callee, const gol_jargs *args);
/* Evaluates ARG nodes. */
int gol_jcall_args(gol_jinja *j, gol_jargs *out, const gol_jnode *list);
int gol_jobject_create(gol_jinja *j, gol_jvalue *out, gol_jobject object);
int gol_jobject_attr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v, gol_str name);
/* dict(...) and dict.update(...): one mapping or list of pairs, then keywords. */
int gol_jdict_fill(gol_jinja *j, gol_jdict *dict, const gol_jargs *args);
/* Sorts items in place, stable, by their keys (NULL: by themselves), which are sorted along. */
int gol_jsort(gol_jinja *j, gol_jvalue *items, gol_jvalue *keys, size_t n, bool is_reverse);

/* A filter or a test by name, for map and select. */
int gol_jcall_filter(gol_jinja *j, gol_jvalue *out, gol_str name, const gol_jvalue *self,
                     const gol_jargs *args);
int gol_jcall_test(gol_jinja *j, bool *out, gol_str name, const gol_jvalue *self,
                   const gol_jargs *args);

/* A copy of the text in the arena, once the buffer has not failed; frees the buffer in any case. rc: what came before, which is
 * passed on. */
int gol_jfinish_text(gol_jinja *j, gol_jvalue *out, gol_buf *text, int rc);
void gol_jbegin_text(const gol_jinja *j, gol_buf *text);

/* printf-style % and str.format(). */
int gol_jformat_percent(gol_jinja *j, gol_jvalue *out, gol_str format, const gol_jvalue *values);
int gol_jformat_braces(gol_jinja *j, gol_jvalue *out, gol_str format, const gol_jargs *args);
/* HTML: & < > ' " */
int gol_jhtml_escape(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v);

#endif
