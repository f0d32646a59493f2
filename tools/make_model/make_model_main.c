/*
 * make_model: writes a model file of real shape with random weights. A development tool; see make_model.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_model/make_model.h"

static void print_usage(FILE *out)
{
    fputs("usage: make_model [--arch ARCH] --shape SHAPE [--type TYPE] [--vocab full|byte] [--seed "
          "N] -o FILE\n\n"
          "Writes a GGUF model with random weights and a working tokenizer.\n\n  types:",
          out);
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        if (make_model_can_write((gol_type)id))
            fprintf(out, " %s", gol_type_find(id)->name);
    }
    fputs(" (default F16)\n  mixtures:", out);
    for (int i = 0; gol_mix_get(i); i++) {
        gol_type type;
        if (!gol_type_parse(gol_str_from(gol_mix_get(i)->name), &type))
            fprintf(out, " %s", gol_mix_get(i)->name);
    }
    fputs("\n  arch and shape:\n", out);
    for (int i = 0; make_model_get_shape(i); i++)
        fprintf(out, "    %-15s %s\n", make_model_get_shape(i)->arch,
                make_model_get_shape(i)->name);
}

static int parse_seed(uint64_t *out, const char *text)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-')
        return -1;
    *out = value;
    return 0;
}

typedef struct arguments {
    const char *arch;
    const char *shape;
    const char *path;
    make_model_options options;
} arguments;

/* A type for every matrix, or else the name of a mixture. */
static bool take_type(make_model_options *options, const char *value)
{
    options->mix = NULL;
    if (gol_type_parse(gol_str_from(value), &options->type) && make_model_can_write(options->type))
        return true;
    options->mix = gol_mix_find(gol_str_from(value));
    if (!options->mix)
        fprintf(stderr, "make_model: --type %s: no type or mixture that can be written\n", value);
    return options->mix != NULL;
}

/* Takes one option; false, with a message, when it is wrong. */
static bool take_option(arguments *args, int option, const char *value)
{
    switch (option) {
    case 'a':
        args->arch = value;
        return true;
    case 's':
        args->shape = value;
        return true;
    case 'o':
        args->path = value;
        return true;
    case 't':
        return take_type(&args->options, value);
    case 'v':
        args->options.byte_vocab = strcmp(value, "byte") == 0;
        if (args->options.byte_vocab || strcmp(value, "full") == 0)
            return true;
        fprintf(stderr, "make_model: --vocab %s: full or byte\n", value);
        return false;
    case 'n':
        if (parse_seed(&args->options.seed, value) == 0)
            return true;
        fprintf(stderr, "make_model: --seed %s: a whole number from 0 on\n", value);
        return false;
    default:
        return false; /* getopt has said why */
    }
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"arch", required_argument, NULL, 'a'}, {"shape", required_argument, NULL, 's'},
        {"type", required_argument, NULL, 't'}, {"vocab", required_argument, NULL, 'v'},
        {"seed", required_argument, NULL, 'n'}, {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    const int usage_exit = gol_error_exit_code(GOL_EUSAGE);
    arguments args = {.options = {.type = GOL_TYPE_F16, .seed = 1}};
    for (int option = getopt_long(argc, argv, "o:h", long_options, NULL); option != -1;
         option = getopt_long(argc, argv, "o:h", long_options, NULL)) {
        if (option == 'h') {
            print_usage(stdout);
            return 0;
        }
        if (!take_option(&args, option, optarg))
            return usage_exit;
    }
    if (!args.shape || !args.path || optind != argc) {
        print_usage(stderr);
        return usage_exit;
    }
    args.options.shape = make_model_find_shape(args.arch, args.shape);
    if (!args.options.shape) {
        fprintf(stderr, "make_model: no shape %s%s%s; --help lists them\n",
                args.arch ? args.arch : "", args.arch ? " " : "", args.shape);
        return usage_exit;
    }
    gol_err err = {0};
    const int rc = make_model_write(args.path, &args.options, &err);
    if (rc)
        fprintf(stderr, "make_model: %s\n", err.message);
    return gol_error_exit_code(rc);
}
