/* What a gollum is made of, between this layer's files. */
#ifndef GOL_LIB_GOLLUM_IMPL_H
#define GOL_LIB_GOLLUM_IMPL_H

#include <pthread.h>

#include "gollum.h"
#include "lib/answer.h"
#include "lib/instance.h"
#include "lib/outbox.h"

struct gollum {
    gol_instance parts;
    size_t n_text_max; /* of one event */
    gol_outbox outbox;

    pthread_mutex_t poll_mutex; /* held by the one poller; guards: */
    gol_answer *polled;         /* over, but the last poll's event views its text */
};

#endif
