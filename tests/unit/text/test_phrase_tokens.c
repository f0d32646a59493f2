/* Bad words and sequence breakers as tokens, of both kinds of tokenizers. */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "text/phrase_tokens.h"

static vocab_spec v;
static gol_phrase_list list;

static int clear_list(void **state)
{
    (void)state;
    gol_phrase_list_deinit(&list);
    return 0;
}

static bool has_phrase(const int32_t *tokens, size_t n)
{
    size_t begin = 0;
    for (size_t i = 0; i < list.ends.n; i++) {
        const size_t end = (size_t)list.ends.data[i];
        if (end - begin == n && memcmp(list.tokens.data + begin, tokens, n * sizeof *tokens) == 0)
            return true;
        begin = end;
    }
    return false;
}

#define HAS(...)                                                                                   \
    has_phrase((const int32_t[]){__VA_ARGS__},                                                     \
               sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static int32_t id(const gol_tokenizer *tok, const char *name)
{
    const int32_t found = gol_tokenizer_find(tok, gol_str_from(name));
    assert_true(found >= 0);
    return found;
}

static gol_tokenizer *load_bpe(void)
{
    vocab_init_bytes(&v, "gpt-2");
    vocab_add(&v, "ab", 1, 0);
    vocab_add(&v,
              "\xC4\xA0"
              "a",
              1, 0);
    vocab_add(&v,
              "\xC4\xA0"
              "ab",
              1, 0);
    vocab_add(&v, "xa", 1, 0);
    vocab_add(&v, "xab", 1, 0);
    vocab_add_merge(&v, "a b");
    vocab_add_merge(&v, "\xC4\xA0 a");
    vocab_add_merge(&v, "\xC4\xA0 ab");
    return load_spec(&v);
}

static void bad_words_are_taken_with_and_without_a_space(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_tokenizer *tok = load_bpe();
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, GOL_STR("ab"), &err), 0);
    assert_int_equal(list.ends.n, 2);
    assert_true(HAS(id(tok, "ab")));
    assert_true(HAS(id(tok, "\xC4\xA0"
                            "ab")));
    clear_list(NULL);
    /* Spaces in front are no part of it; "q" and " q" differ in length, so only the first counts. */
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, GOL_STR("  q"), &err), 0);
    assert_int_equal(list.ends.n, 1);
    assert_true(HAS(id(tok, "q")));
    gol_tokenizer_destroy(&tok);
}

static void words_without_tokens_are_refused(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_tokenizer *tok = load_bpe();
    char longest[GOL_PHRASE_LEN_MAX + 1];
    memset(longest, 'q', sizeof longest);
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, GOL_STR(""), &err), GOL_EINVAL);
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, GOL_STR("  "), &err), GOL_EINVAL);
    assert_int_equal(gol_phrase_add_breaker(&list, tok, 1 << 20, GOL_STR(""), &err), GOL_EINVAL);
    const gol_str too_long = {longest, sizeof longest};
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, too_long, &err), GOL_EINVAL);
    assert_int_equal(list.ends.n, 0);
    const gol_str fits = {longest, GOL_PHRASE_LEN_MAX};
    assert_int_equal(gol_phrase_add_bad_word(&list, tok, fits, &err), 0);
    gol_tokenizer_destroy(&tok);
}

static void breakers_are_tokens_that_hold_them_or_begin_them(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_tokenizer *tok = load_bpe();
    const int32_t n_vocab = gol_tokenizer_n_vocab(tok);
    assert_int_equal(gol_phrase_add_breaker(&list, tok, n_vocab, GOL_STR("ab"), &err), 0);
    assert_int_equal(list.ends.n, 6);
    assert_true(HAS(id(tok, "ab")));
    assert_true(HAS(id(tok, "\xC4\xA0"
                            "ab")));
    assert_true(HAS(id(tok, "xab")));
    assert_true(HAS(id(tok, "a"), id(tok, "b")));
    assert_true(HAS(id(tok, "\xC4\xA0"
                            "a"),
                    id(tok, "b")));
    assert_true(HAS(id(tok, "xa"), id(tok, "b")));
    clear_list(NULL);
    /* Ids beyond what the model knows are left out. */
    assert_int_equal(gol_phrase_add_breaker(&list, tok, id(tok, "ab"), GOL_STR("ab"), &err), 0);
    assert_int_equal(list.ends.n, 1);
    clear_list(NULL);
    /* Only the first 40 bytes count. */
    char longest[GOL_BREAKER_LEN_MAX + 1];
    memset(longest, 'q', sizeof longest);
    const gol_str too_long = {longest, sizeof longest};
    assert_int_equal(gol_phrase_add_breaker(&list, tok, n_vocab, too_long, &err), 0);
    assert_int_equal(list.ends.n, 1);
    assert_int_equal(list.tokens.n, GOL_BREAKER_LEN_MAX);
    gol_tokenizer_destroy(&tok);
}

static void the_rest_of_a_breaker_begins_with_no_space(void **state)
{
    (void)state;
    gol_err err = {0};
    vocab_init_spm(&v);
    const int32_t space = vocab_add(&v, "\xE2\x96\x81", 1, -4);
    const int32_t ab = vocab_add(&v, "ab", 1, -1);
    gol_tokenizer *tok = load_spec(&v);
    assert_true(gol_tokenizer_adds_space(tok));
    const int32_t n_vocab = gol_tokenizer_n_vocab(tok);
    assert_int_equal(gol_phrase_add_breaker(&list, tok, n_vocab, GOL_STR(":ab"), &err), 0);
    const int32_t colon = id(tok, "<0x3A>");
    assert_true(HAS(colon, ab));
    assert_false(HAS(colon, space, ab));
    gol_tokenizer_destroy(&tok);
}

static void running_out_of_memory_is_told(void **state)
{
    (void)state;
    gol_tokenizer *tok = load_bpe();
    int n_failures = 0;
    for (uint64_t n = 1;; n++) {
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        int rc = gol_phrase_add_bad_word(&list, tok, GOL_STR("ab q"), &err);
        if (rc == 0)
            rc = gol_phrase_add_breaker(&list, tok, 1 << 20, GOL_STR("ab"), &err);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        clear_list(NULL);
        if (!has_failed)
            break;
        assert_true(rc == 0 || rc == GOL_ENOMEM);
        n_failures += rc != 0;
    }
    assert_in_range(n_failures, 5, 1000);
    gol_tokenizer_destroy(&tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(bad_words_are_taken_with_and_without_a_space, clear_list),
        cmocka_unit_test_teardown(words_without_tokens_are_refused, clear_list),
        cmocka_unit_test_teardown(breakers_are_tokens_that_hold_them_or_begin_them, clear_list),
        cmocka_unit_test_teardown(the_rest_of_a_breaker_begins_with_no_space, clear_list),
        cmocka_unit_test_teardown(running_out_of_memory_is_told, clear_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
