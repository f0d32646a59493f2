/*
 * Known answers for every block type, worked out by hand from the layouts in blocks.h: a block of zeros with a few bytes
 * set, the value that zeros stand for, and the runs of elements that differ from it. First and last element, high bits,
 * scales of the first and the last group are among them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "quant/half.h"
#include "quant/iq_grids.h"
#include "quant/levels.h"
#include "quant/types.h"

typedef struct set_byte {
    uint8_t at;
    uint8_t value; /* 0 ends the list */
} set_byte;

typedef struct run {
    uint16_t from;
    uint16_t to; /* exclusive; 0 ends the list */
    float value;
} run;

typedef struct known_block {
    gol_type type;
    set_byte bytes[12];
    float rest;   /* value of the elements in no run */
    run runs[16]; /* later ones win */
} known_block;

/* d: 4.0 is the bytes 00 44, 2.0 00 40, 1.0 00 3c, 0.5 00 38, 0.25 00 34, -1.0 00 bc, 8.0 00 48. */
/* clang-format off */
static const known_block known_blocks[] = {
    {GOL_TYPE_Q4_0, {{1, 0x40}, {2, 0xf8}, {17, 0x19}}, -16,
     {{0, 1, 0}, {16, 17, 14}, {15, 16, 2}, {31, 32, -14}}},
    {GOL_TYPE_Q4_1, {{1, 0x38}, {3, 0xbc}, {4, 0x21}, {19, 0xf0}}, -1,
     {{0, 1, -0.5f}, {16, 17, 0}, {31, 32, 6.5f}}},
    {GOL_TYPE_Q5_0, {{1, 0x3c}, {2, 0x01}, {4, 0x01}, {5, 0x80}, {6, 0x53}}, -16,
     {{0, 1, 3}, {16, 17, 5}, {31, 32, 0}}},
    {GOL_TYPE_Q5_1, {{1, 0x40}, {3, 0x34}, {4, 0x02}, {9, 0xa1}, {7, 0x80}}, 0.25f,
     {{1, 2, 34.25f}, {17, 18, 20.25f}, {31, 32, 32.25f}}},
    {GOL_TYPE_Q8_0, {{1, 0x38}, {2, 0x80}, {33, 0x7f}}, 0,
     {{0, 1, -64}, {31, 32, 63.5f}}},
    {GOL_TYPE_IQ4_NL, {{1, 0x3c}, {2, 0x8f}, {17, 0x70}}, -127,
     {{0, 1, 113}, {16, 17, 1}, {31, 32, -10}}},
    {GOL_TYPE_MXFP4, {{0, 128}, {1, 0x97}, {16, 0xf2}}, 0,
     {{0, 1, 12}, {16, 17, -1}, {15, 16, 2}, {31, 32, -12}}},

    /* groups 0 (scale 1, min 2), 3 (scale 1) and 15 (scale 3, min 4), dmin 0.5 */
    {GOL_TYPE_Q2_K, {{0, 0x21}, {15, 0x43}, {81, 0x3c}, {83, 0x38}, {21, 0x02}, {79, 0xc0}, {3, 0x01}, {34, 0x0c}}, 0,
     {{0, 16, -1}, {5, 6, 1}, {240, 256, -2}, {255, 256, 7}, {50, 51, 3}}},
    /* scales 33 - 32 of group 0, 30 - 32 of group 15, -32 of the others */
    {GOL_TYPE_Q3_K,
     {{109, 0x3c}, {96, 0x01}, {104, 0x02}, {103, 0xe0}, {107, 0x40}, {3, 0x01}, {35, 0x03}, {31, 0x80}, {95, 0x40}, {50, 0x0c}}, 128,
     {{0, 16, -4}, {3, 4, 3}, {240, 256, 8}, {255, 256, -2}, {50, 51, 32}}},
    /* group 0: scale 3, min 2; 3: scale 2; 7: scale 5 | 2 << 4, min 1 | 1 << 4 */
    {GOL_TYPE_Q4_K,
     {{1, 0x3c}, {3, 0x38}, {4, 3}, {8, 2}, {15, 0x15}, {7, 0x82}, {11, 0x40}, {17, 0x0a}, {143, 0xf0}, {52, 0x30}}, 0,
     {{0, 32, -1}, {1, 2, 29}, {224, 256, -8.5f}, {255, 256, 546.5f}, {100, 101, 6}}},
    {GOL_TYPE_Q5_K,
     {{1, 0x40}, {3, 0x3c}, {4, 1}, {15, 0x11}, {16, 0x01}, {48, 0x01}, {47, 0x80}, {175, 0xf0}, {7, 2}, {20, 0x08}}, 0,
     {{0, 1, 34}, {224, 256, -1}, {255, 256, 61}, {100, 101, 64}}},
    {GOL_TYPE_Q6_K, {{209, 0x38}, {192, 2}, {207, 0xff}, {2, 0x05}, {130, 0x03}, {127, 0x90}, {191, 0x80}, {195, 1}, {50, 0x01}, {146, 0x0c}}, 0,
     {{0, 16, -32}, {2, 3, 21}, {240, 256, 16}, {255, 256, -4.5f}, {48, 64, -16}, {50, 51, 8.5f}}},
    /* scales 33 - 32 of group 0, 31 - 32 of group 7, -32 of the others */
    {GOL_TYPE_IQ4_XS, {{1, 0x3c}, {2, 0x02}, {4, 0x01}, {7, 0xf0}, {3, 0x40}, {8, 0x8f}}, 4064,
     {{0, 32, -127}, {0, 1, 113}, {16, 17, 1}, {224, 256, 127}}},

    /* bytes of digits 2 1 0 2 1 (number 196 of 243: 207 of 256), 2 2 2 2 2 (242: 255), 1 2 1 2 0 (150: 159) */
    {GOL_TYPE_TQ1_0, {{53, 0x3c}, {0, 207}, {32, 255}, {51, 159}}, -1,
     {{0, 1, 1}, {32, 33, 0}, {96, 97, 1}, {128, 129, 0}, {160, 161, 1}, {176, 177, 1}, {192, 193, 1}, {208, 209, 1},
      {224, 225, 1}, {243, 244, 0}, {247, 248, 1}, {251, 252, 0}, {255, 256, 1}}},
    {GOL_TYPE_TQ2_0, {{65, 0x38}, {0, 0x92}, {63, 0x40}}, -0.5f,
     {{0, 1, 0.5f}, {64, 65, 0}, {96, 97, 0.5f}, {255, 256, 0}}},

    /* Grids: entry 1 of the IQ2 ones is 43 8 8 8 8 8 8 8, the last of IQ2_XS and IQ2_S is eight times 43. Sign index 1
     * negates elements 0 and 7 (parity), 3 elements 0 and 1. */
    {GOL_TYPE_IQ2_XXS, {{1, 0x48}, {2, 1}, {6, 0x01}, {8, 0x60}, {65, 0x10}}, 8,
     {{0, 1, -43}, {7, 8, -8}, {24, 26, -8}, {224, 256, 24}}},
    {GOL_TYPE_IQ2_XS, {{1, 0x48}, {2, 1}, {3, 0x02}, {64, 0xff}, {65, 0x01}, {73, 0x10}}, 8,
     {{0, 1, -43}, {7, 8, -8}, {240, 248, 24}, {248, 256, 129}}},
    {GOL_TYPE_IQ2_S, {{1, 0x48}, {2, 1}, {34, 0x81}, {33, 0xff}, {73, 0xc0}, {81, 0x10}}, 8,
     {{0, 1, -43}, {7, 8, -8}, {240, 248, 24}, {248, 256, 129}}},
    /* entry 1: 20 4 4 4; 255: 4 28 52 62 */
    {GOL_TYPE_IQ3_XXS, {{1, 0x44}, {2, 1}, {9, 0xff}, {66, 0x01}, {97, 0x30}}, 4,
     {{0, 1, -20}, {7, 8, -4}, {29, 30, 28}, {30, 31, 52}, {31, 32, 62}, {224, 256, 28}}},
    /* entry 1: 3 1 1 1; 256: 7 5 9 5; 511: 1 1 15 15 */
    {GOL_TYPE_IQ3_S, {{1, 0x3c}, {2, 1}, {67, 0x02}, {65, 0xff}, {73, 0x80}, {105, 0x10}, {109, 0x20}}, 1,
     {{0, 1, 3}, {36, 37, 7}, {37, 38, 5}, {38, 39, 9}, {39, 40, 5}, {224, 256, 5}, {252, 253, -5}, {254, 256, 75}}},
    /* entry 0: eight times -1; 1: 1 and seven times -1; 256: -1 0 1 0 1 -1 0 -1; 2047: eight times 1; delta 1/8 */
    {GOL_TYPE_IQ1_S, {{1, 0x3c}, {2, 1}, {36, 0x01}, {33, 0xff}, {49, 0x9e}, {47, 0x70}}, -0.875f,
     {{0, 1, 1.125f}, {33, 34, 0.125f}, {34, 35, 1.125f}, {35, 36, 0.125f}, {36, 37, 1.125f}, {38, 39, 0.125f},
      {192, 224, -13.125f},
      {224, 248, -3.375f}, {248, 256, 2.625f}}},
    /* d is 1.0 = 0x3c00 in the top nibbles of scales; pairs 1 (scale 1), 14 (scale 7), 15 (scale 2) */
    {GOL_TYPE_IQ1_M, {{53, 0xc0}, {55, 0x35}, {54, 0xc0}, {48, 0x08}, {0, 1}, {32, 0x08}, {31, 0xff}, {47, 0x70}}, -0.875f,
     {{0, 8, -1.125f}, {0, 1, 0.875f}, {16, 32, -2.625f}, {224, 240, -13.125f}, {240, 248, -4.375f}, {248, 256, 5.625f}}},
};
/* clang-format on */

enum {
    N_KNOWN_BLOCKS = sizeof known_blocks / sizeof known_blocks[0],
    BLOCK_BYTES_MAX = 292,
    BLOCK_ELEMENTS_MAX = 256
};

static void check_known_block(const known_block *known, size_t misalignment)
{
    const gol_type_info *info = gol_type_get(known->type);
    const size_t n = (size_t)info->block_size;
    /* Two blocks: what the second one decodes to shows the stride too. */
    uint8_t bytes[2 * BLOCK_BYTES_MAX + 8] = {0};
    uint8_t *second = bytes + misalignment + info->type_size;
    for (const set_byte *set = known->bytes; set->value; set++) {
        assert_true(set->at < info->type_size);
        second[set->at] = set->value;
    }
    float wanted[BLOCK_ELEMENTS_MAX];
    for (size_t i = 0; i < n; i++)
        wanted[i] = known->rest;
    for (const run *r = known->runs; r->to; r++) {
        for (size_t i = r->from; i < r->to; i++)
            wanted[i] = r->value;
    }

    float y[2 * BLOCK_ELEMENTS_MAX + 1];
    const float guard = 12345.0f;
    y[2 * n] = guard;
    info->dequant(y, bytes + misalignment, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (y[n + i] != wanted[i])
            fail_msg("%s, element %zu: got %a, wanted %a", info->name, i, (double)y[n + i],
                     (double)wanted[i]);
    }
    assert_true(y[2 * n] == guard);
}

static void blocks_dequantize_to_the_values_worked_out_by_hand(void **state)
{
    (void)state;
    for (int i = 0; i < N_KNOWN_BLOCKS; i++)
        check_known_block(&known_blocks[i], 0);
}

static void blocks_may_start_at_any_address(void **state)
{
    (void)state;
    for (int i = 0; i < N_KNOWN_BLOCKS; i++) {
        check_known_block(&known_blocks[i], 1);
        check_known_block(&known_blocks[i], 2);
        check_known_block(&known_blocks[i], 7);
    }
}

static void every_block_type_has_a_known_answer(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (!info || !info->is_quantized || !info->dequant)
            continue;
        int n_found = 0;
        for (int i = 0; i < N_KNOWN_BLOCKS; i++)
            n_found += (uint32_t)known_blocks[i].type == id;
        if (n_found == 0)
            fail_msg("%s is not in known_blocks", info->name);
    }
}

static void zero_elements_touch_nothing(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (info && info->dequant)
            info->dequant(NULL, NULL, 0);
    }
}

static void floats_convert_element_by_element_from_odd_addresses(void **state)
{
    (void)state;
    uint8_t bytes[1 + 3 * sizeof(double)];
    float y[3];
    const float f32[3] = {1.5f, -0.0f, 0x1p-149f};
    memcpy(bytes + 1, f32, sizeof f32);
    gol_type_get(GOL_TYPE_F32)->dequant(y, bytes + 1, 3);
    assert_memory_equal(y, f32, sizeof f32);

    const uint16_t f16[3] = {0x3c00, 0xc000, 0x0001};
    memcpy(bytes + 1, f16, sizeof f16);
    gol_type_get(GOL_TYPE_F16)->dequant(y, bytes + 1, 3);
    assert_true(y[0] == 1.0f && y[1] == -2.0f && y[2] == 0x1p-24f);

    const uint16_t bf16[3] = {0x3f80, 0xc040, 0x0001};
    memcpy(bytes + 1, bf16, sizeof bf16);
    gol_type_get(GOL_TYPE_BF16)->dequant(y, bytes + 1, 3);
    assert_true(y[0] == 1.0f && y[1] == -3.0f && y[2] == 0x1p-133f);

    const double f64[3] = {0.1, -1e300, 0x1.000001p0}; /* rounds; overflows; a tie, to even */
    memcpy(bytes + 1, f64, sizeof f64);
    gol_type_get(GOL_TYPE_F64)->dequant(y, bytes + 1, 3);
    assert_true(y[0] == 0.1f && y[1] == -INFINITY && y[2] == 1.0f);
}

static void e8m0_scales_are_powers_of_two_down_to_subnormals(void **state)
{
    (void)state;
    for (int e = 0; e < 256; e++)
        assert_true((double)gol_e8m0_half((uint8_t)e) == ldexp(1, e - 128));
}

static void sign_patterns_have_even_parity_and_keep_their_seven_bits(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 128; i++) {
        const uint8_t signs = gol_iq_signs(i);
        assert_int_equal(signs & 127, i);
        assert_int_equal(__builtin_popcount(signs) % 2, 0);
        assert_int_equal(gol_iq_signs(i | 0xffffff80u), signs);
    }
}

/* The codebooks have no formula; what is known of them is that no vector occurs twice and no code lies outside. */
static void check_grid(const uint16_t *grid, size_t n, int n_codes, int code_bits, int code_max)
{
    static uint8_t seen[65536 / 8];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(seen[grid[i] / 8] >> grid[i] % 8 & 1, 0);
        seen[grid[i] / 8] |= (uint8_t)(1 << grid[i] % 8);
        for (int j = 0; j < n_codes; j++)
            assert_true((grid[i] >> code_bits * j & ((1 << code_bits) - 1)) <= code_max);
        assert_int_equal(grid[i] >> 1 >> (code_bits * n_codes - 1), 0);
    }
}

static void codebooks_hold_distinct_vectors_of_valid_codes(void **state)
{
    (void)state;
    check_grid(gol_iq2_xxs_grid, 256, 8, 2, 2);
    check_grid(gol_iq2_xs_grid, 512, 8, 2, 2);
    check_grid(gol_iq2_s_grid, 1024, 8, 2, 2);
    check_grid(gol_iq3_xxs_grid, 256, 4, 3, 7);
    check_grid(gol_iq3_s_grid, 512, 4, 3, 7);
    check_grid(gol_iq1_grid, 2048, 8, 2, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_dequantize_to_the_values_worked_out_by_hand),
        cmocka_unit_test(blocks_may_start_at_any_address),
        cmocka_unit_test(every_block_type_has_a_known_answer),
        cmocka_unit_test(zero_elements_touch_nothing),
        cmocka_unit_test(floats_convert_element_by_element_from_odd_addresses),
        cmocka_unit_test(e8m0_scales_are_powers_of_two_down_to_subnormals),
        cmocka_unit_test(sign_patterns_have_even_parity_and_keep_their_seven_bits),
        cmocka_unit_test(codebooks_hold_distinct_vectors_of_valid_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
