/*
 * Source of a template -> tokens, on demand. Jinja's rules with trim_blocks and lstrip_blocks on, as Hugging Face sets them: the
 * newline behind a statement or comment goes, and so do blanks between a line's start and a statement or comment; '-' takes all
 * white space on its side, '+' keeps all.
 */
#ifndef GOL_TEXT_TEMPLATE_TEMPLATE_LEXER_H
#define GOL_TEXT_TEMPLATE_TEMPLATE_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef enum gol_jtoken_kind {
    GOL_JTOK_END,
    GOL_JTOK_DATA,
    GOL_JTOK_BLOCK_BEGIN, /* {% */
    GOL_JTOK_BLOCK_END,
    GOL_JTOK_VARIABLE_BEGIN, /* {{ */
    GOL_JTOK_VARIABLE_END,
    GOL_JTOK_NAME,
    GOL_JTOK_STRING,
    GOL_JTOK_INT,
    GOL_JTOK_FLOAT,
    GOL_JTOK_ADD,
    GOL_JTOK_SUB,
    GOL_JTOK_MUL,
    GOL_JTOK_DIV,
    GOL_JTOK_FLOORDIV,
    GOL_JTOK_MOD,
    GOL_JTOK_POW,
    GOL_JTOK_TILDE,
    GOL_JTOK_LBRACKET,
    GOL_JTOK_RBRACKET,
    GOL_JTOK_LPAREN,
    GOL_JTOK_RPAREN,
    GOL_JTOK_LBRACE,
    GOL_JTOK_RBRACE,
    GOL_JTOK_EQ,
    GOL_JTOK_NE,
    GOL_JTOK_LT,
    GOL_JTOK_LE,
    GOL_JTOK_GT,
    GOL_JTOK_GE,
    GOL_JTOK_ASSIGN,
    GOL_JTOK_DOT,
    GOL_JTOK_COLON,
    GOL_JTOK_PIPE,
    GOL_JTOK_COMMA,
    GOL_JTOK_SEMICOLON,
} gol_jtoken_kind;

typedef struct gol_jtoken {
    gol_jtoken_kind kind;
    uint32_t line;
    gol_str text; /* DATA, NAME, STRING: the content, escapes resolved */
    int64_t i;
    double f;
} gol_jtoken;

enum { GOL_JLEXER_NESTING_MAX = 256 }; /* brackets inside each other */

typedef struct gol_jlexer {
    gol_arena *arena;
    gol_err *err;
    gol_str source; /* newlines are \n, and a last one is gone */
    size_t pos;
    uint32_t line;
    enum { GOL_JLEX_DATA, GOL_JLEX_BLOCK, GOL_JLEX_VARIABLE } mode;
    bool at_line_start; /* what came before ended with a newline */
    bool has_open;      /* a tag's opening was seen behind the data just given */
    gol_jtoken open;
    char brackets[GOL_JLEXER_NESTING_MAX]; /* [n_brackets] the closing ones that are due */
    int n_brackets;
} gol_jlexer;

/* Errors: GOL_EINVAL (no UTF-8), GOL_ENOMEM. */
int gol_jlexer_init(gol_jlexer *x, gol_arena *arena, gol_str source, gol_err *err);
int gol_jlexer_next(gol_jlexer *x, gol_jtoken *out);

const char *gol_jtoken_kind_name(gol_jtoken_kind kind); /* "'{%'", "a name" */

#endif
