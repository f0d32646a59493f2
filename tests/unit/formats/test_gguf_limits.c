/* Each limit of gguf.h at the limit and one beyond, and the promise about memory: at most the file's size plus 64 MiB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "formats/gguf.h"
#include "support/cpu_time.h"
#include "support/gguf_bytes.h"

/* Opens and closes; NULL when it opened, otherwise the message. Releases b. */
static const char *try_open(gguf_bytes *b)
{
    static gol_err err;
    gol_model_file *file;
    const int rc = gol_model_file_open_memory(&file, b->data, b->len, "limits", &err);
    gol_model_file_close(&file);
    bytes_free(b);
    return rc == 0 ? NULL : err.message;
}

static void expect_open(gguf_bytes b)
{
    const char *message = try_open(&b);
    if (message)
        fail_msg("%s", message);
}

static void expect_refusal(gguf_bytes b, const char *part)
{
    const char *message = try_open(&b);
    if (!message || !strstr(message, part))
        fail_msg("'%s', expected '%s'", message ? message : "opened", part);
}

static void put_header(gguf_bytes *b, uint64_t n_tensors, uint64_t n_kv)
{
    bytes_put_u32(b, 0x46554747);
    bytes_put_u32(b, 3);
    bytes_put_u64(b, n_tensors);
    bytes_put_u64(b, n_kv);
}

/* A file with one key: of key_len bytes, an u8. */
static gguf_bytes make_key(size_t key_len)
{
    gguf_bytes b = {0};
    put_header(&b, 0, 1);
    bytes_put_u64(&b, key_len);
    bytes_put_zeros(&b, key_len);
    bytes_put_u32(&b, 0);
    bytes_put(&b, "\1", 1);
    return b;
}

static void keys_end_at_65535_bytes(void **state)
{
    (void)state;
    expect_open(make_key(GOL_GGUF_KEY_MAX));
    expect_refusal(make_key(GOL_GGUF_KEY_MAX + 1),
                   "a length of 65536 bytes at byte 24; at most 65535");
}

static gguf_bytes make_name(size_t name_len)
{
    static char name[512];
    memset(name, 'n', sizeof name);
    name[name_len] = '\0';
    gguf_spec s = spec_valid();
    s.names[0] = name;
    s.name_len = name_len;
    return spec_build(&s);
}

static void names_end_at_255_bytes(void **state)
{
    (void)state;
    expect_open(make_name(GOL_GGUF_NAME_MAX));
    expect_refusal(make_name(GOL_GGUF_NAME_MAX + 1), "a length of 256 bytes");
}

static gguf_bytes make_string(size_t len)
{
    gguf_bytes b = {0};
    put_header(&b, 0, 1);
    bytes_put_str(&b, "k");
    bytes_put_u32(&b, 8);
    bytes_put_u64(&b, len);
    bytes_put_zeros(&b, len);
    return b;
}

static void strings_end_at_64_mib(void **state)
{
    (void)state;
    expect_open(make_string(GOL_GGUF_STRING_MAX));
    expect_refusal(make_string((size_t)GOL_GGUF_STRING_MAX + 1), "a length of 67108865 bytes");
}

static gguf_bytes make_array(uint64_t n)
{
    gguf_bytes b = {0};
    put_header(&b, 0, 1);
    bytes_put_str(&b, "k");
    bytes_put_u32(&b, 9);
    bytes_put_u32(&b, 0);
    bytes_put_u64(&b, n);
    bytes_put_zeros(&b, (size_t)n);
    return b;
}

static void arrays_end_at_16_m_elements(void **state)
{
    (void)state;
    expect_open(make_array(GOL_GGUF_ARRAY_MAX));
    expect_refusal(make_array(GOL_GGUF_ARRAY_MAX + 1), "an array of 16777217 elements");
}

static gguf_bytes make_keys(uint32_t n)
{
    gguf_bytes b = {0};
    put_header(&b, 0, n);
    for (uint32_t i = 0; i < n; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        bytes_put_str(&b, key);
        bytes_put_u32(&b, 4);
        bytes_put_u32(&b, i);
    }
    return b;
}

static void metadata_ends_at_65536_keys(void **state)
{
    (void)state;
    expect_open(make_keys(GOL_GGUF_KV_MAX));
    expect_refusal(make_keys(GOL_GGUF_KV_MAX + 1), "65537 metadata keys; at most 65536");
}

/* n F32 tensors of one element, each at the place that order says. */
static gguf_bytes make_tensors(uint32_t n, const uint32_t *place)
{
    gguf_bytes b = {0};
    put_header(&b, n, 0);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "blk.%u.weight", i);
        bytes_put_str(&b, name);
        bytes_put_u32(&b, 1);
        bytes_put_u64(&b, 1);
        bytes_put_u32(&b, 0);
        bytes_put_u64(&b, 32ull * (place ? place[i] : i));
    }
    bytes_put_zeros(&b, (32 - b.len % 32) % 32 + 32 * (size_t)n);
    return b;
}

/* Of the processor's time. In a release build it takes a fifth of a second; comparing each with each would take hours. */
static const double seconds_max = 60;

static void tensors_end_at_a_million(void **state)
{
    (void)state;
    gguf_bytes b = make_tensors(GOL_GGUF_TENSORS_MAX, NULL);
    const double begin_s = cpu_seconds_of_thread();
    expect_open(b);
    assert_true(cpu_seconds_of_thread() - begin_s < seconds_max);
    expect_refusal(make_tensors(GOL_GGUF_TENSORS_MAX + 1, NULL),
                   "1048577 tensors; at most 1048576");
}

static void tensors_may_lie_in_any_order_but_not_over_each_other(void **state)
{
    (void)state;
    enum { N = 1000 };
    static uint32_t place[N];
    gol_rng rng = {.key = 3};
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < N; i++)
            place[i] = i;
        for (uint32_t i = N - 1; i > 0; i--) {
            const uint32_t j = (uint32_t)gol_rng_below(&rng, i + 1);
            const uint32_t tmp = place[i];
            place[i] = place[j];
            place[j] = tmp;
        }
        expect_open(make_tensors(N, place));
        const uint32_t i = (uint32_t)gol_rng_below(&rng, N);
        place[i] = place[(i + 1 + gol_rng_below(&rng, N - 1)) % N];
        expect_refusal(make_tensors(N, place), "overlap");
    }
}

static void arrays_nest_four_deep(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    spec_begin_array(&s, 9, 1);
    for (int i = 0; i < 2; i++) {
        bytes_put_u32(&s.value, 9);
        bytes_put_u64(&s.value, 1);
    }
    bytes_put_u32(&s.value, 0);
    bytes_put_u64(&s.value, 2);
    bytes_put(&s.value, "ab", 2);
    expect_open(spec_build(&s)); /* five deep: test_gguf_corrupt.c */
}

static void alignments_reach_from_8_to_a_mebibyte(void **state)
{
    (void)state;
    for (uint32_t alignment = 8; alignment <= GOL_GGUF_ALIGNMENT_MAX; alignment *= 2) {
        gguf_spec s = spec_valid();
        spec_set_key(&s, "general.alignment");
        s.value.len = 0;
        bytes_put_u32(&s.value, alignment);
        s.alignment = alignment;
        s.offsets[1] = alignment > 32 ? alignment : 32;
        s.n_data = (size_t)s.offsets[1] + 32;
        expect_open(spec_build(&s));
    }
    gguf_spec s = spec_valid(); /* one beyond */
    spec_set_key(&s, "general.alignment");
    s.value.len = 0;
    bytes_put_u32(&s.value, 2 * GOL_GGUF_ALIGNMENT_MAX);
    expect_refusal(spec_build(&s), "is 2097152; a power of two from 8 to 1048576");
}

static void four_dimensions_are_the_most(void **state)
{
    (void)state;
    gguf_spec s = spec_valid();
    s.n_dims = 4;
    s.dims[1] = s.dims[2] = s.dims[3] = 1;
    expect_open(spec_build(&s)); /* five: test_gguf_corrupt.c */
}

/* Twelve bytes of file would need 48 of memory each. */
static void inner_arrays_cannot_take_more_memory_than_promised(void **state)
{
    (void)state;
    const uint64_t n = 4 << 20;
    gguf_bytes b = {0};
    put_header(&b, 0, 1);
    bytes_put_str(&b, "k");
    bytes_put_u32(&b, 9);
    bytes_put_u32(&b, 9);
    bytes_put_u64(&b, n);
    bytes_put_zeros(&b, (size_t)n * 12);
    expect_refusal(b, "far more than its data is worth");
}

static void strings_take_eight_bytes_each(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    gguf_bytes b = {0};
    put_header(&b, 0, 1);
    bytes_put_str(&b, "k");
    bytes_put_u32(&b, 9);
    bytes_put_u32(&b, 8);
    bytes_put_u64(&b, N);
    bytes_put_zeros(&b, (size_t)N * 8);
    gol_gguf gguf;
    assert_int_equal(gol_gguf_parse(&gguf, b.data, b.len, "strings", NULL), 0);
    assert_true(gguf.arena->n_bytes <= (size_t)N * 8 + 16384);
    gol_gguf_deinit(&gguf);
    bytes_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_end_at_65535_bytes),
        cmocka_unit_test(names_end_at_255_bytes),
        cmocka_unit_test(strings_end_at_64_mib),
        cmocka_unit_test(arrays_end_at_16_m_elements),
        cmocka_unit_test(metadata_ends_at_65536_keys),
        cmocka_unit_test(tensors_end_at_a_million),
        cmocka_unit_test(tensors_may_lie_in_any_order_but_not_over_each_other),
        cmocka_unit_test(arrays_nest_four_deep),
        cmocka_unit_test(alignments_reach_from_8_to_a_mebibyte),
        cmocka_unit_test(four_dimensions_are_the_most),
        cmocka_unit_test(inner_arrays_cannot_take_more_memory_than_promised),
        cmocka_unit_test(strings_take_eight_bytes_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
