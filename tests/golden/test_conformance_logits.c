/*
 * Logits and greedy continuations of small models against another implementation's, and the promise that chunking the prompt
 * changes no bit. Data: models/X.{gguf,tokens,logits.f32,greedy} under GOLLUM_CONFORMANCE.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/conformance_ids.h"
#include "support/model_runner.h"

/* The reference computes plain models with float32 weights and activations, as we do: what is left is the order of sums. */
#define NMSE_MAX_PLAIN 1e-8
/* GELU's argument and result are rounded to binary16 on both sides: where an argument falls on the other side of a border, the result is
 * off by 2^-11. Seven layers of that. */
#define NMSE_MAX_GELU 1e-7
/* It rounds activations of quantized models to 8 bits, which we do not. */
#define NMSE_MAX_QUANTIZED 2e-3
/* A cache in binary16 rounds K and V to 11 bits: 2^-24 relative in the squared error of each, grown by the layers. */
static const double nmse_max_f16_cache = 1e-6;

/* Two ids whose logits are this near (in units of the row's standard deviation times the root of the allowed NMSE) may swap. */
static const double near_tie_factor = 2.0;

enum { N_TOKENS_MAX = 64, N_GREEDY = 32 };

typedef struct subject {
    const char *name;
    double nmse_max;
} subject;

static const subject subjects[] = {
    {"llama-f16", NMSE_MAX_PLAIN},         {"llama3-f16", NMSE_MAX_PLAIN},
    {"gpt2-f16", NMSE_MAX_PLAIN},          {"stories260K", NMSE_MAX_PLAIN},
    {"qwen2-f16", NMSE_MAX_PLAIN},         {"qwen3-f16", NMSE_MAX_PLAIN},
    {"falcon-f16", NMSE_MAX_PLAIN},        {"gemma2-f16", NMSE_MAX_PLAIN},
    {"gemma3-f16", NMSE_MAX_GELU},         {"granite-f16", NMSE_MAX_PLAIN},
    {"granitehybrid-f16", NMSE_MAX_PLAIN}, {"olmo2-f16", NMSE_MAX_PLAIN},
    {"phi3-f16", NMSE_MAX_PLAIN},          {"qwen3moe-f16", NMSE_MAX_PLAIN},
    {"llama256-q4_0", NMSE_MAX_QUANTIZED}, {"llama256-q8_0", NMSE_MAX_QUANTIZED},
    {"llama256-q2_k", NMSE_MAX_QUANTIZED}, {"llama256-q4_k_m", NMSE_MAX_QUANTIZED},
    {"llama256-q6_k", NMSE_MAX_QUANTIZED}, {"llama256-iq4_xs", NMSE_MAX_QUANTIZED},
};

typedef struct loaded {
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
    int32_t tokens[N_TOKENS_MAX + N_GREEDY];
    int32_t n_tokens;
    int32_t greedy[N_GREEDY];
    float *want; /* [n_tokens][n_vocab] */
} loaded;

static float *read_floats(size_t n, const char *name, const char *suffix)
{
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, name, suffix);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    float *x = malloc((n + 1) * sizeof *x);
    const size_t n_read = fread(x, sizeof *x, n + 1, f);
    fclose(f);
    if (n_read != n)
        fail_msg("%s holds %zu floats, %zu are expected", path, n_read, n);
    return x;
}

static loaded load(const subject *s, int n_threads)
{
    loaded l = {0};
    gol_err err = {0};
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, s->name, "gguf");
    if (gol_model_file_open(&l.file, path, &err) < 0 ||
        gol_backend_cpu_create(&l.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) < 0 ||
        gol_model_load(&l.model, l.file, l.be, NULL, &err) < 0)
        fail_msg("%s: %s", s->name, err.message);
    l.n_tokens = conformance_ids(l.tokens, N_TOKENS_MAX, s->name, "tokens");
    assert_true(l.n_tokens > 0);
    assert_int_equal(conformance_ids(l.greedy, N_GREEDY, s->name, "greedy"), N_GREEDY);
    l.want = read_floats((size_t)l.n_tokens * (size_t)gol_model_config(l.model)->n_vocab, s->name,
                         "logits.f32");
    return l;
}

static void unload(loaded *l)
{
    gol_model_destroy(&l->model);
    gol_backend_destroy(&l->be);
    gol_model_file_close(&l->file);
    free(l->want);
}

/* Sum of squared differences over the sum of squares. */
static double nmse(const float *got, const float *want, size_t n)
{
    double off = 0;
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)got[i] - (double)want[i];
        off += d * d;
        all += (double)want[i] * (double)want[i];
    }
    return off / all;
}

static double deviation(const float *x, int32_t n)
{
    double sum = 0;
    double squares = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    return sqrt(fmax(0.0, squares / n - sum / n * (sum / n)));
}

/* Follows the reference's ids; where our choice is another one, the two must be nearly tied. */
static void check_greedy(const subject *s, loaded *l, model_runner *r)
{
    int n_ties = 0;
    const float *row = runner_step(r, l->tokens, 0, l->n_tokens, 1);
    for (int32_t i = 0; i < N_GREEDY; i++) {
        const int32_t want = l->greedy[i];
        const int32_t got = runner_argmax(row, r->n_vocab);
        const double gap = (double)row[got] - (double)row[want];
        const double allowed = near_tie_factor * sqrt(s->nmse_max) * deviation(row, r->n_vocab);
        if (got != want) {
            printf("    %s: greedy id %d is %d, the reference has %d; logits differ by %.3g, a tie "
                   "within %.3g\n",
                   s->name, i, got, want, gap, allowed);
            n_ties++;
        }
        assert_true(gap <= allowed);
        l->tokens[l->n_tokens + i] = want;
        row = runner_step(r, l->tokens, l->n_tokens + i, l->n_tokens + i + 1, 1);
    }
    assert_true(n_ties <= 2);
}

static void check_subject(const subject *s)
{
    loaded l = load(s, 1);
    const size_t n = (size_t)l.n_tokens * (size_t)gol_model_config(l.model)->n_vocab;
    float *whole = malloc(n * sizeof *whole);
    float *parts = malloc(n * sizeof *parts);
    model_runner r;

    runner_init(&r, l.model, GOL_KV_F32);
    runner_logits(&r, whole, l.tokens, l.n_tokens, l.n_tokens);
    const double off = nmse(whole, l.want, n);
    runner_logits(&r, parts, l.tokens, l.n_tokens, 5);
    assert_memory_equal(parts, whole, n * sizeof *whole);
    runner_logits(&r, parts, l.tokens, l.n_tokens, 1);
    assert_memory_equal(parts, whole, n * sizeof *whole);
    printf("    %-16s NMSE %.2e with an F32 cache", s->name, off);
    runner_deinit(&r);

    runner_init(&r, l.model, GOL_KV_F16);
    runner_logits(&r, parts, l.tokens, l.n_tokens, 5);
    const double off_f16 = nmse(parts, l.want, n);
    printf(", %.2e with an F16 cache\n", off_f16);
    runner_deinit(&r);
    assert_true(off <= s->nmse_max);
    assert_true(off_f16 <= s->nmse_max + nmse_max_f16_cache);

    runner_init(&r, l.model, GOL_KV_F32);
    check_greedy(s, &l, &r);
    runner_deinit(&r);
    free(whole);
    free(parts);
    unload(&l);
}

static void logits_and_greedy_ids_agree_with_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        check_subject(&subjects[i]);
}

static const subject *find_subject(const char *name)
{
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        if (strcmp(subjects[i].name, name) == 0)
            return &subjects[i];
    fail_msg("no subject '%s'", name);
    return NULL;
}

static void thread_counts_change_no_bit(void **state)
{
    (void)state;
    float *first = NULL;
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        loaded l = load(find_subject("llama256-q4_k_m"), n_threads);
        const size_t n = (size_t)l.n_tokens * (size_t)gol_model_config(l.model)->n_vocab;
        float *logits = malloc(n * sizeof *logits);
        model_runner r;
        runner_init(&r, l.model, GOL_KV_F16);
        runner_logits(&r, logits, l.tokens, l.n_tokens, l.n_tokens);
        runner_deinit(&r);
        if (first)
            assert_memory_equal(logits, first, n * sizeof *logits);
        else
            first = logits;
        if (logits != first)
            free(logits);
        unload(&l);
    }
    free(first);
}

int main(void)
{
    if (!conformance_has(subjects[0].name))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_and_greedy_ids_agree_with_the_reference),
        cmocka_unit_test(thread_counts_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
