/*
 * Pre-tokenizing: see the header. PCRE2 only ever sees text that was proved to be valid UTF-8 here, once; it is told not to
 * check again, which it would do at every match and make the whole quadratic.
 *
 * Limits: a word's match is linear in its length in all our patterns, so the limit on match steps grows with the text, with
 * room for short ones; the interpreter's heap has a fixed limit, machine code its own stack.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/pre_tokenizer.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/utf8.h"

enum {
    MATCH_STEPS_MIN = 10 * 1000 * 1000,
    MATCH_STEPS_PER_BYTE = 64,
    HEAP_KIB_MAX = 64 << 10,
    DEPTH_MAX = 10 * 1000,
    JIT_STACK_MIN = 32 << 10,
    JIT_STACK_MAX = 1 << 20,
};

struct gol_pre_tokenizer {
    pcre2_general_context *memory;
    pcre2_code *codes[GOL_PRE_PATTERNS_MAX];
    int n_codes;
};

/* One call of split. */
typedef struct splitter {
    const gol_pre_tokenizer *pre;
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_jit_stack *jit_stack;
    gol_pre_emit *emit;
    void *user;
} splitter;

static void *pcre_alloc(PCRE2_SIZE n, void *user)
{
    (void)user;
    return gol_try_alloc(n);
}

static void pcre_free(void *p, void *user)
{
    (void)user;
    gol_free(p);
}

static int compile(gol_pre_tokenizer *pre, pcre2_compile_context *context, const gol_pre_spec *spec,
                   bool use_jit, gol_err *err)
{
    for (int i = 0; i < GOL_PRE_PATTERNS_MAX && spec->patterns[i] != NULL; i++) {
        int error;
        PCRE2_SIZE offset;
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)spec->patterns[i], PCRE2_ZERO_TERMINATED,
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
                                             PCRE2_DOLLAR_ENDONLY,
                                         &error, &offset, context);
        if (code == NULL && error == PCRE2_ERROR_HEAP_FAILED)
            return gol_fail(err, GOL_ENOMEM, "pre-tokenizer '%s': out of memory", spec->name);
        if (code == NULL) {
            PCRE2_UCHAR message[128];
            pcre2_get_error_message(error, message, sizeof message);
            return gol_fail(err, GOL_EINTERNAL, "pre-tokenizer '%s': expression %d at %zu: %s",
                            spec->name, i, (size_t)offset, (const char *)message);
        }
        pre->codes[pre->n_codes++] = code;
        /* Without machine code (a hardened system, an unknown processor) the interpreter does the same, slower. */
        if (use_jit && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0)
            gol_log_debug("text", "pre-tokenizer '%s': expression %d is interpreted", spec->name,
                          i);
    }
    return 0;
}

int gol_pre_tokenizer_create(gol_pre_tokenizer **out, const gol_pre_spec *spec, bool use_jit,
                             gol_err *err)
{
    *out = NULL;
    pcre2_compile_context *context = NULL;
    int rc = GOL_ENOMEM;
    gol_pre_tokenizer *pre = gol_try_calloc(1, sizeof *pre);
    if (pre == NULL)
        goto out_of_memory;
    pre->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    if (pre->memory == NULL)
        goto out_of_memory;
    context = pcre2_compile_context_create(pre->memory);
    if (context == NULL)
        goto out_of_memory;
    rc = compile(pre, context, spec, use_jit, err);
    pcre2_compile_context_free(context);
    if (rc == 0)
        *out = pre;
    else
        gol_pre_tokenizer_destroy(&pre);
    return rc;
out_of_memory:
    gol_pre_tokenizer_destroy(&pre);
    return gol_fail(err, rc, "pre-tokenizer '%s': out of memory", spec->name);
}

void gol_pre_tokenizer_destroy(gol_pre_tokenizer **pre)
{
    if (*pre == NULL)
        return;
    for (int i = 0; i < (*pre)->n_codes; i++)
        pcre2_code_free((*pre)->codes[i]);
    pcre2_general_context_free((*pre)->memory);
    gol_free(*pre);
    *pre = NULL;
}

/* 1 and the match's borders, 0 no match, or an error. */
static int find_match(const splitter *s, int level, gol_str text, size_t pos, size_t *start,
                      size_t *end, gol_err *err)
{
    const pcre2_code *code = s->pre->codes[level];
    int rc = pcre2_match(code, (PCRE2_SPTR)text.data, text.len, pos, PCRE2_NO_UTF_CHECK, s->match,
                         s->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, (PCRE2_SPTR)text.data, text.len, pos,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s->match, s->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc == PCRE2_ERROR_NOMEMORY)
        return gol_fail(err, GOL_ENOMEM, "pre-tokenizer: out of memory");
    if (rc < 0)
        return gol_fail(
            err, GOL_EINVAL,
            "pre-tokenizer: a match limit was reached (PCRE2 error %d) at byte %zu of %zu", rc, pos,
            text.len);
    const PCRE2_SIZE *borders = pcre2_get_ovector_pointer(s->match);
    *start = borders[0];
    *end = borders[1];
    /* No pattern of ours matches nothing. */
    assert(*start >= pos && *end > *start && *end <= text.len);
    return 1;
}

/* text is valid UTF-8, not empty. Recursion is as deep as there are patterns. */
static int split_level(const splitter *s, int level, gol_str text, gol_err *err)
{
    if (level == s->pre->n_codes)
        return s->emit(s->user, text, err);
    size_t pos = 0;
    while (pos < text.len) {
        size_t start = text.len;
        size_t end = text.len;
        int rc = find_match(s, level, text, pos, &start, &end, err);
        if (rc < 0)
            return rc;
        if (start > pos) {
            rc = split_level(s, level + 1, (gol_str){text.data + pos, start - pos}, err);
            if (rc != 0)
                return rc;
        }
        if (end > start) {
            rc = split_level(s, level + 1, (gol_str){text.data + start, end - start}, err);
            if (rc != 0)
                return rc;
        }
        pos = end;
    }
    return 0;
}

static int split_runs(const splitter *s, gol_str text, gol_err *err)
{
    size_t pos = 0;
    while (pos < text.len) {
        const size_t n_valid = gol_utf8_valid_prefix((gol_str){text.data + pos, text.len - pos});
        if (n_valid > 0) {
            const int rc = split_level(s, 0, (gol_str){text.data + pos, n_valid}, err);
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

static uint32_t match_steps(size_t len)
{
    const uint64_t steps = MATCH_STEPS_MIN + (uint64_t)len * MATCH_STEPS_PER_BYTE;
    return steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps;
}

int gol_pre_tokenizer_split(const gol_pre_tokenizer *pre, gol_str text, gol_pre_emit *emit,
                            void *user, gol_err *err)
{
    splitter s = {.pre = pre, .emit = emit, .user = user};
    int rc = GOL_ENOMEM;
    s.context = pcre2_match_context_create(pre->memory);
    s.match = pcre2_match_data_create(1, pre->memory);
    s.jit_stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, pre->memory);
    if (s.context == NULL || s.match == NULL) {
        gol_fail(err, rc, "pre-tokenizer: out of memory");
        goto out;
    }
    pcre2_set_match_limit(s.context, match_steps(text.len));
    pcre2_set_heap_limit(s.context, HEAP_KIB_MAX);
    pcre2_set_depth_limit(s.context, DEPTH_MAX);
    if (s.jit_stack != NULL) /* else 32 KiB of the thread's own */
        pcre2_jit_stack_assign(s.context, NULL, s.jit_stack);
    rc = split_runs(&s, text, err);
out:
    pcre2_jit_stack_free(s.jit_stack);
    pcre2_match_data_free(s.match);
    pcre2_match_context_free(s.context);
    return rc;
}
