/*
 * "{} {name} {0[key].attr:>8}".format(...): str.format() in the form that Jinja's sandbox allows.
 */
#include <stdlib.h>
#include <string.h>

#include "text/template/jformat_spec.h"
#include "text/utf8.h"

enum { FIELD_DEPTH_MAX = 2 }; /* a specification may hold fields, their specifications none */

typedef struct braces {
    gol_jinja *j;
    const gol_jargs *args;
    size_t n_auto;   /* fields without a name so far */
    bool has_number; /* a field with one: the two cannot be mixed */
} braces;

static int put_template(braces *b, gol_buf *out, gol_str format, int depth);

static bool is_number(gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return s.len > 0 && s.len < 10;
}

static int64_t number_of(gol_str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n = n * 10 + (s.data[i] - '0');
    return n;
}

/* The argument that a field begins with: "", "0" or "name". */
static int find_argument(braces *b, gol_jvalue *out, gol_str name)
{
    char quoted[64];
    if (name.len > 0 && !is_number(name)) {
        for (size_t i = 0; i < b->args->n_named; i++) {
            if (gol_str_eq(b->args->named[i].key.str, name)) {
                *out = b->args->named[i].value;
                return 0;
            }
        }
        return gol_jinja_fail(b->j, "format(): no argument '%s'",
                              gol_quote(quoted, sizeof quoted, name));
    }
    if ((name.len > 0 && b->n_auto > 0) || (name.len == 0 && b->has_number))
        return gol_jinja_fail(b->j,
                              "format(): cannot switch between numbered and automatic fields");
    b->has_number |= name.len > 0;
    const size_t at = name.len > 0 ? (size_t)number_of(name) : b->n_auto++;
    if (at >= b->args->n)
        return gol_jinja_fail(b->j, "format(): index %zu out of range for positional args", at);
    *out = b->args->items[at];
    return 0;
}

/* ".attr" and "[key]" behind it. */
static int follow(braces *b, gol_jvalue *value, gol_str path)
{
    size_t pos = 0;
    int rc = 0;
    while (pos < path.len && rc == 0) {
        const bool is_attr = path.data[pos] == '.';
        const char end_char = is_attr ? '.' : ']';
        if (!is_attr && path.data[pos] != '[')
            return gol_jinja_fail(b->j, "format(): only '.' or '[' may follow ']'");
        size_t end = ++pos;
        while (end < path.len && path.data[end] != end_char && !(is_attr && path.data[end] == '['))
            end++;
        const gol_str name = {path.data + pos, end - pos};
        if (name.len == 0 || (!is_attr && end == path.len))
            return gol_jinja_fail(b->j, "format(): empty attribute or missing ']'");
        const gol_jvalue of = *value;
        const gol_jvalue index = is_number(name) ? gol_jvalue_int(number_of(name))
                                                 : gol_jvalue_str(name);
        rc = is_attr ? gol_jaccess_attr(b->j, value, &of, name)
                     : gol_jaccess_item(b->j, value, &of, &index);
        pos = is_attr ? end : end + 1;
    }
    return rc;
}

static int read_count(braces *b, gol_str s, size_t *pos, int *out, int max)
{
    int64_t n = 0;
    for (; *pos < s.len && s.data[*pos] >= '0' && s.data[*pos] <= '9' && n <= max; (*pos)++)
        n = n * 10 + (s.data[*pos] - '0');
    if (n > max)
        return gol_jinja_fail(b->j, "format(): a width or precision beyond %d", max);
    *out = (int)n;
    return 0;
}

static bool is_align(gol_str s, size_t pos)
{
    return pos < s.len && s.data[pos] != '\0' && strchr("<>^=", s.data[pos]);
}

static bool take(gol_str s, size_t *pos, char c)
{
    if (*pos >= s.len || s.data[*pos] != c)
        return false;
    (*pos)++;
    return true;
}

/* [[fill]align][sign][#][0][width][group][.precision][type] */
static int parse_spec(braces *b, gol_jspec *spec, gol_str s)
{
    *spec = (gol_jspec){.precision = -1};
    size_t pos = 0;
    size_t behind_fill = 0;
    if (s.len > 0)
        gol_jchar_next(s, &behind_fill);
    if (is_align(s, behind_fill)) {
        spec->fill = (gol_str){s.data, behind_fill};
        pos = behind_fill;
    }
    if (is_align(s, pos))
        spec->align = s.data[pos++];
    if (take(s, &pos, '+'))
        spec->sign = '+';
    else if (take(s, &pos, ' '))
        spec->sign = ' ';
    else
        take(s, &pos, '-');
    spec->alt = take(s, &pos, '#');
    if (take(s, &pos, '0')) {
        if (spec->fill.len == 0)
            spec->fill = GOL_STR("0");
        if (!spec->align)
            spec->align = '=';
    }
    int rc = read_count(b, s, &pos, &spec->width, GOL_JFORMAT_WIDTH_MAX);
    if (take(s, &pos, ','))
        spec->group = ',';
    else if (take(s, &pos, '_'))
        spec->group = '_';
    if (rc == 0 && take(s, &pos, '.')) {
        const size_t from = pos;
        rc = read_count(b, s, &pos, &spec->precision, GOL_JFORMAT_PRECISION_MAX);
        if (rc == 0 && pos == from)
            rc = gol_jinja_fail(b->j, "format(): format specifier missing precision");
    }
    if (pos < s.len)
        spec->type = s.data[pos++];
    if (rc == 0 && pos < s.len)
        rc = gol_jinja_fail(b->j, "format(): invalid format specifier");
    return rc;
}

static int fail_type(braces *b, const gol_jspec *spec, const gol_jvalue *value)
{
    return gol_jinja_fail(b->j, "format(): the format '%c' does not fit '%s'",
                          spec->type > ' ' && spec->type < 0x7f ? spec->type : '?',
                          gol_jvalue_type_name(value));
}

static int put_spec(braces *b, gol_buf *out, gol_jspec *spec, const gol_jvalue *value)
{
    const char type = spec->type;
    switch (value->type) {
    case GOL_J_STRING:
        if ((type && type != 's') || spec->align == '=' || spec->sign || spec->alt || spec->group) {
            if (spec->align != '=' || spec->fill.len != 1 || *spec->fill.data != '0')
                return fail_type(b, spec, value);
            spec->align = '<'; /* {:05} of a text fills behind it */
        }
        return gol_jspec_put_text(b->j, out, spec, value->str);
    case GOL_J_INT:
    case GOL_J_BOOL: {
        const int64_t i = value->type == GOL_J_INT ? value->i : value->b;
        if (type && strchr("eEfFgG%", type))
            return gol_jspec_put_float(b->j, out, spec, (double)i);
        if ((type && !strchr("bdnoxXc", type)) || spec->precision >= 0)
            return fail_type(b, spec, value);
        if (type == 'c') {
            char bytes[4];
            if (i < 0 || i > 0x10ffff || (i >= 0xd800 && i <= 0xdfff))
                return fail_type(b, spec, value);
            const size_t n = (size_t)gol_utf8_encode(bytes, (uint32_t)i);
            return gol_jspec_put_text(b->j, out, spec, (gol_str){bytes, n});
        }
        return gol_jspec_put_int(b->j, out, spec, i);
    }
    case GOL_J_FLOAT:
        if (type && !strchr("eEfFgGn%", type))
            return fail_type(b, spec, value);
        return gol_jspec_put_float(b->j, out, spec, value->f);
    default:
        return gol_jinja_fail(b->j, "unsupported format string passed to %s.__format__",
                              gol_jvalue_type_name(value));
    }
}

static int convert(braces *b, gol_jvalue *value, char conversion)
{
    if (conversion == '\0')
        return 0;
    if (conversion != 's' && conversion != 'r')
        return gol_jinja_fail(b->j, "format(): the conversions !s and !r are supported");
    gol_buf text;
    gol_jbegin_text(b->j, &text);
    const gol_jvalue of = *value;
    const int rc = conversion == 's' ? gol_jvalue_put_str(b->j, &text, &of)
                                     : gol_jvalue_put_repr(b->j, &text, &of);
    return gol_jfinish_text(b->j, value, &text, rc);
}

/* What stands between { and }. */
static int put_field(braces *b, gol_buf *out, gol_str field, int depth)
{
    /* A colon or ! inside of brackets belongs to a key. */
    size_t end = 0;
    for (int brackets = 0; end < field.len; end++) {
        const char c = field.data[end];
        brackets += (c == '[') - (c == ']');
        if (brackets == 0 && (c == ':' || c == '!'))
            break;
    }
    size_t n_name = 0;
    while (n_name < end && field.data[n_name] != '.' && field.data[n_name] != '[')
        n_name++;
    gol_jvalue value;
    int rc = find_argument(b, &value, (gol_str){field.data, n_name});
    if (rc == 0)
        rc = follow(b, &value, (gol_str){field.data + n_name, end - n_name});
    char conversion = '\0';
    if (end + 1 < field.len && field.data[end] == '!') {
        conversion = field.data[end + 1];
        end += 2;
    }
    if (rc == 0 && end < field.len && field.data[end] != ':')
        rc = gol_jinja_fail(b->j, "format(): expected ':' after conversion specifier");
    if (rc == 0)
        rc = convert(b, &value, conversion);
    if (rc != 0)
        return rc;
    if (end + 1 >= field.len)
        return gol_jvalue_put_str(b->j, out, &value);
    gol_buf text;
    gol_jspec spec;
    gol_jbegin_text(b->j, &text);
    rc = put_template(b, &text, (gol_str){field.data + end + 1, field.len - end - 1}, depth + 1);
    if (rc == 0 && text.failed)
        rc = gol_jinja_no_memory(b->j);
    if (rc == 0)
        rc = parse_spec(b, &spec, gol_buf_view(&text));
    if (rc == 0)
        rc = put_spec(b, out, &spec, &value);
    gol_buf_deinit(&text);
    return rc;
}

static int put_template(braces *b, gol_buf *out, gol_str format, int depth)
{
    if (depth > FIELD_DEPTH_MAX)
        return gol_jinja_fail(b->j, "format(): fields inside each other");
    for (size_t pos = 0; pos < format.len; pos++) {
        const char c = format.data[pos];
        const char next = pos + 1 < format.len ? format.data[pos + 1] : '\0';
        if (c != '{' && c != '}') {
            gol_buf_putc(out, c);
            continue;
        }
        if (next == c) {
            gol_buf_putc(out, c);
            pos++;
            continue;
        }
        if (c == '}')
            return gol_jinja_fail(b->j, "format(): single '}' encountered");
        size_t end = pos + 1;
        for (int open = 1; end < format.len; end++) {
            open += (format.data[end] == '{') - (format.data[end] == '}');
            if (open == 0)
                break;
        }
        if (end == format.len)
            return gol_jinja_fail(b->j, "format(): single '{' encountered");
        int rc = gol_jinja_charge(b->j, 1);
        if (rc == 0)
            rc = put_field(b, out, (gol_str){format.data + pos + 1, end - pos - 1}, depth);
        if (rc != 0)
            return rc;
        pos = end;
    }
    return 0;
}

int gol_jformat_braces(gol_jinja *j, gol_jvalue *out, gol_str format, const gol_jargs *args)
{
    braces b = {.j = j, .args = args};
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = gol_jinja_charge_bytes(j, format.len);
    if (rc == 0)
        rc = put_template(&b, &text, format, 0);
    return gol_jfinish_text(j, out, &text, rc);
}
