/*
 * Any bytes as text, into vocabularies of every kind: small ones of GGUF files, and those of tests/data/tokenizers/, which were
 * trained on real text. The first byte chooses the vocabulary, the second the flags. Pieces of byte-level GGUF vocabularies must add
 * up to the text, SentencePiece must give valid text back, a stream must say what decoding at once says, and the same text must
 * give the same ids.
 */
#include <dirent.h>

#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/text/use_tokenizer.h"
#include "support/vocab_file.h"
#include "text/hf/hf_files.h"

static const char *const pres[] = {"gpt-2",        "llama-bpe",   "qwen2", "falcon",
                                   "deepseek-llm", "deepseek-v3", "gpt-4o"};

#define MARK "\xE2\x96\x81"

/* SentencePiece follows the byte-level ones of GGUF files, and the files' tokenizers follow it. */
enum { N_PRES = sizeof pres / sizeof pres[0], SPM = N_PRES, N_SMALL, TOKENIZERS_MAX = 64 };

static gol_tokenizer *tokenizers[TOKENIZERS_MAX]; /* they live as long as the process */
static int n_tokenizers;

static gol_tokenizer *load_small(vocab_spec *v, bool is_spm)
{
    static const char *const tokens[] = {"ab", "aa", "aaaa", MARK, MARK MARK, MARK "b"};
    for (size_t i = 0; i < (is_spm ? 6 : 3); i++)
        vocab_add(v, tokens[i], 1, -(float)i);
    vocab_add(v, "<|x|>", 3, 0);
    vocab_add(v, "<|", 4, 0);
    static const char *const merges[] = {"a b", "a a", "aa aa", "\xC4\xA0 ab", "\xC3\xA9 \xC2\xA9"};
    for (size_t i = 0; i < (is_spm ? 0 : 5); i++)
        vocab_add_merge(v, merges[i]);
    gol_err err;
    gol_tokenizer *tok = NULL;
    gol_model_file *file = vocab_file(v);
    FUZZ_EXPECT(gol_tokenizer_load(&tok, file, &err) == 0);
    gol_model_file_close(&file);
    return tok;
}

static bool ends_in(const char *name, const char *suffix)
{
    const size_t n = strlen(name), n_suffix = strlen(suffix);
    return n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

static int is_tokenizer(const struct dirent *entry)
{
    return ends_in(entry->d_name, ".json") || ends_in(entry->d_name, ".model");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_file(const char *name)
{
    static char bytes[1 << 18];
    char path[1024];
    snprintf(path, sizeof path, "%s/tokenizers/%s", TEST_DATA_DIR, name);
    FILE *f = fopen(path, "rb");
    FUZZ_EXPECT(f);
    const gol_str content = {bytes, fread(bytes, 1, sizeof bytes, f)};
    fclose(f);
    gol_hftok_files files = {0};
    *(ends_in(name, ".json") ? &files.tokenizer_json : &files.tokenizer_model) = content;
    gol_err err;
    FUZZ_EXPECT(n_tokenizers < TOKENIZERS_MAX);
    FUZZ_EXPECT(gol_hftok_create(&tokenizers[n_tokenizers++], &files, &err) == 0);
}

static void load_all(void)
{
    static vocab_spec v;
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL);
    for (int i = 0; i < N_PRES; i++) {
        vocab_init_bytes(&v, pres[i]);
        tokenizers[n_tokenizers++] = load_small(&v, false);
    }
    vocab_init_spm(&v);
    tokenizers[n_tokenizers++] = load_small(&v, true);
    struct dirent **names;
    const int n = scandir(TEST_DATA_DIR "/tokenizers", &names, is_tokenizer, by_name);
    FUZZ_EXPECT(n > 20);
    for (int i = 0; i < n; i++) {
        load_file(names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

static void check_pieces(const gol_tokenizer *tok, const gol_ids *ids, gol_str text)
{
    size_t pos = 0;
    for (size_t i = 0; i < ids->n; i++) {
        const gol_str piece = gol_tokenizer_piece(tok, ids->data[i]);
        FUZZ_EXPECT(pos + piece.len <= text.len &&
                    memcmp(text.data + pos, piece.data, piece.len) == 0);
        pos += piece.len;
    }
    FUZZ_EXPECT(pos == text.len);
}

/* What a small vocabulary promises besides: it knows every byte. */
static void check_small(int i, gol_str text, unsigned flags)
{
    gol_err err;
    gol_ids ids = {0};
    gol_buf whole;
    gol_buf_init(&whole, USE_TEXT_MAX);
    const gol_tokenizer *tok = tokenizers[i];
    FUZZ_EXPECT(gol_tokenizer_encode(tok, &ids, text, flags, &err) == 0);
    if (i < N_PRES)
        check_pieces(tok, &ids, text);
    FUZZ_EXPECT(gol_tokenizer_decode(tok, &whole, ids.data, ids.n, false, &err) == 0);
    /* SentencePiece puts spaces behind special tokens and takes U+2581 for one: texts with these do not come back. */
    const bool is_exact = i < N_PRES || (text.len > 0 && !memmem(text.data, text.len, "<|", 2) &&
                                         !memmem(text.data, text.len, MARK, 3));
    if (is_exact && gol_utf8_is_valid(text))
        FUZZ_EXPECT(gol_str_eq(gol_buf_view(&whole), text));
    gol_buf_deinit(&whole);
    gol_ids_deinit(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (n_tokenizers == 0)
        load_all();
    if (size < 2)
        return 0;
    const int i = data[0] % n_tokenizers;
    const unsigned flags = data[1] % 4; /* GOL_ENCODE_ADD_SPECIAL, GOL_ENCODE_PARSE_SPECIAL */
    const gol_str text = {(const char *)data + 2, size - 2};
    if (i < N_SMALL)
        check_small(i, text, flags & GOL_ENCODE_PARSE_SPECIAL);
    (void)use_tokenizer(tokenizers[i], text, flags);
    return 0;
}
