/* Regular expressions of tokenizer.json, which are Oniguruma's, for PCRE2. */
#ifndef GOL_TEXT_HF_HF_REGEX_H
#define GOL_TEXT_HF_HF_REGEX_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Appends to out the expression that means the same. Errors: GOL_EUNSUPPORTED (the message says what), GOL_ENOMEM. */
int gol_hftok_regex_translate(gol_buf *out, gol_str pattern, gol_err *err);

#endif
