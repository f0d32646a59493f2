/* Which tensor becomes what: the mixture's choices (quant/quantize_mix.h) for the tensors of one file. */
#include "cli/quantize_plan.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cli/model_facts.h"

static uint32_t known(int64_t number)
{
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static gol_mix_model describe(const gol_model_file *file)
{
    gol_model_facts facts;
    gol_model_facts_read(&facts, file);
    const uint32_t n_kv_heads = known(facts.n_kv_heads);
    return (gol_mix_model){
        .n_layers = known(facts.n_layers),
        .n_heads_per_kv = n_kv_heads > 0 ? known(facts.n_heads) / n_kv_heads : 0,
        .n_experts = known(facts.n_experts),
        .is_falcon = gol_str_is(facts.architecture, "falcon"),
    };
}

static uint64_t bytes_of(gol_type type, uint64_t n_elements)
{
    size_t n_bytes;
    const bool fits = gol_type_row_bytes(&n_bytes, type, n_elements);
    assert(fits); /* gol_mix_assign() made sure of whole blocks, the reader of the size */
    return n_bytes;
}

/* What most bytes are; as others number such files. */
static uint32_t stored_file_type(const gol_quantize_plan *plan)
{
    uint64_t n_bytes[GOL_TYPE_N_IDS] = {0};
    gol_type most = GOL_TYPE_F32;
    for (size_t i = 0; i < plan->n; i++)
        n_bytes[plan->tensors[i].to] += plan->tensors[i].n_bytes;
    for (int type = 0; type < GOL_TYPE_N_IDS; type++)
        most = n_bytes[type] > n_bytes[most] ? (gol_type)type : most;
    for (int i = 0; gol_mix_get(i) != NULL; i++) {
        if (gol_mix_get(i)->type == most)
            return gol_mix_get(i)->file_type;
    }
    return 0;
}

int gol_quantize_plan_init(gol_quantize_plan *plan, const gol_model_file *file, const gol_mix *mix,
                           gol_err *err)
{
    const size_t n = gol_model_file_n_tensors(file);
    *plan = (gol_quantize_plan){.file = file, .mix = mix, .n = n};
    plan->tensors = gol_try_calloc(n, sizeof *plan->tensors);
    gol_mix_tensor *list = gol_try_array(n, sizeof *list);
    if (!plan->tensors || !list) {
        gol_free(list);
        gol_quantize_plan_deinit(plan);
        return gol_fail(err, GOL_ENOMEM, "out of memory for a list of %zu tensors", n);
    }
    for (size_t i = 0; i < n; i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        list[i] = (gol_mix_tensor){.name = t->name, .n_dims = t->n_dims, .from = t->type};
        memcpy(list[i].shape, t->shape, sizeof list[i].shape);
    }
    if (mix) {
        const gol_mix_model model = describe(file);
        gol_mix_assign(mix, &model, list, n);
    }
    for (size_t i = 0; i < n; i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        plan->tensors[i] = (gol_quantize_tensor){
            .source = t,
            .wanted = mix ? list[i].wanted : t->type,
            .to = mix ? list[i].to : t->type,
            .n_bytes = mix ? bytes_of(list[i].to, t->n_elements) : t->n_bytes,
        };
        plan->n_elements += t->n_elements;
        plan->n_bytes_from += t->n_bytes;
        plan->n_bytes_to += plan->tensors[i].n_bytes;
    }
    gol_free(list);
    plan->file_type = mix ? mix->file_type : stored_file_type(plan);
    return 0;
}

void gol_quantize_plan_deinit(gol_quantize_plan *plan)
{
    gol_free(plan->tensors);
    *plan = (gol_quantize_plan){0};
}

bool gol_quantize_changes(const gol_quantize_tensor *t)
{
    return t->to != t->source->type;
}

const gol_quantize_tensor *gol_quantize_find_requantized(const gol_quantize_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const gol_quantize_tensor *t = &plan->tensors[i];
        if (gol_quantize_changes(t) && gol_type_get(t->source->type)->is_quantized)
            return t;
    }
    return NULL;
}
