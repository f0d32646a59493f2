/*
 * A Hugging Face folder as a plug-in of model_file.c: config.json says which class of model it is, that class's family how to read
 * it. What the rest of gollum sees are GGUF's keys and names; which of them stand in the file at first makes no difference.
 *
 * The first part owns metadata and tensors of the whole model; the others are there for their bytes.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "formats/hf/hf_model.h"

enum {
    CONFIG_DEPTH_MAX = 32,
    CONFIG_VALUES_MAX = 1 << 18,
    /* Beyond the tables of tensors: texts as they are, metadata, recipes. */
    ARENA_BYTES_MAX = 1 << 29,
};

/* ------------------------------------------------------------------ files ---- */

bool gol_hf_path(const gol_hf *hf, char out[static GOL_HF_PATH_MAX], const char *name)
{
    const char *path = hf->file->path;
    const char *slash = strrchr(path, '/');
    struct stat info;
    size_t n = strlen(path);
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) { /* a file in the folder */
        n = slash ? (size_t)(slash - path) : 1;
        path = slash ? path : ".";
    }
    const int len = snprintf(out, GOL_HF_PATH_MAX, "%.*s/%s", (int)(n < INT_MAX ? n : INT_MAX),
                             path, name);
    return len > 0 && len < GOL_HF_PATH_MAX;
}

static int fail(gol_hf *hf, int code, const char *what, const char *name)
{
    char path[GOL_ERR_MESSAGE_MAX / 2];
    if (hf->rc == 0)
        hf->rc = gol_fail(hf->err, code, "%s: %s: %s",
                          gol_quote(path, sizeof path, gol_str_from(hf->file->path)), name, what);
    return hf->rc;
}

int gol_hf_read_text(gol_hf *hf, const char *name, gol_str *out)
{
    char path[GOL_HF_PATH_MAX];
    struct stat info;
    if (hf->rc != 0)
        return hf->rc;
    if (!gol_hf_path(hf, path, name))
        return fail(hf, GOL_ENOTFOUND, "the path is too long", name);
    if (stat(path, &info) != 0)
        return 0;
    gol_mapped_file map;
    hf->rc = gol_mapped_file_open(&map, path, hf->err);
    if (hf->rc != 0)
        return hf->rc;
    if (map.size > GOL_HF_TEXT_MAX) {
        fail(hf, GOL_EMODEL, "is larger than 64 MiB", name);
    } else {
        const char *copy = gol_arena_try_strdup(hf->arena,
                                                (gol_str){(const char *)map.data, map.size});
        *out = (gol_str){copy, map.size};
        if (!copy)
            fail(hf, GOL_ENOMEM, "out of memory", name);
    }
    gol_mapped_file_close(&map);
    return hf->rc != 0 ? hf->rc : 1;
}

/* Python writes numbers that JSON does not have, in fields that we do not read: these become null, or 0 where that is too long. */
static void remove_python_numbers(char *text, size_t len)
{
    static const struct {
        const char *word;
        const char *instead;
    } words[] = {{"-Infinity", "null     "}, {"Infinity", "null    "}, {"NaN", "0  "}};
    bool is_string = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            is_string = !is_string;
        else if (is_string && text[i] == '\\')
            i++;
        for (size_t k = 0; !is_string && k < sizeof words / sizeof *words; k++) {
            const size_t n = strlen(words[k].word);
            if (n <= len - i && memcmp(text + i, words[k].word, n) == 0)
                memcpy(text + i, words[k].instead, n);
        }
    }
}

int gol_hf_read_json(gol_hf *hf, const char *name, json_t **out)
{
    const gol_json_limits limits = {CONFIG_DEPTH_MAX, CONFIG_VALUES_MAX};
    return gol_hf_read_json_within(hf, name, &limits, out);
}

int gol_hf_read_json_within(gol_hf *hf, const char *name, const gol_json_limits *limits,
                            json_t **out)
{
    gol_str text;
    const int rc = gol_hf_read_text(hf, name, &text);
    if (rc != 1)
        return rc;
    remove_python_numbers((char *)(uintptr_t)text.data, text.len); /* a copy of ours */
    hf->rc = gol_json_doc_parse(out, text, limits, name, hf->err);
    if (hf->rc == 0)
        return 1;
    char path[GOL_ERR_MESSAGE_MAX / 2];
    gol_fail_prefix(hf->err, "%s", gol_quote(path, sizeof path, gol_str_from(hf->file->path)));
    return hf->rc;
}

/* ------------------------------------------------------------------ config.json ---- */

static void find_family(gol_hf *hf)
{
    const json_t *names = json_object_get(hf->whole, "architectures");
    const json_t *name = json_array_get(names, 0);
    if (!json_is_string(name)) {
        gol_hf_refuse(hf, GOL_EMODEL, "architectures: the name of a model class is missing");
        return;
    }
    hf->family = gol_hf_family_find(hf, gol_json_str(name));
    char quoted[64];
    if (hf->family && hf->has_logit_score && !hf->family->answers)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "the module LogitScore of modules.json is supported behind "
                      "Qwen3ForCausalLM, not behind '%s'",
                      gol_quote(quoted, sizeof quoted, gol_json_str(name)));
    if (hf->family)
        return;
    gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                  "model class '%s' is not supported (docs/models.md lists those that are)",
                  gol_quote(quoted, sizeof quoted, gol_json_str(name)));
}

/* Weights that somebody has quantized: only what we can read back. */
static void check_quantization(gol_hf *hf)
{
    const json_t *quantization = json_object_get(hf->whole, "quantization_config");
    const json_t *method = json_object_get(quantization, "quant_method");
    if (!quantization || json_is_null(quantization))
        return;
    static const char *const known[] = {"fp8", "mxfp4", "compressed-tensors"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (json_is_string(method) && gol_str_is(gol_json_str(method), known[i]))
            return; /* other numbers than these are met at the tensors */
    }
    char quoted[64] = "";
    if (json_is_string(method))
        gol_quote(quoted, sizeof quoted, gol_json_str(method));
    gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                  "quantization_config: method '%s' is not supported; fp8 and mxfp4 are", quoted);
}

/* null is an answer, too, and stays. */
static void put_defaults(gol_hf *hf)
{
    for (const gol_hf_default *d = hf->family->defaults; d->key && hf->rc == 0; d++) {
        const json_int_t whole = (json_int_t)d->value;
        if (json_object_get(hf->config, d->key))
            continue;
        json_t *value = (double)whole == d->value ? json_integer(whole) : json_real(d->value);
        if (json_object_set_new(hf->config, d->key, value) != 0)
            gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
    }
}

static void read_config(gol_hf *hf)
{
    const int rc = gol_hf_read_json(hf, "config.json", &hf->whole);
    if (rc == 0)
        fail(hf, GOL_ENOTFOUND, "there is no such file, which says what model this is",
             "config.json");
    if (rc != 1)
        return;
    json_t *text = json_object_get(hf->whole, "text_config");
    hf->config = json_is_object(text) ? text : hf->whole;
    gol_hf_list_modules(hf);
    find_family(hf);
    check_quantization(hf);
    if (hf->rc == 0 && hf->family->defaults)
        put_defaults(hf);
}

/* ------------------------------------------------------------------ opening ---- */

gol_str gol_hf_model_name(const char *path, char buf[static GOL_HF_MODEL_NAME_MAX])
{
    const char *mark = strstr(path, "/models--");
    const char *snapshot = mark ? strstr(mark, "/snapshots/") : NULL;
    if (snapshot) {
        const char *name = mark + sizeof "/models--" - 1;
        const int n = snprintf(buf, GOL_HF_MODEL_NAME_MAX, "%.*s", (int)(snapshot - name), name);
        char *dashes = strstr(buf, "--"); /* between owner and name */
        if (n > 0 && n < GOL_HF_MODEL_NAME_MAX && dashes)
            return gol_str_from(dashes + 2);
    }
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t begin = n;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    return (gol_str){path + begin, n - begin};
}

static void put_general(gol_hf *hf)
{
    char buf[GOL_HF_MODEL_NAME_MAX];
    const gol_str name = gol_hf_model_name(hf->file->path, buf);
    const char *copy = hf->rc == 0 ? gol_arena_try_strdup(hf->arena, name) : NULL;
    if (!copy) {
        fail(hf, GOL_ENOMEM, "out of memory", "config.json");
        return;
    }
    gol_hf_put_meta(hf, "general.architecture",
                    &(gol_value){.type = GOL_VALUE_STRING, .str = gol_str_from(hf->family->arch)});
    gol_hf_put_meta(hf, "general.name",
                    &(gol_value){.type = GOL_VALUE_STRING, .str = {copy, name.len}});
}

/* The table of tokens has a row for each, or some more as padding, up to a multiple of at most 512. (The library itself takes none
 * more: models that are padded say so in vocab_size, too.) Another number is that of another model. */
static void check_vocabulary(gol_hf *hf)
{
    enum { STEP = 8, PADDING_MAX = 511 };
    const uint64_t n_tokens = gol_hf_u32_or(hf, "vocab_size", 0);
    for (size_t i = 0; i < hf->n_tensors && n_tokens > 0; i++) {
        const gol_tensor *t = &hf->tensors[i];
        const uint64_t n_rows = t->shape[1];
        if (!gol_str_is(t->name, "token_embd.weight") || n_rows == n_tokens ||
            (n_rows > n_tokens && n_rows - n_tokens <= PADDING_MAX && n_rows % STEP == 0))
            continue;
        gol_hf_refuse(hf, GOL_EMODEL,
                      "vocab_size is %llu, but the table of tokens has %llu rows; as many are "
                      "expected, or with padding up to a multiple of at most %d",
                      (unsigned long long)n_tokens, (unsigned long long)n_rows, PADDING_MAX + 1);
    }
}

static void read_model(gol_hf *hf)
{
    hf->meta = gol_arena_try_calloc(hf->arena, GOL_HF_META_MAX, sizeof *hf->meta);
    if (!hf->meta) {
        fail(hf, GOL_ENOMEM, "out of memory", "config.json");
        return;
    }
    read_config(hf);
    if (hf->rc == 0)
        gol_hf_open_shards(hf);
    if (hf->rc == 0) {
        put_general(hf);
        hf->family->read(hf);
    }
    if (hf->rc == 0)
        gol_hf_put_pooling(hf);
    if (hf->rc == 0)
        gol_hf_apply_rules(hf);
    if (hf->rc == 0)
        check_vocabulary(hf);
    if (hf->rc == 0)
        gol_hf_put_texts(hf);
}

/* The arena is there before any part: it becomes the first one's at the end. */
static int open_model(gol_model_file *file, gol_err *err)
{
    gol_hf hf = {.file = file, .err = err};
    hf.arena = gol_try_calloc(1, sizeof *hf.arena);
    if (!hf.arena)
        return gol_fail(err, GOL_ENOMEM, "%s: out of memory", file->path);
    gol_arena_init(hf.arena, ARENA_BYTES_MAX);
    read_model(&hf);
    json_decref(hf.whole);
    gol_str_table_deinit(&hf.source_names);
    if (hf.rc != 0) {
        gol_arena_deinit(hf.arena);
        gol_free(hf.arena);
        return hf.rc;
    }
    gol_file_part *first = &file->parts[0];
    first->arena = hf.arena;
    first->meta = hf.meta;
    first->n_meta = hf.n_meta;
    first->tensors = hf.tensors;
    first->n_tensors = hf.n_tensors;
    snprintf(file->format_name, sizeof file->format_name, "safetensors");
    return 0;
}

static int open_file(gol_model_file *file, gol_err *err)
{
    if (file->parts[0].map.data)
        return open_model(file, err);
    char path[GOL_ERR_MESSAGE_MAX / 2];
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "%s: this is safetensors, which needs the config.json beside it: in memory "
                    "only GGUF works",
                    gol_quote(path, sizeof path, gol_str_from(file->path)));
}

const gol_file_format gol_file_format_hf = {
    .name = "Hugging Face folder",
    .probe = gol_safetensors_probe,
    .open = open_file,
    .open_folder = open_model,
    .make = gol_hf_make,
    .drop = gol_hf_drop,
};
