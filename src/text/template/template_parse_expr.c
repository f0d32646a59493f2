/*
 * Expressions. One function per level of precedence, from the inline if down to names and literals; binary operators of a level
 * bind to the left, ** too (unlike Python's).
 */
#include <string.h>

#include "text/template/jbuiltin.h"
#include "text/template/template_parser.h"

static gol_jnode *parse_unary(gol_jparser *p, bool with_filters);

static gol_jnode *binary(gol_jparser *p, gol_jnode_kind kind, gol_joperator op, gol_jnode *a,
                         uint32_t line)
{
    gol_jnode *n = a ? gol_jparser_node(p, kind) : NULL;
    if (!n)
        return NULL;
    n->op = (uint8_t)op;
    n->a = a;
    n->line = line;
    return n;
}

/* ---- names and literals ---- */

static gol_jnode *constant(gol_jparser *p, gol_jvalue value)
{
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_CONST);
    if (!n)
        return NULL;
    n->value = value;
    return gol_jparser_next(p) == 0 ? n : NULL;
}

static gol_jnode *parse_name(gol_jparser *p)
{
    const gol_str name = p->token.text;
    if (gol_str_is(name, "true") || gol_str_is(name, "True"))
        return constant(p, gol_jvalue_bool(true));
    if (gol_str_is(name, "false") || gol_str_is(name, "False"))
        return constant(p, gol_jvalue_bool(false));
    if (gol_str_is(name, "none") || gol_str_is(name, "None"))
        return constant(p, gol_jvalue_none());
    if (gol_str_is(name, "caller"))
        p->uses |= GOL_JUSES_CALLER;
    if (gol_str_is(name, "varargs"))
        p->uses |= GOL_JUSES_VARARGS;
    if (gol_str_is(name, "kwargs"))
        p->uses |= GOL_JUSES_KWARGS;
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_NAME);
    if (!n)
        return NULL;
    n->name = name;
    if (gol_jparser_intern(p, &n->name) != 0 || gol_jparser_next(p) != 0)
        return NULL;
    return n;
}

/* Strings side by side are one. */
static gol_jnode *parse_string(gol_jparser *p)
{
    gol_jnode *n = constant(p, gol_jvalue_str(p->token.text));
    while (n && p->token.kind == GOL_JTOK_STRING) {
        const gol_str a = n->value.str;
        const gol_str b = p->token.text;
        char *joined = gol_arena_try_alloc(p->arena, a.len + b.len);
        if (!joined) {
            gol_fail(p->err, GOL_ENOMEM, "out of memory");
            return NULL;
        }
        if (a.len > 0)
            memcpy(joined, a.data, a.len);
        if (b.len > 0)
            memcpy(joined + a.len, b.data, b.len);
        n->value.str = (gol_str){joined, a.len + b.len};
        if (gol_jparser_next(p) != 0)
            return NULL;
    }
    return n;
}

/* "[a, b]" or "{a: b}"; a comma may stand before the end. */
static gol_jnode *parse_items(gol_jparser *p, gol_jnode_kind kind, gol_jtoken_kind end)
{
    gol_jnode *n = gol_jparser_node(p, kind);
    gol_jnodes items = {0};
    if (!n || gol_jparser_next(p) != 0)
        return NULL;
    while (p->token.kind != end) {
        if (items.first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return NULL;
        if (p->token.kind == end)
            break;
        gol_jnode *item = gol_jparser_expression(p, true);
        if (item && kind == GOL_JNODE_DICT) {
            gol_jnode *pair = binary(p, GOL_JNODE_PAIR, 0, item, item->line);
            if (!pair || gol_jparser_expect(p, GOL_JTOK_COLON) != 0)
                return NULL;
            pair->b = gol_jparser_expression(p, true);
            item = pair->b ? pair : NULL;
        }
        if (!item)
            return NULL;
        gol_jnodes_push(&items, item);
    }
    n->list = items.first;
    return gol_jparser_next(p) == 0 ? n : NULL;
}

static gol_jnode *parse_parentheses(gol_jparser *p)
{
    if (gol_jparser_next(p) != 0)
        return NULL;
    gol_jnode *n = gol_jparser_tuple(p, true, true, NULL);
    if (!n || gol_jparser_expect(p, GOL_JTOK_RPAREN) != 0)
        return NULL;
    return n;
}

static gol_jnode *parse_primary(gol_jparser *p)
{
    switch (p->token.kind) {
    case GOL_JTOK_NAME:
        return parse_name(p);
    case GOL_JTOK_STRING:
        return parse_string(p);
    case GOL_JTOK_INT:
        return constant(p, gol_jvalue_int(p->token.i));
    case GOL_JTOK_FLOAT:
        return constant(p, gol_jvalue_float(p->token.f));
    case GOL_JTOK_LPAREN:
        return parse_parentheses(p);
    case GOL_JTOK_LBRACKET:
        return parse_items(p, GOL_JNODE_LIST, GOL_JTOK_RBRACKET);
    case GOL_JTOK_LBRACE:
        return parse_items(p, GOL_JNODE_DICT, GOL_JTOK_RBRACE);
    default:
        gol_jparser_fail(p, "an expression");
        return NULL;
    }
}

/* ---- what follows an operand: .name [index] (arguments) |filter is test ---- */

/* One part of a slice: an expression, or nothing. */
static int parse_slice_part(gol_jparser *p, gol_jnode **out)
{
    *out = NULL;
    const gol_jtoken_kind kind = p->token.kind;
    if (kind == GOL_JTOK_COLON || kind == GOL_JTOK_RBRACKET || kind == GOL_JTOK_COMMA)
        return 0;
    *out = gol_jparser_expression(p, true);
    return *out ? 0 : GOL_EINVAL;
}

static gol_jnode *parse_subscript(gol_jparser *p)
{
    gol_jnode *first = NULL;
    if (p->token.kind != GOL_JTOK_COLON) {
        first = gol_jparser_expression(p, true);
        if (!first || p->token.kind != GOL_JTOK_COLON)
            return first;
    }
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_SLICE);
    if (!n || gol_jparser_next(p) != 0)
        return NULL;
    n->a = first;
    if (parse_slice_part(p, &n->b) != 0)
        return NULL;
    if (p->token.kind == GOL_JTOK_COLON &&
        (gol_jparser_next(p) != 0 || parse_slice_part(p, &n->c) != 0))
        return NULL;
    return n;
}

static gol_jnode *parse_getitem(gol_jparser *p, gol_jnode *of)
{
    gol_jnode *n = binary(p, GOL_JNODE_GETITEM, 0, of, p->token.line);
    gol_jnodes parts = {0};
    if (!n || gol_jparser_next(p) != 0)
        return NULL;
    do {
        if (parts.first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return NULL;
        gol_jnode *part = parse_subscript(p);
        if (!part)
            return NULL;
        gol_jnodes_push(&parts, part);
    } while (p->token.kind != GOL_JTOK_RBRACKET);
    n->b = parts.first;
    if (parts.first->next) { /* x[1, 2] */
        gol_jnode *tuple = gol_jparser_node(p, GOL_JNODE_TUPLE);
        if (!tuple)
            return NULL;
        tuple->list = parts.first;
        n->b = tuple;
    }
    return gol_jparser_next(p) == 0 ? n : NULL;
}

static gol_jnode *parse_getattr(gol_jparser *p, gol_jnode *of)
{
    gol_jnode *n = binary(p, GOL_JNODE_GETATTR, 0, of, p->token.line);
    if (!n || gol_jparser_next(p) != 0)
        return NULL;
    if (p->token.kind == GOL_JTOK_INT) { /* x.0 */
        n->kind = GOL_JNODE_GETITEM;
        n->b = constant(p, gol_jvalue_int(p->token.i));
        return n->b ? n : NULL;
    }
    if (p->token.kind != GOL_JTOK_NAME) {
        gol_jparser_fail(p, "a name or a number behind the dot");
        return NULL;
    }
    n->name = p->token.text;
    if (gol_jparser_intern(p, &n->name) != 0 || gol_jparser_next(p) != 0)
        return NULL;
    return n;
}

/* How the next argument is passed; *previous says how the ones before were. The marks are skipped. */
static int parse_passing(gol_jparser *p, gol_jnode *arg, unsigned *previous)
{
    gol_jpassing how = GOL_JPASS_POSITION;
    if (p->token.kind == GOL_JTOK_MUL)
        how = GOL_JPASS_LIST;
    else if (p->token.kind == GOL_JTOK_POW)
        how = GOL_JPASS_DICT;
    else if (p->token.kind == GOL_JTOK_NAME && p->ahead.kind == GOL_JTOK_ASSIGN)
        how = GOL_JPASS_KEYWORD;
    /* No kind may follow a later one; only keywords may follow *args. */
    const unsigned forbidden[] = {
        [GOL_JPASS_POSITION] = 1u << GOL_JPASS_KEYWORD | 1u << GOL_JPASS_LIST |
                               1u << GOL_JPASS_DICT,
        [GOL_JPASS_KEYWORD] = 1u << GOL_JPASS_DICT,
        [GOL_JPASS_LIST] = 1u << GOL_JPASS_LIST | 1u << GOL_JPASS_DICT,
        [GOL_JPASS_DICT] = 1u << GOL_JPASS_DICT,
    };
    if (*previous & forbidden[how])
        return gol_fail(p->err, GOL_EINVAL, "line %u: arguments in the wrong order", p->token.line);
    *previous |= 1u << how;
    arg->op = (uint8_t)how;
    if (how == GOL_JPASS_KEYWORD) {
        arg->name = p->token.text;
        const int rc = gol_jparser_intern(p, &arg->name);
        if (rc != 0)
            return rc;
        gol_jparser_next(p);
    }
    return how == GOL_JPASS_POSITION ? 0 : gol_jparser_next(p);
}

/* "(a, b=c, *d, **e)"; *out: ARG nodes. */
static int parse_args(gol_jparser *p, gol_jnode **out)
{
    gol_jnodes args = {0};
    unsigned previous = 0;
    int rc = gol_jparser_next(p);
    while (rc == 0 && p->token.kind != GOL_JTOK_RPAREN) {
        if (args.first) {
            rc = gol_jparser_expect(p, GOL_JTOK_COMMA);
            if (rc != 0 || p->token.kind == GOL_JTOK_RPAREN)
                break;
        }
        gol_jnode *arg = gol_jparser_node(p, GOL_JNODE_ARG);
        if (!arg || parse_passing(p, arg, &previous) != 0)
            return GOL_EINVAL;
        arg->a = gol_jparser_expression(p, true);
        if (!arg->a)
            return GOL_EINVAL;
        gol_jnodes_push(&args, arg);
    }
    *out = args.first;
    return rc == 0 ? gol_jparser_expect(p, GOL_JTOK_RPAREN) : rc;
}

static gol_jnode *parse_call(gol_jparser *p, gol_jnode *of)
{
    gol_jnode *n = binary(p, GOL_JNODE_CALL, 0, of, p->token.line);
    return n && parse_args(p, &n->list) == 0 ? n : NULL;
}

static gol_jnode *parse_postfix(gol_jparser *p, gol_jnode *n)
{
    while (n) {
        if (p->token.kind == GOL_JTOK_DOT)
            n = parse_getattr(p, n);
        else if (p->token.kind == GOL_JTOK_LBRACKET)
            n = parse_getitem(p, n);
        else if (p->token.kind == GOL_JTOK_LPAREN)
            n = parse_call(p, n);
        else
            break;
    }
    return n;
}

/* That there is no such filter or test is told when a render reaches it: templates guard them with ifs. */
static int parse_builtin_name(gol_jparser *p, gol_jnode *n)
{
    if (p->token.kind != GOL_JTOK_NAME)
        return gol_jparser_fail(p, "the name of a filter or test");
    n->name = p->token.text;
    n->row = n->kind == GOL_JNODE_FILTER ? gol_jfilter_find(n->name) : gol_jtest_find(n->name);
    return gol_jparser_next(p);
}

gol_jnode *gol_jparser_filters(gol_jparser *p, gol_jnode *operand, bool is_first_bare)
{
    gol_jnode *n = operand;
    while (p->token.kind == GOL_JTOK_PIPE || is_first_bare) {
        if (!is_first_bare && gol_jparser_next(p) != 0)
            return NULL;
        gol_jnode *filter = gol_jparser_node(p, GOL_JNODE_FILTER);
        if (!filter || parse_builtin_name(p, filter) != 0)
            return NULL;
        filter->a = n;
        if (p->token.kind == GOL_JTOK_LPAREN && parse_args(p, &filter->list) != 0)
            return NULL;
        n = filter;
        is_first_bare = false;
    }
    return n;
}

static bool begins_bare_argument(const gol_jtoken *token)
{
    switch (token->kind) {
    case GOL_JTOK_NAME:
        return !gol_jparser_is_name(token, "else") && !gol_jparser_is_name(token, "or") &&
               !gol_jparser_is_name(token, "and");
    case GOL_JTOK_STRING:
    case GOL_JTOK_INT:
    case GOL_JTOK_FLOAT:
    case GOL_JTOK_LBRACKET:
    case GOL_JTOK_LBRACE:
        return true;
    default:
        return false;
    }
}

/* "is [not] name", with arguments in parentheses or one without. */
static gol_jnode *parse_test(gol_jparser *p, gol_jnode *of)
{
    gol_jnode *n = binary(p, GOL_JNODE_TEST, 0, of, p->token.line);
    if (!n || gol_jparser_next(p) != 0)
        return NULL;
    const bool is_negated = gol_jparser_is_name(&p->token, "not");
    if ((is_negated && gol_jparser_next(p) != 0) || parse_builtin_name(p, n) != 0)
        return NULL;
    if (p->token.kind == GOL_JTOK_LPAREN) {
        if (parse_args(p, &n->list) != 0)
            return NULL;
    } else if (begins_bare_argument(&p->token)) {
        if (gol_jparser_is_name(&p->token, "is")) {
            gol_jparser_fail(p, "no second test behind a test");
            return NULL;
        }
        gol_jnode *arg = gol_jparser_node(p, GOL_JNODE_ARG);
        if (!arg)
            return NULL;
        arg->a = parse_postfix(p, parse_primary(p));
        if (!arg->a)
            return NULL;
        n->list = arg;
    }
    return is_negated ? binary(p, GOL_JNODE_UNARY, GOL_JOP_NOT, n, n->line) : n;
}

static gol_jnode *parse_filter_expr(gol_jparser *p, gol_jnode *n)
{
    while (n) {
        if (p->token.kind == GOL_JTOK_PIPE)
            n = gol_jparser_filters(p, n, false);
        else if (gol_jparser_is_name(&p->token, "is"))
            n = parse_test(p, n);
        else if (p->token.kind == GOL_JTOK_LPAREN)
            n = parse_call(p, n);
        else
            break;
    }
    return n;
}

/* ---- operators ---- */

static gol_jnode *parse_unary(gol_jparser *p, bool with_filters)
{
    if (gol_jparser_enter(p) != 0)
        return NULL;
    gol_jnode *n = NULL;
    const uint32_t line = p->token.line;
    const bool is_sub = p->token.kind == GOL_JTOK_SUB;
    if (is_sub || p->token.kind == GOL_JTOK_ADD) {
        if (gol_jparser_next(p) == 0)
            n = binary(p, GOL_JNODE_UNARY, is_sub ? GOL_JOP_NEG : GOL_JOP_POS,
                       parse_unary(p, false), line);
    } else {
        n = parse_primary(p);
    }
    n = parse_postfix(p, n);
    if (with_filters)
        n = parse_filter_expr(p, n);
    p->depth--;
    return n;
}

/* A level of left-binding operators: kinds[] end with END. */
typedef struct operator_level {
    struct {
        gol_jtoken_kind kind;
        gol_joperator op;
    } items[4];
    int n;
} operator_level;

enum { LEVEL_ADD, LEVEL_CONCAT, LEVEL_MUL, LEVEL_POW, N_LEVELS };

static const operator_level levels[N_LEVELS] = {
    [LEVEL_ADD] = {{{GOL_JTOK_ADD, GOL_JOP_ADD}, {GOL_JTOK_SUB, GOL_JOP_SUB}}, 2},
    [LEVEL_MUL] = {{{GOL_JTOK_MUL, GOL_JOP_MUL},
                    {GOL_JTOK_DIV, GOL_JOP_DIV},
                    {GOL_JTOK_FLOORDIV, GOL_JOP_FLOORDIV},
                    {GOL_JTOK_MOD, GOL_JOP_MOD}},
                   4},
    [LEVEL_POW] = {{{GOL_JTOK_POW, GOL_JOP_POW}}, 1},
};

static gol_jnode *parse_level(gol_jparser *p, int level);

static gol_jnode *parse_concat(gol_jparser *p)
{
    gol_jnode *first = parse_level(p, LEVEL_MUL);
    if (!first || p->token.kind != GOL_JTOK_TILDE)
        return first;
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_CONCAT);
    gol_jnodes parts = {0};
    if (!n)
        return NULL;
    gol_jnodes_push(&parts, first);
    while (p->token.kind == GOL_JTOK_TILDE) {
        gol_jnode *part = gol_jparser_next(p) == 0 ? parse_level(p, LEVEL_MUL) : NULL;
        if (!part)
            return NULL;
        gol_jnodes_push(&parts, part);
    }
    n->list = parts.first;
    return n;
}

static gol_jnode *parse_level(gol_jparser *p, int level)
{
    if (level == LEVEL_CONCAT)
        return parse_concat(p);
    if (level == N_LEVELS)
        return parse_unary(p, true);
    gol_jnode *n = parse_level(p, level + 1);
    while (n) {
        int i = 0;
        while (i < levels[level].n && levels[level].items[i].kind != p->token.kind)
            i++;
        if (i == levels[level].n)
            break;
        n = binary(p, GOL_JNODE_BINARY, levels[level].items[i].op, n, p->token.line);
        if (!n || gol_jparser_next(p) != 0)
            return NULL;
        n->b = parse_level(p, level + 1);
        if (!n->b)
            return NULL;
    }
    return n;
}

static bool find_comparison(const gol_jparser *p, gol_joperator *op)
{
    static const struct {
        gol_jtoken_kind kind;
        gol_joperator op;
    } rows[] = {{GOL_JTOK_EQ, GOL_JOP_EQ}, {GOL_JTOK_NE, GOL_JOP_NE}, {GOL_JTOK_LT, GOL_JOP_LT},
                {GOL_JTOK_LE, GOL_JOP_LE}, {GOL_JTOK_GT, GOL_JOP_GT}, {GOL_JTOK_GE, GOL_JOP_GE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].kind == p->token.kind) {
            *op = rows[i].op;
            return true;
        }
    }
    if (gol_jparser_is_name(&p->token, "in")) {
        *op = GOL_JOP_IN;
        return true;
    }
    if (gol_jparser_is_name(&p->token, "not") && gol_jparser_is_name(&p->ahead, "in")) {
        *op = GOL_JOP_NOTIN;
        return true;
    }
    return false;
}

static gol_jnode *parse_compare(gol_jparser *p)
{
    gol_jnode *first = parse_level(p, LEVEL_ADD);
    gol_joperator op;
    if (!first || !find_comparison(p, &op))
        return first;
    gol_jnode *n = binary(p, GOL_JNODE_COMPARE, 0, first, p->token.line);
    gol_jnodes operands = {0};
    while (n && find_comparison(p, &op)) {
        if (gol_jparser_next(p) != 0 || (op == GOL_JOP_NOTIN && gol_jparser_next(p) != 0))
            return NULL;
        gol_jnode *operand = binary(p, GOL_JNODE_OPERAND, op, parse_level(p, LEVEL_ADD),
                                    p->token.line);
        if (!operand)
            return NULL;
        gol_jnodes_push(&operands, operand);
    }
    if (n)
        n->list = operands.first;
    return n;
}

static gol_jnode *parse_not(gol_jparser *p)
{
    if (!gol_jparser_is_name(&p->token, "not"))
        return parse_compare(p);
    const uint32_t line = p->token.line;
    if (gol_jparser_enter(p) != 0 || gol_jparser_next(p) != 0)
        return NULL;
    gol_jnode *n = binary(p, GOL_JNODE_UNARY, GOL_JOP_NOT, parse_not(p), line);
    p->depth--;
    return n;
}

static gol_jnode *parse_logic(gol_jparser *p, bool is_or)
{
    gol_jnode *n = is_or ? parse_logic(p, false) : parse_not(p);
    while (n && gol_jparser_is_name(&p->token, is_or ? "or" : "and")) {
        n = binary(p, is_or ? GOL_JNODE_OR : GOL_JNODE_AND, 0, n, p->token.line);
        if (!n || gol_jparser_next(p) != 0)
            return NULL;
        n->b = is_or ? parse_logic(p, false) : parse_not(p);
        if (!n->b)
            return NULL;
    }
    return n;
}

/* "a if b else c". */
static gol_jnode *parse_cond(gol_jparser *p)
{
    gol_jnode *n = parse_logic(p, true);
    if (!n)
        return NULL;
    while (gol_jparser_is_name(&p->token, "if")) {
        gol_jnode *cond = gol_jparser_node(p, GOL_JNODE_COND);
        if (!cond || gol_jparser_next(p) != 0)
            return NULL;
        cond->b = n;
        cond->a = parse_logic(p, true);
        if (!cond->a)
            return NULL;
        if (gol_jparser_is_name(&p->token, "else")) {
            if (gol_jparser_next(p) != 0)
                return NULL;
            cond->c = gol_jparser_expression(p, true);
            if (!cond->c)
                return NULL;
        }
        n = cond;
    }
    return n;
}

gol_jnode *gol_jparser_expression(gol_jparser *p, bool allows_cond)
{
    if (gol_jparser_enter(p) != 0)
        return NULL;
    gol_jnode *n = allows_cond ? parse_cond(p) : parse_logic(p, true);
    p->depth--;
    return n;
}

/* ---- tuples and targets ---- */

static bool is_tuple_end(const gol_jparser *p, const char *end_name)
{
    return p->token.kind == GOL_JTOK_VARIABLE_END || p->token.kind == GOL_JTOK_BLOCK_END ||
           p->token.kind == GOL_JTOK_RPAREN ||
           (end_name && gol_jparser_is_name(&p->token, end_name));
}

gol_jnode *gol_jparser_tuple(gol_jparser *p, bool allows_cond, bool is_explicit,
                             const char *end_name)
{
    gol_jnodes items = {0};
    bool is_tuple = false;
    const uint32_t line = p->token.line;
    for (;;) {
        if (items.first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return NULL;
        if (is_tuple_end(p, end_name))
            break;
        gol_jnode *item = gol_jparser_expression(p, allows_cond);
        if (!item)
            return NULL;
        gol_jnodes_push(&items, item);
        if (p->token.kind != GOL_JTOK_COMMA)
            break;
        is_tuple = true;
    }
    if (!is_tuple && items.first)
        return items.first;
    if (!is_tuple && !is_explicit) {
        gol_jparser_fail(p, "an expression");
        return NULL;
    }
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_TUPLE);
    if (!n)
        return NULL;
    n->line = line;
    n->list = items.first;
    return n;
}

static gol_jnode *parse_one_target(gol_jparser *p, bool allows_namespace)
{
    if (p->token.kind == GOL_JTOK_LPAREN) {
        if (gol_jparser_enter(p) != 0 || gol_jparser_next(p) != 0)
            return NULL;
        gol_jnode *n = gol_jparser_target(p, allows_namespace, NULL);
        p->depth--;
        return n && gol_jparser_expect(p, GOL_JTOK_RPAREN) == 0 ? n : NULL;
    }
    if (p->token.kind != GOL_JTOK_NAME) {
        gol_jparser_fail(p, "a name to assign to");
        return NULL;
    }
    const unsigned uses = p->uses; /* a name that is set is not read */
    gol_jnode *n = parse_name(p);
    p->uses = uses;
    if (!n)
        return NULL;
    if (n->kind != GOL_JNODE_NAME || (p->n_loops > 0 && gol_str_is(n->name, "loop"))) {
        gol_fail(p->err, GOL_EINVAL, "line %u: can't assign to a constant or to loop", n->line);
        return NULL;
    }
    if (allows_namespace && p->token.kind == GOL_JTOK_DOT) {
        if (gol_jparser_next(p) != 0)
            return NULL;
        if (p->token.kind != GOL_JTOK_NAME) {
            gol_jparser_fail(p, "an attribute's name");
            return NULL;
        }
        n->kind = GOL_JNODE_NSREF;
        n->a = gol_jparser_node(p, GOL_JNODE_NAME);
        if (!n->a)
            return NULL;
        n->a->name = p->token.text;
        if (gol_jparser_intern(p, &n->a->name) != 0 || gol_jparser_next(p) != 0)
            return NULL;
    }
    return n;
}

gol_jnode *gol_jparser_target(gol_jparser *p, bool allows_namespace, const char *end_name)
{
    gol_jnodes items = {0};
    bool is_tuple = false;
    for (;;) {
        if (items.first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return NULL;
        if (is_tuple && (is_tuple_end(p, end_name) || p->token.kind == GOL_JTOK_ASSIGN))
            break;
        gol_jnode *item = parse_one_target(p, allows_namespace);
        if (!item)
            return NULL;
        gol_jnodes_push(&items, item);
        if (p->token.kind != GOL_JTOK_COMMA)
            break;
        is_tuple = true;
    }
    if (!is_tuple)
        return items.first;
    gol_jnode *n = gol_jparser_node(p, GOL_JNODE_TUPLE);
    if (n)
        n->list = items.first;
    return n;
}
