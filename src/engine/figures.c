/* There is one writer, so that counting needs no atomic addition. */
#include "engine/figures.h"

static const double seconds_bounds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                        0.15,  0.2,   0.25, 0.5,  0.75, 1,    2.5,  5,
                                        7.5,   10,    20,   40,   80,   160,  320};
static const double tokens_bounds[] = {1,   2,    5,    10,   20,    50,    100,   200,
                                       500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

#define N_OF(bounds) ((int)(sizeof bounds / sizeof *bounds))

void gol_figures_init(gol_figures *f)
{
    *f = (gol_figures){0};
#define SECONDS seconds_bounds
#define TOKENS  tokens_bounds
#define INIT(id, unit, name, help)                                                                 \
    gol_histogram_init(&f->histograms[GOL_HISTOGRAM_##id], unit, N_OF(unit));
    GOL_ENGINE_HISTOGRAMS(INIT)
#undef INIT
#undef SECONDS
#undef TOKENS
}

static void set(_Atomic uint64_t *figure, uint64_t n)
{
    atomic_store_explicit(figure, n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

static void add(_Atomic uint64_t *figure, uint64_t n)
{
    set(figure, get(figure) + n);
}

static void observe(gol_figures *f, gol_engine_histogram which, double value)
{
    gol_histogram_observe(&f->histograms[which], value);
}

static double seconds(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0.0;
}

void gol_figures_blocks(gol_figures *f, const gol_kv_cache *kv)
{
    atomic_store_explicit(&f->n_blocks_free, gol_kv_cache_n_free(kv), memory_order_relaxed);
    atomic_store_explicit(&f->n_blocks_cached, kv->index.n_cached, memory_order_relaxed);
    atomic_store_explicit(&f->n_states_free, kv->states.n_listed, memory_order_relaxed);
    atomic_store_explicit(&f->n_snapshots, kv->states.n_snapshots, memory_order_relaxed);
    set(&f->n_prefix_queries, kv->stats.n_queries);
    set(&f->n_prefix_hits, kv->stats.n_hits);
    set(&f->n_exact_hits, kv->stats.n_exact_hits);
    set(&f->n_block_evictions, kv->stats.n_evictions);
    set(&f->n_snapshot_evictions, kv->states.n_evictions);
    set(&f->n_block_copies, kv->stats.n_copies);
}

static void begin_seq(gol_figures *f, gol_seq *seq, uint64_t now_ns)
{
    if (seq->started_ns != 0)
        return;
    seq->started_ns = now_ns;
    observe(f, GOL_HISTOGRAM_QUEUE_TIME, seconds(seq->arrived_ns, now_ns));
}

/* Rows that are not the newest token of an answer: prompts, and answers computed again after preemption. */
static uint64_t n_prompt_tokens(const gol_plan *plan)
{
    int32_t n_decodes = 0;
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        const gol_seq *seq = plan->seqs[i];
        n_decodes += gol_seq_n_generated(seq) > 0 && gol_seq_n_pending(seq) == seq->n_scheduled;
    }
    return (uint64_t)(plan->n_tokens - n_decodes);
}

void gol_figures_begin_step(gol_figures *f, const gol_plan *plan, uint64_t now_ns)
{
    for (int32_t i = 0; i < plan->n_hits; i++)
        begin_seq(f, plan->hits[i], now_ns);
    for (int32_t i = 0; i < plan->n_seqs; i++)
        begin_seq(f, plan->seqs[i], now_ns);
    add(&f->n_prompt_tokens, n_prompt_tokens(plan));
    if (plan->n_seqs == 0)
        return;
    observe(f, GOL_HISTOGRAM_STEP_TOKENS, plan->n_tokens);
    observe(f, GOL_HISTOGRAM_STEP_SEQUENCES, plan->n_seqs);
}

void gol_figures_end_step(gol_figures *f, const gol_scheduler *s, uint64_t begin_ns,
                          uint64_t now_ns)
{
    set(&f->n_preemptions, s->n_preemptions);
    add(&f->n_steps, 1);
    set(&f->last_step_ns, now_ns);
    observe(f, GOL_HISTOGRAM_STEP_TIME, seconds(begin_ns, now_ns));
}

void gol_figures_token(gol_figures *f, gol_seq *seq, uint64_t now_ns)
{
    add(&f->n_generated_tokens, 1);
    if (seq->last_token_ns == 0)
        observe(f, GOL_HISTOGRAM_FIRST_TOKEN_TIME, seconds(seq->arrived_ns, now_ns));
    else
        observe(f, GOL_HISTOGRAM_TOKEN_TIME, seconds(seq->last_token_ns, now_ns));
    seq->last_token_ns = now_ns;
}

void gol_figures_finish(gol_figures *f, const gol_seq *seq, gol_finish_reason reason,
                        uint64_t now_ns)
{
    add(&f->n_finished[reason], 1);
    observe(f, GOL_HISTOGRAM_REQUEST_TIME, seconds(seq->arrived_ns, now_ns));
    observe(f, GOL_HISTOGRAM_PROMPT_TOKENS, seq->n_prompt);
    observe(f, GOL_HISTOGRAM_ANSWER_TOKENS, gol_seq_n_generated(seq));
}

void gol_figures_read(const gol_figures *f, gol_engine_stats *out)
{
    out->n_blocks_free = atomic_load_explicit(&f->n_blocks_free, memory_order_relaxed);
    out->n_blocks_cached = atomic_load_explicit(&f->n_blocks_cached, memory_order_relaxed);
    out->n_states_free = atomic_load_explicit(&f->n_states_free, memory_order_relaxed);
    out->n_snapshots = atomic_load_explicit(&f->n_snapshots, memory_order_relaxed);
    out->n_prefix_queries = get(&f->n_prefix_queries);
    out->n_prefix_hits = get(&f->n_prefix_hits);
    out->n_exact_hits = get(&f->n_exact_hits);
    out->n_block_evictions = get(&f->n_block_evictions);
    out->n_snapshot_evictions = get(&f->n_snapshot_evictions);
    out->n_block_copies = get(&f->n_block_copies);
    out->n_steps = get(&f->n_steps);
    out->n_prompt_tokens = get(&f->n_prompt_tokens);
    out->n_generated_tokens = get(&f->n_generated_tokens);
    out->n_preemptions = get(&f->n_preemptions);
    out->last_step_ns = get(&f->last_step_ns);
    for (int i = 0; i <= GOL_FINISH_ERROR; i++)
        out->n_finished[i] = get(&f->n_finished[i]);
}
