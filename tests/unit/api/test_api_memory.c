/* Out of memory at every allocation of a call's life: an error or an answer, never a crash, never a leak. */
#include "unit/api/api_fixture.h"

typedef struct scenario {
    const char *path;
    const char *body; /* NULL: GET */
} scenario;

static const scenario scenarios[] = {
    {"/v1/completions", "{\"prompt\":[\"Hello\",[5,9]],\"n\":2,\"echo\":true,\"logprobs\":2,"
                        "\"prompt_logprobs\":1,\"stop\":[\"x\",\"y\"],"
                        "\"unknown\":1}"},
    {"/v1/completions", "{\"prompt\":[5],\"logprobs\":3,\"stream\":true,\"return_token_ids\":true,"
                        "\"stream_options\":{\"include_usage\":true}}"},
    {"/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                             "\"text\":\"Hi\"}]}],\"logprobs\":true,\"top_logprobs\":2}"},
    {"/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                             "\"stream\":true}"},
    {"/v1/completions", "{\"prompt\":[5],\"temperature\":-1}"},
    {"/tokenize", "{\"prompt\":\"Hello\",\"return_token_strs\":true}"},
    {"/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"},
    {"/tokenize", "{\"content\":\"Hello\",\"with_pieces\":true}"},
    {"/detokenize", "{\"tokens\":[259,260]}"},
    {"/v1/models", NULL},
    {"/v1/models/org/tiny", NULL},
    {"/nowhere", NULL},
};

/* Reads to the end while memory is short; whole frames come out all the same. Tells whether an allocation failed. */
static bool drain_stream(gol_api_call *call)
{
    gguf_bytes bytes = {0};
    assert_true(read_some(call, &bytes, 16));
    const bool has_failed = gol_mem_n_failed() > 0;
    gol_mem_fail_nth(0, false);
    json_t *events = take_events(&bytes);
    const json_t *last = json_array_get(events, json_array_size(events) - 1);
    assert_string_equal(json_string_value(last), "[DONE]");
    json_decref(events);
    return has_failed;
}

static bool check_whole(const gol_api_reply *reply)
{
    const bool has_failed = gol_mem_n_failed() > 0;
    gol_mem_fail_nth(0, false);
    json_decref(parse_json(reply->body));
    const int status = reply->status;
    assert_true(status == 503 || status == 200 || status == 400 || status == 404);
    return has_failed;
}

/* Runs the scenario while the n-th allocation (persistent: and all after it) fails; false: none was left to fail. */
static bool run(const scenario *s, uint64_t n, bool persistent)
{
    gol_mem_fail_nth(n, persistent);
    gol_api_call *call = s->body ? post(s->path, s->body) : get(s->path);
    for (int i = 0; i < engine.n_seqs; i++) {
        if (engine.seqs[i].is_aborted)
            continue;
        fake_say(&engine, i, TOK_HELLO);
        fake_say(&engine, i, tok_byte(0xe2));
        fake_event(&engine, i, TOK_WORLD, GOL_FINISH_LENGTH);
    }
    assert_true(gol_api_call_is_ready(call));
    const gol_api_reply *reply = gol_api_call_reply(call);
    const bool has_failed = reply->is_stream ? drain_stream(call) : check_whole(reply);
    end_call(&call);
    fake_settle(&engine);
    fake_engine_deinit(&engine);
    return has_failed;
}

static void run_all(bool persistent)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        uint64_t n = 1;
        while (run(&scenarios[i], n, persistent))
            n++;
        assert_true(n > 2);
    }
}

static void test_any_one_allocation_may_fail(void **state)
{
    (void)state;
    run_all(false);
}

static void test_all_allocations_from_any_one_on_may_fail(void **state)
{
    (void)state;
    run_all(true);
}

static void test_a_call_without_memory_is_a_ready_503(void **state)
{
    (void)state;
    gol_mem_fail_nth(1, true);
    gol_api_call *a = get("/health");
    gol_api_call *b = opened(gol_api_begin_error(api, 413, NULL, "too large"));
    gol_mem_fail_nth(0, false);
    expect_error(a, 503, NULL, "out_of_memory");
    expect_error(b, 503, NULL, "out_of_memory");
}

static void test_a_stream_survives_a_shortage_before_it_reads(void **state)
{
    (void)state;
    gol_api_call *call = post("/v1/completions", "{\"prompt\":[5],\"stream\":true}");
    fake_say(&engine, 0, TOK_HELLO);
    gol_mem_fail_nth(1, true);
    char buf[16];
    assert_int_equal(gol_api_call_read(call, buf, sizeof buf), sizeof buf);
    assert_memory_equal(buf, "data: {\"error\":{", 16);
    assert_true(engine.seqs[0].is_aborted);
    gol_mem_fail_nth(0, false);
    gguf_bytes bytes = {0};
    assert_true(read_some(call, &bytes, 7));
    assert_true(bytes.len > 14 && memcmp(bytes.data + bytes.len - 14, "data: [DONE]\n\n", 14) == 0);
    bytes_free(&bytes);
    end_call(&call);
    fake_settle(&engine);
}

static void test_an_api_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    const gol_api_opts opts = {
        .model_id = "m", .model_path = "p", .api_key = "k", .engine = &engine, .tok = tok};
    for (uint64_t n = 1;; n++) {
        gol_api *other;
        gol_mem_fail_nth(n, false);
        const int rc = gol_api_create(&other, &opts, NULL);
        gol_mem_fail_nth(0, false);
        gol_api_destroy(&other);
        if (rc == 0) {
            assert_int_equal(n, 5);
            break;
        }
        assert_int_equal(rc, GOL_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_any_one_allocation_may_fail),
        api_test(test_all_allocations_from_any_one_on_may_fail),
        api_test(test_a_call_without_memory_is_a_ready_503),
        api_test(test_a_stream_survives_a_shortage_before_it_reads),
        api_test(test_an_api_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
