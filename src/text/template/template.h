/*
 * Chat templates: the Jinja that Hugging Face uses. Parsed once, rendered any number of times and from any thread.
 *
 *     gol_template *t;
 *     if (gol_template_parse(&t, source, &err) != 0)
 *         ... "line 3: expected '%}', found a name"
 *     gol_jinja j;
 *     gol_jinja_init(&j, NULL);                        // one render's memory and budget: jvalue.h
 *     ... build the context, a dict, in j ...
 *     gol_buf out;
 *     gol_buf_init(&out, GOL_JINJA_OUTPUT_MAX);
 *     rc = gol_template_render(t, &out, &j, &context, &now, &err);
 *     gol_jinja_deinit(&j);
 *     gol_template_destroy(&t);
 *
 * A template sees its context and the time it is given, nothing else: no files, no environment, no other template.
 */
#ifndef GOL_TEXT_TEMPLATE_TEMPLATE_H
#define GOL_TEXT_TEMPLATE_TEMPLATE_H

#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "text/template/jvalue.h"

typedef struct gol_template gol_template;

enum {
    GOL_TEMPLATE_SOURCE_MAX = 1 << 20,  /* bytes; the longest real ones have some ten thousand */
    GOL_TEMPLATE_MEMORY_MAX = 64 << 20, /* of a parsed template */
};

/* Copies what it needs of source. Errors: GOL_EINVAL (line, what was found, what was expected), GOL_ETOOLARGE, GOL_ENOMEM. */
int gol_template_parse(gol_template **out, gol_str source, gol_err *err);
void gol_template_destroy(gol_template **t);

/* Appends to out. context: a dict in j, which the render may change. now: for strftime_now(). Once per j. Errors: GOL_EINVAL
 * (the template failed: "line 5: 'x' is undefined"; or it refused the conversation, then j->was_raised is set and the message is
 * the template's own), GOL_ENOMEM. On failure out holds what it held before. */
int gol_template_render(const gol_template *t, gol_buf *out, gol_jinja *j,
                        const gol_jvalue *context, const struct tm *now, gol_err *err);

/* Whether the name is read anywhere in the template ("tools"). */
bool gol_template_reads(const gol_template *t, gol_str name);

#endif
