/*
 * POST /v1/chat/completions: JSON -> messages -> text in the chat format -> token ids -> requests.
 */
#include "api/generate.h"
#include "api/messages.h"
#include "api/param_table.h"
#include "api/route.h"
#include "api/shape.h"
#include "text/chat_format.h"

int gol_chat_run(gol_api_call *call, const json_t *root, gol_api_error *error)
{
    int rc = gol_generate_read_params(call, root, GOL_PARAM_CHAT, error);
    if (rc != 0)
        return rc;
    gol_generation g = {.shape = &gol_shape_chat, .max_tokens = -1};
    gol_prompt prompt = {0};
    g.prompts = (gol_prompts){&prompt, 1};
    gol_prompt_reader reader = gol_generate_prompt_reader(call, g.max_tokens);
    gol_chat_prompt chat;
    rc = gol_messages_render(&chat, &call->api->chat, &call->arena, root, error);
    reader.add_special = reader.add_special && (chat.flags & GOL_ENCODE_ADD_SPECIAL) != 0;
    if (rc == 0)
        rc = gol_prompts_encode(&prompt, &reader, gol_buf_view(&chat.text),
                                (chat.flags & GOL_ENCODE_PARSE_SPECIAL) != 0, "messages", error);
    if (chat.is_plain) {
        g.format_stop = gol_str_from(gol_chat_plain_stop);
        call->trims_space = true; /* "Assistant:" is followed by " answer" */
    }
    if (rc == 0)
        rc = gol_generate_start(call, &g, error);
    gol_buf_deinit(&chat.text);
    return rc;
}
