/* Reads the facts by their GGUF keys ("<architecture>.context_length"). A value of the wrong type counts as absent here:
 * looking at a file must not need a right one. */
#include "cli/model_facts.h"

#include <inttypes.h>
#include <stdio.h>

enum { KEY_MAX = 160 };

static gol_str find_text(const gol_model_file *file, const char *key)
{
    gol_str text = {NULL, 0};
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (v)
        (void)gol_value_as_str(v, &text);
    return text;
}

/* A number, or the largest of a list of numbers; -1: none. */
static int64_t find_number(const gol_model_file *file, gol_str architecture, const char *name)
{
    char key[KEY_MAX];
    if (architecture.len == 0 || architecture.len > KEY_MAX / 2)
        return -1;
    snprintf(key, sizeof key, "%.*s.%s", GOL_STR_ARG(architecture), name);
    const gol_value *v = gol_model_file_find_meta(file, key);
    int64_t largest = -1;
    if (!v || gol_value_as_i64(v, &largest))
        return largest;
    for (uint64_t i = 0; i < gol_value_n(v); i++) {
        int64_t element;
        if (gol_value_at_i64(v, i, &element) && element > largest)
            largest = element;
    }
    return largest;
}

static void count_types(gol_model_facts *facts, const gol_model_file *file)
{
    gol_type_share shares[GOL_TYPE_N_IDS] = {{0}};
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        gol_type_share *share = &shares[t->type];
        share->type = t->type;
        share->n_tensors++;
        share->n_parameters += t->n_elements;
        share->n_bytes += t->n_bytes;
        facts->n_parameters += t->n_elements;
    }
    for (int id = 0; id < GOL_TYPE_N_IDS; id++) { /* insertion sort */
        if (shares[id].n_tensors == 0)
            continue;
        int at = facts->n_types++;
        for (; at > 0 && facts->types[at - 1].n_bytes < shares[id].n_bytes; at--)
            facts->types[at] = facts->types[at - 1];
        facts->types[at] = shares[id];
    }
}

void gol_model_facts_read(gol_model_facts *facts, const gol_model_file *file)
{
    *facts = (gol_model_facts){0};
    facts->architecture = find_text(file, "general.architecture");
    facts->name = find_text(file, "general.name");
    facts->tokenizer = find_text(file, "tokenizer.ggml.model");
    facts->tokenizer_pre = find_text(file, "tokenizer.ggml.pre");
    facts->context_length = find_number(file, facts->architecture, "context_length");
    facts->n_layers = find_number(file, facts->architecture, "block_count");
    facts->embedding_length = find_number(file, facts->architecture, "embedding_length");
    facts->n_heads = find_number(file, facts->architecture, "attention.head_count");
    facts->n_kv_heads = find_number(file, facts->architecture, "attention.head_count_kv");
    facts->n_experts = find_number(file, facts->architecture, "expert_count");
    const gol_value *tokens = gol_model_file_find_meta(file, "tokenizer.ggml.tokens");
    facts->n_vocab = tokens && tokens->type == GOL_VALUE_ARRAY ? (int64_t)gol_value_n(tokens) : -1;
    count_types(facts, file);
}

/* n in the largest unit that leaves at least one. */
static const char *format_units(char buf[static 32], uint64_t n, unsigned base,
                                const char *const *units, int n_units)
{
    double v = (double)n;
    int unit = 0;
    for (; v >= base && unit + 1 < n_units; unit++)
        v /= base;
    if (unit == 0)
        snprintf(buf, 32, "%" PRIu64 "%s", n, units[0]);
    else
        snprintf(buf, 32, "%.*f%s", v < 9.95 ? 2 : 1, v, units[unit]);
    return buf;
}

const char *gol_format_bytes(char buf[static 32], uint64_t n_bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    return format_units(buf, n_bytes, 1024, units, 7);
}

const char *gol_format_count(char buf[static 32], uint64_t n)
{
    static const char *const units[] = {"", " K", " M", " B", " T"};
    return format_units(buf, n, 1000, units, 5);
}
