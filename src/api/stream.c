/*
 * The way back: token id -> incremental detokenizer -> stop strings with hold-back -> SSE chunk or accumulated body. All of
 * it runs in the call's thread, when it asks; a reader that does not ask costs the engine nothing, its tokens wait as the
 * compact records of api/choice.h.
 *
 * A stream's body holds only frames that read() asked for: at most one more than fitted the caller's buffer. A chunk carries
 * one token's text; when a reader is behind by as many tokens as would make 64 KiB of frames, chunks carry more.
 */
#include "api/stream.h"

#include <assert.h>
#include <string.h>

#include "api/best_of.h"
#include "api/shape.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    FRAME_BYTES_TYPICAL = 256, /* of a chunk with one token: nearly all of it is the envelope */
    BEHIND_BYTES = 64 << 10,
    BEHIND_TOKENS = BEHIND_BYTES / FRAME_BYTES_TYPICAL,
    MERGED_TEXT = 4 << 10, /* text per chunk for a reader that is behind */
};

static const char done_frame[] = "data: [DONE]\n\n";
static const char no_memory_frames[] = "data: " GOL_API_NO_MEMORY_JSON "\n\ndata: [DONE]\n\n";

void gol_stream_cut_all(gol_api_call *call)
{
    for (int32_t i = 0; i < call->n_choices; i++)
        if (call->choices[i].is_submitted && !call->choices[i].is_done)
            gol_choice_cut(&call->choices[i], call->api->engine);
}

static void refresh(gol_api_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->is_awake = false;
    for (int32_t i = 0; i < call->n_choices; i++)
        gol_choice_refresh(&call->choices[i]);
    pthread_mutex_unlock(&call->lock);
}

static bool has_broken(const gol_api_call *call)
{
    for (int32_t i = 0; i < call->n_choices; i++) {
        const gol_choice *c = &call->choices[i];
        if ((c->is_done ? c->finish : c->seen_end) == GOL_FINISH_ERROR)
            return true;
    }
    return false;
}

static void computation_error(gol_api_error *error)
{
    gol_api_refuse(error, 500, "computation_failed", NULL,
                   "the model's output was not finite: this request could not be completed");
}

/* ---- whole answers ---- */

static const gol_choice *find_choice(const gol_api_call *call, int32_t index)
{
    for (int32_t i = 0; i < call->n_choices; i++)
        if (call->choices[i].index == index)
            return &call->choices[i];
    return NULL;
}

static void reply_whole(gol_api_call *call)
{
    gol_json j;
    gol_json_init(&j, &call->body);
    gol_json_begin_object(&j);
    gol_shape_put_head(&j, call, call->shape->object);
    gol_json_key(&j, "choices");
    gol_json_begin_array(&j);
    gol_best_of_pick(call);
    for (const gol_choice *c = find_choice(call, 0); c; c = find_choice(call, c->index + 1)) {
        const gol_piece all = {
            .text = gol_buf_view(&c->text),
            .end_token = c->n_taken,
            .is_first = true,
            .is_last = true,
        };
        call->shape->put_choice(&j, c, &all);
    }
    gol_json_end_array(&j);
    if (call->shape->put_tail)
        call->shape->put_tail(&j, call);
    gol_json_key(&j, "usage");
    gol_shape_put_usage(&j, call);
    gol_json_end_object(&j);
    gol_call_reply_json(call, 200);
}

static void reply_broken(gol_api_call *call)
{
    gol_api_error error;
    if (call->has_failed)
        gol_api_refuse(&error, 503, "out_of_memory", NULL, "out of memory");
    else
        computation_error(&error);
    gol_stream_cut_all(call);
    gol_call_reply_error(call, &error);
}

void gol_stream_collect(gol_api_call *call)
{
    refresh(call);
    bool is_done = true;
    for (int32_t i = 0; i < call->n_choices; i++) {
        gol_choice_advance(&call->choices[i], SIZE_MAX);
        is_done = is_done && call->choices[i].is_done;
    }
    if (call->has_failed || has_broken(call))
        reply_broken(call);
    else if (is_done)
        reply_whole(call);
}

/* ---- streams ---- */

static void begin_frame(gol_api_call *call, gol_json *j)
{
    gol_buf_puts(&call->body, "data: ");
    gol_json_init(j, &call->body);
    gol_json_begin_object(j);
    gol_shape_put_head(j, call, call->shape->chunk_object);
    gol_json_key(j, "choices");
    gol_json_begin_array(j);
}

static void end_frame(gol_api_call *call, gol_json *j)
{
    gol_json_end_object(j);
    gol_buf_puts(&call->body, "\n\n");
}

static void put_chunk(gol_api_call *call, const gol_choice *c, const gol_piece *piece)
{
    gol_json j;
    begin_frame(call, &j);
    call->shape->put_piece(&j, c, piece);
    gol_json_end_array(&j);
    if (call->params.include_usage) { /* OpenAI: null in every chunk but the last */
        gol_json_put_null(&j, "usage");
    }
    end_frame(call, &j);
}

/* The next chunk of one choice, if there is something to say. */
static bool put_next_chunk(gol_api_call *call, gol_choice *c)
{
    if (c->has_closed)
        return false;
    gol_piece piece = {.first_token = c->n_sent, .end_token = c->n_sent};
    piece.is_first = !c->has_opened;
    if (call->shape->has_opening && !c->has_opened) {
        c->has_opened = true;
        put_chunk(call, c, &piece);
        return true;
    }
    /* The first piece has the prompt and what is said about it. */
    if (piece.is_first && c->scored && !c->scored->is_complete)
        return false;
    const bool is_behind = c->n_seen - c->n_taken > BEHIND_TOKENS;
    if (gol_choice_n_ready(c) == 0)
        gol_choice_advance(c, is_behind ? MERGED_TEXT : 1);
    const size_t n_ready = gol_choice_n_ready(c);
    if (n_ready == 0 && !c->is_done)
        return false;
    /* Text first, the finish in a chunk of its own. */
    piece.is_last = n_ready == 0;
    piece.text = (gol_str){c->text.data, n_ready};
    piece.end_token = c->n_taken;
    put_chunk(call, c, &piece);
    c->n_sent = c->n_taken;
    c->has_opened = true;
    c->has_closed = piece.is_last;
    gol_buf_drop_front(&c->text, n_ready);
    return true;
}

static void put_ending(gol_api_call *call)
{
    if (call->params.include_usage) {
        gol_json j;
        begin_frame(call, &j);
        gol_json_end_array(&j);
        gol_json_key(&j, "usage");
        gol_shape_put_usage(&j, call);
        end_frame(call, &j);
    }
    gol_buf_puts(&call->body, done_frame);
    call->is_closed = true;
}

static void put_broken(gol_api_call *call)
{
    gol_api_error error;
    computation_error(&error);
    gol_buf_puts(&call->body, "data: ");
    gol_api_error_put(&call->body, &error);
    gol_buf_puts(&call->body, "\n\n");
    gol_buf_puts(&call->body, done_frame);
    call->is_closed = true;
    gol_stream_cut_all(call);
}

/* Adds the next frame to the body; false when there is nothing to add. Choices take turns. */
static bool put_next_frame(gol_api_call *call)
{
    bool is_over = true;
    for (int32_t i = 0; i < call->n_choices; i++) {
        gol_choice *c = &call->choices[call->next_choice];
        call->next_choice = (call->next_choice + 1) % call->n_choices;
        if (put_next_chunk(call, c))
            return true;
        is_over = is_over && c->has_closed;
    }
    if (is_over)
        put_ending(call);
    return is_over;
}

/* A frame goes out whole or not at all: what did not fit into memory is taken back, and the stream ends with an error that
 * needs none. */
static void give_up(gol_api_call *call, size_t len_before)
{
    if (call->body.data) {
        call->body.len = len_before;
        call->body.data[len_before] = '\0';
    }
    call->last_words = GOL_STR(no_memory_frames);
    call->is_closed = true;
    gol_stream_cut_all(call);
}

static void fill_body(gol_api_call *call, size_t size)
{
    const size_t len_start = call->body.len;
    while (!call->is_closed && call->body.len - call->n_read < size) {
        const size_t len_before = call->body.len;
        bool has_more = true;
        if (has_broken(call))
            put_broken(call);
        else
            has_more = put_next_frame(call);
        if (call->body.failed || call->has_failed)
            give_up(call, len_before);
        if (!has_more)
            break;
    }
    const uint64_t now = gol_clock_ns();
    if (call->body.len > len_start)
        call->last_frame_ns = now;
    if (call->body.len > call->n_read || call->is_closed ||
        now - call->last_frame_ns < call->api->ping_ns)
        return;
    gol_buf_puts(&call->body, ":\n\n");
    call->last_frame_ns = now;
}

static size_t take(char *buf, size_t size, gol_str from)
{
    const size_t n = from.len < size ? from.len : size;
    assert(from.data || n == 0);
    if (n > 0)
        memcpy(buf, from.data, n);
    return n;
}

/* Makes room at the front, seldom enough that the total of what is moved stays linear. */
static void forget_read(gol_api_call *call)
{
    if (call->n_read < call->body.len / 2 || call->n_read == 0)
        return;
    gol_buf_drop_front(&call->body, call->n_read);
    call->n_read = 0;
}

ptrdiff_t gol_stream_read(gol_api_call *call, char *buf, size_t size)
{
    assert(size > 0);
    if (!call->is_closed) {
        forget_read(call);
        refresh(call);
        fill_body(call, size);
    }
    const gol_str unread = {call->body.data + call->n_read, call->body.len - call->n_read};
    size_t n = take(buf, size, unread);
    call->n_read += n;
    if (n == unread.len && n < size) {
        const size_t n_last = take(buf + n, size - n, call->last_words);
        call->last_words.data += n_last;
        call->last_words.len -= n_last;
        n += n_last;
    }
    if (n == 0 && call->is_closed)
        return GOL_API_END;
    return (ptrdiff_t)n;
}
