/*
 * Regular expressions by PCRE2 over text that is known to be valid UTF-8: compiled to machine code where the system allows it,
 * interpreted elsewhere, and always under limits. A gol_regex is immutable; each call of an encoder has a gol_regex_run.
 *
 *     gol_regex *regex;
 *     rc = gol_regex_create(&regex, GOL_STR("\\p{L}+"), true, &err);
 *     gol_regex_run run;
 *     rc = gol_regex_run_init(&run, text.len, &err);
 *     while (gol_regex_find(regex, &run, text, pos, &start, &end, &err) == 1)
 *         ...
 *     gol_regex_run_deinit(&run);
 *     gol_regex_destroy(&regex);
 */
#ifndef GOL_TEXT_REGEX_H
#define GOL_TEXT_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

typedef struct gol_regex gol_regex;

/* Scratch of one thread. */
typedef struct gol_regex_run {
    struct pcre2_real_general_context_8 *memory;
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_match_data_8 *match;
    struct pcre2_real_jit_stack_8 *jit_stack;
} gol_regex_run;

enum { GOL_REGEX_LEN_MAX = 64 << 10 };

/* use_jit false: interpret, as where the system forbids writable code. Errors: GOL_ENOMEM, GOL_EINVAL (it does not compile: the
 * message says where and why). */
int gol_regex_create(gol_regex **out, gol_str pattern, bool use_jit, gol_err *err);
void gol_regex_destroy(gol_regex **regex);

/* Limits for matches in a text of this length. On failure *run needs no deinit. */
int gol_regex_run_init(gol_regex_run *run, size_t text_len, gol_err *err);
void gol_regex_run_deinit(gol_regex_run *run); /* zeroed is fine */

/* The first match at or behind pos: 1 and its borders (it may be empty), 0 none, or GOL_ENOMEM, GOL_EINVAL (a limit). */
int gol_regex_find(const gol_regex *regex, const gol_regex_run *run, gol_str text, size_t pos,
                   size_t *start, size_t *end, gol_err *err);

#endif
