/* gollum run: one prompt in, its continuation out as it comes. Built on the public library alone. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/chat_prompt.h"
#include "cli/commands.h"
#include "cli/common.h"

static volatile sig_atomic_t interrupted;

static void on_sigint(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* The prompt as text (in *text) or as ids. */
static int get_prompt(const gol_settings *settings, gol_buf *text, gol_ids *ids, gol_err *err)
{
    if (settings->tokens != NULL && settings->prompt != NULL)
        return gol_fail(err, GOL_EUSAGE, "--prompt and --tokens: give one of them");
    if (settings->tokens != NULL) {
        const int rc = gol_cli_parse_ids(ids, gol_str_from(settings->tokens), "--tokens", err);
        return rc == 0 && ids->n == 0 ? gol_fail(err, GOL_EUSAGE, "--tokens: no ids") : rc;
    }
    if (settings->prompt != NULL && strcmp(settings->prompt, "-") != 0) {
        gol_buf_puts(text, settings->prompt);
        return text->failed ? gol_fail(err, GOL_ENOMEM, "out of memory for the prompt") : 0;
    }
    if (settings->prompt == NULL && isatty(STDIN_FILENO))
        return gol_fail(err, GOL_EUSAGE, "no prompt: give one with -p TEXT or on stdin");
    const int rc = gol_cli_read_stdin(text, err);
    if (rc == 0 && text->len == 0 && settings->prompt == NULL)
        return gol_fail(err, GOL_EUSAGE, "no prompt: stdin is empty, and there is no -p TEXT");
    return rc;
}

/* The event's part of the answer. */
static int print_event(const gollum_event *event, bool ids, gol_err *err)
{
    char id[16] = "";
    if (ids && event->token >= 0)
        snprintf(id, sizeof id, event->n_generated > 1 ? " %d" : "%d", event->token);
    return gol_cli_write_stdout(ids ? gol_str_from(id) : (gol_str){event->text, event->text_len},
                                err);
}

static int print_answer(gollum *g, uint64_t id, bool ids)
{
    gol_err err = {0};
    gollum_event event;
    gollum_event_init(&event);
    gollum_finish finish = GOLLUM_FINISH_NONE;
    const uint64_t begin_ns = gol_clock_ns();
    uint64_t first_ns = begin_ns;
    while (finish == GOLLUM_FINISH_NONE) {
        if (interrupted)
            gollum_abort(g, id);
        if (gollum_poll(g, &event, 100) != 1)
            continue;
        if (event.n_generated == 1 && event.token >= 0)
            first_ns = gol_clock_ns();
        if (err.code == 0 && print_event(&event, ids, &err) != 0)
            gollum_abort(g, id); /* nobody reads any more */
        finish = event.finish;
    }
    if (err.code != 0 || gol_cli_write_stdout(GOL_STR("\n"), &err) != 0)
        return gol_cli_fail(&err);
    const double prefill_s = (double)(first_ns - begin_ns) / 1e9;
    const double decode_s = (double)(gol_clock_ns() - first_ns) / 1e9;
    if (isatty(STDERR_FILENO) && event.n_generated > 1)
        fprintf(stderr, "prompt %d tokens in %.2f s, answer %d tokens, %.1f tokens/s\n",
                event.n_prompt, prefill_s, event.n_generated, (event.n_generated - 1) / decode_s);
    if (finish == GOLLUM_FINISH_ERROR) {
        fprintf(stderr, "gollum: the model's output is not finite\n");
        return gol_error_exit_code(GOL_EINTERNAL);
    }
    return finish == GOLLUM_FINISH_ABORT ? 128 + SIGINT : 0;
}

static int fill_request(gollum_request *request, const gol_settings *settings,
                        gollum_logit_bias biases[static GOL_CLI_BIASES_MAX], gol_err *err)
{
    gol_cli_fill_request(request, settings);
    if (settings->logit_bias == NULL)
        return 0;
    const int n = gol_cli_parse_biases(biases, settings->logit_bias, "--logit-bias", err);
    if (n < 0)
        return n;
    request->logit_bias = biases;
    request->n_logit_bias = (size_t)n;
    return 0;
}

/* --chat: the text becomes a user's message in *prompt, which the request then points to. */
static int write_as_chat(gol_buf *prompt, gollum_request *request, const gol_settings *settings,
                         const char *path, gol_str text, gol_err *err)
{
    gol_cli_chat chat;
    const gol_chat_message messages[] = {
        {GOL_STR("system"), gol_str_from(settings->system_prompt)},
        {GOL_STR("user"), text},
    };
    const size_t n_skipped = settings->system_prompt == NULL;
    int rc = settings->tokens != NULL ? gol_fail(err, GOL_EUSAGE, "--chat and --tokens: give one")
                                      : gol_cli_chat_open(&chat, settings, path, err);
    if (settings->tokens != NULL)
        return rc;
    if (rc == 0)
        rc = gol_cli_chat_prompt(&chat, prompt, request, messages + n_skipped, 2 - n_skipped, err);
    gol_cli_chat_close(&chat);
    return rc;
}

int gol_cmd_run(const gol_settings *settings)
{
    gol_err err = {0};
    gollum_error error;
    char path[GOL_PATH_MAX];
    gol_ids ids = {0};
    gol_buf text;
    gol_buf conversation;
    gol_buf_init(&text, 64u << 20);
    gol_buf_init(&conversation, 64u << 20);
    gollum *g = NULL;
    uint64_t id;
    int exit_code;

    gollum_request request;
    gollum_logit_bias biases[GOL_CLI_BIASES_MAX];
    if (fill_request(&request, settings, biases, &err) != 0 ||
        get_prompt(settings, &text, &ids, &err) != 0 ||
        gol_cli_find_model(settings, path, &err) != 0) {
        exit_code = gol_cli_fail(&err);
        goto done;
    }
    gollum_options options;
    gol_cli_fill_options(&options, settings, path);
    request.prompt = text.data;
    request.prompt_len = text.len;
    request.prompt_ids = ids.data;
    request.n_prompt_ids = ids.n;
    if (settings->chat &&
        write_as_chat(&conversation, &request, settings, path, gol_buf_view(&text), &err) != 0) {
        exit_code = gol_cli_fail(&err);
        goto done;
    }
    int rc = gollum_open(&g, &options, &error);
    if (rc == 0) {
        gol_cli_use_model_sampling(&request, settings, g);
        rc = gollum_submit(g, &request, &id, &error);
    }
    if (rc != 0) {
        exit_code = gol_cli_fail_public(&error);
        goto done;
    }
    /* What is just being printed is not cut short; the second Ctrl-C ends the program at once. */
    const struct sigaction action = {.sa_handler = on_sigint,
                                     .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigaction(SIGINT, &action, NULL);
    exit_code = print_answer(g, id, settings->ids);
done:
    gollum_close(&g);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    gol_buf_deinit(&conversation);
    return exit_code;
}
