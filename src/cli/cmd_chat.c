/*
 * gollum chat: a conversation on the terminal. Lines are edited by libedit when stdin is a terminal; Ctrl-C stops the answer, not the
 * program; Ctrl-D or /bye ends it. Answers go to stdout, everything else to stderr.
 */
#include <editline/readline.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "cli/chat_prompt.h"
#include "cli/commands.h"
#include "cli/common.h"

enum { MESSAGES_MAX = 4096, CONVERSATION_BYTES_MAX = 64 << 20 };

typedef struct conversation {
    gollum *g;
    const gol_settings *settings;
    gollum_request request; /* what all turns have in common: everything but the prompt */
    gol_cli_chat chat;
    gol_arena arena; /* texts of all messages */
    gol_chat_message messages[MESSAGES_MAX];
    size_t n;
    bool is_terminal;
    gol_err output; /* why stdout failed */
    int exit_code;  /* of a model that will never answer; 0: it may */
} conversation;

static volatile sig_atomic_t interrupted;

static void on_sigint(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static bool add_message(conversation *c, gol_str role, gol_str content)
{
    char *copy = c->n < MESSAGES_MAX ? gol_arena_try_strdup(&c->arena, content) : NULL;
    if (copy == NULL) {
        fprintf(stderr, "gollum: the conversation is too long, /clear begins a new one\n");
        return false;
    }
    c->messages[c->n++] = (gol_chat_message){role, {copy, content.len}};
    return true;
}

static bool clear(conversation *c)
{
    c->n = 0;
    gol_arena_deinit(&c->arena);
    if (c->settings->system_prompt == NULL)
        return true;
    return add_message(c, GOL_STR("system"), gol_str_from(c->settings->system_prompt));
}

/* Whether Ctrl-C is ours to notice, or ends the program. What is just being printed is not cut short. */
static void catch_interrupts(bool on)
{
    const struct sigaction action = {.sa_handler = on ? on_sigint : SIG_DFL,
                                     .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
}

/* Prints the answer as it comes and collects it without surrounding blanks. */
static gollum_finish receive(conversation *c, uint64_t id, gol_buf *answer)
{
    gollum_event event;
    gollum_event_init(&event);
    while (event.finish == GOLLUM_FINISH_NONE) {
        if (interrupted)
            gollum_abort(c->g, id);
        if (gollum_poll(c->g, &event, 100) != 1)
            continue;
        gol_str text = {event.text, event.text_len};
        while (answer->len == 0 && text.len > 0 && (*text.data == ' ' || *text.data == '\n')) {
            text.data++;
            text.len--;
        }
        gol_buf_put_str(answer, text);
        if (c->output.code == 0 && gol_cli_write_stdout(text, &c->output) != 0)
            gollum_abort(c->g, id); /* nobody reads any more */
    }
    if (c->output.code == 0)
        (void)gol_cli_write_stdout(GOL_STR("\n"), &c->output);
    return event.finish;
}

/* The model's turn. The answer becomes a message, also when it was cut short. */
static int answer(conversation *c)
{
    gol_err err = {0};
    gollum_error error;
    gol_buf prompt;
    gol_buf text;
    gol_buf_init(&prompt, CONVERSATION_BYTES_MAX);
    gol_buf_init(&text, CONVERSATION_BYTES_MAX);
    gollum_request request = c->request;
    uint64_t id;
    int rc = gol_cli_chat_prompt(&c->chat, &prompt, &request, c->messages, c->n, &err);
    if (rc != 0) {
        gol_cli_fail(&err);
    } else {
        rc = gollum_submit(c->g, &request, &id, &error);
        if (rc != 0)
            gol_cli_fail_public(&error);
        if (rc == GOLLUM_EUNSUPPORTED)
            c->exit_code = error.exit_code;
    }
    if (rc == GOLLUM_ECONTEXT)
        fprintf(stderr, "/clear begins a new conversation\n");
    if (rc == 0) {
        const gollum_finish finish = receive(c, id, &text);
        if (finish == GOLLUM_FINISH_ABORT)
            fprintf(stderr, "(stopped)\n");
        if (finish == GOLLUM_FINISH_LENGTH)
            fprintf(stderr, "(cut: --n-predict or the context is used up)\n");
    }
    if (rc == 0 && !add_message(c, GOL_STR("assistant"), gol_buf_view(&text)))
        rc = GOL_ENOMEM;
    if (rc != 0)
        c->n--; /* the user's message: it may be sent again */
    gol_buf_deinit(&prompt);
    gol_buf_deinit(&text);
    return rc;
}

static void print_help(void)
{
    fprintf(stderr, "/clear   begin a new conversation\n"
                    "/system TEXT   begin a new conversation with this system message\n"
                    "/list    show the conversation\n"
                    "/bye     end (also Ctrl-D)\n"
                    "Ctrl-C   stop the answer, or drop the line\n");
}

/* A line that begins with a slash. False: end the program. */
static bool obey(conversation *c, const char *line)
{
    if (strcmp(line, "/bye") == 0 || strcmp(line, "/exit") == 0)
        return false;
    if (strcmp(line, "/clear") == 0) {
        (void)clear(c);
    } else if (strncmp(line, "/system ", 8) == 0) {
        c->n = 0;
        gol_arena_deinit(&c->arena);
        (void)add_message(c, GOL_STR("system"), gol_str_from(line + 8));
    } else if (strcmp(line, "/list") == 0) {
        for (size_t i = 0; i < c->n; i++)
            fprintf(stderr, "%.*s: %.*s\n", GOL_STR_ARG(c->messages[i].role),
                    GOL_STR_ARG(c->messages[i].content));
    } else {
        if (strcmp(line, "/help") != 0 && strcmp(line, "/?") != 0)
            fprintf(stderr, "there is no command %s\n", line);
        print_help();
    }
    return true;
}

/* One line without its newline, to be freed with free(); NULL: the end. */
static char *read_line(const conversation *c)
{
    if (c->is_terminal) {
        char *line = readline("> ");
        if (line == NULL && interrupted) {
            fputc('\n', stderr);
            line = calloc(1, 1); /* Ctrl-C drops what was typed, not the program */
        }
        if (line != NULL && line[0] != '\0')
            add_history(line);
        return line;
    }
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, stdin) < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/*
 * A Ctrl-C from Enter on belongs to the turn, also before its answer begins: on a terminal the handler stays from one line to the
 * next without a gap. Lines from a pipe come when they come: while one is waited for, Ctrl-C ends the program.
 */
static void talk(conversation *c)
{
    while (c->output.code == 0 && c->exit_code == 0) {
        interrupted = 0;
        catch_interrupts(c->is_terminal);
        char *line = read_line(c);
        if (line == NULL)
            break;
        catch_interrupts(true);
        bool goes_on = true;
        if (line[0] == '/')
            goes_on = obey(c, line);
        else if (line[0] != '\0' && add_message(c, GOL_STR("user"), gol_str_from(line)))
            (void)answer(c);
        free(line);
        if (!goes_on)
            break;
    }
    catch_interrupts(false);
}

/* libedit drops what is no character of the locale: typed text is UTF-8, also where the locale is unset. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int gol_cmd_chat(const gol_settings *settings)
{
    gol_err err = {0};
    gollum_error error;
    char path[GOL_PATH_MAX];
    if (gol_cli_find_model(settings, path, &err) != 0)
        return gol_cli_fail(&err);
    gollum_options options;
    gol_cli_fill_options(&options, settings, path);
    conversation *c = gol_xcalloc(1, sizeof *c);
    c->settings = settings;
    c->is_terminal = isatty(STDIN_FILENO);
    use_utf8();
    gol_arena_init(&c->arena, CONVERSATION_BYTES_MAX);
    int exit_code = 0;
    if (gol_cli_chat_open(&c->chat, settings, path, &err) != 0) {
        exit_code = gol_cli_fail(&err);
    } else if (gollum_open(&c->g, &options, &error) != 0) {
        exit_code = gol_cli_fail_public(&error);
    } else if (clear(c)) {
        gol_cli_fill_request(&c->request, settings);
        gol_cli_use_model_sampling(&c->request, settings, c->g);
        if (c->is_terminal)
            fprintf(stderr, "%s: /help for help, Ctrl-D to end\n", path);
        talk(c);
        exit_code = c->output.code != 0 ? gol_cli_fail(&c->output) : c->exit_code;
    }
    gollum_close(&c->g);
    gol_cli_chat_close(&c->chat);
    gol_arena_deinit(&c->arena);
    gol_free(c);
    return exit_code;
}
