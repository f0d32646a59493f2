/*
 * Made model files, read back as any model is: tensors and their statistics, tokenizers that give text back,
 * the same bytes for the same options, clean failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "formats/model_file.h"
#include "make_model/make_model.h"
#include "make_model/model_pieces.h"
#include "support/temp_dir.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

typedef struct made_model {
    temp_dir dir;
    char path[256];
    gol_model_file *file;
} made_model;

static made_model make(const char *arch, const char *shape, gol_type type, bool byte_vocab)
{
    made_model made = {.dir = temp_dir_create()};
    temp_dir_file(&made.dir, "model.gguf", made.path);
    const make_model_options options = {.shape = make_model_find_shape(arch, shape),
                                        .type = type,
                                        .byte_vocab = byte_vocab,
                                        .seed = 3};
    assert_non_null(options.shape);
    gol_err err = {0};
    if (make_model_write(made.path, &options, &err) ||
        gol_model_file_open(&made.file, made.path, &err))
        fail_msg("%s %s: %s", arch, shape, err.message);
    return made;
}

static void drop(made_model *made)
{
    gol_model_file_close(&made->file);
    temp_dir_destroy(&made->dir);
}

static const gol_tensor *get_tensor(const made_model *made, const char *name)
{
    const gol_tensor *t = gol_model_file_find_tensor(made->file, gol_str_from(name));
    if (!t)
        fail_msg("no tensor %s", name);
    return t;
}

static void check_statistics(const gol_tensor *t, double mean, double deviation)
{
    float *values = gol_try_array(t->n_elements, sizeof *values);
    assert_non_null(values);
    gol_type_get(t->type)->dequant(values, t->data, t->n_elements);
    double sum = 0, sum_squares = 0;
    for (uint64_t i = 0; i < t->n_elements; i++) {
        assert_true(fabs((double)values[i] - mean) < 3.6 * deviation);
        sum += (double)values[i] - mean;
        sum_squares += ((double)values[i] - mean) * ((double)values[i] - mean);
    }
    gol_free(values);
    const double n = (double)t->n_elements;
    assert_true(fabs(sum / n) < 5 * deviation / sqrt(n));
    assert_true(fabs(sqrt(sum_squares / n) / deviation - 1) < 5 / sqrt(2 * n) + 0.01);
}

static void a_llama_file_has_the_tensors_and_keys_of_its_shape(void **state)
{
    (void)state;
    made_model made = make("llama", "tiny", GOL_TYPE_Q8_0, false);
    assert_int_equal(gol_model_file_n_tensors(made.file), 3 + 2 * 9);
    const gol_tensor *k = get_tensor(&made, "blk.1.attn_k.weight");
    assert_int_equal(k->type, GOL_TYPE_Q8_0);
    assert_int_equal(k->shape[0], 64);
    assert_int_equal(k->shape[1], 32);
    check_statistics(k, 0, 1 / sqrt(64));
    check_statistics(get_tensor(&made, "blk.0.ffn_down.weight"), 0, 1 / sqrt(160));
    check_statistics(get_tensor(&made, "output.weight"), 0, 3 / sqrt(64));
    const gol_tensor *norm = get_tensor(&made, "output_norm.weight");
    assert_int_equal(norm->type, GOL_TYPE_F32);
    assert_int_equal(norm->n_dims, 1);
    check_statistics(norm, 1, 0.1);
    uint32_t value = 0;
    gol_err err = {0};
    assert_int_equal(
        gol_meta_u32(made.file, "llama.attention.head_count_kv", 0, UINT32_MAX, &value, &err), 1);
    assert_int_equal(value, 2);
    assert_int_equal(gol_meta_u32(made.file, "llama.context_length", 0, UINT32_MAX, &value, &err),
                     1);
    assert_int_equal(value, 512);
    drop(&made);
}

static void a_gpt2_file_has_biases_and_learned_positions_and_ties_its_output(void **state)
{
    (void)state;
    made_model made = make("gpt2", "tiny", GOL_TYPE_BF16, false);
    assert_int_equal(gol_model_file_n_tensors(made.file), 2 + 2 * 12 + 2);
    check_statistics(get_tensor(&made, "position_embd.weight"), 0, 0.1);
    check_statistics(get_tensor(&made, "blk.1.attn_qkv.bias"), 0, 0.1);
    assert_int_equal(get_tensor(&made, "blk.0.attn_qkv.weight")->shape[1], 3 * 64);
    assert_null(gol_model_file_find_tensor(made.file, GOL_STR("output.weight")));
    drop(&made);
}

static void a_qwen3_file_has_norms_of_heads_whose_size_it_names(void **state)
{
    (void)state;
    made_model made = make("qwen3", "tiny", GOL_TYPE_F16, false);
    assert_int_equal(gol_model_file_n_tensors(made.file), 2 + 2 * 11);
    assert_int_equal(get_tensor(&made, "blk.0.attn_q_norm.weight")->shape[0], 32);
    assert_int_equal(get_tensor(&made, "blk.1.attn_q.weight")->shape[1], 4 * 32);
    assert_int_equal(get_tensor(&made, "blk.1.attn_output.weight")->shape[0], 4 * 32);
    assert_null(gol_model_file_find_tensor(made.file, GOL_STR("output.weight")));
    uint32_t value = 0;
    gol_err err = {0};
    assert_int_equal(gol_meta_u32(made.file, "qwen3.attention.key_length", 0, 999, &value, &err),
                     1);
    assert_int_equal(value, 32);
    drop(&made);
}

static void an_embedding_gemma_file_has_norms_on_both_sides_and_dense_layers(void **state)
{
    (void)state;
    made_model made = make("gemma-embedding", "tiny", GOL_TYPE_Q8_0, false);
    assert_int_equal(gol_model_file_n_tensors(made.file), 2 + 7 * 13 + 2);
    check_statistics(get_tensor(&made, "blk.6.post_ffw_norm.weight"), 1, 0.1);
    assert_int_equal(get_tensor(&made, "dense_2.weight")->shape[1], 128);
    assert_int_equal(get_tensor(&made, "dense_3.weight")->shape[1], 96);
    uint32_t value = 0;
    gol_err err = {0};
    static const char *const keys[] = {
        "gemma-embedding.attention.sliding_window", "gemma-embedding.pooling_type",
        "gemma-embedding.dense_3_feat_in", "tokenizer.ggml.padding_token_id"};
    static const uint32_t values[] = {16, 1, 128, 0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(gol_meta_u32(made.file, keys[i], 0, UINT32_MAX, &value, &err), 1);
        assert_int_equal(value, values[i]);
    }
    drop(&made);
}

static void types_without_a_quantizer_get_random_blocks_of_the_right_size(void **state)
{
    (void)state;
    static const gol_type types[] = {GOL_TYPE_IQ2_XXS, GOL_TYPE_IQ2_XS, GOL_TYPE_IQ2_S,
                                     GOL_TYPE_IQ3_XXS, GOL_TYPE_IQ3_S,  GOL_TYPE_IQ1_S,
                                     GOL_TYPE_IQ1_M};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_true(make_model_can_write(types[i]));
        made_model made = make("llama", "small", types[i], true);
        const gol_tensor *t = get_tensor(&made, "blk.2.ffn_up.weight");
        assert_int_equal(t->type, types[i]);
        float values[256];
        for (int b = 0; b < 50; b++) {
            double power = 0;
            gol_type_get(t->type)->dequant(
                values, t->data + (size_t)b * gol_type_get(t->type)->type_size, 256);
            for (int k = 0; k < 256; k++)
                power += (double)values[k] * (double)values[k];
            /* The deviation of 1 / sqrt(256), but for the rounding of the scale. */
            assert_true(fabs(sqrt(power / 256) * 16 - 1) < 0.01);
        }
        drop(&made);
    }
    assert_false(make_model_can_write(GOL_TYPE_I32));
    assert_false(make_model_can_write(GOL_TYPE_Q8_K));
}

static void a_mixture_gives_each_tensor_its_type(void **state)
{
    (void)state;
    temp_dir dir = temp_dir_create();
    char path[256];
    temp_dir_file(&dir, "model.gguf", path);
    const make_model_options options = {.shape = make_model_find_shape("llama", "small"),
                                        .mix = gol_mix_find(GOL_STR("q4_k_m")),
                                        .byte_vocab = true,
                                        .seed = 3};
    gol_err err = {0};
    assert_int_equal(make_model_write(path, &options, &err), 0);
    made_model made = {.dir = dir};
    assert_int_equal(gol_model_file_open(&made.file, path, &err), 0);
    assert_int_equal(get_tensor(&made, "output.weight")->type, GOL_TYPE_Q6_K);
    assert_int_equal(get_tensor(&made, "token_embd.weight")->type, GOL_TYPE_Q4_K);
    assert_int_equal(get_tensor(&made, "blk.1.attn_v.weight")->type, GOL_TYPE_Q4_K);
    assert_int_equal(get_tensor(&made, "blk.2.attn_v.weight")->type, GOL_TYPE_Q6_K);
    assert_int_equal(get_tensor(&made, "blk.2.attn_norm.weight")->type, GOL_TYPE_F32);
    uint32_t value = 0;
    assert_int_equal(gol_meta_u32(made.file, "general.file_type", 0, 999, &value, &err), 1);
    assert_int_equal(value, 15);
    drop(&made);
}

static void llama3_frequencies_stay_where_short_and_stretch_where_long(void **state)
{
    (void)state;
    made_model made = make("llama", "tiny-llama3", GOL_TYPE_F16, false);
    const gol_tensor *t = get_tensor(&made, "rope_freqs.weight");
    assert_int_equal(t->n_elements, 8);
    float x[8];
    memcpy(x, t->data, sizeof x);
    assert_true(x[0] == 1.0f);
    assert_true(x[7] == 8.0f);
    for (int i = 1; i < 8; i++)
        assert_true(x[i] >= x[i - 1]);
    drop(&made);
}

/* Encodes, checks that decoding gives the text back, and returns the number of tokens. */
static size_t check_text(const gol_tokenizer *tok, const char *text)
{
    gol_err err = {0};
    gol_ids ids = {0};
    assert_int_equal(gol_tokenizer_encode(tok, &ids, gol_str_from(text), 0, &err), 0);
    gol_buf out;
    gol_buf_init(&out, 65536);
    gol_detokenizer d;
    gol_detokenizer_init(&d, tok, true, true);
    for (size_t i = 0; i < ids.n; i++)
        gol_detokenizer_push(&d, ids.data[i], &out);
    gol_detokenizer_flush(&d, &out);
    if (!gol_str_is(gol_buf_view(&out), text))
        fail_msg("\"%s\" came back as \"%.*s\"", text, GOL_STR_ARG(gol_buf_view(&out)));
    const size_t n = ids.n;
    gol_buf_deinit(&out);
    gol_ids_deinit(&ids);
    return n;
}

static void tokenizers_give_any_text_back(void **state)
{
    (void)state;
    static const struct {
        const char *arch, *shape;
        bool byte_vocab;
    } cases[] = {
        {"llama", "tiny", false},       {"llama", "tiny", true},
        {"llama", "small", false},      {"llama", "tiny-llama3", false},
        {"llama", "tiny-llama3", true}, {"gpt2", "tiny", false},
        {"gpt2", "tiny", true},         {"qwen3", "tiny", false},
        {"qwen3", "tiny", true},        {"gemma-embedding", "tiny", false},
    };
    static const char *const texts[] = {
        "the and of in",
        "Hello, World 123!",
        "line\n\ttab",
        "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80",
        "x",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_model made = make(cases[i].arch, cases[i].shape, GOL_TYPE_F16, cases[i].byte_vocab);
        gol_err err = {0};
        gol_tokenizer *tok;
        if (gol_tokenizer_load(&tok, made.file, &err))
            fail_msg("%s %s: %s", cases[i].arch, cases[i].shape, err.message);
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            (void)check_text(tok, texts[k]);
        /* Whole words are one token each where the pieces are there, single characters otherwise. */
        const size_t n = check_text(tok, " the and");
        assert_true(cases[i].byte_vocab ? n >= strlen(" the and") : n <= 3);
        gol_tokenizer_destroy(&tok);
        drop(&made);
    }
}

static void pieces_are_distinct_and_made_of_earlier_ones(void **state)
{
    (void)state;
    enum { N_CHECKED = 1500 };
    static char texts[N_CHECKED][16];
    make_model_pieces pieces = {0};
    make_model_piece piece;
    for (int i = 0; i < N_CHECKED; i++) {
        assert_true(make_model_next_piece(&pieces, &piece));
        snprintf(texts[i], sizeof texts[i], "%s%s", piece.left, piece.right);
        bool has_left = strlen(piece.left) == 1;
        bool has_right = strlen(piece.right) == 1;
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(texts[k], texts[i]);
            has_left |= strcmp(texts[k], piece.left) == 0;
            has_right |= strcmp(texts[k], piece.right) == 0;
        }
        assert_true(has_left && has_right);
    }
    int n_more = 0;
    while (make_model_next_piece(&pieces, &piece))
        n_more++;
    assert_true(N_CHECKED + n_more > 500000);
}

static size_t read_whole(const char *path, uint8_t *buf, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(buf, 1, size, file);
    fclose(file);
    assert_true(n < size);
    return n;
}

static void the_seed_alone_decides_the_bytes(void **state)
{
    (void)state;
    enum { SIZE_MAX_HERE = 1 << 20 };
    uint8_t *first = gol_try_alloc(SIZE_MAX_HERE);
    uint8_t *other = gol_try_alloc(SIZE_MAX_HERE);
    assert_true(first && other);
    temp_dir dir = temp_dir_create();
    char path[256];
    temp_dir_file(&dir, "model.gguf", path);
    make_model_options options = {
        .shape = make_model_find_shape(NULL, "tiny"), .type = GOL_TYPE_Q4_0, .seed = 7};
    assert_string_equal(options.shape->arch, "llama");
    assert_int_equal(make_model_write(path, &options, NULL), 0);
    const size_t n = read_whole(path, first, SIZE_MAX_HERE);
    assert_int_equal(make_model_write(path, &options, NULL), 0);
    assert_int_equal(read_whole(path, other, SIZE_MAX_HERE), n);
    assert_memory_equal(first, other, n);
    options.seed = 8;
    assert_int_equal(make_model_write(path, &options, NULL), 0);
    assert_int_equal(read_whole(path, other, SIZE_MAX_HERE), n);
    assert_memory_not_equal(first, other, n);
    temp_dir_destroy(&dir);
    gol_free(first);
    gol_free(other);
}

static void rows_that_are_no_whole_blocks_are_refused_by_the_tensors_name(void **state)
{
    (void)state;
    temp_dir dir = temp_dir_create();
    char path[256];
    temp_dir_file(&dir, "model.gguf", path);
    const make_model_options options = {
        .shape = make_model_find_shape("llama", "tiny"), .type = GOL_TYPE_Q4_K, .seed = 1};
    gol_err err = {0};
    assert_int_equal(make_model_write(path, &options, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "token_embd.weight"));
    assert_non_null(strstr(err.message, "Q4_K"));
    assert_int_equal(temp_dir_n_files(&dir), 0);
    temp_dir_destroy(&dir);
}

static void a_failed_allocation_ends_in_an_error_and_no_file_or_does_not_matter(void **state)
{
    (void)state;
    temp_dir dir = temp_dir_create();
    char path[256];
    temp_dir_file(&dir, "model.gguf", path);
    const make_model_options options = {
        .shape = make_model_find_shape("gpt2", "tiny"), .type = GOL_TYPE_Q8_0, .seed = 1};
    bool has_failed = true;
    int n_errors = 0;
    for (uint64_t n = 1; has_failed; n++) {
        gol_mem_fail_nth(n, false);
        gol_err err = {0};
        const int rc = make_model_write(path, &options, &err);
        has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || (has_failed && rc == GOL_ENOMEM));
        assert_int_equal(temp_dir_n_files(&dir), rc == 0 ? 1 : 0);
        n_errors += rc != 0;
        if (rc == 0) /* the writer syncs the folder as best it can, which takes memory too */
            assert_int_equal(unlink(path), 0);
    }
    assert_true(n_errors > 5);
    temp_dir_destroy(&dir);
}

static void shapes_are_found_by_name_and_have_heads_that_divide_the_width(void **state)
{
    (void)state;
    int n = 0;
    for (; make_model_get_shape(n); n++) {
        const make_model_shape *s = make_model_get_shape(n);
        assert_ptr_equal(make_model_find_shape(s->arch, s->name), s);
        assert_int_equal(s->n_embd % s->n_heads, 0);
        assert_int_equal(s->n_heads % s->n_kv_heads, 0);
        assert_true(make_model_n_vocab(s, true) < make_model_n_vocab(s, false));
    }
    assert_true(n >= 11);
    assert_null(make_model_get_shape(-1));
    assert_null(make_model_find_shape("gpt2", "llama-3.2-1b"));
    assert_null(make_model_find_shape(NULL, "huge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_llama_file_has_the_tensors_and_keys_of_its_shape),
        cmocka_unit_test(a_gpt2_file_has_biases_and_learned_positions_and_ties_its_output),
        cmocka_unit_test(a_qwen3_file_has_norms_of_heads_whose_size_it_names),
        cmocka_unit_test(an_embedding_gemma_file_has_norms_on_both_sides_and_dense_layers),
        cmocka_unit_test(types_without_a_quantizer_get_random_blocks_of_the_right_size),
        cmocka_unit_test(a_mixture_gives_each_tensor_its_type),
        cmocka_unit_test(llama3_frequencies_stay_where_short_and_stretch_where_long),
        cmocka_unit_test(tokenizers_give_any_text_back),
        cmocka_unit_test(pieces_are_distinct_and_made_of_earlier_ones),
        cmocka_unit_test(the_seed_alone_decides_the_bytes),
        cmocka_unit_test(rows_that_are_no_whole_blocks_are_refused_by_the_tensors_name),
        cmocka_unit_test(a_failed_allocation_ends_in_an_error_and_no_file_or_does_not_matter),
        cmocka_unit_test(shapes_are_found_by_name_and_have_heads_that_divide_the_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
