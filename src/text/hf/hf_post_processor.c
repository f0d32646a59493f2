/*
 * tokenizer.json: "post_processor": which ids stand before and behind a text, and between two of them.
 */
#include "text/hf/hf_parts.h"

#define KINDS "Sequence, TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel"

typedef struct around {
    gol_ids *prefix;
    gol_ids *suffix;
    gol_ids *middle;
} around;

static int out_of_memory(const gol_hftok_node *node, gol_err *err)
{
    return gol_hftok_fail(node, err, GOL_ENOMEM, "out of memory");
}

/* Steps wrap each other: a later one's ids are outermost. */
static int put_first(gol_ids *ids, size_t at, int32_t id)
{
    const int rc = gol_ids_push(ids, id);
    if (rc != 0)
        return rc;
    memmove(ids->data + at + 1, ids->data + at, (ids->n - 1 - at) * sizeof *ids->data);
    ids->data[at] = id;
    return 0;
}

static int check_id(const gol_hftok_node *node, const gol_vocab *vocab, const json_t *id,
                    gol_err *err)
{
    if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) < vocab->n)
        return 0;
    return gol_hftok_fail(node, err, GOL_EMODEL, "no token id, 0 to %d are accepted", vocab->n - 1);
}

/* {"SpecialToken": {"id": NAME}}: its ids are in special_tokens.NAME.ids. They go into `to`, where *at grows. */
static int put_special(const gol_hftok_node *template, const gol_hftok_node *item,
                       const gol_vocab *vocab, gol_ids *to, size_t *at, gol_err *err)
{
    const gol_hftok_node special = gol_hftok_get(item, "SpecialToken");
    gol_str name;
    int rc = gol_hftok_need_str(&special, "id", &name, err);
    if (rc != 0)
        return rc;
    const gol_hftok_node all = gol_hftok_get(template, "special_tokens");
    const gol_hftok_node entry = gol_hftok_get(&all, name.data);
    const gol_hftok_node ids = gol_hftok_get(&entry, "ids");
    if (gol_hftok_n(&ids) == 0)
        return gol_hftok_fail(&ids, err, GOL_EMODEL, "missing, or empty");
    for (size_t i = 0; i < gol_hftok_n(&ids); i++) {
        const gol_hftok_node node = gol_hftok_at(&ids, i);
        rc = check_id(&node, vocab, node.json, err);
        if (rc != 0)
            return rc;
        if (put_first(to, (*at)++, (int32_t)json_integer_value(node.json)) != 0)
            return out_of_memory(&node, err);
    }
    return 0;
}

/* What stands between the first text and the second. */
static int read_pair_template(const gol_hftok_node *node, const gol_vocab *vocab, const around *to,
                              gol_err *err)
{
    const gol_hftok_node items = gol_hftok_get(node, "pair");
    int n_texts = 0;
    size_t at = to->middle->n;
    for (size_t i = 0; i < gol_hftok_n(&items); i++) {
        const gol_hftok_node item = gol_hftok_at(&items, i);
        const bool is_text = json_object_get(item.json, "Sequence") != NULL;
        n_texts += is_text;
        if (is_text || n_texts != 1)
            continue;
        const int rc = put_special(node, &item, vocab, to->middle, &at, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_template(const gol_hftok_node *node, const gol_vocab *vocab, const around *to,
                         gol_err *err)
{
    const gol_hftok_node single = gol_hftok_get(node, "single");
    bool is_before = true;
    size_t at = 0;
    for (size_t i = 0; i < gol_hftok_n(&single); i++) {
        const gol_hftok_node item = gol_hftok_at(&single, i);
        if (json_object_get(item.json, "Sequence") != NULL) {
            if (!is_before)
                return gol_hftok_fail(&item, err, GOL_EUNSUPPORTED, "a second text in 'single'");
            is_before = false;
            at = to->suffix->n;
            continue;
        }
        const int rc = put_special(node, &item, vocab, is_before ? to->prefix : to->suffix, &at,
                                   err);
        if (rc != 0)
            return rc;
    }
    return is_before ? gol_hftok_fail(&single, err, GOL_EMODEL, "the text is not in it")
                     : read_pair_template(node, vocab, to, err);
}

/* ["[CLS]", 101] */
static int read_pair(const gol_hftok_node *from, const char *key, const gol_vocab *vocab,
                     int32_t *id, gol_err *err)
{
    const gol_hftok_node pair = gol_hftok_get(from, key);
    const gol_hftok_node node = gol_hftok_at(&pair, 1);
    const int rc = check_id(&node, vocab, node.json, err);
    if (rc == 0)
        *id = (int32_t)json_integer_value(node.json);
    return rc;
}

/* n_between: how often the separator stands between two texts. */
static int read_cls_sep(const gol_hftok_node *node, const gol_vocab *vocab, const around *to,
                        int n_between, gol_err *err)
{
    int32_t cls = -1, sep = -1;
    int rc = read_pair(node, "cls", vocab, &cls, err);
    if (rc == 0)
        rc = read_pair(node, "sep", vocab, &sep, err);
    if (rc != 0)
        return rc;
    if (put_first(to->prefix, 0, cls) != 0 || gol_ids_push(to->suffix, sep) != 0)
        return out_of_memory(node, err);
    for (int i = 0; i < n_between; i++) {
        if (gol_ids_push(to->middle, sep) != 0)
            return out_of_memory(node, err);
    }
    return 0;
}

int gol_hftok_read_post_processor(const gol_hftok_node *node, const gol_vocab *vocab,
                                  gol_ids *prefix, gol_ids *suffix, gol_ids *middle, gol_err *err)
{
    gol_str type;
    if (!gol_hftok_is_there(node))
        return 0;
    int rc = gol_hftok_type(node, &type, err);
    if (rc != 0)
        return rc;
    const around to = {prefix, suffix, middle};
    if (gol_str_is(type, "ByteLevel")) /* about offsets alone */
        return 0;
    if (gol_str_is(type, "TemplateProcessing"))
        return read_template(node, vocab, &to, err);
    if (gol_str_is(type, "BertProcessing"))
        return read_cls_sep(node, vocab, &to, 1, err);
    if (gol_str_is(type, "RobertaProcessing"))
        return read_cls_sep(node, vocab, &to, 2, err);
    if (!gol_str_is(type, "Sequence"))
        return gol_hftok_unknown_type(node, type, KINDS, err);
    const gol_hftok_node steps = gol_hftok_get(node, "processors");
    for (size_t i = 0; rc == 0 && i < gol_hftok_n(&steps); i++) {
        const gol_hftok_node step = gol_hftok_at(&steps, i);
        rc = gol_hftok_read_post_processor(&step, vocab, prefix, suffix, middle, err);
    }
    return rc;
}
