/*
 * How fast is the matrix product of the CPU backend, and how near is it to what the machine can do? Every row is one weight
 * type, shape, number of tokens and of threads, measured through the backend as a model uses it:
 *
 *     matmul_bench [--type=Q8_0,Q4_K] [--shape=2048x2048,...] [--tokens=1,32] [--threads=1,2] [--cpu=avx2]
 *                  [--mb=400] [--ms=300] [--clock=wall|cpu]
 *
 * Columns: time of the fastest and of the median call, GOP/s (a multiplication and its addition are two), its share of the
 * peak loop of this arithmetic (peak.h), GB/s of weight as the backend holds it, its share of a plain read of memory; rates are
 * the fastest call's, peaks the fastest run's, measured beside each row: on a shared machine what others take comes and goes.
 * Calls go round over weights of --mb megabytes in all, so that few tokens find none of them in a cache. --clock=cpu takes the
 * processor time of the process / threads instead of the time that passes: for machines whose processors others use, too.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "backend/cpu/backend_cpu.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/worker_pool.h"
#include "peak.h"
#include "support/native_has.h"
#include "support/random_blocks.h"

enum { LIST_MAX = 32, WEIGHTS_MAX = 4096, CALLS_MAX = 4096 };

typedef struct shape {
    int64_t n_out;
    int64_t n_in;
} shape;

typedef struct options {
    gol_type types[LIST_MAX];
    int n_types;
    shape shapes[LIST_MAX];
    int n_shapes;
    int tokens[LIST_MAX];
    int n_tokens;
    int threads[LIST_MAX];
    int n_threads;
    size_t weight_bytes;
    uint64_t ns;
} options;

/* What one number of threads shares. */
typedef struct bench {
    gol_backend *be;
    gol_worker_pool *pool; /* of the peak loops */
    const uint8_t *memory; /* to read, memory_bytes */
    size_t memory_bytes;
    uint64_t ns;
    int n_threads;
} bench;

typedef struct timing {
    double best_ns;
    double median_ns;
} timing;

static bool is_cpu_clock;
/* Of the kernels. May be above gol_cpu_get(): --cpu=avx512bf16 is taken where its instructions run, whatever CPUID says. */
static gol_cpu_level level;

/* Nanoseconds by the clock asked for. */
static double now(int n_threads)
{
    if (!is_cpu_clock)
        return (double)gol_clock_ns();
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return ((double)t.tv_sec * 1e9 + (double)t.tv_nsec) / (double)n_threads;
}

static void die(const char *what)
{
    fprintf(stderr, "matmul_bench: %s\n", what);
    exit(1);
}

static bool is_option(const char *arg, const char *name)
{
    return strncmp(arg, name, strlen(name)) == 0;
}

/* Calls add on each part of a list with commas. */
static bool parse_list(const char *text, options *o, bool add(options *o, const char *part))
{
    char copy[1024];
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    char *rest = NULL;
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
        if (!add(o, part))
            return false;
    return true;
}

static bool add_type(options *o, const char *part)
{
    return o->n_types < LIST_MAX && gol_type_parse(gol_str_from(part), &o->types[o->n_types++]);
}

static bool add_shape(options *o, const char *part)
{
    char *end;
    const long long n_out = strtoll(part, &end, 10);
    if (o->n_shapes == LIST_MAX || *end != 'x')
        return false;
    const long long n_in = strtoll(end + 1, &end, 10);
    o->shapes[o->n_shapes++] = (shape){n_out, n_in};
    return *end == '\0' && n_out > 0 && n_in > 0;
}

static bool parse_int(const char *part, int *out)
{
    char *end;
    const long n = strtol(part, &end, 10);
    *out = (int)n;
    return end != part && *end == '\0' && n > 0 && n <= 1 << 20;
}

static bool add_tokens(options *o, const char *part)
{
    return o->n_tokens < LIST_MAX && parse_int(part, &o->tokens[o->n_tokens++]);
}

static bool add_threads(options *o, const char *part)
{
    return o->n_threads < LIST_MAX && parse_int(part, &o->threads[o->n_threads++]);
}

static bool set_level(const char *name)
{
    if (!gol_cpu_limit(name))
        return false;
    level = gol_cpu_get();
    for (int i = 0; i < GOL_CPU_N_LEVELS; i++)
        if (strcmp(name, gol_cpu_level_name((gol_cpu_level)i)) == 0 && native_has((gol_cpu_level)i))
            level = (gol_cpu_level)i;
    return true;
}

static bool parse_option(options *o, const char *arg)
{
    const char *v = strchr(arg, '=');
    if (!v)
        return false;
    v++;
    int n;
    if (is_option(arg, "--type="))
        return parse_list(v, o, add_type);
    if (is_option(arg, "--shape="))
        return parse_list(v, o, add_shape);
    if (is_option(arg, "--tokens="))
        return parse_list(v, o, add_tokens);
    if (is_option(arg, "--threads="))
        return parse_list(v, o, add_threads);
    if (is_option(arg, "--cpu="))
        return set_level(v);
    if (is_option(arg, "--clock=")) {
        is_cpu_clock = strcmp(v, "cpu") == 0;
        return is_cpu_clock || strcmp(v, "wall") == 0;
    }
    if (!parse_int(v, &n))
        return false;
    if (is_option(arg, "--mb="))
        o->weight_bytes = (size_t)n << 20;
    else if (is_option(arg, "--ms="))
        o->ns = (uint64_t)n * 1000000u;
    else
        return false;
    return true;
}

static void parse_options(options *o, int argc, char **argv)
{
    *o = (options){.weight_bytes = (size_t)400 << 20, .ns = 300u * 1000000u};
    bool ok = true;
    for (int i = 1; i < argc && ok; i++)
        ok = parse_option(o, argv[i]);
    if (!ok)
        die("usage: [--type=A,B] [--shape=OUTxIN,...] [--tokens=N,...] [--threads=N,...] "
            "[--cpu=LEVEL] "
            "[--mb=N] [--ms=N] [--clock=wall|cpu]");
    /* TinyLlama's, and the cases that matter: one stream, a few, many, a prompt. */
    if (o->n_types == 0)
        parse_list("Q8_0,Q4_0,Q4_K,Q6_K", o, add_type);
    if (o->n_shapes == 0)
        parse_list("2048x2048,256x2048,5632x2048,2048x5632,32000x2048", o, add_shape);
    if (o->n_tokens == 0)
        parse_list("1,2,4,8,12,32,96,512", o, add_tokens);
    if (o->n_threads == 0)
        parse_list("1,2", o, add_threads);
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static timing summarize(double *ns, int n)
{
    qsort(ns, (size_t)n, sizeof *ns, compare_times);
    return (timing){ns[0], ns[n / 2]};
}

typedef struct peak_job {
    const peak_loop *loop;
    size_t n;
    const uint8_t *memory;
    size_t memory_bytes;
    volatile float sink[GOL_WORKERS_MAX];
} peak_job;

static void run_loop(void *arg, int ith, int n_threads)
{
    (void)n_threads;
    peak_job *job = arg;
    job->sink[ith] = job->loop->run(job->n);
}

static void run_read(void *arg, int ith, int n_threads)
{
    peak_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->memory_bytes, 64, ith, n_threads);
    job->sink[ith] = (float)peak_read(job->memory + begin, end - begin);
}

/* Operations per ns of all threads, the best of short runs; NAN without a loop. */
static double measure_peak(const bench *b, const peak_loop *loop)
{
    enum { RUNS = 9, ROUNDS = 40000 };
    static peak_job job;
    double ns[RUNS];
    if (!loop)
        return (double)NAN;
    job.loop = loop;
    job.n = ROUNDS;
    for (int i = 0; i < RUNS; i++) {
        const double start = now(b->n_threads);
        gol_worker_pool_run(b->pool, run_loop, &job);
        ns[i] = now(b->n_threads) - start;
    }
    const double ops = (double)ROUNDS * (double)loop->ops_per_round * (double)b->n_threads;
    return ops / summarize(ns, RUNS).best_ns;
}

/* Bytes per ns of all threads. */
static double measure_read(const bench *b)
{
    enum { RUNS = 20 };
    static peak_job job;
    double ns[RUNS];
    const size_t n = b->memory_bytes / RUNS / 64 * 64;
    for (int i = 0; i < RUNS; i++) {
        job.memory = b->memory + (size_t)i * n;
        job.memory_bytes = n;
        const double start = now(b->n_threads);
        gol_worker_pool_run(b->pool, run_read, &job);
        ns[i] = now(b->n_threads) - start;
    }
    return (double)n / summarize(ns, RUNS).best_ns;
}

/* As many weights as the memory asked for holds, all of one content. */
static int load_weights(const bench *b, gol_weight *weights, gol_type type, shape s, size_t n_bytes)
{
    gol_err err = {0};
    size_t row_bytes;
    if (!gol_type_row_bytes(&row_bytes, type, (uint64_t)s.n_in))
        die("n_in is no multiple of the type's block");
    const size_t n_file = row_bytes * (size_t)s.n_out;
    uint8_t *file = gol_try_alloc(n_file);
    if (!file)
        die("out of memory");
    /* a few random rows, repeated */
    gol_rng rng = {.key = 1};
    const size_t n_random = s.n_out < 16 ? (size_t)s.n_out : 16;
    random_blocks(&rng, type, file, n_random * (size_t)s.n_in);
    for (size_t row = n_random; row < (size_t)s.n_out; row++)
        memcpy(file + row * row_bytes, file + row % n_random * row_bytes, row_bytes);
    const gol_weight_desc desc = {"w", type, s.n_out, s.n_in, file, n_file, false};
    int n = 0;
    size_t total = 0;
    while (n < WEIGHTS_MAX && (n == 0 || total < n_bytes)) {
        if (b->be->ops->weight_load(b->be, &weights[n], &desc, &err) != 0)
            die(err.message);
        total += weights[n++].n_bytes;
    }
    /* Raw weights are read where they lie: then all calls read this one. */
    if (weights[0].owned)
        gol_free(file);
    return n;
}

static timing time_calls(const bench *b, const gol_weight *weights, int n_weights, int n_tokens)
{
    static double ns[CALLS_MAX];
    static int next;
    gol_err err = {0};
    float *x;
    float *out;
    const size_t n_x = (size_t)n_tokens * (size_t)weights[0].n_in;
    const size_t n_out = (size_t)n_tokens * (size_t)weights[0].n_out;
    if (b->be->ops->alloc(b->be, &x, n_x, &err) != 0 ||
        b->be->ops->alloc(b->be, &out, n_out, &err) != 0)
        die(err.message);
    gol_rng rng = {.key = 2};
    for (size_t i = 0; i < n_x; i++)
        x[i] = (float)gol_rng_next_normal(&rng);
    const uint64_t start = gol_clock_ns();
    int n = 0;
    /* the first two calls warm up */
    for (int call = 0; call < 4 || (gol_clock_ns() - start < b->ns && n < CALLS_MAX); call++) {
        const gol_weight *w = &weights[next++ % n_weights];
        const double before = now(b->n_threads);
        b->be->ops->matmul(b->be, out, x, w, NULL, n_tokens);
        if (call >= 2)
            ns[n++] = now(b->n_threads) - before;
    }
    b->be->ops->free(b->be, x);
    b->be->ops->free(b->be, out);
    return summarize(ns, n);
}

static void bench_row(const bench *b, const gol_weight *weights, int n_weights, int n_tokens)
{
    const gol_weight *w = &weights[0];
    const gol_product product = gol_kernels_product(&gol_backend_cpu_of(b->be)->kernels, w->type);
    const double peak = measure_peak(b, product == GOL_PRODUCT_INT    ? peak_int8(level)
                                        : product == GOL_PRODUCT_BF16 ? peak_bf16()
                                                                      : peak_f32(level));
    const double read = measure_read(b);
    const timing t = time_calls(b, weights, n_weights, n_tokens);
    const double ops = 2.0 * (double)w->n_out * (double)w->n_in * (double)n_tokens;
    const double bytes = (double)w->n_bytes;
    printf(
        "%-7s %6lldx%-5lld %4d tok %d thr %10.1f us %10.1f us %8.1f GOP/s %4.0f%% of %6.0f %6.2f "
        "GB/s %4.0f%% of %5.1f\n",
        gol_type_get(w->type)->name, (long long)w->n_out, (long long)w->n_in, n_tokens,
        b->n_threads, t.best_ns * 1e-3, t.median_ns * 1e-3, ops / t.best_ns,
        100.0 * ops / t.best_ns / peak, peak, bytes / t.best_ns, 100.0 * bytes / t.best_ns / read,
        read);
    fflush(stdout);
}

static void bench_type(const options *o, const bench *b, gol_type type)
{
    static gol_weight weights[WEIGHTS_MAX];
    for (int s = 0; s < o->n_shapes; s++) {
        const int n = load_weights(b, weights, type, o->shapes[s], o->weight_bytes);
        for (int t = 0; t < o->n_tokens; t++)
            bench_row(b, weights, n, o->tokens[t]);
        for (int i = 0; i < n; i++)
            b->be->ops->weight_free(b->be, &weights[i]);
    }
}

static void bench_threads(const options *o, int n_threads)
{
    gol_err err = {0};
    bench b = {.n_threads = n_threads, .ns = o->ns, .memory_bytes = o->weight_bytes};
    int32_t n_tokens_max = 1;
    int64_t n_in_max = 1;
    for (int i = 0; i < o->n_tokens; i++)
        n_tokens_max = o->tokens[i] > n_tokens_max ? o->tokens[i] : n_tokens_max;
    for (int i = 0; i < o->n_shapes; i++)
        n_in_max = o->shapes[i].n_in > n_in_max ? o->shapes[i].n_in : n_in_max;
    if (gol_backend_cpu_create(&b.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) != 0 ||
        gol_worker_pool_create(&b.pool, n_threads, &err) != 0 ||
        b.be->ops->reserve(b.be, n_tokens_max, n_in_max, 1, &err) != 0)
        die(err.message);
    gol_kernels_init(&gol_backend_cpu_of(b.be)->kernels, level);
    uint8_t *memory = gol_try_aligned(b.memory_bytes);
    if (!memory)
        die("out of memory");
    memset(memory, 1, b.memory_bytes);
    b.memory = memory;
    for (int i = 0; i < o->n_types; i++)
        bench_type(o, &b, o->types[i]);
    gol_aligned_free(memory);
    gol_worker_pool_destroy(&b.pool);
    gol_backend_destroy(&b.be);
}

int main(int argc, char **argv)
{
    static options o;
    level = gol_cpu_get();
    parse_options(&o, argc, argv);
    char model[128];
    gol_cpu_model_name(model, sizeof model);
    printf("%s, level %s\n", model, gol_cpu_level_name(level));
    for (int i = 0; i < o.n_threads; i++)
        bench_threads(&o, o.threads[i]);
    return 0;
}
