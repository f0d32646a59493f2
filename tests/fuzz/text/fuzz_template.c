/*
 * Any bytes as a template, over a small conversation: it parses or says why, it renders or says why, within its budget, and a second
 * render gives the same.
 */
#include <stdlib.h>

#include "fuzz/fuzz_target.h"
#include "fuzz/text/template_context.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static int render(const gol_template *t, gol_buf *out)
{
    const struct tm now = template_now();
    gol_jinja j;
    gol_jvalue context;
    gol_err err = {0};
    gol_jinja_init(&j, &template_fuzz_limits);
    template_fuzz_context(&j, &context);
    const int rc = gol_template_render(t, out, &j, &context, &now, &err);
    expect(rc == 0 || (rc == err.code && err.message[0] != '\0' && out->len == 0));
    expect(j.n_steps < template_fuzz_limits.steps_max * 2);
    gol_jinja_deinit(&j);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gol_template *t = NULL;
    gol_err err = {0};
    if (gol_template_parse(&t, (gol_str){(const char *)data, size}, &err) != 0) {
        expect(t == NULL && err.code < 0 && err.message[0] != '\0');
        return 0;
    }
    gol_buf first, second;
    gol_buf_init(&first, template_fuzz_limits.output_max * 2);
    gol_buf_init(&second, template_fuzz_limits.output_max * 2);
    const int rc = render(t, &first);
    expect(render(t, &second) == rc && gol_str_eq(gol_buf_view(&first), gol_buf_view(&second)));
    gol_buf_deinit(&first);
    gol_buf_deinit(&second);
    gol_template_destroy(&t);
    return 0;
}
