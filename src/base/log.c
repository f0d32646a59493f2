/*
 * Log lines. A line is made whole on the stack (no heap: the engine may log inside a step) and leaves by one write(), so
 * lines of several threads never mix. The message is made printable first: no control bytes, valid UTF-8; after that a
 * JSON string needs only its two escapes.
 *
 * State: the settings below, written by gol_log_init() before threads start, only read afterwards.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

enum {
    MESSAGE_MAX = 4096, /* longer messages are cut with "…" */
    /* Every byte may need a backslash; the rest is time, level, area. */
    LINE_MAX_BYTES = 2 * MESSAGE_MAX + 256,
};

static struct {
    gol_log_level level;
    gol_log_format format;
    bool is_coloured;
    bool is_set_up;
    gol_log_sink *sink;
    void *user;
} settings = {.level = GOL_LOG_INFO, .format = GOL_LOG_TEXT};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m"};

/* no-color.org: any non-empty NO_COLOR switches colour off. */
static bool can_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color && *no_color)
        return false;
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void gol_log_init(gol_log_level level, gol_log_format format, gol_log_sink *sink, void *user)
{
    settings.level = level;
    settings.format = format;
    settings.sink = sink;
    settings.user = user;
    settings.is_set_up = true;
    settings.is_coloured = !sink && format == GOL_LOG_TEXT && can_colour();
}

bool gol_log_is_set_up(void)
{
    return settings.is_set_up;
}

bool gol_log_is_on(gol_log_level level)
{
    return level <= settings.level;
}

bool gol_log_level_parse(const char *name, gol_log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out = (gol_log_level)i;
            return true;
        }
    }
    return false;
}

typedef struct line {
    char data[LINE_MAX_BYTES];
    size_t len;
} line;

__attribute__((format(printf, 2, 3))) static void add_format(line *l, const char *format, ...)
{
    const size_t n_room = sizeof l->data - l->len;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(l->data + l->len, n_room, format, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n < n_room ? (size_t)n : n_room - 1;
}

/* text is printable; room for all of it is reserved by LINE_MAX_BYTES. */
static void add_json_string(line *l, const char *text)
{
    l->data[l->len++] = '"';
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            l->data[l->len++] = '\\';
        l->data[l->len++] = *p;
    }
    l->data[l->len++] = '"';
}

static void make_json(line *l, gol_log_level level, const char *area, const char *message)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    add_format(l, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\",\"area\":",
               utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
               (int)(now.tv_nsec / 1000000), level_names[level]);
    add_json_string(l, area);
    add_format(l, ",\"message\":");
    add_json_string(l, message);
    add_format(l, "}");
}

static void make_text(line *l, gol_log_level level, const char *area, const char *message)
{
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    const char *colour = settings.is_coloured ? level_colours[level] : "";
    const char *plain = settings.is_coloured ? "\x1b[0m" : "";
    add_format(l, "%02d:%02d:%02d.%03d %s%-5s%s %s: %s", local.tm_hour, local.tm_min, local.tm_sec,
               (int)(now.tv_nsec / 1000000), colour, level_names[level], plain, area, message);
}

/* One write unless the reader is a slow pipe; an operator's broken stderr must not stop the server. */
static void write_all(const char *data, size_t len)
{
    while (len != 0) {
        const ssize_t n = write(STDERR_FILENO, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

void gol_log(gol_log_level level, const char *area, const char *format, ...)
{
    assert(level >= GOL_LOG_ERROR && level <= GOL_LOG_DEBUG);
    if (!gol_log_is_on(level))
        return;
    /* A log line between a failure and its perror() must not change it. */
    const int saved_errno = errno;
    /* A few bytes longer than what gol_quote() can pass on, so that a character cut by vsnprintf is never shown. */
    char raw[MESSAGE_MAX + 8];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    const size_t len = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    for (size_t i = 0; i < len; i++)
        if (raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t')
            raw[i] = ' ';
    char message[MESSAGE_MAX];
    gol_quote(message, sizeof message, (gol_str){raw, len});
    char area_text[64];
    gol_quote(area_text, sizeof area_text, gol_str_from(area));
    if (settings.sink) {
        settings.sink(settings.user, level, area_text, message);
    } else {
        line l;
        l.len = 0;
        if (settings.format == GOL_LOG_JSON)
            make_json(&l, level, area_text, message);
        else
            make_text(&l, level, area_text, message);
        l.data[l.len++] = '\n';
        write_all(l.data, l.len);
    }
    errno = saved_errno;
}
