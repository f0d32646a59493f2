/*
 * Kernels of the matrix product (see kern_list.h for the form of a list).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_MATMUL_H
#define GOL_BACKEND_CPU_KERN_LIST_MATMUL_H

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

#endif
