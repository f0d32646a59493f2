/*
 * What clients of a server see: time to the first token, gaps between tokens, tokens per second, in situations that separate
 * servers from each other. Works with any server that takes token ids in /v1/completions (gollum, llama-server, vLLM).
 *
 *     serve_bench [--host 127.0.0.1] [--port 8080] [--model NAME] [--vocab 30000] [--seed N] [--runs N] [--json] SCENARIO...
 *
 *     stall    4 streams run; a prompt of 1024 tokens arrives. Worst gap of the streams meanwhile; the prompt's time to its first
 *              token, against the same alone
 *     shared   8 clients, 4 requests each one after the other, prompts of 256 tokens that share the first 224; answers of 32
 *     unique   the same with nothing shared
 *     repeat   one prompt of 512 tokens three times; time to the first token in decode steps
 *
 * Prompts are random ids; a new seed (the clock, if not given) makes new ones, so that nothing is in a cache from before.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sse_client.h"

enum {
    N_RUNNING = 4,
    N_CLIENTS = 8,
    N_ROUNDS = 4,
    LONG_PROMPT = 1024,
    GROUP_PROMPT = 256,
    GROUP_SHARED = 224,
    GROUP_ANSWER = 32,
    REPEATED_PROMPT = 512,
    BODY_MAX = LONG_PROMPT * 8 + 512,
};

typedef struct bench {
    const char *host;
    int port;
    const char *model; /* NULL: the server has one */
    int n_vocab;
    gol_rng rng;
    bool is_json;
} bench;

static void fill_random(bench *b, int *ids, int n)
{
    enum { FIRST_PLAIN_ID = 300 }; /* behind control and byte tokens of the usual vocabularies */
    for (int i = 0; i < n; i++)
        ids[i] = FIRST_PLAIN_ID +
                 (int)gol_rng_below(&b->rng, (uint64_t)(b->n_vocab - FIRST_PLAIN_ID));
}

static void start(bench *b, sse_stream *s, const int *ids, int n, int max_tokens)
{
    char body[BODY_MAX];
    int len = b->model ? snprintf(body, sizeof body, "{\"model\":\"%s\",\"prompt\":[", b->model)
                       : snprintf(body, sizeof body, "{\"prompt\":[");
    for (int i = 0; i < n; i++)
        len += snprintf(body + len, sizeof body - (size_t)len, i ? ",%d" : "%d", ids[i]);
    snprintf(body + len, sizeof body - (size_t)len,
             "],\"max_tokens\":%d,\"temperature\":0,\"ignore_eos\":true,\"stream\":true,"
             "\"stream_options\":{\"include_usage\":true}}",
             max_tokens);
    sse_start(s, b->host, b->port, "/v1/completions", body);
}

static double ms_between(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e6;
}

static double first_token_ms(const sse_stream *s)
{
    return s->n_events == 0 ? -1.0 : ms_between(s->start_ns, s->event_ns[0]);
}

/* Mean time between tokens after the first. */
static double step_ms(const sse_stream *s)
{
    const int n = s->n_completion_tokens > 1 ? s->n_completion_tokens - 1 : s->n_events - 1;
    return n < 1 ? 0.0 : ms_between(s->event_ns[0], s->event_ns[s->n_events - 1]) / n;
}

/* The longest time without an event that overlaps [from, to]. */
static double worst_gap_ms(const sse_stream *s, uint64_t from_ns, uint64_t to_ns)
{
    double worst = 0.0;
    for (int i = 1; i < s->n_events; i++) {
        if (s->event_ns[i] < from_ns || s->event_ns[i - 1] > to_ns)
            continue;
        const double gap = ms_between(s->event_ns[i - 1], s->event_ns[i]);
        worst = gap > worst ? gap : worst;
    }
    return worst;
}

static void run_to_end(sse_stream *streams, int n)
{
    while (sse_poll(streams, n, 1000))
        ;
}

static void report(const bench *b, const char *scenario, const char *const *names,
                   const double *values, int n)
{
    printf(b->is_json ? "{\"scenario\":\"%s\"" : "%-8s", scenario);
    for (int i = 0; i < n; i++)
        printf(b->is_json ? ",\"%s\":%.2f" : "  %s %.2f", names[i], values[i]);
    printf(b->is_json ? "}\n" : "\n");
    fflush(stdout);
}

static bool all_have(const sse_stream *streams, int n, int n_events)
{
    for (int i = 0; i < n; i++) {
        if (streams[i].n_events < n_events)
            return false;
    }
    return true;
}

static void run_stall(bench *b)
{
    int ids[LONG_PROMPT];
    sse_stream s[N_RUNNING + 1] = {0};
    sse_stream *late = &s[N_RUNNING];
    fill_random(b, ids, LONG_PROMPT);
    start(b, late, ids, LONG_PROMPT, 2);
    run_to_end(late, 1);
    const double alone_ms = first_token_ms(late);
    sse_finish(late);

    for (int i = 0; i < N_RUNNING; i++) {
        fill_random(b, ids, 16);
        start(b, &s[i], ids, 16, 1000);
    }
    while (!all_have(s, N_RUNNING, 10) && sse_poll(s, N_RUNNING, 1000))
        ;
    fill_random(b, ids, LONG_PROMPT);
    start(b, late, ids, LONG_PROMPT, 2);
    while (late->state != SSE_DONE && sse_poll(s, N_RUNNING + 1, 1000))
        ;
    const uint64_t until_ns = late->event_ns[0];
    const int n_enough = s[0].n_events + 2;
    while (!all_have(s, N_RUNNING, n_enough) && sse_poll(s, N_RUNNING, 1000))
        ; /* gaps that were open when the first token came */
    double worst = 0.0;
    for (int i = 0; i < N_RUNNING; i++) {
        const double gap = worst_gap_ms(&s[i], late->start_ns, until_ns);
        worst = gap > worst ? gap : worst;
    }
    const double late_ms = first_token_ms(late);
    static const char *const names[] = {"gap_max_ms", "ttft_ms", "ttft_alone_ms", "ttft_ratio"};
    report(b, "stall", names, (double[]){worst, late_ms, alone_ms, late_ms / alone_ms}, 4);
    for (int i = 0; i <= N_RUNNING; i++)
        sse_finish(&s[i]);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run_group(bench *b, const char *scenario, int n_shared)
{
    int ids[GROUP_PROMPT];
    sse_stream s[N_CLIENTS] = {0};
    int n_left[N_CLIENTS];
    double ttft[N_CLIENTS * N_ROUNDS];
    int n_done = 0;
    int n_tokens = 0;
    fill_random(b, ids, n_shared);
    const uint64_t begin_ns = gol_clock_ns();
    for (int i = 0; i < N_CLIENTS; i++) {
        n_left[i] = N_ROUNDS - 1;
        fill_random(b, ids + n_shared, GROUP_PROMPT - n_shared);
        start(b, &s[i], ids, GROUP_PROMPT, GROUP_ANSWER);
    }
    while (sse_poll(s, N_CLIENTS, 1000)) {
        for (int i = 0; i < N_CLIENTS; i++) {
            if (s[i].state != SSE_DONE)
                continue;
            ttft[n_done++] = first_token_ms(&s[i]);
            n_tokens += s[i].n_completion_tokens;
            sse_finish(&s[i]);
            if (n_left[i]-- == 0)
                continue;
            fill_random(b, ids + n_shared, GROUP_PROMPT - n_shared);
            start(b, &s[i], ids, GROUP_PROMPT, GROUP_ANSWER);
        }
    }
    const double seconds = ms_between(begin_ns, gol_clock_ns()) / 1e3;
    qsort(ttft, (size_t)n_done, sizeof ttft[0], compare_doubles);
    static const char *const names[] = {"tok_s", "total_tok_s", "ttft_p50_ms", "ttft_max_ms"};
    const double total = (double)n_tokens + (double)n_done * GROUP_PROMPT;
    report(b, scenario, names,
           (double[]){n_tokens / seconds, total / seconds, ttft[n_done / 2], ttft[n_done - 1]}, 4);
}

static void run_repeat(bench *b)
{
    int ids[REPEATED_PROMPT];
    double ttft[3];
    double step = 0.0;
    fill_random(b, ids, REPEATED_PROMPT);
    for (int i = 0; i < 3; i++) {
        sse_stream s = {0};
        start(b, &s, ids, REPEATED_PROMPT, 16);
        run_to_end(&s, 1);
        ttft[i] = first_token_ms(&s);
        step = step_ms(&s);
        sse_finish(&s);
    }
    static const char *const names[] = {"ttft_cold_ms", "ttft_again_ms", "ttft_third_ms", "step_ms",
                                        "steps_again"};
    report(b, "repeat", names, (double[]){ttft[0], ttft[1], ttft[2], step, ttft[1] / step}, 5);
}

static void run(bench *b, const char *scenario)
{
    if (strcmp(scenario, "stall") == 0)
        run_stall(b);
    else if (strcmp(scenario, "shared") == 0)
        run_group(b, scenario, GROUP_SHARED);
    else if (strcmp(scenario, "unique") == 0)
        run_group(b, scenario, 0);
    else if (strcmp(scenario, "repeat") == 0)
        run_repeat(b);
    else {
        fprintf(stderr, "no scenario is called %s: stall, shared, unique, repeat\n", scenario);
        exit(64);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"host", required_argument, NULL, 'h'},  {"port", required_argument, NULL, 'p'},
        {"model", required_argument, NULL, 'm'}, {"vocab", required_argument, NULL, 'v'},
        {"seed", required_argument, NULL, 's'},  {"runs", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},        {NULL, 0, NULL, 0},
    };
    bench b = {.host = "127.0.0.1", .port = 8080, .n_vocab = 30000, .rng = {.key = gol_clock_ns()}};
    int n_runs = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'h':
            b.host = optarg;
            break;
        case 'p':
            b.port = atoi(optarg);
            break;
        case 'm':
            b.model = optarg;
            break;
        case 'v':
            b.n_vocab = atoi(optarg);
            break;
        case 's':
            b.rng.key = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            n_runs = atoi(optarg);
            break;
        case 'j':
            b.is_json = true;
            break;
        default:
            return 64;
        }
    }
    if (optind == argc || b.n_vocab <= 1000) {
        fprintf(stderr, "usage: serve_bench [OPTIONS] stall|shared|unique|repeat...\n");
        return 64;
    }
    for (int r = 0; r < n_runs; r++) {
        for (int i = optind; i < argc; i++)
            run(&b, argv[i]);
    }
    return 0;
}
