/* The forward pass of tiny random models: right (against double), and the same bits however rows are batched. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/double_model.h"
#include "support/model_runner.h"
#include "support/test_dir.h"
#include "support/tiny_model.h"

typedef struct opened {
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
} opened;

static opened open_tiny(const tiny_model *m, int n_threads)
{
    opened o = {0};
    gol_err err = {0};
    char path[256];
    temp_dir_file(&dir, "m.gguf", path);
    if (tiny_model_write(m, path, &err) < 0 || gol_model_file_open(&o.file, path, &err) < 0 ||
        gol_backend_cpu_create(&o.be, &(gol_cpu_opts){.n_threads = n_threads}, &err) < 0 ||
        gol_model_load(&o.model, o.file, o.be, NULL, &err) < 0)
        fail_msg("%s", err.message);
    return o;
}

static void close_tiny(opened *o)
{
    gol_model_destroy(&o->model);
    gol_backend_destroy(&o->be);
    gol_model_file_close(&o->file);
}

static void make_tokens(int32_t *tokens, int n, uint64_t seed)
{
    gol_rng rng = {.key = seed};
    for (int i = 0; i < n; i++)
        tokens[i] = (int32_t)gol_rng_below(&rng, TINY_VOCAB);
}

static void check_against_double(const tiny_model *m, gol_kv_type kv_type, double nmse_max)
{
    enum { N = 70 };
    static float got[N * TINY_VOCAB];
    static double want[N * TINY_VOCAB];
    int32_t tokens[N];
    opened o = open_tiny(m, 2);
    model_runner r;
    make_tokens(tokens, N, 3);
    runner_init(&r, o.model, kv_type);
    runner_logits(&r, got, tokens, N, 33);
    double_forward(want, o.file, tokens, N);
    double off = 0;
    double all = 0;
    for (int i = 0; i < N * TINY_VOCAB; i++) {
        off += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        all += want[i] * want[i];
    }
    if (!(off <= nmse_max * all) || !(all > 0))
        fail_msg("%s: NMSE %.3g, at most %.3g is allowed", m->arch, off / all, nmse_max);
    runner_deinit(&r);
    close_tiny(&o);
}

/* Float32 throughout: rounding to 24 bits, squared, grown by a hundred roundings. */
static const double nmse_max_f32 = 1e-11;
/* GELU rounded to 11 bits, twice. */
static const double nmse_max_gelu = 1e-7;
/* K and V rounded to 11 bits. */
static const double nmse_max_f16_kv = 1e-5;

static void logits_equal_the_definition(void **state)
{
    (void)state;
    check_against_double(&(tiny_model){.arch = "llama"}, GOL_KV_F32, nmse_max_f32);
    check_against_double(&(tiny_model){.arch = "llama", .is_tied = true, .has_qkv_bias = true},
                         GOL_KV_F32, nmse_max_f32);
    check_against_double(&(tiny_model){.arch = "llama", .has_rope_freqs = true}, GOL_KV_F32,
                         nmse_max_f32);
    check_against_double(&(tiny_model){.arch = "llama"}, GOL_KV_F16, nmse_max_f16_kv);
    check_against_double(&(tiny_model){.arch = "gpt2"}, GOL_KV_F32, nmse_max_gelu);
    check_against_double(&(tiny_model){.arch = "gpt2", .is_tied = true}, GOL_KV_F16,
                         nmse_max_f16_kv);
}

static void chunks_and_threads_change_no_bit(void **state)
{
    (void)state;
    enum { N = 70 };
    static const int32_t chunks[] = {1, 5, 16, 33, N};
    static const tiny_model models[] = {{.arch = "llama", .type = GOL_TYPE_F16},
                                        {.arch = "llama", .type = GOL_TYPE_Q8_0},
                                        {.arch = "llama", .type = GOL_TYPE_Q8_0, .n_experts = 5},
                                        {.arch = "gpt2", .type = GOL_TYPE_F32}};
    static float first[N * TINY_VOCAB];
    static float again[N * TINY_VOCAB];
    int32_t tokens[N];
    make_tokens(tokens, N, 4);
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            opened o = open_tiny(&models[m], n_threads);
            for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
                model_runner r;
                runner_init(&r, o.model, GOL_KV_F16);
                runner_logits(&r, again, tokens, N, chunks[c]);
                if (n_threads == 1 && c == 0)
                    memcpy(first, again, sizeof first);
                assert_memory_equal(first, again, sizeof first);
                runner_deinit(&r);
            }
            close_tiny(&o);
        }
    }
}

/* One sequence's 20 rows alone, and as part of a step with two others: 33 rows, a decode before and a prompt behind. */
static void company_in_a_batch_changes_no_bit(void **state)
{
    (void)state;
    enum { N = 20, N_ALL = 33, BLOCK = 8, N_BLOCKS = 24 };
    opened o = open_tiny(&(tiny_model){.arch = "llama", .type = GOL_TYPE_Q4_0}, 3);
    gol_err err = {0};
    gol_kv_layer_shape shapes[TINY_LAYERS];
    gol_model_kv_layers(o.model, shapes);
    const gol_kv_shape shape = {GOL_KV_F16, TINY_LAYERS, N_BLOCKS, BLOCK, shapes};
    gol_kv *kv;
    gol_forward *fwd;
    assert_int_equal(o.be->ops->kv_create(o.be, &kv, &shape, &err), 0);
    assert_int_equal(gol_forward_create(&fwd, o.model, N_ALL, N_ALL, TINY_CTX, &err), 0);
    const int32_t tables[3][3] = {{20, 3, 11}, {7, 1, 15}, {2, 9, 4}};
    /* rows: 1 of sequence 0 at position 16, 20 of sequence 1 from 0, 12 of sequence 2 from 0 */
    const gol_batch_seq seqs[3] = {
        {.first_row = 0, .n_rows = 1, .n_past = 16, .n_blocks = 3, .block_table = tables[0]},
        {.first_row = 1, .n_rows = N, .n_past = 0, .n_blocks = 3, .block_table = tables[1]},
        {.first_row = 1 + N, .n_rows = 12, .n_past = 0, .n_blocks = 3, .block_table = tables[2]}};
    int32_t tokens[N_ALL];
    int32_t positions[N_ALL];
    int32_t slots[N_ALL];
    int32_t outputs[N_ALL];
    make_tokens(tokens, N_ALL, 5);
    for (int s = 0; s < 3; s++) {
        for (int i = 0; i < seqs[s].n_rows; i++) {
            const int32_t row = seqs[s].first_row + i;
            positions[row] = seqs[s].n_past + i;
            slots[row] = tables[s][positions[row] / BLOCK] * BLOCK + positions[row] % BLOCK;
            outputs[row] = row;
        }
    }
    /* sequence 0's past: its first 16 positions, no logits wanted */
    int32_t past_positions[16];
    int32_t past_slots[16];
    for (int32_t p = 0; p < 16; p++) {
        past_positions[p] = p;
        past_slots[p] = tables[0][p / BLOCK] * BLOCK + p % BLOCK;
    }
    const gol_batch_seq past_seq = {.n_rows = 16, .n_blocks = 3, .block_table = tables[0]};
    const gol_batch past = {16,        tokens, past_positions, NULL, past_slots, 1,
                            &past_seq, 0,      NULL,           0,    NULL};
    gol_forward_run(fwd, kv, NULL, &past);

    const gol_batch all = {N_ALL, tokens, positions, NULL, slots, 3, seqs, N_ALL, outputs, 0, NULL};
    float together[N * TINY_VOCAB];
    memcpy(together, gol_forward_run(fwd, kv, NULL, &all) + TINY_VOCAB, sizeof together);
    const gol_batch_seq alone_seq = {.n_rows = N, .n_blocks = 3, .block_table = tables[1]};
    const gol_batch alone = {N,          tokens + 1, positions + 1, NULL, slots + 1, 1,
                             &alone_seq, N,          outputs,       0,    NULL};
    assert_memory_equal(gol_forward_run(fwd, kv, NULL, &alone), together, sizeof together);

    gol_forward_destroy(&fwd);
    o.be->ops->kv_destroy(o.be, &kv);
    close_tiny(&o);
}

static void only_wanted_rows_give_logits_and_they_are_the_same(void **state)
{
    (void)state;
    enum { N = 40 };
    static float all[N * TINY_VOCAB];
    int32_t tokens[N];
    make_tokens(tokens, N, 6);
    opened o = open_tiny(&(tiny_model){.arch = "llama"}, 2);
    model_runner r;
    runner_init(&r, o.model, GOL_KV_F32);
    runner_logits(&r, all, tokens, N, N);
    const float *last = runner_step(&r, tokens, 0, N, 1);
    assert_memory_equal(last, all + (N - 1) * TINY_VOCAB, TINY_VOCAB * sizeof *last);
    last = runner_step(&r, tokens, 0, N, 7);
    assert_memory_equal(last, all + (N - 7) * TINY_VOCAB, 7 * TINY_VOCAB * sizeof *last);
    runner_deinit(&r);
    /* A fresh cache: what follows comes from these steps alone. */
    runner_init(&r, o.model, GOL_KV_F32);
    runner_step(&r, tokens, 0, 25, 0);
    runner_step(&r, tokens, 25, N - 1, 0);
    last = runner_step(&r, tokens, N - 1, N, 1);
    assert_memory_equal(last, all + (N - 1) * TINY_VOCAB, TINY_VOCAB * sizeof *last);
    runner_deinit(&r);
    close_tiny(&o);
}

static void a_run_allocates_nothing(void **state)
{
    (void)state;
    enum { N = 40 };
    int32_t tokens[N];
    make_tokens(tokens, N, 7);
    opened o = open_tiny(&(tiny_model){.arch = "gpt2"}, 2);
    model_runner r;
    runner_init(&r, o.model, GOL_KV_F16);
    const uint64_t before = gol_mem_n_forbidden();
    gol_mem_forbid(true);
    runner_step(&r, tokens, 0, N, N);
    gol_mem_forbid(false);
    assert_true(gol_mem_n_forbidden() == before);
    runner_deinit(&r);
    close_tiny(&o);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    static const struct {
        int32_t n_tokens, n_outputs, n_ctx;
        int rc;
    } sizes[] = {
        {0, 0, 1, GOL_EINVAL},
        {1, 2, 1, GOL_EINVAL},
        {1, -1, 1, GOL_EINVAL},
        {1, 1, 0, GOL_EINVAL},
        {1, 1, TINY_CTX + 1, GOL_EINVAL}, /* gpt2 has no more positions */
        {1, 1, TINY_CTX, 0},
        {4, 0, 1, 0},
    };
    opened o = open_tiny(&(tiny_model){.arch = "gpt2"}, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gol_forward *fwd;
        gol_err err = {0};
        assert_int_equal(gol_forward_create(&fwd, o.model, sizes[i].n_tokens, sizes[i].n_outputs,
                                            sizes[i].n_ctx, &err),
                         sizes[i].rc);
        assert_int_equal(fwd != NULL, sizes[i].rc == 0);
        gol_forward_destroy(&fwd);
    }
    close_tiny(&o);
}

static void creation_survives_every_failing_allocation(void **state)
{
    (void)state;
    opened o = open_tiny(&(tiny_model){.arch = "llama"}, 1);
    uint64_t n = 1;
    for (;; n++) {
        gol_forward *fwd;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        const int rc = gol_forward_create(&fwd, o.model, 16, 4, 64, &err);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(rc, has_failed ? GOL_ENOMEM : 0);
        gol_forward_destroy(&fwd);
        if (!has_failed)
            break;
    }
    assert_true(n > 10);
    close_tiny(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_the_definition),
        cmocka_unit_test(chunks_and_threads_change_no_bit),
        cmocka_unit_test(company_in_a_batch_changes_no_bit),
        cmocka_unit_test(only_wanted_rows_give_logits_and_they_are_the_same),
        cmocka_unit_test(a_run_allocates_nothing),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(creation_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
