/* Options: precedence of the four sources, spellings, ranges, messages; and that the table itself is sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/option_table.h"

static const gol_command serve = {"serve", "", "", GOL_CMD_SERVE, NULL};
static const gol_command run = {"run", "", "", GOL_CMD_RUN, NULL};
static const gol_command info = {"info", "", "", GOL_CMD_INFO, NULL};

enum { ARGS_MAX = 16 };

/* Parses "a b c", split at blanks. */
static int parse(gol_settings *settings, const gol_command *command, const char *line, gol_err *err)
{
    static char words[1024];
    char *argv[ARGS_MAX] = {(char *)(uintptr_t) "gollum"};
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL && argc < ARGS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    *err = (gol_err){0};
    return gol_settings_parse(settings, command, argc, argv, err);
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &serve, "", &err), 0);
    assert_string_equal(s.host, "127.0.0.1");
    assert_int_equal(s.port, 8000);
    assert_int_equal(s.max_body, 8 << 20);
    assert_null(s.model);
}

static void every_spelling_of_an_option_is_taken(void **state)
{
    (void)state;
    static const char *const lines[] = {"-c 99", "--ctx-size 99", "--ctx-size=99",
                                        "--max-model-len 99", "--max-model-len=99"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        gol_settings s;
        gol_err err;
        assert_int_equal(parse(&s, &serve, lines[i], &err), 0);
        assert_int_equal(s.ctx_size, 99);
    }
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &serve, "-np 3 -a name model.gguf", &err), 0);
    assert_int_equal(s.max_num_seqs, 3);
    assert_string_equal(s.served_model_name, "name");
    assert_string_equal(s.model, "model.gguf");
}

static void switches_go_on_and_off(void **state)
{
    (void)state;
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &run, "--ids --ignore-eos --no-ignore-eos", &err), 0);
    assert_true(s.ids);
    assert_false(s.ignore_eos);
    assert_int_equal(parse(&s, &run, "--ids=off", &err), 0);
    assert_false(s.ids);
    assert_int_equal(parse(&s, &run, "--ids=maybe", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &run, "--no-top-k", &err), GOL_EUSAGE);
}

static void memory_is_a_size_or_a_share(void **state)
{
    (void)state;
    gol_settings s;
    gol_err err;
    static const struct {
        const char *line;
        uint64_t bytes;
        double share;
        const char *shown;
    } good[] = {
        {"--memory 12G", 12ull << 30, 0, "12884901888"},
        {"--memory=512MiB", 512 << 20, 0, "536870912"},
        {"--memory 75%", 0, 0.75, "75%"},
        {"--memory 0.75", 0, 0.75, "75%"},
        {"--gpu-memory-utilization 0.9", 0, 0.9, "90%"},
        {"--memory 1", 0, 1, "100%"},
        {"--memory 100%", 0, 1, "100%"},
        {"--memory 2", 2, 0, "2"},
        {"--memory 50% --memory 0", 0, 0, "0"},
        {"--memory 50% --memory 1G", 1 << 30, 0, "1073741824"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char shown[64];
        assert_int_equal(parse(&s, &serve, good[i].line, &err), 0);
        assert_int_equal(s.memory.bytes, good[i].bytes);
        assert_true(s.memory.share > good[i].share - 1e-9 && s.memory.share < good[i].share + 1e-9);
        gol_option_print(&s, &gol_option_table[gol_option_find("--memory", 8, GOL_CMD_SERVE)],
                         shown, sizeof shown);
        assert_string_equal(shown, good[i].shown);
    }
    static const char *const bad[] = {"--memory 101%", "--memory 0%",   "--memory -1",
                                      "--memory much", "--memory 75%G", "--memory nan%",
                                      "--memory 12GG"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(&s, &serve, bad[i], &err), GOL_EUSAGE);
        assert_non_null(strstr(err.message, "75%"));
    }
}

static void sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"4096", 4096},       {"512K", 512u << 10}, {"1.5G", 3ull << 29},
                 {"2GiB", 2ull << 30}, {"2gb", 2ull << 30},  {"0", 0},
                 {"1T", 1ull << 40}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gol_settings s;
        gol_err err;
        char line[64];
        snprintf(line, sizeof line, "--kv-cache-memory %s", cases[i].text);
        assert_int_equal(parse(&s, &serve, line, &err), 0);
        assert_int_equal(s.kv_cache_memory, cases[i].bytes);
    }
    static const char *const wrong[] = {"x", "-1", "1X", "1GiBs", "nan", "inf", "1e30", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gol_settings s;
        gol_err err;
        char line[64];
        snprintf(line, sizeof line, "--kv-cache-memory=%s", wrong[i]);
        assert_int_equal(parse(&s, &serve, line, &err), GOL_EUSAGE);
    }
}

static void numbers_outside_their_range_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--port 65536",
                                        "--port -1",
                                        "--port 80x",
                                        "--port",
                                        "--port=",
                                        "--port 1e3",
                                        "--port 99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gol_settings s;
        gol_err err;
        assert_int_equal(parse(&s, &serve, wrong[i], &err), GOL_EUSAGE);
        assert_non_null(strstr(err.message, "--port"));
    }
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &run, "--top-p nan", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &run, "--top-p 1.01", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &run, "--temp 0 --top-p 1", &err), 0);
}

static void unknown_options_and_those_of_other_commands_are_refused(void **state)
{
    (void)state;
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &run, "--port 80", &err), GOL_EUSAGE);
    /* an option that a command would not obey is not taken either */
    assert_int_equal(parse(&s, &run, "--block-size 32", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &serve, "--nonsense", &err), GOL_EUSAGE);
    assert_non_null(strstr(err.message, "--nonsense"));
    assert_int_equal(parse(&s, &serve, "a.gguf b.gguf", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &info, "a.gguf --ctx-size 512", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &serve, "--kv-cache-dtype f8", &err), GOL_EUSAGE);
    assert_non_null(strstr(err.message, "auto|f16|bf16|f32|q8_0"));
    assert_int_equal(parse(&s, &serve, "--kv-cache-dtype f", &err), GOL_EUSAGE);
    assert_int_equal(parse(&s, &serve, "--kv-cache-dtype=", &err), GOL_EUSAGE);
}

static void flag_wins_over_environment_over_config_over_default(void **state)
{
    (void)state;
    char path[] = "/tmp/gollum-test-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] =
        "# a comment\n\n port = 1001 \nhost=::1\r\n[ignored]\nprompt = for run\n"
        "timeout = 11";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    char line[128];
    gol_settings s;
    gol_err err;

    snprintf(line, sizeof line, "--config %s", path);
    assert_int_equal(parse(&s, &serve, line, &err), 0);
    assert_int_equal(s.port, 1001);
    assert_string_equal(s.host, "::1");
    assert_int_equal(s.timeout, 11);
    gol_settings_deinit(&s);

    setenv("GOLLUM_PORT", "1002", 1);
    assert_int_equal(parse(&s, &serve, line, &err), 0);
    assert_int_equal(s.port, 1002);
    assert_int_equal(s.sources[gol_option_find("--port", 6, GOL_CMD_SERVE)],
                     GOL_SOURCE_ENVIRONMENT);
    gol_settings_deinit(&s);

    snprintf(line, sizeof line, "--config %s --port 1003", path);
    assert_int_equal(parse(&s, &serve, line, &err), 0);
    assert_int_equal(s.port, 1003);
    gol_settings_deinit(&s);

    setenv("GOLLUM_PORT", "none", 1);
    assert_int_equal(parse(&s, &serve, "", &err), GOL_ECONFIG);
    assert_non_null(strstr(err.message, "GOLLUM_PORT"));
    unsetenv("GOLLUM_PORT");
    unlink(path);
}

static void a_wrong_config_file_names_its_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"port = 1\nnonsense = 2\n", "\nport\n",
                                        "port=1\nport = x\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[] = "/tmp/gollum-test-XXXXXX";
        const int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        close(fd);
        char line[128];
        snprintf(line, sizeof line, "--config %s", path);
        gol_settings s;
        gol_err err;
        assert_int_equal(parse(&s, &serve, line, &err), GOL_ECONFIG);
        assert_non_null(strstr(err.message, ":2:"));
        gol_settings_deinit(&s);
        unlink(path);
    }
    gol_settings s;
    gol_err err;
    assert_int_equal(parse(&s, &serve, "--config /nonexistent/file", &err), GOL_ECONFIG);
}

static void convert_takes_a_model_and_an_output(void **state)
{
    (void)state;
    static const gol_command convert = {"convert", "", "", GOL_CMD_CONVERT, NULL};
    static const char *const lines[] = {"in out", "-o out in", "out -m in"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        gol_err err = {0};
        gol_settings s;
        assert_int_equal(parse(&s, &convert, lines[i], &err), 0);
        assert_string_equal(s.model, "in");
        assert_string_equal(s.output, "out");
        assert_null(s.type);
        gol_settings_deinit(&s);
    }
    static const char *const strays[] = {"in out other", "-m in out other", "-m in -o out other"};
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        gol_err err = {0};
        gol_settings s;
        assert_int_equal(parse(&s, &convert, strays[i], &err), GOL_EUSAGE);
        assert_non_null(strstr(err.message, "'other': `gollum convert` takes a model and an output "
                                            "file; --type names a type"));
        gol_settings_deinit(&s);
    }
}

static void quantize_takes_model_output_and_type_in_this_order(void **state)
{
    (void)state;
    static const gol_command quantize = {"quantize", "", "", GOL_CMD_QUANTIZE, NULL};
    gol_settings s;
    gol_err err;
    static const char *const lines[] = {"in out q4_0", "--type q4_0 in out",
                                        "out -m in --stats q4_0", "in --output=out -- q4_0"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(parse(&s, &quantize, lines[i], &err), 0);
        assert_string_equal(s.model, "in");
        assert_string_equal(s.output, "out");
        assert_string_equal(s.type, "q4_0");
    }
    assert_int_equal(parse(&s, &quantize, "in out q4_0 more", &err), GOL_EUSAGE);
    assert_non_null(strstr(err.message, "'more'"));
    assert_int_equal(parse(&s, &run, "in out", &err), GOL_EUSAGE);
    assert_non_null(strstr(err.message, "one model"));
}

/* Names are unique per command, defaults print as themselves, every option has help. */
static void the_table_is_sound(void **state)
{
    (void)state;
    assert_true(gol_n_options <= GOL_OPTIONS_MAX);
    for (int i = 0; i < gol_n_options; i++) {
        const gol_option *o = &gol_option_table[i];
        assert_true(o->help != NULL && o->commands != 0);
        char names[256];
        snprintf(names, sizeof names, "%s", o->names);
        char *rest = names;
        for (char *name = strtok_r(rest, " ", &rest); name != NULL;
             name = strtok_r(NULL, " ", &rest)) {
            for (unsigned bit = 1; bit <= GOL_CMD_ALL; bit <<= 1) {
                if ((o->commands & bit) != 0)
                    assert_int_equal(gol_option_find(name, strlen(name), bit), i);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(every_spelling_of_an_option_is_taken),
        cmocka_unit_test(switches_go_on_and_off),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(memory_is_a_size_or_a_share),
        cmocka_unit_test(numbers_outside_their_range_are_named),
        cmocka_unit_test(unknown_options_and_those_of_other_commands_are_refused),
        cmocka_unit_test(flag_wins_over_environment_over_config_over_default),
        cmocka_unit_test(a_wrong_config_file_names_its_line),
        cmocka_unit_test(quantize_takes_model_output_and_type_in_this_order),
        cmocka_unit_test(convert_takes_a_model_and_an_output),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
