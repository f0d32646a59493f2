/* Numbers of blocks: arithmetic on lengths, windows and slices. */
#include "engine/kv_layout.h"

#include <assert.h>
#include <stdbool.h>

#include "base/minmax.h"

void gol_kv_layout_init(gol_kv_layout *l, int32_t block_size, int32_t n_groups,
                        const int32_t *windows, int32_t n_slice_max)
{
    assert(block_size >= 1 && n_slice_max >= 1);
    assert(n_groups >= 1 && n_groups <= GOL_KV_GROUPS_MAX);
    *l = (gol_kv_layout){
        .block_size = block_size, .n_groups = n_groups, .n_slice_max = n_slice_max};
    /* The first token of a block sees window - 1 tokens before it, the others no further back. */
    for (int32_t g = 0; g < n_groups; g++)
        l->n_seen[g] = windows[g] == 0 ? -1 : gol_kv_layout_n_entries(l, windows[g] - 1);
}

gol_kv_layout gol_kv_layout_plain(int32_t block_size)
{
    gol_kv_layout l;
    gol_kv_layout_init(&l, block_size, 1, (const int32_t[]){0}, INT32_MAX);
    return l;
}

/* Entries that the group's table has at most at a time, with slices that take up to n_rows rows. */
static int32_t most_held(const gol_kv_layout *l, int32_t group, int32_t n_rows)
{
    const int32_t n_slice = gol_min_i32(n_rows, l->n_slice_max);
    /* A slice may begin with the last place of a block. */
    return l->n_seen[group] + 1 + gol_kv_layout_n_entries(l, n_slice - 1);
}

int32_t gol_kv_layout_n_starting(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries,
                                 const int32_t *n_free)
{
    const int32_t n_new = gol_max_i32(gol_kv_layout_n_entries(l, n_tokens) - n_entries, 0);
    const int32_t n_rows = gol_max_i32(n_tokens - n_entries * l->block_size, 1);
    int32_t n = 0;
    for (int32_t g = 0; g < l->n_groups; g++) {
        const int32_t n_taken = n_free[g] + n_new;
        n += l->n_seen[g] < 0 ? n_taken : gol_min_i32(n_taken, most_held(l, g, n_rows));
    }
    return n;
}

int32_t gol_kv_layout_n_lacking(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries)
{
    static const int32_t none[GOL_KV_GROUPS_MAX];
    return gol_kv_layout_n_starting(l, n_tokens, n_entries, none);
}

int32_t gol_kv_layout_n_following(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries)
{
    int32_t n_seen[GOL_KV_GROUPS_MAX] = {0};
    for (int32_t g = 0; g < l->n_groups; g++)
        if (l->n_seen[g] >= 0)
            n_seen[g] = n_entries - gol_kv_layout_first(l, g, n_entries);
    return gol_kv_layout_n_starting(l, n_tokens, n_entries, n_seen);
}

int32_t gol_kv_layout_longest(const gol_kv_layout *l, int32_t n_blocks, int32_t n_max)
{
    int32_t lo = 0;
    int32_t hi = n_max;
    while (lo < hi) {
        const int32_t mid = hi - (hi - lo) / 2;
        if (gol_kv_layout_blocks_for(l, mid) <= n_blocks)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static bool has_windows(const gol_kv_layout *l)
{
    for (int32_t g = 0; g < l->n_groups; g++)
        if (l->n_seen[g] >= 0)
            return true;
    return false;
}

int64_t gol_kv_layout_n_tokens(const gol_kv_layout *l, int32_t n_blocks, int32_t n_max)
{
    assert(l->n_groups >= 1);
    if (!has_windows(l))
        return (int64_t)(n_blocks / l->n_groups) * l->block_size;
    const int32_t n_each = gol_kv_layout_blocks_for(l, n_max);
    assert(n_each >= 1);
    return (int64_t)(n_blocks / n_each) * n_max +
           gol_kv_layout_longest(l, n_blocks % n_each, n_max);
}
