/*
 * Filters for HTML and URLs. Nothing is escaped unless a template asks for it; a text that was escaped is marked safe, and is not
 * escaped again.
 */
#include <string.h>

#include "text/template/jtext.h"

int gol_jhtml_escape(gol_jinja *j, gol_jvalue *out, const gol_jvalue *v)
{
    if (v->type == GOL_J_STRING && v->is_safe) {
        *out = *v;
        return 0;
    }
    gol_str s;
    int rc = gol_jvalue_to_str(j, &s, v);
    if (rc != 0)
        return rc;
    gol_buf text;
    gol_jbegin_text(j, &text);
    for (size_t i = 0; i < s.len; i++) {
        switch (s.data[i]) {
        case '&':
            gol_buf_puts(&text, "&amp;");
            break;
        case '<':
            gol_buf_puts(&text, "&lt;");
            break;
        case '>':
            gol_buf_puts(&text, "&gt;");
            break;
        case '\'':
            gol_buf_puts(&text, "&#39;");
            break;
        case '"':
            gol_buf_puts(&text, "&#34;");
            break;
        default:
            gol_buf_putc(&text, s.data[i]);
        }
    }
    rc = gol_jfinish_text(j, out, &text, 0);
    out->is_safe = true;
    return rc;
}

static int filter_escape(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                         const gol_jvalue *args)
{
    (void)args;
    return gol_jhtml_escape(j, out, self);
}

static int filter_forceescape(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                              const gol_jvalue *args)
{
    (void)args;
    gol_jvalue plain = *self;
    plain.is_safe = false;
    return gol_jhtml_escape(j, out, &plain);
}

static int filter_safe(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                       const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, self);
    *out = gol_jvalue_str(rc == 0 ? s : GOL_STR(""));
    out->is_safe = true;
    return rc;
}

/* ---- striptags ---- */

/* Bytes of what must go at the front of s: a comment or a tag; 0: neither, or it does not end. */
static size_t tag_len(gol_str s)
{
    if (s.len >= 4 && memcmp(s.data, "<!--", 4) == 0) {
        const size_t end = gol_jtext_find((gol_str){s.data + 4, s.len - 4}, GOL_STR("-->"));
        if (end != SIZE_MAX)
            return 4 + end + 3;
    }
    const char *end = memchr(s.data, '>', s.len);
    return end ? (size_t)(end - s.data) + 1 : 0;
}

/* The entities that escape writes, and their other spellings. */
static size_t put_entity(gol_buf *out, gol_str s)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'},   {"&gt;", '>'},    {"&quot;", '"'},
                    {"&#34;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        const size_t n = strlen(entities[i].name);
        if (s.len >= n && memcmp(s.data, entities[i].name, n) == 0) {
            gol_buf_putc(out, entities[i].c);
            return n;
        }
    }
    gol_buf_putc(out, '&');
    return 1;
}

static int filter_striptags(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    (void)args;
    gol_str s;
    int rc = gol_jvalue_to_str(j, &s, self);
    if (rc == 0)
        rc = gol_jinja_charge_bytes(j, s.len);
    if (rc != 0)
        return rc;
    gol_buf text;
    gol_jbegin_text(j, &text);
    bool has_gap = false;
    bool can_end = true; /* a tag, once one has not */
    for (size_t pos = 0; pos < s.len;) {
        size_t next = pos;
        const uint32_t cp = gol_jchar_next(s, &next);
        const gol_str rest = {s.data + pos, s.len - pos};
        const size_t n_tag = cp == '<' && can_end ? tag_len(rest) : 0;
        if (cp == '<' && n_tag == 0)
            can_end = false;
        if (n_tag > 0) {
            pos += n_tag;
        } else if (gol_jchar_is_space(cp)) {
            has_gap = true;
            pos = next;
        } else {
            if (has_gap && text.len > 0)
                gol_buf_putc(&text, ' ');
            has_gap = false;
            if (cp == '&') {
                pos += put_entity(&text, rest);
            } else {
                gol_buf_put(&text, rest.data, next - pos);
                pos = next;
            }
        }
    }
    return gol_jfinish_text(j, out, &text, 0);
}

/* ---- URLs ---- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '~';
}

static int put_quoted(gol_jinja *j, gol_buf *out, const gol_jvalue *v, bool in_query)
{
    gol_str s;
    const int rc = gol_jvalue_to_str(j, &s, v);
    for (size_t i = 0; rc == 0 && i < s.len; i++) {
        const char c = s.data[i];
        if (is_unreserved(c) || (c == '/' && !in_query))
            gol_buf_putc(out, c);
        else if (c == ' ' && in_query)
            gol_buf_putc(out, '+');
        else
            gol_buf_printf(out, "%%%02X", (unsigned char)c);
    }
    return rc;
}

static int put_pair(gol_jinja *j, gol_buf *out, const gol_jvalue *key, const gol_jvalue *value,
                    bool is_first)
{
    if (!is_first)
        gol_buf_putc(out, '&');
    int rc = put_quoted(j, out, key, true);
    gol_buf_putc(out, '=');
    if (rc == 0)
        rc = put_quoted(j, out, value, true);
    return rc;
}

/* A text, or the pairs of a mapping or list as a query. */
static int filter_urlencode(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                            const gol_jvalue *args)
{
    (void)args;
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = 0;
    if (self->type == GOL_J_DICT) {
        for (size_t i = 0; i < self->dict->n && rc == 0; i++)
            rc = put_pair(j, &text, &self->dict->entries[i].key, &self->dict->entries[i].value,
                          i == 0);
    } else if (gol_jvalue_is_sequence(self)) {
        const gol_jlist *items;
        const gol_jlist *pair = NULL;
        rc = gol_jiterate(j, &items, self);
        for (size_t i = 0; rc == 0 && i < items->n; i++) {
            rc = gol_jiterate(j, &pair, &items->items[i]);
            if (rc == 0 && pair->n != 2)
                rc = gol_jinja_fail(j, "urlencode: pairs are accepted");
            if (rc == 0)
                rc = put_pair(j, &text, &pair->items[0], &pair->items[1], i == 0);
        }
    } else {
        rc = put_quoted(j, &text, self, false);
    }
    return gol_jfinish_text(j, out, &text, rc);
}

static bool is_attribute_name(gol_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.data[i];
        if (c == ' ' || (c >= '\t' && c <= '\r') || c == '/' || c == '>' || c == '=')
            return false;
    }
    return true;
}

static int put_attribute(gol_jinja *j, gol_buf *out, const gol_jentry *entry, bool has_blank)
{
    gol_jvalue key, value;
    int rc = gol_jhtml_escape(j, &key, &entry->key);
    if (rc == 0)
        rc = gol_jhtml_escape(j, &value, &entry->value);
    if (rc == 0 && !is_attribute_name(key.str))
        rc = gol_jinja_fail(j, "xmlattr: invalid character in an attribute's name");
    if (rc != 0)
        return rc;
    if (has_blank)
        gol_buf_putc(out, ' ');
    gol_buf_put_str(out, key.str);
    gol_buf_puts(out, "=\"");
    gol_buf_put_str(out, value.str);
    gol_buf_putc(out, '"');
    return 0;
}

static int filter_xmlattr(gol_jinja *j, gol_jvalue *out, const gol_jvalue *self,
                          const gol_jvalue *args)
{
    if (self->type == GOL_J_UNDEFINED)
        return gol_jvalue_fail_undefined(j, self);
    if (self->type != GOL_J_DICT)
        return gol_jinja_fail(j, "xmlattr: a mapping is accepted, not %s",
                              gol_jvalue_type_name(self));
    bool has_blank = !gol_jarg_is_given(&args[0]) || gol_jarg_is_true(&args[0]);
    gol_buf text;
    gol_jbegin_text(j, &text);
    int rc = 0;
    for (size_t i = 0; i < self->dict->n && rc == 0; i++) {
        const gol_jentry *entry = &self->dict->entries[i];
        if (entry->value.type == GOL_J_NONE || entry->value.type == GOL_J_UNDEFINED)
            continue;
        rc = put_attribute(j, &text, entry, has_blank || text.len > 0);
    }
    return gol_jfinish_text(j, out, &text, rc);
}

const gol_jbuiltin gol_jfilters_html[] = {
    {.name = "e", .run = filter_escape},
    {.name = "escape", .run = filter_escape},
    {.name = "forceescape", .run = filter_forceescape},
    {.name = "safe", .run = filter_safe},
    {.name = "striptags", .run = filter_striptags},
    {.name = "urlencode", .run = filter_urlencode},
    {.name = "xmlattr", .params = {"autospace"}, .run = filter_xmlattr},
    {0},
};
