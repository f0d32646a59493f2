/* Stop strings against a search that looks at the whole text every time, with the text cut into pieces at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/stop_match.h"

static gol_arena arena;
static gol_stop_set set;

static int setup(void **state)
{
    (void)state;
    gol_arena_init(&arena, 1 << 20);
    set = (gol_stop_set){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gol_arena_deinit(&arena);
    return 0;
}

#define stop_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void add(const char *s)
{
    assert_int_equal(gol_stop_set_add(&set, &arena, gol_str_from(s)), 0);
}

/* Feeds a text at once; *end: bytes used, or the whole length. */
static int feed(const char *text, size_t *end)
{
    gol_stop_state st = {0};
    *end = strlen(text);
    return gol_stop_feed(&set, &st, gol_str_from(text), end);
}

static size_t held_after(const char *text)
{
    gol_stop_state st = {0};
    size_t end;
    assert_int_equal(gol_stop_feed(&set, &st, gol_str_from(text), &end), -1);
    return gol_stop_n_held(&set, &st);
}

static void the_first_to_be_complete_counts(void **state)
{
    (void)state;
    size_t end;
    add("abcd");
    add("bc");
    assert_int_equal(feed("xabcd", &end), 1);
    assert_int_equal(end, 4);
}

static void of_two_that_end_together_the_longer_counts(void **state)
{
    (void)state;
    size_t end;
    add("c");
    add("abc");
    add("bc");
    assert_int_equal(feed("abc", &end), 1);
    assert_int_equal(feed("xbc", &end), 2);
    assert_int_equal(feed("xxc", &end), 0);
}

static void a_failed_beginning_may_hold_another(void **state)
{
    (void)state;
    size_t end;
    add("aabaaa");
    assert_int_equal(feed("aabaabaaa", &end), 0);
    assert_int_equal(end, 9);
    assert_int_equal(held_after("xaabaa"), 5);
    assert_int_equal(held_after("xaabaab"), 3);
    assert_int_equal(held_after("xaabaabc"), 0);
}

static void what_is_held_is_the_longest_beginning(void **state)
{
    (void)state;
    add("\n\nUser:");
    add("Use no");
    assert_int_equal(held_after("ok\n"), 1);
    assert_int_equal(held_after("ok\n\nUse"), 5);
    assert_int_equal(held_after("ok\n\nUse n"), 5);
    assert_int_equal(held_after("ok\n\nUsex"), 0);
}

static void nothing_is_held_without_strings(void **state)
{
    (void)state;
    assert_int_equal(held_after("anything"), 0);
}

/* The plain way: for every end, every string, longest first. */
static int search(const char *text, size_t len, size_t *end)
{
    for (size_t e = 1; e <= len; e++) {
        int found = -1;
        for (int k = 0; k < set.n; k++) {
            const gol_str s = set.strings[k].text;
            const bool is_here = s.len <= e && memcmp(text + e - s.len, s.data, s.len) == 0;
            if (is_here && (found < 0 || s.len > set.strings[found].text.len))
                found = k;
        }
        if (found >= 0) {
            *end = e;
            return found;
        }
    }
    return -1;
}

static size_t search_held(const char *text, size_t len)
{
    size_t held = 0;
    for (int k = 0; k < set.n; k++) {
        const gol_str s = set.strings[k].text;
        for (size_t n = 1; n < s.len && n <= len; n++)
            if (n > held && memcmp(text + len - n, s.data, n) == 0)
                held = n;
    }
    return held;
}

static void random_text(gol_rng *rng, char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + gol_rng_below(rng, 2)); /* two letters: many beginnings */
    out[len] = '\0';
}

static void run_random(gol_rng *rng)
{
    char text[61];
    setup(NULL);
    const uint64_t n_strings = 1 + gol_rng_below(rng, 5);
    for (uint64_t k = 0; k < n_strings; k++) {
        char s[16];
        random_text(rng, s, 1 + gol_rng_below(rng, 12));
        add(s);
    }
    random_text(rng, text, sizeof text - 1);
    size_t expected_end = 0;
    const int expected = search(text, sizeof text - 1, &expected_end);
    gol_stop_state st = {0};
    int found = -1;
    size_t pos = 0;
    size_t n_used = 0;
    while (found < 0 && pos < sizeof text - 1) {
        size_t n = 1 + gol_rng_below(rng, 9);
        if (n > sizeof text - 1 - pos)
            n = sizeof text - 1 - pos;
        found = gol_stop_feed(&set, &st, (gol_str){text + pos, n}, &n_used);
        pos += n;
        if (found >= 0)
            pos = pos - n + n_used;
        else
            assert_int_equal(gol_stop_n_held(&set, &st), search_held(text, pos));
    }
    assert_int_equal(found < 0, expected < 0);
    if (found >= 0) {
        assert_int_equal(pos, expected_end);
        assert_true(gol_str_eq(set.strings[found].text, set.strings[expected].text));
    }
    teardown(NULL);
}

static void pieces_find_what_a_search_of_the_whole_finds(void **state)
{
    (void)state;
    gol_rng rng = {.key = 7};
    for (int i = 0; i < 20000; i++)
        run_random(&rng);
}

static void the_longest_string_and_the_full_set_fit(void **state)
{
    (void)state;
    char s[GOL_STOP_STRING_LEN_MAX + 1];
    size_t end;
    memset(s, 'a', sizeof s - 1);
    s[sizeof s - 1] = '\0';
    for (int k = 0; k < GOL_STOP_STRINGS_MAX; k++) {
        s[sizeof s - 2] = (char)('b' + k);
        add(s);
    }
    assert_int_equal(feed(s, &end), GOL_STOP_STRINGS_MAX - 1);
    s[sizeof s - 2] = 'a';
    assert_int_equal(held_after(s), GOL_STOP_STRING_LEN_MAX - 1);
}

static void no_memory_adds_nothing(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        gol_arena_deinit(&arena);
        set.n = 0;
        gol_mem_fail_nth(n, false);
        const int rc = gol_stop_set_add(&set, &arena, GOL_STR("abc"));
        gol_mem_fail_nth(0, false);
        if (rc == 0)
            break;
        assert_int_equal(rc, GOL_ENOMEM);
        assert_int_equal(set.n, 0);
    }
    assert_int_equal(set.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stop_test(the_first_to_be_complete_counts),
        stop_test(of_two_that_end_together_the_longer_counts),
        stop_test(a_failed_beginning_may_hold_another),
        stop_test(what_is_held_is_the_longest_beginning),
        stop_test(nothing_is_held_without_strings),
        cmocka_unit_test(pieces_find_what_a_search_of_the_whole_finds),
        stop_test(the_longest_string_and_the_full_set_fit),
        stop_test(no_memory_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
