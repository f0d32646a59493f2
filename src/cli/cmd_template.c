/*
 * gollum template: a JSON context on stdin, the prompt that a chat template makes of it on stdout. What the context lacks of
 * bos_token and eos_token is filled in from the model, when there is one.
 */
#include <stdio.h>

#include "api/template_json.h"
#include "cli/chat_prompt.h"
#include "cli/commands.h"
#include "cli/common.h"

enum { CONTEXT_MAX = 64 << 20 };

static int load_file(gol_cli_chat *chat, const gol_settings *settings, gol_err *err)
{
    gol_buf source;
    gol_buf_init(&source, GOL_TEMPLATE_SOURCE_MAX);
    int rc = gol_cli_read_file(&source, settings->template_file, err);
    if (rc == 0) {
        const gol_chat_choice choice = {.source = gol_buf_view(&source),
                                        .origin = settings->template_file};
        rc = gol_chat_template_load(&chat->format, NULL, NULL, &choice, err);
    }
    gol_buf_deinit(&source);
    return rc;
}

static int load(gol_cli_chat *chat, const gol_settings *settings, gol_err *err)
{
    char path[GOL_PATH_MAX];
    if (settings->template_file != NULL)
        return load_file(chat, settings, err);
    int rc = gol_cli_find_model(settings, path, err);
    if (rc == 0)
        rc = gol_cli_chat_open(chat, settings, path, err);
    if (rc == 0 && gol_chat_template_is_plain(chat->format))
        rc = gol_fail(err, GOL_ENOTFOUND,
                      "%s has no chat template, and its vocabulary fits none that is built in; "
                      "--chat-template names one",
                      path);
    return rc;
}

static bool has_tools(gol_jinja *j, const gol_jvalue *context)
{
    const gol_jvalue *tools = gol_jdict_find_str(j, context->dict, GOL_STR("tools"));
    return tools && gol_jvalue_is_true(tools);
}

static int render(const gol_cli_chat *chat, gol_buf *out, gol_str json, gol_err *err)
{
    gol_jinja j;
    gol_jvalue context;
    gol_jinja_init(&j, NULL);
    int rc = gol_template_json_parse(&j, &context, json, err);
    if (rc != 0)
        gol_fail_prefix(err, "stdin");
    if (rc == 0)
        rc = gol_chat_template_render(chat->format, out, &j, &context, has_tools(&j, &context),
                                      err);
    gol_jinja_deinit(&j);
    return rc;
}

int gol_cmd_template(const gol_settings *settings)
{
    gol_err err = {0};
    gol_cli_chat chat = {0};
    gol_buf json, out;
    gol_buf_init(&json, CONTEXT_MAX);
    gol_buf_init(&out, GOL_JINJA_OUTPUT_MAX);
    int rc = load(&chat, settings, &err);
    if (rc == 0)
        rc = gol_cli_read_stdin(&json, &err);
    if (rc == 0)
        rc = render(&chat, &out, gol_buf_view(&json), &err);
    if (rc == 0)
        rc = gol_cli_write_stdout(gol_buf_view(&out), &err);
    gol_cli_chat_close(&chat);
    gol_buf_deinit(&json);
    gol_buf_deinit(&out);
    return rc == 0 ? 0 : gol_cli_fail(&err);
}
