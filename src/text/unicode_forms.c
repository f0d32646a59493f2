/*
 * Normalization forms: see the header. utf8proc has the tables, decomposition of one character and composition; texts are
 * walked here, because its own ordering of combining marks is quadratic in a run of them.
 *
 * ASCII is its own form, and no composition reaches over an ASCII character to the left, so a text is done in stretches: one ASCII
 * character and what is not ASCII behind it. Characters that Unicode 9 does not have are their own form there, and nothing
 * composes with them: they end a stretch, too.
 */
#include "text/unicode_forms.h"

#include <assert.h>
#include <stdint.h>
#include <utf8proc.h>

#include "base/error.h"
#include "base/mem.h"
#include "text/unicode_newer.h"
#include "text/utf8.h"

enum { EXPANSION_MAX = 32, SHORT_RUN = 24, N_CLASSES = 256 };

typedef struct stretch {
    utf8proc_int32_t *cps;
    size_t n;
    size_t cap;
    utf8proc_int32_t *sorted; /* [cap] */
} stretch;

static int reserve(stretch *s, size_t n_more)
{
    if (s->cap - s->n >= n_more)
        return 0;
    const size_t cap = (s->n + n_more) * 2;
    utf8proc_int32_t *cps = gol_try_realloc(s->cps, cap, sizeof *cps);
    if (cps == NULL)
        return GOL_ENOMEM;
    s->cps = cps;
    utf8proc_int32_t *sorted = gol_try_realloc(s->sorted, cap, sizeof *sorted);
    if (sorted == NULL)
        return GOL_ENOMEM;
    s->sorted = sorted;
    s->cap = cap;
    return 0;
}

static uint8_t combining_class(utf8proc_int32_t cp)
{
    return (uint8_t)utf8proc_get_property(cp)->combining_class;
}

static void sort_short(utf8proc_int32_t *cps, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const utf8proc_int32_t cp = cps[i];
        const uint8_t class = combining_class(cp);
        size_t at = i;
        for (; at > 0 && combining_class(cps[at - 1]) > class; at--)
            cps[at] = cps[at - 1];
        cps[at] = cp;
    }
}

/* Stable, by counting. */
static void sort_long(utf8proc_int32_t *cps, utf8proc_int32_t *sorted, size_t n)
{
    size_t starts[N_CLASSES + 1] = {0};
    for (size_t i = 0; i < n; i++)
        starts[combining_class(cps[i]) + 1]++;
    for (int class = 0; class < N_CLASSES; class ++)
        starts[class + 1] += starts[class];
    for (size_t i = 0; i < n; i++)
        sorted[starts[combining_class(cps[i])]++] = cps[i];
    memcpy(cps, sorted, n * sizeof *cps);
}

/* Canonical ordering: runs of combining marks by their class. */
static void order_marks(stretch *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (combining_class(s->cps[i]) == 0)
            continue;
        size_t end = i + 1;
        while (end < s->n && combining_class(s->cps[end]) != 0)
            end++;
        if (end - i <= SHORT_RUN)
            sort_short(s->cps + i, end - i);
        else
            sort_long(s->cps + i, s->sorted, end - i);
        i = end;
    }
}

static int decompose(stretch *s, gol_str text, utf8proc_option_t options)
{
    s->n = 0;
    for (size_t pos = 0; pos < text.len;) {
        const utf8proc_int32_t cp = (utf8proc_int32_t)gol_utf8_next(text, &pos);
        if (reserve(s, EXPANSION_MAX) != 0)
            return GOL_ENOMEM;
        int boundary = 0;
        const utf8proc_ssize_t n = utf8proc_decompose_char(cp, s->cps + s->n, EXPANSION_MAX,
                                                           options, &boundary);
        s->n += n > 0 && n <= EXPANSION_MAX ? (size_t)n : 0;
    }
    order_marks(s);
    return 0;
}

/* Where the stretch of text that is no ASCII ends: at the text's end, an ASCII character, or one that is too new. */
static size_t stretch_end(gol_str text, size_t pos)
{
    while (pos < text.len && (unsigned char)text.data[pos] >= 0x80) {
        const size_t start = pos;
        if (!gol_unicode_has(gol_utf8_next(text, &pos), GOL_UNICODE_9))
            return start;
    }
    return pos;
}

/* text is not empty: s has memory behind decompose(). */
static int put_stretch(gol_buf *out, stretch *s, gol_str text, gol_unicode_form form)
{
    const bool is_compatible = form == GOL_UNICODE_NFKC || form == GOL_UNICODE_NFKD;
    const bool composes = form == GOL_UNICODE_NFC || form == GOL_UNICODE_NFKC;
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE |
                                      (is_compatible ? UTF8PROC_COMPAT : 0);
    assert(text.len > 0);
    if (decompose(s, text, options) != 0)
        return GOL_ENOMEM;
    if (composes) {
        const utf8proc_ssize_t n = utf8proc_normalize_utf32(s->cps, (utf8proc_ssize_t)s->n,
                                                            UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        s->n = n > 0 ? (size_t)n : 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        char bytes[4];
        gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, (uint32_t)s->cps[i]));
    }
    return 0;
}

static size_t ascii_len(gol_str text, size_t pos)
{
    size_t end = pos;
    while (end < text.len && (unsigned char)text.data[end] < 0x80)
        end++;
    return end - pos;
}

int gol_unicode_normalize(gol_buf *out, gol_str text, gol_unicode_form form)
{
    stretch s = {0};
    int rc = 0;
    size_t pos = 0;
    while (rc == 0 && pos < text.len) {
        const size_t n_ascii = ascii_len(text, pos);
        if (pos + n_ascii == text.len) {
            gol_buf_put(out, text.data + pos, n_ascii);
            break;
        }
        const size_t n_plain = n_ascii > 0 ? n_ascii - 1 : 0;
        gol_buf_put(out, text.data + pos, n_plain);
        pos += n_plain;
        const size_t end = stretch_end(text, pos + (n_ascii > 0));
        if (end > pos)
            rc = put_stretch(out, &s, (gol_str){text.data + pos, end - pos}, form);
        pos = end;
        if (pos < text.len && (unsigned char)text.data[pos] >= 0x80) { /* a new character */
            gol_utf8_next(text, &pos);
            gol_buf_put(out, text.data + end, pos - end);
        }
    }
    gol_free(s.cps);
    gol_free(s.sorted);
    return rc;
}
