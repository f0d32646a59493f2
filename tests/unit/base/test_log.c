/* Log lines as the operator (or a log collector) gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8_scan.h"
#include "unit/base/child.h"

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    const bool is_match = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    if (!is_match)
        fail_msg("\"%s\" does not match %s", text, pattern);
}

static void log_as_text(void *arg)
{
    (void)arg;
    gol_log_init(GOL_LOG_WARN, GOL_LOG_TEXT, NULL, NULL);
    gol_log_error("model", "%s: %d", "bad", 7);
    gol_log_warn("http", "a\nb\tc\r\n");
    gol_log_info("http", "not to be seen");
}

static void text_lines_have_time_level_area_message(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, log_as_text, NULL));
    assert_matches(r.said, "^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3} error model: bad: 7\n"
                           "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3} warn  http: a b c  \n$");
}

static void log_as_json(void *arg)
{
    gol_log_init(GOL_LOG_DEBUG, GOL_LOG_JSON, NULL, NULL);
    gol_log_debug("a\"b", "%s", (const char *)arg);
}

static void json_lines_escape_what_json_needs(void **state)
{
    (void)state;
    static child_result r;
    char message[] = "quote \" back \\ esc \x1b tail \xff€";
    assert_true(child_run(&r, log_as_json, message));
    const char *area = strstr(r.said, ",\"level\"");
    assert_non_null(area);
    assert_string_equal(area, ",\"level\":\"debug\",\"area\":\"a\\\"b\",\"message\":"
                              "\"quote \\\" back \\\\ esc \\\\x1b tail \\\\xff€\"}\n");
    assert_matches(r.said,
                   "^\\{\"time\":\"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
                   "\\.[0-9]{3}Z\",");
}

static void long_messages_are_cut_and_stay_one_line_of_utf8(void **state)
{
    (void)state;
    static child_result r;
    static const char *const units[] = {"x", "\"", "€", "\x01", "😀", "\\"};
    for (size_t u = 0; u < 6; u++) {
        static char message[20000];
        message[0] = '\0';
        for (size_t i = 0; i < 4600; i++)
            strcpy(message + i * strlen(units[u]), units[u]);
        assert_true(child_run(&r, log_as_json, message));
        assert_int_equal(r.exit_code, 0);
        assert_ptr_equal(strchr(r.said, '\n'), r.said + r.n_said - 1);
        assert_string_equal(r.said + r.n_said - 6, "…\"}\n");
        for (size_t i = 0; i < r.n_said;) {
            const size_t n = gol_utf8_char_len(r.said + i, r.n_said - i);
            assert_true(n > 0);
            i += n;
        }
    }
}

typedef struct seen_line {
    int n;
    gol_log_level level;
    char area[64];
    char message[5000];
} seen_line;

static void remember(void *user, gol_log_level level, const char *area, const char *message)
{
    seen_line *seen = user;
    seen->n++;
    seen->level = level;
    snprintf(seen->area, sizeof seen->area, "%s", area);
    snprintf(seen->message, sizeof seen->message, "%s", message);
}

static void a_sink_gets_the_lines_instead(void **state)
{
    (void)state;
    static seen_line seen;
    gol_log_init(GOL_LOG_INFO, GOL_LOG_JSON, remember, &seen);
    errno = EDOM;
    gol_log_info("engine", "two\nlines %d", 5);
    assert_int_equal(errno, EDOM);
    gol_log_debug("engine", "too fine");
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.level, GOL_LOG_INFO);
    assert_string_equal(seen.area, "engine");
    assert_string_equal(seen.message, "two lines 5");
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, NULL, NULL);
}

static void levels_are_ordered_and_named(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int set = 0; set < 4; set++) {
        gol_log_init((gol_log_level)set, GOL_LOG_TEXT, NULL, NULL);
        for (int asked = 0; asked < 4; asked++)
            assert_int_equal(gol_log_is_on((gol_log_level)asked), asked <= set);
        gol_log_level parsed = GOL_LOG_ERROR;
        assert_true(gol_log_level_parse(names[set], &parsed));
        assert_int_equal(parsed, set);
    }
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, NULL, NULL);
    gol_log_level untouched = GOL_LOG_DEBUG;
    assert_false(gol_log_level_parse("warning", &untouched));
    assert_false(gol_log_level_parse("", &untouched));
    assert_false(gol_log_level_parse("Error", &untouched));
    assert_int_equal(untouched, GOL_LOG_DEBUG);
}

enum { N_THREADS = 4, LINES_PER_THREAD = 200 };

static void *log_many(void *arg)
{
    const int who = *(const int *)arg;
    for (int i = 0; i < LINES_PER_THREAD; i++)
        gol_log_info("t", "<%d %.*s %d>", who, 20 + i % 30,
                     "..................................................", i);
    return NULL;
}

static void log_from_threads(void *arg)
{
    (void)arg;
    pthread_t threads[N_THREADS];
    int who[N_THREADS];
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, NULL, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        who[i] = i;
        if (pthread_create(&threads[i], NULL, log_many, &who[i]) != 0)
            _exit(1);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_several_threads_never_mix(void **state)
{
    (void)state;
    static child_result r;
    assert_true(child_run(&r, log_from_threads, NULL));
    assert_int_equal(r.exit_code, 0);
    assert_true(r.n_said < sizeof r.said - 1);
    int next[N_THREADS] = {0};
    int n_lines = 0;
    char *save;
    for (char *line = strtok_r(r.said, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        int who, i;
        char dots[64];
        char end;
        assert_int_equal(sscanf(line, "%*s info t: <%d %60[.] %d%c", &who, dots, &i, &end), 4);
        assert_int_equal(end, '>');
        assert_true(who >= 0 && who < N_THREADS);
        assert_int_equal(i, next[who]++);
        assert_int_equal(strlen(dots), 20 + i % 30);
        n_lines++;
    }
    assert_int_equal(n_lines, N_THREADS * LINES_PER_THREAD);
}

typedef struct colour_row {
    const char *no_color;
    const char *term;
    bool is_coloured;
} colour_row;

/* One line on a terminal of our own; tells whether it had colour. */
static bool is_coloured_on_terminal(const colour_row *row)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    const int saved = dup(STDERR_FILENO);
    dup2(slave, STDERR_FILENO);
    unsetenv("NO_COLOR");
    if (row->no_color)
        setenv("NO_COLOR", row->no_color, 1);
    setenv("TERM", row->term, 1);
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, NULL, NULL);
    gol_log_warn("a", "colour?");
    dup2(saved, STDERR_FILENO);
    close(saved);
    gol_log_init(GOL_LOG_INFO, GOL_LOG_TEXT, NULL, NULL);
    char text[256] = "";
    for (size_t n = 0; !strchr(text, '\n');) { /* a terminal hands a line on in pieces */
        const ssize_t n_more = read(master, text + n, sizeof text - 1 - n);
        assert_true(n_more > 0);
        n += (size_t)n_more;
    }
    close(slave);
    close(master);
    assert_non_null(strstr(text, "colour?"));
    return strchr(text, '\x1b') != NULL;
}

static void colour_is_for_terminals_without_no_color(void **state)
{
    (void)state;
    static const colour_row rows[] = {
        {NULL, "xterm", true}, {"", "xterm", true}, {"1", "xterm", false}, {NULL, "dumb", false}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(is_coloured_on_terminal(&rows[i]), rows[i].is_coloured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_have_time_level_area_message),
        cmocka_unit_test(json_lines_escape_what_json_needs),
        cmocka_unit_test(long_messages_are_cut_and_stay_one_line_of_utf8),
        cmocka_unit_test(a_sink_gets_the_lines_instead),
        cmocka_unit_test(levels_are_ordered_and_named),
        cmocka_unit_test(lines_of_several_threads_never_mix),
        cmocka_unit_test(colour_is_for_terminals_without_no_color),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
