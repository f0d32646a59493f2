/* A sequence's memory and its growth by one token. Where it stands and what it holds is the scheduler's business. */
#include "engine/sequence.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "engine/memory_plan.h"
#include "engine/pooling.h"
#include "engine/request_check.h"

static bool has_penalty(const gol_sampling_params *p)
{
    return p->repetition_penalty != 1.0f || p->presence_penalty != 0.0f ||
           p->frequency_penalty != 0.0f;
}

/* How many of the last tokens the repetition penalty looks at. */
static int32_t repeat_window(const gol_seq *seq)
{
    const bool is_limited = seq->extras && seq->extras->params.repeat_last_n >= 0;
    return is_limited ? seq->extras->params.repeat_last_n : INT32_MAX;
}

static int init_counts(gol_seq *seq, int32_t n_vocab, gol_err *err)
{
    const int rc = gol_token_counts_init(&seq->counts, gol_min_i32(seq->n_tokens_max, n_vocab),
                                         err);
    if (rc != 0)
        return rc;
    seq->has_counts = true;
    const int32_t window = repeat_window(seq);
    for (int32_t i = 0; i < seq->n_prompt; i++) {
        gol_token_counts_add_prompt(&seq->counts, seq->tokens[i]);
        if (i >= window)
            gol_token_counts_leave_window(&seq->counts, seq->tokens[i - window]);
    }
    return 0;
}

static int32_t *copy_ids(const int32_t *ids, int32_t n, int32_t n_room)
{
    int32_t *copy = gol_try_array((size_t)n_room, sizeof *copy);
    if (copy && n > 0)
        memcpy(copy, ids, (size_t)n * sizeof *copy);
    return copy;
}

/* Chain hashes of the prompt. Later blocks follow when they are needed. */
static void init_hashes(gol_seq *seq, const gol_request *request, const gol_block_hasher *hasher)
{
    if (!hasher || request->no_cache || request->embedding)
        return;
    seq->hasher = hasher;
    seq->root = gol_block_hash_root(hasher, request->cache_salt, request->n_cache_salt);
    seq->prompt_hash = gol_seq_hash(seq, seq->n_prompt / seq->block_size);
    const gol_prompt_key key = gol_seq_prompt_key(seq);
    if (key.n_tail > 0)
        seq->prompt_hash = gol_block_hash_next(hasher, seq->prompt_hash, key.tail, key.n_tail);
}

/* Scores take memory like tokens do. */
static int64_t count_charge(const gol_request *request)
{
    if (!request->scores)
        return request->n_prompt;
    const size_t n_bytes = sizeof(gol_prompt_score) +
                           (size_t)request->scores->n_top * sizeof(gol_top_logprob);
    const size_t n_tokens = 1 + (n_bytes - 1) / GOL_PROMPT_TOKEN_BYTES;
    return request->n_prompt * (int64_t)(1 + n_tokens);
}

int gol_seq_create(gol_seq **out, const gol_request *request, const gol_seq_limits *limits,
                   gol_err *err)
{
    *out = NULL;
    int rc = gol_request_check(request, limits->max_model_len, limits->n_vocab, err);
    if (rc == 0)
        rc = gol_pooling_check(request, limits, err);
    if (rc != 0)
        return rc;

    gol_seq *seq = gol_try_calloc(1, sizeof *seq);
    if (!seq)
        return gol_fail(err, GOL_ENOMEM, "out of memory for a sequence");
    seq->status = GOL_SEQ_WAITING;
    seq->priority = request->priority;
    seq->n_prompt = request->n_prompt;
    seq->n_tokens = request->n_prompt;
    /* max_tokens may be anything up to INT32_MAX. */
    seq->n_tokens_max = request->n_prompt +
                        gol_min_i32(request->max_tokens, limits->max_model_len - request->n_prompt);
    seq->n_blocks_max = (seq->n_tokens_max - 1) / limits->block_size + 1;
    seq->n_groups = limits->n_kv_groups > 0 ? limits->n_kv_groups : 1;
    seq->block_size = limits->block_size;
    seq->n_cached = -1;
    seq->state.slot = -1;
    seq->state.answer_slot = -1;
    seq->sampling = request->sampling;
    seq->sampling.extras = NULL;
    seq->n_stop_ids = request->n_stop_ids;
    seq->min_tokens = request->min_tokens;
    seq->n_logprobs = request->n_logprobs;
    seq->n_charged = count_charge(request);
    seq->scores = request->scores;
    if (seq->scores)
        seq->scores->n_scored = 1; /* the first one, which has none */
    seq->embedding = request->embedding;
    if (seq->embedding) {
        const gol_pooling asked = request->embedding->pooling;
        seq->pooling = asked != GOL_POOLING_NONE ? asked : limits->pooling;
        seq->is_whole = limits->is_encoder;
    }
    seq->on_output = request->on_output;
    seq->user = request->user;

    seq->tokens = copy_ids(request->prompt, request->n_prompt, seq->n_tokens_max);
    seq->stop_ids = copy_ids(request->stop_ids, request->n_stop_ids, request->n_stop_ids);
    seq->block_table = gol_try_array((size_t)seq->n_blocks_max,
                                     (size_t)seq->n_groups * sizeof *seq->block_table);
    seq->block_hashes = gol_try_array((size_t)seq->n_blocks_max, sizeof *seq->block_hashes);
    if (!seq->tokens || !seq->stop_ids || !seq->block_table || !seq->block_hashes) {
        const int32_t n_tokens_max = seq->n_tokens_max;
        gol_seq_destroy(&seq);
        return gol_fail(err, GOL_ENOMEM, "out of memory for a sequence of up to %d tokens",
                        n_tokens_max);
    }
    rc = gol_seq_extras_create(&seq->extras, request->sampling.extras, limits->n_vocab,
                               seq->n_tokens_max, err);
    if (rc == 0 && has_penalty(&seq->sampling))
        rc = init_counts(seq, limits->n_vocab, err);
    if (rc != 0) {
        gol_seq_destroy(&seq);
        return rc;
    }
    init_hashes(seq, request, limits->hasher);
    *out = seq;
    return 0;
}

void gol_seq_destroy(gol_seq **seq_ptr)
{
    gol_seq *seq = *seq_ptr;
    if (!seq)
        return;
    assert(seq->queue == NULL);
    assert(seq->n_blocks == 0);
    gol_token_counts_deinit(&seq->counts);
    gol_seq_extras_destroy(&seq->extras);
    gol_free(seq->block_hashes);
    gol_free(seq->block_table);
    gol_free(seq->stop_ids);
    gol_free(seq->tokens);
    gol_free(seq);
    *seq_ptr = NULL;
}

void gol_seq_append(gol_seq *seq, int32_t token)
{
    assert(seq->n_tokens < seq->n_tokens_max);
    seq->tokens[seq->n_tokens++] = token;
    /* Counted when it is drawn, not when it is computed: recomputation after preemption changes no count. */
    if (!seq->has_counts)
        return;
    gol_token_counts_add_output(&seq->counts, token);
    const int32_t window = repeat_window(seq);
    if (seq->n_tokens > window)
        gol_token_counts_leave_window(&seq->counts, seq->tokens[seq->n_tokens - 1 - window]);
}

bool gol_seq_is_stop(const gol_seq *seq, int32_t token)
{
    for (int32_t i = 0; i < seq->n_stop_ids; i++) {
        if (seq->stop_ids[i] == token)
            return true;
    }
    return false;
}

void gol_seq_note_rows(gol_seq *seq)
{
    if (!gol_seq_is_scoring(seq))
        return;
    const int32_t n_rows = gol_min_i32(seq->n_computed, seq->n_prompt - 1);
    if (n_rows > seq->n_rows_read)
        seq->n_rows_read = n_rows;
    seq->scores->n_scored = seq->n_rows_read + 1;
}

gol_block_hash gol_seq_hash(gol_seq *seq, int32_t n_blocks)
{
    const int32_t bs = seq->block_size;
    assert((int64_t)n_blocks * bs <= seq->n_tokens);
    while (seq->n_hashed < n_blocks) {
        const int32_t i = seq->n_hashed;
        const gol_block_hash parent = i == 0 ? seq->root : seq->block_hashes[i - 1];
        seq->block_hashes[i] = gol_block_hash_next(seq->hasher, parent, seq->tokens + i * bs, bs);
        seq->n_hashed++;
    }
    return n_blocks == 0 ? seq->root : seq->block_hashes[n_blocks - 1];
}

gol_prompt_key gol_seq_prompt_key(const gol_seq *seq)
{
    const int32_t n_tail = seq->n_prompt % seq->block_size;
    return (gol_prompt_key){
        .hash = seq->prompt_hash,
        .n_prompt = seq->n_prompt,
        .tail = seq->tokens + (seq->n_prompt - n_tail),
        .n_tail = n_tail,
    };
}
