/*
 * Any bytes as text, into small vocabularies of both kinds. The first byte chooses vocabulary and flags. Byte-level pieces
 * must add up to the text, SentencePiece must give valid text back, and a stream must say what decoding at once says.
 */
#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "support/vocab_file.h"
#include "text/detokenizer.h"
#include "text/utf8.h"

static const char *const pres[] = {"gpt-2",        "llama-bpe",   "qwen2", "falcon",
                                   "deepseek-llm", "deepseek-v3", "gpt-4o"};

#define MARK "\xE2\x96\x81"

enum { N_PRES = sizeof pres / sizeof pres[0], N_TOKENIZERS = N_PRES + 1 };

/* The last one is SentencePiece; they live as long as the process. */
static gol_tokenizer *tokenizers[N_TOKENIZERS];

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void ignore_log(void *user, gol_log_level level, const char *area, const char *message)
{
    (void)user;
    (void)level;
    (void)area;
    (void)message;
}

static gol_tokenizer *load(vocab_spec *v, bool is_spm)
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
    expect(gol_tokenizer_load(&tok, file, &err) == 0);
    gol_model_file_close(&file);
    return tok;
}

static void load_all(void)
{
    static vocab_spec v;
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, ignore_log, NULL);
    for (int i = 0; i < N_PRES; i++) {
        vocab_init_bytes(&v, pres[i]);
        tokenizers[i] = load(&v, false);
    }
    vocab_init_spm(&v);
    tokenizers[N_PRES] = load(&v, true);
}

static void check_pieces(const gol_tokenizer *tok, const gol_ids *ids, gol_str text)
{
    size_t pos = 0;
    for (size_t i = 0; i < ids->n; i++) {
        const gol_str piece = gol_tokenizer_piece(tok, ids->data[i]);
        expect(pos + piece.len <= text.len && memcmp(text.data + pos, piece.data, piece.len) == 0);
        pos += piece.len;
    }
    expect(pos == text.len);
}

static void check_decoding(const gol_tokenizer *tok, const gol_ids *ids, gol_str text,
                           bool is_exact)
{
    gol_err err;
    gol_buf whole, deltas;
    gol_buf_init(&whole, 1 << 24);
    gol_buf_init(&deltas, 1 << 24);
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, false, true);
    expect(gol_tokenizer_decode(tok, &whole, ids->data, ids->n, false, &err) == 0);
    for (size_t i = 0; i < ids->n; i++)
        gol_detokenizer_push(&d, ids->data[i], &deltas);
    gol_detokenizer_flush(&d, &deltas);
    expect(gol_str_eq(gol_buf_view(&whole), gol_buf_view(&deltas)));
    expect(gol_utf8_is_valid(gol_buf_view(&whole)));
    if (is_exact && gol_utf8_is_valid(text))
        expect(gol_str_eq(gol_buf_view(&whole), text));
    gol_buf_deinit(&whole);
    gol_buf_deinit(&deltas);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!tokenizers[0])
        load_all();
    if (size == 0)
        return 0;
    const int i = data[0] % N_TOKENIZERS;
    const unsigned flags = data[0] / N_TOKENIZERS % 2 ? GOL_ENCODE_PARSE_SPECIAL : 0;
    const gol_tokenizer *tok = tokenizers[i];
    const gol_str text = {(const char *)data + 1, size - 1};
    gol_err err;
    gol_ids ids = {0};
    expect(gol_tokenizer_encode(tok, &ids, text, flags, &err) == 0);
    if (i < N_PRES)
        check_pieces(tok, &ids, text);
    /* SentencePiece puts spaces behind special tokens and takes U+2581 for one: texts with these do not come back. */
    const bool is_exact = i < N_PRES || (text.len > 0 && !memmem(text.data, text.len, "<|", 2) &&
                                         !memmem(text.data, text.len, MARK, 3));
    check_decoding(tok, &ids, text, is_exact);
    gol_ids_deinit(&ids);
    return 0;
}
