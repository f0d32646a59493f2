/*
 * Other implementations' models and token ids: models/NAME.SUFFIX below the conformance data (CMake: GOLLUM_CONFORMANCE).
 * Include after cmocka.h.
 */
#ifndef TESTS_SUPPORT_CONFORMANCE_IDS_H
#define TESTS_SUPPORT_CONFORMANCE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { CONFORMANCE_PATH_MAX = 4096 };

static inline void conformance_path(char buf[static CONFORMANCE_PATH_MAX], const char *name,
                                    const char *suffix)
{
    snprintf(buf, CONFORMANCE_PATH_MAX, "%s/models/%s.%s", TEST_CONFORMANCE_DIR, name, suffix);
}

/* Says so when the model is not there: the program then ends with 77, which CTest counts as skipped. */
static inline bool conformance_has(const char *name)
{
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, name, "gguf");
    const bool has = access(path, R_OK) == 0;
    if (!has)
        printf("skipped: %s is not there (set GOLLUM_CONFORMANCE to the conformance data)\n", path);
    return has;
}

/* Decimal ids between blanks; returns how many, at most n_max. */
static inline int32_t conformance_ids(int32_t *ids, int32_t n_max, const char *name,
                                      const char *suffix)
{
    char path[CONFORMANCE_PATH_MAX];
    conformance_path(path, name, suffix);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("cannot open %s", path);
    int32_t n = 0;
    while (n < n_max && fscanf(f, "%d", &ids[n]) == 1)
        n++;
    fclose(f);
    return n;
}

#endif
