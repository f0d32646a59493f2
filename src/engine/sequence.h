/*
 * One token timeline: the prompt and what was generated after it, how far it is computed, and which blocks hold its keys
 * and values. There is no prefill state and no decode state: n_computed catches up with n_tokens, and whenever it has, the
 * next token is sampled.
 *
 *     tokens   [ prompt ............ | generated ... |        room        ]
 *              0                n_prompt         n_tokens           n_tokens_max
 *     computed [ in the KV cache ........ | n_scheduled in this step | ]
 *
 * Everything is allocated by gol_seq_create(), in the thread of who submits, which also computes the prompt's block hashes; a
 * step allocates nothing. From gol_inbox_push() on, the engine's thread owns it.
 */
#ifndef GOL_ENGINE_SEQUENCE_H
#define GOL_ENGINE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/block_hash.h"
#include "engine/exact_cache.h"
#include "engine/request.h"
#include "engine/seq_extras.h"
#include "engine/seq_state.h"
#include "engine/token_counts.h"

typedef enum gol_seq_status {
    GOL_SEQ_WAITING,   /* not yet started: no blocks */
    GOL_SEQ_RUNNING,   /* in the scheduler's running queue */
    GOL_SEQ_PREEMPTED, /* waiting again, its blocks taken away, its tokens kept */
    GOL_SEQ_FINISHED,  /* in no queue, no blocks */
} gol_seq_status;

typedef struct gol_seq {
    uint64_t id; /* rises with arrival; given by the inbox */
    gol_seq_status status;
    int32_t priority;

    int32_t *tokens; /* [n_tokens_max] */
    int32_t n_prompt;
    int32_t n_tokens;
    int32_t n_tokens_max; /* n_prompt + max_tokens, or the context's end */
    int32_t n_computed;
    int32_t n_scheduled;     /* by the current plan */
    bool is_decode;          /* of these: one, that had to come first */
    int32_t n_rows_expected; /* waiting: tokens that were not in the prefix cache when it arrived */

    /* [n_groups][n_blocks_max] block ids of each group of layers: appended to, in groups with windows given back from the beginning
     * (-1 from then on), then as a whole */
    int32_t *block_table;
    int32_t n_groups;
    int32_t n_blocks; /* of each group, those that were given back included */
    int32_t n_blocks_max;
    int32_t block_size;

    /* How the prefix cache knows it. */
    const gol_block_hasher *hasher; /* NULL: it neither reads nor writes the cache */
    gol_block_hash root;
    gol_block_hash
        *block_hashes; /* [n_hashed of n_blocks_max] of the first blocks full of tokens */
    int32_t n_hashed;
    gol_block_hash prompt_hash; /* of the whole prompt */
    int32_t n_cached;      /* tokens of the prompt that were found; -1: nobody has looked yet */
    const float *kept_row; /* [n_vocab] in this step it is sampled from these logits; else NULL */

    gol_seq_state state; /* of recurrent layers */

    /* Running, but waiting until another running one has computed what both need (scheduler.c). */
    bool is_following;
    struct gol_seq *leader; /* NULL: it is gone */
    int32_t n_to_follow;    /* tokens that the leader will have computed then */
    int32_t n_promised;     /* blocks that it will want for itself */
    int32_t n_followers;

    struct gol_seq_queue *queue; /* where it is linked, NULL: nowhere */
    struct gol_seq *prev;
    struct gol_seq *next;

    gol_sampling_params sampling; /* its extras are NULL; see extras */
    int32_t *stop_ids;            /* [n_stop_ids] */
    int32_t n_stop_ids;
    int32_t min_tokens;
    int32_t n_logprobs;
    bool has_counts; /* some penalty is on: counts is kept */
    gol_token_counts counts;
    gol_seq_extras *extras; /* NULL: none are asked for */

    /* gol_clock_ns() */
    uint64_t arrived_ns;
    uint64_t started_ns;    /* first step that worked on it; 0: none yet */
    uint64_t last_token_ns; /* 0: no token yet */

    /* NULL: the prompt is not scored. The row of each token of the prompt but the last says something about the next one. */
    gol_prompt_scores *scores;
    int32_t n_rows_read; /* from the beginning; preemption does not change it */
    int64_t n_charged;   /* what its prompt counts at the door, in tokens */

    /* NULL: no embedding is wanted. */
    gol_embedding *embedding;
    gol_pooling pooling; /* never NONE then */
    int32_t n_pooled; /* rows up to this position have been used; preemption does not change it */
    bool is_whole;    /* all its rows are computed in one step */

    gol_output_fn *on_output;
    void *user;
} gol_seq;

/* What a sequence is cut to. */
typedef struct gol_seq_limits {
    int32_t max_model_len;
    int32_t block_size;
    int32_t n_kv_groups; /* of layers; 0: one */
    int32_t n_vocab;
    const gol_block_hasher *hasher; /* NULL: no prefix caching; else it outlives the sequence */
    int32_t max_batch_tokens;
    gol_pooling pooling; /* the model's own */
    int32_t n_classes;   /* of the model's classifier; 0: it has none */
    bool is_encoder;
} gol_seq_limits;

/* Checks every field of the request and copies it. Errors: GOL_EINVAL (a field is out of range: which, and what is
 * accepted), GOL_ECONTEXT (no room for one token after the prompt), GOL_EUNSUPPORTED (not with
 * this model), GOL_ENOMEM. */
int gol_seq_create(gol_seq **out, const gol_request *request, const gol_seq_limits *limits,
                   gol_err *err);
void gol_seq_destroy(gol_seq **seq); /* NULL is fine; must be in no queue and hold no blocks */

void gol_seq_append(gol_seq *seq, int32_t token); /* a generated one; room is asserted */
bool gol_seq_is_stop(const gol_seq *seq, int32_t token);
void gol_seq_note_rows(gol_seq *seq); /* n_computed has grown: the scores of its rows are there */

/* Of all tokens in the first n_blocks blocks, which must be known. The root for none. */
gol_block_hash gol_seq_hash(gol_seq *seq, int32_t n_blocks);
gol_prompt_key gol_seq_prompt_key(const gol_seq *seq);

/* [n_blocks_max] of a group of layers. */
static inline int32_t *gol_seq_table(const gol_seq *seq, int32_t group)
{
    return seq->block_table + (ptrdiff_t)group * seq->n_blocks_max;
}

static inline int32_t gol_seq_n_generated(const gol_seq *seq)
{
    return seq->n_tokens - seq->n_prompt;
}

/* Rows of the prompt's tokens have still to be computed, whatever the prefix cache holds of them. */
static inline bool gol_seq_is_scoring(const gol_seq *seq)
{
    return seq->scores && seq->n_rows_read < seq->n_prompt - 1;
}

/* The row of this position, which is just being computed, is read for the prompt's sake. */
static inline bool gol_seq_scores_row(const gol_seq *seq, int32_t position)
{
    return seq->scores && position >= seq->n_rows_read && position < seq->n_prompt - 1;
}

/* Tokens known but not computed: 1 for a sequence that decodes, more for one that prefills or recomputes. */
static inline int32_t gol_seq_n_pending(const gol_seq *seq)
{
    return seq->n_tokens - seq->n_computed;
}

#endif
