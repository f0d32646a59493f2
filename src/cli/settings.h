/*
 * Everything a command can be told, as one struct, and where each value came from. The table in option_table.c says which option
 * sets which field, its names, range, default and which commands take it; help, environment names and checks all come from
 * that table.
 */
#ifndef GOL_CLI_SETTINGS_H
#define GOL_CLI_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { GOL_OPTIONS_MAX = 128 };

typedef enum gol_setting_source {
    GOL_SOURCE_DEFAULT,
    GOL_SOURCE_CONFIG,
    GOL_SOURCE_ENVIRONMENT,
    GOL_SOURCE_FLAG,
} gol_setting_source;

/* "12G" or "75%". Both 0: not given. */
typedef struct gol_memory_amount {
    uint64_t bytes;
    double share; /* of the memory that is available, (0, 1] */
} gol_memory_amount;

typedef struct gol_settings {
    /* general */
    const char *model;
    const char *config;
    const char *log_level;
    const char *log_format;
    const char *cpu;
    bool help;
    bool quiet;
    bool print_config;

    /* engine */
    int64_t threads;
    int64_t ctx_size;
    int64_t max_num_seqs;
    int64_t max_num_batched_tokens;
    int64_t max_num_queued_reqs;
    int64_t max_num_queued_tokens;
    int64_t max_itl_ms;
    const char *scheduling_policy;
    const char *generation_config; /* "auto" or "none" */
    int64_t block_size;
    gol_memory_amount memory;
    uint64_t kv_cache_memory;
    const char *kv_cache_dtype;
    bool prefix_caching;
    uint64_t exact_cache_memory;
    int64_t max_state_snapshots;

    /* server */
    const char *host;
    int64_t port;
    const char *served_model_name;
    const char *api_key;
    const char *api_key_file;
    const char *cors_origin;
    bool strict;
    bool trust_request_chat_template;
    uint64_t max_body;
    int64_t max_connections;
    int64_t max_connections_per_ip;
    int64_t timeout;
    int64_t shutdown_timeout;
    int64_t sse_ping_interval;

    /* generation */
    const char *prompt;
    const char *tokens;
    const char *system_prompt;
    const char *chat_template;
    bool chat;
    int64_t n_predict;
    double temperature;
    double top_p;
    double min_p;
    int64_t top_k;
    double repetition_penalty;
    double presence_penalty;
    double frequency_penalty;
    int64_t repeat_last_n;
    double typical_p;
    double top_n_sigma;
    double xtc_probability;
    double xtc_threshold;
    double dynatemp_range;
    double dynatemp_exponent;
    int64_t mirostat;
    double mirostat_tau;
    double mirostat_eta;
    double dry_multiplier;
    double dry_base;
    int64_t dry_allowed_length;
    int64_t dry_penalty_last_n;
    bool temperature_last;
    const char *logit_bias;
    int64_t seed;
    bool ignore_eos;
    bool ids;

    /* text and files */
    bool special;
    bool add_special;
    bool skip_special;
    bool json;
    bool tensors;
    const char *output;
    const char *template_file;

    /* embed */
    const char *pooling;
    bool normalize;
    const char *embed_format;

    /* rerank */
    const char *query;
    int64_t top_n;
    const char *rerank_format;

    /* quantize */
    const char *type;
    bool reranker;
    bool allow_requantize;
    bool stats;
    bool dry_run;

    /* bench; lists are texts like "1,8,32" */
    const char *n_prompt;
    const char *n_gen;
    const char *n_batch;
    const char *n_depth;
    const char *n_threads;
    int64_t repetitions;
    const char *table_format;
    bool machine;

    gol_setting_source sources[GOL_OPTIONS_MAX]; /* by place in the table */
    char *owned[GOL_OPTIONS_MAX];                /* texts from the config file */
    int n_owned;
} gol_settings;

typedef struct gol_command {
    const char *name;
    const char *summary;                      /* one line for `gollum help` */
    const char *usage;                        /* "gollum run [-m MODEL] -p TEXT" */
    unsigned mask;                            /* its bit in gol_option.commands */
    int (*run)(const gol_settings *settings); /* returns an exit code */
} gol_command;

/* Fills settings from defaults, config file, environment and argv[1…], in rising order of precedence. A free argument is
 * the model; `quantize` takes output and type after it. Errors: GOL_EUSAGE (argument), GOL_ECONFIG (environment, config file): names it and what is accepted. */
int gol_settings_parse(gol_settings *settings, const gol_command *command, int argc, char **argv,
                       gol_err *err);
void gol_settings_deinit(gol_settings *settings);

#endif
