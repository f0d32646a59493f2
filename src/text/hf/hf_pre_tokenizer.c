/*
 * tokenizer.json: "pre_tokenizer", one step or a Sequence of them. Beside making the steps, it writes down those that are expressions
 * whose matches stand alone: a row of such is what tokenizer.ggml.pre names.
 */
#include "text/hf/hf_parts.h"

#include "text/hf/hf_regex.h"
#include "text/pre_patterns.h"
#include "text/utf8.h"

#define KINDS                                                                                      \
    "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit, "    \
    "CharDelimiterSplit, BertPreTokenizer, UnicodeScripts, FixedLength"

enum { LENGTH_DEFAULT = 5, LENGTH_MAX = 1 << 30 };

static int read_behavior(const gol_hftok_node *node, gol_split_behavior *out, gol_err *err)
{
    static const char *const names[] = {
        [GOL_SPLIT_ISOLATED] = "Isolated",
        [GOL_SPLIT_REMOVED] = "Removed",
        [GOL_SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
        [GOL_SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
        [GOL_SPLIT_CONTIGUOUS] = "Contiguous",
    };
    gol_str name;
    const int rc = gol_hftok_str(node, "behavior", &name, err);
    if (rc <= 0)
        return rc;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (gol_str_is(name, names[i])) {
            *out = (gol_split_behavior)i;
            return 0;
        }
    }
    const gol_hftok_node at = gol_hftok_get(node, "behavior");
    char quoted[64];
    return gol_hftok_fail(
        &at, err, GOL_EUNSUPPORTED,
        "'%s', accepted are Isolated, Removed, MergedWithPrevious, MergedWithNext, "
        "Contiguous",
        gol_quote(quoted, sizeof quoted, name));
}

static void note_pattern(gol_hftok_facts *facts, gol_str pattern)
{
    if (facts->n_patterns == GOL_HFTOK_PATTERNS_MAX)
        facts->has_other_steps = true;
    else
        gol_buf_put_str(&facts->patterns[facts->n_patterns++], pattern);
}

static int read_split(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                      gol_err *err)
{
    gol_split_behavior behavior = GOL_SPLIT_ISOLATED;
    bool is_inverted = false;
    bool is_regex = false;
    int rc = read_behavior(node, &behavior, err);
    if (rc < 0 || gol_hftok_bool(node, "invert", &is_inverted, err) < 0)
        return rc < 0 ? rc : GOL_EMODEL;
    gol_buf pattern;
    gol_buf_init(&pattern, GOL_REGEX_LEN_MAX);
    rc = gol_hftok_read_pattern(node, &is_regex, &pattern, err);
    if (rc == 0) {
        rc = is_regex
                 ? gol_pre_split_create(step, gol_buf_view(&pattern), behavior, is_inverted, err)
                 : gol_pre_literal_create(step, gol_buf_view(&pattern), behavior, is_inverted, err);
        if (rc != 0)
            rc = gol_hftok_fail_at(node, err, rc == GOL_EINVAL ? GOL_EMODEL : rc);
    }
    /* A pattern that matches everything may as well remove what it does not match. */
    const bool isolates = is_regex && (is_inverted ? behavior == GOL_SPLIT_REMOVED
                                                   : behavior == GOL_SPLIT_ISOLATED);
    if (isolates)
        note_pattern(facts, gol_buf_view(&pattern));
    else
        facts->has_other_steps = true;
    gol_buf_deinit(&pattern);
    return rc;
}

static int read_byte_level(const gol_hftok_node *node, gol_pre_step *step, gol_pipeline *pipeline,
                           gol_hftok_facts *facts, bool is_last, gol_err *err)
{
    gol_pre_bytes_opts opts = {.adds_space = true, .uses_pattern = true, .writes_mapped = !is_last};
    if (gol_hftok_bool(node, "add_prefix_space", &opts.adds_space, err) < 0 ||
        gol_hftok_bool(node, "use_regex", &opts.uses_pattern, err) < 0)
        return GOL_EMODEL;
    pipeline->is_byte_level = facts->has_byte_steps = true;
    facts->bytes_add_space = facts->bytes_add_space || opts.adds_space;
    if (opts.uses_pattern)
        note_pattern(facts, gol_str_from(gol_pre_spec_find(GOL_STR("gpt-2"))->patterns[0]));
    return gol_pre_bytes_create(step, &opts, err);
}

static int read_scheme(const gol_hftok_node *node, gol_prepend_scheme *out, gol_err *err)
{
    gol_str name = GOL_STR("always");
    bool adds_space = true; /* what files of old versions say instead */
    if (gol_hftok_bool(node, "add_prefix_space", &adds_space, err) < 0)
        return GOL_EMODEL;
    if (!adds_space)
        name = GOL_STR("never");
    if (gol_hftok_str(node, "prepend_scheme", &name, err) < 0)
        return GOL_EMODEL;
    if (gol_str_is(name, "always"))
        *out = GOL_PREPEND_ALWAYS;
    else if (gol_str_is(name, "first"))
        *out = GOL_PREPEND_FIRST;
    else if (gol_str_is(name, "never"))
        *out = GOL_PREPEND_NEVER;
    else {
        const gol_hftok_node at = gol_hftok_get(node, "prepend_scheme");
        char quoted[64];
        return gol_hftok_fail(&at, err, GOL_EUNSUPPORTED, "'%s', accepted are always, first, never",
                              gol_quote(quoted, sizeof quoted, name));
    }
    return 0;
}

/* One character. */
static int read_char(const gol_hftok_node *node, const char *key, gol_str *out, gol_err *err)
{
    const int rc = gol_hftok_str(node, key, out, err);
    if (rc < 0 || (rc == 0 && out->len > 0))
        return rc < 0 ? rc : 0;
    size_t pos = 0;
    if (out->len > 0)
        gol_utf8_next(*out, &pos);
    if (pos > 0 && pos == out->len)
        return 0;
    const gol_hftok_node at = gol_hftok_get(node, key);
    return gol_hftok_fail(&at, err, GOL_EMODEL, "%zu bytes, one character is accepted", out->len);
}

static int read_metaspace(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                          gol_err *err)
{
    gol_str mark = GOL_STR("\xE2\x96\x81");
    gol_prepend_scheme scheme = GOL_PREPEND_ALWAYS;
    bool splits = true;
    int rc = read_char(node, "replacement", &mark, err);
    if (rc == 0)
        rc = read_scheme(node, &scheme, err);
    if (rc == 0 && gol_hftok_bool(node, "split", &splits, err) < 0)
        rc = GOL_EMODEL;
    facts->has_metaspace = true;
    facts->prepend = scheme;
    return rc == 0 ? gol_pre_metaspace_create(step, mark, scheme, splits, err) : rc;
}

static int read_digits(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                       gol_err *err)
{
    bool individual = false;
    if (gol_hftok_bool(node, "individual_digits", &individual, err) < 0)
        return GOL_EMODEL;
    note_pattern(facts, individual ? GOL_STR("\\p{N}") : GOL_STR("\\p{N}+"));
    return gol_pre_digits_create(step, individual, err);
}

static int read_punctuation(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                            gol_err *err)
{
    gol_split_behavior behavior = GOL_SPLIT_ISOLATED;
    const int rc = read_behavior(node, &behavior, err);
    if (rc != 0)
        return rc;
    if (behavior == GOL_SPLIT_CONTIGUOUS)
        note_pattern(facts, GOL_STR("[\\p{P}$+<=>^~|`]+"));
    else
        facts->has_other_steps = true;
    return gol_pre_punctuation_create(step, behavior, err);
}

static int read_delimiter(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                          gol_err *err)
{
    gol_str delimiter = {NULL, 0};
    const int rc = read_char(node, "delimiter", &delimiter, err);
    if (rc != 0)
        return rc;
    size_t pos = 0;
    facts->has_other_steps = true;
    return gol_pre_delimiter_create(step, gol_utf8_next(delimiter, &pos), err);
}

static int read_length(const gol_hftok_node *node, gol_pre_step *step, gol_hftok_facts *facts,
                       gol_err *err)
{
    int64_t n = LENGTH_DEFAULT;
    if (gol_hftok_int(node, "length", 1, LENGTH_MAX, &n, err) < 0)
        return GOL_EMODEL;
    facts->has_other_steps = true;
    return gol_pre_length_create(step, (size_t)n, err);
}

static int read_step(const gol_hftok_node *node, gol_str type, gol_pre_step *step,
                     gol_pipeline *pipeline, gol_hftok_facts *facts, bool is_last, gol_err *err)
{
    static const gol_pre_class *const plain[] = {&gol_pre_bert, &gol_pre_whitespace,
                                                 &gol_pre_whitespace_split, &gol_pre_scripts};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (gol_str_is(type, plain[i]->name)) {
            facts->has_other_steps = true;
            *step = (gol_pre_step){plain[i], NULL};
            return 0;
        }
    }
    if (gol_str_is(type, "Split"))
        return read_split(node, step, facts, err);
    if (gol_str_is(type, "ByteLevel"))
        return read_byte_level(node, step, pipeline, facts, is_last, err);
    if (gol_str_is(type, "Metaspace")) {
        const int rc = read_metaspace(node, step, facts, err);
        pipeline->marks_first = pipeline->marks_first || facts->prepend == GOL_PREPEND_FIRST;
        return rc;
    }
    if (gol_str_is(type, "Digits"))
        return read_digits(node, step, facts, err);
    if (gol_str_is(type, "Punctuation"))
        return read_punctuation(node, step, facts, err);
    if (gol_str_is(type, "CharDelimiterSplit"))
        return read_delimiter(node, step, facts, err);
    if (gol_str_is(type, "FixedLength"))
        return read_length(node, step, facts, err);
    return gol_hftok_unknown_type(node, type, KINDS, err);
}

static int read_steps(const gol_hftok_node *node, gol_pipeline *pipeline, gol_hftok_facts *facts,
                      bool is_last, gol_err *err)
{
    gol_str type;
    int rc = gol_hftok_type(node, &type, err);
    if (rc != 0)
        return rc;
    if (gol_str_is(type, "Sequence")) { /* as deep as the JSON may be */
        const gol_hftok_node steps = gol_hftok_get(node, "pretokenizers");
        const size_t n = gol_hftok_n(&steps);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            const gol_hftok_node step = gol_hftok_at(&steps, i);
            rc = read_steps(&step, pipeline, facts, is_last && i + 1 == n, err);
        }
        return rc;
    }
    if (pipeline->n_pres == GOL_PIPELINE_STEPS_MAX)
        return gol_hftok_fail(node, err, GOL_EUNSUPPORTED, "more than %d steps",
                              GOL_PIPELINE_STEPS_MAX);
    gol_pre_step step = {0};
    rc = read_step(node, type, &step, pipeline, facts, is_last, err);
    if (rc == 0)
        pipeline->pres[pipeline->n_pres++] = step;
    return rc;
}

int gol_hftok_read_pre_tokenizer(const gol_hftok_node *node, gol_pipeline *pipeline,
                                 gol_hftok_facts *facts, gol_err *err)
{
    return gol_hftok_is_there(node) ? read_steps(node, pipeline, facts, true, err) : 0;
}
