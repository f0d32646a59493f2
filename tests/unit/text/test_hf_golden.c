/*
 * Tokenizers of every kind against what the packages that define them answer (tests/golden/make/make_tokenizers.py): the ids of
 * each text, and that mutated files are refused with a message or give a tokenizer that works.
 */
#include "unit/text/text_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/hf/hf_files.h"
#include "text/utf8.h"

static const char *const names[] = {
    "gpt2",
    "roberta",
    "llama3",
    "qwen2",
    "falcon",
    "starcoder",
    "deepseek",
    "gpt4o",
    "llama2",
    "metaspace_always",
    "suffix_bpe",
    "metaspace_first",
    "metaspace_never",
    "prefix_bpe",
    "bert_uncased",
    "bert_cased",
    "wp_nfkd",
    "wp_nfd_split",
    "wp_nfkc_next",
    "wp_contig",
    "wordlevel",
    "t5",
    "unigram_plain",
    "unigram_bytes",
    "norm_bytelevel",
    "regex_odd",
    "regex_classes",
    "clip",
    "wp_scripts",
    "wp_fixed",
    "byte_metaspace",
    "ctc",
};

enum { N_NAMES = sizeof names / sizeof names[0], N_TEXTS = 180, TEXT_MAX = 1 << 16 };

static gol_str texts[N_TEXTS];

static gol_str read_data(const char *name, const char *suffix)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/tokenizers/%s%s", TEST_DATA_DIR, name, suffix);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: cannot be opened", path);
    gol_buf all;
    gol_buf_init(&all, 1 << 24);
    char piece[4096];
    for (size_t n = fread(piece, 1, sizeof piece, f); n > 0; n = fread(piece, 1, sizeof piece, f))
        gol_buf_put(&all, piece, n);
    fclose(f);
    return gol_buf_view(&all); /* NUL-terminated; the caller's */
}

static int load_texts(void **state)
{
    (void)state;
    const gol_str hex = read_data("texts", ".hex");
    const char *line = hex.data;
    for (int i = 0; i < N_TEXTS; i++) {
        char *text = malloc(TEXT_MAX);
        size_t n = 0;
        unsigned byte;
        for (; sscanf(line, "%2x", &byte) == 1 && *line != '\n'; line += 2)
            text[n++] = (char)byte;
        line++;
        texts[i] = (gol_str){text, n};
    }
    gol_free((void *)hex.data);
    return 0;
}

static int free_texts(void **state)
{
    (void)state;
    for (int i = 0; i < N_TEXTS; i++)
        free((void *)texts[i].data);
    return 0;
}

static void check_ids(const gol_tokenizer *tok, const char *name, unsigned flags)
{
    const gol_str expected = read_data(name, ".ids");
    const char *line = expected.data;
    for (int i = 0; i < N_TEXTS; i++) {
        gol_err err;
        gol_ids ids = {0};
        if (gol_tokenizer_encode(tok, &ids, texts[i], flags, &err) != 0)
            fail_msg("%s: text %d: %s", name, i, err.message);
        size_t n = 0;
        for (; *line != '\n'; n++) {
            char *end;
            const long id = strtol(line, &end, 10);
            if (n >= ids.n || ids.data[n] != id)
                fail_msg("%s: text %d: token %zu is %d, expected %ld", name, i, n,
                         n < ids.n ? ids.data[n] : -1, id);
            line = *end == ' ' ? end + 1 : end;
        }
        if (n != ids.n)
            fail_msg("%s: text %d: %zu tokens, expected %zu", name, i, ids.n, n);
        line++;
        gol_ids_deinit(&ids);
    }
    gol_free((void *)expected.data);
}

static gol_tokenizer *create(const gol_hftok_files *files)
{
    gol_err err;
    gol_tokenizer *tok;
    if (gol_hftok_create(&tok, files, &err) != 0)
        fail_msg("%s", err.message);
    return tok;
}

static void every_tokenizer_json_gives_the_ids_of_its_own_package(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        const gol_hftok_files files = {.tokenizer_json = read_data(names[i], ".json")};
        gol_tokenizer *tok = create(&files);
        check_ids(tok, names[i], GOL_ENCODE_ADD_SPECIAL | GOL_ENCODE_PARSE_SPECIAL);
        gol_tokenizer_destroy(&tok);
        gol_free((void *)files.tokenizer_json.data);
    }
}

static void every_tokenizer_model_gives_the_ids_of_sentencepiece(void **state)
{
    (void)state;
    static const char *const models[] = {"spm_unigram", "spm_unigram_bytes", "spm_bpe",
                                         "spm_bpe_plain"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        const gol_hftok_files files = {.tokenizer_model = read_data(models[i], ".model")};
        gol_tokenizer *tok = create(&files);
        check_ids(tok, models[i], 0);
        gol_tokenizer_destroy(&tok);
        gol_free((void *)files.tokenizer_model.data);
    }
}

/* Whatever came out of a mutated file: ids lie in the vocabulary and decode to valid text. */
static void use(const gol_tokenizer *tok, gol_str text)
{
    gol_err err = {0};
    gol_ids ids = {0};
    gol_buf out;
    gol_buf_init(&out, 1 << 24);
    const int rc = gol_tokenizer_encode(tok, &ids, text, GOL_ENCODE_ADD_SPECIAL, &err);
    if (rc == 0) {
        for (size_t i = 0; i < ids.n; i++)
            assert_in_range(ids.data[i], 0, gol_tokenizer_n_vocab(tok) - 1);
        assert_int_equal(gol_tokenizer_decode(tok, &out, ids.data, ids.n, false, &err), 0);
        assert_true(gol_utf8_is_valid(gol_buf_view(&out)));
    } else {
        assert_int_equal(err.code, rc);
        assert_int_equal(ids.n, 0);
    }
    gol_buf_deinit(&out);
    gol_ids_deinit(&ids);
}

/* One of: a bit, a border value, a stretch cut out, doubled, or swapped with one from elsewhere. */
static size_t mutate(char *data, size_t n, gol_rng *rng)
{
    static const char *const words[] = {
        "null", "true", "-1",   "1e99", "[]",      "{}",           "\"\"",         "0",        "\"",
        "]",    "}",    "[[[[", ",",    "\\u0000", "999999999999", "\"Sequence\"", "\"Regex\""};
    const size_t at = gol_rng_below(rng, (uint32_t)n);
    const size_t left = n - at;
    size_t len = gol_rng_below(rng, 40);
    len = len < left ? len : left;
    switch (gol_rng_below(rng, 5)) {
    case 0:
        data[at] = (char)(data[at] ^ 1 << gol_rng_below(rng, 8));
        return n;
    case 1: {
        const char *word = words[gol_rng_below(rng, sizeof words / sizeof words[0])];
        const size_t n_word = strlen(word) < left ? strlen(word) : left;
        memcpy(data + at, word, n_word);
        return n;
    }
    case 2:
        memmove(data + at, data + at + len, left - len);
        return n - len;
    case 3: {
        const size_t from = gol_rng_below(rng, (uint32_t)(n - len + 1));
        memmove(data + at, data + from, len);
        return n;
    }
    default: /* a number or letter in the steps, which stand before the vocabulary */
        data[at % 700 < n ? at % 700 : at] = (char)(' ' + gol_rng_below(rng, 95));
        return n;
    }
}

static void mutated_files_are_refused_or_work(void **state)
{
    (void)state;
    const char *wanted = getenv("GOLLUM_MUTATIONS");
    const int n_cases = wanted ? atoi(wanted) : 1040;
    int n_loaded = 0;
    for (int k = 0; k < n_cases; k++) {
        gol_rng rng = {77, (uint64_t)k << 32};
        const gol_str json = read_data(names[k % N_NAMES], ".json");
        char *data = (char *)json.data;
        size_t n = json.len;
        for (uint32_t i = 0; i <= gol_rng_below(&rng, 3); i++)
            n = mutate(data, n, &rng);
        const gol_hftok_files files = {.tokenizer_json = {data, n}};
        gol_err err = {0};
        gol_tokenizer *tok = NULL;
        const int rc = gol_hftok_create(&tok, &files, &err);
        if (rc == 0) {
            n_loaded++;
            use(tok, texts[k % N_TEXTS]);
            use(tok, GOL_STR("a \xFF\xC3 <s><user>B1 \xE2\x96\x81"));
        } else {
            assert_null(tok);
            assert_int_equal(err.code, rc);
            if (strncmp(err.message, "tokenizer.json: ", 16) != 0 &&
                strncmp(err.message, "tokenizer.ggml.tokens[", 22) != 0)
                fail_msg("case %d: message '%s' does not name the file", k, err.message);
        }
        gol_tokenizer_destroy(&tok);
        gol_free(data);
    }
    assert_in_range(n_loaded, 1, n_cases - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tokenizer_json_gives_the_ids_of_its_own_package),
        cmocka_unit_test(every_tokenizer_model_gives_the_ids_of_sentencepiece),
        cmocka_unit_test(mutated_files_are_refused_or_work),
    };
    return cmocka_run_group_tests(tests, load_texts, free_texts);
}
