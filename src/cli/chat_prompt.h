/* Conversations as prompts, for the commands that hold them. */
#ifndef GOL_CLI_CHAT_PROMPT_H
#define GOL_CLI_CHAT_PROMPT_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/settings.h"
#include "gollum.h"
#include "text/chat_format.h"
#include "text/chat_template.h"

/* What --chat-template says: a built-in name, a file, or a variant of the model's. The file's text is read into storage, which must
 * outlive the choice. Errors: GOL_ENOTFOUND, GOL_EIO, GOL_ETOOLARGE, GOL_ENOMEM. */
int gol_cli_chat_choice(gol_chat_choice *out, gol_buf *storage, const gol_settings *settings,
                        gol_err *err);
int gol_cli_read_file(gol_buf *out, const char *path, gol_err *err);

typedef struct gol_cli_chat {
    gol_tokenizer *tok;
    gol_chat_template *format;
    const char *origin; /* the file that --chat-template names; NULL: none */
} gol_cli_chat;

/* Of the model at path; the weights are not touched. close() also after a failure. */
int gol_cli_chat_open(gol_cli_chat *out, const gol_settings *settings, const char *path,
                      gol_err *err);
void gol_cli_chat_close(gol_cli_chat *chat);

/* The conversation up to where the answer begins, ready for request->prompt: gollum_submit() adds BOS where the model wants it, so
 * it is not in the text then. Sets how the request reads the prompt and where the answer ends. Errors: those of gol_chat_template_render();
 * GOL_ECONFIG, with its name, where a file of the user's fails. */
int gol_cli_chat_prompt(const gol_cli_chat *chat, gol_buf *out, gollum_request *request,
                        const gol_chat_message *messages, size_t n, gol_err *err);

#endif
