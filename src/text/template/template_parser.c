/*
 * Statements. Each opens with its tag's name and reads its body up to one of the names that may end it.
 */
#include "text/template/template_parser.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

const gol_str gol_jname_loop = {"loop", 4};
const gol_str gol_jname_caller = {"caller", 6};
const gol_str gol_jname_varargs = {"varargs", 7};
const gol_str gol_jname_kwargs = {"kwargs", 6};

/* ---- tokens and nodes ---- */

gol_jnode *gol_jparser_node(gol_jparser *p, gol_jnode_kind kind)
{
    gol_jnode *n = gol_arena_try_calloc(p->arena, 1, sizeof *n);
    if (!n) {
        gol_fail(p->err, GOL_ENOMEM, "the template is too large, or memory is out");
        return NULL;
    }
    n->kind = (uint8_t)kind;
    n->line = p->token.line;
    return n;
}

int gol_jparser_intern(gol_jparser *p, gol_str *name)
{
    int32_t found;
    const size_t n = p->names.n;
    if (n == p->cap_interned) {
        const size_t cap = n == 0 ? 64 : 2 * n;
        gol_str *grown = gol_try_realloc(p->interned, cap, sizeof *grown);
        if (!grown)
            return gol_fail(p->err, GOL_ENOMEM, "out of memory");
        p->interned = grown;
        p->cap_interned = cap;
    }
    if (gol_str_table_add(&p->names, *name, (int32_t)n, &found) != 0)
        return gol_fail(p->err, GOL_ENOMEM, "out of memory");
    if ((size_t)found == n)
        p->interned[n] = *name;
    *name = p->interned[found];
    return 0;
}

int gol_jparser_next(gol_jparser *p)
{
    p->token = p->ahead;
    return gol_jlexer_next(&p->lexer, &p->ahead);
}

int gol_jparser_fail(gol_jparser *p, const char *expected)
{
    char quoted[64];
    const gol_jtoken *t = &p->token;
    if (t->kind == GOL_JTOK_NAME || t->kind == GOL_JTOK_STRING)
        return gol_fail(p->err, GOL_EINVAL, "line %u: expected %s, found '%s'", t->line, expected,
                        gol_quote(quoted, sizeof quoted, t->text));
    const char *kind = gol_jtoken_kind_name(t->kind);
    const char *mark = kind[0] >= 'a' || kind[0] == '\'' ? "" : "'";
    return gol_fail(p->err, GOL_EINVAL, "line %u: expected %s, found %s%s%s", t->line, expected,
                    mark, kind, mark);
}

int gol_jparser_expect(gol_jparser *p, gol_jtoken_kind kind)
{
    return p->token.kind == kind ? gol_jparser_next(p)
                                 : gol_jparser_fail(p, gol_jtoken_kind_name(kind));
}

bool gol_jparser_is_name(const gol_jtoken *token, const char *name)
{
    return token->kind == GOL_JTOK_NAME && gol_str_is(token->text, name);
}

int gol_jparser_enter(gol_jparser *p)
{
    if (p->depth >= GOL_TEMPLATE_NESTING_MAX)
        return gol_fail(p->err, GOL_EINVAL, "line %u: nested more than %d deep", p->token.line,
                        GOL_TEMPLATE_NESTING_MAX);
    p->depth++;
    return 0;
}

static int expect_name(gol_jparser *p, const char *name)
{
    char expected[32];
    snprintf(expected, sizeof expected, "'%s'", name);
    return gol_jparser_is_name(&p->token, name) ? gol_jparser_next(p)
                                                : gol_jparser_fail(p, expected);
}

/* ---- bodies ---- */

static int parse_statement(gol_jparser *p, gol_jnodes *out);

/* Statements and text up to a tag whose name is one of ends (NULL-terminated), which is left as the token; ends NULL: up to the
 * end of the template. */
static int parse_until(gol_jparser *p, const char *const *ends, gol_jnode **out)
{
    gol_jnodes body = {0};
    *out = NULL;
    for (;;) {
        gol_jnode *n = NULL;
        int rc = 0;
        switch (p->token.kind) {
        case GOL_JTOK_DATA:
            n = gol_jparser_node(p, GOL_JNODE_DATA);
            if (!n)
                return GOL_ENOMEM;
            n->value = gol_jvalue_str(p->token.text);
            gol_jnodes_push(&body, n);
            rc = gol_jparser_next(p);
            break;
        case GOL_JTOK_VARIABLE_BEGIN:
            n = gol_jparser_node(p, GOL_JNODE_OUTPUT);
            if (!n || gol_jparser_next(p) != 0)
                return GOL_EINVAL;
            n->a = gol_jparser_tuple(p, true, false, NULL);
            if (!n->a)
                return GOL_EINVAL;
            gol_jnodes_push(&body, n);
            rc = gol_jparser_expect(p, GOL_JTOK_VARIABLE_END);
            break;
        case GOL_JTOK_BLOCK_BEGIN:
            rc = gol_jparser_next(p);
            *out = body.first;
            for (int i = 0; rc == 0 && ends && ends[i]; i++) {
                if (gol_jparser_is_name(&p->token, ends[i]))
                    return 0;
            }
            if (rc == 0)
                rc = parse_statement(p, &body);
            if (rc == 0)
                rc = gol_jparser_expect(p, GOL_JTOK_BLOCK_END);
            break;
        default:
            *out = body.first;
            if (!ends)
                return 0;
            return gol_fail(p->err, GOL_EINVAL, "line %u: the template ends where '%s' is missing",
                            p->token.line, ends[0]);
        }
        if (rc != 0)
            return rc;
    }
}

/* "%} body {% end", with the end's name left as the token. */
static int parse_body(gol_jparser *p, const char *const *ends, gol_jnode **out)
{
    if (p->token.kind == GOL_JTOK_COLON && gol_jparser_next(p) != 0) /* as Python writes it */
        return GOL_EINVAL;
    int rc = gol_jparser_expect(p, GOL_JTOK_BLOCK_END);
    if (rc == 0)
        rc = gol_jparser_enter(p);
    if (rc == 0)
        rc = parse_until(p, ends, out);
    p->depth--;
    return rc;
}

static int parse_body_to(gol_jparser *p, const char *end, gol_jnode **out)
{
    const char *const ends[] = {end, NULL};
    const int rc = parse_body(p, ends, out);
    return rc == 0 ? gol_jparser_next(p) : rc;
}

/* ---- statements: the token is behind the tag's name ---- */

static int parse_if(gol_jparser *p, gol_jnode *n)
{
    static const char *const ends[] = {"endif", "elif", "else", NULL};
    gol_jnodes branches = {0};
    for (;;) {
        gol_jnode *branch = gol_jparser_node(p, GOL_JNODE_BRANCH);
        if (!branch)
            return GOL_ENOMEM;
        branch->a = gol_jparser_tuple(p, false, false, NULL);
        if (!branch->a)
            return GOL_EINVAL;
        int rc = parse_body(p, ends, &branch->list);
        gol_jnodes_push(&branches, branch);
        n->list = branches.first;
        if (rc != 0)
            return rc;
        if (gol_jparser_is_name(&p->token, "elif")) {
            rc = gol_jparser_next(p);
            if (rc != 0)
                return rc;
            continue;
        }
        if (gol_jparser_is_name(&p->token, "endif"))
            return gol_jparser_next(p);
        branch = gol_jparser_node(p, GOL_JNODE_BRANCH);
        if (!branch || gol_jparser_next(p) != 0)
            return GOL_EINVAL;
        gol_jnodes_push(&branches, branch);
        return parse_body_to(p, "endif", &branch->list);
    }
}

static int parse_for(gol_jparser *p, gol_jnode *n)
{
    static const char *const ends[] = {"endfor", "else", NULL};
    p->n_loops++;
    n->a = gol_jparser_target(p, false, "in");
    p->n_loops--;
    if (!n->a || expect_name(p, "in") != 0)
        return GOL_EINVAL;
    if (n->a->kind == GOL_JNODE_NAME && gol_str_is(n->a->name, "loop"))
        return gol_fail(p->err, GOL_EINVAL, "line %u: can't assign to loop", n->line);
    n->b = gol_jparser_tuple(p, false, false, "recursive");
    if (!n->b)
        return GOL_EINVAL;
    if (gol_jparser_is_name(&p->token, "if")) {
        n->c = gol_jparser_next(p) == 0 ? gol_jparser_expression(p, true) : NULL;
        if (!n->c)
            return GOL_EINVAL;
    }
    if (gol_jparser_is_name(&p->token, "recursive")) {
        n->flag = true;
        if (gol_jparser_next(p) != 0)
            return GOL_EINVAL;
    }
    p->n_loops++;
    int rc = parse_body(p, ends, &n->list);
    p->n_loops--;
    if (rc != 0)
        return rc;
    const bool has_else = gol_jparser_is_name(&p->token, "else");
    rc = gol_jparser_next(p);
    return rc == 0 && has_else ? parse_body_to(p, "endfor", &n->list2) : rc;
}

static int parse_set(gol_jparser *p, gol_jnode *n)
{
    n->a = gol_jparser_target(p, true, NULL);
    if (!n->a)
        return GOL_EINVAL;
    if (p->token.kind == GOL_JTOK_ASSIGN) {
        if (gol_jparser_next(p) != 0)
            return GOL_EINVAL;
        n->b = gol_jparser_tuple(p, true, false, NULL);
        return n->b ? 0 : GOL_EINVAL;
    }
    n->kind = GOL_JNODE_SETBLOCK;
    if (p->token.kind == GOL_JTOK_PIPE) {
        n->b = gol_jparser_filters(p, NULL, false);
        if (!n->b)
            return GOL_EINVAL;
    }
    return parse_body_to(p, "endset", &n->list);
}

static int parse_with(gol_jparser *p, gol_jnode *n)
{
    gol_jnodes sets = {0};
    while (p->token.kind != GOL_JTOK_BLOCK_END) {
        if (sets.first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return GOL_EINVAL;
        gol_jnode *set = gol_jparser_node(p, GOL_JNODE_SET);
        if (!set)
            return GOL_ENOMEM;
        set->a = gol_jparser_target(p, false, NULL);
        if (!set->a || gol_jparser_expect(p, GOL_JTOK_ASSIGN) != 0)
            return GOL_EINVAL;
        set->b = gol_jparser_expression(p, true);
        if (!set->b)
            return GOL_EINVAL;
        gol_jnodes_push(&sets, set);
    }
    n->list2 = sets.first;
    return parse_body_to(p, "endwith", &n->list);
}

/* "(a, b=1)" */
static int parse_signature(gol_jparser *p, gol_jnode **out)
{
    gol_jnodes params = {0};
    bool has_default = false;
    int rc = gol_jparser_expect(p, GOL_JTOK_LPAREN);
    while (rc == 0 && p->token.kind != GOL_JTOK_RPAREN) {
        if (params.first)
            rc = gol_jparser_expect(p, GOL_JTOK_COMMA);
        if (rc != 0)
            break;
        if (p->token.kind != GOL_JTOK_NAME)
            return gol_jparser_fail(p, "a parameter's name");
        gol_jnode *param = gol_jparser_node(p, GOL_JNODE_PARAM);
        if (!param)
            return GOL_ENOMEM;
        param->name = p->token.text;
        for (const gol_jnode *other = params.first; other; other = other->next) {
            if (gol_str_eq(other->name, param->name))
                return gol_jparser_fail(p, "a parameter of another name");
        }
        if (gol_jparser_intern(p, &param->name) != 0 || gol_jparser_next(p) != 0)
            return GOL_EINVAL;
        if (p->token.kind == GOL_JTOK_ASSIGN) {
            param->a = gol_jparser_next(p) == 0 ? gol_jparser_expression(p, true) : NULL;
            if (!param->a)
                return GOL_EINVAL;
            has_default = true;
        } else if (has_default) {
            return gol_jparser_fail(p, "'=', as the parameter before has a default");
        }
        gol_jnodes_push(&params, param);
    }
    *out = params.first;
    return rc == 0 ? gol_jparser_expect(p, GOL_JTOK_RPAREN) : rc;
}

/* The body of a macro or a call block: which special names it reads decides what may be passed. */
static int parse_macro_body(gol_jparser *p, const char *end, gol_jnode *n)
{
    const unsigned outer_uses = p->uses;
    const int outer_loops = p->n_loops;
    p->uses = 0;
    p->n_loops = 0;
    const int rc = parse_body_to(p, end, &n->list);
    n->op = (uint8_t)p->uses;
    p->uses |= outer_uses;
    p->n_loops = outer_loops;
    return rc;
}

static int parse_macro(gol_jparser *p, gol_jnode *n)
{
    if (p->token.kind != GOL_JTOK_NAME)
        return gol_jparser_fail(p, "the macro's name");
    n->name = p->token.text;
    int rc = gol_jparser_intern(p, &n->name);
    if (rc == 0)
        rc = gol_jparser_next(p);
    if (rc == 0)
        rc = parse_signature(p, &n->list2);
    return rc == 0 ? parse_macro_body(p, "endmacro", n) : rc;
}

static int parse_call_block(gol_jparser *p, gol_jnode *n)
{
    int rc = 0;
    if (p->token.kind == GOL_JTOK_LPAREN)
        rc = parse_signature(p, &n->list2);
    if (rc != 0)
        return rc;
    n->a = gol_jparser_expression(p, true);
    if (!n->a)
        return GOL_EINVAL;
    if (n->a->kind != GOL_JNODE_CALL)
        return gol_fail(p->err, GOL_EINVAL, "line %u: expected a call behind 'call'", n->line);
    return parse_macro_body(p, "endcall", n);
}

static int parse_filter_block(gol_jparser *p, gol_jnode *n)
{
    n->b = gol_jparser_filters(p, NULL, true);
    return n->b ? parse_body_to(p, "endfilter", &n->list) : GOL_EINVAL;
}

static int parse_generation(gol_jparser *p, gol_jnode *n)
{
    return parse_body_to(p, "endgeneration", &n->list);
}

/* Nothing extends a chat template: a block is its content. */
static int parse_block(gol_jparser *p, gol_jnode *n)
{
    if (p->token.kind != GOL_JTOK_NAME)
        return gol_jparser_fail(p, "the block's name");
    const gol_str name = p->token.text;
    int rc = gol_jparser_next(p);
    n->flag = !gol_jparser_is_name(&p->token, "scoped");
    while (rc == 0 &&
           (gol_jparser_is_name(&p->token, "scoped") || gol_jparser_is_name(&p->token, "required")))
        rc = gol_jparser_next(p);
    if (rc == 0)
        rc = parse_body_to(p, "endblock", &n->list);
    if (rc == 0 && p->token.kind == GOL_JTOK_NAME && gol_str_eq(p->token.text, name))
        rc = gol_jparser_next(p);
    return rc;
}

/* Text is never escaped here, so only "false" can be meant. */
static int parse_autoescape(gol_jparser *p, gol_jnode *n)
{
    gol_jnode *on = gol_jparser_expression(p, true);
    if (!on)
        return GOL_EINVAL;
    if (on->kind != GOL_JNODE_CONST || on->value.type != GOL_J_BOOL || on->value.b)
        return gol_fail(p->err, GOL_EINVAL, "line %u: autoescape is supported as false only",
                        n->line);
    return parse_body_to(p, "endautoescape", &n->list);
}

static int parse_jump(gol_jparser *p, gol_jnode *n)
{
    if (p->n_loops > 0)
        return 0;
    return gol_fail(p->err, GOL_EINVAL, "line %u: %s outside of a loop", n->line,
                    n->kind == GOL_JNODE_BREAK ? "break" : "continue");
}

/* "print a, b" writes without a separator. */
static int parse_print(gol_jparser *p, gol_jnodes *out)
{
    bool is_first = true;
    while (p->token.kind != GOL_JTOK_BLOCK_END) {
        if (!is_first && gol_jparser_expect(p, GOL_JTOK_COMMA) != 0)
            return GOL_EINVAL;
        is_first = false;
        gol_jnode *n = gol_jparser_node(p, GOL_JNODE_OUTPUT);
        if (!n)
            return GOL_ENOMEM;
        n->a = gol_jparser_expression(p, true);
        if (!n->a)
            return GOL_EINVAL;
        gol_jnodes_push(out, n);
    }
    return 0;
}

static const struct {
    const char *tag;
    gol_jnode_kind kind;
    int (*parse)(gol_jparser *p, gol_jnode *n);
} statements[] = {
    {"if", GOL_JNODE_IF, parse_if},
    {"for", GOL_JNODE_FOR, parse_for},
    {"set", GOL_JNODE_SET, parse_set},
    {"with", GOL_JNODE_WITH, parse_with},
    {"macro", GOL_JNODE_MACRO, parse_macro},
    {"call", GOL_JNODE_CALLBLOCK, parse_call_block},
    {"filter", GOL_JNODE_FILTERBLOCK, parse_filter_block},
    {"generation", GOL_JNODE_SCOPE, parse_generation},
    {"block", GOL_JNODE_SCOPE, parse_block},
    {"autoescape", GOL_JNODE_SCOPE, parse_autoescape},
    {"break", GOL_JNODE_BREAK, parse_jump},
    {"continue", GOL_JNODE_CONTINUE, parse_jump},
};

static int parse_statement(gol_jparser *p, gol_jnodes *out)
{
    if (p->token.kind != GOL_JTOK_NAME)
        return gol_jparser_fail(p, "a tag's name");
    if (gol_jparser_is_name(&p->token, "print"))
        return gol_jparser_next(p) == 0 ? parse_print(p, out) : GOL_EINVAL;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!gol_jparser_is_name(&p->token, statements[i].tag))
            continue;
        gol_jnode *n = gol_jparser_node(p, statements[i].kind);
        if (!n)
            return GOL_ENOMEM;
        gol_jnodes_push(out, n);
        const int rc = gol_jparser_next(p);
        return rc == 0 ? statements[i].parse(p, n) : rc;
    }
    char quoted[64];
    static const char *const others[] = {"include", "import", "from", "extends"};
    gol_quote(quoted, sizeof quoted, p->token.text);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (gol_jparser_is_name(&p->token, others[i]))
            return gol_fail(p->err, GOL_EINVAL, "line %u: '%s': a chat template stands alone",
                            p->token.line, quoted);
    }
    return gol_fail(p->err, GOL_EINVAL,
                    "line %u: there is no tag '%s', or it stands in the wrong "
                    "place",
                    p->token.line, quoted);
}

/* The first that is interned is the one that all equal names become. */
static int intern_special_names(gol_jparser *p)
{
    gol_str names[] = {gol_jname_loop, gol_jname_caller, gol_jname_varargs, gol_jname_kwargs};
    int rc = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && rc == 0; i++)
        rc = gol_jparser_intern(p, &names[i]);
    return rc;
}

static int keep_names(gol_jparser *p, gol_jtree *tree)
{
    tree->n_names = p->names.n;
    tree->names = gol_arena_try_array(p->arena, p->names.n, sizeof *tree->names);
    if (!tree->names)
        return gol_fail(p->err, GOL_ENOMEM, "out of memory");
    memcpy(tree->names, p->interned, p->names.n * sizeof *tree->names);
    return 0;
}

int gol_template_parse_tree(gol_jtree *out, gol_arena *arena, gol_str source, gol_err *err)
{
    gol_err local = {0};
    gol_jparser p = {.arena = arena, .err = err ? err : &local};
    int rc = gol_str_table_init(&p.names, 64);
    if (rc != 0)
        return gol_fail(err, GOL_ENOMEM, "out of memory");
    rc = intern_special_names(&p);
    if (rc == 0)
        rc = gol_jlexer_init(&p.lexer, arena, source, p.err);
    if (rc == 0)
        rc = gol_jparser_next(&p);
    if (rc == 0)
        rc = gol_jparser_next(&p);
    if (rc == 0)
        rc = parse_until(&p, NULL, &out->body);
    if (rc == 0 && p.token.kind != GOL_JTOK_END)
        rc = gol_jparser_fail(&p, "the end of the template");
    if (rc == 0)
        rc = keep_names(&p, out);
    gol_str_table_deinit(&p.names);
    gol_free(p.interned);
    return rc == 0 ? 0 : p.err->code;
}
