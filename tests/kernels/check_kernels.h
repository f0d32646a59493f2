/*
 * What the checks of all families share. A check runs one version of one slot on random and on worst-case inputs. The version
 * in plain C is compared with a naive reference in double, every other one with the C version of its slot, both within the
 * family's named bound. Inputs end at a page that must not be touched, outputs lie between poisoned bytes.
 */
#ifndef TESTS_KERNELS_CHECK_KERNELS_H
#define TESTS_KERNELS_CHECK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cpu/kernels/kernels.h"
#include "base/rng.h"

typedef void any_fn(void);

/* One row of a list of kern_list.h. */
typedef struct version {
    const char *slot; /* "act[GOL_ACT_SILU]" */
    const char *name; /* "gol_silu_f32_c" */
    any_fn *fn;
    gol_cpu_level level;
    size_t slot_offset; /* in struct gol_kernels */
    size_t index;       /* in the slot's array: weight type, KV type, activation ... */
} version;

#define VERSION_ROW(field, slot, kernel, level)                                                    \
    {                                                                                              \
#slot, #kernel, (any_fn *)(kernel), (level), offsetof(gol_kernels, slot),                  \
            (offsetof(gol_kernels, slot) - offsetof(gol_kernels, field)) / sizeof(any_fn *)        \
    }

typedef struct checker {
    gol_rng rng;
    const char *label; /* kernel and slot that is being checked, for messages */
    int n_failures;    /* of this kernel in this slot */
} checker;

/* Checks one version against the C version of its slot, or against the double reference when `c` is NULL. */
typedef void check_fn(checker *ck, const version *v, const version *c);
/* Runs the version once on a typical size, on memory it keeps; returns the bytes it reads and writes. */
typedef size_t bench_fn(checker *ck, const version *v);

typedef struct family {
    const char *name;
    const version *versions;
    size_t n_versions;
    check_fn *check;
    bench_fn *bench;
} family;

extern const family family_unpack_int, family_unpack_f32, family_f32_core, family_f32_one,
    family_pack_x_f32, family_bf16_core, family_pack_x_bf16, family_int_core, family_pack_x_int,
    family_rms_norm, family_layer_norm, family_rope, family_kv_store_key, family_kv_store_value,
    family_attn_scores, family_attn_mix, family_softmax, family_attn_merge, family_act, family_glu,
    family_add, family_factor, family_vec_math, family_ssm_scan, family_ssm_conv;

/* Reports one wrong number (only the first few of a kernel are printed). */
void fail_number(checker *ck, const char *what, size_t i, double got, double want, double bound);
void fail_text(checker *ck, const char *what);

/* n bytes that end where an inaccessible page begins (up to alignment: 1 puts the last byte there). Freed together by
 * buffers_free(). */
void *guarded(size_t n_bytes);
/* n bytes with poison before and behind, filled with NaN patterns; buffers_check() finds out who wrote beyond. */
void *fenced(size_t n_bytes);
void buffers_check(checker *ck);
void buffers_free(void);

float *guarded_floats(size_t n);
float *fenced_floats(size_t n);

/* Inputs. Pattern 0: normal numbers; further ones are worst cases. */
enum { N_PATTERNS = 4 };
void fill(checker *ck, float *x, size_t n, int pattern);

/* got[i] within bound[i] of want[i], where NaN only equals NaN. */
void compare(checker *ck, const char *what, const float *got, const double *want,
             const double *bound, size_t n);

#endif
