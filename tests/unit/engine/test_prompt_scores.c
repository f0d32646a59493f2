/*
 * Log-probabilities of prompts: those of the definition, those that generation reports for the same tokens, and to the bit the same
 * however the prompt is computed: in slices, between others, behind preemption, beside a warm prefix cache.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/memory_plan.h"
#include "engine/sequence.h"
#include "support/collector.h"
#include "support/loaded_engine.h"
#include "support/loaded_model.h"
#include "support/model_runner.h"

enum { N_TEXTS = 5, N_TOP = 3, BLOCK_SIZE = 4 };

/* Where the engine writes. */
typedef struct scored {
    gol_prompt_score tokens[TINY_CTX];
    gol_top_logprob top[TINY_CTX][N_TOP];
    gol_prompt_scores scores;
    collector c;
} scored;

static loaded_model one_thread;
static loaded_model two_threads;
static int32_t texts[N_TEXTS][TINY_CTX];
static const int32_t n_texts[N_TEXTS] = {1, 2, 37, 64, TINY_CTX};
static scored alone[N_TEXTS];

static const int32_t poison_id = POISON_TOKEN;

static void scored_init(scored *s, int32_t n_top)
{
    *s = (scored){0};
    s->scores = (gol_prompt_scores){
        .tokens = s->tokens,
        .top = n_top > 0 ? &s->top[0][0] : NULL,
        .n_top = n_top,
        .n_scored = -1,
    };
    collector_init(&s->c);
}

static gol_request request_of(const int32_t *prompt, int32_t n_prompt, scored *s)
{
    return (gol_request){
        .prompt = prompt,
        .n_prompt = n_prompt,
        .stop_ids = &poison_id,
        .n_stop_ids = 1,
        .n_logprobs = -1,
        .scores = &s->scores,
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = collector_take,
        .user = &s->c,
    };
}

static uint64_t submit(gol_engine *engine, const gol_request *request)
{
    uint64_t id = 0;
    gol_err err = {0};
    if (gol_engine_submit(engine, request, &id, &err) != 0)
        fail_msg("%s", err.message);
    return id;
}

static uint64_t score_text(gol_engine *engine, int i, scored *s)
{
    scored_init(s, N_TOP);
    const gol_request request = request_of(texts[i], n_texts[i], s);
    return submit(engine, &request);
}

static int set_up(void **state)
{
    (void)state;
    loaded_model_create(&one_thread, 1);
    loaded_model_create(&two_threads, 2);
    gol_rng rng = {.key = 31};
    for (int i = 0; i < N_TEXTS; i++)
        for (int k = 0; k < TINY_CTX; k++)
            texts[i][k] = (int32_t)gol_rng_below(&rng, POISON_TOKEN);
    memcpy(texts[3], texts[2], 30 * sizeof **texts); /* a common beginning */
    gol_engine *engine = loaded_engine_create(&one_thread,
                                              &(gol_engine_opts){.no_prefix_caching = true});
    for (int i = 0; i < N_TEXTS; i++) {
        score_text(engine, i, &alone[i]);
        assert_true(collector_wait_end(&alone[i].c));
    }
    gol_engine_destroy(&engine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_TEXTS; i++)
        collector_deinit(&alone[i].c);
    loaded_model_destroy(&one_thread);
    loaded_model_destroy(&two_threads);
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

static void assert_same(const scored *got, int i)
{
    const scored *expected = &alone[i];
    const size_t n = (size_t)n_texts[i];
    assert_int_equal(got->c.n_last_events, 1);
    assert_int_equal(got->scores.n_scored, n_texts[i]);
    assert_memory_equal(got->tokens + 1, expected->tokens + 1, (n - 1) * sizeof *got->tokens);
    assert_memory_equal(got->top + 1, expected->top + 1, (n - 1) * sizeof *got->top);
}

static void a_prompt_alone_gives_one_event_without_a_token(void **state)
{
    (void)state;
    for (int i = 0; i < N_TEXTS; i++) { /* the last is as long as the context */
        const collector *c = &alone[i].c;
        assert_int_equal(c->n_events, 1);
        assert_int_equal(c->last.finish, GOL_FINISH_LENGTH);
        assert_int_equal(c->last.token, -1);
        assert_int_equal(c->last.n_prompt, n_texts[i]);
        assert_int_equal(c->last.n_generated, 0);
        assert_int_equal(alone[i].scores.n_scored, n_texts[i]);
    }
}

/* logits: [TINY_VOCAB] */
static void check_score(const float *logits, int32_t token, const gol_prompt_score *score,
                        const gol_top_logprob *top)
{
    double sum = 0;
    int32_t rank = 1;
    for (int32_t k = 0; k < TINY_VOCAB; k++) {
        sum += exp((double)logits[k]);
        rank += logits[k] > logits[token];
    }
    assert_true(fabs((double)score->logprob - ((double)logits[token] - log(sum))) < 1e-5);
    assert_int_equal(score->rank, rank);
    for (int32_t k = 0; k < N_TOP; k++) {
        const double logprob = (double)logits[top[k].token] - log(sum);
        assert_true(fabs((double)top[k].logprob - logprob) < 1e-5);
        assert_true(k == 0 || top[k].logprob <= top[k - 1].logprob);
    }
    if (rank <= N_TOP) {
        assert_int_equal(top[rank - 1].token, token);
        assert_memory_equal(&top[rank - 1].logprob, &score->logprob, sizeof score->logprob);
    }
}

static void scores_are_those_of_the_definition(void **state)
{
    (void)state;
    static float logits[TINY_CTX * TINY_VOCAB];
    model_runner r;
    runner_init(&r, one_thread.model, GOL_KV_F16);
    runner_logits(&r, logits, texts[3], n_texts[3], 16);
    for (int32_t i = 1; i < n_texts[3]; i++)
        check_score(logits + (size_t)(i - 1) * TINY_VOCAB, texts[3][i], &alone[3].tokens[i],
                    alone[3].top[i]);
    runner_deinit(&r);
}

/* Prompt and answer as a prompt: the answer's scores are what generation said. */
static void an_answer_scores_as_it_was_generated(void **state)
{
    (void)state;
    enum { N_ANSWER = 50 };
    static scored s;
    gol_engine *engine = loaded_engine_create(&two_threads, &(gol_engine_opts){0});
    scored_init(&s, N_TOP);
    gol_request request = request_of(texts[2], n_texts[2], &s);
    request.max_tokens = N_ANSWER;
    request.min_tokens = N_ANSWER;
    request.n_logprobs = N_TOP;
    submit(engine, &request);
    assert_true(collector_wait_end(&s.c));
    assert_int_equal(s.c.n_tokens, N_ANSWER);
    assert_same(&s, 2); /* scored although it went on */

    static scored again;
    int32_t all[TINY_CTX];
    memcpy(all, texts[2], (size_t)n_texts[2] * sizeof *all);
    memcpy(all + n_texts[2], s.c.tokens, N_ANSWER * sizeof *all);
    scored_init(&again, N_TOP);
    request = request_of(all, n_texts[2] + N_ANSWER, &again);
    submit(engine, &request);
    assert_true(collector_wait_end(&again.c));
    assert_int_equal(again.c.last.n_cached, 0); /* although it was all there */
    for (int32_t i = 0; i < N_ANSWER; i++) {
        const int32_t at = n_texts[2] + i;
        assert_memory_equal(&again.tokens[at].logprob, &s.c.logprobs[i], sizeof(float));
        assert_memory_equal(again.top[at], s.c.top[i], sizeof again.top[at]);
    }
    gol_engine_destroy(&engine);
    collector_deinit(&s.c);
    collector_deinit(&again.c);
}

/* All texts and some that decode, together; returns the number of preemptions. */
static uint64_t run_together(const loaded_model *tiny, const gol_engine_opts *opts)
{
    static scored got[N_TEXTS];
    static scored others[N_TEXTS];
    gol_engine *engine = loaded_engine_create(tiny, opts);
    for (int i = 0; i < N_TEXTS; i++) {
        scored_init(&others[i], 0);
        gol_request request = request_of(texts[i], 1 + i, &others[i]);
        request.scores = NULL;
        request.max_tokens = request.min_tokens = 40;
        others[i].c.is_held = i == 0; /* until all are there */
        submit(engine, &request);
        score_text(engine, i, &got[i]);
    }
    collector_release(&others[0].c);
    for (int i = 0; i < N_TEXTS; i++) {
        assert_true(collector_wait_end(&got[i].c));
        assert_true(collector_wait_end(&others[i].c));
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N_TEXTS; i++) {
        assert_same(&got[i], i);
        collector_deinit(&got[i].c);
        collector_deinit(&others[i].c);
    }
    return stats.n_preemptions;
}

static void company_slices_and_threads_change_no_bit(void **state)
{
    (void)state;
    static const int32_t budgets[] = {2 * N_TEXTS, 17, 64, 512};
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; b++) {
        const gol_engine_opts opts = {
            .max_seqs = 2 * N_TEXTS,
            .max_batch_tokens = budgets[b],
            .block_size = BLOCK_SIZE << b,
        };
        run_together(b % 2 ? &one_thread : &two_threads, &opts);
    }
}

/* One row of logits at a time, however many are wanted. */
static void logits_come_in_slices_of_max_seqs_rows(void **state)
{
    (void)state;
    for (int32_t max_seqs = 1; max_seqs <= 3; max_seqs++) {
        const gol_engine_opts opts = {.max_seqs = max_seqs, .max_batch_tokens = 100};
        run_together(&one_thread, &opts);
    }
}

static void preemption_changes_no_bit(void **state)
{
    (void)state;
    uint64_t n_preemptions = 0;
    for (int has_cache = 0; has_cache < 2; has_cache++) {
        const gol_engine_opts opts = {
            .max_seqs = 2 * N_TEXTS,
            .max_batch_tokens = 2 * N_TEXTS + 3,
            .max_model_len = TINY_CTX,
            .block_size = BLOCK_SIZE,
            .kv_bytes = loaded_kv_bytes(&one_thread, TINY_CTX / BLOCK_SIZE + 4, BLOCK_SIZE),
            .no_prefix_caching = !has_cache,
        };
        n_preemptions += run_together(&one_thread, &opts);
    }
    assert_true(n_preemptions > 0);
}

static void a_warm_cache_is_written_but_not_read(void **state)
{
    (void)state;
    static scored s;
    gol_engine *engine = loaded_engine_create(&one_thread,
                                              &(gol_engine_opts){.block_size = BLOCK_SIZE});
    for (int k = 0; k < 3; k++) {
        score_text(engine, 3, &s);
        assert_true(collector_wait_end(&s.c));
        assert_int_equal(s.c.last.n_cached, 0);
        assert_same(&s, 3);
        collector_deinit(&s.c);
    }
    scored_init(&s, 0);
    gol_request request = request_of(texts[3], n_texts[3], &s);
    request.scores = NULL;
    submit(engine, &request); /* nothing to draw either: an exact repeat */
    assert_true(collector_wait_end(&s.c));
    assert_int_equal(s.c.n_events, 1);
    assert_int_equal(s.c.last.finish, GOL_FINISH_LENGTH);
    assert_int_equal(s.c.last.n_cached, n_texts[3]);
    gol_engine_destroy(&engine);
    collector_deinit(&s.c);
}

static void a_row_that_is_not_finite_ends_only_its_own_request(void **state)
{
    (void)state;
    static scored bad;
    static scored good;
    int32_t prompt[60];
    memcpy(prompt, texts[4], sizeof prompt);
    prompt[20] = POISON_TOKEN; /* and so are all rows behind it */
    for (int32_t budget = 8; budget <= 512; budget *= 8) {
        const gol_engine_opts opts = {.max_seqs = 4, .max_batch_tokens = budget};
        gol_engine *engine = loaded_engine_create(&one_thread, &opts);
        scored_init(&bad, N_TOP);
        const gol_request request = request_of(prompt, 60, &bad);
        submit(engine, &request);
        score_text(engine, 3, &good);
        assert_true(collector_wait_end(&bad.c));
        assert_true(collector_wait_end(&good.c));
        assert_int_equal(bad.c.n_events, 1);
        assert_int_equal(bad.c.last.finish, GOL_FINISH_ERROR);
        assert_int_equal(bad.scores.n_scored, 0);
        assert_same(&good, 3);
        gol_engine_destroy(&engine);
        collector_deinit(&bad.c);
        collector_deinit(&good.c);
    }
}

static void an_abort_in_the_middle_leaves_what_is_scored(void **state)
{
    (void)state;
    static scored first;
    static scored s;
    gol_engine *engine = loaded_engine_create(&one_thread, &(gol_engine_opts){
                                                               .max_seqs = 2,
                                                               .max_batch_tokens = 2,
                                                               .no_prefix_caching = true,
                                                           });
    scored_init(&first, 0);
    gol_request request = request_of(texts[0], 1, &first);
    request.scores = NULL;
    request.max_tokens = request.min_tokens = 100;
    first.c.is_held = true;
    first.c.engine = engine;
    submit(engine, &request);
    assert_true(collector_wait(&first.c, 1));
    first.c.aborts_id = score_text(engine, 4, &s);
    first.c.aborts_at = 10; /* a step each, in which one row is scored */
    collector_release(&first.c);
    assert_true(collector_wait_end(&s.c));
    gol_engine_destroy(&engine);
    assert_int_equal(s.c.n_events, 1);
    assert_int_equal(s.c.last.finish, GOL_FINISH_ABORT);
    assert_in_range(s.scores.n_scored, 1, TINY_CTX - 1);
    const size_t n = (size_t)s.scores.n_scored;
    assert_memory_equal(s.tokens + 1, alone[4].tokens + 1, (n - 1) * sizeof *s.tokens);
    collector_deinit(&first.c);
    collector_deinit(&s.c);
}

static void expect_refusal(gol_engine *engine, const gol_request *request, int code,
                           const char *word)
{
    uint64_t id;
    gol_err err = {0};
    assert_int_equal(gol_engine_submit(engine, request, &id, &err), code);
    assert_non_null(strstr(err.message, word));
}

static void what_cannot_be_scored_is_refused(void **state)
{
    (void)state;
    static scored s;
    gol_engine *engine = loaded_engine_create(&one_thread, &(gol_engine_opts){.max_model_len = 64});
    scored_init(&s, N_TOP);
    gol_request request = request_of(texts[4], 65, &s);
    expect_refusal(engine, &request, GOL_ECONTEXT, "65 tokens, the context has 64");
    request.n_prompt = 64;
    request.max_tokens = 1;
    expect_refusal(engine, &request, GOL_ECONTEXT, "needs 65");
    request.max_tokens = 0;
    s.scores.n_top = GOL_LOGPROBS_MAX + 1;
    expect_refusal(engine, &request, GOL_EINVAL, "scores.n_top");
    s.scores.n_top = -1;
    expect_refusal(engine, &request, GOL_EINVAL, "scores.n_top");
    s.scores.n_top = N_TOP;
    s.scores.top = NULL;
    expect_refusal(engine, &request, GOL_EINVAL, "scores has no arrays");
    s.scores.n_top = 0;
    submit(engine, &request);
    assert_true(collector_wait_end(&s.c));
    assert_int_equal(s.scores.n_scored, 64);
    gol_engine_destroy(&engine);
    collector_deinit(&s.c);
}

/* One prompt of any length is accepted however much is asked of it. */
static void scores_count_at_the_door(void **state)
{
    (void)state;
    static gol_prompt_score tokens[TINY_CTX];
    static gol_top_logprob top[TINY_CTX * GOL_LOGPROBS_MAX];
    gol_prompt_scores scores = {.tokens = tokens, .top = top, .n_top = GOL_LOGPROBS_MAX};
    const int64_t n_bytes = (int64_t)(sizeof *tokens + GOL_LOGPROBS_MAX * sizeof *top);
    assert_true(n_bytes <= (GOL_PROMPTS_PER_KV - 1) * GOL_PROMPT_TOKEN_BYTES);
    const gol_seq_limits limits = {.max_model_len = TINY_CTX, .block_size = 4, .n_vocab = 40};
    scored s;
    scored_init(&s, 0);
    gol_request request = request_of(texts[2], n_texts[2], &s);
    gol_seq *seq;
    request.scores = NULL;
    assert_int_equal(gol_seq_create(&seq, &request, &limits, NULL), 0);
    assert_int_equal(seq->n_charged, n_texts[2]);
    gol_seq_destroy(&seq);
    request.scores = &scores;
    assert_int_equal(gol_seq_create(&seq, &request, &limits, NULL), 0);
    assert_in_range((size_t)seq->n_charged * GOL_PROMPT_TOKEN_BYTES,
                    (size_t)n_texts[2] * (GOL_PROMPT_TOKEN_BYTES + (size_t)n_bytes),
                    (size_t)n_texts[2] * GOL_PROMPTS_PER_KV * GOL_PROMPT_TOKEN_BYTES);
    gol_seq_destroy(&seq);
    collector_deinit(&s.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_alone_gives_one_event_without_a_token),
        cmocka_unit_test(scores_are_those_of_the_definition),
        cmocka_unit_test(an_answer_scores_as_it_was_generated),
        cmocka_unit_test(company_slices_and_threads_change_no_bit),
        cmocka_unit_test(logits_come_in_slices_of_max_seqs_rows),
        cmocka_unit_test(preemption_changes_no_bit),
        cmocka_unit_test(a_warm_cache_is_written_but_not_read),
        cmocka_unit_test(a_row_that_is_not_finite_ends_only_its_own_request),
        cmocka_unit_test(an_abort_in_the_middle_leaves_what_is_scored),
        cmocka_unit_test(what_cannot_be_scored_is_refused),
        cmocka_unit_test(scores_count_at_the_door),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
