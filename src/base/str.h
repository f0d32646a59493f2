/*
 * A view of bytes that somebody else owns. Not NUL-terminated: model files and HTTP bodies are viewed in place,
 * and bytes from outside may hold NULs.
 */
#ifndef GOL_BASE_STR_H
#define GOL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct gol_str {
    const char *data; /* may be NULL only when len is 0 */
    size_t len;
} gol_str;

/* For string literals: GOL_STR("llama"). */
#define GOL_STR(literal) ((gol_str){(literal), sizeof(literal) - 1})

/* For printf: printf("%.*s", GOL_STR_ARG(s)). Lengths beyond INT_MAX are cut, for display only. */
#define GOL_STR_ARG(s)                                                                             \
    (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), ((s).data ? (s).data : "")

static inline gol_str gol_str_from(const char *c_string)
{
    return (gol_str){c_string, c_string ? strlen(c_string) : 0};
}

static inline bool gol_str_eq(gol_str a, gol_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool gol_str_is(gol_str a, const char *c_string)
{
    return gol_str_eq(a, gol_str_from(c_string));
}

#endif
