/*
 * The measure is OpenAI's: log-probability per token, so that short answers have no advantage. Answers that are equally good keep
 * the order of their seeds.
 */
#include "api/best_of.h"

/* [n] answers to one prompt; NULL: all have been taken. */
static gol_choice *find_best(gol_choice *choices, int32_t n)
{
    gol_choice *best = NULL;
    double most = 0;
    for (int32_t i = 0; i < n; i++) {
        if (choices[i].index >= 0)
            continue;
        const double mean = gol_choice_mean_logprob(&choices[i]);
        if (best && !(mean > most))
            continue;
        best = &choices[i];
        most = mean;
    }
    return best;
}

void gol_best_of_pick(gol_api_call *call)
{
    const int32_t n = call->params.n;
    const int32_t n_made = gol_params_n_candidates(&call->params);
    if (n_made == n)
        return;
    for (int32_t i = 0; i < call->n_choices; i++)
        call->choices[i].index = -1;
    for (int32_t p = 0; p * n_made < call->n_choices; p++)
        for (int32_t place = 0; place < n; place++)
            find_best(call->choices + p * n_made, n_made)->index = p * n + place;
}
