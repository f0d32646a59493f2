/*
 * The handle: opening and closing a model, its sizes, and text <-> tokens. Requests are given in submit.c; their events come
 * back through outbox.c and poll.c, or straight to a callback.
 */
#include "gollum.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lib/gollum_impl.h"
#include "lib/public_struct.h"
#include "lib/user_log.h"

static_assert((int)GOLLUM_KV_F16 == (int)GOL_KV_F16 && (int)GOLLUM_KV_F32 == (int)GOL_KV_F32 &&
                  (int)GOLLUM_KV_BF16 == (int)GOL_KV_BF16 &&
                  (int)GOLLUM_KV_Q8_0 == (int)GOL_KV_Q8_0,
              "the public types are the backend's");

const char *gollum_version(void)
{
    return GOL_VERSION;
}

/* ---- open and close ---- */

void gollum_options_init_sized(gollum_options *options, size_t struct_size)
{
    const gollum_options defaults = {0};
    if (options != NULL && gol_public_is_size(struct_size))
        gol_public_write(options, struct_size, &defaults, sizeof defaults);
}

static int read_options(gollum_options *o, const gollum_options *options, gol_err *err)
{
    *o = (gollum_options){0};
    const int rc = gol_public_read(o, sizeof *o, options, "options", err);
    if (rc != 0)
        return rc;
    if (o->model_path == NULL)
        return gol_fail(err, GOL_EINVAL, "model_path is NULL, the name of a .gguf file is needed");
    if (gol_kv_type_name((gol_kv_type)o->kv_type) == NULL)
        return gol_fail(
            err, GOL_EINVAL, "kv_type is %d, f16 (%d), f32 (%d), bf16 (%d) and q8_0 (%d) are known",
            (int)o->kv_type, GOLLUM_KV_F16, GOLLUM_KV_F32, GOLLUM_KV_BF16, GOLLUM_KV_Q8_0);
    return 0;
}

static int create(gollum **out, const gollum_options *o, gol_err *err)
{
    const gol_instance_opts opts = {
        .model_path = o->model_path,
        .use = o->is_reranker ? GOL_MODEL_USE_RERANKER : GOL_MODEL_USE_ANY,
        .n_threads = o->n_threads,
        .load = {.progress = o->progress, .progress_user = o->progress_user},
        .engine = {.max_seqs = o->max_seqs,
                   .max_batch_tokens = o->max_batch_tokens,
                   .max_model_len = o->max_model_len,
                   .memory = o->memory,
                   .kv_bytes = o->kv_bytes,
                   .kv_type = (gol_kv_type)o->kv_type,
                   .max_queued_reqs = o->max_queued_reqs},
    };
    gollum *g = gol_try_calloc(1, sizeof *g);
    if (g == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for a model's handle");
    const int rc = gol_instance_open(&g->parts, &opts, err);
    if (rc != 0) {
        gol_free(g);
        return rc;
    }
    g->n_text_max = gol_answer_text_max(g->parts.tok);
    gol_outbox_init(&g->outbox);
    pthread_mutex_init(&g->poll_mutex, NULL);
    *out = g;
    return 0;
}

int gollum_open(gollum **out, const gollum_options *options, gollum_error *error)
{
    gol_err err = {0};
    if (out == NULL) {
        gol_fail(&err, GOL_EINVAL, "out is NULL");
        return gol_public_fail(error, &err);
    }
    *out = NULL;
    gollum_options o;
    int rc = read_options(&o, options, &err);
    if (rc == 0) {
        gol_user_log_init(o.log, o.log_user);
        rc = create(out, &o, &err);
    }
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}

void gollum_close(gollum **g_ptr)
{
    if (g_ptr == NULL || *g_ptr == NULL)
        return;
    gollum *g = *g_ptr;
    /* Every request that still runs gets its last record now: callbacks have been called, polled answers are in the outbox. */
    gol_engine_destroy(&g->parts.engine);
    gol_outbox_deinit(&g->outbox);
    gol_answer_destroy(&g->polled);
    pthread_mutex_destroy(&g->poll_mutex);
    gol_instance_close(&g->parts);
    gol_free(g);
    *g_ptr = NULL;
}

/* ---- sizes ---- */

int32_t gollum_n_vocab(const gollum *g)
{
    return g != NULL ? gol_tokenizer_n_vocab(g->parts.tok) : 0;
}

int32_t gollum_max_model_len(const gollum *g)
{
    return g != NULL ? gol_engine_get_limits(g->parts.engine)->max_model_len : 0;
}

/* ---- text and tokens ---- */

/* NULL is an array of nothing. */
static int check_array(const char *name, const void *p, size_t n, gol_err *err)
{
    return p != NULL || n == 0
               ? 0
               : gol_fail(err, GOL_EINVAL, "%s is NULL, but its size is %zu", name, n);
}

static int check_handle(const gollum *g, const void *n_out, gol_err *err)
{
    if (g == NULL)
        return gol_fail(err, GOL_EINVAL, "g is NULL");
    return n_out != NULL ? 0 : gol_fail(err, GOL_EINVAL, "there is no place for the size: NULL");
}

int gollum_tokenize(const gollum *g, const char *text, size_t text_len, int add_special,
                    int parse_special, int32_t *ids, size_t max, size_t *n, gollum_error *error)
{
    gol_err err = {0};
    gol_ids list = {0};
    const unsigned flags = (add_special ? (unsigned)GOL_ENCODE_ADD_SPECIAL : 0u) |
                           (parse_special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u);
    int rc = check_handle(g, n, &err);
    if (rc == 0)
        rc = check_array("text", text, text_len, &err);
    if (rc == 0)
        rc = check_array("ids", ids, max, &err);
    if (rc == 0)
        rc = gol_tokenizer_encode(g->parts.tok, &list, (gol_str){text, text_len}, flags, &err);
    if (rc == 0) {
        *n = list.n;
        const size_t n_copied = list.n < max ? list.n : max;
        if (n_copied > 0)
            memcpy(ids, list.data, n_copied * sizeof *ids);
    }
    gol_ids_deinit(&list);
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}

/* As much as fits, whole characters only. */
static void copy_text(char *buf, size_t size, gol_str text)
{
    if (size == 0)
        return;
    if (text.len >= size)
        text.len = gol_utf8_valid_prefix((gol_str){text.data, size - 1});
    if (text.len > 0)
        memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';
}

int gollum_detokenize(const gollum *g, const int32_t *ids, size_t n, char *buf, size_t size,
                      size_t *len, gollum_error *error)
{
    gol_err err = {0};
    gol_buf text;
    gol_buf_init(&text, PTRDIFF_MAX);
    int rc = check_handle(g, len, &err);
    if (rc == 0)
        rc = check_array("ids", ids, n, &err);
    if (rc == 0)
        rc = check_array("buf", buf, size, &err);
    if (rc == 0)
        rc = gol_tokenizer_decode(g->parts.tok, &text, ids, n, false, &err);
    if (rc == 0) {
        *len = text.len;
        copy_text(buf, size, gol_buf_view(&text));
    }
    gol_buf_deinit(&text);
    return rc == 0 ? 0 : gol_public_fail(error, &err);
}
