/*
 * Any bytes as a model file with a vocabulary: if a tokenizer comes out of it, texts go in, ids inside the vocabulary come
 * out, and these decode.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "fuzz/fuzz_target.h"
#include "text/tokenizer.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static void encode_and_decode(const gol_tokenizer *tok, gol_str text, unsigned flags)
{
    gol_ids ids = {0};
    gol_buf out;
    gol_buf_init(&out, 1u << 20);
    gol_err err = {0};
    const int rc = gol_tokenizer_encode(tok, &ids, text, flags, &err);
    expect(rc == 0 || (err.code == rc && ids.n == 0));
    for (size_t i = 0; i < ids.n; i++)
        expect(ids.data[i] >= 0 && ids.data[i] < gol_tokenizer_n_vocab(tok));
    expect(gol_tokenizer_decode(tok, &out, ids.data, ids.n, false, &err) == 0);
    gol_buf_deinit(&out);
    gol_ids_deinit(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {"", "Hello, world", " a  b\n\n\tc 123's",
                                        "\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80\xff\xc3"};
    /* Oddities are warnings: no line per input. */
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL);
    gol_model_file *file = NULL;
    gol_tokenizer *tok = NULL;
    gol_err err = {0};
    if (gol_model_file_open_memory(&file, data, size, "input", &err) != 0)
        return 0;
    if (gol_tokenizer_load(&tok, file, &err) == 0) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            const gol_str text = {texts[i], strlen(texts[i])};
            encode_and_decode(tok, text, GOL_ENCODE_ADD_SPECIAL);
            encode_and_decode(tok, text, GOL_ENCODE_PARSE_SPECIAL);
        }
    } else {
        expect(err.code < 0 && err.message[0] != '\0');
    }
    gol_tokenizer_destroy(&tok);
    gol_model_file_close(&file);
    return 0;
}
