/*
 * Logits of tiny recurrent and hybrid models against llama.cpp's (tests/golden/make/mamba2_models.py), in one batch and in slices,
 * on one thread and on two.
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

static const int32_t tokens[] = {3,  17, 8,  8, 31, 0, 22, 5, 39, 12,
                                 26, 4,  19, 3, 17, 8, 30, 1, 11, 2};
enum { N_TOKENS = sizeof tokens / sizeof *tokens, N_VOCAB = 40 };

/* Both sides compute in float32: what is left is the order of sums. */
static const double nmse_max = 1e-10;

static void read_reference(float *logits, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.logits.f32", TEST_DATA_DIR, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    assert_int_equal(fread(logits, sizeof *logits, N_TOKENS * N_VOCAB, f), N_TOKENS * N_VOCAB);
    fclose(f);
}

static void compute(float *logits, const char *name, int n_threads, int32_t slice)
{
    char path[512];
    gol_err err = {0};
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
    snprintf(path, sizeof path, "%s/%s.gguf", TEST_DATA_DIR, name);
    if (gol_model_file_open(&file, path, &err) != 0 ||
        gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = n_threads}, &err) != 0 ||
        gol_model_load(&model, file, be, NULL, &err) != 0)
        fail_msg("%s", err.message);
    model_runner runner;
    runner_init(&runner, model, GOL_KV_F32);
    runner_logits(&runner, logits, tokens, N_TOKENS, slice);
    runner_deinit(&runner);
    gol_model_destroy(&model);
    gol_backend_destroy(&be);
    gol_model_file_close(&file);
}

static void logits_agree_with_the_reference(void **state)
{
    (void)state;
    static const char *const names[] = {"mamba2", "granitehybrid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static float want[N_TOKENS * N_VOCAB];
        static float got[N_TOKENS * N_VOCAB];
        static float sliced[N_TOKENS * N_VOCAB];
        read_reference(want, names[i]);
        compute(got, names[i], 1, N_TOKENS);
        double errors = 0;
        double squares = 0;
        for (int k = 0; k < N_TOKENS * N_VOCAB; k++) {
            errors += ((double)got[k] - (double)want[k]) * ((double)got[k] - (double)want[k]);
            squares += (double)want[k] * (double)want[k];
        }
        print_message("%s: NMSE %.2e\n", names[i], errors / squares);
        assert_true(errors / squares <= nmse_max);
        const int32_t slices[] = {1, 2, 7};
        for (int n = 0; n < 6; n++) {
            compute(sliced, names[i], 1 + n / 3, slices[n % 3]);
            assert_memory_equal(sliced, got, sizeof got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_agree_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
