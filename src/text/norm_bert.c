/*
 * BERT's normalizer (Devlin et al. 2018, tokenization.py): control characters are dropped and white space becomes spaces,
 * ideographs stand alone, accents go, letters become lower case.
 */
#include "text/normalizer.h"

#include <utf8proc.h>

#include "base/mem.h"
#include "text/unicode_forms.h"
#include "text/unicode_props.h"
#include "text/utf8.h"

static bool is_dropped(uint32_t cp)
{
    if (cp == '\t' || cp == '\n' || cp == '\r')
        return false;
    return cp == 0 || cp == 0xFFFD || gol_unicode_is_other(cp);
}

static void clean(const gol_norm_bert_opts *opts, gol_buf *out, gol_str text)
{
    for (size_t pos = 0; pos < text.len;) {
        const size_t start = pos;
        const uint32_t cp = gol_utf8_next(text, &pos);
        if (opts->clean_text && is_dropped(cp))
            continue;
        if (opts->clean_text && gol_unicode_is_space(cp)) {
            gol_buf_putc(out, ' ');
            continue;
        }
        const bool stands_alone = opts->spaces_cjk && gol_unicode_is_cjk(cp);
        if (stands_alone)
            gol_buf_putc(out, ' ');
        gol_buf_put(out, text.data + start, pos - start);
        if (stands_alone)
            gol_buf_putc(out, ' ');
    }
}

/* The first character of the canonical decomposition. */
static uint32_t base_letter(uint32_t cp)
{
    utf8proc_int32_t parts[8];
    int boundary = 0;
    if (cp < 0xC0)
        return cp;
    const utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)cp, parts, 8, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundary);
    return n > 0 ? (uint32_t)parts[0] : cp;
}

static void lower(const gol_norm_bert_opts *opts, gol_buf *out, gol_str text)
{
    for (size_t pos = 0; pos < text.len;) {
        uint32_t cp = gol_utf8_next(text, &pos);
        if (opts->strip_accents && opts->keeps_marks)
            cp = base_letter(cp);
        else if (opts->strip_accents && gol_unicode_is_nonspacing(cp))
            continue;
        uint32_t lowered[2] = {cp, 0};
        char bytes[4];
        const int n = opts->lowercase ? gol_unicode_lower(lowered, cp) : 1;
        for (int i = 0; i < n; i++)
            gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, lowered[i]));
    }
}

static int apply(const void *state, gol_buf *out, gol_str text, bool at_start, gol_err *err)
{
    (void)at_start;
    const gol_norm_bert_opts *opts = state;
    gol_buf cleaned, decomposed;
    gol_buf_init(&cleaned, out->len_max);
    gol_buf_init(&decomposed, out->len_max);
    clean(opts, &cleaned, text);
    int rc = 0;
    if (opts->strip_accents && !opts->keeps_marks) {
        rc = gol_unicode_normalize(&decomposed, gol_buf_view(&cleaned), GOL_UNICODE_NFD);
        lower(opts, out, gol_buf_view(&decomposed));
    } else {
        lower(opts, out, gol_buf_view(&cleaned));
    }
    if (cleaned.failed || decomposed.failed)
        out->failed = true;
    gol_buf_deinit(&cleaned);
    gol_buf_deinit(&decomposed);
    return rc == 0 ? 0 : gol_fail(err, rc, "normalizer: out of memory");
}

static const gol_norm_class norm_bert = {"BertNormalizer", apply, gol_free};

int gol_norm_bert_create(gol_norm_step *out, gol_norm_bert_opts opts, gol_err *err)
{
    gol_norm_bert_opts *state = gol_try_alloc(sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "normalizer: out of memory");
    *state = opts;
    *out = (gol_norm_step){&norm_bert, state};
    return 0;
}
