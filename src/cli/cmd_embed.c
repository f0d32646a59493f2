/*
 * gollum embed: a vector, or a classifier's scores, for the tokens of --tokens, or for each line of stdin, one line of numbers each.
 * Built on the public library alone; lines go to the model in groups, which share its steps.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"

enum {
    GROUP = 256, /* texts whose vectors are in memory at once */
    INPUT_MAX = 1 << 30,
};

typedef struct embedder {
    const gol_settings *settings;
    gollum *g;
    gollum_embed_options options;
    size_t width;
    float *values; /* [GROUP][width] */
} embedder;

static gollum_pooling pooling_of(const gol_settings *settings)
{
    static const char *const names[] = {"model", "mean", "cls", "last", "rank"};
    int i = 0;
    while (strcmp(names[i], settings->pooling) != 0)
        i++;
    return (gollum_pooling)i;
}

/* Nine digits give a float back to the last bit. */
static int print_vector(const embedder *e, const float *x, gol_err *err)
{
    enum { NUMBER_MAX = 20 };
    const char *format = e->settings->embed_format;
    const bool is_json = strcmp(format, "json") == 0;
    const char separator = strcmp(format, "tsv") == 0 ? '\t' : ',';
    gol_buf line;
    gol_buf_init(&line, e->width * NUMBER_MAX + 4);
    if (is_json)
        gol_buf_putc(&line, '[');
    for (size_t i = 0; i < e->width; i++) {
        if (i > 0)
            gol_buf_putc(&line, separator);
        gol_buf_printf(&line, "%.9g", (double)x[i]);
    }
    gol_buf_puts(&line, is_json ? "]\n" : "\n");
    const int rc = line.failed ? gol_fail(err, GOL_ENOMEM, "out of memory for a line of numbers")
                               : gol_cli_write_stdout(gol_buf_view(&line), err);
    gol_buf_deinit(&line);
    return rc;
}

/* Up to GROUP texts. first_line: see gol_cli_fail_line(). Returns the exit code. */
static int embed_group(embedder *e, const gollum_text *texts, size_t n, size_t first_line)
{
    gollum_error error;
    gol_err err = {0};
    if (gollum_embed(e->g, &e->options, texts, n, e->values, &error) != 0)
        return gol_cli_fail_line(&error, "texts", first_line);
    for (size_t i = 0; i < n; i++)
        if (print_vector(e, e->values + i * e->width, &err) != 0)
            return gol_cli_fail(&err);
    return 0;
}

/* A text is a line without its end. Returns the exit code. */
static int embed_lines(embedder *e, gol_str input)
{
    gollum_text texts[GROUP];
    size_t n = 0;
    size_t n_done = 0;
    int exit_code = 0;
    while (input.len > 0 && exit_code == 0) {
        const gol_str line = gol_cli_take_line(&input);
        texts[n++] = (gollum_text){.text = line.data, .text_len = line.len};
        if (n == GROUP || input.len == 0) {
            exit_code = embed_group(e, texts, n, n_done + 1);
            n_done += n;
            n = 0;
        }
    }
    return exit_code;
}

static int open_embedder(embedder *e, const char *path)
{
    gollum_error error;
    gol_err err = {0};
    gollum_options options;
    gol_cli_fill_options(&options, e->settings, path);
    options.is_reranker = pooling_of(e->settings) == GOLLUM_POOLING_RANK;
    if (gollum_open(&e->g, &options, &error) != 0)
        return gol_cli_fail_public(&error);
    gollum_embed_options_init(&e->options);
    e->options.pooling = pooling_of(e->settings);
    e->options.normalize = e->settings->normalize;
    e->options.parse_special = e->settings->special;
    e->width = (size_t)gollum_embed_width(e->g, e->options.pooling);
    /* 0 numbers: the library will say why. */
    e->values = gol_try_array(GROUP * (e->width > 0 ? e->width : 1), sizeof *e->values);
    if (e->values != NULL)
        return 0;
    gol_fail(&err, GOL_ENOMEM, "out of memory for %d vectors", GROUP);
    return gol_cli_fail(&err);
}

int gol_cmd_embed(const gol_settings *settings)
{
    gol_err err = {0};
    gol_ids ids = {0};
    char path[GOL_PATH_MAX];
    gol_buf input;
    gol_buf_init(&input, INPUT_MAX);
    int rc = 0;
    if (settings->tokens != NULL) {
        rc = gol_cli_parse_ids(&ids, gol_str_from(settings->tokens), "--tokens", &err);
        if (rc == 0 && ids.n == 0)
            rc = gol_fail(&err, GOL_EUSAGE, "--tokens: no ids");
    } else {
        rc = gol_cli_read_stdin(&input, &err);
    }
    if (rc == 0)
        rc = gol_cli_find_model(settings, path, &err);
    int exit_code = rc != 0 ? gol_cli_fail(&err) : 0;
    embedder e = {.settings = settings};
    if (exit_code == 0)
        exit_code = open_embedder(&e, path);
    if (exit_code == 0) {
        const gollum_text tokens = {.ids = ids.data, .n_ids = ids.n};
        exit_code = ids.n > 0 ? embed_group(&e, &tokens, 1, 0)
                              : embed_lines(&e, gol_buf_view(&input));
    }
    gol_free(e.values);
    gollum_close(&e.g);
    gol_buf_deinit(&input);
    gol_ids_deinit(&ids);
    return exit_code;
}
