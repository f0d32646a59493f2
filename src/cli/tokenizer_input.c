/*
 * Shared by tokenize and detokenize: see the header.
 */
#include "cli/tokenizer_input.h"

#include <errno.h>
#include <stdio.h>

enum { READ_CHUNK = 64 << 10 };

int gol_cli_load_tokenizer(gol_tokenizer **out, const char *path, gol_err *err)
{
    *out = NULL;
    if (path == NULL)
        return gol_fail(err, GOL_EUSAGE, "-m FILE is missing: the model whose tokenizer to use");
    gol_model_file *file;
    int rc = gol_model_file_open(&file, path, err);
    if (rc != 0)
        return rc;
    rc = gol_tokenizer_load(out, file, err);
    if (rc != 0)
        gol_fail_prefix(err, "%s", path);
    gol_model_file_close(&file);
    return rc;
}

int gol_cli_read_stdin(gol_buf *out, gol_err *err)
{
    for (;;) {
        char chunk[READ_CHUNK];
        const size_t n = fread(chunk, 1, sizeof chunk, stdin);
        if (n == 0)
            break;
        if (n > out->len_max - out->len)
            return gol_fail(err, GOL_ETOOLARGE, "stdin: more than %zu bytes", out->len_max);
        gol_buf_put(out, chunk, n);
        if (out->failed)
            return gol_fail(err, GOL_ENOMEM, "stdin: out of memory after %zu bytes", out->len);
    }
    if (ferror(stdin))
        return gol_fail(err, GOL_EIO, "stdin: %s", strerror(errno));
    return 0;
}

int gol_cli_write_stdout(gol_str text, gol_err *err)
{
    const size_t n = text.len > 0 ? fwrite(text.data, 1, text.len, stdout) : 0;
    if (n != text.len || fflush(stdout) != 0)
        return gol_fail(err, GOL_EIO, "stdout: %s", strerror(errno));
    return 0;
}

int gol_cli_report(const char *command, const gol_err *err)
{
    fprintf(stderr, "gollum %s: %s\n", command, err->message);
    return gol_error_exit_code(err->code);
}
