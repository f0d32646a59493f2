/*
 * The leaves of the CPU backend: what runs on one core on memory that is already cut to size. Ops (src/backend/cpu/, one file
 * each) split the work over threads and call these through the table; they never know the instruction set.
 *
 * gol_kernels_init() fills every slot with its C version, then overwrites in rising order of CPU level. After that the table is
 * constant. A slot's result for a row depends on that row alone: n_tokens and n_rows of a call change no bit.
 *
 * Pointers are aligned to their element only, except where said. "in place": out may be the first input.
 */
#ifndef GOL_BACKEND_CPU_KERNELS_H
#define GOL_BACKEND_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/cpu/kernels/kern_list.h"
#include "backend/cpu/kernels/panel.h"
#include "backend/cpu/kernels/panel_bf16.h"
#include "backend/cpu/panel_format.h"
#include "base/cpu.h"
#include "quant/types.h"

/* acc[16], aligned to 64 bytes, += a packed stretch times one token: x [n_blocks * 32], in the order and with the bits of f32_core. */
typedef void gol_f32_one_fn(float *acc, const float *x, const gol_stretch *s);
/* Both norms in place; x, w, b [n]. */
typedef void gol_rms_norm_fn(float *out, const float *x, const float *w, float eps, size_t n);
typedef void gol_layer_norm_fn(float *out, const float *x, const float *w, const float *b,
                               float eps, size_t n);
/* Rotates n_pairs pairs of x by the angles whose cos and sin are given, each [n_pairs]. */
typedef void gol_rope_fn(float *x, const float *cos, const float *sin, size_t n_pairs);
/* Attention; layouts in attention_tile.h. */
typedef struct gol_attn_tile gol_attn_tile;
/* Key number `lane` of a panel = k[dim]. */
typedef void gol_kv_store_key_fn(uint8_t *panel, const float *k, size_t lane, size_t dim);
/* A value row = v[dim], and zeros up to a multiple of GOL_ATTN_LANES. */
typedef void gol_kv_store_value_fn(uint8_t *row, const float *v, size_t dim);
/* tile->scores[r][panel_pos[i] + l] = q[r] . key l of panel i. */
typedef void gol_attn_scores_fn(const gol_attn_tile *tile);
/* acc[r] += tile->scores[r][j] * value j, for keys j of [begin, end) in this order, of rows [first_row, first_row + n_rows). */
typedef void gol_attn_mix_fn(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                             size_t begin, size_t end);
/* x[i] = exp(x[i] - *max) with *max = the greatest; returns the sum, by lanes.h. n is a multiple of GOL_ATTN_LANES. */
typedef float gol_softmax_fn(float *max, float *x, size_t n);
/* acc[i] = acc[i] * keep + x[i] * factor; n is a multiple of GOL_ATTN_LANES. */
typedef void gol_attn_merge_fn(float *acc, float keep, const float *x, float factor, size_t n);
/* Recurrent layers; ssm_tile.h. */
typedef struct gol_scan_tile gol_scan_tile;
typedef void gol_ssm_scan_fn(const gol_scan_tile *tile);
/* out[i] = bias[i] + sum over k of w[k * w_stride + i] * rows[k][i]; rows [d_conv]. */
typedef void gol_ssm_conv_fn(float *out, const float *const *rows, const float *w, size_t w_stride,
                             const float *bias, size_t d_conv, size_t n);
typedef void gol_act_fn(float *out, const float *x, size_t n);                     /* in place */
typedef void gol_glu_fn(float *out, const float *gate, const float *up, size_t n); /* in place */
typedef void gol_add_fn(float *out, const float *a, const float *b, size_t n);     /* in place */
typedef void gol_factor_fn(float *out, const float *x, float factor, size_t n);    /* in place */

enum {
    GOL_N_ROPE_KINDS = GOL_ROPE_NEOX + 1,
    GOL_N_ACTS = GOL_ACT_RELU + 1 /* that have kernels */
};

typedef struct gol_kernels {
    gol_unpack_int_fn *unpack_int[GOL_TYPE_N_IDS]; /* NULL: no panels of bytes for this type */
    gol_unpack_f32_fn *unpack_f32[GOL_TYPE_N_IDS]; /* NULL: no panels of float32 for this type */
    gol_int_core_fn *int_core[GOL_N_INT_KINDS];
    gol_f32_core_fn *f32_core;
    gol_f32_one_fn *f32_one[GOL_TYPE_N_IDS]; /* NULL: unpack_f32, then f32_core */
    gol_bf16_core_fn *bf16_core;
    gol_pack_x_int_fn *pack_x_int;
    gol_pack_x_f32_fn *pack_x_f32;
    gol_pack_x_bf16_fn *pack_x_bf16;
    bool has_bf16; /* weights of bfloat16 are multiplied by bf16_core */
    gol_rms_norm_fn *rms_norm;
    gol_layer_norm_fn *layer_norm;
    gol_rope_fn *rope[GOL_N_ROPE_KINDS]; /* [GOL_ROPE_NONE] is NULL */
    gol_kv_store_key_fn *kv_store_key[GOL_N_KV_TYPES];
    gol_kv_store_value_fn *kv_store_value[GOL_N_KV_TYPES];
    gol_attn_scores_fn *attn_scores[GOL_N_KV_TYPES];
    gol_attn_mix_fn *attn_mix[GOL_N_KV_TYPES];
    gol_softmax_fn *softmax;
    gol_attn_merge_fn *attn_merge;
    gol_ssm_scan_fn *ssm_scan;
    gol_ssm_conv_fn *ssm_conv;
    gol_act_fn *act[GOL_N_ACTS];
    gol_glu_fn *glu[GOL_N_ACTS];
    gol_add_fn *add;
    gol_factor_fn *scale;
    gol_factor_fn *softcap; /* factor * tanh(x / factor) */
} gol_kernels;

/* The best kernels of the levels up to `have` in its family. */
void gol_kernels_init(gol_kernels *k, gol_cpu_level have);
/* How these kernels multiply weights of this type: as its format says, but bfloat16 in its own arithmetic where there is one. */
gol_product gol_kernels_product(const gol_kernels *kernels, gol_type type);
/* The core that multiplies weights of this type, "int_core_z32_c"; NULL when there is none. */
const char *gol_kernels_matmul_name(const gol_kernels *kernels, gol_type type);
/* What brings such weights into the core's form, "unpack_q4_k_c"; NULL when no weight has this type, or packed weights have that
 * form. */
const char *gol_kernels_unpack_name(const gol_kernels *kernels, gol_type type);

/* One declaration per row; a kernel that serves several slots is declared as often, which C allows. */
#define GOL_KERN_DECLARE_UNPACK_INT(slot, kernel, level)     gol_unpack_int_fn kernel;
#define GOL_KERN_DECLARE_UNPACK_F32(slot, kernel, level)     gol_unpack_f32_fn kernel;
#define GOL_KERN_DECLARE_INT_CORE(slot, kernel, level)       gol_int_core_fn kernel;
#define GOL_KERN_DECLARE_F32_CORE(slot, kernel, level)       gol_f32_core_fn kernel;
#define GOL_KERN_DECLARE_F32_ONE(slot, kernel, level)        gol_f32_one_fn kernel;
#define GOL_KERN_DECLARE_BF16_CORE(slot, kernel, level)      gol_bf16_core_fn kernel;
#define GOL_KERN_DECLARE_PACK_X_INT(slot, kernel, level)     gol_pack_x_int_fn kernel;
#define GOL_KERN_DECLARE_PACK_X_F32(slot, kernel, level)     gol_pack_x_f32_fn kernel;
#define GOL_KERN_DECLARE_PACK_X_BF16(slot, kernel, level)    gol_pack_x_bf16_fn kernel;
#define GOL_KERN_DECLARE_RMS_NORM(slot, kernel, level)       gol_rms_norm_fn kernel;
#define GOL_KERN_DECLARE_LAYER_NORM(slot, kernel, level)     gol_layer_norm_fn kernel;
#define GOL_KERN_DECLARE_ROPE(slot, kernel, level)           gol_rope_fn kernel;
#define GOL_KERN_DECLARE_KV_STORE_KEY(slot, kernel, level)   gol_kv_store_key_fn kernel;
#define GOL_KERN_DECLARE_KV_STORE_VALUE(slot, kernel, level) gol_kv_store_value_fn kernel;
#define GOL_KERN_DECLARE_ATTN_SCORES(slot, kernel, level)    gol_attn_scores_fn kernel;
#define GOL_KERN_DECLARE_ATTN_MIX(slot, kernel, level)       gol_attn_mix_fn kernel;
#define GOL_KERN_DECLARE_SOFTMAX(slot, kernel, level)        gol_softmax_fn kernel;
#define GOL_KERN_DECLARE_ATTN_MERGE(slot, kernel, level)     gol_attn_merge_fn kernel;
#define GOL_KERN_DECLARE_SSM_SCAN(slot, kernel, level)       gol_ssm_scan_fn kernel;
#define GOL_KERN_DECLARE_SSM_CONV(slot, kernel, level)       gol_ssm_conv_fn kernel;
#define GOL_KERN_DECLARE_ACT(slot, kernel, level)            gol_act_fn kernel;
#define GOL_KERN_DECLARE_GLU(slot, kernel, level)            gol_glu_fn kernel;
#define GOL_KERN_DECLARE_ADD(slot, kernel, level)            gol_add_fn kernel;
#define GOL_KERN_DECLARE_FACTOR(slot, kernel, level)         gol_factor_fn kernel;
GOL_KERN_UNPACK_INT(GOL_KERN_DECLARE_UNPACK_INT)
GOL_KERN_UNPACK_F32(GOL_KERN_DECLARE_UNPACK_F32)
GOL_KERN_INT_CORE(GOL_KERN_DECLARE_INT_CORE)
GOL_KERN_F32_CORE(GOL_KERN_DECLARE_F32_CORE)
GOL_KERN_F32_ONE(GOL_KERN_DECLARE_F32_ONE)
GOL_KERN_BF16_CORE(GOL_KERN_DECLARE_BF16_CORE)
GOL_KERN_PACK_X_INT(GOL_KERN_DECLARE_PACK_X_INT)
GOL_KERN_PACK_X_F32(GOL_KERN_DECLARE_PACK_X_F32)
GOL_KERN_PACK_X_BF16(GOL_KERN_DECLARE_PACK_X_BF16)
GOL_KERN_RMS_NORM(GOL_KERN_DECLARE_RMS_NORM)
GOL_KERN_LAYER_NORM(GOL_KERN_DECLARE_LAYER_NORM)
GOL_KERN_ROPE(GOL_KERN_DECLARE_ROPE)
GOL_KERN_KV_STORE_KEY(GOL_KERN_DECLARE_KV_STORE_KEY)
GOL_KERN_KV_STORE_VALUE(GOL_KERN_DECLARE_KV_STORE_VALUE)
GOL_KERN_ATTN_SCORES(GOL_KERN_DECLARE_ATTN_SCORES)
GOL_KERN_ATTN_MIX(GOL_KERN_DECLARE_ATTN_MIX)
GOL_KERN_SOFTMAX(GOL_KERN_DECLARE_SOFTMAX)
GOL_KERN_ATTN_MERGE(GOL_KERN_DECLARE_ATTN_MERGE)
GOL_KERN_SSM_SCAN(GOL_KERN_DECLARE_SSM_SCAN)
GOL_KERN_SSM_CONV(GOL_KERN_DECLARE_SSM_CONV)
GOL_KERN_ACT(GOL_KERN_DECLARE_ACT)
GOL_KERN_GLU(GOL_KERN_DECLARE_GLU)
GOL_KERN_ADD(GOL_KERN_DECLARE_ADD)
GOL_KERN_FACTOR(GOL_KERN_DECLARE_FACTOR)

#endif
