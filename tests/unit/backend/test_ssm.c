/* Recurrent layers on the CPU backend: against a reference in double, in slices, beside others, from snapshots; states' memory. */
#include "unit/backend/backend_test.h"

#include "base/mem.h"

enum { N_TOKENS = 40, D_CONV = 4, N_HEADS = 6, HEAD_DIM = 24, D_STATE = 20, N_GROUPS = 2 };
enum { D_INNER = N_HEADS * HEAD_DIM, N_CHANNELS = D_INNER + 2 * N_GROUPS * D_STATE };
enum { LAYER = 1, N_SLOTS = 5 };

static const gol_state_layer_shape layer_shapes[2] = {
    {0},
    {.d_conv = D_CONV,
     .n_channels = N_CHANNELS,
     .n_heads = N_HEADS,
     .head_dim = HEAD_DIM,
     .d_state = D_STATE,
     .n_groups = N_GROUPS},
};
static const gol_state_shape shape = {2, N_SLOTS, layer_shapes};

/* A layer, and one sequence's rows. */
typedef struct layer_input {
    float *x;    /* [N_TOKENS][N_CHANNELS] */
    float *dt;   /* [N_TOKENS][N_HEADS] */
    float *z;    /* [N_TOKENS][D_INNER] */
    float *w;    /* [D_CONV][N_CHANNELS] */
    float *bias; /* [N_CHANNELS] */
    float *norm; /* [D_INNER] */
    float a[N_HEADS], d[N_HEADS], dt_bias[N_HEADS];
} layer_input;

static layer_input make_input(uint64_t seed)
{
    gol_rng rng = {.key = seed};
    layer_input in = {
        .x = random_floats(&rng, N_TOKENS * N_CHANNELS),
        .dt = random_floats(&rng, N_TOKENS * N_HEADS),
        .z = random_floats(&rng, N_TOKENS * D_INNER),
        .w = random_floats(&rng, D_CONV * N_CHANNELS),
        .bias = random_floats(&rng, N_CHANNELS),
        .norm = random_floats(&rng, D_INNER),
    };
    for (int h = 0; h < N_HEADS; h++) {
        in.a[h] = -(float)exp(gol_rng_next_normal(&rng));
        in.d[h] = (float)gol_rng_next_normal(&rng);
        in.dt_bias[h] = (float)gol_rng_next_normal(&rng);
    }
    in.dt[3] = 25.0f; /* beyond where softplus is the number itself */
    return in;
}

static void free_input(layer_input *in)
{
    free(in->x);
    free(in->dt);
    free(in->z);
    free(in->w);
    free(in->bias);
    free(in->norm);
}

/* Everything that one sequence's rows become. */
typedef struct layer_output {
    float conv[N_TOKENS * N_CHANNELS];
    float y[N_TOKENS * D_INNER];
    float out[N_TOKENS * D_INNER];
} layer_output;

/* Rows [first, first + n) of the sequences whose inputs and outputs these are, side by side in one batch. */
typedef struct span {
    const layer_input *in;
    layer_output *out;
    int32_t first;
    int32_t n;
    int32_t slot;
    int32_t n_snapshots;
    const gol_state_snapshot *snapshots;
} span;

static void run_spans(gol_backend *be, gol_state *state, const span *spans, int32_t n_spans)
{
    enum { ROWS_MAX = 3 * N_TOKENS };
    static float x[ROWS_MAX * N_CHANNELS], conv[ROWS_MAX * N_CHANNELS], dt[ROWS_MAX * N_HEADS],
        decay[ROWS_MAX * N_HEADS], y[ROWS_MAX * D_INNER], z[ROWS_MAX * D_INNER],
        out[ROWS_MAX * D_INNER];
    gol_batch_seq seqs[3];
    int32_t n_rows = 0;
    assert_true(n_spans <= 3);
    for (int32_t i = 0; i < n_spans; i++) {
        const span *s = &spans[i];
        const size_t from = (size_t)s->first;
        const size_t to = (size_t)n_rows;
        const size_t n = (size_t)s->n;
        memcpy(x + to * N_CHANNELS, s->in->x + from * N_CHANNELS, n * N_CHANNELS * sizeof *x);
        memcpy(dt + to * N_HEADS, s->in->dt + from * N_HEADS, n * N_HEADS * sizeof *x);
        memcpy(z + to * D_INNER, s->in->z + from * D_INNER, n * D_INNER * sizeof *x);
        seqs[i] = (gol_batch_seq){.first_row = n_rows,
                                  .n_rows = s->n,
                                  .n_past = s->first,
                                  .state_slot = s->slot,
                                  .n_snapshots = s->n_snapshots,
                                  .snapshots = s->snapshots};
        n_rows += s->n;
    }
    const gol_batch batch = {.n_tokens = n_rows, .n_seqs = n_spans, .seqs = seqs};
    const layer_input *in = spans[0].in; /* weights are the same for all */
    const gol_ssm_params params = {in->a, in->d, in->dt_bias};
    be->ops->ssm_conv(be, conv, x, in->w, in->bias, state, LAYER, &batch);
    be->ops->ssm_steps(be, dt, decay, &params, n_rows, N_HEADS);
    be->ops->ssm_scan(be, y, conv, dt, decay, &params, state, LAYER, &batch);
    be->ops->gated_norm(be, out, y, z, in->norm, 1e-5f, n_rows, N_GROUPS, D_INNER / N_GROUPS);
    for (int32_t i = 0; i < n_spans; i++) {
        const span *s = &spans[i];
        const size_t from = (size_t)seqs[i].first_row;
        const size_t to = (size_t)s->first;
        const size_t n = (size_t)s->n;
        memcpy(s->out->conv + to * N_CHANNELS, conv + from * N_CHANNELS,
               n * N_CHANNELS * sizeof *x);
        memcpy(s->out->y + to * D_INNER, y + from * D_INNER, n * D_INNER * sizeof *x);
        memcpy(s->out->out + to * D_INNER, out + from * D_INNER, n * D_INNER * sizeof *x);
    }
}

/* Mamba2 as the paper's recurrence has it, in double. */
typedef struct reference {
    double conv[N_TOKENS * N_CHANNELS];
    double y[N_TOKENS * D_INNER];
    double out[N_TOKENS * D_INNER];
} reference;

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static void convolve_naively(reference *ref, const layer_input *in)
{
    for (int t = 0; t < N_TOKENS; t++) {
        for (int c = 0; c < N_CHANNELS; c++) {
            double sum = (double)in->bias[c];
            for (int k = 0; k < D_CONV; k++) {
                const int from = t - (D_CONV - 1) + k;
                if (from >= 0)
                    sum += (double)in->w[k * N_CHANNELS + c] * (double)in->x[from * N_CHANNELS + c];
            }
            ref->conv[t * N_CHANNELS + c] = silu(sum);
        }
    }
}

static void scan_naively(reference *ref, const layer_input *in)
{
    for (int head = 0; head < N_HEADS; head++) {
        double h[HEAD_DIM][D_STATE] = {{0}};
        const int group = head / (N_HEADS / N_GROUPS);
        for (int t = 0; t < N_TOKENS; t++) {
            const double *x = ref->conv + t * N_CHANNELS + head * HEAD_DIM;
            const double *b = ref->conv + t * N_CHANNELS + D_INNER + group * D_STATE;
            const double *c = b + N_GROUPS * D_STATE;
            const double dt = log1p(
                exp((double)in->dt[t * N_HEADS + head] + (double)in->dt_bias[head]));
            const double keep = exp(dt * (double)in->a[head]);
            for (int p = 0; p < HEAD_DIM; p++) {
                double y = (double)in->d[head] * x[p];
                for (int n = 0; n < D_STATE; n++) {
                    h[p][n] = h[p][n] * keep + dt * x[p] * b[n];
                    y += h[p][n] * c[n];
                }
                ref->y[t * D_INNER + head * HEAD_DIM + p] = y;
            }
        }
    }
}

static void gate_naively(reference *ref, const layer_input *in)
{
    enum { N = D_INNER / N_GROUPS };
    for (int t = 0; t < N_TOKENS; t++) {
        for (int g = 0; g < N_GROUPS; g++) {
            const int first = t * D_INNER + g * N;
            double squares = 0;
            for (int i = 0; i < N; i++) {
                ref->out[first + i] = ref->y[first + i] * silu((double)in->z[first + i]);
                squares += ref->out[first + i] * ref->out[first + i];
            }
            for (int i = 0; i < N; i++)
                ref->out[first + i] *= (double)in->norm[g * N + i] / sqrt(squares / N + 1e-5);
        }
    }
}

static double nmse(const float *got, const double *want, size_t n)
{
    double errors = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        errors += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        squares += want[i] * want[i];
    }
    return errors / squares;
}

static gol_state *make_state(gol_backend *be)
{
    gol_state *state;
    gol_err err = {0};
    if (be->ops->state_create(be, &state, &shape, &err) != 0)
        fail_msg("%s", err.message);
    return state;
}

/* The whole sequence in one slice, in slot 0, by one thread. */
static layer_output *run_alone(const layer_input *in)
{
    gol_backend *be = make_backend(1);
    gol_state *state = make_state(be);
    layer_output *out = calloc(1, sizeof *out);
    assert_non_null(out);
    const span all = {.in = in, .out = out, .n = N_TOKENS};
    run_spans(be, state, &all, 1);
    be->ops->state_destroy(be, &state);
    gol_backend_destroy(&be);
    return out;
}

static void the_layer_agrees_with_the_recurrence_in_double(void **unused)
{
    (void)unused;
    layer_input in = make_input(1);
    layer_output *got = run_alone(&in);
    reference *ref = calloc(1, sizeof *ref);
    assert_non_null(ref);
    convolve_naively(ref, &in);
    scan_naively(ref, &in);
    gate_naively(ref, &in);
    assert_true(nmse(got->conv, ref->conv, N_TOKENS * N_CHANNELS) < 1e-12);
    assert_true(nmse(got->y, ref->y, N_TOKENS * D_INNER) < 1e-12);
    assert_true(nmse(got->out, ref->out, N_TOKENS * D_INNER) < 1e-12);
    free(ref);
    free(got);
    free_input(&in);
}

static void slices_and_threads_give_the_same_bits(void **unused)
{
    (void)unused;
    layer_input in = make_input(2);
    layer_output *want = run_alone(&in);
    layer_output *got = calloc(1, sizeof *got);
    assert_non_null(got);
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        const int32_t slices[] = {1, 2, 7, N_TOKENS};
        for (int k = 0; k < 4; k++) {
            gol_backend *be = make_backend(n_threads);
            gol_state *state = make_state(be);
            for (int32_t first = 0; first < N_TOKENS; first += slices[k]) {
                const int32_t left = N_TOKENS - first;
                const span part = {.in = &in,
                                   .out = got,
                                   .first = first,
                                   .n = left < slices[k] ? left : slices[k],
                                   .slot = 3};
                run_spans(be, state, &part, 1);
            }
            assert_memory_equal(got, want, sizeof *got);
            be->ops->state_destroy(be, &state);
            gol_backend_destroy(&be);
        }
    }
    free(got);
    free(want);
    free_input(&in);
}

static void neighbours_in_a_batch_change_no_bit(void **unused)
{
    (void)unused;
    layer_input in[3] = {make_input(3), make_input(4), make_input(5)};
    layer_output *want[3];
    layer_output *got[3];
    for (int i = 0; i < 3; i++) {
        /* the same layer */
        memcpy(in[i].w, in[0].w, D_CONV * N_CHANNELS * sizeof(float));
        memcpy(in[i].bias, in[0].bias, N_CHANNELS * sizeof(float));
        memcpy(in[i].norm, in[0].norm, D_INNER * sizeof(float));
        memcpy(in[i].a, in[0].a, sizeof in[i].a);
        memcpy(in[i].d, in[0].d, sizeof in[i].d);
        memcpy(in[i].dt_bias, in[0].dt_bias, sizeof in[i].dt_bias);
        want[i] = run_alone(&in[i]);
        got[i] = calloc(1, sizeof *got[i]);
        assert_non_null(got[i]);
    }
    gol_backend *be = make_backend(2);
    gol_state *state = make_state(be);
    /* one decodes, one is in its prompt, one comes later */
    int32_t done[3] = {0};
    for (int step = 0; done[0] < N_TOKENS; step++) {
        span spans[3];
        int32_t n_spans = 0;
        const int32_t wanted[3] = {1, step % 2 ? 9 : 2, step < 3 ? 0 : 5};
        for (int i = 0; i < 3; i++) {
            const int32_t left = N_TOKENS - done[i];
            const int32_t n = wanted[i] < left ? wanted[i] : left;
            if (n == 0)
                continue;
            spans[n_spans++] = (span){
                .in = &in[i], .out = got[i], .first = done[i], .n = n, .slot = 4 - i};
            done[i] += n;
        }
        run_spans(be, state, spans, n_spans);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(done[i], N_TOKENS);
        assert_memory_equal(got[i], want[i], sizeof *got[i]);
        free(got[i]);
        free(want[i]);
        free_input(&in[i]);
    }
    be->ops->state_destroy(be, &state);
    gol_backend_destroy(&be);
}

static void a_sequence_goes_on_from_a_snapshot_as_if_it_had_computed_it(void **unused)
{
    (void)unused;
    layer_input in = make_input(6);
    layer_output *want = run_alone(&in);
    for (int32_t at = 1; at < N_TOKENS; at += at < 6 ? 1 : 11) {
        gol_backend *be = make_backend(2);
        gol_state *state = make_state(be);
        layer_output *got = calloc(1, sizeof *got);
        assert_non_null(got);
        const gol_state_snapshot snapshots[2] = {{at, 2}, {N_TOKENS, 1}};
        const span all = {
            .in = &in, .out = got, .n = N_TOKENS, .n_snapshots = 2, .snapshots = snapshots};
        run_spans(be, state, &all, 1);
        assert_memory_equal(got, want, sizeof *got);
        be->ops->state_copy_slot(be, state, 4, 2);
        const span rest = {.in = &in, .out = got, .first = at, .n = N_TOKENS - at, .slot = 4};
        memset(got->y + at * D_INNER, 0, (size_t)(N_TOKENS - at) * D_INNER * sizeof(float));
        run_spans(be, state, &rest, 1);
        assert_memory_equal(got, want, sizeof *got);
        free(got);
        be->ops->state_destroy(be, &state);
        gol_backend_destroy(&be);
    }
    free(want);
    free_input(&in);
}

static void a_gate_without_a_norm_is_the_product(void **unused)
{
    (void)unused;
    gol_backend *be = make_backend(1);
    const float y[3] = {1, -2, 3};
    float z[3] = {0.5f, 4, -1};
    float want[3];
    be->ops->glu(be, want, z, y, GOL_ACT_SILU, 3);
    be->ops->gated_norm(be, z, y, z, NULL, 1e-5f, 1, 1, 3);
    assert_memory_equal(z, want, sizeof z);
    gol_backend_destroy(&be);
}

static void states_take_the_bytes_they_announce(void **unused)
{
    (void)unused;
    gol_backend *be = make_backend(1);
    enum { CONV = (D_CONV - 1) * N_CHANNELS, HEADS = N_HEADS * HEAD_DIM * D_STATE };
    /* each part is rounded up to whole lines of sixteen floats */
    const size_t slot = ((CONV + 15) / 16 + (HEADS + 15) / 16) * 16 * sizeof(float);
    assert_int_equal(be->ops->state_bytes(be, &shape), N_SLOTS * slot);
    const gol_state_shape none = {1, 7, layer_shapes};
    assert_int_equal(be->ops->state_bytes(be, &none), 0);
    gol_state *state;
    gol_err err;
    assert_int_equal(be->ops->state_create(be, &state, &none, &err), 0);
    be->ops->state_destroy(be, &state);
    assert_null(state);
    be->ops->state_destroy(be, &state);
    gol_backend_destroy(&be);
}

static void states_beyond_memory_are_refused(void **unused)
{
    (void)unused;
    gol_backend *be = make_backend(1);
    const gol_state_layer_shape layers[1] = {
        {4, (1 << 28) + 2 * (1 << 27), 1 << 14, 1 << 14, 1 << 27, 1}};
    const gol_state_shape many = {1, 1 << 20, layers};
    gol_state *state;
    gol_err err = {0};
    assert_true(be->ops->state_bytes(be, &many) == SIZE_MAX);
    assert_int_equal(be->ops->state_create(be, &state, &many, &err), GOL_ENOMEM);
    assert_null(state);
    for (uint64_t n = 1;; n++) {
        gol_mem_fail_nth(n, false);
        const int rc = be->ops->state_create(be, &state, &shape, &err);
        gol_mem_fail_nth(0, false);
        if (rc == 0)
            break;
        assert_int_equal(rc, GOL_ENOMEM);
        assert_null(state);
        assert_true(n < 10);
    }
    be->ops->state_destroy(be, &state);
    gol_backend_destroy(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layer_agrees_with_the_recurrence_in_double),
        cmocka_unit_test(slices_and_threads_give_the_same_bits),
        cmocka_unit_test(neighbours_in_a_batch_change_no_bit),
        cmocka_unit_test(a_sequence_goes_on_from_a_snapshot_as_if_it_had_computed_it),
        cmocka_unit_test(a_gate_without_a_norm_is_the_product),
        cmocka_unit_test(states_take_the_bytes_they_announce),
        cmocka_unit_test(states_beyond_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
