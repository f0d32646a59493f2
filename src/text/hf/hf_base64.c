/*
 * Base64: groups of four letters, the last of which may end with "=" and "==".
 */
#include "text/hf/hf_base64.h"

#include <stdint.h>

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int gol_hftok_base64_decode(gol_buf *out, gol_str text, gol_err *err)
{
    while (text.len > 0 && text.data[text.len - 1] == '=' && text.len % 4 != 1)
        text.len--;
    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        const int value = value_of(text.data[i]);
        if (value < 0)
            return gol_fail(err, GOL_EMODEL, "byte %zu: no letter of base64", i);
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            gol_buf_putc(out, (char)(uint8_t)(bits >> n_bits));
        }
    }
    return out->failed ? gol_fail(err, GOL_ENOMEM, "out of memory") : 0;
}
