/* Which layers share blocks: by the patterns of models that are known, and where there is nothing to win. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/config.h"
#include "model/model.h"

enum { N_LAYERS_MAX = 80 };

typedef struct pattern {
    gol_layer_config layers[N_LAYERS_MAX];
    gol_kv_layer_shape shapes[N_LAYERS_MAX];
    gol_config config;
    gol_kv_groups groups;
} pattern;

/* Every period-th layer has no window; 0: all have it. */
static void make(pattern *p, int32_t n_layers, int32_t period, int32_t window)
{
    *p = (pattern){.config = {.n_layers = n_layers,
                              .layers = p->layers,
                              .head_dim_k = 64,
                              .head_dim_v = 64,
                              .is_causal = true}};
    for (int32_t i = 0; i < n_layers; i++)
        p->layers[i] = (gol_layer_config){.n_heads = 8,
                                          .n_kv_heads = 4,
                                          .window = period > 0 && (i + 1) % period == 0 ? 0
                                                                                        : window};
}

static void group(pattern *p, int32_t n_ctx)
{
    gol_config_kv_groups(&p->groups, &p->config, n_ctx, p->shapes);
}

/* Every layer is in a group of its window, and no group has more than the first. */
static void check(const pattern *p, int32_t n_groups, int32_t size)
{
    int32_t n_in[GOL_KV_GROUPS_MAX] = {0};
    assert_int_equal(p->groups.n_groups, n_groups);
    for (int32_t i = 0; i < p->config.n_layers; i++) {
        const int32_t g = p->shapes[i].group;
        assert_in_range(g, 0, n_groups - 1);
        assert_int_equal(p->groups.windows[g], p->layers[i].window);
        assert_int_equal(p->shapes[i].n_kv_heads, 4);
        n_in[g]++;
    }
    for (int32_t g = 0; g < n_groups; g++)
        assert_in_range(n_in[g], 1, size);
}

static void known_patterns_get_few_groups_with_little_waste(void **state)
{
    (void)state;
    static const struct {
        int32_t n_layers;
        int32_t period;
        int32_t window;
        int32_t n_groups;
        int32_t size;
    } models[] = {
        {26, 6, 512, 7, 4},   /* Gemma 3 1B: 4 + 22 */
        {34, 6, 1024, 7, 5},  /* Gemma 3 4B: 5 + 29 */
        {48, 6, 1024, 6, 8},  /* Gemma 3 12B: 8 + 40 */
        {62, 6, 1024, 6, 11}, /* Gemma 3 27B: 10 + 52 */
        {26, 2, 4096, 2, 13}, /* Gemma 2 2B */
        {24, 2, 128, 2, 12},  /* gpt-oss 20B */
        {32, 4, 4096, 4, 8},  /* OLMo 3 7B, Command-R7B: 8 + 24 */
        {32, 0, 4096, 1, 32}, /* Mistral 7B v0.1 */
    };
    static pattern p;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        make(&p, models[i].n_layers, models[i].period, models[i].window);
        group(&p, 1 << 15);
        check(&p, models[i].n_groups, models[i].size);
        assert_int_equal(p.groups.windows[0] == 0, models[i].period > 0); /* it comes first */
    }
}

static void check_one_group(const pattern *p)
{
    assert_int_equal(p->groups.n_groups, 1);
    assert_int_equal(p->groups.windows[0], 0);
    for (int32_t i = 0; i < p->config.n_layers; i++)
        assert_int_equal(p->shapes[i].group, 0);
}

static void without_use_of_windows_there_is_one_group(void **state)
{
    (void)state;
    static pattern p;
    make(&p, 16, 0, 0);
    group(&p, 4096);
    check_one_group(&p);
    make(&p, 16, 2, 4096); /* no token is beyond it */
    group(&p, 4096);
    check_one_group(&p);
    group(&p, 4097);
    assert_int_equal(p.groups.n_groups, 2);
    make(&p, 16, 2, 512); /* it looks ahead */
    p.config.is_causal = false;
    group(&p, 4096);
    check_one_group(&p);
    make(&p, 16, 2, 512); /* a recurrent layer */
    p.layers[3].n_kv_heads = 0;
    group(&p, 4096);
    check_one_group(&p);
    make(&p, 16, 2, 512); /* layers do not fit into each other's places */
    p.layers[3].n_kv_heads = 2;
    group(&p, 4096);
    check_one_group(&p);
}

static void more_windows_than_groups_are_none(void **state)
{
    (void)state;
    static pattern p;
    make(&p, 16, 0, 512);
    for (int32_t i = 0; i < GOL_KV_GROUPS_MAX; i++)
        p.layers[i].window = 100 + i;
    group(&p, 4096);
    check_one_group(&p);
    for (int32_t i = 2; i < 16; i++)
        p.layers[i].window = 512;
    group(&p, 4096);
    assert_true(p.groups.n_groups > 1);
    check(&p, p.groups.n_groups, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patterns_get_few_groups_with_little_waste),
        cmocka_unit_test(without_use_of_windows_there_is_one_group),
        cmocka_unit_test(more_windows_than_groups_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
