/* Which model: the one that is named, by path or as the caches of other programs name it; otherwise the first .gguf file in models/. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/common.h"
#include "cli/model_caches.h"

static const char models_dir[] = "models";

/* A folder that holds GGUF files instead of a config.json. */
static int look_into_folder(char path[GOL_PATH_MAX], const char *folder, gol_err *err)
{
    char config[GOL_PATH_MAX + sizeof "/config.json"];
    struct stat info;
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode) || stat(config, &info) == 0)
        return 0;
    return gol_find_gguf_in(path, folder, NULL, err);
}

static int find_named(const gol_settings *settings, char path[GOL_PATH_MAX], gol_err *err)
{
    struct stat info;
    const char *name = settings->model;
    if (strlen(name) >= GOL_PATH_MAX)
        return gol_fail(err, GOL_EUSAGE, "--model: longer than %d bytes", GOL_PATH_MAX - 1);
    const int rc = stat(name, &info) == 0 ? look_into_folder(path, name, err)
                                          : gol_find_cached_model(path, name, err);
    if (rc < 0)
        return rc;
    if (rc == 0) /* whoever opens it says what is wrong */
        snprintf(path, GOL_PATH_MAX, "%s", name);
    else if (!settings->quiet)
        fprintf(stderr, "gollum: using %s\n", path);
    return 0;
}

int gol_cli_find_model(const gol_settings *settings, char path[GOL_PATH_MAX], gol_err *err)
{
    if (settings->model != NULL)
        return find_named(settings, path, err);
    char first[256] = "";
    int n_models = 0;
    DIR *dir = opendir(models_dir);
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        if (!gol_is_gguf_name(entry->d_name))
            continue;
        n_models++;
        if (first[0] == '\0' || strcmp(entry->d_name, first) < 0)
            snprintf(first, sizeof first, "%s", entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    if (n_models == 0)
        return gol_fail(err, GOL_ENOTFOUND,
                        "no model: name a GGUF file with -m FILE, or put one into ./%s",
                        models_dir);
    snprintf(path, GOL_PATH_MAX, "%s/%s", models_dir, first);
    if (!settings->quiet)
        fprintf(stderr, "gollum: using %s%s\n", path,
                n_models > 1 ? " (-m FILE names another)" : "");
    return 0;
}
