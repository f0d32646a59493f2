/* What "normalize" means for the numbers of one prompt: docs/models.md. */
#ifndef GOL_LIB_NORMALIZE_H
#define GOL_LIB_NORMALIZE_H

#include <stddef.h>

#include "model/config.h"

/* A vector gets the length 1; one of zeros stays. */
void gol_normalize_vector(float *x, size_t n);
/* A classifier's scores become probabilities, in the same order: one by the logistic function, several by a softmax, unless the model
 * has one itself. */
void gol_normalize_scores(float *scores, const gol_classifier *classifier);

#endif
