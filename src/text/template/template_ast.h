/*
 * The tree of a template: one node type, immutable after the parse, in the template's arena. What each kind uses:
 *
 *   expressions
 *     CONST       value
 *     NAME        name (interned: equal names of one template have equal pointers)
 *     LIST TUPLE  list: items
 *     DICT        list: PAIR {a: key, b: value}
 *     GETATTR     a, name
 *     GETITEM     a, b: the index, which may be a SLICE {a, b, c; NULL where left out}
 *     CALL        a: what is called, list: ARG
 *     FILTER      a: operand (NULL: the text of the block), name, row, list: ARG
 *     TEST        a, name, row, list: ARG
 *     UNARY       op, a          BINARY  op, a, b
 *     AND OR      a, b           CONCAT  list
 *     COMPARE     a, list: OPERAND {op, a}
 *     COND        a: the test, b: then, c: else or NULL
 *     ARG         op: how it is passed, name (of a keyword), a
 *   targets: NAME, TUPLE of targets, NSREF {name: the namespace, a: NAME of the attribute}
 *   statements
 *     DATA        value: the text
 *     OUTPUT      a
 *     IF          list: BRANCH {a: the test or NULL, list: body}
 *     FOR         a: target, b: what is walked, c: filter or NULL, list: body, list2: else; flag: recursive
 *     SET         a: target, b       SETBLOCK  a: target, b: FILTER or NULL, list: body
 *     WITH        list2: SET, list: body
 *     MACRO       name, list2: PARAM {name, a: default or NULL}, list: body, op: GOL_JUSES_...
 *     CALLBLOCK   a: CALL, list2: PARAM, list: body, op
 *     FILTERBLOCK b: FILTER, list: body
 *     SCOPE       list: body; flag: sees the context and top-level variables only (a block)
 *     BREAK CONTINUE
 */
#ifndef GOL_TEXT_TEMPLATE_TEMPLATE_AST_H
#define GOL_TEXT_TEMPLATE_TEMPLATE_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "text/template/jvalue.h"

typedef enum gol_jnode_kind {
    GOL_JNODE_CONST,
    GOL_JNODE_NAME,
    GOL_JNODE_LIST,
    GOL_JNODE_TUPLE,
    GOL_JNODE_DICT,
    GOL_JNODE_PAIR,
    GOL_JNODE_GETATTR,
    GOL_JNODE_GETITEM,
    GOL_JNODE_SLICE,
    GOL_JNODE_CALL,
    GOL_JNODE_FILTER,
    GOL_JNODE_TEST,
    GOL_JNODE_UNARY,
    GOL_JNODE_BINARY,
    GOL_JNODE_AND,
    GOL_JNODE_OR,
    GOL_JNODE_CONCAT,
    GOL_JNODE_COMPARE,
    GOL_JNODE_OPERAND,
    GOL_JNODE_COND,
    GOL_JNODE_ARG,
    GOL_JNODE_PARAM,
    GOL_JNODE_NSREF,
    GOL_JNODE_DATA,
    GOL_JNODE_OUTPUT,
    GOL_JNODE_IF,
    GOL_JNODE_BRANCH,
    GOL_JNODE_FOR,
    GOL_JNODE_SET,
    GOL_JNODE_SETBLOCK,
    GOL_JNODE_WITH,
    GOL_JNODE_MACRO,
    GOL_JNODE_CALLBLOCK,
    GOL_JNODE_FILTERBLOCK,
    GOL_JNODE_SCOPE,
    GOL_JNODE_BREAK,
    GOL_JNODE_CONTINUE,
} gol_jnode_kind;

typedef enum gol_joperator {
    GOL_JOP_ADD,
    GOL_JOP_SUB,
    GOL_JOP_MUL,
    GOL_JOP_DIV,
    GOL_JOP_FLOORDIV,
    GOL_JOP_MOD,
    GOL_JOP_POW,
    GOL_JOP_EQ,
    GOL_JOP_NE,
    GOL_JOP_LT,
    GOL_JOP_LE,
    GOL_JOP_GT,
    GOL_JOP_GE,
    GOL_JOP_IN,
    GOL_JOP_NOTIN,
    GOL_JOP_NOT,
    GOL_JOP_NEG,
    GOL_JOP_POS,
} gol_joperator;

typedef enum gol_jpassing {
    GOL_JPASS_POSITION,
    GOL_JPASS_KEYWORD,
    GOL_JPASS_LIST, /* *args */
    GOL_JPASS_DICT, /* **kwargs */
} gol_jpassing;

enum { /* names that a macro's body reads, which decides what it accepts */
       GOL_JUSES_CALLER = 1,
       GOL_JUSES_VARARGS = 2,
       GOL_JUSES_KWARGS = 4,
};

typedef struct gol_jnode {
    uint8_t kind;
    uint8_t op;
    bool flag;
    uint32_t line;
    struct gol_jnode *next; /* in a list */
    struct gol_jnode *a;
    struct gol_jnode *b;
    struct gol_jnode *c;
    struct gol_jnode *list;
    struct gol_jnode *list2;
    const struct gol_jbuiltin
        *row; /* NULL: no such filter or test, which is told when it is reached */
    gol_str name;
    gol_jvalue value;
} gol_jnode;

enum {
    GOL_TEMPLATE_NESTING_MAX =
        200, /* of the parser: expressions and statements inside each other */
};

/* Names with a meaning of their own, interned in every template. */
extern const gol_str gol_jname_loop, gol_jname_caller, gol_jname_varargs, gol_jname_kwargs;

typedef struct gol_jtree {
    gol_jnode *body;
    gol_str *names; /* [n_names] each name that is read or set, once */
    size_t n_names;
} gol_jtree;

/* Errors: GOL_EINVAL (which line, what was found, what was expected), GOL_ENOMEM. */
int gol_template_parse_tree(gol_jtree *out, gol_arena *arena, gol_str source, gol_err *err);

#endif
