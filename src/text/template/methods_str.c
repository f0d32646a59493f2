/*
 * Methods of strings: case, questions, padding, searching. Those that cut a string apart or join it are in methods_split.c.
 */
#include <assert.h>
#include <string.h>

#include "text/template/jtext.h"
#include "text/utf8.h"

static int str_lower(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return gol_jtext_case(j, out, self->str, GOL_JCASE_LOWER);
}

static int str_upper(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    return gol_jtext_case(j, out, self->str, GOL_JCASE_UPPER);
}

static int str_capitalize(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    (void)args;
    return gol_jtext_capitalize(j, out, self->str);
}

/* Every letter behind one is lower, every other in title case. */
static int str_title(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    (void)args;
    gol_buf text;
    gol_jbegin_text(j, &text);
    bool in_word = false;
    for (size_t pos = 0; pos < self->str.len;) {
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        gol_jchar_put_case(&text, cp, in_word ? GOL_JCASE_LOWER : GOL_JCASE_TITLE);
        in_word = gol_jchar_is_cased(cp);
    }
    return gol_jfinish_text(j, out, &text, 0);
}

static int str_swapcase(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t pos = 0; pos < self->str.len;) {
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        gol_jchar_put_case(&text, cp, gol_jchar_is_upper(cp) ? GOL_JCASE_LOWER : GOL_JCASE_UPPER);
    }
    return gol_jfinish_text(j, out, &text, 0);
}

/* Lower case, and the two letters that only a comparison makes equal. */
static int str_casefold(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    (void)args;
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t pos = 0; pos < self->str.len;) {
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        if (cp == 0xdf || cp == 0x1e9e)
            gol_buf_puts(&text, "ss");
        else if (cp == 0x3c2)
            gol_buf_puts(&text, "\xcf\x83");
        else
            gol_jchar_put_case(&text, cp, GOL_JCASE_LOWER);
    }
    return gol_jfinish_text(j, out, &text, 0);
}

/* ---- questions ---- */

static bool is_alnum(uint32_t cp)
{
    return gol_jchar_is_alpha(cp) || gol_jchar_is_numeric(cp);
}

static bool is_ascii(uint32_t cp)
{
    return cp < 0x80;
}

static int all_are(gol_jvalue *out, gol_str s, bool (*is)(uint32_t cp), bool when_empty)
{
    bool all = s.len > 0 || when_empty;
    for (size_t pos = 0; pos < s.len && all;)
        all = is(gol_jchar_next(s, &pos));
    *out = gol_jvalue_bool(all);
    return 0;
}

#define QUESTION(name, is, when_empty)                                                             \
    static int name(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args) \
    {                                                                                              \
        (void)j;                                                                                   \
        (void)args;                                                                                \
        return all_are(out, self->str, is, when_empty);                                            \
    }

QUESTION(str_isalpha, gol_jchar_is_alpha, false)
QUESTION(str_isalnum, is_alnum, false)
QUESTION(str_isascii, is_ascii, true)
QUESTION(str_isdecimal, gol_jchar_is_decimal, false)
QUESTION(str_isdigit, gol_jchar_is_digit, false)
QUESTION(str_isnumeric, gol_jchar_is_numeric, false)
QUESTION(str_isspace, gol_jchar_is_space, false)
QUESTION(str_isprintable, gol_jchar_is_printable, true)

/* Has cased letters, and all are of this case. */
static bool is_all_of_case(gol_str s, bool upper)
{
    bool has_any = false;
    for (size_t pos = 0; pos < s.len;) {
        const uint32_t cp = gol_jchar_next(s, &pos);
        if (gol_jchar_is_title(cp) || (upper ? gol_jchar_is_lower(cp) : gol_jchar_is_upper(cp)))
            return false;
        has_any |= upper ? gol_jchar_is_upper(cp) : gol_jchar_is_lower(cp);
    }
    return has_any;
}

static int str_isupper(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)j;
    (void)args;
    *out = gol_jvalue_bool(is_all_of_case(self->str, true));
    return 0;
}

static int str_islower(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)j;
    (void)args;
    *out = gol_jvalue_bool(is_all_of_case(self->str, false));
    return 0;
}

static int str_istitle(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)j;
    (void)args;
    bool holds = true;
    bool in_word = false;
    bool has_any = false;
    for (size_t pos = 0; pos < self->str.len && holds;) {
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        if (gol_jchar_is_upper(cp) || gol_jchar_is_title(cp))
            holds = !in_word;
        else if (gol_jchar_is_lower(cp))
            holds = in_word;
        in_word = gol_jchar_is_cased(cp);
        has_any |= in_word;
    }
    *out = gol_jvalue_bool(holds && has_any);
    return 0;
}

static int str_isidentifier(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    (void)j;
    (void)args;
    bool holds = self->str.len > 0;
    for (size_t pos = 0; pos < self->str.len && holds;) {
        const bool is_first = pos == 0;
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        holds = cp == '_' || (is_first ? gol_jchar_is_alpha(cp) : gol_jchar_is_word(cp));
    }
    *out = gol_jvalue_bool(holds);
    return 0;
}

/* ---- padding ---- */

static int pad(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args,
               gol_jalign align)
{
    int64_t width;
    gol_str fill;
    int rc = gol_jarg_int(j, &width, &args[0], 0, "width");
    if (rc == 0)
        rc = gol_jarg_str(j, &fill, &args[1], GOL_STR(" "), "fillchar");
    if (rc == 0 && gol_utf8_count(fill) != 1)
        rc = gol_jinja_fail(j, "the fill character must be exactly one character long");
    return rc == 0 ? gol_jtext_pad(j, out, self->str, width, fill, align) : rc;
}

static int str_center(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return pad(j, out, self, args, GOL_JALIGN_CENTER);
}

static int str_ljust(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return pad(j, out, self, args, GOL_JALIGN_LEFT);
}

static int str_rjust(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return pad(j, out, self, args, GOL_JALIGN_RIGHT);
}

/* Zeros go behind a sign. */
static int str_zfill(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    int64_t width;
    int rc = gol_jarg_int(j, &width, &args[0], 0, "width");
    if (rc != 0)
        return rc;
    const gol_str s = self->str;
    const size_t n_sign = s.len > 0 && (s.data[0] == '+' || s.data[0] == '-') ? 1 : 0;
    gol_buf text;
    gol_jbegin_text(j, &text);
    gol_buf_put(&text, s.data, n_sign);
    rc = gol_jtext_put_fill(j, &text, GOL_STR("0"), width - (int64_t)gol_utf8_count(s));
    if (s.len > n_sign)
        gol_buf_put(&text, s.data + n_sign, s.len - n_sign);
    return gol_jfinish_text(j, out, &text, rc);
}

static int str_expandtabs(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    int64_t size;
    int rc = gol_jarg_int(j, &size, &args[0], 8, "tabsize");
    gol_buf text;
    gol_jbegin_text(j, &text);
    int64_t column = 0;
    for (size_t pos = 0; pos < self->str.len && rc == 0;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(self->str, &pos);
        if (cp == '\t') {
            const int64_t n = size > 0 ? size - column % size : 0;
            rc = gol_jtext_put_fill(j, &text, GOL_STR(" "), n);
            column += n;
            continue;
        }
        gol_buf_put(&text, self->str.data + from, pos - from);
        column = cp == '\n' || cp == '\r' ? 0 : column + 1;
    }
    return gol_jfinish_text(j, out, &text, rc);
}

/* ---- searching ---- */

/* The part of s between the characters args[0] and args[1], as s[start:end]; *n_before: characters in front of it. False: start is
 * behind the end, where not even an empty text is found. */
static int take_range(gol_jinja *j, gol_str *part, size_t *n_before, bool *is_inside, gol_str s,
                      const gol_jvalue *args)
{
    *part = s;
    *n_before = 0;
    *is_inside = true;
    const bool has_start = gol_jarg_is_given(&args[0]) && args[0].type != GOL_J_NONE;
    const bool has_end = gol_jarg_is_given(&args[1]) && args[1].type != GOL_J_NONE;
    if (!has_start && !has_end)
        return 0;
    const int64_t n = (int64_t)gol_utf8_count(s);
    int64_t start = 0;
    int64_t end = n;
    int rc = has_start ? gol_jarg_int(j, &start, &args[0], 0, "start") : 0;
    if (rc == 0 && has_end)
        rc = gol_jarg_int(j, &end, &args[1], n, "end");
    start = start < -n ? 0 : start < 0 ? start + n : start;
    end = end < -n ? 0 : end < 0 ? end + n : end > n ? n : end;
    *is_inside = start <= end;
    if (rc != 0 || !*is_inside)
        return rc;
    const size_t from = gol_jchar_offset(s, (size_t)start);
    const size_t to = gol_jchar_offset(s, (size_t)end);
    *part = (gol_str){s.data ? s.data + from : NULL, to - from};
    *n_before = (size_t)start;
    return 0;
}

/* The index in characters, -1: not there. */
static int find(gol_jinja *j, int64_t *index, const gol_jvalue *self, const gol_jvalue *args,
                bool from_end)
{
    gol_str sub, part;
    size_t n_before;
    bool is_inside;
    *index = -1;
    int rc = gol_jarg_str(j, &sub, &args[0], GOL_STR(""), "what is looked for");
    if (rc == 0)
        rc = take_range(j, &part, &n_before, &is_inside, self->str, args + 1);
    if (rc == 0)
        rc = gol_jinja_charge_bytes(j, self->str.len);
    if (rc != 0 || !is_inside)
        return rc;
    size_t at = gol_jtext_find(part, sub);
    if (from_end)
        rc = gol_jtext_find_last(j, &at, part, sub);
    if (rc == 0 && at != SIZE_MAX)
        *index = (int64_t)(n_before + gol_utf8_count((gol_str){part.data, at}));
    return rc;
}

static int find_or_fail(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args, bool from_end, bool must_be_there)
{
    int64_t index;
    const int rc = find(j, &index, self, args, from_end);
    if (rc == 0 && index < 0 && must_be_there)
        return gol_jinja_fail(j, "substring not found");
    *out = gol_jvalue_int(index);
    return rc;
}

static int str_find(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_or_fail(j, out, self, args, false, false);
}

static int str_rfind(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_or_fail(j, out, self, args, true, false);
}

static int str_index(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_or_fail(j, out, self, args, false, true);
}

static int str_rindex(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    return find_or_fail(j, out, self, args, true, true);
}

static int str_count(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args)
{
    gol_str sub, part;
    size_t n_before;
    bool is_inside;
    int rc = gol_jarg_str(j, &sub, &args[0], GOL_STR(""), "what is counted");
    if (rc == 0)
        rc = take_range(j, &part, &n_before, &is_inside, self->str, args + 1);
    if (rc == 0)
        rc = gol_jinja_charge_bytes(j, self->str.len);
    if (rc != 0)
        return rc;
    int64_t n = 0;
    if (sub.len == 0)
        n = is_inside ? (int64_t)gol_utf8_count(part) + 1 : 0;
    for (size_t pos = 0; sub.len > 0 && is_inside && pos + sub.len <= part.len; n++) {
        const size_t at = gol_jtext_find((gol_str){part.data + pos, part.len - pos}, sub);
        if (at == SIZE_MAX)
            break;
        pos += at + sub.len;
    }
    *out = gol_jvalue_int(n);
    return 0;
}

static bool has_affix(gol_str s, gol_str affix, bool at_end)
{
    if (affix.len == 0)
        return true;
    if (affix.len > s.len)
        return false;
    assert(s.data);
    const size_t at = at_end ? s.len - affix.len : 0;
    return memcmp(s.data + at, affix.data, affix.len) == 0;
}

/* One affix, or a tuple of which any will do. */
static int test_affix(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self, const gol_jvalue *args,
                      bool at_end)
{
    gol_str part;
    size_t n_before;
    bool is_inside;
    bool holds = false;
    int rc = take_range(j, &part, &n_before, &is_inside, self->str, args + 1);
    const bool is_tuple = args[0].type == GOL_J_TUPLE;
    const size_t n = is_tuple ? args[0].list->n : 1;
    for (size_t i = 0; i < n && rc == 0 && !holds; i++) {
        gol_str affix;
        rc = gol_jarg_str(j, &affix, is_tuple ? &args[0].list->items[i] : &args[0], GOL_STR(""),
                          "what it starts or ends with");
        holds = rc == 0 && is_inside && has_affix(part, affix, at_end);
    }
    *out = gol_jvalue_bool(holds);
    return rc;
}

static int str_startswith(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    return test_affix(j, out, self, args, false);
}

static int str_endswith(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args)
{
    return test_affix(j, out, self, args, true);
}

static int remove_affix(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                        const gol_jvalue *args, bool at_end)
{
    gol_str affix;
    const int rc = gol_jarg_str(j, &affix, &args[0], GOL_STR(""), "what is removed");
    gol_str s = self->str;
    if (rc == 0 && affix.len > 0 && has_affix(s, affix, at_end)) {
        s.data += at_end ? 0 : affix.len;
        s.len -= affix.len;
    }
    *out = gol_jvalue_str(s);
    return rc;
}

static int str_removeprefix(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    return remove_affix(j, out, self, args, false);
}

static int str_removesuffix(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    return remove_affix(j, out, self, args, true);
}

const gol_jbuiltin gol_jmethods_str[] = {
    {.name = "capitalize", .run = str_capitalize},
    {.name = "casefold", .run = str_casefold},
    {.name = "center", .n_required = 1, .params = {"width", "fillchar"}, .run = str_center},
    {.name = "count", .n_required = 1, .params = {"sub", "start", "end"}, .run = str_count},
    {.name = "endswith",
     .n_required = 1,
     .params = {"suffix", "start", "end"},
     .run = str_endswith},
    {.name = "expandtabs", .params = {"tabsize"}, .run = str_expandtabs},
    {.name = "find", .n_required = 1, .params = {"sub", "start", "end"}, .run = str_find},
    {.name = "index", .n_required = 1, .params = {"sub", "start", "end"}, .run = str_index},
    {.name = "isalnum", .run = str_isalnum},
    {.name = "isalpha", .run = str_isalpha},
    {.name = "isascii", .run = str_isascii},
    {.name = "isdecimal", .run = str_isdecimal},
    {.name = "isdigit", .run = str_isdigit},
    {.name = "isidentifier", .run = str_isidentifier},
    {.name = "islower", .run = str_islower},
    {.name = "isnumeric", .run = str_isnumeric},
    {.name = "isprintable", .run = str_isprintable},
    {.name = "isspace", .run = str_isspace},
    {.name = "istitle", .run = str_istitle},
    {.name = "isupper", .run = str_isupper},
    {.name = "ljust", .n_required = 1, .params = {"width", "fillchar"}, .run = str_ljust},
    {.name = "lower", .run = str_lower},
    {.name = "removeprefix", .n_required = 1, .params = {"prefix"}, .run = str_removeprefix},
    {.name = "removesuffix", .n_required = 1, .params = {"suffix"}, .run = str_removesuffix},
    {.name = "rfind", .n_required = 1, .params = {"sub", "start", "end"}, .run = str_rfind},
    {.name = "rindex", .n_required = 1, .params = {"sub", "start", "end"}, .run = str_rindex},
    {.name = "rjust", .n_required = 1, .params = {"width", "fillchar"}, .run = str_rjust},
    {.name = "startswith",
     .n_required = 1,
     .params = {"prefix", "start", "end"},
     .run = str_startswith},
    {.name = "swapcase", .run = str_swapcase},
    {.name = "title", .run = str_title},
    {.name = "upper", .run = str_upper},
    {.name = "zfill", .n_required = 1, .params = {"width"}, .run = str_zfill},
    {0},
};
