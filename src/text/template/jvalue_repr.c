/*
 * Values as text: what Python's str() and repr() give.
 */
#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/template/jchar.h"
#include "text/template/jvalue.h"

/* The digits "d.ddd" and the exponent of the shortest decimal that reads back as f. Of normal numbers 15 digits are always distinct
 * (trailing zeros go), of all 17 are enough. */
static int shortest_digits(char digits[static GOL_JFLOAT_SIZE], double f)
{
    char text[GOL_JFLOAT_SIZE];
    for (int precision = f < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, f);
        if (strtod(text, NULL) == f)
            break;
    }
    const char *e = strchr(text, 'e');
    assert(e);
    int n = 0;
    for (const char *p = text; p < e; p++) {
        if (*p != '.')
            digits[n++] = *p;
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return (int)strtol(e + 1, NULL, 10);
}

static char *append(char *p, const char *digits, int n)
{
    memcpy(p, digits, (size_t)n);
    return p + n;
}

static char *append_zeros(char *p, int n)
{
    memset(p, '0', (size_t)n);
    return p + n;
}

/* At most a sign, 17 digits, a point and "e-308", or 16 digits with zeros: less than the buffer. */
void gol_jvalue_format_float(char buf[static GOL_JFLOAT_SIZE], double f)
{
    if (!isfinite(f)) {
        strcpy(buf, isnan(f) ? "nan" : f > 0 ? "inf" : "-inf");
        return;
    }
    char digits[GOL_JFLOAT_SIZE];
    const int exponent = shortest_digits(digits, fabs(f));
    const int n = (int)strlen(digits);
    char *p = buf;
    if (signbit(f))
        *p++ = '-';
    if (exponent < -4 || exponent >= 16) { /* where Python changes its style */
        *p++ = digits[0];
        if (n > 1)
            *p++ = '.';
        p = append(p, digits + 1, n - 1);
        snprintf(p, 6, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent) % 1000);
        return;
    }
    if (exponent < 0) {
        p = append(p, "0.", 2);
        p = append_zeros(p, -exponent - 1);
        p = append(p, digits, n);
    } else if (n <= exponent + 1) {
        p = append(p, digits, n);
        p = append_zeros(p, exponent + 1 - n);
        p = append(p, ".0", 2);
    } else {
        p = append(p, digits, exponent + 1);
        *p++ = '.';
        p = append(p, digits + exponent + 1, n - exponent - 1);
    }
    *p = '\0';
}

static void put_escaped(gol_buf *out, uint32_t cp)
{
    if (cp == '\n')
        gol_buf_puts(out, "\\n");
    else if (cp == '\r')
        gol_buf_puts(out, "\\r");
    else if (cp == '\t')
        gol_buf_puts(out, "\\t");
    else if (cp < 0x100)
        gol_buf_printf(out, "\\x%02x", cp);
    else if (cp < 0x10000)
        gol_buf_printf(out, "\\u%04x", cp);
    else
        gol_buf_printf(out, "\\U%08x", cp);
}

static void put_quoted(gol_buf *out, gol_str s)
{
    const bool has_single = s.len > 0 && memchr(s.data, '\'', s.len);
    const bool has_double = s.len > 0 && memchr(s.data, '"', s.len);
    const char quote = has_single && !has_double ? '"' : '\'';
    gol_buf_putc(out, quote);
    for (size_t pos = 0; pos < s.len;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(s, &pos);
        if (cp == '\\' || cp == (uint32_t)quote) {
            gol_buf_putc(out, '\\');
            gol_buf_putc(out, (char)cp);
        } else if (gol_jchar_is_printable(cp)) {
            gol_buf_put(out, s.data + from, pos - from);
        } else {
            put_escaped(out, cp);
        }
    }
    gol_buf_putc(out, quote);
}

static int put_repr(gol_jinja *j, gol_buf *out, const gol_jvalue *v, int depth);

static int put_items(gol_jinja *j, gol_buf *out, const gol_jlist *list, int depth)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            gol_buf_puts(out, ", ");
        const int rc = put_repr(j, out, &list->items[i], depth);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int put_dict(gol_jinja *j, gol_buf *out, const gol_jdict *dict, int depth)
{
    gol_buf_putc(out, '{');
    for (size_t i = 0; i < dict->n; i++) {
        if (i > 0)
            gol_buf_puts(out, ", ");
        int rc = put_repr(j, out, &dict->entries[i].key, depth);
        gol_buf_puts(out, ": ");
        if (rc == 0)
            rc = put_repr(j, out, &dict->entries[i].value, depth);
        if (rc != 0)
            return rc;
    }
    gol_buf_putc(out, '}');
    return 0;
}

static int put_sequence(gol_jinja *j, gol_buf *out, const gol_jvalue *v, int depth)
{
    const gol_jlist *list = v->list;
    int rc = 0;
    switch (v->type) {
    case GOL_J_TUPLE:
        gol_buf_putc(out, '(');
        rc = put_items(j, out, list, depth);
        gol_buf_puts(out, list->n == 1 ? ",)" : ")");
        return rc;
    case GOL_J_RANGE:
        gol_buf_printf(out, "range(%" PRId64 ", %" PRId64, list->start, list->stop);
        if (list->step != 1)
            gol_buf_printf(out, ", %" PRId64, list->step);
        gol_buf_putc(out, ')');
        return 0;
    case GOL_J_VIEW:
        gol_buf_printf(out, "%s([", list->view);
        rc = put_items(j, out, list, depth);
        gol_buf_puts(out, "])");
        return rc;
    case GOL_J_ITERATOR:
        gol_buf_puts(out, "<generator object>");
        return 0;
    default:
        gol_buf_putc(out, '[');
        rc = put_items(j, out, list, depth);
        gol_buf_putc(out, ']');
        return rc;
    }
}

static int put_scalar(gol_jinja *j, gol_buf *out, const gol_jvalue *v)
{
    char number[GOL_JFLOAT_SIZE];
    switch (v->type) {
    case GOL_J_ABSENT:
    case GOL_J_NONE:
        gol_buf_puts(out, "None");
        return 0;
    case GOL_J_UNDEFINED:
        gol_buf_puts(out, "Undefined");
        return 0;
    case GOL_J_BOOL:
        gol_buf_puts(out, v->b ? "True" : "False");
        return 0;
    case GOL_J_INT:
        gol_buf_printf(out, "%" PRId64, v->i);
        return 0;
    case GOL_J_FLOAT:
        gol_jvalue_format_float(number, v->f);
        gol_buf_puts(out, number);
        return 0;
    case GOL_J_STRING:
        if (v->is_safe)
            gol_buf_puts(out, "Markup(");
        put_quoted(out, v->str);
        if (v->is_safe)
            gol_buf_putc(out, ')');
        return gol_jinja_charge_bytes(j, v->str.len);
    default:
        gol_buf_puts(out, "<object>");
        return 0;
    }
}

static int put_repr(gol_jinja *j, gol_buf *out, const gol_jvalue *v, int depth)
{
    int rc = gol_jinja_charge(j, 1);
    if (rc != 0)
        return rc;
    if (depth > GOL_JINJA_VALUE_DEPTH_MAX)
        return gol_jinja_fail(j, "values nested more than %d deep", GOL_JINJA_VALUE_DEPTH_MAX);
    if (gol_jvalue_is_sequence(v))
        return put_sequence(j, out, v, depth + 1);
    if (v->type == GOL_J_DICT)
        return put_dict(j, out, v->dict, depth + 1);
    if (v->type != GOL_J_NAMESPACE)
        return put_scalar(j, out, v);
    gol_buf_puts(out, "<Namespace ");
    rc = put_dict(j, out, v->dict, depth + 1);
    gol_buf_putc(out, '>');
    return rc;
}

int gol_jvalue_put_repr(gol_jinja *j, gol_buf *out, const gol_jvalue *v)
{
    return put_repr(j, out, v, 0);
}

int gol_jvalue_put_str(gol_jinja *j, gol_buf *out, const gol_jvalue *v)
{
    if (v->type == GOL_J_UNDEFINED)
        return 0;
    if (v->type != GOL_J_STRING)
        return put_repr(j, out, v, 0);
    gol_buf_put_str(out, v->str);
    return gol_jinja_charge_bytes(j, v->str.len);
}

int gol_jvalue_to_str(gol_jinja *j, gol_str *out, const gol_jvalue *v)
{
    *out = GOL_STR("");
    if (v->type == GOL_J_STRING)
        *out = v->str;
    if (v->type == GOL_J_STRING || v->type == GOL_J_UNDEFINED)
        return 0;
    gol_buf text;
    gol_buf_init(&text, j->limits.output_max);
    int rc = put_repr(j, &text, v, 0);
    if (rc == 0 && text.failed)
        rc = gol_jinja_no_memory(j);
    gol_jvalue copy = {0};
    if (rc == 0)
        rc = gol_jvalue_copy_str(j, &copy, gol_buf_view(&text));
    if (rc == 0)
        *out = copy.str;
    gol_buf_deinit(&text);
    return rc;
}
