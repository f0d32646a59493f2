/*
 * Linux: MemAvailable of /proc/meminfo (the kernel's own estimate of what can be had without swapping), lowered for each
 * control group around us by limit - used + page cache in files, which the kernel gives back under pressure:
 *
 *   v2: memory.max ("max": none), memory.current, memory.stat: inactive_file, active_file
 *   v1: memory.limit_in_bytes (a huge number: none), memory.usage_in_bytes, memory.stat: total_inactive_file, ...
 *
 * Elsewhere: half of the physical memory.
 */
#include "base/sysmem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"

enum { LINE_MAX_LEN = 256 };

/* The number after `key` in a file of lines "key number" or "key: number"; false when there is none. */
static bool read_key(uint64_t *out, const char *path, const char *key)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    const size_t n_key = strlen(key);
    bool found = false;
    char line[LINE_MAX_LEN];
    while (!found && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, n_key) != 0 || (line[n_key] != ' ' && line[n_key] != ':'))
            continue;
        found = sscanf(line + n_key + 1, "%" SCNu64, out) == 1;
    }
    fclose(f);
    return found;
}

/* The number that is a file's content; false for "max" and anything else that is no number. */
static bool read_number(uint64_t *out, const char *folder, const char *name)
{
    char path[2 * 4096 + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    const bool found = fscanf(f, "%" SCNu64, out) == 1;
    fclose(f);
    return found;
}

/* Page cache of the group, 0 when unknown. */
static uint64_t read_file_cache(const char *folder, bool is_v2)
{
    char path[2 * 4096 + 64];
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    uint64_t inactive = 0;
    uint64_t active = 0;
    read_key(&inactive, path, is_v2 ? "inactive_file" : "total_inactive_file");
    read_key(&active, path, is_v2 ? "active_file" : "total_active_file");
    return inactive + active;
}

static void lower_to_group(void *user, const char *folder, bool is_v2)
{
    uint64_t *available = user;
    uint64_t limit;
    uint64_t used;
    if (!read_number(&limit, folder, is_v2 ? "memory.max" : "memory.limit_in_bytes") ||
        !read_number(&used, folder, is_v2 ? "memory.current" : "memory.usage_in_bytes"))
        return;
    const uint64_t cache = read_file_cache(folder, is_v2);
    const uint64_t held = used > cache ? used - cache : 0;
    const uint64_t left = limit > held ? limit - held : 0;
    if (left < *available)
        *available = left;
}

static bool read_available(uint64_t *out, const char *root)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/proc/meminfo", root);
    uint64_t n_kib;
    if (n < 0 || (size_t)n >= sizeof path || !read_key(&n_kib, path, "MemAvailable"))
        return false;
    *out = n_kib <= UINT64_MAX / 1024 ? n_kib * 1024 : UINT64_MAX;
    gol_cgroup_visit_all(root, "memory", lower_to_group, out);
    return true;
}

uint64_t gol_sysmem_available_at(const char *root)
{
    uint64_t available;
    return read_available(&available, root) ? available : 0;
}

uint64_t gol_sysmem_available(void)
{
    uint64_t available;
    if (read_available(&available, ""))
        return available;
    const long n_pages = sysconf(_SC_PHYS_PAGES);
    const long page_size = sysconf(_SC_PAGESIZE);
    return n_pages > 0 && page_size > 0 ? (uint64_t)n_pages * (uint64_t)page_size / 2 : 0;
}

uint64_t gol_sysmem_resident(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    uint64_t n_pages = 0; /* total, then resident */
    const bool found = fscanf(f, "%*u %" SCNu64, &n_pages) == 1;
    fclose(f);
    const long page_size = sysconf(_SC_PAGESIZE);
    return found && page_size > 0 ? n_pages * (uint64_t)page_size : 0;
}
