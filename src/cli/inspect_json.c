/* The whole description as one JSON document. It is written out piece by piece, so memory stays at the largest value. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "cli/inspect_report.h"
#include "cli/model_facts.h"

enum {
    FLUSH_BYTES = 1 << 16,
    PIECE_BYTES_MAX = 512 << 20, /* a string of 64 MiB, each byte escaped by six */
};

typedef struct report {
    FILE *out;
    gol_buf buf;
    gol_json json;
    int failed_errno; /* of the first write that failed */
    bool no_memory;
} report;

static void flush(report *r)
{
    if (r->buf.len > 0 && fwrite(r->buf.data, 1, r->buf.len, r->out) != r->buf.len &&
        r->failed_errno == 0)
        r->failed_errno = errno;
    r->no_memory |= r->buf.failed;
    gol_buf_clear(&r->buf);
}

static void put_text(report *r, const char *key, gol_str text)
{
    gol_json_key(&r->json, key);
    if (text.len > 0)
        gol_json_string(&r->json, text);
    else
        gol_json_null(&r->json);
}

static void put_number(report *r, const char *key, int64_t n)
{
    gol_json_key(&r->json, key);
    if (n >= 0)
        gol_json_int(&r->json, n);
    else
        gol_json_null(&r->json);
}

static void put_types(report *r, const gol_model_facts *facts)
{
    gol_json_key(&r->json, "types");
    gol_json_begin_array(&r->json);
    for (int i = 0; i < facts->n_types; i++) {
        gol_json_begin_object(&r->json);
        put_text(r, "type", gol_str_from(gol_type_get(facts->types[i].type)->name));
        gol_json_put_uint(&r->json, "tensors", facts->types[i].n_tensors);
        gol_json_put_uint(&r->json, "parameters", facts->types[i].n_parameters);
        gol_json_put_uint(&r->json, "bytes", facts->types[i].n_bytes);
        gol_json_end_object(&r->json);
    }
    gol_json_end_array(&r->json);
}

static void put_facts(report *r, const gol_model_file *file)
{
    gol_model_facts facts;
    gol_model_facts_read(&facts, file);
    put_text(r, "file", gol_str_from(gol_model_file_path(file)));
    put_text(r, "format", gol_str_from(gol_model_file_format(file)));
    put_number(r, "parts", gol_model_file_n_parts(file));
    gol_json_put_uint(&r->json, "bytes", gol_model_file_n_bytes(file));
    put_text(r, "architecture", facts.architecture);
    put_text(r, "name", facts.name);
    gol_json_put_uint(&r->json, "parameters", facts.n_parameters);
    put_number(r, "context_length", facts.context_length);
    put_number(r, "layers", facts.n_layers);
    put_number(r, "embedding_length", facts.embedding_length);
    put_number(r, "heads", facts.n_heads);
    put_number(r, "kv_heads", facts.n_kv_heads);
    put_number(r, "experts", facts.n_experts);
    gol_json_key(&r->json, "tokenizer");
    gol_json_begin_object(&r->json);
    put_text(r, "model", facts.tokenizer);
    put_text(r, "pre", facts.tokenizer_pre);
    put_number(r, "tokens", facts.n_vocab);
    gol_json_end_object(&r->json);
    put_types(r, &facts);
}

static void put_value(report *r, const gol_value *v)
{
    int64_t i;
    uint64_t u;
    if (v->type == GOL_VALUE_STRING) {
        gol_json_string(&r->json, v->str);
    } else if (v->type == GOL_VALUE_BOOL) {
        gol_json_bool(&r->json, v->u != 0);
    } else if (v->type == GOL_VALUE_F32) {
        gol_json_float(&r->json, (float)v->f);
    } else if (v->type == GOL_VALUE_F64) {
        gol_json_double(&r->json, v->f);
    } else if (gol_value_as_u64(v, &u)) {
        gol_json_uint(&r->json, u);
    } else if (gol_value_as_i64(v, &i)) {
        gol_json_int(&r->json, i);
    } else {
        gol_json_begin_array(&r->json);
        gol_value element;
        for (uint64_t k = 0; gol_value_at(v, k, &element);
             k++) { /* as deep as the reader allows: 4 */
            put_value(r, &element);
            if (r->buf.len >= FLUSH_BYTES)
                flush(r);
        }
        gol_json_end_array(&r->json);
    }
}

static void put_meta(report *r, const gol_model_file *file)
{
    gol_json_key(&r->json, "metadata");
    gol_json_begin_object(&r->json);
    for (size_t i = 0; i < gol_model_file_n_meta(file); i++) {
        const gol_meta *meta = gol_model_file_get_meta(file, i);
        gol_json_key_str(&r->json, meta->key);
        gol_json_begin_object(&r->json);
        put_text(r, "type", gol_str_from(gol_value_type_name(meta->value.type)));
        if (meta->value.type == GOL_VALUE_ARRAY)
            put_text(r, "element_type", gol_str_from(gol_value_type_name(meta->value.array.type)));
        gol_json_key(&r->json, "value");
        put_value(r, &meta->value);
        gol_json_end_object(&r->json);
        flush(r);
    }
    gol_json_end_object(&r->json);
}

static void put_tensors(report *r, const gol_model_file *file)
{
    gol_json_key(&r->json, "tensors");
    gol_json_begin_array(&r->json);
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        gol_json_begin_object(&r->json);
        put_text(r, "name", t->name);
        put_text(r, "type", gol_str_from(gol_type_get(t->type)->name));
        gol_json_key(&r->json, "shape"); /* row first, as the file has it */
        gol_json_begin_array(&r->json);
        for (int d = 0; d < t->n_dims; d++)
            gol_json_uint(&r->json, t->shape[d]);
        gol_json_end_array(&r->json);
        gol_json_put_uint(&r->json, "bytes", t->n_bytes);
        put_number(r, "part", t->file_index + 1);
        gol_json_put_uint(&r->json, "offset", t->file_offset);
        gol_json_end_object(&r->json);
        if (r->buf.len >= FLUSH_BYTES)
            flush(r);
    }
    gol_json_end_array(&r->json);
}

int gol_inspect_print_json(FILE *out, const gol_model_file *file, gol_err *err)
{
    report r = {.out = out};
    gol_buf_init(&r.buf, PIECE_BYTES_MAX);
    gol_json_init(&r.json, &r.buf);
    gol_json_begin_object(&r.json);
    put_facts(&r, file);
    put_meta(&r, file);
    put_tensors(&r, file);
    gol_json_end_object(&r.json);
    gol_buf_putc(&r.buf, '\n');
    flush(&r);
    gol_buf_deinit(&r.buf);
    if (r.no_memory)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the JSON document");
    if (r.failed_errno != 0 || fflush(out) != 0)
        return gol_fail(err, GOL_EIO, "stdout: %s",
                        strerror(r.failed_errno != 0 ? r.failed_errno : errno));
    return 0;
}
