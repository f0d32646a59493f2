/* Log lines to the callback of gollum_options; silence without one. */
#ifndef GOL_LIB_USER_LOG_H
#define GOL_LIB_USER_LOG_H

#include "gollum.h"

/* Any thread, any number of times. The first fn that is not NULL gets the process's lines from then on. A program that has
 * set up base/log.h itself (the command line) keeps it. */
void gol_user_log_init(gollum_log_fn *fn, void *user);

#endif
