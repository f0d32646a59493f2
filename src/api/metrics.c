/*
 * GET /metrics: the engine's figures as Prometheus text (exposition format 0.0.4). Like /health it never waits for a step.
 */
#include <inttypes.h>

#include "api/route.h"
#include "base/sysmem.h"

static void put_family(gol_buf *out, const char *name, const char *kind, const char *help)
{
    gol_buf_printf(out, "# HELP gollum_%s %s\n# TYPE gollum_%s %s\n", name, help, name, kind);
}

static void put_gauge(gol_buf *out, const char *name, const char *help, double value)
{
    put_family(out, name, "gauge", help);
    gol_buf_printf(out, "gollum_%s %.17g\n", name, value);
}

static void put_counter(gol_buf *out, const char *name, const char *help, uint64_t value)
{
    put_family(out, name, "counter", help);
    gol_buf_printf(out, "gollum_%s %" PRIu64 "\n", name, value);
}

/* Buckets count everything up to their bound. */
static void put_histogram(gol_buf *out, const char *name, const char *help,
                          const gol_histogram_view *h)
{
    put_family(out, name, "histogram", help);
    uint64_t n = 0;
    for (int i = 0; i < h->n_bounds; i++) {
        n += h->counts[i];
        gol_buf_printf(out, "gollum_%s_bucket{le=\"%.10g\"} %" PRIu64 "\n", name, h->bounds[i], n);
    }
    gol_buf_printf(out, "gollum_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, h->n);
    gol_buf_printf(out, "gollum_%s_sum %.17g\ngollum_%s_count %" PRIu64 "\n", name, h->sum, name,
                   h->n);
}

static void put_histograms(gol_buf *out, const gol_engine *engine)
{
    gol_histogram_view h;
#define PUT(id, unit, name, help)                                                                  \
    gol_engine_get_histogram(engine, GOL_HISTOGRAM_##id, &h);                                      \
    put_histogram(out, name, help, &h);
    GOL_ENGINE_HISTOGRAMS(PUT)
#undef PUT
}

/* Under the names that vLLM's dashboards ask for. */
static void put_prefix_cache(gol_buf *out, const char *name, const char *help, uint64_t value)
{
    gol_buf_printf(
        out,
        "# HELP vllm:prefix_cache_%s_total %s\n# TYPE vllm:prefix_cache_%s_total counter\n"
        "vllm:prefix_cache_%s_total %" PRIu64 "\n",
        name, help, name, name, value);
}

static void put_finished(gol_buf *out, const gol_engine_stats *stats)
{
    static const struct {
        gol_finish_reason reason;
        const char *label;
    } reasons[] = {
        {GOL_FINISH_STOP, "stop"},
        {GOL_FINISH_LENGTH, "length"},
        {GOL_FINISH_ABORT, "abort"},
        {GOL_FINISH_ERROR, "error"},
    };
    put_family(out, "sequences_finished_total", "counter", "Sequences that ended, by reason.");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        gol_buf_printf(out, "gollum_sequences_finished_total{reason=\"%s\"} %" PRIu64 "\n",
                       reasons[i].label, stats->n_finished[reasons[i].reason]);
}

/* The plan says what each part may become; the process's resident memory what all of it is now. */
static void put_memory(gol_buf *out, const gol_memory_plan *plan)
{
    put_family(out, "memory_planned_bytes", "gauge",
               "Memory that each part takes when every page of it is used.");
    for (int part = 0; part < GOL_N_MEMORY_PARTS; part++)
        gol_buf_printf(out, "gollum_memory_planned_bytes{part=\"%s\"} %" PRIu64 "\n",
                       gol_memory_part_name((gol_memory_part)part), plan->bytes[part]);
    if (plan->max != UINT64_MAX)
        put_gauge(out, "memory_max_bytes", "Memory that all parts together may take.",
                  (double)plan->max);
    const uint64_t n_resident = gol_sysmem_resident();
    if (n_resident > 0) /* the name that Prometheus's own clients give it */
        gol_buf_printf(out,
                       "# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
                       "# TYPE process_resident_memory_bytes gauge\n"
                       "process_resident_memory_bytes %" PRIu64 "\n",
                       n_resident);
}

int gol_metrics_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    (void)root;
    (void)error;
    gol_engine_stats stats;
    gol_engine_get_stats(call->api->engine, &stats);
    gol_buf *out = &call->body;
    put_gauge(out, "sequences_running", "Sequences that take part in steps.", stats.n_running);
    put_gauge(out, "sequences_waiting", "Sequences that wait for a place.", stats.n_waiting);
    put_gauge(out, "kv_blocks", "Blocks of the KV cache.", stats.n_blocks);
    put_gauge(out, "kv_blocks_free", "Blocks that no sequence holds.", stats.n_blocks_free);
    put_gauge(out, "kv_blocks_cached", "Blocks whose content can be found again, held or not.",
              stats.n_blocks_cached);
    put_gauge(out, "states", "States of recurrent layers, of sequences and kept ones.",
              stats.n_states);
    put_gauge(out, "state_snapshots", "States that are kept for prompts that begin alike.",
              stats.n_snapshots);
    put_prefix_cache(out, "queries", "Prompt tokens looked up in the prefix cache.",
                     stats.n_prefix_queries);
    put_prefix_cache(out, "hits", "Prompt tokens found in the prefix cache.", stats.n_prefix_hits);
    put_counter(out, "exact_prompt_hits_total", "Prompts that needed no computation.",
                stats.n_exact_hits);
    put_counter(out, "kv_block_evictions_total", "Blocks whose content gave way to another.",
                stats.n_block_evictions);
    put_counter(out, "kv_block_copies_total", "Blocks copied to go on behind a part of them.",
                stats.n_block_copies);
    put_counter(out, "state_snapshot_evictions_total",
                "Kept states that gave way to others, or to a sequence.",
                stats.n_snapshot_evictions);
    put_counter(out, "steps_total", "Steps of the engine.", stats.n_steps);
    put_counter(out, "prompt_tokens_total",
                "Prompt tokens computed, recomputation after preemption included.",
                stats.n_prompt_tokens);
    put_counter(out, "generation_tokens_total", "Tokens generated.", stats.n_generated_tokens);
    put_counter(out, "preemptions_total", "Sequences that lost their blocks and recompute.",
                stats.n_preemptions);
    put_finished(out, &stats);
    put_histograms(out, call->api->engine);
    put_memory(out, gol_engine_get_memory(call->api->engine));
    gol_call_reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8");
    return 0;
}
