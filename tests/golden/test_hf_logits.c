/*
 * Models in the form of Hugging Face's transformers against that library's logits (tests/golden/make/make_hf_models.py). Without
 * arguments those in tests/data/hf; `test_hf_logits DIR` takes all folders in DIR that have `tokens` and `logits.f32`.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/model_runner.h"

/* Both compute in 32-bit floats: what is left is the order of sums. */
static const double nmse_max = 1e-6;

enum { PATH_MAX_HERE = 1024 };

static const char *root = TEST_DATA_DIR "/hf";

static FILE *open_in(const char *folder, const char *name)
{
    char path[PATH_MAX_HERE];
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    return fopen(path, "rb");
}

static int32_t read_tokens(int32_t *tokens, const char *folder)
{
    FILE *f = open_in(folder, "tokens");
    int32_t n = 0;
    assert_non_null(f);
    while (n < RUNNER_CTX_MAX && fscanf(f, "%d", &tokens[n]) == 1)
        n++;
    fclose(f);
    assert_true(n > 0);
    return n;
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

/* False: gollum has no such architecture (yet). */
static bool load(gol_model **model, gol_model_file **file, gol_backend *be, const char *path)
{
    gol_err err = {0};
    *model = NULL;
    if (gol_model_file_open(file, path, &err) == 0 &&
        gol_model_load(model, *file, be, NULL, &err) == 0)
        return true;
    printf("    %s\n", err.message);
    return false;
}

static bool agrees(const char *folder)
{
    char path[PATH_MAX_HERE];
    int32_t tokens[RUNNER_CTX_MAX];
    gol_model_file *file;
    gol_model *model;
    gol_backend *be;
    const int32_t n_tokens = read_tokens(tokens, folder);
    snprintf(path, sizeof path, "%s/%s", root, folder);
    assert_int_equal(gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 1}, NULL), 0);
    double off = 1;
    if (load(&model, &file, be, path)) {
        const size_t n = (size_t)n_tokens * (size_t)gol_model_config(model)->n_vocab;
        float *want = malloc((n + 1) * sizeof *want);
        float *got = malloc(n * sizeof *got);
        FILE *f = open_in(folder, "logits.f32");
        assert_true(want && got && f);
        assert_int_equal(fread(want, sizeof *want, n + 1, f), n);
        fclose(f);
        model_runner r;
        runner_init(&r, model, GOL_KV_F32);
        runner_logits(&r, got, tokens, n_tokens, n_tokens);
        off = nmse(got, want, n);
        printf("    %-20s NMSE %.2e %s\n", folder, off, off <= nmse_max ? "" : "TOO MUCH");
        runner_deinit(&r);
        free(want);
        free(got);
    }
    gol_model_destroy(&model);
    gol_backend_destroy(&be);
    gol_model_file_close(&file);
    return off <= nmse_max;
}

static void logits_of_folders_agree_with_transformers(void **state)
{
    (void)state;
    DIR *dir = opendir(root);
    assert_non_null(dir);
    int n = 0;
    int n_bad = 0;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        FILE *f = entry->d_name[0] == '.' ? NULL : open_in(entry->d_name, "logits.f32");
        if (!f)
            continue;
        fclose(f);
        n++;
        n_bad += !agrees(entry->d_name);
    }
    closedir(dir);
    assert_true(n > 0);
    assert_int_equal(n_bad, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        root = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_of_folders_agree_with_transformers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
