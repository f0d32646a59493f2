/*
 * Encodes or decodes many texts with one tokenizer file, for compare_tokenizers.py.
 *
 *     encode_texts FILE encode < texts     lines of hex -> lines of ids, with what the tokenizer puts around a text
 *     encode_texts FILE plain < texts      without that
 *     encode_texts FILE decode < ids       lines of ids -> lines of hex; special tokens are left out
 *     encode_texts FILE time < text        one text as it is: megabytes a second, best of five
 *
 * FILE ends with .json (tokenizer.json), .model (sentencepiece) or .gguf. Decoding goes token by token through the detokenizer and
 * all at once; the two must agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/model_file.h"
#include "text/detokenizer.h"
#include "text/hf/hf_files.h"
#include "text/tokenizer.h"

enum { LINE_MAX_LEN = 1 << 24, OUT_MAX = 1 << 26 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "encode_texts: %s\n", what);
    exit(1);
}

static gol_str read_all(FILE *f)
{
    gol_buf all;
    gol_buf_init(&all, (size_t)1 << 30);
    static char piece[1 << 16];
    for (size_t n = fread(piece, 1, sizeof piece, f); n > 0; n = fread(piece, 1, sizeof piece, f))
        gol_buf_put(&all, piece, n);
    return gol_buf_view(&all);
}

static bool ends_with(const char *path, const char *suffix)
{
    const size_t n = strlen(path);
    return n > strlen(suffix) && strcmp(path + n - strlen(suffix), suffix) == 0;
}

static gol_tokenizer *load(const char *path)
{
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    int rc;
    if (ends_with(path, ".gguf")) {
        gol_model_file *file;
        rc = gol_model_file_open(&file, path, &err);
        if (rc == 0)
            rc = gol_tokenizer_load(&tok, file, &err);
    } else {
        FILE *f = fopen(path, "rb");
        if (f == NULL)
            fail(path);
        const gol_str bytes = read_all(f);
        fclose(f);
        gol_hftok_files files = {.tokenizer_json = {NULL, 0}};
        if (ends_with(path, ".model"))
            files.tokenizer_model = bytes;
        else
            files.tokenizer_json = bytes;
        rc = gol_hftok_create(&tok, &files, &err);
    }
    if (rc != 0)
        fail(err.message);
    return tok;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

static void encode_line(const gol_tokenizer *tok, char *line, unsigned flags)
{
    size_t n = 0;
    for (const char *c = line; hex_digit(c[0]) >= 0; c += 2)
        line[n++] = (char)(hex_digit(c[0]) << 4 | hex_digit(c[1]));
    gol_err err = {0};
    gol_ids ids = {0};
    if (gol_tokenizer_encode(tok, &ids, (gol_str){line, n}, flags, &err) != 0)
        printf("error: %s", err.message);
    for (size_t i = 0; i < ids.n; i++)
        printf("%s%d", i > 0 ? " " : "", ids.data[i]);
    putchar('\n');
    gol_ids_deinit(&ids);
}

static void decode_line(const gol_tokenizer *tok, const char *line)
{
    gol_err err = {0};
    gol_ids ids = {0};
    char *end = NULL;
    for (long id = strtol(line, &end, 10); end != line; id = strtol(line, &end, 10)) {
        gol_ids_push(&ids, (int32_t)id);
        line = end;
    }
    gol_buf whole, streamed;
    gol_buf_init(&whole, OUT_MAX);
    gol_buf_init(&streamed, OUT_MAX);
    if (gol_tokenizer_decode(tok, &whole, ids.data, ids.n, true, &err) != 0)
        fail(err.message);
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, true, true);
    for (size_t i = 0; i < ids.n; i++)
        gol_detokenizer_push(&d, ids.data[i], &streamed);
    gol_detokenizer_flush(&d, &streamed);
    if (whole.len != streamed.len ||
        (whole.len > 0 && memcmp(whole.data, streamed.data, whole.len) != 0))
        fail("a stream of tokens decodes to another text than all at once");
    for (size_t i = 0; i < whole.len; i++)
        printf("%02x", (unsigned char)whole.data[i]);
    putchar('\n');
    gol_buf_deinit(&whole);
    gol_buf_deinit(&streamed);
    gol_ids_deinit(&ids);
}

static void measure(const gol_tokenizer *tok)
{
    const gol_str text = read_all(stdin);
    double best = 1e9;
    size_t n = 0;
    for (int i = 0; i < 5; i++) {
        gol_err err = {0};
        gol_ids ids = {0};
        struct timespec begin, end;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        if (gol_tokenizer_encode(tok, &ids, text, 0, &err) != 0)
            fail(err.message);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        const double s = (double)(end.tv_sec - begin.tv_sec) +
                         (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
        best = s < best ? s : best;
        n = ids.n;
        gol_ids_deinit(&ids);
    }
    printf("%zu tokens, %.4f s, %.2f MB/s\n", n, best, (double)text.len / best / 1e6);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("encode_texts FILE encode|plain|decode|time");
    const gol_tokenizer *tok = load(argv[1]);
    if (strcmp(argv[2], "time") == 0) {
        measure(tok);
        return 0;
    }
    const unsigned flags = strcmp(argv[2], "encode") == 0
                               ? GOL_ENCODE_ADD_SPECIAL | GOL_ENCODE_PARSE_SPECIAL
                               : 0;
    static char line[LINE_MAX_LEN];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(argv[2], "decode") == 0)
            decode_line(tok, line);
        else
            encode_line(tok, line, flags);
    }
    return 0;
}
