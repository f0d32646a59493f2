/*
 * From sequences to rows and back. The rows of one sequence are adjacent and in order of position; the last of them gets
 * logits when the sequence has then caught up, and so does each row that says something about a prompt that is to be scored:
 *
 *     plan       seq A: 1 token        seq B: 5 of 9 tokens        seq C: last 3 tokens      seq D: 3 of 8, scored
 *     rows       0                     1 2 3 4 5                   6 7 8                     9 10 11
 *     outputs    0                                                     8                     9 10 11
 *
 * Logits come in slices of at most max_seqs rows, whatever the number of outputs: a row is used up before the next slice.
 */
#include "engine/runner.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/pooling.h"

static int create_kv(gol_runner *r, const gol_model *model, const gol_engine_limits *limits,
                     gol_err *err)
{
    const int32_t n_layers = gol_model_config(model)->n_layers;
    gol_kv_layer_shape *layers = gol_try_array((size_t)n_layers, sizeof *layers);
    if (!layers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the shapes of %d layers", n_layers);
    gol_kv_groups groups;
    gol_config_kv_groups(&groups, gol_model_config(model), limits->n_ctx_asked, layers);
    assert(groups.n_groups == limits->layout.n_groups);
    const gol_kv_shape shape = {
        .type = limits->kv_type,
        .n_layers = n_layers,
        .n_blocks = limits->n_blocks,
        .block_size = limits->block_size,
        .layers = layers,
    };
    const int rc = r->be->ops->kv_create(r->be, &r->kv, &shape, err);
    gol_free(layers);
    return rc;
}

static int allocate_arrays(gol_runner *r, const gol_engine_limits *limits, gol_err *err)
{
    const size_t n_rows = (size_t)limits->max_batch_tokens;
    const size_t n_seqs = (size_t)limits->max_seqs;
    r->tokens = gol_try_array(n_rows, sizeof *r->tokens);
    r->positions = gol_try_array(n_rows, sizeof *r->positions);
    r->types = gol_try_array(n_rows, sizeof *r->types);
    r->slot_mapping = gol_try_array(n_rows, (size_t)r->n_groups * sizeof *r->slot_mapping);
    r->seqs = gol_try_array(n_seqs, sizeof *r->seqs);
    r->output_rows = gol_try_array(n_rows, sizeof *r->output_rows);
    r->output_seqs = gol_try_array(n_rows, sizeof *r->output_seqs);
    r->state_rows = gol_try_array(n_rows, sizeof *r->state_rows);
    r->state_seqs = gol_try_array(n_rows, sizeof *r->state_seqs);
    r->row_jobs = gol_try_array(n_seqs, sizeof *r->row_jobs);
    r->results = gol_try_array(n_seqs, sizeof *r->results);
    if (!r->tokens || !r->positions || !r->types || !r->slot_mapping || !r->seqs ||
        !r->output_rows || !r->output_seqs || !r->state_rows || !r->state_seqs || !r->row_jobs ||
        !r->results)
        return gol_fail(err, GOL_ENOMEM, "out of memory for batches of %d tokens",
                        limits->max_batch_tokens);
    return 0;
}

static int create_samplers(gol_runner *r, gol_err *err)
{
    const int32_t n_lanes = r->be->ops->n_lanes(r->be);
    r->samplers = gol_try_calloc((size_t)n_lanes, sizeof *r->samplers);
    if (!r->samplers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling");
    int rc = 0;
    for (; rc == 0 && r->n_lanes < n_lanes; r->n_lanes++)
        rc = gol_sampler_init(&r->samplers[r->n_lanes], r->n_vocab, err);
    return rc;
}

int gol_runner_init(gol_runner *r, const gol_model *model, const gol_engine_limits *limits,
                    gol_exact_cache *exact, gol_err *err)
{
    *r = (gol_runner){
        .be = gol_model_backend(model),
        .exact = exact,
        .n_vocab = gol_model_config(model)->n_vocab,
        .n_embd = gol_model_config(model)->n_embd,
        .n_classes = gol_model_config(model)->classifier.n_classes,
        .has_types = gol_model_config(model)->n_token_types > 1,
        .block_size = limits->block_size,
        .n_groups = limits->layout.n_groups,
    };
    int rc = allocate_arrays(r, limits, err);
    if (rc == 0)
        rc = create_samplers(r, err);
    if (rc == 0)
        rc = create_kv(r, model, limits, err);
    if (rc == 0)
        rc = gol_model_state_create(&r->state, model, limits->n_states, err);
    if (rc == 0)
        rc = gol_forward_create(&r->fwd, model, limits->max_batch_tokens, limits->max_seqs,
                                limits->max_model_len, err);
    if (rc != 0)
        gol_runner_deinit(r);
    return rc;
}

uint64_t gol_runner_bytes(gol_backend *be, int32_t n_vocab, const gol_engine_limits *limits)
{
    /* tokens, positions, types, output_rows, state_rows; slot_mapping; output_seqs, state_seqs */
    const uint64_t n_slots = (uint64_t)limits->layout.n_groups;
    const uint64_t row = (5 + n_slots) * sizeof(int32_t) + 2 * sizeof(gol_seq *);
    const uint64_t seq = sizeof(gol_batch_seq) + sizeof(gol_row_job) + sizeof(gol_step_result);
    const uint64_t lane = sizeof(gol_sampler) + gol_sampler_bytes(n_vocab);
    return (uint64_t)limits->max_batch_tokens * row + (uint64_t)limits->max_seqs * seq +
           (uint64_t)be->ops->n_lanes(be) * lane;
}

void gol_runner_deinit(gol_runner *r)
{
    gol_forward_destroy(&r->fwd);
    if (r->state)
        r->be->ops->state_destroy(r->be, &r->state);
    if (r->kv)
        r->be->ops->kv_destroy(r->be, &r->kv);
    for (int32_t i = 0; i < r->n_lanes; i++)
        gol_sampler_deinit(&r->samplers[i]);
    gol_free(r->samplers);
    gol_free(r->results);
    gol_free(r->row_jobs);
    gol_free(r->state_seqs);
    gol_free(r->state_rows);
    gol_free(r->output_seqs);
    gol_free(r->output_rows);
    gol_free(r->seqs);
    gol_free(r->slot_mapping);
    gol_free(r->types);
    gol_free(r->positions);
    gol_free(r->tokens);
    *r = (gol_runner){0};
}

/* Where the rows of one sequence go in a group of layers. slots: of its rows. */
static void fill_slots(const gol_runner *r, const gol_seq *seq, int32_t group, int32_t *slots)
{
    const int32_t *table = gol_seq_table(seq, group);
    for (int32_t i = 0; i < seq->n_scheduled; i++) {
        const int32_t position = seq->n_computed + i;
        const int32_t block_id = table[position / r->block_size];
        assert(block_id >= 0);
        slots[i] = block_id * r->block_size + position % r->block_size;
    }
}

/* The rows of one sequence, from `row` on. */
static void fill_rows(gol_runner *r, const gol_seq *seq, int32_t row)
{
    const int32_t n_first = seq->embedding ? seq->embedding->n_first : 0;
    for (int32_t i = 0; i < seq->n_scheduled; i++, row++) {
        const int32_t position = seq->n_computed + i;
        r->tokens[row] = seq->tokens[position];
        r->positions[row] = position;
        if (r->has_types)
            r->types[row] = n_first > 0 && position >= n_first;
    }
}

/* Which of the sequence's rows, the first of which is first_row, get logits; returns the number of outputs so far. */
static int32_t add_outputs(gol_runner *r, gol_seq *seq, int32_t first_row, int32_t n_outputs)
{
    const bool catches_up = gol_seq_n_pending(seq) == seq->n_scheduled;
    const int32_t last = seq->n_scheduled - 1;
    const int32_t first = seq->scores ? 0 : last;
    for (int32_t i = first; i <= last; i++) {
        if (!(i == last && catches_up) && !gol_seq_scores_row(seq, seq->n_computed + i))
            continue;
        r->output_rows[n_outputs] = first_row + i;
        r->output_seqs[n_outputs++] = seq;
    }
    return n_outputs;
}

/* The same for rows that go into an embedding. */
static int32_t add_states(gol_runner *r, gol_seq *seq, int32_t first_row, int32_t n_states)
{
    for (int32_t i = 0; i < seq->n_scheduled; i++) {
        if (!gol_pooling_wants(seq, seq->n_computed + i))
            continue;
        r->state_rows[n_states] = first_row + i;
        r->state_seqs[n_states++] = seq;
    }
    return n_states;
}

static gol_batch fill_batch(gol_runner *r, const gol_plan *plan)
{
    int32_t row = 0;
    int32_t n_outputs = 0;
    int32_t n_states = 0;
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        gol_seq *seq = plan->seqs[i];
        fill_rows(r, seq, row);
        for (int32_t g = 0; g < r->n_groups; g++)
            fill_slots(r, seq, g, r->slot_mapping + (ptrdiff_t)g * plan->n_tokens + row);
        r->seqs[i] = (gol_batch_seq){
            .first_row = row,
            .n_rows = seq->n_scheduled,
            .n_past = seq->n_computed,
            .n_blocks = seq->n_blocks,
            .block_table = seq->block_table,
            .table_stride = seq->n_blocks_max,
            .state_slot = seq->state.slot,
            .n_snapshots = seq->state.n_snapshots,
            .snapshots = seq->state.snapshots,
        };
        if (seq->embedding)
            n_states = add_states(r, seq, row, n_states);
        else
            n_outputs = add_outputs(r, seq, row, n_outputs);
        row += seq->n_scheduled;
    }
    assert(row == plan->n_tokens);
    return (gol_batch){
        .n_tokens = row,
        .tokens = r->tokens,
        .positions = r->positions,
        .types = r->has_types ? r->types : NULL,
        .slot_mapping = r->slot_mapping,
        .n_seqs = plan->n_seqs,
        .seqs = r->seqs,
        .n_outputs = n_outputs,
        .output_rows = r->output_rows,
        .n_states = n_states,
        .state_rows = r->state_rows,
    };
}

/* logits: [n_vocab] */
static void sample(gol_sampler *sampler, gol_step_result *result, const float *logits)
{
    const gol_seq *seq = result->seq;
    const bool must_go_on = gol_seq_n_generated(seq) < seq->min_tokens;
    const gol_draw draw = {
        .params = &seq->sampling,
        .counts = seq->has_counts ? &seq->counts : NULL,
        .extras = seq->extras,
        .tokens = seq->tokens,
        .n_prompt = seq->n_prompt,
        .banned = seq->stop_ids,
        .n_banned = must_go_on ? seq->n_stop_ids : 0,
        .position = seq->n_tokens,
        .n_logprobs = seq->n_logprobs,
    };
    result->is_finite = gol_sampler_draw(sampler, &result->sample, logits, &draw);
}

/* row: [n_vocab]. What the model says behind a whole prompt is kept for its next time. */
static void keep_row(gol_runner *r, const gol_step_result *result, const float *row)
{
    const gol_seq *seq = result->seq;
    if (!seq->hasher || seq->n_tokens != seq->n_prompt || !result->is_finite)
        return;
    const gol_prompt_key key = gol_seq_prompt_key(seq);
    gol_exact_cache_put(r->exact, &key, row);
}

/* A row behind a token of the prompt scores the next one. */
static bool score(gol_sampler *sampler, const gol_row_job *job)
{
    const gol_seq *seq = job->result.seq;
    const gol_prompt_scores *scores = seq->scores;
    const int32_t i = job->position + 1;
    gol_top_logprob *top = scores->n_top > 0 ? scores->top + (ptrdiff_t)i * scores->n_top : NULL;
    return gol_sampler_score(sampler, &scores->tokens[i], top, job->logits, seq->tokens[i],
                             scores->n_top);
}

static void use_row(void *user, int32_t i, int lane)
{
    gol_runner *r = user;
    gol_row_job *job = &r->row_jobs[i];
    gol_sampler *sampler = &r->samplers[lane];
    if (job->is_draw)
        sample(sampler, &job->result, job->logits);
    else
        job->result.is_finite = score(sampler, job);
}

/* A sequence's first row that is not finite was its result, whatever its other rows say. */
static bool has_failed(const gol_runner *r, const gol_seq *seq)
{
    /* The last one is enough, since a sequence's rows are adjacent; hits have none. */
    return r->n_results > 0 && r->results[r->n_results - 1].seq == seq;
}

/* Rows [n][n_vocab] of outputs from `first` on. A row is used without regard to others, so that they can be used at the same time. */
static void use_rows(gol_runner *r, const gol_batch *batch, int32_t first, int32_t n,
                     const float *rows)
{
    int32_t n_scored = 0;
    for (int32_t i = 0; i < n; i++) {
        gol_row_job *job = &r->row_jobs[i];
        job->logits = rows + (size_t)i * (size_t)r->n_vocab;
        job->position = r->positions[batch->output_rows[first + i]];
        job->result.seq = r->output_seqs[first + i];
        job->is_draw = job->position == job->result.seq->n_tokens - 1;
        n_scored += !job->is_draw;
    }
    const uint64_t begin_ns = gol_clock_ns();
    r->be->ops->for_each(r->be, use_row, r, n, (size_t)n * (size_t)r->n_vocab);
    r->scoring_ns += (gol_clock_ns() - begin_ns) * (uint64_t)n_scored / (uint64_t)n;
    r->n_scored += n_scored;
    for (int32_t i = 0; i < n; i++) {
        const gol_row_job *job = &r->row_jobs[i];
        if (has_failed(r, job->result.seq) || (!job->is_draw && job->result.is_finite))
            continue;
        if (job->is_draw)
            keep_row(r, &job->result, job->logits);
        r->results[r->n_results++] = job->result;
    }
}

/* row: [n_embd] */
static void pool_state(gol_runner *r, gol_seq *seq, int32_t position, const float *row)
{
    if (seq->pooling == GOL_POOLING_RANK) {
        gol_forward_classify(r->fwd, seq->embedding->values, row);
        gol_pooling_note(seq, position);
    } else {
        gol_pooling_add(seq, position, row, r->n_embd);
    }
}

static void pool_states(gol_runner *r, const gol_batch *batch)
{
    for (int32_t first = 0; first < batch->n_states;) {
        const int32_t n = gol_forward_n_states(r->fwd, batch, first);
        const float *states = gol_forward_states(r->fwd, batch, first); /* [n][n_embd] */
        for (int32_t i = first; i < first + n; i++)
            pool_state(r, r->state_seqs[i], r->positions[batch->state_rows[i]],
                       states + (size_t)(i - first) * (size_t)r->n_embd);
        first += n;
    }
}

static bool is_finite(const float *x, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Of those that have all their rows. */
static void end_embeddings(gol_runner *r, const gol_plan *plan)
{
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        gol_seq *seq = plan->seqs[i];
        if (!seq->embedding || gol_seq_n_pending(seq) > seq->n_scheduled)
            continue;
        const bool is_rank = seq->pooling == GOL_POOLING_RANK;
        gol_pooling_end(seq, r->n_embd);
        if (!is_rank)
            gol_forward_embedding(r->fwd, seq->embedding->values);
        r->results[r->n_results++] = (gol_step_result){
            .seq = seq,
            .is_finite = is_finite(seq->embedding->values, is_rank ? r->n_classes : r->n_embd)};
    }
}

static void forward(gol_runner *r, const gol_plan *plan)
{
    const gol_batch batch = fill_batch(r, plan);
    r->n_outputs = batch.n_outputs;
    r->n_scored = 0;
    r->scoring_ns = 0;
    const float *logits = gol_forward_run(r->fwd, r->kv, r->state, &batch); /* [n][n_vocab] */
    for (int32_t first = 0; first < batch.n_outputs;) {
        const int32_t n = gol_forward_n_logits(r->fwd, &batch, first);
        if (first > 0)
            logits = gol_forward_logits(r->fwd, &batch, first);
        use_rows(r, &batch, first, n, logits);
        first += n;
    }
    pool_states(r, &batch);
    end_embeddings(r, plan);
}

int32_t gol_runner_run(gol_runner *r, const gol_plan *plan)
{
    assert(plan->n_seqs + plan->n_hits > 0);
    for (int32_t i = 0; i < plan->n_copies; i++)
        r->be->ops->kv_copy_block(r->be, r->kv, plan->copies[i].dst_block,
                                  plan->copies[i].src_block);
    for (int32_t i = 0; i < plan->n_state_copies; i++)
        r->be->ops->state_copy_slot(r->be, r->state, plan->state_copies[i].dst_slot,
                                    plan->state_copies[i].src_slot);
    r->n_results = plan->n_hits;
    for (int32_t i = 0; i < plan->n_hits; i++) {
        r->results[i].seq = plan->hits[i];
        sample(&r->samplers[0], &r->results[i], plan->hits[i]->kept_row);
    }
    if (plan->n_seqs > 0)
        forward(r, plan);
    return r->n_results;
}

uint64_t gol_runner_attention_ns(const gol_runner *r)
{
    return gol_forward_attention_ns(r->fwd);
}

uint64_t gol_runner_scores_ns(const gol_runner *r)
{
    if (r->n_scored == 0)
        return 0;
    const double share = (double)r->n_scored / (double)r->n_outputs;
    return (uint64_t)((double)gol_forward_logits_ns(r->fwd) * share) + r->scoring_ns;
}
