/*
 * Memory and offsets. The offsets follow the text as the client sees it: BOS and EOS that encoding added are not in a text that came
 * as text, control tokens that the client wrote are.
 */
#include "api/scored_prompt.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/detokenizer.h"

int gol_scored_prompt_create(gol_scored_prompt **out, int32_t n_prompt, int32_t n_top)
{
    *out = NULL;
    gol_scored_prompt *s = gol_try_calloc(1, sizeof *s);
    if (!s)
        return GOL_ENOMEM;
    s->n_prompt = n_prompt;
    s->scores.n_top = n_top;
    s->scores.tokens = gol_try_array((size_t)n_prompt, sizeof *s->scores.tokens);
    if (n_top > 0)
        s->scores.top = gol_try_array((size_t)n_prompt, (size_t)n_top * sizeof *s->scores.top);
    if (!s->scores.tokens || (n_top > 0 && !s->scores.top)) {
        gol_scored_prompt_destroy(&s);
        return GOL_ENOMEM;
    }
    *out = s;
    return 0;
}

void gol_scored_prompt_destroy(gol_scored_prompt **scored)
{
    gol_scored_prompt *s = *scored;
    if (!s)
        return;
    gol_free(s->scores.tokens);
    gol_free(s->scores.top);
    gol_free(s->offsets);
    gol_free(s);
    *scored = NULL;
}

/* Token i is one that encoding put around a text: it is not in the echo. */
static bool is_added(const gol_scored_prompt *s, const gol_echoed *p, int32_t i)
{
    if (i == 0 && p->has_bos)
        return true;
    const int32_t eos = gol_tokenizer_eos(p->tok);
    if (!p->text.data || i == 0 || i < s->n_prompt - 1 || p->ids[i] != eos)
        return false;
    const gol_str piece = gol_tokenizer_piece(p->tok, eos);
    return p->text.len < piece.len ||
           memcmp(p->text.data + (p->text.len - piece.len), piece.data, piece.len) != 0;
}

int gol_scored_prompt_find_offsets(gol_scored_prompt *s, const gol_echoed *p, gol_str echo)
{
    s->offsets = gol_try_array((size_t)s->n_prompt, sizeof *s->offsets);
    if (!s->offsets)
        return GOL_ENOMEM;
    const int32_t n_all = (int32_t)gol_utf8_count(echo);
    int32_t n_chars = 0;
    gol_buf text;
    gol_buf_init(&text, SIZE_MAX);
    gol_detokenizer detok;
    gol_detokenizer_init(&detok, p->tok, !p->text.data && p->skip_special, true);
    for (int32_t i = 0; i < s->n_prompt; i++) {
        s->offsets[i] = n_chars < n_all ? n_chars : n_all;
        if (is_added(s, p, i))
            continue;
        gol_buf_clear(&text);
        gol_detokenizer_push(&detok, p->ids[i], &text);
        n_chars += (int32_t)gol_utf8_count(gol_buf_view(&text));
    }
    const bool has_failed = text.failed;
    gol_buf_deinit(&text);
    return has_failed ? GOL_ENOMEM : 0;
}

void gol_scored_prompt_publish(gol_scored_prompt *s, bool is_last)
{
    s->n_scored = s->scores.n_scored;
    s->is_over = is_last;
}

void gol_scored_prompt_refresh(gol_scored_prompt *s)
{
    s->n_seen = s->n_scored;
    s->is_complete = s->is_over || s->n_seen == s->n_prompt;
}
