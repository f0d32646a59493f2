/*
 * Every kernel of the CPU backend, one list per family (kernels of the same function type). A family's list makes the
 * declarations (kernels.h), fills the table (kernels_init.c) and registers the tests and benches (tests/kernels): a kernel's
 * name stands here and at its definition, nowhere else.
 *
 *     X(slot in struct gol_kernels, kernel, level)
 *
 * Within a list the levels rise, so that a later row overwrites an earlier one of the same slot. Every slot has a row of level
 * GOL_CPU_C. Kernels are named gol_<op>_<operands>_<isa>.
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_H
#define GOL_BACKEND_CPU_KERN_LIST_H

#define GOL_KERN_MATMUL(X)                                                                         \
    X(matmul[GOL_TYPE_F32], gol_matmul_f32_c, GOL_CPU_C)                                           \
    X(matmul[GOL_TYPE_F16], gol_matmul_f16_c, GOL_CPU_C)                                           \
    X(matmul[GOL_TYPE_BF16], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_F64], gol_matmul_dequant_c, GOL_CPU_C)                                       \
    X(matmul[GOL_TYPE_Q4_0], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q4_1], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q5_0], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q5_1], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q8_0], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q2_K], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q3_K], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q4_K], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q5_K], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_Q6_K], gol_matmul_dequant_c, GOL_CPU_C)                                      \
    X(matmul[GOL_TYPE_IQ1_S], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_IQ1_M], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_IQ2_XXS], gol_matmul_dequant_c, GOL_CPU_C)                                   \
    X(matmul[GOL_TYPE_IQ2_XS], gol_matmul_dequant_c, GOL_CPU_C)                                    \
    X(matmul[GOL_TYPE_IQ2_S], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_IQ3_XXS], gol_matmul_dequant_c, GOL_CPU_C)                                   \
    X(matmul[GOL_TYPE_IQ3_S], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_IQ4_NL], gol_matmul_dequant_c, GOL_CPU_C)                                    \
    X(matmul[GOL_TYPE_IQ4_XS], gol_matmul_dequant_c, GOL_CPU_C)                                    \
    X(matmul[GOL_TYPE_TQ1_0], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_TQ2_0], gol_matmul_dequant_c, GOL_CPU_C)                                     \
    X(matmul[GOL_TYPE_MXFP4], gol_matmul_dequant_c, GOL_CPU_C)

#define GOL_KERN_RMS_NORM(X)   X(rms_norm, gol_rms_norm_f32_c, GOL_CPU_C)
#define GOL_KERN_LAYER_NORM(X) X(layer_norm, gol_layer_norm_f32_c, GOL_CPU_C)

#define GOL_KERN_ROPE(X)                                                                           \
    X(rope[GOL_ROPE_NORM], gol_rope_norm_f32_c, GOL_CPU_C)                                         \
    X(rope[GOL_ROPE_NEOX], gol_rope_neox_f32_c, GOL_CPU_C)

#define GOL_KERN_KV_STORE(X)                                                                       \
    X(kv_store[GOL_KV_F16], gol_kv_store_f16_c, GOL_CPU_C)                                         \
    X(kv_store[GOL_KV_F32], gol_kv_store_f32_c, GOL_CPU_C)

#define GOL_KERN_ATTN_SCORES(X)                                                                    \
    X(attn_scores[GOL_KV_F16], gol_attn_scores_f16_c, GOL_CPU_C)                                   \
    X(attn_scores[GOL_KV_F32], gol_attn_scores_f32_c, GOL_CPU_C)

#define GOL_KERN_ATTN_MIX(X)                                                                       \
    X(attn_mix[GOL_KV_F16], gol_attn_mix_f16_c, GOL_CPU_C)                                         \
    X(attn_mix[GOL_KV_F32], gol_attn_mix_f32_c, GOL_CPU_C)

#define GOL_KERN_EXP_SUM(X) X(exp_sum, gol_exp_sum_f32_c, GOL_CPU_C)

#define GOL_KERN_ACT(X)                                                                            \
    X(act[GOL_ACT_SILU], gol_silu_f32_c, GOL_CPU_C)                                                \
    X(act[GOL_ACT_GELU], gol_gelu_f32_c, GOL_CPU_C)                                                \
    X(act[GOL_ACT_GELU_ERF], gol_gelu_erf_f32_c, GOL_CPU_C)                                        \
    X(act[GOL_ACT_RELU], gol_relu_f32_c, GOL_CPU_C)

#define GOL_KERN_GLU(X)                                                                            \
    X(glu[GOL_ACT_SILU], gol_silu_glu_f32_c, GOL_CPU_C)                                            \
    X(glu[GOL_ACT_GELU], gol_gelu_glu_f32_c, GOL_CPU_C)                                            \
    X(glu[GOL_ACT_GELU_ERF], gol_gelu_erf_glu_f32_c, GOL_CPU_C)                                    \
    X(glu[GOL_ACT_RELU], gol_relu_glu_f32_c, GOL_CPU_C)

#define GOL_KERN_ADD(X) X(add, gol_add_f32_c, GOL_CPU_C)

/* One factor for the whole row: scale, softcap. */
#define GOL_KERN_FACTOR(X)                                                                         \
    X(scale, gol_scale_f32_c, GOL_CPU_C)                                                           \
    X(softcap, gol_softcap_f32_c, GOL_CPU_C)

#endif
