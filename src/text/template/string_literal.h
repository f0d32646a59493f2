/* Escapes in the string literals of templates, as in Python: \n, \x41, \u00e9, \101 and so on. */
#ifndef GOL_TEXT_TEMPLATE_STRING_LITERAL_H
#define GOL_TEXT_TEMPLATE_STRING_LITERAL_H

#include "base/arena.h"
#include "base/str.h"

/* raw: what stands between the quotes, valid UTF-8. An unknown escape stays as it is written. Errors: GOL_EINVAL (*why: what is
 * wrong, a literal), GOL_ENOMEM. */
int gol_string_literal_parse(gol_str *out, gol_arena *arena, gol_str raw, const char **why);

#endif
