/*
 * check_kernels [--list] [--bench] [--kern=GLOB] [seed]
 *
 * Checks (or lists, or times) every version of every kernel that this machine can run, after the manner of dav1d's checkasm.
 * Exit code 0: all agree; 1: some do not; 2: wrong usage. The seed is printed: the same seed makes the same inputs.
 */
#include "kernels/check_kernels.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/native_has.h"

static const family *const families[] = {
    &family_unpack_int,   &family_unpack_f32,     &family_f32_core,    &family_f32_one,
    &family_pack_x_f32,   &family_bf16_core,      &family_pack_x_bf16, &family_int_core,
    &family_pack_x_int,   &family_rms_norm,       &family_layer_norm,  &family_rope,
    &family_kv_store_key, &family_kv_store_value, &family_attn_scores, &family_attn_mix,
    &family_softmax,      &family_attn_merge,     &family_act,         &family_glu,
    &family_add,          &family_factor,         &family_vec_math,    &family_ssm_scan,
    &family_ssm_conv,
};
enum { N_FAMILIES = sizeof families / sizeof families[0] };

typedef struct options {
    bool list;
    bool bench;
    const char *glob; /* on kernel names */
    uint64_t seed;
} options;

/* Long enough for a steady clock, short enough for the whole table. */
static const uint64_t bench_ns_min = 20u * 1000 * 1000;

static bool parse_options(options *o, int argc, char **argv)
{
    *o = (options){.glob = "*"};
    uint64_t entropy;
    gol_rng_entropy(&entropy, sizeof entropy);
    o->seed = entropy % 1000000;
    for (int i = 1; i < argc; i++) {
        char *end;
        if (strcmp(argv[i], "--list") == 0) {
            o->list = true;
        } else if (strcmp(argv[i], "--bench") == 0) {
            o->bench = true;
        } else if (strncmp(argv[i], "--kern=", 7) == 0) {
            o->glob = argv[i] + 7;
        } else {
            o->seed = strtoull(argv[i], &end, 10);
            if (end == argv[i] || *end != '\0')
                return false;
        }
    }
    return true;
}

static const version *find_c_version(const family *f, const version *v)
{
    for (size_t i = 0; i < f->n_versions; i++)
        if (f->versions[i].slot_offset == v->slot_offset && f->versions[i].level == GOL_CPU_C)
            return &f->versions[i];
    return NULL;
}

static uint64_t hash_name(const char *name)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 1099511628211u;
    return h;
}

static void bench(checker *ck, const family *f, const version *v)
{
    size_t n_bytes = f->bench(ck, v); /* also warms up */
    uint64_t n_calls = 0;
    const uint64_t start = gol_clock_ns();
    uint64_t ns = 0;
    while (ns < bench_ns_min) {
        n_bytes = f->bench(ck, v);
        n_calls++;
        ns = gol_clock_ns() - start;
    }
    printf("%-28s %-32s %10.0f ns %8.2f GB/s\n", v->slot, v->name, (double)ns / (double)n_calls,
           (double)n_bytes * (double)n_calls / (double)ns);
    buffers_free();
}

/* false: the kernel is wrong. */
static bool check(checker *ck, const family *f, const version *v)
{
    const version *c = find_c_version(f, v);
    if (!c) {
        printf("FAIL %s: slot %s has no version in C\n", v->name, v->slot);
        return false;
    }
    f->check(ck, v, v == c ? NULL : c);
    buffers_free();
    printf("%s %-28s %s\n", ck->n_failures ? "FAIL" : "ok  ", v->slot, v->name);
    return ck->n_failures == 0;
}

int main(int argc, char **argv)
{
    options o;
    if (!parse_options(&o, argc, argv)) {
        fprintf(stderr, "usage: check_kernels [--list] [--bench] [--kern=GLOB] [seed]\n");
        return 2;
    }
    const gol_cpu_level machine = gol_cpu_get();
    printf("seed %llu, cpu level %s\n", (unsigned long long)o.seed, gol_cpu_level_name(machine));
    int n_wrong = 0;
    int n_seen = 0;
    for (int i = 0; i < N_FAMILIES; i++) {
        const family *f = families[i];
        for (size_t j = 0; j < f->n_versions; j++) {
            const version *v = &f->versions[j];
            if (fnmatch(o.glob, v->name, 0) != 0)
                continue;
            n_seen++;
            if (o.list || !native_has(v->level)) {
                printf("%-4s %-28s %-32s %s\n", o.list ? f->name : "skip", v->slot, v->name,
                       gol_cpu_level_name(v->level));
                continue;
            }
            checker ck = {.rng = {.key = o.seed ^ hash_name(v->slot)}, .label = v->name};
            if (o.bench)
                bench(&ck, f, v);
            else
                n_wrong += !check(&ck, f, v);
        }
    }
    printf("%d kernels, %d wrong\n", n_seen, n_wrong);
    return n_wrong > 0 || n_seen == 0;
}
