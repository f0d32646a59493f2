/* Every form shows the same numbers: the median over the repetitions, and with it what was read and computed per second. */
#include "cli/bench_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/model_facts.h"

enum { JSON_MAX = 256 << 20 };

typedef struct statistics {
    double median, min, max, mean, stddev; /* tokens per second */
    double bytes_s, ops_s;                 /* at the median */
} statistics;

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double gol_bench_median(double *values, int32_t n)
{
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* values: [n] tokens per second; sorted. */
static statistics summarize(const gol_bench_row *row, double *values)
{
    const int32_t n = row->n_samples;
    statistics s = {.median = gol_bench_median(values, n), .min = values[0], .max = values[n - 1]};
    double squares = 0;
    for (int32_t i = 0; i < n; i++)
        s.mean += values[i] / n;
    for (int32_t i = 0; i < n; i++)
        squares += (values[i] - s.mean) * (values[i] - s.mean);
    s.stddev = n > 1 ? sqrt(squares / (n - 1)) : 0;
    const double per_s = s.median / (double)gol_bench_test_n_tokens(&row->test);
    s.bytes_s = row->cost.n_bytes * per_s;
    s.ops_s = row->cost.n_ops * per_s;
    return s;
}

static void fill_speeds(double *out, const gol_bench_row *row)
{
    for (int32_t i = 0; i < row->n_samples; i++)
        out[i] = (double)gol_bench_test_n_tokens(&row->test) / row->seconds[i];
}

static void print_table_head(bool has_memory)
{
    printf(
        "| %-27s | %10s | %8s | %-6s | %7s | %-10s | %-20s | %-16s | %9s | %20s | %7s |%s %8s |\n",
        "model", "size", "params", "type", "threads", "cpu", "kernel", "test", "t/s", "min … max",
        "GB/s", has_memory ? "  of memory |" : "", "GOP/s");
    printf(
        "|-----------------------------|-----------:|---------:|--------|--------:|------------|"
        "----------------------|------------------|----------:|---------------------:|--------:|%s"
        "---------:|\n",
        has_memory ? "-----------:|" : "");
}

static void print_table_row(const gol_bench_row *row, const statistics *s, bool has_memory)
{
    char size[32], params[32], name[GOL_BENCH_NAME_MAX], range[32], share[32] = "";
    gol_bench_test_name(name, &row->test);
    snprintf(range, sizeof range, "%.2f … %.2f", s->min, s->max);
    if (has_memory)
        snprintf(share, sizeof share, " %9.0f%% |", 100 * s->bytes_s / row->memory_bytes_s);
    printf("| %-27s | %10s | %8s | %-6s | %7d | %-10s | %-20s | %-16s | %9.2f | %20s | %7.2f |%s "
           "%8.1f |\n",
           row->model, gol_format_bytes(size, row->n_bytes),
           gol_format_count(params, row->n_params), row->type, row->n_threads, row->cpu,
           row->kernel, name, s->median, range, s->bytes_s / 1e9, share, s->ops_s / 1e9);
}

/* RFC 4180: quoted, with quotes doubled. */
static void print_csv_text(const char *text)
{
    putchar('"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            putchar('"');
        putchar(*p);
    }
    printf("\",");
}

static void print_csv_head(void)
{
    printf("model,file,size,params,type,kv_type,threads,cpu,kernel,test,n_prompt,n_gen,n_batch,"
           "n_depth,tok_s,tok_s_min,tok_s_max,tok_s_stddev,gb_s,gop_s,memory_gb_s,repetitions\n");
}

static void print_csv_row(const gol_bench_row *row, const statistics *s)
{
    char name[GOL_BENCH_NAME_MAX];
    gol_bench_test_name(name, &row->test);
    print_csv_text(row->model);
    print_csv_text(row->file);
    printf("%" PRIu64 ",%" PRIu64 ",%s,%s,%d,%s,%s,%s,", row->n_bytes, row->n_params, row->type,
           row->kv_type, row->n_threads, row->cpu, row->kernel, name);
    printf("%" PRId32 ",%" PRId32 ",%" PRId32 ",%" PRId32 ",", row->test.n_prompt, row->test.n_gen,
           row->test.n_batch, row->test.n_depth);
    printf("%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,", s->median, s->min, s->max, s->stddev, s->bytes_s / 1e9,
           s->ops_s / 1e9);
    if (row->memory_bytes_s > 0)
        printf("%.4f", row->memory_bytes_s / 1e9);
    printf(",%" PRId32 "\n", row->n_samples);
}

/* Six digits: more would only be noise. Not so many behind the point, where a very slow run would have none. */
static double rounded(double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", v);
    return strtod(text, NULL);
}

static void put_double(gol_json *j, const char *key, double v)
{
    gol_json_key(j, key);
    gol_json_double(j, rounded(v));
}

static void put_json_row(gol_json *j, const gol_bench_row *row, const statistics *s,
                         const double *samples)
{
    char name[GOL_BENCH_NAME_MAX];
    gol_bench_test_name(name, &row->test);
    gol_json_begin_object(j);
    gol_json_put_cstr(j, "test", name);
    put_double(j, "tok_s", s->median);
    gol_json_put_int(j, "n_prompt", row->test.n_prompt);
    gol_json_put_int(j, "n_gen", row->test.n_gen);
    gol_json_put_int(j, "n_batch", row->test.n_batch);
    gol_json_put_int(j, "n_depth", row->test.n_depth);
    gol_json_put_int(j, "threads", row->n_threads);
    gol_json_put_cstr(j, "model", row->model);
    gol_json_put_cstr(j, "file", row->file);
    gol_json_put_uint(j, "size", row->n_bytes);
    gol_json_put_uint(j, "params", row->n_params);
    gol_json_put_cstr(j, "type", row->type);
    gol_json_put_cstr(j, "kv_type", row->kv_type);
    gol_json_put_cstr(j, "cpu", row->cpu);
    gol_json_put_cstr(j, "kernel", row->kernel);
    put_double(j, "tok_s_min", s->min);
    put_double(j, "tok_s_max", s->max);
    put_double(j, "tok_s_mean", s->mean);
    put_double(j, "tok_s_stddev", s->stddev);
    put_double(j, "gb_s", s->bytes_s / 1e9);
    put_double(j, "gop_s", s->ops_s / 1e9);
    if (row->memory_bytes_s > 0)
        put_double(j, "memory_gb_s", row->memory_bytes_s / 1e9);
    gol_json_key(j, "samples");
    gol_json_begin_array(j);
    for (int32_t i = 0; i < row->n_samples; i++)
        gol_json_double(j, rounded(samples[i]));
    gol_json_end_array(j);
    gol_json_end_object(j);
}

void gol_bench_report_begin(gol_bench_report *r, gol_bench_format format, bool has_memory)
{
    *r = (gol_bench_report){.format = format, .has_memory = has_memory};
    gol_buf_init(&r->buf, JSON_MAX);
    gol_json_init(&r->json, &r->buf);
    if (format == GOL_BENCH_JSON)
        gol_json_begin_array(&r->json);
}

/* Only above a row: a model that cannot be measured is an error, and no table. */
static void print_head(gol_bench_report *r)
{
    if (r->format == GOL_BENCH_CSV && !r->has_rows)
        print_csv_head();
    else if (r->format == GOL_BENCH_TABLE && !r->has_rows)
        print_table_head(r->has_memory);
    r->has_rows = true;
}

void gol_bench_report_add(gol_bench_report *r, const gol_bench_row *row)
{
    double *samples = gol_xalloc((size_t)row->n_samples * sizeof *samples);
    double *sorted = gol_xalloc((size_t)row->n_samples * sizeof *sorted);
    fill_speeds(samples, row);
    fill_speeds(sorted, row);
    const statistics s = summarize(row, sorted);
    print_head(r);
    if (r->format == GOL_BENCH_JSON)
        put_json_row(&r->json, row, &s, samples);
    else if (r->format == GOL_BENCH_CSV)
        print_csv_row(row, &s);
    else
        print_table_row(row, &s, r->has_memory);
    fflush(stdout);
    gol_free(sorted);
    gol_free(samples);
}

int gol_bench_report_end(gol_bench_report *r, gol_err *err)
{
    if (r->format != GOL_BENCH_JSON)
        return 0;
    gol_json_end_array(&r->json);
    if (r->buf.failed)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the results");
    printf("%s\n", r->buf.data);
    return 0;
}

void gol_bench_report_deinit(gol_bench_report *r)
{
    gol_buf_deinit(&r->buf);
}
