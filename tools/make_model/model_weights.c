/*
 * Tensors of a made model: the list of an architecture's names and shapes, and their values, which are streamed
 * in chunks so that a model of any size needs little memory. Every value is a function of (seed, tensor,
 * element) alone.
 */
#include "make_model/make_model.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "quant/quantize.h"

enum {
    CHUNK = 65536, /* elements made and written at a time; whole blocks of every type */
    TENSORS_PER_LAYER_MAX = 12,
    TENSORS_OUTSIDE_MAX = 6
};

typedef struct plan_tensor {
    gol_tensor tensor;
    float mean;
    float deviation;
    bool is_rope_freqs;
} plan_tensor;

typedef struct model_plan {
    const make_model_options *options;
    gol_arena arena;
    plan_tensor *tensors; /* [n_max] */
    uint32_t n;
    uint32_t n_max;
    bool failed;    /* out of memory */
    float *values;  /* [CHUNK] */
    uint8_t *bytes; /* CHUNK elements of any type */
} model_plan;

__attribute__((format(printf, 2, 3))) static gol_str keep_name(model_plan *plan, const char *format,
                                                               ...)
{
    char text[GOL_GGUF_NAME_MAX + 1];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(n > 0 && (size_t)n < sizeof text);
    const char *copy = gol_arena_try_strdup(&plan->arena, (gol_str){text, (size_t)n});
    plan->failed |= !copy;
    return copy ? (gol_str){copy, (size_t)n} : GOL_STR("");
}

/* n_rows 0: one dimension. */
static plan_tensor *add_tensor(model_plan *plan, gol_str name, gol_type type, uint64_t n_row,
                               uint64_t n_rows)
{
    assert(plan->n < plan->n_max);
    plan_tensor *t = &plan->tensors[plan->n++];
    *t = (plan_tensor){
        .tensor = {.name = name,
                   .type = type,
                   .n_dims = n_rows ? 2 : 1,
                   .shape = {n_row, n_rows ? n_rows : 1, 1, 1},
                   .n_elements = n_row * (n_rows ? n_rows : 1)},
    };
    return t;
}

/* [n_out][n_in], such that inputs of unit variance give outputs of variance gain squared. */
static void add_matrix(model_plan *plan, gol_str name, uint64_t n_in, uint64_t n_out, float gain)
{
    plan_tensor *t = add_tensor(plan, name, plan->options->type, n_in, n_out);
    t->deviation = gain / sqrtf((float)n_in);
}

static void add_vector(model_plan *plan, gol_str name, uint64_t n, float mean)
{
    plan_tensor *t = add_tensor(plan, name, GOL_TYPE_F32, n, 0);
    t->mean = mean;
    t->deviation = 0.1f;
}

/* Weight of the final logits: their deviation is about this, so that the choice of a token is clear but no
 * certainty. */
static const float logit_gain = 3.0f;

static void plan_llama(model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    const uint64_t n_kv = (uint64_t)s->n_embd / s->n_heads * s->n_kv_heads;
    add_matrix(plan, keep_name(plan, "token_embd.weight"), s->n_embd, n_vocab, logit_gain);
    if (s->rope_factor > 0) {
        plan_tensor *t = add_tensor(plan, keep_name(plan, "rope_freqs.weight"), GOL_TYPE_F32,
                                    s->n_embd / s->n_heads / 2, 0);
        t->is_rope_freqs = true;
    }
    for (uint32_t i = 0; i < s->n_layers; i++) {
        add_vector(plan, keep_name(plan, "blk.%u.attn_norm.weight", i), s->n_embd, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.attn_q.weight", i), s->n_embd, s->n_embd, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.attn_k.weight", i), s->n_embd, n_kv, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.attn_v.weight", i), s->n_embd, n_kv, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.attn_output.weight", i), s->n_embd, s->n_embd,
                   1.0f);
        add_vector(plan, keep_name(plan, "blk.%u.ffn_norm.weight", i), s->n_embd, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.ffn_gate.weight", i), s->n_embd, s->n_ff, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.ffn_up.weight", i), s->n_embd, s->n_ff, 1.0f);
        add_matrix(plan, keep_name(plan, "blk.%u.ffn_down.weight", i), s->n_ff, s->n_embd, 1.0f);
    }
    add_vector(plan, keep_name(plan, "output_norm.weight"), s->n_embd, 1.0f);
    if (!s->is_tied)
        add_matrix(plan, keep_name(plan, "output.weight"), s->n_embd, n_vocab, logit_gain);
}

static void add_layer_norm(model_plan *plan, const char *prefix)
{
    const uint32_t n_embd = plan->options->shape->n_embd;
    add_vector(plan, keep_name(plan, "%s.weight", prefix), n_embd, 1.0f);
    add_vector(plan, keep_name(plan, "%s.bias", prefix), n_embd, 0.0f);
}

static void add_linear(model_plan *plan, const char *prefix, uint64_t n_in, uint64_t n_out)
{
    add_matrix(plan, keep_name(plan, "%s.weight", prefix), n_in, n_out, 1.0f);
    add_vector(plan, keep_name(plan, "%s.bias", prefix), n_out, 0.0f);
}

static void plan_gpt2(model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    add_matrix(plan, keep_name(plan, "token_embd.weight"), s->n_embd, n_vocab, logit_gain);
    plan_tensor *positions = add_tensor(plan, keep_name(plan, "position_embd.weight"), GOL_TYPE_F32,
                                        s->n_embd, s->n_ctx);
    positions->deviation = 0.1f;
    for (uint32_t i = 0; i < s->n_layers; i++) {
        char prefix[64];
        const int n = snprintf(prefix, sizeof prefix, "blk.%u.", i);
        char *rest = prefix + n;
        const size_t size = sizeof prefix - (size_t)n;
        snprintf(rest, size, "attn_norm");
        add_layer_norm(plan, prefix);
        snprintf(rest, size, "attn_qkv");
        add_linear(plan, prefix, s->n_embd, 3ull * s->n_embd);
        snprintf(rest, size, "attn_output");
        add_linear(plan, prefix, s->n_embd, s->n_embd);
        snprintf(rest, size, "ffn_norm");
        add_layer_norm(plan, prefix);
        snprintf(rest, size, "ffn_up");
        add_linear(plan, prefix, s->n_embd, s->n_ff);
        snprintf(rest, size, "ffn_down");
        add_linear(plan, prefix, s->n_ff, s->n_embd);
    }
    add_layer_norm(plan, "output_norm");
    if (!s->is_tied)
        add_matrix(plan, keep_name(plan, "output.weight"), s->n_embd, n_vocab, logit_gain);
}

static float sum_of_four(uint32_t a, uint32_t b)
{
    return (float)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16));
}

/* x[n] = elements first .. first + n - 1 of tensor `stream`, first and CHUNK even. The sum of four uniform
 * numbers is close enough to a normal one for weights (no farther than 3.46 deviations out) and needs no
 * logarithm, hence the same bits everywhere. */
static void fill_random(float *x, size_t n, uint64_t first, uint32_t stream, uint64_t seed,
                        const plan_tensor *t)
{
    const float sum_mean = 4 * 65535 / 2.0f;
    const float sum_deviation = 37837.227f; /* sqrt(4 * (65536^2 - 1) / 12) */
    const float scale = t->deviation / sum_deviation;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < n; i += 2) {
        const uint64_t pair = (first + i) / 2;
        const uint32_t counter[4] = {(uint32_t)pair, (uint32_t)(pair >> 32), stream, 0};
        uint32_t bits[4];
        gol_rng_philox(bits, counter, key);
        x[i] = t->mean + (sum_of_four(bits[0], bits[1]) - sum_mean) * scale;
        if (i + 1 < n)
            x[i + 1] = t->mean + (sum_of_four(bits[2], bits[3]) - sum_mean) * scale;
    }
}

/* Divisors of Llama 3's rope frequencies (Meta's reference: low_freq_factor 1, high_freq_factor 4, 8192
 * original positions): wavelengths beyond the original context are stretched by the factor, short ones stay, a
 * ramp between. */
static void fill_rope_freqs(float *x, size_t n, const make_model_shape *s)
{
    const double original = 8192;
    const double pi = 3.14159265358979323846;
    for (size_t i = 0; i < n; i++) {
        const double frequency = pow((double)s->rope_base, -(double)i / (double)n);
        const double turns = original * frequency / (2 * pi); /* in the original context */
        const double ramp = fmin(fmax((turns - 1) / (4 - 1), 0), 1);
        x[i] = (float)(1 / ((1 - ramp) / (double)s->rope_factor + ramp));
    }
}

static int fill_tensor(void *user, size_t index, gol_gguf_emit *emit, void *sink, gol_err *err)
{
    model_plan *plan = user;
    const plan_tensor *t = &plan->tensors[index];
    const uint64_t n_elements = t->tensor.n_elements;
    for (uint64_t first = 0; first < n_elements; first += CHUNK) {
        const size_t n = n_elements - first < CHUNK ? (size_t)(n_elements - first) : CHUNK;
        if (t->is_rope_freqs)
            fill_rope_freqs(plan->values, n, plan->options->shape);
        else
            fill_random(plan->values, n, first, (uint32_t)index, plan->options->seed, t);
        int rc = gol_quantize_row(plan->bytes, t->tensor.type, plan->values, n, err);
        if (rc)
            return rc;
        size_t n_bytes;
        const bool fits = gol_type_row_bytes(&n_bytes, t->tensor.type, n);
        assert(fits);
        rc = emit(sink, plan->bytes, n_bytes, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* general.file_type of llama.cpp: a hint for people, by the type of most tensors. */
static uint32_t file_type(gol_type type)
{
    switch (type) {
    case GOL_TYPE_F16:
        return 1;
    case GOL_TYPE_Q4_0:
        return 2;
    case GOL_TYPE_Q4_1:
        return 3;
    case GOL_TYPE_Q8_0:
        return 7;
    case GOL_TYPE_Q5_0:
        return 8;
    case GOL_TYPE_Q5_1:
        return 9;
    case GOL_TYPE_Q4_K:
        return 14;
    case GOL_TYPE_Q5_K:
        return 16;
    case GOL_TYPE_Q6_K:
        return 18;
    case GOL_TYPE_BF16:
        return 32;
    default:
        return 0;
    }
}

static void add_arch_u32(gol_gguf_writer *w, model_plan *plan, const char *suffix, uint32_t value)
{
    const gol_str key = keep_name(plan, "%s.%s", plan->options->shape->arch, suffix);
    gol_gguf_writer_add_u32(w, key.data, value);
}

static void add_arch_f32(gol_gguf_writer *w, model_plan *plan, const char *suffix, float value)
{
    const gol_str key = keep_name(plan, "%s.%s", plan->options->shape->arch, suffix);
    gol_gguf_writer_add_f32(w, key.data, value);
}

static void add_metadata(gol_gguf_writer *w, model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    gol_gguf_writer_add_str(w, "general.architecture", gol_str_from(s->arch));
    gol_gguf_writer_add_str(w, "general.name", keep_name(plan, "random %s %s", s->arch, s->name));
    gol_gguf_writer_add_u32(w, "general.file_type", file_type(plan->options->type));
    gol_gguf_writer_add_u32(w, "general.quantization_version", 2);
    add_arch_u32(w, plan, "context_length", s->n_ctx);
    add_arch_u32(w, plan, "embedding_length", s->n_embd);
    add_arch_u32(w, plan, "block_count", s->n_layers);
    add_arch_u32(w, plan, "feed_forward_length", s->n_ff);
    add_arch_u32(w, plan, "attention.head_count", s->n_heads);
    add_arch_u32(w, plan, "attention.head_count_kv", s->n_kv_heads);
    add_arch_u32(w, plan, "vocab_size", n_vocab);
    if (s->rope_base > 0) {
        add_arch_f32(w, plan, "attention.layer_norm_rms_epsilon", 1e-5f);
        add_arch_f32(w, plan, "rope.freq_base", s->rope_base);
        add_arch_u32(w, plan, "rope.dimension_count", s->n_embd / s->n_heads);
    } else {
        add_arch_f32(w, plan, "attention.layer_norm_epsilon", 1e-5f);
    }
}

static int plan_tensors(gol_gguf_writer *w, model_plan *plan, uint32_t n_vocab, gol_err *err)
{
    if (strcmp(plan->options->shape->arch, "gpt2") == 0)
        plan_gpt2(plan, n_vocab);
    else
        plan_llama(plan, n_vocab);
    if (plan->failed)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the names of tensors");
    for (uint32_t i = 0; i < plan->n; i++) {
        const gol_tensor *t = &plan->tensors[i].tensor;
        size_t n_bytes;
        if (!gol_type_row_bytes(&n_bytes, t->type, t->shape[0]))
            return gol_fail(err, GOL_EINVAL,
                            "%.*s: rows of %llu elements are no whole blocks of %s (%d elements)",
                            GOL_STR_ARG(t->name), (unsigned long long)t->shape[0],
                            gol_type_get(t->type)->name, gol_type_get(t->type)->block_size);
        gol_gguf_writer_add_tensor(w, t);
    }
    return 0;
}

int make_model_write(const char *path, const make_model_options *options, gol_err *err)
{
    const make_model_shape *shape = options->shape;
    const uint32_t n_vocab = make_model_n_vocab(shape, options->byte_vocab);
    model_plan plan = {.options = options,
                       .n_max = shape->n_layers * TENSORS_PER_LAYER_MAX + TENSORS_OUTSIDE_MAX};
    gol_arena_init(&plan.arena, 256u << 20);
    gol_gguf_writer *w = NULL;
    int rc = gol_gguf_writer_create(&w, err);
    if (rc)
        goto done;
    plan.tensors = gol_arena_try_array(&plan.arena, plan.n_max, sizeof *plan.tensors);
    plan.values = gol_try_array(CHUNK, sizeof *plan.values);
    plan.bytes = gol_try_array(CHUNK, sizeof(float));
    if (!plan.tensors || !plan.values || !plan.bytes) {
        rc = gol_fail(err, GOL_ENOMEM, "out of memory for the list of tensors");
        goto done;
    }
    add_metadata(w, &plan, n_vocab);
    rc = make_model_add_vocab(w, &plan.arena, shape, n_vocab, err);
    if (!rc)
        rc = plan_tensors(w, &plan, n_vocab, err);
    if (!rc)
        rc = gol_gguf_writer_stream(w, path, fill_tensor, &plan, err);
done:
    gol_gguf_writer_destroy(&w);
    gol_free(plan.values);
    gol_free(plan.bytes);
    gol_arena_deinit(&plan.arena);
    return rc;
}
