/*
 * Differences between versions of Unicode: see the header. The table is looked into by halves, behind a bit for every page of 256
 * characters, so that most characters cost one look.
 */
#include "text/unicode_newer.h"

#include <stddef.h>

#include "text/unicode_newer_table.h"
#include "text/utf8.h"

#define N_OF(table) (sizeof(table) / sizeof(table)[0])

enum {
    FIRST_NEWER_LEAD = 0xE0, /* characters of less than three bytes are all older than version 15 */
    NOBODY_3 = 0xFDD0,       /* noncharacters of three and four bytes */
    NOBODY_4 = 0x1FFFE,
};

static const newer_range *find(uint32_t cp)
{
    const size_t page = cp >> 8;
    if (page / 32 >= N_OF(newer_pages) || (newer_pages[page / 32] >> (page % 32) & 1) == 0)
        return NULL;
    size_t low = 0;
    size_t high = N_OF(newer);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (cp > newer[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < N_OF(newer) && cp >= newer[low].first ? &newer[low] : NULL;
}

bool gol_unicode_has(uint32_t cp, gol_unicode_version version)
{
    const newer_range *range = find(cp);
    return range == NULL || range->since <= (int)version;
}

uint32_t gol_unicode_stand_in(uint32_t cp, gol_unicode_version version)
{
    const newer_range *range = find(cp);
    if (range == NULL || range->stand_in == 0)
        return cp;
    if (range->since <= (int)version)
        return range->stand_in;
    return cp < 0x10000 ? NOBODY_3 : NOBODY_4;
}

/* Where the first character at or behind pos begins that has another in its place, or the text's end. */
static size_t find_newer(gol_str text, size_t pos)
{
    while (pos < text.len) {
        if ((unsigned char)text.data[pos] < FIRST_NEWER_LEAD) {
            pos++;
            continue;
        }
        const size_t start = pos;
        const newer_range *range = find(gol_utf8_next(text, &pos));
        if (range != NULL && range->stand_in != 0)
            return start;
    }
    return text.len;
}

gol_str gol_unicode_regex_subject(gol_buf *out, gol_str text)
{
    size_t pos = find_newer(text, 0);
    if (pos == text.len)
        return text;
    gol_buf_clear(out);
    gol_buf_put(out, text.data, pos);
    while (pos < text.len && !out->failed) {
        char bytes[4];
        const uint32_t cp = gol_utf8_next(text, &pos);
        const uint32_t old = gol_unicode_stand_in(cp, GOL_UNICODE_16);
        gol_buf_put(out, bytes, (size_t)gol_utf8_encode(bytes, old));
        const size_t next = find_newer(text, pos);
        gol_buf_put(out, text.data + pos, next - pos);
        pos = next;
    }
    return gol_buf_view(out);
}

int gol_unicode_category(uint32_t cp, gol_unicode_version version)
{
    if (!gol_unicode_has(cp, version))
        return UTF8PROC_CATEGORY_CN;
    for (size_t i = 0; i < N_OF(changed) && cp >= changed[i].first; i++) {
        if (cp <= changed[i].last && version <= GOL_UNICODE_9)
            return (int)(version == GOL_UNICODE_8 ? changed[i].in_8 : changed[i].in_9);
    }
    return (int)utf8proc_category((utf8proc_int32_t)gol_unicode_stand_in(cp, version));
}

uint32_t gol_unicode_newer_lower(uint32_t cp)
{
    for (size_t i = 0; i < N_OF(lowered) && cp >= lowered[i].first; i++) {
        if (cp <= lowered[i].last)
            return (uint32_t)((int32_t)cp + lowered[i].distance);
    }
    return cp;
}
