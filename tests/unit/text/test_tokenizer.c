/* Encoding as a whole: limits, failures, memory, and time on texts that used to be slow in other programs. */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "support/cpu_time.h"

/* Half a MiB takes a fraction of a second of the processor's time, and gets many times that; unoptimized and sanitized code gets more
 * for less text. Quadratic code would miss either by far. */
#if defined(GOL_SANITIZED) || defined(GOL_DEBUG)
enum { TEXT_LEN = 1 << 17, SECONDS_MAX = 120 };
#else
enum { TEXT_LEN = 1 << 19, SECONDS_MAX = 20 };
#endif

static vocab_spec v;

static void add_shared_tokens(void)
{
    vocab_add(&v, "ab", 1, -1);
    vocab_add(&v, "aa", 1, -2);
    vocab_add(&v, "aaaa", 1, -3);
    vocab_add(&v, "<|x|>", 3, 0);
    vocab_add(&v, "<user>", 4, 0);
}

static void init_bpe(const char *pre)
{
    vocab_init_bytes(&v, pre);
    add_shared_tokens();
    vocab_add_merge(&v, "a b");
    vocab_add_merge(&v, "a a");
    vocab_add_merge(&v, "aa aa");
    vocab_add_merge(&v, "\xC4\xA0 \xC4\xA0");
    vocab_add_merge(&v, "\xC4\xA0\xC4\xA0 \xC4\xA0\xC4\xA0");
}

static void init_spm(void)
{
    vocab_init_spm(&v);
    add_shared_tokens();
    vocab_add(&v, "\xE2\x96\x81", 1, -4);
    vocab_add(&v, "\xE2\x96\x81\xE2\x96\x81", 1, -5);
    vocab_add(&v, "\xE2\x96\x81\xE2\x96\x81\xE2\x96\x81\xE2\x96\x81", 1, -6);
}

static double seconds_to_encode(const gol_tokenizer *tok, gol_str text)
{
    gol_err err;
    gol_ids ids = {0};
    const double begin_s = cpu_seconds_of_thread();
    assert_int_equal(gol_tokenizer_encode(tok, &ids, text, GOL_ENCODE_PARSE_SPECIAL, &err), 0);
    const double end_s = cpu_seconds_of_thread();
    assert_true(ids.n > 0);
    gol_ids_deinit(&ids);
    return end_s - begin_s;
}

static void check_speed(const gol_tokenizer *tok)
{
    char *text = malloc(TEXT_LEN);
    assert_non_null(text);
    for (const char *c = "a 7\n'A<\xFF\xE4"; *c; c++) {
        memset(text, *c, TEXT_LEN);
        assert_true(seconds_to_encode(tok, (gol_str){text, TEXT_LEN}) < SECONDS_MAX);
        /* What a long run ends with must not matter. */
        memcpy(text + TEXT_LEN - 3, "\xE4\xB8\x80", 3);
        assert_true(seconds_to_encode(tok, (gol_str){text, TEXT_LEN}) < SECONDS_MAX);
    }
    gol_rng rng = {11, 0};
    for (size_t i = 0; i < TEXT_LEN; i++)
        text[i] = (char)gol_rng_next(&rng);
    assert_true(seconds_to_encode(tok, (gol_str){text, TEXT_LEN}) < SECONDS_MAX);
    for (size_t i = 0; i < TEXT_LEN; i++)
        text[i] = "ab \n<|x"[gol_rng_below(&rng, 7)];
    assert_true(seconds_to_encode(tok, (gol_str){text, TEXT_LEN}) < SECONDS_MAX);
    free(text);
}

static void a_mebibyte_of_one_byte_or_of_noise_takes_no_quadratic_time(void **state)
{
    (void)state;
    static const char *const pres[] = {"gpt-2",  "llama-bpe", "deepseek-llm",
                                       "gpt-4o", "kimi-k2",   "tiny_aya"};
    for (size_t i = 0; i < sizeof pres / sizeof pres[0]; i++) {
        init_bpe(pres[i]);
        gol_tokenizer *tok = load_spec(&v);
        check_speed(tok);
        gol_tokenizer_destroy(&tok);
    }
    init_spm();
    gol_tokenizer *tok = load_spec(&v);
    check_speed(tok);
    gol_tokenizer_destroy(&tok);
}

static void texts_over_the_limit_are_refused(void **state)
{
    (void)state;
    init_bpe("gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    gol_err err;
    gol_ids ids = {0};
    char byte = 'a'; /* never read: the length alone decides */
    assert_int_equal(
        gol_tokenizer_encode(tok, &ids, (gol_str){&byte, (size_t)GOL_ENCODE_TEXT_MAX + 1}, 0, &err),
        GOL_ETOOLARGE);
    assert_int_equal(ids.n, 0);
    gol_ids_deinit(&ids);
    gol_tokenizer_destroy(&tok);
}

static void ids_are_appended(void **state)
{
    (void)state;
    init_bpe("gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    gol_err err;
    gol_ids ids = {0};
    assert_int_equal(gol_ids_push(&ids, 7), 0);
    assert_int_equal(gol_tokenizer_encode(tok, &ids, GOL_STR("x"), 0, &err), 0);
    assert_int_equal(gol_tokenizer_encode(tok, &ids, GOL_STR(""), 0, &err), 0);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.data[0], 7);
    assert_int_equal(ids.data[1], 'x');
    gol_ids_deinit(&ids);
    gol_tokenizer_destroy(&tok);
}

static void ids_outside_the_vocabulary_are_refused_by_decode(void **state)
{
    (void)state;
    init_bpe("gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    gol_err err;
    gol_buf out;
    gol_buf_init(&out, 100);
    const int32_t bad[] = {-1, 261, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int32_t ids[] = {'a', bad[i]};
        assert_int_equal(gol_tokenizer_decode(tok, &out, ids, 2, false, &err), GOL_EINVAL);
        assert_non_null(strstr(err.message, "token 1"));
        assert_int_equal(out.len, 0);
    }
    gol_buf_deinit(&out);
    gol_tokenizer_destroy(&tok);
}

/* Every allocation of loading and encoding fails once; nothing leaks (the sanitizer looks), ids stay as they were. */
static void fail_each_allocation(void)
{
    gol_model_file *file = vocab_file(&v);
    uint64_t n_failed = 1;
    int n_reported = 0;
    for (uint64_t nth = 1; n_failed > 0; nth++) {
        gol_err err = {0};
        gol_tokenizer *tok = NULL;
        gol_ids ids = {0};
        assert_int_equal(gol_ids_push(&ids, 5), 0);
        gol_mem_fail_nth(nth, false);
        int rc = gol_tokenizer_load(&tok, file, &err);
        if (rc == 0)
            rc = gol_tokenizer_encode(tok, &ids, GOL_STR("a aab<|x|>\xFF 1234 <user>    "),
                                      GOL_ENCODE_PARSE_SPECIAL, &err);
        n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || rc == GOL_ENOMEM);
        if (rc != 0) {
            n_reported++;
            assert_int_equal(err.code, GOL_ENOMEM);
            assert_int_equal(ids.n, 1);
        }
        gol_ids_deinit(&ids);
        gol_tokenizer_destroy(&tok);
    }
    assert_true(n_reported > 5);
    gol_model_file_close(&file);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    init_bpe("falcon");
    fail_each_allocation();
    init_spm();
    fail_each_allocation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mebibyte_of_one_byte_or_of_noise_takes_no_quadratic_time),
        cmocka_unit_test(texts_over_the_limit_are_refused),
        cmocka_unit_test(ids_are_appended),
        cmocka_unit_test(ids_outside_the_vocabulary_are_refused_by_decode),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
