/* Ids to text: as a stream and at once, valid UTF-8 at every moment, and the space that encode added. */
#include "unit/text/text_test.h"

#include "base/rng.h"
#include "text/utf8.h"

static vocab_spec v;

static void stream(gol_buf *out, const gol_tokenizer *tok, const int32_t *ids, size_t n,
                   bool skip_special)
{
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, skip_special, true);
    for (size_t i = 0; i < n; i++) {
        gol_detokenizer_push(&d, ids[i], out);
        assert_true(gol_utf8_is_valid(gol_buf_view(out)));
    }
    gol_detokenizer_flush(&d, out);
    assert_true(gol_utf8_is_valid(gol_buf_view(out)));
}

static void deltas_add_up_to_the_whole_text(void **state)
{
    (void)state;
    gol_rng rng = {21, 0};
    for (int kind = 0; kind < 2; kind++) {
        if (kind == 0)
            vocab_init_bytes(&v, "gpt-2");
        else
            vocab_init_spm(&v);
        vocab_add(&v,
                  "\xE2\x96\x81"
                  "a",
                  1, 0);
        vocab_add(&v, "<c>", 3, 0);
        gol_tokenizer *tok = load_spec(&v);
        for (int round = 0; round < 5000; round++) {
            int32_t ids[24];
            const size_t n = gol_rng_below(&rng, 25);
            for (size_t i = 0; i < n; i++) /* bytes of multi-byte sequences more often than not */
                ids[i] = (int32_t)(gol_rng_below(&rng, 3) == 0 ? gol_rng_below(&rng, v.n)
                                                               : 0x80 + gol_rng_below(&rng, 0x78));
            gol_err err;
            gol_buf whole, deltas;
            gol_buf_init(&whole, 4096);
            gol_buf_init(&deltas, 4096);
            assert_int_equal(gol_tokenizer_decode(tok, &whole, ids, n, round & 1, &err), 0);
            stream(&deltas, tok, ids, n, round & 1);
            assert_true(gol_str_eq(gol_buf_view(&whole), gol_buf_view(&deltas)));
            gol_buf_deinit(&whole);
            gol_buf_deinit(&deltas);
        }
        gol_tokenizer_destroy(&tok);
    }
}

static void every_character_survives_byte_tokens(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    gol_buf out;
    gol_buf_init(&out, 64);
    for (uint32_t cp = 1; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 37) {
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        char bytes[4];
        int32_t ids[4];
        const int n = gol_utf8_encode(bytes, cp);
        for (int i = 0; i < n; i++)
            ids[i] = (uint8_t)bytes[i];
        gol_buf_clear(&out);
        stream(&out, tok, ids, (size_t)n, false);
        assert_true(gol_str_eq(gol_buf_view(&out), (gol_str){bytes, (size_t)n}));
    }
    gol_buf_deinit(&out);
    gol_tokenizer_destroy(&tok);
}

static void an_unfinished_character_waits_for_the_next_token(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    gol_detokenizer d;
    gol_buf out;
    gol_buf_init(&out, 64);
    gol_detokenizer_init(&d, tok, false, false);
    gol_detokenizer_push(&d, 'a', &out);
    gol_detokenizer_push(&d, 0xF0, &out);
    gol_detokenizer_push(&d, 0x9F, &out);
    gol_detokenizer_push(&d, 0x98, &out);
    assert_int_equal(out.len, 1);
    gol_detokenizer_push(&d, 0x80, &out);
    assert_string_equal(out.data, "a\xF0\x9F\x98\x80");
    gol_detokenizer_push(&d, 0xE2, &out);
    gol_detokenizer_flush(&d, &out);
    assert_string_equal(out.data, "a\xF0\x9F\x98\x80\xEF\xBF\xBD");
    gol_detokenizer_flush(&d, &out);
    assert_int_equal(out.len, 8);
    gol_buf_deinit(&out);
    gol_tokenizer_destroy(&tok);
}

static void the_added_space_is_dropped_at_the_start_only(void **state)
{
    (void)state;
    vocab_init_spm(&v);
    const int32_t mark = vocab_add(&v, "\xE2\x96\x81", 1, -2);
    const int32_t hi = vocab_add(&v, "\xE2\x96\x81hi", 1, -1);
    const int32_t spaces = vocab_add(&v, "  ", 4, 0);
    gol_tokenizer *tok = load_spec(&v);
    assert_decodes(tok, IDS(spaces, hi), false, "  hi"); /* its own spaces are kept */
    assert_decodes(tok, IDS(hi, hi), false, "hi hi");
    assert_decodes(tok, IDS(mark, hi), false, " hi");
    assert_decodes(tok, IDS(1, hi, 2), true, "hi");
    assert_decodes(tok, IDS(1, hi, 2), false, "<s>hi</s>");
    assert_decodes(tok, IDS(0, hi), true, "hi"); /* unknown tokens are no text either */
    gol_detokenizer d;
    gol_buf out;
    gol_buf_init(&out, 64);
    gol_detokenizer_init(&d, tok, true, false); /* going on after a prompt */
    gol_detokenizer_push(&d, hi, &out);
    assert_string_equal(out.data, " hi");
    gol_buf_deinit(&out);
    gol_tokenizer_destroy(&tok);
}

static void byte_level_tokens_keep_their_space(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t hi = vocab_add(&v, "\xC4\xA0hi", 1, 0);
    const int32_t odd = vocab_add(&v, "\xE2\x82\xAC", 1, 0); /* € stands for no byte */
    gol_tokenizer *tok = load_spec(&v);
    assert_decodes(tok, IDS(hi, odd), false, " hi\xE2\x82\xAC");
    gol_tokenizer_destroy(&tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_add_up_to_the_whole_text),
        cmocka_unit_test(every_character_survives_byte_tokens),
        cmocka_unit_test(an_unfinished_character_waits_for_the_next_token),
        cmocka_unit_test(the_added_space_is_dropped_at_the_start_only),
        cmocka_unit_test(byte_level_tokens_keep_their_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
