/* The CPU quota, read from folders that look like /proc and /sys/fs/cgroup of real set-ups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "support/fake_root.h"

#define V2_MOUNT "35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT                                                                                   \
    "36 24 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"

static void without_control_groups_there_is_no_quota(void **state)
{
    (void)state;
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
    put("/proc/self/mountinfo", "");
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
    put("/proc/self/mountinfo", V2_MOUNT);
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
    assert_int_equal(gol_cgroup_n_cpus("/nonexistent"), 0);
}

static void v2_quota_of_our_own_group_is_rounded_up(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int n_cpus;
    } rows[] = {{"max 100000\n", 0},
                {"100000 100000\n", 1},
                {"150000 100000\n", 2},
                {"200000 100000\n", 2},
                {"200001 100000\n", 3},
                {"1000 100000\n", 1},
                {"400000 50000\n", 8},
                {"", 0},
                {"nonsense\n", 0},
                {"-5 100000\n", 0},
                {"100000 0\n", 0},
                {"100000\n", 0},
                {"9223372036854775807 1\n", 0},
                {"max\n", 0}};
    put_proc("0::/user.slice/app.service\n", V2_MOUNT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put("/sys/fs/cgroup/user.slice/app.service/cpu.max", rows[i].text);
        assert_int_equal(gol_cgroup_n_cpus(root), rows[i].n_cpus);
    }
}

static void the_strictest_ancestor_counts(void **state)
{
    (void)state;
    put_proc("0::/a/b/c\n", V2_MOUNT);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 8);
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 3);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "200000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 2);
    put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 1);
}

static void a_container_sees_its_group_as_the_root(void **state)
{
    (void)state;
    put_proc("0::/\n", V2_MOUNT);
    put("/sys/fs/cgroup/cpu.max", "250000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 3);
    /* Beyond our namespace: the mount point is the best guess. */
    put("/proc/self/cgroup", "0::/../../elsewhere\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 3);
}

static void v1_reads_quota_and_period(void **state)
{
    (void)state;
    put_proc("5:cpuset:/x\n4:cpu,cpuacct:/user.slice\n1:name=systemd:/y\n", V1_MOUNT);
    put("/sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
    put("/sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us", "350000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 4);
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 2);
}

static void the_mounts_root_is_taken_off_our_path(void **state)
{
    (void)state;
    put_proc("4:cpu,cpuacct:/docker/abc/inner\n",
             "36 24 0:31 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpuacct,cpu\n");
    put("/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "600000\n");
    put("/sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 6);
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "500000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 5);
    /* "/docker/abcdef" is not below "/docker/abc". */
    put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abcdef/inner\n");
    put("/sys/fs/cgroup/cpu/def/inner/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu/def/inner/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 5);
}

static void controllers_with_similar_names_are_not_ours(void **state)
{
    (void)state;
    put_proc("6:cpuset,cpuacct:/a\n",
             "36 24 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,cpuacct\n");
    put("/sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpuset/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
}

static void hybrid_systems_are_asked_in_both_hierarchies(void **state)
{
    (void)state;
    put_proc("4:cpu,cpuacct:/a\n0::/a\n",
             V1_MOUNT "37 24 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "700000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 7);
    put("/sys/fs/cgroup/unified/a/cpu.max", "200000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 2);
}

static void overlong_and_broken_lines_are_passed_over(void **state)
{
    (void)state;
    /* An overlay's line whose tail, read as a line of its own at any offset, would be another place. */
    static char mountinfo[80000];
    strcpy(mountinfo,
           "\n - \nx\n1 2 3 - cgroup2 a b\n10 1 0:1 / / rw - overlay overlay rw,lowerdir=");
    while (strlen(mountinfo) < 60000)
        strcat(mountinfo, " 1 2 0:3 / /wrong rw - cgroup2 cgroup2 rw");
    strcat(mountinfo, "\n" V2_MOUNT);
    put_proc("garbage\n:\n0:\n0::/a\n", mountinfo);
    put("/wrong/a/cpu.max", "100000 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    assert_int_equal(gol_cgroup_n_cpus(root), 2);

    static char cgroup[20000];
    strcpy(cgroup, "0::/");
    memset(cgroup + 4, 'p', 10000);
    strcat(cgroup, "\n");
    put("/proc/self/cgroup", cgroup);
    assert_int_equal(gol_cgroup_n_cpus(root), 0);
}

int main(void)
{
#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        WITH_ROOT(without_control_groups_there_is_no_quota),
        WITH_ROOT(v2_quota_of_our_own_group_is_rounded_up),
        WITH_ROOT(the_strictest_ancestor_counts),
        WITH_ROOT(a_container_sees_its_group_as_the_root),
        WITH_ROOT(v1_reads_quota_and_period),
        WITH_ROOT(the_mounts_root_is_taken_off_our_path),
        WITH_ROOT(controllers_with_similar_names_are_not_ours),
        WITH_ROOT(hybrid_systems_are_asked_in_both_hierarchies),
        WITH_ROOT(overlong_and_broken_lines_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
