/*
 * max_itl_ms in a real engine: what it makes of the steps, on a machine that computes a row in a millisecond, exactly. The clock is
 * this program's own, and only the model's first op makes it go on, so that no step depends on how fast or busy the machine
 * is.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "unit/engine/engine_test.h"

enum { ROW_NS = 1000000, MAX_BATCH = 100, PROMPT = 120, N_PROMPTS = 6, STEPS_MAX = 1000 };
enum { PAUSE_NS = 50 * ROW_NS, PAUSED_STEP = 5 };

static _Atomic uint64_t now_ns = 1;

/* In place of the one in base/clock.c. */
uint64_t gol_clock_ns(void)
{
    return atomic_load(&now_ns);
}

static gol_backend_ops ops; /* the CPU's, but for embed */
static const gol_backend_ops *cpu_ops;
static int32_t
    steps[STEPS_MAX]; /* rows of each; the engine's thread writes, after its end the test reads */
static int n_steps;
static bool
    has_pauses; /* every fifth step takes as long as fifty rows more, which the engine cannot know of before */

/* Called once for each forward pass. */
static void embed_in_time(gol_backend *be, float *out, const gol_weight *table, const int32_t *ids,
                          int32_t n_tokens)
{
    cpu_ops->embed(be, out, table, ids, n_tokens);
    const bool is_paused = has_pauses && n_steps % PAUSED_STEP == 0;
    atomic_fetch_add(&now_ns, (uint64_t)n_tokens * ROW_NS + (is_paused ? PAUSE_NS : 0));
    if (n_steps < STEPS_MAX)
        steps[n_steps++] = n_tokens;
}

static int set_up_time(void **state)
{
    set_up(state);
    cpu_ops = tiny.be->ops;
    ops = *cpu_ops;
    ops.embed = embed_in_time;
    tiny.be->ops = &ops;
    return 0;
}

static int tear_down_time(void **state)
{
    tiny.be->ops = cpu_ops;
    return tear_down(state);
}

typedef struct range {
    int32_t least;
    int32_t most;
} range;

/* The sizes of full steps with prompts, when it is known what steps cost: of those but the first eight, and the last. */
static range full_steps(void)
{
    enum { N_LEARNING = 8 };
    int last = n_steps - 1;
    while (last >= 0 && steps[last] == 1)
        last--;
    assert_true(last > N_LEARNING);
    range r = {INT32_MAX, 0};
    for (int i = N_LEARNING; i < last; i++) {
        r.least = steps[i] < r.least ? steps[i] : r.least;
        r.most = steps[i] > r.most ? steps[i] : r.most;
    }
    return r;
}

/* Prompts come while an answer is read, or while none is. */
static void run_steps(int32_t max_itl_ms, bool has_stream)
{
    n_steps = 0;
    gol_engine *engine = create(&(gol_engine_opts){.max_itl_ms = max_itl_ms,
                                                   .max_batch_tokens = MAX_BATCH,
                                                   .max_seqs = 4,
                                                   .no_prefix_caching = true});
    collector stream;
    collector_init(&stream);
    stream.is_held = true; /* in its first event, until all prompts are there */
    const gol_request request = request_of(&stream, has_stream ? 100 : 1);
    submit(engine, &request);
    assert_true(collector_wait(&stream, 1));
    static int32_t prompts[N_PROMPTS][PROMPT];
    collector c[N_PROMPTS];
    for (int32_t i = 0; i < N_PROMPTS; i++) {
        collector_init(&c[i]);
        for (int32_t k = 0; k < PROMPT; k++)
            prompts[i][k] = (i + k) % POISON_TOKEN;
        gol_request prompt = request_of(&c[i], 1);
        prompt.prompt = prompts[i];
        prompt.n_prompt = PROMPT;
        submit(engine, &prompt);
    }
    collector_release(&stream);
    for (int32_t i = 0; i < N_PROMPTS; i++) {
        assert_true(collector_wait_end(&c[i]));
        collector_deinit(&c[i]);
    }
    assert_true(collector_wait_end(&stream));
    gol_engine_destroy(&engine);
    collector_deinit(&stream);
}

static range steps_of(int32_t max_itl_ms, bool has_stream)
{
    run_steps(max_itl_ms, has_stream);
    return full_steps();
}

static void steps_last_as_long_as_streams_may_wait(void **state)
{
    (void)state;
    for (int32_t limit_ms = 20; limit_ms <= 60; limit_ms += 20) {
        const range r = steps_of(limit_ms, true);
        assert_in_range(r.least, limit_ms * 8 / 10, limit_ms * 9 / 10);
        assert_in_range(r.most, limit_ms * 8 / 10, limit_ms * 9 / 10);
    }
}

/* Neither are they longer by what is left for pauses, nor are others shorter for their sake. */
static void pauses_now_and_then_leave_the_other_steps_as_they_are(void **state)
{
    (void)state;
    has_pauses = true;
    for (int32_t limit_ms = 20; limit_ms <= 60; limit_ms += 20) {
        const range r = steps_of(limit_ms, true);
        assert_in_range(r.least, limit_ms * 8 / 10, limit_ms * 9 / 10);
        assert_in_range(r.most, limit_ms * 8 / 10, limit_ms * 9 / 10);
    }
    has_pauses = false;
}

/* The prompts come when nothing but a row of the stream was seen. */
static void no_step_beside_a_stream_is_longer_than_it_may_be_from_the_first_one_on(void **state)
{
    (void)state;
    for (int32_t limit_ms = 20; limit_ms <= 60; limit_ms += 20) {
        run_steps(limit_ms, true);
        for (int i = 1; i < n_steps; i++)
            assert_in_range(steps[i], 1, limit_ms * 9 / 10);
    }
}

static void sixteen_rows_of_prompts_go_with_every_stream(void **state)
{
    (void)state;
    const range r = steps_of(1, true);
    assert_int_equal(r.least, 17);
    assert_int_equal(r.most, 17);
}

static void steps_last_five_times_as_long_while_nobody_reads(void **state)
{
    (void)state;
    const range r = steps_of(10, false);
    assert_in_range(r.least, 46, 50);
    assert_in_range(r.most, 46, 50);
}

static void without_a_limit_steps_are_full(void **state)
{
    (void)state;
    for (int has_stream = 0; has_stream <= 1; has_stream++) {
        run_steps(-1, has_stream);
        for (int i = 1; i <= 7; i++) /* of 720 rows, behind the one of the stream's prompt */
            assert_int_equal(steps[i], MAX_BATCH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_last_as_long_as_streams_may_wait),
        cmocka_unit_test(pauses_now_and_then_leave_the_other_steps_as_they_are),
        cmocka_unit_test(no_step_beside_a_stream_is_longer_than_it_may_be_from_the_first_one_on),
        cmocka_unit_test(sixteen_rows_of_prompts_go_with_every_stream),
        cmocka_unit_test(steps_last_five_times_as_long_while_nobody_reads),
        cmocka_unit_test(without_a_limit_steps_are_full),
    };
    return cmocka_run_group_tests(tests, set_up_time, tear_down_time);
}
