/* Templates for models that bring none, recognised by their special tokens. */
#ifndef GOL_TEXT_CHAT_BUILTIN_H
#define GOL_TEXT_CHAT_BUILTIN_H

#include "base/str.h"
#include "text/tokenizer.h"

enum { GOL_CHAT_BUILTIN_TOKENS_MAX = 3 };

typedef struct gol_chat_builtin {
    const char *name;
    /* Control tokens that the vocabulary must have, all of them, for a guess; none: it is chosen by name alone. */
    const char *tokens[GOL_CHAT_BUILTIN_TOKENS_MAX];
    bool is_byte_level; /* not for vocabularies that put a space before the first word */
    const char *source;
} gol_chat_builtin;

const gol_chat_builtin *gol_chat_builtin_find(gol_str name);              /* NULL: none */
const gol_chat_builtin *gol_chat_builtin_guess(const gol_tokenizer *tok); /* NULL: no one fits */
const char *gol_chat_builtin_names(void);              /* "chatml, llama3, ..." */
const gol_chat_builtin *gol_chat_builtin_at(size_t i); /* NULL: there are no more */

#endif
