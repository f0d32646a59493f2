/*
 * What sentence-transformers put into a folder beside the model: modules.json lists what a text goes through to become one vector. A
 * pooling becomes a key; linear layers behind it (Dense) are files of weights of their own, whose tensors are called
 * "<folder of the module>/<name>" here; bringing vectors to length 1 (Normalize) is the caller's choice and left out.
 */
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

enum { LIST_DEPTH_MAX = 16, LIST_VALUES_MAX = 1 << 12 };

static void refuse(gol_hf *hf, const char *name, const char *what, gol_str found)
{
    char path[GOL_ERR_MESSAGE_MAX / 3];
    char quoted[96];
    if (hf->rc == 0)
        hf->rc = gol_fail(hf->err, GOL_EUNSUPPORTED, "%s: %s: '%s' %s",
                          gol_quote(path, sizeof path, gol_str_from(hf->file->path)), name,
                          gol_quote(quoted, sizeof quoted, found), what);
}

/* The name of a folder in the model's folder, and nothing else. */
static bool is_plain_folder(gol_str name)
{
    static const char accepted[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '\0' || !strchr(accepted, name.data[i]))
            return false;
    return name.len > 0 && name.len < GOL_HF_MODULE_NAME_MAX;
}

static bool ends_with(gol_str text, const char *end)
{
    const size_t n = strlen(end);
    return text.len >= n && memcmp(text.data + text.len - n, end, n) == 0;
}

/* The layer does nothing but multiply. Its sizes are the tensor's. */
static void check_dense(gol_hf *hf, const char *folder)
{
    char name[GOL_HF_MODULE_NAME_MAX + 16];
    json_t *root = NULL;
    snprintf(name, sizeof name, "%s/config.json", folder);
    if (gol_hf_read_json(hf, name, &root) != 1)
        return;
    const json_t *activation = json_object_get(root, "activation_function");
    if (json_is_string(activation) && !ends_with(gol_json_str(activation), ".Identity"))
        refuse(hf, name, "is no activation_function that is supported; Identity is",
               gol_json_str(activation));
    json_decref(root);
}

static void add_dense(gol_hf *hf, const json_t *module)
{
    const json_t *path = json_object_get(module, "path");
    const gol_str name = json_is_string(path) ? gol_json_str(path) : (gol_str){0};
    if (!is_plain_folder(name)) {
        refuse(hf, "modules.json", "is no name of a folder beside it", name);
        return;
    }
    if (hf->n_modules == GOL_HF_MODULES_MAX) {
        refuse(hf, "modules.json", "is one linear layer too many", name);
        return;
    }
    char *folder = hf->modules[hf->n_modules++];
    snprintf(folder, GOL_HF_MODULE_NAME_MAX, "%.*s", (int)name.len, name.data);
    check_dense(hf, folder);
}

/* A token's number, or GOL_HF_ZEROS where there is none. */
static uint32_t read_token(const json_t *config, const char *key)
{
    const json_t *id = json_object_get(config, key);
    const json_int_t v = json_is_integer(id) ? json_integer_value(id) : -1;
    return v >= 0 && v <= INT32_MAX ? (uint32_t)v : GOL_HF_ZEROS;
}

/* The logit of one token, less that of another: what a reranker answers with (hf_rerank.c). */
static void add_logit_score(gol_hf *hf, const json_t *module)
{
    char name[GOL_HF_MODULE_NAME_MAX + 16];
    json_t *root = NULL;
    const json_t *path = json_object_get(module, "path");
    const gol_str folder = json_is_string(path) ? gol_json_str(path) : (gol_str){0};
    if (!is_plain_folder(folder)) {
        refuse(hf, "modules.json", "is no name of a folder beside it", folder);
        return;
    }
    snprintf(name, sizeof name, "%.*s/config.json", GOL_STR_ARG(folder));
    const int rc = gol_hf_read_json(hf, name, &root);
    if (rc == 0)
        refuse(hf, "modules.json", "has no config.json, which names its tokens", folder);
    if (rc != 1)
        return;
    hf->has_logit_score = true;
    hf->logit_score[0] = read_token(root, "true_token_id");
    hf->logit_score[1] = read_token(root, "false_token_id");
    json_decref(root);
}

/* The file is a list, which our reader takes as a member of an object only. */
static json_t *read_list(gol_hf *hf)
{
    static const char head[] = "{\"modules\":";
    const gol_json_limits limits = {LIST_DEPTH_MAX, LIST_VALUES_MAX};
    gol_str text;
    json_t *root = NULL;
    if (gol_hf_read_text(hf, "modules.json", &text) != 1)
        return NULL;
    const size_t n = sizeof head - 1 + text.len + 1;
    char *whole = gol_arena_try_array(hf->arena, n, 1);
    if (!whole) {
        gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
        return NULL;
    }
    memcpy(whole, head, sizeof head - 1);
    memcpy(whole + sizeof head - 1, text.data, text.len);
    whole[n - 1] = '}';
    hf->rc = gol_json_doc_parse(&root, (gol_str){whole, n}, &limits, "modules.json", hf->err);
    if (hf->rc != 0) {
        char path[GOL_ERR_MESSAGE_MAX / 2];
        gol_fail_prefix(hf->err, "%s", gol_quote(path, sizeof path, gol_str_from(hf->file->path)));
    }
    return root;
}

void gol_hf_list_modules(gol_hf *hf)
{
    json_t *root = read_list(hf);
    static const char *const without_weights[] = {".Transformer", ".Pooling", ".Normalize"};
    const json_t *list = json_object_get(root, "modules");
    if (root && !json_is_array(list))
        refuse(hf, "modules.json", "stands where a list of modules is expected",
               gol_str_from(gol_json_type_name(list)));
    for (size_t i = 0; i < json_array_size(list) && hf->rc == 0; i++) {
        const json_t *module = json_array_get(list, i);
        const json_t *type = json_object_get(module, "type");
        const gol_str name = json_is_string(type) ? gol_json_str(type) : (gol_str){0};
        bool is_known = false;
        for (size_t k = 0; k < sizeof without_weights / sizeof *without_weights; k++)
            is_known |= ends_with(name, without_weights[k]);
        if (ends_with(name, ".Dense"))
            add_dense(hf, module);
        else if (ends_with(name, ".LogitScore"))
            add_logit_score(hf, module);
        else if (!is_known)
            refuse(hf, "modules.json", "is no module that is supported", name);
    }
    json_decref(root);
}

void gol_hf_put_dense(gol_hf *hf)
{
    for (int i = 0; i < hf->n_modules && hf->rc == 0; i++) {
        char name[GOL_HF_MODULE_NAME_MAX + 16];
        char key[32];
        snprintf(name, sizeof name, "%s/linear.weight", hf->modules[i]);
        const gol_hf_source *source = gol_hf_find_source(hf, gol_str_from(name));
        if (!source || source->tensor->n_dims != 2 || source->tensor->shape[0] > UINT32_MAX ||
            source->tensor->shape[1] > UINT32_MAX) {
            gol_hf_refuse(hf, GOL_EMODEL, "modules.json: %s is no matrix", name);
            return;
        }
        snprintf(key, sizeof key, "dense_%d_feat_in", i + 2);
        gol_hf_put_u32(hf, key, (uint32_t)source->tensor->shape[1]);
        snprintf(key, sizeof key, "dense_%d_feat_out", i + 2);
        gol_hf_put_u32(hf, key, (uint32_t)source->tensor->shape[0]);
    }
}

/* Numbers of GGUF's pooling_type; the second name is that of newer files, which name one mode. */
static const struct {
    const char *key;
    const char *mode;
    uint32_t type;
} pooling_modes[] = {
    {"pooling_mode_mean_tokens", "mean", 1},
    {"pooling_mode_cls_token", "cls", 2},
    {"pooling_mode_lasttoken", "lasttoken", 3},
};

/* How many modes of older files are true: the vectors of several follow each other, which no number of GGUF's says. */
static size_t count_modes(json_t *pooling)
{
    static const char prefix[] = "pooling_mode_";
    const char *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach(pooling, key, value)
    {
        n += strncmp(key, prefix, sizeof prefix - 1) == 0 && json_is_true(value);
    }
    return n;
}

void gol_hf_put_pooling(gol_hf *hf)
{
    json_t *root = NULL;
    if (gol_hf_read_json(hf, "1_Pooling/config.json", &root) != 1)
        return;
    const json_t *mode = json_object_get(root, "pooling_mode");
    const size_t n_modes = count_modes(root);
    for (size_t i = 0; n_modes <= 1 && i < sizeof pooling_modes / sizeof *pooling_modes; i++) {
        if (json_is_true(json_object_get(root, pooling_modes[i].key)) ||
            (json_is_string(mode) && gol_str_is(gol_json_str(mode), pooling_modes[i].mode))) {
            gol_hf_put_u32(hf, "pooling_type", pooling_modes[i].type);
            break;
        }
    }
    json_decref(root);
}
