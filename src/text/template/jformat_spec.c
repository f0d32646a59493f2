/*
 * A number is a prefix (sign, "0x"), a body of digits and fill; the fill goes before, behind, around or between.
 */
#include "text/template/jformat_spec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

static int put_padded(gol_jinja *j, gol_buf *out, const gol_jspec *spec, gol_str prefix,
                      gol_str body, char default_align)
{
    const int64_t n = (int64_t)(prefix.len + gol_utf8_count(body));
    const int64_t pad = spec->width > n ? spec->width - n : 0;
    const gol_str fill = spec->fill.len > 0 ? spec->fill : GOL_STR(" ");
    const char align = spec->align ? spec->align : default_align;
    const int64_t before = align == '>' ? pad : align == '^' ? pad / 2 : 0;
    int rc = gol_jtext_put_fill(j, out, fill, before);
    gol_buf_put_str(out, prefix);
    if (rc == 0 && align == '=')
        rc = gol_jtext_put_fill(j, out, fill, pad);
    gol_buf_put_str(out, body);
    if (rc == 0 && align != '=')
        rc = gol_jtext_put_fill(j, out, fill, pad - before);
    return rc;
}

int gol_jspec_put_text(gol_jinja *j, gol_buf *out, const gol_jspec *spec, gol_str s)
{
    if (spec->precision >= 0)
        s.len = gol_jchar_offset(s, (size_t)spec->precision);
    return put_padded(j, out, spec, GOL_STR(""), s, '<');
}

/* Digits before the first that is none, in groups of n from the right. */
static void put_grouped(gol_buf *out, gol_str digits, char group, size_t n)
{
    assert(digits.data); /* no number is written without a digit */
    size_t n_whole = 0;
    while (n_whole < digits.len && ((digits.data[n_whole] >= '0' && digits.data[n_whole] <= '9') ||
                                    (n == 4 && digits.data[n_whole] >= 'A')))
        n_whole++;
    for (size_t i = 0; i < n_whole; i++) {
        if (i > 0 && (n_whole - i) % n == 0)
            gol_buf_putc(out, group);
        gol_buf_putc(out, digits.data[i]);
    }
    gol_buf_put(out, digits.data + n_whole, digits.len - n_whole);
}

static int put_number(gol_jinja *j, gol_buf *out, const gol_jspec *spec, gol_str prefix,
                      gol_str body)
{
    if (!spec->group)
        return put_padded(j, out, spec, prefix, body, '>');
    gol_buf grouped;
    gol_jbegin_text(j, &grouped);
    put_grouped(&grouped, body, spec->group, spec->type && strchr("boxX", spec->type) ? 4 : 3);
    int rc = grouped.failed ? gol_jinja_no_memory(j) : 0;
    if (rc == 0)
        rc = put_padded(j, out, spec, prefix, gol_buf_view(&grouped), '>');
    gol_buf_deinit(&grouped);
    return rc;
}

int gol_jspec_put_int(gol_jinja *j, gol_buf *out, const gol_jspec *spec, int64_t i)
{
    const unsigned base = spec->type == 'b'                        ? 2
                          : spec->type == 'o'                      ? 8
                          : spec->type == 'x' || spec->type == 'X' ? 16
                                                                   : 10;
    const char *letters = spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[GOL_JFORMAT_PRECISION_MAX + 64];
    size_t at = sizeof digits;
    uint64_t rest = i < 0 ? (uint64_t)0 - (uint64_t)i : (uint64_t)i;
    do {
        digits[--at] = letters[rest % base];
        rest /= base;
    } while (rest > 0);
    while ((int)(sizeof digits - at) < spec->precision) /* of % only: at least so many digits */
        digits[--at] = '0';
    char prefix[4];
    size_t n = 0;
    if (i < 0 || spec->sign)
        prefix[n++] = i < 0 ? '-' : spec->sign;
    if (spec->alt && base != 10) {
        prefix[n++] = '0';
        prefix[n++] = spec->type;
    }
    return put_number(j, out, spec, (gol_str){prefix, n},
                      (gol_str){digits + at, sizeof digits - at});
}

/* Python's general format without a type: as repr() where no precision is given, but never in whole digits alone. */
static void put_general(gol_buf *body, const gol_jspec *spec, double f)
{
    char shortest[GOL_JFLOAT_SIZE];
    if (spec->precision < 0) {
        gol_jvalue_format_float(shortest, f);
        gol_buf_puts(body, shortest);
        return;
    }
    /* repr style switches to the exponent one digit earlier than %g */
    const int precision = spec->precision == 0 ? 1 : spec->precision;
    gol_buf_printf(body, "%.*e", precision - 1, f);
    const char *e = body->data ? strchr(body->data, 'e') : NULL;
    const int exponent = e ? atoi(e + 1) : 0;
    gol_buf_clear(body);
    if (exponent >= -4 && exponent < precision - 1) {
        gol_buf_printf(body, "%.*g", precision, f);
        if (body->data && !strpbrk(body->data, ".e"))
            gol_buf_puts(body, ".0");
    } else if (exponent >= -4 && exponent < precision) {
        gol_buf_printf(body, "%.*e", precision - 1, f);
        char *point = body->data ? strchr(body->data, 'e') : NULL;
        char *end = point;
        while (end && end > body->data && end[-1] == '0')
            end--;
        if (end && end > body->data && end[-1] == '.')
            end--;
        if (point && end && end < point) {
            const size_t n_rest = strlen(point);
            memmove(end, point, n_rest + 1);
            body->len = (size_t)(end - body->data) + n_rest;
        }
    } else {
        gol_buf_printf(body, "%.*g", precision, f);
    }
}

int gol_jspec_put_float(gol_jinja *j, gol_buf *out, const gol_jspec *spec, double f)
{
    const bool is_negative = signbit(f) && !isnan(f);
    const char prefix = is_negative ? '-' : spec->sign;
    const double magnitude = fabs(f) * (spec->type == '%' ? 100 : 1);
    const int precision = spec->precision < 0 ? 6 : spec->precision;
    gol_buf body;
    gol_jbegin_text(j, &body);
    if (!isfinite(magnitude)) {
        const bool is_upper = spec->type && strchr("EFG", spec->type);
        gol_buf_puts(&body, isnan(f) ? (is_upper ? "NAN" : "nan") : is_upper ? "INF" : "inf");
    } else {
        switch (spec->type) {
        case 'e':
            gol_buf_printf(&body, spec->alt ? "%#.*e" : "%.*e", precision, magnitude);
            break;
        case 'E':
            gol_buf_printf(&body, spec->alt ? "%#.*E" : "%.*E", precision, magnitude);
            break;
        case 'f':
        case 'F':
        case '%':
            gol_buf_printf(&body, spec->alt ? "%#.*f" : "%.*f", precision, magnitude);
            break;
        case 'g':
        case 'n':
            gol_buf_printf(&body, spec->alt ? "%#.*g" : "%.*g", precision, magnitude);
            break;
        case 'G':
            gol_buf_printf(&body, spec->alt ? "%#.*G" : "%.*G", precision, magnitude);
            break;
        default:
            put_general(&body, spec, magnitude);
        }
    }
    if (spec->type == '%')
        gol_buf_putc(&body, '%');
    int rc = body.failed ? gol_jinja_no_memory(j) : 0;
    if (rc == 0)
        rc = put_number(j, out, spec, (gol_str){&prefix, prefix ? 1 : 0}, gol_buf_view(&body));
    gol_buf_deinit(&body);
    return rc;
}
