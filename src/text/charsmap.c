/*
 * Charsmap: see the header. A unit of a Darts-clone double array (Yata): bit 31 and bits 0 to 7 are the label, bit 8 says that a
 * value hangs below, bit 9 that the offset in the bits above is to be shifted by eight more. A value's unit has bit 31 set.
 */
#include "text/charsmap.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

int gol_charsmap_init(gol_charsmap *map, gol_str bytes, const char *name, gol_err *err)
{
    *map = (gol_charsmap){0};
    if (bytes.len == 0)
        return 0;
    if (bytes.len > GOL_CHARSMAP_LEN_MAX)
        return gol_fail(err, GOL_EMODEL, "%s: %zu bytes, at most %d are accepted", name, bytes.len,
                        GOL_CHARSMAP_LEN_MAX);
    gol_cursor c = gol_cursor_from(bytes.data, bytes.len);
    const uint32_t n_trie = gol_cursor_u32(&c);
    gol_cursor_skip(&c, n_trie);
    if (c.failed || n_trie % sizeof(uint32_t) != 0 || n_trie == 0)
        return gol_fail(err, GOL_EMODEL,
                        "%s: a trie of %u bytes in a map of %zu, units of four bytes are accepted",
                        name, n_trie, bytes.len);
    map->data = gol_try_alloc(bytes.len);
    if (map->data == NULL)
        return gol_fail(err, GOL_ENOMEM, "%s: out of memory", name);
    memcpy(map->data, bytes.data, bytes.len);
    map->units = (const uint8_t *)map->data + sizeof n_trie;
    map->n_units = n_trie / sizeof(uint32_t);
    const size_t n_before = sizeof n_trie + n_trie;
    map->replacements = (gol_str){map->data + n_before, bytes.len - n_before};
    return 0;
}

void gol_charsmap_deinit(gol_charsmap *map)
{
    gol_free(map->data);
    *map = (gol_charsmap){0};
}

/* Units outside the array are like free ones: no label fits. */
static uint32_t unit_at(const gol_charsmap *map, size_t i)
{
    return i < map->n_units ? gol_load_u32(map->units + i * sizeof(uint32_t)) : UINT32_MAX;
}

static uint32_t offset_of(uint32_t unit)
{
    return unit >> 10 << ((unit & 1u << 9) >> 6);
}

static bool replacement_at(const gol_charsmap *map, uint32_t start, gol_str *out)
{
    if (start >= map->replacements.len)
        return false;
    const char *data = map->replacements.data + start;
    const size_t n_left = map->replacements.len - start;
    const char *end = memchr(data, '\0', n_left);
    *out = (gol_str){data, end != NULL ? (size_t)(end - data) : n_left};
    return true;
}

size_t gol_charsmap_find(const gol_charsmap *map, gol_str text, bool shortest, gol_str *replacement)
{
    size_t n_found = 0;
    if (map->n_units == 0)
        return 0;
    size_t node = offset_of(unit_at(map, 0));
    for (size_t pos = 0; pos < text.len; pos++) {
        const uint8_t byte = (uint8_t)text.data[pos];
        node ^= byte;
        const uint32_t unit = unit_at(map, node);
        if ((unit & (1u << 31 | 0xFF)) != byte)
            break;
        node ^= offset_of(unit);
        if ((unit >> 8 & 1) == 0 || node >= map->n_units)
            continue;
        if (!replacement_at(map, unit_at(map, node) & 0x7FFFFFFF, replacement))
            continue;
        n_found = pos + 1;
        if (shortest)
            break;
    }
    return n_found;
}
