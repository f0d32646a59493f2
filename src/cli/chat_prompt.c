/* See chat_prompt.h. */
#include "cli/chat_prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text/chat_builtin.h"

int gol_cli_read_file(gol_buf *out, const char *path, gol_err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return gol_fail(err, errno == ENOENT ? GOL_ENOTFOUND : GOL_EIO, "%s: %s", path,
                        strerror(errno));
    char chunk[4096];
    int rc = 0;
    for (size_t n = fread(chunk, 1, sizeof chunk, file); n > 0 && rc == 0;
         n = fread(chunk, 1, sizeof chunk, file)) {
        gol_buf_put(out, chunk, n);
        if (out->failed)
            rc = gol_fail(err, GOL_ETOOLARGE, "%s: more than %zu bytes, or out of memory", path,
                          out->len_max);
    }
    if (rc == 0 && ferror(file))
        rc = gol_fail(err, GOL_EIO, "%s: %s", path, strerror(errno));
    fclose(file);
    gol_buf_reserve(out, 1); /* data is not NULL, also of an empty file */
    return rc;
}

int gol_cli_chat_choice(gol_chat_choice *out, gol_buf *storage, const gol_settings *settings,
                        gol_err *err)
{
    const char *name = settings->chat_template;
    *out = (gol_chat_choice){.name = name};
    if (name == NULL || strcmp(name, "plain") == 0 || gol_chat_builtin_find(gol_str_from(name)))
        return 0;
    if (access(name, F_OK) != 0 && strpbrk(name, "/.") == NULL)
        return 0; /* a variant of the model's, or nothing: loading tells */
    const int rc = gol_cli_read_file(storage, name, err);
    out->source = gol_buf_view(storage);
    out->origin = name;
    return rc;
}

int gol_cli_chat_open(gol_cli_chat *out, const gol_settings *settings, const char *path,
                      gol_err *err)
{
    *out = (gol_cli_chat){0};
    gol_chat_choice choice;
    gol_model_file *file = NULL;
    gol_buf source;
    gol_buf_init(&source, GOL_TEMPLATE_SOURCE_MAX);
    int rc = gol_cli_chat_choice(&choice, &source, settings, err);
    out->origin = choice.origin;
    if (rc == 0)
        rc = gol_model_file_open(&file, path, err);
    if (rc == 0)
        rc = gol_tokenizer_load(&out->tok, file, err);
    if (rc == 0)
        rc = gol_chat_template_load(&out->format, file, out->tok, &choice, err);
    gol_model_file_close(&file);
    gol_buf_deinit(&source);
    return rc;
}

void gol_cli_chat_close(gol_cli_chat *chat)
{
    gol_chat_template_destroy(&chat->format);
    gol_tokenizer_destroy(&chat->tok);
}

static int add_message(gol_jinja *j, gol_jlist *list, const gol_chat_message *message)
{
    gol_jvalue dict;
    int rc = gol_jdict_create(j, &dict);
    if (rc == 0)
        rc = gol_jdict_set_str(j, dict.dict, GOL_STR("role"), gol_jvalue_str(message->role));
    if (rc == 0)
        rc = gol_jdict_set_str(j, dict.dict, GOL_STR("content"), gol_jvalue_str(message->content));
    return rc == 0 ? gol_jlist_push(j, list, dict) : rc;
}

static int build_context(gol_jinja *j, gol_jvalue *context, const gol_chat_message *messages,
                         size_t n)
{
    gol_jvalue list;
    int rc = gol_jdict_create(j, context);
    if (rc == 0)
        rc = gol_jlist_create(j, &list, GOL_J_LIST, n);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_message(j, list.list, &messages[i]);
    if (rc == 0)
        rc = gol_jdict_set_str(j, context->dict, GOL_STR("messages"), list);
    if (rc == 0)
        rc = gol_jdict_set_str(j, context->dict, GOL_STR("add_generation_prompt"),
                               gol_jvalue_bool(true));
    return rc;
}

static int render(const gol_cli_chat *chat, gol_buf *out, const gol_chat_message *messages,
                  size_t n, gol_err *err)
{
    gol_jinja j;
    gol_jvalue context;
    gol_jinja_init(&j, NULL);
    int rc = build_context(&j, &context, messages, n);
    if (rc != 0)
        gol_fail(err, rc, "%s", j.err.message);
    else
        rc = gol_chat_template_render(chat->format, out, &j, &context, false, err);
    gol_jinja_deinit(&j);
    if (rc != GOL_EINVAL || chat->origin == NULL)
        return rc;
    gol_fail_prefix(err, "%s", chat->origin);
    err->code = GOL_ECONFIG; /* a file that the user has named, as when it cannot be parsed */
    return GOL_ECONFIG;
}

int gol_cli_chat_prompt(const gol_cli_chat *chat, gol_buf *out, gollum_request *request,
                        const gol_chat_message *messages, size_t n, gol_err *err)
{
    const bool is_plain = gol_chat_template_is_plain(chat->format);
    const int rc = is_plain ? gol_chat_plain_render(out, messages, n, true, err)
                            : render(chat, out, messages, n, err);
    if (rc != 0)
        return rc;
    gol_str prompt = gol_buf_view(out);
    request->parse_special = !is_plain;
    request->stop = is_plain ? &gol_chat_plain_stop : NULL;
    request->n_stop = is_plain ? 1 : 0;
    const bool has_bos = !is_plain && (gol_chat_template_encode_flags(chat->format, prompt) &
                                       GOL_ENCODE_ADD_SPECIAL) == 0;
    if (has_bos && gol_tokenizer_adds_bos(chat->tok)) {
        const size_t n_bos = gol_tokenizer_piece(chat->tok, gol_tokenizer_bos(chat->tok)).len;
        prompt = (gol_str){prompt.data + n_bos, prompt.len - n_bos};
    }
    request->prompt = prompt.data;
    request->prompt_len = prompt.len;
    return 0;
}
