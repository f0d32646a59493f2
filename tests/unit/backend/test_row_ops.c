/* Norms, rotary embedding, elementwise ops and row copies: the ops split work over threads, the kernels are checked elsewhere
 * (tests/kernels); here every op is compared with its one-thread result and with known answers. */
#include "unit/backend/backend_test.h"

#include "backend/cpu/kernels/kernels.h"
#include "base/cpu.h"

static void a_norm_of_known_rows(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const float x[4] = {3, 4, -3, 4};
    const float w[2] = {1, 2};
    const float b[2] = {10, 20};
    float out[4];
    be->ops->rms_norm(be, out, x, w, 0.0f, 2, 2); /* rms = sqrt(12.5) */
    assert_close((double)out[0], 3 / sqrt(12.5), 1e-6);
    assert_close((double)out[1], 2 * 4 / sqrt(12.5), 1e-6);
    assert_close((double)out[2], -3 / sqrt(12.5), 1e-6);
    be->ops->layer_norm(be, out, x, w, b, 0.0f, 2, 2); /* first row: mean 3.5, deviation 0.5 */
    assert_close((double)out[0], 10 - 1, 1e-5);
    assert_close((double)out[1], 20 + 2, 1e-5);
    be->ops->layer_norm(be, out, x, w, NULL, 0.0f, 2, 2);
    assert_close((double)out[0], -1, 1e-5);
    gol_backend_destroy(&be);
}

static void rope_turns_by_position_times_frequency(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const float inv_freq[2] = {1.0f, 0.25f};
    gol_rope rope = {GOL_ROPE_NORM, 4, inv_freq, 1.0f};
    const int32_t positions[1] = {2};
    float x[6] = {1, 0, 0, 1, 7, 8};
    float angles[4];
    be->ops->rope_angles(be, angles, &rope, positions, 1);
    be->ops->rope(be, x, &rope, angles, 1, 1, 6);
    assert_close((double)x[0], cos(2), 1e-6);
    assert_close((double)x[1], sin(2), 1e-6);
    assert_close((double)x[2], -sin(0.5), 1e-6);
    assert_close((double)x[3], cos(0.5), 1e-6);
    assert_true(x[4] == 7.0f && x[5] == 8.0f); /* beyond n_rot */
    float y[4] = {1, 0, 0, 1};                 /* pairs (0, 2) and (1, 3) */
    rope.kind = GOL_ROPE_NEOX;
    rope.scale = 2.0f;
    be->ops->rope_angles(be, angles, &rope, positions, 1);
    be->ops->rope(be, y, &rope, angles, 1, 1, 4);
    assert_close((double)y[0], 2 * cos(2), 1e-6);
    assert_close((double)y[2], 2 * sin(2), 1e-6);
    assert_close((double)y[1], -2 * sin(0.5), 1e-6);
    assert_close((double)y[3], 2 * cos(0.5), 1e-6);
    float z[2] = {5, 6};
    rope.kind = GOL_ROPE_NONE;
    be->ops->rope_angles(be, NULL, &rope, positions, 1);
    be->ops->rope(be, z, &rope, NULL, 1, 1, 2);
    assert_true(z[0] == 5.0f && z[1] == 6.0f);
    gol_backend_destroy(&be);
}

/* The product of a position and a frequency has no rounding in double, so the C library's cos and sin of it are the truth. */
static void angles_are_exact_at_every_position(void **state)
{
    (void)state;
    enum { N_FREQS = 64, N_POSITIONS = 400 };
    gol_backend *be = make_backend(2);
    float inv_freq[N_FREQS];
    int32_t positions[N_POSITIONS];
    float *angles = malloc(2 * N_FREQS * N_POSITIONS * sizeof *angles);
    for (int i = 0; i < N_FREQS; i++)
        inv_freq[i] = powf(10000.0f, -(float)i / N_FREQS);
    inv_freq[1] = 3.7f;
    inv_freq[2] = 1e6f; /* beyond what is reduced by hand at late positions */
    for (int i = 0; i < N_POSITIONS; i++)
        positions[i] = i < 200 ? i : i < 300 ? 131071 - i : INT32_MAX - 12345 * (i - 300);
    const gol_rope rope = {GOL_ROPE_NORM, 2 * N_FREQS, inv_freq, 1.0f};
    be->ops->rope_angles(be, angles, &rope, positions, N_POSITIONS);
    for (int t = 0; t < N_POSITIONS; t++) {
        for (int i = 0; i < N_FREQS; i++) {
            const double angle = (double)positions[t] * (double)inv_freq[i];
            const float *row = angles + t * 2 * N_FREQS;
            assert_close((double)row[i], cos(angle), 0x1p-25 + 1e-9);
            assert_close((double)row[N_FREQS + i], sin(angle), 0x1p-25 + 1e-9);
        }
    }
    free(angles);
    gol_backend_destroy(&be);
}

enum {
    N_TOKENS = 40,
    N_HEADS = 5,
    HEAD_DIM = 80,
    WIDTH = N_HEADS * HEAD_DIM,
    N = N_TOKENS * WIDTH
};

/* Every op once, results one after another in out[10][N]. */
static void run_all(gol_backend *be, float *out)
{
    gol_rng rng = {.key = 77};
    float *a = random_floats(&rng, N);
    float *b = random_floats(&rng, N);
    float inv_freq[HEAD_DIM / 2];
    float angles[N_TOKENS * HEAD_DIM];
    int32_t positions[N_TOKENS];
    for (int i = 0; i < HEAD_DIM / 2; i++)
        inv_freq[i] = powf(10000.0f, -2.0f * (float)i / HEAD_DIM);
    for (int i = 0; i < N_TOKENS; i++)
        positions[i] = 3 * i;
    const gol_rope rope = {GOL_ROPE_NEOX, HEAD_DIM, inv_freq, 1.0f};
    be->ops->rms_norm(be, out, a, b, 1e-5f, N_TOKENS, WIDTH);
    be->ops->layer_norm(be, out + N, a, b, b + WIDTH, 1e-5f, N_TOKENS, WIDTH);
    memcpy(out + 2 * N, a, N * sizeof *a);
    be->ops->rope_angles(be, angles, &rope, positions, N_TOKENS);
    be->ops->rope(be, out + 2 * N, &rope, angles, N_TOKENS, N_HEADS, HEAD_DIM);
    be->ops->glu(be, out + 3 * N, a, b, GOL_ACT_SILU, N);
    be->ops->act(be, out + 4 * N, a, GOL_ACT_GELU, N);
    be->ops->act(be, out + 5 * N, a, GOL_ACT_GELU_ERF, N);
    be->ops->act(be, out + 6 * N, a, GOL_ACT_RELU, N);
    be->ops->add(be, out + 7 * N, a, b, N);
    be->ops->scale(be, out + 8 * N, a, 0.37f, N);
    be->ops->softcap(be, out + 9 * N, a, 1.5f, N);
    free(a);
    free(b);
}

static void ops_give_the_same_bits_with_every_thread_count(void **state)
{
    (void)state;
    float *first = malloc(10 * N * sizeof *first);
    float *again = malloc(10 * N * sizeof *again);
    gol_backend *be = make_backend(1);
    run_all(be, first);
    gol_backend_destroy(&be);
    for (int n_threads = 2; n_threads <= 5; n_threads++) {
        be = make_backend(n_threads);
        assert_int_equal(gol_backend_cpu_n_threads(be), n_threads);
        memset(again, 0xff, 10 * N * sizeof *again);
        run_all(be, again);
        assert_memory_equal(first, again, 10 * N * sizeof *again);
        gol_backend_destroy(&be);
    }
    free(first);
    free(again);
}

static void rows_are_gathered_in_the_order_asked_for(void **state)
{
    (void)state;
    gol_backend *be = make_backend(2);
    const float x[6] = {0, 1, 10, 11, 20, 21};
    float out[6];
    be->ops->gather_rows(be, out, x, (const int32_t[]){2, 0, 2}, 3, 2);
    const float want[6] = {20, 21, 0, 1, 20, 21};
    assert_memory_equal(out, want, sizeof want);
    gol_backend_destroy(&be);
}

static void memory_is_zeroed_and_copied_both_ways(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    gol_err err = {0};
    float *p;
    float host[3] = {1, 2, 3};
    assert_int_equal(be->ops->alloc(be, &p, 1000, &err), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(p[i] == 0.0f);
    be->ops->write(be, p, host, 3);
    memset(host, 0, sizeof host);
    be->ops->read(be, host, p, 3);
    assert_true(host[0] == 1.0f && host[1] == 2.0f && host[2] == 3.0f);
    be->ops->free(be, p);
    assert_int_equal(be->ops->alloc(be, &p, SIZE_MAX / 2, &err), GOL_ENOMEM);
    assert_null(p);
    gol_backend_destroy(&be);
    gol_backend_destroy(&be); /* NULL is fine */
}

static void thread_counts_out_of_range_are_refused(void **state)
{
    (void)state;
    gol_backend *be;
    gol_err err = {0};
    assert_int_equal(gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = -1}, &err),
                     GOL_EINVAL);
    assert_null(be);
    assert_int_equal(gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 100000}, &err),
                     GOL_EINVAL);
    assert_null(be);
    assert_int_equal(gol_backend_cpu_create(&be, NULL, &err), 0); /* all that are usable */
    assert_int_equal(gol_backend_cpu_n_threads(be), gol_cpu_n_usable());
    gol_backend_destroy(&be);
}

static void the_clamped_gate_equals_its_definition(void **state)
{
    (void)state;
    enum { MANY = 3000 }; /* some runs, and not whole */
    for (int n_threads = 1; n_threads <= 2; n_threads++) {
        gol_backend *be = make_backend(n_threads);
        gol_rng rng = {.key = 19};
        float *gate = random_floats(&rng, MANY);
        float *up = random_floats(&rng, MANY);
        float *out = malloc(sizeof *out * MANY);
        for (int i = 0; i < MANY; i++) { /* both limits on both sides */
            gate[i] *= 5.0f;
            up[i] *= 5.0f;
        }
        be->ops->glu(be, out, gate, up, GOL_ACT_SWIGLU_CLAMPED, MANY);
        for (int i = 0; i < MANY; i++) {
            const double g = fmin((double)gate[i], 7.0);
            const double u = fmax(fmin((double)up[i], 7.0), -7.0);
            const double want = g / (1.0 + exp(-1.702 * g)) * (u + 1.0);
            assert_close((double)out[i], want, 1e-5 * fabs(want) + 1e-6);
        }
        be->ops->glu(be, gate, gate, up, GOL_ACT_SWIGLU_CLAMPED, MANY); /* in place */
        assert_memory_equal(gate, out, sizeof *out * MANY);
        free(out);
        free(up);
        free(gate);
        gol_backend_destroy(&be);
    }
}

static void no_slot_is_empty_at_any_level(void **state)
{
    (void)state;
    for (int level = GOL_CPU_C; level < GOL_CPU_N_LEVELS; level++) {
        gol_kernels k;
        gol_kernels_init(&k, (gol_cpu_level)level);
        for (int t = 0; t < GOL_TYPE_N_IDS; t++) {
            const gol_type_info *info = gol_type_find((uint32_t)t);
            assert_int_equal(k.unpack_int[t] || k.unpack_f32[t], info && info->dequant);
        }
        assert_true(k.rms_norm && k.layer_norm && k.softmax && k.attn_merge && k.add && k.scale &&
                    k.softcap);
        assert_true(k.rope[GOL_ROPE_NORM] && k.rope[GOL_ROPE_NEOX]);
        for (int i = 0; i < GOL_N_KV_TYPES; i++)
            assert_true(k.kv_store_key[i] && k.kv_store_value[i] && k.attn_scores[i] &&
                        k.attn_mix[i]);
        for (int i = 0; i < GOL_N_ACTS; i++)
            assert_true(k.act[i] && k.glu[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_norm_of_known_rows),
        cmocka_unit_test(rope_turns_by_position_times_frequency),
        cmocka_unit_test(angles_are_exact_at_every_position),
        cmocka_unit_test(ops_give_the_same_bits_with_every_thread_count),
        cmocka_unit_test(rows_are_gathered_in_the_order_asked_for),
        cmocka_unit_test(memory_is_zeroed_and_copied_both_ways),
        cmocka_unit_test(thread_counts_out_of_range_are_refused),
        cmocka_unit_test(the_clamped_gate_equals_its_definition),
        cmocka_unit_test(no_slot_is_empty_at_any_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
