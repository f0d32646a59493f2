/*
 * From the folder's tensors to GGUF's, by the family's rules. What a rule makes is planned here (name, type, shape, recipe); bytes
 * are made when they are asked for (hf_make.c), and where nothing changes they are the file's.
 *
 * A source that no rule has taken is an error: a model without it would answer wrongly.
 */
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

typedef struct place {
    uint32_t layer;
    uint32_t expert;    /* or head: what is stacked */
    const char *suffix; /* for '*' */
} place;

/* What stands for an expert, a head, a key-value head. */
static const char stacked[] = "@%&";

/* The rule's name at this place; false: longer than a name can be. */
static bool expand(char out[static GOL_HF_NAME_MAX], const char *pattern, const char *prefix,
                   const place *at)
{
    size_t n = 0;
    for (; *pattern && n < GOL_HF_NAME_MAX; pattern++) {
        const size_t left = GOL_HF_NAME_MAX - n;
        if (*pattern == '#')
            n += (size_t)snprintf(out + n, left, "%u", at->layer);
        else if (strchr(stacked, *pattern))
            n += (size_t)snprintf(out + n, left, "%u", at->expert);
        else if (*pattern == '~')
            n += (size_t)snprintf(out + n, left, "%s", prefix);
        else if (*pattern == '*')
            n += (size_t)snprintf(out + n, left, "%s", at->suffix);
        else
            n += (size_t)snprintf(out + n, left, "%c", *pattern);
    }
    return n < GOL_HF_NAME_MAX;
}

const gol_hf_source *gol_hf_find_source(const gol_hf *hf, gol_str name)
{
    const int32_t i = gol_str_table_find(&hf->source_names, name);
    return i < 0 ? NULL : &hf->sources[i];
}

static gol_hf_source *find_at(gol_hf *hf, const char *pattern, const place *at)
{
    char name[GOL_HF_NAME_MAX];
    if (!expand(name, pattern, hf->prefix, at))
        return NULL;
    const int32_t i = gol_str_table_find(&hf->source_names, gol_str_from(name));
    return i < 0 ? NULL : &hf->sources[i];
}

static void choose_prefix(gol_hf *hf)
{
    const gol_hf_family *f = hf->family;
    for (int i = 0; f->prefixes[i]; i++) {
        hf->prefix = f->prefixes[i];
        if (find_at(hf, f->anchor, &(place){0}))
            return;
    }
    gol_hf_refuse(hf, GOL_EMODEL, "no tensor is named like '%s%s'", f->prefixes[0], f->anchor + 1);
}

static void fail_source(gol_hf *hf, const gol_hf_source *source, int code, const char *what)
{
    char name[128];
    char shape[128] = "";
    size_t n = 0;
    for (int d = 0; d < source->tensor->n_dims && n < sizeof shape; d++)
        n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%llu", d > 0 ? ", " : "",
                              (unsigned long long)source->tensor->shape[d]);
    gol_hf_refuse(hf, code, "tensor '%s' (%s, [%s]) %s",
                  gol_quote(name, sizeof name, source->tensor->name),
                  gol_dtype_get(source->tensor->dtype)->name, shape, what);
}

/* The scales of a tensor of small floats stand beside it; those of activations are not used. */
static void find_scale(gol_hf *hf, gol_hf_source *source)
{
    static const struct {
        gol_dtype dtype;
        const char *end;   /* of the tensor's name, */
        const char *scale; /* in place of which its scales have this */
    } forms[] = {
        {GOL_DTYPE_F8_E4M3, "", "_scale_inv"},
        {GOL_DTYPE_F8_E4M3, "", "_scale"},
        {GOL_DTYPE_U8, "_blocks", "_scales"},
    };
    const gol_str name = source->tensor->name;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && !source->scale; i++) {
        const size_t n_end = strlen(forms[i].end);
        char scale[GOL_SAFETENSORS_NAME_MAX + 32];
        if (source->tensor->dtype != forms[i].dtype || name.len < n_end ||
            memcmp(name.data + name.len - n_end, forms[i].end, n_end) != 0)
            continue;
        snprintf(scale, sizeof scale, "%.*s%s", (int)(name.len - n_end), name.data, forms[i].scale);
        const int32_t k = gol_str_table_find(&hf->source_names, gol_str_from(scale));
        if (k >= 0) {
            hf->sources[k].is_used = true;
            source->scale = &hf->sources[k];
        }
    }
}

static void use(gol_hf *hf, gol_hf_source *source)
{
    source->is_used = true;
    find_scale(hf, source);
}

/* type and shape of what the sources hold, before the change. */
static bool describe_source(gol_tensor *t, const gol_hf_recipe *recipe)
{
    const gol_safetensor *s = recipe->stack[0]->tensor;
    int n_dims = s->n_dims;
    if (n_dims > GOL_DIMS_MAX || s->n_elements == 0)
        return false;
    t->n_dims = n_dims > 0 ? n_dims : 1;
    for (int d = 0; d < GOL_DIMS_MAX; d++)
        t->shape[d] = d < n_dims ? s->shape[n_dims - 1 - d] : 1;
    return true;
}

static bool is_wide(gol_type type)
{
    return type == GOL_TYPE_F16 || type == GOL_TYPE_BF16;
}

static bool measure(gol_tensor *t)
{
    t->n_elements = 1;
    for (int d = 0; d < GOL_DIMS_MAX; d++) {
        if (t->shape[d] == 0 ||
            __builtin_mul_overflow(t->n_elements, t->shape[d], &t->n_elements) ||
            t->n_elements > INT64_MAX)
            return false;
    }
    size_t n_bytes;
    if (t->shape[0] % (uint64_t)gol_type_get(t->type)->block_size != 0 ||
        !gol_type_row_bytes(&n_bytes, t->type, t->n_elements) || n_bytes > INT64_MAX)
        return false;
    t->n_bytes = n_bytes;
    return true;
}

/* Nothing to do: the file's bytes are the tensor's. */
static void view_source(gol_tensor *t, const gol_hf_recipe *recipe)
{
    const gol_hf_source *source = recipe->stack[0];
    const gol_dtype_info *dtype = gol_dtype_get(source->tensor->dtype);
    if (recipe->n_sources != 1 || (recipe->change && recipe->change->apply) || !dtype->has_type ||
        dtype->type != t->type)
        return;
    const uint64_t first = recipe->first * (uint64_t)dtype->n_bits / 8;
    /* Readers of weights take what is aligned to its elements. */
    if ((source->tensor->offset + first) % ((uint64_t)dtype->n_bits / 8) != 0)
        return;
    t->data = source->data + first;
    t->file_offset = source->tensor->offset + first;
}

static bool plan_tensor(gol_hf *hf, gol_tensor *t, gol_hf_recipe *recipe)
{
    const gol_hf_source *source = recipe->stack[0];
    if (!gol_hf_source_type(source, &t->type) && !(recipe->change && recipe->change->takes_bytes)) {
        fail_source(hf, source, GOL_EUNSUPPORTED, "has numbers that are not supported here");
        return false;
    }
    char text[96] = "has a shape that no such tensor has";
    bool fits = describe_source(t, recipe);
    if (fits && t->n_dims == 1 && is_wide(t->type) && recipe->n_sources == 1)
        t->type = GOL_TYPE_F32; /* vectors are added and multiplied, never part of a product */
    if (fits && recipe->change) {
        snprintf(text, sizeof text, "cannot be %s", recipe->change->name);
        fits = recipe->change->plan(recipe, t);
    }
    if (fits && recipe->n_sources > 1) {
        fits = t->n_dims < GOL_DIMS_MAX;
        if (fits)
            t->shape[t->n_dims++] = recipe->n_sources;
    }
    if (!fits || !measure(t)) {
        fail_source(hf, source, GOL_EMODEL, text);
        return false;
    }
    t->file_index = source->part;
    t->file_offset = source->tensor->offset;
    view_source(t, recipe);
    return true;
}

static void add_tensor(gol_hf *hf, const gol_hf_rule *rule, const place *at,
                       const gol_hf_source *const *stack, uint32_t n_sources)
{
    char name[GOL_HF_NAME_MAX];
    gol_hf_recipe *recipe = gol_arena_try_calloc(hf->arena, 1, sizeof *recipe);
    const char *copy = expand(name, rule->to, hf->prefix, at)
                           ? gol_arena_try_strdup(hf->arena, gol_str_from(name))
                           : NULL;
    gol_tensor t = {0};
    if (!recipe || !copy) {
        gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
        return;
    }
    *recipe = (gol_hf_recipe){.change = rule->change,
                              .stack = stack,
                              .n_sources = n_sources,
                              .n_heads = hf->n_heads,
                              .n_kv_heads = hf->n_kv_heads,
                              .n_groups = hf->n_groups,
                              .n_skipped = hf->n_skipped,
                              .answer_rows = {hf->answer_rows[0], hf->answer_rows[1]}};
    t.name = gol_str_from(copy);
    t.recipe = recipe;
    if (!plan_tensor(hf, &t, recipe))
        return;
    gol_tensor *added = gol_hf_add_tensor(hf);
    if (added)
        *added = t;
}

static bool is_same_kind(const gol_hf_source *a, const gol_hf_source *b)
{
    return a->tensor->dtype == b->tensor->dtype && a->tensor->n_dims == b->tensor->n_dims &&
           memcmp(a->tensor->shape, b->tensor->shape, sizeof a->tensor->shape) == 0;
}

static uint32_t n_stacked(const gol_hf *hf, const char *pattern)
{
    switch (pattern[strcspn(pattern, stacked)]) {
    case '@':
        return hf->n_experts;
    case '%':
        return hf->n_heads;
    default:
        return hf->n_kv_heads;
    }
}

static void apply_stack(gol_hf *hf, const gol_hf_rule *rule, place at)
{
    const uint32_t n = n_stacked(hf, rule->from);
    if (n == 0) {
        char name[GOL_HF_NAME_MAX];
        if (expand(name, rule->from, hf->prefix, &at))
            gol_hf_refuse(hf, GOL_EMODEL,
                          "tensor '%s' is the first of its kind in a layer; by config.json there "
                          "are none",
                          name);
        return;
    }
    const gol_hf_source **stack = gol_arena_try_array(hf->arena, n, sizeof *stack);
    if (!stack) {
        gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
        return;
    }
    for (at.expert = 0; at.expert < n; at.expert++) {
        gol_hf_source *source = find_at(hf, rule->from, &at);
        if (!source) {
            char name[GOL_HF_NAME_MAX];
            if (expand(name, rule->from, hf->prefix, &at))
                gol_hf_refuse(hf, GOL_EMODEL, "tensor '%s' is missing", name);
            return;
        }
        use(hf, source);
        stack[at.expert] = source;
        if (!is_same_kind(source, stack[0])) {
            fail_source(hf, source, GOL_EMODEL, "differs from the first of its stack");
            return;
        }
    }
    add_tensor(hf, rule, &at, stack, n);
}

/* tie_word_embeddings: the matrix for logits is the table of tokens; a copy of it may be in the files. */
static bool is_tied_copy(gol_hf *hf, const gol_hf_rule *rule)
{
    return rule->to && strcmp(rule->to, "output.weight") == 0 &&
           gol_hf_bool_or(hf, "tie_word_embeddings", hf->family->is_tied);
}

static void apply_rule(gol_hf *hf, const gol_hf_rule *rule, const place *at)
{
    gol_hf_source *source = find_at(hf, rule->from, at);
    if (!source || hf->rc != 0)
        return;
    if (rule->from[strcspn(rule->from, stacked)] != '\0') {
        apply_stack(hf, rule, *at);
        return;
    }
    use(hf, source);
    if (!rule->to || is_tied_copy(hf, rule))
        return;
    const gol_hf_source **stack = gol_arena_try_array(hf->arena, 1, sizeof *stack);
    if (!stack) {
        gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
        return;
    }
    stack[0] = source;
    add_tensor(hf, rule, at, stack, 1);
}

static void apply_everywhere(gol_hf *hf, const gol_hf_rule *rule)
{
    static const char *const suffixes[] = {"weight", "bias"};
    const uint32_t n_layers = strchr(rule->from, '#') != NULL ? hf->n_layers : 1;
    const size_t n_suffixes = strchr(rule->from, '*') != NULL ? 2 : 1;
    for (place at = {0}; at.layer < n_layers && hf->rc == 0; at.layer++) {
        for (size_t i = 0; i < n_suffixes; i++) {
            at.suffix = suffixes[i];
            apply_rule(hf, rule, &at);
        }
    }
}

/* Scales for 8-bit activations and caches, which we do not round to 8 bits. */
static bool is_unneeded_scale(gol_str name)
{
    static const char *const ends[] = {".input_scale", ".activation_scale", ".k_scale", ".v_scale"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n = strlen(ends[i]);
        if (name.len > n && memcmp(name.data + name.len - n, ends[i], n) == 0)
            return true;
    }
    return false;
}

void gol_hf_apply_rules(gol_hf *hf)
{
    if (hf->n_layers < 1 || hf->n_layers > GOL_HF_LAYERS_MAX) {
        gol_hf_refuse(hf, GOL_EMODEL, "by config.json it has %u layers; 1 to %d are accepted",
                      hf->n_layers, (int)GOL_HF_LAYERS_MAX);
        return;
    }
    choose_prefix(hf);
    for (int i = 0; i < GOL_HF_RULE_TABLES_MAX && hf->family->rules[i]; i++) {
        for (const gol_hf_rule *rule = hf->family->rules[i]; rule->from && hf->rc == 0; rule++)
            apply_everywhere(hf, rule);
    }
    for (size_t i = 0; i < hf->n_sources && hf->rc == 0; i++) {
        char name[128];
        if (!hf->sources[i].is_used && !is_unneeded_scale(hf->sources[i].tensor->name))
            gol_hf_refuse(
                hf, GOL_EUNSUPPORTED,
                "tensor '%s' has no place in a %s of %u layers; leaving it out would give "
                "wrong answers",
                gol_quote(name, sizeof name, hf->sources[i].tensor->name), hf->family->class_name,
                hf->n_layers);
    }
}
