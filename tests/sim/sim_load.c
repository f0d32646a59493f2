/* Prompts of a seeded load. Few different tokens, so that beginnings are equal by chance, too. */
#include "sim/sim_load.h"

#include <string.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "support/seqs.h"

enum { SALTS = 2, ODDS_NO_CACHE = 20, ODDS_SCORES = 6 };

int32_t sim_pick(gol_rng *rng, int32_t min, int32_t max)
{
    return min + (int32_t)gol_rng_below(rng, (uint64_t)(max - min) + 1);
}

int32_t sim_load_pick_size(sim_load *load, int32_t max)
{
    switch (sim_pick(load->rng, 0, 9)) {
    case 0:
        return max;
    case 1:
    case 2:
        return sim_pick(load->rng, 1, max);
    default:
        return sim_pick(load->rng, 1, max / 8 + 1);
    }
}

static void init_text(const sim_load *load, sim_text *text)
{
    text->tokens = gol_xcalloc((size_t)load->limits->max_model_len, sizeof *text->tokens);
}

static void append_new(sim_load *load, sim_text *text, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        text->tokens[text->n++] = sim_pick(load->rng, 0, SIM_VOCAB - 1);
}

static void append(sim_text *text, const sim_text *other, int32_t n)
{
    memcpy(text->tokens + text->n, other->tokens, (size_t)n * sizeof *text->tokens);
    text->n += n;
}

void sim_load_init(sim_load *load, gol_rng *rng, const gol_seq_limits *limits, bool shares)
{
    *load = (sim_load){.rng = rng, .limits = limits, .shares = shares};
    init_text(load, &load->prompt);
    for (int i = 0; i < SIM_DOCUMENTS; i++) {
        init_text(load, &load->documents[i]);
        append_new(load, &load->documents[i], limits->max_model_len);
    }
    for (int i = 0; i < SIM_PAST; i++)
        init_text(load, &load->past[i]);
}

void sim_load_deinit(sim_load *load)
{
    gol_free(load->prompt.tokens);
    for (int i = 0; i < SIM_DOCUMENTS; i++)
        gol_free(load->documents[i].tokens);
    for (int i = 0; i < SIM_PAST; i++)
        gol_free(load->past[i].tokens);
    *load = (sim_load){0};
}

/* Into load->prompt: 1 to max_model_len - 1 tokens. */
static void make_prompt(sim_load *load)
{
    sim_text *prompt = &load->prompt;
    const int32_t n_max = load->limits->max_model_len - 1;
    const int kind = load->shares ? sim_pick(load->rng, 0, 7) : 0;
    const sim_text *past = &load->past[sim_pick(load->rng, 0, SIM_PAST - 1)];
    if (kind >= 6 && prompt->n > 0)
        return; /* the last one again: several answers to one question */
    prompt->n = 0;
    if (kind >= 4 && past->n > 0)
        append(prompt, past,
               gol_min_i32(past->n, n_max)); /* a conversation goes on, or is repeated */
    else if (kind >= 2)
        append(prompt, &load->documents[sim_pick(load->rng, 0, SIM_DOCUMENTS - 1)],
               sim_load_pick_size(load, n_max));
    const int32_t n_left = n_max - prompt->n;
    if (prompt->n == 0)
        append_new(load, prompt, sim_load_pick_size(load, n_max));
    else if (n_left > 0 && sim_pick(load->rng, 0, 2) > 0)
        append_new(load, prompt, sim_pick(load->rng, 0, gol_min_i32(n_left, 20)));
}

gol_seq *sim_load_make(sim_load *load, uint64_t id, uint64_t *salt)
{
    make_prompt(load);
    const char letter = sim_pick(load->rng, 0, 3) == 0
                            ? (char)('a' + sim_pick(load->rng, 0, SALTS - 1))
                            : '\0';
    static gol_prompt_score unwritten; /* there is no model that would say something */
    gol_prompt_scores *scores = NULL;
    if (sim_pick(load->rng, 1, ODDS_SCORES) == 1) {
        scores = gol_xcalloc(1, sizeof *scores);
        scores->tokens = &unwritten;
    }
    const bool is_only_scored = scores && sim_pick(load->rng, 0, 1);
    const gol_request request = {
        .prompt = load->prompt.tokens,
        .n_prompt = load->prompt.n,
        .max_tokens = is_only_scored ? 0 : sim_load_pick_size(load, load->limits->max_model_len),
        .scores = scores,
        .priority = sim_pick(load->rng, -2, 2),
        .n_logprobs = -1,
        .no_cache = sim_pick(load->rng, 1, ODDS_NO_CACHE) == 1,
        .cache_salt = &letter,
        .n_cache_salt = letter != '\0',
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = seqs_ignore_output,
    };
    gol_seq *seq;
    const int rc = gol_seq_create(&seq, &request, load->limits, NULL);
    assert(rc == 0);
    (void)rc;
    seq->id = id;
    *salt = request.no_cache ? 1000 + id : (uint64_t)letter;
    return seq;
}

void sim_load_remember(sim_load *load, const gol_seq *seq)
{
    sim_text *text = &load->past[load->n_past++ % SIM_PAST];
    text->n = seq->n_tokens;
    memcpy(text->tokens, seq->tokens, (size_t)seq->n_tokens * sizeof *text->tokens);
}
