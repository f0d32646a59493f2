/* The pool with fewer, as many and more threads than processors: runs, barriers, failures, idling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/os_thread.h"
#include "base/worker_pool.h"
#include "unit/base/child.h"

enum { N_BARRIERS = 10000, MOST = 5 };

static const int pool_sizes[] = {1, 2, MOST};

static gol_worker_pool *create(int n_threads)
{
    gol_worker_pool *pool;
    gol_err err;
    if (gol_worker_pool_create(&pool, n_threads, &err) != 0)
        fail_msg("%s", err.message);
    return pool;
}

typedef struct tally {
    int n_calls[MOST]; /* plain, not atomic: the pool must make them visible */
    int n_threads[MOST];
} tally;

static void count_call(void *arg, int ith, int n_threads)
{
    tally *t = arg;
    t->n_calls[ith]++;
    t->n_threads[ith] = n_threads;
}

static void every_worker_runs_once_per_run(void **state)
{
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        gol_worker_pool *pool = create(pool_sizes[s]);
        assert_int_equal(gol_worker_pool_size(pool), pool_sizes[s]);
        tally t = {0};
        for (int run = 1; run <= 2000; run++) {
            gol_worker_pool_run(pool, count_call, &t);
            for (int i = 0; i < pool_sizes[s]; i++) {
                assert_int_equal(t.n_calls[i], run);
                assert_int_equal(t.n_threads[i], pool_sizes[s]);
            }
        }
        gol_worker_pool_destroy(&pool);
        assert_null(pool);
    }
}

typedef struct phases {
    gol_worker_pool *pool;
    int phase[MOST];
    int n_wrong[MOST];
} phases;

/* Everybody writes its phase, meets, and must read everybody's. */
static void walk_phases(void *arg, int ith, int n_threads)
{
    phases *p = arg;
    for (int phase = 1; phase <= N_BARRIERS / 2; phase++) {
        p->phase[ith] = phase;
        gol_worker_pool_barrier(p->pool, ith);
        for (int i = 0; i < n_threads; i++)
            p->n_wrong[ith] += p->phase[i] != phase;
        gol_worker_pool_barrier(p->pool, ith);
    }
}

static void nobody_passes_a_barrier_before_all_are_there(void **state)
{
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        phases p = {.pool = create(pool_sizes[s])};
        gol_worker_pool_run(p.pool, walk_phases, &p);
        for (int i = 0; i < pool_sizes[s]; i++) {
            assert_int_equal(p.n_wrong[i], 0);
            assert_int_equal(p.phase[i], N_BARRIERS / 2);
        }
        gol_worker_pool_destroy(&p.pool);
    }
}

static void meet_often(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    for (int i = 0; i < 200; i++)
        gol_worker_pool_barrier(arg, ith);
}

static double process_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Four threads a processor: if waiters spun, every barrier would cost time slices (milliseconds) instead of wake-ups. What is
 * counted is the processor's time: a busy machine makes the wall's longer. */
static void more_threads_than_processors_do_not_collapse(void **state)
{
    (void)state;
    const int n_usable = gol_cpu_n_usable();
    gol_worker_pool *pool = create(n_usable < 16 ? 4 * n_usable : 64);
    const int n_threads = gol_worker_pool_size(pool);
    const double begin_s = process_seconds();
    for (int run = 0; run < 5; run++)
        gol_worker_pool_run(pool, meet_often, pool);
    const double us = (process_seconds() - begin_s) * 1e6 / (1000.0 * n_threads);
    gol_worker_pool_destroy(&pool);
    print_message("%.1f us a barrier and thread\n", us);
    assert_true(us < 1000);
}

static void do_nothing(void *arg, int ith, int n_threads)
{
    (void)arg;
    (void)ith;
    (void)n_threads;
}

/* What the process burns in a tenth of a second beside a pool that has nothing to do. */
static double idle_seconds(int n_threads)
{
    gol_worker_pool *pool = create(n_threads);
    gol_worker_pool_run(pool, do_nothing, NULL);
    const double before = process_seconds();
    const struct timespec pause = {.tv_nsec = 100000000};
    nanosleep(&pause, NULL);
    const double seconds = process_seconds() - before;
    gol_worker_pool_run(pool, do_nothing, NULL); /* and wakes up again */
    gol_worker_pool_destroy(&pool);
    return seconds;
}

static void an_idle_pool_burns_no_processor_time(void **state)
{
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        /* 50 us of spinning a worker, ten times that for slow machines. A worker that never sleeps burns 100 ms each time; one that
         * does may be charged for what else goes on, but not each time. */
        int n_tries = 1;
        while (idle_seconds(pool_sizes[s]) >= 0.0005 * MOST + 0.01)
            assert_true(n_tries++ < 100);
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    static const int wrong[] = {-1, INT32_MIN, GOL_WORKERS_MAX + 1, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        gol_worker_pool *pool = (gol_worker_pool *)&wrong; /* must be overwritten */
        gol_err err;
        assert_int_equal(gol_worker_pool_create(&pool, wrong[i], &err), GOL_EINVAL);
        assert_int_equal(err.code, GOL_EINVAL);
        assert_non_null(strstr(err.message, "512"));
        assert_null(pool);
        assert_int_equal(gol_worker_pool_create(&pool, wrong[i], NULL), GOL_EINVAL);
    }
    gol_worker_pool *none = NULL;
    gol_worker_pool_destroy(&none);
}

static void zero_means_all_usable_processors(void **state)
{
    (void)state;
    gol_worker_pool *pool = create(0);
    assert_int_equal(gol_worker_pool_size(pool), gol_cpu_n_usable());
    gol_worker_pool_destroy(&pool);
}

static void count_in_array(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    ((int *)arg)[ith]++;
}

static void the_largest_pool_works(void **state)
{
    (void)state;
    gol_worker_pool *pool = create(GOL_WORKERS_MAX);
    static int n_calls[GOL_WORKERS_MAX];
    for (int run = 0; run < 3; run++)
        gol_worker_pool_run(pool, count_in_array, n_calls);
    for (int i = 0; i < GOL_WORKERS_MAX; i++)
        assert_int_equal(n_calls[i], 3);
    gol_worker_pool_destroy(&pool);
}

static void a_pool_that_finds_no_memory_is_an_error(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        gol_worker_pool *pool;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        const int code = gol_worker_pool_create(&pool, 3, &err);
        const bool was_failed = gol_mem_n_failed() != 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(code, was_failed ? GOL_ENOMEM : 0);
        assert_int_equal(pool == NULL, was_failed);
        gol_worker_pool_destroy(&pool);
        if (!was_failed) {
            assert_true(n > 1);
            break;
        }
    }
}

#if defined(GOL_SANITIZED) || TEST_EMULATED || !defined(__linux__)
static void threads_that_cannot_be_made_are_an_error(void **state)
{
    (void)state;
    skip(); /* neither sanitizers nor an emulator live under an address space limit */
}
#else
/* Room for a few of the 8 MiB stacks only. */
static void create_with_little_address_space(void *arg)
{
    (void)arg;
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long n_pages = 0;
    if (!f || fscanf(f, "%lu", &n_pages) != 1)
        _exit(1);
    fclose(f);
    const rlim_t n_bytes = (rlim_t)n_pages * (rlim_t)sysconf(_SC_PAGESIZE) + (64u << 20);
    const struct rlimit limit = {n_bytes, n_bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(2);
    gol_worker_pool *pool;
    gol_err err;
    if (gol_worker_pool_create(&pool, 200, &err) != GOL_ENOMEM || pool)
        _exit(3);
    if (!strstr(err.message, "of 200"))
        _exit(4);
    if (gol_worker_pool_create(&pool, 2, &err) != 0) /* those that were made are gone again */
        _exit(5);
    gol_worker_pool_run(pool, do_nothing, NULL);
    gol_worker_pool_destroy(&pool);
}

static void threads_that_cannot_be_made_are_an_error(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, create_with_little_address_space, NULL));
    assert_int_equal(r.exit_code, 0);
}
#endif

static void look_at_signals(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    sigset_t *sets = arg;
    pthread_sigmask(SIG_SETMASK, NULL, &sets[ith]);
}

static void workers_leave_signals_to_others_but_keep_faults(void **state)
{
    (void)state;
    sigset_t before, after, sets[2];
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    gol_worker_pool *pool = create(2);
    gol_worker_pool_run(pool, look_at_signals, sets);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < 32; number++) {
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
        assert_int_equal(sigismember(&before, number), sigismember(&sets[0], number));
    }
    assert_true(sigismember(&sets[1], SIGTERM));
    assert_true(sigismember(&sets[1], SIGINT));
    assert_false(sigismember(&sets[1], SIGBUS));
    assert_false(sigismember(&sets[1], SIGSEGV));
    gol_worker_pool_destroy(&pool);
}

#if defined(__linux__)
static bool can_pin(void)
{
    return true;
}

static int current_cpu(void)
{
    return sched_getcpu();
}
#else
static bool can_pin(void)
{
    return false;
}

static int current_cpu(void)
{
    return 0;
}
#endif

typedef struct placement {
    int n_allowed[GOL_WORKERS_MAX];
    int cpu[GOL_WORKERS_MAX];
    int cpu_of_caller;
} placement;

static void look_at_affinity(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    placement *p = arg;
    if (ith == 0)
        p->cpu_of_caller = current_cpu();
    p->n_allowed[ith] = gol_os_thread_affinity(&p->cpu[ith], 1);
}

static void workers_are_pinned_when_each_processor_gets_one(void **state)
{
    (void)state;
    static placement p;
    const int n_allowed = gol_os_thread_affinity(NULL, 0);
    if (n_allowed >= GOL_WORKERS_MAX || !can_pin())
        skip();
    int cpus[GOL_WORKERS_MAX];
    gol_os_thread_affinity(cpus, GOL_WORKERS_MAX);
    gol_worker_pool *pool = create(n_allowed);
    int n_at_home = 0;
    for (int run = 0; run < 1000 && n_at_home < 10; run++) {
        gol_os_thread_visit(cpus[n_allowed - 1]); /* onto a worker's processor */
        gol_worker_pool_run(pool, look_at_affinity, &p);
        n_at_home += p.cpu_of_caller == cpus[0];
    }
    gol_worker_pool_destroy(&pool);
    assert_int_equal(n_at_home, 10); /* the kernel may move it away at once, but not always */
    for (int i = 1; i < n_allowed; i++) {
        assert_int_equal(p.n_allowed[i], 1);
        for (int k = 1; k < i; k++)
            assert_int_not_equal(p.cpu[i], p.cpu[k]);
    }
    assert_int_equal(p.n_allowed[0], n_allowed);
    pool = create(n_allowed + 1);
    gol_worker_pool_run(pool, look_at_affinity, &p);
    gol_worker_pool_destroy(&pool);
    for (int i = 0; i <= n_allowed; i++)
        assert_int_equal(p.n_allowed[i], n_allowed);
}

static void ranges_cover_everything_once_on_grain_borders(void **state)
{
    (void)state;
    static const size_t totals[] = {0, 1, 2, 7, 64, 100, 1000, 4097, SIZE_MAX - 1, SIZE_MAX};
    static const size_t grains[] = {1, 2, 16, 100, 4096, SIZE_MAX};
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
        for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
            for (int n_threads = 1; n_threads <= 9; n_threads++) {
                size_t expected = 0, smallest = SIZE_MAX, largest = 0;
                for (int ith = 0; ith < n_threads; ith++) {
                    size_t begin, end;
                    gol_worker_range(&begin, &end, totals[t], grains[g], ith, n_threads);
                    assert_true(begin == expected && begin <= end);
                    assert_true(begin % grains[g] == 0 || begin == totals[t]);
                    const size_t n_units = (end - begin) / grains[g] +
                                           ((end - begin) % grains[g] != 0);
                    smallest = n_units < smallest ? n_units : smallest;
                    largest = n_units > largest ? n_units : largest;
                    expected = end;
                }
                assert_true(expected == totals[t]);
                assert_true(largest - smallest <= 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_worker_runs_once_per_run),
        cmocka_unit_test(nobody_passes_a_barrier_before_all_are_there),
        cmocka_unit_test(more_threads_than_processors_do_not_collapse),
        cmocka_unit_test(an_idle_pool_burns_no_processor_time),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(zero_means_all_usable_processors),
        cmocka_unit_test(the_largest_pool_works),
        cmocka_unit_test(a_pool_that_finds_no_memory_is_an_error),
        cmocka_unit_test(threads_that_cannot_be_made_are_an_error),
        cmocka_unit_test(workers_leave_signals_to_others_but_keep_faults),
        cmocka_unit_test(workers_are_pinned_when_each_processor_gets_one),
        cmocka_unit_test(ranges_cover_everything_once_on_grain_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
