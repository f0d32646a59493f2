/*
 * Special-token trie: see the header. Every text position costs one table look-up, and a walk of at most
 * GOL_VOCAB_SPECIAL_TEXT_MAX steps where some token begins like the text.
 */
#include "text/special_tokens.h"

#include <assert.h>

#include "base/mem.h"
#include "text/unicode_props.h"
#include "text/utf8.h"

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

static void insert(gol_special_tokens *special, const gol_special_entry *entry)
{
    uint32_t node = 0;
    for (size_t i = 0; i < entry->text.len; i++) {
        const uint8_t byte = (uint8_t)entry->text.data[i];
        const uint32_t child = find_child(special, node, byte);
        node = child != 0 ? child : add_child(special, node, byte);
    }
    gol_special_node *end = &special->nodes[node];
    if (end->id >= 0 || node == 0) /* an equal text: the first stands */
        return;
    end->id = entry->id;
    end->is_control = entry->is_control;
    end->strips_left = entry->strips_left;
    end->strips_right = entry->strips_right;
    end->single_word = entry->single_word;
}

int gol_special_tokens_build(gol_special_tokens *special, const gol_special_entry *entries,
                             size_t n, gol_err *err)
{
    *special = (gol_special_tokens){0};
    size_t n_max = 1;
    for (size_t i = 0; i < n; i++) {
        if (entries[i].text.len > GOL_VOCAB_SPECIAL_TEXT_MAX)
            return gol_fail(err, GOL_EMODEL,
                            "tokenizer.ggml.tokens[%d]: a control or user-defined token of %zu "
                            "bytes, at most %d are "
                            "accepted",
                            entries[i].id, entries[i].text.len, GOL_VOCAB_SPECIAL_TEXT_MAX);
        n_max += entries[i].text.len;
    }
    if (n_max > UINT32_MAX)
        return gol_fail(err, GOL_EMODEL, "vocabulary: special tokens of %zu bytes in all", n_max);
    special->nodes = gol_try_array(n_max, sizeof *special->nodes);
    if (special->nodes == NULL)
        return gol_fail(err, GOL_ENOMEM, "special tokens: out of memory");
    special->nodes[0] = (gol_special_node){.id = -1};
    special->n_nodes = 1;
    for (size_t i = 0; i < n; i++)
        insert(special, &entries[i]);
    assert(special->n_nodes <= n_max);
    return 0;
}

int gol_special_tokens_init(gol_special_tokens *special, const gol_vocab *vocab, bool strips_right,
                            gol_err *err)
{
    *special = (gol_special_tokens){0};
    size_t n = 0;
    for (int32_t id = 0; id < vocab->n; id++)
        n += is_special(&vocab->tokens[id]);
    gol_special_entry *entries = gol_try_array(n, sizeof *entries);
    if (entries == NULL)
        return gol_fail(err, GOL_ENOMEM, "special tokens: out of memory");
    n = 0;
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_token *token = &vocab->tokens[id];
        if (!is_special(token))
            continue;
        entries[n++] = (gol_special_entry){
            .text = token->text,
            .id = id,
            .is_control = token->type != GOL_TOKEN_USER_DEFINED,
            .strips_right = strips_right && !gol_str_is(token->text, "<unk>") &&
                            !gol_str_is(token->text, "<s>") &&
                            !gol_str_is(token->text, "<|endoftext|>"),
        };
    }
    const int rc = gol_special_tokens_build(special, entries, n, err);
    gol_free(entries);
    return rc;
}

void gol_special_tokens_deinit(gol_special_tokens *special)
{
    gol_free(special->nodes);
    *special = (gol_special_tokens){0};
}

/* Bytes of the character at pos, which may be none: a byte then, and U+FFFD. */
static size_t char_at(gol_str text, size_t pos, uint32_t *cp)
{
    const size_t start = pos;
    *cp = gol_utf8_next(text, &pos);
    return pos - start;
}

/* Where the character that ends at pos begins; pos > 0. */
static size_t char_before(gol_str text, size_t pos, uint32_t *cp)
{
    for (size_t n = 4; n > 1; n--) {
        if (pos >= n && char_at((gol_str){text.data, pos}, pos - n, cp) == n)
            return pos - n;
    }
    char_at((gol_str){text.data, pos}, pos - 1, cp);
    return pos - 1;
}

static void strip_around(const gol_special_node *token, gol_str text, size_t first,
                         gol_special_match *match)
{
    uint32_t cp;
    while (token->strips_left && match->start > first) {
        const size_t before = char_before(text, match->start, &cp);
        if (!gol_unicode_is_space(cp))
            break;
        match->start = before;
    }
    while (token->strips_right && match->end < text.len) {
        const size_t n = char_at(text, match->end, &cp);
        if (!gol_unicode_is_space(cp))
            break;
        match->end += n;
    }
}

static bool stands_alone(gol_str text, const gol_special_match *match)
{
    uint32_t cp;
    if (match->start > 0) {
        char_before(text, match->start, &cp);
        if (gol_unicode_is_word(cp))
            return false;
    }
    if (match->end == text.len)
        return true;
    char_at(text, match->end, &cp);
    return !gol_unicode_is_word(cp);
}

/* The longest acceptable token at start; NULL: none. */
static const gol_special_node *match_at(const gol_special_tokens *special, gol_str text,
                                        size_t start, bool parse_control, gol_special_match *match)
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
    return best;
}

bool gol_special_tokens_next(const gol_special_tokens *special, gol_str text, size_t pos,
                             bool parse_control, gol_special_match *match)
{
    for (size_t start = pos; start < text.len;) {
        const gol_special_node *token = special->by_first_byte[(uint8_t)text.data[start]] != 0
                                            ? match_at(special, text, start, parse_control, match)
                                            : NULL;
        if (token == NULL) {
            start++;
        } else if (token->single_word && !stands_alone(text, match)) {
            start = match->end; /* it stays text, all of it */
        } else {
            strip_around(token, text, pos, match);
            return true;
        }
    }
    return false;
}
