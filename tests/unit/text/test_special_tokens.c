/* Special tokens in text: which, where, and when not. */
#include "unit/text/text_test.h"

static vocab_spec v;

static void control_tokens_are_parsed_on_request_only(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t end = vocab_add(&v, "<e>", 3, 0);
    const int32_t unk = vocab_add(&v, "<u>", 2, 0);
    vocab_add(&v, "<n>", 1, 0);
    vocab_add(&v, "<x>", 5, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "a<e>", 0, 'a', '<', 'e', '>');
    assert_encodes(tok, "a<e>b<u>", GOL_ENCODE_PARSE_SPECIAL, 'a', end, 'b', unk);
    assert_encodes(tok, "<e><e>", GOL_ENCODE_PARSE_SPECIAL, end, end);
    assert_encodes(tok, "<n>", GOL_ENCODE_PARSE_SPECIAL, '<', 'n', '>');
    assert_encodes(tok, "<x>", GOL_ENCODE_PARSE_SPECIAL, '<', 'x', '>');
    assert_encodes(tok, "<e", GOL_ENCODE_PARSE_SPECIAL, '<', 'e');
    gol_tokenizer_destroy(&tok);
}

static void user_defined_tokens_are_always_recognised(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t user = vocab_add(&v, "<|user|>", 4, 0);
    const int32_t spaces = vocab_add(&v, "   ", 4, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "<|user|>   x", 0, user, spaces, 'x');
    assert_encodes(tok, "    ", 0, spaces, ' ');
    assert_true(gol_str_is(gol_tokenizer_piece(tok, spaces), "   "));
    gol_tokenizer_destroy(&tok);
}

static void the_leftmost_then_the_longest_match_wins(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t ab = vocab_add(&v, "[ab", 4, 0);
    const int32_t abcd = vocab_add(&v, "[abcd]", 4, 0);
    const int32_t b = vocab_add(&v, "b[", 4, 0);
    const int32_t abc = vocab_add(&v, "[abc", 3, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "[abcd]", 0, abcd);
    assert_encodes(tok, "[abcd", 0, ab, 'c', 'd');
    assert_encodes(tok, "[abcd", GOL_ENCODE_PARSE_SPECIAL, abc, 'd');
    assert_encodes(tok, "[ab[ab", 0, ab, ab);
    assert_encodes(tok, "b[ab", 0, b, 'a', 'b');
    gol_tokenizer_destroy(&tok);
}

static void bos_and_eos_are_added_as_the_file_says(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "llama-bpe");
    const int32_t bos = vocab_add(&v, "<s>", 3, 0);
    const int32_t eos = vocab_add(&v, "</s>", 3, 0);
    for (int adds = 0; adds < 4; adds++) {
        gol_gguf_writer *w = vocab_begin(&v);
        gol_gguf_writer_add_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)bos);
        gol_gguf_writer_add_u32(w, "tokenizer.ggml.eos_token_id", (uint32_t)eos);
        gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", adds & 1);
        gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_eos_token", adds & 2);
        gol_tokenizer *tok = load_file(vocab_finish(w));
        const int32_t expected[] = {bos, 'x', eos};
        assert_ids(tok, GOL_STR("x"), GOL_ENCODE_ADD_SPECIAL, adds & 1 ? expected : expected + 1,
                   1 + (size_t)(adds & 1) + (size_t)(adds >> 1));
        assert_encodes(tok, "x", 0, 'x');
        assert_int_equal(gol_tokenizer_bos(tok), bos);
        assert_int_equal(gol_tokenizer_eos(tok), eos);
        gol_tokenizer_destroy(&tok);
    }
    gol_gguf_writer *w = vocab_begin(&v); /* the pattern's own default */
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)bos);
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_encodes(tok, "x", GOL_ENCODE_ADD_SPECIAL, bos, 'x');
    assert_encodes(tok, "", GOL_ENCODE_ADD_SPECIAL, bos);
    gol_tokenizer_destroy(&tok);
}

static void sentencepiece_puts_a_space_behind_special_tokens(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    const int32_t mark_a = vocab_add(&v,
                                     "\xE2\x96\x81"
                                     "a",
                                     1, -1);
    vocab_add(&v, "\xE2\x96\x81", 1, -2);
    vocab_add(&v, "a", 1, -2);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "a</s>a", GOL_ENCODE_PARSE_SPECIAL | GOL_ENCODE_ADD_SPECIAL, 1, mark_a, 2,
                   mark_a);
    assert_encodes(tok, "", GOL_ENCODE_ADD_SPECIAL, 1);
    gol_tokenizer_destroy(&tok);
}

static void phi3_tokens_take_the_white_space_behind_them(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t user = vocab_add(&v, "<|user|>", 3, 0);
    const int32_t text_end = vocab_add(&v, "<|endoftext|>", 3, 0);
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_str(w, "general.name", GOL_STR("Phi-3-mini"));
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_encodes(tok, "<|user|>\n x<|endoftext|>\n", GOL_ENCODE_PARSE_SPECIAL, user, 'x',
                   text_end, '\n');
    assert_encodes(tok, "<|user|> \n", GOL_ENCODE_PARSE_SPECIAL, user);
    gol_tokenizer_destroy(&tok);
    tok = load_spec(&v);
    assert_encodes(tok, "<|user|>\n", GOL_ENCODE_PARSE_SPECIAL, user, '\n');
    gol_tokenizer_destroy(&tok);
}

static void assert_eog(const gol_tokenizer *tok, int32_t id, bool expected)
{
    size_t n;
    const int32_t *ids = gol_tokenizer_eog_ids(tok, &n);
    bool listed = false;
    for (size_t i = 0; i < n; i++)
        listed = listed || ids[i] == id;
    assert_int_equal(listed, expected);
    assert_int_equal(gol_tokenizer_is_eog(tok, id), expected);
}

static void generations_end_at_named_and_well_known_tokens(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t im_end = vocab_add(&v, "<|im_end|>", 3, 0);
    const int32_t turn = vocab_add(&v, "<end_of_turn>", 4, 0);
    const int32_t plain = vocab_add(&v, "<|eot_id|>", 1, 0);
    const int32_t other = vocab_add(&v, "<|other|>", 3, 0);
    const int32_t deepseek = vocab_add(&v,
                                       "<\xEF\xBD\x9C"
                                       "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
                                       3, 0);
    const int32_t eot = vocab_add(&v, "<|mine|>", 3, 0);
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.eos_token_id", 'z');
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.eot_token_id", (uint32_t)eot);
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_eog(tok, 'z', true);
    assert_eog(tok, eot, true);
    assert_eog(tok, im_end, true);
    assert_eog(tok, turn, true);
    assert_eog(tok, deepseek, true);
    assert_eog(tok, plain, false);
    assert_eog(tok, other, false);
    assert_true(gol_tokenizer_is_control(tok, other));
    assert_false(gol_tokenizer_is_control(tok, turn));
    gol_tokenizer_destroy(&tok);
}

static void harmony_messages_end_without_ending_the_answer(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-4o");
    const int32_t end = vocab_add(&v, "<|end|>", 3, 0);
    const int32_t give_back = vocab_add(&v, "<|return|>", 3, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_eog(tok, end, true);
    gol_tokenizer_destroy(&tok);
    const int32_t call = vocab_add(&v, "<|call|>", 3, 0);
    tok = load_spec(&v);
    assert_eog(tok, end, false);
    assert_eog(tok, give_back, true);
    assert_eog(tok, call, true);
    gol_tokenizer_destroy(&tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_tokens_are_parsed_on_request_only),
        cmocka_unit_test(user_defined_tokens_are_always_recognised),
        cmocka_unit_test(the_leftmost_then_the_longest_match_wins),
        cmocka_unit_test(bos_and_eos_are_added_as_the_file_says),
        cmocka_unit_test(sentencepiece_puts_a_space_behind_special_tokens),
        cmocka_unit_test(phi3_tokens_take_the_white_space_behind_them),
        cmocka_unit_test(generations_end_at_named_and_well_known_tokens),
        cmocka_unit_test(harmony_messages_end_without_ending_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
