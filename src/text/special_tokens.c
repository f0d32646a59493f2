/*
 * Special-token trie: see the header. Every text position costs one table look-up, and a walk of at most
 * GOL_VOCAB_SPECIAL_TEXT_MAX steps where some token begins like the text.
 */
#include "text/special_tokens.h"

#include <assert.h>

#include "base/mem.h"

static bool is_special(const gol_token *token)
{
    return token->text.len > 0 &&
           (token->type == GOL_TOKEN_CONTROL || token->type == GOL_TOKEN_UNKNOWN ||
            token->type == GOL_TOKEN_USER_DEFINED);
}

static uint32_t find_child(const gol_special_tokens *special, uint32_t node, uint8_t byte)
{
    if (node == 0)
        return special->by_first_byte[byte];
    uint32_t child = special->nodes[node].first_child;
    while (child != 0 && special->nodes[child].byte != byte)
        child = special->nodes[child].next_sibling;
    return child;
}

static uint32_t add_child(gol_special_tokens *special, uint32_t node, uint8_t byte)
{
    const uint32_t child = (uint32_t)special->n_nodes++;
    special->nodes[child] = (gol_special_node){.id = -1, .byte = byte};
    if (node == 0) {
        special->by_first_byte[byte] = child;
    } else {
        special->nodes[child].next_sibling = special->nodes[node].first_child;
        special->nodes[node].first_child = child;
    }
    return child;
}

static void insert(gol_special_tokens *special, const gol_token *token, int32_t id,
                   bool strips_right)
{
    uint32_t node = 0;
    for (size_t i = 0; i < token->text.len; i++) {
        const uint8_t byte = (uint8_t)token->text.data[i];
        const uint32_t child = find_child(special, node, byte);
        node = child != 0 ? child : add_child(special, node, byte);
    }
    gol_special_node *end = &special->nodes[node];
    if (end->id >= 0) /* an equal text: the lowest id stands */
        return;
    end->id = id;
    end->is_control = token->type != GOL_TOKEN_USER_DEFINED;
    end->strips_right = strips_right && !gol_str_is(token->text, "<unk>") &&
                        !gol_str_is(token->text, "<s>") &&
                        !gol_str_is(token->text, "<|endoftext|>");
}

int gol_special_tokens_init(gol_special_tokens *special, const gol_vocab *vocab, bool strips_right,
                            gol_err *err)
{
    *special = (gol_special_tokens){0};
    size_t n_max = 1;
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_token *token = &vocab->tokens[id];
        if (!is_special(token))
            continue;
        if (token->text.len > GOL_VOCAB_SPECIAL_TEXT_MAX)
            return gol_fail(err, GOL_EMODEL,
                            "tokenizer.ggml.tokens[%d]: a control or user-defined token of %zu "
                            "bytes, at most %d are accepted",
                            id, token->text.len, GOL_VOCAB_SPECIAL_TEXT_MAX);
        n_max += token->text.len;
    }
    if (n_max > UINT32_MAX)
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.tokens: special tokens of %zu bytes in all", n_max);
    special->nodes = gol_try_array(n_max, sizeof *special->nodes);
    if (special->nodes == NULL)
        return gol_fail(err, GOL_ENOMEM, "special tokens: out of memory");
    special->nodes[0] = (gol_special_node){.id = -1};
    special->n_nodes = 1;
    for (int32_t id = 0; id < vocab->n; id++) {
        if (is_special(&vocab->tokens[id]))
            insert(special, &vocab->tokens[id], id, strips_right);
    }
    assert(special->n_nodes <= n_max);
    return 0;
}

void gol_special_tokens_deinit(gol_special_tokens *special)
{
    gol_free(special->nodes);
    *special = (gol_special_tokens){0};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The longest acceptable token at start. */
static bool match_at(const gol_special_tokens *special, gol_str text, size_t start,
                     bool parse_control, gol_special_match *match)
{
    const gol_special_node *best = NULL;
    uint32_t node = 0;
    for (size_t pos = start; pos < text.len; pos++) {
        node = find_child(special, node, (uint8_t)text.data[pos]);
        if (node == 0)
            break;
        const gol_special_node *here = &special->nodes[node];
        if (here->id >= 0 && (parse_control || !here->is_control)) {
            best = here;
            *match = (gol_special_match){start, pos + 1, here->id};
        }
    }
    if (best == NULL)
        return false;
    if (best->strips_right) {
        while (match->end < text.len && is_space(text.data[match->end]))
            match->end++;
    }
    return true;
}

bool gol_special_tokens_next(const gol_special_tokens *special, gol_str text, size_t pos,
                             bool parse_control, gol_special_match *match)
{
    for (size_t start = pos; start < text.len; start++) {
        if (special->by_first_byte[(uint8_t)text.data[start]] != 0 &&
            match_at(special, text, start, parse_control, match))
            return true;
    }
    return false;
}
