/*
 * Thousands of files that are almost valid: bits flipped, lengths, counts, types, dimensions and offsets set to border
 * values, cut at field borders, records doubled, swapped, dropped. Each is refused with a message or loads and is used
 * whole; within two seconds; and in the memory that is promised (twice the file plus 64 MiB).
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "formats/gguf.h"
#include "fuzz/formats/gguf_fields.h"
#include "fuzz/formats/walk_model.h"
#include "fuzz/mutation_cases.h"
#include "support/gguf_bytes.h"
#include "support/temp_dir.h"

enum { N_SEEDS = 6, N_CASES = 10000, RSS_SLACK_KIB = 64 << 10 };

static temp_dir dir;
static gguf_bytes seeds[N_SEEDS];
static gguf_fields seed_fields[N_SEEDS];

static void add_llama(gol_gguf_writer *w)
{
    gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
    gol_gguf_writer_add_u32(w, "llama.context_length", 2048);
    gol_gguf_writer_add_f32(w, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    static gol_str tokens[300];
    static float scores[300];
    static char text[300][16];
    for (int i = 0; i < 300; i++) {
        snprintf(text[i], sizeof text[i], "t%d", i);
        tokens[i] = gol_str_from(text[i]);
    }
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens", tokens, 300);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, scores, 300);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", true);
}

static void add_every_value(gol_gguf_writer *w)
{
    static const uint8_t numbers[64] = {1, 0, 1, 1};
    static gol_value arrays[GOL_VALUE_N_TYPES];
    static char keys[GOL_VALUE_N_TYPES][16];
    uint64_t n = 0;
    for (int t = 0; t < GOL_VALUE_N_TYPES; t++) {
        const gol_value_type type = (gol_value_type)t;
        if (gol_value_type_size(type) == 0)
            continue;
        snprintf(keys[t], sizeof keys[t], "key.%d", t);
        gol_gguf_writer_add_value(w, gol_str_from(keys[t]), &(gol_value){.type = type, .u = 1});
        arrays[n++] = (gol_value){.type = GOL_VALUE_ARRAY,
                                  .array = {.type = type, .n = 8, .data = numbers}};
    }
    const gol_value inner = {.type = GOL_VALUE_ARRAY,
                             .array = {.type = GOL_VALUE_ARRAY, .n = n, .values = arrays}};
    const gol_value outer = {.type = GOL_VALUE_ARRAY,
                             .array = {.type = GOL_VALUE_ARRAY, .n = 1, .values = &inner}};
    gol_gguf_writer_add_value(w, GOL_STR("nested"), &outer);
}

static void add_tensors(gol_gguf_writer *w)
{
    static uint8_t data[4096];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    static const uint64_t shapes[3][GOL_DIMS_MAX] = {
        {256, 2, 1, 1}, {256, 1, 2, 1}, {256, 1, 1, 1}};
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        if (!info)
            continue;
        gol_tensor t = {.name = gol_str_from(info->name),
                        .type = (gol_type)id,
                        .n_dims = 1 + (int)id % 4,
                        .data = data};
        memcpy(t.shape, shapes[t.n_dims == 1 ? 2 : id % 3], sizeof t.shape);
        for (int d = t.n_dims; d < GOL_DIMS_MAX; d++)
            t.shape[d] = 1;
        gol_gguf_writer_add_tensor(w, &t);
    }
}

static void make_seed(int k)
{
    gol_gguf_writer *w;
    gol_err err = {0};
    assert_int_equal(gol_gguf_writer_create(&w, &err), 0);
    static const uint32_t alignments[N_SEEDS] = {32, 32, 64, 8, 4096, 32};
    gol_gguf_writer_set_alignment(w, alignments[k]);
    if (k != 2)
        add_llama(w);
    if (k == 1 || k == 4)
        add_every_value(w);
    if (k >= 2)
        add_tensors(w);
    char path[256];
    temp_dir_file(&dir, "seed.gguf", path);
    if (gol_gguf_writer_write(w, path, &err) != 0)
        fail_msg("%s", err.message);
    gol_gguf_writer_destroy(&w);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t piece[4096];
    for (size_t n = fread(piece, 1, sizeof piece, file); n > 0;
         n = fread(piece, 1, sizeof piece, file))
        bytes_put(&seeds[k], piece, n);
    fclose(file);
    if (k == 5)
        seeds[k].data[4] = 2; /* version 2 has the same layout */
    fields_find(&seed_fields[k], seeds[k].data);
}

/* ------------------------------------------------------------------ mutations ---- */

static uint64_t border_value(gol_rng *rng, const gguf_bytes *b, size_t pos)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      3,
                                      4,
                                      7,
                                      8,
                                      9,
                                      31,
                                      32,
                                      33,
                                      40,
                                      255,
                                      256,
                                      65535,
                                      65536,
                                      1u << 20,
                                      (1u << 20) + 1,
                                      1u << 24,
                                      (1u << 24) + 1,
                                      1u << 26,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      1ull << 32,
                                      1ull << 61,
                                      1ull << 62,
                                      1ull << 63,
                                      (1ull << 63) - 1,
                                      UINT64_MAX - 31,
                                      UINT64_MAX - 7,
                                      UINT64_MAX - 1,
                                      UINT64_MAX};
    const uint64_t n = sizeof values / sizeof *values;
    const uint64_t pick = gol_rng_below(rng, n + 6);
    if (pick < n)
        return values[pick];
    const uint64_t old = b->data[pos];
    const uint64_t near[] = {b->len, b->len - pos, b->len - pos - 1, b->len / 8, old + 1, old - 1};
    return near[pick - n];
}

static void set_number(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    const gguf_field *field;
    do {
        field = &f->fields[gol_rng_below(rng, f->n_fields)];
    } while (field->size != 4 && field->size != 8);
    const uint64_t v = border_value(rng, b, field->pos);
    memcpy(b->data + field->pos, &v, field->size);
}

/* A tensor's numbers are few among the fields: aim at them. */
static void set_tensor_number(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    if (f->n_tensors == 0) {
        set_number(b, rng, f);
        return;
    }
    const gguf_record *r = &f->tensors[gol_rng_below(rng, f->n_tensors)];
    const size_t n = (r->end - r->begin) / 4;
    const size_t pos = r->begin + 4 * (size_t)gol_rng_below(rng, n - 1);
    const uint64_t v = border_value(rng, b, pos);
    memcpy(b->data + pos, &v, gol_rng_below(rng, 2) ? 4 : 8);
}

static void flip_bits(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    const uint64_t n = 1 + gol_rng_below(rng, 8);
    const uint64_t n_bytes = gol_rng_below(rng, 8) ? f->pos : b->len; /* mostly the header */
    for (uint64_t i = 0; i < n; i++)
        b->data[gol_rng_below(rng, n_bytes)] ^= (uint8_t)(1u << gol_rng_below(rng, 8));
}

static void cut_at_field(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    const gguf_field *field = &f->fields[gol_rng_below(rng, f->n_fields)];
    const uint64_t pos = field->pos + gol_rng_below(rng, 3);
    b->len = (size_t)(pos > 0 && gol_rng_below(rng, 2) ? pos - 1 : pos);
}

static void cut_data(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    b->len = f->pos + (size_t)gol_rng_below(rng, b->len - f->pos + 1);
}

static const gguf_record *pick_record(gol_rng *rng, const gguf_fields *f, size_t *count_pos)
{
    const bool is_tensor = f->n_pairs == 0 || (f->n_tensors > 0 && gol_rng_below(rng, 2));
    *count_pos = is_tensor ? 8 : 16;
    return is_tensor ? &f->tensors[gol_rng_below(rng, f->n_tensors)]
                     : &f->pairs[gol_rng_below(rng, f->n_pairs)];
}

/* Doubles or drops a record, with the count made right or not. */
static void change_records(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    size_t count_pos;
    const gguf_record *r = pick_record(rng, f, &count_pos);
    const bool doubles = gol_rng_below(rng, 2);
    if (gol_rng_below(rng, 4) > 0)
        b->data[count_pos] = (uint8_t)(b->data[count_pos] + (doubles ? 1 : -1));
    gguf_bytes out = {0};
    bytes_put(&out, b->data, doubles ? r->end : r->begin);
    bytes_put(&out, b->data + (doubles ? r->begin : r->end),
              b->len - (doubles ? r->begin : r->end));
    bytes_free(b);
    *b = out;
}

/* Two pieces of the header change places: two records, or all pairs and all tensors. */
static void swap_pieces(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    gguf_record x = {24, f->n_pairs ? f->pairs[f->n_pairs - 1].end : 24};
    gguf_record y = {x.end, f->pos};
    if (gol_rng_below(rng, 3) > 0) {
        size_t unused;
        x = *pick_record(rng, f, &unused);
        y = *pick_record(rng, f, &unused);
        if (x.begin > y.begin) {
            const gguf_record tmp = x;
            x = y;
            y = tmp;
        }
        if (x.end > y.begin)
            return; /* the same one */
    }
    gguf_bytes out = {0};
    bytes_put(&out, b->data, x.begin);
    bytes_put(&out, b->data + y.begin, y.end - y.begin);
    bytes_put(&out, b->data + x.end, y.begin - x.end);
    bytes_put(&out, b->data + x.begin, x.end - x.begin);
    bytes_put(&out, b->data + y.end, b->len - y.end);
    bytes_free(b);
    *b = out;
}

/* A piece of another file over a piece of this one. */
static void splice(gguf_bytes *b, gol_rng *rng, const gguf_fields *f)
{
    const gguf_bytes *other = &seeds[gol_rng_below(rng, N_SEEDS)];
    size_t n = 1 + (size_t)gol_rng_below(rng, 64);
    const size_t to = (size_t)gol_rng_below(rng, f->pos);
    const size_t from = (size_t)gol_rng_below(rng, other->len);
    if (n > b->len - to)
        n = b->len - to;
    if (n > other->len - from)
        n = other->len - from;
    memcpy(b->data + to, other->data + from, n);
}

/* Those that keep every byte's place, and those that do not: at most one of these, and last. */
static void (*const in_place[])(gguf_bytes *, gol_rng *, const gguf_fields *) = {
    set_number, set_number, set_tensor_number, set_tensor_number, flip_bits, splice};
static void (*const moving[])(gguf_bytes *, gol_rng *, const gguf_fields *) = {
    cut_at_field, cut_data, change_records, change_records, swap_pieces};

static gguf_bytes make_case(uint64_t k)
{
    gol_rng rng = {.key = k};
    const uint64_t seed = gol_rng_below(&rng, N_SEEDS);
    gguf_bytes b = {0};
    bytes_put(&b, seeds[seed].data, seeds[seed].len);
    const gguf_fields *f = &seed_fields[seed];
    const bool moves = gol_rng_below(&rng, 3) == 0;
    const uint64_t n_in_place = moves ? gol_rng_below(&rng, 2) : 1 + gol_rng_below(&rng, 2);
    for (uint64_t i = 0; i < n_in_place; i++)
        in_place[gol_rng_below(&rng, sizeof in_place / sizeof *in_place)](&b, &rng, f);
    if (moves)
        moving[gol_rng_below(&rng, sizeof moving / sizeof *moving)](&b, &rng, f);
    return b;
}

/* ------------------------------------------------------------------ running ---- */

/* True when it loaded. by_path: through a mapped file. */
static bool run_case(uint64_t k, bool by_path)
{
    mutation_begin(k);
    gguf_bytes b = make_case(k);
    uint8_t *exact = malloc(b.len ? b.len : 1); /* so that a sanitizer sees a byte too many */
    assert_non_null(exact);
    if (b.len > 0)
        memcpy(exact, b.data, b.len);
    gol_model_file *file;
    gol_err err = {0};
    int rc;
    if (by_path) {
        char path[256];
        temp_dir_file(&dir, "mutation.gguf", path);
        temp_write_file(path, exact, b.len);
        rc = gol_model_file_open(&file, path, &err);
    } else {
        rc = gol_model_file_open_memory(&file, exact, b.len, "mutation.gguf", &err);
    }
    if (rc == 0)
        walk_model(file);
    else if (rc != err.code || !strstr(err.message, "mutation.gguf: ") || file)
        fail_msg("case %llu: %d, message '%s'", (unsigned long long)k, rc, err.message);
    gol_model_file_close(&file);
    free(exact);
    bytes_free(&b);
    return rc == 0;
}

static long rss_peak_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
#ifdef __APPLE__
    return usage.ru_maxrss / 1024;
#else
    return usage.ru_maxrss;
#endif
}

static void every_mutation_is_refused_or_works(void **state)
{
    (void)state;
    const mutation_range cases = mutation_range_find(N_CASES);
    const uint64_t n = cases.end - cases.begin;
    const long before = rss_peak_kib();
    uint64_t n_loaded = 0;
    for (uint64_t k = cases.begin; k < cases.end; k++)
        n_loaded += run_case(k, k % 16 == 0);
    const long grown = rss_peak_kib() - before;
    print_message("%llu of %llu mutations load; peak memory grew by %ld KiB\n",
                  (unsigned long long)n_loaded, (unsigned long long)n, grown);
    if (!cases.is_whole)
        return;
    /* Both kinds must be many, or the mutations are too coarse or too fine to tell anything. */
    assert_true(n_loaded > n / 20 && n_loaded < n / 2);
#ifndef GOL_SANITIZED /* which keeps freed memory back */
    assert_true(grown < RSS_SLACK_KIB);
#endif
}

static void the_seeds_themselves_load(void **state)
{
    (void)state;
    for (int k = 0; k < N_SEEDS; k++) {
        gol_model_file *file;
        gol_err err = {0};
        if (gol_model_file_open_memory(&file, seeds[k].data, seeds[k].len, "seed", &err) != 0)
            fail_msg("%s", err.message);
        walk_model(file);
        gol_model_file_close(&file);
    }
}

/* Each seed cut at every byte of its header, and at places in its data. */
static void every_cut_is_refused_or_works(void **state)
{
    (void)state;
    for (int k = 0; k < N_SEEDS; k++) {
        const size_t n_header = seed_fields[k].pos;
        for (size_t n = 0; n < seeds[k].len; n += n < n_header ? 1 : 1 + seeds[k].len / 200) {
            uint8_t *exact = malloc(n ? n : 1);
            assert_non_null(exact);
            memcpy(exact, seeds[k].data, n);
            gol_model_file *file;
            gol_err err = {0};
            if (gol_model_file_open_memory(&file, exact, n, "cut", &err) == 0) {
                assert_true(n >= n_header); /* a cut in the last padding harms nobody */
                walk_model(file);
            }
            gol_model_file_close(&file);
            free(exact);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_create();
    for (int k = 0; k < N_SEEDS; k++)
        make_seed(k);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int k = 0; k < N_SEEDS; k++)
        bytes_free(&seeds[k]);
    temp_dir_destroy(&dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_themselves_load),
        cmocka_unit_test(every_cut_is_refused_or_works),
        cmocka_unit_test(every_mutation_is_refused_or_works),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
