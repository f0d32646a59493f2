/* What gguf_writer.c (collecting) and gguf_emit.c (writing to disk) share. */
#ifndef GOL_FORMATS_GGUF_WRITER_IMPL_H
#define GOL_FORMATS_GGUF_WRITER_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "formats/gguf.h"

struct gol_gguf_writer {
    gol_buf meta; /* encoded pairs */
    size_t n_meta;
    gol_str *keys; /* of the pairs, for finding duplicates */
    size_t keys_cap;
    gol_tensor *tensors; /* file_offset: inside the data section */
    size_t n_tensors;
    size_t tensors_cap;
    uint32_t alignment;
    bool has_alignment; /* it was set, so its key is written */
    gol_err failure;    /* of the first add_… that failed; code 0: none */
};

/* Little-endian, into a buffer. */
void gol_gguf_put_u32(gol_buf *buf, uint32_t v);
void gol_gguf_put_u64(gol_buf *buf, uint64_t v);
void gol_gguf_put_str(gol_buf *buf, gol_str s); /* u64 length, bytes */

#endif
