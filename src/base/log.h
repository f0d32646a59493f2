/*
 * Log lines for the operator, on stderr by default; never prompts or answers. Text or JSON (one object a line), colour on
 * a terminal unless NO_COLOR is set. Any thread. The library (include/gollum.h) installs its user's sink or none.
 */
#ifndef GOL_BASE_LOG_H
#define GOL_BASE_LOG_H

#include <stdbool.h>

typedef enum gol_log_level {
    GOL_LOG_ERROR,
    GOL_LOG_WARN,
    GOL_LOG_INFO,
    GOL_LOG_DEBUG,
} gol_log_level;

typedef enum gol_log_format {
    GOL_LOG_TEXT, /* "12:34:56.789 warn  model: …" */
    GOL_LOG_JSON, /* {"time":"2026-01-02T12:34:56.789Z","level":"warn","area":"model","message":"…"} */
} gol_log_format;

/* message: one line without newline. */
typedef void gol_log_sink(void *user, gol_log_level level, const char *area, const char *message);

/* To be called before threads start. sink NULL: stderr. */
void gol_log_init(gol_log_level level, gol_log_format format, gol_log_sink *sink, void *user);
bool gol_log_is_set_up(void); /* gol_log_init() was called */
bool gol_log_is_on(gol_log_level level);
bool gol_log_level_parse(const char *name, gol_log_level *out); /* "error" "warn" "info" "debug" */

/* area: the part that speaks, "engine", "http". Newlines in the message become spaces. */
void gol_log(gol_log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define gol_log_error(area, ...) gol_log(GOL_LOG_ERROR, (area), __VA_ARGS__)
#define gol_log_warn(area, ...)  gol_log(GOL_LOG_WARN, (area), __VA_ARGS__)
#define gol_log_info(area, ...)  gol_log(GOL_LOG_INFO, (area), __VA_ARGS__)
#define gol_log_debug(area, ...) gol_log(GOL_LOG_DEBUG, (area), __VA_ARGS__)

#endif
