/* Polling: when it returns, what it writes, who may do it. */
#include "unit/lib/lib_test.h"

#include "base/clock.h"

static int64_t ms_since(uint64_t begin_ns)
{
    return (int64_t)((gol_clock_ns() - begin_ns) / 1000000);
}

static void with_nothing_to_come_it_returns_at_once(void **state)
{
    (void)state;
    gollum *g = open_lib();
    gollum_event event;
    gollum_event_init(&event);
    assert_int_equal(gollum_poll(g, &event, -1), 0);
    listener l; /* callbacks are not waited for */
    hold_engine(g, &l);
    assert_int_equal(gollum_poll(g, &event, -1), 0);
    listener_release(&l);
    listener_wait_end(&l);
    gollum_close(&g);
    listener_deinit(&l);
}

static void a_timeout_is_kept(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener held, l;
    hold_engine(g, &held);
    listener_init(&l);
    const gollum_request request = request_of(&l, "late", 2);
    (void)submit_ok(g, &request);
    gollum_event event;
    gollum_event_init(&event);
    static const int timeouts[] = {0, 1, 30, 120}; /* longer than one slice of waiting */
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        const uint64_t begin_ns = gol_clock_ns();
        assert_int_equal(gollum_poll(g, &event, timeouts[i]), 0);
        assert_true(ms_since(begin_ns) >= timeouts[i]);
        assert_true(ms_since(begin_ns) < timeouts[i] + PATIENCE_MS); /* not for ever */
    }
    listener_release(&held);
    assert_int_equal(gollum_poll(g, &event, PATIENCE_MS), 1);
    assert_int_equal(event.n_generated, 1);
    assert_int_equal(gollum_poll(g, &event, INT32_MAX), 1);
    assert_int_equal(event.finish, GOLLUM_FINISH_LENGTH);
    assert_int_equal(gollum_poll(g, &event, INT32_MAX), 0);
    listener_wait_end(&held);
    gollum_close(&g);
    listener_deinit(&held);
    listener_deinit(&l);
}

typedef struct poller {
    gollum *g;
    int rc;
} poller;

/* In competition with the test's own thread, which never waits. */
static void *wait_for_one(void *arg)
{
    poller *p = arg;
    gollum_event event;
    gollum_event_init(&event);
    do {
        p->rc = gollum_poll(p->g, &event, -1);
    } while (p->rc == GOLLUM_EBUSY);
    return NULL;
}

static void a_second_poller_is_told_so(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener held, l;
    hold_engine(g, &held);
    listener_init(&l);
    const gollum_request request = request_of(&l, "for one", 1);
    (void)submit_ok(g, &request);
    poller p = {.g = g};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &p), 0);
    gollum_event event;
    gollum_event_init(&event);
    int rc = 0;
    const uint64_t begin_ns = gol_clock_ns();
    while (rc == 0 && ms_since(begin_ns) < PATIENCE_MS)
        rc = gollum_poll(g, &event, 0);
    assert_int_equal(rc, GOLLUM_EBUSY);
    listener_release(&held);
    pthread_join(thread, NULL);
    assert_int_equal(p.rc, 1);
    assert_int_equal(gollum_poll(g, &event, 0), 0);
    gollum_close(&g);
    listener_deinit(&held);
    listener_deinit(&l);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    gollum *g = open_lib();
    gollum_event event;
    gollum_event_init(&event);
    assert_int_equal(gollum_poll(NULL, &event, 0), GOLLUM_EINVAL);
    assert_int_equal(gollum_poll(g, NULL, 0), GOLLUM_EINVAL);
    event.struct_size = 0;
    assert_int_equal(gollum_poll(g, &event, 0), GOLLUM_EINVAL);
    event.struct_size = SIZE_MAX / 3;
    assert_int_equal(gollum_poll(g, &event, 0), GOLLUM_EINVAL);
    gollum_close(&g);
}

static void a_callers_event_keeps_its_own_size(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener l;
    listener_init(&l);
    const gollum_request request = request_of(&l, "sizes", 2);
    (void)submit_ok(g, &request);

    /* Older: nothing is written behind its end. */
    gollum_event older;
    memset(&older, 0x5a, sizeof older);
    gollum_event_init_sized(&older, offsetof(gollum_event, n_prompt));
    const gollum_event before = older;
    assert_int_equal(gollum_poll(g, &older, -1), 1);
    assert_int_equal(older.struct_size, offsetof(gollum_event, n_prompt));
    assert_in_range(older.token, 0, 319);
    assert_memory_equal(&older.n_prompt, &before.n_prompt,
                        sizeof older - offsetof(gollum_event, n_prompt));

    /* Newer: what this library does not know is zero. */
    struct {
        gollum_event known;
        int64_t later;
    } newer;
    memset(&newer, 0x5a, sizeof newer);
    gollum_event_init_sized(&newer.known, sizeof newer);
    assert_int_equal(newer.later, 0);
    assert_int_equal(newer.known.token, -1);
    newer.later = 7;
    assert_int_equal(gollum_poll(g, &newer.known, -1), 1);
    assert_int_equal(newer.known.struct_size, sizeof newer);
    assert_int_equal(newer.known.n_generated, 2);
    assert_ptr_equal(newer.known.user, &l);
    assert_int_equal(newer.later, 0);
    gollum_close(&g);
    listener_deinit(&l);
}

static void init_refuses_sizes_that_are_none(void **state)
{
    (void)state;
    gollum_event event;
    memset(&event, 0x5a, sizeof event);
    const gollum_event before = event;
    gollum_event_init_sized(&event, sizeof(size_t) - 1);
    gollum_event_init_sized(&event, SIZE_MAX);
    assert_memory_equal(&event, &before, sizeof event);
    gollum_event_init_sized(NULL, sizeof event);
    gollum_options_init_sized(NULL, sizeof(gollum_options));
    gollum_request_init_sized(NULL, sizeof(gollum_request));
}

/* No answer waits until another one's backlog is read. */
static void answers_take_turns(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static listener l[2];
    for (int i = 0; i < 2; i++) {
        listener_init(&l[i]);
        const gollum_request request = request_of(&l[i], "turn", 30);
        (void)submit_ok(g, &request);
    }
    listener done; /* runs beside them and takes longer: both have a backlog when it ends */
    listener_init(&done);
    gollum_request request = request_of(&done, "turn", 40);
    request.on_event = listen;
    (void)submit_ok(g, &request);
    listener_wait_end(&done);
    gollum_event event;
    gollum_event_init(&event);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(gollum_poll(g, &event, 0), 1);
        listen(&event);
        assert_in_range(l[0].n_tokens - l[1].n_tokens + 1, 0, 2);
    }
    gollum_close(&g);
    for (int i = 0; i < 2; i++)
        listener_deinit(&l[i]);
    listener_deinit(&done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_nothing_to_come_it_returns_at_once),
        cmocka_unit_test(a_timeout_is_kept),
        cmocka_unit_test(a_second_poller_is_told_so),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_callers_event_keeps_its_own_size),
        cmocka_unit_test(init_refuses_sizes_that_are_none),
        cmocka_unit_test(answers_take_turns),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
