/*
 * Pre-tokenizer steps that look at one character after the other: white space, punctuation, digits, a delimiter, a count. Each character that
 * counts is a match of its own, as in the steps of these names in a tokenizer.json.
 */
#include "text/pre_step.h"

#include "base/mem.h"
#include "text/unicode_props.h"
#include "text/utf8.h"

typedef bool char_test(uint32_t cp, uint32_t argument);

typedef struct chars_state {
    char_test *test;
    uint32_t argument;
    gol_split_behavior behavior;
} chars_state;

static int find_char(const void *opaque, const gol_pre_scratch *scratch, gol_str text, size_t pos,
                     size_t *start, size_t *end, gol_err *err)
{
    (void)scratch;
    (void)err;
    const chars_state *state = opaque;
    while (pos < text.len) {
        *start = pos;
        if (state->test(gol_utf8_next(text, &pos), state->argument)) {
            *end = pos;
            return 1;
        }
    }
    return 0;
}

static int split(const void *opaque, const gol_pre_scratch *scratch, const gol_piece *piece,
                 const gol_piece_sink *next, gol_err *err)
{
    const chars_state *state = opaque;
    return gol_split_piece(piece, find_char, state, scratch, state->behavior, false, next, err);
}

static int create(gol_pre_step *out, const gol_pre_class *kind, chars_state from, gol_err *err)
{
    chars_state *state = gol_try_alloc(sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "pre-tokenizer: out of memory");
    *state = from;
    *out = (gol_pre_step){kind, state};
    return 0;
}

static bool is_space(uint32_t cp, uint32_t unused)
{
    (void)unused;
    return gol_unicode_is_space(cp);
}

static bool is_punctuation(uint32_t cp, uint32_t unused)
{
    (void)unused;
    return gol_unicode_is_ascii_punctuation(cp) || gol_unicode_is_punctuation(cp);
}

static bool is_number(uint32_t cp, uint32_t unused)
{
    (void)unused;
    return gol_unicode_is_number(cp);
}

static bool is_equal(uint32_t cp, uint32_t delimiter)
{
    return cp == delimiter;
}

static const gol_pre_class pre_digits = {"Digits", split, gol_free};
static const gol_pre_class pre_punctuation = {"Punctuation", split, gol_free};
static const gol_pre_class pre_delimiter = {"CharDelimiterSplit", split, gol_free};

int gol_pre_digits_create(gol_pre_step *out, bool individual, gol_err *err)
{
    return create(
        out, &pre_digits,
        (chars_state){is_number, 0, individual ? GOL_SPLIT_ISOLATED : GOL_SPLIT_CONTIGUOUS}, err);
}

int gol_pre_punctuation_create(gol_pre_step *out, gol_split_behavior behavior, gol_err *err)
{
    return create(out, &pre_punctuation, (chars_state){is_punctuation, 0, behavior}, err);
}

int gol_pre_delimiter_create(gol_pre_step *out, uint32_t cp, gol_err *err)
{
    return create(out, &pre_delimiter, (chars_state){is_equal, cp, GOL_SPLIT_REMOVED}, err);
}

static const chars_state spaces_removed = {is_space, 0, GOL_SPLIT_REMOVED};
static const chars_state punctuation_isolated = {is_punctuation, 0, GOL_SPLIT_ISOLATED};

static int split_whitespace(const void *state, const gol_pre_scratch *scratch,
                            const gol_piece *piece, const gol_piece_sink *next, gol_err *err)
{
    (void)state;
    return split(&spaces_removed, scratch, piece, next, err);
}

const gol_pre_class gol_pre_whitespace_split = {"WhitespaceSplit", split_whitespace, NULL};

/* The second half of BERT's step, between the first and the step behind. */
typedef struct bert_relay {
    const gol_pre_scratch *scratch;
    const gol_piece_sink *next;
} bert_relay;

static int relay(const gol_piece_sink *sink, const gol_piece *piece, gol_err *err)
{
    const bert_relay *to = sink->user;
    return split(&punctuation_isolated, to->scratch, piece, to->next, err);
}

static int split_bert(const void *state, const gol_pre_scratch *scratch, const gol_piece *piece,
                      const gol_piece_sink *next, gol_err *err)
{
    (void)state;
    bert_relay to = {scratch, next};
    const gol_piece_sink sink = {relay, &to, 0};
    return split(&spaces_removed, scratch, piece, &sink, err);
}

const gol_pre_class gol_pre_bert = {"BertPreTokenizer", split_bert, NULL};

/* \w+|[^\w\s]+ */
static int find_word(const void *state, const gol_pre_scratch *scratch, gol_str text, size_t pos,
                     size_t *start, size_t *end, gol_err *err)
{
    (void)state;
    (void)scratch;
    (void)err;
    bool in_run = false;
    bool is_word = false;
    while (pos < text.len) {
        const size_t at = pos;
        const uint32_t cp = gol_utf8_next(text, &pos);
        const bool word = gol_unicode_is_word(cp);
        if (!word && gol_unicode_is_space(cp)) {
            if (in_run)
                return 1;
            continue;
        }
        if (in_run && word != is_word)
            return 1;
        if (!in_run)
            *start = at;
        in_run = true;
        is_word = word;
        *end = pos;
    }
    return in_run;
}

static int split_words(const void *state, const gol_pre_scratch *scratch, const gol_piece *piece,
                       const gol_piece_sink *next, gol_err *err)
{
    return gol_split_piece(piece, find_word, state, scratch, GOL_SPLIT_REMOVED, true, next, err);
}

const gol_pre_class gol_pre_whitespace = {"Whitespace", split_words, NULL};

/* The next n characters, or those that are left. */
static int find_stretch(const void *state, const gol_pre_scratch *scratch, gol_str text, size_t pos,
                        size_t *start, size_t *end, gol_err *err)
{
    (void)scratch;
    (void)err;
    const size_t *n = state;
    *start = pos;
    for (size_t i = 0; i < *n && pos < text.len; i++)
        gol_utf8_next(text, &pos);
    *end = pos;
    return 1;
}

static int split_length(const void *state, const gol_pre_scratch *scratch, const gol_piece *piece,
                        const gol_piece_sink *next, gol_err *err)
{
    return gol_split_piece(piece, find_stretch, state, scratch, GOL_SPLIT_ISOLATED, false, next,
                           err);
}

static const gol_pre_class pre_length = {"FixedLength", split_length, gol_free};

int gol_pre_length_create(gol_pre_step *out, size_t n, gol_err *err)
{
    size_t *state = gol_try_alloc(sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "pre-tokenizer: out of memory");
    *state = n;
    *out = (gol_pre_step){&pre_length, state};
    return 0;
}
