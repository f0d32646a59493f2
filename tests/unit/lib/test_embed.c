/*
 * gollum_embed(): the same bits alone and in company, length 1 when asked for, more texts than the queue takes, and what is refused.
 */
#include "unit/lib/lib_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { N_TEXTS = 7, N_EMBD_MAX = 512 };

static const char *const words[N_TEXTS] = {"Once upon a time",
                                           "the",
                                           "the water was so cold that nobody went in",
                                           "",
                                           "a b",
                                           "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
                                           "\xc3\xa4\xc3\xb6"};

static gollum_text text_of(int i)
{
    return (gollum_text){.text = words[i], .text_len = strlen(words[i])};
}

static gollum_embed_options pooled(gollum_pooling pooling)
{
    gollum_embed_options options;
    gollum_embed_options_init(&options);
    options.pooling = pooling;
    return options;
}

static void embed_ok(gollum *g, const gollum_embed_options *options, const gollum_text *texts,
                     size_t n, float *values)
{
    gollum_error error;
    if (gollum_embed(g, options, texts, n, values, &error) != 0)
        fail_msg("%s", error.message);
}

static void texts_share_steps_and_get_the_bits_they_get_alone(void **state)
{
    (void)state;
    static float alone[N_TEXTS * N_EMBD_MAX];
    static float together[N_TEXTS * N_EMBD_MAX];
    gollum *g = open_lib();
    const size_t n_embd = (size_t)gollum_n_embd(g);
    assert_true(n_embd > 0 && n_embd <= N_EMBD_MAX);
    for (int pooling = GOLLUM_POOLING_MEAN; pooling <= GOLLUM_POOLING_LAST; pooling++) {
        const gollum_embed_options options = pooled((gollum_pooling)pooling);
        gollum_text texts[N_TEXTS];
        for (int i = 0; i < N_TEXTS; i++) {
            texts[i] = text_of(i);
            embed_ok(g, &options, &texts[i], 1, alone + (size_t)i * n_embd);
        }
        embed_ok(g, &options, texts, N_TEXTS, together);
        assert_memory_equal(alone, together, N_TEXTS * n_embd * sizeof *alone);
    }
    gollum_close(&g);
}

static void tokens_are_taken_as_they_are(void **state)
{
    (void)state;
    float by_text[N_EMBD_MAX];
    float by_ids[N_EMBD_MAX];
    int32_t ids[64];
    size_t n_ids;
    gollum *g = open_lib();
    const gollum_embed_options options = pooled(GOLLUM_POOLING_MEAN);
    const gollum_text text = text_of(0);
    assert_int_equal(gollum_tokenize(g, text.text, text.text_len, 1, 0, ids, 64, &n_ids, NULL), 0);
    const gollum_text tokens = {.text = "ignored", .text_len = 7, .ids = ids, .n_ids = n_ids};
    embed_ok(g, &options, &text, 1, by_text);
    embed_ok(g, &options, &tokens, 1, by_ids);
    assert_memory_equal(by_text, by_ids, (size_t)gollum_n_embd(g) * sizeof *by_text);
    gollum_close(&g);
}

static void normalized_vectors_have_length_1_and_the_same_direction(void **state)
{
    (void)state;
    float x[N_EMBD_MAX];
    float y[N_EMBD_MAX];
    gollum *g = open_lib();
    const int32_t n_embd = gollum_n_embd(g);
    const gollum_text text = text_of(2);
    gollum_embed_options options = pooled(GOLLUM_POOLING_LAST);
    embed_ok(g, &options, &text, 1, x);
    options.normalize = 1;
    embed_ok(g, &options, &text, 1, y);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int32_t i = 0; i < n_embd; i++) {
        xx += (double)x[i] * (double)x[i];
        yy += (double)y[i] * (double)y[i];
        xy += (double)x[i] * (double)y[i];
    }
    assert_true(fabs(yy - 1.0) < 1e-6);
    assert_true(fabs(xx - 1.0) > 1e-3); /* it was not so before */
    assert_true(fabs(xy / sqrt(xx) - 1.0) < 1e-6);
    gollum_close(&g);
}

static void more_texts_than_the_queue_takes_wait_for_each_other(void **state)
{
    (void)state;
    enum { N = 100 };
    gollum_options lib = lib_options();
    lib.max_queued_reqs = 1;
    lib.max_seqs = 1;
    gollum *g = open_with(&lib);
    const gollum_embed_options options = pooled(GOLLUM_POOLING_LAST);
    const size_t n_embd = (size_t)gollum_n_embd(g);
    float *values = calloc(N * n_embd, sizeof *values);
    gollum_text texts[N];
    for (int i = 0; i < N; i++)
        texts[i] = text_of(i % 2);
    embed_ok(g, &options, texts, N, values);
    for (size_t i = 2; i < N; i++)
        assert_memory_equal(values + i * n_embd, values + i % 2 * n_embd, n_embd * sizeof *values);
    free(values);
    gollum_close(&g);
}

static void expect_refusal(gollum *g, const gollum_embed_options *options, const gollum_text *texts,
                           size_t n, float *values, int code, const char *part_of_message)
{
    gollum_error error = {0};
    const int rc = gollum_embed(g, options, texts, n, values, &error);
    if (rc != code || error.code != code || !strstr(error.message, part_of_message))
        fail_msg("got %d '%s', want %d with '%s'", rc, error.message, code, part_of_message);
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    static float values[2 * N_EMBD_MAX];
    static int32_t many[100000];
    gollum *g = open_lib();
    gollum_embed_options options = pooled(GOLLUM_POOLING_MEAN);
    gollum_text texts[2] = {text_of(0), {.ids = many, .n_ids = 100000}};
    expect_refusal(g, NULL, texts, 1, values, GOLLUM_EUNSUPPORTED, "names no pooling");
    expect_refusal(g, &options, texts, 2, values, GOLLUM_ECONTEXT, "texts[1]: ");
    texts[1] = (gollum_text){.n_ids = 3};
    expect_refusal(g, &options, texts, 2, values, GOLLUM_EINVAL, "ids is NULL, but n_ids is 3");
    texts[1] = (gollum_text){.text_len = 3};
    expect_refusal(g, &options, texts, 2, values, GOLLUM_EINVAL, "text is NULL");
    expect_refusal(g, &options, texts, 1, NULL, GOLLUM_EINVAL, "values is NULL");
    expect_refusal(g, &options, NULL, 1, values, GOLLUM_EINVAL, "texts is NULL");
    expect_refusal(NULL, &options, texts, 1, values, GOLLUM_EINVAL, "g is NULL");
    options.pooling = (gollum_pooling)9;
    expect_refusal(g, &options, texts, 1, values, GOLLUM_EINVAL, "pooling is 9");
    options = (gollum_embed_options){0};
    expect_refusal(g, &options, texts, 1, values, GOLLUM_EINVAL, "struct_size");
    assert_int_equal(gollum_embed(g, NULL, NULL, 0, NULL, NULL), 0);
    assert_int_equal(gollum_n_embd(NULL), 0);
    gollum_close(&g);
}

static void no_failing_allocation_hurts(void **state)
{
    (void)state;
    static float values[2 * N_EMBD_MAX];
    gollum *g = open_lib();
    const gollum_embed_options options = pooled(GOLLUM_POOLING_MEAN);
    const gollum_text texts[2] = {text_of(0), text_of(2)};
    uint64_t n = 1;
    for (;; n++) {
        gollum_error error;
        gol_mem_fail_nth(n, false);
        const int rc = gollum_embed(g, &options, texts, 2, values, &error);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(rc, has_failed ? GOLLUM_ENOMEM : 0);
        if (!has_failed)
            break;
    }
    assert_true(n > 5);
    gollum_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_share_steps_and_get_the_bits_they_get_alone),
        cmocka_unit_test(tokens_are_taken_as_they_are),
        cmocka_unit_test(normalized_vectors_have_length_1_and_the_same_direction),
        cmocka_unit_test(more_texts_than_the_queue_takes_wait_for_each_other),
        cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
        cmocka_unit_test(no_failing_allocation_hurts),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
