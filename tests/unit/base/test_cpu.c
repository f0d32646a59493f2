/* CPU levels against the kernel's own list of features, limits, and the number of processors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "base/cpu.h"
#include "base/log.h"
#include "base/os_thread.h"
#include "unit/base/child.h"

/* The value of the first line of /proc/cpuinfo that begins with key, with a blank before and after; false without. */
static bool read_cpuinfo(char *out, size_t size, const char *key)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    static char line[1 << 14];
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, size, "%s ", colon + 1);
        found = true;
    }
    if (f)
        fclose(f);
    return found;
}

typedef struct level_flags {
    gol_cpu_level level;
    gol_cpu_level builds_on; /* its flags are needed too */
    const char *flags[6];    /* as /proc/cpuinfo calls them */
} level_flags;

static const level_flags x86_levels[] = {
    {GOL_CPU_AVX2, GOL_CPU_C, {" avx2 ", " fma ", " f16c ", " bmi2 "}},
    {GOL_CPU_AVXVNNI, GOL_CPU_AVX2, {" avx_vnni "}},
    {GOL_CPU_AVX512,
     GOL_CPU_AVX2,
     {" avx512f ", " avx512bw ", " avx512dq ", " avx512vl ", " avx512cd "}},
    {GOL_CPU_EVEXVNNI, GOL_CPU_AVX512, {" avx512_vnni "}},
    {GOL_CPU_AVX512VNNI, GOL_CPU_AVX512, {" avx512_vnni "}},
    {GOL_CPU_AVX512BF16, GOL_CPU_AVX512VNNI, {" avx512_bf16 "}},
};

static const level_flags arm_levels[] = {
    {GOL_CPU_NEON, GOL_CPU_C, {" asimd "}},
    {GOL_CPU_DOTPROD, GOL_CPU_NEON, {" asimddp "}},
    {GOL_CPU_I8MM, GOL_CPU_DOTPROD, {" i8mm "}},
};

static unsigned levels_from_flags(const char *flags, const level_flags *rows, size_t n)
{
    unsigned levels = 1u << GOL_CPU_C;
    for (size_t i = 0; i < n; i++) {
        bool has_all = levels >> rows[i].builds_on & 1;
        for (size_t k = 0; k < 6 && rows[i].flags[k]; k++)
            has_all = has_all && strstr(flags, rows[i].flags[k]);
        if (has_all)
            levels |= 1u << rows[i].level;
    }
    return levels;
}

static void detection_agrees_with_the_kernel(void **state)
{
    (void)state;
    if (TEST_EMULATED)
        skip(); /* /proc/cpuinfo is the host's */
    static char flags[1 << 14];
    if (read_cpuinfo(flags, sizeof flags, "flags"))
        assert_int_equal(gol_cpu_machine_levels(), levels_from_flags(flags, x86_levels, 6));
    else if (read_cpuinfo(flags, sizeof flags, "Features"))
        assert_int_equal(gol_cpu_machine_levels(), levels_from_flags(flags, arm_levels, 3));
    else
        skip(); /* no /proc/cpuinfo here */
}

static void the_highest_level_is_preferred_but_for_bf16_off_amd(void **state)
{
    (void)state;
    static char vendor[64];
    const gol_cpu_level highest = gol_cpu_detect();
    if (TEST_EMULATED || highest != GOL_CPU_AVX512BF16 ||
        !read_cpuinfo(vendor, sizeof vendor, "vendor_id"))
        assert_int_equal(gol_cpu_preferred(), highest);
    else
        assert_int_equal(gol_cpu_preferred(), strcmp(vendor, " AuthenticAMD ") == 0
                                                  ? GOL_CPU_AVX512BF16
                                                  : GOL_CPU_AVX512VNNI);
}

static void the_models_name_agrees_with_the_kernel(void **state)
{
    (void)state;
    char expected[256];
    char name[256];
    char tiny[4] = "zzz";
    gol_cpu_model_name(name, sizeof name);
    assert_true(strlen(name) > 0);
    gol_cpu_model_name(tiny, sizeof tiny);
    assert_memory_equal(tiny, name, 3);
    assert_int_equal(tiny[3], '\0');
    gol_cpu_model_name(tiny, 1);
    assert_int_equal(tiny[0], '\0');
    if (TEST_EMULATED || !read_cpuinfo(expected, sizeof expected, "model name"))
        skip();
    assert_memory_equal(expected + 1, name, strlen(name));
}

/* The list of cpu.h: each level's own, and those it builds on. */
static void a_level_includes_what_it_builds_on(void **state)
{
    (void)state;
    enum {
        C = 1u << GOL_CPU_C,
        AVX2 = C | 1u << GOL_CPU_AVX2,
        EVEXVNNI = AVX2 | 1u << GOL_CPU_EVEXVNNI,
        AVX512 = AVX2 | 1u << GOL_CPU_AVX512,
        AVX512VNNI = AVX512 | EVEXVNNI | 1u << GOL_CPU_AVX512VNNI,
        NEON = C | 1u << GOL_CPU_NEON,
        DOTPROD = NEON | 1u << GOL_CPU_DOTPROD,
    };
    static const unsigned included[GOL_CPU_N_LEVELS] = {
        [GOL_CPU_C] = C,
        [GOL_CPU_AVX2] = AVX2,
        [GOL_CPU_EVEXVNNI] = EVEXVNNI,
        [GOL_CPU_AVXVNNI] = AVX2 | 1u << GOL_CPU_AVXVNNI,
        [GOL_CPU_AVX512] = AVX512,
        [GOL_CPU_AVX512VNNI] = AVX512VNNI,
        [GOL_CPU_AVX512BF16] = AVX512VNNI | 1u << GOL_CPU_AVX512BF16,
        [GOL_CPU_NEON] = NEON,
        [GOL_CPU_DOTPROD] = DOTPROD,
        [GOL_CPU_I8MM] = DOTPROD | 1u << GOL_CPU_I8MM,
    };
    for (int have = 0; have < GOL_CPU_N_LEVELS; have++)
        for (int level = 0; level < GOL_CPU_N_LEVELS; level++)
            assert_int_equal(gol_cpu_includes((gol_cpu_level)have, (gol_cpu_level)level),
                             included[have] >> level & 1);
}

static void the_machine_has_all_that_its_levels_include(void **state)
{
    (void)state;
    const unsigned machine = gol_cpu_machine_levels();
    assert_true(machine & 1u << GOL_CPU_C);
    assert_true(machine >> gol_cpu_detect() == 1);
    for (int have = 0; have < GOL_CPU_N_LEVELS; have++)
        for (int level = 0; machine >> have & 1 && level < GOL_CPU_N_LEVELS; level++)
            if (gol_cpu_includes((gol_cpu_level)have, (gol_cpu_level)level))
                assert_true(machine >> level & 1);
}

/* The highest level of the machine that is not above this one. */
static gol_cpu_level lowered_to(int limit)
{
    const unsigned machine = gol_cpu_machine_levels();
    while (!(machine >> limit & 1))
        limit--;
    return (gol_cpu_level)limit;
}

static void a_limit_lowers_and_never_raises(void **state)
{
    (void)state;
    const gol_cpu_level machine = gol_cpu_detect();
    assert_true(gol_cpu_limit("c"));
    assert_int_equal(gol_cpu_get(), GOL_CPU_C);
    assert_true(gol_cpu_has(GOL_CPU_C));
    for (int level = GOL_CPU_C + 1; level < GOL_CPU_N_LEVELS; level++)
        assert_false(gol_cpu_has((gol_cpu_level)level));
    for (int level = GOL_CPU_C + 1; level < GOL_CPU_N_LEVELS; level++) {
        const bool is_family = machine != GOL_CPU_C &&
                               (level < GOL_CPU_NEON) == (machine < GOL_CPU_NEON);
        const gol_cpu_level before = gol_cpu_get();
        assert_int_equal(gol_cpu_limit(gol_cpu_level_name((gol_cpu_level)level)), is_family);
        assert_int_equal(gol_cpu_get(), is_family ? lowered_to(level) : before);
        for (int asked = GOL_CPU_C; asked < GOL_CPU_N_LEVELS; asked++)
            assert_int_equal(gol_cpu_has((gol_cpu_level)asked),
                             gol_cpu_includes(gol_cpu_get(), (gol_cpu_level)asked));
    }
    assert_true(gol_cpu_limit(gol_cpu_level_name(machine)));
    assert_int_equal(gol_cpu_get(), machine);
    assert_false(gol_cpu_limit("avx9000"));
    assert_false(gol_cpu_limit(""));
    assert_false(gol_cpu_limit("AVX2"));
    assert_int_equal(gol_cpu_get(), machine);
}

/* Runs before any other test has asked for the level, which is then kept. */
static void report_level(void *arg)
{
    setenv("GOLLUM_CPU", arg, 1);
    gol_log_init(GOL_LOG_WARN, GOL_LOG_TEXT, NULL, NULL);
    const gol_cpu_level level = gol_cpu_get();
    unsetenv("GOLLUM_CPU");
    _exit((int)level + (gol_cpu_get() == level ? 0 : 100));
}

static void the_environment_says_the_level_once(void **state)
{
    (void)state;
    static child_result r;
    const int machine = (int)gol_cpu_detect();
    const int preferred = (int)gol_cpu_preferred();
    char c_level[] = "c";
    assert_true(child_run(&r, report_level, c_level));
    assert_int_equal(r.exit_code, GOL_CPU_C);
    assert_string_equal(r.said, "");
    static char empty[] = "";
    assert_true(child_run(&r, report_level, empty));
    assert_int_equal(r.exit_code, preferred);
    assert_string_equal(r.said, "");
    char unknown[] = "fast\x1b";
    assert_true(child_run(&r, report_level, unknown));
    assert_int_equal(r.exit_code, preferred);
    assert_non_null(strstr(r.said, "warn"));
    assert_non_null(strstr(r.said, "GOLLUM_CPU=fast\\x1b"));
    char foreign[16];
    strcpy(foreign, machine < GOL_CPU_NEON ? "neon" : "avx2");
    assert_true(child_run(&r, report_level, foreign));
    assert_int_equal(r.exit_code, preferred);
    assert_non_null(strstr(r.said, foreign));
    char highest[16]; /* by its name, even where another is preferred */
    strcpy(highest, gol_cpu_level_name((gol_cpu_level)machine));
    assert_true(child_run(&r, report_level, highest));
    assert_int_equal(r.exit_code, machine);
    assert_string_equal(r.said, "");
}

static void names_are_those_of_the_header(void **state)
{
    (void)state;
    static const char *const names[] = {"c",          "avx2",       "evexvnni", "avxvnni", "avx512",
                                        "avx512vnni", "avx512bf16", "neon",     "dotprod", "i8mm"};
    for (int i = 0; i < GOL_CPU_N_LEVELS; i++)
        assert_string_equal(gol_cpu_level_name((gol_cpu_level)i), names[i]);
}

static void usable_processors_are_at_most_those_of_the_mask(void **state)
{
    (void)state;
    const int n_allowed = gol_os_thread_affinity(NULL, 0);
    assert_in_range(gol_cpu_n_usable(), 1, n_allowed);
    assert_true(n_allowed <= (int)sysconf(_SC_NPROCESSORS_CONF));
    int cpus[2] = {-1, -1};
    assert_int_equal(gol_os_thread_affinity(cpus, 1), n_allowed);
    assert_true(cpus[0] >= 0);
    assert_int_equal(cpus[1], -1);
}

#if defined(__linux__)
static void count_when_pinned(void *arg)
{
    (void)arg;
    int cpus[1];
    gol_os_thread_affinity(cpus, 1);
    if (gol_os_thread_pin(-1) || gol_os_thread_pin(1 << 20))
        _exit(100);
    if (!gol_os_thread_pin(cpus[0]))
        _exit(77); /* a sandbox that refuses it */
    _exit(gol_cpu_n_usable());
}

static void usable_processors_honour_the_affinity_mask(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, count_when_pinned, NULL));
    if (r.exit_code == 77)
        skip();
    assert_int_equal(r.exit_code, 1);
}
#else
static void usable_processors_honour_the_affinity_mask(void **state)
{
    (void)state;
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_says_the_level_once),
        cmocka_unit_test(detection_agrees_with_the_kernel),
        cmocka_unit_test(the_highest_level_is_preferred_but_for_bf16_off_amd),
        cmocka_unit_test(the_models_name_agrees_with_the_kernel),
        cmocka_unit_test(a_level_includes_what_it_builds_on),
        cmocka_unit_test(the_machine_has_all_that_its_levels_include),
        cmocka_unit_test(a_limit_lowers_and_never_raises),
        cmocka_unit_test(names_are_those_of_the_header),
        cmocka_unit_test(usable_processors_are_at_most_those_of_the_mask),
        cmocka_unit_test(usable_processors_honour_the_affinity_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
