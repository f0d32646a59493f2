/*
 * How near does attention come to what the machine can do? Every line is one shape, measured through the backend as a model uses
 * it, beside a plain read of memory and a loop of multiplications (peak.h) in the same minute:
 *
 *     attention_bench [--type=f16,q8_0] [--ctx=16384] [--rows=1,512] [--seqs=1] [--heads=32/8] [--dim=64]
 *                     [--layers=16] [--block-size=16] [--threads=1,2] [--cpu=avx2] [--rounds=5]
 *                     [--clock=wall|cpu]
 *
 * The defaults are Llama 3.2 1B. A step attends with `rows` rows per sequence, the last positions of a context of `ctx`, in every
 * layer, so that no cache holds what it reads. Columns: time of the fastest step, GB/s of keys and values and its share of the
 * plain read, GFLOP/s of the two products and its share of the multiplications. Keys hidden from a row are not counted.
 * --clock=cpu takes the processor time of the process / threads, for machines whose processors others use, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/worker_pool.h"
#include "peak.h"

enum { LIST_MAX = 16, N_Q_MAX = 4 << 20 };

typedef struct options {
    gol_kv_type types[LIST_MAX];
    int n_types;
    int rows[LIST_MAX];
    int n_rows;
    int ctxs[LIST_MAX];
    int n_ctxs;
    int threads[LIST_MAX];
    int n_threads;
    int n_seqs;
    int n_heads;
    int n_kv_heads;
    int dim;
    int n_layers;
    int block_size;
    int n_rounds;
} options;

static void die(const char *what)
{
    fprintf(stderr, "attention_bench: %s\n", what);
    exit(2);
}

static bool is_cpu_clock;

static double now_ns(int n_threads)
{
    struct timespec t;
    clock_gettime(is_cpu_clock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    const double ns = (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
    return is_cpu_clock ? ns / n_threads : ns;
}

static int parse_ints(int *out, const char *text)
{
    int n = 0;
    for (char *end; n < LIST_MAX; text = end + 1) {
        out[n++] = (int)strtol(text, &end, 10);
        if (end == text || out[n - 1] < 1)
            die("a list of numbers from 1 on is expected");
        if (*end == '\0')
            return n;
    }
    die("too many numbers in a list");
    return 0;
}

static int parse_types(gol_kv_type *out, const char *text)
{
    int n = 0;
    while (*text != '\0' && n < LIST_MAX) {
        char name[16] = "";
        const size_t len = strcspn(text, ",");
        if (len >= sizeof name)
            die("f16, bf16, f32 and q8_0 are known");
        memcpy(name, text, len);
        if (!gol_kv_type_parse(name, &out[n++]))
            die("f16, bf16, f32 and q8_0 are known");
        text += len + (text[len] == ',');
    }
    return n;
}

static const char *value_of(const char *arg, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static void parse_option(options *o, const char *arg)
{
    static const struct {
        const char *name;
        size_t at;
    } numbers[] = {
        {"--seqs", offsetof(options, n_seqs)},     {"--dim", offsetof(options, dim)},
        {"--layers", offsetof(options, n_layers)}, {"--block-size", offsetof(options, block_size)},
        {"--rounds", offsetof(options, n_rounds)},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *value = value_of(arg, numbers[i].name);
        if (value) {
            int list[LIST_MAX];
            parse_ints(list, value);
            memcpy((char *)o + numbers[i].at, list, sizeof list[0]);
            return;
        }
    }
    const char *value;
    if ((value = value_of(arg, "--type")) != NULL)
        o->n_types = parse_types(o->types, value);
    else if ((value = value_of(arg, "--rows")) != NULL)
        o->n_rows = parse_ints(o->rows, value);
    else if ((value = value_of(arg, "--ctx")) != NULL)
        o->n_ctxs = parse_ints(o->ctxs, value);
    else if ((value = value_of(arg, "--threads")) != NULL)
        o->n_threads = parse_ints(o->threads, value);
    else if ((value = value_of(arg, "--heads")) != NULL) {
        if (sscanf(value, "%d/%d", &o->n_heads, &o->n_kv_heads) != 2 || o->n_kv_heads < 1 ||
            o->n_heads < 1 || o->n_heads % o->n_kv_heads != 0)
            die("--heads=32/8: heads, and heads of K and V, which divide them");
    } else if ((value = value_of(arg, "--clock")) != NULL) {
        is_cpu_clock = strcmp(value, "cpu") == 0;
    } else if ((value = value_of(arg, "--cpu")) == NULL || !gol_cpu_limit(value)) {
        die("the options are in the source's first lines");
    }
}

typedef struct bench {
    const options *o;
    gol_backend *be;
    gol_worker_pool *pool; /* of the peak loops */
    gol_kv *kv;
    int32_t ctx;
    int32_t n_blocks;     /* of a sequence */
    int32_t *block_table; /* [n_seqs][n_blocks] */
    float *q;
    float *out;
    uint8_t *memory; /* to read */
    size_t memory_bytes;
} bench;

/* Fills every slot of every layer, by slices of a block each. */
static void fill_cache(const bench *b)
{
    const options *o = b->o;
    const size_t n = (size_t)o->block_size * (size_t)o->n_kv_heads * (size_t)o->dim;
    float *x = gol_xalloc(n * sizeof *x);
    int32_t *slots = gol_xalloc((size_t)o->block_size * sizeof *slots);
    gol_rng rng = {.key = 1};
    for (size_t i = 0; i < n; i++)
        x[i] = (float)gol_rng_next_normal(&rng);
    const gol_batch batch = {.n_tokens = o->block_size, .slot_mapping = slots};
    const int64_t stride = (int64_t)o->n_kv_heads * o->dim;
    for (int32_t block = 0; block < b->n_blocks * o->n_seqs; block++) {
        for (int32_t i = 0; i < o->block_size; i++)
            slots[i] = block * o->block_size + i;
        for (int32_t il = 0; il < o->n_layers; il++)
            b->be->ops->kv_write(b->be, b->kv, il, x, x, stride, stride, &batch);
    }
    gol_free(x);
    gol_free(slots);
}

static void open_bench(bench *b, gol_kv_type type, int n_threads)
{
    const options *o = b->o;
    gol_err err = {0};
    gol_kv_layer_shape *layers = gol_xcalloc((size_t)o->n_layers, sizeof *layers);
    for (int i = 0; i < o->n_layers; i++)
        layers[i] = (gol_kv_layer_shape){o->n_kv_heads, o->dim, o->dim, 0};
    b->n_blocks = (b->ctx - 1) / o->block_size + 1;
    const int32_t n_all = b->n_blocks * o->n_seqs;
    const gol_kv_shape shape = {type, o->n_layers, n_all, o->block_size, layers};
    if (gol_backend_cpu_create(&b->be, &(gol_cpu_opts){.n_threads = n_threads}, &err) != 0 ||
        b->be->ops->reserve(b->be, 1, 8192, b->ctx, &err) != 0 ||
        b->be->ops->kv_create(b->be, &b->kv, &shape, &err) != 0 ||
        gol_worker_pool_create(&b->pool, n_threads, &err) != 0)
        die(err.message);
    b->memory_bytes = b->be->ops->kv_bytes(b->be, &shape) / 4096 * 4096;
    b->memory = gol_try_aligned(b->memory_bytes);
    if (!b->memory)
        die("out of memory");
    memset(b->memory, 1, b->memory_bytes);
    b->block_table = gol_xalloc((size_t)n_all * sizeof *b->block_table);
    for (int32_t i = 0; i < n_all; i++)
        b->block_table[i] = i;
    gol_free(layers);
    fill_cache(b);
}

static void close_bench(bench *b)
{
    b->be->ops->kv_destroy(b->be, &b->kv);
    gol_worker_pool_destroy(&b->pool);
    gol_backend_destroy(&b->be);
    gol_aligned_free(b->memory);
    gol_free(b->block_table);
}

/* One step: every layer once. ns. */
static double time_step(const bench *b, int n_rows)
{
    const options *o = b->o;
    gol_batch_seq *seqs = gol_xalloc((size_t)o->n_seqs * sizeof *seqs);
    for (int i = 0; i < o->n_seqs; i++)
        seqs[i] = (gol_batch_seq){.first_row = i * n_rows,
                                  .n_rows = n_rows,
                                  .n_past = b->ctx - n_rows,
                                  .n_blocks = b->n_blocks,
                                  .block_table = b->block_table + i * b->n_blocks};
    const gol_batch batch = {.n_tokens = n_rows * o->n_seqs, .n_seqs = o->n_seqs, .seqs = seqs};
    const int n_threads = gol_backend_cpu_n_threads(b->be);
    const double start = now_ns(n_threads);
    for (int il = 0; il < o->n_layers; il++) {
        const gol_attention a = {.layer = il, .n_heads = o->n_heads, .scale = 0.125f};
        b->be->ops->attention(b->be, b->out, b->q, (int64_t)o->n_heads * o->dim, b->kv, &a, &batch);
    }
    const double ns = now_ns(n_threads) - start;
    gol_free(seqs);
    return ns;
}

typedef struct peak_job {
    const bench *b;
    const peak_loop *loop;
    float sink[GOL_WORKERS_MAX];
} peak_job;

static void read_part(void *arg, int ith, int n_threads)
{
    peak_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->b->memory_bytes, 4096, ith, n_threads);
    job->sink[ith] = (float)peak_read(job->b->memory + begin, end - begin);
}

enum { PEAK_ROUNDS = 200000 };

static void multiply(void *arg, int ith, int n_threads)
{
    peak_job *job = arg;
    (void)n_threads;
    job->sink[ith] = job->loop->run(PEAK_ROUNDS);
}

static double time_peak(const bench *b, gol_work *work, const peak_loop *loop)
{
    static peak_job job;
    job = (peak_job){.b = b, .loop = loop};
    const int n_threads = gol_worker_pool_size(b->pool);
    const double start = now_ns(n_threads);
    gol_worker_pool_run(b->pool, work, &job);
    return now_ns(n_threads) - start;
}

static void min_of(double *best, double x)
{
    if (x < *best)
        *best = x;
}

static void bench_rows(const bench *b, gol_kv_type type, int n_rows, int n_threads)
{
    const options *o = b->o;
    const peak_loop *loop = peak_f32(gol_cpu_get());
    double step = 1e18;
    double read = 1e18;
    double fma = 1e18;
    if (n_rows > b->ctx || (int64_t)n_rows * o->n_seqs * o->n_heads * o->dim > N_Q_MAX)
        die("more rows than the context or the bench holds");
    time_step(b, n_rows);
    for (int i = 0; i < o->n_rounds; i++) {
        min_of(&read, time_peak(b, read_part, NULL));
        min_of(&step, time_step(b, n_rows));
        if (loop)
            min_of(&fma, time_peak(b, multiply, loop));
    }
    /* key and row pairs: the last row sees ctx keys, the first n_rows - 1 fewer */
    const double keys = (double)o->n_seqs * (double)n_rows *
                        ((double)b->ctx - 0.5 * (double)(n_rows - 1));
    const double flops = 4.0 * keys * o->n_heads * o->dim * o->n_layers / step;
    const double bytes = (double)b->memory_bytes / step;
    const double peak = (double)PEAK_ROUNDS * n_threads * (loop ? (double)loop->ops_per_round : 0) /
                        fma;
    const double plain = (double)b->memory_bytes / read;
    printf("%-5s ctx %6d  %4d rows x %2d  %d thr %11.1f us %7.2f GB/s %4.0f%% of %5.1f %8.1f "
           "GFLOP/s %4.0f%% of %6.1f\n",
           gol_kv_type_name(type), b->ctx, n_rows, o->n_seqs, n_threads, step * 1e-3, bytes,
           100.0 * bytes / plain, plain, flops, loop ? 100.0 * flops / peak : 0.0, peak);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    options o = {.types = {GOL_KV_F16},
                 .n_types = 1,
                 .rows = {1, 512},
                 .n_rows = 2,
                 .ctxs = {16384},
                 .n_ctxs = 1,
                 .threads = {1, gol_cpu_n_usable()},
                 .n_threads = gol_cpu_n_usable() > 1 ? 2 : 1,
                 .n_seqs = 1,
                 .n_heads = 32,
                 .n_kv_heads = 8,
                 .dim = 64,
                 .n_layers = 16,
                 .block_size = 16,
                 .n_rounds = 5};
    for (int i = 1; i < argc; i++)
        parse_option(&o, argv[i]);
    bench b = {.o = &o};
    b.q = gol_xalloc(N_Q_MAX * sizeof *b.q);
    b.out = gol_xalloc(N_Q_MAX * sizeof *b.out);
    gol_rng rng = {.key = 2};
    for (size_t i = 0; i < N_Q_MAX; i++)
        b.q[i] = (float)gol_rng_next_unit(&rng);
    for (int t = 0; t < o.n_types; t++) {
        for (int c = 0; c < o.n_ctxs; c++) {
            for (int n = 0; n < o.n_threads; n++) {
                b.ctx = o.ctxs[c];
                open_bench(&b, o.types[t], o.threads[n]);
                for (int r = 0; r < o.n_rows; r++)
                    bench_rows(&b, o.types[t], o.rows[r], o.threads[n]);
                close_bench(&b);
            }
        }
    }
    gol_free(b.q);
    gol_free(b.out);
    return 0;
}
