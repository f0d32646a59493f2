/*
 * The plan against reality. Models of several shapes and types are loaded with several configurations, and every byte that is
 * asked of the allocator is counted: the plan is never below it, and not far above. Then what the kernel says, as a coarse
 * check from outside: pages that are resident after loading, and at the worst moment of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sysmem.h"
#include "gollum.h"
#include "lib/instance.h"
#include "make_model/make_model.h"
#include "support/patience.h"
#include "support/fake_root.h"
#include "support/temp_dir.h"
#include "support/watched_memory.h"

static temp_dir dir;
static char path[256];
static const uint64_t mib = 1 << 20;

static int make_dir(void **state)
{
    (void)state;
    dir = temp_dir_create();
    temp_dir_file(&dir, "model.gguf", path);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    temp_dir_destroy(&dir);
    return 0;
}

static void write_model(const make_model_shape *shape, gol_type type)
{
    gol_err err = {0};
    const make_model_options options = {
        .shape = shape, .type = type, .byte_vocab = true, .seed = 1};
    if (make_model_write(path, &options, &err) != 0)
        fail_msg("%s", err.message);
}

static void check(int rc, const gol_err *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

/* Within 5% above, and what a few structs take. */
static void assert_planned(const char *what, uint64_t planned, uint64_t real, uint64_t structs)
{
    if (planned + structs < real || planned > real + real / 20 + structs)
        fail_msg("%s: %llu bytes were planned, %llu allocated", what, (unsigned long long)planned,
                 (unsigned long long)real);
}

/* As gol_instance_load() does it, with a look at the counter between the steps. */
static void load_and_compare(const gol_instance_opts *opts)
{
    enum { STRUCTS = 5 << 10 }; /* gol_model, gol_engine, the table of the rotary embedding */
    gol_err err = {0};
    gol_instance instance;
    watch_memory();
    check(gol_instance_prepare(&instance, opts, &err), &err);
    const gol_memory_plan plan = instance.memory;
    const gol_engine_limits limits = instance.limits;
    assert_true(plan.total <= plan.max);
    assert_true(watched_peak < 2 * mib); /* it has loaded nothing */

    uint64_t before = watched_now;
    check(gol_model_load(&instance.model, instance.file, instance.backend, NULL, &err), &err);
    assert_planned("weights", plan.bytes[GOL_MEMORY_WEIGHTS], watched_now - before, STRUCTS);
    assert_int_equal(gol_model_n_bytes(instance.model),
                     plan.bytes[GOL_MEMORY_WEIGHTS] + plan.bytes[GOL_MEMORY_FILE]);

    before = watched_now;
    gol_engine_opts engine_opts = opts->engine;
    engine_opts.mem_available = plan.available;
    engine_opts.other_bytes = plan.bytes[GOL_MEMORY_OTHER];
    check(gol_engine_create(&instance.engine, instance.model, &engine_opts, &err), &err);
    assert_memory_equal(gol_engine_get_limits(instance.engine), &limits, sizeof limits);
    assert_memory_equal(gol_engine_get_memory(instance.engine), &plan, sizeof plan);
    const uint64_t inbox = 64 * (uint64_t)(limits.max_queued_reqs + limits.max_seqs);
    assert_planned("engine",
                   plan.bytes[GOL_MEMORY_KV] + plan.bytes[GOL_MEMORY_SCRATCH] +
                       plan.bytes[GOL_MEMORY_PROMPTS],
                   watched_now - before, STRUCTS + inbox);

    check(gol_tokenizer_load(&instance.tok, instance.file, &err), &err);
    assert_true(watched_peak + instance.memory.bytes[GOL_MEMORY_FILE] <= plan.total);
    gol_instance_close(&instance);
    unwatch_memory();
}

static const gol_engine_opts configs[] = {
    {.kv_bytes = 1 << 20},
    {.memory = (uint64_t)96 << 20},
    {.memory = (uint64_t)128 << 20, .kv_type = GOL_KV_F32, .block_size = 7},
    {.memory = (uint64_t)80 << 20, .max_seqs = 1, .max_batch_tokens = 1, .max_queued_reqs = 1},
    {.kv_bytes = 2 << 20, .max_seqs = 200, .max_batch_tokens = 600, .max_model_len = 200},
    {.memory = (uint64_t)100 << 20,
     .max_seqs = 2,
     .max_batch_tokens = 2000,
     .kv_type = GOL_KV_BF16},
};

static void plans_hold_for_every_shape_type_and_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *arch;
        const char *shape;
        gol_type type;
    } models[] = {
        {"llama", "tiny", GOL_TYPE_F32},         {"llama", "tiny", GOL_TYPE_Q8_0},
        {"llama", "small", GOL_TYPE_Q4_K},       {"llama", "small", GOL_TYPE_IQ2_XXS},
        {"llama", "tiny-llama3", GOL_TYPE_BF16}, {"gpt2", "tiny", GOL_TYPE_Q4_0},
        {"gpt-oss", "tiny", GOL_TYPE_Q8_0}, /* every other layer has a window */
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        write_model(make_model_find_shape(models[i].arch, models[i].shape), models[i].type);
        for (size_t k = 0; k < sizeof configs / sizeof *configs; k++) {
            const gol_instance_opts opts = {
                .model_path = path, .n_threads = 1 + (int)k % 3, .engine = configs[k]};
            load_and_compare(&opts);
        }
    }
}

static void a_q8_0_cache_is_planned_too(void **state)
{
    (void)state;
    write_model(make_model_find_shape("llama", "small"), GOL_TYPE_Q8_0);
    const gol_instance_opts opts = {
        .model_path = path,
        .n_threads = 2,
        .engine = {.memory = 128 * mib, .kv_type = GOL_KV_Q8_0, .max_model_len = 777}};
    load_and_compare(&opts);
}

static void a_model_that_does_not_fit_is_refused_before_its_weights_are_touched(void **state)
{
    (void)state;
    write_model(make_model_find_shape("llama", "small"), GOL_TYPE_F32);
    gol_err err = {0};
    gol_instance instance;
    gol_instance_opts opts = {.model_path = path, .n_threads = 1, .engine = {.memory = 52 * mib}};
    watch_memory();
    assert_int_equal(gol_instance_open(&instance, &opts, &err), GOL_ENOMEM);
    unwatch_memory();
    assert_true(watched_peak < mib);
    assert_null(instance.engine);
    assert_null(instance.model);
    assert_null(instance.file);
    assert_true(instance.memory.total > instance.memory.max); /* for who wants to show it */
    assert_non_null(strstr(err.message, "52.0 MiB"));
    assert_non_null(strstr(err.message, "weights"));
}

static void a_program_sets_the_budget_too(void **state)
{
    (void)state;
    write_model(make_model_find_shape("llama", "tiny"), GOL_TYPE_F16);
    gollum_options options;
    gollum_error error;
    gollum *g;
    gollum_options_init(&options);
    options.model_path = path;
    options.n_threads = 1;
    options.memory = 50 * mib;
    assert_int_equal(gollum_open(&g, &options, &error), GOLLUM_ENOMEM);
    assert_int_equal(error.exit_code, 71);
    assert_non_null(strstr(error.message, "memory is 50.0 MiB"));
    options.memory = 90 * mib;
    assert_int_equal(gollum_open(&g, &options, &error), 0);
    gollum_close(&g);
}

static void the_plan_follows_the_limit_of_a_control_group(void **state)
{
    write_model(make_model_find_shape("llama", "small"), GOL_TYPE_Q8_0);
    assert_int_equal(make_root(state), 0);
    put("/proc/meminfo", "MemAvailable: 20000000 kB\n");
    put_proc("0::/box\n", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/box/memory.current", "10000000\n");
    put("/sys/fs/cgroup/box/memory.max", "210000000\n");
    gol_err err = {0};
    gol_instance instance;
    gol_instance_opts opts = {.model_path = path, .n_threads = 1};
    opts.engine.mem_available = gol_sysmem_available_at(root);
    assert_int_equal(opts.engine.mem_available, 200000000);
    check(gol_instance_prepare(&instance, &opts, &err), &err);
    assert_int_equal(instance.memory.available, 200000000);
    assert_int_equal(instance.memory.max, 175000000); /* an eighth is the margin */
    assert_true(instance.memory.total <= 175000000);
    gol_instance_close(&instance);

    put("/sys/fs/cgroup/box/memory.max", "50000000\n"); /* less than the program itself needs */
    opts.engine.mem_available = gol_sysmem_available_at(root);
    assert_int_equal(gol_instance_prepare(&instance, &opts, &err), GOL_ENOMEM);
    assert_non_null(strstr(err.message, "33.4 MiB")); /* 40 MB without the margin */
    remove_root(state);
}

/* VmHWM, VmRSS; 0: the system does not tell. */
static uint64_t read_status(const char *key)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    unsigned long long n_kib = 0;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            n_kib = strtoull(line + strlen(key) + 1, NULL, 10);
    if (f)
        fclose(f);
    return n_kib * 1024;
}

/* VmHWM starts anew at VmRSS. */
static bool reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "we");
    const bool ok = f && fputs("5\n", f) >= 0;
    return f && fclose(f) == 0 && ok && read_status("VmHWM:") > 0;
}

static void prompt_ended(void *user, const gol_output *output)
{
    if (output->finish != GOL_FINISH_NONE)
        atomic_fetch_add((_Atomic int *)user, 1);
}

/* Fills the KV cache: as many requests at once as it has room for, each as long as it may be. */
static void touch_everything(gol_engine *engine)
{
    const gol_engine_limits *l = gol_engine_get_limits(engine);
    const int32_t n_prompt = l->max_model_len - 1;
    int32_t *ids = calloc((size_t)n_prompt, sizeof *ids);
    _Atomic int n_ended = 0;
    for (int32_t i = 0; i < l->max_seqs; i++) {
        const gol_request request = {.prompt = ids,
                                     .n_prompt = n_prompt,
                                     .max_tokens = 1,
                                     .n_logprobs = -1,
                                     .sampling = GOL_SAMPLING_DEFAULT,
                                     .on_output = prompt_ended,
                                     .user = (void *)&n_ended};
        gol_err err = {0};
        uint64_t id;
        check(gol_engine_submit(engine, &request, &id, &err), &err);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_int_equal(n_ended, l->max_seqs);
    free(ids);
}

/* In a process of its own, which leaves no freed memory behind in ours. */
static void write_model_apart(const make_model_shape *shape, gol_type type)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        write_model(shape, type);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_process_stays_within_the_plan(void **state)
{
    (void)state;
#if defined(GOL_SANITIZED)
    print_message("SKIP: sanitizers take memory of their own\n");
    skip();
#endif
    const make_model_shape shape = {.arch = "llama",
                                    .name = "wide",
                                    .n_layers = 2,
                                    .n_embd = 1024,
                                    .n_heads = 16,
                                    .n_kv_heads = 16,
                                    .n_ff = 4096,
                                    .n_ctx = 512,
                                    .rope_base = 10000,
                                    .norm_epsilon = 1e-5f,
                                    .vocab = MAKE_MODEL_VOCAB_SPM,
                                    .n_vocab = 4000};
    const gol_instance_opts opts = {
        .model_path = path,
        .n_threads = 2,
        .engine = {.max_seqs = 8, .max_model_len = 128, .max_batch_tokens = 128}};
    write_model_apart(&shape, GOL_TYPE_Q8_0);
    if (TEST_EMULATED || !reset_peak()) {
        print_message("SKIP: this system does not tell the peak of resident memory\n");
        skip();
    }
    const uint64_t start = read_status("VmRSS:");
    gol_err err = {0};
    gol_instance instance;
    check(gol_instance_prepare(&instance, &opts, &err), &err);
    const uint64_t file_bytes = gol_model_file_n_bytes(instance.file);
    const gol_memory_plan plan = instance.memory;
    check(gol_instance_load(&instance, &opts, &err), &err);
    const uint64_t peak = read_status("VmHWM:") - start;
    const uint64_t loaded = read_status("VmRSS:") - start;
    touch_everything(instance.engine);
    const uint64_t used = read_status("VmRSS:") - start;
    gol_instance_close(&instance);
    print_message("file %.1f MiB: peak %.1f, loaded %.1f, all touched %.1f, planned %.1f\n",
                  (double)file_bytes / (double)mib, (double)peak / (double)mib,
                  (double)loaded / (double)mib, (double)used / (double)mib,
                  (double)plan.total / (double)mib);
    assert_true(file_bytes > 30 * mib);
    assert_true(loaded > plan.bytes[GOL_MEMORY_WEIGHTS] / 2); /* the figures are real */
    assert_true(used > plan.bytes[GOL_MEMORY_WEIGHTS] + plan.bytes[GOL_MEMORY_KV] / 2);
    assert_true(peak <= file_bytes + file_bytes / 2 + plan.bytes[GOL_MEMORY_SCRATCH]);
    assert_true(used <= plan.total);
    assert_true(used <= file_bytes + file_bytes / 20 + plan.bytes[GOL_MEMORY_KV] + 64 * mib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_stays_within_the_plan), /* first: the heap is fresh */
        cmocka_unit_test(plans_hold_for_every_shape_type_and_configuration),
        cmocka_unit_test(a_q8_0_cache_is_planned_too),
        cmocka_unit_test(a_model_that_does_not_fit_is_refused_before_its_weights_are_touched),
        cmocka_unit_test(a_program_sets_the_budget_too),
        cmocka_unit_test(the_plan_follows_the_limit_of_a_control_group),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
