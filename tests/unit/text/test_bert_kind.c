/* The "bert" and "t5" kinds on small vocabularies. */
#include "unit/text/text_test.h"

#include "base/rng.h"

#define MARK "\xE2\x96\x81"

static vocab_spec v;

enum { PAD, UNK, CLS, SEP };

static void init_bert(void)
{
    v = (vocab_spec){.model = "bert", .no_merges = true, .no_scores = true};
    vocab_add(&v, "[PAD]", 3, 0);
    vocab_add(&v, "[UNK]", 3, 0);
    vocab_add(&v, "[CLS]", 3, 0);
    vocab_add(&v, "[SEP]", 3, 0);
}

static void the_longest_token_wins_and_words_are_spelled_whole_or_not_at_all(void **state)
{
    (void)state;
    init_bert();
    const int32_t un = vocab_add(&v, MARK "un", 1, 0);
    const int32_t able = vocab_add(&v, "able", 1, 0);
    const int32_t aff = vocab_add(&v, "aff", 1, 0);
    vocab_add(&v, "a", 1, 0);
    const int32_t dot = vocab_add(&v, MARK ".", 1, 0);
    const int32_t han = vocab_add(&v, MARK "\xE4\xB8\xAD", 1, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "unaffable", 0, un, aff, able);
    assert_encodes(tok,
                   "UN\xC3\x81"
                   "ffable.",
                   0, un, aff, able, dot);
    assert_encodes(tok, "unx un affable", 0, UNK, un, UNK); /* "aff" begins no word */
    assert_encodes(tok, "un\xE4\xB8\xADun", 0, un, han, un);
    assert_encodes(tok, " un\t\n", GOL_ENCODE_ADD_SPECIAL, CLS, un, SEP);
    assert_encodes(tok, "[SEP]", 0, UNK, UNK, UNK);
    assert_encodes(tok, "un[SEP]", GOL_ENCODE_PARSE_SPECIAL, un, SEP);
    assert_ids(tok, GOL_STR("\xFF"), 0, NULL, 0); /* U+FFFD is dropped */
    assert_decodes(tok, IDS(CLS, un, aff, able, un, dot, SEP), true, "unaffable un.");
    assert_string_equal(gol_tokenizer_kind(tok), "bert");
    gol_tokenizer_destroy(&tok);
}

static void a_vocabulary_with_capitals_keeps_them(void **state)
{
    (void)state;
    init_bert();
    const int32_t upper = vocab_add(&v, MARK "A", 1, 0);
    const int32_t lower = vocab_add(&v, MARK "a", 1, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "A a \xC3\x81", 0, upper, lower, UNK);
    gol_tokenizer_destroy(&tok);
}

static void init_t5(void)
{
    v = (vocab_spec){.model = "t5", .no_merges = true};
    vocab_add(&v, "<pad>", 3, 0);
    vocab_add(&v, "<unk>", 2, 0);
    vocab_add(&v, "</s>", 3, 0);
}

static void the_best_sum_of_scores_wins(void **state)
{
    (void)state;
    init_t5();
    const int32_t mark = vocab_add(&v, MARK, 1, -3);
    const int32_t a = vocab_add(&v, "a", 1, -2);
    const int32_t b = vocab_add(&v, "b", 1, -2);
    const int32_t ab = vocab_add(&v, "ab", 1, -3);
    const int32_t mark_a = vocab_add(&v, MARK "a", 1, -4);
    const int32_t words = vocab_add(&v, "b" MARK "a", 1, -1);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "ab", 0, mark, ab); /* -6, the same as "_a b": the first found stays */
    assert_encodes(tok, "aab", 0, mark_a, ab);
    assert_encodes(tok, "ab a", 0, mark_a, words); /* tokens hold several words */
    assert_encodes(tok, "xyb", 0, mark, 1, b);     /* unknown neighbours are one */
    assert_encodes(tok, "a", GOL_ENCODE_ADD_SPECIAL, mark_a, 2);
    assert_encodes(tok, "  ", 0, mark, mark, mark);
    assert_decodes(tok, IDS(mark_a, words, a, 2), true, "ab aa");
    gol_tokenizer_destroy(&tok);

    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.remove_extra_whitespaces", true);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_space_prefix", false);
    tok = load_file(vocab_finish(w));
    assert_encodes(tok, "  a   a  ", 0, a, mark_a);
    assert_ids(tok, GOL_STR("   "), 0, NULL, 0);
    gol_tokenizer_destroy(&tok);

    v.no_scores = true;
    assert_refused(vocab_begin(&v), GOL_EMODEL, "tokenizer.ggml.scores");
}

/* The ways to cut it have one exact sum: how floats are rounded on the way decides. */
static void sums_of_scores_are_compared_as_floats(void **state)
{
    (void)state;
    init_t5();
    const int32_t mark = vocab_add(&v, MARK, 1, -3.3334579467773438F);
    const int32_t one = vocab_add(&v, "-", 1, -5.2315802574157715F);
    const int32_t two = vocab_add(&v, "--", 1, -7.894176006317139F);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "-----", 0, mark, one, two, two); /* as sentencepiece 0.2.3 */
    gol_tokenizer_destroy(&tok);
}

static void unknown_characters_are_spelled_in_bytes_where_there_are_such(void **state)
{
    (void)state;
    init_t5();
    vocab_add(&v, MARK, 1, -3);
    const int32_t first = vocab_add(&v, "<0xC3>", 6, 0);
    const int32_t second = vocab_add(&v, "<0xA9>", 6, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_encodes(tok, "\xC3\xA9x", 0, 3, first, second, 1);
    assert_decodes(tok, IDS(3, first, second), true, "\xC3\xA9");
    gol_tokenizer_destroy(&tok);
}

/* Offsets and labels of any sort: what is read lies in the map, and text comes out. */
static void broken_character_maps_are_refused_or_harmless(void **state)
{
    (void)state;
    init_t5();
    vocab_add(&v, MARK, 1, -3);
    for (int k = 0; k < 300; k++) {
        uint8_t map[1024 + 64];
        gol_rng rng = {5, (uint64_t)k << 32};
        for (size_t i = 0; i < sizeof map;
             i++) /* small numbers: offsets that stay inside now and then */
            map[i] = (uint8_t)(gol_rng_below(&rng, 3) == 0 ? gol_rng_below(&rng, 256) : 0);
        const uint32_t n_trie = k % 4 == 3 ? (uint32_t)gol_rng_below(&rng, 2000) : 1024;
        memcpy(map, &n_trie, 4);
        gol_gguf_writer *w = vocab_begin(&v);
        gol_gguf_writer_add_array(w, "tokenizer.ggml.precompiled_charsmap", GOL_VALUE_U8, map,
                                  sizeof map - (size_t)(k % 3));
        gol_err err = {0};
        gol_tokenizer *tok = NULL;
        gol_model_file *file = vocab_finish(w);
        const int rc = gol_tokenizer_load(&tok, file, &err);
        gol_model_file_close(&file);
        if (rc == 0) {
            gol_ids ids = {0};
            assert_int_equal(gol_tokenizer_encode(tok, &ids,
                                                  GOL_STR("abc \x01\x02\xC3\xA9\xE4\xB8\xAD\xFF"),
                                                  0, &err),
                             0);
            gol_ids_deinit(&ids);
        } else {
            assert_int_equal(rc, GOL_EMODEL);
            assert_non_null(strstr(err.message, "precompiled_charsmap"));
        }
        gol_tokenizer_destroy(&tok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_token_wins_and_words_are_spelled_whole_or_not_at_all),
        cmocka_unit_test(a_vocabulary_with_capitals_keeps_them),
        cmocka_unit_test(the_best_sum_of_scores_wins),
        cmocka_unit_test(sums_of_scores_are_compared_as_floats),
        cmocka_unit_test(unknown_characters_are_spelled_in_bytes_where_there_are_such),
        cmocka_unit_test(broken_character_maps_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
