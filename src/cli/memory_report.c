/* The plan's rows, and the two questions that people ask: what context fits, and how many at once. */
#include "cli/memory_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/log.h"
#include "cli/model_facts.h"
#include "engine/memory_plan.h"

enum { NOTE_MAX = 128, LABEL_WIDTH = 17, JSON_MAX = 1 << 16 };

static const char *label_of(gol_memory_part part)
{
    static const char *const labels[GOL_N_MEMORY_PARTS] = {
        [GOL_MEMORY_WEIGHTS] = "weights", [GOL_MEMORY_FILE] = "weights in file",
        [GOL_MEMORY_KV] = "KV cache",     [GOL_MEMORY_PROMPTS] = "prompt cache",
        [GOL_MEMORY_SCRATCH] = "scratch", [GOL_MEMORY_REQUESTS] = "requests",
        [GOL_MEMORY_OTHER] = "other",     [GOL_MEMORY_STATES] = "states",
    };
    return labels[part];
}

/* How the figure was found. */
static void describe(char buf[static NOTE_MAX], const gol_engine_limits *l, gol_memory_part part)
{
    switch (part) {
    case GOL_MEMORY_WEIGHTS:
        snprintf(buf, NOTE_MAX, "repacked for this processor");
        break;
    case GOL_MEMORY_FILE:
        snprintf(buf, NOTE_MAX, "read where they lie; the system can take these pages back");
        break;
    case GOL_MEMORY_KV:
        snprintf(buf, NOTE_MAX, "%s, %d blocks of %d: %" PRId64 " tokens",
                 gol_kv_type_name(l->kv_type), l->n_blocks, l->block_size, gol_memory_kv_tokens(l));
        break;
    case GOL_MEMORY_STATES:
        if (l->n_states > 0)
            snprintf(buf, NOTE_MAX, "of recurrent layers: %d running, %d kept", l->max_seqs,
                     l->n_states - l->max_seqs);
        else
            snprintf(buf, NOTE_MAX, "no recurrent layers");
        break;
    case GOL_MEMORY_PROMPTS:
        snprintf(buf, NOTE_MAX, "logits behind %d prompts", l->n_exact_rows);
        break;
    case GOL_MEMORY_SCRATCH:
        snprintf(buf, NOTE_MAX, "%d tokens per step, %d rows of logits", l->max_batch_tokens,
                 l->max_seqs);
        break;
    case GOL_MEMORY_REQUESTS:
        snprintf(buf, NOTE_MAX, "%d running, %d waiting, prompts of %" PRId64 " tokens together",
                 l->max_seqs, l->max_queued_reqs, gol_memory_prompt_tokens(l));
        break;
    default:
        snprintf(buf, NOTE_MAX, "allowance: program, tokenizer, connections");
    }
}

static const char *describe_total(char buf[static NOTE_MAX], const gol_memory_plan *plan)
{
    char max[32];
    char available[32];
    gol_format_bytes(max, plan->max);
    gol_format_bytes(available, plan->available);
    if (plan->max == UINT64_MAX)
        snprintf(buf, NOTE_MAX, "the system does not tell how much is available");
    else if (plan->available == 0)
        snprintf(buf, NOTE_MAX, "of %s that may be taken", max);
    else
        snprintf(buf, NOTE_MAX, "of %s that may be taken; %s are available", max, available);
    return buf;
}

void gol_memory_report_log(const gol_engine_limits *limits, const gol_memory_plan *plan)
{
    char size[32];
    char note[NOTE_MAX];
    for (int part = 0; part < GOL_N_MEMORY_PARTS; part++) {
        if (plan->bytes[part] == 0)
            continue;
        describe(note, limits, (gol_memory_part)part);
        gol_log_info("memory", "%-*s %10s  %s", LABEL_WIDTH, label_of((gol_memory_part)part),
                     gol_format_bytes(size, plan->bytes[part]), note);
    }
    gol_log_info("memory", "%-*s %10s  %s", LABEL_WIDTH, "at most",
                 gol_format_bytes(size, plan->total), describe_total(note, plan));
    gol_log_info("memory", "%d of %d requests of the full %d tokens fit at once",
                 gol_memory_n_full_seqs(limits), limits->max_seqs, limits->max_model_len);
}

/* Tokens that each of n sequences can have when they run at once. */
static int64_t context_of_each(const gol_engine_limits *l, int32_t n_seqs, int32_t n_ctx)
{
    return gol_kv_layout_longest(&l->layout, l->n_blocks / n_seqs, n_ctx);
}

/* 1, 2, 4, ... requests at once, and the most there may be. */
static int32_t next_count(const gol_engine_limits *l, int32_t n)
{
    return n < l->max_seqs && n * 2 > l->max_seqs ? l->max_seqs : n * 2;
}

static int finish(FILE *out, gol_err *err)
{
    if (fflush(out) != 0 || ferror(out))
        return gol_fail(err, GOL_EIO, "stdout: %s", strerror(errno));
    return 0;
}

int gol_memory_report_text(FILE *out, const gol_engine_limits *limits, const gol_memory_plan *plan,
                           int32_t n_ctx, const char *refusal, gol_err *err)
{
    char size[32];
    char note[NOTE_MAX];
    for (int part = 0; part < GOL_N_MEMORY_PARTS; part++) {
        describe(note, limits, (gol_memory_part)part);
        fprintf(out, "%-*s %10s  %s\n", LABEL_WIDTH, label_of((gol_memory_part)part),
                gol_format_bytes(size, plan->bytes[part]), note);
    }
    fprintf(out, "%-*s %10s  %s\n\n", LABEL_WIDTH, "at most", gol_format_bytes(size, plan->total),
            describe_total(note, plan));
    if (refusal != NULL) {
        fprintf(out, "does not fit\n");
        return finish(out, err);
    }
    fprintf(out, "context of a request: %d tokens (the model's: %d)\n", limits->max_model_len,
            n_ctx);
    fprintf(out, "of that length fit at once: %d of %d requests\n\n",
            gol_memory_n_full_seqs(limits), limits->max_seqs);
    fprintf(out, "%16s %16s\n", "requests at once", "tokens of each");
    for (int32_t n = 1; n <= limits->max_seqs; n = next_count(limits, n))
        fprintf(out, "%16d %16" PRId64 "\n", n, context_of_each(limits, n, limits->max_model_len));
    return finish(out, err);
}

static void put_sizes(gol_json *j, const gol_engine_limits *limits, int32_t n_ctx)
{
    gol_json_put_int(j, "max_model_len", limits->max_model_len);
    gol_json_put_int(j, "model_context", n_ctx);
    gol_json_put_int(j, "max_num_seqs", limits->max_seqs);
    gol_json_put_int(j, "max_num_batched_tokens", limits->max_batch_tokens);
    gol_json_put_int(j, "max_num_queued_reqs", limits->max_queued_reqs);
    gol_json_put_cstr(j, "kv_cache_dtype", gol_kv_type_name(limits->kv_type));
    gol_json_put_int(j, "block_size", limits->block_size);
    gol_json_put_int(j, "kv_blocks", limits->n_blocks);
    gol_json_put_int(j, "kv_tokens", gol_memory_kv_tokens(limits));
    gol_json_put_int(j, "states", limits->n_states);
    gol_json_put_int(j, "full_length_requests", gol_memory_n_full_seqs(limits));
}

int gol_memory_report_json(FILE *out, const gol_engine_limits *limits, const gol_memory_plan *plan,
                           int32_t n_ctx, const char *refusal, gol_err *err)
{
    gol_buf buf;
    gol_json j;
    gol_buf_init(&buf, JSON_MAX);
    gol_json_init(&j, &buf);
    gol_json_begin_object(&j);
    gol_json_put_bool(&j, "fits", refusal == NULL);
    gol_json_key(&j, "refusal");
    if (refusal != NULL)
        gol_json_cstr(&j, refusal);
    else
        gol_json_null(&j);
    gol_json_key(&j, "bytes");
    gol_json_begin_object(&j);
    for (int part = 0; part < GOL_N_MEMORY_PARTS; part++)
        gol_json_put_uint(&j, gol_memory_part_name((gol_memory_part)part), plan->bytes[part]);
    gol_json_end_object(&j);
    gol_json_put_uint(&j, "total_bytes", plan->total);
    gol_json_put_uint(&j, "max_bytes", plan->max);
    gol_json_put_uint(&j, "available_bytes", plan->available);
    put_sizes(&j, limits, n_ctx);
    gol_json_end_object(&j);
    const bool failed = buf.failed;
    if (!failed)
        fprintf(out, "%s\n", buf.data);
    gol_buf_deinit(&buf);
    return failed ? gol_fail(err, GOL_ENOMEM, "out of memory for the report") : finish(out, err);
}
