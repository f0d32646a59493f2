/*
 * Pre-tokenizer steps that look for patterns: Split by an expression or a text, and ByteLevel and Metaspace, which rewrite the text
 * and may cut it.
 */
#include "text/pre_step.h"

#include "base/mem.h"
#include "text/byte_map.h"
#include "text/pre_patterns.h"
#include "text/unicode_newer.h"
#include "text/utf8.h"

static int out_of_memory(gol_err *err)
{
    return gol_fail(err, GOL_ENOMEM, "pre-tokenizer: out of memory");
}

typedef struct split_state {
    gol_regex *regex; /* NULL: a text is looked for */
    char *literal;
    size_t n_literal;
    gol_split_behavior behavior;
    bool is_inverted;
} split_state;

static void destroy_split(void *opaque)
{
    split_state *state = opaque;
    gol_regex_destroy(&state->regex);
    gol_free(state->literal);
    gol_free(state);
}

/* An expression, and the text that it looks at: as long as the piece, byte by byte. */
typedef struct regex_view {
    const gol_regex *regex;
    gol_str subject;
} regex_view;

static int find_regex(const void *opaque, const gol_pre_scratch *scratch, gol_str text, size_t pos,
                      size_t *start, size_t *end, gol_err *err)
{
    (void)text;
    const regex_view *view = opaque;
    return gol_regex_find(view->regex, scratch->regex, view->subject, pos, start, end, err);
}

static int split_by_regex(const gol_regex *regex, const gol_pre_scratch *scratch,
                          const gol_piece *piece, gol_split_behavior behavior, bool is_inverted,
                          const gol_piece_sink *next, gol_err *err)
{
    gol_buf rewritten;
    gol_buf_init(&rewritten, piece->text.len);
    const regex_view view = {regex, gol_unicode_regex_subject(&rewritten, piece->text)};
    const int rc = rewritten.failed ? out_of_memory(err)
                                    : gol_split_piece(piece, find_regex, &view, scratch, behavior,
                                                      is_inverted, next, err);
    gol_buf_deinit(&rewritten);
    return rc;
}

static int find_literal(const void *opaque, const gol_pre_scratch *scratch, gol_str text,
                        size_t pos, size_t *start, size_t *end, gol_err *err)
{
    (void)scratch;
    (void)err;
    const split_state *state = opaque;
    const char *found = state->n_literal > 0 ? memmem(text.data + pos, text.len - pos,
                                                      state->literal, state->n_literal)
                                             : NULL;
    if (found == NULL)
        return 0;
    *start = (size_t)(found - text.data);
    *end = *start + state->n_literal;
    return 1;
}

static int split(const void *opaque, const gol_pre_scratch *scratch, const gol_piece *piece,
                 const gol_piece_sink *next, gol_err *err)
{
    const split_state *state = opaque;
    if (state->regex != NULL)
        return split_by_regex(state->regex, scratch, piece, state->behavior, state->is_inverted,
                              next, err);
    return gol_split_piece(piece, find_literal, state, scratch, state->behavior, state->is_inverted,
                           next, err);
}

static const gol_pre_class pre_split = {"Split", split, destroy_split};

int gol_pre_split_create(gol_pre_step *out, gol_str pattern, gol_split_behavior behavior,
                         bool is_inverted, gol_err *err)
{
    split_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    state->behavior = behavior;
    state->is_inverted = is_inverted;
    const int rc = gol_regex_create(&state->regex, pattern, true, err);
    if (rc != 0) {
        destroy_split(state);
        return rc;
    }
    *out = (gol_pre_step){&pre_split, state};
    return 0;
}

int gol_pre_literal_create(gol_pre_step *out, gol_str pattern, gol_split_behavior behavior,
                           bool is_inverted, gol_err *err)
{
    split_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    state->behavior = behavior;
    state->is_inverted = is_inverted;
    state->literal = gol_try_strndup(pattern);
    state->n_literal = pattern.len;
    if (state->literal == NULL) {
        destroy_split(state);
        return out_of_memory(err);
    }
    *out = (gol_pre_step){&pre_split, state};
    return 0;
}

typedef struct bytes_state {
    gol_regex *regex; /* NULL: nothing is cut */
    bool adds_space;
    bool writes_mapped;
} bytes_state;

static void destroy_bytes(void *opaque)
{
    bytes_state *state = opaque;
    gol_regex_destroy(&state->regex);
    gol_free(state);
}

/* Writes the bytes of a word as characters, and hands it on. */
typedef struct mapping_sink {
    gol_buf *out;
    const gol_piece_sink *next;
} mapping_sink;

static int put_mapped(const gol_piece_sink *sink, const gol_piece *piece, gol_err *err)
{
    const mapping_sink *to = sink->user;
    gol_buf_clear(to->out);
    for (size_t i = 0; i < piece->text.len; i++) {
        char written[2];
        gol_buf_put(to->out, written,
                    (size_t)gol_byte_map_write(written, (uint8_t)piece->text.data[i]));
    }
    if (to->out->failed)
        return out_of_memory(err);
    const gol_piece mapped = {gol_buf_view(to->out), piece->at_text_start, true};
    return to->next->put(to->next, &mapped, err);
}

static int cut_bytes(const bytes_state *state, const gol_pre_scratch *scratch,
                     const gol_piece *piece, const gol_piece_sink *next, gol_err *err)
{
    if (state->regex == NULL)
        return next->put(next, piece, err);
    return split_by_regex(state->regex, scratch, piece, GOL_SPLIT_ISOLATED, false, next, err);
}

static int split_bytes(const void *opaque, const gol_pre_scratch *scratch, const gol_piece *in,
                       const gol_piece_sink *next, gol_err *err)
{
    const bytes_state *state = opaque;
    gol_piece piece = *in;
    gol_buf spaced;
    gol_buf_init(&spaced, scratch->text->len_max);
    if (state->adds_space && piece.text.data[0] != ' ') {
        gol_buf_putc(&spaced, ' ');
        gol_buf_put_str(&spaced, piece.text);
        piece.text = gol_buf_view(&spaced);
    }
    mapping_sink to = {scratch->text, next};
    const gol_piece_sink mapper = {put_mapped, &to, 0};
    const int rc = spaced.failed ? out_of_memory(err)
                                 : cut_bytes(state, scratch, &piece,
                                             state->writes_mapped ? &mapper : next, err);
    gol_buf_deinit(&spaced);
    return rc;
}

static const gol_pre_class pre_bytes = {"ByteLevel", split_bytes, destroy_bytes};

int gol_pre_bytes_create(gol_pre_step *out, const gol_pre_bytes_opts *opts, gol_err *err)
{
    bytes_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    state->adds_space = opts->adds_space;
    state->writes_mapped = opts->writes_mapped;
    if (opts->uses_pattern) {
        const gol_pre_spec *gpt2 = gol_pre_spec_find(GOL_STR("gpt-2"));
        const int rc = gol_regex_create(&state->regex, gol_str_from(gpt2->patterns[0]), true, err);
        if (rc != 0) {
            destroy_bytes(state);
            return rc;
        }
    }
    *out = (gol_pre_step){&pre_bytes, state};
    return 0;
}

typedef struct metaspace_state {
    char mark[4];
    size_t n_mark;
    gol_prepend_scheme scheme;
    bool splits;
} metaspace_state;

static int find_mark(const void *opaque, const gol_pre_scratch *scratch, gol_str text, size_t pos,
                     size_t *start, size_t *end, gol_err *err)
{
    (void)scratch;
    (void)err;
    const metaspace_state *state = opaque;
    const char *found = memmem(text.data + pos, text.len - pos, state->mark, state->n_mark);
    if (found == NULL)
        return 0;
    *start = (size_t)(found - text.data);
    *end = *start + state->n_mark;
    return 1;
}

static int split_metaspace(const void *opaque, const gol_pre_scratch *scratch,
                           const gol_piece *piece, const gol_piece_sink *next, gol_err *err)
{
    const metaspace_state *state = opaque;
    const gol_str text = piece->text;
    gol_buf *out = scratch->text;
    gol_buf_clear(out);
    const bool has_mark = text.data[0] == ' ' ||
                          (text.len >= state->n_mark &&
                           memcmp(text.data, state->mark, state->n_mark) == 0);
    if (!has_mark && (state->scheme == GOL_PREPEND_ALWAYS ||
                      (state->scheme == GOL_PREPEND_FIRST && piece->at_text_start)))
        gol_buf_put(out, state->mark, state->n_mark);
    for (size_t pos = 0; pos < text.len;) {
        const char *space = memchr(text.data + pos, ' ', text.len - pos);
        const size_t end = space != NULL ? (size_t)(space - text.data) : text.len;
        gol_buf_put(out, text.data + pos, end - pos);
        if (space != NULL)
            gol_buf_put(out, state->mark, state->n_mark);
        pos = end + (space != NULL);
    }
    if (out->failed)
        return out_of_memory(err);
    const gol_piece marked = {gol_buf_view(out), piece->at_text_start, piece->is_mapped};
    if (!state->splits)
        return next->put(next, &marked, err);
    return gol_split_piece(&marked, find_mark, state, scratch, GOL_SPLIT_MERGED_WITH_NEXT, false,
                           next, err);
}

static const gol_pre_class pre_metaspace = {"Metaspace", split_metaspace, gol_free};

int gol_pre_metaspace_create(gol_pre_step *out, gol_str mark, gol_prepend_scheme scheme,
                             bool splits, gol_err *err)
{
    metaspace_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    state->n_mark = mark.len < sizeof state->mark ? mark.len : sizeof state->mark;
    memcpy(state->mark, mark.data, state->n_mark);
    state->scheme = scheme;
    state->splits = splits;
    *out = (gol_pre_step){&pre_metaspace, state};
    return 0;
}
