/*
 * Runs a fuzz target without a fuzzer, so that every `make test` repeats what fuzzing has found: each file of the given
 * folders whole, cut short at many bytes, and with these changed in four ways. Inputs are copied to blocks of their
 * exact size, so that AddressSanitizer sees a read of one byte too many.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz_target.h"

/* Larger inputs are cut and changed at evenly spread positions only; raising it costs time, five runs for each. */
enum { POSITIONS_MAX = 200 };

static unsigned long n_runs;

/* Never called: targets that bring a mutator of their own are linked as they are. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data;
    (void)max_size;
    return size;
}

static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) {
        fprintf(stderr, "replay: out of memory\n");
        exit(1);
    }
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_runs++;
}

static void run_variants(uint8_t *data, size_t size)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x20};
    const size_t step = 1 + size / POSITIONS_MAX;
    run_copy(data, size);
    for (size_t i = 0; i < size; i += step) {
        run_copy(data, i);
        for (size_t k = 0; k < sizeof changes; k++) {
            data[i] ^= changes[k];
            run_copy(data, size);
            data[i] ^= changes[k];
        }
    }
}

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    struct stat st;
    if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
        fclose(file);
        return true; /* ".", ".." */
    }
    const size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    const bool ok = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (ok)
        run_variants(data, size);
    else
        fprintf(stderr, "%s: cannot be read\n", path);
    free(data);
    return ok;
}

static bool run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        perror(folder);
        return false;
    }
    bool ok = true;
    for (const struct dirent *entry = readdir(dir); ok && entry; entry = readdir(dir)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ok = run_file(path);
    }
    closedir(dir);
    return ok;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!run_folder(argv[i]))
            return 1;
    }
    printf("%lu inputs\n", n_runs);
    return n_runs == 0;
}
