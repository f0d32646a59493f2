/*
 * The pre-tokenizer step UnicodeScripts: a text is cut where the writing changes, as SentencePiece's training does (IsValidSentencePiece
 * in trainer_interface.cc). Kana count as ideographs; spaces and characters without a script belong to what is before them.
 */
#include "text/pre_step.h"

#include "text/unicode_scripts_table.h"
#include "text/utf8.h"

enum { N_STARTS = sizeof starts / sizeof starts[0], PROLONGED_SOUND = 0x30FC };

/* SCRIPT_UNKNOWN: any. */
static int script_of(uint32_t cp)
{
    if (cp == ' ')
        return SCRIPT_UNKNOWN;
    if (cp == PROLONGED_SOUND)
        return SCRIPT_HAN;
    size_t low = 0; /* the last start at or before cp; the first is 0 */
    size_t high = N_STARTS;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (starts[middle].first <= cp)
            low = middle;
        else
            high = middle;
    }
    const int script = starts[low].script;
    return script == SCRIPT_HIRAGANA || script == SCRIPT_KATAKANA ? SCRIPT_HAN : script;
}

static int emit(const gol_piece *piece, size_t start, size_t end, const gol_piece_sink *next,
                gol_err *err)
{
    const gol_piece part = {
        .text = {piece->text.data + start, end - start},
        .at_text_start = piece->at_text_start && start == 0,
        .is_mapped = piece->is_mapped,
    };
    return end > start ? next->put(next, &part, err) : 0;
}

/* What stands before the first character with a script is left out, as the step in tokenizer.json does. */
static int split(const void *state, const gol_pre_scratch *scratch, const gol_piece *piece,
                 const gol_piece_sink *next, gol_err *err)
{
    (void)state;
    (void)scratch;
    const gol_str text = piece->text;
    size_t start = text.len;
    int last = SCRIPT_UNKNOWN;
    int rc = 0;
    for (size_t pos = 0; rc == 0 && pos < text.len;) {
        const size_t here = pos;
        const int script = script_of(gol_utf8_next(text, &pos));
        if (script == SCRIPT_UNKNOWN || script == last)
            continue;
        if (start < text.len)
            rc = emit(piece, start, here, next, err);
        start = here;
        last = script;
    }
    return rc == 0 ? emit(piece, start, text.len, next, err) : rc;
}

const gol_pre_class gol_pre_scripts = {"UnicodeScripts", split, NULL};
