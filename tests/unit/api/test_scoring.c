/* Log-probabilities of prompts in both shapes, answers without tokens, best_of, and which end of a prompt is taken. */
#include "unit/api/api_fixture.h"

#define PATH "/v1/completions"

static void expect_logprob(const json_t *value, float expected)
{
    assert_true(json_is_real(value));
    if (json_real_value(value) < (double)expected - 1e-6 ||
        json_real_value(value) > (double)expected + 1e-6)
        fail_msg("%g instead of %g", json_real_value(value), (double)expected);
}

static void test_echo_with_logprobs_has_the_prompt_in_all_arrays(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260,261],\"echo\":true,\"logprobs\":2}");
    assert_int_equal(engine.seqs[0].request.scores->n_top, 2);
    fake_event(&engine, 0, TOK_DING, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "Hello worldENDing");
    const json_t *lp = at(root, "choices/0/logprobs");
    assert_int_equal(json_object_size(lp), 4);
    static const char *const names[] = {" Hello", " world", "EN", "Ding"};
    static const int offsets[] = {0, 5, 11, 13};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(json_string_value(json_array_get(at(lp, "tokens"), i)), names[i]);
        assert_int_equal(json_integer_value(json_array_get(at(lp, "text_offset"), i)), offsets[i]);
    }
    assert_true(json_is_null(at(lp, "token_logprobs/0")));
    assert_true(json_is_null(at(lp, "top_logprobs/0")));
    expect_logprob(at(lp, "token_logprobs/1"), fake_prompt_logprob(1));
    expect_logprob(at(lp, "token_logprobs/2"), fake_prompt_logprob(2));
    expect_logprob(at(lp, "token_logprobs/3"), -0.5f);
    /* Two likeliest and the token itself; the third token is the likeliest itself. */
    assert_int_equal(json_object_size(at(lp, "top_logprobs/1")), 3);
    assert_int_equal(json_object_size(at(lp, "top_logprobs/2")), 2);
    expect_logprob(json_object_get(at(lp, "top_logprobs/1"), " world"), fake_prompt_logprob(1));
    expect_logprob(json_object_get(at(lp, "top_logprobs/1"), "EN"), -0.25f);
    expect_logprob(json_object_get(at(lp, "top_logprobs/2"), "EN"), -0.25f);
    assert_int_equal(int_at(root, "usage/prompt_tokens"), 3);
    assert_int_equal(int_at(root, "usage/completion_tokens"), 1);
    json_decref(root);
    end_call(&call);
}

/* BOS, which encoding adds, is no part of the text; control tokens that the client wrote are. */
static void test_offsets_follow_the_text_as_it_came(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":[\"Hello world\",\"<s>Hello\",\"\xc3\xa9</s>\"],\"echo\":true,"
              "\"logprobs\":0,\"max_tokens\":0}");
    for (int i = 0; i < 3; i++)
        fake_event(&engine, i, -1, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    static const char *const texts[] = {"Hello world", "<s>Hello", "\xc3\xa9</s>"};
    for (size_t i = 0; i < 3; i++) {
        const json_t *choice = json_array_get(at(root, "choices"), i);
        assert_string_equal(str_at(choice, "text"), texts[i]);
        const json_t *offsets = at(choice, "logprobs/text_offset");
        const json_t *tokens = at(choice, "logprobs/tokens");
        const size_t n = json_array_size(offsets);
        assert_int_equal(n, engine.seqs[i].request.n_prompt);
        assert_string_equal(json_string_value(json_array_get(tokens, 0)), "<s>");
        assert_int_equal(json_integer_value(json_array_get(offsets, 0)), 0);
        long long last = 0;
        for (size_t k = 1; k < n; k++) {
            const long long offset = json_integer_value(json_array_get(offsets, k));
            assert_true(offset >= last);
            last = offset;
        }
        /* Of the last token: the "d" of "world", the "o" behind <s>, and </s> behind one character of two bytes. */
        static const int lasts[] = {10, 7, 1};
        assert_int_equal(last, lasts[i]);
    }
    json_decref(root);
    end_call(&call);
}

static void test_max_tokens_zero_generates_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"prompt\":\"Hello\",\"max_tokens\":0}",
        "{\"prompt\":\"Hello\",\"n_predict\":0,\"stop\":\"x\",\"min_tokens\":0}",
        "{\"prompt\":\"Hello\",\"max_tokens\":0,\"best_of\":2}",
    };
    for (int i = 0; i < 3; i++) {
        const int first = engine.n_seqs;
        gol_api_call *call = post(PATH, bodies[i]);
        for (int k = first; k < engine.n_seqs; k++) {
            assert_int_equal(engine.seqs[k].request.max_tokens, 0);
            fake_event(&engine, k, -1, GOL_FINISH_LENGTH);
        }
        json_t *root = reply_of(call, 200);
        assert_string_equal(str_at(root, "choices/0/text"), "");
        assert_string_equal(str_at(root, "choices/0/finish_reason"), "length");
        assert_int_equal(int_at(root, "usage/completion_tokens"), 0);
        assert_true(json_is_null(at(root, "choices/0/logprobs")));
        json_decref(root);
        end_call(&call);
    }
}

/* As long as the context; with a token of answer one less. */
static void test_a_prompt_may_fill_the_context_when_nothing_follows(void **state)
{
    (void)state;
    engine.limits.max_model_len = 3;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260,261],\"max_tokens\":0}");
    fake_event(&engine, 0, -1, GOL_FINISH_LENGTH);
    json_decref(reply_of(call, 200));
    end_call(&call);
    expect_error(post(PATH, "{\"prompt\":[259,260,261,259],\"max_tokens\":0}"), 400, "prompt",
                 "context_length_exceeded");
    expect_error(post(PATH, "{\"prompt\":[259,260,261],\"max_tokens\":1}"), 400, "prompt",
                 "context_length_exceeded");
}

/* vLLM's shape: the token itself, then the others. */
static void check_prompt_logprobs(const json_t *list)
{
    assert_int_equal(json_array_size(list), 3);
    assert_true(json_is_null(json_array_get(list, 0)));
    const json_t *second = json_array_get(list, 1);
    assert_int_equal(json_object_size(second), 2);
    assert_string_equal(json_object_iter_key(json_object_iter((json_t *)second)), "260");
    expect_logprob(at(second, "260/logprob"), fake_prompt_logprob(1));
    assert_int_equal(int_at(second, "260/rank"), 30);
    assert_string_equal(str_at(second, "260/decoded_token"), " world");
    assert_int_equal(int_at(second, "261/rank"), 1);
    const json_t *third = json_array_get(list, 2);
    assert_int_equal(json_object_size(third), 1); /* it is the likeliest */
    assert_int_equal(int_at(third, "261/rank"), 1);
}

static void test_prompt_logprobs_are_in_each_choice(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[[259,260,261],[259]],\"n\":2,"
                                    "\"prompt_logprobs\":1}");
    assert_int_equal(engine.n_seqs, 4);
    for (int i = 0; i < 4; i++) { /* of each prompt the first scores */
        assert_int_equal(engine.seqs[i].request.scores != NULL, i % 2 == 0);
        fake_event(&engine, i, TOK_DING, GOL_FINISH_LENGTH);
    }
    json_t *root = reply_of(call, 200);
    for (size_t i = 0; i < 2; i++) {
        const json_t *choice = json_array_get(at(root, "choices"), i);
        check_prompt_logprobs(at(choice, "prompt_logprobs"));
        assert_true(json_is_null(at(choice, "logprobs")));
    }
    assert_int_equal(json_array_size(at(root, "choices/3/prompt_logprobs")), 1);
    assert_true(json_is_null(at(root, "choices/3/prompt_logprobs/0")));
    assert_null(at(root, "prompt_logprobs"));
    json_decref(root);
    end_call(&call);
}

static void test_prompt_logprobs_of_a_chat_are_beside_the_choices(void **state)
{
    (void)state;
    gol_api_call *call = post("/v1/chat/completions",
                              "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],"
                              "\"prompt_logprobs\":0,\"max_tokens\":1}");
    fake_event(&engine, 0, TOK_DING, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    const json_t *list = at(root, "prompt_logprobs");
    assert_int_equal(json_array_size(list), engine.seqs[0].request.n_prompt);
    assert_true(json_is_null(json_array_get(list, 0)));
    for (size_t i = 1; i < json_array_size(list); i++)
        assert_int_equal(json_object_size(json_array_get(list, i)), 1);
    assert_null(at(root, "choices/0/prompt_logprobs"));
    json_decref(root);
    end_call(&call);
}

/* Each of the two shapes shows as many as it was asked for. */
static void test_both_shapes_at_once(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260,261],\"echo\":true,\"logprobs\":3,"
                                    "\"prompt_logprobs\":1,\"max_tokens\":0}");
    assert_int_equal(engine.seqs[0].request.scores->n_top, 3);
    fake_event(&engine, 0, -1, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    check_prompt_logprobs(at(root, "choices/0/prompt_logprobs"));
    assert_int_equal(json_object_size(at(root, "choices/0/logprobs/top_logprobs/2")), 3);
    json_decref(root);
    end_call(&call);
}

static void test_a_prompt_that_was_not_scored_to_its_end_has_nulls(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260,261],\"echo\":true,\"logprobs\":1,"
                                    "\"prompt_logprobs\":1}");
    fake_event(&engine, 0, -1, GOL_FINISH_ABORT); /* the server shuts down */
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "abort");
    for (size_t i = 0; i < 3; i++) {
        const json_t *lp = at(root, "choices/0/logprobs/token_logprobs");
        assert_true(json_is_null(json_array_get(lp, i)));
        assert_true(json_is_null(json_array_get(at(root, "choices/0/prompt_logprobs"), i)));
    }
    json_decref(root);
    end_call(&call);
}

static void test_tokens_are_named_by_id_when_asked_for(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260],\"echo\":true,\"logprobs\":1,"
                                    "\"return_tokens_as_token_ids\":true}");
    fake_event(&engine, 0, TOK_DING, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    const json_t *lp = at(root, "choices/0/logprobs");
    assert_string_equal(str_at(lp, "tokens/0"), "token_id:259");
    assert_string_equal(str_at(lp, "tokens/2"), "token_id:262");
    assert_non_null(json_object_get(at(lp, "top_logprobs/1"), "token_id:260"));
    assert_non_null(json_object_get(at(lp, "top_logprobs/2"), "token_id:262"));
    json_decref(root);
    end_call(&call);

    call = post("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                                        "\"logprobs\":true,\"return_tokens_as_token_ids\":true}");
    fake_event(&engine, 1, TOK_EN, GOL_FINISH_LENGTH);
    root = reply_of(call, 200);
    const json_t *token = at(root, "choices/0/logprobs/content/0");
    assert_string_equal(str_at(token, "token"), "token_id:261");
    assert_int_equal(int_at(token, "bytes/0"), 'E');
    json_decref(root);
    end_call(&call);
}

static void test_a_stream_says_the_prompt_in_its_first_chunk(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,260],\"echo\":true,\"logprobs\":1,"
                                    "\"stream\":true,\"n\":2}");
    gguf_bytes bytes = {0};
    assert_false(read_some(call, &bytes, 4096));
    assert_int_equal(bytes.len, 0); /* nothing is known of the prompt yet */
    fake_say(&engine, 0, TOK_EN);
    assert_false(read_some(call, &bytes, 4096));
    assert_true(bytes.len > 0);
    fake_event(&engine, 0, TOK_DING, GOL_FINISH_LENGTH);
    fake_event(&engine, 1, TOK_DING, GOL_FINISH_LENGTH);
    assert_true(read_some(call, &bytes, 4096));
    json_t *events = take_events(&bytes);
    size_t n_tokens[2] = {0};
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *choice = at(json_array_get(events, i), "choices/0");
        if (!choice)
            continue;
        const size_t index = (size_t)int_at(choice, "index");
        const json_t *tokens = at(choice, "logprobs/tokens");
        if (n_tokens[index] == 0) {
            assert_true(json_array_size(tokens) >= 2);
            assert_string_equal(json_string_value(json_array_get(tokens, 0)), " Hello");
            assert_true(json_is_null(at(choice, "logprobs/token_logprobs/0")));
            expect_logprob(at(choice, "logprobs/token_logprobs/1"), fake_prompt_logprob(1));
        }
        n_tokens[index] += json_array_size(tokens);
    }
    assert_int_equal(n_tokens[0], 4);
    assert_int_equal(n_tokens[1], 3);
    char text[64];
    join_texts(text, sizeof text, events, 1);
    assert_string_equal(text, "Hello worldDing");
    json_decref(events);
    end_call(&call);
}

/* The fake engine gives each token -0.5: other means are made by the number that is said. */
static void say_with(int i, int32_t token, float logprob, gol_finish_reason finish)
{
    const gol_output output = {
        .request_id = (uint64_t)i + 1,
        .token = token,
        .logprob = logprob,
        .finish = finish,
        .n_prompt = engine.seqs[i].request.n_prompt,
        .n_generated = ++engine.seqs[i].n_generated,
    };
    engine.seqs[i].has_ended = finish != GOL_FINISH_NONE;
    engine.seqs[i].request.on_output(engine.seqs[i].request.user, &output);
}

static void test_best_of_returns_the_likeliest_per_token(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[[259],[260]],\"n\":2,\"best_of\":4,\"seed\":7}");
    assert_int_equal(engine.n_seqs, 8);
    static const float logprobs[] = {-2.0f, -0.5f, -1.0f, -0.5f};
    for (int i = 7; i >= 0; i--) {
        const gol_request *request = &engine.seqs[i].request;
        assert_int_equal(request->sampling.seed, 7 + i % 4);
        assert_int_equal(request->n_logprobs, 0); /* needed here, whatever comes back */
        if (i % 4 == 1)                           /* longer, and the same per token */
            say_with(i, tok_byte('x'), logprobs[1], GOL_FINISH_NONE);
        say_with(i, tok_byte((unsigned char)('a' + i)), logprobs[i % 4], GOL_FINISH_LENGTH);
    }
    json_t *root = reply_of(call, 200);
    static const char *const texts[] = {"xb", "d", "xf", "h"};
    assert_int_equal(json_array_size(at(root, "choices")), 4);
    for (int i = 0; i < 4; i++) {
        const json_t *choice = json_array_get(at(root, "choices"), (size_t)i);
        assert_int_equal(int_at(choice, "index"), i);
        assert_string_equal(str_at(choice, "text"), texts[i]);
        assert_true(json_is_null(at(choice, "logprobs")));
    }
    assert_int_equal(int_at(root, "usage/prompt_tokens"), 2);
    assert_int_equal(int_at(root, "usage/completion_tokens"), 10); /* of all that were made */
    json_decref(root);
    end_call(&call);
}

static void test_best_of_is_limited(void **state)
{
    (void)state;
    expect_error(post(PATH, "{\"prompt\":\"a\",\"n\":3,\"best_of\":2}"), 400, "best_of",
                 "invalid_value");
    expect_error(post(PATH, "{\"prompt\":\"a\",\"best_of\":2,\"stream\":true}"), 400, "best_of",
                 "invalid_value");
    expect_error(post(PATH, "{\"prompt\":[\"a\",\"b\"],\"best_of\":128}"), 400, "best_of",
                 "invalid_value");
    expect_error(post(PATH, "{\"prompt\":\"a\",\"prompt_logprobs\":1,\"stream\":true}"), 400,
                 "prompt_logprobs", "invalid_value");
    expect_error(post(PATH, "{\"prompt\":\"a\",\"truncate_prompt_tokens\":0}"), 400,
                 "truncate_prompt_tokens", "invalid_value");
    assert_int_equal(engine.n_seqs, 0);
}

static int32_t n_prompt_of(const char *body)
{
    const int i = engine.n_seqs;
    gol_api_call *call = post(PATH, body);
    if (engine.n_seqs != i + 1)
        fail_msg("%s", gol_api_call_reply(call)->body.data);
    end_call(&call);
    fake_settle(&engine);
    return engine.seqs[i].request.n_prompt;
}

static void test_the_end_of_a_prompt_is_taken(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[\"Hello world\",[259,260,261]],\"echo\":true,"
                                    "\"truncate_prompt_tokens\":1}");
    assert_int_equal(engine.seqs[0].request.n_prompt, 1);
    assert_int_equal(engine.seqs[0].prompt[0], tok_byte('d'));
    assert_int_equal(engine.seqs[1].prompt[0], TOK_EN);
    fake_event(&engine, 0, TOK_DING, GOL_FINISH_LENGTH);
    fake_event(&engine, 1, TOK_DING, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "dDing"); /* what was read */
    assert_int_equal(int_at(root, "usage/prompt_tokens"), 2);
    json_decref(root);
    end_call(&call);

    engine.limits.max_model_len = 5;
#define SEVEN "{\"prompt\":[259,260,261,259,260,261,259]"
    assert_int_equal(n_prompt_of(SEVEN ",\"truncate_prompt_tokens\":4}"), 4);
    assert_int_equal(n_prompt_of(SEVEN ",\"truncate_prompt_tokens\":-1,\"max_tokens\":2}"), 3);
    assert_int_equal(n_prompt_of(SEVEN ",\"truncate_prompt_tokens\":-1,\"max_tokens\":0}"), 5);
    assert_int_equal(n_prompt_of(SEVEN ",\"truncate_prompt_tokens\":-1,\"max_tokens\":5}"), 4);
    assert_int_equal(n_prompt_of(SEVEN ",\"truncate_prompt_tokens\":-1}"), 4);
    expect_error(post(PATH, SEVEN ",\"truncate_prompt_tokens\":5}"), 400, "prompt",
                 "context_length_exceeded");
}

static void test_priority_reaches_the_engine(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"priority\":-7}");
    assert_int_equal(engine.seqs[0].request.priority, -7);
    end_call(&call);
    fake_settle(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_echo_with_logprobs_has_the_prompt_in_all_arrays),
        api_test(test_offsets_follow_the_text_as_it_came),
        api_test(test_max_tokens_zero_generates_nothing),
        api_test(test_a_prompt_may_fill_the_context_when_nothing_follows),
        api_test(test_prompt_logprobs_are_in_each_choice),
        api_test(test_prompt_logprobs_of_a_chat_are_beside_the_choices),
        api_test(test_both_shapes_at_once),
        api_test(test_a_prompt_that_was_not_scored_to_its_end_has_nulls),
        api_test(test_tokens_are_named_by_id_when_asked_for),
        api_test(test_a_stream_says_the_prompt_in_its_first_chunk),
        api_test(test_best_of_returns_the_likeliest_per_token),
        api_test(test_best_of_is_limited),
        api_test(test_the_end_of_a_prompt_is_taken),
        api_test(test_priority_reaches_the_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
