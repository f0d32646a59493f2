/* Mapping files: contents, what cannot be mapped, limits, hints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/mem.h"
#include "unit/base/child.h"

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/gollum-map-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* byte i of a file is (i * 31 + seed) mod 251 */
static uint8_t pattern(size_t i, unsigned seed)
{
    return (uint8_t)((i * 31 + seed) % 251);
}

static void write_file(const char *name, size_t size, unsigned seed)
{
    FILE *f = fopen(name, "we");
    assert_non_null(f);
    for (size_t i = 0; i < size; i++)
        assert_true(putc(pattern(i, seed), f) != EOF);
    assert_int_equal(fclose(f), 0);
}

static void assert_pattern(const gol_mapped_file *file, size_t size, unsigned seed)
{
    assert_int_equal(file->size, size);
    for (size_t i = 0; i < size; i++)
        if (file->data[i] != pattern(i, seed))
            fail_msg("byte %zu is wrong", i);
}

static void assert_zeroed(const gol_mapped_file *file)
{
    assert_null(file->data);
    assert_null(file->path);
    assert_int_equal(file->size, 0);
    assert_int_equal(file->slot, 0);
}

static void contents_are_those_of_the_file(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_file(path, sizes[i], 1);
        gol_mapped_file file;
        assert_int_equal(gol_mapped_file_open(&file, path, NULL), 0);
        assert_non_null(file.data);
        assert_int_equal((uintptr_t)file.data % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
        assert_string_equal(file.path, path);
        assert_pattern(&file, sizes[i], 1);
        gol_mapped_file_close(&file);
        assert_zeroed(&file);
        gol_mapped_file_close(&file); /* again is fine */
    }
}

static void the_old_content_survives_rename_and_removal(void **state)
{
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s.new", path);
    write_file(path, 50000, 1);
    gol_mapped_file file;
    assert_int_equal(gol_mapped_file_open(&file, path, NULL), 0);
    write_file(other, 100, 2);
    assert_int_equal(rename(other, path), 0);
    assert_pattern(&file, 50000, 1);
    gol_mapped_file_drop_pages(&file, 0, SIZE_MAX);
    assert_int_equal(unlink(path), 0);
    assert_pattern(&file, 50000, 1);
    gol_mapped_file_close(&file);
}

static void assert_open_fails(const char *name, int code, const char *text)
{
    gol_err err = {0};
    gol_mapped_file file;
    memset(&file, 0xff, sizeof file);
    assert_int_equal(gol_mapped_file_open(&file, name, &err), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, text))
        fail_msg("\"%s\" does not say \"%s\"", err.message, text);
    assert_zeroed(&file);
    assert_int_equal(gol_mapped_file_open(&file, name, NULL), code);
}

static void what_is_no_regular_file_is_refused_with_a_reason(void **state)
{
    (void)state;
    char below[160];
    assert_open_fails(path, GOL_ENOTFOUND, path);
    assert_open_fails("", GOL_ENOTFOUND, "No such file");
    assert_open_fails(folder, GOL_EIO, "folder");
    assert_open_fails("/dev/null", GOL_EIO, "device");
    write_file(path, 10, 1);
    snprintf(below, sizeof below, "%s/x", path);
    assert_open_fails(below, GOL_ENOTFOUND, "Not a directory");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_open_fails(path, GOL_EIO, "symbolic links");
    assert_open_fails("/tmp/\x1b[31mred", GOL_ENOTFOUND, "/tmp/\\x1b[31mred");
}

static void a_pipe_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_open_fails(path, GOL_EIO, "pipe");
}

/* Root may read everything, so root becomes nobody first. */
static void open_as_nobody(void *arg)
{
    (void)arg;
    gol_err err;
    gol_mapped_file file;
    if (geteuid() == 0 && (chmod(folder, 0711) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        _exit(77); /* a root that may not become another */
    if (gol_mapped_file_open(&file, path, &err) != GOL_EIO)
        _exit(2);
    if (!strstr(err.message, path) || !strstr(err.message, "Permission denied"))
        _exit(3);
}

static void a_file_without_permission_is_an_io_error(void **state)
{
    (void)state;
    static child_result r;
    write_file(path, 10, 1);
    assert_int_equal(chmod(path, 0), 0);
    assert_true(child_run(&r, open_as_nobody, NULL));
    if (r.exit_code == 77)
        skip();
    assert_int_equal(r.exit_code, 0);
}

static int n_open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void the_table_takes_its_limit_and_not_one_more(void **state)
{
    (void)state;
    static gol_mapped_file files[GOL_MAPPED_FILES_MAX];
    write_file(path, 100, 3);
    const int n_before = n_open_descriptors();
    for (int i = 0; i < GOL_MAPPED_FILES_MAX; i++)
        assert_int_equal(gol_mapped_file_open(&files[i], path, NULL), 0);
    assert_open_fails(path, GOL_EIO, "1024");
    assert_int_equal(n_open_descriptors(), n_before); /* neither success nor failure keeps one */
    gol_mapped_file_close(&files[500]);
    assert_int_equal(gol_mapped_file_open(&files[500], path, NULL), 0);
    assert_open_fails(path, GOL_EIO, "1024");
    for (int i = 0; i < GOL_MAPPED_FILES_MAX; i++) {
        assert_pattern(&files[i], 100, 3);
        gol_mapped_file_close(&files[i]);
    }
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    write_file(path, 100, 1);
    const int n_before = n_open_descriptors();
    for (uint64_t n = 1;; n++) {
        gol_mapped_file file;
        gol_mem_fail_nth(n, false);
        const int code = gol_mapped_file_open(&file, path, NULL);
        const bool was_failed = gol_mem_n_failed() != 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(code, was_failed ? GOL_ENOMEM : 0);
        if (was_failed)
            assert_zeroed(&file);
        gol_mapped_file_close(&file);
        assert_int_equal(n_open_descriptors(), n_before);
        if (!was_failed) {
            assert_true(n > 1);
            break;
        }
    }
}

static void hints_change_nothing_that_can_be_read(void **state)
{
    (void)state;
    static const size_t offsets[] = {0, 1, 4095, 4096, 20000, 29999, 30000, 30001, SIZE_MAX};
    static const size_t lengths[] = {0, 1, 4096, 10000, 30000, SIZE_MAX};
    write_file(path, 30000, 1);
    gol_mapped_file file;
    assert_int_equal(gol_mapped_file_open(&file, path, NULL), 0);
    for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            gol_mapped_file_will_need(&file, offsets[o], lengths[l]);
            gol_mapped_file_drop_pages(&file, offsets[o], lengths[l]);
            assert_pattern(&file, 30000, 1);
        }
    }
    gol_mapped_file_close(&file);
    write_file(path, 0, 0);
    assert_int_equal(gol_mapped_file_open(&file, path, NULL), 0);
    gol_mapped_file_will_need(&file, 0, 1);
    gol_mapped_file_drop_pages(&file, 0, 1);
    gol_mapped_file_close(&file);
}

/* Resident pages of this process, from the kernel; -1 where it does not tell. */
static long n_resident_pages(void)
{
    long n_total;
    long n_resident = -1;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%ld %ld", &n_total, &n_resident) != 2)
        n_resident = -1;
    if (f)
        fclose(f);
    return n_resident;
}

static void dropped_pages_leave_the_resident_set(void **state)
{
    (void)state;
    enum { SIZE = 16 << 20 };
    if (n_resident_pages() < 0)
        skip();
    write_file(path, SIZE, 1);
    gol_mapped_file file;
    assert_int_equal(gol_mapped_file_open(&file, path, NULL), 0);
    assert_pattern(&file, SIZE, 1);
    const long n_before = n_resident_pages();
    gol_mapped_file_drop_pages(&file, 0, SIZE);
    const long n_after = n_resident_pages();
    assert_true(n_before - n_after > SIZE / 2 / sysconf(_SC_PAGESIZE));
    gol_mapped_file_close(&file);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(contents_are_those_of_the_file),
        WITH_FOLDER(the_old_content_survives_rename_and_removal),
        WITH_FOLDER(what_is_no_regular_file_is_refused_with_a_reason),
        WITH_FOLDER(a_pipe_is_refused_without_waiting),
        WITH_FOLDER(a_file_without_permission_is_an_io_error),
        WITH_FOLDER(the_table_takes_its_limit_and_not_one_more),
        WITH_FOLDER(running_out_of_memory_is_an_error),
        WITH_FOLDER(hints_change_nothing_that_can_be_read),
        WITH_FOLDER(dropped_pages_leave_the_resident_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
