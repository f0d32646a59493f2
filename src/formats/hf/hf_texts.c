/*
 * Files that are not about weights: handed on as metadata, for the text layer to read, which knows tokenizers. The chat template
 * gets GGUF's key, sampling defaults too.
 */
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

static void put_string(gol_hf *hf, const char *key, gol_str text)
{
    gol_hf_put_meta(hf, key, &(gol_value){.type = GOL_VALUE_STRING, .str = text});
}

static void put_copy(gol_hf *hf, const char *key, const json_t *value)
{
    const gol_str text = gol_json_str(value);
    const char *copy = gol_arena_try_strdup(hf->arena, text);
    if (copy)
        put_string(hf, key, (gol_str){copy, text.len});
    else
        gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
}

static void put_files(gol_hf *hf)
{
    static const struct {
        const char *name;
        const char *key;
    } files[] = {
        {"config.json", "gollum.hf.config_json"},
        {"generation_config.json", "gollum.hf.generation_config_json"},
        {"tokenizer.json", "gollum.hf.tokenizer_json"},
        {"tokenizer_config.json", "gollum.hf.tokenizer_config_json"},
        {"special_tokens_map.json", "gollum.hf.special_tokens_map_json"},
        {"added_tokens.json", "gollum.hf.added_tokens_json"},
        {"vocab.json", "gollum.hf.vocab_json"},
        {"merges.txt", "gollum.hf.merges_txt"},
        {"vocab.txt", "gollum.hf.vocab_txt"},
        {"tokenizer.model", "gollum.hf.tokenizer_model"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gol_str text;
        if (gol_hf_read_text(hf, files[i].name, &text) == 1)
            put_string(hf, files[i].key, text);
    }
}

/* A template, or a list of them with names: the one named default is the model's, the others have their names in the key. */
static void put_templates(gol_hf *hf, const json_t *templates)
{
    if (json_is_string(templates)) {
        put_copy(hf, "tokenizer.chat_template", templates);
        return;
    }
    for (size_t i = 0; i < json_array_size(templates) && hf->rc == 0; i++) {
        const json_t *entry = json_array_get(templates, i);
        const json_t *name = json_object_get(entry, "name");
        const json_t *text = json_object_get(entry, "template");
        char key[128];
        if (!json_is_string(name) || !json_is_string(text) || json_string_length(name) > 64)
            continue;
        if (gol_str_is(gol_json_str(name), "default"))
            snprintf(key, sizeof key, "tokenizer.chat_template");
        else
            snprintf(key, sizeof key, "tokenizer.chat_template.%s", json_string_value(name));
        put_copy(hf, key, text);
    }
}

static void put_chat_template(gol_hf *hf)
{
    gol_str text;
    if (gol_hf_read_text(hf, "chat_template.jinja", &text) == 1) {
        put_string(hf, "tokenizer.chat_template", text);
        return;
    }
    static const char *const files[] = {"chat_template.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        json_t *root = NULL;
        if (gol_hf_read_json(hf, files[i], &root) != 1)
            continue;
        const json_t *templates = json_object_get(root, "chat_template");
        const bool has_any = json_is_string(templates) || json_array_size(templates) > 0;
        put_templates(hf, templates);
        json_decref(root);
        if (has_any)
            return;
    }
}

/* generation_config.json: how its authors sample from the model. */
static void put_sampling(gol_hf *hf)
{
    static const struct {
        const char *from;
        const char *key;
        double min, max; /* what is left out otherwise: a default must not stop a model */
        bool is_integer;
    } settings[] = {
        {"temperature", "general.sampling.temp", 0, 100, false},
        {"top_k", "general.sampling.top_k", 0, 1 << 24, true},
        {"top_p", "general.sampling.top_p", 1e-6, 1, false},
        {"min_p", "general.sampling.min_p", 0, 1, false},
        {"repetition_penalty", "general.sampling.penalty_repeat", 0.01, 100, false},
    };
    json_t *root = NULL;
    if (gol_hf_read_json(hf, "generation_config.json", &root) != 1)
        return;
    if (!json_is_false(json_object_get(root, "do_sample"))) {
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
            const json_t *value = json_object_get(root, settings[i].from);
            const double v = json_number_value(value);
            if (!json_is_number(value) || !(v >= settings[i].min && v <= settings[i].max))
                continue;
            const gol_value real = {.type = GOL_VALUE_F32, .f = (double)(float)v};
            const gol_value whole = {.type = GOL_VALUE_I32, .i = (int64_t)v};
            gol_hf_put_meta(hf, settings[i].key, settings[i].is_integer ? &whole : &real);
        }
    }
    json_decref(root);
}

void gol_hf_put_texts(gol_hf *hf)
{
    put_files(hf);
    put_chat_template(hf);
    put_sampling(hf);
}
