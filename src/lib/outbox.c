/* A list of answers with something to read, a mutex and a condition. See outbox.h. */
#include "lib/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

enum { WAIT_SLICE_MS = 50 /* how late a reader may notice that the wall clock was set */ };

static void lock(gol_outbox *outbox)
{
    const int rc = pthread_mutex_lock(&outbox->mutex);
    assert(rc == 0);
    (void)rc;
}

static void unlock(gol_outbox *outbox)
{
    const int rc = pthread_mutex_unlock(&outbox->mutex);
    assert(rc == 0);
    (void)rc;
}

/* With the mutex held, as the next three. */
static void link_answer(gol_outbox *outbox, gol_answer *answer)
{
    answer->is_ready = true;
    answer->next_ready = NULL;
    if (outbox->tail != NULL)
        outbox->tail->next_ready = answer;
    else
        outbox->head = answer;
    outbox->tail = answer;
}

static gol_answer *unlink_head(gol_outbox *outbox)
{
    gol_answer *answer = outbox->head;
    outbox->head = answer->next_ready;
    if (outbox->head == NULL)
        outbox->tail = NULL;
    answer->next_ready = NULL;
    answer->is_ready = false;
    return answer;
}

/* Condition variables wait until a wall-clock time everywhere and until a monotonic one on some systems only. So it is
 * waited in short slices of wall time, and the monotonic clock decides when it was enough. */
static void wait_slice(gol_outbox *outbox, uint64_t left_ns)
{
    const uint64_t slice_ns = (uint64_t)WAIT_SLICE_MS * 1000000;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(left_ns < slice_ns ? left_ns : slice_ns);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    const int rc = pthread_cond_timedwait(&outbox->changed, &outbox->mutex, &until);
    assert(rc == 0 || rc == ETIMEDOUT);
    (void)rc;
}

void gol_outbox_init(gol_outbox *outbox)
{
    *outbox = (gol_outbox){0};
    pthread_mutex_init(&outbox->mutex, NULL);
    pthread_cond_init(&outbox->changed, NULL);
}

void gol_outbox_deinit(gol_outbox *outbox)
{
    while (outbox->head != NULL) {
        gol_answer *answer = unlink_head(outbox);
        gol_answer_destroy(&answer);
    }
    pthread_cond_destroy(&outbox->changed);
    pthread_mutex_destroy(&outbox->mutex);
}

void gol_outbox_open(gol_outbox *outbox)
{
    lock(outbox);
    outbox->n_open++;
    unlock(outbox);
}

void gol_outbox_close(gol_outbox *outbox)
{
    lock(outbox);
    assert(outbox->n_open > 0);
    outbox->n_open--;
    /* A submission that failed may have been the last thing that a reader waits for. */
    pthread_cond_signal(&outbox->changed);
    unlock(outbox);
}

void gol_outbox_put(gol_outbox *outbox, gol_answer *answer, const gol_answer_record *record)
{
    lock(outbox);
    assert(answer->n_written < answer->n_records_max);
    answer->records[answer->n_written++] = *record;
    if (!answer->is_ready) {
        link_answer(outbox, answer);
        pthread_cond_signal(&outbox->changed);
    }
    unlock(outbox);
}

bool gol_outbox_take(gol_outbox *outbox, uint64_t deadline_ns, gol_answer **answer,
                     gol_answer_record *record)
{
    lock(outbox);
    while (outbox->head == NULL && outbox->n_open > 0) {
        if (deadline_ns == UINT64_MAX) {
            pthread_cond_wait(&outbox->changed, &outbox->mutex);
            continue;
        }
        const uint64_t now_ns = gol_clock_ns();
        if (now_ns >= deadline_ns)
            break;
        wait_slice(outbox, deadline_ns - now_ns);
    }
    const bool has_record = outbox->head != NULL;
    if (has_record) {
        *answer = unlink_head(outbox);
        *record = (*answer)->records[(*answer)->n_read++];
        if ((*answer)->n_read < (*answer)->n_written)
            link_answer(outbox, *answer);
    }
    unlock(outbox);
    return has_record;
}
