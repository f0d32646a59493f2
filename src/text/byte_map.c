/*
 * GPT-2's byte map, worked out instead of stored: four ranges are written as U+0100 + their rank.
 */
#include "text/byte_map.h"

typedef struct byte_range {
    uint32_t first;
    uint32_t last;
    uint32_t rank; /* of first, among the bytes that do not stand for themselves */
} byte_range;

static const byte_range moved[] = {{0x00, 0x20, 0}, {0x7F, 0xA0, 33}, {0xAD, 0xAD, 67}};

enum { N_RANGES = sizeof moved / sizeof moved[0], N_MOVED = 68, BASE = 0x100 };

uint32_t gol_byte_map_char(uint8_t byte)
{
    for (int i = 0; i < N_RANGES; i++) {
        if (byte >= moved[i].first && byte <= moved[i].last)
            return BASE + moved[i].rank + (byte - moved[i].first);
    }
    return byte;
}

int gol_byte_map_byte(uint32_t cp)
{
    if (cp >= BASE + N_MOVED)
        return -1;
    if (cp < BASE)
        return gol_byte_map_char((uint8_t)cp) == cp ? (int)cp : -1;
    const uint32_t rank = cp - BASE;
    int i = N_RANGES - 1;
    while (moved[i].rank > rank)
        i--;
    return (int)(moved[i].first + (rank - moved[i].rank));
}

int gol_byte_map_write(char out[2], uint8_t byte)
{
    const uint32_t cp = gol_byte_map_char(byte);
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    out[0] = (char)(0xC0 | cp >> 6);
    out[1] = (char)(0x80 | (cp & 0x3F));
    return 2;
}
