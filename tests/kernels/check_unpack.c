/*
 * Stretches of weights unpacked to bytes. The versions in plain C must give back the reference conversion's values, every other one
 * the same bytes and scales as C. Blocks are random, of all ones, of all zeros, and of random bits whose scales may be infinite or
 * no numbers; packed stretches have 1 to 8 blocks where the type allows, and rows that do not exist.
 */
#include "kernels/check_kernels.h"

#include "backend/cpu/panel_format.h"
#include "support/random_blocks.h"

#include <math.h>
#include <string.h>

#define UNPACK_ROW(slot, kernel, level) VERSION_ROW(unpack_int, slot, kernel, level),
static const version unpack_versions[] = {GOL_KERN_UNPACK_INT(UNPACK_ROW)};

enum { N_BLOCK_PATTERNS = 4 };

/* n_rows rows of n_in inputs, at a page's end. */
static uint8_t *make_rows(checker *ck, gol_type type, size_t n_rows, size_t row_bytes, size_t n_in,
                          int pattern)
{
    uint8_t *rows = guarded(n_rows * row_bytes);
    if (pattern == 0)
        random_blocks(&ck->rng, type, rows, n_rows * n_in);
    else if (pattern == 1)
        memset(rows, 0xff, n_rows * row_bytes);
    for (size_t i = 0; pattern == 3 && i < n_rows * row_bytes; i++)
        rows[i] = (uint8_t)gol_rng_next(&ck->rng);
    return rows;
}

/* The rows' second stretch, packed at a page's end, or as rows. */
static gol_stretch make_stretch(const gol_panel_format *f, const uint8_t *rows, size_t row_bytes,
                                size_t n_rows, size_t n_blocks)
{
    const gol_type_info *info = gol_type_get(f->type);
    const size_t n_in = GOL_STRETCH_INPUTS + n_blocks * GOL_BLOCK_INPUTS;
    gol_stretch s = {
        .row_bytes = row_bytes,
        .n_rows = n_rows,
        .n_blocks = n_blocks,
        .n_in = n_blocks * GOL_BLOCK_INPUTS,
    };
    if (f->pack) {
        uint8_t *packed = guarded(gol_stretch_bytes(f, n_blocks));
        const gol_pack_rows from = {rows, row_bytes, n_rows, n_in};
        f->pack(packed, f, &from, 1);
        s.data = packed;
    } else {
        s.data = rows + GOL_STRETCH_INPUTS / (size_t)info->block_size * info->type_size;
    }
    return s;
}

static bool are_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* (q - zero) * scale - min, as weight_cpu.c computes it. */
static double value_of(const gol_int_panel *p, const gol_panel_format *f, size_t r, size_t i)
{
    const size_t group = i / (size_t)gol_int_kind_group(f->kind);
    const int q = p->q[(i / 4 * GOL_PANEL_ROWS + r) * 4 + i % 4];
    const float value = p->scale[group][r] * (float)(q - f->zero);
    const bool has_min = f->kind == GOL_INT_M32 || f->kind == GOL_INT_M16;
    return (double)(has_min ? value - p->min[group][r] : value);
}

static void compare_with_reference(checker *ck, const gol_int_panel *got, const gol_panel_format *f,
                                   const gol_stretch *s, const uint8_t *rows)
{
    float want[2 * GOL_STRETCH_INPUTS];
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
        memset(want, 0, sizeof want);
        if (r < s->n_rows)
            gol_type_get(f->type)->dequant(want, rows + r * s->row_bytes,
                                           GOL_STRETCH_INPUTS + s->n_in);
        for (size_t i = 0; i < s->n_in; i++) {
            const double value = value_of(got, f, r, i);
            const double wanted = (double)want[GOL_STRETCH_INPUTS + i];
            if (!are_equal(value, wanted))
                fail_number(ck, "value", r * GOL_STRETCH_INPUTS + i, value, wanted, 0.0);
        }
    }
}

static void compare_numbers(checker *ck, const char *what, const float *got, const float *want,
                            size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!are_equal((double)got[i], (double)want[i]))
            fail_number(ck, what, i, (double)got[i], (double)want[i], 0.0);
}

static void compare_panels(checker *ck, const gol_int_panel *got, const gol_int_panel *want,
                           const gol_panel_format *f, size_t n_blocks)
{
    const size_t n_scales = n_blocks * GOL_BLOCK_INPUTS / (size_t)gol_int_kind_group(f->kind) *
                            GOL_PANEL_ROWS;
    if (memcmp(got->q, want->q, n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS) != 0)
        fail_text(ck, "bytes differ from those of the C version");
    compare_numbers(ck, "scale", got->scale[0], want->scale[0], n_scales);
    if (f->kind == GOL_INT_M32 || f->kind == GOL_INT_M16)
        compare_numbers(ck, "min", got->min[0], want->min[0], n_scales);
}

/* What the cores of the kind can bear. */
static void check_range(checker *ck, const gol_int_panel *p, gol_int_kind kind, size_t n_blocks)
{
    static const uint8_t largest[GOL_N_INT_KINDS] = {
        [GOL_INT_Z32] = 127, [GOL_INT_Z32_LOW] = 31, [GOL_INT_Z32_WIDE] = 255, [GOL_INT_M32] = 31,
        [GOL_INT_Z16] = 127, [GOL_INT_Z16_LOW] = 63, [GOL_INT_M16] = 3,
    };
    for (size_t i = 0; i < n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS; i++)
        if (p->q[i] > largest[kind])
            fail_number(ck, "q", i, p->q[i], largest[kind], 0);
}

static void check_stretch(checker *ck, const version *v, const version *c, size_t n_rows,
                          size_t n_blocks, int pattern)
{
    const gol_panel_format *f = gol_panel_format_get((gol_type)v->index);
    const size_t n_in = GOL_STRETCH_INPUTS + n_blocks * GOL_BLOCK_INPUTS;
    size_t row_bytes;
    if (!gol_type_row_bytes(&row_bytes, f->type, n_in))
        return;
    const uint8_t *rows = make_rows(ck, f->type, n_rows, row_bytes, n_in, pattern);
    const gol_stretch s = make_stretch(f, rows, row_bytes, n_rows, n_blocks);
    gol_int_panel *got = fenced(sizeof *got);
    ((gol_unpack_int_fn *)v->fn)(got, &s);
    check_range(ck, got, f->kind, n_blocks);
    if (c) {
        gol_int_panel *want = fenced(sizeof *want);
        ((gol_unpack_int_fn *)c->fn)(want, &s);
        compare_panels(ck, got, want, f, n_blocks);
    } else {
        compare_with_reference(ck, got, f, &s, rows);
    }
    buffers_check(ck);
    buffers_free();
}

static void check_unpack(checker *ck, const version *v, const version *c)
{
    for (size_t n_blocks = 1; n_blocks <= GOL_STRETCH_BLOCKS; n_blocks++)
        for (int pattern = 0; pattern < N_BLOCK_PATTERNS; pattern++)
            check_stretch(ck, v, c, GOL_PANEL_ROWS, n_blocks, pattern);
    for (size_t n_rows = 1; n_rows < GOL_PANEL_ROWS; n_rows++)
        check_stretch(ck, v, c, n_rows, GOL_STRETCH_BLOCKS, 0);
}

/* Bytes of weights per second: as many stretches as a core's L2 cache holds with ease. */
static size_t bench_unpack(checker *ck, const version *v)
{
    enum { N_STRETCHES = 64 };
    static gol_stretch stretches[N_STRETCHES];
    static gol_int_panel *out;
    static const version *made_for;
    const gol_panel_format *f = gol_panel_format_get((gol_type)v->index);
    const gol_type_info *info = gol_type_get(f->type);
    const size_t n_in = (size_t)N_STRETCHES * GOL_STRETCH_INPUTS;
    const size_t row_bytes = n_in / (size_t)info->block_size * info->type_size;
    if (made_for != v) {
        made_for = v;
        out = fenced(sizeof *out);
        const gol_pack_rows rows = {make_rows(ck, f->type, GOL_PANEL_ROWS, row_bytes, n_in, 0),
                                    row_bytes, GOL_PANEL_ROWS, n_in};
        const size_t step = f->pack ? gol_stretch_bytes(f, GOL_STRETCH_BLOCKS)
                                    : row_bytes / N_STRETCHES;
        uint8_t *packed = f->pack ? guarded(N_STRETCHES * step) : NULL;
        for (size_t i = 0; i < N_STRETCHES; i++) {
            stretches[i] = (gol_stretch){f->pack ? packed + i * step : rows.data + i * step,
                                         row_bytes, GOL_PANEL_ROWS, GOL_STRETCH_BLOCKS,
                                         GOL_STRETCH_INPUTS};
            if (f->pack)
                f->pack(packed + i * step, f, &rows, i);
        }
    }
    for (size_t i = 0; i < N_STRETCHES; i++)
        ((gol_unpack_int_fn *)v->fn)(out, &stretches[i]);
    return row_bytes * GOL_PANEL_ROWS;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_unpack_int = {"unpack_int", unpack_versions, COUNT(unpack_versions),
                                  check_unpack, bench_unpack};
