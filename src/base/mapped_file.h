/*
 * Read-only mapped files. A file that is truncated while it is mapped would kill the process with SIGBUS at the next read:
 * gol_mapped_file_open() installs (once per process) a handler that, when the fault lies inside one of our maps, writes one
 * line naming the file to stderr and ends the process with exit code 74. A fault elsewhere gets the previous handler.
 * Replacing a model by rename or deleting it is safe: the old content stays mapped.
 */
#ifndef GOL_BASE_MAPPED_FILE_H
#define GOL_BASE_MAPPED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct gol_mapped_file {
    const uint8_t *data; /* page-aligned; non-NULL also for an empty file */
    size_t size;
    char *path; /* owned copy */
    int slot;   /* index in the fault handler's table */
} gol_mapped_file;

enum { GOL_MAPPED_FILES_MAX = 1024 };

/* Errors: GOL_ENOTFOUND, GOL_EIO (also: a directory, a device), GOL_ENOMEM. On failure *file is zeroed. */
int gol_mapped_file_open(gol_mapped_file *file, const char *path, gol_err *err);
void gol_mapped_file_close(gol_mapped_file *file); /* zeroed is fine */

/* Hints; wrong use costs speed only. */
void gol_mapped_file_will_need(const gol_mapped_file *file, size_t offset, size_t n_bytes);
void gol_mapped_file_drop_pages(const gol_mapped_file *file, size_t offset, size_t n_bytes);

#endif
