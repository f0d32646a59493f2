/*
 * What templates can call by name: filters, tests, methods and global functions. All are rows of const tables.
 *
 * A row with params gets its arguments bound: args[i] belongs to params[i], GOL_J_ABSENT when it was not given. A row with
 * run_raw reads positions and keywords itself.
 */
#ifndef GOL_TEXT_TEMPLATE_JBUILTIN_H
#define GOL_TEXT_TEMPLATE_JBUILTIN_H

#include "text/template/jvalue.h"

enum { GOL_JPARAMS_MAX = 6 };

/* Arguments as they were written. */
typedef struct gol_jargs {
    const gol_jvalue *items; /* [n] by position */
    size_t n;
    const gol_jentry *named; /* [n_named] keys are strings */
    size_t n_named;
} gol_jargs;

typedef struct gol_jbuiltin {
    const char *name;
    int n_required;
    const char *params[GOL_JPARAMS_MAX]; /* the rest NULL */
    /* self: what a filter, test or method is applied to; NULL for functions. Tests give a bool. */
    int (*run)(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args);
    int (*run_raw)(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jargs *args);
} gol_jbuiltin;

/* NULL: none of that name. */
const gol_jbuiltin *gol_jfilter_find(gol_str name);
const gol_jbuiltin *gol_jtest_find(gol_str name);
const gol_jbuiltin *gol_jfunction_find(gol_str name);
const gol_jbuiltin *gol_jmethod_find(const gol_jvalue *self, gol_str name);

int gol_jbuiltin_call(gol_jinja *j, gol_jvalue *out, const gol_jbuiltin *row,
                      const gol_jvalue *self, const gol_jargs *args);

/* The groups that make up the tables; each ends with a row without a name. */
extern const gol_jbuiltin gol_jfilters_text[];
extern const gol_jbuiltin gol_jfilters_html[];
extern const gol_jbuiltin gol_jfilters_number[];
extern const gol_jbuiltin gol_jfilters_list[];
extern const gol_jbuiltin gol_jfilters_select[];
extern const gol_jbuiltin gol_jfilters_sort[];
extern const gol_jbuiltin gol_jfilters_value[];
extern const gol_jbuiltin gol_jtests[];
extern const gol_jbuiltin gol_jfunctions[];
extern const gol_jbuiltin gol_jmethods_str[];
extern const gol_jbuiltin gol_jmethods_str_split[];
extern const gol_jbuiltin gol_jmethods_list[];
extern const gol_jbuiltin gol_jmethods_tuple[];
extern const gol_jbuiltin gol_jmethods_dict[];
extern const gol_jbuiltin gol_jmethods_number[];

/* Arguments. An absent one gives `otherwise`; none counts as absent where Python's default is None. Failures name the function. */
int gol_jarg_int(gol_jinja *j, int64_t *out, const gol_jvalue *arg, int64_t otherwise,
                 const char *what);
int gol_jarg_str(gol_jinja *j, gol_str *out, const gol_jvalue *arg, gol_str otherwise,
                 const char *what);
static inline bool gol_jarg_is_given(const gol_jvalue *arg)
{
    return arg->type != GOL_J_ABSENT;
}
static inline bool gol_jarg_is_true(const gol_jvalue *arg)
{
    return gol_jvalue_is_true(arg);
}

#endif
