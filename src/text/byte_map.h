/*
 * GPT-2's reversible map between bytes and printable characters (Radford et al. 2019, encoder.py, bytes_to_unicode): byte-level
 * vocabularies write their tokens with it. Printable bytes (21..7E, A1..AC, AE..FF) stand for themselves, the other 68 for
 * U+0100, U+0101, ... in rising order; a space is thus U+0120.
 */
#ifndef GOL_TEXT_BYTE_MAP_H
#define GOL_TEXT_BYTE_MAP_H

#include <stdint.h>

uint32_t gol_byte_map_char(uint8_t byte);          /* the code point a byte is written as */
int gol_byte_map_byte(uint32_t cp);                /* the byte, or -1 when cp stands for none */
int gol_byte_map_write(char out[2], uint8_t byte); /* as UTF-8; returns 1 or 2 */

#endif
