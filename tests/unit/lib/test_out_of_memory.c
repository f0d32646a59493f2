/*
 * The n-th allocation fails, for n = 1, 2, … until none does: opening, submitting, polling and closing either work or say
 * GOLLUM_ENOMEM. Nothing crashes, waits for ever or leaks (LeakSanitizer looks on), and what works gives the right answer.
 */
#include "unit/lib/lib_test.h"

#include "base/mem.h"

enum { N_MAX = 20000 };

typedef struct outcome {
    int rc;
    listener polled;
    listener called_back;
} outcome;

static int submit_both(gollum *g, outcome *o)
{
    static const char *const stops[] = {"never", "said"};
    gollum_error error = {0};
    gollum_request request = request_of(&o->polled, "the water", 6);
    request.stop = stops;
    request.n_stop = 2;
    request.frequency_penalty = 0.5f;
    request.score_prompt = 1;
    request.n_prompt_top = 2;
    int rc = gollum_submit(g, &request, NULL, &error);
    request.user = &o->called_back;
    request.on_event = listen;
    if (rc == 0)
        rc = gollum_submit(g, &request, NULL, &error);
    assert_int_equal(rc, error.code);
    return rc;
}

static void use_library(outcome *o, uint64_t nth, bool persistent)
{
    listener_init(&o->polled);
    listener_init(&o->called_back);
    const gollum_options options = lib_options();
    gollum_error error = {0};
    gollum *g = NULL;
    gol_mem_fail_nth(nth, persistent);
    o->rc = gollum_open(&g, &options, &error);
    assert_int_equal(o->rc, error.code);
    if (o->rc == 0) {
        o->rc = submit_both(g, o);
        poll_all(g);
        assert_int_equal(o->polled.n_wrong, 0);
        if (o->rc == 0)
            listener_wait_end(&o->called_back);
    }
    gollum_close(&g);
    listener_deinit(&o->polled);
    listener_deinit(&o->called_back);
}

static uint64_t fail_all(bool persistent, const outcome *good)
{
    static outcome o;
    for (uint64_t n = 1; n < N_MAX; n++) {
        use_library(&o, n, persistent);
        const uint64_t n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        if (o.rc == 0) {
            assert_same_answer(&o.polled, &good->polled);
            assert_same_answer(&o.called_back, &good->called_back);
        } else {
            assert_int_equal(o.rc, GOLLUM_ENOMEM);
        }
        if (n_failed == 0)
            return n;
    }
    fail_msg("%d allocations were not enough", N_MAX);
    return 0;
}

static void every_failed_allocation_is_an_error_and_no_more(void **state)
{
    (void)state;
    static outcome good;
    use_library(&good, 0, false);
    assert_int_equal(good.rc, 0);
    assert_int_equal(good.polled.n_tokens, 6);
    const uint64_t n = fail_all(false, &good);
    assert_true(n > 30);
    assert_int_equal(fail_all(true, &good), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_more),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
