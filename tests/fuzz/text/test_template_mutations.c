/*
 * Templates with something wrong in them, ten thousand and always the same: words of the language put in, parts doubled, cut and
 * swapped, bytes changed. None may crash, or go beyond its budget.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "fuzz/text/template_context.h"

enum { N_ROUNDS = 10000, SOURCE_MAX = 4096 };

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

static const char *const words[] = {
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-%}",
    "{%-",
    "+%}",
    "{% endfor %}",
    "{% for x in messages %}",
    "{% if x %}",
    "{% endif %}",
    "{% else %}",
    "{% set x = 1 %}",
    "{% macro m() %}",
    "{% endmacro %}",
    "{% raw %}",
    "{% break %}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|",
    "~",
    "*",
    "**",
    "//",
    "%",
    "-",
    "+",
    "==",
    "!=",
    "<",
    ">=",
    "=",
    " in ",
    " not in ",
    " is ",
    " is not ",
    " not ",
    " and ",
    " or ",
    " if ",
    " else ",
    " recursive ",
    "loop",
    "self",
    "messages",
    "caller()",
    "varargs",
    "**kwargs",
    "none",
    "true",
    "0",
    "1",
    "-1",
    "99999",
    "9223372036854775807",
    "1e308",
    "''",
    "\"\\n\"",
    "'\\ud800'",
    "[::-1]",
    "[:]",
    "[1:0:-2]",
    "|list",
    "|sort",
    "|tojson",
    "|map('upper')",
    "|join",
    "|length",
    "|first",
    "|last",
    "|reverse",
    "|int",
    "|float",
    "|round(-3)",
    "|batch(0)",
    "|indent(-5)",
    "|truncate(3)",
    "|center(300)",
    "|format(1)",
    "|replace('', 'xx')",
    "|groupby(0)",
    "|dictsort",
    "|items",
    "|sum",
    "|min",
    "|attr('x')",
    "|e",
    "|safe",
    "|select('odd')",
    "|selectattr('a')",
    "|default(x)",
    "|wordwrap(1)",
    "|striptags",
    "|string * 999",
    ".split('')",
    ".strip()",
    ".format(1)",
    ".items()",
    ".get",
    ".append(messages)",
    ".pop()",
    ".update(a=1)",
    ".join(messages)",
    ".replace('a', 'b' * 99)",
    ".upper",
    ".x",
    "loop(messages)",
    "range(99999)",
    "namespace(a=1)",
    "cycler(1)",
    "dict(a=1)",
    "raise_exception('x')",
    "\xc3\xa9",
    "\xff",
    "\0",
    "\n",
};

enum { N_WORDS = sizeof words / sizeof *words };

/* Each may stand where an operand stands. */
static const char *const operands[] = {
    "messages",
    "tools",
    "m",
    "x",
    "loop",
    "loop.index",
    "ns",
    "none",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2.5",
    "9223372036854775807",
    "1e308",
    "''",
    "'abc'",
    "'a b c'",
    "'\xc3\xa9\xf0\x9f\x98\x80'",
    "[]",
    "[3, 1, 2]",
    "(1, 'a')",
    "{'a': 1}",
    "{}",
    "range(5)",
    "messages[0]",
    "messages[1:][::-1]",
    "messages|map(attribute='role')",
    "missing",
    "missing.x",
    "'abc'.upper",
    "tools[0].function",
    "messages|length",
    "'x' * 50",
    "[[1]] * 3",
    "namespace(a=1)",
    "cycler(1, 2)",
    "'%s'",
    "'{}'",
    "dict(a=1).items()",
    "messages|tojson",
    "('a' ~ 1)",
    "not 1",
    "1 < 2",
    "1 if 0",
};

enum { N_OPERANDS = sizeof operands / sizeof *operands };

typedef struct source {
    char text[SOURCE_MAX];
    size_t len;
} source;

/* Puts n bytes in the place of [at, at + n_old). */
static void splice(source *s, size_t at, size_t n_old, const char *with, size_t n)
{
    if (s->len - n_old + n > SOURCE_MAX)
        return;
    char copy[SOURCE_MAX];
    memcpy(copy, with, n); /* it may be a part of s */
    memmove(s->text + at + n, s->text + at + n_old, s->len - at - n_old);
    memcpy(s->text + at, copy, n);
    s->len += n - n_old;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A name or number becomes another operand. */
static void swap_operand(source *s, gol_rng *rng)
{
    size_t at = (size_t)gol_rng_below(rng, s->len + 1);
    while (at < s->len && !is_word(s->text[at]))
        at++;
    while (at > 0 && is_word(s->text[at - 1]))
        at--;
    size_t end = at;
    while (end < s->len && is_word(s->text[end]))
        end++;
    const char *with = operands[gol_rng_below(rng, N_OPERANDS)];
    splice(s, at, end - at, with, strlen(with));
}

static void mutate(source *s, gol_rng *rng)
{
    if (gol_rng_below(rng, 4) != 0) {
        swap_operand(s, rng);
        return;
    }
    const size_t at = (size_t)gol_rng_below(rng, s->len + 1);
    const size_t n_rest = s->len - at;
    const size_t n = (size_t)gol_rng_below(rng, (n_rest < 40 ? n_rest : 40) + 1);
    const char *word = words[gol_rng_below(rng, N_WORDS)];
    const size_t n_word = *word == '\0' ? 1 : strlen(word);
    switch (gol_rng_below(rng, 6)) {
    case 0: /* a part is cut out */
        splice(s, at, n, "", 0);
        break;
    case 1: /* or stands twice */
        splice(s, at, 0, s->text + at, n);
        break;
    case 2: /* or comes from another template */ {
        const char *other = seeds[gol_rng_below(rng, N_SEEDS)];
        const size_t from = (size_t)gol_rng_below(rng, strlen(other));
        const size_t n_other = strlen(other) - from;
        splice(s, at, n, other + from, n_other < 60 ? n_other : 60);
        break;
    }
    case 3:
        if (at < s->len)
            s->text[at] = (char)gol_rng_below(rng, 256);
        break;
    default:
        splice(s, at, gol_rng_below(rng, 2) ? n : 0, word, n_word);
    }
}

static void test_the_seeds_render(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SEEDS; i++) {
        template_run r;
        assert_int_equal(template_run_init(&r, &template_fuzz_limits), 0);
        template_fuzz_context(&r.j, &r.context);
        if (template_run_source(&r, gol_str_from(seeds[i])) != 0)
            fail_msg("seed %zu: %s", i, r.err.message);
        template_run_deinit(&r);
    }
}

static void test_mutated_templates_parse_and_render_or_say_why(void **state)
{
    (void)state;
    gol_rng rng = {.key = 20261121};
    size_t n_rendered = 0;
    size_t n_failed = 0;
    for (int round = 0; round < N_ROUNDS; round++) {
        source s = {.len = 0};
        const char *seed = seeds[gol_rng_below(&rng, N_SEEDS)];
        splice(&s, 0, 0, seed, strlen(seed));
        for (uint64_t k = gol_rng_below(&rng, 3) + 1; k > 0; k--)
            mutate(&s, &rng);
        template_run r;
        assert_int_equal(template_run_init(&r, &template_fuzz_limits), 0);
        template_fuzz_context(&r.j, &r.context);
        const int rc = template_run_source(&r, (gol_str){s.text, s.len});
        if (rc != 0 && (rc != GOL_EINVAL || r.err.message[0] == '\0' || r.out.len != 0))
            fail_msg("round %d: %d '%s'", round, rc, r.err.message);
        assert_true(r.j.n_steps < 2 * template_fuzz_limits.steps_max);
        n_rendered += rc == 0;
        n_failed += rc != 0;
        template_run_deinit(&r);
    }
    print_message("%zu rendered, %zu failed\n", n_rendered, n_failed);
    assert_true(n_rendered > N_ROUNDS / 20); /* the mutations reach the evaluator */
    assert_true(n_failed > N_ROUNDS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_seeds_render),
        cmocka_unit_test(test_mutated_templates_parse_and_render_or_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
