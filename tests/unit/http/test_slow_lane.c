/* The slow lane by itself: order, its limit, what destroy() waits for. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/slow_lane.h"
#include "support/patience.h"

enum { N = GOL_SLOW_LANE_JOBS_MAX };

/* What the jobs do to each other; one thread runs them all. */
typedef struct record {
    int order[N + 2];
    atomic_int n_run;
    atomic_bool holds; /* the job that runs does not end */
    pthread_t thread;
} record;

typedef struct owner {
    gol_slow_job job;
    record *rec;
    int number;
} owner;

static void run(void *user)
{
    const owner *o = user;
    record *rec = o->rec;
    rec->thread = pthread_self();
    rec->order[atomic_load(&rec->n_run)] = o->number;
    atomic_fetch_add(&rec->n_run, 1);
    while (atomic_load(&rec->holds))
        usleep(1000);
}

static gol_slow_lane *new_lane(void)
{
    gol_slow_lane *lane;
    gol_err err = {0};
    if (gol_slow_lane_create(&lane, &err) != 0)
        fail_msg("%s", err.message);
    return lane;
}

static void wait_for_n_run(record *rec, int n)
{
    patience p = patience_begin();
    while (atomic_load(&rec->n_run) < n && patience_lasts(&p))
        continue;
    assert_int_equal(atomic_load(&rec->n_run), n);
}

static void jobs_run_in_order_in_a_thread_of_their_own(void **state)
{
    (void)state;
    gol_slow_lane *lane = new_lane();
    record rec = {0};
    owner owners[10];
    for (int i = 0; i < 10; i++) {
        owners[i] = (owner){.rec = &rec, .number = i};
        assert_true(gol_slow_lane_try_put(lane, &owners[i].job, run, &owners[i]));
    }
    wait_for_n_run(&rec, 10);
    gol_slow_lane_destroy(&lane);
    assert_null(lane);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rec.order[i], i);
    assert_false(pthread_equal(rec.thread, pthread_self()));
}

static void a_lane_is_full_at_its_limit_and_takes_jobs_again(void **state)
{
    (void)state;
    gol_slow_lane *lane = new_lane();
    record rec = {.holds = true};
    owner owners[N + 2];
    for (int i = 0; i < N + 2; i++)
        owners[i] = (owner){.rec = &rec, .number = i};
    assert_true(gol_slow_lane_try_put(lane, &owners[0].job, run, &owners[0]));
    wait_for_n_run(&rec, 1);
    for (int i = 1; i <= N; i++)
        assert_true(gol_slow_lane_try_put(lane, &owners[i].job, run, &owners[i]));
    assert_false(gol_slow_lane_try_put(lane, &owners[N + 1].job, run, &owners[N + 1]));
    atomic_store(&rec.holds, false);
    wait_for_n_run(&rec, N + 1);
    assert_true(gol_slow_lane_try_put(lane, &owners[N + 1].job, run, &owners[N + 1]));
    wait_for_n_run(&rec, N + 2);
    gol_slow_lane_destroy(&lane);
    for (int i = 0; i < N + 2; i++)
        assert_int_equal(rec.order[i], i);
}

static void *release(void *arg)
{
    usleep(50000);
    atomic_bool *holds = arg;
    atomic_store(holds, false);
    return NULL;
}

static void destroy_waits_for_every_job(void **state)
{
    (void)state;
    gol_slow_lane *lane = new_lane();
    record rec = {.holds = true};
    owner owners[5];
    for (int i = 0; i < 5; i++) {
        owners[i] = (owner){.rec = &rec, .number = i};
        assert_true(gol_slow_lane_try_put(lane, &owners[i].job, run, &owners[i]));
    }
    wait_for_n_run(&rec, 1);
    pthread_t releaser;
    pthread_create(&releaser, NULL, release, &rec.holds);
    gol_slow_lane_destroy(&lane);
    assert_int_equal(atomic_load(&rec.n_run), 5);
    pthread_join(releaser, NULL);
    gol_slow_lane_destroy(&lane); /* none: nothing to do */
}

static void without_memory_there_is_no_lane(void **state)
{
    (void)state;
    gol_slow_lane *lane;
    gol_err err = {0};
    gol_mem_fail_nth(1, false);
    const int rc = gol_slow_lane_create(&lane, &err);
    gol_mem_fail_nth(0, false);
    assert_int_equal(rc, GOL_ENOMEM);
    assert_null(lane);
    assert_string_equal(err.message, "http: out of memory for the slow lane");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_in_order_in_a_thread_of_their_own),
        cmocka_unit_test(a_lane_is_full_at_its_limit_and_takes_jobs_again),
        cmocka_unit_test(destroy_waits_for_every_job),
        cmocka_unit_test(without_memory_there_is_no_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
