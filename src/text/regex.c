/*
 * Regular expressions: see the header. PCRE2 is told not to check UTF-8 again, which it would do at every match and make the
 * whole quadratic.
 *
 * Limits: a match is linear in its length in all patterns of ours, so the limit on match steps grows with the text, with room
 * for short ones; the interpreter's heap has a fixed limit, machine code its own stack.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/regex.h"

#include "base/log.h"
#include "base/mem.h"

enum {
    MATCH_STEPS_MIN = 10 * 1000 * 1000,
    MATCH_STEPS_PER_BYTE = 64,
    HEAP_KIB_MAX = 64 << 10,
    DEPTH_MAX = 10 * 1000,
    JIT_STACK_MIN = 32 << 10,
    JIT_STACK_SMALL = 1 << 20,
    JIT_STACK_MAX = 64 << 20, /* reserved, not used: what a group repeated a million times needs */
    JIT_STACK_PER_BYTE = 256,
    OPTIONS = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
};

struct gol_regex {
    pcre2_general_context *memory;
    pcre2_code *code;
};

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

static int compile(gol_regex *regex, pcre2_compile_context *context, gol_str pattern, bool use_jit,
                   gol_err *err)
{
    int error;
    PCRE2_SIZE offset;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len, OPTIONS, &error, &offset,
                                context);
    if (regex->code == NULL && error == PCRE2_ERROR_HEAP_FAILED)
        return gol_fail(err, GOL_ENOMEM, "regular expression: out of memory");
    if (regex->code == NULL) {
        PCRE2_UCHAR message[128];
        char quoted[160];
        pcre2_get_error_message(error, message, sizeof message);
        return gol_fail(err, GOL_EINVAL, "regular expression '%s': at %zu: %s",
                        gol_quote(quoted, sizeof quoted, pattern), (size_t)offset,
                        (const char *)message);
    }
    /* Without machine code (a hardened system, an unknown processor) the interpreter does the same, slower. */
    if (use_jit && pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) != 0)
        gol_log_debug("text", "a regular expression is interpreted");
    return 0;
}

int gol_regex_create(gol_regex **out, gol_str pattern, bool use_jit, gol_err *err)
{
    *out = NULL;
    if (pattern.len > GOL_REGEX_LEN_MAX)
        return gol_fail(err, GOL_EINVAL, "regular expression: %zu bytes, at most %d are accepted",
                        pattern.len, GOL_REGEX_LEN_MAX);
    pcre2_compile_context *context = NULL;
    int rc = GOL_ENOMEM;
    gol_regex *regex = gol_try_calloc(1, sizeof *regex);
    if (regex == NULL)
        goto out_of_memory;
    regex->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    if (regex->memory == NULL)
        goto out_of_memory;
    context = pcre2_compile_context_create(regex->memory);
    if (context == NULL)
        goto out_of_memory;
    rc = compile(regex, context, pattern, use_jit, err);
    pcre2_compile_context_free(context);
    if (rc == 0)
        *out = regex;
    else
        gol_regex_destroy(&regex);
    return rc;
out_of_memory:
    gol_regex_destroy(&regex);
    return gol_fail(err, rc, "regular expression: out of memory");
}

void gol_regex_destroy(gol_regex **regex)
{
    if (*regex == NULL)
        return;
    pcre2_code_free((*regex)->code);
    pcre2_general_context_free((*regex)->memory);
    gol_free(*regex);
    *regex = NULL;
}

static uint32_t match_steps(size_t len)
{
    const uint64_t steps = MATCH_STEPS_MIN + (uint64_t)len * MATCH_STEPS_PER_BYTE;
    return steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps;
}

/* Most a match may push. Reserving little for short texts is quicker, and an emulator keeps books of every page. */
static size_t jit_stack_max(size_t text_len)
{
    if (text_len >= JIT_STACK_MAX / JIT_STACK_PER_BYTE)
        return JIT_STACK_MAX;
    const size_t n = text_len * JIT_STACK_PER_BYTE;
    return n > JIT_STACK_SMALL ? n : JIT_STACK_SMALL;
}

int gol_regex_run_init(gol_regex_run *run, size_t text_len, gol_err *err)
{
    *run = (gol_regex_run){0};
    run->memory = pcre2_general_context_create(pcre_alloc, pcre_free, NULL);
    if (run->memory != NULL) {
        run->context = pcre2_match_context_create(run->memory);
        run->match = pcre2_match_data_create(1, run->memory);
        run->jit_stack = pcre2_jit_stack_create(JIT_STACK_MIN, jit_stack_max(text_len),
                                                run->memory);
    }
    if (run->context == NULL || run->match == NULL) {
        gol_regex_run_deinit(run);
        return gol_fail(err, GOL_ENOMEM, "regular expression: out of memory");
    }
    pcre2_set_match_limit(run->context, match_steps(text_len));
    pcre2_set_heap_limit(run->context, HEAP_KIB_MAX);
    pcre2_set_depth_limit(run->context, DEPTH_MAX);
    if (run->jit_stack != NULL) /* else 32 KiB of the thread's own */
        pcre2_jit_stack_assign(run->context, NULL, run->jit_stack);
    return 0;
}

void gol_regex_run_deinit(gol_regex_run *run)
{
    pcre2_jit_stack_free(run->jit_stack);
    pcre2_match_data_free(run->match);
    pcre2_match_context_free(run->context);
    pcre2_general_context_free(run->memory);
    *run = (gol_regex_run){0};
}

int gol_regex_find(const gol_regex *regex, const gol_regex_run *run, gol_str text, size_t pos,
                   size_t *start, size_t *end, gol_err *err)
{
    PCRE2_SPTR data = (PCRE2_SPTR)text.data;
    int rc = pcre2_match(regex->code, data, text.len, pos, PCRE2_NO_UTF_CHECK, run->match,
                         run->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(regex->code, data, text.len, pos, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                         run->match, run->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc == PCRE2_ERROR_NOMEMORY)
        return gol_fail(err, GOL_ENOMEM, "regular expression: out of memory");
    if (rc < 0)
        return gol_fail(
            err, GOL_EINVAL,
            "regular expression: a match limit was reached (PCRE2 error %d) at byte %zu of %zu", rc,
            pos, text.len);
    const PCRE2_SIZE *borders = pcre2_get_ovector_pointer(run->match);
    if (borders[0] < pos || borders[1] < borders[0] || borders[1] > text.len)
        return gol_fail(err, GOL_EINVAL,
                        "regular expression: a match that ends before it begins (\\K)");
    *start = borders[0];
    *end = borders[1];
    return 1;
}
