/*
 * tokenizer.json: "decoder", worked out once for every token, so that a stream of ids can be decoded one by one. What a step does
 * to the beginning of the whole text is remembered: the decoder takes a space away there, and the one that an end-of-word mark leaves
 * behind the last word (detokenizer.c).
 */
#include "text/hf/hf_parts.h"

#include "text/byte_map.h"
#include "text/utf8.h"
#include "text/wordpiece_text.h"

#define KINDS                                                                                      \
    "Sequence, ByteLevel, Metaspace, WordPiece, BPEDecoder, ByteFallback, Fuse, Strip, Replace, "  \
    "CTC"

/* Replacing may make tokens longer than they are written, within bounds: bytes of one, and of all. */
enum { STEPS_MAX = 16, PIECE_MAX = 4 * GOL_VOCAB_TEXT_MAX, PIECES_MAX = 512 << 20 };

typedef enum decode_kind {
    DECODE_BYTES,
    DECODE_BYTE_FALLBACK,
    DECODE_REPLACE,
    DECODE_WORDPIECE,
    DECODE_STRIP,
    DECODE_CLEANUP,
} decode_kind;

typedef struct decode_step {
    decode_kind kind;
    gol_str from, to; /* Replace; WordPiece: the mark of what goes on; Strip: the character */
    bool cleans_up;
    int64_t n_start, n_stop;
} decode_step;

typedef struct decode_steps {
    decode_step steps[STEPS_MAX];
    int n;
    bool is_fused; /* what follows sees the whole text */
    bool strips_left;
    bool spaces_end_words;
    bool drops_repeats;
} decode_steps;

static int add_step(const gol_hftok_node *node, decode_steps *to, decode_step step, gol_err *err)
{
    if (to->n == STEPS_MAX)
        return gol_hftok_fail(node, err, GOL_EUNSUPPORTED, "more than %d steps", STEPS_MAX);
    to->steps[to->n++] = step;
    return 0;
}

static int read_strip(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step step = {.kind = DECODE_STRIP};
    const int rc = gol_hftok_need_str(node, "content", &step.from, err);
    if (rc != 0)
        return rc;
    if (gol_hftok_int(node, "start", 0, 1 << 20, &step.n_start, err) < 0 ||
        gol_hftok_int(node, "stop", 0, 1 << 20, &step.n_stop, err) < 0)
        return GOL_EMODEL;
    if (!to->is_fused)
        return add_step(node, to, step, err);
    if (!gol_str_is(step.from, " ") || step.n_start > 1 || step.n_stop > 0)
        return gol_hftok_fail(node, err, GOL_EUNSUPPORTED,
                              "stripping other than one space at the start of the text");
    to->strips_left = step.n_start == 1;
    return 0;
}

static int read_replace(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step step = {.kind = DECODE_REPLACE};
    const gol_hftok_node pattern = gol_hftok_get(node, "pattern");
    int rc = gol_hftok_need_str(node, "content", &step.to, err);
    if (rc == 0 && json_is_string(pattern.json))
        step.from = gol_hftok_view(pattern.json);
    else if (rc == 0)
        rc = gol_hftok_need_str(&pattern, "String", &step.from, err);
    return rc == 0 ? add_step(node, to, step, err) : rc;
}

static int read_metaspace(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step step = {
        .kind = DECODE_REPLACE, .from = GOL_STR("\xE2\x96\x81"), .to = GOL_STR(" ")};
    gol_str scheme = GOL_STR("always");
    bool adds_space = true;
    if (gol_hftok_str(node, "replacement", &step.from, err) < 0 ||
        gol_hftok_bool(node, "add_prefix_space", &adds_space, err) < 0)
        return GOL_EMODEL;
    if (!adds_space)
        scheme = GOL_STR("never");
    if (gol_hftok_str(node, "prepend_scheme", &scheme, err) < 0)
        return GOL_EMODEL;
    to->strips_left = !gol_str_is(scheme, "never");
    return add_step(node, to, step, err);
}

static int read_wordpiece(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step step = {.kind = DECODE_WORDPIECE, .from = GOL_STR("##"), .cleans_up = true};
    if (gol_hftok_str(node, "prefix", &step.from, err) < 0 ||
        gol_hftok_bool(node, "cleanup", &step.cleans_up, err) < 0)
        return GOL_EMODEL;
    to->strips_left = true;
    return add_step(node, to, step, err);
}

static int read_suffix(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step step = {.kind = DECODE_REPLACE, .from = GOL_STR("</w>"), .to = GOL_STR(" ")};
    if (gol_hftok_str(node, "suffix", &step.from, err) < 0)
        return GOL_EMODEL;
    to->spaces_end_words = true;
    return add_step(node, to, step, err);
}

/* Connectionist temporal classification (Graves et al. 2006): repeats are one, the pad token separates them. */
static int read_ctc(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    decode_step pad = {.kind = DECODE_REPLACE, .from = GOL_STR("<pad>"), .to = GOL_STR("")};
    decode_step delimiter = {.kind = DECODE_REPLACE, .from = GOL_STR("|"), .to = GOL_STR(" ")};
    bool cleans_up = true;
    if (gol_hftok_str(node, "pad_token", &pad.from, err) < 0 ||
        gol_hftok_str(node, "word_delimiter_token", &delimiter.from, err) < 0 ||
        gol_hftok_bool(node, "cleanup", &cleans_up, err) < 0)
        return GOL_EMODEL;
    to->drops_repeats = true;
    int rc = add_step(node, to, pad, err);
    if (rc == 0 && cleans_up)
        rc = add_step(node, to, (decode_step){.kind = DECODE_CLEANUP}, err);
    return rc == 0 && cleans_up ? add_step(node, to, delimiter, err) : rc;
}

static int read_steps(const gol_hftok_node *node, decode_steps *to, gol_err *err)
{
    gol_str type;
    int rc = gol_hftok_type(node, &type, err);
    if (rc != 0)
        return rc;
    if (gol_str_is(type, "Sequence")) { /* as deep as the JSON may be */
        const gol_hftok_node steps = gol_hftok_get(node, "decoders");
        for (size_t i = 0; rc == 0 && i < gol_hftok_n(&steps); i++) {
            const gol_hftok_node step = gol_hftok_at(&steps, i);
            rc = read_steps(&step, to, err);
        }
        return rc;
    }
    if (gol_str_is(type, "ByteLevel"))
        return add_step(node, to, (decode_step){.kind = DECODE_BYTES}, err);
    if (gol_str_is(type, "ByteFallback"))
        return add_step(node, to, (decode_step){.kind = DECODE_BYTE_FALLBACK}, err);
    if (gol_str_is(type, "Metaspace"))
        return read_metaspace(node, to, err);
    if (gol_str_is(type, "WordPiece"))
        return read_wordpiece(node, to, err);
    if (gol_str_is(type, "BPEDecoder"))
        return read_suffix(node, to, err);
    if (gol_str_is(type, "Strip"))
        return read_strip(node, to, err);
    if (gol_str_is(type, "Replace"))
        return read_replace(node, to, err);
    if (gol_str_is(type, "CTC"))
        return read_ctc(node, to, err);
    if (!gol_str_is(type, "Fuse"))
        return gol_hftok_unknown_type(node, type, KINDS, err);
    to->is_fused = true;
    return 0;
}

/* A token with a character that stands for no byte is taken as it is. */
static void decode_bytes(gol_buf *out, gol_str text)
{
    for (size_t pos = 0; pos < text.len;) {
        const int byte = gol_byte_map_byte(gol_utf8_next(text, &pos));
        if (byte < 0) {
            gol_buf_clear(out);
            gol_buf_put_str(out, text);
            return;
        }
        gol_buf_putc(out, (char)byte);
    }
}

static void replace(gol_buf *out, gol_str text, gol_str from, gol_str to)
{
    for (size_t pos = 0; pos < text.len;) {
        if (from.len > 0 && text.len - pos >= from.len &&
            memcmp(text.data + pos, from.data, from.len) == 0) {
            gol_buf_put_str(out, to);
            pos += from.len;
        } else {
            gol_buf_putc(out, text.data[pos++]);
        }
    }
}

/* The other decoders' "cleanup", for a token that has spaces. */
static void clean_up(gol_buf *out, gol_str text)
{
    static const char *const joined[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                            {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                            {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                            {" 've", "'ve"}, {" 're", "'re"}};
    gol_buf before;
    gol_buf_init(&before, out->len_max);
    gol_buf_put_str(out, text);
    for (size_t i = 0; i < sizeof joined / sizeof joined[0] && !before.failed; i++) {
        gol_buf_clear(&before);
        gol_buf_put_str(&before, gol_buf_view(out));
        gol_buf_clear(out);
        replace(out, gol_buf_view(&before), gol_str_from(joined[i][0]), gol_str_from(joined[i][1]));
    }
    out->failed = out->failed || before.failed;
    gol_buf_deinit(&before);
}

static void strip(gol_buf *out, gol_str text, const decode_step *step)
{
    const size_t n = step->from.len;
    for (int64_t i = 0; i < step->n_start && n > 0 && text.len >= n; i++) {
        if (memcmp(text.data, step->from.data, n) != 0)
            break;
        text = (gol_str){text.data + n, text.len - n};
    }
    for (int64_t i = 0; i < step->n_stop && n > 0 && text.len >= n; i++) {
        if (memcmp(text.data + text.len - n, step->from.data, n) != 0)
            break;
        text.len -= n;
    }
    gol_buf_put_str(out, text);
}

static int apply_wordpiece(gol_buf *out, gol_arena *arena, gol_str text, const decode_step *step)
{
    const gol_str mark = step->from;
    const bool goes_on = mark.len > 0 && text.len >= mark.len &&
                         memcmp(text.data, mark.data, mark.len) == 0;
    if (goes_on)
        text = (gol_str){text.data + mark.len, text.len - mark.len};
    gol_str piece;
    const int rc = gol_wordpiece_text(&piece, arena, text, !goes_on, step->cleans_up);
    if (rc == 0)
        gol_buf_put_str(out, piece);
    return rc;
}

/* The token's text through all steps; the result is in the arena. */
static int set_piece(gol_vocab *vocab, gol_token *token, const decode_steps *steps, gol_buf bufs[2])
{
    gol_str text = token->text;
    for (int i = 0; i < steps->n; i++) {
        const decode_step *step = &steps->steps[i];
        gol_buf *out = &bufs[i % 2];
        gol_buf_clear(out);
        const int byte = gol_vocab_parse_byte(text);
        if (step->kind == DECODE_BYTES)
            decode_bytes(out, text);
        else if (step->kind == DECODE_REPLACE)
            replace(out, text, step->from, step->to);
        else if (step->kind == DECODE_STRIP)
            strip(out, text, step);
        else if (step->kind == DECODE_CLEANUP)
            clean_up(out, text);
        else if (step->kind == DECODE_BYTE_FALLBACK && byte >= 0)
            gol_buf_putc(out, (char)byte);
        else if (step->kind == DECODE_BYTE_FALLBACK)
            gol_buf_put_str(out, text);
        else if (apply_wordpiece(out, &vocab->arena, text, step) != 0)
            return GOL_ENOMEM;
        if (out->failed)
            return out->len > PIECE_MAX / 4 ? GOL_EMODEL : GOL_ENOMEM;
        text = gol_buf_view(out);
    }
    const char *copy = gol_arena_try_strdup(&vocab->arena, text);
    if (copy == NULL)
        return GOL_ENOMEM;
    token->piece = (gol_str){copy, text.len};
    return 0;
}

int gol_hftok_read_decoder(const gol_hftok_node *node, gol_vocab *vocab, gol_hftok_facts *facts,
                           gol_err *err)
{
    decode_steps steps = {.n = 0};
    int rc = 0;
    if (gol_hftok_is_there(node))
        rc = read_steps(node, &steps, err);
    else /* tokens are words then, with spaces between them */
        steps = (decode_steps){.steps = {{.kind = DECODE_WORDPIECE}}, .n = 1, .strips_left = true};
    if (rc != 0)
        return rc;
    facts->strips_left = steps.strips_left;
    vocab->user_tokens_are_text = true;
    vocab->spaces_end_words = steps.spaces_end_words;
    vocab->drops_repeats = steps.drops_repeats;
    gol_buf bufs[2];
    gol_buf_init(&bufs[0], PIECE_MAX);
    gol_buf_init(&bufs[1], PIECE_MAX);
    size_t n_bytes = 0;
    for (int32_t id = 0; rc == 0 && id < vocab->n; id++) {
        gol_token *token = &vocab->tokens[id];
        if (token->type != GOL_TOKEN_CONTROL && token->type != GOL_TOKEN_UNKNOWN &&
            token->type != GOL_TOKEN_UNUSED)
            rc = set_piece(vocab, token, &steps, bufs);
        n_bytes += token->piece.len;
        if (rc == 0 && n_bytes > PIECES_MAX)
            rc = GOL_EMODEL;
    }
    gol_buf_deinit(&bufs[0]);
    gol_buf_deinit(&bufs[1]);
    if (rc == GOL_EMODEL)
        return gol_hftok_fail(node, err, rc, "it makes tokens of over %d bytes, or over %d in all",
                              PIECE_MAX, PIECES_MAX);
    return rc == 0 ? 0 : gol_hftok_fail(node, err, rc, "out of memory");
}
