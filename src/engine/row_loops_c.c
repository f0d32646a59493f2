/* The loops of row_loops.h compiled for plain C. */
#include "engine/row_loops.h"

const gol_row_loops gol_row_loops_c = {
    .scan = scan,
    .depths = find_depths,
    .exp = find_exp,
    .sum = find_sum,
    .weights = find_weights,
    .sum_weights = sum_weights,
    .collect = collect,
    .moments = find_moments,
};
