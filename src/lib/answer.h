/*
 * One public request on its way: the engine's thread appends tokens, whoever polls (or, with a callback, the engine's thread
 * itself) takes them out as events with text. Two owners, so it is counted: the engine until the last event, and the
 * gollum's list until that event was handed out.
 */
#ifndef GOL_LIB_ANSWER_H
#define GOL_LIB_ANSWER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "engine/request.h"
#include "gollum.h"
#include "text/detokenizer.h"
#include "text/stop_match.h"

/* What the engine said, kept until it is asked for. */
typedef struct gol_answer_token {
    int32_t token;
    float logprob;
    gol_finish_reason finish;
} gol_answer_token;

typedef struct gol_answer gol_answer;

struct gol_answer {
    gollum *owner;
    uint64_t id;
    gollum_event_fn *on_event; /* NULL: polled */
    void *user;
    bool ignore_eos;

    gol_answer_token *
        tokens; /* [n_tokens_max] written by the engine, read behind it; guarded by the owner's lock */
    int32_t n_tokens_max;
    int32_t n_written;
    int32_t n_read;
    int32_t n_prompt;
    gol_answer *next_ready; /* the owner's list of answers with unread tokens */
    bool is_ready;

    /* The reader's. */
    gol_detokenizer detok;
    gol_stop_set stops;
    gol_stop_state stop_state;
    gol_arena arena; /* stop strings */
    gol_buf text;    /* of the current event, and behind it bytes that may begin a stop string */
    size_t n_handed_out; /* of text, by the last event */
    bool is_over;        /* the last event was handed out */
};

/* n_tokens_max: events that may come, the end without a token included. Errors: GOL_ENOMEM, GOL_EINVAL (stop strings). */
int gol_answer_create(gol_answer **out, gollum *owner, const gol_tokenizer *tok,
                      const gollum_request *request, int32_t n_tokens_max, gol_err *err);
void gol_answer_destroy(gol_answer **answer); /* NULL is fine */

/* Turns the answer's next record into an event; text lives until the next call. True when a stop string was met: the event is the
 * last one and the caller aborts the sequence. */
bool gol_answer_make_event(gol_answer *answer, const gol_answer_token *record, int32_t n_generated,
                           gollum_event *event);

#endif
