/* The "gpt2" kind on small vocabularies: merge order, words, bytes, and broken merges. */
#include "unit/text/text_test.h"

#include "base/rng.h"

static vocab_spec v;

static void merges_go_by_rank_not_by_place(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t ab = vocab_add(&v, "ab", 1, 0);
    const int32_t bc = vocab_add(&v, "bc", 1, 0);
    const int32_t abc = vocab_add(&v, "abc", 1, 0);
    vocab_add_merge(&v, "b c");
    vocab_add_merge(&v, "a b");
    vocab_add_merge(&v, "a bc");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "abc", 0, abc);
    assert_encodes(tok, "abd", 0, ab, 'd');
    assert_encodes(tok, "bcab", 0, bc, ab);
    assert_string_equal(gol_tokenizer_kind(tok), "gpt2");
    assert_string_equal(gol_tokenizer_pre(tok), "gpt-2");
    gol_tokenizer_destroy(&tok);
}

static void a_space_belongs_to_the_word_behind_it(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t space_a = vocab_add(&v,
                                      "\xC4\xA0"
                                      "a",
                                      1, 0);
    vocab_add_merge(&v, "\xC4\xA0 a");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "a a a", 0, 'a', space_a, space_a);
    assert_encodes(tok, "  a", 0, ' ', space_a);
    assert_true(gol_str_is(gol_tokenizer_piece(tok, space_a), " a"));
    gol_tokenizer_destroy(&tok);
}

/* "xy" is no token, but leads to one. */
static void merges_may_pass_through_texts_that_are_no_tokens(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t xyz = vocab_add(&v, "xyz", 1, 0);
    vocab_add_merge(&v, "x y");
    vocab_add_merge(&v, "xy z");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "xyz", 0, xyz);
    assert_encodes(tok, "xyxyz", 0, 'x', 'y', xyz);
    gol_tokenizer_destroy(&tok);
}

static void whole_words_come_first_where_the_pattern_says_so(void **state)
{
    (void)state;
    for (int with_words = 0; with_words < 2; with_words++) {
        vocab_init_bytes(&v, with_words ? "llama-bpe" : "qwen2");
        const int32_t space_hi = vocab_add(&v, "\xC4\xA0hi", 1, 0); /* no merge makes it */
        gol_tokenizer *tok = load_spec(&v);
        if (with_words)
            assert_encodes(tok, "hi hi", 0, 'h', 'i', space_hi);
        else
            assert_encodes(tok, "hi hi", 0, 'h', 'i', ' ', 'h', 'i');
        gol_tokenizer_destroy(&tok);
    }
}

static void control_tokens_are_not_spelled_by_merges(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    vocab_add(&v, "<>", 3, 0);
    vocab_add_merge(&v, "< >");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "<>", 0, '<', '>');
    gol_tokenizer_destroy(&tok);
}

static void bytes_without_a_token_are_unknown_or_left_out(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    v.tokens['q'] = GOL_STR("(none)");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "aqb", 0, 'a', 'b');
    gol_tokenizer_destroy(&tok);

    const int32_t unk = vocab_add(&v, "<unk>", 2, 0);
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.unknown_token_id", (uint32_t)unk);
    tok = load_file(vocab_finish(w));
    assert_encodes(tok, "aqb", 0, 'a', unk, 'b');
    gol_tokenizer_destroy(&tok);
}

static void an_unknown_pre_tokenizer_gets_the_default(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "from-the-future");
    gol_tokenizer *tok = load_spec(&v);
    assert_string_equal(gol_tokenizer_pre(tok), "default");
    gol_tokenizer_destroy(&tok);
    vocab_init_bytes(&v, NULL);
    tok = load_spec(&v);
    assert_string_equal(gol_tokenizer_pre(tok), "default");
    gol_tokenizer_destroy(&tok);
}

static void refuse_merge(const char *merge)
{
    vocab_init_bytes(&v, "gpt-2");
    vocab_add_merge(&v, "a b");
    vocab_add_merge(&v, merge);
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.merges[1]");
}

static void merges_that_are_no_pairs_are_refused(void **state)
{
    (void)state;
    refuse_merge("");
    refuse_merge(" ");
    refuse_merge("ab");
    refuse_merge("a ");
    refuse_merge(" b");
    static char long_merge[3 * 16384];
    memset(long_merge, 'x', sizeof long_merge - 1);
    long_merge[5] = ' ';
    refuse_merge(long_merge);
}

static void odd_merges_are_harmless(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t aa = vocab_add(&v, "aa", 1, 0);
    vocab_add_merge(&v, "a a");
    vocab_add_merge(&v, "a a");  /* twice: the first counts */
    vocab_add_merge(&v, "aa a"); /* makes no token */
    vocab_add_merge(&v, "nobody here");
    vocab_add_merge(&v, "a b c"); /* the right side holds a space: nothing spells it */
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "aaaa", 0, aa, aa);
    assert_encodes(tok, "aaa", 0, 'a', 'a', 'a');
    gol_tokenizer_destroy(&tok);
}

static void missing_or_mistyped_merges_are_refused(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    v.no_merges = true;
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.merges");
    const int32_t numbers[] = {1, 2};
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.merges", GOL_VALUE_I32, numbers, 2);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.merges");
    w = vocab_begin(&v);
    gol_gguf_writer_add_str(w, "tokenizer.ggml.merges", GOL_STR("a b"));
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.merges");
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "llama-bpe");
    vocab_add(&v, "ab", 1, 0);
    vocab_add(&v, "\xC3\x83\xC2\xA9", 1, 0); /* é's two bytes, written */
    vocab_add_merge(&v, "a b");
    vocab_add_merge(&v, "\xC3\x83 \xC2\xA9");
    gol_tokenizer *tok = load_spec(&v);
    gol_rng rng = {9, 0};
    for (int round = 0; round < 2000; round++) {
        char text[64];
        const size_t n = gol_rng_below(&rng, sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = round % 2 ? (char)gol_rng_next(&rng)
                                : "ab \n\xC3\xA9"[gol_rng_below(&rng, 6)];
        gol_err err;
        gol_ids ids = {0};
        assert_int_equal(gol_tokenizer_encode(tok, &ids, (gol_str){text, n}, 0, &err), 0);
        size_t pos = 0;
        for (size_t i = 0; i < ids.n; i++) {
            const gol_str piece = gol_tokenizer_piece(tok, ids.data[i]);
            assert_true(pos + piece.len <= n);
            assert_memory_equal(piece.data, text + pos, piece.len);
            pos += piece.len;
        }
        assert_int_equal(pos, n);
        gol_ids_deinit(&ids);
    }
    gol_tokenizer_destroy(&tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_rank_not_by_place),
        cmocka_unit_test(a_space_belongs_to_the_word_behind_it),
        cmocka_unit_test(merges_may_pass_through_texts_that_are_no_tokens),
        cmocka_unit_test(whole_words_come_first_where_the_pattern_says_so),
        cmocka_unit_test(control_tokens_are_not_spelled_by_merges),
        cmocka_unit_test(bytes_without_a_token_are_unknown_or_left_out),
        cmocka_unit_test(an_unknown_pre_tokenizer_gets_the_default),
        cmocka_unit_test(merges_that_are_no_pairs_are_refused),
        cmocka_unit_test(odd_merges_are_harmless),
        cmocka_unit_test(missing_or_mistyped_merges_are_refused),
        cmocka_unit_test(any_bytes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
