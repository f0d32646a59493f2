/*
 * Models in the form of Hugging Face's transformers against that library's answers (tests/golden/make/make_hf_models.py): logits of
 * every position, or an encoder's states of every position, and the one vector of a text where the folder says how it is made, or a classifier's scores. Without
 * arguments those in tests/data/hf; `test_hf_logits DIR` takes all folders in DIR that have `tokens`. A folder with model.gguf stands for
 * what `gollum convert` made of it: that file is compared.
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

#include "engine/engine.h"
#include "support/collector.h"
#include "support/model_runner.h"

/* Both compute in 32-bit floats: what is left is the order of sums, and GELU's table of 11 bits. */
static const double nmse_max = 1e-6;

enum { PATH_MAX_HERE = 1024 };

static const char *root = TEST_DATA_DIR "/hf";

typedef struct loaded {
    const char *folder;
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
    int32_t tokens[RUNNER_CTX_MAX];
    int32_t n_tokens;
} loaded;

static FILE *open_in(const char *folder, const char *name)
{
    char path[PATH_MAX_HERE];
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    return fopen(path, "rb");
}

static bool has(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    if (f)
        fclose(f);
    return f != NULL;
}

static void read_tokens(loaded *l)
{
    FILE *f = open_in(l->folder, "tokens");
    assert_non_null(f);
    while (l->n_tokens < RUNNER_CTX_MAX && fscanf(f, "%d", &l->tokens[l->n_tokens]) == 1)
        l->n_tokens++;
    fclose(f);
    assert_true(l->n_tokens > 0);
}

/* Tokens of the first of two texts; 0: it is one. */
static int32_t read_n_first(const char *folder)
{
    int32_t n = 0;
    FILE *f = open_in(folder, "n_first");
    if (f) {
        assert_int_equal(fscanf(f, "%d", &n), 1);
        fclose(f);
    }
    return n;
}

/* False: gollum cannot read it; the message is printed. */
static bool load(loaded *l, const char *folder)
{
    char path[PATH_MAX_HERE];
    gol_err err = {0};
    *l = (loaded){.folder = folder};
    read_tokens(l);
    snprintf(path, sizeof path, "%s/%s%s", root, folder,
             has(folder, "model.gguf") ? "/model.gguf" : "");
    assert_int_equal(gol_backend_cpu_create(&l->be, &(gol_cpu_opts){.n_threads = 1}, NULL), 0);
    if (gol_model_file_open(&l->file, path, &err) == 0 &&
        gol_model_load(&l->model, l->file, l->be, NULL, &err) == 0)
        return true;
    printf("    %s\n", err.message);
    return false;
}

static void unload(loaded *l)
{
    gol_model_destroy(&l->model);
    gol_backend_destroy(&l->be);
    gol_model_file_close(&l->file);
}

/* The squared difference from the floats in the file, relative to their squares. The file has n of them, no more and no less. */
static bool is_near(const loaded *l, const char *name, const float *got, size_t n)
{
    float *want = malloc((n + 1) * sizeof *want);
    FILE *f = open_in(l->folder, name);
    double off = 0;
    double all = 0;
    assert_true(want && f);
    assert_int_equal(fread(want, sizeof *want, n + 1, f), n);
    fclose(f);
    for (size_t i = 0; i < n; i++) {
        const double d = (double)got[i] - (double)want[i];
        off += d * d;
        all += (double)want[i] * (double)want[i];
    }
    free(want);
    const bool is_ok = off <= nmse_max * all && all > 0;
    printf("    %-24s %-13s NMSE %.2e %s\n", l->folder, name, off / all, is_ok ? "" : "TOO MUCH");
    return is_ok;
}

static bool logits_agree(const loaded *l)
{
    const size_t n = (size_t)l->n_tokens * (size_t)gol_model_config(l->model)->n_vocab;
    float *got = malloc(n * sizeof *got);
    model_runner r;
    assert_non_null(got);
    runner_init(&r, l->model, GOL_KV_F32);
    runner_logits(&r, got, l->tokens, l->n_tokens, l->n_tokens);
    const bool is_ok = is_near(l, "logits.f32", got, n);
    runner_deinit(&r);
    free(got);
    return is_ok;
}

static bool states_agree(const loaded *l)
{
    int32_t rows[RUNNER_CTX_MAX];
    int32_t slots[RUNNER_CTX_MAX];
    model_runner r;
    runner_init(&r, l->model, GOL_KV_F32);
    for (int32_t i = 0; i < l->n_tokens; i++) {
        rows[i] = i;
        slots[i] = r.block_table[i / RUNNER_BLOCK_SIZE] * RUNNER_BLOCK_SIZE + i % RUNNER_BLOCK_SIZE;
    }
    const gol_batch_seq seq = {
        .n_rows = l->n_tokens, .n_blocks = RUNNER_BLOCKS, .block_table = r.block_table};
    const gol_batch batch = {.n_tokens = l->n_tokens,
                             .tokens = l->tokens,
                             .positions = rows,
                             .slot_mapping = slots,
                             .n_seqs = 1,
                             .seqs = &seq,
                             .n_states = l->n_tokens,
                             .state_rows = rows};
    gol_forward_run(r.fwd, r.kv, r.state, &batch);
    const float *states = gol_forward_states(r.fwd, &batch, 0);
    const bool is_ok = is_near(l, "states.f32", states,
                               (size_t)l->n_tokens * (size_t)gol_model_config(l->model)->n_embd);
    runner_deinit(&r);
    return is_ok;
}

/* By the engine: pooled as the folder says, through the linear layers that it has; or scored, as a classifier does. */
static bool vector_agrees(const loaded *l, const char *name)
{
    const gol_config *config = gol_model_config(l->model);
    const int32_t n_classes = config->classifier.n_classes;
    const size_t n = (size_t)(n_classes > 0 ? n_classes : config->n_embd);
    const gol_engine_opts opts = {.max_seqs = 1,
                                  .max_batch_tokens = l->n_tokens,
                                  .max_model_len = l->n_tokens,
                                  .block_size = 4,
                                  .kv_type = GOL_KV_F32};
    gol_embedding embedding = {.values = calloc(n, sizeof(float)),
                               .n_first = read_n_first(l->folder)};
    collector client;
    gol_engine *engine;
    gol_err err = {0};
    uint64_t id;
    collector_init(&client);
    const gol_request request = {.prompt = l->tokens,
                                 .n_prompt = l->n_tokens,
                                 .n_logprobs = -1,
                                 .embedding = &embedding,
                                 .sampling = GOL_SAMPLING_DEFAULT,
                                 .on_output = collector_take,
                                 .user = &client};
    if (gol_engine_create(&engine, l->model, &opts, &err) != 0 ||
        gol_engine_submit(engine, &request, &id, &err) != 0)
        fail_msg("%s: %s", l->folder, err.message);
    assert_true(collector_wait_end(&client));
    collector_deinit(&client);
    gol_engine_destroy(&engine);
    const bool is_ok = is_near(l, name, embedding.values, n);
    free(embedding.values);
    return is_ok;
}

static bool agrees(const char *folder)
{
    loaded l;
    bool is_ok = load(&l, folder);
    int n = 0;
    if (is_ok && has(folder, "logits.f32") && ++n)
        is_ok &= logits_agree(&l);
    if (is_ok && has(folder, "states.f32") && ++n)
        is_ok &= states_agree(&l);
    if (is_ok && has(folder, "embedding.f32") && ++n)
        is_ok &= vector_agrees(&l, "embedding.f32");
    if (is_ok && has(folder, "scores.f32") && ++n)
        is_ok &= vector_agrees(&l, "scores.f32");
    unload(&l);
    return is_ok && n > 0;
}

static void answers_of_folders_agree_with_transformers(void **state)
{
    (void)state;
    DIR *dir = opendir(root);
    assert_non_null(dir);
    int n = 0;
    int n_bad = 0;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || !has(entry->d_name, "tokens"))
            continue;
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
        cmocka_unit_test(answers_of_folders_agree_with_transformers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
