/*
 * tokenizer.json: "normalizer", one step or a Sequence of them.
 */
#include "text/hf/hf_parts.h"

#include "text/hf/hf_base64.h"
#include "text/hf/hf_regex.h"

#define KINDS                                                                                      \
    "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, "           \
    "BertNormalizer, Precompiled, Nmt, ByteLevel"

int gol_hftok_read_pattern(const gol_hftok_node *from, bool *is_regex, gol_buf *out, gol_err *err)
{
    const gol_hftok_node node = gol_hftok_get(from, "pattern");
    gol_str text;
    if (json_is_string(node.json)) { /* files of old versions */
        *is_regex = false;
        gol_buf_put_str(out, gol_hftok_view(node.json));
        return out->failed ? gol_hftok_fail(&node, err, GOL_ENOMEM, "out of memory") : 0;
    }
    int rc = gol_hftok_str(&node, "String", &text, err);
    if (rc < 0)
        return rc;
    *is_regex = rc == 0;
    if (rc == 1) {
        gol_buf_put_str(out, text);
        return out->failed ? gol_hftok_fail(&node, err, GOL_ENOMEM, "out of memory") : 0;
    }
    rc = gol_hftok_str(&node, "Regex", &text, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return gol_hftok_fail(&node, err, GOL_EMODEL,
                              "neither 'String' nor 'Regex', one of these is accepted");
    rc = gol_hftok_regex_translate(out, text, err);
    return rc == 0 ? 0 : gol_hftok_fail_at(&node, err, rc);
}

static int read_replace(const gol_hftok_node *node, gol_norm_step *step, gol_err *err)
{
    gol_buf pattern;
    gol_str content;
    bool is_regex = false;
    gol_buf_init(&pattern, GOL_REGEX_LEN_MAX);
    int rc = gol_hftok_need_str(node, "content", &content, err);
    if (rc == 0)
        rc = gol_hftok_read_pattern(node, &is_regex, &pattern, err);
    if (rc == 0) {
        rc = gol_norm_replace_create(step, gol_buf_view(&pattern), is_regex, content, err);
        if (rc != 0)
            gol_hftok_fail_at(node, err, rc == GOL_EINVAL ? GOL_EMODEL : rc);
        rc = rc == GOL_EINVAL ? GOL_EMODEL : rc;
    }
    gol_buf_deinit(&pattern);
    return rc;
}

static int read_strip(const gol_hftok_node *node, gol_norm_step *step, gol_err *err)
{
    bool left = true, right = true;
    if (gol_hftok_bool(node, "strip_left", &left, err) < 0 ||
        gol_hftok_bool(node, "strip_right", &right, err) < 0)
        return GOL_EMODEL;
    return gol_norm_strip_create(step, left, right, err);
}

static int read_bert(const gol_hftok_node *node, gol_norm_step *step, gol_hftok_facts *facts,
                     gol_err *err)
{
    gol_norm_bert_opts opts = {.clean_text = true, .spaces_cjk = true, .lowercase = true};
    if (gol_hftok_bool(node, "clean_text", &opts.clean_text, err) < 0 ||
        gol_hftok_bool(node, "handle_chinese_chars", &opts.spaces_cjk, err) < 0 ||
        gol_hftok_bool(node, "lowercase", &opts.lowercase, err) < 0)
        return GOL_EMODEL;
    opts.strip_accents = opts.lowercase;
    if (gol_hftok_bool(node, "strip_accents", &opts.strip_accents, err) < 0)
        return GOL_EMODEL;
    facts->has_bert_normalizer = opts.clean_text && opts.spaces_cjk &&
                                 opts.strip_accents == opts.lowercase;
    facts->bert_lowercases = opts.lowercase;
    return gol_norm_bert_create(step, opts, err);
}

static int read_precompiled(const gol_hftok_node *node, gol_norm_step *step, gol_hftok_facts *facts,
                            gol_err *err)
{
    gol_str text;
    int rc = gol_hftok_need_str(node, "precompiled_charsmap", &text, err);
    if (rc != 0)
        return rc;
    const gol_hftok_node map = gol_hftok_get(node, "precompiled_charsmap");
    gol_buf_clear(&facts->charsmap_bytes);
    rc = gol_hftok_base64_decode(&facts->charsmap_bytes, text, err);
    if (rc == 0)
        rc = gol_norm_precompiled_create(step, gol_buf_view(&facts->charsmap_bytes), "the map",
                                         err);
    facts->charsmap = gol_buf_view(&facts->charsmap_bytes);
    facts->n_charsmaps++;
    return rc == 0 ? 0 : gol_hftok_fail_at(&map, err, rc);
}

static const gol_norm_class *find_plain(gol_str type)
{
    static const gol_norm_class *const plain[] = {
        &gol_norm_nfc,       &gol_norm_nfd,           &gol_norm_nfkc, &gol_norm_nfkd,
        &gol_norm_lowercase, &gol_norm_strip_accents, &gol_norm_nmt,  &gol_norm_byte_level};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (gol_str_is(type, plain[i]->name))
            return plain[i];
    }
    return NULL;
}

static int read_step(const gol_hftok_node *node, gol_str type, gol_norm_step *step,
                     gol_pipeline *pipeline, gol_hftok_facts *facts, gol_err *err)
{
    const gol_norm_class *plain = find_plain(type);
    if (plain != NULL) {
        *step = (gol_norm_step){plain, NULL};
        if (plain == &gol_norm_byte_level)
            pipeline->norms_write_mapped = pipeline->is_byte_level = true;
        return 0;
    }
    if (gol_str_is(type, "Strip"))
        return read_strip(node, step, err);
    if (gol_str_is(type, "BertNormalizer"))
        return read_bert(node, step, facts, err);
    if (gol_str_is(type, "Replace")) {
        pipeline->norms_replace = true;
        return read_replace(node, step, err);
    }
    if (gol_str_is(type, "Precompiled"))
        return read_precompiled(node, step, facts, err);
    if (gol_str_is(type, "Prepend")) {
        gol_str prefix;
        const int rc = gol_hftok_need_str(node, "prepend", &prefix, err);
        facts->has_prepend = true;
        return rc == 0 ? gol_norm_prepend_create(step, prefix, err) : rc;
    }
    return gol_hftok_unknown_type(node, type, KINDS, err);
}

int gol_hftok_read_normalizer(const gol_hftok_node *node, gol_pipeline *pipeline,
                              gol_hftok_facts *facts, gol_err *err)
{
    gol_str type;
    if (!gol_hftok_is_there(node))
        return 0;
    int rc = gol_hftok_type(node, &type, err);
    if (rc != 0)
        return rc;
    if (gol_str_is(type, "Sequence")) { /* as deep as the JSON may be */
        const gol_hftok_node steps = gol_hftok_get(node, "normalizers");
        for (size_t i = 0; rc == 0 && i < gol_hftok_n(&steps); i++) {
            const gol_hftok_node step = gol_hftok_at(&steps, i);
            rc = gol_hftok_read_normalizer(&step, pipeline, facts, err);
        }
        return rc;
    }
    if (pipeline->n_norms == GOL_PIPELINE_STEPS_MAX)
        return gol_hftok_fail(node, err, GOL_EUNSUPPORTED, "more than %d steps",
                              GOL_PIPELINE_STEPS_MAX);
    gol_norm_step step = {0};
    rc = read_step(node, type, &step, pipeline, facts, err);
    if (rc == 0)
        pipeline->norms[pipeline->n_norms++] = step;
    return rc;
}
