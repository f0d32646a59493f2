/*
 * What clang-tidy, which looks at one file at a time, cannot see: a failure's result is its code, never 0. Included before
 * every file but error.c by scripts/lint.sh, and by nothing else.
 */
#include "base/error.h"

#define gol_fail(err, code, ...)      (gol_fail(err, code, __VA_ARGS__), (code))
#define gol_fail_prefix(err, ...)     (gol_fail_prefix(err, __VA_ARGS__), GOL_EINTERNAL)
