/*
 * A trie of tokens, for walking along a text: which tokens begin here? Immutable; children of a node lie side by side.
 *
 *     gol_piece_trie trie;
 *     rc = gol_piece_trie_init(&trie, entries, n);          // sorts entries
 *     uint32_t node = 0;
 *     for (size_t i = pos; i < text.len && gol_piece_trie_step(&trie, &node, text.data[i]); i++)
 *         if (trie.nodes[node].id >= 0) ...                  // a token ends here
 */
#ifndef GOL_TEXT_PIECE_TRIE_H
#define GOL_TEXT_PIECE_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

typedef struct gol_piece_entry {
    gol_str text; /* not empty */
    int32_t id;
} gol_piece_entry;

typedef struct gol_piece_node {
    int32_t id; /* of the token that ends here, -1: none */
    uint32_t first_child;
    uint32_t n_children;
} gol_piece_node;

typedef struct gol_piece_trie {
    gol_piece_node *nodes; /* [0] is the root */
    uint8_t *bytes;        /* of each node: how its parent leads to it */
    uint32_t n_nodes;
} gol_piece_trie;

/* Of equal texts the lowest id counts. 0, GOL_ENOMEM, or GOL_ETOOLARGE (more than 2^31 bytes in all). */
int gol_piece_trie_init(gol_piece_trie *trie, gol_piece_entry *entries, size_t n);
void gol_piece_trie_deinit(gol_piece_trie *trie); /* zeroed is fine */

/* From *node along byte; false: no token goes on so, *node untouched. */
static inline bool gol_piece_trie_step(const gol_piece_trie *trie, uint32_t *node, char byte)
{
    const gol_piece_node *from = &trie->nodes[*node];
    if (from->n_children == 0)
        return false;
    const uint8_t *bytes = trie->bytes + from->first_child;
    const uint8_t *found = memchr(bytes, (uint8_t)byte, from->n_children);
    if (found == NULL)
        return false;
    *node = from->first_child + (uint32_t)(found - bytes);
    return true;
}

#endif
