/* What the pieces of the GGUF reader share. Positions in messages are byte offsets from the file's start. */
#ifndef GOL_FORMATS_GGUF_READER_H
#define GOL_FORMATS_GGUF_READER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/error.h"
#include "formats/gguf.h"

typedef struct gol_gguf_reader {
    gol_cursor cursor;
    gol_gguf *out;
    gol_err *err; /* not NULL; messages are bare: callers put file and field before them */
} gol_gguf_reader;

int gol_gguf_read_meta(gol_gguf_reader *r, uint64_t n_kv);         /* and the alignment */
int gol_gguf_read_tensors(gol_gguf_reader *r, uint64_t n_tensors); /* and where their data is */

/* A u64 length and that many bytes. */
int gol_gguf_read_str(gol_gguf_reader *r, uint64_t len_max, gol_str *out);

/* For a read that failed: what was wanted does not lie inside the file. */
int gol_gguf_fail_end(gol_gguf_reader *r);

/* n items of `size` bytes from the arena; NULL with err filled. */
void *gol_gguf_alloc(gol_gguf_reader *r, uint64_t n, size_t size);

#endif
