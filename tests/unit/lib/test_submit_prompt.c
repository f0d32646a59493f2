/* What a request says about its prompt beside its text: scores that are wanted, and how it meets the prefix cache. */
#include "unit/lib/lib_test.h"

enum { N_ANSWER = 12, N_TOP = 3, IDS_MAX = 200 };

/* A prompt's scores as the last event with some showed them. */
typedef struct shown {
    int n_events; /* with a token or an end */
    int n_scored; /* of these: with scores of every token */
    int32_t n;
    int32_t n_top;
    int32_t n_cached;
    int32_t n_prompt;
    gollum_finish finish;
    gollum_prompt_score scores[IDS_MAX];
    gollum_top_logprob top[IDS_MAX][N_TOP];
    listener heard;
} shown;

static void show(const gollum_event *event)
{
    shown *s = event->user;
    s->n_events++;
    s->n_scored += event->n_prompt_scores == event->n_prompt;
    s->n = event->n_prompt_scores;
    s->n_top = event->n_prompt_top;
    s->n_cached = event->n_cached;
    s->n_prompt = event->n_prompt;
    s->finish = event->finish;
    if (event->n_prompt_scores > 0 && event->n_prompt_scores <= IDS_MAX) {
        const size_t n = (size_t)event->n_prompt_scores;
        memcpy(s->scores, event->prompt_scores, n * sizeof *s->scores);
        if (event->n_prompt_top == N_TOP)
            memcpy(s->top, event->prompt_top, n * sizeof *s->top);
    }
    gollum_event passed_on = *event;
    passed_on.user = &s->heard;
    listen(&passed_on);
}

/* Polls, or has it called back, until its end. */
static void ask(gollum *g, gollum_request *request, shown *s, bool is_polled)
{
    memset(s, 0, sizeof *s);
    listener_init(&s->heard);
    request->user = s;
    request->on_event = is_polled ? NULL : show;
    (void)submit_ok(g, request);
    gollum_event event;
    gollum_event_init(&event);
    while (is_polled && gollum_poll(g, &event, -1) == 1)
        show(&event);
    listener_wait_end(&s->heard);
    listener_deinit(&s->heard);
}

/* An answer's tokens, behind its prompt in another request, have the log-probabilities they were drawn with, to the last bit. */
static void scores_are_what_generation_reports_for_the_same_tokens(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static shown first, second;
    int32_t ids[IDS_MAX];
    size_t n;
    const char *prompt = "the water";
    assert_int_equal(gollum_tokenize(g, prompt, strlen(prompt), 1, 0, ids, IDS_MAX, &n, NULL), 0);
    gollum_request request = request_of(NULL, prompt, N_ANSWER);
    request.temperature = 0.0f;
    ask(g, &request, &first, true);
    assert_int_equal(first.n_prompt, n);
    assert_int_equal(first.n + first.n_top, 0); /* nobody asked */
    memcpy(ids + n, first.heard.tokens, N_ANSWER * sizeof *ids);

    for (int is_polled = 0; is_polled <= 1; is_polled++) {
        request.prompt_ids = ids;
        request.n_prompt_ids = n + N_ANSWER;
        request.score_prompt = 1;
        request.n_prompt_top = N_TOP;
        request.max_tokens = 4;
        ask(g, &request, &second, is_polled);
        assert_int_equal(second.n_events, 4);
        assert_int_equal(second.n_scored, 4);
        assert_int_equal(second.n, n + N_ANSWER);
        assert_int_equal(second.n_top, N_TOP);
        assert_int_equal(second.scores[0].rank, 0);
        for (size_t i = n; i < n + N_ANSWER; i++) {
            assert_true(second.scores[i].logprob == first.heard.logprobs[i - n]);
            assert_int_equal(second.scores[i].rank, 1);
            assert_int_equal(second.top[i][0].token, ids[i]);
            assert_true(second.top[i][0].logprob == second.scores[i].logprob);
            assert_true(second.top[i][1].logprob >= second.top[i][2].logprob);
        }
    }
    gollum_close(&g);
}

static void an_end_before_the_prompt_is_computed_has_no_scores(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static listener held;
    hold_engine(g, &held);
    static shown s;
    memset(&s, 0, sizeof s);
    listener_init(&s.heard);
    gollum_request request = request_of(NULL, "never computed", 3);
    request.score_prompt = 1;
    request.user = &s;
    request.on_event = show;
    const uint64_t id = submit_ok(g, &request);
    gollum_abort(g, id);
    listener_release(&held);
    listener_wait_end(&s.heard);
    assert_int_equal(s.finish, GOLLUM_FINISH_ABORT);
    assert_in_range(s.n, 0, 1);
    gollum_close(&g);
    listener_deinit(&s.heard);
    listener_deinit(&held);
}

/* Of the prompt, which is longer than a block. */
static int32_t count_cached(gollum *g, const char *salt, bool no_cache)
{
    static shown s;
    gollum_request request = request_of(NULL, "one prompt for all of them, and long enough", 2);
    request.cache_salt = salt;
    request.n_cache_salt = salt ? strlen(salt) : 0;
    request.no_cache = no_cache;
    ask(g, &request, &s, true);
    return s.n_cached;
}

static void prompts_are_found_by_requests_of_the_same_salt_only(void **state)
{
    (void)state;
    gollum *g = open_lib();
    assert_int_equal(count_cached(g, NULL, true), 0);
    assert_int_equal(count_cached(g, NULL, false), 0); /* the one before left nothing */
    assert_true(count_cached(g, NULL, false) > 16);
    assert_int_equal(count_cached(g, NULL, true), 0); /* nor does it use what is there */
    assert_int_equal(count_cached(g, "a", false), 0);
    assert_int_equal(count_cached(g, "b", false), 0);
    assert_true(count_cached(g, "a", false) > 16);
    gollum_close(&g);
}

static void assert_refused(gollum *g, const gollum_request *request, const char *words)
{
    gollum_error error;
    uint64_t id = 1;
    assert_int_equal(gollum_submit(g, request, &id, &error), GOLLUM_EINVAL);
    assert_int_equal(id, 0);
    if (strstr(error.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", error.message, words);
}

static void limits_are_told_by_name(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static shown s;
    static const char salt[GOLLUM_CACHE_SALT_MAX + 1];
    const gollum_request plain = request_of(NULL, "limits", 1);
    gollum_request request = plain;
    request.n_cache_salt = 1;
    assert_refused(g, &request, "cache_salt is NULL");
    request.cache_salt = salt;
    request.n_cache_salt = GOLLUM_CACHE_SALT_MAX + 1;
    assert_refused(g, &request, "n_cache_salt is 1025");
    request.n_cache_salt = GOLLUM_CACHE_SALT_MAX;
    ask(g, &request, &s, true);

    request = plain;
    request.n_prompt_top = 1;
    assert_refused(g, &request, "score_prompt is 0");
    request.score_prompt = 1;
    request.n_prompt_top = -1;
    assert_refused(g, &request, "n_prompt_top is -1");
    request.n_prompt_top = GOLLUM_TOP_MAX + 1;
    assert_refused(g, &request, "n_prompt_top is 21");
    request.n_prompt_top = GOLLUM_TOP_MAX;
    ask(g, &request, &s, true);
    assert_int_equal(s.n_top, GOLLUM_TOP_MAX);
    gollum_close(&g);
}

/* It was built with a header that ended before these fields. */
static void an_older_program_gets_no_scores_and_no_salt(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static shown s;
    gollum_request request = request_of(NULL, "older", 2);
    request.struct_size = offsetof(gollum_request, cache_salt);
    request.score_prompt = 1;
    request.n_prompt_top = -5;
    request.n_cache_salt = SIZE_MAX;
    ask(g, &request, &s, true);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.heard.n_tokens, 2);
    gollum_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_what_generation_reports_for_the_same_tokens),
        cmocka_unit_test(an_end_before_the_prompt_is_computed_has_no_scores),
        cmocka_unit_test(prompts_are_found_by_requests_of_the_same_salt_only),
        cmocka_unit_test(limits_are_told_by_name),
        cmocka_unit_test(an_older_program_gets_no_scores_and_no_salt),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
