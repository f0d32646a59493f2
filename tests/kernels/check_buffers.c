/*
 * Memory that tells on a kernel that leaves its bounds, inputs, and the comparison of numbers.
 *
 *     guarded:  [ ....... n bytes ][ PROT_NONE page ]      a read beyond the end is a fault
 *     fenced:   [ poison ][ n bytes ][ poison ]            a write beyond either end is found afterwards
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_BUFFERS_MAX = 64, FENCE = 64, POISON = 0xa5, N_PRINTED_MAX = 5 };

typedef struct buffer {
    uint8_t *map;
    size_t map_size;
    uint8_t *data;
    size_t n_bytes;
    bool is_fenced;
} buffer;

static buffer buffers[N_BUFFERS_MAX];
static int n_buffers;

static buffer *add_buffer(size_t map_size)
{
    if (n_buffers == N_BUFFERS_MAX) {
        fprintf(stderr, "check_kernels: more than %d buffers in one check\n", N_BUFFERS_MAX);
        exit(1);
    }
    void *map = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    buffer *b = &buffers[n_buffers++];
    *b = (buffer){.map = map, .map_size = map_size};
    return b;
}

void *guarded(size_t n_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (n_bytes + page - 1) / page * page;
    buffer *b = add_buffer(body + page);
    if (mprotect(b->map + body, page, PROT_NONE) != 0) {
        perror("mprotect");
        exit(1);
    }
    b->data = b->map + body - n_bytes;
    b->n_bytes = n_bytes;
    return b->data;
}

void *fenced(size_t n_bytes)
{
    buffer *b = add_buffer(n_bytes + 2 * FENCE);
    b->is_fenced = true;
    b->data = b->map + FENCE;
    b->n_bytes = n_bytes;
    memset(b->map, POISON, b->map_size);
    memset(b->data, 0xff, n_bytes); /* a NaN in every float: what a kernel leaves out shows */
    return b->data;
}

float *guarded_floats(size_t n)
{
    return guarded(n * sizeof(float));
}

float *fenced_floats(size_t n)
{
    return fenced(n * sizeof(float));
}

void buffers_check(checker *ck)
{
    for (int i = 0; i < n_buffers; i++) {
        const buffer *b = &buffers[i];
        if (!b->is_fenced)
            continue;
        for (size_t j = 0; j < FENCE; j++) {
            if (b->data[-1 - (ptrdiff_t)j] != POISON)
                fail_text(ck, "wrote before its output");
            if (b->data[b->n_bytes + j] != POISON)
                fail_text(ck, "wrote behind its output");
        }
    }
}

void buffers_free(void)
{
    for (int i = 0; i < n_buffers; i++)
        munmap(buffers[i].map, buffers[i].map_size);
    n_buffers = 0;
}

void fail_text(checker *ck, const char *what)
{
    if (ck->n_failures++ < N_PRINTED_MAX)
        printf("  %s: %s\n", ck->label, what);
}

void fail_number(checker *ck, const char *what, size_t i, double got, double want, double bound)
{
    if (ck->n_failures++ < N_PRINTED_MAX)
        printf("  %s: %s[%zu] is %.9g, should be %.9g, off by %.3g of %.3g allowed\n", ck->label,
               what, i, got, want, fabs(got - want), bound);
}

void fill(checker *ck, float *x, size_t n, int pattern)
{
    for (size_t i = 0; i < n; i++) {
        const double normal = gol_rng_next_normal(&ck->rng);
        switch (pattern) {
        case 0:
            x[i] = (float)normal;
            break;
        case 1: /* large, alternating: sums cancel */
            x[i] = (i % 2 ? -1.0f : 1.0f) * (30.0f + (float)normal);
            break;
        case 2: /* magnitudes from 2^-20 to 2^4 side by side */
            x[i] = ldexpf((float)normal, (int)gol_rng_below(&ck->rng, 25) - 20);
            break;
        default: /* mostly zeros of both signs */
            x[i] = gol_rng_below(&ck->rng, 8) == 0 ? (float)normal : (i % 2 ? -0.0f : 0.0f);
            break;
        }
    }
}

void compare(checker *ck, const char *what, const float *got, const double *want,
             const double *bound, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)got[i] - want[i]);
        if (!(off <= bound[i]) && !(isnan(got[i]) && isnan(want[i])))
            fail_number(ck, what, i, (double)got[i], want[i], bound[i]);
    }
}
