/* What a person wants to know about a model file at first sight; `gollum inspect` and `gollum verify` print it. */
#ifndef GOL_CLI_MODEL_FACTS_H
#define GOL_CLI_MODEL_FACTS_H

#include <stdint.h>

#include "base/str.h"
#include "formats/model_file.h"

/* The tensors of one type. */
typedef struct gol_type_share {
    gol_type type;
    uint64_t n_tensors;
    uint64_t n_parameters;
    uint64_t n_bytes;
} gol_type_share;

typedef struct gol_model_facts {
    /* Texts are empty and numbers -1 where the file does not say. Of a list with one number per
     * layer this is the largest. */
    gol_str architecture;
    gol_str name;
    gol_str tokenizer;
    gol_str tokenizer_pre;
    int64_t context_length;
    int64_t n_layers;
    int64_t embedding_length;
    int64_t n_heads;
    int64_t n_kv_heads;
    int64_t n_experts;
    int64_t n_vocab;
    uint64_t n_parameters;
    int n_types;
    gol_type_share types[GOL_TYPE_N_IDS]; /* most bytes first */
} gol_model_facts;

void gol_model_facts_read(gol_model_facts *facts, const gol_model_file *file);

/* "1.5 GiB", "17 B"; "7.2 B", "260 K" for parameters. buf of at least 32 bytes; returns it. */
const char *gol_format_bytes(char buf[static 32], uint64_t n_bytes);
const char *gol_format_count(char buf[static 32], uint64_t n);

#endif
