/*
 * Cuts text into words by a list of regular expressions (pre_patterns.h). PCRE2 does the matching: compiled to machine code
 * where the system allows it, interpreted elsewhere, and always under limits. Immutable after create.
 */
#ifndef GOL_TEXT_PRE_TOKENIZER_H
#define GOL_TEXT_PRE_TOKENIZER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "text/pre_patterns.h"

typedef struct gol_pre_tokenizer gol_pre_tokenizer;

/* use_jit false: interpret, as where the system forbids writable code. Errors: GOL_ENOMEM, GOL_EINTERNAL (a pattern of ours
 * does not compile). */
int gol_pre_tokenizer_create(gol_pre_tokenizer **out, const gol_pre_spec *spec, bool use_jit,
                             gol_err *err);
void gol_pre_tokenizer_destroy(gol_pre_tokenizer **pre);

/* Called for each word in order; together they are the text. Not 0: stop and return it. */
typedef int gol_pre_emit(void *user, gol_str word, gol_err *err);

/* text is cut at bytes that are no UTF-8 first; a run of such bytes is a word. Errors: GOL_ENOMEM, GOL_EINVAL (a limit). */
int gol_pre_tokenizer_split(const gol_pre_tokenizer *pre, gol_str text, gol_pre_emit *emit,
                            void *user, gol_err *err);

#endif
