/*
 * Where the quota stands:
 *
 *   /proc/self/cgroup      our group:         "0::/a/b" (v2), "4:cpu,cpuacct:/a/b" (v1)
 *   /proc/self/mountinfo   where groups show: root "/" or "/a" of the hierarchy is seen at e.g. /sys/fs/cgroup
 *   <mount>/.../cpu.max    v2: "150000 100000" or "max 100000", quota and period in microseconds
 *   <mount>/.../cpu.cfs_quota_us, cpu.cfs_period_us    v1: quota -1 is none
 *
 * A limit on any ancestor binds, so every folder from ours up to the mount point is asked. In a container the mount often
 * shows only a part of the hierarchy: the mount's root is then taken off our path, and when our path does not begin with
 * it, the mount point itself is the best we can see. Anything unreadable counts as no quota. No heap.
 */
#include "base/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CGROUP_PATH_MAX = 4096,
    CGROUP_LINE_MAX = 8192, /* of mountinfo: two paths; longer ones (overlays) are never ours */
};

typedef struct cgroup_place {
    char mount[CGROUP_PATH_MAX]; /* with the root folder in front */
    char path[CGROUP_PATH_MAX];  /* of our group below the mount: "" or "/a/b" */
} cgroup_place;

/* One line without its newline; the rest of an overlong line is skipped. */
static bool read_line(FILE *f, char line[CGROUP_LINE_MAX])
{
    if (!fgets(line, CGROUP_LINE_MAX, f))
        return false;
    const size_t len = strcspn(line, "\n");
    if (line[len] == '\0') {
        int c = getc(f);
        while (c != '\n' && c != EOF)
            c = getc(f);
    }
    line[len] = '\0';
    return true;
}

static FILE *open_below(const char *root, const char *path)
{
    char full[CGROUP_PATH_MAX];
    const int n = snprintf(full, sizeof full, "%s%s", root, path);
    return n > 0 && (size_t)n < sizeof full ? fopen(full, "re") : NULL;
}

/* False when it is too long. */
static bool copy_path(char out[CGROUP_PATH_MAX], const char *path)
{
    const size_t len = strlen(path);
    if (len >= CGROUP_PATH_MAX)
        return false;
    memcpy(out, path, len + 1);
    return true;
}

/* Is word one of the comma-separated words of list? */
static bool list_has(const char *list, const char *word)
{
    const size_t n_word = strlen(word);
    while (*list) {
        const size_t n = strcspn(list, ",");
        if (n == n_word && memcmp(list, word, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

/* The path of our group in the v2 hierarchy (controller NULL), or in the v1 hierarchy of a controller. */
static bool find_group(char out[CGROUP_PATH_MAX], const char *root, const char *controller)
{
    FILE *f = open_below(root, "/proc/self/cgroup");
    if (!f)
        return false;
    bool found = false;
    char line[CGROUP_LINE_MAX];
    while (!found && read_line(f, line)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        controllers++;
        const bool is_it = controller ? list_has(controllers, controller) : *controllers == '\0';
        if (is_it)
            found = copy_path(out, path);
    }
    fclose(f);
    return found;
}

/* Splits "id parent dev root mount options [optional...] - type source super" at its spaces; false if this is no mount of
 * the wanted kind. */
static bool split_mount(char *line, const char *controller, const char **root, const char **mount)
{
    char *tail = strstr(line, " - ");
    if (!tail)
        return false;
    *tail = '\0';
    char *save;
    const char *type = strtok_r(tail + 3, " ", &save);
    const char *source = strtok_r(NULL, " ", &save);
    const char *super = strtok_r(NULL, " ", &save);
    if (!type || !source || !super || strcmp(type, controller ? "cgroup" : "cgroup2") != 0)
        return false;
    if (controller && !list_has(super, controller))
        return false;
    const char *fields[5] = {0};
    char *rest = line;
    for (int i = 0; i < 5; i++, rest = NULL) {
        fields[i] = strtok_r(rest, " ", &save);
        if (!fields[i])
            return false;
    }
    *root = fields[3];
    *mount = fields[4];
    return true;
}

/* The group's path as seen below a mount that shows the hierarchy from mount_root on. */
static const char *path_below(const char *group, const char *mount_root)
{
    const size_t n = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    if (strstr(group, "/..")) /* outside of our cgroup namespace */
        return "";
    if (strncmp(group, mount_root, n) != 0 || (group[n] != '/' && group[n] != '\0'))
        return "";
    return strcmp(group + n, "/") == 0 ? "" : group + n;
}

static bool find_place(cgroup_place *out, const char *root, const char *controller)
{
    char group[CGROUP_PATH_MAX];
    if (!find_group(group, root, controller))
        return false;
    FILE *f = open_below(root, "/proc/self/mountinfo");
    if (!f)
        return false;
    bool found = false;
    char line[CGROUP_LINE_MAX];
    while (!found && read_line(f, line)) {
        const char *mount_root;
        const char *mount;
        if (!split_mount(line, controller, &mount_root, &mount))
            continue;
        const int n = snprintf(out->mount, sizeof out->mount, "%s%s", root, mount);
        found = n > 0 && (size_t)n < sizeof out->mount &&
                copy_path(out->path, path_below(group, mount_root));
    }
    fclose(f);
    return found;
}

static void visit_hierarchy(const char *root, const char *controller, gol_cgroup_visit *visit,
                            void *user)
{
    cgroup_place place;
    if (!find_place(&place, root, controller))
        return;
    for (;;) {
        char folder[2 * CGROUP_PATH_MAX];
        snprintf(folder, sizeof folder, "%s%s", place.mount, place.path);
        visit(user, folder, controller == NULL);
        char *slash = strrchr(place.path, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

void gol_cgroup_visit_all(const char *root, const char *controller, gol_cgroup_visit *visit,
                          void *user)
{
    /* Both: on hybrid systems a controller sits in either hierarchy. */
    visit_hierarchy(root, NULL, visit, user);
    visit_hierarchy(root, controller, visit, user);
}

/* The first line of <folder>/<name>. */
static bool read_file(char line[CGROUP_LINE_MAX], const char *folder, const char *name)
{
    char full[2 * CGROUP_PATH_MAX + 64];
    snprintf(full, sizeof full, "%s/%s", folder, name);
    FILE *f = fopen(full, "re");
    if (!f)
        return false;
    const bool ok = read_line(f, line);
    fclose(f);
    return ok;
}

/* Quota and period in microseconds -> processors, 0 for none. */
static int round_up(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    const long long n = quota / period + (quota % period != 0);
    return n < INT_MAX ? (int)n : 0;
}

static int read_quota(const char *folder, bool is_v2)
{
    char line[CGROUP_LINE_MAX];
    char *end;
    if (is_v2) {
        if (!read_file(line, folder, "cpu.max"))
            return 0;
        const long long quota = strtoll(line, &end, 10); /* "max" gives 0 */
        return round_up(quota, strtoll(end, NULL, 10));
    }
    if (!read_file(line, folder, "cpu.cfs_quota_us"))
        return 0;
    const long long quota = strtoll(line, &end, 10);
    if (!read_file(line, folder, "cpu.cfs_period_us"))
        return 0;
    return round_up(quota, strtoll(line, &end, 10));
}

static void keep_smaller_quota(void *user, const char *folder, bool is_v2)
{
    int *smallest = user;
    const int n_cpus = read_quota(folder, is_v2);
    if (n_cpus != 0 && (*smallest == 0 || n_cpus < *smallest))
        *smallest = n_cpus;
}

int gol_cgroup_n_cpus(const char *root)
{
    int smallest = 0;
    gol_cgroup_visit_all(root, "cpu", keep_smaller_quota, &smallest);
    return smallest;
}
