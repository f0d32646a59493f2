/*
 * One public request on its way: the engine's thread brings records, and each becomes one event: text, stop strings cut off.
 * With a callback the engine's thread makes the event at once; polled, the records wait in the answer until gollum_poll()
 * makes events of them, in the thread that polls.
 *
 * Made by gollum_submit(), with all the memory it will ever need: nothing is allocated while it answers. Freed behind the
 * engine's last record, by the thread that made an event of it (or, unread, by gollum_close()).
 */
#ifndef GOL_LIB_ANSWER_H
#define GOL_LIB_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "engine/request.h"
#include "gollum.h"
#include "lib/answer_scores.h"
#include "text/detokenizer.h"
#include "text/stop_match.h"

/* What the engine said. */
typedef struct gol_answer_record {
    uint64_t request_id; /* submit may not have returned yet, so the answer cannot know it */
    int32_t token;       /* -1: none */
    float logprob;
    gol_finish_reason finish;
    int32_t n_cached;
} gol_answer_record;

typedef struct gol_answer gol_answer;

struct gol_answer {
    gollum *owner;
    gollum_event_fn *on_event; /* NULL: polled */
    void *user;
    int32_t n_prompt;
    gol_answer_scores scores; /* of the prompt; zeroed: nobody asked */

    /* Polled answers only. Guarded by the outbox. */
    gol_answer_record *records; /* [n_records_max] */
    int32_t n_records_max;      /* every token, and an end without one */
    int32_t n_written;
    int32_t n_read;
    gol_answer *next_ready;
    bool is_ready;

    /* Of who makes the events. */
    uint64_t id; /* known from the first event on */
    int32_t n_generated;
    gol_detokenizer detok;
    gol_stop_set stops;
    gol_stop_state stop_state;
    gol_arena stop_arena;
    gol_buf text;        /* of the last event, and behind it bytes that may begin a stop string */
    size_t n_handed_out; /* of text, by the last event */
    bool is_over;        /* the last event was made; records may still follow */
};

/* Bytes of text that one event of this vocabulary can hold. */
size_t gol_answer_text_max(const gol_tokenizer *tok);

typedef struct gol_answer_opts {
    gollum *owner;
    const gol_tokenizer *tok;
    const gollum_request *request;
    int32_t n_prompt;
    int32_t n_tokens_max;
    size_t n_text_max; /* gol_answer_text_max() */
} gol_answer_opts;

/* Errors: GOL_ENOMEM, GOL_EINVAL (stop strings). */
int gol_answer_create(gol_answer **out, const gol_answer_opts *opts, gol_err *err);
void gol_answer_destroy(gol_answer **answer); /* NULL is fine */

/* Makes the next record's event; its text lives until the next call. True when a stop string was met before the engine's own
 * end: this event is the last, and the caller aborts the sequence. Not to be called when is_over. */
bool gol_answer_make_event(gol_answer *answer, const gol_answer_record *record,
                           gollum_event *event);

#endif
