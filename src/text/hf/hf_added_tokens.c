/*
 * tokenizer.json: "added_tokens", as what is looked for in a text: those with "normalized" behind the normalizer, and written as it
 * writes them; the others before it.
 */
#include "text/hf/hf_parts.h"

#include "base/mem.h"

typedef struct entry_list {
    gol_special_entry *entries;
    size_t n;
} entry_list;

static int read_entry(const gol_hftok_node *node, const gol_vocab *vocab, gol_special_entry *out,
                      bool *is_normalized, gol_err *err)
{
    gol_special_entry entry = {0};
    int rc = gol_hftok_need_str(node, "content", &entry.text, err);
    *is_normalized = true;
    if (rc != 0 || gol_hftok_bool(node, "special", &entry.is_control, err) < 0)
        return GOL_EMODEL;
    *is_normalized = !entry.is_control;
    if (gol_hftok_bool(node, "normalized", is_normalized, err) < 0 ||
        gol_hftok_bool(node, "lstrip", &entry.strips_left, err) < 0 ||
        gol_hftok_bool(node, "rstrip", &entry.strips_right, err) < 0 ||
        gol_hftok_bool(node, "single_word", &entry.single_word, err) < 0)
        return GOL_EMODEL;
    entry.id = gol_str_table_find(&vocab->by_text, entry.text);
    *out = entry;
    return 0;
}

/* A token's text as the normalizer writes it, kept in texts. */
static int normalize(gol_special_entry *entry, const gol_pipeline *pipeline, gol_arena *texts,
                     gol_err *err)
{
    if (pipeline->n_norms == 0)
        return 0;
    gol_buf out;
    gol_buf_init(&out, GOL_NORMALIZED_TEXT_MAX);
    int rc = gol_pipeline_normalize(pipeline, &out, entry->text, true, err);
    if (rc == 0) {
        const char *copy = gol_arena_try_strdup(texts, gol_buf_view(&out));
        entry->text = (gol_str){copy, copy != NULL ? out.len : 0};
        rc = copy != NULL ? 0 : gol_fail(err, GOL_ENOMEM, "out of memory");
    }
    gol_buf_deinit(&out);
    return rc == GOL_EINVAL ? GOL_EMODEL : rc;
}

static int read_list(const gol_hftok_node *list, const gol_vocab *vocab,
                     const gol_pipeline *pipeline, gol_arena *texts, entry_list *raw,
                     entry_list *normalized, gol_err *err)
{
    for (size_t i = 0; i < gol_hftok_n(list); i++) {
        const gol_hftok_node node = gol_hftok_at(list, i);
        gol_special_entry entry;
        bool is_normalized;
        int rc = read_entry(&node, vocab, &entry, &is_normalized, err);
        if (rc == 0 && is_normalized) {
            rc = normalize(&entry, pipeline, texts, err);
            if (rc != 0)
                gol_hftok_fail_at(&node, err, rc);
        }
        if (rc != 0)
            return rc;
        entry_list *to = is_normalized ? normalized : raw;
        if (entry.text.len > 0 && entry.id >= 0)
            to->entries[to->n++] = entry;
    }
    return 0;
}

int gol_hftok_read_added_tokens(const gol_hftok_node *root, const gol_vocab *vocab,
                                gol_special_tokens *raw_tokens, gol_pipeline *pipeline,
                                gol_err *err)
{
    const gol_hftok_node list = gol_hftok_get(root, "added_tokens");
    const size_t n = gol_hftok_n(&list);
    gol_arena texts;
    gol_arena_init(&texts, SIZE_MAX);
    entry_list raw = {gol_try_array(n, sizeof *raw.entries), 0};
    entry_list normalized = {gol_try_array(n, sizeof *normalized.entries), 0};
    int rc;
    if (raw.entries == NULL || normalized.entries == NULL)
        rc = gol_hftok_fail(&list, err, GOL_ENOMEM, "out of memory");
    else
        rc = read_list(&list, vocab, pipeline, &texts, &raw, &normalized, err);
    if (rc == 0)
        rc = gol_special_tokens_build(raw_tokens, raw.entries, raw.n, err);
    if (rc == 0)
        rc = gol_special_tokens_build(&pipeline->normalized, normalized.entries, normalized.n, err);
    gol_free(raw.entries);
    gol_free(normalized.entries);
    gol_arena_deinit(&texts);
    return rc;
}
