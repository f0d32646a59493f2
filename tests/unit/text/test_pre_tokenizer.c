/*
 * Cutting text into words. Expected words are those that Hugging Face tokenizers gives for the models' own expressions.
 */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "text/pre_tokenizer.h"
#include "text/utf8.h"

enum { WORDS_MAX = 4096 };

typedef struct words {
    gol_str at[WORDS_MAX];
    size_t n;
} words;

static int collect(void *user, gol_str word, gol_err *err)
{
    (void)err;
    words *w = user;
    assert_true(w->n < WORDS_MAX && word.len > 0);
    w->at[w->n++] = word;
    return 0;
}

static gol_pre_tokenizer *create(const char *pre, bool use_jit)
{
    gol_err err;
    gol_pre_tokenizer *out;
    const gol_pre_spec *spec = gol_pre_spec_find(gol_str_from(pre));
    assert_non_null(spec);
    if (gol_pre_tokenizer_create(&out, spec, use_jit, &err) != 0)
        fail_msg("%s", err.message);
    return out;
}

/* expected: the words with '|' between. */
static void assert_words(const char *pre, const char *text, const char *expected)
{
    gol_err err;
    gol_buf joined;
    static words w;
    for (int use_jit = 0; use_jit < 2; use_jit++) {
        gol_pre_tokenizer *p = create(pre, use_jit != 0);
        gol_buf_init(&joined, 1 << 16);
        w.n = 0;
        assert_int_equal(gol_pre_tokenizer_split(p, gol_str_from(text), collect, &w, &err), 0);
        for (size_t i = 0; i < w.n; i++) {
            gol_buf_puts(&joined, i == 0 ? "" : "|");
            gol_buf_put_str(&joined, w.at[i]);
        }
        gol_buf_putc(&joined, '\0');
        assert_string_equal(joined.data, expected);
        gol_buf_deinit(&joined);
        gol_pre_tokenizer_destroy(&p);
    }
}

static void gpt2_keeps_a_space_with_its_word(void **state)
{
    (void)state;
    assert_words("gpt-2", "Hello  world's 123 don't!!\n\n x",
                 "Hello| | world|'s| 123| don|'t|!!|\n\n| x");
    assert_words("gpt-2",
                 "a\xC2\xA0\xC2\xA0"
                 "b",
                 "a|\xC2\xA0|\xC2\xA0|b");
}

static void llama3_groups_digits_by_three_and_ignores_the_case_of_contractions(void **state)
{
    (void)state;
    assert_words("llama-bpe", "I'LL pay 12345.67 (now)\r\n\r\n  ok",
                 "I|'LL| pay| |123|45|.|67| (|now|)\r\n\r\n| | ok");
    assert_words("llama3", "12", "12");
}

static void qwen2_takes_digits_one_by_one(void **state)
{
    (void)state;
    assert_words("qwen2", "x12 y", "x|1|2| y");
}

static void starcoder_splits_digits_before_words(void **state)
{
    (void)state;
    assert_words("starcoder", "a 12b", "a| |1|2|b");
}

static void falcon_splits_punctuation_then_digits_by_three(void **state)
{
    (void)state;
    assert_words("falcon", "f(x)==`1234`", "f|(|x|)==`|123|4|`");
    assert_words("default", "1234 a", "123|4| a");
}

static void deepseek_isolates_newlines_and_east_asian_runs(void **state)
{
    (void)state;
    assert_words("deepseek-coder", "if x:\n\n\xE4\xBD\xA0\xE5\xA5\xBD 12",
                 "if| x|:|\n|\n|\xE4\xBD\xA0\xE5\xA5\xBD| |1|2");
    assert_words("deepseek-llm", "a  \nb   ", "a|  |\n|b|   ");
    assert_words("deepseek-v3", "a1234,bc", "a|123|4|,bc");
}

static void o200k_cuts_where_case_rises(void **state)
{
    (void)state;
    assert_words("gpt-4o", "camelCase HTTPServer's/\n", "camel|Case| HTTPServer's|/\n");
    assert_words("tekken", "camelCase 12", "camel|Case| |1|2");
}

static void digits_are_grouped_from_the_right(void **state)
{
    (void)state;
    assert_words("tiny_aya", "1234567 12 x", "1|234|567| |12| x");
    assert_words("tiny_aya", "1234567a 1234", "123|456|7|a| |1|234");
    assert_words("superbpe", "a1234 567", "a|1|234| |567");
    assert_words("afmoe", "x12345", "x|12|345");
}

static void kimi_keeps_ideographs_apart(void **state)
{
    (void)state;
    assert_words("kimi-k2",
                 "ab\xE4\xB8\x80\xE4\xBA\x8C"
                 "Cd 1234",
                 "ab|\xE4\xB8\x80\xE4\xBA\x8C|Cd| |123|4");
    assert_words("gpt-4o", "ab\xE4\xB8\x80", "ab\xE4\xB8\x80");
}

static void other_names_cut_as_their_models_do(void **state)
{
    (void)state;
    assert_words("exaone-moe", "\xEA\xB0\x80 \xEB\x82\x98 12", "\xEA\xB0\x80 \xEB\x82\x98| |1|2");
    assert_words("qwen35", "e\xCC\x81x", "e\xCC\x81x");
    assert_words("qwen2", "e\xCC\x81x", "e|\xCC\x81x");
    assert_words("jais-2", "a     b", "a|    | b");
    assert_words("laguna", "a\n\nb", "a|\n\n|b");
    assert_words("chameleon", "a  b\n12,", "a|  |b|\n|1|2|,");
}

static void characters_younger_than_the_library_are_letters(void **state)
{
    (void)state;
    /* Garay (Unicode 16) a letter and a digit: U+10D4A, U+10D41. */
    assert_words("gpt-2", "a \xF0\x90\xB5\x8A\xF0\x90\xB5\x81!",
                 "a| \xF0\x90\xB5\x8A|\xF0\x90\xB5\x81|!");
}

static void mongolian_vowel_separator_is_no_white_space(void **state)
{
    (void)state;
    assert_words("gpt-2", "a\xE1\xA0\x8E\xE1\xA0\x8E", "a|\xE1\xA0\x8E\xE1\xA0\x8E");
    assert_words("gpt-2", "a\xE1\xA0\x8E \xC2\x85z", "a|\xE1\xA0\x8E| |\xC2\x85|z");
}

static void bytes_that_are_no_utf8_are_words_of_their_own(void **state)
{
    (void)state;
    assert_words("gpt-2",
                 "ab\xFF\xFE"
                 "c\xE2\x82",
                 "ab|\xFF\xFE|c|\xE2\x82");
    assert_words("gpt-2", " \xC3 a", " |\xC3| a");
}

/* A text of pieces in which the expressions' classes meet. */
static void random_text(gol_buf *out, gol_rng *rng)
{
    static const uint32_t code_points[] = {
        ' ',    ' ',    '\n',   '\r', '\t',   'a',    'Z',    's',    '\'',    '1',     '9',
        '.',    '(',    '/',    '$',  0xA0,   0x85,   0xE9,   0xC9,   0x1C5,   0x2B0,   0x301,
        0x3042, 0x4E00, 0xAC00, 0xBD, 0x180E, 0x2028, 0x3000, 0xFF01, 0x1F600, 0x10FFFF};
    const size_t n = gol_rng_below(rng, 40);
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        const uint32_t cp =
            code_points[gol_rng_below(rng, sizeof code_points / sizeof code_points[0])];
        gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, cp));
        if (gol_rng_below(rng, 50) == 0)
            gol_buf_putc(out, (char)0xF0);
    }
}

static void all_patterns_compile_keep_every_byte_and_need_no_jit(void **state)
{
    (void)state;
    static words fast, slow;
    gol_err err;
    int n_specs = 0;
    for (const gol_pre_spec *spec = gol_pre_spec_at(0); spec; spec = gol_pre_spec_at(++n_specs)) {
        gol_pre_tokenizer *jit = create(spec->name, true);
        gol_pre_tokenizer *interpreter = create(spec->name, false);
        gol_rng rng = {3, 0};
        for (int round = 0; round < 100; round++) {
            gol_buf text;
            gol_buf_init(&text, 4096);
            random_text(&text, &rng);
            fast.n = slow.n = 0;
            assert_int_equal(
                gol_pre_tokenizer_split(jit, gol_buf_view(&text), collect, &fast, &err), 0);
            assert_int_equal(
                gol_pre_tokenizer_split(interpreter, gol_buf_view(&text), collect, &slow, &err), 0);
            assert_int_equal(fast.n, slow.n);
            const char *next = text.data;
            for (size_t i = 0; i < fast.n; i++) {
                assert_ptr_equal(fast.at[i].data, next);
                assert_ptr_equal(slow.at[i].data, next);
                assert_int_equal(fast.at[i].len, slow.at[i].len);
                next += fast.at[i].len;
            }
            assert_true(text.len == 0 || next == text.data + text.len);
            gol_buf_deinit(&text);
        }
        gol_pre_tokenizer_destroy(&jit);
        gol_pre_tokenizer_destroy(&interpreter);
    }
    assert_true(n_specs >= 14);
    assert_null(gol_pre_spec_find(GOL_STR("no-such")));
    assert_null(gol_pre_spec_find(GOL_STR("")));
}

static int refuse(void *user, gol_str word, gol_err *err)
{
    (void)word;
    int *n_left = user;
    return (*n_left)-- > 0 ? 0 : gol_fail(err, GOL_EABORTED, "enough");
}

static void splitting_stops_when_the_caller_says_so(void **state)
{
    (void)state;
    gol_err err;
    gol_pre_tokenizer *p = create("gpt-2", true);
    for (int n = 0; n < 4; n++) {
        int n_left = n;
        const int rc = gol_pre_tokenizer_split(p, GOL_STR("a b\xFF"), refuse, &n_left, &err);
        assert_int_equal(rc, n < 3 ? GOL_EABORTED : 0);
    }
    gol_pre_tokenizer_destroy(&p);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    gol_err err;
    static words w;
    uint64_t n_failed = 1;
    int n_reported = 0;
    for (uint64_t nth = 1; n_failed > 0; nth++) {
        gol_pre_tokenizer *p = NULL;
        gol_mem_fail_nth(nth, false);
        int rc = gol_pre_tokenizer_create(&p, gol_pre_spec_find(GOL_STR("falcon")), false, &err);
        w.n = 0;
        if (rc == 0)
            rc = gol_pre_tokenizer_split(p, GOL_STR("Hello (world) 1234"), collect, &w, &err);
        n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || rc == GOL_ENOMEM);
        n_reported += rc != 0;
        gol_pre_tokenizer_destroy(&p);
    }
    assert_true(n_reported > 3); /* a missing stack for machine code is not fatal, the rest is */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_keeps_a_space_with_its_word),
        cmocka_unit_test(llama3_groups_digits_by_three_and_ignores_the_case_of_contractions),
        cmocka_unit_test(qwen2_takes_digits_one_by_one),
        cmocka_unit_test(starcoder_splits_digits_before_words),
        cmocka_unit_test(falcon_splits_punctuation_then_digits_by_three),
        cmocka_unit_test(deepseek_isolates_newlines_and_east_asian_runs),
        cmocka_unit_test(o200k_cuts_where_case_rises),
        cmocka_unit_test(digits_are_grouped_from_the_right),
        cmocka_unit_test(kimi_keeps_ideographs_apart),
        cmocka_unit_test(other_names_cut_as_their_models_do),
        cmocka_unit_test(characters_younger_than_the_library_are_letters),
        cmocka_unit_test(mongolian_vowel_separator_is_no_white_space),
        cmocka_unit_test(bytes_that_are_no_utf8_are_words_of_their_own),
        cmocka_unit_test(all_patterns_compile_keep_every_byte_and_need_no_jit),
        cmocka_unit_test(splitting_stops_when_the_caller_says_so),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
