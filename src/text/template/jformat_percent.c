/*
 * "%s and %(name)5.2f" % values: printf-style formatting, as the % operator and the filter format have it.
 */
#include <math.h>
#include <string.h>

#include "text/template/jformat_spec.h"
#include "text/utf8.h"

typedef struct percent {
    gol_jinja *j;
    gol_buf out;
    gol_str format;
    size_t pos;
    const gol_jvalue
        *values; /* a tuple: one after the other; a dict: by name; else: the one value */
    size_t n_used;
} percent;

static int next_value(percent *p, gol_jvalue *out)
{
    const bool is_tuple = p->values->type == GOL_J_TUPLE;
    const size_t n = is_tuple ? p->values->list->n : 1;
    if (p->n_used >= n)
        return gol_jinja_fail(p->j, "not enough arguments for format string");
    *out = is_tuple ? p->values->list->items[p->n_used] : *p->values;
    p->n_used++;
    return 0;
}

static char peek(const percent *p)
{
    return p->pos < p->format.len ? p->format.data[p->pos] : '\0';
}

/* "(name)": the value, and true. */
static int read_name(percent *p, gol_jvalue *out, bool *found)
{
    *found = false;
    if (peek(p) != '(')
        return 0;
    const char *begin = p->format.data + p->pos + 1;
    const char *end = memchr(begin, ')', p->format.len - p->pos - 1);
    if (!end)
        return gol_jinja_fail(p->j, "incomplete format key");
    if (p->values->type != GOL_J_DICT)
        return gol_jinja_fail(p->j, "format requires a mapping");
    const gol_str name = {begin, (size_t)(end - begin)};
    const gol_jvalue *value = gol_jdict_find_str(p->j, p->values->dict, name);
    char quoted[64];
    if (!value)
        return gol_jinja_fail(p->j, "the format's key '%s' is missing",
                              gol_quote(quoted, sizeof quoted, name));
    *out = *value;
    *found = true;
    p->pos += name.len + 2;
    return 0;
}

static void read_flags(percent *p, gol_jspec *spec)
{
    for (;; p->pos++) {
        switch (peek(p)) {
        case '-':
            spec->align = '<';
            break;
        case '0':
            if (spec->align != '<') {
                spec->align = '=';
                spec->fill = GOL_STR("0");
            }
            break;
        case '+':
            spec->sign = '+';
            break;
        case ' ':
            if (spec->sign != '+')
                spec->sign = ' ';
            break;
        case '#':
            spec->alt = true;
            break;
        default:
            return;
        }
    }
}

/* A number, or * for the next value. */
static int read_size(percent *p, int *out, int max)
{
    int64_t n = 0;
    if (peek(p) == '*') {
        gol_jvalue value;
        p->pos++;
        int rc = next_value(p, &value);
        if (rc == 0)
            rc = gol_jarg_int(p->j, &n, &value, 0, "*");
        if (rc != 0)
            return rc;
    }
    for (; peek(p) >= '0' && peek(p) <= '9' && n <= max; p->pos++)
        n = n * 10 + (peek(p) - '0');
    if (n > max || n < -max)
        return gol_jinja_fail(p->j, "a width or precision beyond %d", max);
    *out = (int)n;
    return 0;
}

static int put_char(percent *p, const gol_jspec *spec, const gol_jvalue *value)
{
    char bytes[4];
    gol_str s = {bytes, 0};
    if (value->type == GOL_J_STRING && gol_utf8_count(value->str) == 1) {
        s = value->str;
    } else if (value->type == GOL_J_INT && value->i >= 0 && value->i <= 0x10ffff &&
               (value->i < 0xd800 || value->i > 0xdfff)) {
        s.len = (size_t)gol_utf8_encode(bytes, (uint32_t)value->i);
    } else {
        return gol_jinja_fail(p->j, "%%c requires int or char");
    }
    return gol_jspec_put_text(p->j, &p->out, spec, s);
}

static int put_text(percent *p, const gol_jspec *spec, const gol_jvalue *value)
{
    gol_buf text;
    gol_jbegin_text(p->j, &text);
    int rc = spec->type == 's' ? gol_jvalue_put_str(p->j, &text, value)
                               : gol_jvalue_put_repr(p->j, &text, value);
    if (rc == 0 && text.failed)
        rc = gol_jinja_no_memory(p->j);
    if (rc == 0)
        rc = gol_jspec_put_text(p->j, &p->out, spec, gol_buf_view(&text));
    gol_buf_deinit(&text);
    return rc;
}

static int put_number(percent *p, gol_jspec *spec, const gol_jvalue *value)
{
    const bool is_int = value->type == GOL_J_INT || value->type == GOL_J_BOOL;
    int64_t i = value->type == GOL_J_BOOL ? value->b : is_int ? value->i : 0;
    if (!is_int && value->type != GOL_J_FLOAT) {
        if (value->type == GOL_J_UNDEFINED)
            return gol_jvalue_fail_undefined(p->j, value);
        return gol_jinja_fail(p->j, "%%%c format: a number is required, not %s", spec->type,
                              gol_jvalue_type_name(value));
    }
    if (strchr("eEfFgG", spec->type))
        return gol_jspec_put_float(p->j, &p->out, spec, is_int ? (double)i : value->f);
    if (!is_int) {
        if (spec->type == 'x' || spec->type == 'X' || spec->type == 'o')
            return gol_jinja_fail(p->j, "%%%c format: an integer is required, not float",
                                  spec->type);
        if (!gol_jfloat_fits(value->f))
            return gol_jinja_fail(p->j, "integer overflow: numbers have 64 bits here");
        i = (int64_t)value->f;
    }
    return gol_jspec_put_int(p->j, &p->out, spec, i);
}

static int put_conversion(percent *p)
{
    gol_jspec spec = {.precision = -1};
    gol_jvalue value = gol_jvalue_none();
    bool is_named;
    int rc = read_name(p, &value, &is_named);
    if (rc != 0)
        return rc;
    read_flags(p, &spec);
    rc = read_size(p, &spec.width, GOL_JFORMAT_WIDTH_MAX);
    if (rc == 0 && spec.width < 0) {
        spec.align = '<';
        spec.width = -spec.width;
    }
    if (rc == 0 && peek(p) == '.') {
        p->pos++;
        rc = read_size(p, &spec.precision, GOL_JFORMAT_PRECISION_MAX);
        if (rc == 0 && spec.precision < 0)
            spec.precision = 0;
    }
    while (peek(p) == 'h' || peek(p) == 'l' || peek(p) == 'L')
        p->pos++;
    if (rc == 0 && p->pos == p->format.len)
        rc = gol_jinja_fail(p->j, "incomplete format");
    if (rc != 0)
        return rc;
    spec.type = p->format.data[p->pos++];
    if (spec.type == '%') {
        gol_buf_putc(&p->out, '%');
        return 0;
    }
    if (spec.type == '\0' || !strchr("sradiuoxXeEfFgGc", spec.type))
        return gol_jinja_fail(p->j, "unsupported format character at byte %zu", p->pos - 1);
    if (!is_named)
        rc = next_value(p, &value);
    if (rc != 0)
        return rc;
    const bool is_text = strchr("src", spec.type) || spec.type == 'a';
    if (is_text && !spec.align)
        spec.align = '>';
    if (is_text && spec.align == '=') { /* zeros fill numbers only */
        spec.align = '>';
        spec.fill = GOL_STR(" ");
    }
    if (spec.type == 'c')
        return put_char(p, &spec, &value);
    return is_text ? put_text(p, &spec, &value) : put_number(p, &spec, &value);
}

int gol_jformat_percent(gol_jinja *j, gol_jvalue *out, gol_str format, const gol_jvalue *values)
{
    percent p = {.j = j, .format = format, .values = values};
    gol_jbegin_text(j, &p.out);
    int rc = gol_jinja_charge_bytes(j, format.len);
    while (p.pos < format.len && rc == 0) {
        const char *mark = memchr(format.data + p.pos, '%', format.len - p.pos);
        const size_t end = mark ? (size_t)(mark - format.data) : format.len;
        gol_buf_put(&p.out, format.data + p.pos, end - p.pos);
        p.pos = end;
        if (mark) {
            p.pos++;
            rc = put_conversion(&p);
        }
    }
    const bool is_tuple = values->type == GOL_J_TUPLE;
    const bool may_be_left = values->type == GOL_J_DICT || values->type == GOL_J_LIST;
    if (rc == 0 && !may_be_left && p.n_used < (is_tuple ? values->list->n : 1))
        rc = gol_jinja_fail(j, "not all arguments converted during string formatting");
    return gol_jfinish_text(j, out, &p.out, rc);
}
