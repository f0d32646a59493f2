/*
 * gollum quantize: reads a model, writes it with smaller numbers; gollum convert: the same of a folder, with the numbers it has unless
 * told otherwise. This file: arguments, what must not be overwritten, progress, Ctrl-C. stdout has the tables that were
 * asked for, the rest goes to stderr.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/model_facts.h"
#include "cli/quantize_plan.h"
#include "formats/model_file.h"

static volatile sig_atomic_t caught_signal;

static void on_signal(int number)
{
    caught_signal = number;
}

static int fail_type(const char *text, gol_err *err)
{
    char names[GOL_ERR_MESSAGE_MAX / 2];
    char quoted[64];
    size_t n = 0;
    for (int i = 0; gol_mix_get(i) != NULL && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i > 0 ? " " : "",
                              gol_mix_get(i)->name);
    return gol_fail(err, GOL_EUSAGE, "type '%s': accepted are %s",
                    gol_quote(quoted, sizeof quoted, gol_str_from(text)), names);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat stat_a;
    struct stat stat_b;
    return stat(a, &stat_a) == 0 && stat(b, &stat_b) == 0 && stat_a.st_dev == stat_b.st_dev &&
           stat_a.st_ino == stat_b.st_ino;
}

/* Is `path` one of the files that are read? */
static bool is_source(const gol_model_file *file, const char *path)
{
    for (int i = 0; i < gol_model_file_n_parts(file); i++) {
        const char *part = gol_model_file_part_path(file, i);
        if (part != NULL && is_same_file(part, path))
            return true;
    }
    return false;
}

/* Neither the new file nor the one it is written as first may be the source: it is read while they are written. */
static int check_output(const gol_model_file *file, const char *path, gol_err *err)
{
    char tmp_path[GOL_PATH_MAX + sizeof ".tmp"];
    if (path == NULL)
        return gol_fail(err, GOL_EUSAGE, "no output file; --help shows how to name one");
    if (strlen(path) == 0 || strlen(path) >= GOL_PATH_MAX)
        return gol_fail(err, GOL_EUSAGE, "output: a path of 1 to %d bytes is accepted",
                        GOL_PATH_MAX - 1);
    snprintf(tmp_path, sizeof tmp_path, "%s.tmp", path);
    if (is_source(file, path) || is_source(file, tmp_path))
        return gol_fail(err, GOL_EUSAGE, "output '%s': is the model that is read%s", path,
                        is_source(file, path) ? "" : " (it is written as OUT.tmp first)");
    return 0;
}

static int check_requantized(const gol_quantize_plan *plan, bool is_allowed, gol_err *err)
{
    const gol_quantize_tensor *t = gol_quantize_find_requantized(plan);
    char name[96];
    if (t == NULL || is_allowed)
        return 0;
    return gol_fail(err, GOL_EUSAGE,
                    "tensor '%s' is quantized already (%s) and would become %s, with the errors of "
                    "both: start from F16, BF16 or F32, or give --allow-requantize",
                    gol_quote(name, sizeof name, t->source->name),
                    gol_type_get(t->source->type)->name, gol_type_get(t->to)->name);
}

/* One line for all tensors whose rows did not fit. */
static void note_replaced(const gol_quantize_plan *plan)
{
    const gol_quantize_tensor *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n; i++) {
        if (plan->tensors[i].to == plan->tensors[i].wanted)
            continue;
        first = n == 0 ? &plan->tensors[i] : first;
        n++;
    }
    if (first == NULL)
        return;
    char name[96];
    fprintf(
        stderr,
        "gollum: note: the rows of %zu %s are no whole blocks of the wanted type; '%s' (rows of "
        "%" PRIu64 ") gets %s instead of %s\n",
        n, n == 1 ? "tensor" : "tensors", gol_quote(name, sizeof name, first->source->name),
        first->source->shape[0], gol_type_get(first->to)->name, gol_type_get(first->wanted)->name);
}

typedef struct progress {
    const char *verb;
    bool is_shown;
    bool is_terminal; /* one line that is rewritten; otherwise one line per tenth */
    uint64_t start_ns;
    int last_percent;
} progress;

static bool show_progress(void *user, const gol_tensor *tensor, uint64_t n_done, uint64_t n_total)
{
    progress *p = user;
    const double share = n_total > 0 ? (double)n_done / (double)n_total : 1.0;
    const int percent = (int)(share * 100.0);
    const int step = p->is_terminal ? 1 : 10;
    if (p->is_shown && percent / step > p->last_percent / step) {
        const double seconds = (double)(gol_clock_ns() - p->start_ns) * 1e-9;
        char name[64];
        p->last_percent = percent;
        fprintf(stderr,
                p->is_terminal ? "\r%s %3d%%, %.0f s left, %s\033[K"
                               : "%s %3d%%, %.0f s left, %s\n",
                p->verb, percent, share > 0 ? seconds * (1.0 / share - 1.0) : 0.0,
                gol_quote(name, sizeof name, tensor->name));
    }
    return caught_signal == 0;
}

static int write_model(gol_quantize_plan *plan, const gol_settings *settings, gol_err *err)
{
    progress p = {.verb = plan->mix != NULL ? "quantizing" : "writing",
                  .is_shown = !settings->quiet,
                  .is_terminal = isatty(STDERR_FILENO) == 1,
                  .start_ns = gol_clock_ns()};
    gol_quantize_opts opts = {
        .wants_errors = settings->stats, .progress = show_progress, .user = &p};
    int rc = gol_worker_pool_create(&opts.pool, (int)settings->threads, err);
    if (rc == 0)
        rc = gol_quantize_write(plan, settings->output, &opts, err);
    gol_worker_pool_destroy(&opts.pool);
    if (p.is_shown && p.is_terminal && p.last_percent > 0)
        fprintf(stderr, "\r\033[K");
    if (rc == 0 && p.is_shown) {
        char before[32];
        char after[32];
        fprintf(stderr, "gollum: %s: %s, from %s to %s in %.1f s\n", settings->output,
                plan->mix != NULL ? plan->mix->name : "as stored",
                gol_format_bytes(before, plan->n_bytes_from),
                gol_format_bytes(after, plan->n_bytes_to),
                (double)(gol_clock_ns() - p.start_ns) * 1e-9);
    }
    return rc;
}

static int run(gol_quantize_plan *plan, const gol_settings *settings, gol_err *err)
{
    if (!settings->quiet) {
        note_replaced(plan);
    }
    if (settings->dry_run) {
        gol_quantize_print_plan(stdout, plan);
        return 0;
    }
    int rc = check_output(plan->file, settings->output, err);
    if (rc == 0)
        rc = check_requantized(plan, settings->allow_requantize, err);
    if (rc != 0)
        return rc;
    /* No half file is left. What is just being printed is not cut short; the second signal ends the program at once. */
    gol_cli_catch_ending(on_signal, (int)(SA_RESTART | SA_RESETHAND));
    rc = write_model(plan, settings, err);
    if (rc == 0 && plan->tokenizer_err.code != 0 && !settings->quiet)
        fprintf(stderr,
                "gollum: note: %s; the tokenizer's files went along as they are, which gollum "
                "reads and other programs do not\n",
                plan->tokenizer_err.message);
    if (rc == 0 && settings->stats)
        gol_quantize_print_errors(stdout, plan);
    return rc;
}

/* mix NULL: every tensor keeps its type. rc: of what came before. */
static int write_as(const gol_settings *settings, const gol_mix *mix, int rc, gol_err *err)
{
    char path[GOL_PATH_MAX];
    gol_model_file *file = NULL;
    gol_quantize_plan plan = {0};
    if (rc == 0)
        rc = gol_cli_find_model(settings, path, err);
    if (rc == 0)
        rc = gol_model_file_open_as(
            &file, path, settings->reranker ? GOL_MODEL_USE_RERANKER : GOL_MODEL_USE_ANY, err);
    if (rc == 0)
        rc = gol_quantize_plan_init(&plan, file, mix, err);
    if (rc == 0)
        rc = run(&plan, settings, err);
    gol_quantize_plan_deinit(&plan);
    gol_model_file_close(&file);
    if (rc == 0)
        return 0;
    const int exit_code = gol_cli_fail(err);
    return rc == GOL_EABORTED && caught_signal != 0 ? 128 + (int)caught_signal : exit_code;
}

int gol_cmd_quantize(const gol_settings *settings)
{
    gol_err err = {0};
    const char *type = settings->type != NULL ? settings->type : "";
    const gol_mix *mix = gol_mix_find(gol_str_from(type));
    int rc = 0;
    if (settings->model == NULL)
        rc = gol_fail(&err, GOL_EUSAGE,
                      "no model: `gollum quantize IN OUT TYPE`, see `gollum quantize --help`");
    else if (mix == NULL)
        rc = fail_type(type, &err);
    return write_as(settings, mix, rc, &err);
}

int gol_cmd_convert(const gol_settings *settings)
{
    gol_err err = {0};
    const char *type = settings->type;
    const gol_mix *mix = type != NULL ? gol_mix_find(gol_str_from(type)) : NULL;
    int rc = 0;
    if (settings->model == NULL)
        rc = gol_fail(&err, GOL_EUSAGE,
                      "no model: `gollum convert DIR OUT.gguf`, see `gollum convert --help`");
    else if (type != NULL && mix == NULL)
        rc = fail_type(type, &err);
    return write_as(settings, mix, rc, &err);
}
