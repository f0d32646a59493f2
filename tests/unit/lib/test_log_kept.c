/* A program that set up the log itself, as the command line does, keeps it when it opens a model. */
#include "unit/lib/lib_test.h"

#include "base/log.h"

static int n_own;

static void own_sink(void *user, gol_log_level level, const char *area, const char *message)
{
    (void)user;
    (void)level;
    (void)area;
    (void)message;
    n_own++;
}

static void not_called(void *user, const char *level, const char *message)
{
    (void)level;
    (void)message;
    ++*(int *)user;
}

static void a_log_that_is_set_up_is_not_replaced(void **state)
{
    (void)state;
    int n_calls = 0;
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, own_sink, NULL);
    gollum_options options = lib_options();
    options.log = not_called;
    options.log_user = &n_calls;
    gollum *g = open_with(&options);
    gol_log_info("test", "a line");
    assert_true(n_own > 0);
    assert_int_equal(n_calls, 0);
    gollum_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_is_set_up_is_not_replaced),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
