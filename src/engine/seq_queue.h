/* A list of sequences, linked through the sequences themselves: no allocation, O(1) removal from anywhere. */
#ifndef GOL_ENGINE_SEQ_QUEUE_H
#define GOL_ENGINE_SEQ_QUEUE_H

#include <stdint.h>

#include "engine/sequence.h"

typedef struct gol_seq_queue {
    gol_seq *head; /* NULL when empty */
    gol_seq *tail;
    int32_t n;
} gol_seq_queue;

void gol_seq_queue_push(gol_seq_queue *queue, gol_seq *seq); /* at the tail */
/* In front of `next`, a member; NULL: at the tail. */
void gol_seq_queue_insert(gol_seq_queue *queue, gol_seq *seq, gol_seq *next);
void gol_seq_queue_remove(gol_seq_queue *queue, gol_seq *seq);
gol_seq *gol_seq_queue_pop(gol_seq_queue *queue); /* the head; NULL when empty */

#endif
