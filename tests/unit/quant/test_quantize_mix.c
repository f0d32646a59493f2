/*
 * The mixtures, against what llama.cpp's quantization tool chose for the same models (its --dry-run; ggml 0.25.3): which
 * layers get the better type, what tied and fused and small tensors get, and what happens to odd rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "quant/quantize.h"
#include "quant/quantize_mix.h"

enum { N_LAYERS_MAX = 80, N_TENSORS_MAX = 4 + N_LAYERS_MAX * 8, NAME_SIZE = 48 };

typedef struct model {
    gol_mix_tensor tensors[N_TENSORS_MAX];
    char names[N_TENSORS_MAX][NAME_SIZE];
    size_t n;
    gol_mix_model facts;
} model;

static void add(model *m, const char *name, int n_dims, uint64_t n_row)
{
    assert_true(m->n < N_TENSORS_MAX);
    snprintf(m->names[m->n], NAME_SIZE, "%s", name);
    m->tensors[m->n] = (gol_mix_tensor){
        .name = gol_str_from(m->names[m->n]),
        .n_dims = n_dims,
        .shape = {n_row, n_dims > 1 ? 512 : 1, n_dims > 2 ? 8 : 1, 1},
        .from = n_dims > 1 ? GOL_TYPE_F16 : GOL_TYPE_F32};
    m->n++;
}

static void add_layer(model *m, uint32_t layer, const char *name, int n_dims, uint64_t n_row)
{
    char text[NAME_SIZE];
    snprintf(text, sizeof text, "blk.%u.%s.weight", layer, name);
    add(m, text, n_dims, n_row);
}

static void make(model *m, uint32_t n_layers, uint64_t n_row, bool is_tied)
{
    m->n = 0;
    m->facts = (gol_mix_model){.n_layers = n_layers, .n_heads_per_kv = 8};
    add(m, "token_embd.weight", 2, n_row);
    for (uint32_t i = 0; i < n_layers; i++) {
        add_layer(m, i, "attn_norm", 1, n_row);
        add_layer(m, i, "attn_q", 2, n_row);
        add_layer(m, i, "attn_k", 2, n_row);
        add_layer(m, i, "attn_v", 2, n_row);
        add_layer(m, i, "attn_output", 2, n_row);
        add_layer(m, i, "ffn_up", 2, n_row);
        add_layer(m, i, "ffn_down", 2, n_row);
    }
    add(m, "output_norm.weight", 1, n_row);
    if (!is_tied)
        add(m, "output.weight", 2, n_row);
}

static void assign(model *m, const char *mix)
{
    const gol_mix *found = gol_mix_find(gol_str_from(mix));
    if (!found)
        fail_msg("no mixture %s", mix);
    gol_mix_assign(found, &m->facts, m->tensors, m->n);
}

static const gol_mix_tensor *get(const model *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++) {
        if (gol_str_is(m->tensors[i].name, name))
            return &m->tensors[i];
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static void check(const model *m, const char *name, gol_type type)
{
    const gol_mix_tensor *t = get(m, name);
    if (t->to != type)
        fail_msg("%s: %s, expected %s", name, gol_type_get(t->to)->name, gol_type_get(type)->name);
}

/* layers: bit i for every layer whose tensor has `better`; all others have `base`. */
static void check_layers(const model *m, const char *name, uint32_t layers, gol_type better,
                         gol_type base)
{
    for (uint32_t i = 0; i < m->facts.n_layers; i++) {
        char text[NAME_SIZE];
        snprintf(text, sizeof text, "blk.%u.%s.weight", i, name);
        check(m, text, layers >> i & 1 ? better : base);
    }
}

static void tinyllamas_layers_get_what_llama_cpp_gives_them(void **state)
{
    (void)state;
    static model m;
    make(&m, 22, 2048, false);
    /* The first and last eighth, every third between. */
    const uint32_t more = 1u << 0 | 1u << 1 | 1u << 4 | 1u << 7 | 1u << 10 | 1u << 13 | 1u << 16 |
                          1u << 19 | 1u << 20 | 1u << 21;
    const uint32_t all = (1u << 22) - 1;
    static const struct {
        const char *mix;
        gol_type base;
        uint32_t n_attn_v; /* layers with more bits: this many from the first; 99: `more` */
        gol_type attn_v;
        gol_type attn_v_rest;
        gol_type attn_output;
        uint32_t n_ffn_down;
        gol_type ffn_down;
        gol_type ffn_down_rest;
    } cases[] = {
        {"Q4_K_M", GOL_TYPE_Q4_K, 99, GOL_TYPE_Q6_K, GOL_TYPE_Q4_K, GOL_TYPE_Q4_K, 99,
         GOL_TYPE_Q6_K, GOL_TYPE_Q4_K},
        {"Q4_K_S", GOL_TYPE_Q4_K, 4, GOL_TYPE_Q5_K, GOL_TYPE_Q4_K, GOL_TYPE_Q4_K, 2, GOL_TYPE_Q5_K,
         GOL_TYPE_Q4_K},
        {"Q5_K_M", GOL_TYPE_Q5_K, 99, GOL_TYPE_Q6_K, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, 99,
         GOL_TYPE_Q6_K, GOL_TYPE_Q5_K},
        {"Q5_K_S", GOL_TYPE_Q5_K, 0, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, 0, GOL_TYPE_Q5_K,
         GOL_TYPE_Q5_K},
        {"Q3_K_L", GOL_TYPE_Q3_K, 22, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, 22,
         GOL_TYPE_Q5_K, GOL_TYPE_Q5_K},
        {"Q3_K_M", GOL_TYPE_Q3_K, 2, GOL_TYPE_Q5_K, GOL_TYPE_Q4_K, GOL_TYPE_Q4_K, 1, GOL_TYPE_Q5_K,
         GOL_TYPE_Q4_K},
        {"Q3_K_S", GOL_TYPE_Q3_K, 0, GOL_TYPE_Q3_K, GOL_TYPE_Q3_K, GOL_TYPE_Q3_K, 0, GOL_TYPE_Q3_K,
         GOL_TYPE_Q3_K},
        {"Q2_K", GOL_TYPE_Q2_K, 22, GOL_TYPE_Q4_K, GOL_TYPE_Q4_K, GOL_TYPE_Q3_K, 22, GOL_TYPE_Q3_K,
         GOL_TYPE_Q3_K},
        {"IQ4_XS", GOL_TYPE_IQ4_XS, 22, GOL_TYPE_Q5_K, GOL_TYPE_Q5_K, GOL_TYPE_IQ4_XS, 2,
         GOL_TYPE_Q5_K, GOL_TYPE_IQ4_XS},
        {"Q4_0", GOL_TYPE_Q4_0, 0, GOL_TYPE_Q4_0, GOL_TYPE_Q4_0, GOL_TYPE_Q4_0, 0, GOL_TYPE_Q4_0,
         GOL_TYPE_Q4_0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const uint32_t n_v = cases[k].n_attn_v;
        const uint32_t n_down = cases[k].n_ffn_down;
        assign(&m, cases[k].mix);
        check(&m, "token_embd.weight", cases[k].base);
        check(&m, "output.weight", GOL_TYPE_Q6_K);
        check_layers(&m, "attn_q", 0, GOL_TYPE_F32, cases[k].base);
        check_layers(&m, "attn_norm", all, GOL_TYPE_F32, GOL_TYPE_F32);
        check_layers(&m, "attn_v", n_v == 99 ? more : (1u << n_v) - 1, cases[k].attn_v,
                     cases[k].attn_v_rest);
        check_layers(&m, "attn_output", 0, GOL_TYPE_F32, cases[k].attn_output);
        check_layers(&m, "ffn_down", n_down == 99 ? more : (1u << n_down) - 1, cases[k].ffn_down,
                     cases[k].ffn_down_rest);
    }
}

static void a_tied_embedding_counts_as_the_output(void **state)
{
    (void)state;
    static model m;
    make(&m, 2, 256, true);
    assign(&m, "Q4_K_M");
    check(&m, "token_embd.weight", GOL_TYPE_Q6_K);
    assign(&m, "Q8_0");
    check(&m, "token_embd.weight", GOL_TYPE_Q8_0);
    make(&m, 2, 256, false);
    assign(&m, "TQ2_0");
    check(&m, "token_embd.weight", GOL_TYPE_Q4_K);
    check(&m, "output.weight", GOL_TYPE_Q6_K);
    check(&m, "blk.1.attn_q.weight", GOL_TYPE_TQ2_0);
}

static void plain_floats_have_no_exceptions(void **state)
{
    (void)state;
    static model m;
    make(&m, 3, 100, false);
    static const char *const mixes[] = {"F32", "F16", "BF16"};
    for (size_t k = 0; k < 3; k++) {
        assign(&m, mixes[k]);
        for (size_t i = 0; i < m.n; i++)
            assert_int_equal(m.tensors[i].to, m.tensors[i].n_dims > 1
                                                  ? gol_mix_find(gol_str_from(mixes[k]))->type
                                                  : GOL_TYPE_F32);
    }
}

static void rows_that_are_no_whole_blocks_get_the_nearest_type(void **state)
{
    (void)state;
    static model m;
    static const struct {
        const char *mix;
        gol_type of_32, of_33;
    } cases[] = {
        {"Q2_K", GOL_TYPE_Q4_0, GOL_TYPE_F16},   {"Q3_K_S", GOL_TYPE_Q4_0, GOL_TYPE_F16},
        {"Q4_K_S", GOL_TYPE_Q5_0, GOL_TYPE_F16}, {"Q5_K_S", GOL_TYPE_Q5_1, GOL_TYPE_F16},
        {"Q6_K", GOL_TYPE_Q8_0, GOL_TYPE_F16},   {"IQ4_XS", GOL_TYPE_IQ4_NL, GOL_TYPE_F16},
        {"TQ1_0", GOL_TYPE_Q4_0, GOL_TYPE_F16},  {"Q8_0", GOL_TYPE_Q8_0, GOL_TYPE_F16},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        make(&m, 1, 160, false);
        assign(&m, cases[k].mix);
        check(&m, "blk.0.attn_q.weight", cases[k].of_32);
        assert_int_equal(get(&m, "blk.0.attn_q.weight")->wanted,
                         gol_mix_find(gol_str_from(cases[k].mix))->type);
        make(&m, 1, 33, false);
        assign(&m, cases[k].mix);
        check(&m, "blk.0.attn_q.weight", cases[k].of_33);
    }
}

static void tensors_that_are_small_or_no_weights_stay(void **state)
{
    (void)state;
    static model m;
    make(&m, 1, 256, false);
    static const char *const kept[] = {"position_embd.weight",       "token_types.weight",
                                       "blk.0.ffn_gate_inp.weight",  "blk.0.ssm_conv1d.weight",
                                       "blk.0.attn_q_norm.weight",   "blk.0.attn_q.bias",
                                       "blk.0.shortconv.conv.weight"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        add(&m, kept[i], 2, 256);
    add(&m, "blk.0.ints.weight", 2, 256);
    m.tensors[m.n - 1].from = GOL_TYPE_I32;
    assign(&m, "Q4_K_M");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        check(&m, kept[i], GOL_TYPE_F16);
    check(&m, "blk.0.ints.weight", GOL_TYPE_I32);
}

static void experts_have_rules_of_their_own(void **state)
{
    (void)state;
    static model m;
    make(&m, 2, 256, false);
    add_layer(&m, 0, "ffn_down_exps", 3, 256);
    m.facts.n_experts = 8;
    assign(&m, "Q4_K_S");
    check(&m, "blk.0.attn_v.weight", GOL_TYPE_Q8_0);
    check(&m, "blk.0.attn_k.weight", GOL_TYPE_Q8_0);
    check(&m, "blk.0.attn_output.weight", GOL_TYPE_Q5_K);
    assign(&m, "MXFP4_MOE");
    check(&m, "blk.0.ffn_down_exps.weight", GOL_TYPE_MXFP4);
    check(&m, "blk.0.attn_q.weight", GOL_TYPE_Q8_0);
    check(&m, "output.weight", GOL_TYPE_Q8_0);
}

static void attn_v_counts_among_its_like_and_large_models_get_more(void **state)
{
    (void)state;
    static model m;
    make(&m, 16, 256, false);
    /* A hybrid: attention in layers 3, 7, 11 and 15 only. */
    for (size_t i = 0; i < m.n; i++) {
        for (uint32_t layer = 0; layer < 16; layer++) {
            char text[NAME_SIZE];
            snprintf(text, sizeof text, "blk.%u.attn_v.weight", layer);
            if (layer % 4 != 3 && gol_str_is(m.tensors[i].name, text))
                m.tensors[i].name = GOL_STR("blk.0.ssm_in.weight");
        }
    }
    assign(&m, "Q3_K_M"); /* the first two of them */
    check(&m, "blk.3.attn_v.weight", GOL_TYPE_Q5_K);
    check(&m, "blk.7.attn_v.weight", GOL_TYPE_Q5_K);
    check(&m, "blk.11.attn_v.weight", GOL_TYPE_Q4_K);
    make(&m, 80, 256, false);
    assign(&m, "Q4_K_S");
    check(&m, "blk.40.attn_v.weight", GOL_TYPE_Q5_K);
    make(&m, 79, 256, false);
    assign(&m, "Q4_K_S");
    check(&m, "blk.40.attn_v.weight", GOL_TYPE_Q4_K);
}

static void names_tell_the_layers_when_the_model_does_not(void **state)
{
    (void)state;
    static model m;
    make(&m, 22, 256, false);
    m.facts.n_layers = 0;
    assign(&m, "Q4_K_M");
    check(&m, "blk.1.ffn_down.weight", GOL_TYPE_Q6_K);
    check(&m, "blk.2.ffn_down.weight", GOL_TYPE_Q4_K);
    check(&m, "blk.21.ffn_down.weight", GOL_TYPE_Q6_K);
}

static void mixtures_are_found_in_any_case_and_have_distinct_numbers(void **state)
{
    (void)state;
    int n = 0;
    for (; gol_mix_get(n); n++) {
        const gol_mix *mix = gol_mix_get(n);
        assert_ptr_equal(gol_mix_find(gol_str_from(mix->name)), mix);
        assert_true(gol_can_quantize(mix->type));
        for (int k = 0; k < n; k++)
            assert_int_not_equal(gol_mix_get(k)->file_type, mix->file_type);
    }
    assert_int_equal(n, 22);
    assert_null(gol_mix_get(-1));
    assert_string_equal(gol_mix_find(GOL_STR("q4_k_m"))->name, "Q4_K_M");
    assert_string_equal(gol_mix_find(GOL_STR("Q4_K"))->name, "Q4_K_M");
    assert_int_equal(gol_mix_find(GOL_STR("Q4_K_M"))->file_type, 15);
    assert_null(gol_mix_find(GOL_STR("IQ2_XS")));
    assert_null(gol_mix_find(GOL_STR("")));
    assert_null(gol_mix_find(GOL_STR("Q4_K_M ")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tinyllamas_layers_get_what_llama_cpp_gives_them),
        cmocka_unit_test(a_tied_embedding_counts_as_the_output),
        cmocka_unit_test(plain_floats_have_no_exceptions),
        cmocka_unit_test(rows_that_are_no_whole_blocks_get_the_nearest_type),
        cmocka_unit_test(tensors_that_are_small_or_no_weights_stay),
        cmocka_unit_test(experts_have_rules_of_their_own),
        cmocka_unit_test(attn_v_counts_among_its_like_and_large_models_get_more),
        cmocka_unit_test(names_tell_the_layers_when_the_model_does_not),
        cmocka_unit_test(mixtures_are_found_in_any_case_and_have_distinct_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
