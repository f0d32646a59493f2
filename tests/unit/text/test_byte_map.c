/* GPT-2's byte map: its published corner values, and that it is one to one. */
#include "unit/text/text_test.h"

#include "text/utf8.h"

static void known_bytes_have_their_known_characters(void **state)
{
    (void)state;
    assert_int_equal(gol_byte_map_char(0x00), 0x100);
    assert_int_equal(gol_byte_map_char('\n'), 0x10A);
    assert_int_equal(gol_byte_map_char(' '), 0x120); /* Ġ */
    assert_int_equal(gol_byte_map_char('!'), '!');
    assert_int_equal(gol_byte_map_char('~'), '~');
    assert_int_equal(gol_byte_map_char(0x7F), 0x121);
    assert_int_equal(gol_byte_map_char(0xA0), 0x142);
    assert_int_equal(gol_byte_map_char(0xA1), 0xA1);
    assert_int_equal(gol_byte_map_char(0xAD), 0x143);
    assert_int_equal(gol_byte_map_char(0xFF), 0xFF);
}

static void every_byte_comes_back_and_nothing_else_does(void **state)
{
    (void)state;
    int n_mapped = 0;
    for (uint32_t cp = 0; cp < 0x400; cp++) {
        const int byte = gol_byte_map_byte(cp);
        if (byte < 0)
            continue;
        n_mapped++;
        assert_int_equal(gol_byte_map_char((uint8_t)byte), cp);
    }
    assert_int_equal(n_mapped, 256);
    assert_int_equal(gol_byte_map_byte(0x10FFFF), -1);
    assert_int_equal(gol_byte_map_byte(' '), -1);
}

static void written_form_is_the_characters_utf8(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char written[2], expected[4];
        const int n = gol_byte_map_write(written, (uint8_t)byte);
        assert_int_equal(gol_utf8_encode(expected, gol_byte_map_char((uint8_t)byte)), n);
        assert_memory_equal(written, expected, (size_t)n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_have_their_known_characters),
        cmocka_unit_test(every_byte_comes_back_and_nothing_else_does),
        cmocka_unit_test(written_form_is_the_characters_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
