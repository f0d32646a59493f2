/*
 * Tiny models of architectures against another implementation's answers, which are committed (tests/data/archs/X.f32: logits
 * of every position, an encoder's vector or a classifier's scores; tests/golden/make/arch_logits.sh makes them anew), and the same bits in slices of any
 * size and on any number of threads. With the arguments --write DIR it writes the models and does nothing else.
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

#include "support/model_runner.h"
#include "support/test_dir.h"
#include "support/tiny_archs.h"

/* The reference computes in float32 as we do: what is left is the order of sums. */
static const double nmse_max_plain = 1e-10;
/* GELU's argument and result are rounded to binary16 on both sides, and may fall on different ones. */
static const double nmse_max_gelu = 1e-7;
/* BERT's GELU is the exact one here, the tanh approximation there. */
static const double nmse_max_erf = 1e-6;

enum { N_TOKENS = 24 };

static void make_tokens(int32_t tokens[static N_TOKENS])
{
    for (int i = 0; i < N_TOKENS; i++) /* 7 and 40 have no common factor */
        tokens[i] = (7 * i * i + 3 * i + 5) % TINY_VOCAB;
}

/* One for the whole sequence; otherwise logits of each position. */
static bool has_vector(const arch_case *a)
{
    return (a->traits & ARCH_ENCODER) || arch_n_classes(a) > 0;
}

static int32_t n_values_of(const arch_case *a)
{
    return arch_n_classes(a) > 0 ? arch_n_classes(a) : TINY_EMBD;
}

static double nmse_max_of(const arch_case *a)
{
    if (strcmp(a->arch, "bert") == 0)
        return nmse_max_erf;
    const bool has_gelu = (a->traits & ARCH_PLAIN_FFN) || strncmp(a->arch, "gemma", 5) == 0;
    return has_gelu ? nmse_max_gelu : nmse_max_plain;
}

typedef struct loaded {
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
} loaded;

static loaded load(const arch_case *a, int n_threads)
{
    loaded l = {0};
    gol_err err = {0};
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    if (arch_case_write(a, path, &err) < 0 || gol_model_file_open(&l.file, path, &err) < 0 ||
        gol_backend_cpu_create(&l.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) < 0 ||
        gol_model_load(&l.model, l.file, l.be, NULL, &err) < 0)
        fail_msg("%s: %s", a->name, err.message);
    return l;
}

static void unload(loaded *l)
{
    gol_model_destroy(&l->model);
    gol_backend_destroy(&l->be);
    gol_model_file_close(&l->file);
}

static int32_t read_expected(const arch_case *a, float *out, int32_t n_max)
{
    char path[512];
    snprintf(path, sizeof path, "%s/archs/%s.f32", TEST_DATA_DIR, a->name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    const size_t n = fread(out, sizeof *out, (size_t)n_max, f);
    fclose(f);
    return (int32_t)n;
}

static void check_near(const arch_case *a, const float *got, int32_t n)
{
    static float want[N_TOKENS * TINY_VOCAB + 1];
    assert_int_equal(read_expected(a, want, N_TOKENS * TINY_VOCAB + 1), n);
    double off = 0;
    double all = 0;
    for (int32_t i = 0; i < n; i++) {
        off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        all += (double)want[i] * (double)want[i];
    }
    printf("    %-16s NMSE %.2e\n", a->name, off / all);
    if (!(off <= nmse_max_of(a) * all) || !(all > 0))
        fail_msg("%s: at most %.3g is allowed", a->name, nmse_max_of(a));
}

static void decoders_agree_with_the_reference_in_any_slices(void **state)
{
    (void)state;
    static const int32_t chunks[] = {1, 5, 16};
    static float whole[N_TOKENS * TINY_VOCAB];
    static float parts[N_TOKENS * TINY_VOCAB];
    int32_t tokens[N_TOKENS];
    make_tokens(tokens);
    for (int i = 0; i < N_ARCH_CASES; i++) {
        const arch_case *a = &arch_cases[i];
        for (int n_threads = 1; n_threads <= 3 && !has_vector(a); n_threads++) {
            loaded l = load(a, n_threads);
            model_runner r;
            runner_init(&r, l.model, GOL_KV_F32);
            runner_logits(&r, n_threads == 1 ? whole : parts, tokens, N_TOKENS, N_TOKENS);
            if (n_threads == 1)
                check_near(a, whole, N_TOKENS * TINY_VOCAB);
            for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
                if (n_threads > 1 || c > 0)
                    assert_memory_equal(parts, whole, sizeof whole);
                runner_logits(&r, parts, tokens, N_TOKENS, chunks[c]);
            }
            assert_memory_equal(parts, whole, sizeof whole);
            runner_deinit(&r);
            unload(&l);
        }
    }
}

/* What the model makes of a sequence's states[N_TOKENS][TINY_EMBD]. */
static void pool(const loaded *l, model_runner *r, const float *states, float *values)
{
    const gol_config *c = gol_model_config(l->model);
    if (c->pooling == GOL_POOLING_RANK) {
        gol_forward_classify(r->fwd, values,
                             states + (c->is_causal ? N_TOKENS - 1 : 0) * TINY_EMBD);
        return;
    }
    const int32_t n_pooled = c->pooling == GOL_POOLING_MEAN ? N_TOKENS : 1;
    for (int k = 0; k < TINY_EMBD; k++) {
        values[k] = 0.0f;
        for (int32_t i = 0; i < n_pooled; i++)
            values[k] += states[i * TINY_EMBD + k] / (float)n_pooled;
    }
}

/* values[n_values_of()], pooled as the case says, of the sequence in block_table's first places behind first_row rows of another. */
static void embed(const loaded *l, model_runner *r, const int32_t *tokens, int32_t n_others,
                  float *values)
{
    int32_t rows[2 * N_TOKENS];
    int32_t all[2 * N_TOKENS];
    int32_t positions[2 * N_TOKENS];
    int32_t slots[2 * N_TOKENS];
    const int32_t half = RUNNER_BLOCKS / 2;
    const int32_t n = n_others + N_TOKENS;
    for (int32_t i = 0; i < n; i++) {
        const int32_t p = i < n_others ? i : i - n_others;
        const int32_t *table = i < n_others ? r->block_table + half : r->block_table;
        all[i] = tokens[i < n_others ? N_TOKENS - 1 - p : p];
        positions[i] = p;
        slots[i] = table[p / RUNNER_BLOCK_SIZE] * RUNNER_BLOCK_SIZE + p % RUNNER_BLOCK_SIZE;
        rows[i] = i;
    }
    const gol_batch_seq seqs[2] = {
        {.n_rows = n_others, .n_blocks = half, .block_table = r->block_table + half},
        {.first_row = n_others,
         .n_rows = N_TOKENS,
         .n_blocks = half,
         .block_table = r->block_table},
    };
    const gol_batch batch = {.n_tokens = n,
                             .tokens = all,
                             .positions = positions,
                             .slot_mapping = slots,
                             .n_seqs = n_others > 0 ? 2 : 1,
                             .seqs = n_others > 0 ? seqs : seqs + 1,
                             .n_states = N_TOKENS,
                             .state_rows = rows + n_others};
    gol_forward_run(r->fwd, r->kv, NULL, &batch);
    pool(l, r, gol_forward_states(r->fwd, &batch, 0), values);
}

static void vectors_agree_with_the_reference_in_any_company(void **state)
{
    (void)state;
    float alone[TINY_EMBD];
    float again[TINY_EMBD];
    int32_t tokens[N_TOKENS];
    make_tokens(tokens);
    for (int i = 0; i < N_ARCH_CASES; i++) {
        const arch_case *a = &arch_cases[i];
        const size_t n_bytes = (size_t)n_values_of(a) * sizeof(float);
        for (int n_threads = 1; n_threads <= 3 && has_vector(a); n_threads++) {
            loaded l = load(a, n_threads);
            model_runner r;
            runner_init(&r, l.model, GOL_KV_F32);
            embed(&l, &r, tokens, 0, n_threads == 1 ? alone : again);
            if (n_threads == 1)
                check_near(a, alone, n_values_of(a));
            else
                assert_memory_equal(again, alone, n_bytes);
            embed(&l, &r, tokens, 11, again);
            assert_memory_equal(again, alone, n_bytes);
            runner_deinit(&r);
            unload(&l);
        }
    }
}

/* For the script that makes the data: a line for each model, with its name, what is wanted, and the tokens. */
static int write_models(const char *to)
{
    int32_t tokens[N_TOKENS];
    make_tokens(tokens);
    for (int i = 0; i < N_ARCH_CASES; i++) {
        char path[512];
        gol_err err = {0};
        snprintf(path, sizeof path, "%s/%s.gguf", to, arch_cases[i].name);
        if (arch_case_write(&arch_cases[i], path, &err) < 0) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        const arch_case *a = &arch_cases[i];
        printf("%s %s", a->name,
               arch_n_classes(a) > 0 ? "rank"
               : has_vector(a)       ? "embedding"
                                     : "logits");
        for (int k = 0; k < N_TOKENS; k++)
            printf(" %d", tokens[k]);
        printf("\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_models(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoders_agree_with_the_reference_in_any_slices),
        cmocka_unit_test(vectors_agree_with_the_reference_in_any_company),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
