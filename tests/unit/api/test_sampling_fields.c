/* The fields of gol_sampling_extras on their way from JSON to the engine: names, forms, lists, words, and --strict. */
#include "unit/api/api_fixture.h"

#include <math.h>

#define PATH "/v1/completions"

/* Posts {"prompt": "Hello", FIELDS}; the engine got it. */
static const fake_seq *submit(const char *fields)
{
    char body[2048];
    snprintf(body, sizeof body, "{\"prompt\":\"Hello\",%s}", fields);
    gol_api_call *call = post(PATH, body);
    if (gol_api_call_is_ready(call))
        fail_msg("%s: %.*s", fields, GOL_STR_ARG(gol_api_call_reply(call)->body));
    end_call(&call);
    fake_settle(&engine);
    return &engine.seqs[engine.n_seqs - 1];
}

static void refuse(const char *fields, const char *param, const char *code)
{
    char body[2048];
    snprintf(body, sizeof body, "{\"prompt\":\"Hello\",%s}", fields);
    expect_error(post(PATH, body), 400, param, code);
}

static void test_every_number_reaches_the_engine(void **state)
{
    (void)state;
    const fake_seq *s = submit(
        "\"repeat_last_n\":7,\"top_n_sigma\":1.5,\"typical_p\":0.75,\"xtc_probability\":0.5,"
        "\"xtc_threshold\":0.25,\"dynatemp_range\":0.5,\"dynatemp_exponent\":2,\"mirostat\":2,"
        "\"mirostat_tau\":4,\"mirostat_eta\":0.5,\"dry_multiplier\":0.5,\"dry_base\":2,"
        "\"dry_allowed_length\":3,\"dry_penalty_last_n\":64");
    const gol_sampling_extras *x = &s->extras->params;
    assert_int_equal(x->repeat_last_n, 7);
    assert_true(x->top_n_sigma == 1.5f && x->typical_p == 0.75f);
    assert_true(x->xtc_probability == 0.5f && x->xtc_threshold == 0.25f);
    assert_true(x->dynatemp_range == 0.5f && x->dynatemp_exponent == 2.0f);
    assert_int_equal(x->mirostat, 2);
    assert_true(x->mirostat_tau == 4.0f && x->mirostat_eta == 0.5f);
    assert_true(x->dry_multiplier == 0.5f && x->dry_base == 2.0f);
    assert_int_equal(x->dry_allowed_length, 3);
    assert_int_equal(x->dry_penalty_last_n, 64);
    assert_int_equal(x->order, GOL_ORDER_TEMPERATURE_FIRST);
}

static void test_what_is_off_leaves_nothing(void **state)
{
    (void)state;
    assert_null(submit("\"temperature\":0.5")->extras);
    assert_null(submit("\"top_n_sigma\":-1,\"typical_p\":1,\"mirostat\":0,\"dry_multiplier\":0,"
                       "\"logit_bias\":{},\"allowed_token_ids\":[],\"bad_words\":[]")
                    ->extras);
}

static void test_other_names_mean_the_same(void **state)
{
    (void)state;
    assert_true(submit("\"repeat_penalty\":1.5")->request.sampling.repetition_penalty == 1.5f);
    assert_int_equal(submit("\"n_predict\":5")->request.max_tokens, 5);
    assert_int_equal(submit("\"num_predict\":6")->request.max_tokens, 6);
    const int32_t n_prompt = 7;
    assert_int_equal(submit("\"n_predict\":-1")->request.max_tokens, 256 - n_prompt);
    assert_int_equal(submit("\"max_tokens\":null,\"n_predict\":5")->request.max_tokens, 5);
    assert_int_equal(submit("\"n_predict\":0")->request.max_tokens, 0);
    refuse("\"n_predict\":-2", "n_predict", "invalid_value");
    refuse("\"max_tokens\":5,\"n_predict\":5", "n_predict", "invalid_value");
    refuse("\"repeat_penalty\":1.5,\"repetition_penalty\":1.5", "repeat_penalty", "invalid_value");
}

static void test_logit_bias_is_taken_in_both_forms(void **state)
{
    (void)state;
    const gol_sampling_extras *x =
        &submit("\"logit_bias\":{\"3\":-100,\"5\":2.5,\"7\":false,\"9\":100}")->extras->params;
    assert_int_equal(x->n_logit_bias, 4);
    static const gol_logit_bias expected[] = {{3, -100}, {5, 2.5f}, {7, -INFINITY}, {9, 100}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(x->logit_bias[i].token, expected[i].token);
        assert_true(x->logit_bias[i].bias == expected[i].bias);
    }
    x = &submit("\"logit_bias\":[[3,-1],[5.0,false],[3,2]]")->extras->params;
    assert_int_equal(x->n_logit_bias, 3);
    assert_true(x->logit_bias[1].token == 5 && x->logit_bias[1].bias == -INFINITY);
    assert_true(x->logit_bias[2].token == 3 && x->logit_bias[2].bias == 2.0f);
}

static void test_logit_bias_refuses_what_it_is_not(void **state)
{
    (void)state;
    refuse("\"logit_bias\":7", "logit_bias", "invalid_type");
    refuse("\"logit_bias\":\"x\"", "logit_bias", "invalid_type");
    refuse("\"logit_bias\":{\"x\":1}", "logit_bias", "invalid_value");
    refuse("\"logit_bias\":{\"\":1}", "logit_bias", "invalid_value");
    refuse("\"logit_bias\":{\"-1\":1}", "logit_bias", "invalid_value");
    refuse("\"logit_bias\":{\"1.5\":1}", "logit_bias", "invalid_value");
    refuse("\"logit_bias\":{\"99999999999999999999\":1}", "logit_bias", "invalid_value");
    char fields[100];
    snprintf(fields, sizeof fields, "\"logit_bias\":{\"%d\":1}", TOK_N_VOCAB);
    refuse(fields, "logit_bias", "invalid_value");
    refuse("\"logit_bias\":{\"3\":100.5}", "logit_bias[\"3\"]", "invalid_value");
    refuse("\"logit_bias\":{\"3\":true}", "logit_bias[\"3\"]", "invalid_type");
    refuse("\"logit_bias\":{\"3\":null}", "logit_bias[\"3\"]", "invalid_type");
    refuse("\"logit_bias\":[3]", "logit_bias[0]", "invalid_type");
    refuse("\"logit_bias\":[[3,1],[3]]", "logit_bias[1]", "invalid_type");
    refuse("\"logit_bias\":[[\"a\",1]]", "logit_bias[0]", "invalid_value");
    refuse("\"logit_bias\":[[3,-101]]", "logit_bias[0]", "invalid_value");
}

static void test_logit_bias_has_a_limit(void **state)
{
    (void)state;
    for (int n = GOL_LOGIT_BIAS_MAX; n <= GOL_LOGIT_BIAS_MAX + 1; n++) {
        gol_buf body;
        gol_buf_init(&body, 1 << 20);
        gol_buf_puts(&body, "{\"prompt\":\"Hello\",\"logit_bias\":[");
        for (int i = 0; i < n; i++)
            gol_buf_puts(&body, i > 0 ? ",[3,1]" : "[3,1]");
        gol_buf_puts(&body, "]}");
        gol_api_call *call = request_bytes("POST", PATH, body.data, body.len);
        gol_buf_deinit(&body);
        if (n > GOL_LOGIT_BIAS_MAX) {
            expect_error(call, 400, "logit_bias", "invalid_value");
            continue;
        }
        assert_false(gol_api_call_is_ready(call));
        end_call(&call);
        fake_settle(&engine);
    }
}

static void test_allowed_ids_are_ids(void **state)
{
    (void)state;
    const gol_sampling_extras *x = &submit("\"allowed_token_ids\":[4,0,4]")->extras->params;
    assert_int_equal(x->n_allowed, 3);
    assert_int_equal(x->allowed[0], 4);
    refuse("\"allowed_token_ids\":4", "allowed_token_ids", "invalid_type");
    refuse("\"allowed_token_ids\":[4,-1]", "allowed_token_ids[1]", "invalid_value");
    refuse("\"allowed_token_ids\":[\"a\"]", "allowed_token_ids[0]", "invalid_value");
}

static bool has_phrase(const gol_phrases *phrases, const int32_t *tokens, int32_t n)
{
    for (int32_t i = 0; i < phrases->n; i++) {
        const int32_t *found;
        if (gol_phrase_get(phrases, i, &found) == n &&
            memcmp(found, tokens, (size_t)n * sizeof *tokens) == 0)
            return true;
    }
    return false;
}

static void test_bad_words_become_tokens(void **state)
{
    (void)state;
    const gol_phrases *words = &submit("\"bad_words\":[\"Ding\",\" a\"]")->extras->params.bad_words;
    /* The tokenizer puts a space before the first word, and no word of its own merges with it. */
    assert_true(has_phrase(words, (int32_t[]){TOK_SPACE, tok_byte('a')}, 2));
    assert_in_range(words->n, 2, 4);
    refuse("\"bad_words\":\"a\"", "bad_words", "invalid_type");
    refuse("\"bad_words\":[7]", "bad_words[0]", "invalid_type");
    refuse("\"bad_words\":[\"a\",\"\"]", "bad_words[1]", "invalid_value");
    refuse("\"bad_words\":[\"a\",\" \"]", "bad_words[1]", "invalid_value");
    char fields[300];
    snprintf(fields, sizeof fields, "\"bad_words\":[\"%0257d\"]", 0);
    refuse(fields, "bad_words[0]", "invalid_value");
}

static void test_breakers_are_all_tokens_with_their_text(void **state)
{
    (void)state;
    const gol_seq_extras *x = submit("\"dry_multiplier\":1")->extras;
    static const char defaults[] = "\n:\"*";
    for (const char *c = defaults; *c != '\0'; c++)
        assert_true(gol_seq_extras_has_bit(x->is_breaker, tok_byte((unsigned char)*c)));
    assert_false(gol_seq_extras_has_bit(x->is_breaker, tok_byte('a')));
    assert_int_equal(x->n_long_breakers, 0);

    x = submit("\"dry_multiplier\":1,\"dry_sequence_breakers\":[\"lo\",\"N\"]")->extras;
    assert_true(gol_seq_extras_has_bit(x->is_breaker, TOK_HELLO));
    assert_true(gol_seq_extras_has_bit(x->is_breaker, TOK_EN));
    assert_false(gol_seq_extras_has_bit(x->is_breaker, tok_byte(':')));
    const int32_t l_o[] = {tok_byte('l'), tok_byte('o')};
    assert_true(has_phrase(&x->params.dry_breakers, l_o, 2));

    x = submit("\"dry_multiplier\":1,\"dry_sequence_breakers\":[]")->extras;
    assert_int_equal(x->params.dry_breakers.n, 0);
    refuse("\"dry_sequence_breakers\":[\"\"]", "dry_sequence_breakers[0]", "invalid_value");
    refuse("\"dry_sequence_breakers\":{}", "dry_sequence_breakers", "invalid_type");
}

static void test_samplers_choose_and_order(void **state)
{
    (void)state;
    const char *all = "\"top_p\":0.5,\"top_k\":3,\"min_p\":0.1,\"typical_p\":0.9,"
                      "\"xtc_probability\":0.5,\"top_n_sigma\":1,\"temperature\":0.7,"
                      "\"repetition_penalty\":1.5,\"dry_multiplier\":1,\"samplers\":";
    char fields[600];
    snprintf(fields, sizeof fields,
             "%s[\"penalties\",\"dry\",\"top_n_sigma\",\"top_k\",\"typ_p\",\"top_p\",\"min_p\","
             "\"xtc\",\"temperature\"]",
             all);
    const fake_seq *s = submit(fields);
    assert_int_equal(s->extras->params.order, GOL_ORDER_TEMPERATURE_LAST);
    assert_true(s->extras->params.typical_p == 0.9f && s->request.sampling.min_p == 0.1f);
    assert_true(s->request.sampling.temperature == 0.7f && s->extras->has_dry);

    snprintf(fields, sizeof fields, "%s[\"temperature\",\"top_k\",\"top_p\"]", all);
    s = submit(fields);
    assert_null(s->extras); /* our own order, and nothing of the rest */
    assert_true(s->request.sampling.top_p == 0.5f && s->request.sampling.top_k == 3);
    assert_true(s->request.sampling.min_p == 0 && s->request.sampling.repetition_penalty == 1);

    snprintf(fields, sizeof fields, "%s[]", all);
    s = submit(fields);
    assert_true(s->request.sampling.temperature == 1 && s->request.sampling.top_p == 1);
    assert_int_equal(s->request.sampling.top_k, 0);

    refuse("\"samplers\":[\"top_p\",\"top_k\"]", "samplers", "unsupported_parameter");
    refuse("\"samplers\":[\"top_k\",\"top_k\"]", "samplers", "unsupported_parameter");
    refuse("\"samplers\":[\"temperature\",\"top_p\",\"min_p\"]", "samplers",
           "unsupported_parameter");
    refuse("\"samplers\":[\"top_k\",\"infill\"]", "samplers[1]", "invalid_value");
    refuse("\"samplers\":\"kfypmt\"", "samplers", "invalid_type");
}

static void test_a_strict_server_refuses_unknown_fields(void **state)
{
    (void)state;
    submit("\"foo\":1");
    gol_api_destroy(&api);
    make_api(&(gol_api_opts){.is_strict = true});
    submit("\"user\":\"known, but without effect\"");
    refuse("\"foo\":1", "foo", "unknown_parameter");
    refuse("\"foo\":null", "foo", "unknown_parameter");
    refuse("\"stream\":true,\"stream_options\":{\"bar\":1}", "stream_options.bar",
           "unknown_parameter");
}

static void test_running_out_of_memory_is_503(void **state)
{
    (void)state;
    const char *body = "{\"prompt\":\"Hello\",\"logit_bias\":{\"3\":1},\"allowed_token_ids\":[3,4],"
                       "\"bad_words\":[\"Ding\"],\"dry_multiplier\":1,"
                       "\"dry_sequence_breakers\":[\"lo\"]}";
    int n_refused = 0;
    for (uint64_t n = 1; n < 2000; n++) {
        gol_mem_fail_nth(n, false);
        gol_api_call *call = post(PATH, body);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        const bool is_refused = gol_api_call_is_ready(call);
        if (is_refused) {
            assert_true(has_failed);
            assert_int_equal(gol_api_call_reply(call)->status, 503);
            n_refused++;
        } else { /* somebody could do without; then nothing is missing */
            const gol_sampling_extras *x = &engine.seqs[engine.n_seqs - 1].extras->params;
            assert_int_equal(x->n_logit_bias, 1);
            assert_int_equal(x->n_allowed, 2);
            assert_true(x->bad_words.n >= 1 && x->dry_breakers.n >= 2);
        }
        end_call(&call);
        fake_settle(&engine);
        if (!has_failed)
            break;
    }
    assert_in_range(n_refused, 20, 1990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_every_number_reaches_the_engine),
        api_test(test_what_is_off_leaves_nothing),
        api_test(test_other_names_mean_the_same),
        api_test(test_logit_bias_is_taken_in_both_forms),
        api_test(test_logit_bias_refuses_what_it_is_not),
        api_test(test_logit_bias_has_a_limit),
        api_test(test_allowed_ids_are_ids),
        api_test(test_bad_words_become_tokens),
        api_test(test_breakers_are_all_tokens_with_their_text),
        api_test(test_samplers_choose_and_order),
        api_test(test_a_strict_server_refuses_unknown_fields),
        api_test(test_running_out_of_memory_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
