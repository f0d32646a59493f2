/*
 * Templates against the real Jinja: tests/data/template_cases.json, written by tests/golden/make/make_template_cases.py, and, where
 * the conformance data is, real models' templates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

#include "api/template_json.h"
#include "support/template_run.h"

/* "" when the result is the expected one (NULL: any failure), else what is wrong. */
static bool renders(gol_str source, const json_t *context, const gol_str *expected)
{
    template_run r;
    assert_int_equal(template_run_init(&r, NULL), 0);
    if (context)
        assert_int_equal(gol_template_json_value(&r.j, &r.context, context), 0);
    const int rc = template_run_source(&r, source);
    const gol_str out = gol_buf_view(&r.out);
    const bool as_expected = expected ? rc == 0 && gol_str_eq(out, *expected)
                                      : rc == GOL_EINVAL && r.err.message[0] != '\0';
    if (!as_expected)
        print_error("expected: %s%.*s\nfound: %d %s%.*s\n", expected ? "" : "(an error)",
                    GOL_STR_ARG(expected ? *expected : GOL_STR("")), rc, r.err.message,
                    GOL_STR_ARG(out));
    template_run_deinit(&r);
    return as_expected;
}

static gol_str text_of(const json_t *string)
{
    return (gol_str){json_string_value(string), json_string_length(string)};
}

static void test_templates_render_as_jinja_renders_them(void **state)
{
    (void)state;
    json_error_t info;
    json_t *root = json_load_file(TEST_DATA_DIR "/template_cases.json", JSON_ALLOW_NUL, &info);
    if (!root)
        fail_msg("template_cases.json: %s", info.text);
    const json_t *contexts = json_object_get(root, "contexts");
    const json_t *templates = json_object_get(root, "templates");
    size_t n_bad = 0;
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        const json_t *expected = json_object_get(c, "expected");
        const gol_str text = text_of(expected);
        const size_t context = (size_t)json_integer_value(json_object_get(c, "context"));
        const json_t *source = json_object_get(c, "template");
        if (json_is_integer(source)) /* one that more cases have */
            source = json_array_get(templates, (size_t)json_integer_value(source));
        if (!renders(text_of(source), json_array_get(contexts, context), expected ? &text : NULL)) {
            print_error("in case '%s'\n", json_string_value(json_object_get(c, "name")));
            n_bad++;
        }
    }
    assert_true(i > 1000);
    assert_int_equal(n_bad, 0);
    json_decref(root);
}

/* ---- conformance data ---- */

#define FOLDER TEST_CONFORMANCE_DIR "/templates/"

static bool read_file(gol_buf *out, const char *path)
{
    gol_buf_clear(out);
    gol_buf_reserve(out, 1);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char chunk[4096];
    for (size_t n = fread(chunk, 1, sizeof chunk, f); n > 0; n = fread(chunk, 1, sizeof chunk, f))
        gol_buf_put(out, chunk, n);
    fclose(f);
    return true;
}

/* The recordings' clock answered every format but one with the ISO date. */
static void use_recorded_clock(gol_buf *source)
{
    static const char call[] = "strftime_now('%B %d, %Y')";
    static const char iso[] = "strftime_now('%Y-%m-%d') ";
    _Static_assert(sizeof call == sizeof iso, "replaced in place");
    char *at = source->data;
    while ((at = memmem(at, source->len - (size_t)(at - source->data), call, sizeof call - 1)))
        memcpy(at, iso, sizeof iso - 1);
}

static size_t check_recordings(const char *name, const json_t *cases)
{
    char path[1200];
    gol_buf source, expected;
    gol_buf_init(&source, 1u << 20);
    gol_buf_init(&expected, 1u << 20);
    snprintf(path, sizeof path, FOLDER "%s.jinja", name);
    assert_true(read_file(&source, path));
    use_recorded_clock(&source);
    size_t n_bad = 0;
    const char *key;
    json_t *context;
    json_object_foreach((json_t *)cases, key, context)
    {
        snprintf(path, sizeof path, FOLDER "%s.%s.expected", name, key);
        const bool succeeds = read_file(&expected, path);
        const gol_str text = gol_buf_view(&expected);
        if (!renders(gol_buf_view(&source), context, succeeds ? &text : NULL)) {
            print_error("in %s.%s\n", name, key);
            n_bad++;
        }
    }
    gol_buf_deinit(&source);
    gol_buf_deinit(&expected);
    return n_bad;
}

static void test_real_templates_render_as_recorded(void **state)
{
    (void)state;
    json_error_t info;
    json_t *cases = json_load_file(FOLDER "cases.json", 0, &info);
    if (!cases) {
        print_message("skipped: no " FOLDER "cases.json (set GOLLUM_CONFORMANCE)\n");
        skip();
    }
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    size_t n = 0;
    size_t n_bad = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char name[256];
        const size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 6, ".jinja") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(len - 6), entry->d_name);
        n_bad += check_recordings(name, cases);
        n++;
    }
    closedir(folder);
    json_decref(cases);
    assert_true(n >= 14);
    assert_int_equal(n_bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates_render_as_jinja_renders_them),
        cmocka_unit_test(test_real_templates_render_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
