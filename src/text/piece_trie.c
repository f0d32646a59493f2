/*
 * Building the trie: the entries are sorted, so those below a node are a range of them, and nodes are made level by level: the
 * children of one are neighbours then. Nothing recurses, and the work is the sum of the texts' lengths.
 */
#include "text/piece_trie.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

typedef struct node_range {
    size_t first, end; /* entries below the node */
} node_range;

static int compare(const void *a, const void *b)
{
    const gol_piece_entry *x = a;
    const gol_piece_entry *y = b;
    const size_t n = x->text.len < y->text.len ? x->text.len : y->text.len;
    const int order = memcmp(x->text.data, y->text.data, n);
    if (order != 0)
        return order;
    if (x->text.len != y->text.len)
        return x->text.len < y->text.len ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Makes the children of one node, whose entries share their first depth bytes. */
static void add_children(gol_piece_trie *trie, node_range *ranges, uint32_t node,
                         const gol_piece_entry *entries, size_t depth)
{
    size_t i = ranges[node].first;
    const size_t end = ranges[node].end;
    for (; i < end && entries[i].text.len == depth; i++) {
        if (trie->nodes[node].id < 0)
            trie->nodes[node].id = entries[i].id;
    }
    trie->nodes[node].first_child = trie->n_nodes;
    while (i < end) {
        const uint8_t byte = (uint8_t)entries[i].text.data[depth];
        const size_t first = i;
        while (i < end && (uint8_t)entries[i].text.data[depth] == byte)
            i++;
        const uint32_t child = trie->n_nodes++;
        trie->nodes[child] = (gol_piece_node){.id = -1};
        trie->bytes[child] = byte;
        ranges[child] = (node_range){first, i};
        trie->nodes[node].n_children++;
    }
}

int gol_piece_trie_init(gol_piece_trie *trie, gol_piece_entry *entries, size_t n)
{
    *trie = (gol_piece_trie){0};
    size_t n_max = 1;
    for (size_t i = 0; i < n; i++)
        n_max += entries[i].text.len;
    if (n_max > INT32_MAX)
        return GOL_ETOOLARGE;
    if (n > 0)
        qsort(entries, n, sizeof *entries, compare);
    node_range *ranges = gol_try_array(n_max, sizeof *ranges);
    trie->nodes = gol_try_array(n_max, sizeof *trie->nodes);
    trie->bytes = gol_try_array(n_max, sizeof *trie->bytes);
    if (ranges == NULL || trie->nodes == NULL || trie->bytes == NULL) {
        gol_free(ranges);
        gol_piece_trie_deinit(trie);
        return GOL_ENOMEM;
    }
    trie->nodes[0] = (gol_piece_node){.id = -1};
    trie->bytes[0] = 0;
    trie->n_nodes = 1;
    ranges[0] = (node_range){0, n};
    uint32_t level_end = 1;
    size_t depth = 0;
    for (uint32_t node = 0; node < trie->n_nodes; node++) {
        if (node == level_end) {
            level_end = trie->n_nodes;
            depth++;
        }
        add_children(trie, ranges, node, entries, depth);
    }
    gol_free(ranges);
    return 0;
}

void gol_piece_trie_deinit(gol_piece_trie *trie)
{
    gol_free(trie->nodes);
    gol_free(trie->bytes);
    *trie = (gol_piece_trie){0};
}
