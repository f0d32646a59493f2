/* Vocabularies from broken files: refused by name, or loaded safely. */
#include "unit/text/text_test.h"

#include "text/vocab.h"

static vocab_spec v;

static void arrays_of_the_wrong_type_are_refused(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    v.no_tokens = true;
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.tokens");
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.tokens", GOL_VALUE_I32, v.types, v.n);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.tokens");
    w = vocab_begin(&v);
    gol_gguf_writer_add_str(w, "tokenizer.ggml.tokens", GOL_STR("a"));
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.tokens");
    w = vocab_begin(&v);
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens", v.tokens, 0);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.tokens: 0 tokens");

    vocab_init_bytes(&v, "gpt-2");
    v.no_types = true;
    w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_F32, v.scores, v.n);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.token_type");
    w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_I32, v.types, v.n - 1);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.token_type: 255 elements");
}

static void token_types_outside_the_list_are_refused(void **state)
{
    (void)state;
    const int32_t bad[] = {-1, 7, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        vocab_init_bytes(&v, "gpt-2");
        v.types[9] = bad[i];
        assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.token_type[9]");
    }
}

static void types_may_be_missing_or_unsigned(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    v.no_types = true;
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "ab", 0, 'a', 'b');
    gol_tokenizer_destroy(&tok);
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_U32, v.types, v.n);
    tok = load_file(vocab_finish(w));
    assert_encodes(tok, "ab", 0, 'a', 'b');
    gol_tokenizer_destroy(&tok);
}

static void of_equal_tokens_the_first_is_used(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t first = vocab_add(&v, "ab", 1, 0);
    const int32_t second = vocab_add(&v, "ab", 1, 0);
    vocab_add_merge(&v, "a b");
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "ab", 0, first);
    assert_true(gol_str_is(gol_tokenizer_piece(tok, second), "ab"));
    assert_int_equal(gol_tokenizer_n_vocab(tok), 258);
    gol_tokenizer_destroy(&tok);
}

static void empty_tokens_are_never_found(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t normal = vocab_add(&v, "", 1, 0);
    const int32_t control = vocab_add(&v, "", 3, 0);
    vocab_add(&v, "", 4, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "ab", GOL_ENCODE_PARSE_SPECIAL, 'a', 'b');
    assert_int_equal(gol_tokenizer_find(tok, GOL_STR("")), -1);
    assert_int_equal(gol_tokenizer_piece(tok, normal).len, 0);
    assert_decodes(tok, IDS('a', normal, control, 'b'), false, "ab");
    gol_tokenizer_destroy(&tok);
}

static void token_lengths_end_at_their_limits(void **state)
{
    (void)state;
    static char text[GOL_VOCAB_TEXT_MAX + 2];
    const size_t limits[] = {GOL_VOCAB_TEXT_MAX, GOL_VOCAB_SPECIAL_TEXT_MAX};
    for (int special = 0; special < 2; special++) {
        for (size_t over = 0; over < 2; over++) {
            memset(text, 'x', sizeof text);
            text[limits[special] + over] = '\0';
            vocab_init_bytes(&v, "gpt-2");
            const int32_t id = vocab_add(&v, text, special ? 3 : 1, 0);
            if (over) {
                assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.tokens[256]");
                continue;
            }
            gol_tokenizer *tok = load_spec(&v);
            assert_int_equal(gol_tokenizer_piece(tok, id).len, limits[special]);
            gol_tokenizer_destroy(&tok);
        }
    }
}

static gol_gguf_writer *with_id(const char *key, int64_t id)
{
    gol_gguf_writer *w = vocab_begin(&v);
    if (id < 0)
        gol_gguf_writer_add_i32(w, key, (int32_t)id);
    else if (id <= UINT32_MAX)
        gol_gguf_writer_add_u32(w, key, (uint32_t)id);
    else
        gol_gguf_writer_add_u64(w, key, (uint64_t)id);
    return w;
}

static void special_ids_must_lie_in_the_vocabulary(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "tokenizer.ggml.bos_token_id",     "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id",     "tokenizer.ggml.fim_pad_token_id",
    };
    const int64_t bad[] = {256, INT32_MAX, (int64_t)INT32_MAX + 1, -2, (int64_t)1 << 40};
    vocab_init_bytes(&v, "gpt-2");
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
            assert_refused(with_id(keys[k], bad[i]), GOL_EMODEL, keys[k]);
        gol_gguf_writer *w = vocab_begin(&v);
        gol_gguf_writer_add_str(w, keys[k], GOL_STR("1"));
        assert_refused(w, GOL_EMODEL, keys[k]);
        gol_tokenizer *tok = load_file(vocab_finish(with_id(keys[k], 255)));
        gol_tokenizer_destroy(&tok);
    }
    gol_tokenizer *tok = load_file(
        vocab_finish(with_id("tokenizer.ggml.bos_token_id", UINT32_MAX)));
    assert_int_equal(gol_tokenizer_bos(tok), -1);
    gol_tokenizer_destroy(&tok);
    tok = load_file(vocab_finish(with_id("tokenizer.ggml.eos_token_id", -1)));
    assert_int_equal(gol_tokenizer_eos(tok), -1);
    gol_tokenizer_destroy(&tok);
}

static void adding_a_token_that_has_no_id_is_refused(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", true);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.add_bos_token");
    w = vocab_begin(&v);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_eos_token", true);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.add_eos_token");
    w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.add_bos_token", 1);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.add_bos_token");
    v.pre = "llama-bpe"; /* would add BOS by itself, but need not */
    gol_tokenizer *tok = load_spec(&v);
    assert_false(gol_tokenizer_adds_bos(tok));
    gol_tokenizer_destroy(&tok);
}

static void the_kind_must_be_known(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    v.model = NULL;
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.model");
    v.model = "qbasic\n";
    assert_refused(vocab_begin(&v), GOL_EUNSUPPORTED, "'qbasic\\x0a'");
    v.model = NULL;
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.model", 2);
    assert_refused(w, GOL_EMODEL, "tokenizer.ggml.model");
}

static void a_byte_is_two_hex_digits_in_brackets(void **state)
{
    (void)state;
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("<0x00>")), 0);
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("<0xfF>")), 255);
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("<0x0A")), -1);
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("<0x0A>>")), -1);
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("<0x+1>")), -1);
    assert_int_equal(gol_vocab_parse_byte(GOL_STR("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_the_wrong_type_are_refused),
        cmocka_unit_test(token_types_outside_the_list_are_refused),
        cmocka_unit_test(types_may_be_missing_or_unsigned),
        cmocka_unit_test(of_equal_tokens_the_first_is_used),
        cmocka_unit_test(empty_tokens_are_never_found),
        cmocka_unit_test(token_lengths_end_at_their_limits),
        cmocka_unit_test(special_ids_must_lie_in_the_vocabulary),
        cmocka_unit_test(adding_a_token_that_has_no_id_is_refused),
        cmocka_unit_test(the_kind_must_be_known),
        cmocka_unit_test(a_byte_is_two_hex_digits_in_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
