/*
 * Embeddings through the engine: the reference's vectors, and the same bits whether a prompt comes alone, among others, in
 * slices (where the model lets it be cut) or on any number of threads.
 * Data: models/X.{gguf,tokens,embedding.f32} under GOLLUM_CONFORMANCE.
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
#include "support/conformance_ids.h"

/* What the reference allows for: its GELU and its KV cache round to 11 bits, ours do not or do so elsewhere. */
static const double cosine_min = 0.9999;

enum { N_IDS_MAX = 64, N_CLIENTS = 8, N_EMBD_MAX = 256 };

typedef struct loaded {
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
    int32_t prompt[N_IDS_MAX];
    int32_t n_prompt;
    int32_t n_embd;
} loaded;

static loaded load(const char *name, int n_threads)
{
    loaded l = {0};
    gol_err err = {0};
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, name, "gguf");
    if (gol_model_file_open(&l.file, path, &err) != 0 ||
        gol_backend_cpu_create(&l.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) != 0 ||
        gol_model_load(&l.model, l.file, l.be, NULL, &err) != 0)
        fail_msg("%s", err.message);
    l.n_prompt = conformance_ids(l.prompt, N_IDS_MAX, name, "tokens");
    l.n_embd = gol_model_config(l.model)->n_embd;
    assert_true(l.n_prompt > N_CLIENTS && l.n_embd <= N_EMBD_MAX);
    return l;
}

static void unload(loaded *l)
{
    gol_model_destroy(&l->model);
    gol_backend_destroy(&l->be);
    gol_model_file_close(&l->file);
}

static gol_engine *create_engine(const loaded *l, int32_t max_batch_tokens)
{
    gol_err err = {0};
    gol_engine *engine;
    const gol_engine_opts opts = {.max_seqs = N_CLIENTS,
                                  .max_batch_tokens = max_batch_tokens,
                                  .max_model_len = N_IDS_MAX,
                                  .block_size = 4,
                                  .kv_type = GOL_KV_F32};
    if (gol_engine_create(&engine, l->model, &opts, &err) != 0)
        fail_msg("%s", err.message);
    return engine;
}

/* Client i embeds the prompt without its last i tokens; all at once, or one after the other. values: [N_CLIENTS][N_EMBD_MAX] */
static void embed(gol_engine *engine, const loaded *l, gol_pooling pooling, bool is_alone,
                  float values[N_CLIENTS][N_EMBD_MAX])
{
    static collector clients[N_CLIENTS];
    gol_embedding embeddings[N_CLIENTS];
    gol_err err = {0};
    for (int i = 0; i < N_CLIENTS; i++) {
        collector_init(&clients[i]);
        clients[i].is_held = i == 0 && !is_alone; /* until all are there */
        embeddings[i] = (gol_embedding){.values = values[i], .pooling = pooling};
        const gol_request request = {
            .prompt = l->prompt,
            .n_prompt = l->n_prompt - i,
            .n_logprobs = -1,
            .embedding = &embeddings[i],
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = collector_take,
            .user = &clients[i],
        };
        uint64_t id;
        if (gol_engine_submit(engine, &request, &id, &err) != 0)
            fail_msg("%s", err.message);
        if (is_alone)
            assert_true(collector_wait_end(&clients[i]));
    }
    if (!is_alone)
        collector_release(&clients[0]);
    for (int i = 0; i < N_CLIENTS; i++) {
        assert_true(collector_wait_end(&clients[i]));
        assert_int_equal(clients[i].n_tokens, 0);
        assert_int_equal(clients[i].last.finish, GOL_FINISH_LENGTH);
        collector_deinit(&clients[i]);
    }
}

static double cosine(const float *a, const float *b, int32_t n)
{
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int32_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static void check_reference(const char *name, const loaded *l, const float *got)
{
    char path[CONFORMANCE_PATH_MAX];
    float want[N_EMBD_MAX + 1];
    conformance_path(path, name, "embedding.f32");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(want, sizeof *want, N_EMBD_MAX + 1, f), l->n_embd);
    fclose(f);
    const double c = cosine(got, want, l->n_embd);
    double off = 0;
    double all = 0;
    for (int32_t i = 0; i < l->n_embd; i++) {
        off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        all += (double)want[i] * (double)want[i];
    }
    printf("    %s: 1 - cosine %.2g, NMSE %.2g\n", name, 1.0 - c, off / all);
    assert_true(c >= cosine_min && off <= 1e-3 * all); /* not only the direction */
}

/* Bits of every client's vector. */
static void assert_same(float a[N_CLIENTS][N_EMBD_MAX], float b[N_CLIENTS][N_EMBD_MAX],
                        int32_t n_embd)
{
    for (int i = 0; i < N_CLIENTS; i++)
        assert_memory_equal(a[i], b[i], (size_t)n_embd * sizeof a[i][0]);
}

static void encoders_give_the_reference_vectors_in_any_company(void **state)
{
    (void)state;
    static const char *const names[] = {"bert-f16", "gemma-embedding-f16"};
    static float alone[N_CLIENTS][N_EMBD_MAX];
    static float together[N_CLIENTS][N_EMBD_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            loaded l = load(names[i], n_threads);
            /* room for one prompt and a little, for some, for all */
            const int32_t sizes[] = {l.n_prompt + 1, 3 * l.n_prompt, N_CLIENTS * l.n_prompt};
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                gol_engine *engine = create_engine(&l, sizes[s]);
                if (n_threads == 1 && s == 0) {
                    embed(engine, &l, GOL_POOLING_NONE, true, alone);
                    check_reference(names[i], &l, alone[0]);
                }
                embed(engine, &l, GOL_POOLING_NONE, false, together);
                assert_same(together, alone, l.n_embd);
                gol_engine_destroy(&engine);
            }
            unload(&l);
        }
    }
}

static void a_decoder_embeds_in_slices_of_any_size(void **state)
{
    (void)state;
    static float first[N_CLIENTS][N_EMBD_MAX];
    static float again[N_CLIENTS][N_EMBD_MAX];
    loaded l = load("qwen3-f16", 2);
    const int32_t sizes[] = {N_CLIENTS * l.n_prompt, 13, N_CLIENTS};
    for (int pooling = GOL_POOLING_MEAN; pooling <= GOL_POOLING_LAST; pooling++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            gol_engine *engine = create_engine(&l, sizes[s]);
            embed(engine, &l, (gol_pooling)pooling, s == 0, s == 0 ? first : again);
            if (s > 0)
                assert_same(again, first, l.n_embd);
            gol_engine_destroy(&engine);
        }
        /* the first token's state is the same in all prompts of a causal model, the others' are not */
        const bool is_same = memcmp(first[0], first[1], (size_t)l.n_embd * sizeof(float)) == 0;
        assert_int_equal(is_same, pooling == GOL_POOLING_CLS);
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
    float values[N_EMBD_MAX];
    gol_embedding embedding = {.values = values};
    loaded l = load("bert-f16", 1);
    gol_engine *engine = create_engine(&l, l.n_prompt - 1);
    gol_request request = {.prompt = l.prompt,
                           .n_prompt = l.n_prompt,
                           .n_logprobs = -1,
                           .embedding = &embedding,
                           .sampling = GOL_SAMPLING_DEFAULT,
                           .on_output = collector_take};
    expect_refusal(engine, &request, GOL_ECONTEXT, "max_batch_tokens");
    request.n_prompt--;
    request.max_tokens = 1;
    expect_refusal(engine, &request, GOL_EINVAL, "max_tokens is 1");
    request.embedding = NULL;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "encoder");
    gol_engine_destroy(&engine);
    unload(&l);

    l = load("qwen3-f16", 1);
    engine = create_engine(&l, 0);
    request.prompt = l.prompt;
    request.embedding = &embedding;
    request.max_tokens = 0;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "names no pooling");
    embedding.pooling = (gol_pooling)(GOL_POOLING_RANK + 1);
    expect_refusal(engine, &request, GOL_EINVAL, "embedding.pooling is 5");
    embedding.pooling = GOL_POOLING_RANK;
    expect_refusal(engine, &request, GOL_EUNSUPPORTED, "no classifier");
    embedding = (gol_embedding){.pooling = GOL_POOLING_LAST};
    expect_refusal(engine, &request, GOL_EINVAL, "no values");
    gol_engine_destroy(&engine);
    unload(&l);
}

int main(void)
{
    if (!conformance_has("bert-f16"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_give_the_reference_vectors_in_any_company),
        cmocka_unit_test(a_decoder_embeds_in_slices_of_any_size),
        cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
