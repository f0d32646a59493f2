/* Streams: frames, hold-back, turns of choices, slow readers, pings, and clients that go away. */
#include "support/set_clock.h"
#include "unit/api/api_fixture.h"

#define PATH "/v1/completions"

static gguf_bytes bytes;

static size_t read_now(gol_api_call *call)
{
    const size_t before = bytes.len;
    assert_false(read_some(call, &bytes, 4096));
    return bytes.len - before;
}

static json_t *read_to_end(gol_api_call *call)
{
    assert_true(read_some(call, &bytes, 4096));
    json_t *events = take_events(&bytes);
    assert_string_equal(json_string_value(json_array_get(events, json_array_size(events) - 1)),
                        "[DONE]");
    return events;
}

static void test_a_stream_is_ready_at_once_and_framed_as_openai_does(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true}");
    assert_true(gol_api_call_is_ready(call));
    const gol_api_reply *reply = gol_api_call_reply(call);
    assert_int_equal(reply->status, 200);
    assert_true(reply->is_stream);
    assert_memory_equal(reply->headers[0].value, "text/event-stream", 17);
    assert_int_equal(read_now(call), 0);
    fake_say(&engine, 0, TOK_HELLO);
    assert_int_equal(n_wakes, 1);
    assert_true(read_now(call) > 0);
    fake_event(&engine, 0, TOK_WORLD, GOL_FINISH_LENGTH);
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 4);
    for (size_t i = 0; i < 3; i++) {
        const json_t *chunk = json_array_get(events, i);
        assert_int_equal(json_object_size(chunk), 6); /* no usage */
        assert_string_equal(str_at(chunk, "object"), "text_completion");
        assert_string_equal(str_at(chunk, "id"), str_at(events, "0/id"));
        assert_int_equal(int_at(chunk, "created"), int_at(events, "0/created"));
        assert_string_equal(str_at(chunk, "model"), "org/tiny");
        assert_true(json_is_null(at(chunk, "choices/0/logprobs")));
    }
    assert_string_equal(str_at(events, "0/choices/0/text"), " Hello");
    assert_true(json_is_null(at(events, "0/choices/0/finish_reason")));
    assert_string_equal(str_at(events, "1/choices/0/text"), " world");
    assert_string_equal(str_at(events, "2/choices/0/text"), "");
    assert_string_equal(str_at(events, "2/choices/0/finish_reason"), "length");
    json_decref(events);
    assert_int_equal(gol_api_call_read(call, &(char){0}, 1), GOL_API_END);
    end_call(&call);
}

static void test_usage_comes_last_when_asked_for(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    engine.seqs[0].n_cached = 2;
    fake_say(&engine, 0, TOK_HELLO);
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 4);
    assert_true(json_is_null(at(events, "0/usage")));
    assert_true(json_is_null(at(events, "1/usage")));
    assert_int_equal(json_array_size(at(events, "2/choices")), 0);
    assert_int_equal(int_at(events, "2/usage/completion_tokens"), 2);
    assert_int_equal(int_at(events, "2/usage/prompt_tokens_details/cached_tokens"), 2);
    json_decref(events);
    end_call(&call);
}

static void test_what_may_become_a_stop_string_is_held_back(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH,
                              "{\"prompt\":\"a\",\"stream\":true,\"stop\":[\"ENDinx\",\"Dx\"]}");
    char text[64];
    fake_say(&engine, 0, TOK_EN);
    assert_int_equal(read_now(call), 0);
    fake_say(&engine, 0, TOK_DING); /* "ENDing": "ENDin" was a beginning, "g" is not */
    assert_true(read_now(call) > 0);
    say_bytes(0, "D");
    assert_int_equal(read_now(call), 0);
    say_bytes(0, "x");
    json_t *events = read_to_end(call);
    join_texts(text, sizeof text, events, 0);
    assert_string_equal(text, "ENDing");
    const size_t last = json_array_size(events) - 2;
    const json_t *choice = at(json_array_get(events, last), "choices/0");
    assert_string_equal(str_at(choice, "finish_reason"), "stop");
    assert_string_equal(str_at(choice, "stop_reason"), "Dx");
    json_decref(events);
    assert_true(engine.seqs[0].is_aborted);
    end_call(&call);
    fake_settle(&engine);
}

static void test_held_text_comes_out_at_the_end(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true,\"stop\":\"ENDx\"}");
    fake_say(&engine, 0, TOK_EN);
    assert_int_equal(read_now(call), 0);
    fake_event(&engine, 0, tok_byte(0xe2), GOL_FINISH_LENGTH);
    json_t *events = read_to_end(call);
    char text[64];
    join_texts(text, sizeof text, events, 0);
    assert_string_equal(text, "EN\xef\xbf\xbd");
    json_decref(events);
    end_call(&call);
}

static void test_characters_are_never_split_between_chunks(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true}");
    const char *all = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    for (const char *p = all; *p != '\0'; p++) {
        fake_say(&engine, 0, tok_byte((unsigned char)*p));
        read_now(call);
    }
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call); /* jansson refuses invalid UTF-8 */
    assert_int_equal(json_array_size(events), 4 + 2);
    char text[64];
    join_texts(text, sizeof text, events, 0);
    assert_string_equal(text, all);
    json_decref(events);
    end_call(&call);
}

static void test_choices_take_turns(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"n\":3,\"stream\":true,\"echo\":true}");
    for (int t = 0; t < 5; t++)
        for (int i = 0; i < 3; i++)
            fake_say(&engine, i, tok_byte((unsigned char)('a' + i)));
    for (int i = 0; i < 3; i++)
        fake_event(&engine, i, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call);
    for (int k = 0; k < 18; k++) /* echo and five tokens of each */
        assert_int_equal(int_at(json_array_get(events, (size_t)k), "choices/0/index"), k % 3);
    for (int i = 0; i < 3; i++) {
        char text[64];
        char expected[8] = "a";
        memset(expected + 1, 'a' + i, 5);
        join_texts(text, sizeof text, events, i);
        assert_string_equal(text, expected);
    }
    json_decref(events);
    end_call(&call);
}

static void test_any_buffer_size_gives_the_same_bytes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 7, 100, 4096};
    size_t n_first = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true,\"logprobs\":3}");
        for (int t = 0; t < 10; t++)
            fake_say(&engine, (int)s, TOK_HELLO);
        fake_event(&engine, (int)s, TOK_EOS, GOL_FINISH_STOP);
        assert_true(read_some(call, &bytes, sizes[s]));
        if (s == 0)
            n_first = bytes.len;
        assert_int_equal(bytes.len, n_first);
        json_decref(take_events(&bytes));
        end_call(&call);
    }
}

static void test_a_reader_far_behind_gets_merged_chunks(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH,
                              "{\"prompt\":[1],\"stream\":true,\"max_tokens\":255,\"logprobs\":0}");
    for (int t = 0; t < 254; t++)
        say_bytes(0, "x");
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 254 + 2); /* 255 waiting: still one each */
    json_decref(events);
    end_call(&call);

    engine.limits.max_model_len = 4096;
    call = post(PATH, "{\"prompt\":[1],\"stream\":true,\"max_tokens\":4000,\"logprobs\":0}");
    for (int t = 0; t < 3999; t++)
        fake_say(&engine, 1, TOK_HELLO);
    fake_event(&engine, 1, TOK_EOS, GOL_FINISH_STOP);
    events = read_to_end(call);
    assert_true(json_array_size(events) < 300);
    size_t n_text = 0;
    size_t n_logprobs = 0;
    for (size_t i = 0; i + 1 < json_array_size(events); i++) {
        const json_t *choice = at(json_array_get(events, i), "choices/0");
        n_text += strlen(str_at(choice, "text"));
        n_logprobs += json_array_size(at(choice, "logprobs/tokens"));
    }
    assert_int_equal(n_text, 3999 * 6);
    assert_int_equal(n_logprobs, 4000);
    json_decref(events);
    end_call(&call);
}

static void test_wakes_do_not_pile_up(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true}");
    for (int t = 0; t < 10; t++)
        fake_say(&engine, 0, TOK_HELLO);
    assert_int_equal(n_wakes, 1);
    read_now(call);
    fake_say(&engine, 0, TOK_HELLO);
    assert_int_equal(n_wakes, 2);
    bytes_free(&bytes);
    end_call(&call);
    fake_settle(&engine);
    assert_int_equal(n_wakes, 2); /* none after end() */
}

static void test_a_silent_stream_pings(void **state)
{
    (void)state;
    gol_api_destroy(&api);
    make_api(&(gol_api_opts){.ping_ms = 500});
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true}");
    assert_int_equal(read_now(call), 0);
    set_clock_advance(490);
    assert_int_equal(read_now(call), 0);
    set_clock_advance(20);
    assert_int_equal(read_now(call), 3);
    assert_memory_equal(bytes.data, ":\n\n", 3);
    assert_int_equal(read_now(call), 0);
    set_clock_advance(510);
    fake_event(&engine, 0, TOK_HELLO, GOL_FINISH_LENGTH); /* not silent any more */
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 3);
    json_decref(events);
    end_call(&call);
}

static void test_an_error_in_mid_stream_is_an_event(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"stream\":true,\"n\":2}");
    fake_say(&engine, 0, TOK_HELLO);
    read_now(call);
    fake_event(&engine, 1, -1, GOL_FINISH_ERROR);
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 3);
    assert_int_equal(json_object_size(at(events, "1/error")), 4);
    assert_string_equal(str_at(events, "1/error/type"), "server_error");
    assert_string_equal(str_at(events, "1/error/code"), "computation_failed");
    assert_true(engine.seqs[0].is_aborted);
    json_decref(events);
    end_call(&call);
    fake_settle(&engine);
}

/* The client goes away in every phase; destroy() in the teardown waits for whatever is left. */
static void test_end_aborts_in_every_phase(void **state)
{
    (void)state;
    for (int phase = 0; phase < 7; phase++) {
        for (int streams = 0; streams < 2; streams++) {
            gol_api_call *call = post(
                PATH, streams ? "{\"prompt\":\"a\",\"stream\":true,\"stop\":\"ENx\"}"
                              : "{\"prompt\":\"a\",\"stop\":\"ENx\"}");
            const int i = engine.n_seqs - 1;
            if (phase >= 1)
                fake_say(&engine, i, TOK_HELLO);
            if (phase >= 2 && streams)
                assert_true(gol_api_call_read(call, (char[5]){0}, 5) == 5); /* inside a frame */
            if (phase >= 3)
                fake_say(&engine, i, TOK_EN); /* held back */
            if (phase >= 4)
                assert_int_equal(gol_api_call_is_ready(call), streams);
            if (phase == 5)
                fake_event(&engine, i, TOK_EOS, GOL_FINISH_STOP); /* not yet read */
            if (phase == 6)
                say_bytes(i, "x"); /* the stop string, not yet found */
            end_call(&call);
            assert_int_equal(engine.seqs[i].is_aborted, phase != 5);
            if (!engine.seqs[i].has_ended) {
                fake_say(&engine, i, TOK_HELLO); /* was on its way already */
                fake_event(&engine, i, -1, GOL_FINISH_ABORT);
            }
        }
    }
}

static void test_logprobs_are_spread_over_the_chunks(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":\"a\",\"stream\":true,\"logprobs\":1,\"stop\":\"ENDinx\"}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_say(&engine, 0, TOK_EN); /* its text is held back, and so are its figures */
    fake_say(&engine, 0, TOK_DING);
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call);
    assert_int_equal(json_array_size(events), 4);
    assert_int_equal(json_array_size(at(events, "0/choices/0/logprobs/tokens")), 1);
    assert_int_equal(json_array_size(at(events, "1/choices/0/logprobs/tokens")), 2);
    assert_string_equal(str_at(events, "1/choices/0/text"), "ENDing");
    assert_int_equal(int_at(events, "1/choices/0/logprobs/text_offset/1"), 8);
    assert_int_equal(json_array_size(at(events, "2/choices/0/logprobs/tokens")), 1);
    json_decref(events);
    end_call(&call);
}

static void test_token_ids_are_spread_over_the_chunks(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[5],\"stream\":true,\"return_token_ids\":true}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *events = read_to_end(call);
    assert_int_equal(int_at(events, "0/choices/0/prompt_token_ids/0"), 5);
    assert_int_equal(int_at(events, "0/choices/0/token_ids/0"), TOK_HELLO);
    assert_null(at(events, "1/choices/0/prompt_token_ids"));
    assert_int_equal(int_at(events, "1/choices/0/token_ids/0"), TOK_EOS);
    json_decref(events);
    end_call(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_a_stream_is_ready_at_once_and_framed_as_openai_does),
        api_test(test_usage_comes_last_when_asked_for),
        api_test(test_what_may_become_a_stop_string_is_held_back),
        api_test(test_held_text_comes_out_at_the_end),
        api_test(test_characters_are_never_split_between_chunks),
        api_test(test_choices_take_turns),
        api_test(test_any_buffer_size_gives_the_same_bytes),
        api_test(test_a_reader_far_behind_gets_merged_chunks),
        api_test(test_wakes_do_not_pile_up),
        api_test(test_a_silent_stream_pings),
        api_test(test_an_error_in_mid_stream_is_an_event),
        api_test(test_end_aborts_in_every_phase),
        api_test(test_logprobs_are_spread_over_the_chunks),
        api_test(test_token_ids_are_spread_over_the_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
