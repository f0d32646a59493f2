/*
 * Filters that make or change numbers.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/template/jtext.h"

enum { NUMBER_TEXT_MAX = 400 }; /* bytes: the longest double in decimal has 309 digits */

static int filter_abs(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    if (self->type == GOL_J_FLOAT) {
        *out = gol_jvalue_float(fabs(self->f));
        return 0;
    }
    int64_t i;
    const int rc = gol_jarg_int(j, &i, self, 0, "the operand of abs");
    if (rc == 0 && i == INT64_MIN)
        return gol_jinja_fail(j, "integer overflow: numbers have 64 bits here");
    *out = gol_jvalue_int(i < 0 ? -i : i);
    return rc;
}

/* ---- round ---- */

static double round_common(double f, int64_t precision)
{
    if (!isfinite(f) || precision > 323)
        return f;
    if (precision < -308)
        return copysign(0, f);
    if (precision < 0) {
        const double unit = pow(10, (double)-precision);
        return rint(f / unit) * unit;
    }
    char text[NUMBER_TEXT_MAX + 400];
    snprintf(text, sizeof text, "%.*f", (int)precision, f); /* exact, ties to even */
    return strtod(text, NULL);
}

/* To a multiple of ten's power, ties to even. */
static int64_t round_int(int64_t i, int64_t precision)
{
    int64_t unit = 1;
    for (int64_t k = precision; k < 0; k++) {
        if (unit > INT64_MAX / 10)
            return 0;
        unit *= 10;
    }
    const int64_t rest = i % unit;
    const int64_t down = i - rest;
    const int64_t twice = 2 * (rest < 0 ? -rest : rest);
    if (twice > unit || (twice == unit && down / unit % 2 != 0))
        return rest < 0 ? down - unit : down + unit;
    return down;
}

static int filter_round(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    int64_t precision;
    gol_str method;
    int rc = gol_jarg_int(j, &precision, &args[0], 0, "precision");
    if (rc == 0)
        rc = gol_jarg_str(j, &method, &args[1], GOL_STR("common"), "method");
    if (rc != 0)
        return rc;
    const bool is_ceil = gol_str_is(method, "ceil");
    if (!is_ceil && !gol_str_is(method, "floor") && !gol_str_is(method, "common"))
        return gol_jinja_fail(j, "method must be common, ceil or floor");
    const bool is_float = self->type == GOL_J_FLOAT;
    int64_t i = 0;
    if (!is_float)
        rc = gol_jarg_int(j, &i, self, 0, "what is rounded");
    if (rc != 0)
        return rc;
    if (gol_str_is(method, "common")) {
        if (is_float)
            *out = gol_jvalue_float(round_common(self->f, precision));
        else
            *out = gol_jvalue_int(precision >= 0 ? i : round_int(i, precision));
        return 0;
    }
    const double unit = pow(10, (double)precision);
    const double scaled = (is_float ? self->f : (double)i) * unit;
    if (!isfinite(scaled))
        return gol_jinja_fail(j, "cannot round what is not finite");
    *out = gol_jvalue_float((is_ceil ? ceil(scaled) : floor(scaled)) / unit);
    return 0;
}

/* ---- int and float ---- */

/* A copy with a NUL behind it, without the underscores that stand between digits. False: no number can be that long or be written
 * so. */
static bool clean_number(char out[static NUMBER_TEXT_MAX], gol_str s)
{
    s = gol_jchar_strip(s, true, true);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.data[i];
        const bool is_joint = c == '_' && i > 0 && i + 1 < s.len && s.data[i - 1] != '_';
        if (is_joint)
            continue;
        if (n == NUMBER_TEXT_MAX - 1 || c == '_' || c == '\0' || c == ' ' ||
            (c >= '\t' && c <= '\r'))
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return n > 0;
}

static bool parse_float(gol_str s, double *out)
{
    char text[NUMBER_TEXT_MAX];
    if (!clean_number(text, s) || strpbrk(text, "xXpP("))
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0';
}

/* 1: a number; 0: none; -1: one of more than 64 bits. */
static int parse_int(gol_str s, int64_t base, int64_t *out)
{
    char text[NUMBER_TEXT_MAX];
    if (base < 0 || base == 1 || base > 36 || !clean_number(text, s))
        return 0;
    const char *digits = text + (text[0] == '+' || text[0] == '-');
    const char prefix = digits[0] == '0' ? (char)(digits[1] | 0x20) : '\0';
    const int of_prefix = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 0;
    if (of_prefix != 0 && (base == 0 || base == of_prefix)) {
        base = of_prefix;
        digits += 2;
    } else if (base == 0) {
        base = 10;
    }
    if (strchr("+-", *digits) || (base == 16 && digits[0] == '0' && (digits[1] | 0x20) == 'x'))
        return 0; /* also the end of the text; strtoll would take a second sign or prefix */
    char number[NUMBER_TEXT_MAX + 1];
    snprintf(number, sizeof number, "%s%s", text[0] == '-' ? "-" : "", digits);
    char *end;
    errno = 0;
    *out = strtoll(number, &end, (int)base);
    if (*end != '\0')
        return 0;
    return errno == ERANGE ? -1 : 1;
}

/* The whole part of f: 1; 0: it is no number; -1: more than 64 bits. */
static int truncate_float(double f, int64_t *out)
{
    if (isnan(f))
        return 0;
    if (!gol_jfloat_fits(f))
        return -1;
    *out = (int64_t)f;
    return 1;
}

static int filter_int(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    int64_t base;
    int64_t i = 0;
    double f;
    int found = 0;
    const int rc = gol_jarg_int(j, &base, &args[1], 10, "base");
    if (rc != 0)
        return rc;
    switch (self->type) {
    case GOL_J_UNDEFINED:
        return gol_jvalue_fail_undefined(j, self);
    case GOL_J_INT:
    case GOL_J_BOOL:
        i = self->type == GOL_J_INT ? self->i : self->b;
        found = 1;
        break;
    case GOL_J_FLOAT:
        found = truncate_float(self->f, &i);
        break;
    case GOL_J_STRING:
        found = parse_int(self->str, base, &i);
        if (found == 0 && parse_float(self->str, &f) && isfinite(f))
            found = truncate_float(f, &i);
        break;
    default:
        break;
    }
    if (found < 0)
        return gol_jinja_fail(j, "integer overflow: numbers have 64 bits here");
    *out = found ? gol_jvalue_int(i) : gol_jarg_is_given(&args[0]) ? args[0] : gol_jvalue_int(0);
    return 0;
}

static int filter_float(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    double f = 0;
    bool found = true;
    switch (self->type) {
    case GOL_J_UNDEFINED:
        return gol_jvalue_fail_undefined(j, self);
    case GOL_J_INT:
        f = (double)self->i;
        break;
    case GOL_J_BOOL:
        f = self->b;
        break;
    case GOL_J_FLOAT:
        f = self->f;
        break;
    case GOL_J_STRING:
        found = parse_float(self->str, &f);
        break;
    default:
        found = false;
    }
    *out = found                         ? gol_jvalue_float(f)
           : gol_jarg_is_given(&args[0]) ? args[0]
                                         : gol_jvalue_float(0);
    return 0;
}

static int filter_filesizeformat(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                                 const gol_jvalue *args)
{
    static const char *const units[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
    enum { N_UNITS = sizeof units / sizeof units[0] };
    gol_jvalue number = gol_jvalue_float(0);
    const gol_jvalue none[GOL_JPARAMS_MAX] = {{0}};
    const int rc = filter_float(j, &number, self, none);
    if (rc != 0)
        return rc;
    const bool is_binary = gol_jarg_is_true(&args[0]);
    const double base = is_binary ? 1024 : 1000;
    char text[NUMBER_TEXT_MAX];
    if (number.f == 1) {
        snprintf(text, sizeof text, "1 Byte");
    } else if (number.f < base) {
        snprintf(text, sizeof text, "%.0f Bytes", trunc(number.f));
    } else {
        int i = 0;
        double unit = base * base;
        while (i < N_UNITS - 1 && number.f >= unit) {
            unit *= base;
            i++;
        }
        snprintf(text, sizeof text, "%.1f %s%s", base * number.f / unit,
                 is_binary && i == 0 ? "K" : units[i], is_binary ? "iB" : "B");
    }
    return gol_jvalue_copy_str(j, out, gol_str_from(text));
}

const gol_jbuiltin gol_jfilters_number[] = {
    {.name = "abs", .run = filter_abs},
    {.name = "filesizeformat", .params = {"binary"}, .run = filter_filesizeformat},
    {.name = "float", .params = {"default"}, .run = filter_float},
    {.name = "int", .params = {"default", "base"}, .run = filter_int},
    {.name = "round", .params = {"precision", "method"}, .run = filter_round},
    {0},
};
