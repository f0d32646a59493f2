/*
 * The small normalizer steps: Unicode forms, lower case, accents, white space at the ends, prefixes, replacements. What each does
 * is what the step of that name in a tokenizer.json does.
 */
#include "text/normalizer.h"

#include "base/mem.h"
#include "text/byte_map.h"
#include "text/regex.h"
#include "text/unicode_forms.h"
#include "text/unicode_newer.h"
#include "text/unicode_props.h"
#include "text/utf8.h"

static int out_of_memory(gol_err *err)
{
    return gol_fail(err, GOL_ENOMEM, "normalizer: out of memory");
}

static int apply_form(gol_buf *out, gol_str text, gol_unicode_form form, gol_err *err)
{
    return gol_unicode_normalize(out, text, form) == 0 ? 0 : out_of_memory(err);
}

static int apply_nfc(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)state;
    (void)at_start;
    return apply_form(out, text, GOL_UNICODE_NFC, err);
}

static int apply_nfd(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)state;
    (void)at_start;
    return apply_form(out, text, GOL_UNICODE_NFD, err);
}

static int apply_nfkc(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)state;
    (void)at_start;
    return apply_form(out, text, GOL_UNICODE_NFKC, err);
}

static int apply_nfkd(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)state;
    (void)at_start;
    return apply_form(out, text, GOL_UNICODE_NFKD, err);
}

const gol_norm_class gol_norm_nfc = {"NFC", apply_nfc, NULL};
const gol_norm_class gol_norm_nfd = {"NFD", apply_nfd, NULL};
const gol_norm_class gol_norm_nfkc = {"NFKC", apply_nfkc, NULL};
const gol_norm_class gol_norm_nfkd = {"NFKD", apply_nfkd, NULL};

static int apply_lowercase(const void *state, gol_buf *out, gol_str text, bool at_start,
                           gol_err *err)
{
    (void)state;
    (void)at_start;
    (void)err;
    for (size_t pos = 0; pos < text.len;) {
        uint32_t lower[2];
        char bytes[4];
        const int n = gol_unicode_lower(lower, gol_utf8_next(text, &pos));
        for (int i = 0; i < n; i++)
            gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, lower[i]));
    }
    return 0;
}

static int apply_strip_accents(const void *state, gol_buf *out, gol_str text, bool at_start,
                               gol_err *err)
{
    (void)state;
    (void)at_start;
    (void)err;
    for (size_t pos = 0; pos < text.len;) {
        const size_t start = pos;
        if (!gol_unicode_is_mark(gol_utf8_next(text, &pos)))
            gol_buf_put(out, text.data + start, pos - start);
    }
    return 0;
}

const gol_norm_class gol_norm_lowercase = {"Lowercase", apply_lowercase, NULL};
const gol_norm_class gol_norm_strip_accents = {"StripAccents", apply_strip_accents, NULL};

/* The characters that sentencepiece's nmt_* rules drop, or take for a space. */
static bool is_nmt_dropped(uint32_t cp)
{
    return (cp >= 0x01 && cp <= 0x08) || cp == 0x0B || (cp >= 0x0E && cp <= 0x1F) || cp == 0x7F ||
           cp == 0x8F || cp == 0x9F;
}

static bool is_nmt_space(uint32_t cp)
{
    return cp == 0x09 || cp == 0x0A || cp == 0x0C || cp == 0x0D || cp == 0x1680 ||
           (cp >= 0x200B && cp <= 0x200F) || cp == 0x2028 || cp == 0x2029 || cp == 0x2581 ||
           cp == 0xFEFF || cp == 0xFFFD;
}

static int apply_nmt(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)state;
    (void)at_start;
    (void)err;
    for (size_t pos = 0; pos < text.len;) {
        const size_t start = pos;
        const uint32_t cp = gol_utf8_next(text, &pos);
        if (is_nmt_space(cp))
            gol_buf_putc(out, ' ');
        else if (!is_nmt_dropped(cp))
            gol_buf_put(out, text.data + start, pos - start);
    }
    return 0;
}

const gol_norm_class gol_norm_nmt = {"Nmt", apply_nmt, NULL};

static int apply_byte_level(const void *state, gol_buf *out, gol_str text, bool at_start,
                            gol_err *err)
{
    (void)state;
    (void)at_start;
    (void)err;
    for (size_t i = 0; i < text.len; i++) {
        char written[2];
        gol_buf_put(out, written, (size_t)gol_byte_map_write(written, (uint8_t)text.data[i]));
    }
    return 0;
}

const gol_norm_class gol_norm_byte_level = {"ByteLevel", apply_byte_level, NULL};

typedef struct strip_state {
    bool left, right;
} strip_state;

static int apply_strip(const void *opaque, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)at_start;
    (void)err;
    const strip_state *state = opaque;
    size_t start = 0;
    while (state->left && start < text.len) {
        size_t pos = start;
        if (!gol_unicode_is_space(gol_utf8_next(text, &pos)))
            break;
        start = pos;
    }
    size_t end = text.len;
    while (state->right && end > start) {
        size_t pos = end - 1;
        while (pos > start && ((unsigned char)text.data[pos] & 0xC0) == 0x80)
            pos--;
        const size_t last = pos;
        if (!gol_unicode_is_space(gol_utf8_next(text, &pos)))
            break;
        end = last;
    }
    gol_buf_put(out, text.data + start, end - start);
    return 0;
}

static const gol_norm_class norm_strip = {"Strip", apply_strip, gol_free};

int gol_norm_strip_create(gol_norm_step *out, bool left, bool right, gol_err *err)
{
    strip_state *state = gol_try_alloc(sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    *state = (strip_state){left, right};
    *out = (gol_norm_step){&norm_strip, state};
    return 0;
}

/* A copy that the state ends with. */
typedef struct prepend_state {
    size_t len;
    char prefix[];
} prepend_state;

static int apply_prepend(const void *opaque, gol_buf *out, gol_str text, bool at_start,
                         gol_err *err)
{
    (void)at_start;
    (void)err;
    const prepend_state *state = opaque;
    if (text.len > 0)
        gol_buf_put(out, state->prefix, state->len);
    gol_buf_put_str(out, text);
    return 0;
}

static const gol_norm_class norm_prepend = {"Prepend", apply_prepend, gol_free};

int gol_norm_prepend_create(gol_norm_step *out, gol_str prefix, gol_err *err)
{
    prepend_state *state = gol_try_alloc(sizeof *state + prefix.len);
    if (state == NULL)
        return out_of_memory(err);
    state->len = prefix.len;
    if (prefix.len > 0)
        memcpy(state->prefix, prefix.data, prefix.len);
    *out = (gol_norm_step){&norm_prepend, state};
    return 0;
}

typedef struct replace_state {
    gol_regex *regex; /* NULL: the pattern is the text to look for */
    char *pattern;
    size_t n_pattern;
    char *content;
    size_t n_content;
} replace_state;

static void destroy_replace(void *opaque)
{
    replace_state *state = opaque;
    gol_regex_destroy(&state->regex);
    gol_free(state->pattern);
    gol_free(state->content);
    gol_free(state);
}

static void replace_text(const replace_state *state, gol_buf *out, gol_str text)
{
    size_t pos = 0;
    while (state->n_pattern > 0 && pos < text.len) {
        const char *found = memmem(text.data + pos, text.len - pos, state->pattern,
                                   state->n_pattern);
        if (found == NULL)
            break;
        const size_t start = (size_t)(found - text.data);
        gol_buf_put(out, text.data + pos, start - pos);
        gol_buf_put(out, state->content, state->n_content);
        pos = start + state->n_pattern;
    }
    gol_buf_put(out, text.data + pos, text.len - pos);
}

/* Matches of nothing are left alone. subject: text as the expression shall see it. */
static int replace_matches(const replace_state *state, gol_buf *out, gol_str text, gol_str subject,
                           gol_err *err)
{
    gol_regex_run run;
    int rc = gol_regex_run_init(&run, text.len, err);
    if (rc != 0)
        return rc;
    size_t copied = 0;
    size_t pos = 0;
    while (pos < text.len && !out->failed) {
        size_t start, end;
        rc = gol_regex_find(state->regex, &run, subject, pos, &start, &end, err);
        if (rc <= 0)
            break;
        if (end == start) {
            pos = end;
            if (pos < text.len)
                gol_utf8_next(text, &pos);
            continue;
        }
        gol_buf_put(out, text.data + copied, start - copied);
        gol_buf_put(out, state->content, state->n_content);
        copied = pos = end;
    }
    gol_regex_run_deinit(&run);
    if (rc >= 0)
        gol_buf_put(out, text.data + copied, text.len - copied);
    return rc < 0 ? rc : 0;
}

static int replace_by_regex(const replace_state *state, gol_buf *out, gol_str text, gol_err *err)
{
    gol_buf rewritten;
    gol_buf_init(&rewritten, text.len);
    const gol_str subject = gol_unicode_regex_subject(&rewritten, text);
    const int rc = rewritten.failed ? out_of_memory(err)
                                    : replace_matches(state, out, text, subject, err);
    gol_buf_deinit(&rewritten);
    return rc;
}

static int apply_replace(const void *opaque, gol_buf *out, gol_str text, bool at_start,
                         gol_err *err)
{
    (void)at_start;
    const replace_state *state = opaque;
    if (state->regex != NULL)
        return replace_by_regex(state, out, text, err);
    replace_text(state, out, text);
    return 0;
}

static const gol_norm_class norm_replace = {"Replace", apply_replace, destroy_replace};

int gol_norm_replace_create(gol_norm_step *out, gol_str pattern, bool is_regex, gol_str content,
                            gol_err *err)
{
    replace_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    state->pattern = gol_try_strndup(pattern);
    state->n_pattern = pattern.len;
    state->content = gol_try_strndup(content);
    state->n_content = content.len;
    int rc = 0;
    if (state->pattern == NULL || state->content == NULL)
        rc = out_of_memory(err);
    else if (is_regex)
        rc = gol_regex_create(&state->regex, pattern, true, err);
    if (rc != 0) {
        destroy_replace(state);
        return rc;
    }
    *out = (gol_norm_step){&norm_replace, state};
    return 0;
}
