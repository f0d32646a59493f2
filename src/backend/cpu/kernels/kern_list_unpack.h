/*
 * Kernels that turn stretches of weights into bytes for the integer cores (see kern_list.h for the form of a list). Every
 * instruction set has one for every type: a row stands for as many kernels as there are levels.
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_UNPACK_H
#define GOL_BACKEND_CPU_KERN_LIST_UNPACK_H

#define GOL_KERN_UNPACK_INT_LEVEL(X, isa, level)                                                   \
    X(unpack_int[GOL_TYPE_Q8_0], gol_unpack_q8_0_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q4_0], gol_unpack_q4_0_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q4_1], gol_unpack_q4_1_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q5_0], gol_unpack_q5_0_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q5_1], gol_unpack_q5_1_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_IQ4_NL], gol_unpack_iq4_nl_##isa, level)                                 \
    X(unpack_int[GOL_TYPE_MXFP4], gol_unpack_mxfp4_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_Q2_K], gol_unpack_q2_k_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q3_K], gol_unpack_q3_k_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q4_K], gol_unpack_q4_k_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q5_K], gol_unpack_q5_k_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_Q6_K], gol_unpack_q6_k_##isa, level)                                     \
    X(unpack_int[GOL_TYPE_IQ4_XS], gol_unpack_iq4_xs_##isa, level)                                 \
    X(unpack_int[GOL_TYPE_TQ1_0], gol_unpack_tq1_0_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_TQ2_0], gol_unpack_tq2_0_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_IQ2_XXS], gol_unpack_iq2_xxs_##isa, level)                               \
    X(unpack_int[GOL_TYPE_IQ2_XS], gol_unpack_iq2_xs_##isa, level)                                 \
    X(unpack_int[GOL_TYPE_IQ2_S], gol_unpack_iq2_s_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_IQ3_XXS], gol_unpack_iq3_xxs_##isa, level)                               \
    X(unpack_int[GOL_TYPE_IQ3_S], gol_unpack_iq3_s_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_IQ1_S], gol_unpack_iq1_s_##isa, level)                                   \
    X(unpack_int[GOL_TYPE_IQ1_M], gol_unpack_iq1_m_##isa, level)

#define GOL_KERN_UNPACK_INT(X)                                                                     \
    GOL_KERN_UNPACK_INT_LEVEL(X, c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(GOL_KERN_UNPACK_INT_LEVEL(X, avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_X86(GOL_KERN_UNPACK_INT_LEVEL(X, avx512, GOL_CPU_AVX512))                             \
    GOL_KERN_ARM(GOL_KERN_UNPACK_INT_LEVEL(X, neon, GOL_CPU_NEON))

#endif
