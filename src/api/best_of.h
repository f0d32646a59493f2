/* best_of: of the answers to a prompt, those that the model finds most likely. */
#ifndef GOL_API_BEST_OF_H
#define GOL_API_BEST_OF_H

#include "api/call.h"

/* All choices are done. Numbers those that come back anew, prompt_index * n + place, the best first; the others get index -1. Nothing
 * changes when as many were made as come back. */
void gol_best_of_pick(gol_api_call *call);

#endif
