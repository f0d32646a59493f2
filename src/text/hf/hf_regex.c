/*
 * From Oniguruma's expressions (its Ruby syntax, Unicode) to PCRE2's, where they differ:
 *
 *   \s \S            White_Space (PCRE2's have U+180E, too)
 *   \w \W            Alphabetic, M, Nd, Pc (PCRE2's: L, N and "_")
 *   \h \H            hexadecimal digits (PCRE2's: horizontal space)
 *   \uHHHH           \x{HHHH}
 *   \p{Letter} ...   \p{L}: PCRE2 knows the short names of categories alone
 *   ^ $              at every line
 *   X{n,m}+          the interval, repeated (PCRE2's: possessive); X{,m} is X{0,m}
 *   (?m              "." matches newlines: (?s
 *   [a[bc]]          a class in a class; intersections ("&&") and negated inner classes have no counterpart
 */
#include "text/hf/hf_regex.h"

#include <stdbool.h>
#include <stdint.h>

enum { GROUPS_MAX = 200, NAME_MAX_LEN = 32 };

#define WORD_CLASS "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"

typedef struct translation {
    gol_buf *out;
    gol_str in;
    size_t pos;
    size_t atom; /* where the last atom begins in out */
    bool has_atom;
    size_t groups[GROUPS_MAX]; /* where open groups begin in out */
    int n_groups;
    gol_err *err;
} translation;

static const char *const categories[][2] = {
    {"letter", "L"},
    {"uppercaseletter", "Lu"},
    {"lowercaseletter", "Ll"},
    {"titlecaseletter", "Lt"},
    {"casedletter", "L&"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"mark", "M"},
    {"combiningmark", "M"},
    {"nonspacingmark", "Mn"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"openpunctuation", "Ps"},
    {"closepunctuation", "Pe"},
    {"initialpunctuation", "Pi"},
    {"finalpunctuation", "Pf"},
    {"otherpunctuation", "Po"},
    {"symbol", "S"},
    {"mathsymbol", "Sm"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"spaceseparator", "Zs"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"surrogate", "Cs"},
    {"privateuse", "Co"},
    {"unassigned", "Cn"},
    {"alpha", "Alphabetic"},
    {"space", "White_Space"},
    {"digit", "Nd"},
    {"upper", "Uppercase"},
    {"lower", "Lowercase"},
    {"cntrl", "Cc"},
};

static int unsupported(const translation *t, const char *what)
{
    char quoted[128];
    return gol_fail(t->err, GOL_EUNSUPPORTED, "expression '%s': %s at byte %zu",
                    gol_quote(quoted, sizeof quoted, t->in), what, t->pos);
}

static char peek(const translation *t, size_t ahead)
{
    return ahead < t->in.len - t->pos ? t->in.data[t->pos + ahead] : '\0';
}

static bool at_end(const translation *t)
{
    return t->pos >= t->in.len;
}

static void copy(translation *t, size_t n)
{
    gol_buf_put(t->out, t->in.data + t->pos, n);
    t->pos += n;
}

/* Bytes of the character at pos. */
static size_t char_len(const translation *t)
{
    size_t n = 1;
    while (t->pos + n < t->in.len && ((unsigned char)t->in.data[t->pos + n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* \p{...}: at the backslash. */
static int put_property(translation *t)
{
    size_t end = t->pos + 2;
    if (peek(t, 2) != '{') { /* \pL */
        copy(t, t->in.len - t->pos < 3 ? t->in.len - t->pos : 3);
        return 0;
    }
    while (end < t->in.len && t->in.data[end] != '}')
        end++;
    if (end == t->in.len)
        return unsupported(t, "\\p{ without }");
    char name[NAME_MAX_LEN];
    size_t n = 0;
    const bool is_negated = t->in.data[t->pos + 3] == '^';
    for (size_t i = t->pos + 3 + is_negated; i < end && n < sizeof name - 1; i++) {
        const char c = t->in.data[i];
        if (c != '_' && c != ' ' && c != '-')
            name[n++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    name[n] = '\0';
    const char *known = NULL;
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        if (strcmp(name, categories[i][0]) == 0)
            known = categories[i][1];
    }
    if (known == NULL) {
        copy(t, end + 1 - t->pos);
        return 0;
    }
    const bool is_upper = t->in.data[t->pos + 1] == 'P';
    gol_buf_printf(t->out, "\\%c{%s}", is_upper != is_negated ? 'P' : 'p', known);
    t->pos = end + 1;
    return 0;
}

/* At the backslash. */
static int put_escape(translation *t, bool in_class)
{
    const char c = peek(t, 1);
    const char *text = NULL;
    switch (c) {
    case '\0':
        return unsupported(t, "a backslash at the end");
    case 's':
        text = "\\p{White_Space}";
        break;
    case 'S':
        text = "\\P{White_Space}";
        break;
    case 'w':
        text = in_class ? WORD_CLASS : "[" WORD_CLASS "]";
        break;
    case 'W':
        text = in_class ? "\\W" : "[^" WORD_CLASS "]";
        break;
    case 'h':
        text = in_class ? "0-9A-Fa-f" : "[0-9A-Fa-f]";
        break;
    case 'H':
        if (in_class)
            return unsupported(t, "\\H in a class");
        text = "[^0-9A-Fa-f]";
        break;
    case 'p':
    case 'P':
        return put_property(t);
    case 'u':
        if (t->in.len - t->pos < 6)
            return unsupported(t, "\\u without four digits");
        gol_buf_printf(t->out, "\\x{%.4s}", t->in.data + t->pos + 2);
        t->pos += 6;
        return 0;
    default:
        t->pos++;
        gol_buf_putc(t->out, '\\');
        copy(t, char_len(t));
        return 0;
    }
    gol_buf_puts(t->out, text);
    t->pos += 2;
    return 0;
}

/* A class, at its bracket. Inner classes that only add are opened up. */
static int put_class(translation *t)
{
    int depth = 0;
    do {
        const char c = peek(t, 0);
        if (c == '[' && peek(t, 1) == ':') {
            size_t n = 2;
            while (t->pos + n + 1 < t->in.len &&
                   !(t->in.data[t->pos + n] == ':' && t->in.data[t->pos + n + 1] == ']'))
                n++;
            copy(t, t->pos + n + 2 <= t->in.len ? n + 2 : t->in.len - t->pos);
        } else if (c == '[') {
            if (depth > 0 && peek(t, 1) == '^')
                return unsupported(t, "a negated class in a class");
            if (depth++ == 0) {
                const bool is_negated = peek(t, 1) == '^';
                copy(t, is_negated ? 2 : 1);
                if (peek(t, 0) == ']')
                    copy(t, 1);
            } else {
                t->pos++;
            }
        } else if (c == ']') {
            if (--depth == 0)
                gol_buf_putc(t->out, ']');
            t->pos++;
        } else if (c == '&' && peek(t, 1) == '&') {
            return unsupported(t, "an intersection of classes");
        } else if (c == '\\') {
            const int rc = put_escape(t, true);
            if (rc != 0)
                return rc;
        } else {
            copy(t, char_len(t));
        }
    } while (depth > 0 && !at_end(t));
    return depth == 0 ? 0 : unsupported(t, "a class without its end");
}

/* What stands between "(?" and ":" or ")": option letters, whose m is our s. */
static void put_group_start(translation *t)
{
    if (t->n_groups < GROUPS_MAX)
        t->groups[t->n_groups] = t->out->len;
    t->n_groups++;
    copy(t, 1);
    if (peek(t, 0) != '?')
        return;
    size_t n = 1;
    while (peek(t, n) == 'i' || peek(t, n) == 'm' || peek(t, n) == 'x' || peek(t, n) == '-')
        n++;
    if (peek(t, n) != ':' && peek(t, n) != ')') {
        copy(t, 1);
        if (peek(t, 0) == '<' || peek(t, 0) == '!' || peek(t, 0) == '=' || peek(t, 0) == '>' ||
            peek(t, 0) == ':')
            copy(t, 1);
        return;
    }
    for (; n > 0; n--) {
        const char c = peek(t, 0);
        gol_buf_putc(t->out, c == 'm' ? 's' : c);
        t->pos++;
    }
}

/* "{n,m}" at pos: its length, or 0. */
static size_t interval_len(const translation *t, bool *lacks_min)
{
    size_t n = 1;
    size_t n_digits = 0;
    *lacks_min = peek(t, 1) == ',';
    bool has_comma = false;
    for (;; n++) {
        const char c = peek(t, n);
        if (c >= '0' && c <= '9')
            n_digits++;
        else if (c == ',' && !has_comma)
            has_comma = true;
        else
            return c == '}' && n_digits > 0 ? n + 1 : 0;
    }
}

/* A repeated interval is wrapped: "(?:X{1,3})+". */
static int put_interval(translation *t)
{
    bool lacks_min;
    const size_t n = interval_len(t, &lacks_min);
    if (n == 0) {
        copy(t, 1);
        return 0;
    }
    const bool is_repeated = t->pos + n < t->in.len && t->in.data[t->pos + n] == '+';
    if (is_repeated) {
        if (!t->has_atom)
            return unsupported(t, "an interval of nothing");
        gol_buf rest;
        gol_buf_init(&rest, t->out->len_max);
        gol_buf_put(&rest, t->out->data + t->atom, t->out->len - t->atom);
        t->out->len = t->atom;
        gol_buf_puts(t->out, "(?:");
        gol_buf_put_str(t->out, gol_buf_view(&rest));
        t->out->failed = t->out->failed || rest.failed;
        gol_buf_deinit(&rest);
    }
    gol_buf_puts(t->out, lacks_min ? "{0" : "{");
    t->pos++;
    copy(t, n - 1);
    if (is_repeated)
        gol_buf_putc(t->out, ')');
    return 0;
}

static int put_next(translation *t)
{
    const char c = peek(t, 0);
    const size_t start = t->out->len;
    int rc = 0;
    switch (c) {
    case '\\':
        rc = put_escape(t, false);
        break;
    case '[':
        rc = put_class(t);
        break;
    case '(':
        put_group_start(t);
        t->has_atom = false;
        return 0;
    case ')':
        copy(t, 1);
        if (t->n_groups == 0)
            return 0; /* PCRE2 will complain */
        t->n_groups--;
        t->has_atom = t->n_groups < GROUPS_MAX;
        t->atom = t->has_atom ? t->groups[t->n_groups] : 0;
        return 0;
    case '{':
        return put_interval(t);
    case '*':
    case '+':
    case '?':
    case '|':
        copy(t, 1);
        return 0;
    case '^':
    case '$':
        gol_buf_printf(t->out, "(?m:%c)", c);
        t->pos++;
        break;
    default:
        copy(t, char_len(t));
        break;
    }
    t->atom = start;
    t->has_atom = true;
    return rc;
}

int gol_hftok_regex_translate(gol_buf *out, gol_str pattern, gol_err *err)
{
    translation t = {.out = out, .in = pattern, .err = err};
    int rc = 0;
    while (rc == 0 && !at_end(&t) && !out->failed)
        rc = put_next(&t);
    if (rc == 0 && out->failed)
        rc = gol_fail(err, GOL_ENOMEM, "expression of %zu bytes: out of memory", pattern.len);
    return rc;
}
