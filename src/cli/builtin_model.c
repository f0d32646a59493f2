/* See builtin_model.h. */
#include "cli/builtin_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

const char gol_builtin_name[] = "gollum-demo.gguf";

#if defined(__APPLE__)

bool gol_program_path(char path[GOL_PATH_MAX])
{
    char started_as[GOL_PATH_MAX];
    uint32_t size = sizeof started_as;
    char *real = _NSGetExecutablePath(started_as, &size) == 0 ? realpath(started_as, NULL) : NULL;
    const bool fits = real != NULL && strlen(real) < GOL_PATH_MAX;
    if (fits)
        snprintf(path, GOL_PATH_MAX, "%s", real);
    free(real);
    return fits;
}

#else

bool gol_program_path(char path[GOL_PATH_MAX])
{
    const ssize_t n = readlink("/proc/self/exe", path, GOL_PATH_MAX);
    if (n <= 0 || n >= GOL_PATH_MAX)
        return false;
    path[n] = '\0';
    return true;
}

#endif

/* A place too long for the system is none. */
static void add(gol_builtin_places *places, const char *parent, size_t n_parent, const char *folder)
{
    const int n = snprintf(places->folders[places->n], GOL_PATH_MAX, "%.*s%s", (int)n_parent,
                           parent, folder);
    places->n += n < GOL_PATH_MAX;
}

/* The length of path without its last part: 8 of "/opt/x/bin/gollum" -> "/opt/x/bin" -> ..., 0 of what lies in the root. */
static size_t parent_length(const char *path, size_t n)
{
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n > 0 ? n - 1 : 0;
}

void gol_builtin_places_init(gol_builtin_places *places, const char *program)
{
    places->n = 0;
    if (program != NULL && program[0] == '/') {
        const size_t n_own = parent_length(program, strlen(program));
        const size_t n_up = parent_length(program, n_own);
        add(places, program, n_up, "/share/gollum/models"); /* PREFIX/bin/gollum */
        add(places, program, n_own, "/models");             /* an archive: gollum, models/ */
        if (n_own > 0)
            add(places, program, n_up, "/models"); /* SOURCE/build/gollum */
        if (n_up > 0)
            add(places, program, parent_length(program, n_up),
                "/models"); /* SOURCE/build/release/gollum */
    }
    add(places, GOL_DATA_DIR, strlen(GOL_DATA_DIR), "/gollum/models");
    add(places, ".", 1, "/models");
}

const char *gol_builtin_find_folder(const gol_builtin_places *places)
{
    for (int i = 0; i < places->n; i++) {
        char path[GOL_PATH_MAX + sizeof gol_builtin_name];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", places->folders[i], gol_builtin_name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
            return places->folders[i];
    }
    return NULL;
}
