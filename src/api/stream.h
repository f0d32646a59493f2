/*
 * The way back: token id -> text -> stop check -> a chunk of a stream, or a whole body.
 */
#ifndef GOL_API_STREAM_H
#define GOL_API_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"

/* For answers that come whole: takes what is there; once every choice is done, makes the reply. */
void gol_stream_collect(gol_api_call *call);

/* gol_api_call_read() of a generating call. */
ptrdiff_t gol_stream_read(gol_api_call *call, char *buf, size_t size);

/* Aborts whatever still runs. */
void gol_stream_cut_all(gol_api_call *call);

#endif
