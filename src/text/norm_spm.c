/*
 * SentencePiece's normalizer (Kudo and Richardson 2018, normalizer.cc), and the "Precompiled" step of tokenizer.json, which looks
 * into the same map by grapheme.
 */
#include "text/normalizer.h"

#include <utf8proc.h>

#include "base/mem.h"
#include "text/charsmap.h"
#include "text/space_mark.h"
#include "text/unicode_newer.h"
#include "text/utf8.h"

enum { GRAPHEME_MAX = 5 /* bytes that are looked up whole */ };

typedef struct spm_state {
    gol_charsmap map;
    bool adds_space;
    bool removes_extra_spaces;
} spm_state;

static void destroy(void *opaque)
{
    spm_state *state = opaque;
    gol_charsmap_deinit(&state->map);
    gol_free(state);
}

/* What the text at pos becomes; pos moves behind it. */
static gol_str next_normalized(const gol_charsmap *map, gol_str text, size_t *pos)
{
    const gol_str rest = {text.data + *pos, text.len - *pos};
    gol_str replacement;
    size_t n = gol_charsmap_find(map, rest, false, &replacement);
    if (n == 0) {
        gol_utf8_next(text, pos);
        n = *pos - (size_t)(rest.data - text.data);
        return (gol_str){rest.data, n};
    }
    *pos += n;
    return replacement;
}

static void put_escaped(gol_buf *out, gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == ' ')
            gol_buf_put(out, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN);
        else
            gol_buf_putc(out, s.data[i]);
    }
}

static bool ends_with_mark(const gol_buf *out, size_t from)
{
    return out->len >= from + GOL_SPACE_MARK_LEN &&
           memcmp(out->data + out->len - GOL_SPACE_MARK_LEN, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN) ==
               0;
}

static int apply_spm(const void *opaque, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)err;
    const spm_state *state = opaque;
    const bool removes = state->removes_extra_spaces;
    size_t pos = 0;
    while (removes && pos < text.len) {
        size_t next = pos;
        if (!gol_str_is(next_normalized(&state->map, text, &next), " "))
            break;
        pos = next;
    }
    if (pos == text.len)
        return 0;
    const size_t from = out->len;
    if (at_start && state->adds_space)
        gol_buf_put(out, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN);
    bool after_space = removes;
    while (pos < text.len && !out->failed) {
        gol_str s = next_normalized(&state->map, text, &pos);
        while (after_space && s.len > 0 && s.data[0] == ' ')
            s = (gol_str){s.data + 1, s.len - 1};
        if (s.len == 0)
            continue;
        put_escaped(out, s);
        after_space = removes && s.data[s.len - 1] == ' ';
    }
    while (removes && !out->failed && ends_with_mark(out, from))
        out->len -= GOL_SPACE_MARK_LEN;
    return 0;
}

static const gol_norm_class norm_spm = {"SentencePiece", apply_spm, destroy};

static utf8proc_int32_t as_old(uint32_t cp)
{
    return (utf8proc_int32_t)gol_unicode_stand_in(cp, GOL_UNICODE_17);
}

/* Bytes of the extended grapheme cluster at the start of text. */
static size_t grapheme_len(gol_str text)
{
    size_t pos = 0;
    utf8proc_int32_t state = 0;
    utf8proc_int32_t before = as_old(gol_utf8_next(text, &pos));
    while (pos < text.len) {
        size_t next = pos;
        const utf8proc_int32_t cp = as_old(gol_utf8_next(text, &next));
        if (utf8proc_grapheme_break_stateful(before, cp, &state))
            break;
        before = cp;
        pos = next;
    }
    return pos;
}

static int apply_precompiled(const void *opaque, gol_buf *out, gol_str text, bool at_start,
                             gol_err *err)
{
    (void)at_start;
    (void)err;
    const spm_state *state = opaque;
    for (size_t pos = 0; pos < text.len && !out->failed;) {
        const gol_str grapheme = {text.data + pos,
                                  grapheme_len((gol_str){text.data + pos, text.len - pos})};
        pos += grapheme.len;
        gol_str replacement;
        if (grapheme.len <= GRAPHEME_MAX &&
            gol_charsmap_find(&state->map, grapheme, true, &replacement) > 0) {
            gol_buf_put_str(out, replacement);
            continue;
        }
        for (size_t at = 0; at < grapheme.len;) {
            const size_t start = at;
            gol_utf8_next(grapheme, &at);
            const gol_str one = {grapheme.data + start, at - start};
            gol_buf_put_str(out, gol_charsmap_find(&state->map, one, true, &replacement) > 0
                                     ? replacement
                                     : one);
        }
    }
    return 0;
}

static const gol_norm_class norm_precompiled = {"Precompiled", apply_precompiled, destroy};

static int create(gol_norm_step *out, const gol_norm_class *kind, const gol_norm_spm_opts *opts,
                  gol_err *err)
{
    spm_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "normalizer: out of memory");
    state->adds_space = opts->adds_space;
    state->removes_extra_spaces = opts->removes_extra_spaces;
    const int rc = gol_charsmap_init(&state->map, opts->charsmap, opts->charsmap_name, err);
    if (rc != 0) {
        gol_free(state);
        return rc;
    }
    *out = (gol_norm_step){kind, state};
    return 0;
}

int gol_norm_spm_create(gol_norm_step *out, const gol_norm_spm_opts *opts, gol_err *err)
{
    return create(out, &norm_spm, opts, err);
}

int gol_norm_precompiled_create(gol_norm_step *out, gol_str charsmap, const char *name,
                                gol_err *err)
{
    return create(out, &norm_precompiled,
                  &(gol_norm_spm_opts){.charsmap = charsmap, .charsmap_name = name}, err);
}
