/*
 * A file that opened has passed every check of structure (formats/gguf_*.c). What is left is its values: each tensor is
 * converted by the reference and looked through; then its pages are given back, so memory stays small for any model.
 */
#include "cli/verify_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "cli/model_facts.h"
#include "formats/tensor_scan.h"

enum { BAD_TENSORS_SHOWN = 100, JSON_BYTES_MAX = 1 << 20 };

typedef struct bad_tensor {
    const gol_tensor *tensor;
    gol_tensor_scan scan;
} bad_tensor;

typedef struct verdict {
    uint64_t n_scanned;
    uint64_t n_unscanned; /* integers and the like */
    uint64_t n_bad;
    bad_tensor bad[BAD_TENSORS_SHOWN]; /* the first ones */
} verdict;

static int scan_tensors(verdict *v, const gol_model_file *file, gol_worker_pool *pool, gol_err *err)
{
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        gol_tensor_scan scan;
        gol_tensor_bytes bytes;
        const int rc = gol_model_file_fetch(file, t, &bytes, err);
        if (rc != 0)
            return rc;
        gol_tensor_scan_run(&scan, t, bytes.data, pool);
        gol_tensor_bytes_deinit(&bytes);
        gol_model_file_drop_tensor(file, t);
        if (!scan.is_scanned)
            v->n_unscanned++;
        else
            v->n_scanned++;
        if (scan.first_bad == UINT64_MAX)
            continue;
        if (v->n_bad < BAD_TENSORS_SHOWN)
            v->bad[v->n_bad] = (bad_tensor){t, scan};
        v->n_bad++;
    }
    return 0;
}

static int n_shown(const verdict *v)
{
    return v->n_bad < BAD_TENSORS_SHOWN ? (int)v->n_bad : BAD_TENSORS_SHOWN;
}

static void print_text(FILE *out, const gol_model_file *file, const gol_model_facts *facts,
                       const verdict *v)
{
    char size[32];
    char path[1024];
    fprintf(out, "%s\n", gol_quote(path, sizeof path, gol_str_from(gol_model_file_path(file))));
    fprintf(out, "structure  ok: %s, %d %s, %s, %zu metadata keys, %zu tensors\n",
            gol_model_file_format(file), gol_model_file_n_parts(file),
            gol_model_file_n_parts(file) == 1 ? "file" : "files",
            gol_format_bytes(size, gol_model_file_n_bytes(file)), gol_model_file_n_meta(file),
            gol_model_file_n_tensors(file));
    for (int i = 0; i < facts->n_types; i++) {
        const gol_type_share *share = &facts->types[i];
        char count[32];
        fprintf(out, "  %-8s %6" PRIu64 " tensors %10s parameters %10s\n",
                gol_type_get(share->type)->name, share->n_tensors,
                gol_format_count(count, share->n_parameters),
                gol_format_bytes(size, share->n_bytes));
    }
    fprintf(out,
            "values     %s: %" PRIu64 " tensors scanned, %" PRIu64
            " without floating-point values, %" PRIu64 " bad\n",
            v->n_bad == 0 ? "ok" : "BAD", v->n_scanned, v->n_unscanned, v->n_bad);
    for (int i = 0; i < n_shown(v); i++) {
        const bad_tensor *b = &v->bad[i];
        char name[300];
        fprintf(out,
                "  %s (%s): %" PRIu64 " NaN, %" PRIu64 " infinite of %" PRIu64
                ", the first at element %" PRIu64 "\n",
                gol_quote(name, sizeof name, b->tensor->name), gol_type_get(b->tensor->type)->name,
                b->scan.n_nan, b->scan.n_inf, b->tensor->n_elements, b->scan.first_bad);
    }
    if (v->n_bad > BAD_TENSORS_SHOWN)
        fprintf(out, "  ... and %" PRIu64 " more\n", v->n_bad - BAD_TENSORS_SHOWN);
}

static void put_verdict(gol_json *j, const gol_model_file *file, const gol_model_facts *facts,
                        const verdict *v)
{
    gol_json_begin_object(j);
    gol_json_put_cstr(j, "file", gol_model_file_path(file));
    gol_json_put_cstr(j, "format", gol_model_file_format(file));
    gol_json_put_uint(j, "bytes", gol_model_file_n_bytes(file));
    gol_json_put_bool(j, "ok", v->n_bad == 0);
    gol_json_put_uint(j, "tensors_scanned", v->n_scanned);
    gol_json_put_uint(j, "tensors_without_floats", v->n_unscanned);
    gol_json_put_uint(j, "tensors_bad", v->n_bad);
    gol_json_key(j, "bad");
    gol_json_begin_array(j);
    for (int i = 0; i < n_shown(v); i++) {
        gol_json_begin_object(j);
        gol_json_put_string(j, "name", v->bad[i].tensor->name);
        gol_json_put_cstr(j, "type", gol_type_get(v->bad[i].tensor->type)->name);
        gol_json_put_uint(j, "nan", v->bad[i].scan.n_nan);
        gol_json_put_uint(j, "infinite", v->bad[i].scan.n_inf);
        gol_json_put_uint(j, "first_element", v->bad[i].scan.first_bad);
        gol_json_end_object(j);
    }
    gol_json_end_array(j);
    gol_json_key(j, "types");
    gol_json_begin_array(j);
    for (int i = 0; i < facts->n_types; i++) {
        gol_json_begin_object(j);
        gol_json_put_cstr(j, "type", gol_type_get(facts->types[i].type)->name);
        gol_json_put_uint(j, "tensors", facts->types[i].n_tensors);
        gol_json_put_uint(j, "parameters", facts->types[i].n_parameters);
        gol_json_put_uint(j, "bytes", facts->types[i].n_bytes);
        gol_json_end_object(j);
    }
    gol_json_end_array(j);
    gol_json_end_object(j);
}

static int print_json(FILE *out, const gol_model_file *file, const gol_model_facts *facts,
                      const verdict *v, gol_err *err)
{
    gol_buf buf;
    gol_json json;
    gol_buf_init(&buf, JSON_BYTES_MAX);
    gol_json_init(&json, &buf);
    put_verdict(&json, file, facts, v);
    gol_buf_putc(&buf, '\n');
    int rc = 0;
    if (buf.failed)
        rc = gol_fail(err, GOL_ENOMEM, "out of memory for the JSON document");
    else
        (void)fwrite(buf.data, 1, buf.len, out); /* the caller asks ferror() */
    gol_buf_deinit(&buf);
    return rc;
}

int gol_verify_print(FILE *out, const gol_model_file *file, gol_worker_pool *pool, bool as_json,
                     gol_err *err)
{
    verdict v = {0};
    gol_model_facts facts;
    int rc = scan_tensors(&v, file, pool, err);
    gol_model_facts_read(&facts, file);
    if (rc != 0)
        return rc;
    if (as_json)
        rc = print_json(out, file, &facts, &v, err);
    else
        print_text(out, file, &facts, &v);
    if (rc == 0 && (fflush(out) != 0 || ferror(out)))
        rc = gol_fail(err, GOL_EIO, "stdout: %s", strerror(errno));
    if (rc == 0 && v.n_bad > 0) {
        char path[GOL_ERR_MESSAGE_MAX / 2];
        rc = gol_fail(err, GOL_EMODEL, "%s: %" PRIu64 " %s NaN or infinity",
                      gol_quote(path, sizeof path, gol_str_from(gol_model_file_path(file))),
                      v.n_bad, v.n_bad == 1 ? "tensor holds" : "tensors hold");
    }
    return rc;
}
