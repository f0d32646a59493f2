/*
 * Kernels on rows of numbers: norms, rope, activations, sums (see kern_list.h for the form of a list).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_ROWS_H
#define GOL_BACKEND_CPU_KERN_LIST_ROWS_H

#define GOL_KERN_RMS_NORM(X)                                                                       \
    X(rms_norm, gol_rms_norm_f32_c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(X(rms_norm, gol_rms_norm_f32_avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_X86(X(rms_norm, gol_rms_norm_f32_avx512, GOL_CPU_AVX512))                             \
    GOL_KERN_ARM(X(rms_norm, gol_rms_norm_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_LAYER_NORM(X)                                                                     \
    X(layer_norm, gol_layer_norm_f32_c, GOL_CPU_C)                                                 \
    GOL_KERN_X86(X(layer_norm, gol_layer_norm_f32_avx2, GOL_CPU_AVX2))                             \
    GOL_KERN_X86(X(layer_norm, gol_layer_norm_f32_avx512, GOL_CPU_AVX512))                         \
    GOL_KERN_ARM(X(layer_norm, gol_layer_norm_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_ROPE(X)                                                                           \
    X(rope[GOL_ROPE_NORM], gol_rope_norm_f32_c, GOL_CPU_C)                                         \
    X(rope[GOL_ROPE_NEOX], gol_rope_neox_f32_c, GOL_CPU_C)                                         \
    GOL_KERN_X86(X(rope[GOL_ROPE_NORM], gol_rope_norm_f32_avx2, GOL_CPU_AVX2))                     \
    GOL_KERN_X86(X(rope[GOL_ROPE_NEOX], gol_rope_neox_f32_avx2, GOL_CPU_AVX2))                     \
    GOL_KERN_X86(X(rope[GOL_ROPE_NORM], gol_rope_norm_f32_avx512, GOL_CPU_AVX512))                 \
    GOL_KERN_X86(X(rope[GOL_ROPE_NEOX], gol_rope_neox_f32_avx512, GOL_CPU_AVX512))                 \
    GOL_KERN_ARM(X(rope[GOL_ROPE_NORM], gol_rope_norm_f32_neon, GOL_CPU_NEON))                     \
    GOL_KERN_ARM(X(rope[GOL_ROPE_NEOX], gol_rope_neox_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_ACT(X)                                                                            \
    X(act[GOL_ACT_SILU], gol_silu_f32_c, GOL_CPU_C)                                                \
    X(act[GOL_ACT_GELU], gol_gelu_f32_c, GOL_CPU_C)                                                \
    X(act[GOL_ACT_GELU_ERF], gol_gelu_erf_f32_c, GOL_CPU_C)                                        \
    X(act[GOL_ACT_RELU], gol_relu_f32_c, GOL_CPU_C)                                                \
    GOL_KERN_X86(X(act[GOL_ACT_SILU], gol_silu_f32_avx2, GOL_CPU_AVX2))                            \
    GOL_KERN_X86(X(act[GOL_ACT_GELU], gol_gelu_f32_avx2, GOL_CPU_AVX2))                            \
    GOL_KERN_X86(X(act[GOL_ACT_GELU_ERF], gol_gelu_erf_f32_avx2, GOL_CPU_AVX2))                    \
    GOL_KERN_X86(X(act[GOL_ACT_RELU], gol_relu_f32_avx2, GOL_CPU_AVX2))                            \
    GOL_KERN_X86(X(act[GOL_ACT_SILU], gol_silu_f32_avx512, GOL_CPU_AVX512))                        \
    GOL_KERN_X86(X(act[GOL_ACT_GELU], gol_gelu_f32_avx512, GOL_CPU_AVX512))                        \
    GOL_KERN_X86(X(act[GOL_ACT_GELU_ERF], gol_gelu_erf_f32_avx512, GOL_CPU_AVX512))                \
    GOL_KERN_X86(X(act[GOL_ACT_RELU], gol_relu_f32_avx512, GOL_CPU_AVX512))                        \
    GOL_KERN_ARM(X(act[GOL_ACT_SILU], gol_silu_f32_neon, GOL_CPU_NEON))                            \
    GOL_KERN_ARM(X(act[GOL_ACT_GELU], gol_gelu_f32_neon, GOL_CPU_NEON))                            \
    GOL_KERN_ARM(X(act[GOL_ACT_GELU_ERF], gol_gelu_erf_f32_neon, GOL_CPU_NEON))                    \
    GOL_KERN_ARM(X(act[GOL_ACT_RELU], gol_relu_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_GLU(X)                                                                            \
    X(glu[GOL_ACT_SILU], gol_silu_glu_f32_c, GOL_CPU_C)                                            \
    X(glu[GOL_ACT_GELU], gol_gelu_glu_f32_c, GOL_CPU_C)                                            \
    X(glu[GOL_ACT_GELU_ERF], gol_gelu_erf_glu_f32_c, GOL_CPU_C)                                    \
    X(glu[GOL_ACT_RELU], gol_relu_glu_f32_c, GOL_CPU_C)                                            \
    GOL_KERN_X86(X(glu[GOL_ACT_SILU], gol_silu_glu_f32_avx2, GOL_CPU_AVX2))                        \
    GOL_KERN_X86(X(glu[GOL_ACT_GELU], gol_gelu_glu_f32_avx2, GOL_CPU_AVX2))                        \
    GOL_KERN_X86(X(glu[GOL_ACT_GELU_ERF], gol_gelu_erf_glu_f32_avx2, GOL_CPU_AVX2))                \
    GOL_KERN_X86(X(glu[GOL_ACT_RELU], gol_relu_glu_f32_avx2, GOL_CPU_AVX2))                        \
    GOL_KERN_X86(X(glu[GOL_ACT_SILU], gol_silu_glu_f32_avx512, GOL_CPU_AVX512))                    \
    GOL_KERN_X86(X(glu[GOL_ACT_GELU], gol_gelu_glu_f32_avx512, GOL_CPU_AVX512))                    \
    GOL_KERN_X86(X(glu[GOL_ACT_GELU_ERF], gol_gelu_erf_glu_f32_avx512, GOL_CPU_AVX512))            \
    GOL_KERN_X86(X(glu[GOL_ACT_RELU], gol_relu_glu_f32_avx512, GOL_CPU_AVX512))                    \
    GOL_KERN_ARM(X(glu[GOL_ACT_SILU], gol_silu_glu_f32_neon, GOL_CPU_NEON))                        \
    GOL_KERN_ARM(X(glu[GOL_ACT_GELU], gol_gelu_glu_f32_neon, GOL_CPU_NEON))                        \
    GOL_KERN_ARM(X(glu[GOL_ACT_GELU_ERF], gol_gelu_erf_glu_f32_neon, GOL_CPU_NEON))                \
    GOL_KERN_ARM(X(glu[GOL_ACT_RELU], gol_relu_glu_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_ADD(X)                                                                            \
    X(add, gol_add_f32_c, GOL_CPU_C)                                                               \
    GOL_KERN_X86(X(add, gol_add_f32_avx2, GOL_CPU_AVX2))                                           \
    GOL_KERN_X86(X(add, gol_add_f32_avx512, GOL_CPU_AVX512))                                       \
    GOL_KERN_ARM(X(add, gol_add_f32_neon, GOL_CPU_NEON))

/* One factor for the whole row: scale, softcap. */
#define GOL_KERN_FACTOR(X)                                                                         \
    X(scale, gol_scale_f32_c, GOL_CPU_C)                                                           \
    X(softcap, gol_softcap_f32_c, GOL_CPU_C)                                                       \
    GOL_KERN_X86(X(scale, gol_scale_f32_avx2, GOL_CPU_AVX2))                                       \
    GOL_KERN_X86(X(softcap, gol_softcap_f32_avx2, GOL_CPU_AVX2))                                   \
    GOL_KERN_X86(X(scale, gol_scale_f32_avx512, GOL_CPU_AVX512))                                   \
    GOL_KERN_X86(X(softcap, gol_softcap_f32_avx512, GOL_CPU_AVX512))                               \
    GOL_KERN_ARM(X(scale, gol_scale_f32_neon, GOL_CPU_NEON))                                       \
    GOL_KERN_ARM(X(softcap, gol_softcap_f32_neon, GOL_CPU_NEON))

#endif
