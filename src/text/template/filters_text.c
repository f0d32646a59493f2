/*
 * Filters on text. They take str(value) of anything, but for those that say otherwise.
 */
#include <string.h>

#include "text/template/jtext.h"
#include "text/utf8.h"

static int filter_upper(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    return rc == 0 ? gol_jtext_case(j, out, s, GOL_JCASE_UPPER) : rc;
}

static int filter_lower(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    return rc == 0 ? gol_jtext_case(j, out, s, GOL_JCASE_LOWER) : rc;
}

static int filter_capitalize(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                             const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    return rc == 0 ? gol_jtext_capitalize(j, out, s) : rc;
}

/* Words begin behind white space, hyphens and opening brackets; unlike in the method title(), an apostrophe begins none. */
static int filter_title(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    if (rc != 0)
        return rc;
    gol_buf text;
    gol_jbegin_text(j, &text);
    bool begins = true;
    for (size_t pos = 0; pos < s.len;) {
        const uint32_t cp = gol_jchar_next(s, &pos);
        const bool is_border = gol_jchar_is_space(cp) ||
                               (cp != 0 && cp < 0x80 && strchr("-({[<", (int)cp));
        gol_jchar_put_case(&text, cp, begins && !is_border ? GOL_JCASE_UPPER : GOL_JCASE_LOWER);
        begins = is_border;
    }
    return gol_jfinish_text(j, out, &text, 0);
}

static int filter_trim(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    gol_str s, chars;
    const bool has_chars = gol_jarg_is_given(&args[0]) && args[0].type != GOL_J_NONE;
    int rc = gol_jvalue_to_str(j, &s, self);
    if (rc == 0 && !has_chars) {
        *out = gol_jvalue_str(gol_jchar_strip(s, true, true));
        out->is_safe = self->is_safe;
        return 0;
    }
    if (rc == 0)
        rc = gol_jarg_str(j, &chars, &args[0], GOL_STR(""), "chars");
    return rc == 0 ? gol_jtext_strip(j, out, s, chars, true, true) : rc;
}

static int filter_replace(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    gol_str s, old, by;
    int64_t count = -1;
    int rc = gol_jvalue_to_str(j, &s, self);
    if (rc == 0)
        rc = gol_jvalue_to_str(j, &old, &args[0]);
    if (rc == 0)
        rc = gol_jvalue_to_str(j, &by, &args[1]);
    if (rc == 0 && args[2].type != GOL_J_NONE)
        rc = gol_jarg_int(j, &count, &args[2], -1, "count");
    return rc == 0 ? gol_jtext_replace(j, out, s, old, by, count) : rc;
}

/* Of a string only. */
static int filter_indent(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    gol_str s;
    gol_str unit = GOL_STR(" ");
    int64_t width = 1;
    int rc = gol_jarg_str(j, &s, self, GOL_STR(""), "what is indented");
    if (rc == 0 && args[0].type == GOL_J_STRING)
        unit = args[0].str;
    else if (rc == 0)
        rc = gol_jarg_int(j, &width, &args[0], 4, "width");
    const bool first = gol_jarg_is_true(&args[1]);
    const bool blank = gol_jarg_is_true(&args[2]);
    gol_jvalue lines;
    if (rc == 0)
        rc = gol_jtext_lines(j, &lines, s, false);
    const bool ends_in_line = s.len > 0 && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == '\r');
    /* Jinja adds a newline before it splits: a last empty line counts. */
    if (rc == 0 && (s.len == 0 || ends_in_line))
        rc = gol_jlist_push(j, lines.list, gol_jvalue_str(GOL_STR("")));
    if (rc != 0)
        return rc;
    if (ends_in_line && s.data[s.len - 1] == '\r') /* "\r" and the newline are one end */
        lines.list->n--;
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t i = 0; i < lines.list->n && rc == 0; i++) {
        const gol_str line = lines.list->items[i].str;
        if (i > 0)
            gol_buf_putc(&text, '\n');
        if (i == 0 ? first : blank || line.len > 0)
            rc = gol_jtext_put_fill(j, &text, unit, width);
        gol_buf_put_str(&text, line);
    }
    return gol_jfinish_text(j, out, &text, rc);
}

/* The longest front of s in whole words. */
static gol_str cut_last_word(gol_str s)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.data[i - 1] == ' ')
            return (gol_str){s.data, i - 1};
    }
    return s;
}

static int filter_truncate(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jvalue *args)
{
    gol_str s, end;
    int64_t length, leeway = 5;
    int rc = self->type == GOL_J_UNDEFINED ? gol_jvalue_to_str(j, &s, self)
                                           : gol_jarg_str(j, &s, self, GOL_STR(""), "the text");
    if (rc == 0)
        rc = gol_jarg_int(j, &length, &args[0], 255, "length");
    if (rc == 0)
        rc = gol_jarg_str(j, &end, &args[2], GOL_STR("..."), "end");
    if (rc == 0 && args[3].type != GOL_J_NONE)
        rc = gol_jarg_int(j, &leeway, &args[3], 5, "leeway");
    if (rc != 0)
        return rc;
    const int64_t n_end = (int64_t)gol_utf8_count(end);
    if (length < n_end || leeway < 0)
        return gol_jinja_fail(j, "truncate: expected length >= %lld and leeway >= 0",
                              (long long)n_end);
    *out = *self;
    int64_t n_max;
    if (__builtin_add_overflow(length, leeway, &n_max) || (int64_t)gol_utf8_count(s) <= n_max)
        return 0;
    gol_str front = {s.data, gol_jchar_offset(s, (size_t)(length - n_end))};
    if (!gol_jarg_is_true(&args[1]))
        front = cut_last_word(front);
    gol_buf text;
    gol_jbegin_text(j, &text);
    gol_buf_put_str(&text, front);
    gol_buf_put_str(&text, end);
    return gol_jfinish_text(j, out, &text, 0);
}

static int filter_center(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    gol_str s;
    int64_t width;
    int rc = gol_jvalue_to_str(j, &s, self);
    if (rc == 0)
        rc = gol_jarg_int(j, &width, &args[0], 80, "width");
    return rc == 0 ? gol_jtext_pad(j, out, s, width, GOL_STR(" "), GOL_JALIGN_CENTER) : rc;
}

static int filter_wordcount(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    if (rc != 0)
        return rc;
    int64_t n = 0;
    bool in_word = false;
    for (size_t pos = 0; pos < s.len;) {
        const bool is_word = gol_jchar_is_word(gol_jchar_next(s, &pos));
        n += is_word && !in_word;
        in_word = is_word;
    }
    *out = gol_jvalue_int(n);
    return gol_jinja_charge_bytes(j, s.len);
}

static int filter_format(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jargs *args)
{
    gol_str s;
    gol_jvalue values;
    int rc = gol_jvalue_to_str(j, &s, self);
    if (rc == 0 && args->n > 0 && args->n_named > 0)
        rc = gol_jinja_fail(j, "can't handle positional and keyword arguments at the same time");
    if (rc == 0 && args->n_named > 0) {
        rc = gol_jdict_create(j, &values);
        if (rc == 0)
            rc = gol_jdict_fill(j, values.dict, args);
    } else if (rc == 0) {
        rc = gol_jlist_create(j, &values, GOL_J_TUPLE, args->n);
        for (size_t i = 0; i < args->n && rc == 0; i++)
            rc = gol_jlist_push(j, values.list, args->items[i]);
    }
    return rc == 0 ? gol_jformat_percent(j, out, s, &values) : rc;
}

/* ---- wordwrap ---- */

typedef struct wrapper {
    gol_buf text;
    gol_str newline;
    size_t width;
    size_t column;  /* characters on the line */
    gol_str blanks; /* before the next word: they go when the line ends there */
    bool breaks_long;
} wrapper;

static void end_line(wrapper *w)
{
    gol_buf_put_str(&w->text, w->newline);
    w->column = 0;
    w->blanks.len = 0;
}

static void put_word(wrapper *w, gol_str word)
{
    size_t n = gol_utf8_count(word);
    if (w->column > 0 && w->column + w->blanks.len + n > w->width &&
        !(w->breaks_long && n > w->width))
        end_line(w);
    if (w->column + w->blanks.len < w->width) {
        gol_buf_put_str(&w->text, w->blanks);
        w->column += w->blanks.len;
    } else if (w->column > 0) {
        end_line(w);
    }
    w->blanks.len = 0;
    while (w->breaks_long && w->column + n > w->width) {
        const size_t n_fit = w->width - w->column;
        const size_t bytes = gol_jchar_offset(word, n_fit);
        gol_buf_put(&w->text, word.data, bytes);
        word.data += bytes;
        word.len -= bytes;
        n -= n_fit;
        end_line(w);
    }
    gol_buf_put_str(&w->text, word);
    w->column += n;
}

static void wrap_line(wrapper *w, gol_str line, bool breaks_hyphens)
{
    w->column = 0;
    w->blanks = (gol_str){NULL, 0};
    for (size_t pos = 0; pos < line.len && !w->text.failed;) {
        size_t end = pos;
        while (end < line.len && line.data[end] == ' ')
            end++;
        if (end > pos && (w->column > 0 || pos == 0))
            w->blanks = (gol_str){line.data + pos, end - pos};
        pos = end;
        while (end < line.len && line.data[end] != ' ') {
            end++;
            if (breaks_hyphens && line.data[end - 1] == '-' && end - pos > 2 && end < line.len &&
                gol_jchar_is_alpha((unsigned char)line.data[end]))
                break;
        }
        if (end > pos)
            put_word(w, (gol_str){line.data + pos, end - pos});
        pos = end;
    }
}

static int filter_wordwrap(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                           const gol_jvalue *args)
{
    gol_str s;
    int64_t width;
    gol_jvalue lines;
    wrapper w = {.breaks_long = !gol_jarg_is_given(&args[1]) || gol_jarg_is_true(&args[1]),
                 .newline = GOL_STR("\n")};
    const bool breaks_hyphens = !gol_jarg_is_given(&args[3]) || gol_jarg_is_true(&args[3]);
    int rc = gol_jarg_str(j, &s, self, GOL_STR(""), "what is wrapped");
    if (rc == 0)
        rc = gol_jarg_int(j, &width, &args[0], 79, "width");
    if (rc == 0 && width < 1)
        rc = gol_jinja_fail(j, "wordwrap: the width must be at least 1");
    if (rc == 0 && args[2].type != GOL_J_NONE)
        rc = gol_jarg_str(j, &w.newline, &args[2], GOL_STR("\n"), "wrapstring");
    if (rc == 0)
        rc = gol_jtext_lines(j, &lines, s, false);
    if (rc != 0)
        return rc;
    w.width = (size_t)width;
    gol_jbegin_text(j, &w.text);
    for (size_t i = 0; i < lines.list->n; i++) {
        if (i > 0)
            gol_buf_put_str(&w.text, w.newline);
        wrap_line(&w, lines.list->items[i].str, breaks_hyphens);
    }
    return gol_jfinish_text(j, out, &w.text, rc);
}

const gol_jbuiltin gol_jfilters_text[] = {
    {.name = "capitalize", .run = filter_capitalize},
    {.name = "center", .params = {"width"}, .run = filter_center},
    {.name = "format", .run_raw = filter_format},
    {.name = "indent", .params = {"width", "first", "blank"}, .run = filter_indent},
    {.name = "lower", .run = filter_lower},
    {.name = "replace", .n_required = 2, .params = {"old", "new", "count"}, .run = filter_replace},
    {.name = "title", .run = filter_title},
    {.name = "trim", .params = {"chars"}, .run = filter_trim},
    {.name = "truncate",
     .params = {"length", "killwords", "end", "leeway"},
     .run = filter_truncate},
    {.name = "upper", .run = filter_upper},
    {.name = "wordcount", .run = filter_wordcount},
    {.name = "wordwrap",
     .params = {"width", "break_long_words", "wrapstring", "break_on_hyphens"},
     .run = filter_wordwrap},
    {0},
};
