/* Templates as hostile input: budgets, errors that name their line, memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/template_run.h"
#include "text/template/template_ast.h"

static void assert_renders(const char *source, const char *expected)
{
    template_run r;
    assert_int_equal(template_run_init(&r, NULL), 0);
    if (template_run_source(&r, gol_str_from(source)) != 0)
        fail_msg("'%s': %s", source, r.err.message);
    gol_buf_putc(&r.out, '\0');
    assert_string_equal(r.out.data, expected);
    template_run_deinit(&r);
}

/* The message must hold these words. */
static void assert_fails(const char *source, const gol_jinja_limits *limits, const char *words)
{
    template_run r;
    assert_int_equal(template_run_init(&r, limits), 0);
    gol_buf_puts(&r.out, "before");
    assert_int_equal(template_run_source(&r, gol_str_from(source)), GOL_EINVAL);
    if (!strstr(r.err.message, words))
        fail_msg("'%s': message '%s' lacks '%s'", source, r.err.message, words);
    assert_true(gol_str_is(gol_buf_view(&r.out), "before"));
    assert_false(r.j.was_raised);
    template_run_deinit(&r);
}

static void test_syntax_errors_name_line_what_was_found_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *words;
    } cases[] = {
        {"a\nb {% if x }}", "line 2: unexpected '}'"},
        {"{{ 1 2 }}", "line 1: expected '}}', found a number"},
        {"\n\n{{ a b }}", "line 3: expected '}}', found 'b'"},
        {"{% for x of y %}", "expected 'in', found 'of'"},
        {"{% if a %}\n\n", "'endif' is missing"},
        {"{% frobnicate %}", "there is no tag 'frobnicate'"},
        {"{% include 'x' %}", "a chat template stands alone"},
        {"{{ 'abc }}", "a string without its end"},
        {"{# abc", "comment without its #}"},
        {"{{ (1] }}", "expected ')', found ']'"},
        {"{{ 99999999999999999999 }}", "an integer of more than 64 bits"},
        {"{{ '\\ud800' }}", "an escape for what is no character"},
        {"{% break %}", "break outside of a loop"},
        {"{{ \x01 }}", "unexpected character '\\x01'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(cases[i].source, NULL, cases[i].words);
}

static void test_bytes_that_are_no_utf8_are_refused(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_template *t;
    assert_int_equal(gol_template_parse(&t, GOL_STR("ab\xff"), &err), GOL_EINVAL);
    assert_null(t);
    assert_string_equal(err.message, "byte 2 is no UTF-8");
    assert_int_equal(gol_template_parse(&t, GOL_STR("a\0b"), &err), 0); /* NUL is a character */
    gol_template_destroy(&t);
}

static void test_errors_while_rendering_name_their_line(void **state)
{
    (void)state;
    assert_fails("a\nb\n{{ x.y }}", NULL, "line 3: 'x' is undefined");
    assert_fails("{% set d = {} %}\n{{ d.a.b }}", NULL,
                 "line 2: 'dict' object has no attribute 'a'");
    assert_fails("\n{{ 1 | nosuch }}", NULL, "line 2: there is no filter named 'nosuch'");
    assert_fails("{{ 'a' is nosuch }}", NULL, "there is no test named 'nosuch'");
    assert_fails("{{ 1 + 'a' }}", NULL, "unsupported operand types for +: 'int' and 'str'");
    assert_fails("{% macro m() %}\n{{ 1 / 0 }}{% endmacro %}\n{{ m() }}", NULL,
                 "line 2: division by zero");
    assert_fails("{{ 9223372036854775807 + 1 }}", NULL, "integer overflow");
    assert_fails("{{ 'x'.upper(1) }}", NULL, "upper() takes at most 0 arguments");
}

static void test_what_a_template_refuses_is_told_in_its_own_words(void **state)
{
    (void)state;
    template_run r;
    assert_int_equal(template_run_init(&r, NULL), 0);
    assert_int_equal(
        template_run_source(&r, GOL_STR("x\n{{ raise_exception('roles must alternate') }}")),
        GOL_EINVAL);
    assert_true(r.j.was_raised);
    assert_string_equal(r.err.message, "roles must alternate");
    template_run_deinit(&r);
}

static void test_a_refusal_without_a_word_names_its_line(void **state)
{
    (void)state;
    static const char *const sources[] = {"\n{{ raise_exception('') }}",
                                          "\n{{ raise_exception(missing) }}",
                                          "\n{{ raise_exception('\\0 no') }}"};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        template_run r;
        assert_int_equal(template_run_init(&r, NULL), 0);
        assert_int_equal(template_run_source(&r, gol_str_from(sources[i])), GOL_EINVAL);
        assert_true(r.j.was_raised);
        assert_string_equal(r.err.message,
                            "line 2: the template refuses the conversation and gives no reason");
        template_run_deinit(&r);
    }
}

static void test_steps_are_limited_exactly(void **state)
{
    (void)state;
    gol_jinja_limits limits = {.steps_max = 1};
    const gol_str source = GOL_STR("{% for i in range(50) %}{{ i }},{% endfor %}");
    for (;; limits.steps_max++) {
        template_run r;
        assert_int_equal(template_run_init(&r, &limits), 0);
        const int rc = template_run_source(&r, source);
        const uint64_t n_steps = r.j.n_steps;
        const bool says_so = strstr(r.err.message, "takes more than") != NULL;
        template_run_deinit(&r);
        if (rc == 0) {
            assert_int_equal(n_steps, limits.steps_max); /* the least that is enough */
            break;
        }
        assert_int_equal(rc, GOL_EINVAL);
        assert_true(says_so);
        assert_true(n_steps > limits.steps_max);
    }
    assert_in_range(limits.steps_max, 150, 2000);
}

static void test_loops_and_recursion_end(void **state)
{
    (void)state;
    const gol_jinja_limits limits = {.steps_max = 200000, .memory_max = 16 << 20};
    static const char *const sources[] = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor "
        "%}"
        "{{ ns.l }}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}",
        "{% set a = [] %}{% set b = [] %}{% set _ = a.append(b) %}{% set _ = b.append(a) %}{{ a == "
        "b "
        "}}{{ [a, b] | sort }}",
        "{{ [[[]] * 9999] * 9999 * 9999 }}",
        "{{ range(99999) | map('string') | join(',') | replace('1', '22222222222') | replace('2', "
        "'3333333333333') | replace('3', '4444444444444444444') }}",
        "{{ 'a' * 99999999999 }}",
        "{{ 'a'.center(9999999999) }}",
        "{{ '%99999999d' % 1 }}",
        "{{ '{:99999999999}'.format(1) }}",
        "{{ {} | tojson(indent=99999999999) }}",
        "{{ range(100001) }}",
        "{{ ('a' * 60000).rfind('b' ~ 'a' * 30000) ~ ('a' * 60000).rsplit('b' ~ 'a' * 30000) "
        "~ ('ab' * 9000000) }}",
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        assert_fails(sources[i], &limits, "");
}

static void test_output_and_memory_are_limited(void **state)
{
    (void)state;
    const gol_jinja_limits small = {.output_max = 10};
    template_run r;
    assert_int_equal(template_run_init(&r, &small), 0);
    assert_int_equal(template_run_source(&r, GOL_STR("{{ 'aaaaa' }}bbbbb")), 0);
    template_run_deinit(&r);
    assert_fails("{{ 'aaaaa' }}bbbbbb", &small, "writes more than 10 bytes");
    assert_fails("{% set x %}{{ 'aaaaa' }}bbbbbb{% endset %}", &small, "writes more than 10 bytes");
    const gol_jinja_limits little = {.memory_max = 1 << 20};
    assert_fails("{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s "
                 "%}{% endfor %}",
                 &little, "more than 1048576 bytes of memory");
    assert_fails("{{ [0] * 1000000 }}", &little, "more than 1048576 bytes of memory");
}

static char *repeat(const char *open, const char *middle, const char *close, int n)
{
    gol_buf b;
    gol_buf_init(&b, SIZE_MAX);
    for (int i = 0; i < n; i++)
        gol_buf_puts(&b, open);
    gol_buf_puts(&b, middle);
    for (int i = 0; i < n; i++)
        gol_buf_puts(&b, close);
    return b.data;
}

static void assert_depth(const char *begin, const char *open, const char *middle, const char *close,
                         const char *end, int n, bool is_fine)
{
    char *nested = repeat(open, middle, close, n);
    gol_buf source;
    gol_buf_init(&source, SIZE_MAX);
    gol_buf_printf(&source, "%s%s%s", begin, nested, end);
    gol_err err = {0};
    gol_template *t = NULL;
    const int rc = gol_template_parse(&t, gol_buf_view(&source), &err);
    if ((rc == 0) != is_fine)
        fail_msg("%d of '%s': %d %s", n, open, rc, err.message);
    if (rc != 0)
        assert_non_null(strstr(err.message, "deep") ? err.message
                                                    : strstr(err.message, "too many"));
    gol_template_destroy(&t);
    gol_buf_deinit(&source);
    gol_free(nested);
}

static void test_nesting_is_limited_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *open, *middle, *close, *end;
    } forms[] = {
        {"{{ ", "(", "1", ")", " }}"},
        {"{{ ", "[", "1", "]", " }}"},
        {"{{ ", "{1:", "1", "}", " }}"},
        {"{{ ", "- ", "1", "", " }}"},
        {"{{ ", "not ", "1", "", " }}"},
        {"{{ ", "f(", "1", ")", " }}"},
        {"{{ ", "a[", "1", "]", " }}"},
        {"{{ ", "a|default(", "1", ")", " }}"},
        {"{{ ", "1 if 1 else ", "1", "", " }}"},
        {"", "{% if a %}", "x", "{% endif %}", ""},
        {"", "{% for a in b %}", "x", "{% endfor %}", ""},
        {"{% set ", "(", "a", ")", " = 1 %}"},
        {"{% for ", "(", "a", ",)", " in [] %}{% endfor %}"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_depth(forms[i].begin, forms[i].open, forms[i].middle, forms[i].close, forms[i].end,
                     40, true);
        assert_depth(forms[i].begin, forms[i].open, forms[i].middle, forms[i].close, forms[i].end,
                     GOL_TEMPLATE_NESTING_MAX + 1, false);
        assert_depth(forms[i].begin, forms[i].open, forms[i].middle, forms[i].close, forms[i].end,
                     20000, false);
    }
}

static void test_long_chains_are_an_error_not_a_crash(void **state)
{
    (void)state;
    static const char *const links[] = {" + 1", " | abs", ".a", " ~ 1", " < 1", " and 1", "[0]"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char *chain = repeat(links[i], "", "", 50000);
        gol_buf source;
        gol_buf_init(&source, SIZE_MAX);
        gol_buf_printf(&source, "{{ 1%s }}", chain);
        template_run r;
        assert_int_equal(template_run_init(&r, NULL), 0);
        const int rc = template_run_source(&r, gol_buf_view(&source));
        assert_true(rc == 0 || rc == GOL_EINVAL);
        template_run_deinit(&r);
        gol_buf_deinit(&source);
        gol_free(chain);
    }
}

static void test_the_largest_source_is_accepted_and_no_larger_one(void **state)
{
    (void)state;
    char *text = malloc(GOL_TEMPLATE_SOURCE_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', GOL_TEMPLATE_SOURCE_MAX + 1);
    gol_err err = {0};
    gol_template *t;
    assert_int_equal(gol_template_parse(&t, (gol_str){text, GOL_TEMPLATE_SOURCE_MAX}, &err), 0);
    gol_template_destroy(&t);
    assert_int_equal(gol_template_parse(&t, (gol_str){text, GOL_TEMPLATE_SOURCE_MAX + 1}, &err),
                     GOL_ETOOLARGE);
    memset(text, '{', GOL_TEMPLATE_SOURCE_MAX);
    assert_int_equal(gol_template_parse(&t, (gol_str){text, GOL_TEMPLATE_SOURCE_MAX}, &err),
                     GOL_EINVAL);
    free(text);
}

static void test_one_template_renders_many_times_alike(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_template *t;
    const struct tm now = template_now();
    assert_int_equal(
        gol_template_parse(&t,
                           GOL_STR("{% macro m(x) %}<{{ x }}>{% endmacro %}{% set l = [] "
                                   "%}{{ l.append(1) }}{{ l }}{{ m(l) }}"
                                   "{{ strftime_now('%d %b %Y') }}"),
                           &err),
        0);
    for (int i = 0; i < 3; i++) {
        template_run r;
        assert_int_equal(template_run_init(&r, NULL), 0);
        assert_int_equal(gol_template_render(t, &r.out, &r.j, &r.context, &now, &err), 0);
        assert_true(gol_str_is(gol_buf_view(&r.out), "None[1]<[1]>26 Jul 2026"));
        template_run_deinit(&r);
    }
    assert_true(gol_template_reads(t, GOL_STR("strftime_now")));
    assert_false(gol_template_reads(t, GOL_STR("tools")));
    gol_template_destroy(&t);
}

static void test_dicts_find_thousands_of_keys(void **state)
{
    (void)state;
    assert_renders(
        "{% set d = {} %}{% for i in range(5000) %}{% set _ = d.update({i: i * 2, 'k' ~ i: "
        "i}) %}{% endfor %}{{ d | length }} {{ d[4999] }} {{ d.k77 }} {{ d[5000] is "
        "defined }}{% for i in range(500) %}{% set _ = d.pop('k' ~ i) %}{% endfor %} {{ d | "
        "length }} {{ d['k4999'] }} {{ 'k0' in d }} {{ (d.items() | list)[-1] }}",
        "10000 9998 77 False 9500 4999 False ('k4999', 4999)");
}

static void test_memory_that_runs_out_is_an_error_at_every_point(void **state)
{
    (void)state;
    const gol_str source = GOL_STR(
        "{% macro m(a, b=2) %}{{ a }}{{ varargs }}{{ kwargs }}{{ caller() if caller }}{% endmacro "
        "%}"
        "{% set ns = namespace(x=[1, 2.5, 'a', none]) %}{% for k, v in {'a': 1, 'b': [1]}.items() "
        "if k "
        "%}{{ loop.index }}{{ m(k, v, 3, q=4) }}{% endfor %}{% set t %}x{{ ns.x | tojson(indent=2) "
        "}}"
        "{% endset %}{{ t | upper | replace('A', 'bb') | indent }}{{ ['b', 'a'] | sort | "
        "map('upper') "
        "| join(',') }}{% call(x) m(1) %}y{% endcall %}{{ '%s-%5.2f' % ('é', 2) }}{{ "
        "'{:>5}'.format(3) "
        "}}{{ 'a b'.split() }}{{ 'abc'[::-1] }}{% with z = cycler(1, 2) %}{{ z.next() }}{% endwith "
        "%}"
        "{{ [{'c': 1}] | groupby('c') }}{{ range(3) | batch(2) | list }}");
    uint64_t n_failed = 1;
    for (uint64_t nth = 1; n_failed > 0; nth++) {
        template_run r;
        gol_mem_fail_nth(nth, true);
        int rc = template_run_init(&r, NULL);
        if (rc == 0)
            rc = template_run_source(&r, source);
        n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        assert_int_equal(rc, n_failed > 0 ? GOL_ENOMEM : 0);
        template_run_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax_errors_name_line_what_was_found_and_what_was_expected),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_refused),
        cmocka_unit_test(test_errors_while_rendering_name_their_line),
        cmocka_unit_test(test_what_a_template_refuses_is_told_in_its_own_words),
        cmocka_unit_test(test_a_refusal_without_a_word_names_its_line),
        cmocka_unit_test(test_steps_are_limited_exactly),
        cmocka_unit_test(test_loops_and_recursion_end),
        cmocka_unit_test(test_output_and_memory_are_limited),
        cmocka_unit_test(test_nesting_is_limited_in_every_form),
        cmocka_unit_test(test_long_chains_are_an_error_not_a_crash),
        cmocka_unit_test(test_the_largest_source_is_accepted_and_no_larger_one),
        cmocka_unit_test(test_one_template_renders_many_times_alike),
        cmocka_unit_test(test_dicts_find_thousands_of_keys),
        cmocka_unit_test(test_memory_that_runs_out_is_an_error_at_every_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
