/* What the two halves of the parser share: statements in template_parser.c, expressions in template_parse_expr.c. */
#ifndef GOL_TEXT_TEMPLATE_TEMPLATE_PARSER_H
#define GOL_TEXT_TEMPLATE_TEMPLATE_PARSER_H

#include "base/str_table.h"
#include "text/template/template_ast.h"
#include "text/template/template_lexer.h"

typedef struct gol_jparser {
    gol_arena *arena;
    gol_err *err;
    gol_jlexer lexer;
    gol_jtoken token; /* the one to look at */
    gol_jtoken ahead; /* the one behind it */
    int depth;
    int n_loops;   /* fors around, within the macro */
    unsigned uses; /* GOL_JUSES_... that were read in the macro being parsed */
    gol_str_table names;
    gol_str *interned; /* [names.n] */
    size_t cap_interned;
} gol_jparser;

/* A list of nodes, appended at its end. */
typedef struct gol_jnodes {
    gol_jnode *first;
    gol_jnode **last;
} gol_jnodes;

static inline void gol_jnodes_push(gol_jnodes *list, gol_jnode *node)
{
    if (!list->last)
        list->last = &list->first;
    *list->last = node;
    list->last = &node->next;
}

/* Every function returns NULL or an error code after filling err. */
gol_jnode *gol_jparser_node(gol_jparser *p, gol_jnode_kind kind);
int gol_jparser_intern(gol_jparser *p, gol_str *name);
int gol_jparser_next(gol_jparser *p);
int gol_jparser_fail(gol_jparser *p, const char *expected); /* "expected ..., found ..." */
int gol_jparser_expect(gol_jparser *p, gol_jtoken_kind kind);
bool gol_jparser_is_name(const gol_jtoken *token, const char *name);
/* One level deeper; the caller subtracts it again. */
int gol_jparser_enter(gol_jparser *p);

/* allows_cond: "a if b" may follow (not in the head of a for or an if). */
gol_jnode *gol_jparser_expression(gol_jparser *p, bool allows_cond);
/* An expression, or several with commas: a tuple. is_explicit: in parentheses, where it may be empty. end_name: a name that
 * ends it, or NULL. */
gol_jnode *gol_jparser_tuple(gol_jparser *p, bool allows_cond, bool is_explicit,
                             const char *end_name);
/* "a", "a, b", "(a, b)", "ns.x": what may stand left of "=". */
gol_jnode *gol_jparser_target(gol_jparser *p, bool allows_namespace, const char *end_name);
/* "|name(args)|name", or "name(args)" at once; operand may be NULL. */
gol_jnode *gol_jparser_filters(gol_jparser *p, gol_jnode *operand, bool is_first_bare);

#endif
