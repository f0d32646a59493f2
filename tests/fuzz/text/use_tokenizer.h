/* What every tokenizer can do, wherever it came from; ends the process when a promise of tokenizer.h does not hold. */
#ifndef TESTS_FUZZ_TEXT_USE_TOKENIZER_H
#define TESTS_FUZZ_TEXT_USE_TOKENIZER_H

#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz_expect.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

enum { USE_TEXT_MAX = 1 << 24 };

/* All at once and as a stream, which must say the same, in valid UTF-8. */
static inline void use_decoding(const gol_tokenizer *tok, const gol_ids *ids, bool skips_special,
                                gol_buf *whole)
{
    gol_err err = {0};
    gol_buf deltas;
    gol_buf_init(&deltas, USE_TEXT_MAX);
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, skips_special, true);
    FUZZ_EXPECT(gol_tokenizer_decode(tok, whole, ids->data, ids->n, skips_special, &err) == 0);
    for (size_t i = 0; i < ids->n; i++)
        gol_detokenizer_push(&d, ids->data[i], &deltas);
    gol_detokenizer_flush(&d, &deltas);
    FUZZ_EXPECT(gol_str_eq(gol_buf_view(whole), gol_buf_view(&deltas)));
    FUZZ_EXPECT(gol_utf8_is_valid(gol_buf_view(whole)));
    gol_buf_deinit(&deltas);
}

/* Fails with a message, or gives ids that lie in the vocabulary, the same each time, and decode. True: it gave ids. */
static inline bool use_tokenizer(const gol_tokenizer *tok, gol_str text, unsigned flags)
{
    gol_err err = {0};
    gol_ids ids = {0}, again = {0};
    gol_buf out;
    gol_buf_init(&out, USE_TEXT_MAX);
    const int rc = gol_tokenizer_encode(tok, &ids, text, flags, &err);
    if (rc != 0) {
        FUZZ_EXPECT(err.code == rc && err.message[0] != '\0' && ids.n == 0);
    } else {
        for (size_t i = 0; i < ids.n; i++)
            FUZZ_EXPECT(ids.data[i] >= 0 && ids.data[i] < gol_tokenizer_n_vocab(tok));
        FUZZ_EXPECT(gol_tokenizer_encode(tok, &again, text, flags, &err) == 0);
        FUZZ_EXPECT(again.n == ids.n &&
                    (ids.n == 0 || memcmp(again.data, ids.data, ids.n * sizeof *ids.data) == 0));
        use_decoding(tok, &ids, false, &out);
        gol_buf_clear(&out);
        use_decoding(tok, &ids, true, &out);
    }
    gol_buf_deinit(&out);
    gol_ids_deinit(&again);
    gol_ids_deinit(&ids);
    return rc == 0;
}

/* A few texts in which every step has something to do. */
static inline void use_tokenizer_on_texts(const gol_tokenizer *tok)
{
    static const char *const texts[] = {
        "", "Hello, world", " a  b\n\n\tc 123's <s><user> x  word",
        "\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\xff\xc3 \xcc\x81\xe2\x96\x81"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const gol_str text = {texts[i], strlen(texts[i])};
        (void)use_tokenizer(tok, text, GOL_ENCODE_ADD_SPECIAL);
        (void)use_tokenizer(tok, text, GOL_ENCODE_PARSE_SPECIAL);
    }
}

#endif
