/*
 * The caches of Hugging Face and Ollama. What a name may hold is checked before it becomes part of a path: letters, digits and
 * "._-", never a name that climbs out of the cache.
 */
#include "cli/model_caches.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/builtin_model.h"
#include "formats/json_doc.h"

enum {
    NAME_MAX_BYTES = 128,
    MANIFEST_MAX = 1 << 20,
    MANIFEST_VALUES_MAX = 4096,
    LIST_BYTES = GOL_ERR_MESSAGE_MAX / 2,
    FILES_SHOWN = 32,
};

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* false: too long. */
__attribute__((format(printf, 2, 3))) static bool join(char out[GOL_PATH_MAX], const char *format,
                                                       ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(out, GOL_PATH_MAX, format, args);
    va_end(args);
    return n >= 0 && n < GOL_PATH_MAX;
}

/* A part of a name, which may become a file's name. */
static bool is_word(const char *text, size_t len)
{
    if (len == 0 || len > NAME_MAX_BYTES || text[0] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return false;
    }
    return true;
}

/* "[host/][owner/]name[:tag]" */
typedef struct model_name {
    char host[NAME_MAX_BYTES + 1];
    char owner[NAME_MAX_BYTES + 1];
    char name[NAME_MAX_BYTES + 1];
    char tag[NAME_MAX_BYTES + 1]; /* "": none */
} model_name;

static bool parse_name(model_name *out, const char *text)
{
    *out = (model_name){{0}, {0}, {0}, {0}};
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (colon) {
        if (!is_word(colon + 1, strlen(colon + 1)))
            return false;
        memcpy(out->tag, colon + 1, strlen(colon + 1));
    }
    char *const parts[] = {out->name, out->owner, out->host}; /* from the end */
    for (int i = 0; i < 3; i++) {
        size_t begin = len;
        while (begin > 0 && text[begin - 1] != '/')
            begin--;
        if (!is_word(text + begin, len - begin))
            return false;
        memcpy(parts[i], text + begin, len - begin);
        if (begin == 0)
            return true;
        len = begin - 1;
    }
    return false;
}

/* ------------------------------------------------------------------ GGUF files of a folder ---- */

typedef struct file_list {
    int n;                    /* that fit */
    char first[GOL_PATH_MAX]; /* in name order */
    char text[LIST_BYTES];    /* names, for a message */
    size_t n_text;
} file_list;

static bool ends_with(const char *name, const char *end)
{
    const size_t n_name = strlen(name);
    const size_t n_end = strlen(end);
    return n_name >= n_end && strcmp(name + n_name - n_end, end) == 0;
}

/* "x-00002-of-00003.gguf" comes with its first part. */
static bool is_later_part(const char *name)
{
    static const char form[] = "-00001-of-00001.gguf";
    const size_t n_name = strlen(name);
    const size_t n_form = sizeof form - 1;
    return n_name >= n_form && strncmp(name + n_name - n_form + 6, "-of-", 4) == 0 &&
           strncmp(name + n_name - n_form, "-00001", 6) != 0;
}

bool gol_is_gguf_name(const char *name)
{
    return name[0] != '.' && ends_with(name, ".gguf") && !is_later_part(name);
}

static bool holds(const char *name, const char *wanted)
{
    const size_t n = strlen(wanted);
    for (const char *at = name; *at; at++) {
        if (strncasecmp(at, wanted, n) == 0)
            return true;
    }
    return false;
}

static void add_file(file_list *list, const char *name)
{
    list->n++;
    if (list->first[0] == '\0' || strcmp(name, list->first) < 0)
        snprintf(list->first, sizeof list->first, "%s", name);
    char quoted[NAME_MAX_BYTES];
    gol_quote(quoted, sizeof quoted, gol_str_from(name));
    const size_t left = sizeof list->text - list->n_text;
    if (list->n <= FILES_SHOWN && strlen(quoted) + 3 < left)
        list->n_text += (size_t)snprintf(list->text + list->n_text, left, "%s%s",
                                         list->n > 1 ? ", " : "", quoted);
}

/* Pictures' encoders (mmproj) are no models of their own, and the built-in model is nobody's choice. */
static void list_files(file_list *list, const char *folder, const char *wanted)
{
    DIR *dir = opendir(folder);
    *list = (file_list){0};
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        const char *name = entry->d_name;
        if (!gol_is_gguf_name(name))
            continue;
        if (wanted ? holds(name, wanted)
                   : strncmp(name, "mmproj", 6) != 0 && strcmp(name, gol_builtin_name) != 0)
            add_file(list, name);
    }
    if (dir != NULL)
        closedir(dir);
}

int gol_find_gguf_in(char path[GOL_PATH_MAX], const char *folder, const char *wanted, gol_err *err)
{
    file_list list;
    char quoted[GOL_ERR_MESSAGE_MAX / 4];
    gol_quote(quoted, sizeof quoted, gol_str_from(folder));
    if (wanted && join(path, "%s/%s", folder, wanted) && exists(path))
        return 1;
    list_files(&list, folder, wanted);
    if (list.n == 0 && wanted) {
        list_files(&list, folder, NULL);
        return gol_fail(err, GOL_ENOTFOUND, "%s: no GGUF file with '%s' in its name; there %s %s",
                        quoted, wanted, list.n == 1 ? "is" : "are",
                        list.n > 0 ? list.text : "none");
    }
    if (list.n == 0) /* the folder is named: its built-in model is, too */
        return join(path, "%s/%s", folder, gol_builtin_name) && exists(path) ? 1 : 0;
    if (list.n > 1)
        return gol_fail(err, GOL_EUSAGE,
                        "%s: %d GGUF files, name one (or a part of it that no other has): %s%s",
                        quoted, list.n, list.text,
                        strlen(list.text) + 60 > LIST_BYTES ? ", ..." : "");
    if (!join(path, "%s/%s", folder, list.first))
        return gol_fail(err, GOL_ENOTFOUND, "%s: the path is too long", quoted);
    return 1;
}

/* ------------------------------------------------------------------ Hugging Face ---- */

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

/* Where the library keeps what it has fetched; the order is its own. */
static bool hub_folder(char out[GOL_PATH_MAX])
{
    if (env("HF_HUB_CACHE"))
        return join(out, "%s", env("HF_HUB_CACHE"));
    if (env("HF_HOME"))
        return join(out, "%s/hub", env("HF_HOME"));
    if (env("XDG_CACHE_HOME"))
        return join(out, "%s/huggingface/hub", env("XDG_CACHE_HOME"));
    return env("HOME") && join(out, "%s/.cache/huggingface/hub", env("HOME"));
}

/* One line without the blanks behind it. */
static bool read_word(char *out, size_t size, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t n = fread(out, 1, size - 1, file);
    fclose(file);
    while (n > 0 && isspace((unsigned char)out[n - 1]))
        n--;
    out[n] = '\0';
    return is_word(out, n);
}

static int find_in_hub(char path[GOL_PATH_MAX], const model_name *name, gol_err *err)
{
    char hub[GOL_PATH_MAX];
    char model[GOL_PATH_MAX];
    char ref[GOL_PATH_MAX];
    char folder[GOL_PATH_MAX];
    char revision[NAME_MAX_BYTES];
    if (name->owner[0] == '\0' || !hub_folder(hub) ||
        !join(model, "%s/models--%s--%s", hub, name->owner, name->name) || !is_folder(model))
        return 0;
    if (!join(ref, "%s/refs/main", model) || !read_word(revision, sizeof revision, ref))
        return gol_fail(err, GOL_ENOTFOUND,
                        "%s/%s: is in the cache of Hugging Face, but refs/main is "
                        "not: fetch it anew",
                        name->owner, name->name);
    if (!join(folder, "%s/snapshots/%s", model, revision) || !is_folder(folder))
        return gol_fail(
            err, GOL_ENOTFOUND,
            "%s/%s: is in the cache of Hugging Face, but its files are not: fetch it anew",
            name->owner, name->name);
    const int rc = gol_find_gguf_in(path, folder, name->tag[0] ? name->tag : NULL, err);
    if (rc != 0)
        return rc;
    return join(path, "%s", folder) ? 1 : 0;
}

/* ------------------------------------------------------------------ Ollama ---- */

static char *read_manifest(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = gol_try_alloc(MANIFEST_MAX);
    *len = text ? fread(text, 1, MANIFEST_MAX, file) : 0;
    fclose(file);
    return text;
}

static bool is_digest(const char *text)
{
    static const char prefix[] = "sha256:";
    const size_t n = sizeof prefix - 1;
    return strncmp(text, prefix, n) == 0 && strlen(text + n) == 64 &&
           strspn(text + n, "0123456789abcdef") == 64;
}

/* The layer that holds the weights, from the list that the manifest is. */
static int find_blob(char path[GOL_PATH_MAX], const char *store, const char *manifest, gol_err *err)
{
    size_t len;
    char *text = read_manifest(manifest, &len);
    if (!text)
        return gol_fail(err, GOL_EIO, "%s: cannot be read", manifest);
    json_t *root;
    const gol_json_limits limits = {16, MANIFEST_VALUES_MAX};
    int rc = gol_json_doc_parse(&root, (gol_str){text, len}, &limits, manifest, err);
    gol_free(text);
    if (rc != 0)
        return rc;
    const json_t *layers = json_object_get(root, "layers");
    rc = gol_fail(err, GOL_EMODEL, "%s: no layer is a model", manifest);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        const char *type = json_string_value(json_object_get(layer, "mediaType"));
        const char *digest = json_string_value(json_object_get(layer, "digest"));
        if (!type || !digest || strcmp(type, "application/vnd.ollama.image.model") != 0)
            continue;
        if (is_digest(digest) && join(path, "%s/blobs/sha256-%s", store, strchr(digest, ':') + 1))
            rc = 1;
        else
            rc = gol_fail(err, GOL_EMODEL, "%s: the model's digest is none", manifest);
        break;
    }
    json_decref(root);
    return rc;
}

static int find_in_store(char path[GOL_PATH_MAX], const char *store, const model_name *name,
                         gol_err *err)
{
    char manifest[GOL_PATH_MAX];
    if (!join(manifest, "%s/manifests/%s/%s/%s/%s", store,
              name->host[0] ? name->host : "registry.ollama.ai",
              name->owner[0] ? name->owner : "library", name->name,
              name->tag[0] ? name->tag : "latest") ||
        !exists(manifest))
        return 0;
    return find_blob(path, store, manifest, err);
}

static int find_in_ollama(char path[GOL_PATH_MAX], const model_name *name, gol_err *err)
{
    char store[GOL_PATH_MAX];
    if (env("OLLAMA_MODELS"))
        return find_in_store(path, env("OLLAMA_MODELS"), name, err);
    int rc = 0;
    if (env("HOME") && join(store, "%s/.ollama/models", env("HOME")))
        rc = find_in_store(path, store, name, err);
    if (rc == 0) /* of the system's service */
        rc = find_in_store(path, "/usr/share/ollama/.ollama/models", name, err);
    return rc;
}

bool gol_is_cache_name(const char *text)
{
    model_name name;
    return parse_name(&name, text) && !ends_with(text, ".gguf") && !ends_with(text, ".safetensors");
}

int gol_find_cached_model(char path[GOL_PATH_MAX], const char *text, gol_err *err)
{
    model_name name;
    if (!parse_name(&name, text))
        return 0;
    const int rc = name.host[0] == '\0' ? find_in_hub(path, &name, err) : 0;
    return rc != 0 ? rc : find_in_ollama(path, &name, err);
}
