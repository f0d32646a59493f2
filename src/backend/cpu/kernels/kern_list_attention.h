/*
 * Kernels of attention and the KV cache (see kern_list.h for the form of a list).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_ATTENTION_H
#define GOL_BACKEND_CPU_KERN_LIST_ATTENTION_H

#define GOL_KERN_KV_STORE_KEY(X)                                                                   \
    X(kv_store_key[GOL_KV_F16], gol_kv_store_key_f16_c, GOL_CPU_C)                                 \
    X(kv_store_key[GOL_KV_F32], gol_kv_store_key_f32_c, GOL_CPU_C)                                 \
    X(kv_store_key[GOL_KV_BF16], gol_kv_store_key_bf16_c, GOL_CPU_C)                               \
    X(kv_store_key[GOL_KV_Q8_0], gol_kv_store_key_q8_0_c, GOL_CPU_C)                               \
    GOL_KERN_X86(X(kv_store_key[GOL_KV_F16], gol_kv_store_key_f16_avx2, GOL_CPU_AVX2))             \
    GOL_KERN_X86(X(kv_store_key[GOL_KV_BF16], gol_kv_store_key_bf16_avx2, GOL_CPU_AVX2))           \
    GOL_KERN_X86(X(kv_store_key[GOL_KV_Q8_0], gol_kv_store_key_q8_0_avx2, GOL_CPU_AVX2))           \
    GOL_KERN_ARM(X(kv_store_key[GOL_KV_F16], gol_kv_store_key_f16_neon, GOL_CPU_NEON))             \
    GOL_KERN_ARM(X(kv_store_key[GOL_KV_BF16], gol_kv_store_key_bf16_neon, GOL_CPU_NEON))           \
    GOL_KERN_ARM(X(kv_store_key[GOL_KV_Q8_0], gol_kv_store_key_q8_0_neon, GOL_CPU_NEON))

#define GOL_KERN_KV_STORE_VALUE(X)                                                                 \
    X(kv_store_value[GOL_KV_F16], gol_kv_store_value_f16_c, GOL_CPU_C)                             \
    X(kv_store_value[GOL_KV_F32], gol_kv_store_value_f32_c, GOL_CPU_C)                             \
    X(kv_store_value[GOL_KV_BF16], gol_kv_store_value_bf16_c, GOL_CPU_C)                           \
    X(kv_store_value[GOL_KV_Q8_0], gol_kv_store_value_q8_0_c, GOL_CPU_C)                           \
    GOL_KERN_X86(X(kv_store_value[GOL_KV_F16], gol_kv_store_value_f16_avx2, GOL_CPU_AVX2))         \
    GOL_KERN_X86(X(kv_store_value[GOL_KV_BF16], gol_kv_store_value_bf16_avx2, GOL_CPU_AVX2))       \
    GOL_KERN_X86(X(kv_store_value[GOL_KV_Q8_0], gol_kv_store_value_q8_0_avx2, GOL_CPU_AVX2))       \
    GOL_KERN_ARM(X(kv_store_value[GOL_KV_F16], gol_kv_store_value_f16_neon, GOL_CPU_NEON))         \
    GOL_KERN_ARM(X(kv_store_value[GOL_KV_BF16], gol_kv_store_value_bf16_neon, GOL_CPU_NEON))       \
    GOL_KERN_ARM(X(kv_store_value[GOL_KV_Q8_0], gol_kv_store_value_q8_0_neon, GOL_CPU_NEON))

#define GOL_KERN_ATTN_SCORES(X)                                                                    \
    X(attn_scores[GOL_KV_F16], gol_attn_scores_f16_c, GOL_CPU_C)                                   \
    X(attn_scores[GOL_KV_F32], gol_attn_scores_f32_c, GOL_CPU_C)                                   \
    X(attn_scores[GOL_KV_BF16], gol_attn_scores_bf16_c, GOL_CPU_C)                                 \
    X(attn_scores[GOL_KV_Q8_0], gol_attn_scores_q8_0_c, GOL_CPU_C)                                 \
    GOL_KERN_X86(X(attn_scores[GOL_KV_F16], gol_attn_scores_f16_avx2, GOL_CPU_AVX2))               \
    GOL_KERN_X86(X(attn_scores[GOL_KV_F32], gol_attn_scores_f32_avx2, GOL_CPU_AVX2))               \
    GOL_KERN_X86(X(attn_scores[GOL_KV_BF16], gol_attn_scores_bf16_avx2, GOL_CPU_AVX2))             \
    GOL_KERN_X86(X(attn_scores[GOL_KV_Q8_0], gol_attn_scores_q8_0_avx2, GOL_CPU_AVX2))             \
    GOL_KERN_X86(X(attn_scores[GOL_KV_F16], gol_attn_scores_f16_avx512, GOL_CPU_AVX512))           \
    GOL_KERN_X86(X(attn_scores[GOL_KV_F32], gol_attn_scores_f32_avx512, GOL_CPU_AVX512))           \
    GOL_KERN_X86(X(attn_scores[GOL_KV_BF16], gol_attn_scores_bf16_avx512, GOL_CPU_AVX512))         \
    GOL_KERN_X86(X(attn_scores[GOL_KV_Q8_0], gol_attn_scores_q8_0_avx512, GOL_CPU_AVX512))         \
    GOL_KERN_ARM(X(attn_scores[GOL_KV_F16], gol_attn_scores_f16_neon, GOL_CPU_NEON))               \
    GOL_KERN_ARM(X(attn_scores[GOL_KV_F32], gol_attn_scores_f32_neon, GOL_CPU_NEON))               \
    GOL_KERN_ARM(X(attn_scores[GOL_KV_BF16], gol_attn_scores_bf16_neon, GOL_CPU_NEON))             \
    GOL_KERN_ARM(X(attn_scores[GOL_KV_Q8_0], gol_attn_scores_q8_0_neon, GOL_CPU_NEON))

#define GOL_KERN_ATTN_MIX(X)                                                                       \
    X(attn_mix[GOL_KV_F16], gol_attn_mix_f16_c, GOL_CPU_C)                                         \
    X(attn_mix[GOL_KV_F32], gol_attn_mix_f32_c, GOL_CPU_C)                                         \
    X(attn_mix[GOL_KV_BF16], gol_attn_mix_bf16_c, GOL_CPU_C)                                       \
    X(attn_mix[GOL_KV_Q8_0], gol_attn_mix_q8_0_c, GOL_CPU_C)                                       \
    GOL_KERN_X86(X(attn_mix[GOL_KV_F16], gol_attn_mix_f16_avx2, GOL_CPU_AVX2))                     \
    GOL_KERN_X86(X(attn_mix[GOL_KV_F32], gol_attn_mix_f32_avx2, GOL_CPU_AVX2))                     \
    GOL_KERN_X86(X(attn_mix[GOL_KV_BF16], gol_attn_mix_bf16_avx2, GOL_CPU_AVX2))                   \
    GOL_KERN_X86(X(attn_mix[GOL_KV_Q8_0], gol_attn_mix_q8_0_avx2, GOL_CPU_AVX2))                   \
    GOL_KERN_X86(X(attn_mix[GOL_KV_F16], gol_attn_mix_f16_avx512, GOL_CPU_AVX512))                 \
    GOL_KERN_X86(X(attn_mix[GOL_KV_F32], gol_attn_mix_f32_avx512, GOL_CPU_AVX512))                 \
    GOL_KERN_X86(X(attn_mix[GOL_KV_BF16], gol_attn_mix_bf16_avx512, GOL_CPU_AVX512))               \
    GOL_KERN_X86(X(attn_mix[GOL_KV_Q8_0], gol_attn_mix_q8_0_avx512, GOL_CPU_AVX512))               \
    GOL_KERN_ARM(X(attn_mix[GOL_KV_F16], gol_attn_mix_f16_neon, GOL_CPU_NEON))                     \
    GOL_KERN_ARM(X(attn_mix[GOL_KV_F32], gol_attn_mix_f32_neon, GOL_CPU_NEON))                     \
    GOL_KERN_ARM(X(attn_mix[GOL_KV_BF16], gol_attn_mix_bf16_neon, GOL_CPU_NEON))                   \
    GOL_KERN_ARM(X(attn_mix[GOL_KV_Q8_0], gol_attn_mix_q8_0_neon, GOL_CPU_NEON))

#define GOL_KERN_SOFTMAX(X)                                                                        \
    X(softmax, gol_softmax_f32_c, GOL_CPU_C)                                                       \
    GOL_KERN_X86(X(softmax, gol_softmax_f32_avx2, GOL_CPU_AVX2))                                   \
    GOL_KERN_X86(X(softmax, gol_softmax_f32_avx512, GOL_CPU_AVX512))                               \
    GOL_KERN_ARM(X(softmax, gol_softmax_f32_neon, GOL_CPU_NEON))

#define GOL_KERN_ATTN_MERGE(X)                                                                     \
    X(attn_merge, gol_attn_merge_f32_c, GOL_CPU_C)                                                 \
    GOL_KERN_X86(X(attn_merge, gol_attn_merge_f32_avx2, GOL_CPU_AVX2))                             \
    GOL_KERN_X86(X(attn_merge, gol_attn_merge_f32_avx512, GOL_CPU_AVX512))                         \
    GOL_KERN_ARM(X(attn_merge, gol_attn_merge_f32_neon, GOL_CPU_NEON))

#endif
