/*
 * Properties of characters: see the header. Code points are valid scalar values; utf8proc answers for others, too, with
 * "unassigned". Which version of Unicode a question is about, unicode_newer.h says.
 */
#include "text/unicode_props.h"

#include <utf8proc.h>

#include "text/unicode_newer.h"

bool gol_unicode_is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool gol_unicode_is_ascii_punctuation(uint32_t cp)
{
    return (cp >= '!' && cp <= '/') || (cp >= ':' && cp <= '@') || (cp >= '[' && cp <= '`') ||
           (cp >= '{' && cp <= '~');
}

bool gol_unicode_is_punctuation(uint32_t cp)
{
    const int c = gol_unicode_category(cp, GOL_UNICODE_8);
    return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

bool gol_unicode_is_number(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= '0' && cp <= '9';
    const int c = gol_unicode_category(cp, GOL_UNICODE_17);
    return c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO;
}

bool gol_unicode_is_mark(uint32_t cp)
{
    const int c = gol_unicode_category(cp, GOL_UNICODE_9);
    return c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME;
}

bool gol_unicode_is_nonspacing(uint32_t cp)
{
    return cp >= 0x300 && gol_unicode_category(cp, GOL_UNICODE_8) == UTF8PROC_CATEGORY_MN;
}

bool gol_unicode_is_other(uint32_t cp)
{
    const int c = gol_unicode_category(cp, GOL_UNICODE_8);
    return c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CS ||
           c == UTF8PROC_CATEGORY_CO;
}

bool gol_unicode_is_word(uint32_t cp)
{
    const int c = gol_unicode_category(cp, GOL_UNICODE_16);
    if (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_ND)
        return true; /* letters, marks, decimal digits: neighbours in utf8proc's list */
    return c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_PC || cp == 0x200C || cp == 0x200D ||
           (cp >= 0x24B6 && cp <= 0x24E9) || /* Other_Alphabetic among the symbols */
           (cp >= 0x1F130 && cp <= 0x1F149) || (cp >= 0x1F150 && cp <= 0x1F169) ||
           (cp >= 0x1F170 && cp <= 0x1F189);
}

bool gol_unicode_is_cjk(uint32_t cp)
{
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) ||
           (cp >= 0x20000 && cp <= 0x2A6DF) || (cp >= 0x2A700 && cp <= 0x2B73F) ||
           (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B920 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

int gol_unicode_lower(uint32_t out[2], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = cp >= 'A' && cp <= 'Z' ? cp + ('a' - 'A') : cp;
        return 1;
    }
    if (cp == 0x130) { /* the only one of SpecialCasing.txt without a condition that becomes two */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    const uint32_t newer = gol_unicode_newer_lower(cp);
    out[0] = newer != cp ? newer : (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
    return 1;
}
