/*
 * The formats of well-known families, as templates. They are used for files whose metadata lost the template, and by name. The
 * first row whose tokens the vocabulary has is the guess; a token that is ordinary text there does not count.
 */
#include "text/chat_builtin.h"

#define MISTRAL_SYSTEM                                                                             \
    "{{ bos_token }}\n"                                                                            \
    "{%- set ns = namespace(system='', last=-1) -%}\n"                                             \
    "{%- for m in messages -%}\n"                                                                  \
    "{%- if m.role == 'system' or m.role == 'developer' -%}\n"                                     \
    "{%- set ns.system = ns.system ~ m.content ~ '\\n\\n' -%}\n"                                   \
    "{%- elif m.role != 'assistant' -%}\n"                                                         \
    "{%- set ns.last = loop.index0 -%}\n"                                                          \
    "{%- endif -%}\n"                                                                              \
    "{%- endfor -%}\n"

static const gol_chat_builtin builtins[] = {
    {"chatml",
     {"<|im_start|>", "<|im_end|>"},
     false,
     "{%- for m in messages -%}\n"
     "{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}\n"
     "{%- endfor -%}\n"
     "{{ '<|im_start|>assistant\\n' if add_generation_prompt }}"},
    {"llama3",
     {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
     false,
     "{{ bos_token }}\n"
     "{%- for m in messages -%}\n"
     "{%- set role = 'ipython' if m.role == 'tool' else m.role -%}\n"
     "{{ '<|start_header_id|>' ~ role ~ '<|end_header_id|>\\n\\n' ~ m.content | trim ~ "
     "'<|eot_id|>' }}\n"
     "{%- endfor -%}\n"
     "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' if add_generation_prompt }}"},
    {"gemma",
     {"<start_of_turn>", "<end_of_turn>"},
     false,
     /* Gemma knows no system role: its text goes before the first turn's. */
     "{{ bos_token }}\n"
     "{%- set ns = namespace(system='') -%}\n"
     "{%- for m in messages -%}\n"
     "{%- if m.role == 'system' or m.role == 'developer' -%}\n"
     "{%- set ns.system = ns.system ~ m.content | trim ~ '\\n\\n' -%}\n"
     "{%- else -%}\n"
     "{{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else 'user') ~ '\\n' ~ ns.system ~ "
     "m.content | trim ~ '<end_of_turn>\\n' }}\n"
     "{%- set ns.system = '' -%}\n"
     "{%- endif -%}\n"
     "{%- endfor -%}\n"
     "{{ '<start_of_turn>model\\n' if add_generation_prompt }}"},
    {"phi3",
     {"<|user|>", "<|assistant|>", "<|end|>"},
     false,
     "{%- for m in messages -%}\n"
     "{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ '<|end|>\\n' }}\n"
     "{%- endfor -%}\n"
     "{{ '<|assistant|>\\n' if add_generation_prompt }}"},
    {"zephyr",
     {"<|user|>", "<|assistant|>"},
     false,
     "{%- for m in messages -%}\n"
     "{{ '<|' ~ m.role ~ '|>\\n' ~ m.content ~ eos_token ~ '\\n' }}\n"
     "{%- endfor -%}\n"
     "{{ '<|assistant|>\\n' if add_generation_prompt }}"},
    {"mistral-v7-tekken",
     {"[INST]", "[/INST]", "[SYSTEM_PROMPT]"},
     true,
     "{{ bos_token }}\n"
     "{%- for m in messages -%}\n"
     "{%- if m.role == 'system' or m.role == 'developer' -%}\n"
     "{{ '[SYSTEM_PROMPT]' ~ m.content ~ '[/SYSTEM_PROMPT]' }}\n"
     "{%- elif m.role == 'assistant' -%}\n"
     "{{ m.content ~ eos_token }}\n"
     "{%- else -%}\n"
     "{{ '[INST]' ~ m.content ~ '[/INST]' }}\n"
     "{%- endif -%}\n"
     "{%- endfor -%}"},
    /* Before version 7 the system's text goes before the last question. */
    {"mistral-v3-tekken",
     {"[INST]", "[/INST]"},
     true,
     MISTRAL_SYSTEM
     "{%- for m in messages -%}\n"
     "{%- if m.role == 'assistant' -%}\n"
     "{{ m.content ~ eos_token }}\n"
     "{%- elif m.role != 'system' and m.role != 'developer' -%}\n"
     "{{ '[INST]' ~ (ns.system if loop.index0 == ns.last) ~ m.content ~ '[/INST]' }}\n"
     "{%- endif -%}\n"
     "{%- endfor -%}"},
    {"mistral-v3",
     {"[INST]", "[/INST]"},
     false,
     MISTRAL_SYSTEM
     "{%- for m in messages -%}\n"
     "{%- if m.role == 'assistant' -%}\n"
     "{{ ' ' ~ m.content | trim ~ eos_token }}\n"
     "{%- elif m.role != 'system' and m.role != 'developer' -%}\n"
     "{{ '[INST] ' ~ (ns.system if loop.index0 == ns.last) ~ m.content ~ '[/INST]' }}\n"
     "{%- endif -%}\n"
     "{%- endfor -%}"},
    /* The first version had no control tokens of its own. */
    {"mistral",
     {NULL},
     false,
     "{{ bos_token }}\n"
     "{%- set ns = namespace(system='') -%}\n"
     "{%- for m in messages -%}\n"
     "{%- if m.role == 'system' or m.role == 'developer' -%}\n"
     "{%- set ns.system = ns.system ~ m.content ~ '\\n\\n' -%}\n"
     "{%- elif m.role == 'assistant' -%}\n"
     "{{ ' ' ~ m.content ~ eos_token }}\n"
     "{%- else -%}\n"
     "{{ '[INST] ' ~ ns.system ~ m.content ~ ' [/INST]' }}\n"
     "{%- set ns.system = '' -%}\n"
     "{%- endif -%}\n"
     "{%- endfor -%}"},
};

enum { N_BUILTINS = sizeof builtins / sizeof builtins[0] };

const gol_chat_builtin *gol_chat_builtin_find(gol_str name)
{
    for (int i = 0; i < N_BUILTINS; i++) {
        if (gol_str_is(name, builtins[i].name))
            return &builtins[i];
    }
    return NULL;
}

static bool fits(const gol_chat_builtin *builtin, const gol_tokenizer *tok)
{
    if (!builtin->tokens[0] || (builtin->is_byte_level && gol_tokenizer_adds_space(tok)))
        return false;
    for (int i = 0; i < GOL_CHAT_BUILTIN_TOKENS_MAX && builtin->tokens[i]; i++) {
        const int32_t id = gol_tokenizer_find(tok, gol_str_from(builtin->tokens[i]));
        if (id < 0 || !gol_tokenizer_is_control(tok, id))
            return false;
    }
    return true;
}

const gol_chat_builtin *gol_chat_builtin_guess(const gol_tokenizer *tok)
{
    for (int i = 0; i < N_BUILTINS; i++) {
        if (fits(&builtins[i], tok))
            return &builtins[i];
    }
    return NULL;
}

const char *gol_chat_builtin_names(void)
{
    return "chatml, llama3, gemma, phi3, zephyr, mistral, mistral-v3, mistral-v3-tekken, "
           "mistral-v7-tekken";
}

const gol_chat_builtin *gol_chat_builtin_at(size_t i)
{
    return i < N_BUILTINS ? &builtins[i] : NULL;
}
