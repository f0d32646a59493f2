/* The curve over rows is two arrays: fixed knots, and a time at each. Between two knots it is their weighted mean. */
#include "engine/step_cost.h"

#include <assert.h>

#include "base/minmax.h"

/* Powers of two with their middles: steps of 6 to 50%, finest where a step changes from reading to multiplying. */
static const int32_t knots[GOL_STEP_COST_KNOTS] = {1,   2,   4,    6,    8,    12,   16,    24,
                                                   32,  48,  64,   96,   128,  192,  256,   384,
                                                   512, 768, 1024, 2048, 4096, 8192, 16384, 65536};

/* Where a number of rows lies: between knots below and below + 1, at `above` of the way. */
typedef struct place {
    int below;
    double above;
} place;

static place find_place(int32_t n_rows)
{
    assert(n_rows >= 1);
    int below = 0;
    while (below < GOL_STEP_COST_KNOTS - 2 && n_rows >= knots[below + 1])
        below++;
    const double width = (double)(knots[below + 1] - knots[below]);
    const double above = (double)(n_rows - knots[below]) / width;
    return (place){below, above < 1.0 ? above : 1.0};
}

static double curve_at(const gol_step_cost *cost, int32_t n_rows)
{
    if (n_rows == 0)
        return 0.0;
    const place p = find_place(n_rows);
    const double below = cost->rows_ns[p.below];
    return below + (cost->rows_ns[p.below + 1] - below) * p.above;
}

gol_step_load gol_step_load_of(const gol_slice *slice)
{
    const int32_t n = slice->n;
    const int64_t n_pairs = (int64_t)n * slice->first + (int64_t)n * (n + 1) / 2;
    const int32_t scores_begin = gol_max_i32(slice->first, slice->scores_begin);
    const int32_t scores_end = gol_min_i32(slice->first + n, slice->scores_end);
    return (gol_step_load){
        .n_rows = n,
        .n_decode_pairs = slice->is_decode ? n_pairs : 0,
        .n_prefill_pairs = slice->is_decode ? 0 : n_pairs,
        .n_scored_rows = gol_max_i32(0, scores_end - scores_begin),
    };
}

void gol_step_load_add(gol_step_load *sum, const gol_step_load *load)
{
    sum->n_rows += load->n_rows;
    sum->n_decode_pairs += load->n_decode_pairs;
    sum->n_prefill_pairs += load->n_prefill_pairs;
    sum->n_scored_rows += load->n_scored_rows;
}

void gol_step_cost_init(gol_step_cost *cost)
{
    *cost = (gol_step_cost){0};
}

/* Time at knot j when only knot i < j was seen: a row among many costs as much as one among few. Weights are read once for all rows,
 * so that it is really less, by as much as nobody knows yet; the first guess shall not be too low. */
static double scaled_up(const gol_step_cost *cost, int i, int j)
{
    assert(i >= 0);
    return cost->rows_ns[i] * (double)knots[j] / (double)knots[i];
}

static int next_seen(const gol_step_cost *cost, int i)
{
    while (i < GOL_STEP_COST_KNOTS && !cost->is_seen[i])
        i++;
    return i;
}

/* Knots never seen follow from their seen neighbours. */
static void fill_unseen(gol_step_cost *cost)
{
    int last = -1;
    for (int i = 0; i < GOL_STEP_COST_KNOTS; i++) {
        if (cost->is_seen[i]) {
            last = i;
            continue;
        }
        const int next = next_seen(cost, i);
        if (next == GOL_STEP_COST_KNOTS) {
            cost->rows_ns[i] = scaled_up(cost, last, i);
        } else if (last < 0) {
            cost->rows_ns[i] = cost->rows_ns[next]; /* fewer rows may cost as much */
        } else {
            const double t = (double)(knots[i] - knots[last]) / (double)(knots[next] - knots[last]);
            cost->rows_ns[i] = cost->rows_ns[last] +
                               (cost->rows_ns[next] - cost->rows_ns[last]) * t;
        }
    }
}

/* After knots [first, last] changed: those before are at most, those after at least as high. */
static void make_monotone(gol_step_cost *cost, int first, int last)
{
    for (int i = first; i > 0 && cost->rows_ns[i - 1] > cost->rows_ns[i]; i--)
        cost->rows_ns[i - 1] = cost->rows_ns[i];
    for (int i = last; i + 1 < GOL_STEP_COST_KNOTS && cost->rows_ns[i + 1] < cost->rows_ns[i]; i++)
        cost->rows_ns[i + 1] = cost->rows_ns[i];
}

/* What of a time that was seen is taken for the rule. A step that was disturbed (another program, a stopped machine) shall not be:
 * longer than expected counts as far as the step before, of the same kind, was longer too. Shorter counts at once, for no disturbance
 * makes a step short. *last_ratio is that step's; 0: there was none. */
static double confirmed(double *last_ratio, double seen, double expected)
{
    enum { RATIO_MAX = 3 };
    if (expected <= 0.0)
        return seen;
    const double ratio = seen < RATIO_MAX * expected ? seen / expected : RATIO_MAX;
    const double before = *last_ratio;
    *last_ratio = ratio;
    if (ratio <= 1.0)
        return seen;
    return expected * (before <= 1.0 ? 1.0 : ratio < before ? ratio : before);
}

/* Nothing was seen on one side of it, nor it. */
static bool is_extrapolated(const gol_step_cost *cost, int i)
{
    int n_below = 0;
    for (int k = 0; k <= i; k++)
        n_below += cost->is_seen[k];
    return n_below == 0 || next_seen(cost, i) == GOL_STEP_COST_KNOTS;
}

/* By what share of the error a step changes what is known. */
static double rate_of(double error)
{
    return error < 0.0 ? 0.5 : 0.25;
}

/* Moves the curve near n_rows, between knots below and above. */
static void move_curve(gol_step_cost *cost, const place *p, int nearest, double ns, double expected)
{
    const int above = p->below + 1;
    const double w_below = 1.0 - p->above;
    const double error = confirmed(&cost->last_ratio[nearest], ns, expected) - expected;
    if (!cost->is_seen[nearest]) {
        /* A guess between two that were seen is rather too high, since time grows faster and faster with rows until it is
         * proportional to them: a shorter time replaces it. What was seen beside it shall not pay for it. */
        const double rate = error < 0.0 ? 1.0 : rate_of(error);
        cost->rows_ns[nearest] += rate * error / (nearest == above ? p->above : w_below);
        return;
    }
    const double step = rate_of(error) * error / (w_below * w_below + p->above * p->above);
    cost->rows_ns[p->below] += step * w_below;
    cost->rows_ns[above] += step * p->above;
}

static void observe_rows(gol_step_cost *cost, int32_t n_rows, double ns)
{
    const place p = find_place(n_rows);
    const int above = p.below + 1;
    const int nearest = p.above < 0.5 ? p.below : above;
    if (is_extrapolated(cost, nearest)) /* a guess that the first look replaces */
        cost->rows_ns[nearest] = ns * (double)knots[nearest] / (double)n_rows;
    else
        move_curve(cost, &p, nearest, ns, curve_at(cost, n_rows));
    for (int i = p.below; i <= above; i++) {
        if (cost->rows_ns[i] < 0.0)
            cost->rows_ns[i] = 0.0;
    }
    const int other = nearest == above ? p.below : above;
    if (cost->rows_ns[above] < cost->rows_ns[p.below])
        cost->rows_ns[other] = cost->rows_ns[nearest];
    cost->is_seen[nearest] = true;
    make_monotone(cost, p.below, above);
    fill_unseen(cost);
}

/* weight: how much the step says about it, 0 to 1. */
static void observe_price(double *price, double *last_ratio, double seen, double weight)
{
    if (*price == 0.0) {
        *price = seen;
        return;
    }
    const double error = confirmed(last_ratio, seen, *price) - *price;
    *price += weight * rate_of(error) * error;
}

/* Attention's time of a step with both kinds of rows belongs to prompts as far as decodes do not explain it. */
static void observe_pairs(gol_step_cost *cost, const gol_step_load *load, double attention_ns)
{
    const double n_decode = (double)load->n_decode_pairs;
    const double n_prefill = (double)load->n_prefill_pairs;
    const double prefill_ns = attention_ns - cost->decode_pair_ns * n_decode;
    if (n_prefill > 0.0 && prefill_ns >= 0.0)
        observe_price(&cost->prefill_pair_ns, &cost->last_prefill_ratio, prefill_ns / n_prefill,
                      1.0);
    else if (n_prefill == 0.0 && n_decode > 0.0)
        observe_price(&cost->decode_pair_ns, &cost->last_decode_ratio, attention_ns / n_decode,
                      1.0);
}

/* The logits of a few rows cost what reading the weights costs, however few: a price that is too high, so that they change little. */
static void observe_scores(gol_step_cost *cost, int32_t n_rows, double scores_ns)
{
    enum { MANY_ROWS = 16 };
    if (n_rows == 0)
        return;
    const double weight = (double)gol_min_i32(n_rows, MANY_ROWS) / MANY_ROWS;
    observe_price(&cost->scored_row_ns, &cost->last_scored_ratio, scores_ns / n_rows, weight);
}

void gol_step_cost_observe(gol_step_cost *cost, const gol_step_load *load,
                           const gol_step_time *time)
{
    if (load->n_rows == 0 || time->step_ns == 0)
        return;
    assert(time->attention_ns <= time->step_ns);
    assert(time->scores_ns <= time->step_ns - time->attention_ns);
    observe_rows(cost, load->n_rows,
                 (double)(time->step_ns - time->attention_ns - time->scores_ns));
    observe_pairs(cost, load, (double)time->attention_ns);
    observe_scores(cost, load->n_scored_rows, (double)time->scores_ns);
}

double gol_step_cost_predict(const gol_step_cost *cost, const gol_step_load *load)
{
    const int32_t n_guessed = cost->scored_row_ns == 0.0 ? load->n_scored_rows : 0;
    return curve_at(cost, load->n_rows + n_guessed) +
           cost->scored_row_ns * (double)load->n_scored_rows +
           cost->decode_pair_ns * (double)load->n_decode_pairs +
           cost->prefill_pair_ns * (double)load->n_prefill_pairs;
}

int32_t gol_step_cost_rows_within(const gol_step_cost *cost, const gol_step_load *load,
                                  const gol_slice *slice, double limit_ns)
{
    int32_t low = 0; /* fits, or is nothing */
    int32_t high = slice->n;
    while (low < high) {
        const int32_t n = high - (high - low) / 2;
        gol_step_load with = *load;
        gol_slice part = *slice;
        part.n = n;
        const gol_step_load more = gol_step_load_of(&part);
        gol_step_load_add(&with, &more);
        if (gol_step_cost_predict(cost, &with) <= limit_ns)
            low = n;
        else
            high = n - 1;
    }
    return low;
}
