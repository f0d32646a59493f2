/*
 * Pre-tokenizing: see the header. The regular expressions only ever see text that was proved to be valid UTF-8 here, once, with
 * old characters in the place of such as they do not know.
 */
#include "text/pre_tokenizer.h"

#include <assert.h>

#include "base/mem.h"
#include "text/regex.h"
#include "text/unicode_newer.h"
#include "text/utf8.h"

struct gol_pre_tokenizer {
    gol_regex *levels[GOL_PRE_PATTERNS_MAX];
    int n_levels;
};

/* One call of split. */
typedef struct splitter {
    const gol_pre_tokenizer *pre;
    gol_regex_run run;
    gol_pre_emit *emit;
    void *user;
} splitter;

static int compile(gol_pre_tokenizer *pre, const gol_pre_spec *spec, bool use_jit, gol_err *err)
{
    for (int i = 0; i < GOL_PRE_PATTERNS_MAX && spec->patterns[i] != NULL; i++) {
        int rc = gol_regex_create(&pre->levels[i], gol_str_from(spec->patterns[i]), use_jit, err);
        if (rc != 0) {
            rc = rc == GOL_EINVAL ? GOL_EINTERNAL : rc; /* the pattern is ours */
            if (err != NULL)
                err->code = rc;
            gol_fail_prefix(err, "pre-tokenizer '%s', expression %d", spec->name, i);
            return rc;
        }
        pre->n_levels++;
    }
    return 0;
}

int gol_pre_tokenizer_create(gol_pre_tokenizer **out, const gol_pre_spec *spec, bool use_jit,
                             gol_err *err)
{
    *out = NULL;
    gol_pre_tokenizer *pre = gol_try_calloc(1, sizeof *pre);
    if (pre == NULL)
        return gol_fail(err, GOL_ENOMEM, "pre-tokenizer '%s': out of memory", spec->name);
    const int rc = compile(pre, spec, use_jit, err);
    if (rc == 0)
        *out = pre;
    else
        gol_pre_tokenizer_destroy(&pre);
    return rc;
}

void gol_pre_tokenizer_destroy(gol_pre_tokenizer **pre)
{
    if (*pre == NULL)
        return;
    for (int i = 0; i < (*pre)->n_levels; i++)
        gol_regex_destroy(&(*pre)->levels[i]);
    gol_free(*pre);
    *pre = NULL;
}

/* text is valid UTF-8, not empty; subject is what the expressions see of it, as long. Recursion is as deep as there are patterns. */
static int split_level(const splitter *s, int level, gol_str text, gol_str subject, gol_err *err)
{
    if (level == s->pre->n_levels)
        return s->emit(s->user, text, err);
    size_t pos = 0;
    while (pos < text.len) {
        size_t start = text.len;
        size_t end = text.len;
        int rc = gol_regex_find(s->pre->levels[level], &s->run, subject, pos, &start, &end, err);
        if (rc < 0)
            return rc;
        assert(rc == 0 || end > start); /* no pattern of ours matches nothing */
        const size_t borders[3] = {pos, start, end};
        for (int i = 0; i < 2; i++) {
            const size_t n = borders[i + 1] - borders[i];
            if (n == 0)
                continue;
            rc = split_level(s, level + 1, (gol_str){text.data + borders[i], n},
                             (gol_str){subject.data + borders[i], n}, err);
            if (rc != 0)
                return rc;
        }
        pos = end;
    }
    return 0;
}

static int split_valid(const splitter *s, gol_str text, gol_err *err)
{
    gol_buf rewritten;
    gol_buf_init(&rewritten, text.len);
    const gol_str subject = gol_unicode_regex_subject(&rewritten, text);
    const int rc = rewritten.failed ? gol_fail(err, GOL_ENOMEM, "pre-tokenizer: out of memory")
                                    : split_level(s, 0, text, subject, err);
    gol_buf_deinit(&rewritten);
    return rc;
}

static int split_runs(const splitter *s, gol_str text, gol_err *err)
{
    size_t pos = 0;
    while (pos < text.len) {
        const size_t n_valid = gol_utf8_valid_prefix((gol_str){text.data + pos, text.len - pos});
        if (n_valid > 0) {
            const int rc = split_valid(s, (gol_str){text.data + pos, n_valid}, err);
            if (rc != 0)
                return rc;
            pos += n_valid;
        }
        const size_t bad = pos;
        uint32_t cp;
        int n_bad;
        while (pos < text.len && gol_utf8_decode(text.data + pos, text.len - pos, &cp, &n_bad) <= 0)
            pos++;
        if (pos > bad) {
            const int rc = s->emit(s->user, (gol_str){text.data + bad, pos - bad}, err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int gol_pre_tokenizer_split(const gol_pre_tokenizer *pre, gol_str text, gol_pre_emit *emit,
                            void *user, gol_err *err)
{
    splitter s = {.pre = pre, .emit = emit, .user = user};
    int rc = gol_regex_run_init(&s.run, text.len, err);
    if (rc != 0)
        return rc;
    rc = split_runs(&s, text, err);
    gol_regex_run_deinit(&s.run);
    return rc;
}
