/*
 * Embeddings through the engine, on tiny models: an encoder's prompt is computed whole or not at all, a decoder's in any slices, beside
 * streams and through preemption; the vector's bits are always the same.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "support/collector.h"
#include "support/test_dir.h"
#include "support/tiny_archs.h"

enum { N_CLIENTS = 8, N_PROMPT = 40, BLOCK = 4 };

typedef struct loaded {
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
} loaded;

static loaded load(const char *name, int n_threads)
{
    loaded l = {0};
    gol_err err = {0};
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    int i = 0;
    while (strcmp(arch_cases[i].name, name) != 0)
        i++;
    if (arch_case_write(&arch_cases[i], path, &err) < 0 ||
        gol_model_file_open(&l.file, path, &err) < 0 ||
        gol_backend_cpu_create(&l.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) < 0 ||
        gol_model_load(&l.model, l.file, l.be, NULL, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    return l;
}

static void unload(loaded *l)
{
    gol_model_destroy(&l->model);
    gol_backend_destroy(&l->be);
    gol_model_file_close(&l->file);
}

static gol_engine *create_engine(const loaded *l, gol_engine_opts opts)
{
    gol_err err = {0};
    gol_engine *engine;
    opts.block_size = BLOCK;
    opts.max_model_len = 2 * N_PROMPT;
    if (gol_engine_create(&engine, l->model, &opts, &err) != 0)
        fail_msg("%s", err.message);
    return engine;
}

static const int32_t *prompt_of(int client)
{
    static int32_t prompts[N_CLIENTS][N_PROMPT];
    for (int i = 0; i < N_PROMPT; i++)
        prompts[client][i] = (7 * i * i + 3 * i + client) % TINY_VOCAB;
    return prompts[client];
}

static int32_t n_prompt_of(int client)
{
    return N_PROMPT - 3 * client;
}

static gol_request request_of(int client, gol_embedding *embedding, collector *c)
{
    gol_request request = {
        .prompt = prompt_of(client),
        .n_prompt = n_prompt_of(client),
        .n_logprobs = -1,
        .embedding = embedding,
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = collector_take,
        .user = c,
    };
    request.sampling.temperature = 0.0f;
    return request;
}

static void submit(gol_engine *engine, const gol_request *request)
{
    gol_err err = {0};
    uint64_t id;
    if (gol_engine_submit(engine, request, &id, &err) != 0)
        fail_msg("%s", err.message);
}

static bool has_answers; /* of this model */

/* All clients at once, with as many streams beside them that draw n_answer tokens each, the same ones whenever this is called. */
static void embed_together(gol_engine *engine, gol_pooling pooling, int32_t n_answer,
                           float values[N_CLIENTS][TINY_EMBD])
{
    static int32_t answers[N_CLIENTS][COLLECTOR_TOKENS_MAX];
    static collector clients[2 * N_CLIENTS];
    gol_embedding embeddings[N_CLIENTS];
    const int n_streams = n_answer > 0 ? N_CLIENTS : 0;
    for (int i = 0; i < N_CLIENTS + n_streams; i++) {
        const int k = i % N_CLIENTS;
        collector_init(&clients[i]);
        clients[i].is_held = i == 0; /* until all are there */
        if (i < N_CLIENTS)
            embeddings[i] = (gol_embedding){.values = values[i], .pooling = pooling};
        gol_request request = request_of(k, i < N_CLIENTS ? &embeddings[i] : NULL, &clients[i]);
        if (i >= N_CLIENTS)
            request.max_tokens = n_answer;
        submit(engine, &request);
    }
    collector_release(&clients[0]);
    for (int i = 0; i < N_CLIENTS + n_streams; i++) {
        assert_true(collector_wait_end(&clients[i]));
        assert_int_equal(clients[i].last.finish, GOL_FINISH_LENGTH);
        assert_int_equal(clients[i].n_tokens, i < N_CLIENTS ? 0 : n_answer);
        if (i < N_CLIENTS)
            assert_int_equal(clients[i].last.n_cached, 0);
        else if (has_answers)
            assert_memory_equal(clients[i].tokens, answers[i - N_CLIENTS], sizeof answers[0]);
        else
            memcpy(answers[i - N_CLIENTS], clients[i].tokens, sizeof answers[0]);
        collector_deinit(&clients[i]);
    }
    has_answers = has_answers || n_answer > 0;
}

static void embed_alone(gol_engine *engine, gol_pooling pooling, float values[N_CLIENTS][TINY_EMBD])
{
    for (int i = 0; i < N_CLIENTS; i++) {
        collector c;
        collector_init(&c);
        gol_embedding embedding = {.values = values[i], .pooling = pooling};
        const gol_request request = request_of(i, &embedding, &c);
        submit(engine, &request);
        assert_true(collector_wait_end(&c));
        collector_deinit(&c);
    }
}

static void encoders_prompts_are_computed_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-cls", "nomic-bert", "bert-rank", "bert-classes"};
    float alone[N_CLIENTS][TINY_EMBD] = {{0}}; /* scores are fewer numbers */
    float together[N_CLIENTS][TINY_EMBD] = {{0}};
    for (size_t m = 0; m < sizeof names / sizeof names[0]; m++) {
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            loaded l = load(names[m], n_threads);
            const int32_t sizes[] = {N_PROMPT, N_PROMPT + 7, 3 * N_PROMPT, 512};
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                gol_engine *engine = create_engine(
                    &l, (gol_engine_opts){.max_seqs = N_CLIENTS, .max_batch_tokens = sizes[s]});
                if (n_threads == 1 && s == 0)
                    embed_alone(engine, GOL_POOLING_NONE, alone);
                embed_together(engine, GOL_POOLING_NONE, 0, together);
                assert_memory_equal(together, alone, sizeof alone);
                gol_engine_stats stats;
                gol_engine_get_stats(engine, &stats);
                assert_int_equal(stats.n_blocks_free, stats.n_blocks); /* nothing stays */
                assert_int_equal(stats.n_prefix_queries, 0);
                gol_engine_destroy(&engine);
            }
            unload(&l);
        }
    }
}

/* Returns the number of preemptions. */
static uint64_t embed_in_crowds(const char *name)
{
    float alone[N_CLIENTS][TINY_EMBD];
    float again[N_CLIENTS][TINY_EMBD];
    loaded l = load(name, 2);
    uint64_t n_preemptions = 0;
    has_answers = false;
    for (int pooling = GOL_POOLING_MEAN; pooling <= GOL_POOLING_LAST; pooling++) {
        gol_engine *engine = create_engine(
            &l, (gol_engine_opts){.max_seqs = 2 * N_CLIENTS, .max_batch_tokens = 512});
        const uint64_t kv_bytes = gol_engine_get_limits(engine)->kv_bytes;
        embed_alone(engine, (gol_pooling)pooling, alone);
        gol_engine_destroy(&engine);
        for (int32_t n_batch = 2 * N_CLIENTS; n_batch <= 64; n_batch *= 2) {
            engine = create_engine(&l, (gol_engine_opts){.max_seqs = 2 * N_CLIENTS,
                                                         .max_batch_tokens = n_batch,
                                                         .kv_bytes = kv_bytes / 5});
            embed_together(engine, (gol_pooling)pooling, 30, again);
            assert_memory_equal(again, alone, sizeof alone);
            gol_engine_stats stats;
            gol_engine_get_stats(engine, &stats);
            n_preemptions += stats.n_preemptions;
            gol_engine_destroy(&engine);
        }
    }
    unload(&l);
    return n_preemptions;
}

static void a_decoder_embeds_beside_streams_and_through_preemption(void **state)
{
    (void)state;
    embed_in_crowds("gemma3-linear"); /* its windows do not grow: it seldom has to give way */
    assert_true(embed_in_crowds("gemma") > 0);
}

static void scores_are_as_many_as_classes_and_differ_by_text(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-rank", "bert-classes", "qwen3-rank"};
    for (size_t m = 0; m < sizeof names / sizeof names[0]; m++) {
        float values[N_CLIENTS][TINY_EMBD] = {{0}};
        loaded l = load(names[m], 1);
        const int32_t n_classes = gol_model_config(l.model)->classifier.n_classes;
        assert_int_equal(n_classes, m == 0 ? 1 : m == 1 ? 3 : 2);
        gol_engine *engine = create_engine(&l, (gol_engine_opts){.max_seqs = N_CLIENTS});
        embed_alone(engine, GOL_POOLING_RANK, values);
        for (int i = 0; i < N_CLIENTS; i++) {
            float sum = 0;
            for (int k = 0; k < TINY_EMBD; k++) {
                sum += values[i][k];
                assert_true((values[i][k] != 0) == (k < n_classes)); /* nothing behind them */
            }
            if (m == 2) /* probabilities */
                assert_true(fabsf(sum - 1.0f) < 1e-6f);
            assert_true(i == 0 || values[i][0] != values[0][0]);
        }
        gol_engine_destroy(&engine);
        unload(&l);
    }
}

static void a_second_text_is_told_from_the_first_in_any_company(void **state)
{
    (void)state;
    loaded l = load("bert-rank", 2);
    gol_engine *engine = create_engine(&l, (gol_engine_opts){.max_seqs = N_CLIENTS});
    float alone[N_CLIENTS];
    float together[N_CLIENTS];
    for (int is_alone = 1; is_alone >= 0; is_alone--) {
        collector clients[N_CLIENTS];
        gol_embedding embeddings[N_CLIENTS];
        for (int i = 0; i < N_CLIENTS; i++) {
            collector_init(&clients[i]);
            clients[i].is_held = i == 0 && !is_alone;
            embeddings[i] = (gol_embedding){.values = is_alone ? &alone[i] : &together[i],
                                            .n_first = 5 * i}; /* 0: it is one text */
            const gol_request request = request_of(0, &embeddings[i], &clients[i]);
            submit(engine, &request);
            if (is_alone)
                assert_true(collector_wait_end(&clients[i]));
        }
        if (!is_alone)
            collector_release(&clients[0]);
        for (int i = 0; i < N_CLIENTS; i++) {
            assert_true(collector_wait_end(&clients[i]));
            collector_deinit(&clients[i]);
        }
    }
    assert_memory_equal(together, alone, sizeof alone);
    for (int i = 1; i < N_CLIENTS; i++)
        assert_true(alone[i] != alone[i - 1]);
    gol_engine_destroy(&engine);
    unload(&l);
}

static void a_reranking_decoder_scores_in_slices_and_through_preemption(void **state)
{
    (void)state;
    float alone[N_CLIENTS][TINY_EMBD] = {{0}};
    float again[N_CLIENTS][TINY_EMBD] = {{0}};
    loaded l = load("qwen3-rank", 2);
    gol_engine *engine = create_engine(&l, (gol_engine_opts){.max_batch_tokens = 512});
    const uint64_t kv_bytes = gol_engine_get_limits(engine)->kv_bytes;
    embed_alone(engine, GOL_POOLING_NONE, alone);
    gol_engine_destroy(&engine);
    for (int32_t n_batch = N_CLIENTS; n_batch <= 64; n_batch *= 2) {
        engine = create_engine(&l, (gol_engine_opts){.max_seqs = N_CLIENTS,
                                                     .max_batch_tokens = n_batch,
                                                     .kv_bytes = kv_bytes / 5});
        embed_together(engine, GOL_POOLING_NONE, 0, again);
        assert_memory_equal(again, alone, sizeof alone);
        gol_engine_destroy(&engine);
    }
    unload(&l);
}

static void expect_refusal(gol_engine *engine, const gol_request *request, int code,
                           const char *part_of_message)
{
    gol_err err = {0};
    uint64_t id;
    const int rc = gol_engine_submit(engine, request, &id, &err);
    if (rc != code || !strstr(err.message, part_of_message))
        fail_msg("got %d '%s', want %d with '%s'", rc, err.message, code, part_of_message);
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    float values[TINY_EMBD];
    gol_embedding embedding = {.values = values};
    collector c;
    collector_init(&c);
    loaded l = load("bert-cls", 1);
    gol_engine *engine = create_engine(&l, (gol_engine_opts){.max_batch_tokens = N_PROMPT - 1});
    gol_request request = request_of(0, &embedding, &c);
    expect_refusal(engine, &request, GOL_ECONTEXT,
                   "40 tokens; an encoder reads it in one step, which has 39");
    request.n_prompt--; /* at the limit */
    submit(engine, &request);
    assert_true(collector_wait_end(&c));
    embedding.n_first = request.n_prompt + 1;
    expect_refusal(engine, &request, GOL_EINVAL, "n_first is 40, the prompt has 39");
    embedding.n_first = -1;
    expect_refusal(engine, &request, GOL_EINVAL, "n_first is -1");
    embedding.n_first = 0;
    request.max_tokens = 1;
    expect_refusal(engine, &request, GOL_EINVAL, "max_tokens is 1");
    request.embedding = NULL;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "encoder");
    gol_engine_destroy(&engine);
    unload(&l);

    l = load("smollm3", 1);
    engine = create_engine(&l, (gol_engine_opts){0});
    request = request_of(0, &embedding, &c);
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "names no pooling");
    embedding.pooling = (gol_pooling)(GOL_POOLING_RANK + 1);
    expect_refusal(engine, &request, GOL_EINVAL, "embedding.pooling is 5");
    embedding.pooling = GOL_POOLING_RANK;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "no classifier");
    embedding = (gol_embedding){.pooling = GOL_POOLING_LAST};
    expect_refusal(engine, &request, GOL_EINVAL, "no values");
    gol_engine_destroy(&engine);
    unload(&l);

    l = load("qwen3-rank", 1);
    engine = create_engine(&l, (gol_engine_opts){0});
    request = request_of(0, NULL, &c);
    request.max_tokens = 1;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "a reranker: it scores texts");
    gol_engine_destroy(&engine);
    unload(&l);
    collector_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_prompts_are_computed_whole),
        cmocka_unit_test(a_decoder_embeds_beside_streams_and_through_preemption),
        cmocka_unit_test(scores_are_as_many_as_classes_and_differ_by_text),
        cmocka_unit_test(a_second_text_is_told_from_the_first_in_any_company),
        cmocka_unit_test(a_reranking_decoder_scores_in_slices_and_through_preemption),
        cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
