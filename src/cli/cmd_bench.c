/*
 * gollum bench: how fast the forward pass is on this machine, in the manner of llama-bench. Prefill and decode are timed on the
 * same path that serves requests: same kernels, same workers, same paged KV cache, same size of step. Sampling and text are not
 * part of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "cli/bench_bed.h"
#include "cli/bench_memory.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/model_facts.h"

typedef struct bench {
    const gol_settings *settings;
    gol_bench_plan plan;
    gol_bench_report report;
    double *seconds; /* [n_repetitions] */
    gol_kv_type kv_type;
    char path[GOL_PATH_MAX];
} bench;

/* What the rows of one number of threads have in common. */
typedef struct subject {
    const gol_instance *instance;
    gol_bench_weights weights;
    gol_bench_row row;
    char name[64];
} subject;

static void note_progress(const bench *b, const gol_bench_test *test, int n_threads, int32_t i)
{
    char name[GOL_BENCH_NAME_MAX];
    gol_bench_test_name(name, test);
    if (gol_cli_wants_progress(b->settings))
        fprintf(stderr, "\r%s (threads: %d): %d of %d\033[K", name, n_threads, i,
                b->plan.n_repetitions);
}

static void end_progress(const bench *b)
{
    if (gol_cli_wants_progress(b->settings))
        fputs("\r\033[K", stderr);
}

/* The model's own name, or its file's. */
static void name_model(char buf[static 64], const gol_model_facts *facts, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (facts->name.len > 0)
        gol_quote(buf, 64, facts->name);
    else
        gol_quote(buf, 64, gol_str_from(slash != NULL ? slash + 1 : path));
}

static void init_subject(subject *s, const bench *b, const gol_instance *instance)
{
    gol_model_facts facts;
    gol_model_facts_read(&facts, instance->file);
    uint64_t n_bytes = 0;
    for (int i = 0; i < facts.n_types; i++)
        n_bytes += facts.types[i].n_bytes;
    const gol_type type = facts.types[0].type;
    const char *kernel = gol_backend_cpu_kernel_name(instance->backend, type);
    *s = (subject){.instance = instance};
    name_model(s->name, &facts, b->path);
    gol_bench_weights_count(&s->weights, instance->file, gol_model_config(instance->model));
    s->row = (gol_bench_row){
        .model = s->name,
        .file = b->path,
        .n_bytes = n_bytes,
        .n_params = facts.n_parameters,
        .type = gol_type_find((uint32_t)type)->name,
        .cpu = gol_cpu_level_name(gol_cpu_get()),
        .kernel = kernel != NULL ? kernel : "none",
        .kv_type = gol_kv_type_name(b->kv_type),
        .n_threads = gol_backend_cpu_n_threads(instance->backend),
        .seconds = b->seconds,
        .n_samples = b->plan.n_repetitions,
    };
}

/* The first run is not counted: it touches memory for the first time and wakes the workers. */
static int run_test(bench *b, gol_bench_bed *bed, subject *s, const gol_bench_test *test,
                    gol_err *err)
{
    const int rc = gol_bench_bed_set_up(bed, test, err);
    if (rc != 0)
        return rc;
    note_progress(b, test, s->row.n_threads, 0);
    (void)gol_bench_bed_run(bed, test);
    for (int32_t i = 0; i < b->plan.n_repetitions; i++) {
        b->seconds[i] = gol_bench_bed_run(bed, test);
        note_progress(b, test, s->row.n_threads, i + 1);
    }
    end_progress(b);
    s->row.test = *test;
    s->row.cost = gol_bench_cost_of(test, &s->weights, s->instance->model, b->kv_type);
    gol_bench_report_add(&b->report, &s->row);
    return 0;
}

static int run_tests(bench *b, subject *s, gol_err *err)
{
    gol_bench_bed bed;
    int rc = gol_bench_bed_init(&bed, s->instance->model, b->plan.tests, b->plan.n_tests,
                                b->kv_type, err);
    for (int32_t i = 0; rc == 0 && i < b->plan.n_tests; i++)
        rc = run_test(b, &bed, s, &b->plan.tests[i], err);
    gol_bench_bed_deinit(&bed);
    return rc;
}

/* Threads belong to the backend, and weights to a backend: each number of them loads the model again. */
static int run_threads(bench *b, int32_t n_threads, gol_err *err)
{
    double memory_bytes_s = 0;
    gol_instance instance = {0};
    const gol_instance_opts opts = {
        .model_path = b->path,
        .n_threads = n_threads,
        .load = {.progress = gol_cli_wants_progress(b->settings) ? gol_cli_progress : NULL},
    };
    int rc = b->settings->machine ? gol_bench_memory_read(&memory_bytes_s, n_threads, err) : 0;
    if (rc == 0)
        rc = gol_instance_open_model(&instance, &opts, err);
    if (rc == 0) {
        subject s;
        init_subject(&s, b, &instance);
        s.row.memory_bytes_s = memory_bytes_s;
        if (b->settings->machine)
            fprintf(stderr, "memory: %.1f GB/s (threads: %d)\n", memory_bytes_s / 1e9,
                    s.row.n_threads);
        rc = run_tests(b, &s, err);
    }
    gol_instance_close(&instance);
    return rc;
}

static gol_bench_format find_format(const gol_settings *settings)
{
    if (settings->json || strcmp(settings->table_format, "json") == 0)
        return GOL_BENCH_JSON;
    return strcmp(settings->table_format, "csv") == 0 ? GOL_BENCH_CSV : GOL_BENCH_TABLE;
}

static int run_all(bench *b, gol_err *err)
{
    int rc = 0;
    gol_bench_report_begin(&b->report, find_format(b->settings), b->settings->machine);
    for (int32_t i = 0; rc == 0 && i < b->plan.n_threads.n; i++)
        rc = run_threads(b, b->plan.n_threads.values[i], err);
    if (rc == 0)
        rc = gol_bench_report_end(&b->report, err);
    gol_bench_report_deinit(&b->report);
    return rc;
}

int gol_cmd_bench(const gol_settings *settings)
{
    gol_err err = {0};
    bench b = {.settings = settings, .kv_type = gol_cli_kv_type(settings, GOL_KV_F16)};
    int rc = gol_bench_plan_init(&b.plan, settings, &err);
    if (rc == 0)
        rc = gol_cli_find_model(settings, b.path, &err);
    if (rc == 0) {
        b.seconds = gol_xalloc((size_t)b.plan.n_repetitions * sizeof *b.seconds);
        rc = run_all(&b, &err);
    }
    gol_free(b.seconds);
    gol_bench_plan_deinit(&b.plan);
    return rc != 0 ? gol_cli_fail(&err) : 0;
}
