/*
 * Random blocks of every type against the values that another implementation gives for them, bit for bit, and the codebooks
 * against its tables. The data is optional: without it the tests say so and are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "quant/half.h"
#include "quant/iq_grids.h"
#include "quant/levels.h"
#include "quant/types.h"

enum {
    FILE_BYTES_MAX = 65536,
    N_FILE_TYPES_MIN = 24 /* types that the data covers: all but F32 and F64 */
};

/* Reads a whole file into buf and returns its size; -1 when there is none. */
static long read_file(const char *path, void *buf)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    const size_t n = fread(buf, 1, FILE_BYTES_MAX, file);
    assert_true(n < FILE_BYTES_MAX);
    assert_int_equal(ferror(file), 0);
    fclose(file);
    return (long)n;
}

static void data_path(char path[512], const char *type_name, const char *suffix)
{
    const int n = snprintf(path, 512, "%s/quants/%s%s", TEST_CONFORMANCE_DIR, type_name, suffix);
    assert_true(n > 0 && n < 512);
    for (char *c = path + sizeof TEST_CONFORMANCE_DIR + sizeof "quants"; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
}

static void skip_without_data(void)
{
    if (access(TEST_CONFORMANCE_DIR "/quants", R_OK) != 0) {
        print_message("skipped: no conformance data at %s (CMake: GOLLUM_CONFORMANCE)\n",
                      TEST_CONFORMANCE_DIR);
        skip();
    }
}

/* False: the data has no file for this type. */
static bool check_type(const gol_type_info *info)
{
    static uint8_t blocks[FILE_BYTES_MAX];
    static uint8_t wanted[FILE_BYTES_MAX];
    static float got[FILE_BYTES_MAX / sizeof(float)];
    char path[512];
    data_path(path, info->name, ".blocks");
    const long n_bytes = read_file(path, blocks);
    if (n_bytes < 0)
        return false;
    data_path(path, info->name, ".f32");
    const long n_wanted = read_file(path, wanted);
    const size_t n = (size_t)n_bytes / info->type_size * (size_t)info->block_size;
    assert_true(n > 0);
    assert_int_equal((size_t)n_bytes % info->type_size, 0);
    assert_int_equal(n_wanted, n * sizeof(float));
    info->dequant(got, blocks, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, wanted + i * sizeof bits, sizeof bits);
        if (gol_f32_bits(got[i]) != bits)
            fail_msg("%s, element %zu: got %a, wanted %a", info->name, i, (double)got[i],
                     (double)gol_f32_from_bits(bits));
    }
    return true;
}

static void random_blocks_dequantize_to_the_same_bits(void **state)
{
    (void)state;
    skip_without_data();
    int n_types = 0;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (info && info->dequant)
            n_types += check_type(info);
    }
    assert_true(n_types >= N_FILE_TYPES_MIN);
}

typedef void unpack_entry(int8_t *out, uint16_t entry);

static void check_grid(const char *name, const uint16_t *grid, size_t n, size_t width,
                       unpack_entry *unpack)
{
    static int8_t wanted[FILE_BYTES_MAX];
    char path[512];
    data_path(path, name, ".i8");
    assert_int_equal(read_file(path, wanted), n * width);
    for (size_t i = 0; i < n; i++) {
        int8_t got[8];
        unpack(got, grid[i]);
        assert_memory_equal(got, wanted + i * width, width);
    }
}

static void codebooks_unpack_to_the_published_vectors(void **state)
{
    (void)state;
    skip_without_data();
    check_grid("grids/iq2_xxs", gol_iq2_xxs_grid, 256, 8, gol_iq2_unpack);
    check_grid("grids/iq2_xs", gol_iq2_xs_grid, 512, 8, gol_iq2_unpack);
    check_grid("grids/iq2_s", gol_iq2_s_grid, 1024, 8, gol_iq2_unpack);
    check_grid("grids/iq3_xxs", gol_iq3_xxs_grid, 256, 4, gol_iq3_xxs_unpack);
    check_grid("grids/iq3_s", gol_iq3_s_grid, 512, 4, gol_iq3_s_unpack);
    check_grid("grids/iq1_s", gol_iq1_grid, 2048, 8, gol_iq1_unpack);
}

static void sign_patterns_are_the_published_ones(void **state)
{
    (void)state;
    skip_without_data();
    static uint8_t wanted[FILE_BYTES_MAX];
    assert_int_equal(read_file(TEST_CONFORMANCE_DIR "/quants/grids/ksigns.u8", wanted), 128);
    for (uint32_t i = 0; i < 128; i++)
        assert_int_equal(gol_iq_signs(i), wanted[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_blocks_dequantize_to_the_same_bits),
        cmocka_unit_test(codebooks_unpack_to_the_published_vectors),
        cmocka_unit_test(sign_patterns_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
