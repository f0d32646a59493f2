/*
 * The shapes of log-probabilities. A token's text need not be UTF-8: the chat shape adds its bytes, the legacy shape
 * writes such tokens as "bytes:\xe2\x9c", because its tokens are keys and must stay distinct.
 */
#include "api/logprobs_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "text/utf8.h"

enum { TOKEN_TEXT_MAX = 1 << 20 };

/* One token with what was said about it, of a prompt or of an answer. */
typedef struct token_view {
    int32_t id;
    int32_t offset;
    int32_t rank; /* of a prompt's only */
    bool has_logprob;
    float logprob;
    const gol_top_logprob *top; /* [n_top] */
    int32_t n_top;
} token_view;

static token_view view_of(const gol_choice *c, int32_t i)
{
    return (token_view){
        .id = c->tokens[i],
        .offset = c->offsets ? c->offsets[i] : 0,
        .has_logprob = true,
        .logprob = c->logprobs[i],
        .top = c->n_top > 0 ? c->tops + (size_t)i * (size_t)c->n_top : NULL,
        .n_top = c->n_top,
    };
}

/* n_top: of what was asked for in all, as many as this shape shows. */
static token_view view_of_prompt(const gol_choice *c, int32_t i, int32_t n_top)
{
    const gol_scored_prompt *s = c->scored;
    const gol_prompt_scores *scores = &s->scores;
    token_view v = {
        .id = c->prompt_ids[i],
        .offset = s->offsets ? s->offsets[i] : 0,
        .has_logprob = i > 0 && i < s->n_seen,
    };
    if (!v.has_logprob)
        return v;
    v.logprob = scores->tokens[i].logprob;
    v.rank = scores->tokens[i].rank;
    v.n_top = n_top < scores->n_top ? n_top : scores->n_top;
    if (v.n_top > 0)
        v.top = scores->top + (size_t)i * (size_t)scores->n_top;
    return v;
}

/* JSON has no infinity; OpenAI's stand-in for "impossible" is this. */
static void put_logprob(gol_json *j, float logprob)
{
    gol_json_float(j, isfinite(logprob) ? logprob : -9999.0f);
}

/* return_tokens_as_token_ids: how a token is named. */
static gol_str name_as_id(char buf[static 24], int32_t id)
{
    const int n = snprintf(buf, 24, "token_id:%d", id);
    return (gol_str){buf, (size_t)n};
}

static void put_chat_token(gol_json *j, const gol_choice *c, int32_t id, float logprob)
{
    const gol_str piece = gol_choice_piece(c, id);
    char name[24];
    gol_json_put_string(j, "token", c->call->params.tokens_as_ids ? name_as_id(name, id) : piece);
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
    if (c->call->params.n_logprobs < 0) {
        gol_json_null(j);
        return;
    }
    gol_json_begin_object(j);
    gol_json_key(j, "content");
    gol_json_begin_array(j);
    for (int32_t i = first; i < end; i++) {
        const token_view v = view_of(c, i);
        gol_json_begin_object(j);
        put_chat_token(j, c, v.id, v.logprob);
        gol_json_key(j, "top_logprobs");
        gol_json_begin_array(j);
        for (int32_t k = 0; k < v.n_top; k++) {
            gol_json_begin_object(j);
            put_chat_token(j, c, v.top[k].token, v.top[k].logprob);
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
    gol_buf text;       /* the token being written */
    int32_t end_prompt; /* tokens of the prompt, 0: they are not shown, */
    int32_t first;      /* and of the answer */
    int32_t end;
} legacy_writer;

static gol_str text_of(legacy_writer *w, int32_t id)
{
    gol_buf_clear(&w->text);
    if (w->c->call->params.tokens_as_ids)
        gol_buf_printf(&w->text, "token_id:%d", id);
    else
        put_legacy_text(&w->text, gol_choice_piece(w->c, id));
    if (w->text.failed)
        w->j->buf->failed = true;
    return gol_buf_view(&w->text);
}

static bool has_same_name(const gol_choice *c, int32_t a, int32_t b)
{
    return a == b || (!c->call->params.tokens_as_ids &&
                      gol_str_eq(gol_choice_piece(c, a), gol_choice_piece(c, b)));
}

static void put_text(legacy_writer *w, const token_view *v)
{
    gol_json_string(w->j, text_of(w, v->id));
}

static void put_token_logprob(legacy_writer *w, const token_view *v)
{
    if (v->has_logprob)
        put_logprob(w->j, v->logprob);
    else
        gol_json_null(w->j);
}

/* The most likely tokens and, if it is none of them, the token itself. Where two tokens read the same, the likelier stays. */
static void put_tops(legacy_writer *w, const token_view *v)
{
    const gol_choice *c = w->c;
    if (!v->has_logprob) {
        gol_json_null(w->j);
        return;
    }
    gol_json_begin_object(w->j);
    bool is_among = false;
    for (int32_t k = 0; k < v->n_top; k++) {
        is_among = is_among || has_same_name(c, v->top[k].token, v->id);
        bool is_repeat = false;
        for (int32_t m = 0; m < k && !is_repeat; m++)
            is_repeat = has_same_name(c, v->top[m].token, v->top[k].token);
        if (is_repeat)
            continue;
        gol_json_key_str(w->j, text_of(w, v->top[k].token));
        put_logprob(w->j, v->top[k].logprob);
    }
    if (!is_among) {
        gol_json_key_str(w->j, text_of(w, v->id));
        put_logprob(w->j, v->logprob);
    }
    gol_json_end_object(w->j);
}

static void put_offset(legacy_writer *w, const token_view *v)
{
    gol_json_int(w->j, v->offset);
}

/* "NAME": [one value of each token] */
static void put_column(legacy_writer *w, const char *name,
                       void (*put)(legacy_writer *w, const token_view *v))
{
    gol_json_key(w->j, name);
    gol_json_begin_array(w->j);
    for (int32_t i = 0; i < w->end_prompt; i++) {
        const token_view v = view_of_prompt(w->c, i, w->c->call->params.n_logprobs);
        put(w, &v);
    }
    for (int32_t i = w->first; i < w->end; i++) {
        const token_view v = view_of(w->c, i);
        put(w, &v);
    }
    gol_json_end_array(w->j);
}

void gol_logprobs_put_legacy(gol_json *j, const gol_choice *c, int32_t first, int32_t end,
                             bool with_prompt)
{
    if (c->call->params.n_logprobs < 0) {
        gol_json_null(j);
        return;
    }
    legacy_writer w = {.j = j, .c = c, .first = first, .end = end};
    w.end_prompt = with_prompt ? c->n_prompt : 0;
    gol_buf_init(&w.text, TOKEN_TEXT_MAX);
    gol_json_begin_object(j);
    put_column(&w, "tokens", put_text);
    put_column(&w, "token_logprobs", put_token_logprob);
    put_column(&w, "top_logprobs", put_tops);
    put_column(&w, "text_offset", put_offset);
    gol_json_end_object(j);
    gol_buf_deinit(&w.text);
}

static void put_ranked(gol_json *j, const gol_choice *c, gol_top_logprob token, int32_t rank)
{
    char id[16];
    snprintf(id, sizeof id, "%d", token.token);
    gol_json_key(j, id);
    gol_json_begin_object(j);
    gol_json_key(j, "logprob");
    put_logprob(j, token.logprob);
    gol_json_put_int(j, "rank", rank);
    gol_json_put_string(j, "decoded_token", gol_choice_piece(c, token.token));
    gol_json_end_object(j);
}

void gol_logprobs_put_prompt(gol_json *j, const gol_choice *c)
{
    const int32_t n_top = c->call->params.n_prompt_logprobs;
    if (n_top < 0)
        return;
    gol_json_key(j, "prompt_logprobs");
    gol_json_begin_array(j);
    for (int32_t i = 0; i < c->n_prompt; i++) {
        const token_view v = view_of_prompt(c, i, n_top);
        if (!v.has_logprob) {
            gol_json_null(j);
            continue;
        }
        gol_json_begin_object(j);
        put_ranked(j, c, (gol_top_logprob){v.id, v.logprob}, v.rank);
        for (int32_t k = 0; k < v.n_top; k++)
            if (v.top[k].token != v.id)
                put_ranked(j, c, v.top[k], k + 1);
        gol_json_end_object(j);
    }
    gol_json_end_array(j);
}
