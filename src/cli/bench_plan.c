/* Lists from the command line -> the tests to run: for each depth first the prompts, then the answers, one sequence before
 * many. */
#include "cli/bench_plan.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/worker_pool.h"

/* Far above what a bench needs, and small enough that no product of them overflows. */
enum {
    PROMPT_MAX = 1 << 20,
    GEN_MAX = 1 << 16,
    BATCH_MAX = 4096,
    DEPTH_MAX = 1 << 24,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The element that starts at *at; *at is then behind it. -1: no number from min to max. */
static int64_t take_number(const char **at, int32_t min, int32_t max)
{
    int64_t value = 0;
    const char *p = *at;
    while (is_digit(*p) && value <= INT32_MAX)
        value = value * 10 + (*p++ - '0');
    const bool ok = p != *at && (*p == ',' || *p == '\0') && value >= min && value <= max;
    *at = p;
    return ok ? value : -1;
}

int gol_bench_list_parse(gol_bench_list *out, const char *text, const char *shown, int32_t min,
                         int32_t max, gol_err *err)
{
    *out = (gol_bench_list){0};
    for (const char *at = text;; at++) {
        const char *start = at;
        const int64_t value = take_number(&at, min, max);
        if (value < 0) {
            char quoted[64];
            const gol_str element = {start, strcspn(start, ",")};
            return gol_fail(err, GOL_EUSAGE,
                            "%s: '%s', accepted are whole numbers from %" PRId32 " to %" PRId32
                            ", separated by commas",
                            shown, gol_quote(quoted, sizeof quoted, element), min, max);
        }
        if (out->n == GOL_BENCH_LIST_MAX)
            return gol_fail(err, GOL_EUSAGE, "%s: more than %d numbers", shown, GOL_BENCH_LIST_MAX);
        out->values[out->n++] = (int32_t)value;
        if (*at == '\0')
            return 0;
    }
}

typedef struct lists {
    gol_bench_list n_prompt, n_gen, n_batch, n_depth;
} lists;

static int parse_lists(lists *l, gol_bench_list *n_threads, const gol_settings *settings,
                       gol_err *err)
{
    const struct {
        gol_bench_list *out;
        const char *text;
        const char *shown;
        int32_t min, max;
    } wanted[] = {
        {&l->n_prompt, settings->n_prompt, "--n-prompt", 0, PROMPT_MAX},
        {&l->n_gen, settings->n_gen, "--n-gen", 0, GEN_MAX},
        {&l->n_batch, settings->n_batch, "--n-batch", 1, BATCH_MAX},
        {&l->n_depth, settings->n_depth, "--n-depth", 0, DEPTH_MAX},
        {n_threads, settings->n_threads, "--threads", 0, GOL_WORKERS_MAX},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const int rc = gol_bench_list_parse(wanted[i].out, wanted[i].text, wanted[i].shown,
                                            wanted[i].min, wanted[i].max, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void add_test(gol_bench_plan *plan, gol_bench_test test)
{
    if (test.n_prompt > 0 || test.n_gen > 0)
        plan->tests[plan->n_tests++] = test;
}

static void add_tests_at(gol_bench_plan *plan, const lists *l, int32_t n_depth)
{
    for (int32_t i = 0; i < l->n_prompt.n; i++)
        add_test(plan, (gol_bench_test){
                           .n_prompt = l->n_prompt.values[i], .n_batch = 1, .n_depth = n_depth});
    for (int32_t i = 0; i < l->n_gen.n; i++) {
        gol_bench_test test = {.n_gen = l->n_gen.values[i], .n_batch = 1, .n_depth = n_depth};
        add_test(plan, test);
        for (int32_t j = 0; j < l->n_batch.n; j++) {
            test.n_batch = l->n_batch.values[j];
            if (test.n_batch > 1)
                add_test(plan, test);
        }
    }
}

int gol_bench_plan_init(gol_bench_plan *out, const gol_settings *settings, gol_err *err)
{
    *out = (gol_bench_plan){.n_repetitions = (int32_t)settings->repetitions};
    lists l;
    const int rc = parse_lists(&l, &out->n_threads, settings, err);
    if (rc != 0)
        return rc;
    const int32_t n_max = l.n_depth.n * (l.n_prompt.n + l.n_gen.n * (1 + l.n_batch.n));
    out->tests = gol_try_array((size_t)n_max, sizeof *out->tests);
    if (out->tests == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %" PRId32 " tests", n_max);
    for (int32_t i = 0; i < l.n_depth.n; i++)
        add_tests_at(out, &l, l.n_depth.values[i]);
    if (out->n_tests > 0)
        return 0;
    gol_bench_plan_deinit(out);
    return gol_fail(err, GOL_EUSAGE, "--n-prompt and --n-gen are both 0: nothing to measure");
}

void gol_bench_plan_deinit(gol_bench_plan *plan)
{
    gol_free(plan->tests);
    *plan = (gol_bench_plan){0};
}

void gol_bench_test_name(char buf[static GOL_BENCH_NAME_MAX], const gol_bench_test *test)
{
    const bool is_prefill = test->n_prompt > 0;
    char batch[16] = "";
    char depth[16] = "";
    if (test->n_batch > 1)
        snprintf(batch, sizeof batch, "b%" PRId32, test->n_batch);
    if (test->n_depth > 0)
        snprintf(depth, sizeof depth, "@d%" PRId32, test->n_depth);
    snprintf(buf, GOL_BENCH_NAME_MAX, "%s%" PRId32 "%s%s", is_prefill ? "pp" : "tg",
             is_prefill ? test->n_prompt : test->n_gen, batch, depth);
}

int64_t gol_bench_test_n_tokens(const gol_bench_test *test)
{
    return test->n_prompt > 0 ? test->n_prompt : (int64_t)test->n_gen * test->n_batch;
}
