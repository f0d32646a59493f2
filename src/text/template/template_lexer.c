/*
 * Two modes: text outside of tags, cut at the next "{{", "{%" or "{#"; and the tokens inside of a tag, until its end stands
 * where no bracket is open. Comments and raw blocks never reach the parser.
 */
#include "text/template/template_lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/template/jchar.h"
#include "text/template/string_literal.h"
#include "text/utf8.h"

enum { NUMBER_MAX = 128 }; /* characters of a number */

static int fail(gol_jlexer *x, const char *what, gol_str found)
{
    char quoted[48];
    return gol_fail(
        x->err, GOL_EINVAL, "line %u: %s%s%s%s", x->line, what, found.len > 0 ? " '" : "",
        found.len > 0 ? gol_quote(quoted, sizeof quoted, found) : "", found.len > 0 ? "'" : "");
}

int gol_jlexer_init(gol_jlexer *x, gol_arena *arena, gol_str source, gol_err *err)
{
    *x = (gol_jlexer){.arena = arena, .err = err, .line = 1, .at_line_start = true};
    const size_t n_valid = gol_utf8_valid_prefix(source);
    if (n_valid != source.len)
        return gol_fail(err, GOL_EINVAL, "byte %zu is no UTF-8", n_valid);
    char *text = gol_arena_try_alloc(arena, source.len);
    if (!text)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu bytes", source.len);
    size_t n = 0;
    for (size_t i = 0; i < source.len; i++) {
        const bool is_cr = source.data[i] == '\r';
        if (is_cr && i + 1 < source.len && source.data[i + 1] == '\n')
            continue;
        text[n++] = is_cr ? '\n' : source.data[i];
    }
    if (n > 0 && text[n - 1] == '\n')
        n--;
    x->source = (gol_str){text, n};
    return 0;
}

static char at(const gol_jlexer *x, size_t pos)
{
    return pos < x->source.len ? x->source.data[pos] : '\0';
}

static bool has(const gol_jlexer *x, size_t pos, const char *word)
{
    const size_t n = strlen(word);
    return x->source.len - pos >= n && memcmp(x->source.data + pos, word, n) == 0;
}

static size_t skip_space(const gol_jlexer *x, size_t pos)
{
    while (pos < x->source.len) {
        size_t next = pos;
        if (!gol_jchar_is_space(gol_jchar_next(x->source, &next)))
            break;
        pos = next;
    }
    return pos;
}

/* Moves on to pos and counts lines. */
static void advance(gol_jlexer *x, size_t pos)
{
    for (size_t i = x->pos; i < pos; i++)
        x->line += x->source.data[i] == '\n';
    if (pos > x->pos)
        x->at_line_start = x->source.data[pos - 1] == '\n';
    x->pos = pos;
}

/* A tag's end at pos ("%}" or "#}", with its sign before it): where the text behind begins, or 0 when there is none here. */
static size_t find_end(const gol_jlexer *x, size_t pos, const char *end)
{
    if (at(x, pos) == '-' && has(x, pos + 1, end))
        return skip_space(x, pos + 3);
    if (at(x, pos) == '+' && has(x, pos + 1, end))
        return pos + 3;
    if (!has(x, pos, end))
        return 0;
    return pos + 2 + (at(x, pos + 2) == '\n');
}

/* The text up to a tag with this sign, without what the sign or lstrip_blocks takes. */
static gol_str strip_data(const gol_jlexer *x, gol_str text, char sign, bool is_variable)
{
    if (sign == '-')
        return gol_jchar_strip(text, false, true);
    if (sign == '+' || is_variable)
        return text;
    size_t line = text.len;
    while (line > 0 && text.data[line - 1] != '\n')
        line--;
    const gol_str rest = {text.data + line, text.len - line};
    const bool is_whole_line = line > 0 || x->at_line_start;
    if (is_whole_line && gol_jchar_strip(rest, true, false).len == 0)
        text.len = line;
    return text;
}

/* "{% raw %}" at pos: where its content begins; 0: it is none. */
static size_t find_raw(const gol_jlexer *x, size_t pos, const char *word, size_t *behind_word)
{
    size_t p = pos + 2;
    if (at(x, p) == '-' || at(x, p) == '+')
        p++;
    p = skip_space(x, p);
    if (!has(x, p, word))
        return 0;
    p = skip_space(x, p + strlen(word));
    *behind_word = p;
    return p;
}

static int lex_raw(gol_jlexer *x, size_t content, gol_str *out)
{
    advance(x, content);
    for (size_t p = content; p + 1 < x->source.len; p++) {
        if (at(x, p) != '{' || at(x, p + 1) != '%')
            continue;
        size_t word_end;
        const size_t end = find_raw(x, p, "endraw", &word_end) ? find_end(x, word_end, "%}") : 0;
        if (end == 0)
            continue;
        const char sign = at(x, p + 2);
        *out = strip_data(x, (gol_str){x->source.data + content, p - content}, sign, false);
        advance(x, end);
        return 0;
    }
    *out = GOL_STR("");
    if (content == x->source.len) /* nothing is lost: Jinja lets it pass */
        return 0;
    return fail(x, "{% raw %} without its {% endraw %}", GOL_STR(""));
}

static int skip_comment(gol_jlexer *x, size_t pos)
{
    pos += 2;
    if (at(x, pos) == '-' || at(x, pos) == '+')
        pos++;
    for (size_t p = pos; p + 1 < x->source.len; p++) {
        /* A sign belongs to the end that follows it. */
        const size_t end = find_end(x, p, "#}");
        if (end != 0) {
            advance(x, end);
            return 0;
        }
    }
    if (pos == x->source.len) {
        advance(x, pos);
        return 0;
    }
    return fail(x, "comment without its #}", GOL_STR(""));
}

static size_t find_open(const gol_jlexer *x)
{
    for (size_t p = x->pos; p + 1 < x->source.len; p++) {
        const char c = at(x, p + 1);
        if (at(x, p) == '{' && (c == '{' || c == '%' || c == '#'))
            return p;
    }
    return x->source.len;
}

/* The text up to the next tag, perhaps empty, and what follows it: a tag is opened, or raw text and comments are passed. */
static int lex_data(gol_jlexer *x, gol_jtoken *out)
{
    const size_t open = find_open(x);
    const gol_str text = {x->source.data + x->pos, open - x->pos};
    *out = (gol_jtoken){.kind = GOL_JTOK_DATA, .line = x->line, .text = text};
    if (open == x->source.len) {
        advance(x, open);
        return 0;
    }
    const char kind = at(x, open + 1);
    const char sign = at(x, open + 2);
    out->text = strip_data(x, text, sign, kind == '{');
    advance(x, open);
    if (kind == '#')
        return skip_comment(x, open);
    size_t raw = 0;
    if (kind == '%' && find_raw(x, open, "raw", &raw)) {
        size_t content = 0;
        if (has(x, raw, "-%}"))
            content = skip_space(x, raw + 3);
        else if (has(x, raw, "%}"))
            content = raw + 2;
        if (content != 0) {
            /* The text before goes out first, unless there is none. */
            if (out->text.len > 0) {
                x->has_open = true;
                x->open = (gol_jtoken){.kind = GOL_JTOK_DATA, .line = x->line};
                return lex_raw(x, content, &x->open.text);
            }
            return lex_raw(x, content, &out->text);
        }
    }
    x->mode = kind == '%' ? GOL_JLEX_BLOCK : GOL_JLEX_VARIABLE;
    x->has_open = true;
    x->open = (gol_jtoken){
        .kind = kind == '%' ? GOL_JTOK_BLOCK_BEGIN : GOL_JTOK_VARIABLE_BEGIN,
        .line = x->line,
    };
    advance(x, open + (sign == '-' || sign == '+' ? 3 : 2));
    return 0;
}

/* ---- inside of tags ---- */

static bool is_digit_of(char c, int base)
{
    if (base == 16 && ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
        return true;
    return c >= '0' && c < '0' + (base < 10 ? base : 10);
}

/* Digits with single underscores between them, from pos on; copied without these. */
static size_t take_digits(const gol_jlexer *x, size_t pos, int base, char *out, size_t *n_out)
{
    for (;;) {
        const bool joins = at(x, pos) == '_' && is_digit_of(at(x, pos + 1), base) && pos > 0 &&
                           is_digit_of(at(x, pos - 1), base);
        if (joins)
            pos++;
        if (!is_digit_of(at(x, pos), base))
            return pos;
        if (*n_out < NUMBER_MAX - 1)
            out[*n_out] = at(x, pos);
        (*n_out)++;
        pos++;
    }
}

static int lex_radix(gol_jlexer *x, gol_jtoken *out, int base)
{
    char digits[NUMBER_MAX] = "";
    size_t n = 0;
    const size_t end = take_digits(x, x->pos + 2, base, digits, &n);
    errno = 0;
    out->kind = GOL_JTOK_INT;
    out->i = n > 0 && n < NUMBER_MAX ? strtoll(digits, NULL, base) : 0;
    if (n == 0 || n >= NUMBER_MAX || errno != 0)
        return fail(x, "no number, or more than 64 bits:",
                    (gol_str){x->source.data + x->pos, end - x->pos});
    advance(x, end);
    return 0;
}

static int lex_number(gol_jlexer *x, gol_jtoken *out)
{
    const char c = (char)(at(x, x->pos + 1) | 0x20);
    if (at(x, x->pos) == '0' && (c == 'x' || c == 'o' || c == 'b'))
        return lex_radix(x, out, c == 'x' ? 16 : c == 'o' ? 8 : 2);
    char text[NUMBER_MAX] = "";
    size_t n = 0;
    bool is_float = false;
    size_t end = take_digits(x, x->pos, 10, text, &n);
    /* Behind a dot (of x.0.1) an index stands, no fraction. */
    const bool may_be_float = x->pos == 0 || at(x, x->pos - 1) != '.';
    if (may_be_float && at(x, end) == '.' && is_digit_of(at(x, end + 1), 10)) {
        is_float = true;
        if (n < NUMBER_MAX - 1)
            text[n] = '.';
        n++;
        end = take_digits(x, end + 1, 10, text, &n);
    }
    const size_t sign = at(x, end + 1) == '+' || at(x, end + 1) == '-' ? 1 : 0;
    if (may_be_float && (at(x, end) | 0x20) == 'e' && is_digit_of(at(x, end + 1 + sign), 10)) {
        is_float = true;
        for (size_t i = 0; i < 1 + sign; i++, n++) {
            if (n < NUMBER_MAX - 1)
                text[n] = at(x, end + i);
        }
        end = take_digits(x, end + 1 + sign, 10, text, &n);
    }
    errno = 0;
    const gol_str found = {x->source.data + x->pos, end - x->pos};
    if (n >= NUMBER_MAX)
        return fail(x, "a number of too many digits:", found);
    if (is_float) {
        out->kind = GOL_JTOK_FLOAT;
        out->f = strtod(text, NULL); /* out of range becomes infinite or 0, as in Python */
    } else {
        out->kind = GOL_JTOK_INT;
        out->i = strtoll(text, NULL, 10);
        if (errno != 0)
            return fail(x, "an integer of more than 64 bits:", found);
        if (n > 1 && text[0] == '0' && strspn(text, "0") != n)
            return fail(x, "an integer with zeros in front:", found);
    }
    advance(x, end);
    return 0;
}

static int lex_string(gol_jlexer *x, gol_jtoken *out)
{
    const char quote = at(x, x->pos);
    size_t end = x->pos + 1;
    while (end < x->source.len && at(x, end) != quote)
        end += at(x, end) == '\\' ? 2 : 1;
    if (end >= x->source.len)
        return fail(x, "a string without its end", GOL_STR(""));
    const gol_str raw = {x->source.data + x->pos + 1, end - x->pos - 1};
    out->kind = GOL_JTOK_STRING;
    const char *why = NULL;
    const int rc = gol_string_literal_parse(&out->text, x->arena, raw, &why);
    if (rc == GOL_ENOMEM)
        return gol_fail(x->err, GOL_ENOMEM, "out of memory");
    if (rc != 0)
        return fail(x, why, raw);
    advance(x, end + 1);
    return 0;
}

static bool is_name_char(uint32_t cp, bool is_first)
{
    return cp == '_' || gol_jchar_is_alpha(cp) || (!is_first && gol_jchar_is_word(cp));
}

static bool lex_name(gol_jlexer *x, gol_jtoken *out)
{
    size_t end = x->pos;
    while (end < x->source.len) {
        size_t next = end;
        if (!is_name_char(gol_jchar_next(x->source, &next), end == x->pos))
            break;
        end = next;
    }
    if (end == x->pos)
        return false;
    out->kind = GOL_JTOK_NAME;
    out->text = (gol_str){x->source.data + x->pos, end - x->pos};
    advance(x, end);
    return true;
}

static const struct {
    char text[3];
    gol_jtoken_kind kind;
} operators[] = {
    {"//", GOL_JTOK_FLOORDIV}, {"**", GOL_JTOK_POW},      {"==", GOL_JTOK_EQ},
    {"!=", GOL_JTOK_NE},       {">=", GOL_JTOK_GE},       {"<=", GOL_JTOK_LE},
    {"+", GOL_JTOK_ADD},       {"-", GOL_JTOK_SUB},       {"*", GOL_JTOK_MUL},
    {"/", GOL_JTOK_DIV},       {"%", GOL_JTOK_MOD},       {"~", GOL_JTOK_TILDE},
    {"[", GOL_JTOK_LBRACKET},  {"]", GOL_JTOK_RBRACKET},  {"(", GOL_JTOK_LPAREN},
    {")", GOL_JTOK_RPAREN},    {"{", GOL_JTOK_LBRACE},    {"}", GOL_JTOK_RBRACE},
    {">", GOL_JTOK_GT},        {"<", GOL_JTOK_LT},        {"=", GOL_JTOK_ASSIGN},
    {".", GOL_JTOK_DOT},       {":", GOL_JTOK_COLON},     {"|", GOL_JTOK_PIPE},
    {",", GOL_JTOK_COMMA},     {";", GOL_JTOK_SEMICOLON},
};

enum { N_OPERATORS = sizeof operators / sizeof operators[0] };

static int track_brackets(gol_jlexer *x, gol_jtoken_kind kind)
{
    const char *opening = "[({";
    const char *closing = "])}";
    const char c = at(x, x->pos);
    if (kind == GOL_JTOK_LBRACKET || kind == GOL_JTOK_LPAREN || kind == GOL_JTOK_LBRACE) {
        if (x->n_brackets == GOL_JLEXER_NESTING_MAX)
            return fail(x, "too many brackets inside each other", GOL_STR(""));
        x->brackets[x->n_brackets++] = closing[strchr(opening, c) - opening];
    } else if (kind == GOL_JTOK_RBRACKET || kind == GOL_JTOK_RPAREN || kind == GOL_JTOK_RBRACE) {
        if (x->n_brackets == 0)
            return fail(x, "unexpected", (gol_str){x->source.data + x->pos, 1});
        if (x->brackets[--x->n_brackets] != c)
            return gol_fail(x->err, GOL_EINVAL, "line %u: expected '%c', found '%c'", x->line,
                            x->brackets[x->n_brackets], c);
    }
    return 0;
}

static int lex_operator(gol_jlexer *x, gol_jtoken *out)
{
    for (size_t i = 0; i < N_OPERATORS; i++) {
        if (!has(x, x->pos, operators[i].text))
            continue;
        out->kind = operators[i].kind;
        const int rc = track_brackets(x, out->kind);
        if (rc == 0)
            advance(x, x->pos + strlen(operators[i].text));
        return rc;
    }
    return fail(x, "unexpected character",
                (gol_str){x->source.data + x->pos,
                          gol_utf8_char_len(x->source.data + x->pos, x->source.len - x->pos)});
}

/* The end of the tag, at pos: where the text behind it begins, or 0. */
static size_t find_tag_end(const gol_jlexer *x)
{
    if (x->n_brackets > 0)
        return 0;
    if (x->mode == GOL_JLEX_BLOCK)
        return find_end(x, x->pos, "%}");
    if (has(x, x->pos, "-}}"))
        return skip_space(x, x->pos + 3);
    return has(x, x->pos, "}}") ? x->pos + 2 : 0;
}

static int lex_tag(gol_jlexer *x, gol_jtoken *out)
{
    for (size_t pos = skip_space(x, x->pos); pos != x->pos; pos = skip_space(x, x->pos))
        advance(x, pos);
    *out = (gol_jtoken){.kind = GOL_JTOK_END, .line = x->line};
    if (x->pos == x->source.len)
        return 0;
    const size_t end = find_tag_end(x);
    if (end != 0) {
        out->kind = x->mode == GOL_JLEX_BLOCK ? GOL_JTOK_BLOCK_END : GOL_JTOK_VARIABLE_END;
        x->mode = GOL_JLEX_DATA;
        advance(x, end);
        return 0;
    }
    const char c = at(x, x->pos);
    if (c >= '0' && c <= '9')
        return lex_number(x, out);
    if (c == '"' || c == '\'')
        return lex_string(x, out);
    return lex_name(x, out) ? 0 : lex_operator(x, out);
}

int gol_jlexer_next(gol_jlexer *x, gol_jtoken *out)
{
    if (x->has_open) {
        x->has_open = false;
        *out = x->open;
        return 0;
    }
    if (x->mode != GOL_JLEX_DATA)
        return lex_tag(x, out);
    while (x->pos < x->source.len) {
        const int rc = lex_data(x, out);
        if (rc != 0 || out->text.len > 0)
            return rc;
        if (x->has_open)
            return gol_jlexer_next(x, out);
    }
    *out = (gol_jtoken){.kind = GOL_JTOK_END, .line = x->line};
    return 0;
}

const char *gol_jtoken_kind_name(gol_jtoken_kind kind)
{
    switch (kind) {
    case GOL_JTOK_END:
        return "the end of the template";
    case GOL_JTOK_DATA:
        return "text";
    case GOL_JTOK_BLOCK_BEGIN:
        return "'{%'";
    case GOL_JTOK_BLOCK_END:
        return "'%}'";
    case GOL_JTOK_VARIABLE_BEGIN:
        return "'{{'";
    case GOL_JTOK_VARIABLE_END:
        return "'}}'";
    case GOL_JTOK_NAME:
        return "a name";
    case GOL_JTOK_STRING:
        return "a string";
    case GOL_JTOK_INT:
    case GOL_JTOK_FLOAT:
        return "a number";
    default:
        break;
    }
    for (size_t i = 0; i < N_OPERATORS; i++) {
        if (operators[i].kind == kind)
            return operators[i].text;
    }
    return "?";
}
