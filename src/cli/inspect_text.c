/* The table for people: facts, types, metadata with long values shortened, tensors if wished. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "cli/inspect_report.h"
#include "cli/model_facts.h"

enum {
    TEXT_SHOWN = 72,    /* bytes of a string, quotes not counted */
    ELEMENTS_SHOWN = 6, /* of an array */
    LABEL_WIDTH = 14,
    KEY_WIDTH_MAX = 56,
};

static void print_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_WIDTH, label);
}

static void print_text(FILE *out, const char *label, gol_str text)
{
    if (text.len == 0)
        return;
    char quoted[TEXT_SHOWN + 8];
    print_label(out, label);
    fprintf(out, "%s\n", gol_quote(quoted, sizeof quoted, text));
}

static void print_number(FILE *out, const char *label, int64_t n)
{
    if (n < 0)
        return;
    print_label(out, label);
    fprintf(out, "%" PRId64 "\n", n);
}

static void print_facts(FILE *out, const gol_model_file *file, const gol_model_facts *facts)
{
    char size[32];
    char quoted[1024];
    print_label(out, "file");
    fprintf(out, "%s\n", gol_quote(quoted, sizeof quoted, gol_str_from(gol_model_file_path(file))));
    const int n_parts = gol_model_file_n_parts(file);
    print_label(out, "format");
    fprintf(out, "%s, %d %s, %s\n", gol_model_file_format(file), n_parts,
            n_parts == 1 ? "file" : "files", gol_format_bytes(size, gol_model_file_n_bytes(file)));
    print_text(out, "architecture", facts->architecture);
    print_text(out, "name", facts->name);
    print_label(out, "parameters");
    fprintf(out, "%s (%" PRIu64 ")\n", gol_format_count(size, facts->n_parameters),
            facts->n_parameters);
    print_number(out, "context", facts->context_length);
    print_number(out, "layers", facts->n_layers);
    print_number(out, "embedding", facts->embedding_length);
    print_number(out, "heads", facts->n_heads);
    print_number(out, "KV heads", facts->n_kv_heads);
    print_number(out, "experts", facts->n_experts);
    print_text(out, "tokenizer", facts->tokenizer);
    print_text(out, "  pre", facts->tokenizer_pre);
    print_number(out, "  tokens", facts->n_vocab);
}

static void print_types(FILE *out, const gol_model_file *file, const gol_model_facts *facts)
{
    if (facts->n_types == 0)
        return;
    fprintf(out, "\n%-10s %8s %12s %12s %6s\n", "type", "tensors", "parameters", "size", "share");
    for (int i = 0; i < facts->n_types; i++) {
        const gol_type_share *share = &facts->types[i];
        char count[32];
        char size[32];
        fprintf(out, "%-10s %8" PRIu64 " %12s %12s %5.1f%%\n", gol_type_get(share->type)->name,
                share->n_tensors, gol_format_count(count, share->n_parameters),
                gol_format_bytes(size, share->n_bytes),
                100.0 * (double)share->n_bytes / (double)gol_model_file_n_bytes(file));
    }
}

/* The shortest digits, as in the JSON. */
static void print_real(FILE *out, const gol_value *v)
{
    if (!isfinite(v->f)) {
        fprintf(out, "%g", v->f);
        return;
    }
    gol_buf buf;
    gol_json json;
    gol_buf_init(&buf, 64);
    gol_json_init(&json, &buf);
    if (v->type == GOL_VALUE_F32)
        gol_json_float(&json, (float)v->f);
    else
        gol_json_double(&json, v->f);
    if (!buf.failed)
        fputs(buf.data, out);
    gol_buf_deinit(&buf);
}

static void print_value(FILE *out, const gol_value *v)
{
    char quoted[TEXT_SHOWN + 8];
    switch (v->type) {
    case GOL_VALUE_STRING:
        fprintf(out, "\"%s\"", gol_quote(quoted, sizeof quoted, v->str));
        break;
    case GOL_VALUE_BOOL:
        fputs(v->u ? "true" : "false", out);
        break;
    case GOL_VALUE_F32:
    case GOL_VALUE_F64:
        print_real(out, v);
        break;
    case GOL_VALUE_I8:
    case GOL_VALUE_I16:
    case GOL_VALUE_I32:
    case GOL_VALUE_I64:
        fprintf(out, "%" PRId64, v->i);
        break;
    case GOL_VALUE_ARRAY:
        fprintf(out, "[%" PRIu64 " x %s]", v->array.n, gol_value_type_name(v->array.type));
        break;
    default:
        fprintf(out, "%" PRIu64, v->u);
    }
}

static void print_meta(FILE *out, const gol_model_file *file)
{
    const size_t n = gol_model_file_n_meta(file);
    int width = 0; /* of the keys' column */
    for (size_t i = 0; i < n; i++) {
        const size_t len = gol_model_file_get_meta(file, i)->key.len;
        if (len <= KEY_WIDTH_MAX && (int)len > width)
            width = (int)len;
    }
    if (n > 0)
        fprintf(out, "\nmetadata, %zu keys\n", n);
    for (size_t i = 0; i < n; i++) {
        const gol_meta *meta = gol_model_file_get_meta(file, i);
        char key[128];
        fprintf(out, "  %-*s %-7s ", width, gol_quote(key, sizeof key, meta->key),
                gol_value_type_name(meta->value.type));
        print_value(out, &meta->value);
        gol_value element;
        for (uint64_t k = 0; k < ELEMENTS_SHOWN && gol_value_at(&meta->value, k, &element); k++) {
            fputs(k == 0 ? " " : ", ", out);
            print_value(out, &element);
        }
        fputs(gol_value_n(&meta->value) > ELEMENTS_SHOWN ? ", ...\n" : "\n", out);
    }
}

static void print_tensors(FILE *out, const gol_model_file *file)
{
    const size_t n = gol_model_file_n_tensors(file);
    fprintf(out, "\n%-44s %-8s %-24s %12s %5s %14s\n", "tensor", "type", "shape, row first",
            "bytes", "file", "offset");
    for (size_t i = 0; i < n; i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        char name[300];
        char shape[96];
        size_t len = 0;
        for (int d = 0; d < t->n_dims; d++)
            len += (size_t)snprintf(shape + len, sizeof shape - len, "%s%" PRIu64, d ? " x " : "",
                                    t->shape[d]);
        fprintf(out, "%-44s %-8s %-24s %12" PRIu64 " %5d %14" PRIu64 "\n",
                gol_quote(name, sizeof name, t->name), gol_type_get(t->type)->name, shape,
                t->n_bytes, t->file_index + 1, t->file_offset);
    }
}

int gol_inspect_print_text(FILE *out, const gol_model_file *file, bool with_tensors, gol_err *err)
{
    gol_model_facts facts;
    gol_model_facts_read(&facts, file);
    print_facts(out, file, &facts);
    print_types(out, file, &facts);
    print_meta(out, file);
    if (with_tensors)
        print_tensors(out, file);
    if (fflush(out) != 0 || ferror(out))
        return gol_fail(err, GOL_EIO, "stdout: %s", strerror(errno));
    return 0;
}
