/* Files of Hugging Face folders: older forms, what stands beside tokenizer.json, errors, GGUF keys, memory and time. */
#include "unit/text/text_test.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/hf/hf_files.h"

#define BPE                                                                                        \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\xC4\xA0\":3,\"\xC4\xA0"    \
    "a\":4,\"<s>\":5,\"</s>\":6},\"merges\":[\"a b\",[\"\xC4\xA0\",\"a\"]]}"
#define BYTES          "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define SPECIAL(t, id) "{\"id\":" #id ",\"content\":\"" t "\",\"special\":true}"
#define ADDED          "\"added_tokens\":[" SPECIAL("<s>", 5) "," SPECIAL("</s>", 6) "]"
#define AROUND                                                                                     \
    "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"<s>\",5],\"sep\":[\"</s>\",6]}"
#define DECODER "\"decoder\":{\"type\":\"ByteLevel\"}"
#define MIXED                                                                                      \
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\"},{"      \
    "\"type\":"                                                                                    \
    "\"Replace\",\"pattern\":{\"Regex\":\"x+\"},\"content\":\"y\"},{\"type\":\"Strip\"},{"         \
    "\"type\":"                                                                                    \
    "\"Prepend\",\"prepend\":\"_\"}]},\"pre_tokenizer\":{\"type\":\"Sequence\","                   \
    "\"pretokenizers\":[{"                                                                         \
    "\"type\":\"Metaspace\"},{\"type\":\"Digits\"},{\"type\":\"Punctuation\"}]},\"model\":{"       \
    "\"type\":"                                                                                    \
    "\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"aa\",-1.5]]}}"
#define WORDS                                                                                      \
    "{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"a\":1,\"##b\":2}" \
    "}}"
#define CUT(regex)                                                                                 \
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":" \
    "{"                                                                                            \
    "\"Regex\":\"" regex                                                                           \
    "\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","                     \
    "\"use_regex\":false}]}"
#define WITH_NUL                                                                                   \
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"\\u0000\":1,\"\\u0000a\\\\\" "              \
    ":2,\"\\\\u0000\":3,\""                                                                        \
    "\\uFDD0\":4,\"\xEF\xB7\x91\":5,\"\\\\\":6,\"\\u0000a\":7},\"merges\":[\"\\u0000 "             \
    "a\",\"\\u0000a "                                                                              \
    "\\\\\"]}}"
#define WHOLE "{" BPE "," BYTES "," ADDED "," AROUND "," DECODER "}"

static gol_tokenizer *create(const gol_hftok_files *files)
{
    gol_err err;
    gol_tokenizer *tok;
    if (gol_hftok_create(&tok, files, &err) != 0)
        fail_msg("%s", err.message);
    return tok;
}

static void a_tokenizer_json_is_read(void **state)
{
    (void)state;
    const gol_hftok_files files = {.tokenizer_json = GOL_STR(WHOLE)};
    gol_tokenizer *tok = create(&files);
    assert_encodes(tok, "ab a ab", 0, 2, 4, 3, 2);
    assert_encodes(tok, "ab", GOL_ENCODE_ADD_SPECIAL, 5, 2, 6);
    assert_encodes(tok, "b<s>a", GOL_ENCODE_PARSE_SPECIAL, 1, 5, 0);
    assert_encodes(tok, "b<s>a", 0, 1, 0); /* what the vocabulary cannot say is left out */
    assert_decodes(tok, IDS(5, 2, 4, 1, 6), true, "ab ab");
    assert_int_equal(gol_tokenizer_eos(tok), -1);
    gol_tokenizer_destroy(&tok);
}

static void the_files_beside_it_name_the_ends(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR("{" BPE "," BYTES "," ADDED "," DECODER "}"),
        .tokenizer_config_json = GOL_STR(
            "{\"bos_token\":{\"content\":\"<s>\"},\"add_bos_token\":true,"
            "\"chat_template\":\"{{ 1 }}\"}"),
        .special_tokens_map_json = GOL_STR("{\"eos_token\":\"</s>\"}"),
    };
    gol_tokenizer *tok = create(&files);
    assert_int_equal(gol_tokenizer_bos(tok), 5);
    assert_int_equal(gol_tokenizer_eos(tok), 6);
    assert_true(gol_tokenizer_adds_bos(tok));
    assert_true(gol_tokenizer_is_eog(tok, 6));
    assert_encodes(tok, "ab", GOL_ENCODE_ADD_SPECIAL, 5, 2);
    gol_tokenizer_destroy(&tok);
}

static void older_files_give_the_same(void **state)
{
    (void)state;
    const gol_hftok_files bpe = {
        .vocab_json = GOL_STR("{\"a\":0,\"b\":1,\"ab\":2,\"\xC4\xA0\":3,\"\xC4\xA0"
                              "a\":4}"),
        .merges_txt = GOL_STR("#version: 0.2\na b\n\xC4\xA0 a\r\n"),
        .added_tokens_json = GOL_STR("{\"<s>\":5}"),
    };
    gol_tokenizer *tok = create(&bpe);
    assert_encodes(tok, "ab a<s>", GOL_ENCODE_PARSE_SPECIAL, 2, 4, 5);
    assert_decodes(tok, IDS(2, 4, 1), true, "ab ab");
    gol_tokenizer_destroy(&tok);

    const gol_hftok_files bert = {
        .vocab_txt = GOL_STR("[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##able\n.\n")};
    tok = create(&bert);
    assert_encodes(tok, "Unable. x", GOL_ENCODE_ADD_SPECIAL, 2, 4, 5, 6, 1, 3);
    assert_decodes(tok, IDS(4, 5, 6, 4), true, "unable. un");
    gol_tokenizer_destroy(&tok);

    gol_err err;
    const gol_hftok_files none = {.vocab_json = GOL_STR("{}")};
    assert_int_equal(gol_hftok_create(&tok, &none, &err), GOL_EMODEL);
    const gol_hftok_files unknown = {
        .vocab_txt = GOL_STR("a\n"),
        .tokenizer_config_json = GOL_STR("{\"tokenizer_class\":\"OddTokenizer\"}")};
    assert_int_equal(gol_hftok_create(&tok, &unknown, &err), GOL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "OddTokenizer"));
}

static void errors_name_file_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *words;
        int code;
    } cases[] = {
        {"{", "tokenizer.json: line 1", GOL_EMODEL},
        {"[]", "tokenizer.json: model.vocab: missing", GOL_EMODEL},
        {"{\"model\":{}}", "tokenizer.json: model.vocab: missing", GOL_EMODEL},
        {"{\"model\":{\"vocab\":{\"a\":-1}}}", "tokenizer.json: model.vocab.a: id -1", GOL_EMODEL},
        {"{\"model\":{\"vocab\":{\"a\":9000000}}}", "highest id is 9000000", GOL_EMODEL},
        {"{\"model\":{\"vocab\":{\"a\":0,\"b\":0}}}", "model.vocab.b: id 0 is that of 'a'",
         GOL_EMODEL},
        {"{\"model\":{\"type\":\"Odd\",\"vocab\":{\"a\":0}}}",
         "tokenizer.json: model: type 'Odd', accepted are BPE", GOL_EUNSUPPORTED},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}",
         "model.merges[0]: the whole is no token", GOL_EMODEL},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{"
         "\"type\":\"NFC\"},{\"type\":\"Odd\"}]}}",
         "tokenizer.json: normalizer.normalizers[1]: type 'Odd'", GOL_EUNSUPPORTED},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{"
         "\"Regex\":\"(\"},\"behavior\":\"Isolated\"}}",
         "tokenizer.json: pre_tokenizer: regular expression '('", GOL_EMODEL},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{"
         "\"Regex\":\"[a&&[b]\"},\"behavior\":\"Isolated\"}}",
         "tokenizer.json: pre_tokenizer.pattern: expression '[a&&[b]': a class without its end",
         GOL_EUNSUPPORTED},
        {"{\"model\":{\"vocab\":{\"a\":0}},\"normalizer\":{\"type\":\"Precompiled\","
         "\"precompiled_charsmap\":\"AAAA\"}}",
         "normalizer.precompiled_charsmap: the map: a trie", GOL_EMODEL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gol_err err = {0};
        gol_tokenizer *tok = NULL;
        const gol_hftok_files files = {.tokenizer_json = gol_str_from(cases[i].json)};
        assert_int_equal(gol_hftok_create(&tok, &files, &err), cases[i].code);
        assert_null(tok);
        if (!strstr(err.message, cases[i].words))
            fail_msg("message '%s' lacks '%s'", err.message, cases[i].words);
    }
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    for (int depth = 63; depth <= 64; depth++) {
        gol_buf json;
        gol_buf_init(&json, 1 << 16);
        gol_buf_puts(&json, "{\"model\":{\"vocab\":{\"a\":0}},\"x\":");
        for (int i = 0; i < depth; i++)
            gol_buf_putc(&json, '[');
        for (int i = 0; i < depth; i++)
            gol_buf_putc(&json, ']');
        gol_buf_putc(&json, '}');
        gol_err err = {0};
        gol_tokenizer *tok = NULL;
        const gol_hftok_files files = {.tokenizer_json = gol_buf_view(&json)};
        assert_int_equal(gol_hftok_create(&tok, &files, &err), depth == 63 ? 0 : GOL_EMODEL);
        if (depth == 64)
            assert_non_null(strstr(err.message, "nested deeper than 64"));
        gol_tokenizer_destroy(&tok);
        gol_buf_deinit(&json);
    }
}

static void more_values_than_a_vocabulary_has_are_refused_before_they_take_memory(void **state)
{
    (void)state;
    const size_t n_values = 8 << 20;
    gol_buf json;
    gol_buf_init(&json, 2 * n_values + 64);
    gol_buf_puts(&json, "{\"x\":[");
    for (size_t i = 0; i < n_values; i++)
        gol_buf_puts(&json, "0,");
    gol_buf_puts(&json, "0]}");
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    const gol_hftok_files files = {.tokenizer_json = gol_buf_view(&json)};
    assert_int_equal(gol_hftok_create(&tok, &files, &err), GOL_EMODEL);
    assert_string_equal(err.message, "tokenizer.json: the JSON has more than 8388608 values");
    gol_buf_deinit(&json);
}

static void a_message_names_the_older_files(void **state)
{
    (void)state;
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    const gol_hftok_files files = {
        .vocab_json = GOL_STR("{\"a\":\"no id\"}"),
        .merges_txt = GOL_STR("a b\n"),
    };
    assert_int_equal(gol_hftok_create(&tok, &files, &err), GOL_EMODEL);
    if (strncmp(err.message, "vocab.json and merges.txt, as tokenizer.json: model", 51) != 0)
        fail_msg("message '%s'", err.message);
}

static void a_model_file_may_stand_for_a_folder(void **state)
{
    (void)state;
    gol_err err;
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_str(w, "gollum.hf.tokenizer_json", GOL_STR(WHOLE));
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_encodes(tok, "ab a ab", 0, 2, 4, 3, 2);
    gol_tokenizer_destroy(&tok);

    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    gol_gguf_writer_add_str(w, "gollum.hf.tokenizer_json", GOL_STR("{"));
    assert_refused(w, GOL_EMODEL, "tokenizer.json: line 1");
}

static void gguf_keys_give_the_same_ids(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR(WHOLE),
        .special_tokens_map_json = GOL_STR("{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}"),
    };
    gol_err err = {0};
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    if (gol_hftok_write(&files, 0, w, &err) != 0)
        fail_msg("%s", err.message);
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_string_equal(gol_tokenizer_kind(tok), "gpt2");
    assert_string_equal(gol_tokenizer_pre(tok), "gpt-2");
    assert_encodes(tok, "ab a<s>", GOL_ENCODE_ADD_SPECIAL | GOL_ENCODE_PARSE_SPECIAL, 5, 2, 4, 5,
                   6);
    gol_tokenizer_destroy(&tok);

    const gol_hftok_files odd = {
        .tokenizer_json = GOL_STR("{" BPE
                                  ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{"
                                  "\"type\":\"WhitespaceSplit\"},"
                                  "{\"type\":\"ByteLevel\","
                                  "\"add_prefix_space\":false}]}}")};
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    assert_int_equal(gol_hftok_write(&odd, 0, w, &err), GOL_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "tokenizer.json: pre_tokenizer: no value of"));
    gol_gguf_writer_destroy(&w);
}

/* jansson's memory is its own; of ours every allocation fails once. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const jsons[] = {WHOLE, MIXED, WORDS, WITH_NUL};
    for (size_t i = 0; i < sizeof jsons / sizeof jsons[0]; i++) {
        const gol_hftok_files files = {.tokenizer_json = gol_str_from(jsons[i])};
        uint64_t n_failed = 1;
        for (uint64_t nth = 1; n_failed > 0; nth++) {
            gol_err err = {0};
            gol_tokenizer *tok = NULL;
            gol_ids ids = {0};
            gol_mem_fail_nth(nth, false);
            int rc = gol_hftok_create(&tok, &files, &err);
            if (rc == 0)
                rc = gol_tokenizer_encode(tok, &ids, GOL_STR("a1 <s>ab xx, \xC3\xA9"),
                                          GOL_ENCODE_PARSE_SPECIAL, &err);
            n_failed = gol_mem_n_failed();
            gol_mem_fail_nth(0, false);
            assert_true(rc == 0 || rc == GOL_ENOMEM);
            assert_int_equal(err.code, rc);
            gol_ids_deinit(&ids);
            gol_tokenizer_destroy(&tok);
        }
    }
}

#if defined(GOL_SANITIZED) || defined(GOL_DEBUG)
enum { TEXT_LEN = 1 << 17, SECONDS_MAX = 40 };
#else
enum { TEXT_LEN = 1 << 20, SECONDS_MAX = 2 };
#endif

static void a_vocabulary_may_have_the_character_nul(void **state)
{
    (void)state;
    const gol_hftok_files files = {.tokenizer_json = GOL_STR(WITH_NUL)};
    gol_tokenizer *tok = create(&files);
    assert_int_equal(gol_tokenizer_find(tok, (gol_str){"\0", 1}), 1);
    assert_int_equal(gol_tokenizer_find(tok, (gol_str){"\0a\\", 3}), 2);
    assert_int_equal(gol_tokenizer_find(tok, GOL_STR("\\u0000")), 3);
    assert_int_equal(gol_tokenizer_find(tok, GOL_STR("\xEF\xB7\x90")), 4);
    assert_int_equal(gol_tokenizer_find(tok, GOL_STR("\xEF\xB7\x91")), 5);
    assert_int_equal(gol_tokenizer_find(tok, GOL_STR("\xEF\xB7\x92")), -1);
    gol_err err;
    gol_ids ids = {0};
    const gol_str text = {"a\0\0a\0a\\", 7};
    assert_int_equal(gol_tokenizer_encode(tok, &ids, text, 0, &err), 0);
    assert_int_equal(ids.n, 4);
    const int32_t expected[] = {0, 1, 7, 2};
    assert_memory_equal(ids.data, expected, sizeof expected);
    gol_ids_deinit(&ids);
    gol_tokenizer_destroy(&tok);

    gol_buf json; /* all that could stand in for NUL is there */
    gol_buf_init(&json, 4096);
    gol_buf_puts(&json, "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"\\u0000\":0");
    for (int i = 0; i < 32; i++)
        gol_buf_printf(&json, ",\"\xEF\xB7%c\":%d", 0x90 + i, i + 1);
    gol_buf_puts(&json, "}}}");
    const gol_hftok_files full = {.tokenizer_json = gol_buf_view(&json)};
    assert_int_equal(gol_hftok_create(&tok, &full, &err), GOL_EMODEL);
    assert_non_null(strstr(err.message, "NUL byte in object key"));
    gol_buf_deinit(&json);
}

/* Processor time of one encoding; quadratic work on a run of equal characters would miss the limit by far. */
static void an_end_of_word_is_a_space_only_before_another_word(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR("{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\","
                                  "\"vocab\":{\"a\":0,\"b</w>\":1},\"merges\":[]},"
                                  "\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},"
                                  "\"decoder\":{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}}")};
    gol_tokenizer *tok = create(&files);
    assert_encodes(tok, "ab b", 0, 0, 1, 1);
    assert_decodes(tok, IDS(0, 1, 1), true, "ab b");
    assert_decodes(tok, IDS(1), true, "b");
    assert_decodes(tok, IDS(1, 0), true, "b a");
    gol_tokenizer_destroy(&tok);
}

static void a_word_may_begin_with_the_mark_itself(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR(
            "{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"vocab\":{"
            "\"u\":0,\"a\":1,\"##a\":2,\"##b\":3,\"##\":4}},"
            "\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"}}")};
    gol_tokenizer *tok = create(&files);
    assert_encodes(tok, "ab ##ab ## b", 0, 1, 3, 2, 3, 4, 0);
    gol_tokenizer_destroy(&tok);
}

static void repeats_are_one_where_the_decoder_is_ctc(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR("{\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"<pad>\","
                                  "\"vocab\":{\"<pad>\":0,\"|\":1,\"l\":2,\"o\":3,\" .\":4}},"
                                  "\"decoder\":{\"type\":\"CTC\",\"pad_token\":\"<pad>\","
                                  "\"word_delimiter_token\":\"|\",\"cleanup\":true}}")};
    gol_tokenizer *tok = create(&files);
    assert_decodes(tok, IDS(3, 3, 1, 1, 2, 2, 0, 2, 3, 4), false, "o l<pad>lo.");
    gol_tokenizer_destroy(&tok);
}

static void a_unicode_form_goes_into_gguf_and_back(void **state)
{
    (void)state;
    const gol_hftok_files files = {
        .tokenizer_json = GOL_STR(
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\u00C3\":0,\"\u00A9\":1,"
            "\"\u00C3\u00A9\":2,\"e\":3},\"merges\":[\"\u00C3 \u00A9\"]},"
            "\"normalizer\":{\"type\":\"NFC\"}," BYTES "}")};
    gol_err err = {0};
    gol_gguf_writer *w;
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    if (gol_hftok_write(&files, 0, w, &err) != 0)
        fail_msg("%s", err.message);
    gol_tokenizer *tok = load_file(vocab_finish(w));
    assert_encodes(tok, "e\xCC\x81", 0, 2);
    assert_encodes(tok, "\xC3\xA9\xC3", 0, 2, 0); /* what is no UTF-8 stays */
    gol_tokenizer_destroy(&tok);

    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    if (gol_hftok_write(&files, 0, w, &err) != 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_add_str(w, "gollum.tokenizer.normaliser", GOL_STR("ignored"));
    tok = load_file(vocab_finish(w));
    gol_tokenizer_destroy(&tok);
}

static void runs_of_one_character_take_no_quadratic_time(void **state)
{
    (void)state;
    static const char *const runs[] = {"a",
                                       " ",
                                       "1",
                                       "\n",
                                       "\xCC\x81",
                                       "\xCC\xA7\xCC\x81",
                                       "\xE2\x96\x81",
                                       "\xEA\xB0\x80",
                                       "'s",
                                       ",",
                                       "\xF0\x9F\x91\xA9\xE2\x80\x8D"};
    static const char *const jsons[] = {
        WHOLE,
        "{\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":{"
        "\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"aaaa\",-1.5]]}}",
        "{\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":"
        "\"BertPreTokenizer\"},"
        "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"a\":1,\"##b\":"
        "2}}}",
        "{" BPE "," CUT("\\\\s+$") "}",
        "{" BPE "," CUT("\\\\d{1,3}(?=(?:\\\\d{3})*\\\\b)") "}",
        "{" BPE
        "," CUT("(?:\\\\p{L}\\\\p{M}*(?: \\\\p{L}\\\\p{M}*)*)+|[\\\\p{L}&&[^\\\\p{Han}]]+") "}",
        "{" BPE ",\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}}",
        "{" BPE ",\"pre_tokenizer\":{\"type\":\"FixedLength\",\"length\":7}}",
    };
    char *text = malloc(TEXT_LEN);
    for (size_t i = 0; i < sizeof jsons / sizeof jsons[0]; i++) {
        const gol_hftok_files files = {.tokenizer_json = gol_str_from(jsons[i])};
        gol_tokenizer *tok = create(&files);
        for (size_t k = 0; k < sizeof runs / sizeof runs[0]; k++) {
            const size_t n = strlen(runs[k]);
            for (size_t at = 0; at < TEXT_LEN; at++)
                text[at] = runs[k][at % n];
            gol_err err;
            gol_ids ids = {0};
            struct timespec start, end;
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
            assert_int_equal(
                gol_tokenizer_encode(tok, &ids, (gol_str){text, TEXT_LEN / n * n}, 0, &err), 0);
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
            assert_true(end.tv_sec - start.tv_sec < SECONDS_MAX);
            gol_ids_deinit(&ids);
        }
        gol_tokenizer_destroy(&tok);
    }
    free(text);
}

/* A search of the list for each of them would take ten minutes. */
static void added_tokens_may_be_many(void **state)
{
    (void)state;
    enum { N = 200000, BYTES_EACH = 32 };
    gol_buf text;
    gol_buf_init(&text, (size_t)N * BYTES_EACH);
    gol_buf_puts(&text, "{\"<s>\":5");
    for (int i = 0; i < N; i++)
        gol_buf_printf(&text, ",\"<t%d>\":%d", i, 6 + i);
    gol_buf_putc(&text, '}');
    assert_false(text.failed);
    const gol_hftok_files files = {
        .vocab_json = GOL_STR("{\"a\":0,\"b\":1,\"ab\":2,\"\xC4\xA0\":3,\"\xC4\xA0"
                              "a\":4}"),
        .merges_txt = GOL_STR("a b\n"),
        .added_tokens_json = gol_buf_view(&text),
        .tokenizer_config_json = GOL_STR(
            "{\"added_tokens_decoder\":{\"7\":{\"content\":\"<t1>\",\"special\":true}}}"),
    };
    gol_tokenizer *tok = create(&files);
    assert_encodes(tok, "ab<t1><t199999>", GOL_ENCODE_PARSE_SPECIAL, 2, 7, 200005);
    gol_tokenizer_destroy(&tok);
    gol_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tokenizer_json_is_read),
        cmocka_unit_test(the_files_beside_it_name_the_ends),
        cmocka_unit_test(older_files_give_the_same),
        cmocka_unit_test(added_tokens_may_be_many),
        cmocka_unit_test(errors_name_file_and_path),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(more_values_than_a_vocabulary_has_are_refused_before_they_take_memory),
        cmocka_unit_test(a_message_names_the_older_files),
        cmocka_unit_test(a_model_file_may_stand_for_a_folder),
        cmocka_unit_test(gguf_keys_give_the_same_ids),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(an_end_of_word_is_a_space_only_before_another_word),
        cmocka_unit_test(a_word_may_begin_with_the_mark_itself),
        cmocka_unit_test(repeats_are_one_where_the_decoder_is_ctc),
        cmocka_unit_test(a_unicode_form_goes_into_gguf_and_back),
        cmocka_unit_test(a_vocabulary_may_have_the_character_nul),
        cmocka_unit_test(runs_of_one_character_take_no_quadratic_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
