/* The options, one line each. */
#ifndef GOL_CLI_OPTION_TABLE_H
#define GOL_CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/settings.h"

typedef enum gol_option_kind {
    GOL_OPTION_SWITCH, /* bool; --no-NAME switches off */
    GOL_OPTION_INT,    /* int64_t */
    GOL_OPTION_SIZE,   /* uint64_t bytes: 512M, 4G, 1.5GiB */
    GOL_OPTION_MEMORY, /* gol_memory_amount: a size, or 75% */
    GOL_OPTION_REAL,   /* double */
    GOL_OPTION_TEXT,   /* const char * */
    GOL_OPTION_CHOICE, /* const char *, one of `choices` */
} gol_option_kind;

/* Bits of gol_option.commands. */
enum {
    GOL_CMD_SERVE = 1 << 0,
    GOL_CMD_RUN = 1 << 1,
    GOL_CMD_CHAT = 1 << 2,
    GOL_CMD_TOKENIZE = 1 << 3,
    GOL_CMD_DETOKENIZE = 1 << 4,
    GOL_CMD_LOGITS = 1 << 5,
    GOL_CMD_INSPECT = 1 << 6,
    GOL_CMD_VERIFY = 1 << 7,
    GOL_CMD_INFO = 1 << 8,
    GOL_CMD_BENCH = 1 << 9,
    GOL_CMD_QUANTIZE = 1 << 10,
    GOL_CMD_PLAN = 1 << 11,
    GOL_CMD_EMBED = 1 << 12,
    GOL_CMD_CONVERT = 1 << 13,
    GOL_CMD_TEMPLATE = 1 << 14,
    GOL_CMD_RERANK = 1 << 15,
    GOL_CMD_ALL = (1 << 16) - 1,
    GOL_CMD_WRITE = GOL_CMD_QUANTIZE | GOL_CMD_CONVERT,
    GOL_CMD_GENERATE = GOL_CMD_RUN | GOL_CMD_CHAT,
    GOL_CMD_ENGINE = GOL_CMD_GENERATE | GOL_CMD_EMBED | GOL_CMD_RERANK | GOL_CMD_SERVE |
                     GOL_CMD_PLAN,
};

typedef struct gol_option {
    /* "--ctx-size -c --max-model-len": the first names it in help, environment and config file. */
    const char *names;
    gol_option_kind kind;
    unsigned commands;
    size_t offset;            /* of the field in gol_settings */
    double min, max;          /* INT, REAL, SIZE */
    const char *default_text; /* as one would type it; NULL: zero */
    const char *choices;      /* CHOICE: "f16|f32" */
    const char *arg;          /* how help calls the value */
    const char *help;
} gol_option;

extern const gol_option gol_option_table[];
extern const int gol_n_options;

/* Index of the option with this name ("--port", "-c") for a command, or -1. */
int gol_option_find(const char *name, size_t name_len, unsigned command_mask);

/* The option's name in the environment: GOLLUM_CTX_SIZE for "--ctx-size". */
void gol_option_env_name(const gol_option *option, char *buf, size_t size);

/* Sets the field from text. Errors: GOL_EUSAGE with `shown` (how the user named it), value and what is accepted. */
int gol_option_set(gol_settings *settings, const gol_option *option, const char *shown,
                   const char *text, gol_err *err);

/* The field's value as one would type it. */
void gol_option_print(const gol_settings *settings, const gol_option *option, char *buf,
                      size_t size);

void gol_option_print_help(FILE *out, const gol_command *command);
void gol_option_print_config(FILE *out, const gol_settings *settings, const gol_command *command);

#endif
