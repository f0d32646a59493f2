/*
 * Valid requests with something wrong in them, thousands of them and always the same: bytes changed, cut, doubled, and values
 * put where others belong. Whatever comes in, a call answers with valid JSON or whole frames, and no sequence is left behind.
 */
#include "unit/api/api_fixture.h"

#include "base/rng.h"

enum { N_ROUNDS = 20000, BODY_MAX = 2048 };

static const char *const paths[] = {"/v1/completions", "/v1/chat/completions", "/tokenize",
                                    "/detokenize"};

static const char *const seeds[] = {
    "{\"prompt\":\"Hello\",\"max_tokens\":5,\"stop\":[\"END\",\"\\u00e9\"],\"n\":2,\"stream\":true,"
    "\"stream_options\":{\"include_usage\":true},\"seed\":7,\"temperature\":0.5}",
    "{\"prompt\":[[1,2,3],[4]],\"echo\":true,\"top_k\":-1,\"top_p\":0.9,\"min_p\":0.1,"
    "\"stop_token_ids\":[5],\"return_token_ids\":true,\"include_stop_str_in_output\":true}",
    "{\"prompt\":[\"a\",\"\\ud83d\\ude00\"],\"logprobs\":3,\"min_tokens\":2,\"ignore_eos\":true,"
    "\"best_of\":1,\"logit_bias\":{},\"user\":\"me\",\"foo\":[{\"bar\":null}]}",
    "{\"messages\":[{\"role\":\"system\",\"content\":\"x\"},{\"role\":\"user\",\"content\":"
    "[{\"type\":\"text\",\"text\":\"Hi\"}]}],\"logprobs\":true,\"top_logprobs\":2,\"tools\":[]}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":"
    "null,"
    "\"tool_calls\":[]}],\"stream\":true,\"max_completion_tokens\":3}",
    "{\"content\":\"Hello \\u0000\",\"with_pieces\":true,\"add_special\":true}",
    "{\"tokens\":[1,2,259,260,195]}",
};

static const int path_of_seed[] = {0, 0, 0, 1, 1, 2, 3};

/* Values to put in the place of others. */
static const char *const values[] = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "16.0",
    "1e308",
    "-9223372036854775808",
    "9223372036854775807",
    "1e999",
    "0.0000000000000000000000000000000000000000000001",
    "\"\"",
    "\"x\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[]",
    "{}",
    "[[]]",
    "[1,\"a\",null]",
    "[[[[[[[[1]]]]]]]]",
    "{\"type\":\"text\"}",
    "\xff",
    "\"\xc3\"",
    "",
};

static size_t pick(gol_rng *rng, size_t n)
{
    return (size_t)gol_rng_below(rng, n);
}

/* Puts `with` in the place of body[at .. at + n_old). */
static size_t splice(char *body, size_t len, size_t where, size_t n_old, const char *with)
{
    const size_t n_new = strlen(with);
    if (len - n_old + n_new > BODY_MAX)
        return len;
    memmove(body + where + n_new, body + where + n_old, len - where - n_old);
    memcpy(body + where, with, n_new);
    return len - n_old + n_new;
}

/* Length of what begins after a ':' or ',' or '[' up to the next mark. */
static size_t value_len(const char *body, size_t len, size_t start)
{
    size_t end = start;
    while (end < len && !strchr(",]}", body[end]))
        end++;
    return end - start;
}

static size_t mutate(gol_rng *rng, char *body, size_t len)
{
    if (len == 0)
        return splice(body, len, 0, 0, "{}");
    const size_t where = pick(rng, len);
    switch (gol_rng_below(rng, 5)) {
    case 0:
        body[where] = (char)gol_rng_below(rng, 256);
        return len;
    case 1:
        return splice(body, len, where, 1 + pick(rng, len - where), "");
    case 2:
        return splice(body, len, where, 0, values[pick(rng, sizeof values / sizeof *values)]);
    default: {
        size_t start = where;
        while (start < len && !strchr(":,[", body[start]))
            start++;
        if (start >= len - 1)
            return len;
        const size_t n_old = value_len(body, len, start + 1);
        return splice(body, len, start + 1, n_old,
                      values[pick(rng, sizeof values / sizeof *values)]);
    }
    }
}

/* What the engine answers to whatever was submitted: some bytes, not always UTF-8, and an end. */
static void answer(gol_rng *rng)
{
    for (int i = 0; i < engine.n_seqs; i++) {
        const int32_t n = engine.seqs[i].request.max_tokens;
        if (n == 0) { /* the prompt alone */
            fake_event(&engine, i, -1, GOL_FINISH_LENGTH);
            continue;
        }
        for (int32_t t = 1; t < n && t < 6; t++)
            fake_say(&engine, i, (int32_t)pick(rng, TOK_N_VOCAB));
        fake_event(&engine, i, (int32_t)pick(rng, TOK_N_VOCAB),
                   gol_rng_below(rng, 2) ? GOL_FINISH_STOP : GOL_FINISH_LENGTH);
    }
}

/* jansson reads no key with a NUL in it, which log-probabilities of the token NUL have: such replies are only checked for
 * their ends. */
static void check_reply(gol_api_call *call)
{
    assert_true(gol_api_call_is_ready(call));
    const gol_api_reply *reply = gol_api_call_reply(call);
    if (reply->is_stream) {
        gguf_bytes bytes = {0};
        assert_true(read_some(call, &bytes, 512));
        assert_true(bytes.len >= 14);
        assert_memory_equal(bytes.data + bytes.len - 14, "data: [DONE]\n\n", 14);
        bytes_free(&bytes);
        return;
    }
    assert_true(reply->status == 200 || reply->status == 400);
    if (memmem(reply->body.data, reply->body.len, "\"\\u0000\":", 9)) {
        assert_int_equal(reply->body.data[reply->body.len - 1], '}');
        return;
    }
    json_decref(parse_json(reply->body));
}

static void test_mutated_requests_are_answered_or_refused(void **state)
{
    (void)state;
    gol_rng rng = {.key = 20};
    int n_accepted = 0;
    for (int i = 0; i < N_ROUNDS; i++) {
        char body[BODY_MAX];
        const size_t s = pick(&rng, sizeof seeds / sizeof *seeds);
        const char *seed = seeds[s];
        size_t len = strlen(seed);
        memcpy(body, seed, len);
        for (uint64_t k = gol_rng_below(&rng, 4); k > 0; k--)
            len = mutate(&rng, body, len);
        const char *path = paths[gol_rng_below(&rng, 5) > 0 ? path_of_seed[s] : (int)pick(&rng, 4)];
        gol_api_call *call = request_bytes("POST", path, body, len);
        n_accepted += engine.n_seqs > 0;
        answer(&rng);
        check_reply(call);
        end_call(&call);
        fake_engine_deinit(&engine);
    }
    assert_in_range(n_accepted, N_ROUNDS / 50, N_ROUNDS / 2); /* neither side is left untried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_mutated_requests_are_answered_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
