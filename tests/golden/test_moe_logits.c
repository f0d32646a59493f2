/*
 * Mixtures of experts against llama.cpp's logits, on tiny models of our own (tests/data/NAME.gguf and .logits.f32, by
 * make/moe_models.py): right, the same bits however rows are batched, and the same whatever form the file has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/gguf.h"
#include "quant/quantize.h"
#include "support/model_runner.h"
#include "support/test_dir.h"

/* The reference had the same values as float32: what is left is the order of sums. */
#define NMSE_MAX 1e-9
/* Activations of quantized experts are rounded to 8 bits. */
#define NMSE_MAX_QUANTIZED 1e-3

enum { N_TOKENS = 20, N_VOCAB = 40, N_LOGITS = N_TOKENS * N_VOCAB, TENSORS_MAX = 256 };

/* TOKENS of moe_models.py */
static const int32_t tokens[N_TOKENS] = {3,  17, 8,  8, 31, 0, 22, 5, 39, 12,
                                         26, 4,  19, 3, 17, 8, 30, 1, 11, 2};

static const char *const names[] = {"mixtral", "qwen2moe", "granitemoe", "gpt_oss"};
enum { N_NAMES = sizeof names / sizeof names[0] };

static void path_of(char path[static 512], const char *name, const char *suffix)
{
    snprintf(path, 512, "%s/%s.%s", TEST_DATA_DIR, name, suffix);
}

/* Logits of the model in a file, computed `chunk` rows at a time. */
static void compute(float *logits, const char *path, int n_threads, int32_t chunk)
{
    gol_model_file *file = NULL;
    gol_backend *be = NULL;
    gol_model *model = NULL;
    gol_err err = {0};
    model_runner r;
    if (gol_model_file_open(&file, path, &err) < 0 ||
        gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = n_threads}, &err) < 0 ||
        gol_model_load(&model, file, be, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(gol_model_config(model)->n_vocab, N_VOCAB);
    runner_init(&r, model, GOL_KV_F32);
    runner_logits(&r, logits, tokens, N_TOKENS, chunk);
    runner_deinit(&r);
    gol_model_destroy(&model);
    gol_backend_destroy(&be);
    gol_model_file_close(&file);
}

static void assert_near(const char *what, const float *got, const float *want, double nmse_max)
{
    double off = 0;
    double all = 0;
    for (int i = 0; i < N_LOGITS; i++) {
        const double d = (double)got[i] - (double)want[i];
        off += d * d;
        all += (double)want[i] * (double)want[i];
    }
    if (!(off <= nmse_max * all) || !(all > 0))
        fail_msg("%s: NMSE %.3g, at most %.3g is allowed", what, off / all, nmse_max);
}

static void logits_equal_the_references(void **state)
{
    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        static float want[N_LOGITS];
        static float got[N_LOGITS];
        char path[512];
        path_of(path, names[i], "logits.f32");
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        assert_int_equal(fread(want, sizeof *want, N_LOGITS, f), N_LOGITS);
        fclose(f);
        path_of(path, names[i], "gguf");
        compute(got, path, 2, N_TOKENS);
        assert_near(names[i], got, want, NMSE_MAX);
    }
}

static void chunks_and_threads_change_no_bit(void **state)
{
    (void)state;
    static const int32_t chunks[] = {N_TOKENS, 1, 7};
    for (int i = 0; i < N_NAMES; i++) {
        static float first[N_LOGITS];
        static float again[N_LOGITS];
        char path[512];
        path_of(path, names[i], "gguf");
        compute(first, path, 1, N_TOKENS);
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            compute(again, path, n_threads, chunks[n_threads - 1]);
            assert_memory_equal(first, again, sizeof first);
        }
    }
}

/* What becomes of a tensor in a copy of a file. */
typedef struct copier {
    gol_gguf_writer *w;
    void *kept[TENSORS_MAX]; /* names and data: the writer keeps views */
    size_t n_kept;
    gol_type type; /* of stacks in a copy of another type */
    int last_layer;
} copier;

typedef void copy_fn(copier *c, const gol_tensor *t);

static void *keep(copier *c, void *p)
{
    assert_non_null(p);
    assert_true(c->n_kept < TENSORS_MAX);
    c->kept[c->n_kept++] = p;
    return p;
}

static bool is_stack(const gol_tensor *t)
{
    return t->n_dims == 3;
}

/* Each expert's matrix as a tensor of its own, as files had it until spring of 2024. */
static void split(copier *c, const gol_tensor *t)
{
    if (!is_stack(t)) {
        gol_gguf_writer_add_tensor(c->w, t);
        return;
    }
    const char *suffix = strstr(t->name.data, "_exps.");
    assert_non_null(suffix);
    for (uint64_t e = 0; e < t->shape[2]; e++) {
        char *name = keep(c, malloc(128));
        snprintf(name, 128, "%.*s.%d.weight", (int)(suffix - t->name.data), t->name.data, (int)e);
        gol_tensor one = *t;
        one.name = gol_str_from(name);
        one.n_dims = 2;
        one.shape[2] = 1;
        one.n_elements /= t->shape[2];
        one.n_bytes /= t->shape[2];
        one.data += e * one.n_bytes;
        gol_gguf_writer_add_tensor(c->w, &one);
    }
}

/* Experts in another type, or (F32) the values that this type gives them. In the last layer only: rounding before a router can make
 * it choose another expert, and then nothing is near. */
static void convert(copier *c, const gol_tensor *t, bool is_back)
{
    char last[16];
    snprintf(last, sizeof last, "blk.%d.", c->last_layer);
    gol_err err = {0};
    gol_tensor other = *t;
    if (is_stack(t) && strncmp(t->name.data, last, strlen(last)) == 0) {
        size_t n_bytes;
        const size_t n = (size_t)t->n_elements;
        float *values = keep(c, malloc(n * sizeof *values));
        gol_type_get(t->type)->dequant(values, t->data, n);
        assert_true(gol_type_row_bytes(&n_bytes, c->type, n));
        uint8_t *blocks = keep(c, malloc(n_bytes));
        assert_int_equal(gol_quantize_row(blocks, c->type, values, n, &err), 0);
        gol_type_get(c->type)->dequant(values, blocks, n);
        other.type = is_back ? GOL_TYPE_F32 : c->type;
        other.data = is_back ? (const uint8_t *)values : blocks;
        other.n_bytes = is_back ? n * sizeof *values : n_bytes;
    }
    gol_gguf_writer_add_tensor(c->w, &other);
}

static void quantize(copier *c, const gol_tensor *t)
{
    convert(c, t, false);
}

static void quantize_and_back(copier *c, const gol_tensor *t)
{
    convert(c, t, true);
}

static void compute_copy(float *logits, const char *name, copy_fn *copy, gol_type type)
{
    char path[512];
    gol_model_file *file;
    gol_err err = {0};
    copier c = {.type = type};
    path_of(path, name, "gguf");
    if (gol_model_file_open(&file, path, &err) < 0 || gol_gguf_writer_create(&c.w, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < gol_model_file_n_meta(file); i++) {
        const gol_meta *meta = gol_model_file_get_meta(file, i);
        gol_gguf_writer_add_value(c.w, meta->key, &meta->value);
    }
    c.last_layer = gol_model_file_find_tensor(file, GOL_STR("blk.1.attn_q.weight")) ? 1 : 0;
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++)
        copy(&c, gol_model_file_get_tensor(file, i));
    char out[256];
    temp_dir_file(&dir, "copy.gguf", out);
    if (gol_gguf_writer_write(c.w, out, &err) < 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_destroy(&c.w);
    gol_model_file_close(&file);
    for (size_t i = 0; i < c.n_kept; i++)
        free(c.kept[i]);
    compute(logits, out, 2, N_TOKENS);
}

static void a_tensor_for_each_expert_gives_the_same_bits(void **state)
{
    (void)state;
    static float want[N_LOGITS];
    static float got[N_LOGITS];
    char path[512];
    path_of(path, "mixtral", "gguf");
    compute(want, path, 2, N_TOKENS);
    compute_copy(got, "mixtral", split, GOL_TYPE_F16);
    assert_memory_equal(got, want, sizeof want);
}

static void quantized_experts_answer_as_their_values_do(void **state)
{
    (void)state;
    static const gol_type types[] = {GOL_TYPE_Q8_0, GOL_TYPE_MXFP4, GOL_TYPE_Q4_0};
    static float want[N_LOGITS];
    static float got[N_LOGITS];
    for (int i = 0; i < N_NAMES; i++)
        for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
            compute_copy(got, names[i], quantize, types[k]);
            compute_copy(want, names[i], quantize_and_back, types[k]);
            assert_near(names[i], got, want, NMSE_MAX_QUANTIZED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_the_references),
        cmocka_unit_test(chunks_and_threads_change_no_bit),
        cmocka_unit_test_setup_teardown(a_tensor_for_each_expert_gives_the_same_bits, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(quantized_experts_answer_as_their_values_do, make_dir,
                                        remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
