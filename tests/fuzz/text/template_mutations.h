/*
 * Changes to a template that know its language: variables, literals, operators, filters, tests, methods and attributes become
 * others of their kind, statements are put around text, outputs dropped, doubled and exchanged, expressions nested. Most results
 * still parse. One in eight changes is blind: words or bytes put anywhere. Works on any bytes.
 */
#ifndef TESTS_FUZZ_TEXT_TEMPLATE_MUTATIONS_H
#define TESTS_FUZZ_TEXT_TEMPLATE_MUTATIONS_H

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"

enum { TEMPLATE_TOKENS_MAX = 8192, TEMPLATE_PIECE_MAX = 4096 };

typedef struct template_text {
    char *data;
    size_t len;
    size_t cap;
} template_text;

typedef enum template_kind {
    TEMPLATE_TEXT,    /* between the tags */
    TEMPLATE_OPENING, /* "{{" "{%-" ... */
    TEMPLATE_CLOSING,
    TEMPLATE_TAG, /* the word behind "{%" */
    TEMPLATE_NAME,
    TEMPLATE_WORD, /* "and", "if", ... inside of an expression */
    TEMPLATE_NUMBER,
    TEMPLATE_STRING,
    TEMPLATE_FILTER,    /* behind "|" */
    TEMPLATE_TEST,      /* behind "is" */
    TEMPLATE_ATTRIBUTE, /* behind "." */
    TEMPLATE_OPERATOR,
    TEMPLATE_MARK, /* brackets, commas */
} template_kind;

typedef struct template_token {
    template_kind kind;
    size_t begin;
    size_t end;
    bool in_output; /* between "{{" and "}}" */
} template_token;

typedef struct template_tokens {
    template_token items[TEMPLATE_TOKENS_MAX];
    size_t n;
} template_tokens;

static const char *const template_operands[] = {
    "messages",
    "tools",
    "m",
    "x",
    "loop",
    "loop.index",
    "none",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2.5",
    "9223372036854775807",
    "1e308",
    "''",
    "'abc'",
    "'a b c'",
    "'\xc3\xa9\xf0\x9f\x98\x80'",
    "[]",
    "[3, 1, 2]",
    "(1, 'a')",
    "{'a': 1}",
    "{}",
    "range(5)",
    "messages[0]",
    "messages[1:][::-1]",
    "messages | map(attribute='role') | list",
    "missing",
    "bos_token",
    "tools[0].function",
    "messages | length",
    "'x' * 50",
    "[[1]] * 3",
    "namespace(a=1)",
    "'{}'",
    "dict(a=1).items()",
    "messages | tojson",
    "('a' ~ 1)",
    "(1 < 2)",
    "(1 if 0)",
    "messages[0].content",
    "strftime_now('%Y')",
    "range(3) | list",
    "add_generation_prompt",
};

static const char *const template_filters[] = {
    "list",
    "sort",
    "tojson",
    "tojson(indent=2)",
    "map('upper')",
    "map(attribute='role')",
    "join(', ')",
    "length",
    "first",
    "last",
    "reverse",
    "int",
    "float",
    "round(-3)",
    "batch(2)",
    "slice(2)",
    "indent(3)",
    "truncate(5)",
    "center(30)",
    "format(1)",
    "replace('a', 'xx')",
    "replace('', 'xx')",
    "groupby('role')",
    "dictsort",
    "items",
    "sum",
    "min",
    "max",
    "e",
    "safe",
    "string",
    "trim",
    "upper",
    "title",
    "select('string')",
    "selectattr('role')",
    "rejectattr('role', 'equalto', 'user')",
    "default('d', true)",
    "wordwrap(1)",
    "striptags",
    "unique",
    "abs",
    "urlencode",
    "wordcount",
    "string | length",
    "capitalize",
    "lower",
    "count",
    "reject('none')",
    "xmlattr",
    "filesizeformat",
    "forceescape",
    "attr('role')",
    "escape",
    "tojson(indent=1, separators=(',', ':'), sort_keys=true, ensure_ascii=true)",
    "map('default', 'x')",
    "sort(attribute='role', reverse=true)",
    "unique(attribute='role')",
    "max(attribute='role')",
    "sum(attribute='a', start=1)",
    "batch(3, '-')",
    "slice(3, '-')",
    "int(7, 16)",
    "round(2, 'floor')",
};

static const char *const template_tests[] = {
    "defined",     "none",      "string",        "mapping", "iterable",  "sequence", "number",
    "integer",     "float",     "boolean",       "true",    "undefined", "callable", "odd",
    "even",        "in('abc')", "eq(1)",         "gt(0)",   "lower",     "upper",    "sameas(none)",
    "ne(2)",       "ge(1)",     "lt(2)",         "le('a')", "test",      "escaped",  "filter",
    "not defined", "not none",  "divisibleby(3)"};

static const char *const template_methods[] = {
    "split('a')",
    "strip()",
    "lstrip('\\n')",
    "items()",
    "get('role')",
    "keys()",
    "upper()",
    "lower()",
    "title()",
    "find('a')",
    "count('a')",
    "splitlines()",
    "startswith('a')",
    "endswith('b')",
    "replace('a', 'b' * 9)",
    "format(1)",
    "join(['a', 'b'])",
    "rsplit(none, 1)",
    "append(messages)",
    "pop()",
    "update(a=1)",
    "role",
    "content",
    "a",
    "removeprefix('x')",
    "copy()",
    "capitalize()",
    "casefold()",
    "center(9, '*')",
    "ljust(5)",
    "rjust(5)",
    "zfill(6)",
    "expandtabs(4)",
    "index('a')",
    "rindex('a')",
    "rfind('a')",
    "isalnum()",
    "isalpha()",
    "isascii()",
    "isdecimal()",
    "isdigit()",
    "isidentifier()",
    "isnumeric()",
    "isprintable()",
    "isspace()",
    "istitle()",
    "islower()",
    "isupper()",
    "swapcase()",
    "removesuffix('x')",
    "partition('a')",
    "rpartition('a')",
    "encode()",
    "clear()",
    "extend([1, 2])",
    "insert(0, 'x')",
    "pop(0)",
    "pop('a', 1)",
    "remove(1)",
    "reverse()",
    "sort()",
    "sort(reverse=true)",
    "values()",
    "fromkeys('ab')",
    "popitem()",
    "setdefault('a', [])",
    "bit_length()",
    "is_integer()",
    "format_map({'a': 1})",
    "join(messages)",
    "update(messages[0])",
    "next()",
    "current",
};

static const char *const template_operators[] = {"+",  "-",  "*",     "/",    "//",   "%",
                                                 "**", "~",  "==",    "!=",   "<",    ">",
                                                 "<=", ">=", " and ", " or ", " in ", " not in "};

static const char *const template_blind_words[] = {
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{%-",
    "+%}",
    "{% endfor %}",
    "{% if x %}",
    "{% endif %}",
    "{% else %}",
    "{% macro m() %}",
    "{% endmacro %}",
    "{% raw %}",
    "{% break %}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|",
    " if ",
    " else ",
    " recursive ",
    "self",
    "caller()",
    "varargs",
    "**kwargs",
    "'",
    "\"\\n\"",
    "'\\ud800'",
    "[::-1]",
    "cycler(1)",
    "raise_exception('x')",
    "\xc3\xa9",
    "\xff",
    "\n",
    "loop(messages)",
    "range(99999)",
    ".append(messages)",
};

#define TEMPLATE_PICK(rng, table) ((table)[gol_rng_below((rng), sizeof(table) / sizeof *(table))])

/* text[at, at + n_old) becomes these bytes, which may be a part of it. What finds no room is left out. */
static inline void template_splice(template_text *t, size_t at, size_t n_old, const char *with,
                                   size_t n)
{
    char copy[TEMPLATE_PIECE_MAX];
    if (n > sizeof copy || t->len - n_old + n > t->cap)
        return;
    memcpy(copy, with, n);
    memmove(t->data + at + n, t->data + at + n_old, t->len - at - n_old);
    memcpy(t->data + at, copy, n);
    t->len += n - n_old;
}

static inline void template_put(template_text *t, size_t at, const char *words)
{
    template_splice(t, at, 0, words, strlen(words));
}

static inline void template_replace(template_text *t, const template_token *token, const char *with)
{
    template_splice(t, token->begin, token->end - token->begin, with, strlen(with));
}

static inline bool template_is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static inline bool template_is_one_of(const char *word, size_t n, const char *list)
{
    for (const char *at = list; *at; at += strlen(at) + 1) {
        if (strlen(at) == n && memcmp(at, word, n) == 0)
            return true;
    }
    return false;
}

/* What a word is, by the token before it. */
static inline template_kind template_word_kind(const template_text *t, const template_tokens *all,
                                               size_t begin, size_t end)
{
    static const char reserved[] = "and\0or\0not\0in\0is\0if\0else\0for\0recursive\0";
    static const char definitions[] = "set\0for\0macro\0call\0filter\0";
    const template_token *last = all->n > 0 ? &all->items[all->n - 1] : NULL;
    const char *word = t->data + begin;
    if (!last || isdigit((unsigned char)*word))
        return TEMPLATE_NUMBER;
    const char *before = t->data + last->begin;
    const size_t n_before = last->end - last->begin;
    if (last->kind == TEMPLATE_OPENING && before[1] == '%')
        return TEMPLATE_TAG;
    if (template_is_one_of(word, end - begin, reserved))
        return TEMPLATE_WORD;
    if (last->kind == TEMPLATE_TAG && template_is_one_of(before, n_before, definitions))
        return TEMPLATE_WORD; /* what it defines */
    if (last->kind == TEMPLATE_OPERATOR && n_before == 1 && *before == '|')
        return TEMPLATE_FILTER;
    if (last->kind == TEMPLATE_MARK && *before == '.')
        return TEMPLATE_ATTRIBUTE;
    if (last->kind == TEMPLATE_WORD && n_before == 2 && memcmp(before, "is", 2) == 0)
        return TEMPLATE_TEST;
    return TEMPLATE_NAME;
}

static inline size_t template_string_end(const template_text *t, size_t at)
{
    const char quote = t->data[at];
    for (at++; at < t->len && t->data[at] != quote; at++)
        at += t->data[at] == '\\';
    return at < t->len ? at + 1 : t->len;
}

static inline size_t template_closing_len(const template_text *t, size_t at)
{
    const size_t sign = t->data[at] == '-' || t->data[at] == '+';
    if (at + sign + 1 >= t->len || t->data[at + sign + 1] != '}')
        return 0;
    return t->data[at + sign] == '%' || t->data[at + sign] == '}' ? sign + 2 : 0;
}

static inline void template_push(template_tokens *all, template_kind kind, size_t begin, size_t end,
                                 bool in_output)
{
    if (all->n < TEMPLATE_TOKENS_MAX)
        all->items[all->n++] = (template_token){kind, begin, end, in_output};
}

/* The tokens between the tags' borders, from `at` on; returns where they end. */
static inline size_t template_find_inside(template_tokens *all, const template_text *t, size_t at,
                                          bool in_output)
{
    int depth = 0;
    while (at < t->len) {
        const char c = t->data[at];
        const size_t n_closing = depth > 0 && c == '}' ? 0 : template_closing_len(t, at);
        size_t end = at + 1;
        if (n_closing > 0) {
            template_push(all, TEMPLATE_CLOSING, at, at + n_closing, in_output);
            return at + n_closing;
        }
        if (isspace((unsigned char)c)) {
            at++;
            continue;
        }
        if (template_is_word_char(c)) {
            while (end < t->len && template_is_word_char(t->data[end]))
                end++;
            template_push(all, template_word_kind(t, all, at, end), at, end, in_output);
        } else if (c == '\'' || c == '"') {
            end = template_string_end(t, at);
            template_push(all, TEMPLATE_STRING, at, end, in_output);
        } else if (c != '\0' && strchr("()[]{},:.", c)) {
            depth += (c == '{') - (c == '}');
            template_push(all, TEMPLATE_MARK, at, end, in_output);
        } else {
            while (end < t->len && t->data[end] != '\0' && strchr("=*/", t->data[end]))
                end++;
            template_push(all, TEMPLATE_OPERATOR, at, end, in_output);
        }
        at = end;
    }
    return at;
}

static inline void template_tokens_find(template_tokens *all, const template_text *t)
{
    all->n = 0;
    for (size_t at = 0; at < t->len;) {
        size_t end = at;
        while (end + 1 < t->len &&
               !(t->data[end] == '{' && (t->data[end + 1] == '{' || t->data[end + 1] == '%')))
            end++;
        if (end + 1 >= t->len)
            end = t->len;
        if (end > at)
            template_push(all, TEMPLATE_TEXT, at, end, false);
        if (end == t->len)
            return;
        const bool in_output = t->data[end + 1] == '{';
        at = end + 2;
        at += at < t->len && (t->data[at] == '-' || t->data[at] == '+');
        template_push(all, TEMPLATE_OPENING, end, at, in_output);
        at = template_find_inside(all, t, at, in_output);
    }
}

/* Behind a call's arguments or an index, where one begins at this token. */
static inline size_t template_arguments_end(const template_text *t, const template_tokens *all,
                                            size_t i)
{
    int depth = 0;
    size_t end = i < all->n ? all->items[i].begin : t->len;
    if (i >= all->n || all->items[i].kind != TEMPLATE_MARK || t->data[end] != '(')
        return i > 0 ? all->items[i - 1].end : 0;
    for (; i < all->n && all->items[i].kind != TEMPLATE_CLOSING; i++) {
        const char c = t->data[all->items[i].begin];
        if (all->items[i].kind == TEMPLATE_MARK)
            depth += (c == '(') - (c == ')');
        end = all->items[i].end;
        if (depth == 0)
            break;
    }
    return end;
}

/* A whole "{{ ... }}" that begins at token i: where it ends; 0 when there is none. */
static inline size_t template_output_end(const template_tokens *all, size_t i)
{
    if (all->items[i].kind != TEMPLATE_OPENING || !all->items[i].in_output)
        return 0;
    for (; i < all->n; i++) {
        if (all->items[i].kind == TEMPLATE_CLOSING)
            return all->items[i].end;
    }
    return 0;
}

static inline void template_nest(template_text *t, size_t begin, size_t end, gol_rng *rng)
{
    static const int depths[] = {1, 1, 2, 5, 40, 250};
    static const char *const pairs[][2] = {{"(", ")"}, {"[", "]"}, {"not (", ")"}, {"(0 or ", ")"}};
    const char *const *pair = TEMPLATE_PICK(rng, pairs);
    for (int n = TEMPLATE_PICK(rng, depths); n > 0; n--) {
        template_put(t, end, pair[1]);
        template_put(t, begin, pair[0]);
        end += strlen(pair[0]);
    }
}

/* A text, or a whole output, gets a statement around it, or another one goes to its place. */
static inline void template_change_piece(template_text *t, size_t begin, size_t end, gol_rng *rng)
{
    static const char *const around[][2] = {
        {"{% if messages %}", "{% endif %}"},
        {"{% if missing %}x{% else %}", "{% endif %}"},
        {"{% for x in messages %}", "{% endfor %}"},
        {"{% for x in range(3) %}{% if x > 1 %}{% break %}{% endif %}", "{% endfor %}"},
        {"{% set x %}", "{% endset %}{{ x | upper }}"},
        {"{% filter trim %}", "{% endfilter %}"},
        {"{% with x = messages | length %}", "{% endwith %}"},
        {"{%- generation -%}", "{%- endgeneration -%}"},
        {"{% macro m2(x=1) %}", "{% endmacro %}{{ m2() }}{{ m2(2) }}"},
        {"{% autoescape true %}", "{% endautoescape %}"},
        {"{% block b %}", "{% endblock %}"},
        {"{% for k, v in messages[0].items() recursive %}{{ loop.depth }}", "{% endfor %}"},
        {"{% set ns2 = namespace(a=1) %}{% set ns2.a = [", "] %}{{ ns2.a }}"},
        {"{% macro m3() %}{{ caller() }}{% endmacro %}{% call m3() %}", "{% endcall %}"}};
    switch (gol_rng_below(rng, 5)) {
    case 0:
        template_splice(t, begin, end - begin, "", 0);
        break;
    case 1:
        template_splice(t, end, 0, t->data + begin, end - begin);
        break;
    case 2: {
        template_put(t, begin, " }}");
        template_put(t, begin, TEMPLATE_PICK(rng, template_operands));
        template_put(t, begin, "{{ ");
        break;
    }
    default: {
        const char *const *pair = TEMPLATE_PICK(rng, around);
        template_put(t, end, pair[1]);
        template_put(t, begin, pair[0]);
    }
    }
}

static inline void template_change_literal(template_text *t, const template_token *token,
                                           gol_rng *rng)
{
    static const char *const numbers[] = {"0", "1", "2", "3", "7", "100", "0.5", "1e3", "65536"};
    static const char *const strings[] = {"''",
                                          "'role'",
                                          "'content'",
                                          "'user'",
                                          "'a'",
                                          "'\\n'",
                                          "' '",
                                          "'</think>'",
                                          "'%s'",
                                          "'{0}'",
                                          "'\xe6\x97\xa5'",
                                          "'tool_calls'",
                                          "'system'",
                                          "'\\u00e9\\t'"};
    template_replace(t, token,
                     token->kind == TEMPLATE_NUMBER ? TEMPLATE_PICK(rng, numbers)
                                                    : TEMPLATE_PICK(rng, strings));
}

static inline void template_mutate_blind(template_text *t, gol_rng *rng)
{
    const size_t at = (size_t)gol_rng_below(rng, t->len + 1);
    const size_t left = t->len - at;
    const size_t n = (size_t)gol_rng_below(rng, (left < 40 ? left : 40) + 1);
    const char *word = TEMPLATE_PICK(rng, template_blind_words);
    switch (gol_rng_below(rng, 5)) {
    case 0:
        template_splice(t, at, n, "", 0);
        break;
    case 1:
        template_splice(t, at, 0, t->data + at, n);
        break;
    case 2:
        if (at < t->len)
            t->data[at] = (char)gol_rng_below(rng, 256);
        break;
    default:
        template_splice(t, at, gol_rng_below(rng, 2) ? n : 0, word, strlen(word));
    }
}

static inline void template_mutate_token(template_text *t, const template_tokens *all, size_t i,
                                         gol_rng *rng)
{
    const template_token *token = &all->items[i];
    const size_t end = template_arguments_end(t, all, i + 1);
    const char *with = NULL;
    switch (token->kind) {
    case TEMPLATE_TEXT:
        template_change_piece(t, token->begin, token->end, rng);
        return;
    case TEMPLATE_OPENING:
        if (template_output_end(all, i) > 0)
            template_change_piece(t, token->begin, template_output_end(all, i), rng);
        return;
    case TEMPLATE_CLOSING:
        if (token->in_output) {
            template_put(t, token->begin, " ");
            template_put(t, token->begin, TEMPLATE_PICK(rng, template_filters));
            template_put(t, token->begin, " | ");
        }
        return;
    case TEMPLATE_NAME:
        if (gol_rng_below(rng, 4) == 0)
            template_nest(t, token->begin, end, rng);
        else
            template_replace(t, token, TEMPLATE_PICK(rng, template_operands));
        return;
    case TEMPLATE_NUMBER:
    case TEMPLATE_STRING:
        template_change_literal(t, token, rng);
        return;
    case TEMPLATE_FILTER:
        with = TEMPLATE_PICK(rng, template_filters);
        break;
    case TEMPLATE_TEST:
        with = TEMPLATE_PICK(rng, template_tests);
        break;
    case TEMPLATE_ATTRIBUTE:
        with = TEMPLATE_PICK(rng, template_methods);
        break;
    case TEMPLATE_OPERATOR:
        if (t->data[token->begin] != '|' && t->data[token->begin] != '=')
            template_replace(t, token, TEMPLATE_PICK(rng, template_operators));
        return;
    case TEMPLATE_TAG:
    case TEMPLATE_WORD:
    case TEMPLATE_MARK:
        return;
    }
    template_splice(t, token->begin, end - token->begin, with, strlen(with));
}

static inline void template_mutate(template_text *t, gol_rng *rng)
{
    static template_tokens all;
    template_tokens_find(&all, t);
    if (all.n == 0 || gol_rng_below(rng, 8) == 0) {
        template_mutate_blind(t, rng);
        return;
    }
    template_mutate_token(t, &all, (size_t)gol_rng_below(rng, all.n), rng);
}

#endif
