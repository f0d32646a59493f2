/*
 * The tokenizer of a made model, as GGUF keys. SPM: <unk> <s> </s>, 256 byte tokens, then pieces with falling
 * scores (the lowest id merges first); Gemma's begin with <pad> <eos> <bos> <unk>. BPE: 256 byte symbols in GPT-2's order, one token per merge, control
 * tokens at the end.
 */
#include "make_model/make_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "make_model/model_pieces.h"
#include "make_model/model_plan.h"

enum {
    N_BYTES = 256,
    N_SPM_SPECIAL = 3,
    N_GEMMA_SPECIAL = 4,
    N_SPM_BLANK = 1, /* without a piece for it, a blank would be the bytes of its mark */
    TEXT_MAX = 64
};

/* tokenizer.ggml.token_type */
enum { TOKEN_NORMAL = 1, TOKEN_UNKNOWN = 2, TOKEN_CONTROL = 3, TOKEN_BYTE = 6 };

static const char chat_template[] = "{% for message in messages %}<|{{ message['role'] }}|>\n{{ "
                                    "message['content'] }}{{ eos_token }}\n{% endfor %}"
                                    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}";

typedef struct vocab {
    gol_arena *arena;
    gol_str *tokens; /* [n_max] */
    int32_t *types;  /* [n_max] */
    float *scores;   /* [n_max] */
    gol_str *merges; /* [n_max] */
    uint32_t n;
    uint32_t n_max;
    uint32_t n_merges;
    uint32_t n_before_pieces; /* SPM: control and byte tokens */
    bool failed;
} vocab;

uint32_t make_model_n_vocab(const make_model_shape *shape, bool byte_vocab)
{
    if (!byte_vocab)
        return shape->n_vocab;
    if (shape->vocab == MAKE_MODEL_VOCAB_SPM)
        return N_SPM_SPECIAL + N_BYTES + N_SPM_BLANK;
    if (shape->vocab == MAKE_MODEL_VOCAB_GEMMA)
        return N_GEMMA_SPECIAL + N_BYTES + N_SPM_BLANK;
    return N_BYTES + shape->n_special;
}

static gol_str keep(vocab *v, const char *text)
{
    const char *copy = gol_arena_try_strdup(v->arena, gol_str_from(text));
    v->failed |= !copy;
    return copy ? gol_str_from(copy) : GOL_STR("");
}

static void add_token(vocab *v, const char *text, int32_t type, float score)
{
    assert(v->n < v->n_max);
    v->tokens[v->n] = keep(v, text);
    v->types[v->n] = type;
    v->scores[v->n] = score;
    v->n++;
}

/* out = text with every blank as the tokenizer writes it. */
static void mark_blanks(char out[TEXT_MAX], const char *text, const char *mark)
{
    size_t n = 0;
    for (; *text; text++) {
        const int n_put = *text == ' ' ? snprintf(out + n, TEXT_MAX - n, "%s", mark)
                                       : snprintf(out + n, TEXT_MAX - n, "%c", *text);
        assert(n_put > 0 && n + (size_t)n_put < TEXT_MAX);
        n += (size_t)n_put;
    }
    out[n] = '\0';
}

static void add_spm_piece(vocab *v, const char *text)
{
    char marked[TEXT_MAX];
    mark_blanks(marked, text, "\xe2\x96\x81"); /* U+2581 */
    add_token(v, marked, TOKEN_NORMAL, -(float)(v->n - v->n_before_pieces));
}

static void add_spm_characters(vocab *v, const char *from, bool letters)
{
    for (; *from && v->n < v->n_max; from++) {
        const bool is_letter = *from >= 'a' && *from <= 'z';
        const char text[2] = {*from, '\0'};
        if (is_letter == letters)
            add_spm_piece(v, text);
    }
}

static void add_spm_special(vocab *v, bool is_gemma)
{
    if (is_gemma) {
        add_token(v, "<pad>", TOKEN_CONTROL, 0);
        add_token(v, "<eos>", TOKEN_CONTROL, 0);
        add_token(v, "<bos>", TOKEN_CONTROL, 0);
        add_token(v, "<unk>", TOKEN_UNKNOWN, 0);
    } else {
        add_token(v, "<unk>", TOKEN_UNKNOWN, 0);
        add_token(v, "<s>", TOKEN_CONTROL, 0);
        add_token(v, "</s>", TOKEN_CONTROL, 0);
    }
}

static void fill_spm(vocab *v, bool is_gemma)
{
    add_spm_special(v, is_gemma);
    for (int byte = 0; byte < N_BYTES; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)byte);
        add_token(v, text, TOKEN_BYTE, 0);
    }
    v->n_before_pieces = v->n;
    static const char printable[] = "abcdefghijklmnopqrstuvwxyz.,!?'\"-:;()"
                                    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ#$%&*+/<=>@[\\]^_`{|}~";
    add_spm_piece(v, " ");
    add_spm_characters(v, printable, true);
    make_model_pieces pieces = {0};
    make_model_piece piece;
    while (v->n < v->n_max && make_model_next_piece(&pieces, &piece)) {
        if (pieces.family == 0 && pieces.index == 1) /* the frequent ones are through */
            add_spm_characters(v, printable, false);
        char text[TEXT_MAX];
        snprintf(text, sizeof text, "%s%s", piece.left, piece.right);
        if (v->n < v->n_max)
            add_spm_piece(v, text);
    }
}

/* GPT-2 writes each byte as one visible character: itself where Latin-1 has one, otherwise the next from
 * U+0100. */
static bool is_visible(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

static void add_byte_symbol(vocab *v, int code_point)
{
    char text[3] = {0};
    if (code_point < 0x80) {
        text[0] = (char)code_point;
    } else {
        text[0] = (char)(0xc0 | code_point >> 6);
        text[1] = (char)(0x80 | (code_point & 0x3f));
    }
    add_token(v, text, TOKEN_NORMAL, 0);
}

static void add_merge(vocab *v, const make_model_piece *piece)
{
    static const char blank[] = "\xc4\xa0"; /* U+0120 */
    char left[TEXT_MAX], right[TEXT_MAX], text[2 * TEXT_MAX];
    mark_blanks(left, piece->left, blank);
    mark_blanks(right, piece->right, blank);
    snprintf(text, sizeof text, "%s%s", left, right);
    add_token(v, text, TOKEN_NORMAL, 0);
    snprintf(text, sizeof text, "%s %s", left, right);
    v->merges[v->n_merges++] = keep(v, text);
}

static void add_bpe_special(vocab *v, uint32_t i, uint32_t n_special, bool is_qwen)
{
    static const char *const qwen[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    static const char *const llama3[] = {
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|reserved_special_token_0|>",
        "<|reserved_special_token_1|>",
        "<|finetune_right_pad_id|>",
        "<|reserved_special_token_2|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "<|python_tag|>",
    };
    enum { N_NAMED = sizeof llama3 / sizeof llama3[0], N_RESERVED_NAMED = 3 };
    enum { N_QWEN = sizeof qwen / sizeof qwen[0] };
    char text[TEXT_MAX];
    if (is_qwen && i < N_QWEN)
        snprintf(text, sizeof text, "%s", qwen[i]);
    else if (is_qwen)
        snprintf(text, sizeof text, "<|unused_%u|>", i - N_QWEN);
    else if (n_special == 1)
        snprintf(text, sizeof text, "<|endoftext|>");
    else if (i < N_NAMED)
        snprintf(text, sizeof text, "%s", llama3[i]);
    else
        snprintf(text, sizeof text, "<|reserved_special_token_%u|>",
                 i - N_NAMED + N_RESERVED_NAMED);
    add_token(v, text, TOKEN_CONTROL, 0);
}

static bool is_qwen(const make_model_shape *shape)
{
    return strcmp(shape->pre, "qwen2") == 0;
}

static void fill_bpe(vocab *v, const make_model_shape *shape)
{
    const uint32_t n_special = shape->n_special;
    for (int byte = 0; byte < N_BYTES; byte++) {
        if (is_visible(byte))
            add_byte_symbol(v, byte);
    }
    int n_invisible = 0;
    for (int byte = 0; byte < N_BYTES; byte++) {
        if (!is_visible(byte))
            add_byte_symbol(v, 256 + n_invisible++);
    }
    make_model_pieces pieces = {0};
    make_model_piece piece;
    while (v->n < v->n_max - n_special && make_model_next_piece(&pieces, &piece))
        add_merge(v, &piece);
    for (uint32_t i = 0; i < n_special; i++)
        add_bpe_special(v, i, n_special, is_qwen(shape));
}

static void emit_spm(gol_gguf_writer *w, const vocab *v, bool is_gemma)
{
    gol_gguf_writer_add_str(w, "tokenizer.ggml.model", GOL_STR("llama"));
    gol_gguf_writer_add_str(w, "tokenizer.ggml.pre", GOL_STR("default"));
    gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, v->scores, v->n);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.unknown_token_id", is_gemma ? 3 : 0);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.bos_token_id", is_gemma ? 2 : 1);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.eos_token_id", is_gemma ? 1 : 2);
    if (is_gemma)
        gol_gguf_writer_add_u32(w, "tokenizer.ggml.padding_token_id", 0);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", true);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_eos_token", is_gemma); /* an encoder's */
}

static void emit_bpe(gol_gguf_writer *w, const vocab *v, const make_model_shape *shape)
{
    const uint32_t special = v->n - shape->n_special; /* id of the first */
    const bool is_llama3 = shape->n_special > 1 && !is_qwen(shape);
    const uint32_t end = is_qwen(shape) ? 2 : is_llama3 ? 9 : 0;
    gol_gguf_writer_add_str(w, "tokenizer.ggml.model", GOL_STR("gpt2"));
    gol_gguf_writer_add_str(w, "tokenizer.ggml.pre", gol_str_from(shape->pre));
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.merges", v->merges, v->n_merges);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.bos_token_id", special);
    gol_gguf_writer_add_u32(w, "tokenizer.ggml.eos_token_id", special + end);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", is_llama3);
}

int make_model_add_vocab(gol_gguf_writer *w, gol_arena *arena, const make_model_shape *shape,
                         uint32_t n_vocab, gol_err *err)
{
    vocab v = {.arena = arena, .n_max = n_vocab};
    v.tokens = gol_arena_try_array(arena, n_vocab, sizeof *v.tokens);
    v.types = gol_arena_try_array(arena, n_vocab, sizeof *v.types);
    v.scores = gol_arena_try_array(arena, n_vocab, sizeof *v.scores);
    v.merges = gol_arena_try_array(arena, n_vocab, sizeof *v.merges);
    if (!v.tokens || !v.types || !v.scores || !v.merges)
        return gol_fail(err, GOL_ENOMEM, "out of memory for a vocabulary of %u tokens", n_vocab);
    if (shape->vocab != MAKE_MODEL_VOCAB_BPE) {
        const bool is_gemma = shape->vocab == MAKE_MODEL_VOCAB_GEMMA;
        fill_spm(&v, is_gemma);
        emit_spm(w, &v, is_gemma);
    } else {
        fill_bpe(&v, shape);
        emit_bpe(w, &v, shape);
    }
    if (v.failed)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the text of %u tokens", n_vocab);
    assert(v.n == n_vocab);
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens", v.tokens, v.n);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_I32, v.types, v.n);
    gol_gguf_writer_add_str(w, "tokenizer.chat_template", GOL_STR(chat_template));
    return 0;
}
