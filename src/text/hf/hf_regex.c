/*
 * From Oniguruma's expressions (its Ruby syntax, Unicode) to PCRE2's, where they differ:
 *
 *   \s \S            White_Space (PCRE2's have U+180E, too)
 *   \w \W \b \B      Alphabetic, M, Nd, Pc (PCRE2's: L, N and "_"); outside of classes raised digits and fractions, too
 *   \h \H \O         hexadecimal digits (PCRE2's: horizontal space); any character
 *   \uHHHH           \x{HHHH}
 *   \p{Letter} ...   \p{L}: PCRE2 knows the short names of categories alone
 *   \p{Han} ...      \p{sc:Han}: PCRE2's are script extensions
 *   [:punct:] ...    what Oniguruma counts among them
 *   ^ $              at every line
 *   X{n,m}+          the interval, repeated (PCRE2's: possessive); X{,m} is X{0,m}
 *   (?m              "." matches newlines: (?s
 *   [a[^b]&&[c]]     classes in classes and intersections: alternatives of one character, under look-aheads
 */
#include "text/hf/hf_regex.h"

#include <stdbool.h>
#include <stdint.h>

#include "text/pre_patterns.h"
#include "text/regex.h"

enum { GROUPS_MAX = 200, NAME_MAX_LEN = 32, CLASS_DEPTH_MAX = 16 };

#define WORD_CLASS "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
/* Where Oniguruma looks characters below 256 up in a table of its own, that of ISO 8859-1. */
#define WORD_ALONE  WORD_CLASS "\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"
#define WORD        "[" WORD_ALONE "]"
#define VISIBLE     "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}"
#define NEWLINE_TOO "(?s:.)"

typedef struct translation {
    gol_buf *out;
    gol_str in;
    size_t pos;
    size_t atom; /* where the last atom begins in out */
    bool has_atom;
    size_t groups[GROUPS_MAX]; /* where open groups begin in out */
    int n_groups;
    int class_depth;
    gol_buf *others; /* in a class: what cannot be between its brackets, "|x|y"; else NULL */
    gol_err *err;
} translation;

/* Names without "_", " " and "-", as what stands between the brackets of a class. */
static const char *const sets[][2] = {
    {"letter", "\\p{L}"},
    {"uppercaseletter", "\\p{Lu}"},
    {"lowercaseletter", "\\p{Ll}"},
    {"titlecaseletter", "\\p{Lt}"},
    {"casedletter", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"modifierletter", "\\p{Lm}"},
    {"otherletter", "\\p{Lo}"},
    {"mark", "\\p{M}"},
    {"combiningmark", "\\p{M}"},
    {"nonspacingmark", "\\p{Mn}"},
    {"spacingmark", "\\p{Mc}"},
    {"enclosingmark", "\\p{Me}"},
    {"number", "\\p{N}"},
    {"decimalnumber", "\\p{Nd}"},
    {"letternumber", "\\p{Nl}"},
    {"othernumber", "\\p{No}"},
    {"punctuation", "\\p{P}"},
    {"connectorpunctuation", "\\p{Pc}"},
    {"dashpunctuation", "\\p{Pd}"},
    {"openpunctuation", "\\p{Ps}"},
    {"closepunctuation", "\\p{Pe}"},
    {"initialpunctuation", "\\p{Pi}"},
    {"finalpunctuation", "\\p{Pf}"},
    {"otherpunctuation", "\\p{Po}"},
    {"symbol", "\\p{S}"},
    {"mathsymbol", "\\p{Sm}"},
    {"currencysymbol", "\\p{Sc}"},
    {"modifiersymbol", "\\p{Sk}"},
    {"othersymbol", "\\p{So}"},
    {"separator", "\\p{Z}"},
    {"spaceseparator", "\\p{Zs}"},
    {"lineseparator", "\\p{Zl}"},
    {"paragraphseparator", "\\p{Zp}"},
    {"other", "\\p{C}"},
    {"control", "\\p{Cc}"},
    {"format", "\\p{Cf}"},
    {"surrogate", "\\p{Cs}"},
    {"privateuse", "\\p{Co}"},
    {"unassigned", "\\p{Cn}"},
    {"alpha", "\\p{Alphabetic}"},
    {"space", "\\p{White_Space}"},
    {"digit", "\\p{Nd}"},
    {"upper", "\\p{Uppercase}"},
    {"lower", "\\p{Lowercase}"},
    {"cntrl", "\\p{Cc}"},
    {"punct", "\\p{P}"},
    {"lc", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"word", WORD_CLASS},
    {"blank", "\\p{Zs}\\t"},
    {"xdigit", "0-9A-Fa-f"},
    {"ascii", "\\x{00}-\\x{7F}"},
    {"graph", VISIBLE},
    {"print", VISIBLE "\\p{Zs}"},
    {"assigned", VISIBLE "\\p{Z}\\p{Cc}"},
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

/* A set of characters, between a class's brackets or with its own. */
static void put_set(translation *t, const char *content, bool is_negated)
{
    const char *end = strchr(content, '}');
    if (strncmp(content, "\\p{", 3) == 0 && end != NULL && end[1] == '\0')
        gol_buf_printf(t->out, "\\%c%s", is_negated ? 'P' : 'p', content + 2);
    else if (t->others == NULL)
        gol_buf_printf(t->out, "[%s%s]", is_negated ? "^" : "", content);
    else if (is_negated)
        gol_buf_printf(t->others, "|[^%s]", content);
    else
        gol_buf_puts(t->out, content);
}

/* The set of a name of n bytes; NULL: not known here. */
static const char *find_set(const char *name, size_t n)
{
    char plain[NAME_MAX_LEN];
    size_t n_plain = 0;
    for (size_t i = 0; i < n && n_plain < sizeof plain - 1; i++) {
        const char c = name[i];
        if (c != '_' && c != ' ' && c != '-')
            plain[n_plain++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    plain[n_plain] = '\0';
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(plain, sets[i][0]) == 0)
            return sets[i][1];
    }
    return NULL;
}

/* PCRE2's \p{Han} means script extensions, Oniguruma's the script. */
static bool is_script(gol_str name)
{
    gol_buf pattern;
    gol_buf_init(&pattern, 4 * NAME_MAX_LEN);
    gol_buf_printf(&pattern, "\\p{sc:%.*s}", (int)name.len, name.data);
    gol_regex *regex = NULL;
    const bool is_known = name.len < NAME_MAX_LEN && !pattern.failed &&
                          gol_regex_create(&regex, gol_buf_view(&pattern), false, NULL) == 0;
    gol_regex_destroy(&regex);
    gol_buf_deinit(&pattern);
    return is_known;
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
    const bool has_caret = t->in.data[t->pos + 3] == '^';
    const bool is_upper = t->in.data[t->pos + 1] == 'P';
    const size_t start = t->pos + 3 + has_caret;
    const gol_str name = {t->in.data + start, end > start ? end - start : 0};
    const char *known = find_set(name.data, name.len);
    if (known != NULL && t->others == NULL && strcmp(known, WORD_CLASS) == 0)
        known = WORD_ALONE;
    if (known != NULL)
        put_set(t, known, is_upper != has_caret);
    else if (is_script(name))
        gol_buf_printf(t->out, "\\%c{sc:%.*s}", is_upper != has_caret ? 'P' : 'p', (int)name.len,
                       name.data);
    else
        copy(t, end + 1 - t->pos);
    t->pos = end + 1;
    return 0;
}

/* At the backslash. */
static int put_escape(translation *t)
{
    const bool in_class = t->others != NULL;
    const char c = peek(t, 1);
    switch (c) {
    case '\0':
        return unsupported(t, "a backslash at the end");
    case 's':
    case 'S':
        gol_buf_puts(t->out, c == 's' ? "\\p{White_Space}" : "\\P{White_Space}");
        break;
    case 'w':
    case 'W':
        put_set(t, in_class ? WORD_CLASS : WORD_ALONE, c == 'W');
        break;
    case 'h':
    case 'H':
        put_set(t, "0-9A-Fa-f", c == 'H');
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
        if (!in_class && c == 'b')
            gol_buf_puts(t->out, "(?:(?<=" WORD ")(?!" WORD ")|(?<!" WORD ")(?=" WORD "))");
        else if (!in_class && c == 'B')
            gol_buf_puts(t->out, "(?:(?<=" WORD ")(?=" WORD ")|(?<!" WORD ")(?!" WORD "))");
        else if (!in_class && c == 'O')
            gol_buf_puts(t->out, NEWLINE_TOO);
        else {
            t->pos++;
            gol_buf_putc(t->out, '\\');
            copy(t, char_len(t));
            return 0;
        }
        break;
    }
    t->pos += 2;
    return 0;
}

/* [:alpha:] or [:^alpha:] in a class: at its bracket. False: it is none. */
static bool put_posix(translation *t)
{
    const bool has_caret = peek(t, 2) == '^';
    const size_t start = t->pos + 2 + has_caret;
    size_t end = start;
    while (end < t->in.len && t->in.data[end] >= 'a' && t->in.data[end] <= 'z')
        end++;
    const gol_str name = {t->in.data + start, end - start};
    if (end + 1 >= t->in.len || t->in.data[end] != ':' || t->in.data[end + 1] != ']')
        return false;
    const char *set = find_set(name.data, name.len);
    if (gol_str_is(name, "punct"))
        set = "\\p{P}\\p{S}";
    if (set == NULL)
        return false;
    put_set(t, set, has_caret);
    t->pos = end + 2;
    return true;
}

static int put_class(translation *t);

/* What stands between two "&&", or between one and a bracket: into items and others. */
static int read_operand(translation *t, gol_buf *items, gol_buf *others)
{
    gol_buf *const out = t->out;
    gol_buf *const outer_others = t->others;
    t->out = items;
    t->others = others;
    int rc = 0;
    while (rc == 0 && !at_end(t) && peek(t, 0) != ']' &&
           !(peek(t, 0) == '&' && peek(t, 1) == '&')) {
        const char c = peek(t, 0);
        if (c == '\\') {
            rc = put_escape(t);
        } else if (c == '[' && !(peek(t, 1) == ':' && put_posix(t))) {
            gol_buf_putc(others, '|');
            t->out = others;
            rc = put_class(t);
            t->out = items;
        } else if (c != '[') {
            copy(t, char_len(t));
        }
    }
    t->out = out;
    t->others = outer_others;
    return rc;
}

/* One character of an operand, as an expression; without others, is_negated says the class's own. */
static void put_operand(gol_buf *out, const gol_buf *items, const gol_buf *others, bool is_negated)
{
    if (others->len == 0 && items->len == 0) {
        gol_buf_puts(out, is_negated ? NEWLINE_TOO : "(?!)");
    } else if (others->len == 0) {
        gol_buf_puts(out, is_negated ? "[^" : "[");
        gol_buf_put(out, items->data, items->len);
        gol_buf_putc(out, ']');
    } else {
        gol_buf_puts(out, is_negated ? "(?:(?!" : "(?:");
        if (items->len > 0) {
            gol_buf_putc(out, '[');
            gol_buf_put(out, items->data, items->len);
            gol_buf_putc(out, ']');
        }
        const size_t bar = items->len == 0;
        gol_buf_put(out, others->data + bar, others->len - bar);
        gol_buf_puts(out, is_negated ? ")" NEWLINE_TOO ")" : ")");
    }
    out->failed = out->failed || items->failed || others->failed;
}

/* The operands of a class behind its "[" or "[^", up to its "]": "(?=A)(?=B)C". */
static int put_operands(translation *t, bool is_negated)
{
    gol_buf items, others, tests;
    gol_buf_init(&items, t->out->len_max);
    gol_buf_init(&others, t->out->len_max);
    gol_buf_init(&tests, t->out->len_max);
    int rc = 0;
    if (peek(t, 0) == ']') { /* stands for itself there */
        gol_buf_puts(&items, "\\]");
        t->pos++;
    }
    bool goes_on = true;
    while (rc == 0 && goes_on) {
        rc = read_operand(t, &items, &others);
        goes_on = rc == 0 && peek(t, 0) == '&';
        if (!goes_on)
            break;
        t->pos += 2;
        gol_buf_puts(&tests, "(?=");
        put_operand(&tests, &items, &others, false);
        gol_buf_putc(&tests, ')');
        gol_buf_clear(&items);
        gol_buf_clear(&others);
    }
    if (rc == 0 && tests.len == 0) {
        put_operand(t->out, &items, &others, is_negated);
    } else if (rc == 0) {
        gol_buf_puts(t->out, is_negated ? "(?:(?!" : "(?:");
        gol_buf_put_str(t->out, gol_buf_view(&tests));
        put_operand(t->out, &items, &others, false);
        gol_buf_puts(t->out, is_negated ? ")" NEWLINE_TOO ")" : ")");
    }
    t->out->failed = t->out->failed || tests.failed;
    gol_buf_deinit(&items);
    gol_buf_deinit(&others);
    gol_buf_deinit(&tests);
    return rc;
}

/* A class, at its bracket. */
static int put_class(translation *t)
{
    if (t->class_depth == CLASS_DEPTH_MAX)
        return unsupported(t, "too many classes in classes");
    t->class_depth++;
    t->pos++;
    const bool is_negated = peek(t, 0) == '^';
    t->pos += is_negated;
    const int rc = put_operands(t, is_negated);
    t->class_depth--;
    if (rc != 0)
        return rc;
    if (at_end(t))
        return unsupported(t, "a class without its end");
    t->pos++;
    return 0;
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
        rc = put_escape(t);
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

/* Expressions of known tokenizers that look at a run again from each of its characters, and the same in time linear in the run. */
static const char *const rewritten[][2] = {
    {"\\d{1,3}(?=(?:\\d{3})*\\b)", GOL_PRE_DIGITS_RIGHT},
    {"\\s+$", "(?<!\\p{White_Space})(?:\\p{White_Space}++\\z|\\p{White_Space}+(?=\\n))"},
};

int gol_hftok_regex_translate(gol_buf *out, gol_str pattern, gol_err *err)
{
    for (size_t i = 0; i < sizeof rewritten / sizeof rewritten[0]; i++) {
        if (gol_str_is(pattern, rewritten[i][0])) {
            gol_buf_puts(out, rewritten[i][1]);
            return out->failed ? gol_fail(err, GOL_ENOMEM, "expression: out of memory") : 0;
        }
    }
    translation t = {.out = out, .in = pattern, .err = err};
    int rc = 0;
    while (rc == 0 && !at_end(&t) && !out->failed)
        rc = put_next(&t);
    if (rc == 0 && out->failed)
        rc = gol_fail(err, GOL_ENOMEM, "expression of %zu bytes: out of memory", pattern.len);
    return rc;
}
