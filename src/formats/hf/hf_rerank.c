/*
 * Rerankers among Qwen3's folders. Qwen3-Reranker is a causal model of its base's class, which answers with the token "yes" or "no": its
 * config.json does not say so. It is known by its names, by the module of sentence-transformers beside it, by the keys of vLLM's
 * users, or because whoever opens the folder says so. Its classifier is made of two rows of the matrix for logits, as in others'
 * GGUF files. Qwen3ForSequenceClassification is the same with a matrix of its own, of two rows, or one: their difference.
 *
 * A folder that says how a text becomes one vector (1_Pooling) is an embedding model and no reranker, whoever asks.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats/hf/hf_model.h"

enum {
    POOLING_RANK = 4, /* of GGUF's pooling_type */
    VOCABULARY_DEPTH_MAX = 64,
    VOCABULARY_VALUES_MAX = 8 << 20,
};

/* As Qwen's card of the model writes it, with the instruction that it has for those who bring none. */
static const char prompt[] =
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and "
    "the Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n"
    "<|im_start|>user\n<Instruct>: Given a web search query, retrieve relevant passages that "
    "answer the query\n<Query>: {query}\n<Document>: {document}<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n";

/* ------------------------------------------------------------------ what a folder says ---- */

static bool contains_name(gol_str text)
{
    static const char name[] = "qwen3-reranker";
    const size_t n = sizeof name - 1;
    for (size_t i = 0; i + n <= text.len; i++) {
        if (strncasecmp(text.data + i, name, n) == 0)
            return true;
    }
    return false;
}

static bool begins_with(gol_str text, const char *start)
{
    const size_t n = strlen(start);
    return text.len >= n && memcmp(text.data, start, n) == 0;
}

/* The name that was given, and the one behind "." and links. */
static bool is_named_by_folder(gol_hf *hf)
{
    char path[GOL_HF_PATH_MAX];
    char real[PATH_MAX];
    char name[GOL_HF_MODEL_NAME_MAX];
    if (!gol_hf_path(hf, path, ""))
        return false;
    return contains_name(gol_hf_model_name(path, name)) ||
           (realpath(path, real) && contains_name(gol_hf_model_name(real, name)));
}

static gol_str take_line(gol_str *text)
{
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    const size_t n = end ? (size_t)(end - text->data) : text->len;
    const gol_str line = {text->data, n};
    *text = (gol_str){text->data + n + (end != NULL), text->len - n - (end != NULL)};
    return line;
}

/* base_model of the fields at its beginning: the name, or a list of names below. */
static bool is_named_by_fields(gol_str *card)
{
    bool is_base = false;
    bool is_named = false;
    gol_str rest = *card;
    if (!begins_with(take_line(&rest), "---"))
        return false;
    while (rest.len > 0) {
        const gol_str line = take_line(&rest);
        if (begins_with(line, "---"))
            break;
        if (!begins_with(line, "-") && !begins_with(line, " "))
            is_base = begins_with(line, "base_model:");
        is_named |= is_base && contains_name(line);
    }
    *card = rest;
    return is_named;
}

/* The model's card: its fields, or its first heading. */
static bool is_named_by_card(gol_hf *hf)
{
    gol_str card;
    if (gol_hf_read_text(hf, "README.md", &card) != 1)
        return false;
    if (is_named_by_fields(&card))
        return true;
    while (card.len > 0) {
        const gol_str line = take_line(&card);
        if (begins_with(line, "# "))
            return contains_name(line);
    }
    return false;
}

static bool is_named(gol_hf *hf)
{
    return gol_hf_bool_or(hf, "is_original_qwen3_reranker", false) ||
           contains_name(gol_hf_text_or(hf, "_name_or_path", "")) || is_named_by_folder(hf) ||
           is_named_by_card(hf);
}

static bool is_embedding_model(gol_hf *hf)
{
    gol_str text;
    return gol_hf_read_text(hf, "1_Pooling/config.json", &text) == 1;
}

static bool is_causal(const gol_hf *hf)
{
    const json_t *name = json_array_get(json_object_get(hf->whole, "architectures"), 0);
    return json_is_string(name) && gol_str_is(gol_json_str(name), "Qwen3ForCausalLM");
}

static bool find_out(gol_hf *hf)
{
    if (gol_hf_has(hf, "classifier_from_token"))
        return true;
    if (!is_causal(hf) || is_embedding_model(hf))
        return false;
    return hf->file->use == GOL_MODEL_USE_RERANKER || hf->has_logit_score || is_named(hf);
}

bool gol_hf_is_reranker(gol_hf *hf)
{
    if (hf->reranker == GOL_HF_RERANKER_UNKNOWN)
        hf->reranker = find_out(hf) ? GOL_HF_RERANKER_YES : GOL_HF_RERANKER_NO;
    return hf->reranker == GOL_HF_RERANKER_YES;
}

bool gol_hf_is_tied_reranker(gol_hf *hf)
{
    return gol_hf_is_reranker(hf) && gol_hf_bool_or(hf, "tie_word_embeddings", false);
}

/* ------------------------------------------------------------------ its tokens ---- */

/* tokens[2]: those that say yes and no; config.json may name others, in the opposite order. */
static void read_answers(gol_hf *hf, const char *tokens[static 2])
{
    const json_t *list = gol_hf_find(hf, "classifier_from_token");
    const gol_str method = gol_hf_text_or(hf, "method", "from_2_way_softmax");
    tokens[0] = "yes";
    tokens[1] = "no";
    if (!list || hf->rc != 0)
        return;
    const json_t *no = json_array_get(list, 0);
    const json_t *yes = json_array_get(list, 1);
    if (json_array_size(list) != 2 || !json_is_string(no) || !json_is_string(yes)) {
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "classifier_from_token: only a list of two tokens is supported, like "
                      "[\"no\", \"yes\"]");
    } else if (!gol_str_is(method, "from_2_way_softmax")) {
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "method: only from_2_way_softmax is supported");
    } else {
        tokens[0] = json_string_value(yes);
        tokens[1] = json_string_value(no);
    }
}

static void refuse_tokens(gol_hf *hf, int code, const char *file, const char *what,
                          const char *token)
{
    char path[GOL_ERR_MESSAGE_MAX / 3];
    char quoted[96];
    if (hf->rc == 0)
        hf->rc = gol_fail(hf->err, code, "%s: %s: %s '%s'",
                          gol_quote(path, sizeof path, gol_str_from(hf->file->path)), file, what,
                          gol_quote(quoted, sizeof quoted, gol_str_from(token)));
}

static uint32_t find_id(gol_hf *hf, const json_t *vocabulary, const char *file, const char *token)
{
    const json_t *id = json_object_get(vocabulary, token);
    if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX) {
        refuse_tokens(hf, GOL_EUNSUPPORTED, file,
                      "a reranker of this class answers with one token,", token);
        return 0;
    }
    return (uint32_t)json_integer_value(id);
}

/* ids[2] of both tokens, from the smaller of the two files that have them. */
static void find_ids(gol_hf *hf, const char *const tokens[static 2], uint32_t ids[static 2])
{
    const gol_json_limits limits = {VOCABULARY_DEPTH_MAX, VOCABULARY_VALUES_MAX};
    const char *file = "vocab.json";
    json_t *root = NULL;
    gol_hf_read_json_within(hf, file, &limits, &root);
    const json_t *vocabulary = root;
    if (!root) {
        file = "tokenizer.json";
        gol_hf_read_json_within(hf, file, &limits, &root);
        vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    }
    for (int i = 0; i < 2 && hf->rc == 0; i++)
        ids[i] = find_id(hf, vocabulary, file, tokens[i]);
    json_decref(root);
}

/* The module's numbers must mean the same: with other tokens goes another prompt, which nothing here knows. */
static void check_logit_score(gol_hf *hf, const char *const tokens[static 2],
                              const uint32_t ids[static 2])
{
    for (int i = 0; i < 2 && hf->has_logit_score; i++) {
        if (hf->logit_score[i] != ids[i])
            refuse_tokens(hf, GOL_EUNSUPPORTED, "modules.json",
                          i == 0 ? "true_token_id of LogitScore is supported for the token"
                                 : "false_token_id of LogitScore is supported for the token",
                          tokens[i]);
    }
}

/* ------------------------------------------------------------------ the classifier ---- */

static void put_reranker(gol_hf *hf, bool has_prompt)
{
    static const char *const labels[] = {"yes", "no"};
    gol_hf_put_u32(hf, "pooling_type", POOLING_RANK);
    gol_hf_put_strs(hf, "classifier.output_labels", labels, 2);
    if (has_prompt)
        gol_hf_put_meta(hf, "tokenizer.chat_template.rerank",
                        &(gol_value){.type = GOL_VALUE_STRING, .str = gol_str_from(prompt)});
}

void gol_hf_put_answers(gol_hf *hf)
{
    const char *tokens[2];
    read_answers(hf, tokens);
    if (hf->rc != 0)
        return;
    find_ids(hf, tokens, hf->answer_rows);
    check_logit_score(hf, tokens, hf->answer_rows);
    const bool is_asked = hf->file->use == GOL_MODEL_USE_RERANKER;
    put_reranker(hf, is_asked || hf->has_logit_score || is_named(hf));
}

static bool means_yes(const json_t *label, const char *unnamed)
{
    static const char *const words[] = {"yes", "true", "relevant", "positive", "1"};
    const char *text = json_is_string(label) ? json_string_value(label) : unnamed;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0)
            return true;
    }
    return strcmp(text, "LABEL_1") == 0;
}

void gol_hf_put_scores(gol_hf *hf)
{
    const gol_hf_source *score = gol_hf_find_source(hf, GOL_STR("score.weight"));
    const uint64_t n_rows = score && score->tensor->n_dims == 2 ? score->tensor->shape[0] : 0;
    if (hf->rc != 0)
        return;
    if (n_rows != 1 && n_rows != 2) {
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "the tensor 'score.weight' has %llu rows; a reranker's has 1 or 2",
                      (unsigned long long)n_rows);
        return;
    }
    /* One row is the logit of "yes": beside one that is always 0 the softmax is its logistic function. */
    hf->answer_rows[0] = 0;
    hf->answer_rows[1] = GOL_HF_ZEROS;
    if (n_rows == 2) {
        const bool is_first = means_yes(gol_hf_find(hf, "id2label.0"), "LABEL_0");
        if (is_first == means_yes(gol_hf_find(hf, "id2label.1"), "LABEL_1"))
            gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                          "id2label: one of two classes must be called yes, true, relevant, "
                          "positive or LABEL_1");
        hf->answer_rows[0] = is_first ? 0 : 1;
        hf->answer_rows[1] = is_first ? 1 : 0;
    }
    put_reranker(hf, hf->file->use == GOL_MODEL_USE_RERANKER || is_named(hf));
}

static bool plan_answer_rows(gol_hf_recipe *recipe, gol_tensor *t)
{
    for (int i = 0; i < 2; i++) {
        if (t->n_dims != 2 ||
            (recipe->answer_rows[i] >= t->shape[1] && recipe->answer_rows[i] != GOL_HF_ZEROS))
            return false;
    }
    t->shape[1] = 2;
    return true;
}

static void copy_answer_rows(const gol_hf_recipe *recipe, const gol_tensor *t, uint8_t *dst,
                             const uint8_t *src)
{
    const size_t size = (size_t)t->shape[0] * gol_type_get(t->type)->type_size;
    for (int i = 0; i < 2; i++) {
        if (recipe->answer_rows[i] == GOL_HF_ZEROS)
            memset(dst + (size_t)i * size, 0, size);
        else
            memcpy(dst + (size_t)i * size, src + (size_t)recipe->answer_rows[i] * size, size);
    }
}

const gol_hf_change gol_hf_answer_rows = {"cut to the rows of a reranker's tokens",
                                          plan_answer_rows, copy_answer_rows, false};
