/*
 * Between the engine's thread, which never waits, and gollum_poll(): which polled answers have records that nobody has read,
 * in the order in which they became so. An answer with more than one unread record goes to the back after each, so a long
 * one does not hide the others.
 *
 * An answer is open from gol_outbox_open(), before it is submitted, to gol_outbox_close(), when its last record was read: as
 * long as one is open, a reader may wait.
 */
#ifndef GOL_LIB_OUTBOX_H
#define GOL_LIB_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/answer.h"

typedef struct gol_outbox {
    pthread_mutex_t
        mutex; /* of everything below, and of the records and counters of every polled answer */
    pthread_cond_t changed;
    gol_answer *head; /* answers with unread records, linked by next_ready */
    gol_answer *tail;
    int32_t n_open;
} gol_outbox;

void gol_outbox_init(gol_outbox *outbox);
void gol_outbox_deinit(gol_outbox *outbox); /* destroys the answers whose records nobody read */

void gol_outbox_open(gol_outbox *outbox);
void gol_outbox_close(gol_outbox *outbox);

/* The engine's thread. The answer has room for the record. */
void gol_outbox_put(gol_outbox *outbox, gol_answer *answer, const gol_answer_record *record);

/* The one reader. Waits until a record is there: true; false when deadline_ns (gol_clock_ns(); UINT64_MAX: never) is over or
 * no answer is open. */
bool gol_outbox_take(gol_outbox *outbox, uint64_t deadline_ns, gol_answer **answer,
                     gol_answer_record *record);

#endif
