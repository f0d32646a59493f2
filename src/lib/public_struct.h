/*
 * The structs that cross the library's border begin with their size as the caller's header gives it. Programs and library may
 * come from different versions, which only append fields:
 *
 *   caller older    the fields it lacks get their defaults
 *   caller newer    the fields this library lacks must be zero (off); set ones are refused, not ignored
 */
#ifndef GOL_LIB_PUBLIC_STRUCT_H
#define GOL_LIB_PUBLIC_STRUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "gollum.h"

/* Far above every version's structs, far below what an uninitialised size_t usually is. */
enum { GOL_PUBLIC_STRUCT_MAX = 4096 };

bool gol_public_is_size(size_t struct_size);

/* Reads the caller's struct over dst, which holds the defaults. name: "request", for messages. Errors: GOL_EINVAL (NULL, or
 * struct_size was never set), GOL_EUNSUPPORTED (a field of a later version is set). */
int gol_public_read(void *dst, size_t dst_size, const void *src, const char *name, gol_err *err);

/* Fills the caller's struct of dst_size bytes, which it gets as its struct_size; what src does not know becomes zero. */
void gol_public_write(void *dst, size_t dst_size, const void *src, size_t src_size);

/* Copies err to out, which may be NULL, and returns err's code. */
int gol_public_fail(gollum_error *out, const gol_err *err);

#endif
