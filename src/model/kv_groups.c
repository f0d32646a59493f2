/*
 * Layers that see a window only need few blocks of a long sequence, the others all. So that one pool of blocks serves both, layers
 * stand in groups of as many layers each, and a block is for the layers of one group:
 *
 *     layers   l l l l l G l l l l l G ...      22 with a window (l), 4 without (G), groups of 4
 *     groups   G G G G | l l l l | l l l l | l l l l | l l l l | l l l l | l l - -
 *
 * All layers of a group have the same window. A group that is not full wastes the places it lacks; the smaller groups are, the fewer
 * are wasted, but the more tables a sequence has. Chosen is the size with which a long sequence takes least.
 */
#include "model/model.h"

#include "base/minmax.h"

enum {
    /* The length, in windows, of the sequence that takes least. Raising it avoids waste in layers that see everything at the
     * cost of the others. */
    LONG_SEQUENCE = 4,
};

/* Layers by what they see. */
typedef struct window_class {
    int32_t window; /* 0: everything */
    int32_t n_layers;
    int32_t first_group;
} window_class;

typedef struct classes {
    int32_t n;
    window_class items[GOL_KV_GROUPS_MAX];
} classes;

/* A window that no token of the sequence is beyond is none. */
static int32_t window_of(const gol_config *config, int32_t il, int32_t n_ctx)
{
    const int32_t window = config->layers[il].window;
    return window < n_ctx ? window : 0;
}

static window_class *find_class(classes *all, int32_t window)
{
    for (int32_t i = 0; i < all->n; i++)
        if (all->items[i].window == window)
            return &all->items[i];
    return NULL;
}

/* False: layers cannot be told apart by windows alone, or the model looks ahead and is computed at once. */
static bool can_classify(const gol_config *config)
{
    for (int32_t il = 0; il < config->n_layers; il++) {
        const int32_t n_kv_heads = config->layers[il].n_kv_heads;
        if (n_kv_heads == 0 || n_kv_heads != config->layers[0].n_kv_heads)
            return false;
    }
    return config->is_causal;
}

/* The one without a window first: who looks for blocks asks the groups in order, and those are wanted from the beginning on. False:
 * there are too many. */
static bool classify(classes *all, const gol_config *config, int32_t n_ctx)
{
    *all = (classes){.n = 1};
    for (int32_t il = 0; il < config->n_layers; il++) {
        const int32_t window = window_of(config, il, n_ctx);
        window_class *found = find_class(all, window);
        if (!found) {
            if (all->n == GOL_KV_GROUPS_MAX)
                return false;
            found = &all->items[all->n++];
            *found = (window_class){.window = window};
        }
        found->n_layers++;
    }
    return true;
}

static int32_t groups_of(const window_class *c, int32_t size)
{
    return (c->n_layers + size - 1) / size;
}

/* Places of tokens in layers that a sequence of n_tokens takes with groups of this size. */
static int64_t count_places(const classes *all, int32_t size, int32_t n_tokens)
{
    int64_t n = 0;
    for (int32_t i = 0; i < all->n; i++) {
        const window_class *c = &all->items[i];
        const int32_t n_seen = c->window > 0 ? gol_min_i32(c->window, n_tokens) : n_tokens;
        n += (int64_t)groups_of(c, size) * size * n_seen;
    }
    return n;
}

static int32_t count_groups(const classes *all, int32_t size)
{
    int32_t n = 0;
    for (int32_t i = 0; i < all->n; i++)
        n += groups_of(&all->items[i], size);
    return n;
}

/* 0: nothing is won by groups. */
static int32_t choose_size(const classes *all, const gol_config *config, int32_t n_ctx)
{
    int32_t window = 0;
    for (int32_t i = 0; i < all->n; i++)
        window = gol_max_i32(window, all->items[i].window);
    const int64_t n_long = (int64_t)LONG_SEQUENCE * window;
    const int32_t n_tokens = n_long < n_ctx ? (int32_t)n_long : n_ctx;
    int32_t best = 0;
    int64_t n_best = (int64_t)config->n_layers * n_tokens;
    for (int32_t size = config->n_layers; size >= 1; size--) {
        if (count_groups(all, size) > GOL_KV_GROUPS_MAX)
            break;
        const int64_t n = count_places(all, size, n_tokens);
        if (n < n_best) {
            best = size;
            n_best = n;
        }
    }
    return best;
}

void gol_config_kv_groups(gol_kv_groups *out, const gol_config *config, int32_t n_ctx,
                          gol_kv_layer_shape *layers)
{
    gol_config_kv_layers(config, layers);
    *out = (gol_kv_groups){.n_groups = 1};
    classes all;
    if (!can_classify(config) || !classify(&all, config, n_ctx))
        return;
    const int32_t size = choose_size(&all, config, n_ctx);
    if (size == 0)
        return;
    out->n_groups = 0;
    for (int32_t i = 0; i < all.n; i++) {
        window_class *c = &all.items[i];
        c->first_group = out->n_groups;
        for (int32_t n = groups_of(c, size); n > 0; n--)
            out->windows[out->n_groups++] = c->window;
        c->n_layers = 0; /* counted again below */
    }
    for (int32_t il = 0; il < config->n_layers; il++) {
        window_class *c = find_class(&all, window_of(config, il, n_ctx));
        layers[il].group = c->first_group + c->n_layers++ / size;
    }
}
