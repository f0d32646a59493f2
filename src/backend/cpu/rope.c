/*
 * Rotary embedding: tokens are split over the workers. A step's cos and sin are worked out once, in double and without the C library:
 * positions of a long context keep their digits, and the bits are the same on every system and at every CPU level.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Up to this, angles are reduced by multiples of pi/2 whose products with its three parts have no rounding. */
static const double angle_max = 0x1p31;

/* Taylor's series for |r| <= pi/4: the rest is below 2^-46. */
static double sin_near_zero(double r)
{
    const double z = r * r;
    double p = 1.0 / 6227020800;
    p = p * z - 1.0 / 39916800;
    p = p * z + 1.0 / 362880;
    p = p * z - 1.0 / 5040;
    p = p * z + 1.0 / 120;
    p = p * z - 1.0 / 6;
    return p * z * r + r;
}

static double cos_near_zero(double r)
{
    const double z = r * r;
    double p = 1.0 / 479001600;
    p = p * z - 1.0 / 3628800;
    p = p * z + 1.0 / 40320;
    p = p * z - 1.0 / 720;
    p = p * z + 1.0 / 24;
    p = p * z - 0.5;
    return p * z + 1.0;
}

/* Payne and Hanek need not be called on for angles of this size: Cody and Waite's subtraction in three steps does. */
static void turn(float *cosine, float *sine, double angle, double scale)
{
    const double magic =
        0x1.8p52; /* adding it rounds to a whole number, which is then in the lowest bits */
    const double two_over_pi = 0x1.45f306dc9c883p-1;
    const double half_pi_1 = 0x1.921fbp0; /* 21 bits each, so that 32 more fit into a double */
    const double half_pi_2 = 0x1.5110ap-22;
    const double half_pi_3 = 0x1.4611a62633146p-42;
    if (!(fabs(angle) < angle_max)) { /* no known model's, but a file may say anything */
        *cosine = (float)(cos(angle) * scale);
        *sine = (float)(sin(angle) * scale);
        return;
    }
    const double shifted = angle * two_over_pi + magic;
    const double k = shifted - magic;
    const double r = ((angle - k * half_pi_1) - k * half_pi_2) - k * half_pi_3;
    uint64_t quadrant;
    memcpy(&quadrant, &shifted, sizeof quadrant);
    const double s = sin_near_zero(r);
    const double c = cos_near_zero(r);
    const double cos_turned = quadrant & 1 ? s : c;
    const double sin_turned = quadrant & 1 ? c : s;
    *cosine = (float)((quadrant + 1) & 2 ? -cos_turned * scale : cos_turned * scale);
    *sine = (float)(quadrant & 2 ? -sin_turned * scale : sin_turned * scale);
}

typedef struct angles_job {
    float *angles; /* [n_tokens][n_rot] */
    const gol_rope *rope;
    const int32_t *positions; /* [n_tokens] */
    size_t n_tokens;
} angles_job;

static void turn_tokens(void *arg, int ith, int n_threads)
{
    const angles_job *job = arg;
    const size_t n_pairs = (size_t)job->rope->n_rot / 2;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        float *cosines = job->angles + t * 2 * n_pairs; /* [n_pairs] */
        float *sines = cosines + n_pairs;               /* [n_pairs] */
        for (size_t i = 0; i < n_pairs; i++)
            turn(&cosines[i], &sines[i], (double)job->positions[t] * (double)job->rope->inv_freq[i],
                 (double)job->rope->scale);
    }
}

void gol_backend_cpu_rope_angles(gol_backend *be, float *angles, const gol_rope *rope,
                                 const int32_t *positions, int32_t n_tokens)
{
    if (rope->kind == GOL_ROPE_NONE)
        return;
    assert(rope->n_rot >= 0 && rope->n_rot % 2 == 0);
    angles_job job = {angles, rope, positions, (size_t)n_tokens};
    gol_backend_cpu_run(gol_backend_cpu_of(be), turn_tokens, &job,
                        job.n_tokens * (size_t)rope->n_rot);
}

typedef struct rope_job {
    gol_rope_fn *rotate;
    float *x;            /* [n_tokens][n_heads][head_dim] */
    const float *angles; /* [n_tokens][2][n_pairs] */
    size_t n_pairs;
    size_t n_tokens;
    size_t n_heads;
    size_t head_dim;
} rope_job;

static void rotate_tokens(void *arg, int ith, int n_threads)
{
    const rope_job *job = arg;
    const size_t n_pairs = job->n_pairs;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        const float *cosines = job->angles + t * 2 * n_pairs;
        float *token = job->x + t * job->n_heads * job->head_dim;
        for (size_t h = 0; h < job->n_heads; h++)
            job->rotate(token + h * job->head_dim, cosines, cosines + n_pairs, n_pairs);
    }
}

void gol_backend_cpu_rope(gol_backend *be, float *x, const gol_rope *rope, const float *angles,
                          int32_t n_tokens, int32_t n_heads, int32_t head_dim)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    if (rope->kind == GOL_ROPE_NONE)
        return;
    assert(rope->n_rot >= 0 && rope->n_rot % 2 == 0 && rope->n_rot <= head_dim);
    rope_job job = {
        .rotate = cpu->kernels.rope[rope->kind],
        .x = x,
        .angles = angles,
        .n_pairs = (size_t)rope->n_rot / 2,
        .n_tokens = (size_t)n_tokens,
        .n_heads = (size_t)n_heads,
        .head_dim = (size_t)head_dim,
    };
    gol_backend_cpu_run(cpu, rotate_tokens, &job, job.n_tokens * job.n_heads * job.head_dim);
}
