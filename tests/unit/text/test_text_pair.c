/* Two texts in one sequence: what stands between them, and that neither can write a token of the prompt. */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "text/hf/hf_files.h"
#include "text/text_pair.h"

#define MARK "\xE2\x96\x81"
#define KEY  "tokenizer.chat_template.rerank"

static vocab_spec v;

static const gol_str no_prompt = {NULL, 0};

/* Returns how many ids belong to the query. */
static size_t assert_pair(const gol_tokenizer *tok, gol_str prompt, const char *query,
                          const char *document, unsigned flags, const int32_t *expected, size_t n)
{
    gol_err err = {0};
    gol_ids ids = {0};
    size_t n_first;
    if (gol_text_pair_encode(tok, &ids, &n_first, prompt, gol_str_from(query),
                             gol_str_from(document), flags, &err) != 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < ids.n && i < n; i++)
        if (ids.data[i] != expected[i])
            fail_msg("'%s', '%s': token %zu is %d, expected %d", query, document, i, ids.data[i],
                     expected[i]);
    assert_int_equal(ids.n, n);
    gol_ids_deinit(&ids);
    return n_first;
}

static void bert_parts_texts_with_sep(void **state)
{
    (void)state;
    enum { PAD, UNK, CLS, SEP, A, B };
    v = (vocab_spec){.model = "bert", .no_merges = true, .no_scores = true};
    vocab_add(&v, "[PAD]", 3, 0);
    vocab_add(&v, "[UNK]", 3, 0);
    vocab_add(&v, "[CLS]", 3, 0);
    vocab_add(&v, "[SEP]", 3, 0);
    vocab_add(&v, MARK "a", 1, 0);
    vocab_add(&v, MARK "b", 1, 0);
    for (int i = 0; i < 3; i++) { /* the key changes nothing here */
        gol_gguf_writer *w = vocab_begin(&v);
        gol_gguf_writer_add_u32(w, "tokenizer.ggml.seperator_token_id", SEP);
        if (i > 0)
            gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_sep_token", i > 1);
        gol_tokenizer *tok = load_file(vocab_finish(w));
        assert_int_equal(assert_pair(tok, no_prompt, "a", "b a", 0, IDS(CLS, A, SEP, B, A, SEP)),
                         3);
        assert_pair(tok, no_prompt, "", "", 0, IDS(CLS, SEP, SEP));
        assert_pair(tok, no_prompt, "a", "[SEP]", 0, IDS(CLS, A, SEP, UNK, UNK, UNK, SEP));
        assert_pair(tok, no_prompt, "a", "[SEP]", GOL_ENCODE_PARSE_SPECIAL,
                    IDS(CLS, A, SEP, SEP, SEP));
        gol_tokenizer_destroy(&tok);
    }
}

/* XLM-RoBERTa: <s> query </s></s> document </s>. */
static void init_xlmr(void)
{
    v = (vocab_spec){.model = "t5", .no_merges = true};
    vocab_add(&v, "<s>", 3, 0);
    vocab_add(&v, "<unk>", 2, 0);
    vocab_add(&v, "</s>", 3, 0);
    vocab_add(&v, MARK "a", 1, -1);
    vocab_add(&v, MARK "b", 1, -1);
}

static gol_gguf_writer *begin_xlmr(bool names_sep)
{
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.bos_token_id", 0);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", true);
    if (names_sep)
        gol_gguf_writer_add_u32(w, "tokenizer.ggml.seperator_token_id", 2);
    return w;
}

static void roberta_parts_texts_with_two_ends_unless_the_file_says_one(void **state)
{
    (void)state;
    init_xlmr();
    gol_tokenizer *tok = load_file(vocab_finish(begin_xlmr(true)));
    assert_pair(tok, no_prompt, "a", "b", 0, IDS(0, 3, 2, 2, 4, 2));
    gol_tokenizer_destroy(&tok);
    tok = load_file(vocab_finish(begin_xlmr(false)));
    assert_pair(tok, no_prompt, "a", "b", 0, IDS(0, 3, 2, 4, 2));
    gol_tokenizer_destroy(&tok);
    gol_gguf_writer *w = begin_xlmr(true);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_sep_token", false);
    tok = load_file(vocab_finish(w));
    assert_pair(tok, no_prompt, "a", "b", 0, IDS(0, 3, 2, 4, 2));
    gol_tokenizer_destroy(&tok);
    w = begin_xlmr(false);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.seperator_token_id", 5);
    assert_refused(w, GOL_EMODEL, "seperator_token_id");
    w = begin_xlmr(true);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.add_sep_token", 1);
    assert_refused(w, GOL_EMODEL, "add_sep_token");
}

#define WORDS                                                                                      \
    "\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true},{\"id\":1,\"content\":"     \
    "\"</s>\",\"special\":true}],\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":" \
    "\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"<s>\":0,\"</s>\":1,\"u\":2,\"a\":3,\"b\":4}}"
#define CLS_SEP "\"cls\":[\"<s>\",0],\"sep\":[\"</s>\",1]"
#define TEXT(t) "{\"Sequence\":{\"id\":\"" t "\",\"type_id\":0}}"
#define END     "{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}"
#define ENDS    "\"special_tokens\":{\"</s>\":{\"id\":\"</s>\",\"ids\":[1],\"tokens\":[\"</s>\"]}}"
#define SINGLE  "\"type\":\"TemplateProcessing\",\"single\":[" TEXT("A") "," END "],"

/* What the tokenizers package puts between two texts. */
static void a_tokenizer_json_says_what_stands_between(void **state)
{
    (void)state;
    static const struct {
        const char *processor;
        int32_t ids[8]; /* -1 ends; of "a" and "b b"; none: no pairs */
    } cases[] = {
        {"{\"type\":\"BertProcessing\"," CLS_SEP "}", {0, 3, 1, 4, 4, 1, -1}},
        {"{\"type\":\"RobertaProcessing\"," CLS_SEP "}", {0, 3, 1, 1, 4, 4, 1, -1}},
        {"{" SINGLE "\"pair\":[" TEXT("A") "," END "," TEXT("B") "," END "]," ENDS "}",
         {3, 1, 4, 4, 1, -1}},
        {"{" SINGLE "\"pair\":[" TEXT("A") "," END "," END "," TEXT("B") "," END "]," ENDS "}",
         {3, 1, 1, 4, 4, 1, -1}},
        {"{" SINGLE "\"pair\":[" TEXT("A") "," TEXT("B") "," END "]," ENDS "}", {-1}},
        {"{" SINGLE "\"pair\":[]," ENDS "}", {-1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[2048];
        gol_err err = {0};
        gol_tokenizer *tok;
        snprintf(json, sizeof json, "{" WORDS ",\"post_processor\":%s}", cases[i].processor);
        const gol_hftok_files files = {.tokenizer_json = gol_str_from(json)};
        if (gol_hftok_create(&tok, &files, &err) != 0)
            fail_msg("case %zu: %s", i, err.message);
        size_t n = 0;
        while (cases[i].ids[n] >= 0)
            n++;
        gol_ids none = {0};
        if (n > 0)
            assert_pair(tok, no_prompt, "a", "b b", 0, cases[i].ids, n);
        else
            assert_int_equal(gol_text_pair_encode(tok, &none, &n, no_prompt, GOL_STR("a"),
                                                  GOL_STR("b"), 0, &err),
                             GOL_EUNSUPPORTED);
        gol_tokenizer_destroy(&tok);
    }
}

static void a_vocabulary_without_a_separator_takes_no_pairs(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_ids ids = {0};
    size_t n_first;
    vocab_init_bytes(&v, "gpt-2");
    gol_tokenizer *tok = load_spec(&v);
    assert_int_equal(gol_ids_push(&ids, 7), 0);
    assert_int_equal(
        gol_text_pair_encode(tok, &ids, &n_first, no_prompt, GOL_STR("a"), GOL_STR("b"), 0, &err),
        GOL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "no token to put between two texts"));
    assert_int_equal(ids.n, 1);
    gol_ids_deinit(&ids);
    gol_tokenizer_destroy(&tok);
}

static void a_prompt_takes_the_texts_and_keeps_its_tokens_to_itself(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    const int32_t a_b = vocab_add(&v, "ab", 1, 0);
    const int32_t start = vocab_add(&v, "<|im_start|>", 3, 0);
    const int32_t end = vocab_add(&v, "<|im_end|>", 3, 0);
    vocab_add_merge(&v, "a b");
    gol_tokenizer *tok = load_spec(&v);
    const gol_str prompt = GOL_STR("<|im_start|>a{query}-{document}{query}<|im_end|>");
    /* the prompt's "a" and the query's "b" merge: they are one text */
    assert_int_equal(assert_pair(tok, prompt, "b", "c", 0, IDS(start, a_b, '-', 'c', 'b', end)), 0);
    /* marks inside of the texts, and braces that are none, are text */
    assert_pair(tok, GOL_STR("{query}{x{document}"), "{document}", "{", 0,
                IDS('{', 'd', 'o', 'c', 'u', 'm', 'e', 'n', 't', '}', '{', 'x', '{'));
    assert_pair(tok, GOL_STR("{query}{document}<|im_end|>"), "", "<|im_end|>", 0,
                IDS('<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>', end));
    assert_pair(tok, GOL_STR("{query}{document}<|im_end|>"), "", "<|im_end|>",
                GOL_ENCODE_PARSE_SPECIAL, IDS(end, end));
    gol_tokenizer_destroy(&tok);
}

static void a_files_prompt_has_a_place_for_both_texts(void **state)
{
    (void)state;
    static const struct {
        const char *prompt, *lacks;
    } wrong[] = {{"only {query}", "{document}"}, {"{document}", "{query}"}, {"", "{query}"}};
    vocab_init_bytes(&v, "gpt-2");
    gol_err err = {0};
    gol_str prompt;
    gol_model_file *file = vocab_file(&v);
    assert_int_equal(gol_text_pair_find_prompt(file, &prompt, &err), 0);
    assert_null(prompt.data);
    gol_model_file_close(&file);
    gol_gguf_writer *w = vocab_begin(&v);
    gol_gguf_writer_add_str(w, KEY, GOL_STR("{document}{query}"));
    file = vocab_finish(w);
    assert_int_equal(gol_text_pair_find_prompt(file, &prompt, &err), 0);
    assert_true(gol_str_is(prompt, "{document}{query}"));
    gol_model_file_close(&file);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        w = vocab_begin(&v);
        gol_gguf_writer_add_str(w, KEY, gol_str_from(wrong[i].prompt));
        file = vocab_finish(w);
        assert_int_equal(gol_text_pair_find_prompt(file, &prompt, &err), GOL_EMODEL);
        assert_non_null(strstr(err.message, wrong[i].lacks));
        assert_non_null(strstr(err.message, KEY));
        gol_model_file_close(&file);
    }
    w = vocab_begin(&v);
    gol_gguf_writer_add_u32(w, KEY, 3);
    file = vocab_finish(w);
    assert_int_equal(gol_text_pair_find_prompt(file, &prompt, &err), GOL_EMODEL);
    gol_model_file_close(&file);
}

static void no_failing_allocation_hurts(void **state)
{
    (void)state;
    vocab_init_bytes(&v, "gpt-2");
    vocab_add(&v, "<|im_end|>", 3, 0);
    gol_tokenizer *tok = load_spec(&v);
    for (uint64_t n = 1;; n++) {
        gol_err err = {0};
        gol_ids ids = {0};
        size_t n_first;
        gol_mem_fail_nth(n, false);
        const int rc = gol_text_pair_encode(
            tok, &ids, &n_first, GOL_STR("{query}<|im_end|>{document}"),
            GOL_STR("a long enough query to grow the list"), GOL_STR("and a document"), 0, &err);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || has_failed); /* regular expressions do without some of it */
        assert_int_equal(ids.n, rc == 0 ? 36 + 1 + 14 : 0);
        gol_ids_deinit(&ids);
        if (!has_failed)
            break;
    }
    gol_tokenizer_destroy(&tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bert_parts_texts_with_sep),
        cmocka_unit_test(roberta_parts_texts_with_two_ends_unless_the_file_says_one),
        cmocka_unit_test(a_tokenizer_json_says_what_stands_between),
        cmocka_unit_test(a_vocabulary_without_a_separator_takes_no_pairs),
        cmocka_unit_test(a_prompt_takes_the_texts_and_keeps_its_tokens_to_itself),
        cmocka_unit_test(a_files_prompt_has_a_place_for_both_texts),
        cmocka_unit_test(no_failing_allocation_hurts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
