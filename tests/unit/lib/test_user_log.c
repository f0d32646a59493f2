/* Who gets the process's log lines. One test: the settings are the process's and last as long as it does. */
#include "unit/lib/lib_test.h"

#include "base/log.h"
#include "lib/user_log.h"

typedef struct lines {
    int n;
    char level[16];
    char message[256];
} lines;

static void keep(void *user, const char *level, const char *message)
{
    lines *l = user;
    l->n++;
    snprintf(l->level, sizeof l->level, "%s", level);
    snprintf(l->message, sizeof l->message, "%s", message);
}

static void the_first_log_that_is_set_stays(void **state)
{
    (void)state;
    lines first = {0};
    lines second = {0};
    gol_user_log_init(NULL, NULL);
    assert_true(gol_log_is_set_up());
    gol_log_error("test", "nobody hears this");
    gol_user_log_init(keep, &first);
    gol_log_warn("test", "%s", "heard");
    assert_int_equal(first.n, 1);
    assert_string_equal(first.level, "warn");
    assert_string_equal(first.message, "heard");
    gol_user_log_init(keep, &second);
    gol_user_log_init(NULL, NULL);
    gol_log_debug("test", "still");
    assert_int_equal(first.n, 2);
    assert_string_equal(first.level, "debug");
    assert_int_equal(second.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_log_that_is_set_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
