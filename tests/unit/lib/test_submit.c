/*
 * Requests: the same answer alone and in company, polled and called back; stop strings; aborts and closing at moments that
 * are known because a callback holds the engine; what is refused.
 */
#include "unit/lib/lib_test.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/gollum_impl.h"

enum { N_REQUESTS = 8, N_THREADS = 4 };

static gollum_request a_request(int i, listener *l)
{
    static const char *const prompts[N_REQUESTS] = {
        "Once upon a time",
        "the",
        "the water was so cold that nobody went in, and then",
        "",
        "a b",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        "\xc3\xa4\xc3\xb6",
        "?"};
    static const int32_t max_tokens[N_REQUESTS] = {40, 60, 33, 1, 50, 70, 24, 0};
    gollum_request request = request_of(l, prompts[i], max_tokens[i]);
    request.seed = 1000 + (uint64_t)i;
    request.temperature = i % 3 == 0 ? 0.0f : 0.9f;
    request.top_k = i % 4 == 1 ? 20 : 0;
    request.top_p = i % 4 == 2 ? 0.9f : 1.0f;
    request.min_p = i == 7 ? 0.02f : 0.0f;
    request.repetition_penalty = i == 4 ? 1.2f : 1.0f;
    request.frequency_penalty = i == 5 ? 0.5f : 0.0f;
    return request;
}

static void answer_alone(gollum *g, listener *alone)
{
    for (int i = 0; i < N_REQUESTS; i++) {
        listener_init(&alone[i]);
        const gollum_request request = a_request(i, &alone[i]);
        const uint64_t id = submit_ok(g, &request);
        poll_all(g);
        assert_int_equal(alone[i].n_last, 1);
        assert_int_equal(alone[i].n_wrong, 0);
        assert_true(alone[i].id == id);
        assert_int_equal(alone[i].finish, GOLLUM_FINISH_LENGTH);
        if (request.max_tokens > 0)
            assert_int_equal(alone[i].n_tokens, request.max_tokens);
        else
            assert_int_equal(alone[i].n_prompt + alone[i].n_tokens, gollum_max_model_len(g));
    }
}

static void eight_answers_at_once_are_those_that_each_gets_alone(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.max_model_len = 128;
    static listener alone[N_REQUESTS], together[N_REQUESTS];
    gollum *g = open_with(&options);
    answer_alone(g, alone);
    gollum_close(&g);
    for (int variant = 0; variant < 3; variant++) {
        options.n_threads = variant == 1 ? 2 : 1;
        options.max_seqs = variant == 2 ? 3 : 8; /* some wait for others to end */
        options.max_batch_tokens = variant == 2 ? 7 : 64;
        g = open_with(&options);
        for (int i = 0; i < N_REQUESTS; i++) {
            listener_init(&together[i]);
            gollum_request request = a_request(i, &together[i]);
            request.on_event = (i + variant) % 2 == 0 ? listen : NULL;
            (void)submit_ok(g, &request);
        }
        poll_all(g);
        for (int i = 0; i < N_REQUESTS; i++) {
            listener_wait_end(&together[i]);
            assert_same_answer(&together[i], &alone[i]);
        }
        gollum_close(&g);
        for (int i = 0; i < N_REQUESTS; i++)
            listener_deinit(&together[i]);
    }
    for (int i = 0; i < N_REQUESTS; i++)
        listener_deinit(&alone[i]);
}

typedef struct client {
    gollum *g;
    listener listeners[N_REQUESTS];
    int n_failed;
} client;

/* Aborts one in four. */
static void *be_a_client(void *arg)
{
    client *c = arg;
    for (int i = 0; i < N_REQUESTS; i++) {
        listener_init(&c->listeners[i]);
        gollum_request request = request_of(&c->listeners[i], "from many threads", 12);
        request.on_event = i % 2 == 0 ? listen : NULL;
        uint64_t id = 0;
        c->n_failed += gollum_submit(c->g, &request, &id, NULL) != 0;
        if (i % 4 == 3)
            gollum_abort(c->g, id);
    }
    return NULL;
}

static void many_threads_may_submit_and_abort(void **state)
{
    (void)state;
    static client clients[N_THREADS];
    pthread_t threads[N_THREADS];
    gollum *g = open_lib();
    for (int t = 0; t < N_THREADS; t++) {
        clients[t].g = g;
        assert_int_equal(pthread_create(&threads[t], NULL, be_a_client, &clients[t]), 0);
    }
    poll_all(g); /* sees some of them, perhaps none */
    for (int t = 0; t < N_THREADS; t++)
        pthread_join(threads[t], NULL);
    poll_all(g);
    for (int t = 0; t < N_THREADS; t++) {
        assert_int_equal(clients[t].n_failed, 0);
        for (int i = 0; i < N_REQUESTS; i++) {
            listener *l = &clients[t].listeners[i];
            listener_wait_end(l);
            if (i % 4 != 3) {
                assert_int_equal(l->n_tokens, 12);
                assert_memory_equal(l->tokens, clients[0].listeners[0].tokens,
                                    12 * sizeof *l->tokens);
            }
        }
    }
    gollum_close(&g);
    for (int t = 0; t < N_THREADS; t++) {
        for (int i = 0; i < N_REQUESTS; i++)
            listener_deinit(&clients[t].listeners[i]);
    }
}

static void an_abort_ends_an_answer_before_the_next_step(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener held, polled;
    hold_engine(g, &held);
    listener_init(&polled);
    const gollum_request request = request_of(&polled, "never begins", 0);
    const uint64_t id = submit_ok(g, &request);
    gollum_abort(g, id);
    gollum_abort(g, held.id);
    gollum_abort(g, id ^ 1);
    gollum_abort(g, 0);
    gollum_abort(NULL, id);
    listener_release(&held);
    poll_all(g);
    listener_wait_end(&held);
    assert_int_equal(held.finish, GOLLUM_FINISH_ABORT);
    assert_int_equal(held.n_tokens, 1);
    assert_int_equal(polled.finish, GOLLUM_FINISH_ABORT);
    assert_int_equal(polled.n_last, 1);
    assert_int_equal(polled.n_tokens, 0);
    gollum_abort(g, id); /* it is over */
    gollum_close(&g);
    listener_deinit(&held);
    listener_deinit(&polled);
}

/* Some answers unread, some half read, some called back, one whose end was handed out last. LeakSanitizer looks on. */
static void closing_ends_everything(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener polled, called_back, waiting;
    listener_init(&polled);
    listener_init(&called_back);
    listener_init(&waiting);
    gollum_request request = request_of(&polled, "half read", 0);
    (void)submit_ok(g, &request);
    gollum_event event;
    gollum_event_init(&event);
    assert_int_equal(gollum_poll(g, &event, -1), 1);
    for (int i = 0; i < 7; i++)
        (void)submit_ok(g, &request);
    request = request_of(&called_back, "called back", 0);
    request.on_event = listen;
    (void)submit_ok(g, &request);
    listener_wait(&called_back, 1);
    request = request_of(&waiting, "no place to run", 0);
    request.on_event = listen;
    (void)submit_ok(g, &request);
    assert_int_equal(gollum_poll(g, &event, -1), 1);
    gollum_close(&g);
    assert_null(g);
    listener_wait_end(&called_back);
    assert_int_equal(called_back.n_last, 1);
    assert_int_equal(waiting.n_last, 1);
    listener_deinit(&polled);
    listener_deinit(&called_back);
    listener_deinit(&waiting);
}

static gollum *chain_gollum;
static listener chain_second;

static void submit_another(const gollum_event *event)
{
    if (event->finish != GOLLUM_FINISH_NONE) {
        gollum_request request = request_of(&chain_second, "again", 3);
        request.on_event = listen;
        if (gollum_submit(chain_gollum, &request, NULL, NULL) != 0)
            abort();
    } else if (event->n_generated == 2) {
        gollum_abort(chain_gollum, event->id);
    }
}

static void a_callback_may_submit_and_abort(void **state)
{
    (void)state;
    chain_gollum = open_lib();
    listener_init(&chain_second);
    gollum_request request = request_of(NULL, "first", 100);
    request.on_event = submit_another;
    (void)submit_ok(chain_gollum, &request);
    listener_wait_end(&chain_second);
    assert_int_equal(chain_second.n_tokens, 3);
    gollum_close(&chain_gollum);
    listener_deinit(&chain_second);
}

/* ---- stop strings ---- */

/* Every piece of up to 12 bytes of a known answer, wherever it lies across its tokens. */
static void an_answer_ends_before_its_stop_string_wherever_that_lies(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static listener whole, stopped;
    listener_init(&whole);
    gollum_request request = request_of(&whole, "the water", 60);
    (void)submit_ok(g, &request);
    poll_all(g);
    assert_true(whole.text_len > 60);
    int n_across = 0;
    for (size_t begin = 0; begin < whole.text_len; begin += 2) {
        const size_t len = 1 + begin % 15;
        char stop[16] = {0};
        memcpy(stop, whole.text + begin, len < whole.text_len - begin ? len : 1);
        const char *const stops[] = {"not in the answer", stop};
        const char *found = strstr(whole.text, stop);
        assert_non_null(found);
        const size_t n_before = (size_t)(found - whole.text);
        listener_init(&stopped);
        request = request_of(&stopped, "the water", 60);
        request.stop = stops;
        request.n_stop = 2;
        request.on_event = begin / 2 % 2 == 0 ? listen : NULL;
        if (gollum_submit(g, &request, NULL, NULL) == GOLLUM_EINVAL) {
            listener_deinit(&stopped);
            continue; /* the piece cuts a character in two */
        }
        poll_all(g);
        listener_wait_end(&stopped);
        assert_int_equal(stopped.finish, GOLLUM_FINISH_STOP);
        assert_int_equal(stopped.text_len, n_before);
        assert_memory_equal(stopped.text, whole.text, n_before);
        assert_memory_equal(stopped.tokens, whole.tokens,
                            (size_t)stopped.n_tokens * sizeof *whole.tokens);
        /* The token that completes the string is the last one. */
        const size_t n_needed = n_before + strlen(stop);
        assert_true(whole.ends[stopped.n_tokens - 1] >= n_needed);
        assert_true(stopped.n_tokens == 1 || whole.ends[stopped.n_tokens - 2] < n_needed);
        n_across += stopped.n_tokens > 1 && whole.ends[stopped.n_tokens - 2] > n_before;
        listener_deinit(&stopped);
    }
    assert_true(n_across >= 10);
    gollum_close(&g);
    listener_deinit(&whole);
}

/*
 * A request beside another one that keeps the engine from running away from who reads that: no step is made before a token that
 * came LAG steps ago has been read. Until the other one is there, no step at all.
 */
enum { LAG = 4 };

typedef struct pacemaker {
    listener *reader;
    atomic_bool is_begun;
    int n_read[LAG]; /* as the last steps found it */
    int at;
} pacemaker;

static int n_tokens_read(listener *l, bool *is_over)
{
    pthread_mutex_lock(&l->mutex);
    const int n = l->n_tokens;
    *is_over = l->n_last > 0;
    pthread_mutex_unlock(&l->mutex);
    return n;
}

static void keep_pace(const gollum_event *event)
{
    pacemaker *p = event->user;
    patience wait = patience_begin();
    while (!atomic_load(&p->is_begun) && patience_lasts(&wait))
        continue;
    bool is_over;
    int n = n_tokens_read(p->reader, &is_over);
    while (!is_over && n <= p->n_read[p->at] && patience_lasts(&wait))
        n = n_tokens_read(p->reader, &is_over);
    p->n_read[p->at] = n;
    p->at = (p->at + 1) % LAG;
}

/* Otherwise it would go on to the end of the context, for nobody. */
static void behind_a_stop_string_nothing_is_computed(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.max_seqs =
        2; /* beside the slow one: the second request begins when the first is gone */
    for (int is_polled = 0; is_polled < 2; is_polled++) {
        gollum *g = open_with(&options);
        listener whole, stopped, second;
        listener_init(&whole);
        listener_init(&stopped);
        listener_init(&second);
        gollum_request request = request_of(&whole, "the water", 30);
        (void)submit_ok(g, &request);
        poll_all(g);
        pacemaker pace = {.reader = &stopped, .n_read = {-1, -1, -1, -1}};
        gollum_request slow = request_of(NULL, "slow", 0);
        slow.user = &pace;
        slow.on_event = keep_pace;
        const uint64_t slow_id = submit_ok(g, &slow);
        const char *const stops[] = {whole.text + whole.ends[19]}; /* from the 21st token on */
        request = request_of(&stopped, "the water", 0);
        request.stop = stops;
        request.n_stop = 1;
        request.on_event = is_polled ? NULL : listen;
        (void)submit_ok(g, &request);
        atomic_store(&pace.is_begun, true);
        poll_all(g);
        request = request_of(&second, "next", 1);
        request.on_event = listen;
        (void)submit_ok(g, &request);
        listener_wait_end(&second);
        assert_int_equal(stopped.finish, GOLLUM_FINISH_STOP);
        gol_engine_stats stats;
        gol_engine_get_stats(g->parts.engine, &stats);
        assert_int_equal(stats.n_finished[GOL_FINISH_ABORT], 1);
        gollum_abort(g, slow_id);
        gollum_close(&g);
        listener_deinit(&whole);
        listener_deinit(&stopped);
        listener_deinit(&second);
    }
}

static void stop_strings_have_limits(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener l;
    listener_init(&l);
    char long_stop[GOLLUM_STOP_LEN_MAX + 2];
    memset(long_stop, 'x', sizeof long_stop);
    long_stop[GOLLUM_STOP_LEN_MAX + 1] = '\0';
    const char *stops[GOLLUM_STOPS_MAX + 1];
    for (int i = 0; i <= GOLLUM_STOPS_MAX; i++)
        stops[i] = long_stop + 1;
    gollum_request request = request_of(&l, "a", 2);
    request.stop = stops;
    request.n_stop = GOLLUM_STOPS_MAX;
    (void)submit_ok(g, &request);
    poll_all(g);
    assert_int_equal(l.n_tokens, 2);

    gollum_error error;
    request.n_stop = GOLLUM_STOPS_MAX + 1;
    assert_int_equal(gollum_submit(g, &request, NULL, &error), GOLLUM_EINVAL);
    assert_string_equal(error.message, "n_stop is 17, 0 to 16 is accepted");
    request.n_stop = 2;
    static const char *const wrong[] = {"", NULL, "\xc3"};
    for (size_t i = 0; i <= 3; i++) {
        stops[1] = i < 3 ? wrong[i] : long_stop;
        assert_int_equal(gollum_submit(g, &request, NULL, &error), GOLLUM_EINVAL);
        assert_non_null(strstr(error.message, "stop[1]"));
    }
    request.stop = NULL;
    assert_int_equal(gollum_submit(g, &request, NULL, &error), GOLLUM_EINVAL);
    assert_non_null(strstr(error.message, "stop is NULL"));
    gollum_event event;
    gollum_event_init(&event);
    assert_int_equal(gollum_poll(g, &event, -1), 0); /* what was refused brings no event */
    gollum_close(&g);
    listener_deinit(&l);
}

/* ---- prompts ---- */

static void a_prompt_may_hold_any_bytes(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static const char text[] = "a\0b\xff\0";
    int32_t ids[32];
    size_t n = 0;
    assert_int_equal(gollum_tokenize(g, text, 5, 1, 0, ids, 32, &n, NULL), 0);
    listener as_text, as_ids;
    listener_init(&as_text);
    listener_init(&as_ids);
    gollum_request request = request_of(&as_text, "", 20);
    request.prompt = text;
    request.prompt_len = 5;
    (void)submit_ok(g, &request);
    request.user = &as_ids;
    request.prompt_ids = ids;
    request.n_prompt_ids = n;
    request.prompt = NULL; /* the ids win */
    (void)submit_ok(g, &request);
    poll_all(g);
    assert_int_equal(as_text.n_prompt, n);
    assert_true(n >= 6); /* BOS, and a token for every byte, the NULs too */
    assert_same_answer(&as_text, &as_ids);
    gollum_close(&g);
    listener_deinit(&as_text);
    listener_deinit(&as_ids);
}

static void a_prompt_may_fill_the_context_but_for_one_token(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.max_model_len = 20;
    gollum *g = open_with(&options);
    listener l;
    listener_init(&l);
    int32_t ids[20];
    for (int i = 0; i < 20; i++)
        ids[i] = SPM_BYTE_0 + i;
    gollum_request request = request_of(&l, "", 100);
    request.prompt_ids = ids;
    request.n_prompt_ids = 19;
    (void)submit_ok(g, &request);
    poll_all(g);
    assert_int_equal(l.n_tokens, 1);
    assert_int_equal(l.finish, GOLLUM_FINISH_LENGTH);

    gollum_error error;
    uint64_t id = 99;
    request.n_prompt_ids = 20;
    assert_int_equal(gollum_submit(g, &request, &id, &error), GOLLUM_ECONTEXT);
    assert_int_equal(error.code, GOLLUM_ECONTEXT);
    assert_true(id == 0);
    assert_non_null(strstr(error.message, "20"));
    request.n_prompt_ids = (size_t)INT32_MAX + 2; /* is not even looked at */
    assert_int_equal(gollum_submit(g, &request, &id, &error), GOLLUM_ECONTEXT);
    gollum_close(&g);
    listener_deinit(&l);
}

static void assert_refused(gollum *g, const gollum_request *request, int code, const char *words)
{
    gollum_error error = {0};
    assert_int_equal(gollum_submit(g, request, NULL, &error), code);
    assert_int_equal(error.code, code);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
    assert_int_equal(gollum_submit(g, request, NULL, NULL), code);
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    gollum *g = open_lib();
    const gollum_request good = request_of(NULL, "a", 2);
    gollum_request r = good;
    assert_refused(NULL, &r, GOLLUM_EINVAL, "g is NULL");
    assert_refused(g, NULL, GOLLUM_EINVAL, "request is NULL");
    r.struct_size = 0;
    assert_refused(g, &r, GOLLUM_EINVAL, "gollum_request_init()");
    r = good;
    r.max_tokens = -1;
    assert_refused(g, &r, GOLLUM_EINVAL, "max_tokens is -1");
    r = good;
    r.temperature = -0.5f;
    assert_refused(g, &r, GOLLUM_EINVAL, "temperature is -0.5");
    r = good;
    r.top_p = 1.5f;
    assert_refused(g, &r, GOLLUM_EINVAL, "top_p is 1.5");
    r = good;
    r.min_p = -1.0f;
    assert_refused(g, &r, GOLLUM_EINVAL, "min_p is -1");
    r = good;
    r.top_k = -1;
    assert_refused(g, &r, GOLLUM_EINVAL, "top_k is -1");
    r = good;
    r.repetition_penalty = 0.0f;
    assert_refused(g, &r, GOLLUM_EINVAL, "repetition_penalty is 0");
    r = good;
    r.prompt = NULL;
    assert_refused(g, &r, GOLLUM_EINVAL, "prompt is NULL");
    r = good;
    r.n_prompt_ids = 1;
    assert_refused(g, &r, GOLLUM_EINVAL, "prompt_ids is NULL");
    static const int32_t bad_ids[] = {5, 320, -1};
    r.prompt_ids = bad_ids;
    r.n_prompt_ids = 2;
    assert_refused(g, &r, GOLLUM_EINVAL, "is 320");
    r.prompt_ids = bad_ids + 2;
    r.n_prompt_ids = 1;
    assert_refused(g, &r, GOLLUM_EINVAL, "is -1");
    gollum_close(&g);
}

static void a_full_queue_is_told_and_empties_again(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.max_seqs = 1;
    options.max_queued_reqs = 2;
    gollum *g = open_with(&options);
    listener held, l[2];
    hold_engine(g, &held);
    for (int i = 0; i < 2; i++) {
        listener_init(&l[i]);
        const gollum_request request = request_of(&l[i], "waits", 3);
        (void)submit_ok(g, &request);
    }
    const gollum_request request = request_of(NULL, "too much", 3);
    assert_refused(g, &request, GOLLUM_EBUSY, "max_queued_reqs is 2");
    listener_release(&held);
    poll_all(g);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(l[i].n_tokens, 3);
        assert_int_equal(l[i].n_last, 1);
        listener_deinit(&l[i]);
    }
    gollum_close(&g);
    listener_deinit(&held);
}

static void requests_of_another_version_are_understood(void **state)
{
    (void)state;
    gollum *g = open_lib();
    listener plain, newer;
    listener_init(&plain);
    listener_init(&newer);
    gollum_request request = request_of(&plain, "the same", 20);
    (void)submit_ok(g, &request);

    struct {
        gollum_request known;
        int64_t later;
    } later = {.known = request};
    later.known.struct_size = sizeof later;
    later.known.user = &newer;
    (void)submit_ok(g, &later.known);
    poll_all(g);
    assert_same_answer(&plain, &newer);
    later.later = -1;
    assert_refused(g, &later.known, GOLLUM_EUNSUPPORTED, "request sets a field");

    /* Fields behind the caller's size are not looked at: here they would be refused. */
    request.struct_size = offsetof(gollum_request, temperature);
    request.temperature = -1.0f;
    request.n_stop = 1000;
    request.stop = NULL;
    (void)submit_ok(g, &request);
    gollum_event event;
    gollum_event_init(&event);
    int n = 0;
    for (; gollum_poll(g, &event, -1) == 1; n++)
        assert_null(event.user);
    assert_int_equal(n, 20);
    gollum_close(&g);
    listener_deinit(&plain);
    listener_deinit(&newer);
}

static void without_a_seed_answers_differ(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static listener l[2];
    for (int i = 0; i < 2; i++) {
        listener_init(&l[i]);
        gollum_request request = request_of(&l[i], "chance", 40);
        request.has_seed = 0;
        (void)submit_ok(g, &request);
    }
    poll_all(g);
    assert_memory_not_equal(l[0].tokens, l[1].tokens, 40 * sizeof *l[0].tokens);
    gollum_close(&g);
    listener_deinit(&l[0]);
    listener_deinit(&l[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_answers_at_once_are_those_that_each_gets_alone),
        cmocka_unit_test(many_threads_may_submit_and_abort),
        cmocka_unit_test(an_abort_ends_an_answer_before_the_next_step),
        cmocka_unit_test(closing_ends_everything),
        cmocka_unit_test(a_callback_may_submit_and_abort),
        cmocka_unit_test(an_answer_ends_before_its_stop_string_wherever_that_lies),
        cmocka_unit_test(behind_a_stop_string_nothing_is_computed),
        cmocka_unit_test(stop_strings_have_limits),
        cmocka_unit_test(a_prompt_may_hold_any_bytes),
        cmocka_unit_test(a_prompt_may_fill_the_context_but_for_one_token),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(a_full_queue_is_told_and_empties_again),
        cmocka_unit_test(requests_of_another_version_are_understood),
        cmocka_unit_test(without_a_seed_answers_differ),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
