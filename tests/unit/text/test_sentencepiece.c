/* The "llama" kind on small vocabularies: scores, spaces, byte fallback, and broken byte tokens. */
#include "unit/text/text_test.h"

#include <math.h>

#define MARK "\xE2\x96\x81"

enum { UNK = 0, BYTE_0 = 3 };

static vocab_spec v;

static void the_better_score_wins_and_ties_go_left(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    vocab_add(&v, MARK, 1, -9);
    vocab_add(&v, "a", 1, -9);
    vocab_add(&v, "b", 1, -9);
    const int32_t c = vocab_add(&v, "c", 1, -9);
    const int32_t ab = vocab_add(&v, "ab", 1, -2);
    const int32_t bc = vocab_add(&v, "bc", 1, -1);
    const int32_t aa = vocab_add(&v, "aa", 1, -3);
    const int32_t mark = gol_str_is(v.tokens[259], MARK) ? 259 : -1;
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "abc", 0, mark, 260, bc);
    assert_encodes(tok, "abac", 0, mark, ab, 260, c);
    assert_encodes(tok, "aaa", 0, mark, aa, 260);
    assert_string_equal(gol_tokenizer_kind(tok), "llama");
    assert_string_equal(gol_tokenizer_pre(tok), "");
    gol_tokenizer_destroy(&tok);
}

static void scores_of_either_sign_are_ordered(void **state)
{
    (void)state;
    const float pairs[][2] = {{1, 2}, {-2, -1}, {-1, 1}, {-0.5f, 0}, {0, 1e-30f}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        vocab_init_spm(&v);
        vocab_add(&v, MARK, 1, -9);
        const int32_t a = vocab_add(&v, "a", 1, -9);
        vocab_add(&v, "b", 1, -9);
        vocab_add(&v, "c", 1, -9);
        vocab_add(&v, "ab", 1, pairs[i][0]);
        const int32_t bc = vocab_add(&v, "bc", 1, pairs[i][1]);
        gol_tokenizer *tok = load_spec(&v);
        assert_encodes(tok, "abc", 0, 259, a, bc);
        gol_tokenizer_destroy(&tok);
    }
    vocab_init_spm(&v); /* minus zero is zero: the left one wins */
    vocab_add(&v, MARK, 1, -9);
    vocab_add(&v, "b", 1, -9);
    const int32_t c = vocab_add(&v, "c", 1, -9);
    const int32_t ab = vocab_add(&v, "ab", 1, -0.0f);
    vocab_add(&v, "bc", 1, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "abc", 0, 259, ab, c);
    gol_tokenizer_destroy(&tok);
}

static void a_space_is_put_before_the_first_word(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    const int32_t mark = vocab_add(&v, MARK, 1, -9);
    const int32_t a = vocab_add(&v, "a", 1, -9);
    const int32_t mark_a = vocab_add(&v, MARK "a", 1, -1);
    gol_tokenizer *tok = load_spec(&v);
    assert_true(gol_tokenizer_adds_space(tok));
    assert_encodes(tok, "a a", 0, mark_a, mark_a);
    assert_encodes(tok, " a", 0, mark, mark_a);
    assert_encodes(tok, "a ", 0, mark_a, mark);
    assert_ids(tok, GOL_STR(""), 0, NULL, 0);
    assert_true(gol_str_is(gol_tokenizer_piece(tok, mark_a), " a"));
    gol_tokenizer_destroy(&tok);

    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_space_prefix", false);
    tok = load_file(vocab_finish(w));
    assert_false(gol_tokenizer_adds_space(tok));
    assert_encodes(tok, "a a", 0, a, mark_a);
    gol_tokenizer_destroy(&tok);
}

/* "a▁b" as one token: words may not be merged apart from each other then. */
static void tokens_may_cross_words(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    vocab_add(&v, MARK, 1, -9);
    vocab_add(&v, "a", 1, -9);
    vocab_add(&v, MARK "a", 1, -1);
    vocab_add(&v, "a" MARK, 1, -2);
    const int32_t all = vocab_add(&v, MARK "a" MARK "a", 1, -3);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "a a", 0, all);
    gol_tokenizer_destroy(&tok);
}

static void characters_without_a_token_are_spelled_in_bytes(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    const int32_t mark = vocab_add(&v, MARK, 1, -9);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "\xC3\xA9", 0, mark, BYTE_0 + 0xC3, BYTE_0 + 0xA9);
    assert_encodes(tok, "\xFF", 0, mark, BYTE_0 + 0xFF);
    assert_encodes(tok, "\0\n", 0, mark, BYTE_0, BYTE_0 + '\n');
    assert_encodes(tok, "<0x41>", 0, mark, BYTE_0 + '<', BYTE_0 + '0', BYTE_0 + 'x', BYTE_0 + '4',
                   BYTE_0 + '1', BYTE_0 + '>');
    gol_tokenizer_destroy(&tok);
}

static void without_byte_tokens_characters_are_unknown(void **state)
{
    (void)state;
    v = (vocab_spec){.model = "llama", .no_merges = true};
    vocab_add(&v, "<unk>", 2, 0);
    vocab_add(&v, "<s>", 3, 0);
    vocab_add(&v, "</s>", 3, 0);
    const int32_t mark = vocab_add(&v, MARK, 1, -1);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "\xC3\xA9x", 0, mark, UNK, UNK);
    gol_tokenizer_destroy(&tok);
    v.types[0] = 1; /* no unknown token either */
    tok = load_spec(&v);
    assert_encodes(tok, "\xC3\xA9x", 0, mark);
    gol_tokenizer_destroy(&tok);
}

static void control_tokens_are_not_spelled_by_merges(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    const int32_t mark = vocab_add(&v, MARK, 1, -9);
    const int32_t open = vocab_add(&v, "<s", 1, -1);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "<s>", 0, mark, open, BYTE_0 + '>');
    gol_tokenizer_destroy(&tok);
}

static void byte_tokens_must_name_a_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"<0x-1>", "<0x1>",  "<0x123>", "<0xGG>", "<0x 1>",
                                        "0x41",   "<0X41>", "",        "<0x41"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        vocab_init_spm(&v);
        vocab_add(&v, names[i], 6, 0);
        assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.tokens[259]");
    }
    vocab_init_spm(&v);
    v.tokens[BYTE_0 + 0xAB] = GOL_STR("<0xab>");
    gol_tokenizer *tok = load_spec(&v);
    assert_true(gol_str_is(gol_tokenizer_piece(tok, BYTE_0 + 0xAB), "\xAB"));
    gol_tokenizer_destroy(&tok);
}

static void scores_are_required_one_for_each_token(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    v.no_scores = true;
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.scores");
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, v.scores, v.n - 1);
    assert_refused(w, GOL_EMODEL,
                   "tokenizer.ggml.scores: 258 elements, tokenizer.ggml.tokens has 259");
    w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, v.scores, v.n + 1);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.scores");
    w = vocab_begin(&v);
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.scores", v.tokens, v.n);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.scores");
    v.no_scores = false;
    v.scores[7] = nanf("");
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.scores[7]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_better_score_wins_and_ties_go_left),
        cmocka_unit_test(scores_of_either_sign_are_ordered),
        cmocka_unit_test(a_space_is_put_before_the_first_word),
        cmocka_unit_test(tokens_may_cross_words),
        cmocka_unit_test(characters_without_a_token_are_spelled_in_bytes),
        cmocka_unit_test(without_byte_tokens_characters_are_unknown),
        cmocka_unit_test(control_tokens_are_not_spelled_by_merges),
        cmocka_unit_test(byte_tokens_must_name_a_byte),
        cmocka_unit_test(scores_are_required_one_for_each_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
