/*
 * Properties of characters, from utf8proc's tables; full case mappings of more than one character are in special_case_table.h.
 */
#include "text/template/jchar.h"

#include <assert.h>
#include <utf8proc.h>

#include "text/template/special_case_table.h"
#include "text/utf8.h"

bool gol_jchar_is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r') || (cp >= 0x1c && cp <= 0x1f);
    return cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static utf8proc_category_t category(uint32_t cp)
{
    return utf8proc_category((utf8proc_int32_t)cp);
}

bool gol_jchar_is_printable(uint32_t cp)
{
    if (cp < 0x7f)
        return cp >= ' ';
    switch (category(cp)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
        return false;
    default:
        return true;
    }
}

bool gol_jchar_is_alpha(uint32_t cp)
{
    if (cp < 0x80)
        return (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL || c == UTF8PROC_CATEGORY_LT ||
           c == UTF8PROC_CATEGORY_LM || c == UTF8PROC_CATEGORY_LO;
}

bool gol_jchar_is_decimal(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= '0' && cp <= '9';
    return category(cp) == UTF8PROC_CATEGORY_ND;
}

bool gol_jchar_is_digit(uint32_t cp)
{
    return gol_jchar_is_decimal(cp) || cp == 0xb2 || cp == 0xb3 || cp == 0xb9 ||
           (cp >= 0x2070 && cp <= 0x2089 && cp != 0x2071 && cp != 0x2072 && cp != 0x2073 &&
            (cp < 0x207a || cp >= 0x2080)) ||
           (cp >= 0x2460 && cp <= 0x2468);
}

bool gol_jchar_is_numeric(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= '0' && cp <= '9';
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_NO;
}

bool gol_jchar_is_word(uint32_t cp)
{
    return cp == '_' || gol_jchar_is_alpha(cp) || gol_jchar_is_numeric(cp);
}

bool gol_jchar_is_upper(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z';
    return category(cp) == UTF8PROC_CATEGORY_LU || (cp >= 0x2160 && cp <= 0x216f) ||
           (cp >= 0x24b6 && cp <= 0x24cf);
}

bool gol_jchar_is_lower(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'a' && cp <= 'z';
    return category(cp) == UTF8PROC_CATEGORY_LL || cp == 0xaa || cp == 0xba ||
           (cp >= 0x2170 && cp <= 0x217f) || (cp >= 0x24d0 && cp <= 0x24e9);
}

bool gol_jchar_is_title(uint32_t cp)
{
    return cp >= 0x80 && category(cp) == UTF8PROC_CATEGORY_LT;
}

bool gol_jchar_is_cased(uint32_t cp)
{
    return gol_jchar_is_upper(cp) || gol_jchar_is_lower(cp) || gol_jchar_is_title(cp);
}

static void put_char(gol_buf *out, uint32_t cp)
{
    char bytes[4];
    gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, cp));
}

static const special_case *find_special(uint32_t cp)
{
    size_t lo = 0;
    size_t hi = N_SPECIAL_CASES;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (special_cases[mid].cp == cp)
            return &special_cases[mid];
        if (special_cases[mid].cp < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

void gol_jchar_put_case(gol_buf *out, uint32_t cp, gol_jcase to)
{
    if (cp < 0x80) {
        const bool is_other = to == GOL_JCASE_LOWER ? gol_jchar_is_upper(cp)
                                                    : gol_jchar_is_lower(cp);
        gol_buf_putc(out, (char)(is_other ? cp ^ 0x20 : cp));
        return;
    }
    if (to == GOL_JCASE_LOWER) {
        if (cp == 0x130) /* I with a dot keeps the dot */
            gol_buf_puts(out, "i\xcc\x87");
        else
            put_char(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp));
        return;
    }
    const special_case *special = find_special(cp);
    if (special) {
        const uint16_t *to_chars = to == GOL_JCASE_UPPER ? special->upper : special->title;
        for (int i = 0; i < 3 && to_chars[i] != 0; i++)
            put_char(out, to_chars[i]);
        return;
    }
    const utf8proc_int32_t c = (utf8proc_int32_t)cp;
    put_char(out, (uint32_t)(to == GOL_JCASE_UPPER ? utf8proc_toupper(c) : utf8proc_totitle(c)));
}

uint32_t gol_jchar_next(gol_str s, size_t *pos)
{
    uint32_t cp;
    int n_bad;
    const int n = gol_utf8_decode(s.data + *pos, s.len - *pos, &cp, &n_bad);
    assert(n > 0); /* strings of templates are valid */
    *pos += (size_t)n;
    return cp;
}

uint32_t gol_jchar_prev(gol_str s, size_t *pos)
{
    size_t front = *pos;
    do
        front--;
    while (((unsigned char)s.data[front] & 0xc0) == 0x80);
    *pos = front;
    size_t behind = front;
    return gol_jchar_next(s, &behind);
}

size_t gol_jchar_offset(gol_str s, size_t n)
{
    size_t pos = 0;
    for (; pos < s.len; pos++) {
        if (((unsigned char)s.data[pos] & 0xc0) == 0x80)
            continue;
        if (n == 0)
            break;
        n--;
    }
    return pos;
}

gol_str gol_jchar_strip(gol_str s, bool left, bool right)
{
    size_t from = 0;
    while (left && from < s.len) {
        size_t pos = from;
        if (!gol_jchar_is_space(gol_jchar_next(s, &pos)))
            break;
        from = pos;
    }
    size_t to = s.len;
    while (right && to > from) {
        size_t pos = to;
        if (!gol_jchar_is_space(gol_jchar_prev(s, &pos)))
            break;
        to = pos;
    }
    return (gol_str){s.data ? s.data + from : NULL, to - from};
}
