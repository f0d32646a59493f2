/* gollum: finds the command, reads its settings, runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/option_table.h"

static const gol_command commands[] = {
    {"serve", "Serve the model over HTTP: OpenAI API, many clients in one batch.",
     "gollum serve [-m FILE] [--port N] …", GOL_CMD_SERVE, gol_cmd_serve},
    {"run", "Continue one prompt.", "gollum run [-m FILE] -p TEXT [-n N] …", GOL_CMD_RUN,
     gol_cmd_run},
    {"chat", "Talk with the model on the terminal.", "gollum chat [-m FILE] …", GOL_CMD_CHAT,
     gol_cmd_chat},
    {"tokenize", "Text on stdin -> token ids on one line.", "gollum tokenize [-m FILE] < TEXT",
     GOL_CMD_TOKENIZE, gol_cmd_tokenize},
    {"detokenize", "Token ids on stdin -> text.", "gollum detokenize [-m FILE] < IDS",
     GOL_CMD_DETOKENIZE, gol_cmd_detokenize},
    {"template", "Render the chat template: JSON on stdin -> prompt on stdout.",
     "gollum template [-m FILE | --file T.jinja] < CONTEXT.json", GOL_CMD_TEMPLATE,
     gol_cmd_template},
    {"logits", "Write the model's raw output at every position.",
     "gollum logits [-m FILE] --tokens \"1 2 3\" -o FILE", GOL_CMD_LOGITS, gol_cmd_logits},
    {"embed", "Texts on stdin, one a line -> a vector for each.",
     "gollum embed [-m FILE] [--normalize] [--format json|csv|tsv] < TEXTS", GOL_CMD_EMBED,
     gol_cmd_embed},
    {"rerank", "Documents on stdin, one a line -> how well each fits a query, best first.",
     "gollum rerank [-m FILE] --query TEXT [--top-n N] [--format json|tsv] < DOCUMENTS",
     GOL_CMD_RERANK, gol_cmd_rerank},
    {"inspect", "Show what is in a model file.", "gollum inspect [-m] FILE [--tensors] [--json]",
     GOL_CMD_INSPECT, gol_cmd_inspect},
    {"plan", "Show what a model takes in memory and what fits, without loading it.",
     "gollum plan [-m FILE] [--memory 12G] [--ctx-size N] [--max-num-seqs N] …", GOL_CMD_PLAN,
     gol_cmd_plan},
    {"verify", "Check a model file: structure, and every number finite.", "gollum verify [-m] FILE",
     GOL_CMD_VERIFY, gol_cmd_verify},
    {"quantize", "Write a model with smaller numbers.",
     "gollum quantize IN OUT TYPE [--stats] [--dry-run] …", GOL_CMD_QUANTIZE, gol_cmd_quantize},
    {"convert", "Write a Hugging Face folder as one GGUF file.",
     "gollum convert DIR OUT.gguf [--type TYPE] …", GOL_CMD_CONVERT, gol_cmd_convert},
    {"info", "Show the processor, its level, which model would be used, and each type's kernel.",
     "gollum info [-m FILE] [--json]", GOL_CMD_INFO, gol_cmd_info},
    {"bench", "Measure prefill and decode in tokens per second.",
     "gollum bench [-m FILE] [-p 512] [-n 32] [-b 1,8,32] [-t 1,2] [-d 0,4096] …", GOL_CMD_BENCH,
     gol_cmd_bench},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *out)
{
    fprintf(out, "gollum %s: large language models on your own machine\n\n", gollum_version());
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  gollum %-11s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "  gollum %-11s %s\n", "version", "Print the version.");
    fprintf(
        out,
        "\nWithout -m MODEL the first model in ./models is used, or else the small one that comes "
        "with gollum, for\ndemonstration. `gollum COMMAND --help` lists the options of a "
        "command.\n");
}

static const gol_command *find_command(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* serve tells more than the others: it has no other way to speak. */
static void init_log(const gol_settings *settings, const gol_command *command)
{
    gol_log_level level = GOL_LOG_WARN;
    (void)gol_log_level_parse(settings->log_level, &level);
    const bool is_default = settings->sources[gol_option_find("--log-level", 11, GOL_CMD_ALL)] ==
                            GOL_SOURCE_DEFAULT;
    if (is_default && command->mask == GOL_CMD_SERVE)
        level = GOL_LOG_INFO;
    if (settings->quiet)
        level = GOL_LOG_ERROR;
    const bool is_json = strcmp(settings->log_format, "json") == 0;
    gol_log_init(level, is_json ? GOL_LOG_JSON : GOL_LOG_TEXT, NULL, NULL);
}

static int run_command(const gol_command *command, int argc, char **argv)
{
    gol_settings settings;
    gol_err err = {0};
    int exit_code = 0;
    if (gol_settings_parse(&settings, command, argc, argv, &err) != 0) {
        exit_code = gol_cli_fail(&err);
    } else if (settings.help) {
        gol_option_print_help(stdout, command);
    } else if (settings.print_config) {
        gol_option_print_config(stdout, &settings, command);
    } else if (settings.cpu != NULL && !gol_cpu_limit(settings.cpu)) {
        gol_fail(&err, GOL_EUSAGE, "--cpu: this machine has no level '%s', its highest is '%s'",
                 settings.cpu, gol_cpu_level_name(gol_cpu_detect()));
        exit_code = gol_cli_fail(&err);
    } else {
        init_log(&settings, command);
        exit_code = command->run(&settings);
    }
    gol_settings_deinit(&settings);
    return exit_code;
}

/* A closed stdin, stdout or stderr would be taken by the next file or socket, and our messages would go there. */
static void open_missing_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY); /* what is written to it fails, as it should */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* An answer that did not reach its file is no success. */
static int finish_stdout(int exit_code)
{
    gol_err err = {0};
    if (exit_code != 0 || (fflush(stdout) == 0 && ferror(stdout) == 0))
        return exit_code;
    gol_fail(&err, GOL_EIO, "stdout: %s", errno != 0 ? strerror(errno) : "cannot be written");
    return gol_cli_fail(&err);
}

static int fail_no_command(const char *name)
{
    gol_err err = {0};
    char shown[64];
    gol_fail(&err, GOL_EUSAGE, "there is no command '%s', see `gollum help`",
             gol_quote(shown, sizeof shown, gol_str_from(name)));
    return gol_cli_fail(&err);
}

static int run_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("gollum %s\n", gollum_version());
        return 0;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        const gol_command *command = argc > 2 ? find_command(argv[2]) : NULL;
        if (argc > 2 && command == NULL)
            return fail_no_command(argv[2]);
        if (command != NULL)
            gol_option_print_help(stdout, command);
        else
            print_help(stdout);
        return 0;
    }
    const gol_command *command = find_command(name);
    if (command == NULL && argc < 2)
        print_help(stderr);
    if (command == NULL)
        return argc < 2 ? gol_error_exit_code(GOL_EUSAGE) : fail_no_command(name);
    return run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    open_missing_streams();
    return finish_stdout(run_main(argc, argv));
}
