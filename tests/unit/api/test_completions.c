/* POST /v1/completions, answers that come whole: shapes, stops, echo, n, usage, log-probabilities. */
#include "unit/api/api_fixture.h"

#define PATH "/v1/completions"

enum { N_HELLO = 1 + 1 + 5 }; /* ids of "Hello": <s>, the space that encode adds, five letters */

static json_t *finish_and_reply(gol_api_call *call, int32_t last, gol_finish_reason finish)
{
    fake_event(&engine, 0, last, finish);
    return reply_of(call, 200);
}

static void test_an_answer_has_exactly_openais_shape(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"model\":\"org/tiny\",\"prompt\":\"Hello\"}");
    assert_false(gol_api_call_is_ready(call));
    engine.seqs[0].n_cached = 1;
    fake_say(&engine, 0, TOK_HELLO);
    json_t *root = finish_and_reply(call, TOK_WORLD, GOL_FINISH_LENGTH);
    assert_int_equal(json_object_size(root), 7);
    assert_memory_equal(str_at(root, "id"), "cmpl-", 5);
    assert_string_equal(str_at(root, "object"), "text_completion");
    assert_true(int_at(root, "created") > 1700000000);
    assert_string_equal(str_at(root, "model"), "org/tiny");
    assert_memory_equal(str_at(root, "system_fingerprint"), "fp_", 3);
    assert_int_equal(json_array_size(at(root, "choices")), 1);
    assert_int_equal(json_object_size(at(root, "choices/0")), 5);
    assert_int_equal(int_at(root, "choices/0/index"), 0);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello world");
    assert_true(json_is_null(at(root, "choices/0/logprobs")));
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "length");
    assert_true(json_is_null(at(root, "choices/0/stop_reason")));
    assert_int_equal(int_at(root, "usage/prompt_tokens"), N_HELLO);
    assert_int_equal(int_at(root, "usage/completion_tokens"), 2);
    assert_int_equal(int_at(root, "usage/total_tokens"), N_HELLO + 2);
    assert_int_equal(int_at(root, "usage/prompt_tokens_details/cached_tokens"), 1);
    json_decref(root);
    end_call(&call);
}

static void test_the_engine_gets_openais_defaults(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\"}");
    const gol_request *r = &engine.seqs[0].request;
    assert_int_equal(r->max_tokens, 16);
    assert_int_equal(r->min_tokens, 0);
    assert_int_equal(r->n_logprobs, -1);
    assert_int_equal(r->n_stop_ids, 1);
    assert_int_equal(engine.seqs[0].stop_ids[0], TOK_EOS);
    assert_true(r->sampling.temperature == 1.0f && r->sampling.top_p == 1.0f);
    assert_true(r->sampling.repetition_penalty == 1.0f && r->sampling.top_k == 0);
    assert_int_equal(r->n_prompt, N_HELLO);
    assert_int_equal(engine.seqs[0].prompt[0], TOK_BOS);
    assert_int_equal(engine.seqs[0].prompt[N_HELLO - 1], tok_byte('o'));
    end_call(&call);
    fake_settle(&engine);
}

static void test_every_field_reaches_the_engine(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":[259],\"temperature\":0.25,\"top_p\":0.5,\"min_p\":0.125,\"top_k\":7,"
              "\"repetition_penalty\":1.5,\"presence_penalty\":-0.5,\"frequency_penalty\":0.75,"
              "\"seed\":-7,\"max_tokens\":9,\"min_tokens\":3,\"stop_token_ids\":[5,6],"
              "\"ignore_eos\":true,\"logprobs\":4}");
    const gol_request *r = &engine.seqs[0].request;
    assert_true(r->sampling.temperature == 0.25f && r->sampling.top_p == 0.5f);
    assert_true(r->sampling.min_p == 0.125f && r->sampling.repetition_penalty == 1.5f);
    assert_true(r->sampling.presence_penalty == -0.5f && r->sampling.frequency_penalty == 0.75f);
    assert_int_equal(r->sampling.top_k, 7);
    assert_true(r->sampling.seed == (uint64_t)-7);
    assert_int_equal(r->max_tokens, 9);
    assert_int_equal(r->min_tokens, 3);
    assert_int_equal(r->n_stop_ids, 2);
    assert_int_equal(engine.seqs[0].stop_ids[0], 5);
    assert_int_equal(engine.seqs[0].stop_ids[1], 6);
    assert_int_equal(r->n_logprobs, 4);
    end_call(&call);
    fake_settle(&engine);
}

static void test_each_prompt_form_gives_its_prompts(void **state)
{
    (void)state;
    static const struct {
        const char *prompt;
        int n_prompts;
        int n_ids; /* of the last */
    } forms[] = {
        {"\"Hello\"", 1, N_HELLO},       {"[\"Hello\",\"Hello\"]", 2, N_HELLO}, {"[259,260]", 1, 2},
        {"[[259],[259,260,261]]", 2, 3}, {"[\"Hello\",[259]]", 2, 1},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char body[200];
        snprintf(body, sizeof body, "{\"prompt\":%s}", forms[i].prompt);
        gol_api_call *call = post(PATH, body);
        assert_int_equal(engine.n_seqs, forms[i].n_prompts);
        assert_int_equal(engine.seqs[engine.n_seqs - 1].request.n_prompt, forms[i].n_ids);
        end_call(&call);
        fake_settle(&engine);
        fake_engine_deinit(&engine);
    }
}

static void test_bad_prompts_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *param;
        const char *code;
    } cases[] = {
        {"{}", "prompt", "missing_required_parameter"},
        {"{\"prompt\":null}", "prompt", "missing_required_parameter"},
        {"{\"prompt\":[]}", "prompt", "invalid_type"},
        {"{\"prompt\":7}", "prompt", "invalid_type"},
        {"{\"prompt\":true}", "prompt", "invalid_type"},
        {"{\"prompt\":{}}", "prompt", "invalid_type"},
        {"{\"prompt\":[-1]}", "prompt", "invalid_value"},
        {"{\"prompt\":[264]}", "prompt", "invalid_value"},
        {"{\"prompt\":[1,\"a\"]}", "prompt", "invalid_value"},
        {"{\"prompt\":[1.5]}", "prompt", "invalid_value"},
        {"{\"prompt\":[1,[1]]}", "prompt", "invalid_value"},
        {"{\"prompt\":[\"a\",1]}", "prompt[1]", "invalid_type"},
        {"{\"prompt\":[[]]}", "prompt[0]", "invalid_value"},
        {"{\"prompt\":[[1],[[1]]]}", "prompt[1]", "invalid_value"},
        {"{\"prompt\":[\"a\",null]}", "prompt[1]", "invalid_type"},
        {"{\"prompt\":\"\",\"add_special_tokens\":false}", "prompt", "invalid_value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(post(PATH, cases[i].body), 400, cases[i].param, cases[i].code);
    assert_int_equal(engine.n_seqs, 0);
}

static void post_ids(int n, int max_tokens, const char *more)
{
    char body[8192];
    size_t len = (size_t)snprintf(body, sizeof body, "{%s\"max_tokens\":%d,\"prompt\":[", more,
                                  max_tokens);
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(body + len, sizeof body - len, "%s259", i > 0 ? "," : "");
    snprintf(body + len, sizeof body - len, "]}");
    gol_api_call *call = post(PATH, body);
    if (n >= 256) {
        json_t *root = reply_of(call, 400);
        assert_non_null(strstr(str_at(root, "error/message"), "256 tokens"));
        json_decref(root);
        expect_error(call, 400, "prompt", "context_length_exceeded");
        return;
    }
    end_call(&call);
    fake_settle(&engine);
}

static void test_a_prompt_must_leave_room_for_one_token(void **state)
{
    (void)state;
    post_ids(255, 16, "");
    assert_int_equal(engine.n_seqs, 1);
    assert_int_equal(engine.seqs[0].request.max_tokens, 1); /* cut at the context's end */
    post_ids(256, 16, "");
    assert_int_equal(engine.n_seqs, 1);
    post_ids(250, 5, "");
    assert_int_equal(engine.seqs[1].request.max_tokens, 5);
}

static void test_a_stop_string_ends_the_answer_and_the_sequence(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"stop\":\"ENDin\"}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_say(&engine, 0, TOK_EN); /* "EN" "Ding": the stop string is inside two tokens */
    assert_false(gol_api_call_is_ready(call));
    fake_say(&engine, 0, TOK_DING);
    fake_say(&engine, 0, TOK_WORLD); /* the engine was faster than we */
    json_t *root = reply_of(call, 200);
    assert_true(engine.seqs[0].is_aborted);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello");
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "stop");
    assert_string_equal(str_at(root, "choices/0/stop_reason"), "ENDin");
    assert_int_equal(int_at(root, "usage/completion_tokens"), 3);
    json_decref(root);
    end_call(&call);
    fake_settle(&engine);
}

static void test_the_stop_string_stays_when_asked_for(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":\"Hello\",\"stop\":[\"x\",\"ND\"],\"include_stop_str_in_output\":true}");
    fake_say(&engine, 0, TOK_EN);
    fake_say(&engine, 0, TOK_DING);
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "END");
    assert_string_equal(str_at(root, "choices/0/stop_reason"), "ND");
    json_decref(root);
    end_call(&call);
    fake_settle(&engine);
}

static void test_a_stop_string_may_be_cut_inside_a_character(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"stop\":\"\xc3\xa9\xe2\x82\xac\"}");
    say_bytes(0, "a\xc3\xa9 \xc3\xa9\xe2\x82");
    assert_false(gol_api_call_is_ready(call));
    say_bytes(0, "\xac!");
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "a\xc3\xa9 ");
    json_decref(root);
    end_call(&call);
    fake_settle(&engine);
}

static void test_stop_strings_wait_for_min_tokens(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH, "{\"prompt\":\"Hello\",\"stop\":\"a\",\"min_tokens\":2,\"max_tokens\":9}");
    say_bytes(0, "aa");
    assert_false(gol_api_call_is_ready(call));
    say_bytes(0, "ba");
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "aab");
    assert_int_equal(int_at(root, "usage/completion_tokens"), 4);
    json_decref(root);
    end_call(&call);
    fake_settle(&engine);
}

static void test_a_stop_id_is_named_only_if_the_client_named_it(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"stop_token_ids\":[260]}");
    fake_say(&engine, 0, TOK_HELLO);
    json_t *root = finish_and_reply(call, TOK_WORLD, GOL_FINISH_STOP);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello");
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "stop");
    assert_int_equal(int_at(root, "choices/0/stop_reason"), TOK_WORLD);
    assert_int_equal(int_at(root, "usage/completion_tokens"), 2);
    json_decref(root);
    end_call(&call);

    call = post(PATH,
                "{\"prompt\":\"Hello\",\"stop_token_ids\":[260],\"skip_special_tokens\":false}");
    fake_say(&engine, 1, TOK_HELLO);
    fake_event(&engine, 1, TOK_EOS, GOL_FINISH_STOP);
    root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello");
    assert_true(json_is_null(at(root, "choices/0/stop_reason")));
    json_decref(root);
    end_call(&call);
}

static void test_an_unfinished_character_becomes_u_fffd(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\"}");
    say_bytes(0, "a\xe2\x82");
    json_t *root = finish_and_reply(call, tok_byte(0xff), GOL_FINISH_LENGTH);
    assert_string_equal(str_at(root, "choices/0/text"), "a\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(root);
    end_call(&call);
}

static void test_control_tokens_show_only_when_asked_for(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\"}");
    fake_say(&engine, 0, TOK_BOS);
    json_t *root = finish_and_reply(call, TOK_HELLO, GOL_FINISH_LENGTH);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello");
    json_decref(root);
    end_call(&call);
    call = post(PATH, "{\"prompt\":\"Hello\",\"skip_special_tokens\":false}");
    fake_say(&engine, 1, TOK_BOS);
    fake_event(&engine, 1, TOK_HELLO, GOL_FINISH_LENGTH);
    root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "<s> Hello");
    json_decref(root);
    end_call(&call);
}

static void test_echo_puts_the_prompt_in_front(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[\"Hello\",[260,261]],\"echo\":true}");
    fake_event(&engine, 0, TOK_WORLD, GOL_FINISH_LENGTH);
    assert_false(gol_api_call_is_ready(call));
    fake_event(&engine, 1, TOK_DING, GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/text"), "Hello world");
    assert_string_equal(str_at(root, "choices/1/text"), "worldENDing");
    json_decref(root);
    end_call(&call);
}

static void test_choices_are_numbered_by_prompt_then_n(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[[259],[260,261]],\"n\":3,\"seed\":40}");
    assert_int_equal(engine.n_seqs, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(engine.seqs[i].request.n_prompt, 1 + i / 3);
        assert_int_equal(engine.seqs[i].request.sampling.seed, 40 + i % 3);
        engine.seqs[i].n_cached = i % 3 == 0 ? 0 : 1; /* the first computes, the others find */
        assert_false(gol_api_call_is_ready(call));
    }
    for (int i = 5; i >= 0; i--)
        fake_event(&engine, i, tok_byte((unsigned char)('a' + i)), GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    for (int i = 0; i < 6; i++) {
        const json_t *choice = json_array_get(at(root, "choices"), (size_t)i);
        assert_int_equal(int_at(choice, "index"), i);
        assert_int_equal(str_at(choice, "text")[0], 'a' + i);
    }
    assert_int_equal(int_at(root, "usage/prompt_tokens"), 3);
    assert_int_equal(int_at(root, "usage/completion_tokens"), 6);
    assert_int_equal(int_at(root, "usage/prompt_tokens_details/cached_tokens"), 0);
    json_decref(root);
    end_call(&call);
}

static void test_without_a_seed_choices_draw_differently(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"a\",\"n\":2,\"seed\":-1}");
    assert_true(engine.seqs[0].request.sampling.seed != engine.seqs[1].request.sampling.seed);
    end_call(&call);
    fake_settle(&engine);
}

static void test_prompts_times_n_is_limited(void **state)
{
    (void)state;
    gol_api_destroy(&api);
    make_api(&(gol_api_opts){.max_n = 4});
    gol_api_call *call = post(PATH, "{\"prompt\":[\"a\",\"b\"],\"n\":2}");
    assert_int_equal(engine.n_seqs, 4);
    end_call(&call);
    fake_settle(&engine);
    expect_error(post(PATH, "{\"prompt\":[\"a\",\"b\"],\"n\":3}"), 400, "n", "invalid_value");
    expect_error(post(PATH, "{\"prompt\":\"a\",\"n\":5}"), 400, "n", "invalid_value");
    expect_error(post(PATH, "{\"prompt\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}"), 400, "prompt",
                 "invalid_value");
    assert_int_equal(engine.n_seqs, 4);
}

static void test_logprobs_have_the_legacy_shape(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"logprobs\":2}");
    fake_say(&engine, 0, TOK_HELLO);
    say_bytes(0, "\xc3\xa9");
    json_t *root = finish_and_reply(call, TOK_EOS, GOL_FINISH_STOP);
    assert_string_equal(str_at(root, "choices/0/text"), " Hello\xc3\xa9");
    const json_t *lp = at(root, "choices/0/logprobs");
    assert_int_equal(json_object_size(lp), 4);
    assert_int_equal(json_array_size(at(lp, "tokens")), 4); /* one for each counted token */
    assert_string_equal(str_at(lp, "tokens/0"), " Hello");
    assert_string_equal(str_at(lp, "tokens/1"), "bytes:\\xc3");
    assert_string_equal(str_at(lp, "tokens/3"), "</s>");
    assert_true(json_real_value(at(lp, "token_logprobs/0")) == -0.5);
    assert_int_equal(json_object_size(at(lp, "top_logprobs/0")), 2);
    assert_true(json_real_value(json_object_get(at(lp, "top_logprobs/1"), "bytes:\\xc2")) == -1.5);
    assert_int_equal(int_at(lp, "text_offset/0"), 0);
    assert_int_equal(int_at(lp, "text_offset/1"), 6);
    assert_int_equal(int_at(lp, "text_offset/2"), 6);
    assert_int_equal(int_at(lp, "text_offset/3"), 7); /* characters, not bytes */
    json_decref(root);
    end_call(&call);
}

static void test_logprobs_zero_names_the_drawn_token(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"logprobs\":0}");
    json_t *root = finish_and_reply(call, TOK_HELLO, GOL_FINISH_LENGTH);
    const json_t *top = at(root, "choices/0/logprobs/top_logprobs/0");
    assert_int_equal(json_object_size(top), 1);
    assert_true(json_real_value(json_object_get(top, " Hello")) == -0.5);
    json_decref(root);
    end_call(&call);
}

static void test_token_ids_come_back_when_asked_for(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":[259,261],\"return_token_ids\":true}");
    fake_say(&engine, 0, TOK_HELLO);
    json_t *root = finish_and_reply(call, TOK_EOS, GOL_FINISH_STOP);
    assert_int_equal(json_array_size(at(root, "choices/0/prompt_token_ids")), 2);
    assert_int_equal(int_at(root, "choices/0/prompt_token_ids/1"), TOK_EN);
    assert_int_equal(json_array_size(at(root, "choices/0/token_ids")), 2);
    assert_int_equal(int_at(root, "choices/0/token_ids/1"), TOK_EOS);
    json_decref(root);
    end_call(&call);
}

static void test_ids_beyond_the_tokenizer_have_no_text(void **state)
{
    (void)state;
    engine.config.n_vocab = TOK_N_VOCAB + 10; /* a model with a padded table */
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"logprobs\":1}");
    fake_say(&engine, 0, TOK_N_VOCAB + 5);
    json_t *root = finish_and_reply(call, TOK_WORLD, GOL_FINISH_LENGTH);
    assert_string_equal(str_at(root, "choices/0/text"), " world");
    json_decref(root);
    end_call(&call);
}

static void test_an_engine_that_shuts_down_aborts(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\"}");
    fake_say(&engine, 0, TOK_HELLO);
    json_t *root = finish_and_reply(call, -1, GOL_FINISH_ABORT);
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "abort");
    assert_string_equal(str_at(root, "choices/0/text"), " Hello");
    json_decref(root);
    end_call(&call);
}

static void test_a_failed_computation_is_an_error_and_aborts_the_rest(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"n\":2}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_event(&engine, 1, -1, GOL_FINISH_ERROR);
    assert_int_equal(n_wakes, 1);
    expect_error(call, 500, NULL, "computation_failed");
    assert_true(engine.seqs[0].is_aborted);
    fake_settle(&engine);
}

static void test_a_whole_answer_wakes_once_at_its_end(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{\"prompt\":\"Hello\",\"n\":2}");
    for (int i = 0; i < 10; i++) {
        fake_say(&engine, 0, TOK_HELLO);
        fake_say(&engine, 1, TOK_HELLO);
    }
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    assert_int_equal(n_wakes, 0);
    fake_event(&engine, 1, TOK_EOS, GOL_FINISH_STOP);
    assert_int_equal(n_wakes, 1);
    json_decref(reply_of(call, 200));
    end_call(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_an_answer_has_exactly_openais_shape),
        api_test(test_the_engine_gets_openais_defaults),
        api_test(test_every_field_reaches_the_engine),
        api_test(test_each_prompt_form_gives_its_prompts),
        api_test(test_bad_prompts_are_refused_by_name),
        api_test(test_a_prompt_must_leave_room_for_one_token),
        api_test(test_a_stop_string_ends_the_answer_and_the_sequence),
        api_test(test_the_stop_string_stays_when_asked_for),
        api_test(test_a_stop_string_may_be_cut_inside_a_character),
        api_test(test_stop_strings_wait_for_min_tokens),
        api_test(test_a_stop_id_is_named_only_if_the_client_named_it),
        api_test(test_an_unfinished_character_becomes_u_fffd),
        api_test(test_control_tokens_show_only_when_asked_for),
        api_test(test_echo_puts_the_prompt_in_front),
        api_test(test_choices_are_numbered_by_prompt_then_n),
        api_test(test_without_a_seed_choices_draw_differently),
        api_test(test_prompts_times_n_is_limited),
        api_test(test_logprobs_have_the_legacy_shape),
        api_test(test_logprobs_zero_names_the_drawn_token),
        api_test(test_token_ids_come_back_when_asked_for),
        api_test(test_ids_beyond_the_tokenizer_have_no_text),
        api_test(test_an_engine_that_shuts_down_aborts),
        api_test(test_a_failed_computation_is_an_error_and_aborts_the_rest),
        api_test(test_a_whole_answer_wakes_once_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
