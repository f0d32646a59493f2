/*
 * Templates with something changed in them, thousands and always the same, most of which still parse: those below, that have much of
 * the language in little room, and the families' in tests/fuzz/corpus/template/. The conversations are odd, too. None may crash, or
 * go beyond its budget; each renders or says why not.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fuzz/mutation_cases.h"
#include "fuzz/seed_files.h"
#include "fuzz/text/template_context.h"
#include "fuzz/text/template_mutations.h"

enum { N_CASES = 10000, SOURCE_MAX = 1 << 15 };

static const char *const seeds[] = {
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' ~ (m.content or '') | trim }}{% if not "
    "loop.last %}\n{% "
    "endif %}{% else %}none{% endfor %}{{ bos_token if add_generation_prompt else eos_token }}",
    "{%- set ns = namespace(i=0, l=[]) -%}{% for m in messages[::-1] if m.role != 'tool' %}{% set "
    "ns.i = ns.i "
    "+ loop.index0 ** 2 // 3 %}{% set _ = ns.l.append(m.content | default('x', true) | upper) %}{% "
    "if ns.i > 9 "
    "%}{% break %}{% endif %}{% endfor %}{{ ns.l | join(', ') | indent(2) }}{{ ns.l | "
    "tojson(indent=2) }}",
    "{% macro dump(d, depth=0) %}{% if d is mapping %}{% for k, v in d | dictsort %}{{ '  ' * "
    "depth }}{{ k }}: "
    "{{ dump(v, depth + 1) }}{% endfor %}{% elif d is iterable and d is not string %}{% for x in d "
    "recursive "
    "%}{{ dump(x) }}{% endfor %}{% else %}{{ d | string | e }}{% endif %}{% endmacro %}{{ "
    "dump(tools) }}",
    "{% for g in messages | groupby('role') %}{{ g.grouper }}{{ g.list | map(attribute='content') "
    "| select | map("
    "'length') | sum }}{{ loop.cycle('a', 'b') }}{{ loop.changed(g.grouper) }}{{ loop.previtem is "
    "defined }}{% "
    "endfor %}{{ messages | selectattr('role', 'in', ['user', 'tool']) | map(attribute='role') | "
    "unique | list "
    "}}{{ range(9) | batch(2, 0) | list }}{{ range(7) | slice(3) | list }}",
    "{% macro m(x, y=2) %}{{ x }}{{ caller(y) }}{% endmacro %}{% call(x) m(1) %}{{ x }}{% endcall "
    "%}",
    "{% macro box(t) %}[{{ t }}:{{ caller(1, *varargs, **kwargs) }}]{% endmacro %}{% call(a, b=1, "
    "c=0) "
    "box('q', 2, c=3) "
    "%}{{ a }}{{ b }}{% endcall %}{% filter replace('a', 'bb') | title %}a{{ 'x-y z' }}{% "
    "endfilter %}{% with a, b = "
    "(1, 2.5e3) %}{{ a ~ b }}{% endwith %}{% set t | trim %} {{ '%05.2f|%-5s|%x' | format(1.5, "
    "'a', 255) }} {% endset "
    "%}{{ t }}{{ '{0[days]:>8}|{0[city]!r}'.format(tools[0].function.arguments) }}",
    "{% raw %}{{ x }}{% endraw %}{# c #}{%+ if 1 < 2 <= 3 and 'a' in 'abc' or not 5 is odd -%} {{- "
    "messages[4].content"
    ".split('</think>')[-1].lstrip('\\n').rsplit('n', 1) -}} {%- endif +%}{{ strftime_now('%d %b "
    "%Y') }}{{ 'é' | "
    "urlencode }}{{ {'a': [1, (2, 3), none]} | string | wordwrap(5) }}{% generation %}{{ "
    "joiner(';')() }}{% "
    "endgeneration %}{{ raise_exception('no') if messages | length > 9 }}",
};

enum { N_SEEDS = sizeof seeds / sizeof *seeds };

#define FOLDER TEST_DATA_DIR "/../fuzz/corpus/template"

static seed_files families; /* the first byte is not the template's */

static int load_families(void **state)
{
    (void)state;
    seed_files_load(&families, FOLDER, ".jinja");
    assert_true(families.n >= 10);
    return 0;
}

static int free_families(void **state)
{
    (void)state;
    seed_files_free(&families);
    return 0;
}

static gol_str seed_of(uint64_t k)
{
    const size_t i = (size_t)(k % (N_SEEDS + families.n));
    if (i < N_SEEDS)
        return gol_str_from(seeds[i]);
    const gol_str family = families.files[i - N_SEEDS];
    return (gol_str){family.data + 1, family.len - 1};
}

/* All but one, which adds the content of a message that has none. Some families want other conversations, and say so. */
static void test_the_seeds_render(void **state)
{
    (void)state;
    size_t n_failed = 0;
    for (size_t i = 0; i < N_SEEDS + families.n; i++) {
        template_run r;
        assert_int_equal(template_run_init(&r, &template_fuzz_limits), 0);
        template_fuzz_context(&r.j, &r.context);
        if (template_run_source(&r, seed_of(i)) != 0 && !r.j.was_raised) {
            print_message("seed %zu: %s\n", i, r.err.message);
            n_failed++;
        }
        template_run_deinit(&r);
    }
    assert_true(n_failed <= 1);
}

typedef enum outcome { NO_TEMPLATE, FAILED, RAISED, RENDERED, N_OUTCOMES } outcome;

static outcome run_case(uint64_t k)
{
    static char data[SOURCE_MAX];
    mutation_begin(k);
    gol_rng rng = {.key = k};
    const gol_str seed = seed_of(k);
    template_text text = {data, seed.len, sizeof data};
    memcpy(data, seed.data, seed.len);
    for (uint64_t n = gol_rng_below(&rng, 4); n > 0; n--)
        template_mutate(&text, &rng);
    char *copy = malloc(text.len +
                        1); /* of its exact size: AddressSanitizer sees a byte too many */
    assert_non_null(copy);
    memcpy(copy, data, text.len);
    template_run r;
    assert_int_equal(template_run_init(&r, &template_fuzz_limits), 0);
    template_fuzz_context(&r.j, &r.context);
    if (gol_rng_below(&rng, 2))
        template_fuzz_change(&r.j, &r.context, &rng);
    gol_template *t = NULL;
    const struct tm now = template_now();
    int rc = gol_template_parse(&t, (gol_str){copy, text.len}, &r.err);
    outcome result = NO_TEMPLATE;
    free(copy); /* a template keeps what it needs */
    if (rc == 0) {
        rc = gol_template_render(t, &r.out, &r.j, &r.context, &now, &r.err);
        result = rc == 0 ? RENDERED : r.j.was_raised ? RAISED : FAILED;
    }
    if (rc != 0 && (rc != GOL_EINVAL || r.err.message[0] == '\0' || r.out.len != 0))
        fail_msg("case %llu: %d '%s'", (unsigned long long)k, rc, r.err.message);
    assert_true(r.j.n_steps < 2 * template_fuzz_limits.steps_max);
    gol_template_destroy(&t);
    template_run_deinit(&r);
    return result;
}

static void test_mutated_templates_render_or_say_why_not(void **state)
{
    (void)state;
    const mutation_range cases = mutation_range_find(N_CASES);
    const uint64_t n_cases = cases.end - cases.begin;
    uint64_t counts[N_OUTCOMES] = {0};
    for (uint64_t k = cases.begin; k < cases.end; k++)
        counts[run_case(k)]++;
    print_message("%llu rendered, %llu raised, %llu failed while rendering, %llu did not parse\n",
                  (unsigned long long)counts[RENDERED], (unsigned long long)counts[RAISED],
                  (unsigned long long)counts[FAILED], (unsigned long long)counts[NO_TEMPLATE]);
    if (!cases.is_whole)
        return;
    assert_true(counts[RENDERED] > n_cases / 2); /* the mutations reach the evaluator, */
    assert_true(counts[NO_TEMPLATE] < n_cases / 5);
    assert_true(counts[FAILED] > n_cases / 50 && counts[RAISED] > 0); /* and what it refuses */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_seeds_render),
        cmocka_unit_test(test_mutated_templates_render_or_say_why_not),
    };
    return cmocka_run_group_tests(tests, load_families, free_families);
}
