/* What `gollum bench` measures: the options' lists, and the tests that they make together. */
#ifndef GOL_CLI_BENCH_PLAN_H
#define GOL_CLI_BENCH_PLAN_H

#include <stdint.h>

#include "base/error.h"
#include "cli/settings.h"

enum { GOL_BENCH_LIST_MAX = 16 };

typedef struct gol_bench_list {
    int32_t n;
    int32_t values[GOL_BENCH_LIST_MAX];
} gol_bench_list;

/* One thing that is timed. Prefill ("pp512@d4096"): one sequence computes n_prompt tokens after n_depth others. Decode
 * ("tg32b8@d4096"): n_batch sequences of n_depth tokens each compute n_gen more, one per step and sequence. */
typedef struct gol_bench_test {
    int32_t n_prompt; /* 0: decode */
    int32_t n_gen;    /* 0: prefill */
    int32_t n_batch;
    int32_t n_depth;
} gol_bench_test;

typedef struct gol_bench_plan {
    gol_bench_list n_threads;
    gol_bench_test *tests; /* [n_tests], the same for every number of threads */
    int32_t n_tests;
    int32_t n_repetitions;
} gol_bench_plan;

/* "1,8,32": GOL_EUSAGE names the option as `shown`, the element that is wrong and what is accepted. */
int gol_bench_list_parse(gol_bench_list *out, const char *text, const char *shown, int32_t min,
                         int32_t max, gol_err *err);

/* Errors: GOL_EUSAGE (a list is wrong, or nothing is left to measure), GOL_ENOMEM. */
int gol_bench_plan_init(gol_bench_plan *out, const gol_settings *settings, gol_err *err);
void gol_bench_plan_deinit(gol_bench_plan *plan); /* zeroed is fine */

enum { GOL_BENCH_NAME_MAX = 64 };

/* "pp512", "tg32", "tg32b8@d4096". */
void gol_bench_test_name(char buf[static GOL_BENCH_NAME_MAX], const gol_bench_test *test);
/* Tokens computed by one repetition. */
int64_t gol_bench_test_n_tokens(const gol_bench_test *test);

#endif
