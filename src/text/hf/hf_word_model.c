/*
 * tokenizer.json: "model" and the ids of "added_tokens". Ids may have gaps, which stay empty tokens; they must not be far beyond the
 * number of tokens.
 */
#include "text/hf/hf_parts.h"

#include "base/mem.h"
#include "text/bpe.h"
#include "text/byte_map.h"

enum { GAP_MAX = 1 << 20, WORD_CHARS_DEFAULT = 100 };

int gol_hftok_model_type(const gol_hftok_node *model, gol_str *out, gol_err *err)
{
    if (!json_is_object(model->json))
        return gol_hftok_fail(model, err, GOL_EMODEL, "missing, or no object");
    const int rc = gol_hftok_str(model, "type", out, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (json_object_get(model->json, "merges") != NULL)
        *out = GOL_STR("BPE");
    else if (json_is_array(json_object_get(model->json, "vocab")))
        *out = GOL_STR("Unigram");
    else if (json_object_get(model->json, "max_input_chars_per_word") != NULL)
        *out = GOL_STR("WordPiece");
    else
        *out = GOL_STR("WordLevel");
    return 0;
}

/* One token of the file, whichever way the model writes it. */
typedef int take_token(void *user, const gol_hftok_node *node, gol_str text, int64_t id,
                       gol_err *err);

static int each_of_object(const gol_hftok_node *vocab, take_token *take, void *user, gol_err *err)
{
    const char *key;
    size_t n_key;
    json_t *value;
    json_object_keylen_foreach(vocab->json, key, n_key, value)
    {
        const gol_hftok_node node = {value, vocab, key, 0};
        if (!json_is_integer(value))
            return gol_hftok_fail(&node, err, GOL_EMODEL, "no whole number");
        const int rc = take(user, &node, (gol_str){key, n_key}, json_integer_value(value), err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Unigram: [["text", score], ...], the index being the id. */
static int each_of_array(const gol_hftok_node *vocab, take_token *take, void *user, gol_err *err)
{
    for (size_t i = 0; i < gol_hftok_n(vocab); i++) {
        const gol_hftok_node node = gol_hftok_at(vocab, i);
        const json_t *text = json_array_get(node.json, 0);
        if (!json_is_string(text) || !json_is_number(json_array_get(node.json, 1)))
            return gol_hftok_fail(&node, err, GOL_EMODEL, "no pair of a string and a score");
        const int rc = take(user, &node, gol_hftok_view(text), (int64_t)i, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int each_token(const gol_hftok_node *root, take_token *take, void *user, gol_err *err)
{
    const gol_hftok_node model = gol_hftok_get(root, "model");
    const gol_hftok_node vocab = gol_hftok_get(&model, "vocab");
    if (json_is_array(vocab.json))
        return each_of_array(&vocab, take, user, err);
    if (json_is_object(vocab.json))
        return each_of_object(&vocab, take, user, err);
    return gol_hftok_fail(&vocab, err, GOL_EMODEL, "missing, or neither an object nor an array");
}

static int each_added(const gol_hftok_node *root, take_token *take, void *user, gol_err *err)
{
    const gol_hftok_node list = gol_hftok_get(root, "added_tokens");
    for (size_t i = 0; i < gol_hftok_n(&list); i++) {
        const gol_hftok_node node = gol_hftok_at(&list, i);
        gol_str text;
        int64_t id = -1;
        int rc = gol_hftok_need_str(&node, "content", &text, err);
        if (rc == 0)
            rc = gol_hftok_int(&node, "id", 0, INT32_MAX, &id, err);
        if (rc == 0)
            return gol_hftok_fail(&node, err, GOL_EMODEL, "it has no id");
        rc = rc < 0 ? rc : take(user, &node, text, id, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

typedef struct counted {
    int64_t n;
    int64_t max_id;
} counted;

static int count(void *user, const gol_hftok_node *node, gol_str text, int64_t id, gol_err *err)
{
    (void)text;
    counted *c = user;
    if (id < 0 || id >= GOL_VOCAB_TOKENS_MAX)
        return gol_hftok_fail(node, err, GOL_EMODEL, "id %lld, 0 to %d are accepted", (long long)id,
                              GOL_VOCAB_TOKENS_MAX - 1);
    c->n++;
    c->max_id = id > c->max_id ? id : c->max_id;
    return 0;
}

static int take_text(void *user, const gol_hftok_node *node, gol_str text, int64_t id, gol_err *err)
{
    gol_vocab *vocab = user;
    char quoted[64];
    const gol_token *token = &vocab->tokens[id];
    if (token->type != GOL_TOKEN_UNUSED)
        return gol_hftok_fail(node, err, GOL_EMODEL, "id %lld is that of '%s', too", (long long)id,
                              gol_quote(quoted, sizeof quoted, token->text));
    bool is_new;
    const int rc = gol_vocab_set_text(vocab, (int32_t)id, text, &is_new, err);
    return rc == 0 ? 0 : gol_hftok_fail_at(node, err, rc);
}

/* An added token that the model has, too, keeps the model's id, whatever the file says beside it. */
static int take_added(void *user, const gol_hftok_node *node, gol_str text, int64_t id,
                      gol_err *err)
{
    gol_vocab *vocab = user;
    bool is_special = false;
    if (gol_hftok_bool(node, "special", &is_special, err) < 0)
        return GOL_EMODEL;
    int32_t known = gol_str_table_find(&vocab->by_text, text);
    if (known < 0) {
        const int rc = take_text(user, node, text, id, err);
        if (rc != 0)
            return rc;
        known = (int32_t)id;
        vocab->tokens[known].is_added = true;
    }
    vocab->tokens[known].type = is_special ? GOL_TOKEN_CONTROL : GOL_TOKEN_USER_DEFINED;
    return 0;
}

static void mark_bytes(gol_vocab *vocab)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        if (vocab->tokens[id].type == GOL_TOKEN_NORMAL &&
            gol_vocab_parse_byte(vocab->tokens[id].text) >= 0)
            vocab->tokens[id].type = GOL_TOKEN_BYTE;
    }
}

/* "unk_token", a text, or Unigram's "unk_id". */
static int mark_unknown(const gol_hftok_node *model, gol_vocab *vocab, gol_err *err)
{
    gol_str text;
    int64_t id = -1;
    int rc = gol_hftok_str(model, "unk_token", &text, err);
    if (rc == 1) {
        id = gol_str_table_find(&vocab->by_text, text);
        if (id < 0 && text.len > 0) {
            const gol_hftok_node node = gol_hftok_get(model, "unk_token");
            return gol_hftok_fail(&node, err, GOL_EMODEL, "no token of the vocabulary");
        }
    } else if (rc == 0) {
        rc = gol_hftok_int(model, "unk_id", 0, vocab->n - 1, &id, err);
    }
    if (rc < 0)
        return rc;
    vocab->unk = (int32_t)id;
    if (id >= 0)
        vocab->tokens[id].type = GOL_TOKEN_UNKNOWN;
    return 0;
}

static int read_scores(const gol_hftok_node *model, const gol_vocab *vocab, gol_hftok_facts *facts,
                       gol_err *err)
{
    const gol_hftok_node list = gol_hftok_get(model, "vocab");
    if (!json_is_array(list.json))
        return 0;
    facts->scores = gol_try_calloc((size_t)vocab->n, sizeof *facts->scores);
    if (facts->scores == NULL)
        return gol_hftok_fail(&list, err, GOL_ENOMEM, "out of memory");
    for (size_t i = 0; i < gol_hftok_n(&list); i++) {
        facts->scores[i] = json_number_value(json_array_get(json_array_get(list.json, i), 1));
        vocab->tokens[i].score = (float)facts->scores[i];
    }
    return 0;
}

int gol_hftok_read_vocab(const gol_hftok_node *root, gol_vocab *vocab, gol_hftok_facts *facts,
                         gol_err *err)
{
    counted c = {0, -1};
    int rc = each_token(root, count, &c, err);
    if (rc == 0)
        rc = each_added(root, count, &c, err);
    if (rc != 0)
        return rc;
    const gol_hftok_node model = gol_hftok_get(root, "model");
    if (c.n == 0 || c.max_id > c.n + GAP_MAX)
        return gol_hftok_fail(&model, err, GOL_EMODEL, "%lld tokens, the highest id is %lld",
                              (long long)c.n, (long long)c.max_id);
    rc = gol_vocab_init(vocab, (size_t)c.max_id + 1, err);
    if (rc == 0)
        rc = each_token(root, take_text, vocab, err);
    if (rc == 0)
        rc = read_scores(&model, vocab, facts, err);
    if (rc == 0)
        rc = each_added(root, take_added, vocab, err);
    bool byte_fallback = false;
    if (rc == 0 && gol_hftok_bool(&model, "byte_fallback", &byte_fallback, err) < 0)
        rc = GOL_EMODEL;
    if (rc == 0 && byte_fallback)
        mark_bytes(vocab);
    return rc == 0 ? mark_unknown(&model, vocab, err) : rc;
}

/* The two halves of a merge: "a b", or ["a", "b"]. */
static int read_merge(const gol_hftok_node *node, gol_str *left, gol_str *right, gol_err *err)
{
    if (json_is_string(node->json)) {
        const gol_str line = gol_hftok_view(node->json);
        const char *space = memchr(line.data, ' ', line.len);
        if (space != NULL) {
            const size_t n = (size_t)(space - line.data);
            *left = (gol_str){line.data, n};
            *right = (gol_str){space + 1, line.len - n - 1};
            return 0;
        }
    } else if (json_array_size(node->json) == 2 && json_is_string(json_array_get(node->json, 0)) &&
               json_is_string(json_array_get(node->json, 1))) {
        *left = gol_hftok_view(json_array_get(node->json, 0));
        *right = gol_hftok_view(json_array_get(node->json, 1));
        return 0;
    }
    return gol_hftok_fail(node, err, GOL_EMODEL, "no pair of texts");
}

static int add_merge(gol_bpe *bpe, const gol_vocab *vocab, const gol_hftok_node *node,
                     uint32_t rank, gol_err *err)
{
    gol_str left = GOL_STR(""), right = GOL_STR("");
    const int rc = read_merge(node, &left, &right, err);
    if (rc != 0)
        return rc;
    char merged[2 * GOL_VOCAB_TEXT_MAX];
    size_t n_prefix = bpe->n_prefix;
    if (right.len < n_prefix || memcmp(right.data, bpe->prefix, n_prefix) != 0)
        n_prefix = 0;
    const size_t n_right = right.len - n_prefix;
    int32_t id = -1;
    if (left.len <= GOL_VOCAB_TEXT_MAX && n_right <= GOL_VOCAB_TEXT_MAX) {
        memcpy(merged, left.data, left.len);
        memcpy(merged + left.len, right.data + n_prefix, n_right);
        id = gol_str_table_find(&vocab->by_text, (gol_str){merged, left.len + n_right});
    }
    const int32_t left_id = gol_str_table_find(&vocab->by_text, left);
    const int32_t right_id = gol_str_table_find(&vocab->by_text, right);
    if (left_id < 0 || right_id < 0 || id < 0)
        return gol_hftok_fail(node, err, GOL_EMODEL, "%s is no token of the vocabulary",
                              left_id < 0    ? "the left half"
                              : right_id < 0 ? "the right half"
                                             : "the whole");
    if (gol_vocab_is_plain(vocab, id)) /* no text merges into a control token */
        gol_bpe_add(bpe, left_id, right_id, rank, id);
    return 0;
}

static int read_affix(const gol_hftok_node *model, const char *key, char affix[GOL_BPE_AFFIX_MAX],
                      size_t *n, gol_err *err)
{
    gol_str text = {NULL, 0};
    if (gol_hftok_str(model, key, &text, err) < 0)
        return GOL_EMODEL;
    const gol_hftok_node node = gol_hftok_get(model, key);
    if (text.len > GOL_BPE_AFFIX_MAX)
        return gol_hftok_fail(&node, err, GOL_EMODEL, "%zu bytes, at most %d are accepted",
                              text.len, GOL_BPE_AFFIX_MAX);
    if (text.len > 0)
        memcpy(affix, text.data, text.len);
    *n = text.len;
    return 0;
}

static void fill_symbols(gol_bpe *bpe, const gol_vocab *vocab)
{
    for (int i = 0; i < 256; i++) {
        char written[2] = {(char)i};
        size_t n = i < 0x80;
        if (bpe->by_bytes)
            n = (size_t)gol_byte_map_write(written, (uint8_t)i);
        if (n > 0)
            bpe->symbols[i] = gol_vocab_find_plain(vocab, (gol_str){written, n});
    }
    for (int32_t id = 0; id < vocab->n; id++) {
        const int byte = gol_vocab_parse_byte(vocab->tokens[id].text);
        if (byte >= 0 && vocab->tokens[id].type == GOL_TOKEN_BYTE)
            bpe->byte_ids[byte] = id;
    }
}

static int fill_bpe(gol_bpe *bpe, const gol_hftok_node *model, const gol_vocab *vocab, gol_err *err)
{
    if (gol_hftok_bool(model, "fuse_unk", &bpe->fuses_unknown, err) < 0 ||
        gol_hftok_bool(model, "byte_fallback", &bpe->byte_fallback, err) < 0 ||
        gol_hftok_bool(model, "ignore_merges", &bpe->ignores_merges, err) < 0)
        return GOL_EMODEL;
    int rc = read_affix(model, "continuing_subword_prefix", bpe->prefix, &bpe->n_prefix, err);
    if (rc == 0)
        rc = read_affix(model, "end_of_word_suffix", bpe->suffix, &bpe->n_suffix, err);
    const gol_hftok_node merges = gol_hftok_get(model, "merges");
    for (size_t i = 0; rc == 0 && i < gol_hftok_n(&merges); i++) {
        const gol_hftok_node node = gol_hftok_at(&merges, i);
        rc = add_merge(bpe, vocab, &node, (uint32_t)i, err);
    }
    return rc;
}

/* All that reaches the model are bytes, written as GPT-2 writes them: no step adds characters behind that. */
static bool can_read_bytes(const gol_pipeline *pipeline, const gol_hftok_facts *facts)
{
    const int last = pipeline->n_norms - 1;
    const bool ends_mapped = !pipeline->norms_write_mapped ||
                             pipeline->norms[last].kind == &gol_norm_byte_level;
    return pipeline->is_byte_level && ends_mapped && !facts->has_metaspace;
}

static int create_bpe(gol_word_model *out, const gol_hftok_node *model, const gol_vocab *vocab,
                      gol_pipeline *pipeline, const gol_hftok_facts *facts, gol_err *err)
{
    const gol_hftok_node merges = gol_hftok_get(model, "merges");
    if (gol_hftok_n(&merges) > GOL_BPE_MERGES_MAX)
        return gol_hftok_fail(&merges, err, GOL_EMODEL, "%zu, at most %d are accepted",
                              gol_hftok_n(&merges), GOL_BPE_MERGES_MAX);
    gol_bpe *bpe = gol_try_alloc(sizeof *bpe);
    if (bpe == NULL || gol_bpe_init(bpe, gol_hftok_n(&merges)) != 0) {
        gol_free(bpe);
        return gol_hftok_fail(model, err, GOL_ENOMEM, "out of memory");
    }
    bpe->by_bytes = can_read_bytes(pipeline, facts);
    const int rc = fill_bpe(bpe, model, vocab, err);
    if (rc != 0) {
        gol_bpe_deinit(bpe);
        gol_free(bpe);
        return rc;
    }
    if (bpe->n_prefix + bpe->n_suffix > 0) /* bytes are characters with marks then (CLIP) */
        bpe->by_bytes = false;
    pipeline->model_reads_mapped = !bpe->by_bytes;
    fill_symbols(bpe, vocab);
    *out = (gol_word_model){&gol_word_bpe, bpe};
    return 0;
}

static int create_wordpiece(gol_word_model *out, const gol_hftok_node *model,
                            const gol_vocab *vocab, gol_err *err)
{
    gol_wordpiece_opts opts = {.first_mark = GOL_STR(""), .rest_mark = GOL_STR("##")};
    int64_t n_max = WORD_CHARS_DEFAULT;
    if (gol_hftok_str(model, "continuing_subword_prefix", &opts.rest_mark, err) < 0 ||
        gol_hftok_int(model, "max_input_chars_per_word", 0, INT32_MAX, &n_max, err) < 0)
        return GOL_EMODEL;
    opts.word_chars_max = (size_t)n_max;
    const int rc = gol_wordpiece_create(out, vocab, &opts, err);
    return rc == 0 ? 0 : gol_hftok_fail_at(model, err, rc);
}

int gol_hftok_read_model(const gol_hftok_node *model, const gol_vocab *vocab,
                         gol_pipeline *pipeline, gol_hftok_facts *facts, gol_err *err)
{
    gol_str type = GOL_STR("");
    int rc = gol_hftok_model_type(model, &type, err);
    if (rc != 0)
        return rc;
    pipeline->model_reads_mapped = true; /* characters, whatever they are */
    pipeline->starts_mapped = pipeline->norms_write_mapped && !facts->has_byte_steps;
    if (gol_str_is(type, "BPE"))
        return create_bpe(&pipeline->model, model, vocab, pipeline, facts, err);
    if (gol_str_is(type, "WordPiece"))
        return create_wordpiece(&pipeline->model, model, vocab, err);
    if (gol_str_is(type, "WordLevel")) {
        pipeline->model = (gol_word_model){&gol_word_level, NULL};
        return 0;
    }
    if (!gol_str_is(type, "Unigram"))
        return gol_hftok_unknown_type(model, type, "BPE, Unigram, WordPiece, WordLevel", err);
    gol_unigram_opts opts = {.scores = facts->scores, .reads_byte_tokens = true};
    if (facts->scores == NULL)
        return gol_hftok_fail(model, err, GOL_EMODEL, "a Unigram model whose vocab is no array");
    if (gol_hftok_bool(model, "byte_fallback", &opts.byte_fallback, err) < 0)
        return GOL_EMODEL;
    rc = gol_unigram_create(&pipeline->model, vocab, &opts, err);
    return rc == 0 ? 0 : gol_hftok_fail_at(model, err, rc);
}
