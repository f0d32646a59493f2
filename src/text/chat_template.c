/*
 * Which template a conversation is written with, and what it is given besides the conversation.
 */
#include "text/chat_template.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/chat_builtin.h"

enum { KEY_MAX = 160 };

/* A parsed template and its text, which is searched for words. */
typedef struct variant {
    gol_template *parsed; /* NULL: there is none, or it has a problem */
    char *source;
    size_t len;
} variant;

struct gol_chat_template {
    const gol_tokenizer *tok;
    const char *name;
    bool is_plain;
    variant main;
    variant tool_use;
    gol_err problem; /* code 0: none */
};

static int parse_variant(variant *v, gol_str source, gol_err *err)
{
    v->source = gol_try_strndup(source);
    v->len = source.len;
    if (!v->source)
        return gol_fail(err, GOL_ENOMEM, "chat template: out of memory");
    return gol_template_parse(&v->parsed, source, err);
}

static void free_variant(variant *v)
{
    gol_template_destroy(&v->parsed);
    gol_free(v->source);
}

static int use_choice_source(gol_chat_template *chat, const gol_chat_choice *choice, gol_err *err)
{
    chat->name = "file";
    const int rc = parse_variant(&chat->main, choice->source, err);
    if (rc == 0)
        return 0;
    gol_fail_prefix(err, "%s", choice->origin ? choice->origin : "chat template");
    return rc == GOL_EINVAL ? gol_fail(err, GOL_ECONFIG, "%s", err->message) : rc;
}

/* "tokenizer.chat_template" or "tokenizer.chat_template.tool_use": 1 found, 0 absent, or an error. */
static int find_meta(gol_str *out, const gol_model_file *file, const char *variant_name,
                     gol_err *err)
{
    char key[KEY_MAX];
    if (!file)
        return 0;
    snprintf(key, sizeof key, "tokenizer.chat_template%s%s", variant_name ? "." : "",
             variant_name ? variant_name : "");
    return gol_meta_str(file, key, out, err);
}

static int use_name(gol_chat_template *chat, const gol_model_file *file, const char *name,
                    gol_err *err)
{
    gol_str source;
    chat->is_plain = strcmp(name, "plain") == 0;
    chat->name = "plain";
    if (chat->is_plain)
        return 0;
    const gol_chat_builtin *builtin = gol_chat_builtin_find(gol_str_from(name));
    if (builtin) {
        chat->name = builtin->name;
        return parse_variant(&chat->main, gol_str_from(builtin->source), err);
    }
    chat->name = "model";
    char quoted[64];
    gol_quote(quoted, sizeof quoted, gol_str_from(name));
    const int found = find_meta(&source, file, strcmp(name, "default") == 0 ? NULL : name, err);
    if (found < 0)
        return found;
    if (found == 0)
        return gol_fail(err, GOL_ECONFIG,
                        "there is no chat template '%s': neither a file, nor in the model "
                        "(tokenizer.chat_template.%s), nor one of plain, %s",
                        quoted, quoted, gol_chat_builtin_names());
    const int rc = parse_variant(&chat->main, source, err);
    if (rc == GOL_EINVAL || rc == GOL_ETOOLARGE) {
        gol_fail_prefix(err, "the model's chat template '%s'", quoted);
        err->code = GOL_ECONFIG;
        return GOL_ECONFIG;
    }
    return rc;
}

/* A bad one is a problem of chats, not of the model's other uses. */
static int use_own(gol_chat_template *chat, const gol_model_file *file, gol_str source,
                   gol_err *err)
{
    chat->name = "model";
    int rc = parse_variant(&chat->main, source, &chat->problem);
    if (rc == GOL_ENOMEM)
        return gol_fail(err, rc, "%s", chat->problem.message);
    if (rc != 0) {
        gol_fail_prefix(&chat->problem, "the model's tokenizer.chat_template cannot be used");
        gol_log_warn("chat", "%s: %s; --chat-template names another", gol_model_file_path(file),
                     chat->problem.message);
    }
    gol_err tool_problem = {0};
    gol_str tool_source;
    const int found = find_meta(&tool_source, file, "tool_use", err);
    if (found <= 0)
        return found;
    rc = parse_variant(&chat->tool_use, tool_source, &tool_problem);
    if (rc != 0 && rc != GOL_ENOMEM)
        gol_log_warn("chat", "%s: tokenizer.chat_template.tool_use: %s", gol_model_file_path(file),
                     tool_problem.message);
    return rc == GOL_ENOMEM ? gol_fail(err, rc, "%s", tool_problem.message) : 0;
}

static int choose(gol_chat_template *chat, const gol_model_file *file,
                  const gol_chat_choice *choice, gol_err *err)
{
    if (choice && choice->source.data)
        return use_choice_source(chat, choice, err);
    if (choice && choice->name)
        return use_name(chat, file, choice->name, err);
    gol_str source;
    const int found = find_meta(&source, file, NULL, err);
    if (found < 0)
        return found;
    if (found > 0)
        return use_own(chat, file, source, err);
    const gol_chat_builtin *builtin = gol_chat_builtin_guess(chat->tok);
    return use_name(chat, file, builtin ? builtin->name : "plain", err);
}

int gol_chat_template_load(gol_chat_template **out, const gol_model_file *file,
                           const gol_tokenizer *tok, const gol_chat_choice *choice, gol_err *err)
{
    *out = NULL;
    gol_chat_template *chat = gol_try_calloc(1, sizeof *chat);
    if (!chat)
        return gol_fail(err, GOL_ENOMEM, "chat template: out of memory");
    chat->tok = tok;
    const int rc = choose(chat, file, choice, err);
    if (rc != 0) {
        gol_chat_template_destroy(&chat);
        return rc;
    }
    *out = chat;
    return 0;
}

void gol_chat_template_destroy(gol_chat_template **chat)
{
    if (!*chat)
        return;
    free_variant(&(*chat)->main);
    free_variant(&(*chat)->tool_use);
    gol_free(*chat);
    *chat = NULL;
}

const char *gol_chat_template_name(const gol_chat_template *chat)
{
    return chat->name;
}

bool gol_chat_template_is_plain(const gol_chat_template *chat)
{
    return chat->is_plain;
}

static const variant *pick(const gol_chat_template *chat, bool has_tools)
{
    return has_tools && chat->tool_use.parsed ? &chat->tool_use : &chat->main;
}

bool gol_chat_template_mentions(const gol_chat_template *chat, gol_str word, bool has_tools)
{
    const variant *v = pick(chat, has_tools);
    return v->source && memmem(v->source, v->len, word.data, word.len) != NULL;
}

static int add_token(gol_jinja *j, gol_jdict *context, const gol_tokenizer *tok, const char *name,
                     int32_t id)
{
    if (id < 0 || gol_jdict_find_str(j, context, gol_str_from(name)))
        return 0;
    return gol_jdict_set_str(j, context, gol_str_from(name),
                             gol_jvalue_str(gol_tokenizer_piece(tok, id)));
}

int gol_chat_template_render(const gol_chat_template *chat, gol_buf *out, gol_jinja *j,
                             const gol_jvalue *context, bool has_tools, gol_err *err)
{
    assert(!chat->is_plain);
    const variant *v = pick(chat, has_tools);
    if (!v->parsed)
        return gol_fail(err, GOL_EINVAL, "%s", chat->problem.message);
    int rc = 0;
    if (chat->tok) {
        rc = add_token(j, context->dict, chat->tok, "bos_token", gol_tokenizer_bos(chat->tok));
        if (rc == 0)
            rc = add_token(j, context->dict, chat->tok, "eos_token", gol_tokenizer_eos(chat->tok));
    }
    if (rc != 0)
        return gol_fail(err, rc, "%s", j->err.message);
    const time_t now = time(NULL);
    struct tm local = {0};
    localtime_r(&now, &local);
    return gol_template_render(v->parsed, out, j, context, &local, err);
}

unsigned gol_chat_template_encode_flags(const gol_chat_template *chat, gol_str prompt)
{
    const int32_t bos = gol_tokenizer_bos(chat->tok);
    const gol_str text = bos >= 0 ? gol_tokenizer_piece(chat->tok, bos) : GOL_STR("");
    const bool has_bos = text.len > 0 && prompt.len >= text.len &&
                         memcmp(prompt.data, text.data, text.len) == 0;
    return has_bos ? GOL_ENCODE_PARSE_SPECIAL : GOL_ENCODE_PARSE_SPECIAL | GOL_ENCODE_ADD_SPECIAL;
}
