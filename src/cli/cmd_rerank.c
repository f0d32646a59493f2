/*
 * gollum rerank: how well documents, one a line on stdin, fit the query of --query; best first. Without --query a line is a query, a tab
 * and a document, and the order stays. Built on the public library alone; lines go to the model in groups, which share its steps.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"

enum {
    GROUP = 256, /* pairs that are given to the library at once */
    INPUT_MAX = 1 << 30,
};

typedef struct ranked {
    gollum_pair pair; /* views the input */
    float score;
    size_t index; /* of its line, from 0 */
} ranked;

typedef struct reranker {
    const gol_settings *settings;
    ranked *items; /* [n] */
    size_t n;
} reranker;

static int parse_line(const reranker *r, ranked *out, gol_str line, gol_err *err)
{
    const char *query = r->settings->query;
    if (query != NULL) {
        out->pair = (gollum_pair){query, strlen(query), line.data, line.len};
        return 0;
    }
    const char *tab = line.len > 0 ? memchr(line.data, '\t', line.len) : NULL;
    if (tab == NULL)
        return gol_fail(err, GOL_EUSAGE,
                        "line %zu has no tab between query and document; --query gives one query "
                        "for all",
                        out->index + 1);
    const size_t n_query = (size_t)(tab - line.data);
    out->pair = (gollum_pair){line.data, n_query, tab + 1, line.len - n_query - 1};
    return 0;
}

static size_t count_lines(gol_str input)
{
    size_t n = 0;
    for (; input.len > 0; n++)
        gol_cli_take_line(&input);
    return n;
}

static int parse_input(reranker *r, gol_str input, gol_err *err)
{
    const size_t n = count_lines(input);
    if (n == 0)
        return 0;
    r->items = gol_try_array(n, sizeof *r->items);
    if (r->items == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu lines", n);
    int rc = 0;
    for (; r->n < n && rc == 0; r->n++) {
        ranked *item = &r->items[r->n];
        *item = (ranked){.index = r->n};
        rc = parse_line(r, item, gol_cli_take_line(&input), err);
    }
    return rc;
}

/* Returns the exit code. */
static int score_all(reranker *r, gollum *g)
{
    gollum_pair pairs[GROUP];
    float scores[GROUP];
    gollum_embed_options options;
    gollum_embed_options_init(&options);
    options.normalize = r->settings->normalize;
    options.parse_special = r->settings->special;
    for (size_t first = 0; first < r->n; first += GROUP) {
        gollum_error error;
        const size_t n = r->n - first < GROUP ? r->n - first : GROUP;
        for (size_t i = 0; i < n; i++)
            pairs[i] = r->items[first + i].pair;
        if (gollum_rerank(g, &options, pairs, n, scores, &error) != 0)
            return gol_cli_fail_line(&error, "pairs", first + 1);
        for (size_t i = 0; i < n; i++)
            r->items[first + i].score = scores[i];
    }
    return 0;
}

/* Best first; of equals the one that came first. */
static int compare(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static int print_item(const reranker *r, const ranked *item, gol_err *err)
{
    const gol_str document = {item->pair.document, item->pair.document_len};
    gol_buf line;
    gol_buf_init(&line, 6 * document.len + 256); /* a byte becomes six at most: \u0000 */
    if (strcmp(r->settings->rerank_format, "json") == 0) {
        gol_json j;
        gol_json_init(&j, &line);
        gol_json_begin_object(&j);
        gol_json_put_uint(&j, "index", item->index);
        gol_json_key(&j, "relevance_score");
        gol_json_float(&j, item->score);
        gol_json_put_string(&j, "document", document);
        gol_json_end_object(&j);
    } else {
        gol_buf_printf(&line, "%.9g\t%zu\t", (double)item->score, item->index);
        gol_buf_put_str(&line, document);
    }
    gol_buf_putc(&line, '\n');
    const int rc = line.failed ? gol_fail(err, GOL_ENOMEM, "out of memory for a line of output")
                               : gol_cli_write_stdout(gol_buf_view(&line), err);
    gol_buf_deinit(&line);
    return rc;
}

static int print_all(reranker *r, gol_err *err)
{
    const size_t n_max = r->settings->top_n > 0 ? (size_t)r->settings->top_n : r->n;
    if (r->settings->query != NULL && r->n > 0)
        qsort(r->items, r->n, sizeof *r->items, compare);
    int rc = 0;
    for (size_t i = 0; i < r->n && i < n_max && rc == 0; i++)
        rc = print_item(r, &r->items[i], err);
    return rc;
}

/* Returns the exit code. */
static int run_model(reranker *r, const char *path)
{
    gollum *g = NULL;
    gollum_error error;
    gol_err err = {0};
    gollum_options options;
    gol_cli_fill_options(&options, r->settings, path);
    options.is_reranker = 1;
    if (gollum_open(&g, &options, &error) != 0)
        return gol_cli_fail_public(&error);
    const int exit_code = score_all(r, g);
    gollum_close(&g);
    if (exit_code != 0)
        return exit_code;
    return print_all(r, &err) == 0 ? 0 : gol_cli_fail(&err);
}

int gol_cmd_rerank(const gol_settings *settings)
{
    gol_err err = {0};
    char path[GOL_PATH_MAX];
    gol_buf input;
    gol_buf_init(&input, INPUT_MAX);
    reranker r = {.settings = settings};
    int rc = 0;
    if (settings->query == NULL && settings->top_n > 0)
        rc = gol_fail(&err, GOL_EUSAGE, "--top-n needs --query: it ranks the documents of one");
    if (rc == 0)
        rc = gol_cli_read_stdin(&input, &err);
    if (rc == 0)
        rc = parse_input(&r, gol_buf_view(&input), &err);
    if (rc == 0)
        rc = gol_cli_find_model(settings, path, &err);
    const int exit_code = rc != 0 ? gol_cli_fail(&err) : run_model(&r, path);
    gol_free(r.items);
    gol_buf_deinit(&input);
    return exit_code;
}
