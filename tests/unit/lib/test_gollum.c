/* The handle: opening and what it refuses, closing, sizes, text and tokens. */
#include "unit/lib/lib_test.h"

static void assert_open_fails(const gollum_options *options, int code, int exit_code,
                              const char *words)
{
    gollum *g = (gollum *)(uintptr_t)1;
    gollum_error error = {0};
    assert_int_equal(gollum_open(&g, options, &error), code);
    assert_null(g);
    assert_int_equal(error.code, code);
    assert_int_equal(error.exit_code, exit_code);
    assert_non_null(strstr(error.message, words));
    assert_int_equal(gollum_open(&g, options, NULL), code);
}

static void an_open_that_fails_says_why(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.model_path = "/nowhere/model.gguf";
    assert_open_fails(&options, GOLLUM_ENOTFOUND, 66, "/nowhere/model.gguf");
    options.model_path = NULL;
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "model_path");
    options = lib_options();
    options.kv_type = (gollum_kv_type)7;
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "kv_type is 7");
    options = lib_options();
    options.n_threads = -1;
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "-1");
    options = lib_options();
    options.max_model_len = 513;
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "max_model_len is 513");
    options = lib_options();
    options.max_queued_reqs = -3;
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "max_queued_reqs is -3");
    options = lib_options();
    options.max_batch_tokens = 7; /* max_seqs is 8 */
    assert_open_fails(&options, GOLLUM_EINVAL, 64, "max_batch_tokens is 7");

    char path[256];
    temp_write_file(temp_dir_file(&lib_dir, "bad.gguf", path), "GGUF", 4);
    options = lib_options();
    options.model_path = path;
    assert_open_fails(&options, GOLLUM_EMODEL, 65, "bad.gguf");
}

static void an_open_without_arguments_is_refused(void **state)
{
    (void)state;
    gollum_error error = {0};
    const gollum_options options = lib_options();
    assert_int_equal(gollum_open(NULL, &options, &error), GOLLUM_EINVAL);
    assert_open_fails(NULL, GOLLUM_EINVAL, 64, "options is NULL");
    gollum_options garbage;
    memset(&garbage, 0, sizeof garbage);
    assert_open_fails(&garbage, GOLLUM_EINVAL, 64, "gollum_options_init()");
    memset(&garbage, 0xa5, sizeof garbage);
    assert_open_fails(&garbage, GOLLUM_EINVAL, 64, "gollum_options_init()");
}

static void options_of_another_version_are_understood(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.struct_size = offsetof(gollum_options, max_model_len);
    options.max_model_len = -5; /* an older caller has no such field */
    gollum *g = open_with(&options);
    assert_int_equal(gollum_max_model_len(g), 512);
    gollum_close(&g);

    struct {
        gollum_options known;
        uint64_t later;
    } newer = {.known = lib_options()};
    newer.known.struct_size = sizeof newer;
    g = open_with(&newer.known);
    gollum_close(&g);
    newer.later = 1;
    assert_open_fails(&newer.known, GOLLUM_EUNSUPPORTED, 65, "after gollum 0.");
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    gollum *g = NULL;
    gollum_close(NULL);
    gollum_close(&g);
    g = open_lib();
    gollum_close(&g);
    assert_null(g);
}

static void sizes_are_the_models(void **state)
{
    (void)state;
    gollum_options options = lib_options();
    options.max_model_len = 100;
    gollum *g = open_with(&options);
    assert_int_equal(gollum_n_vocab(g), 320);
    assert_int_equal(gollum_max_model_len(g), 100);
    gollum_close(&g);
    assert_int_equal(gollum_n_vocab(NULL), 0);
    assert_int_equal(gollum_max_model_len(NULL), 0);
    assert_string_equal(gollum_version(), GOL_VERSION);
}

typedef struct progress {
    uint64_t n_done;
    uint64_t n_total;
    int n_calls;
    bool is_rising;
} progress;

static void on_progress(void *user, uint64_t n_done, uint64_t n_total)
{
    progress *p = user;
    p->is_rising &= n_done >= p->n_done;
    p->n_done = n_done;
    p->n_total = n_total;
    p->n_calls++;
}

static void loading_tells_its_progress(void **state)
{
    (void)state;
    progress p = {.is_rising = true};
    gollum_options options = lib_options();
    options.progress = on_progress;
    options.progress_user = &p;
    gollum *g = open_with(&options);
    gollum_close(&g);
    assert_true(p.n_calls > 1);
    assert_true(p.is_rising);
    assert_true(p.n_total > 0);
    assert_int_equal(p.n_done, p.n_total);
}

static void text_becomes_tokens_and_text_again(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static const char text[] = "the water \xc3\xa4\xf0\x9f\x8c\x8a\n";
    int32_t ids[64];
    char buf[64];
    size_t n = 0, len = 0;
    gollum_error error;
    assert_int_equal(gollum_tokenize(g, text, strlen(text), 0, 0, ids, 64, &n, &error), 0);
    assert_in_range(n, 8, 64);
    assert_int_equal(gollum_detokenize(g, ids, n, buf, sizeof buf, &len, &error), 0);
    assert_int_equal(len, strlen(text));
    assert_string_equal(buf, text);

    int32_t with_bos[64];
    size_t n_with_bos = 0;
    assert_int_equal(gollum_tokenize(g, text, strlen(text), 1, 0, with_bos, 64, &n_with_bos, NULL),
                     0);
    assert_int_equal(n_with_bos, n + 1);
    assert_int_equal(with_bos[0], 1);
    assert_memory_equal(with_bos + 1, ids, n * sizeof *ids);
    gollum_close(&g);
}

static void control_tokens_in_a_text_count_only_when_asked_for(void **state)
{
    (void)state;
    gollum *g = open_lib();
    int32_t ids[16];
    size_t n = 0;
    assert_int_equal(gollum_tokenize(g, "</s>", 4, 0, 1, ids, 16, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], 2);
    assert_int_equal(gollum_tokenize(g, "</s>", 4, 0, 0, ids, 16, &n, NULL), 0);
    assert_true(n > 1);
    gollum_close(&g);
}

static void too_little_room_tells_how_much_is_needed(void **state)
{
    (void)state;
    gollum *g = open_lib();
    static const char text[] = "a\xf0\x9f\x8c\x8a"; /* 5 bytes, the last four one character */
    int32_t ids[16] = {0};
    size_t n = 0, n_again = 0;
    assert_int_equal(gollum_tokenize(g, text, 5, 0, 0, NULL, 0, &n, NULL), 0);
    assert_true(n > 2);
    ids[n - 1] = -7;
    assert_int_equal(gollum_tokenize(g, text, 5, 0, 0, ids, n - 1, &n_again, NULL), 0);
    assert_int_equal(n_again, n);
    assert_int_equal(ids[n - 1], -7);
    assert_int_equal(gollum_tokenize(g, text, 5, 0, 0, ids, n, &n_again, NULL), 0);

    for (size_t size = 0; size <= 8; size++) {
        char buf[8];
        memset(buf, '#', sizeof buf);
        size_t len = 0;
        assert_int_equal(gollum_detokenize(g, ids, n, size ? buf : NULL, size, &len, NULL), 0);
        assert_int_equal(len, 5);
        if (size > 0)
            assert_string_equal(buf, size == 1 ? "" : size < 6 ? "a" : text);
        if (size < 6)
            assert_int_equal(buf[size < 2 ? size : 2], '#');
    }
    gollum_close(&g);
}

static void wrong_arguments_of_text_functions_are_refused(void **state)
{
    (void)state;
    gollum *g = open_lib();
    gollum_error error = {0};
    int32_t ids[4] = {320, -1};
    char buf[4];
    size_t n;
    assert_int_equal(gollum_tokenize(NULL, "a", 1, 0, 0, ids, 4, &n, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_tokenize(g, NULL, 1, 0, 0, ids, 4, &n, &error), GOLLUM_EINVAL);
    assert_non_null(strstr(error.message, "text is NULL"));
    assert_int_equal(gollum_tokenize(g, "a", 1, 0, 0, NULL, 4, &n, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_tokenize(g, "a", 1, 0, 0, ids, 4, NULL, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_tokenize(g, NULL, 0, 0, 0, NULL, 0, &n, &error), 0);
    assert_int_equal(n, 0);
    assert_int_equal(gollum_detokenize(NULL, ids, 1, buf, 4, &n, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_detokenize(g, NULL, 1, buf, 4, &n, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_detokenize(g, ids, 1, NULL, 4, &n, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_detokenize(g, ids, 1, buf, 4, NULL, &error), GOLLUM_EINVAL);
    assert_int_equal(gollum_detokenize(g, ids, 1, buf, 4, &n, &error), GOLLUM_EINVAL);
    assert_non_null(strstr(error.message, "320"));
    assert_int_equal(gollum_detokenize(g, ids + 1, 1, buf, 4, &n, &error), GOLLUM_EINVAL);
    gollum_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_that_fails_says_why),
        cmocka_unit_test(an_open_without_arguments_is_refused),
        cmocka_unit_test(options_of_another_version_are_understood),
        cmocka_unit_test(closing_nothing_is_fine),
        cmocka_unit_test(sizes_are_the_models),
        cmocka_unit_test(loading_tells_its_progress),
        cmocka_unit_test(text_becomes_tokens_and_text_again),
        cmocka_unit_test(control_tokens_in_a_text_count_only_when_asked_for),
        cmocka_unit_test(too_little_room_tells_how_much_is_needed),
        cmocka_unit_test(wrong_arguments_of_text_functions_are_refused),
    };
    return cmocka_run_group_tests(tests, make_lib_model, remove_lib_model);
}
