/*
 * The two shapes of log-probabilities. A token's text need not be UTF-8: the chat shape adds its bytes, the legacy shape
 * writes such tokens as "bytes:\xe2\x9c", because its tokens are keys and must stay distinct.
 */
#include "api/logprobs_json.h"

#include <math.h>
#include <string.h>

#include "api/call.h"
#include "text/utf8.h"

enum { TOKEN_TEXT_MAX = 1 << 20 };

/* JSON has no infinity; OpenAI's stand-in for "impossible" is this. */
static void put_logprob(gol_json *j, float logprob)
{
    gol_json_float(j, isfinite(logprob) ? logprob : -9999.0f);
}

static const gol_top_logprob *tops_of(const gol_choice *c, int32_t i)
{
    return c->tops + (size_t)i * (size_t)c->n_top;
}

static void put_chat_token(gol_json *j, const gol_choice *c, int32_t id, float logprob)
{
    const gol_str piece = gol_choice_piece(c, id);
    gol_json_put_string(j, "token", piece);
    gol_json_key(j, "logprob");
    put_logprob(j, logprob);
    gol_json_key(j, "bytes");
    gol_json_begin_array(j);
    for (size_t i = 0; i < piece.len; i++)
        gol_json_int(j, (unsigned char)piece.data[i]);
    gol_json_end_array(j);
}

void gol_logprobs_put_chat(gol_json *j, const gol_choice *c, int32_t first, int32_t end)
{
    if (!c->logprobs) {
        gol_json_null(j);
        return;
    }
    gol_json_begin_object(j);
    gol_json_key(j, "content");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++) {
        gol_json_begin_object(j);
        put_chat_token(j, c, c->tokens[i], c->logprobs[i]);
        gol_json_key(j, "top_logprobs");
        gol_json_begin_array(j);
        for (int32_t k = 0; k < c->n_top; k++) {
            gol_json_begin_object(j);
            put_chat_token(j, c, tops_of(c, i)[k].token, tops_of(c, i)[k].logprob);
            gol_json_end_object(j);
        }
        gol_json_end_array(j);
        gol_json_end_object(j);
    }
    gol_json_end_array(j);
    gol_json_put_null(j, "refusal");
    gol_json_end_object(j);
}

static void put_legacy_text(gol_buf *out, gol_str piece)
{
    if (gol_utf8_is_valid(piece)) {
        gol_buf_put_str(out, piece);
        return;
    }
    gol_buf_puts(out, "bytes:");
    for (size_t i = 0; i < piece.len; i++)
        gol_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)piece.data[i]);
}

typedef struct legacy_writer {
    gol_json *j;
    const gol_choice *c;
    gol_buf text; /* the token being written */
} legacy_writer;

static gol_str text_of(legacy_writer *w, int32_t id)
{
    gol_buf_clear(&w->text);
    put_legacy_text(&w->text, gol_choice_piece(w->c, id));
    if (w->text.failed)
        w->j->buf->failed = true;
    return gol_buf_view(&w->text);
}

static bool has_same_text(const gol_choice *c, int32_t a, int32_t b)
{
    return gol_str_eq(gol_choice_piece(c, a), gol_choice_piece(c, b));
}

/* The most likely tokens and, if it is none of them, the drawn one. Where two tokens read the same, the likelier stays. */
static void put_legacy_tops(legacy_writer *w, int32_t i)
{
    const gol_choice *c = w->c;
    const gol_top_logprob *tops = tops_of(c, i);
    gol_json_begin_object(w->j);
    for (int32_t k = 0; k < c->n_top; k++) {
        bool is_repeat = false;
        for (int32_t m = 0; m < k && !is_repeat; m++)
            is_repeat = has_same_text(c, tops[m].token, tops[k].token);
        if (is_repeat)
            continue;
        gol_json_key_str(w->j, text_of(w, tops[k].token));
        put_logprob(w->j, tops[k].logprob);
    }
    bool is_among = false;
    for (int32_t k = 0; k < c->n_top && !is_among; k++)
        is_among = has_same_text(c, tops[k].token, c->tokens[i]);
    if (!is_among) {
        gol_json_key_str(w->j, text_of(w, c->tokens[i]));
        put_logprob(w->j, c->logprobs[i]);
    }
    gol_json_end_object(w->j);
}

void gol_logprobs_put_legacy(gol_json *j, const gol_choice *c, int32_t first, int32_t end)
{
    if (!c->logprobs) {
        gol_json_null(j);
        return;
    }
    legacy_writer w = {.j = j, .c = c};
    gol_buf_init(&w.text, TOKEN_TEXT_MAX);
    gol_json_begin_object(j);
    gol_json_key(j, "tokens");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++)
        gol_json_string(j, text_of(&w, c->tokens[i]));
    gol_json_end_array(j);
    gol_json_key(j, "token_logprobs");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++)
        put_logprob(j, c->logprobs[i]);
    gol_json_end_array(j);
    gol_json_key(j, "top_logprobs");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++)
        put_legacy_tops(&w, i);
    gol_json_end_array(j);
    gol_json_key(j, "text_offset");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++)
        gol_json_int(j, c->offsets[i]);
    gol_json_end_array(j);
    gol_json_end_object(j);
    gol_buf_deinit(&w.text);
}
