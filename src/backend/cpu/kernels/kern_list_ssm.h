/*
 * Kernels of recurrent layers: convolution and scan (see kern_list.h for the form of a list).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_SSM_H
#define GOL_BACKEND_CPU_KERN_LIST_SSM_H

#define GOL_KERN_SSM_SCAN(X)                                                                       \
    X(ssm_scan, gol_ssm_scan_f32_c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(X(ssm_scan, gol_ssm_scan_f32_avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_X86(X(ssm_scan, gol_ssm_scan_f32_avx512, GOL_CPU_AVX512))                             \
    GOL_KERN_ARM(X(ssm_scan, gol_ssm_scan_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_SSM_CONV(X)                                                                       \
    X(ssm_conv, gol_ssm_conv_f32_c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(X(ssm_conv, gol_ssm_conv_f32_avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_X86(X(ssm_conv, gol_ssm_conv_f32_avx512, GOL_CPU_AVX512))                             \
    GOL_KERN_ARM(X(ssm_conv, gol_ssm_conv_f32_neon, GOL_CPU_NEON))

#endif
