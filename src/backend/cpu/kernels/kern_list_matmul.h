/*
 * Kernels of the matrix product (see kern_list.h for the form of a list, panel.h for what they do).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_MATMUL_H
#define GOL_BACKEND_CPU_KERN_LIST_MATMUL_H

#define GOL_KERN_UNPACK_F32(X)                                                                     \
    X(unpack_f32[GOL_TYPE_F32], gol_unpack_f32_c, GOL_CPU_C)                                       \
    X(unpack_f32[GOL_TYPE_F16], gol_unpack_f16_c, GOL_CPU_C)                                       \
    X(unpack_f32[GOL_TYPE_BF16], gol_unpack_bf16_c, GOL_CPU_C)                                     \
    X(unpack_f32[GOL_TYPE_F64], gol_unpack_f64_c, GOL_CPU_C)                                       \
    GOL_KERN_X86(X(unpack_f32[GOL_TYPE_F16], gol_unpack_f16_avx2, GOL_CPU_AVX2))                   \
    GOL_KERN_X86(X(unpack_f32[GOL_TYPE_BF16], gol_unpack_bf16_avx2, GOL_CPU_AVX2))                 \
    GOL_KERN_X86(X(unpack_f32[GOL_TYPE_F16], gol_unpack_f16_avx512, GOL_CPU_AVX512))               \
    GOL_KERN_X86(X(unpack_f32[GOL_TYPE_BF16], gol_unpack_bf16_avx512, GOL_CPU_AVX512))             \
    GOL_KERN_ARM(X(unpack_f32[GOL_TYPE_F16], gol_unpack_f16_neon, GOL_CPU_NEON))                   \
    GOL_KERN_ARM(X(unpack_f32[GOL_TYPE_BF16], gol_unpack_bf16_neon, GOL_CPU_NEON))

#define GOL_KERN_INT_CORE(X)                                                                       \
    X(int_core[GOL_INT_Z32], gol_int_core_z32_c, GOL_CPU_C)                                        \
    X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_c, GOL_CPU_C)                                    \
    X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_c, GOL_CPU_C)                                   \
    X(int_core[GOL_INT_M32], gol_int_core_m32_c, GOL_CPU_C)                                        \
    X(int_core[GOL_INT_Z16], gol_int_core_z16_c, GOL_CPU_C)                                        \
    X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_c, GOL_CPU_C)                                    \
    X(int_core[GOL_INT_M16], gol_int_core_m16_c, GOL_CPU_C)                                        \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32], gol_int_core_z32_avx2, GOL_CPU_AVX2))                    \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_low_avx2, GOL_CPU_AVX2))            \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_wide_avx2, GOL_CPU_AVX2))          \
    GOL_KERN_X86(X(int_core[GOL_INT_M32], gol_int_core_m32_avx2, GOL_CPU_AVX2))                    \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16], gol_int_core_z16_avx2, GOL_CPU_AVX2))                    \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_low_avx2, GOL_CPU_AVX2))            \
    GOL_KERN_X86(X(int_core[GOL_INT_M16], gol_int_core_m16_avx2, GOL_CPU_AVX2))                    \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32], gol_int_core_z32_evexvnni, GOL_CPU_EVEXVNNI))            \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_evexvnni, GOL_CPU_EVEXVNNI))        \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_evexvnni, GOL_CPU_EVEXVNNI))       \
    GOL_KERN_X86(X(int_core[GOL_INT_M32], gol_int_core_m32_evexvnni, GOL_CPU_EVEXVNNI))            \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16], gol_int_core_z16_evexvnni, GOL_CPU_EVEXVNNI))            \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_evexvnni, GOL_CPU_EVEXVNNI))        \
    GOL_KERN_X86(X(int_core[GOL_INT_M16], gol_int_core_m16_evexvnni, GOL_CPU_EVEXVNNI))            \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32], gol_int_core_z32_avxvnni, GOL_CPU_AVXVNNI))              \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_avxvnni, GOL_CPU_AVXVNNI))          \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_avxvnni, GOL_CPU_AVXVNNI))         \
    GOL_KERN_X86(X(int_core[GOL_INT_M32], gol_int_core_m32_avxvnni, GOL_CPU_AVXVNNI))              \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16], gol_int_core_z16_avxvnni, GOL_CPU_AVXVNNI))              \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_avxvnni, GOL_CPU_AVXVNNI))          \
    GOL_KERN_X86(X(int_core[GOL_INT_M16], gol_int_core_m16_avxvnni, GOL_CPU_AVXVNNI))              \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32], gol_int_core_z32_avx512vnni, GOL_CPU_AVX512VNNI))        \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_avx512vnni, GOL_CPU_AVX512VNNI))    \
    GOL_KERN_X86(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_avx512vnni, GOL_CPU_AVX512VNNI))   \
    GOL_KERN_X86(X(int_core[GOL_INT_M32], gol_int_core_m32_avx512vnni, GOL_CPU_AVX512VNNI))        \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16], gol_int_core_z16_avx512vnni, GOL_CPU_AVX512VNNI))        \
    GOL_KERN_X86(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_avx512vnni, GOL_CPU_AVX512VNNI))    \
    GOL_KERN_X86(X(int_core[GOL_INT_M16], gol_int_core_m16_avx512vnni, GOL_CPU_AVX512VNNI))        \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32], gol_int_core_z32_neon, GOL_CPU_NEON))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_low_neon, GOL_CPU_NEON))            \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_wide_neon, GOL_CPU_NEON))          \
    GOL_KERN_ARM(X(int_core[GOL_INT_M32], gol_int_core_m32_neon, GOL_CPU_NEON))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16], gol_int_core_z16_neon, GOL_CPU_NEON))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_low_neon, GOL_CPU_NEON))            \
    GOL_KERN_ARM(X(int_core[GOL_INT_M16], gol_int_core_m16_neon, GOL_CPU_NEON))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32], gol_int_core_z32_dotprod, GOL_CPU_DOTPROD))              \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_dotprod, GOL_CPU_DOTPROD))          \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_wide_dotprod, GOL_CPU_DOTPROD))    \
    GOL_KERN_ARM(X(int_core[GOL_INT_M32], gol_int_core_m32_dotprod, GOL_CPU_DOTPROD))              \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16], gol_int_core_z16_dotprod, GOL_CPU_DOTPROD))              \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_dotprod, GOL_CPU_DOTPROD))          \
    GOL_KERN_ARM(X(int_core[GOL_INT_M16], gol_int_core_m16_dotprod, GOL_CPU_DOTPROD))              \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32], gol_int_core_z32_i8mm, GOL_CPU_I8MM))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_LOW], gol_int_core_z32_i8mm, GOL_CPU_I8MM))                \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z32_WIDE], gol_int_core_z32_i8mm, GOL_CPU_I8MM))               \
    GOL_KERN_ARM(X(int_core[GOL_INT_M32], gol_int_core_m32_i8mm, GOL_CPU_I8MM))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16], gol_int_core_z16_i8mm, GOL_CPU_I8MM))                    \
    GOL_KERN_ARM(X(int_core[GOL_INT_Z16_LOW], gol_int_core_z16_i8mm, GOL_CPU_I8MM))                \
    GOL_KERN_ARM(X(int_core[GOL_INT_M16], gol_int_core_m16_i8mm, GOL_CPU_I8MM))

#define GOL_KERN_F32_CORE(X)                                                                       \
    X(f32_core, gol_f32_core_c, GOL_CPU_C)                                                         \
    GOL_KERN_X86(X(f32_core, gol_f32_core_avx2, GOL_CPU_AVX2))                                     \
    GOL_KERN_X86(X(f32_core, gol_f32_core_avx512, GOL_CPU_AVX512))                                 \
    GOL_KERN_ARM(X(f32_core, gol_f32_core_neon, GOL_CPU_NEON))

/* Not of every type: where there is none, an unpacker and the core do the same. */
#define GOL_KERN_F32_ONE(X)                                                                        \
    X(f32_one[GOL_TYPE_F16], gol_f32_one_f16_c, GOL_CPU_C)                                         \
    X(f32_one[GOL_TYPE_BF16], gol_f32_one_bf16_c, GOL_CPU_C)                                       \
    GOL_KERN_X86(X(f32_one[GOL_TYPE_F16], gol_f32_one_f16_avx2, GOL_CPU_AVX2))                     \
    GOL_KERN_X86(X(f32_one[GOL_TYPE_BF16], gol_f32_one_bf16_avx2, GOL_CPU_AVX2))                   \
    GOL_KERN_X86(X(f32_one[GOL_TYPE_F16], gol_f32_one_f16_avx512, GOL_CPU_AVX512))                 \
    GOL_KERN_X86(X(f32_one[GOL_TYPE_BF16], gol_f32_one_bf16_avx512, GOL_CPU_AVX512))               \
    GOL_KERN_ARM(X(f32_one[GOL_TYPE_F16], gol_f32_one_f16_neon, GOL_CPU_NEON))                     \
    GOL_KERN_ARM(X(f32_one[GOL_TYPE_BF16], gol_f32_one_bf16_neon, GOL_CPU_NEON))

#define GOL_KERN_BF16_CORE(X)                                                                      \
    X(bf16_core, gol_bf16_core_c, GOL_CPU_C)                                                       \
    GOL_KERN_X86(X(bf16_core, gol_bf16_core_avx512bf16, GOL_CPU_AVX512BF16))

#define GOL_KERN_PACK_X_BF16(X)                                                                    \
    X(pack_x_bf16, gol_pack_x_bf16_c, GOL_CPU_C)                                                   \
    GOL_KERN_X86(X(pack_x_bf16, gol_pack_x_bf16_avx512bf16, GOL_CPU_AVX512BF16))

#define GOL_KERN_PACK_X_INT(X)                                                                     \
    X(pack_x_int, gol_pack_x_int_c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(X(pack_x_int, gol_pack_x_int_avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_ARM(X(pack_x_int, gol_pack_x_int_neon, GOL_CPU_NEON))
#define GOL_KERN_PACK_X_F32(X)                                                                     \
    X(pack_x_f32, gol_pack_x_f32_c, GOL_CPU_C)                                                     \
    GOL_KERN_X86(X(pack_x_f32, gol_pack_x_f32_avx2, GOL_CPU_AVX2))                                 \
    GOL_KERN_X86(X(pack_x_f32, gol_pack_x_f32_avx512, GOL_CPU_AVX512))                             \
    GOL_KERN_ARM(X(pack_x_f32, gol_pack_x_f32_neon, GOL_CPU_NEON))

#endif
