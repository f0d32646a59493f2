/* One rendering of a template, with its memory, for tests of templates. */
#ifndef TESTS_SUPPORT_TEMPLATE_RUN_H
#define TESTS_SUPPORT_TEMPLATE_RUN_H

#include <string.h>
#include <time.h>

#include "text/template/template.h"

/* 26 Jul 2026, 12:34:56, a Sunday. */
static inline struct tm template_now(void)
{
    return (struct tm){.tm_year = 126,
                       .tm_mon = 6,
                       .tm_mday = 26,
                       .tm_hour = 12,
                       .tm_min = 34,
                       .tm_sec = 56,
                       .tm_yday = 206};
}

typedef struct template_run {
    gol_jinja j;
    gol_jvalue context; /* a dict: fill it before run */
    gol_buf out;
    gol_err err;
} template_run;

static inline int template_run_init(template_run *r, const gol_jinja_limits *limits)
{
    gol_jinja_init(&r->j, limits);
    gol_buf_init(&r->out, 64u << 20);
    r->err = (gol_err){0};
    return gol_jdict_create(&r->j, &r->context);
}

static inline int template_run_source(template_run *r, gol_str source)
{
    gol_template *t = NULL;
    const struct tm now = template_now();
    int rc = gol_template_parse(&t, source, &r->err);
    if (rc == 0)
        rc = gol_template_render(t, &r->out, &r->j, &r->context, &now, &r->err);
    gol_template_destroy(&t);
    return rc;
}

static inline void template_run_deinit(template_run *r)
{
    gol_buf_deinit(&r->out);
    gol_jinja_deinit(&r->j);
}

#endif
