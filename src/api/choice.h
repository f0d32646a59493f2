/*
 * One answer of a call: a sequence in the engine, the tokens it has logged, and the text made of them so far.
 *
 * The engine's thread appends to arrays that were allocated for the whole answer, and publishes their length under the
 * call's lock; entries below the published length never change, so the call's thread reads them without it.
 *
 *     tokens   [.......taken.......|......seen......|..logged..|.......free.......]
 *     text                     "text not yet handed out"
 */
#ifndef GOL_API_CHOICE_H
#define GOL_API_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/scored_prompt.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "text/stop_match.h"
#include "text/detokenizer.h"

struct gol_api_call;

typedef struct gol_choice {
    struct gol_api_call *call;
    int32_t index; /* among the answers that come back; -1: it does not */
    bool is_first_of_prompt;
    const int32_t *prompt_ids; /* [n_prompt] */
    int32_t n_prompt;
    /* NULL: none. Shared by the answers of a prompt; the first one's, whose sequence fills it. */
    gol_scored_prompt *scored;

    uint64_t sequence; /* the engine's id */
    bool is_submitted;
    bool is_cut; /* aborted by us */

    /* Lock. */
    int32_t *tokens;       /* [cap] */
    float *logprobs;       /* [cap]; NULL: nobody needs them */
    gol_top_logprob *tops; /* [cap][n_top]; NULL: none asked for */
    int32_t n_top; /* of each token: as many as asked for, fewer if the vocabulary is smaller */
    int32_t cap;
    int32_t n_logged;
    int32_t n_cached; /* of the prompt */
    gol_finish_reason end;

    /* The call's thread. */
    int32_t n_seen;
    int32_t seen_cached;
    gol_finish_reason seen_end;
    int32_t n_taken;
    int32_t n_sent;   /* tokens whose text and log-probabilities are out */
    int32_t *offsets; /* [cap]: characters of text before each token; NULL: not needed */
    int32_t n_chars;
    gol_detokenizer detok;
    gol_stop_state stop;
    gol_buf text;
    bool trims_space; /* a space is to be dropped if it comes first */
    bool is_done;
    gol_finish_reason finish;
    int stop_string; /* index in the call's stop set; -1: none */
    int32_t stop_id; /* a stop id that the client named; -1: none */
    bool has_opened; /* its stream: a first chunk is out */
    bool has_closed; /* its last one */
} gol_choice;

/* A part of an answer on its way to a stream. */
typedef struct gol_piece {
    gol_str text;
    int32_t first_token; /* tokens[first_token .. end_token) */
    int32_t end_token;
    bool is_first;
    bool is_last;
} gol_piece;

/* max_tokens: an upper bound of what the engine will send; echo: text in front of the answer. 0 or GOL_ENOMEM; deinit is fine
 * after both. */
int gol_choice_init(gol_choice *c, struct gol_api_call *call, int32_t index, int32_t max_tokens,
                    gol_str echo);
void gol_choice_deinit(gol_choice *c);

/* Fills in the callback. Takes a reference on the call that the sequence's last event gives back. */
int gol_choice_submit(gol_choice *c, gol_engine *engine, gol_request *request, gol_err *err);

/* Aborts the sequence; what the engine still sends is dropped. */
void gol_choice_cut(gol_choice *c, gol_engine *engine);

/* Looks at what the engine has logged; under the call's lock. */
void gol_choice_refresh(gol_choice *c);

/* Takes seen tokens until `enough` bytes of text can be handed out, or all are taken. */
void gol_choice_advance(gol_choice *c, size_t enough);

/* Of its tokens, on average; 0 for none. It is done, and its log-probabilities were needed. */
double gol_choice_mean_logprob(const gol_choice *c);

/* What a token stands for: empty for ids beyond the tokenizer's vocabulary, which models with padded tables can draw. */
gol_str gol_choice_piece(const gol_choice *c, int32_t id);

/* Bytes at the front of text that no stop string can take back. */
size_t gol_choice_n_ready(const gol_choice *c);

#endif
