/*
 * Running a pipeline: see the header. A text goes through part by part; pre-tokenizer steps call each other, piece by piece, so
 * that no list of pieces is ever made.
 *
 * Bytes that are no UTF-8 go to a byte-level model as they are, past everything; other models see U+FFFD.
 */
#include "text/pipeline.h"

#include "base/mem.h"
#include "text/byte_map.h"
#include "text/tokenizer_kind.h"
#include "text/utf8.h"

/* One call of encode. */
typedef struct pipeline_run {
    const gol_pipeline *pipeline;
    const gol_vocab *vocab;
    gol_ids *ids;
    gol_word_scratch scratch;
    gol_regex_run regex;
    gol_buf texts[GOL_PIPELINE_STEPS_MAX + 1]; /* a step's own; the last: for unmapping */
} pipeline_run;

void gol_pipeline_deinit(gol_pipeline *pipeline)
{
    for (int i = 0; i < pipeline->n_norms; i++)
        gol_norm_step_deinit(&pipeline->norms[i]);
    for (int i = 0; i < pipeline->n_pres; i++)
        gol_pre_step_deinit(&pipeline->pres[i]);
    gol_special_tokens_deinit(&pipeline->normalized);
    gol_word_model_deinit(&pipeline->model);
    *pipeline = (gol_pipeline){0};
}

static int run_init(pipeline_run *run, const gol_pipeline *pipeline, const gol_vocab *vocab,
                    gol_ids *ids, size_t text_len, gol_err *err)
{
    *run = (pipeline_run){.pipeline = pipeline, .vocab = vocab, .ids = ids};
    for (int i = 0; i <= GOL_PIPELINE_STEPS_MAX; i++)
        gol_buf_init(&run->texts[i], GOL_NORMALIZED_TEXT_MAX);
    return pipeline->n_pres > 0 ? gol_regex_run_init(&run->regex, text_len, err) : 0;
}

static void run_deinit(pipeline_run *run)
{
    for (int i = 0; i <= GOL_PIPELINE_STEPS_MAX; i++)
        gol_buf_deinit(&run->texts[i]);
    gol_regex_run_deinit(&run->regex);
    gol_word_scratch_deinit(&run->scratch);
}

static int no_room(const gol_buf *buf, gol_err *err)
{
    if (buf->len_max == GOL_NORMALIZED_TEXT_MAX && buf->len > buf->len_max / 4)
        return gol_fail(err, GOL_ETOOLARGE,
                        "text: normalized, it has over %d bytes, or memory ran out",
                        GOL_NORMALIZED_TEXT_MAX);
    return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
}

int gol_pipeline_normalize(const gol_pipeline *pipeline, gol_buf *out, gol_str text, bool at_start,
                           gol_err *err)
{
    gol_buf other;
    gol_buf_init(&other, out->len_max);
    gol_buf *to = pipeline->n_norms % 2 == 0 ? &other : out; /* the last step writes into out */
    int rc = 0;
    for (int i = 0; rc == 0 && i < pipeline->n_norms; i++) {
        gol_buf_clear(to);
        const gol_norm_step *step = &pipeline->norms[i];
        if (text.len > 0)
            rc = step->kind->apply(step->state, to, text, at_start, err);
        if (rc == 0 && to->failed)
            rc = no_room(to, err);
        text = gol_buf_view(to);
        to = to == out ? &other : out;
    }
    gol_buf_deinit(&other);
    return rc;
}

static int encode_word(pipeline_run *run, gol_str word, gol_err *err)
{
    const gol_word_model *model = &run->pipeline->model;
    const int rc = model->kind->encode(model->state, run->vocab, &run->scratch, run->ids, word);
    return rc == 0 ? 0 : gol_fail(err, rc, "tokenizer: out of memory");
}

/* Characters back to the bytes that they stand for. */
static int unmap(gol_buf *out, gol_str text, gol_err *err)
{
    gol_buf_clear(out);
    for (size_t pos = 0; pos < text.len;) {
        const size_t start = pos;
        const int byte = gol_byte_map_byte(gol_utf8_next(text, &pos));
        if (byte >= 0)
            gol_buf_putc(out, (char)byte);
        else
            gol_buf_put(out, text.data + start, pos - start);
    }
    return out->failed ? no_room(out, err) : 0;
}

static int map(gol_buf *out, gol_str bytes, gol_err *err)
{
    gol_buf_clear(out);
    for (size_t i = 0; i < bytes.len; i++) {
        char written[2];
        gol_buf_put(out, written, (size_t)gol_byte_map_write(written, (uint8_t)bytes.data[i]));
    }
    return out->failed ? no_room(out, err) : 0;
}

/* To the model, in the writing that it reads. */
static int encode_piece(pipeline_run *run, gol_str text, bool is_mapped, gol_err *err)
{
    const bool reads_mapped = run->pipeline->model_reads_mapped;
    if (!run->pipeline->is_byte_level)
        return encode_word(run, text, err);
    gol_buf *other = &run->texts[GOL_PIPELINE_STEPS_MAX];
    int rc = 0;
    if (is_mapped && !reads_mapped)
        rc = unmap(other, text, err);
    else if (!is_mapped && reads_mapped)
        rc = map(other, text, err);
    else
        return encode_word(run, text, err);
    return rc == 0 ? encode_word(run, gol_buf_view(other), err) : rc;
}

static int put_piece(const gol_piece_sink *sink, const gol_piece *piece, gol_err *err)
{
    pipeline_run *run = sink->user;
    const gol_pipeline *pipeline = run->pipeline;
    if (piece->text.len == 0)
        return 0;
    if (sink->level == pipeline->n_pres)
        return encode_piece(run, piece->text, piece->is_mapped, err);
    const gol_pre_step *step = &pipeline->pres[sink->level];
    const gol_pre_scratch scratch = {&run->regex, &run->texts[sink->level]};
    const gol_piece_sink next = {put_piece, run, sink->level + 1};
    return step->kind->split(step->state, &scratch, piece, &next, err);
}

static int encode_plain(pipeline_run *run, gol_str text, bool at_text_start, gol_err *err)
{
    const gol_piece_sink first = {put_piece, run, 0};
    const gol_piece piece = {text, at_text_start, run->pipeline->starts_mapped};
    return put_piece(&first, &piece, err);
}

/* A normalized text: the tokens to be looked for in it, and what is between them. */
static int encode_normalized(pipeline_run *run, gol_str text, unsigned where, gol_err *err)
{
    size_t pos = 0;
    gol_special_match match;
    while (pos < text.len) {
        const bool found = gol_special_tokens_next(&run->pipeline->normalized, text, pos,
                                                   (where & GOL_RUN_PARSE_SPECIAL) != 0, &match);
        const size_t end = found ? match.start : text.len;
        if (end > pos) {
            const bool at_text_start = (where & GOL_RUN_AT_TEXT_START) != 0 && pos == 0;
            const int rc = encode_plain(run, (gol_str){text.data + pos, end - pos}, at_text_start,
                                        err);
            if (rc != 0)
                return rc;
        }
        if (!found)
            break;
        if (gol_ids_push(run->ids, match.id) != 0)
            return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
        pos = match.end;
    }
    return 0;
}

/* Whether the normalized text begins where the text does: not if its first character was dropped, or replaced together with others
 * (an expression's match counts as its last character then). */
static int check_start(const gol_pipeline *pipeline, gol_str text, gol_str normalized,
                       unsigned *where, gol_err *err)
{
    if (!pipeline->marks_first || (*where & GOL_RUN_AT_TEXT_START) == 0 || text.len == 0)
        return 0;
    size_t n = 0;
    gol_utf8_next(text, &n);
    gol_buf first;
    gol_buf_init(&first, GOL_NORMALIZED_TEXT_MAX);
    const int rc = gol_pipeline_normalize(pipeline, &first, (gol_str){text.data, n}, true, err);
    const bool is_kept = first.len > 0 && normalized.len >= first.len &&
                         memcmp(normalized.data, first.data, first.len) == 0;
    if (first.len == 0 || (pipeline->norms_replace && !is_kept))
        *where &= ~(unsigned)GOL_RUN_AT_TEXT_START;
    gol_buf_deinit(&first);
    return rc;
}

static int encode_valid(pipeline_run *run, gol_str text, unsigned where, gol_err *err)
{
    if (run->pipeline->n_norms == 0)
        return encode_normalized(run, text, where, err);
    gol_buf normalized;
    gol_buf_init(&normalized, GOL_NORMALIZED_TEXT_MAX);
    int rc = gol_pipeline_normalize(run->pipeline, &normalized, text,
                                    (where & GOL_RUN_AT_START) != 0, err);
    if (rc == 0)
        rc = check_start(run->pipeline, text, gol_buf_view(&normalized), &where, err);
    if (rc == 0)
        rc = encode_normalized(run, gol_buf_view(&normalized), where, err);
    gol_buf_deinit(&normalized);
    return rc;
}

/* Runs of valid text and runs of other bytes, in turn. */
static int encode_bytes(pipeline_run *run, gol_str text, unsigned where, gol_err *err)
{
    size_t pos = 0;
    int rc = 0;
    while (rc == 0 && pos < text.len) {
        const size_t n_valid = gol_utf8_valid_prefix((gol_str){text.data + pos, text.len - pos});
        if (n_valid > 0)
            rc = encode_valid(run, (gol_str){text.data + pos, n_valid}, pos == 0 ? where : 0, err);
        pos += n_valid;
        const size_t bad = pos;
        uint32_t cp;
        int n_bad;
        while (pos < text.len && gol_utf8_decode(text.data + pos, text.len - pos, &cp, &n_bad) <= 0)
            pos++;
        if (rc == 0 && pos > bad)
            rc = encode_piece(run, (gol_str){text.data + bad, pos - bad}, false, err);
    }
    return rc;
}

static int encode_repaired(pipeline_run *run, gol_str text, unsigned where, gol_err *err)
{
    gol_buf repaired;
    gol_buf_init(&repaired, GOL_NORMALIZED_TEXT_MAX);
    gol_utf8_filter filter = {0};
    gol_utf8_filter_push(&filter, text, &repaired);
    gol_utf8_filter_flush(&filter, &repaired);
    const int rc = repaired.failed ? no_room(&repaired, err)
                                   : encode_valid(run, gol_buf_view(&repaired), where, err);
    gol_buf_deinit(&repaired);
    return rc;
}

int gol_pipeline_encode(const void *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                        unsigned where, gol_err *err)
{
    const gol_pipeline *pipeline = state;
    pipeline_run run;
    int rc = run_init(&run, pipeline, vocab, ids, text.len, err);
    if (rc == 0) {
        if (gol_utf8_is_valid(text))
            rc = encode_valid(&run, text, where, err);
        else if (pipeline->is_byte_level)
            rc = encode_bytes(&run, text, where, err);
        else
            rc = encode_repaired(&run, text, where, err);
    }
    run_deinit(&run);
    return rc;
}
