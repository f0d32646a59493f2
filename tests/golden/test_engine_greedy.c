/*
 * Another implementation's greedy continuations, through the engine under load: each model serves eight requests at once, with
 * prompts cut in slices and a cache so small that some are preempted, or that they fit only by sharing what they have in common;
 * and each of them gets the reference's ids.
 * Data: models/X.{gguf,tokens,greedy} under GOLLUM_CONFORMANCE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "support/collector.h"
#include "support/conformance_ids.h"

enum { N_IDS_MAX = 64, N_GREEDY = 32, N_CLIENTS = 8 };

static void serve(const gol_model *model, const int32_t *prompt, int32_t n_prompt,
                  const int32_t *expected, bool is_shared)
{
    static collector clients[N_CLIENTS];
    gol_err err = {0};
    gol_engine *engine;
    gol_engine_opts opts = {.max_seqs = N_CLIENTS, .max_batch_tokens = 12, .block_size = 4};
    opts.max_model_len = n_prompt + N_GREEDY;
    opts.kv_type = GOL_KV_F32;
    opts.no_prefix_caching = !is_shared;
    /* Once to see what one sequence takes, then with room for three. */
    if (gol_engine_create(&engine, model, &opts, &err) != 0)
        fail_msg("%s", err.message);
    const gol_engine_limits *limits = gol_engine_get_limits(engine);
    opts.kv_bytes = limits->kv_bytes / N_CLIENTS * 3;
    gol_engine_destroy(&engine);
    if (gol_engine_create(&engine, model, &opts, &err) != 0)
        fail_msg("%s", err.message);

    for (int i = 0; i < N_CLIENTS; i++) {
        collector_init(&clients[i]);
        clients[i].is_held = i == 0; /* until all are there */
        gol_request request = {
            .prompt = prompt,
            .n_prompt = n_prompt,
            .max_tokens = N_GREEDY - i, /* they end at different times */
            .n_logprobs = -1,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = collector_take,
            .user = &clients[i],
        };
        request.sampling.temperature = 0.0f;
        uint64_t id;
        if (gol_engine_submit(engine, &request, &id, &err) != 0)
            fail_msg("%s", err.message);
    }
    collector_release(&clients[0]);
    for (int i = 0; i < N_CLIENTS; i++) {
        assert_true(collector_wait_end(&clients[i]));
        assert_int_equal(clients[i].n_tokens, N_GREEDY - i);
        for (int32_t k = 0; k < clients[i].n_tokens; k++) {
            if (clients[i].tokens[k] != expected[k])
                fail_msg("client %d, token %d: %d, expected %d", i, k, clients[i].tokens[k],
                         expected[k]);
        }
    }
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    if (is_shared)
        assert_true(stats.n_prefix_hits >= (uint64_t)(N_CLIENTS - 1) * (uint64_t)(n_prompt - 1));
    else if (gol_engine_get_limits(engine)->layout.n_groups == 1) /* windows do not grow */
        assert_true(stats.n_preemptions > 0);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N_CLIENTS; i++)
        collector_deinit(&clients[i]);
}

static void eight_clients_get_the_reference_ids(void **state)
{
    const char *name = *state;
    int32_t prompt[N_IDS_MAX];
    int32_t expected[N_IDS_MAX];
    const int32_t n_prompt = conformance_ids(prompt, N_IDS_MAX, name, "tokens");
    assert_int_equal(conformance_ids(expected, N_IDS_MAX, name, "greedy"), N_GREEDY);
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, name, "gguf");
    gol_err err = {0};
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
    if (gol_model_file_open(&file, path, &err) != 0 ||
        gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 2}, &err) != 0 ||
        gol_model_load(&model, file, be, NULL, &err) != 0)
        fail_msg("%s", err.message);
    serve(model, prompt, n_prompt, expected, false);
    serve(model, prompt, n_prompt, expected, true);
    gol_model_destroy(&model);
    gol_backend_destroy(&be);
    gol_model_file_close(&file);
}

int main(void)
{
    static char names[][16] = {"llama-f16",  "gpt2-f16",   "stories260K", "qwen3-f16",
                               "falcon-f16", "gemma3-f16", "olmo2-f16",   "phi3-f16"};
    if (!conformance_has(names[0]))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[0]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[1]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[2]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[3]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[4]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[5]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[6]),
        cmocka_unit_test_prestate(eight_clients_get_the_reference_ids, names[7]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
