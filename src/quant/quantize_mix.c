/*
 * The mixtures: a table of names, a table of exceptions, and which tensors are never touched. The exceptions are
 * llama.cpp's (its quantization tool decides what people expect of a name), without those that need an importance
 * matrix.
 */
#include "quant/quantize_mix.h"

#include <string.h>

enum mix_id {
    MIX_F32,
    MIX_F16,
    MIX_BF16,
    MIX_Q8_0,
    MIX_Q6_K,
    MIX_Q5_K_M,
    MIX_Q5_K_S,
    MIX_Q5_1,
    MIX_Q5_0,
    MIX_Q4_K_M,
    MIX_Q4_K_S,
    MIX_Q4_1,
    MIX_Q4_0,
    MIX_IQ4_NL,
    MIX_IQ4_XS,
    MIX_MXFP4_MOE,
    MIX_Q3_K_L,
    MIX_Q3_K_M,
    MIX_Q3_K_S,
    MIX_Q2_K,
    MIX_TQ2_0,
    MIX_TQ1_0,
    N_MIXES
};

static const gol_mix mixes[N_MIXES] = {
    [MIX_F32] = {"F32", GOL_TYPE_F32, 0},
    [MIX_F16] = {"F16", GOL_TYPE_F16, 1},
    [MIX_BF16] = {"BF16", GOL_TYPE_BF16, 32},
    [MIX_Q8_0] = {"Q8_0", GOL_TYPE_Q8_0, 7},
    [MIX_Q6_K] = {"Q6_K", GOL_TYPE_Q6_K, 18},
    [MIX_Q5_K_M] = {"Q5_K_M", GOL_TYPE_Q5_K, 17},
    [MIX_Q5_K_S] = {"Q5_K_S", GOL_TYPE_Q5_K, 16},
    [MIX_Q5_1] = {"Q5_1", GOL_TYPE_Q5_1, 9},
    [MIX_Q5_0] = {"Q5_0", GOL_TYPE_Q5_0, 8},
    [MIX_Q4_K_M] = {"Q4_K_M", GOL_TYPE_Q4_K, 15},
    [MIX_Q4_K_S] = {"Q4_K_S", GOL_TYPE_Q4_K, 14},
    [MIX_Q4_1] = {"Q4_1", GOL_TYPE_Q4_1, 3},
    [MIX_Q4_0] = {"Q4_0", GOL_TYPE_Q4_0, 2},
    [MIX_IQ4_NL] = {"IQ4_NL", GOL_TYPE_IQ4_NL, 25},
    [MIX_IQ4_XS] = {"IQ4_XS", GOL_TYPE_IQ4_XS, 30},
    [MIX_MXFP4_MOE] = {"MXFP4_MOE", GOL_TYPE_MXFP4, 38},
    [MIX_Q3_K_L] = {"Q3_K_L", GOL_TYPE_Q3_K, 13},
    [MIX_Q3_K_M] = {"Q3_K_M", GOL_TYPE_Q3_K, 12},
    [MIX_Q3_K_S] = {"Q3_K_S", GOL_TYPE_Q3_K, 11},
    [MIX_Q2_K] = {"Q2_K", GOL_TYPE_Q2_K, 10},
    [MIX_TQ2_0] = {"TQ2_0", GOL_TYPE_TQ2_0, 37},
    [MIX_TQ1_0] = {"TQ1_0", GOL_TYPE_TQ1_0, 36},
};

typedef enum tensor_role {
    ROLE_OTHER,
    ROLE_OUTPUT, /* token_embd too, when it is also the output matrix */
    ROLE_TOKEN_EMBD,
    ROLE_ATTN_V, /* and what is fused with it */
    ROLE_ATTN_K,
    ROLE_ATTN_OUTPUT,
    ROLE_FFN_DOWN,
} tensor_role;

/* Where a tensor stands: i of n, counted over the layers that have one (attn_v) or over all layers. */
typedef struct place {
    uint32_t i;
    uint32_t n;
} place;

typedef bool condition(place at, const gol_mix_model *model);

static bool always(place at, const gol_mix_model *model)
{
    (void)at;
    (void)model;
    return true;
}

/* The first and the last eighth of the layers, and every third between. */
static bool more_bits(place at, const gol_mix_model *model)
{
    (void)model;
    return at.i < at.n / 8 || at.i >= 7 * at.n / 8 || (at.i - at.n / 8) % 3 == 2;
}

static bool more_bits_but_falcon(place at, const gol_mix_model *model)
{
    return !model->is_falcon && more_bits(at, model);
}

static bool first_sixteenth(place at, const gol_mix_model *model)
{
    (void)model;
    return at.i < at.n / 16;
}

static bool first_eighth(place at, const gol_mix_model *model)
{
    (void)model;
    return at.i < at.n / 8;
}

static bool first_eighth_but_falcon(place at, const gol_mix_model *model)
{
    return !model->is_falcon && first_eighth(at, model);
}

static bool first_two(place at, const gol_mix_model *model)
{
    (void)model;
    return at.i < 2;
}

static bool first_four(place at, const gol_mix_model *model)
{
    (void)model;
    return at.i < 4;
}

static bool shared_by_four(place at, const gol_mix_model *model)
{
    (void)at;
    return model->n_heads_per_kv >= 4;
}

static bool eight_experts(place at, const gol_mix_model *model)
{
    (void)at;
    return model->n_experts == 8;
}

static bool falcon(place at, const gol_mix_model *model)
{
    (void)at;
    return model->is_falcon;
}

static bool not_falcon(place at, const gol_mix_model *model)
{
    (void)at;
    return !model->is_falcon;
}

typedef struct exception {
    uint32_t mixes; /* bit (1u << MIX_…) */
    tensor_role role;
    condition *condition;
    gol_type type;
} exception;

#define BIT(mix) (1u << MIX_##mix)
#define BITS_EXPERTS_OUTPUT                                                                        \
    (BIT(Q2_K) | BIT(Q3_K_S) | BIT(Q3_K_M) | BIT(Q4_K_S) | BIT(Q4_K_M) | BIT(IQ4_NL) | BIT(IQ4_XS))
#define BITS_QUANTIZED ((1u << N_MIXES) - 1u - BIT(F32) - BIT(F16) - BIT(BF16))

/* The first row that fits decides; without one it is the mixture's own type. */
static const exception exceptions[] = {
    {BIT(Q8_0) | BIT(MXFP4_MOE), ROLE_OUTPUT, always, GOL_TYPE_Q8_0},
    {BITS_QUANTIZED, ROLE_OUTPUT, falcon, GOL_TYPE_Q8_0},
    {BITS_QUANTIZED, ROLE_OUTPUT, always, GOL_TYPE_Q6_K},
    {BIT(TQ1_0) | BIT(TQ2_0), ROLE_TOKEN_EMBD, always, GOL_TYPE_Q4_K},

    {BITS_QUANTIZED, ROLE_ATTN_V, eight_experts, GOL_TYPE_Q8_0}, /* small beside the experts */
    {BITS_QUANTIZED, ROLE_ATTN_K, eight_experts, GOL_TYPE_Q8_0},
    {BIT(Q2_K), ROLE_ATTN_V, shared_by_four, GOL_TYPE_Q4_K},
    {BIT(Q2_K), ROLE_ATTN_V, always, GOL_TYPE_Q3_K},
    {BIT(Q3_K_M), ROLE_ATTN_V, first_two, GOL_TYPE_Q5_K},
    {BIT(Q3_K_M), ROLE_ATTN_V, always, GOL_TYPE_Q4_K},
    {BIT(Q3_K_L), ROLE_ATTN_V, always, GOL_TYPE_Q5_K},
    {BIT(Q4_K_M) | BIT(Q5_K_M), ROLE_ATTN_V, more_bits, GOL_TYPE_Q6_K},
    {BIT(Q4_K_S), ROLE_ATTN_V, first_four, GOL_TYPE_Q5_K},
    {BIT(IQ4_NL) | BIT(IQ4_XS), ROLE_ATTN_V, shared_by_four, GOL_TYPE_Q5_K},

    {BITS_EXPERTS_OUTPUT, ROLE_ATTN_OUTPUT, eight_experts, GOL_TYPE_Q5_K},
    {BIT(Q3_K_L), ROLE_ATTN_OUTPUT, eight_experts, GOL_TYPE_Q3_K},
    {BIT(Q2_K), ROLE_ATTN_OUTPUT, not_falcon, GOL_TYPE_Q3_K},
    {BIT(Q3_K_M), ROLE_ATTN_OUTPUT, not_falcon, GOL_TYPE_Q4_K},
    {BIT(Q3_K_L), ROLE_ATTN_OUTPUT, not_falcon, GOL_TYPE_Q5_K},
    {BIT(Q3_K_L), ROLE_ATTN_OUTPUT, falcon, GOL_TYPE_Q4_K},

    {BIT(Q2_K), ROLE_FFN_DOWN, always, GOL_TYPE_Q3_K},
    {BIT(Q3_K_M), ROLE_FFN_DOWN, first_sixteenth, GOL_TYPE_Q5_K},
    {BIT(Q3_K_M), ROLE_FFN_DOWN, not_falcon, GOL_TYPE_Q4_K},
    {BIT(Q3_K_M), ROLE_FFN_DOWN, more_bits, GOL_TYPE_Q4_K},
    {BIT(Q3_K_L), ROLE_FFN_DOWN, falcon, GOL_TYPE_Q4_K},
    {BIT(Q3_K_L), ROLE_FFN_DOWN, always, GOL_TYPE_Q5_K},
    {BIT(Q4_K_M), ROLE_FFN_DOWN, more_bits_but_falcon, GOL_TYPE_Q6_K},
    {BIT(Q4_K_M), ROLE_FFN_DOWN, first_sixteenth, GOL_TYPE_Q6_K}, /* falcon's: others had theirs */
    {BIT(Q4_K_M), ROLE_FFN_DOWN, more_bits, GOL_TYPE_Q5_K},
    {BIT(Q4_K_S), ROLE_FFN_DOWN, first_eighth_but_falcon, GOL_TYPE_Q5_K},
    {BIT(Q5_K_M), ROLE_FFN_DOWN, more_bits, GOL_TYPE_Q6_K},
    {BIT(IQ4_NL) | BIT(IQ4_XS), ROLE_FFN_DOWN, first_eighth, GOL_TYPE_Q5_K},
};

enum { N_EXCEPTIONS = sizeof exceptions / sizeof exceptions[0] };

static bool is_same_name(gol_str a, const char *upper)
{
    if (a.len != strlen(upper))
        return false;
    for (size_t i = 0; i < a.len; i++) {
        const char c = a.data[i];
        if ((c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c) != upper[i])
            return false;
    }
    return true;
}

const gol_mix *gol_mix_get(int i)
{
    return i >= 0 && i < N_MIXES ? &mixes[i] : NULL;
}

/* Without a letter people mean the medium one. */
static const struct {
    const char *name;
    enum mix_id id;
} other_names[] = {{"Q5_K", MIX_Q5_K_M}, {"Q4_K", MIX_Q4_K_M}, {"Q3_K", MIX_Q3_K_M}};

const gol_mix *gol_mix_find(gol_str name)
{
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        if (is_same_name(name, other_names[i].name))
            return &mixes[other_names[i].id];
    }
    for (int i = 0; i < N_MIXES; i++) {
        if (is_same_name(name, mixes[i].name))
            return &mixes[i];
    }
    return NULL;
}

static bool contains(gol_str text, const char *part)
{
    const size_t n = strlen(part);
    for (size_t i = 0; i + n <= text.len; i++) {
        if (memcmp(text.data + i, part, n) == 0)
            return true;
    }
    return false;
}

static bool ends_with(gol_str text, const char *end)
{
    const size_t n = strlen(end);
    return text.len >= n && memcmp(text.data + text.len - n, end, n) == 0;
}

/* Only matrices named .weight are converted, and of these not the ones that are small and matter: norms, routers,
 * positions, token types, short convolutions and other per-layer trifles. */
static bool is_kept(const gol_mix_tensor *t)
{
    static const char *const kept[] = {
        "_norm.weight",         "ffn_gate_inp", "position_embd", "token_types", "ssm_conv1d",
        "shortconv.conv.",      "altup",        "laurel",        "attn_rel_b",  "time_mix_",
        "per_layer_model_proj",
    };
    if (t->n_dims < 2 || !ends_with(t->name, ".weight") || !gol_type_get(t->from)->dequant)
        return true;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (contains(t->name, kept[i]))
            return true;
    }
    return false;
}

static tensor_role find_role(gol_str name, bool has_output)
{
    static const struct {
        const char *part;
        tensor_role role;
    } parts[] = {
        {"attn_v.weight", ROLE_ATTN_V},           {"attn_kv_b.weight", ROLE_ATTN_V},
        {"attn_k.weight", ROLE_ATTN_K},           {"attn_qkv.weight", ROLE_ATTN_V},
        {"attn_output.weight", ROLE_ATTN_OUTPUT}, {"ffn_down", ROLE_FFN_DOWN},
    };
    if (gol_str_is(name, "output.weight"))
        return ROLE_OUTPUT;
    if (gol_str_is(name, "token_embd.weight"))
        return has_output ? ROLE_TOKEN_EMBD : ROLE_OUTPUT;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (contains(name, parts[i].part))
            return parts[i].role;
    }
    return ROLE_OTHER;
}

/* The number after "blk."; 0 for tensors outside the layers. */
static uint32_t layer_of(gol_str name)
{
    uint32_t layer = 0;
    if (name.len < 5 || memcmp(name.data, "blk.", 4) != 0)
        return 0;
    for (size_t i = 4;
         i < name.len && name.data[i] >= '0' && name.data[i] <= '9' && layer < 1000000; i++)
        layer = layer * 10 + (uint32_t)(name.data[i] - '0');
    return layer;
}

enum { LAYERS_COUNTED = 4096 }; /* layers beyond count as the last */

/* attn_v counts among its like, because hybrid models have it in some layers only. */
typedef struct attn_v_ranks {
    uint32_t n;
    uint32_t before[LAYERS_COUNTED]; /* how many are in lower layers */
} attn_v_ranks;

static uint32_t counted_layer_of(gol_str name)
{
    const uint32_t layer = layer_of(name);
    return layer < LAYERS_COUNTED ? layer : LAYERS_COUNTED - 1;
}

static void rank_attn_v(attn_v_ranks *ranks, const gol_mix_tensor *tensors, size_t n)
{
    *ranks = (attn_v_ranks){0};
    for (size_t i = 0; i < n; i++) {
        if (find_role(tensors[i].name, true) == ROLE_ATTN_V)
            ranks->before[counted_layer_of(tensors[i].name)]++;
    }
    for (int layer = 0; layer < LAYERS_COUNTED; layer++) {
        const uint32_t n_here = ranks->before[layer];
        ranks->before[layer] = ranks->n;
        ranks->n += n_here;
    }
}

static gol_type choose(const gol_mix *mix, const gol_mix_tensor *t, const gol_mix_model *model,
                       tensor_role role, place at)
{
    gol_type type = mix->type;
    for (int i = 0; i < N_EXCEPTIONS; i++) {
        const exception *e = &exceptions[i];
        if ((e->mixes >> (mix - mixes) & 1) && e->role == role && e->condition(at, model)) {
            type = e->type;
            break;
        }
    }
    /* Experts are the tensors with a third dimension. */
    if (mix == &mixes[MIX_MXFP4_MOE] && role != ROLE_OUTPUT && t->shape[2] <= 1)
        type = GOL_TYPE_Q8_0;
    /* The 80 layers of the 70B models: attn_v is an eighth of attn_q, so better ones cost next to nothing. */
    if (role == ROLE_ATTN_V && model->n_layers == 80 && model->n_heads_per_kv == 8 &&
        (type == GOL_TYPE_Q3_K || type == GOL_TYPE_Q4_K))
        type = GOL_TYPE_Q5_K;
    return type;
}

/* What rows of n elements can hold when they are no whole blocks of `type`: the nearest type with blocks of 32, or F16. */
static gol_type fit_rows(gol_type type, uint64_t n)
{
    size_t bytes;
    if (gol_type_row_bytes(&bytes, type, n))
        return type;
    switch (type) {
    case GOL_TYPE_TQ1_0:
    case GOL_TYPE_TQ2_0:
    case GOL_TYPE_Q2_K:
    case GOL_TYPE_Q3_K:
        type = GOL_TYPE_Q4_0;
        break;
    case GOL_TYPE_IQ4_XS:
        type = GOL_TYPE_IQ4_NL;
        break;
    case GOL_TYPE_Q4_K:
        type = GOL_TYPE_Q5_0;
        break;
    case GOL_TYPE_Q5_K:
        type = GOL_TYPE_Q5_1;
        break;
    case GOL_TYPE_Q6_K:
        type = GOL_TYPE_Q8_0;
        break;
    default:
        break;
    }
    return gol_type_row_bytes(&bytes, type, n) ? type : GOL_TYPE_F16;
}

void gol_mix_assign(const gol_mix *mix, const gol_mix_model *model, gol_mix_tensor *tensors,
                    size_t n)
{
    bool has_output = false;
    for (size_t i = 0; i < n; i++)
        has_output |= gol_str_is(tensors[i].name, "output.weight");
    attn_v_ranks ranks;
    rank_attn_v(&ranks, tensors, n);
    gol_mix_model known = *model;
    for (size_t i = 0; i < n && model->n_layers == 0; i++) {
        const uint32_t n_layers = layer_of(tensors[i].name) + 1;
        known.n_layers = n_layers > known.n_layers ? n_layers : known.n_layers;
    }
    for (size_t i = 0; i < n; i++) {
        gol_mix_tensor *t = &tensors[i];
        t->wanted = t->to = t->from;
        if (is_kept(t))
            continue;
        const tensor_role role = find_role(t->name, has_output);
        place at = {layer_of(t->name), known.n_layers};
        if (role == ROLE_ATTN_V)
            at = (place){ranks.before[counted_layer_of(t->name)], ranks.n};
        t->wanted = choose(mix, t, &known, role, at);
        t->to = fit_rows(t->wanted, t->shape[0]);
    }
}
