/*
 * Files that shrink under a reader. Every case runs in a child; this program itself never opens a file by the module, so
 * that each child installs the handler afresh, over what it has set up before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mapped_file.h"
#include "base/worker_pool.h"
#include "unit/base/child.h"

enum { FILE_SIZE = 1 << 20 };

static char path[128];

static int make_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/gollum-fault-XXXXXX");
    const int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, FILE_SIZE) != 0)
        return -1;
    return close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void open_and_truncate(gol_mapped_file *file)
{
    gol_err err;
    if (gol_mapped_file_open(file, path, &err) != 0 || truncate(path, 4096) != 0)
        _exit(1);
}

static void read_byte(const volatile uint8_t *p)
{
    (void)*p;
}

static void read_truncated(void *arg)
{
    (void)arg;
    gol_mapped_file file;
    open_and_truncate(&file);
    read_byte(file.data); /* the first page is still there */
    read_byte(file.data + FILE_SIZE - 1);
}

static void a_truncated_file_ends_the_process_and_is_named(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, read_truncated, NULL));
    assert_int_equal(r.exit_code, 74);
    char expected[256];
    snprintf(expected, sizeof expected,
             "gollum: %s: was truncated or cannot be read any more while in use\n", path);
    assert_string_equal(r.said, expected);
}

static void read_in_worker(void *arg, int ith, int n_threads)
{
    const gol_mapped_file *file = arg;
    if (ith == n_threads - 1)
        read_byte(file->data + FILE_SIZE - 1);
}

static void read_truncated_in_pool(void *arg)
{
    (void)arg;
    gol_mapped_file file;
    gol_worker_pool *pool;
    open_and_truncate(&file);
    if (gol_worker_pool_create(&pool, 3, NULL) != 0)
        _exit(1);
    gol_worker_pool_run(pool, read_in_worker, &file);
}

static void a_worker_that_faults_ends_the_process_too(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, read_truncated_in_pool, NULL));
    assert_int_equal(r.exit_code, 74);
    assert_non_null(strstr(r.said, path));
}

static void *open_and_close_forever(void *arg)
{
    (void)arg;
    for (;;) {
        gol_mapped_file other;
        if (gol_mapped_file_open(&other, "/proc/self/exe", NULL) != 0)
            _exit(2);
        gol_mapped_file_close(&other);
    }
}

static void read_truncated_beside_others(void *arg)
{
    (void)arg;
    gol_mapped_file file;
    pthread_t threads[2];
    open_and_truncate(&file);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, open_and_close_forever, NULL) != 0)
            _exit(3);
    usleep(2000);
    read_byte(file.data + FILE_SIZE - 1);
}

static void others_opening_and_closing_do_not_confuse_the_handler(void **state)
{
    (void)state;
    static child_result r;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(truncate(path, FILE_SIZE), 0);
        assert_true(child_run(&r, read_truncated_beside_others, NULL));
        assert_int_equal(r.exit_code, 74);
        assert_non_null(strstr(r.said, path));
    }
}

static void leave_with_5(int number, siginfo_t *info, void *context)
{
    (void)context;
    _exit(number == SIGBUS && info ? 5 : 6);
}

static void leave_with_7(int number)
{
    _exit(number == SIGBUS ? 7 : 8);
}

/* A mapping that the module does not know, past its file's end. */
static void fault_elsewhere(void)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const volatile uint8_t *p = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED || truncate(path, 0) != 0)
        _exit(1);
    read_byte(p);
}

static void open_and_keep(void)
{
    gol_mapped_file file;
    if (gol_mapped_file_open(&file, "/proc/self/exe", NULL) != 0)
        _exit(2);
}

static void fault_with_siginfo_handler(void *arg)
{
    (void)arg;
    const struct sigaction action = {.sa_sigaction = leave_with_5, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    open_and_keep();
    fault_elsewhere();
}

static void fault_with_plain_handler(void *arg)
{
    (void)arg;
    signal(SIGBUS, leave_with_7);
    open_and_keep();
    fault_elsewhere();
}

static void fault_with_default(void *arg)
{
    (void)arg;
    signal(SIGBUS, SIG_DFL);
    open_and_keep();
    fault_elsewhere();
}

static void fault_after_close(void *arg)
{
    (void)arg;
    signal(SIGBUS, leave_with_7);
    gol_mapped_file file;
    open_and_truncate(&file);
    const volatile uint8_t *p = file.data;
    gol_mapped_file_close(&file);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (mmap((void *)(uintptr_t)p, FILE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != p)
        _exit(1);
    read_byte(p + FILE_SIZE - 1);
}

static void sent_with_default(void *arg)
{
    (void)arg;
    signal(SIGBUS, SIG_DFL);
    open_and_keep();
    raise(SIGBUS);
}

static void sent_while_ignored(void *arg)
{
    (void)arg;
    signal(SIGBUS, SIG_IGN);
    open_and_keep();
    raise(SIGBUS);
    _exit(9);
}

static void faults_elsewhere_get_what_was_there_before(void **state)
{
    (void)state;
    if (TEST_EMULATED)
        skip(); /* the emulator says a line of its own when a signal kills */
    static const struct {
        child_work *work;
        int exit_code;
        int signal;
    } rows[] = {{fault_with_siginfo_handler, 5, 0}, {fault_with_plain_handler, 7, 0},
                {fault_with_default, -1, SIGBUS},   {fault_after_close, 7, 0},
                {sent_with_default, -1, SIGBUS},    {sent_while_ignored, 9, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static child_result r;
        assert_int_equal(truncate(path, FILE_SIZE), 0);
        assert_true(child_run(&r, rows[i].work, NULL));
        assert_int_equal(r.exit_code, rows[i].exit_code);
        assert_int_equal(r.signal, rows[i].signal);
        assert_string_equal(r.said, "");
    }
}

static void control_bytes_in_the_name_do_not_reach_the_terminal(void **state)
{
    (void)state;
    static child_result r;
    char plain[128];
    strcpy(plain, path);
    strcat(path, "\x1b[31m\n");
    assert_int_equal(rename(plain, path), 0);
    assert_int_equal(truncate(path, FILE_SIZE), 0);
    assert_true(child_run(&r, read_truncated, NULL));
    assert_int_equal(r.exit_code, 74);
    assert_null(strchr(r.said, '\x1b'));
    assert_ptr_equal(strchr(r.said, '\n'), r.said + r.n_said - 1);
    assert_int_equal(rename(path, plain), 0);
    strcpy(path, plain);
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_truncated_file_ends_the_process_and_is_named),
        WITH_FILE(a_worker_that_faults_ends_the_process_too),
        WITH_FILE(others_opening_and_closing_do_not_confuse_the_handler),
        WITH_FILE(faults_elsewhere_get_what_was_there_before),
        WITH_FILE(control_bytes_in_the_name_do_not_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
