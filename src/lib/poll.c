/*
 * gollum_poll(): one record out of the outbox, one event of it. The text is made here, in the caller's thread: the engine's
 * has better to do.
 */
#include "base/clock.h"
#include "lib/gollum_impl.h"
#include "lib/public_struct.h"

void gollum_event_init_sized(gollum_event *event, size_t struct_size)
{
    const gollum_event nothing = {.token = -1, .text = ""};
    if (event != NULL && gol_public_is_size(struct_size))
        gol_public_write(event, struct_size, &nothing, sizeof nothing);
}

/* False: what follows a stop string is read silently until the engine's own end. */
static bool make_event(gollum *g, gol_answer *answer, const gol_answer_record *record,
                       gollum_event *event)
{
    const bool is_silent = answer->is_over;
    if (!is_silent && gol_answer_make_event(answer, record, event))
        gol_engine_abort(g->parts.engine, answer->id);
    if (record->finish != GOL_FINISH_NONE) {
        gol_outbox_close(&g->outbox);
        gol_answer_destroy(&g->polled);
        g->polled = answer; /* not freed yet: the event views its text */
    }
    return !is_silent;
}

int gollum_poll(gollum *g, gollum_event *event, int timeout_ms)
{
    if (g == NULL || event == NULL || !gol_public_is_size(event->struct_size))
        return GOLLUM_EINVAL;
    if (pthread_mutex_trylock(&g->poll_mutex) != 0)
        return GOLLUM_EBUSY;
    gol_answer_destroy(&g->polled);
    const uint64_t deadline_ns = timeout_ms < 0 ? UINT64_MAX
                                                : gol_clock_ns() + (uint64_t)timeout_ms * 1000000;
    gollum_event made;
    gol_answer *answer;
    gol_answer_record record;
    bool has_event = false;
    while (!has_event && gol_outbox_take(&g->outbox, deadline_ns, &answer, &record))
        has_event = make_event(g, answer, &record, &made);
    if (has_event)
        gol_public_write(event, event->struct_size, &made, sizeof made);
    pthread_mutex_unlock(&g->poll_mutex);
    return has_event ? 1 : 0;
}
