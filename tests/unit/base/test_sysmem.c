/* Memory that is left, read from folders that look like /proc and /sys/fs/cgroup, and from the machine itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sysmem.h"
#include "support/fake_root.h"

#define MEMINFO "MemTotal:       4000000 kB\nMemFree:  100 kB\nMemAvailable:    2000000 kB\n"

static const uint64_t mem_available = 2000000ull * 1024;

static void without_groups_it_is_what_the_kernel_estimates(void **state)
{
    (void)state;
    assert_int_equal(gol_sysmem_available_at(root), 0);
    put("/proc/meminfo", "MemTotal: 4000000 kB\n");
    assert_int_equal(gol_sysmem_available_at(root), 0);
    put("/proc/meminfo", MEMINFO);
    assert_int_equal(gol_sysmem_available_at(root), mem_available);
}

static void a_v2_group_lowers_it_to_what_is_left_of_its_limit(void **state)
{
    (void)state;
    put("/proc/meminfo", MEMINFO);
    put_proc("0::/a/b\n", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    put("/sys/fs/cgroup/a/b/memory.current", "700000000\n");
    assert_int_equal(gol_sysmem_available_at(root), mem_available);
    put("/sys/fs/cgroup/a/b/memory.max", "1000000000\n");
    assert_int_equal(gol_sysmem_available_at(root), 300000000);
    put("/sys/fs/cgroup/a/b/memory.stat",
        "anon 5\ninactive_file_x 9\ninactive_file 200000000\nactive_file 100000000\n");
    assert_int_equal(gol_sysmem_available_at(root), 600000000);
    put("/sys/fs/cgroup/a/memory.max", "800000000\n"); /* the parent is tighter */
    put("/sys/fs/cgroup/a/memory.current", "750000000\n");
    assert_int_equal(gol_sysmem_available_at(root), 50000000);
    put("/sys/fs/cgroup/a/memory.current", "900000000\n"); /* over its limit: nothing is left */
    assert_int_equal(gol_sysmem_available_at(root), 0);
}

static void a_v1_group_lowers_it_too(void **state)
{
    (void)state;
    put("/proc/meminfo", MEMINFO);
    put_proc("9:memory:/a\n0::/\n",
             "36 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "400000000\n");
    assert_int_equal(gol_sysmem_available_at(root), mem_available);
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "500000000\n");
    put("/sys/fs/cgroup/memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 50000000\n");
    assert_int_equal(gol_sysmem_available_at(root), 150000000);
}

static void this_machine_has_some(void **state)
{
    (void)state;
    assert_true(gol_sysmem_available() > 1 << 20);
}

static void what_this_process_holds_grows_when_pages_are_touched(void **state)
{
    (void)state;
    enum { N = 64 << 20 };
    const uint64_t before = gol_sysmem_resident();
    if (before == 0)
        skip(); /* no /proc */
    char *p = malloc(N);
    assert_non_null(p);
    memset(p, 1, N);
    const uint64_t after = gol_sysmem_resident();
    assert_int_equal(p[N / 2], 1);
    free(p);
    assert_true(after > before + N / 2);
    assert_true(after < before + (uint64_t)16 * N); /* bytes: neither pages nor KiB */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_groups_it_is_what_the_kernel_estimates, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(a_v2_group_lowers_it_to_what_is_left_of_its_limit,
                                        make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_v1_group_lowers_it_too, make_root, remove_root),
        cmocka_unit_test(this_machine_has_some),
        cmocka_unit_test(what_this_process_holds_grows_when_pages_are_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
