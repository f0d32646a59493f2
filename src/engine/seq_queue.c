/* Intrusive list of sequences. A sequence is in one queue at most; seq->queue says in which, and is asserted. */
#include "engine/seq_queue.h"

#include <assert.h>

void gol_seq_queue_push(gol_seq_queue *queue, gol_seq *seq)
{
    gol_seq_queue_insert(queue, seq, NULL);
}

void gol_seq_queue_insert(gol_seq_queue *queue, gol_seq *seq, gol_seq *next)
{
    assert(seq->queue == NULL);
    assert(!next || next->queue == queue);
    seq->queue = queue;
    seq->next = next;
    seq->prev = next ? next->prev : queue->tail;
    if (seq->prev)
        seq->prev->next = seq;
    else
        queue->head = seq;
    if (next)
        next->prev = seq;
    else
        queue->tail = seq;
    queue->n++;
}

void gol_seq_queue_remove(gol_seq_queue *queue, gol_seq *seq)
{
    assert(seq->queue == queue);
    if (seq->prev)
        seq->prev->next = seq->next;
    else
        queue->head = seq->next;
    if (seq->next)
        seq->next->prev = seq->prev;
    else
        queue->tail = seq->prev;
    seq->queue = NULL;
    seq->prev = NULL;
    seq->next = NULL;
    queue->n--;
}

gol_seq *gol_seq_queue_pop(gol_seq_queue *queue)
{
    gol_seq *seq = queue->head;
    if (seq)
        gol_seq_queue_remove(queue, seq);
    return seq;
}
