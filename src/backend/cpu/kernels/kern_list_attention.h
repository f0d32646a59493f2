/*
 * Kernels of attention and the KV cache (see kern_list.h for the form of a list).
 */
#ifndef GOL_BACKEND_CPU_KERN_LIST_ATTENTION_H
#define GOL_BACKEND_CPU_KERN_LIST_ATTENTION_H

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

#endif
