/* What a weight costs in memory that is really there, once it is loaded and its pages of the file are given back. */
#include "unit/backend/backend_test.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "support/random_blocks.h"
#include "support/temp_dir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif

#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

/* Of this process; 0 where nobody tells. */
static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    size_t n_pages = 0;
    const int n_read = fscanf(f, "%*s %zu", &n_pages);
    fclose(f);
    return n_read == 1 ? n_pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* A matrix of random blocks as a file: the same rows again and again, which costs no time to draw. */
static void write_matrix(const char *path, gol_type type, size_t row_bytes, int64_t n_out,
                         size_t n_in)
{
    gol_rng rng = {.key = 19};
    uint8_t *row = malloc(row_bytes);
    random_blocks(&rng, type, row, n_in);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int64_t r = 0; r < n_out; r++)
        assert_int_equal(fwrite(row, row_bytes, 1, f), 1);
    assert_int_equal(fclose(f), 0);
    free(row);
}

static void a_loaded_weight_is_there_once(void **state)
{
    (void)state;
    if (HAS_SHADOW_MEMORY || resident_bytes() == 0)
        skip();
    enum { N_OUT = 8192, N_IN = 4096, SLACK = 4 << 20 }; /* two huge pages */
    static const gol_type types[] = {GOL_TYPE_Q4_K, GOL_TYPE_Q8_0};
    const temp_dir dir = temp_dir_create();
    char path[256];
    (void)temp_dir_file(&dir, "matrix", path);
    gol_backend *be = make_backend(2);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t row_bytes;
        gol_err err = {0};
        assert_true(gol_type_row_bytes(&row_bytes, types[i], N_IN));
        write_matrix(path, types[i], row_bytes, N_OUT, N_IN);
        const size_t before = resident_bytes();
        gol_mapped_file file;
        assert_int_equal(gol_mapped_file_open(&file, path, &err), 0);
        const gol_weight_desc desc = {"w", types[i], N_OUT, N_IN, file.data, file.size, false};
        gol_weight w;
        assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
        gol_mapped_file_drop_pages(&file, 0, file.size);
        const size_t loaded = resident_bytes() - before;
        if (loaded < w.n_bytes || loaded > file.size + file.size / 20 + SLACK)
            fail_msg("%s: %zu bytes resident for %zu of the file", gol_type_get(types[i])->name,
                     loaded, file.size);
        be->ops->weight_free(be, &w);
        gol_mapped_file_close(&file);
    }
    gol_backend_destroy(&be);
    temp_dir_destroy(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_weight_is_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
