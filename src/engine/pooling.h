/*
 * One vector for a whole prompt, made of the states of its rows behind the model's last norm as steps compute them. Rows are added
 * in order of position, so that neither slices nor preemption change a bit.
 */
#ifndef GOL_ENGINE_POOLING_H
#define GOL_ENGINE_POOLING_H

#include "engine/sequence.h"

/* What the request asks for against what the model can give, and the prompt's length against the step's, which an encoder must
 * read it in. Errors: GOL_EINVAL, GOL_EUNSUPPORTED, GOL_ECONTEXT. */
int gol_pooling_check(const gol_request *request, const gol_seq_limits *limits, gol_err *err);

/* The row of this position, which is just being computed, goes into the vector. */
bool gol_pooling_wants(const gol_seq *seq, int32_t position);
/* row: [n_embd]. Rows that were added before, and computed again, are left out. */
void gol_pooling_add(gol_seq *seq, int32_t position, const float *row, int32_t n_embd);
/* The row has been read, by somebody else: scores are made of it as it is. */
void gol_pooling_note(gol_seq *seq, int32_t position);
/* All rows are there. */
void gol_pooling_end(gol_seq *seq, int32_t n_embd);

#endif
