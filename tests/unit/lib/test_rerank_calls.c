/*
 * gollum_rerank() and scores of gollum_embed(), on the committed rerankers: what normalize does, classes that are no score, more pairs
 * than the queue takes, and what is refused.
 */
#include "unit/lib/lib_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/normalize.h"

static gollum *open_reranker(const char *name, int32_t max_queued_reqs)
{
    char path[512];
    snprintf(path, sizeof path, "%s/rerank/%s.gguf", TEST_DATA_DIR, name);
    gollum_options options = lib_options();
    options.model_path = path;
    options.max_batch_tokens = 0;
    options.max_seqs = 4;
    options.max_queued_reqs = max_queued_reqs;
    return open_with(&options);
}

static gollum_pair pair_of(const char *query, const char *document)
{
    return (gollum_pair){query, strlen(query), document, strlen(document)};
}

static float score_of(gollum *g, const gollum_embed_options *options, const gollum_pair *pair)
{
    float score;
    gollum_error error;
    if (gollum_rerank(g, options, pair, 1, &score, &error) != 0)
        fail_msg("%s", error.message);
    return score;
}

static void normalized_scores_are_probabilities(void **state)
{
    (void)state;
    static const char *const names[] = {"bert", "qwen3"};
    const gollum_pair pair = pair_of("what is a panda?", "a bear");
    for (int i = 0; i < 2; i++) {
        gollum *g = open_reranker(names[i], 0);
        gollum_embed_options options;
        gollum_embed_options_init(&options);
        const double raw = (double)score_of(g, &options, &pair);
        options.normalize = 1;
        const double p = (double)score_of(g, &options, &pair);
        /* Qwen3's is one already */
        assert_true(fabs(p - (i == 0 ? 1 / (1 + exp(-raw)) : raw)) < 1e-6);
        options.pooling = GOLLUM_POOLING_RANK;
        assert_true((double)score_of(g, &options, &pair) == p);
        gollum_close(&g);
    }
    float three[3] = {1.0f, 2.0f, -1.0f};
    gol_normalize_scores(three, &(gol_classifier){.n_classes = 3});
    assert_true(fabs((double)(three[0] + three[1] + three[2]) - 1) < 1e-6);
    assert_true(fabs((double)three[1] / (double)three[0] - exp(1)) < 1e-5);
    float far[2] = {1000.0f, -1000.0f}; /* no overflow */
    gol_normalize_scores(far, &(gol_classifier){.n_classes = 2});
    assert_true(far[0] == 1.0f && far[1] == 0.0f);
}

static void a_text_has_as_many_numbers_as_its_pooling_says(void **state)
{
    (void)state;
    gollum *g = open_reranker("qwen3", 0);
    assert_int_equal(gollum_embed_width(g, GOLLUM_POOLING_RANK), 2);
    assert_int_equal(gollum_embed_width(g, GOLLUM_POOLING_MODEL), 2); /* the model's own */
    assert_int_equal(gollum_embed_width(g, GOLLUM_POOLING_LAST), gollum_n_embd(g));
    assert_int_equal(gollum_embed_width(g, (gollum_pooling)9), 0);
    assert_int_equal(gollum_embed_width(NULL, GOLLUM_POOLING_RANK), 0);
    float values[5] = {0, 0, 0, 0, 7};
    const gollum_text texts[2] = {{.text = "one", .text_len = 3}, {.text = "two", .text_len = 3}};
    assert_int_equal(gollum_embed(g, NULL, texts, 2, values, NULL), 0);
    assert_true(fabsf(values[0] + values[1] - 1) < 1e-6f);
    assert_true(fabsf(values[2] + values[3] - 1) < 1e-6f);
    assert_true(values[0] != values[2] && values[4] == 7);
    gollum_close(&g);
    g = open_lib();
    assert_int_equal(gollum_embed_width(g, GOLLUM_POOLING_RANK), 0);
    assert_int_equal(gollum_embed_width(g, GOLLUM_POOLING_MODEL), 0);
    gollum_close(&g);
}

static void more_pairs_than_the_queue_takes_wait_for_each_other(void **state)
{
    (void)state;
    enum { N = 60 };
    gollum *g = open_reranker("xlmr", 1);
    gollum_pair pairs[N];
    float scores[N];
    for (int i = 0; i < N; i++)
        pairs[i] = i % 2 == 0 ? pair_of("a panda", "bear") : pair_of("paris", "a capital");
    assert_int_equal(gollum_rerank(g, NULL, pairs, N, scores, NULL), 0);
    assert_true(scores[0] != scores[1]);
    for (int i = 2; i < N; i++)
        assert_true(scores[i] == scores[i % 2]);
    gollum_close(&g);
}

static void expect_refusal(gollum *g, const gollum_embed_options *options, const gollum_pair *pairs,
                           size_t n, float *scores, int code, const char *part_of_message)
{
    gollum_error error = {0};
    const int rc = gollum_rerank(g, options, pairs, n, scores, &error);
    if (rc != code || error.code != code || !strstr(error.message, part_of_message))
        fail_msg("got %d '%s', want %d with '%s'", rc, error.message, code, part_of_message);
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    float scores[2];
    char *many = calloc(1, 4001);
    for (int i = 0; i < 4000; i++)
        many[i] = i % 2 == 0 ? 'a' : ' ';
    gollum_embed_options options;
    gollum_embed_options_init(&options);
    gollum_pair pairs[2] = {pair_of("a", "b"), pair_of("a", many)};
    gollum *g = open_lib();
    expect_refusal(g, NULL, pairs, 1, scores, GOLLUM_EUNSUPPORTED, "no classifier");
    gollum_close(&g);
    g = open_reranker("bert", 0);
    expect_refusal(g, NULL, pairs, 2, scores, GOLLUM_ECONTEXT,
                   "pairs[1]: the pair has 2004 tokens");
    pairs[1] = (gollum_pair){.query = "a", .query_len = 1, .document_len = 3};
    expect_refusal(g, NULL, pairs, 2, scores, GOLLUM_EINVAL, "document is NULL");
    pairs[1] = (gollum_pair){.query_len = 3};
    expect_refusal(g, NULL, pairs, 2, scores, GOLLUM_EINVAL, "query is NULL");
    expect_refusal(g, NULL, NULL, 2, scores, GOLLUM_EINVAL, "pairs is NULL");
    expect_refusal(g, NULL, pairs, 2, NULL, GOLLUM_EINVAL, "scores is NULL");
    expect_refusal(NULL, NULL, pairs, 1, scores, GOLLUM_EINVAL, "g is NULL");
    options.pooling = GOLLUM_POOLING_MEAN;
    expect_refusal(g, &options, pairs, 1, scores, GOLLUM_EINVAL, "pooling is 1");
    options = (gollum_embed_options){0};
    expect_refusal(g, &options, pairs, 1, scores, GOLLUM_EINVAL, "struct_size");
    assert_int_equal(gollum_rerank(g, NULL, NULL, 0, NULL, NULL), 0);
    gollum_close(&g);
    free(many);
}

static void no_failing_allocation_hurts(void **state)
{
    (void)state;
    static const char *const names[] = {"bert", "qwen3"};
    const gollum_pair pairs[2] = {pair_of("a panda", "b"), pair_of("the", "")};
    for (int i = 0; i < 2; i++) {
        gollum *g = open_reranker(names[i], 0);
        float want[2];
        assert_int_equal(gollum_rerank(g, NULL, pairs, 2, want, NULL), 0);
        uint64_t n = 1;
        for (;; n++) {
            gollum_error error;
            float scores[2];
            gol_mem_fail_nth(n, false);
            const int rc = gollum_rerank(g, NULL, pairs, 2, scores, &error);
            const bool has_failed = gol_mem_n_failed() > 0;
            gol_mem_fail_nth(0, false);
            assert_int_equal(rc, rc == 0 ? 0 : GOLLUM_ENOMEM);
            assert_true(rc == 0 || has_failed); /* regular expressions do without some of it */
            if (rc == 0)
                assert_memory_equal(scores, want, sizeof want);
            if (!has_failed)
                break;
        }
        assert_true(n > 5);
        gollum_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalized_scores_are_probabilities),
        cmocka_unit_test(a_text_has_as_many_numbers_as_its_pooling_says),
        cmocka_unit_test(more_pairs_than_the_queue_takes_wait_for_each_other),
        cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
        cmocka_unit_test(no_failing_allocation_hurts),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
