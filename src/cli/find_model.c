/* See find_model.h. Says on stderr which model it is where the user did not. */
#include "cli/find_model.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/builtin_model.h"
#include "cli/model_caches.h"

static const char models_dir[] = "models";

enum { NAME_SIZE = 256, QUOTED_MAX = 200 };

static int fail_too_long(const char *what, gol_err *err)
{
    return gol_fail(err, GOL_EUSAGE, "%s: longer than %d bytes", what, GOL_PATH_MAX - 1);
}

static bool has_config(const char *folder)
{
    char config[GOL_PATH_MAX + sizeof "/config.json"];
    struct stat info;
    const int n = snprintf(config, sizeof config, "%s/config.json", folder);
    return n < (int)sizeof config && stat(config, &info) == 0;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A folder that holds GGUF files instead of a config.json: 1 and path is the file's, 0: it is not of that kind. */
static int look_into_folder(char path[GOL_PATH_MAX], const char *folder, gol_err *err)
{
    if (!is_folder(folder) || has_config(folder))
        return 0;
    return gol_find_gguf_in(path, folder, NULL, err);
}

int gol_find_named_model(gol_found_model *out, const char *name, gol_err *err)
{
    struct stat info;
    *out = (gol_found_model){.origin = GOL_MODEL_FOUND};
    if (name[0] == '\0')
        return gol_fail(err, GOL_EUSAGE, "--model: is empty, the name of a model is expected");
    if (strlen(name) >= GOL_PATH_MAX)
        return fail_too_long("--model", err);
    const bool exists = stat(name, &info) == 0;
    const int rc = exists ? look_into_folder(out->path, name, err)
                          : gol_find_cached_model(out->path, name, err);
    if (rc < 0)
        return rc;
    if (rc == 0 && !exists && gol_is_cache_name(name))
        return gol_fail(err, GOL_ENOTFOUND,
                        "%s: neither a file or folder here, nor a model in the caches of Hugging "
                        "Face and Ollama",
                        name);
    if (rc == 0) { /* whoever opens it says what is wrong */
        snprintf(out->path, GOL_PATH_MAX, "%s", name);
        out->origin = GOL_MODEL_GIVEN;
    }
    return 0;
}

/* A GGUF file, or a folder with a config.json or GGUF files; never the built-in model. */
static bool is_users_model(const char *folder, const char *name)
{
    char path[GOL_PATH_MAX];
    char file[GOL_PATH_MAX];
    gol_err several = {0};
    if (name[0] == '.' || strcmp(name, gol_builtin_name) == 0)
        return false;
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < GOL_PATH_MAX && is_folder(path))
        return has_config(path) || gol_find_gguf_in(file, path, NULL, &several) != 0;
    return gol_is_gguf_name(name) && strncmp(name, "mmproj", 6) != 0;
}

/* The user's models in a folder: how many, and the first in name order. Returns 0, or the errno of what failed. */
static int list_models(const char *folder, char first[NAME_SIZE], int *n_models)
{
    first[0] = '\0';
    *n_models = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        if (!is_users_model(folder, entry->d_name))
            continue;
        ++*n_models;
        if (first[0] == '\0' || strcmp(entry->d_name, first) < 0)
            snprintf(first, NAME_SIZE, "%s", entry->d_name);
    }
    const int number = errno;
    closedir(dir);
    return number;
}

/* The first of the user's models in a folder: 1, or 0 if there is none (or no such folder). */
static int scan(gol_found_model *out, const char *folder, gol_err *err)
{
    char first[NAME_SIZE];
    char path[GOL_PATH_MAX];
    const int number = list_models(folder, first, &out->n_models);
    if (number != 0 && number != ENOENT && number != ENOTDIR) {
        char quoted[QUOTED_MAX];
        return gol_fail(err, GOL_EIO, "%s: %s; -m FILE names a model that lies elsewhere",
                        gol_quote(quoted, sizeof quoted, gol_str_from(folder)), strerror(number));
    }
    if (out->n_models == 0)
        return 0;
    if (snprintf(path, sizeof path, "%s/%s", folder, first) >= GOL_PATH_MAX)
        return fail_too_long("the path of the first model in the folder of models", err);
    const int rc = look_into_folder(out->path, path, err);
    if (rc == 0)
        snprintf(out->path, GOL_PATH_MAX, "%s", path);
    out->origin = GOL_MODEL_SCANNED;
    return rc < 0 ? rc : 1;
}

static int fail_nowhere(const gol_builtin_places *places, gol_err *err)
{
    char list[GOL_ERR_MESSAGE_MAX] = "";
    size_t n = 0;
    for (int i = 0; i < places->n && n < sizeof list; i++) {
        char quoted[QUOTED_MAX];
        gol_quote(quoted, sizeof quoted, gol_str_from(places->folders[i]));
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", quoted);
    }
    return gol_fail(
        err, GOL_ENOTFOUND,
        "no model: give one with -m FILE, or put a GGUF file into ./%s; the built-in one, "
        "%s, is in none of %s",
        models_dir, gol_builtin_name, list);
}

int gol_find_unnamed_model(gol_found_model *out, const char *program, gol_err *err)
{
    gol_builtin_places places;
    gol_builtin_places_init(&places, program);
    const char *home = gol_builtin_find_folder(&places);
    *out = (gol_found_model){.origin = GOL_MODEL_SCANNED};
    int rc = scan(out, models_dir, err);
    if (rc == 0 && home != NULL)
        rc = scan(out, home, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (home == NULL)
        return fail_nowhere(&places, err);
    out->origin = GOL_MODEL_BUILTIN;
    if (snprintf(out->path, GOL_PATH_MAX, "%s/%s", home, gol_builtin_name) >= GOL_PATH_MAX)
        return fail_too_long("the path of the built-in model", err);
    return 0;
}

static void say(const gol_found_model *found, bool as_json)
{
    char text[GOL_PATH_MAX + 256] = "";
    if (found->origin == GOL_MODEL_BUILTIN)
        snprintf(text, sizeof text,
                 "using the built-in demonstration model, %s: very small, for trying gollum out; a "
                 "real one is given with -m FILE, or put into ./%s",
                 found->path, models_dir);
    else if (found->origin != GOL_MODEL_GIVEN)
        snprintf(text, sizeof text, "using %s%s", found->path,
                 found->n_models > 1 ? " (-m FILE names another)" : "");
    if (text[0] != '\0' && as_json)
        gol_log_warn("model", "%s", text);
    else if (text[0] != '\0')
        fprintf(stderr, "gollum: %s\n", text);
}

int gol_find_model(gol_found_model *out, const gol_settings *settings, gol_err *err)
{
    char program[GOL_PATH_MAX];
    if (settings->model != NULL)
        return gol_find_named_model(out, settings->model, err);
    return gol_find_unnamed_model(out, gol_program_path(program) ? program : NULL, err);
}

int gol_cli_find_model(const gol_settings *settings, char path[GOL_PATH_MAX], gol_err *err)
{
    gol_found_model found;
    const int rc = gol_find_model(&found, settings, err);
    if (rc != 0)
        return rc;
    snprintf(path, GOL_PATH_MAX, "%s", found.path);
    if (!settings->quiet)
        say(&found, strcmp(settings->log_format, "json") == 0);
    return 0;
}
