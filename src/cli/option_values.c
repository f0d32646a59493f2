/* Text <-> fields: what an option's value may look like, and how it is shown again. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/option_table.h"

static void *field(gol_settings *settings, const gol_option *option)
{
    return (char *)settings + option->offset;
}

static const void *const_field(const gol_settings *settings, const gol_option *option)
{
    return (const char *)settings + option->offset;
}

static int set_switch(bool *out, const char *shown, const char *text, gol_err *err)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return gol_fail(err, GOL_EUSAGE,
                    "%s: '%s', accepted are on and off (1, true, yes; 0, false, no)", shown, text);
}

static int set_int(int64_t *out, const gol_option *option, const char *shown, const char *text,
                   gol_err *err)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || (double)value < option->min ||
        (double)value > option->max)
        return gol_fail(err, GOL_EUSAGE, "%s: '%s', accepted are whole numbers from %.0f to %.0f",
                        shown, text, option->min, option->max);
    *out = value;
    return 0;
}

static int set_real(double *out, const gol_option *option, const char *shown, const char *text,
                    gol_err *err)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= option->min && value <= option->max))
        return gol_fail(err, GOL_EUSAGE, "%s: '%s', accepted are numbers from %g to %g", shown,
                        text, option->min, option->max);
    *out = value;
    return 0;
}

/* 4096, 512K, 1.5G, 2GiB, 2GB: powers of 1024 in each case. */
static bool parse_size(uint64_t *out, const gol_option *option, const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    bool ok = end != text && value >= 0 && isfinite(value);
    const char *unit = *end != '\0' ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit != NULL) {
        value = ldexp(value, 10 * (int)(unit - units + 1));
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B' || *end == 'b')
        end++;
    ok = ok && *end == '\0' && value <= option->max;
    if (ok)
        *out = (uint64_t)value;
    return ok;
}

static int set_size(uint64_t *out, const gol_option *option, const char *shown, const char *text,
                    gol_err *err)
{
    if (parse_size(out, option, text))
        return 0;
    return gol_fail(err, GOL_EUSAGE, "%s: '%s', accepted are sizes like 4096, 512M, 1.5G", shown,
                    text);
}

/* A size; or 75%, or the same as a number of at most 1: no size is so small. */
static int set_memory(gol_memory_amount *out, const gol_option *option, const char *shown,
                      const char *text, gol_err *err)
{
    char *end;
    double share = strtod(text, &end);
    if (end != text && *end == '%') {
        share /= 100;
        end++;
    }
    *out = (gol_memory_amount){0};
    if (end != text && *end == '\0' && share > 0 && share <= 1)
        out->share = share;
    else if (!parse_size(&out->bytes, option, text))
        return gol_fail(err, GOL_EUSAGE,
                        "%s: '%s', accepted are sizes like 512M, 12G, and shares of what is "
                        "available like 75%% or 0.75",
                        shown, text);
    return 0;
}

static int set_choice(const char **out, const gol_option *option, const char *shown,
                      const char *text, gol_err *err)
{
    const size_t len = strlen(text);
    for (const char *c = option->choices; len > 0 && c != NULL; c = strchr(c, '|')) {
        c += *c == '|';
        if (strncmp(c, text, len) == 0 && (c[len] == '|' || c[len] == '\0')) {
            *out = text;
            return 0;
        }
    }
    return gol_fail(err, GOL_EUSAGE, "%s: '%s', accepted is one of %s", shown, text,
                    option->choices);
}

int gol_option_set(gol_settings *settings, const gol_option *option, const char *shown,
                   const char *text, gol_err *err)
{
    void *out = field(settings, option);
    switch (option->kind) {
    case GOL_OPTION_SWITCH:
        return set_switch(out, shown, text, err);
    case GOL_OPTION_INT:
        return set_int(out, option, shown, text, err);
    case GOL_OPTION_SIZE:
        return set_size(out, option, shown, text, err);
    case GOL_OPTION_MEMORY:
        return set_memory(out, option, shown, text, err);
    case GOL_OPTION_REAL:
        return set_real(out, option, shown, text, err);
    case GOL_OPTION_TEXT:
        *(const char **)out = text;
        return 0;
    case GOL_OPTION_CHOICE:
        break;
    }
    return set_choice(out, option, shown, text, err);
}

void gol_option_print(const gol_settings *settings, const gol_option *option, char *buf,
                      size_t size)
{
    const void *in = const_field(settings, option);
    const char *text;
    switch (option->kind) {
    case GOL_OPTION_SWITCH:
        snprintf(buf, size, "%s", *(const bool *)in ? "on" : "off");
        return;
    case GOL_OPTION_INT:
        snprintf(buf, size, "%lld", (long long)*(const int64_t *)in);
        return;
    case GOL_OPTION_SIZE:
        snprintf(buf, size, "%llu", (unsigned long long)*(const uint64_t *)in);
        return;
    case GOL_OPTION_MEMORY: {
        const gol_memory_amount *m = in;
        if (m->share > 0)
            snprintf(buf, size, "%.9g%%", m->share * 100);
        else
            snprintf(buf, size, "%llu", (unsigned long long)m->bytes);
        return;
    }
    case GOL_OPTION_REAL:
        snprintf(buf, size, "%g", *(const double *)in);
        return;
    case GOL_OPTION_TEXT:
    case GOL_OPTION_CHOICE:
        break;
    }
    text = *(const char *const *)in;
    snprintf(buf, size, "%s", text != NULL ? text : "");
}
