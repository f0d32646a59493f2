/*
 * Any bytes as a template: it parses or says why, it renders or says why, within its budget, and a second render gives the same.
 * The first byte chooses what is odd about the conversation (0: nothing), the rest is the template. The fuzzer changes it as a
 * template most of the time.
 */
#include <stdlib.h>

#include "fuzz/fuzz_target.h"
#include "fuzz/text/template_context.h"
#include "fuzz/text/template_mutations.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static int render(const gol_template *t, uint8_t oddity, gol_buf *out)
{
    const struct tm now = template_now();
    gol_rng rng = {.key = oddity};
    gol_jinja j;
    gol_jvalue context;
    gol_err err = {0};
    gol_jinja_init(&j, &template_fuzz_limits);
    template_fuzz_context(&j, &context);
    if (oddity != 0)
        template_fuzz_change(&j, &context, &rng);
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
    if (size == 0)
        return 0;
    if (gol_template_parse(&t, (gol_str){(const char *)data + 1, size - 1}, &err) != 0) {
        expect(t == NULL && err.code < 0 && err.message[0] != '\0');
        return 0;
    }
    gol_buf first, second;
    gol_buf_init(&first, template_fuzz_limits.output_max * 2);
    gol_buf_init(&second, template_fuzz_limits.output_max * 2);
    const int rc = render(t, data[0], &first);
    expect(render(t, data[0], &second) == rc &&
           gol_str_eq(gol_buf_view(&first), gol_buf_view(&second)));
    gol_buf_deinit(&first);
    gol_buf_deinit(&second);
    gol_template_destroy(&t);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    gol_rng rng = {.key = seed};
    if (size == 0 || gol_rng_below(&rng, 5) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    template_text text = {(char *)data + 1, size - 1, max_size - 1};
    for (uint64_t n = 1 + gol_rng_below(&rng, 3); n > 0; n--)
        template_mutate(&text, &rng);
    return text.len + 1;
}
