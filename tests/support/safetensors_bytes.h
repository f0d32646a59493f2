/* Safetensors files put together from a header's text, for files that no writer would make too. */
#ifndef TESTS_SUPPORT_SAFETENSORS_BYTES_H
#define TESTS_SUPPORT_SAFETENSORS_BYTES_H

#include "support/gguf_bytes.h"

/* header_len: what the first eight bytes claim. The data is 0, 1, 2, ... */
static inline gguf_bytes safetensors_claiming(uint64_t header_len, const char *header,
                                              size_t n_data)
{
    gguf_bytes b = {0};
    bytes_put_u64(&b, header_len);
    bytes_put(&b, header, strlen(header));
    for (size_t i = 0; i < n_data; i++)
        bytes_put(&b, &(uint8_t){(uint8_t)i}, 1);
    return b;
}

static inline gguf_bytes safetensors_make(const char *header, size_t n_data)
{
    return safetensors_claiming(strlen(header), header, n_data);
}

#endif
