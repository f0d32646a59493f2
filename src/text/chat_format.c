/*
 * The plain chat format: see the header and docs/chat.md. Contents go in as they are; nothing is trimmed.
 */
#include "text/chat_format.h"

const char *const gol_chat_plain_stop = "\n\nUser:";

typedef struct role_label {
    const char *role;
    const char *label;
} role_label;

static const role_label labels[] = {
    {"system", "System: "},       {"developer", "System: "}, {"user", "User: "},
    {"assistant", "Assistant: "}, {"tool", "Tool: "},
};

enum { N_LABELS = sizeof labels / sizeof labels[0] };

static const char *find_label(gol_str role)
{
    for (int i = 0; i < N_LABELS; i++) {
        if (gol_str_is(role, labels[i].role))
            return labels[i].label;
    }
    return NULL;
}

int gol_chat_plain_render(gol_buf *out, const gol_chat_message *messages, size_t n,
                          bool add_generation_prompt, gol_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *label = find_label(messages[i].role);
        if (label == NULL) {
            char quoted[64];
            return gol_fail(err, GOL_EINVAL,
                            "messages[%zu].role is '%s'; accepted: 'system', 'developer', 'user', "
                            "'assistant', 'tool'",
                            i, gol_quote(quoted, sizeof quoted, messages[i].role));
        }
        gol_buf_puts(out, label);
        gol_buf_put_str(out, messages[i].content);
        gol_buf_puts(out, "\n\n");
    }
    if (add_generation_prompt)
        gol_buf_puts(out, "Assistant:");
    return out->failed ? gol_fail(err, GOL_ENOMEM,
                                  "chat: out of memory, or a prompt over %zu bytes", out->len_max)
                       : 0;
}
