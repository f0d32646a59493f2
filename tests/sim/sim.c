/*
 * Simulation of the scheduler, the blocks and the prefix cache, without a model: a seeded load of requests of all sizes, prompts
 * with common beginnings, repeats, arrivals in bursts and lulls, priorities, cancellations of waiting and running ones, early
 * stops, pools from one sequence's size to ample, layers in groups with and without windows. A memory of true contents (sim_memory.h) is in the model's place: before every
 * step it is checked that each table holds its own sequence's tokens. After every step the invariants of sim_check.h are checked,
 * and at the end that everything ended, within a bound:
 *
 *   Under fcfs the oldest sequence that runs computes at least one token in every step and is never preempted. Shorter prompts may
 *   overtake the oldest that waits, but not for blocks, and a place among the running ones becomes free within the longest answer.
 *   So a request ends at the latest n steps after its arrival, n being the sum of the n_tokens_max of all that were there, itself
 *   included, and twice the longest length for each of them.
 *   Under priority later arrivals may come between, and who is first may lose its blocks to who comes before it, once for
 *   each of them: a load ends within that sum times the number of requests, from the last arrival on.
 *
 *     sim [seed] [n_requests]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/scheduler.h"
#include "sim/sim_check.h"
#include "sim/sim_load.h"
#include "sim/sim_memory.h"
#include "sim/sim_states.h"

typedef struct request {
    gol_seq *seq; /* NULL before arrival and after the end */
    int64_t deadline;
    int32_t stop_at;    /* n_tokens at which it stops by itself */
    int64_t ran_at;     /* the last step before which it ran */
    int64_t decodes_at; /* the same, and it lacked one row */
    bool is_greedy;     /* its answer follows from its prompt */
    uint64_t salt;      /* as sim_memory.h has it */
    uint64_t *contents; /* [n_tokens_max] what each of its tokens leaves in the memory */
    int32_t n_contents;
    int32_t n_rows_read; /* of its prompt, when that is scored */
} request;

typedef struct simulation {
    sim_place place;
    gol_rng rng;
    gol_block_hasher hasher;
    gol_exact_cache exact;
    gol_step_cost cost;
    gol_kv_cache kv;
    gol_scheduler sched;
    gol_seq_limits limits;
    sim_load load;
    sim_memory memory;
    sim_states states; /* no slots: the model is not recurrent */
    int32_t n_requests;
    int32_t cancel_odds;   /* one in so many steps somebody goes away */
    int32_t n_waiting_max; /* who would come then is sent away, and comes another time */
    int32_t n_arrived;
    int32_t n_live;
    int64_t n_tokens_live; /* sum of n_tokens_max of those that are there */
    int64_t deadline_all;
    request *requests; /* [n_requests] */
    int32_t *ref_cnts; /* [n_blocks] */
    /* what happened, for the last line */
    int32_t n_ended;
    int32_t n_aborted;
    int32_t n_running_max;
    int64_t n_tokens;
    int64_t n_followed;  /* steps that sequences spent following */
    int64_t n_rows_read; /* for scores */
} simulation;

static int32_t pick(simulation *sim, int32_t min, int32_t max)
{
    return sim_pick(&sim->rng, min, max);
}

/* A machine that reads its weights in some time and multiplies a row in some other. */
static uint64_t rows_ns(simulation *sim, int32_t n_rows)
{
    const uint64_t read_ns = 1000 * (1 + sim->place.seed % 7);
    const uint64_t multiply_ns = 100 * (1 + sim->place.seed % 5) * (uint64_t)n_rows;
    return (read_ns > multiply_ns ? read_ns : multiply_ns) + (uint64_t)pick(sim, 0, 200);
}

static void learn(simulation *sim, const gol_step_load *load)
{
    const uint64_t pairs = (uint64_t)(load->n_decode_pairs + load->n_prefill_pairs);
    const uint64_t attention_ns = pairs * (sim->place.seed % 3);
    const uint64_t scores_ns = (uint64_t)load->n_scored_rows * 100 * (sim->place.seed % 4);
    const gol_step_time time = {
        .step_ns = rows_ns(sim, load->n_rows) + attention_ns + scores_ns,
        .attention_ns = attention_ns,
        .scores_ns = scores_ns,
    };
    gol_step_cost_observe(&sim->cost, load, &time);
}

/* Of a model without windows, with windows everywhere, or with both; in every third load. */
static gol_kv_layout pick_layout(simulation *sim, int32_t *windows, int32_t max_batch_tokens)
{
    const int32_t len = sim->limits.max_model_len;
    int32_t n_groups = 1;
    windows[0] = 0;
    if (sim->place.seed % 3 == 1) {
        n_groups = pick(sim, 1, 5);
        for (int32_t g = 0; g < n_groups; g++)
            windows[g] = pick(sim, 0, 2) ? pick(sim, 1, pick(sim, 0, 1) ? len : len / 8 + 1) : 0;
    }
    gol_kv_layout layout;
    gol_kv_layout_init(&layout, sim->limits.block_size, n_groups, windows, max_batch_tokens);
    sim->limits.n_kv_groups = n_groups;
    return layout;
}

static void print_load(const simulation *sim, bool is_cached, int32_t n_rows)
{
    const gol_scheduler_opts *opts = &sim->sched.opts;
    printf("seed %" PRIu64 ": %s, %d requests of up to %d tokens, %d blocks of %d, %d sequences, "
           "%d tokens a step of %.0f us, caching %s, %d rows, %d states, prompts %s, windows",
           sim->place.seed, opts->policy == GOL_SCHED_FCFS ? "fcfs" : "priority", sim->n_requests,
           sim->limits.max_model_len, sim->memory.n_blocks, sim->memory.block_size, opts->max_seqs,
           opts->max_batch_tokens, opts->max_itl_ns / 1e3, is_cached ? "on" : "off", n_rows,
           sim->states.n_slots, sim->load.shares ? "alike" : "new");
    for (int32_t g = 0; g < sim->memory.n_groups; g++)
        printf(" %d", sim->memory.windows[g]);
    printf("\n");
}

static void set_up(simulation *sim, uint64_t seed, int32_t n_requests)
{
    sim->place.seed = seed;
    sim->rng.key = seed;
    sim->n_requests = n_requests;
    const int32_t block_size = 1 << pick(sim, 0, 5);
    gol_block_hasher_init(&sim->hasher);
    sim->limits = (gol_seq_limits){
        .max_model_len = pick(sim, 2, 400), .block_size = block_size, .n_vocab = SIM_VOCAB};
    const bool is_cached = pick(sim, 0, 9) > 0;
    if (is_cached)
        sim->limits.hasher = &sim->hasher;
    int32_t n_rows = is_cached && pick(sim, 0, 4) > 0 ? pick(sim, 1, 20) : 0;
    /* Often room for exactly one of the longest, seldom for all. */
    int32_t n_longest = pick(sim, 0, 9) ? pick(sim, 1, 6) : pick(sim, 7, 40);
    n_longest = pick(sim, 0, 2) ? n_longest : 1;
    const int32_t n_spare = pick(sim, 0, 1) ? pick(sim, 0, 3) : 0;
    sim->n_waiting_max = pick(sim, 1, 200);
    sim->cancel_odds = pick(sim, 0, 3) ? pick(sim, 20, 400) : pick(sim, 2, 20);
    gol_scheduler_opts opts = {0};
    gol_step_cost_init(&sim->cost);
    if (pick(sim, 0, 1)) {
        opts.cost = &sim->cost;
        opts.max_itl_ns = pick(sim, 1, 40) * 1000.0;
        opts.max_step_ns = opts.max_itl_ns * pick(sim, 1, 5);
    }
    opts.policy = pick(sim, 0, 1) ? GOL_SCHED_PRIORITY : GOL_SCHED_FCFS;
    opts.max_seqs = pick(sim, 1, 40);
    opts.max_batch_tokens = opts.max_seqs + (pick(sim, 0, 3) ? pick(sim, 0, 256) : 0);
    int32_t windows[GOL_KV_GROUPS_MAX];
    const gol_kv_layout layout = pick_layout(sim, windows, opts.max_batch_tokens);
    const int32_t n_blocks_one = gol_kv_layout_blocks_for(&layout, sim->limits.max_model_len);
    const int32_t n_blocks = n_blocks_one * n_longest + n_spare;

    sim->requests = gol_xcalloc((size_t)n_requests, sizeof *sim->requests);
    sim->ref_cnts = gol_xcalloc((size_t)n_blocks, sizeof *sim->ref_cnts);
    sim_load_init(&sim->load, &sim->rng, &sim->limits, pick(sim, 0, 9) > 0);
    sim_memory_init(&sim->memory, n_blocks, block_size, layout.n_groups, windows);
    const bool is_recurrent = seed % 3 == 0;
    if (is_recurrent)
        n_rows = 0; /* as in the engine */
    sim_states_init(&sim->states, is_recurrent ? opts.max_seqs + pick(sim, 1, 30) : 0);
    if (gol_exact_cache_init(&sim->exact, n_rows, SIM_VOCAB, block_size, NULL) != 0 ||
        gol_kv_cache_init(&sim->kv, n_blocks, &layout, &sim->exact, NULL) != 0 ||
        gol_kv_cache_init_states(&sim->kv, sim->states.n_slots, NULL) != 0 ||
        gol_scheduler_init(&sim->sched, &opts, &sim->kv, NULL) != 0)
        sim_violation(&sim->place, "out of memory", 0, 1);
    print_load(sim, is_cached, n_rows);
}

static void tear_down(simulation *sim)
{
    gol_scheduler_deinit(&sim->sched);
    gol_kv_cache_deinit(&sim->kv);
    gol_exact_cache_deinit(&sim->exact);
    sim_states_deinit(&sim->states);
    sim_memory_deinit(&sim->memory);
    sim_load_deinit(&sim->load);
    gol_free(sim->requests);
    gol_free(sim->ref_cnts);
}

/* Follows the sequence's tokens. */
static void update_contents(request *r)
{
    while (r->n_contents < r->seq->n_tokens) {
        const int32_t i = r->n_contents++;
        const uint64_t before = i == 0 ? sim_content_of_salt(r->salt) : r->contents[i - 1];
        r->contents[i] = sim_content(before, r->seq->tokens[i]);
    }
}

static void arrive(simulation *sim)
{
    request *r = &sim->requests[sim->n_arrived++];
    gol_seq *seq = sim_load_make(&sim->load, (uint64_t)sim->n_arrived, &r->salt);
    r->seq = seq;
    r->decodes_at = -1;
    r->ran_at = -1;
    r->is_greedy = pick(sim, 0, 2) > 0;
    r->contents = gol_xcalloc((size_t)seq->n_tokens_max, sizeof *r->contents);
    update_contents(r);
    r->stop_at = seq->n_tokens_max; /* the prompt alone, when it is only scored */
    if (seq->n_tokens_max > seq->n_prompt)
        r->stop_at = pick(sim, seq->n_prompt + 1, seq->n_tokens_max);
    if (pick(sim, 0, 1))
        r->stop_at = seq->n_tokens_max;
    gol_scheduler_add(&sim->sched, seq);
    sim->n_live++;
    sim->n_tokens_live += seq->n_tokens_max;
    const int64_t n_ahead = sim->n_tokens_live + 2ll * sim->n_live * sim->limits.max_model_len;
    r->deadline = sim->place.step + n_ahead;
    const bool is_fcfs = sim->sched.opts.policy == GOL_SCHED_FCFS;
    sim->deadline_all = sim->place.step + n_ahead * (is_fcfs ? 1 : sim->n_live);
}

static void end(simulation *sim, request *r)
{
    gol_scheduler_finish(&sim->sched, r->seq);
    sim->n_live--;
    sim->n_tokens_live -= r->seq->n_tokens_max;
    sim_load_remember(&sim->load, r->seq);
    gol_free(r->seq->scores);
    gol_seq_destroy(&r->seq);
    gol_free(r->contents);
    sim->n_ended++;
}

/* Bursts, lulls and single ones. */
static void arrivals(simulation *sim)
{
    int32_t n = 0;
    if (pick(sim, 0, 63) == 0)
        n = pick(sim, 1, 60);
    else if (pick(sim, 0, 7) == 0)
        n = 1;
    if (sim->n_live == 0 && n == 0)
        n = 1;
    while (n-- > 0 && sim->n_arrived < sim->n_requests && sim->sched.waiting.n < sim->n_waiting_max)
        arrive(sim);
}

static void cancellations(simulation *sim)
{
    if (sim->n_arrived == 0 || pick(sim, 1, sim->cancel_odds) != 1)
        return;
    /* Of the recent ones, for the old ones are gone; those found gone are a client's late cancellation. */
    const int32_t n_recent = sim->n_arrived < 200 ? sim->n_arrived : 200;
    request *r = &sim->requests[pick(sim, sim->n_arrived - n_recent, sim->n_arrived - 1)];
    if (!r->seq)
        return;
    end(sim, r);
    sim->n_aborted++;
}

static void check(simulation *sim)
{
    sim_check_queues(&sim->sched, &sim->place);
    sim_check_blocks(&sim->sched, sim->ref_cnts, &sim->place);
    sim_check_followers(&sim->sched, &sim->place);
}

/* Two of a row's numbers say which prompt it stands behind. */
static void make_row(const request *r, float row[SIM_VOCAB])
{
    memset(row, 0, SIM_VOCAB * sizeof *row);
    memcpy(row, &r->contents[r->seq->n_prompt - 1], sizeof(uint64_t));
}

static void check_row(const simulation *sim, const request *r)
{
    float row[SIM_VOCAB];
    make_row(r, row);
    if (memcmp(row, r->seq->kept_row, sizeof row) != 0)
        sim_violation(&sim->place, "a row stands behind another prompt", (int64_t)r->seq->id, 0);
}

static void keep_row(simulation *sim, const request *r)
{
    float row[SIM_VOCAB];
    make_row(r, row);
    const gol_prompt_key key = gol_seq_prompt_key(r->seq);
    gol_exact_cache_put(&sim->exact, &key, row);
}

/* Each row of a scored prompt is read once, in order, whatever was preempted and found again. */
static void read_rows(simulation *sim, request *r)
{
    const gol_seq *seq = r->seq;
    for (int32_t i = 0; i < seq->n_scheduled; i++) {
        if (!gol_seq_scores_row(seq, seq->n_computed + i))
            continue;
        if (seq->n_computed + i != r->n_rows_read)
            sim_violation(&sim->place, "a row is not read in its turn", seq->n_computed + i,
                          r->n_rows_read);
        r->n_rows_read++;
        sim->n_rows_read++;
    }
}

static void check_scores(const simulation *sim, const request *r)
{
    const gol_seq *seq = r->seq;
    if (seq->scores &&
        (r->n_rows_read != seq->n_prompt - 1 || seq->scores->n_scored != seq->n_prompt))
        sim_violation(&sim->place, "a prompt is not scored", r->n_rows_read, seq->n_prompt - 1);
}

/* What the runner does, in its order: copies, kept rows, computation. */
static void run(simulation *sim, const gol_plan *plan)
{
    sim_memory_copy_blocks(&sim->memory, plan);
    sim_states_copy(&sim->states, plan);
    sim_memory_check_index(&sim->memory, &sim->kv, &sim->place);
    for (const gol_seq *seq = sim->sched.running.head; seq; seq = seq->next)
        sim_memory_check_seq(&sim->memory, seq, sim->requests[seq->id - 1].contents, &sim->place);
    for (int32_t i = 0; i < plan->n_hits; i++)
        check_row(sim, &sim->requests[plan->hits[i]->id - 1]);
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        const gol_seq *seq = plan->seqs[i];
        request *r = &sim->requests[seq->id - 1];
        read_rows(sim, r);
        sim_memory_compute(&sim->memory, &sim->kv, seq, r->contents, &sim->place);
        sim_states_compute(&sim->states, seq, r->contents, &sim->place);
        const bool has_row = gol_seq_n_pending(seq) == seq->n_scheduled;
        if (has_row && seq->hasher && seq->n_tokens == seq->n_prompt)
            keep_row(sim, r);
    }
}

/* The next token: from all before it, as the model's likeliest, or a random draw. */
static void generate(simulation *sim, request *r)
{
    const uint64_t content = r->contents[r->seq->n_tokens - 1];
    const int32_t drawn = pick(sim, 0, SIM_VOCAB - 1);
    gol_seq_append(r->seq, r->is_greedy ? (int32_t)((content >> 8) % SIM_VOCAB) : drawn);
    update_contents(r);
}

/* Deadlines of single requests hold under fcfs only: there, who comes later cannot come between. */
static void check_deadlines(simulation *sim)
{
    if (sim->place.step > sim->deadline_all)
        sim_violation(&sim->place, "the load has not ended", sim->place.step, sim->deadline_all);
    if (sim->sched.opts.policy != GOL_SCHED_FCFS)
        return;
    const gol_seq_queue *queues[] = {&sim->sched.running, &sim->sched.waiting};
    for (int q = 0; q < 2; q++) {
        for (const gol_seq *seq = queues[q]->head; seq; seq = seq->next) {
            const request *r = &sim->requests[seq->id - 1];
            if (sim->place.step > r->deadline)
                sim_violation(&sim->place, "a request starves", sim->place.step, r->deadline);
        }
    }
}

static void note_running(simulation *sim)
{
    for (const gol_seq *seq = sim->sched.running.head; seq; seq = seq->next) {
        sim->requests[seq->id - 1].ran_at = sim->place.step;
        if (!seq->is_following && gol_seq_n_pending(seq) == 1)
            sim->requests[seq->id - 1].decodes_at = sim->place.step;
    }
}

/* Nobody who streams waits for a stranger. */
static void check_decodes(simulation *sim)
{
    for (const gol_seq *seq = sim->sched.running.head; seq; seq = seq->next) {
        const bool must_decode = sim->requests[seq->id - 1].decodes_at == sim->place.step;
        if (must_decode && seq->n_scheduled != 1)
            sim_violation(&sim->place, "a decode has to wait", (int64_t)seq->id, 0);
    }
}

static void check_starts(simulation *sim)
{
    const gol_seq *only = NULL;
    int32_t n = 0;
    for (const gol_seq *seq = sim->sched.running.head; seq; seq = seq->next) {
        if (sim->requests[seq->id - 1].ran_at == sim->place.step)
            continue;
        sim_check_start(&sim->sched, seq, &sim->place);
        only = seq;
        n++;
    }
    if (n > 0)
        sim_check_room(&sim->sched, sim->memory.windows, n == 1 ? only : NULL, &sim->place);
}

static void step(simulation *sim)
{
    const uint64_t n_preemptions = sim->sched.n_preemptions;
    const int32_t n_running = sim->sched.running.n;
    const uint64_t oldest_id = sim->sched.running.head ? sim->sched.running.head->id : 0;
    note_running(sim);
    const gol_plan *plan = gol_scheduler_schedule(&sim->sched);
    check(sim);
    check_decodes(sim);
    check_starts(sim);
    const int32_t n_preempted = (int32_t)(sim->sched.n_preemptions - n_preemptions);
    sim_check_plan(&sim->sched, plan, n_preempted > 0, &sim->place);
    if (n_preempted > 0 && sim->sched.running.n != n_running - n_preempted)
        sim_violation(&sim->place, "somebody starts in a step that preempted", sim->sched.running.n,
                      n_running - n_preempted);
    if (oldest_id != 0 && sim->sched.opts.policy == GOL_SCHED_FCFS &&
        sim->sched.running.head->id > oldest_id)
        sim_violation(&sim->place, "the oldest was preempted", (int64_t)oldest_id,
                      (int64_t)sim->sched.running.head->id);
    run(sim, plan);
    const gol_step_load load = sim->sched.budget.load;
    if (load.n_rows > 0)
        learn(sim, &load);
    sim->n_tokens += plan->n_tokens;
    if (plan->n_seqs > sim->n_running_max)
        sim->n_running_max = plan->n_seqs;
    gol_scheduler_update(&sim->sched);
    sim_memory_check_index(&sim->memory, &sim->kv, &sim->place);
    sim_states_check(&sim->states, &sim->memory, &sim->sched, &sim->place);

    gol_seq *next;
    for (gol_seq *seq = sim->sched.running.head; seq; seq = next) {
        next = seq->next;
        sim->n_followed += seq->is_following;
        if (gol_seq_n_pending(seq) > 0)
            continue;
        request *r = &sim->requests[seq->id - 1];
        check_scores(sim, r);
        if (seq->n_tokens < r->stop_at)
            generate(sim, r);
        if (seq->n_tokens == r->stop_at)
            end(sim, r);
    }
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const int32_t n_requests = argc > 2 ? (int32_t)strtol(argv[2], NULL, 10) : 2000;
    if (argc > 3 || n_requests < 1) {
        fprintf(stderr, "usage: sim [seed] [n_requests]\n");
        return 64;
    }
    simulation sim = {0};
    set_up(&sim, seed, n_requests);
    while (sim.n_ended < sim.n_requests) {
        arrivals(&sim);
        cancellations(&sim);
        if (gol_scheduler_has_work(&sim.sched))
            step(&sim);
        check(&sim);
        check_deadlines(&sim);
        sim.place.step++;
    }
    printf("%" PRId64 " steps, %" PRId64 " tokens, up to %d sequences in one, %" PRIu64
           " preemptions, %d aborted\n",
           sim.place.step, sim.n_tokens, sim.n_running_max, sim.sched.n_preemptions, sim.n_aborted);
    const gol_kv_cache_stats *stats = &sim.kv.stats;
    printf("of %" PRIu64 " tokens of prompts %" PRIu64 " found, %" PRIu64 " exact repeats, %" PRIu64
           " copies, %" PRIu64 " merges, %" PRIu64 " evictions, %" PRId64
           " steps followed, %" PRId64 " tokens scored, %" PRId64 " states resumed, %" PRIu64
           " evicted\n",
           stats->n_queries, stats->n_hits, stats->n_exact_hits, stats->n_copies, stats->n_merges,
           stats->n_evictions, sim.n_followed, sim.n_rows_read, sim.states.n_resumed,
           sim.kv.states.n_evictions);
    tear_down(&sim);
    return 0;
}
