/*
 * See the header. Everything is linear in its input and output.
 */
#include "text/template/jtext.h"

#include <string.h>

#include "text/utf8.h"

void gol_jbegin_text(const gol_jinja *j, gol_buf *text)
{
    gol_buf_init(text, j->limits.output_max);
}

int gol_jfinish_text(gol_jinja *j, gol_jvalue *out, gol_buf *text, int rc)
{
    if (rc == 0 && text->failed)
        rc = text->len > j->limits.output_max / 2
                 ? gol_jinja_fail(j, "the template makes a text of more than %zu bytes",
                                  j->limits.output_max)
                 : gol_fail(&j->err, GOL_ENOMEM, "chat template: out of memory");
    if (rc == 0)
        rc = gol_jvalue_copy_str(j, out, gol_buf_view(text));
    gol_buf_deinit(text);
    return rc;
}

/* A sigma at the end of a word has a form of its own. */
static bool is_final_sigma(gol_str s, size_t from, size_t behind)
{
    if (from == 0 || !gol_jchar_is_cased(gol_jchar_prev(s, &from)))
        return false;
    return behind >= s.len || !gol_jchar_is_cased(gol_jchar_next(s, &behind));
}

static void put_lower(gol_buf *out, gol_str s, size_t from, size_t behind, uint32_t cp)
{
    if (cp == 0x3a3 && is_final_sigma(s, from, behind))
        gol_buf_puts(out, "\xcf\x82");
    else
        gol_jchar_put_case(out, cp, GOL_JCASE_LOWER);
}

int gol_jtext_case(gol_jinja *j, gol_jvalue *out, gol_str s, gol_jcase to)
{
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t pos = 0; pos < s.len;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(s, &pos);
        if (to == GOL_JCASE_LOWER)
            put_lower(&text, s, from, pos, cp);
        else
            gol_jchar_put_case(&text, cp, to);
    }
    return gol_jfinish_text(j, out, &text, 0);
}

int gol_jtext_capitalize(gol_jinja *j, gol_jvalue *out, gol_str s)
{
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t pos = 0; pos < s.len;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(s, &pos);
        if (from == 0)
            gol_jchar_put_case(&text, cp, GOL_JCASE_TITLE);
        else
            put_lower(&text, s, from, pos, cp);
    }
    return gol_jfinish_text(j, out, &text, 0);
}

size_t gol_jtext_find(gol_str s, gol_str sub)
{
    if (sub.len == 0)
        return 0;
    const char *at = s.len > 0 ? memmem(s.data, s.len, sub.data, sub.len) : NULL;
    return at ? (size_t)(at - s.data) : SIZE_MAX;
}

int gol_jtext_find_last(gol_jinja *j, size_t *at, gol_str s, gol_str sub)
{
    enum { STRIDE = 1024 }; /* places tried for each payment */
    *at = SIZE_MAX;
    if (sub.len > s.len)
        return 0;
    for (size_t n = 0, from = s.len - sub.len;; from--, n++) {
        if (n % STRIDE == 0 && gol_jinja_charge(j, 1 + STRIDE / 64 * (1 + sub.len / 64)) != 0)
            return j->err.code;
        if (sub.len == 0 || memcmp(s.data + from, sub.data, sub.len) == 0) {
            *at = from;
            return 0;
        }
        if (from == 0)
            return 0;
    }
}

/* Between the characters, when there is nothing to look for. */
static void replace_empty(gol_buf *text, gol_str s, gol_str by, int64_t count)
{
    for (size_t pos = 0; count != 0; count--) {
        gol_buf_put_str(text, by);
        const size_t from = pos;
        if (pos == s.len)
            return;
        gol_jchar_next(s, &pos);
        gol_buf_put(text, s.data + from, pos - from);
        if (count == 1 && pos < s.len)
            gol_buf_put(text, s.data + pos, s.len - pos);
        if (text->failed)
            return;
    }
}

int gol_jtext_replace(gol_jinja *j, gol_jvalue *out, gol_str s, gol_str old, gol_str by,
                      int64_t count)
{
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = gol_jinja_charge_bytes(j, s.len);
    if (old.len == 0 && count != 0) {
        replace_empty(&text, s, by, count);
        return gol_jfinish_text(j, out, &text, rc);
    }
    size_t pos = 0;
    while (rc == 0 && count != 0 && !text.failed) {
        const size_t at = gol_jtext_find((gol_str){s.data + pos, s.len - pos}, old);
        if (at == SIZE_MAX)
            break;
        gol_buf_put(&text, s.data + pos, at);
        gol_buf_put_str(&text, by);
        pos += at + old.len;
        count--;
    }
    if (pos < s.len)
        gol_buf_put(&text, s.data + pos, s.len - pos);
    return gol_jfinish_text(j, out, &text, rc);
}

static bool has_char(gol_str chars, gol_str one)
{
    return gol_jtext_find(chars, one) != SIZE_MAX; /* UTF-8 finds whole characters only */
}

int gol_jtext_strip(gol_jinja *j, gol_jvalue *out, gol_str s, gol_str chars, bool left, bool right)
{
    uint64_t cost;
    if (__builtin_mul_overflow((uint64_t)s.len / 64, (uint64_t)chars.len, &cost))
        cost = UINT64_MAX / 2;
    const int rc = gol_jinja_charge(j, cost);
    if (rc != 0)
        return rc;
    size_t from = 0;
    while (left && from < s.len) {
        size_t pos = from;
        gol_jchar_next(s, &pos);
        if (!has_char(chars, (gol_str){s.data + from, pos - from}))
            break;
        from = pos;
    }
    size_t to = s.len;
    while (right && to > from) {
        size_t pos = to;
        gol_jchar_prev(s, &pos);
        if (!has_char(chars, (gol_str){s.data + pos, to - pos}))
            break;
        to = pos;
    }
    *out = gol_jvalue_str((gol_str){s.data ? s.data + from : NULL, to - from});
    return 0;
}

int gol_jtext_put_fill(gol_jinja *j, gol_buf *out, gol_str fill, int64_t n)
{
    if (n > 0 && (uint64_t)n > j->limits.output_max)
        return gol_jinja_fail(j, "the template makes a text of more than %zu bytes",
                              j->limits.output_max);
    const int rc = n > 0 ? gol_jinja_charge(j, (uint64_t)n / 8) : 0;
    for (int64_t i = 0; i < n && rc == 0; i++)
        gol_buf_put_str(out, fill);
    return rc;
}

int gol_jtext_pad(gol_jinja *j, gol_jvalue *out, gol_str s, int64_t width, gol_str fill,
                  gol_jalign align)
{
    const int64_t n = (int64_t)gol_utf8_count(s);
    const int64_t pad = width > n ? width - n : 0;
    int64_t left = 0;
    if (align == GOL_JALIGN_RIGHT)
        left = pad;
    else if (align == GOL_JALIGN_CENTER)
        left = pad / 2 + (pad & width & 1); /* Python's choice for the odd one */
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = gol_jtext_put_fill(j, &text, fill, left);
    gol_buf_put_str(&text, s);
    if (rc == 0)
        rc = gol_jtext_put_fill(j, &text, fill, pad - left);
    return gol_jfinish_text(j, out, &text, rc);
}

static bool is_line_end(uint32_t cp)
{
    return (cp >= '\n' && cp <= '\r') || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

int gol_jtext_lines(gol_jinja *j, gol_jvalue *out, gol_str s, bool keeps_ends)
{
    int rc = gol_jlist_create(j, out, GOL_J_LIST, 0);
    size_t line = 0;
    for (size_t pos = 0; pos < s.len && rc == 0;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(s, &pos);
        if (!is_line_end(cp))
            continue;
        if (cp == '\r' && pos < s.len && s.data[pos] == '\n')
            pos++;
        const size_t end = keeps_ends ? pos : from;
        rc = gol_jlist_push(j, out->list, gol_jvalue_str((gol_str){s.data + line, end - line}));
        line = pos;
    }
    if (rc == 0 && line < s.len)
        rc = gol_jlist_push(j, out->list, gol_jvalue_str((gol_str){s.data + line, s.len - line}));
    return rc;
}
