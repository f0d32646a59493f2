/* Events from scripted tokens: what is held back, and what becomes of it at every kind of end. */
#include "unit/lib/lib_test.h"

#include "lib/answer.h"
#include "text/tokenizer.h"

static gol_tokenizer *tok;

static int load_tokenizer(void **state)
{
    gol_err err = {0};
    gol_model_file *file;
    make_lib_model(state);
    if (gol_model_file_open(&file, lib_model, &err) != 0 ||
        gol_tokenizer_load(&tok, file, &err) != 0)
        fail_msg("%s", err.message);
    gol_model_file_close(&file);
    return 0;
}

static int free_tokenizer(void **state)
{
    gol_tokenizer_destroy(&tok);
    return remove_lib_model(state);
}

static gol_answer *answer_with(const char *const *stops, size_t n_stops)
{
    gollum_request request = request_of(NULL, "", 0);
    request.stop = stops;
    request.n_stop = n_stops;
    const gol_answer_opts opts = {
        .tok = tok,
        .request = &request,
        .n_prompt = 5,
        .n_tokens_max = 100,
        .n_text_max = gol_answer_text_max(tok),
    };
    gol_answer *answer;
    gol_err err = {0};
    if (gol_answer_create(&answer, &opts, &err) != 0)
        fail_msg("%s", err.message);
    return answer;
}

/* One byte token, or with byte -1 an end without one; the event's text must be this. */
static bool say(gol_answer *answer, int byte, gol_finish_reason finish, const char *text,
                gollum_finish expected)
{
    const gol_answer_record record = {
        .request_id = 77,
        .token = byte < 0 ? -1 : SPM_BYTE_0 + byte,
        .logprob = -0.5f,
        .finish = finish,
    };
    gollum_event event;
    const bool is_stopped = gol_answer_make_event(answer, &record, &event);
    char got[1024] = {0};
    assert_true(event.text_len < sizeof got);
    memcpy(got, event.text, event.text_len);
    assert_string_equal(got, text);
    assert_int_equal(event.finish, expected);
    assert_int_equal(event.token, record.token);
    assert_true(event.logprob == -0.5f);
    assert_int_equal(event.n_prompt, 5);
    assert_true(event.id == 77);
    assert_int_equal(answer->is_over, expected != GOLLUM_FINISH_NONE);
    return is_stopped;
}

static void go_on(gol_answer *answer, int byte, const char *text)
{
    assert_false(say(answer, byte, GOL_FINISH_NONE, text, GOLLUM_FINISH_NONE));
}

static void what_may_become_a_stop_string_is_held_until_it_does_not(void **state)
{
    (void)state;
    static const char *const stops[] = {"END", "NOT"};
    gol_answer *answer = answer_with(stops, 2);
    go_on(answer, 'a', "a");
    go_on(answer, 'E', "");
    go_on(answer, 'N', "");
    go_on(answer, 'O', "E"); /* "NO" may still become the other one */
    go_on(answer, 'E', "NO");
    go_on(answer, 'N', "");
    assert_true(say(answer, 'D', GOL_FINISH_NONE, "", GOLLUM_FINISH_STOP));
    gol_answer_destroy(&answer);
    assert_null(answer);
}

static void the_end_hands_out_what_was_held(void **state)
{
    (void)state;
    static const char *const stops[] = {"END"};
    static const struct {
        gol_finish_reason finish;
        gollum_finish expected;
    } ends[] = {{GOL_FINISH_ABORT, GOLLUM_FINISH_ABORT}, {GOL_FINISH_ERROR, GOLLUM_FINISH_ERROR}};
    for (size_t i = 0; i < 2; i++) {
        gol_answer *answer = answer_with(stops, 1);
        go_on(answer, 'E', "");
        go_on(answer, 'N', "");
        assert_false(say(answer, -1, ends[i].finish, "EN", ends[i].expected));
        gol_answer_destroy(&answer);
    }
    gol_answer *answer = answer_with(stops, 1);
    go_on(answer, 'E', "");
    assert_false(say(answer, 'N', GOL_FINISH_LENGTH, "EN", GOLLUM_FINISH_LENGTH));
    gol_answer_destroy(&answer);
}

static void an_end_token_is_no_text(void **state)
{
    (void)state;
    static const char *const stops[] = {"xx"};
    gol_answer *answer = answer_with(stops, 1);
    go_on(answer, 'x', "");
    /* Whatever the token that ended it would spell. */
    assert_false(say(answer, 'x', GOL_FINISH_STOP, "x", GOLLUM_FINISH_STOP));
    gol_answer_destroy(&answer);
}

static void a_stop_string_in_the_last_token_is_no_reason_to_abort(void **state)
{
    (void)state;
    static const char *const stops[] = {"bc"};
    gol_answer *answer = answer_with(stops, 1);
    go_on(answer, 'a', "a");
    go_on(answer, 'b', "");
    assert_false(say(answer, 'c', GOL_FINISH_LENGTH, "", GOLLUM_FINISH_STOP));
    gol_answer_destroy(&answer);
}

static void characters_come_whole(void **state)
{
    (void)state;
    gol_answer *answer = answer_with(NULL, 0);
    go_on(answer, 0xf0, "");
    go_on(answer, 0x9f, "");
    go_on(answer, 0x8c, "");
    go_on(answer, 0x8a, "\xf0\x9f\x8c\x8a");
    go_on(answer, 0xc3, "");
    go_on(answer, 0xc3, "\xef\xbf\xbd");
    go_on(answer, 'a',
          "\xef\xbf\xbd"
          "a");
    go_on(answer, 0xe2, "");
    assert_false(say(answer, 0x82, GOL_FINISH_LENGTH, "\xef\xbf\xbd", GOLLUM_FINISH_LENGTH));
    gol_answer_destroy(&answer);
}

static void the_longest_stop_string_can_be_held(void **state)
{
    (void)state;
    char stop[GOLLUM_STOP_LEN_MAX + 1];
    char held[GOLLUM_STOP_LEN_MAX + 4];
    memset(stop, 's', GOLLUM_STOP_LEN_MAX);
    stop[GOLLUM_STOP_LEN_MAX] = '\0';
    const char *const stops[] = {stop};
    gol_answer *answer = answer_with(stops, 1);
    for (int i = 0; i < GOLLUM_STOP_LEN_MAX - 1; i++)
        go_on(answer, 's', "");
    snprintf(held, sizeof held, "%s", stop + 1);
    go_on(answer, 0xff, strcat(held, "\xef\xbf\xbd")); /* the largest event of all */
    for (int i = 0; i < GOLLUM_STOP_LEN_MAX - 1; i++)
        go_on(answer, 's', "");
    assert_true(say(answer, 's', GOL_FINISH_NONE, "", GOLLUM_FINISH_STOP));
    gol_answer_destroy(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_become_a_stop_string_is_held_until_it_does_not),
        cmocka_unit_test(the_end_hands_out_what_was_held),
        cmocka_unit_test(an_end_token_is_no_text),
        cmocka_unit_test(a_stop_string_in_the_last_token_is_no_reason_to_abort),
        cmocka_unit_test(characters_come_whole),
        cmocka_unit_test(the_longest_stop_string_can_be_held),
    };
    return cmocka_run_group_tests(tests, load_tokenizer, free_tokenizer);
}
