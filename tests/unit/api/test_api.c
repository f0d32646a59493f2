/* Routes, keys, headers, admission, health, and the small endpoints. */
#include "unit/api/api_fixture.h"

#include "support/set_clock.h"

static gol_api_call *send_with(const gol_api_request *request)
{
    return opened(gol_api_begin(api, request, count_wake, NULL));
}

static int route_status(const char *method, const char *path)
{
    return gol_api_route_status(api, gol_str_from(method), gol_str_from(path));
}

static void test_routes_are_known_before_the_body(void **state)
{
    (void)state;
    assert_int_equal(route_status("POST", "/v1/completions"), 0);
    assert_int_equal(route_status("GET", "/v1/completions"), 405);
    assert_int_equal(route_status("PUT", "/v1/chat/completions"), 405);
    assert_int_equal(route_status("GET", "/v1/models"), 0);
    assert_int_equal(route_status("HEAD", "/health"), 0);
    assert_int_equal(route_status("POST", "/health"), 405);
    assert_int_equal(route_status("GET", "/v1/models/a/b"), 0);
    assert_int_equal(route_status("GET", "/v1/models/"), 404);
    assert_int_equal(route_status("GET", "/v1/model"), 404);
    assert_int_equal(route_status("GET", ""), 404);
    assert_int_equal(route_status("get", "/health"), 405);
}

static void test_unknown_paths_and_methods_are_errors_in_shape(void **state)
{
    (void)state;
    expect_error(get("/nothing/here\x01"), 404, NULL, "not_found");
    gol_api_call *call = get("/v1/completions");
    assert_true(gol_api_call_is_ready(call));
    assert_string_equal(header_of(call, "Allow"), "POST");
    expect_error(call, 405, NULL, "method_not_allowed");
    call = post("/health", "{}");
    assert_string_equal(header_of(call, "Allow"), "GET, HEAD");
    expect_error(call, 405, NULL, "method_not_allowed");
}

static void test_errors_of_the_http_layer_get_the_shape(void **state)
{
    (void)state;
    static const int statuses[] = {400, 408, 413, 431, 503};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        expect_error(opened(gol_api_begin_error(api, statuses[i], "too_much", "too much")),
                     statuses[i], NULL, "too_much");
    expect_error(opened(gol_api_begin_error(api, 400, NULL, "\xff")), 400, NULL, NULL);
}

static int status_with_key(const char *authorization)
{
    const gol_api_request request = {
        .method = GOL_STR("GET"),
        .path = GOL_STR("/v1/models"),
        .authorization = gol_str_from(authorization),
    };
    gol_api_call *call = send_with(&request);
    const int status = gol_api_call_reply(call)->status;
    if (status == 401) {
        assert_string_equal(header_of(call, "WWW-Authenticate"), "Bearer");
        expect_error(call, 401, NULL, "invalid_api_key");
    } else {
        end_call(&call);
    }
    return status;
}

static void test_a_key_opens_what_a_key_guards(void **state)
{
    (void)state;
    assert_int_equal(status_with_key("anything"), 200);
    gol_api_destroy(&api);
    make_api(&(gol_api_opts){.api_key = "secret"});
    assert_int_equal(status_with_key("Bearer secret"), 200);
    assert_int_equal(status_with_key("bearer secret"), 200);
    static const char *const bad[] = {"",
                                      "secret",
                                      "Bearer",
                                      "Bearer ",
                                      "Bearer secre",
                                      "Bearer secret ",
                                      "Bearer secretsecret",
                                      "Bearer Secret",
                                      "Basic secret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(status_with_key(bad[i]), 401);
    gol_api_call *call = get("/health"); /* a probe has no key */
    json_decref(reply_of(call, 200));
    end_call(&call);
}

static void test_request_ids_go_in_and_out_clean(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    gol_api_request request = {
        .method = GOL_STR("GET"),
        .path = GOL_STR("/version"),
        .request_id = GOL_STR("ab\r\nc \xc3\xa9/1"),
    };
    gol_api_call *call = send_with(&request);
    assert_string_equal(header_of(call, "X-Request-Id"), "ab__c___/1");
    end_call(&call);
    request.request_id = (gol_str){longest, sizeof longest};
    call = send_with(&request);
    assert_int_equal(strlen(header_of(call, "X-Request-Id")), 128);
    end_call(&call);
    gol_api_call *a = get("/version");
    gol_api_call *b = get("/nowhere");
    assert_int_equal(strlen(header_of(a, "X-Request-Id")), 24);
    assert_string_not_equal(header_of(a, "X-Request-Id"), header_of(b, "X-Request-Id"));
    end_call(&a);
    end_call(&b);
}

static void test_ignored_fields_are_named_in_a_header(void **state)
{
    (void)state;
    gol_api_call *call = post("/v1/completions", "{\"prompt\":\"a\",\"foo\":1,\"stream\":true}");
    assert_string_equal(header_of(call, "X-Gollum-Ignored-Params"), "foo");
    end_call(&call);
    fake_settle(&engine);
    call = post("/v1/completions", "{\"prompt\":\"a\",\"stream\":true}");
    assert_null(header_of(call, "X-Gollum-Ignored-Params"));
    end_call(&call);
    fake_settle(&engine);
}

static void test_the_model_must_be_ours(void **state)
{
    (void)state;
    expect_error(post("/v1/completions", "{\"prompt\":\"a\",\"model\":\"gpt-4\"}"), 404, "model",
                 "model_not_found");
    expect_error(post("/v1/completions", "{\"prompt\":\"a\",\"model\":7}"), 400, "model",
                 "invalid_type");
    expect_error(get("/v1/models/org/other"), 404, "model", "model_not_found");
    assert_int_equal(engine.n_seqs, 0);
}

/* The fourth of six is refused: the first three are aborted, the client gets one error. */
static void refuse_fourth(int code, int status, const char *error_code)
{
    fake_engine_deinit(&engine);
    engine.refuse_at = 3;
    engine.refuse_code = code;
    gol_api_call *call = post("/v1/completions", "{\"prompt\":[\"a\",\"b\"],\"n\":3}");
    assert_int_equal(engine.n_seqs, 3);
    assert_int_equal(fake_n_live(&engine), 0);
    fake_say(&engine, 0, TOK_HELLO); /* on its way already */
    expect_error(call, status, NULL, error_code);
    fake_settle(&engine);
}

static void test_admission_is_all_or_nothing(void **state)
{
    (void)state;
    refuse_fourth(GOL_EBUSY, 429, "queue_full");
    refuse_fourth(GOL_ECLOSED, 503, "shutting_down");
    refuse_fourth(GOL_ENOMEM, 503, "out_of_memory");
    refuse_fourth(GOL_ECONTEXT, 400, "context_length_exceeded");
    refuse_fourth(GOL_EINVAL, 400, "invalid_value");
}

static void expect_status(const char *path, int status)
{
    gol_api_call *call = get(path);
    assert_true(gol_api_call_is_ready(call));
    if (gol_api_call_reply(call)->status != status)
        fail_msg("%s is %d", path, gol_api_call_reply(call)->status);
    json_decref(reply_of(call, status));
    end_call(&call);
}

static void test_draining_is_seen_by_readiness_alone(void **state)
{
    (void)state;
    expect_status("/health", 200);
    gol_api_set_draining(api, true);
    expect_status("/livez", 200);
    expect_status("/readyz", 503);
    expect_error(get("/health"), 503, NULL, "shutting_down");
    gol_api_set_draining(api, false);
    expect_status("/readyz", 200);
}

static void test_an_engine_that_makes_no_step_is_not_alive(void **state)
{
    (void)state;
    const uint64_t s = 1000000000;
    const uint64_t now = gol_clock_ns();
    engine.stats.last_step_ns = now - 61 * s;
    expect_status("/livez", 200); /* idle */
    engine.stats.n_waiting = 1;
    expect_error(get("/livez"), 503, NULL, "engine_stuck");
    expect_error(get("/health"), 503, NULL, "engine_stuck");
    expect_status("/readyz", 200);
    engine.stats.last_step_ns = now - 50 * s;
    expect_status("/livez", 200);
}

static void test_work_after_a_long_silence_is_no_stall(void **state)
{
    (void)state;
    engine.stats.last_step_ns = 1;
    gol_api_call *call = post("/v1/completions", "{\"prompt\":\"a\"}");
    engine.stats.n_running = 1;
    expect_status("/livez", 200);
    engine.stats.n_running = 0;
    end_call(&call);
    fake_settle(&engine);
}

static void test_metrics_are_the_engines_figures(void **state)
{
    (void)state;
    engine.stats.n_running = 3;
    engine.stats.n_blocks_free = 5;
    engine.stats.n_generated_tokens = UINT64_MAX;
    engine.stats.n_prefix_queries = 40;
    engine.stats.n_prefix_hits = 30;
    engine.stats.n_exact_hits = 2;
    engine.stats.n_finished[GOL_FINISH_ABORT] = 7;
    engine.memory.bytes[GOL_MEMORY_KV] = 12345678901;
    engine.memory.max = (uint64_t)1 << 34;
    gol_api_call *call = get("/metrics");
    assert_true(gol_api_call_is_ready(call));
    const gol_api_reply *reply = gol_api_call_reply(call);
    assert_int_equal(reply->status, 200);
    assert_string_equal(header_of(call, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    static const char *const lines[] = {
        "# TYPE gollum_sequences_running gauge\ngollum_sequences_running 3\n",
        "\ngollum_kv_blocks_free 5\n",
        "# TYPE vllm:prefix_cache_queries_total counter\nvllm:prefix_cache_queries_total 40\n",
        "# TYPE vllm:prefix_cache_hits_total counter\nvllm:prefix_cache_hits_total 30\n",
        "\ngollum_exact_prompt_hits_total 2\n",
        "# TYPE gollum_generation_tokens_total counter\n",
        "\ngollum_generation_tokens_total 18446744073709551615\n",
        "\ngollum_sequences_finished_total{reason=\"abort\"} 7\n",
        "# TYPE gollum_memory_planned_bytes gauge\n",
        "\ngollum_memory_planned_bytes{part=\"kv_cache\"} 12345678901\n",
        "\ngollum_memory_max_bytes 17179869184\n",
        "# TYPE gollum_time_to_first_token_seconds histogram\n"
        "gollum_time_to_first_token_seconds_bucket{le=\"0.5\"} 1\n"
        "gollum_time_to_first_token_seconds_bucket{le=\"2\"} 3\n"
        "gollum_time_to_first_token_seconds_bucket{le=\"+Inf\"} 6\n"
        "gollum_time_to_first_token_seconds_sum 1\n"
        "gollum_time_to_first_token_seconds_count 6\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (memmem(reply->body.data, reply->body.len, lines[i], strlen(lines[i])) == NULL)
            fail_msg("not there: %s", lines[i]);
    }
    end_call(&call);
}

static void test_models_are_listed_and_shown(void **state)
{
    (void)state;
    gol_api_call *call = get("/v1/models");
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "object"), "list");
    assert_int_equal(json_array_size(at(root, "data")), 1);
    assert_string_equal(str_at(root, "data/0/id"), "org/tiny");
    assert_string_equal(str_at(root, "data/0/object"), "model");
    assert_string_equal(str_at(root, "data/0/owned_by"), "gollum");
    assert_int_equal(int_at(root, "data/0/max_model_len"), 256);
    assert_int_equal(int_at(root, "data/0/meta/n_params"), 1000);
    end_call(&call);
    call = get("/v1/models/org/tiny");
    json_t *one = reply_of(call, 200);
    assert_true(json_equal(one, at(root, "data/0")));
    json_decref(one);
    json_decref(root);
    end_call(&call);
}

static void test_the_version_is_told(void **state)
{
    (void)state;
    gol_api_call *call = get("/version");
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "version"), GOL_VERSION);
    json_decref(root);
    end_call(&call);
}

static json_t *ask(const char *path, const char *body)
{
    gol_api_call *call = post(path, body);
    json_t *root = reply_of(call, 200);
    end_call(&call);
    return root;
}

static void test_tokenize_speaks_two_dialects(void **state)
{
    (void)state;
    json_t *root = ask("/tokenize",
                       "{\"model\":\"x\",\"prompt\":\"a\",\"return_token_strs\":true}");
    assert_int_equal(json_object_size(root), 4);
    assert_int_equal(int_at(root, "count"), 3);
    assert_int_equal(int_at(root, "max_model_len"), 256);
    assert_int_equal(int_at(root, "tokens/0"), TOK_BOS);
    assert_int_equal(int_at(root, "tokens/2"), tok_byte('a'));
    assert_string_equal(str_at(root, "token_strs/0"), "<s>");
    json_decref(root);

    root = ask("/tokenize", "{\"prompt\":\"</s>\",\"add_special_tokens\":false}");
    assert_int_equal(int_at(root, "count"), 1);
    assert_int_equal(int_at(root, "tokens/0"), TOK_EOS);
    assert_true(json_is_null(at(root, "token_strs")));
    json_decref(root);

    root = ask("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                            "\"add_generation_prompt\":false}");
    assert_int_equal(int_at(root, "count"), 2 + (int)strlen("User: a\n\n"));
    json_decref(root);

    root = ask("/tokenize", "{\"content\":\"\\u00e9\",\"with_pieces\":true}");
    assert_int_equal(json_object_size(root), 1);
    assert_int_equal(json_array_size(at(root, "tokens")), 3);
    assert_string_equal(str_at(root, "tokens/0/piece"), " ");
    assert_int_equal(int_at(root, "tokens/1/piece/0"), 0xc3);
    json_decref(root);

    root = ask("/tokenize", "{\"content\":\"</s>\",\"parse_special\":false,\"add_special\":true}");
    assert_int_equal(json_array_size(at(root, "tokens")), 6);
    json_decref(root);
}

static void test_detokenize_answers_under_both_names(void **state)
{
    (void)state;
    json_t *root = ask("/detokenize", "{\"tokens\":[1,259,260,2]}");
    assert_string_equal(str_at(root, "prompt"), str_at(root, "content"));
    assert_non_null(strstr(str_at(root, "prompt"), "Hello world"));
    json_decref(root);
    root = ask("/detokenize", "{\"tokens\":[]}");
    assert_string_equal(str_at(root, "prompt"), "");
    json_decref(root);
}

static void test_bad_tokenize_requests_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *body;
        const char *param;
        const char *code;
    } cases[] = {
        {"/tokenize", "{}", "prompt", "missing_required_parameter"},
        {"/tokenize", "{\"prompt\":\"a\",\"content\":\"a\"}", "prompt",
         "missing_required_parameter"},
        {"/tokenize", "{\"prompt\":7}", "prompt", "invalid_type"},
        {"/tokenize", "{\"content\":[]}", "content", "invalid_type"},
        {"/tokenize", "{\"messages\":[]}", "messages", "invalid_type"},
        {"/tokenize", "{\"content\":\"a\",\"with_pieces\":1}", "with_pieces", "invalid_type"},
        {"/tokenize", "{\"prompt\":\"a\",\"add_special_tokens\":1}", "add_special_tokens",
         "invalid_type"},
        {"/detokenize", "{}", "tokens", "missing_required_parameter"},
        {"/detokenize", "{\"tokens\":\"a\"}", "tokens", "invalid_type"},
        {"/detokenize", "{\"tokens\":[-1]}", "tokens", "invalid_value"},
        {"/detokenize", "{\"tokens\":[264]}", "tokens", "invalid_value"},
        {"/detokenize", "{\"tokens\":[1.5]}", "tokens", "invalid_value"},
        {"/detokenize", "[", NULL, "invalid_json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(post(cases[i].path, cases[i].body), 400, cases[i].param, cases[i].code);
}

static void test_bad_bodies_are_errors_in_shape(void **state)
{
    (void)state;
    char deep[200] = "{\"prompt\":";
    memset(deep + strlen(deep), '[', 100);
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "\xff",
                                         "{\"prompt\":\"a\",\"prompt\":\"b\"}",
                                         "{\"prompt\":\"\xc3\x28\"}",
                                         "{\"temperature\":NaN}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        expect_error(post("/v1/completions", bodies[i]), 400, NULL, "invalid_json");
    expect_error(post("/v1/chat/completions", deep), 400, NULL, "invalid_json");
}

static void test_options_are_checked(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_api *other;
    gol_api_opts opts = {.model_id = "", .engine = &engine, .tok = tok};
    assert_int_equal(gol_api_create(&other, &opts, &err), GOL_EINVAL);
    opts = (gol_api_opts){.model_id = "m", .engine = &engine, .tok = tok, .max_n = -1};
    assert_int_equal(gol_api_create(&other, &opts, &err), GOL_EINVAL);
    opts.max_n = 1025;
    assert_int_equal(gol_api_create(&other, &opts, &err), GOL_EINVAL);
    opts = (gol_api_opts){.model_id = "m", .engine = &engine, .tok = tok, .ping_ms = -1};
    assert_int_equal(gol_api_create(&other, &opts, &err), GOL_EINVAL);
    assert_null(other);
    gol_api_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_routes_are_known_before_the_body),
        api_test(test_unknown_paths_and_methods_are_errors_in_shape),
        api_test(test_errors_of_the_http_layer_get_the_shape),
        api_test(test_a_key_opens_what_a_key_guards),
        api_test(test_request_ids_go_in_and_out_clean),
        api_test(test_ignored_fields_are_named_in_a_header),
        api_test(test_the_model_must_be_ours),
        api_test(test_admission_is_all_or_nothing),
        api_test(test_draining_is_seen_by_readiness_alone),
        api_test(test_an_engine_that_makes_no_step_is_not_alive),
        api_test(test_work_after_a_long_silence_is_no_stall),
        api_test(test_metrics_are_the_engines_figures),
        api_test(test_models_are_listed_and_shown),
        api_test(test_the_version_is_told),
        api_test(test_tokenize_speaks_two_dialects),
        api_test(test_detokenize_answers_under_both_names),
        api_test(test_bad_tokenize_requests_are_refused_by_name),
        api_test(test_bad_bodies_are_errors_in_shape),
        api_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
