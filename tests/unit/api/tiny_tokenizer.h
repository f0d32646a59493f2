/* A GGUF file in memory with a "llama" tokenizer of 256 byte tokens and a few words, and nothing else. */
#ifndef TESTS_UNIT_API_TINY_TOKENIZER_H
#define TESTS_UNIT_API_TINY_TOKENIZER_H

#include <stdint.h>
#include <stdio.h>

#include "support/gguf_bytes.h"

enum {
    TOK_UNK = 0,
    TOK_BOS = 1,
    TOK_EOS = 2,
    TOK_BYTE_0 = 3,               /* <0x00> */
    TOK_HELLO = TOK_BYTE_0 + 256, /* " Hello" */
    TOK_WORLD,                    /* " world" */
    TOK_EN,                       /* "EN" */
    TOK_DING,                     /* "Ding" */
    TOK_SPACE,                    /* " " */
    TOK_N_VOCAB
};

static inline int32_t tok_byte(unsigned char c)
{
    return TOK_BYTE_0 + c;
}

static inline void put_kv_head(gguf_bytes *b, const char *key, uint32_t type)
{
    bytes_put_str(b, key);
    bytes_put_u32(b, type);
}

static inline void put_array_head(gguf_bytes *b, const char *key, uint32_t type)
{
    put_kv_head(b, key, 9);
    bytes_put_u32(b, type);
    bytes_put_u64(b, TOK_N_VOCAB);
}

static inline gguf_bytes tokenizer_file(void)
{
    static const char *const words[] = {"\xe2\x96\x81Hello", "\xe2\x96\x81world", "EN", "Ding",
                                        "\xe2\x96\x81"};
    gguf_bytes b = {0};
    bytes_put_u32(&b, 0x46554747);
    bytes_put_u32(&b, 3);
    bytes_put_u64(&b, 0);
    bytes_put_u64(&b, 6);
    put_kv_head(&b, "tokenizer.ggml.model", 8);
    bytes_put_str(&b, "llama");
    put_kv_head(&b, "tokenizer.ggml.bos_token_id", 4);
    bytes_put_u32(&b, TOK_BOS);
    put_kv_head(&b, "tokenizer.ggml.eos_token_id", 4);
    bytes_put_u32(&b, TOK_EOS);
    put_array_head(&b, "tokenizer.ggml.tokens", 8);
    bytes_put_str(&b, "<unk>");
    bytes_put_str(&b, "<s>");
    bytes_put_str(&b, "</s>");
    for (int c = 0; c < 256; c++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)c);
        bytes_put_str(&b, name);
    }
    for (int w = 0; w < TOK_N_VOCAB - TOK_HELLO; w++)
        bytes_put_str(&b, words[w]);
    put_array_head(&b, "tokenizer.ggml.scores", 6);
    for (int i = 0; i < TOK_N_VOCAB; i++)
        bytes_put_u32(&b, 0);
    put_array_head(&b, "tokenizer.ggml.token_type", 5);
    for (uint32_t i = 0; i < TOK_N_VOCAB; i++)
        bytes_put_u32(&b, i == TOK_UNK ? 2 : i <= TOK_EOS ? 3 : i < TOK_HELLO ? 6 : 1);
    return b;
}

#endif
