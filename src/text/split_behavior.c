/*
 * Cutting a piece at matches, in the five ways that tokenizer.json knows. The piece is seen as a row of stretches that match or do not
 * match in turn (two matches may be neighbours); one stretch is held back, because the next one may be joined to it.
 */
#include "text/pre_step.h"

#include "text/utf8.h"

typedef struct joiner {
    const gol_piece *piece;
    const gol_piece_sink *next;
    gol_split_behavior behavior;
    size_t start, end; /* the stretch held back */
    bool has_held;
    bool is_match;  /* of the stretch held back */
    bool was_match; /* of the last stretch */
} joiner;

static int emit(const joiner *j, size_t start, size_t end, gol_err *err)
{
    if (end == start)
        return 0;
    const gol_piece piece = {
        .text = {j->piece->text.data + start, end - start},
        .at_text_start = j->piece->at_text_start && start == 0,
        .is_mapped = j->piece->is_mapped,
    };
    return j->next->put(j->next, &piece, err);
}

static bool joins(const joiner *j, bool is_match)
{
    switch (j->behavior) {
    case GOL_SPLIT_CONTIGUOUS:
        return is_match == j->is_match;
    case GOL_SPLIT_MERGED_WITH_PREVIOUS:
        return is_match && !j->was_match;
    case GOL_SPLIT_MERGED_WITH_NEXT:
        return !is_match && j->is_match;
    default:
        return false;
    }
}

static int put(joiner *j, size_t start, size_t end, bool is_match, gol_err *err)
{
    if (j->behavior == GOL_SPLIT_ISOLATED)
        return emit(j, start, end, err);
    if (j->behavior == GOL_SPLIT_REMOVED)
        return is_match ? 0 : emit(j, start, end, err);
    int rc = 0;
    if (j->has_held && joins(j, is_match)) {
        j->end = end;
        if (j->behavior == GOL_SPLIT_MERGED_WITH_NEXT)
            j->is_match = false;
    } else {
        if (j->has_held)
            rc = emit(j, j->start, j->end, err);
        j->start = start;
        j->end = end;
        j->is_match = is_match;
        j->has_held = true;
    }
    j->was_match = is_match;
    return rc;
}

int gol_split_piece(const gol_piece *piece, gol_split_find *find, const void *state,
                    const gol_pre_scratch *scratch, gol_split_behavior behavior, bool is_inverted,
                    const gol_piece_sink *next, gol_err *err)
{
    const gol_str text = piece->text;
    joiner j = {.piece = piece, .next = next, .behavior = behavior};
    size_t done = 0;
    size_t pos = 0;
    int rc = 0;
    while (rc == 0 && pos < text.len) {
        size_t start, end;
        const int found = find(state, scratch, text, pos, &start, &end, err);
        if (found < 0)
            return found;
        if (found == 0)
            break;
        if (start > done)
            rc = put(&j, done, start, is_inverted, err);
        if (rc == 0)
            rc = put(&j, start, end, !is_inverted, err);
        done = pos = end;
        if (end == start && pos < text.len)
            gol_utf8_next(text, &pos);
    }
    if (rc == 0 && done < text.len)
        rc = put(&j, done, text.len, is_inverted, err);
    if (rc == 0 && j.has_held)
        rc = emit(&j, j.start, j.end, err);
    return rc;
}
