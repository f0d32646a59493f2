/* Which model, when none is named: the first .gguf file in models/. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/common.h"

static const char models_dir[] = "models";

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
    if (n_name < n_form || strncmp(name + n_name - n_form + 6, "-of-", 4) != 0)
        return false;
    return strncmp(name + n_name - n_form, "-00001", 6) != 0;
}

static bool is_model(const char *name)
{
    return name[0] != '.' && ends_with(name, ".gguf") && !is_later_part(name);
}

int gol_cli_find_model(const gol_settings *settings, char path[GOL_PATH_MAX], gol_err *err)
{
    if (settings->model != NULL) {
        if (strlen(settings->model) >= GOL_PATH_MAX)
            return gol_fail(err, GOL_EUSAGE, "--model: longer than %d bytes", GOL_PATH_MAX - 1);
        snprintf(path, GOL_PATH_MAX, "%s", settings->model);
        return 0;
    }
    char first[256] = "";
    int n_models = 0;
    DIR *dir = opendir(models_dir);
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        if (!is_model(entry->d_name))
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
