/*
 * Binds tensor names to fields by the tables of weights_rules.c. A fused tensor (attn_qkv) is bound as
 * row ranges of itself, so that behind this file no model has fused projections.
 */
#include "model/weights.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sysmem.h"
#include "model/config_impl.h"
#include "model/weights_rules.h"

enum { TENSOR_NAME_MAX = 64 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* State of one load, or of a walk over the same tensors that only counts what a load would take. */
typedef struct loader {
    gol_weights *weights; /* of a walk: nothing is bound in it, sizes are counted */
    bool is_walk;
    const gol_config *config;
    const gol_model_file *file;
    gol_backend *be;
    const gol_load_opts *opts; /* or NULL */
    gol_err *err;
    const gol_tensor **bound; /* [file's tensors] those that have a place */
    size_t n_bound;
    uint64_t n_done; /* bytes, for progress */
    uint64_t n_total;
} loader;

static int64_t sum_of(const loader *ld, const gol_weights_dim *dims, size_t n, int32_t il)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n && dims[i] != GOL_DIM_NONE; i++)
        sum += gol_weights_size(ld->config, dims[i], il);
    return sum;
}

/* The part of a tensor that a rule binds: n_out rows of n_in elements from row `first`. A vector has one row; a part of a
 * vector is a run of elements instead. */
typedef struct part {
    int64_t n_in;
    int64_t n_out;
    int64_t first;
    int64_t tensor_n_in;
    int64_t tensor_n_out;
    int64_t
        shape[3]; /* of the tensor in the file, in its order: elements of a row, rows, experts */
} part;

static part find_part(const loader *ld, const gol_weights_rule *r, int32_t il)
{
    part p = {.n_in = gol_weights_size(ld->config, r->n_in, il),
              .n_out = gol_weights_size(ld->config, r->n_out, il)};
    p.first = sum_of(ld, r->before, COUNT(r->before), il);
    const int64_t total = sum_of(ld, r->total, COUNT(r->total), il);
    p.tensor_n_in = r->n_out == GOL_DIM_NONE && total ? total : p.n_in;
    p.tensor_n_out = r->n_out != GOL_DIM_NONE && total ? total : p.n_out;
    p.shape[0] = p.tensor_n_in;
    p.shape[1] = p.tensor_n_out;
    p.shape[2] = 1;
    const bool is_qk_norm = r->n_in == GOL_DIM_Q_NORM || r->n_in == GOL_DIM_K_NORM;
    if (is_qk_norm && ld->config->qk_norm == GOL_QK_NORM_EACH) { /* a vector here, a matrix there */
        p.shape[0] = ld->config->head_dim_k;
        p.shape[1] = p.n_in / p.shape[0];
    }
    return p;
}

static int check_shape(const loader *ld, const gol_tensor *t, const gol_weights_rule *r,
                       const part *p)
{
    if (t->shape[0] == (uint64_t)p->shape[0] && t->shape[1] == (uint64_t)p->shape[1] &&
        t->shape[2] == (uint64_t)p->shape[2] && t->shape[3] == 1)
        return 0;
    char name[TENSOR_NAME_MAX + 32];
    char want[64];
    if (r->n_out == GOL_DIM_NONE && p->shape[1] == 1)
        snprintf(want, sizeof want, "[%lld]", (long long)p->shape[0]);
    else if (p->shape[2] > 1)
        snprintf(want, sizeof want, "[%lld, %lld, %lld]", (long long)p->shape[0],
                 (long long)p->shape[1], (long long)p->shape[2]);
    else
        snprintf(want, sizeof want, "[%lld, %lld]", (long long)p->shape[0], (long long)p->shape[1]);
    return gol_config_fail(ld->file, ld->err, GOL_EMODEL,
                           "tensor '%s' has shape [%llu, %llu, %llu, %llu]; %s is expected",
                           gol_quote(name, sizeof name, t->name), (unsigned long long)t->shape[0],
                           (unsigned long long)t->shape[1], (unsigned long long)t->shape[2],
                           (unsigned long long)t->shape[3], want);
}

/* Tables that no product reads: positions, types, and tokens where logits have a matrix of their own or there are none. */
static bool is_lookup(const loader *ld, gol_str name)
{
    if (gol_str_eq(name, GOL_STR("position_embd.weight")) ||
        gol_str_eq(name, GOL_STR("token_types.weight")))
        return true;
    return gol_str_eq(name, GOL_STR("token_embd.weight")) &&
           (!ld->config->has_logits ||
            gol_model_file_find_tensor(ld->file, GOL_STR("output.weight")) != NULL);
}

/* Stops at UINT64_MAX: sizes of a walk are what a file claims. */
static void count_bytes(uint64_t *sum, uint64_t n)
{
    *sum = n < UINT64_MAX - *sum ? *sum + n : UINT64_MAX;
}

/* A table that stays in the file, but the file holds it in another form: then its bytes stay with the weights. */
static int keep_bytes(loader *ld, gol_tensor_bytes *bytes)
{
    gol_weights *w = ld->weights;
    gol_tensor_bytes *kept = gol_try_realloc(w->kept, w->n_kept + 1, sizeof *kept);
    if (!kept)
        return gol_fail(ld->err, GOL_ENOMEM, "out of memory for the table of weights");
    w->kept = kept;
    kept[w->n_kept++] = *bytes;
    *bytes = (gol_tensor_bytes){0};
    return 0;
}

/* What a part of a tensor is as a weight, without its data. */
static int describe(const loader *ld, gol_weight_desc *out, const gol_tensor *t, const char *name,
                    const part *p)
{
    size_t row_bytes;
    if (!gol_type_row_bytes(&row_bytes, t->type, (uint64_t)p->n_in))
        return gol_config_fail(ld->file, ld->err, GOL_EMODEL,
                               "tensor '%s': rows of %lld are no whole blocks of %s", name,
                               (long long)p->n_in, gol_type_get(t->type)->name);
    *out = (gol_weight_desc){
        .name = name,
        .type = t->type,
        .n_out = p->n_out,
        .n_in = p->n_in,
        .n_bytes = (size_t)p->n_out * row_bytes,
        .is_lookup = is_lookup(ld, gol_str_from(name)),
    };
    return 0;
}

/* Of a load by the device: its message gets the file's name. */
static int finish_load(const loader *ld, int rc)
{
    char path[GOL_ERR_MESSAGE_MAX / 2];
    if (rc < 0)
        gol_fail_prefix(ld->err, "%s",
                        gol_quote(path, sizeof path, gol_str_from(gol_model_file_path(ld->file))));
    return rc;
}

static int load_matrix(loader *ld, gol_weight *out, const gol_tensor *t, const char *name,
                       const part *p)
{
    gol_weight_bytes *bytes = &ld->weights->bytes;
    gol_weight_desc desc = {0};
    int rc = describe(ld, &desc, t, name, p);
    if (rc != 0)
        return rc;
    if (ld->is_walk) {
        const size_t n_owned = ld->be->ops->weight_bytes(ld->be, &desc);
        count_bytes(n_owned > 0 || !t->data ? &bytes->owned : &bytes->mapped,
                    n_owned > 0 ? n_owned : desc.n_bytes);
        return 0;
    }
    gol_tensor_bytes source;
    rc = gol_model_file_fetch(ld->file, t, &source, ld->err);
    if (rc == 0) {
        desc.data = source.data + desc.n_bytes / (size_t)p->n_out * (size_t)p->first;
        rc = ld->be->ops->weight_load(ld->be, out, &desc, ld->err);
    }
    const bool is_file = source.owned == NULL;
    if (rc == 0 && !out->owned && !is_file)
        rc = keep_bytes(ld, &source);
    gol_tensor_bytes_deinit(&source);
    if (rc < 0)
        return finish_load(ld, rc);
    count_bytes(out->owned || !is_file ? &bytes->owned : &bytes->mapped, out->n_bytes);
    if (out->owned ||
        !is_file) /* a part of a fused tensor that is still to come brings its pages back */
        gol_model_file_drop_tensor(ld->file, t);
    return 0;
}

/* values[n] = the first elements of the tensor. */
static int read_values(const loader *ld, float *values, const gol_tensor *t, size_t n)
{
    gol_tensor_bytes source;
    const int rc = gol_model_file_fetch(ld->file, t, &source, ld->err);
    if (rc == 0)
        gol_type_get(t->type)->dequant(values, source.data, n);
    gol_tensor_bytes_deinit(&source);
    return rc;
}

static int load_vector(loader *ld, float **out, const gol_tensor *t, const char *name,
                       const part *p)
{
    if (!gol_type_get(t->type)->dequant)
        return gol_config_fail(ld->file, ld->err, GOL_EUNSUPPORTED,
                               "tensor '%s': type %s has no values", name,
                               gol_type_get(t->type)->name);
    count_bytes(&ld->weights->bytes.owned, (uint64_t)p->n_in * sizeof(float));
    if (ld->is_walk)
        return 0;
    float *host = gol_try_array((size_t)p->tensor_n_in, sizeof *host);
    if (!host)
        return gol_fail(ld->err, GOL_ENOMEM, "out of memory for tensor '%s'", name);
    int rc = read_values(ld, host, t, (size_t)p->tensor_n_in);
    if (rc == 0)
        rc = ld->be->ops->alloc(ld->be, out, (size_t)p->n_in, ld->err);
    if (rc == 0)
        ld->be->ops->write(ld->be, *out, host + p->first, (size_t)p->n_in);
    gol_free(host);
    return rc;
}

/* The rows of a small tensor as one vector; by_columns: [n_in][n_out]. */
static int load_flat(loader *ld, float **out, const gol_tensor *t, const char *name, const part *p,
                     bool by_columns)
{
    const size_t n_in = (size_t)p->n_in;
    const size_t n_out = (size_t)p->n_out;
    const size_t n = n_in * n_out; /* both have limits */
    if (!gol_type_get(t->type)->dequant || n_in % (size_t)gol_type_get(t->type)->block_size != 0)
        return gol_config_fail(ld->file, ld->err, GOL_EUNSUPPORTED,
                               "tensor '%s': rows of %zu in type %s are not supported", name, n_in,
                               gol_type_get(t->type)->name);
    count_bytes(&ld->weights->bytes.owned, (uint64_t)n * sizeof(float));
    if (ld->is_walk)
        return 0;
    float *host = gol_try_array(2 * n, sizeof *host);
    if (!host)
        return gol_fail(ld->err, GOL_ENOMEM, "out of memory for tensor '%s'", name);
    float *columns = host + n;
    int rc = read_values(ld, host, t, n);
    for (size_t i = 0; rc == 0 && by_columns && i < n; i++)
        columns[i % n_in * n_out + i / n_in] = host[i];
    if (rc == 0)
        rc = ld->be->ops->alloc(ld->be, out, n, ld->err);
    if (rc == 0)
        ld->be->ops->write(ld->be, *out, by_columns ? columns : host, n);
    gol_free(host);
    return rc;
}

static int load_field(loader *ld, void *field, const gol_weights_rule *r, const gol_tensor *t,
                      const char *name, const part *p)
{
    if (r->when & (GOL_AS_VECTOR | GOL_AS_COLUMNS))
        return load_flat(ld, field, t, name, p, (r->when & GOL_AS_COLUMNS) != 0);
    if (r->n_out == GOL_DIM_NONE)
        return load_vector(ld, field, t, name, p);
    return load_matrix(ld, field, t, name, p);
}

static void note_bound(loader *ld, const gol_tensor *t)
{
    /* the parts of a fused tensor come in a row, with other tensors between: look back a few */
    for (size_t i = ld->n_bound; i > 0 && ld->n_bound - i < gol_weights_n_layer_rules; i--)
        if (ld->bound[i - 1] == t)
            return;
    ld->bound[ld->n_bound++] = t;
    ld->weights->n_params += t->n_elements;
    ld->n_done += t->n_bytes;
    if (t->n_bytes > ld->weights->bytes.largest)
        ld->weights->bytes.largest = t->n_bytes;
    if (!ld->is_walk && ld->opts && ld->opts->progress)
        ld->opts->progress(ld->opts->progress_user, ld->n_done, ld->n_total);
}

static void tensor_name(char out[static TENSOR_NAME_MAX], const gol_weights_rule *r, int32_t il)
{
    if (il >= 0)
        snprintf(out, TENSOR_NAME_MAX, "blk.%d.%s", il, r->name);
    else
        snprintf(out, TENSOR_NAME_MAX, "%s", r->name);
}

static int missing(const loader *ld, const gol_weights_rule *r, const char *name)
{
    if (!r->is_required)
        return 0;
    return gol_config_fail(ld->file, ld->err, GOL_EMODEL, "tensor '%s' is missing", name);
}

/* The experts' matrices, of one tensor or of n_tensors with one each. Their bytes are there together. */
static int load_stack(loader *ld, gol_weight *out, const gol_tensor *const *tensors,
                      size_t n_tensors, const char *name, const part *p, int32_t n_stack)
{
    gol_weight_desc desc = {0};
    assert(n_tensors >= 1 && tensors[0]);
    int rc = describe(ld, &desc, tensors[0], name, p);
    if (rc != 0)
        return rc;
    if (ld->is_walk) {
        size_t n_bytes;
        gol_mul_size(&n_bytes, ld->be->ops->weight_bytes(ld->be, &desc), (size_t)n_stack);
        count_bytes(&ld->weights->bytes.owned, n_bytes);
        return 0;
    }
    gol_tensor_bytes sources[GOL_MOE_EXPERTS_MAX];
    const void *data[GOL_MOE_EXPERTS_MAX];
    size_t n_fetched = 0;
    for (; n_fetched < n_tensors && rc == 0; n_fetched++)
        rc = gol_model_file_fetch(ld->file, tensors[n_fetched], &sources[n_fetched], ld->err);
    if (rc == 0) {
        for (int32_t i = 0; i < n_stack; i++)
            data[i] = n_tensors == 1 ? sources[0].data + (size_t)i * desc.n_bytes : sources[i].data;
        rc = ld->be->ops->stack_load(ld->be, out, &desc, data, n_stack, ld->err);
    }
    for (size_t i = 0; i < n_fetched; i++) {
        gol_tensor_bytes_deinit(&sources[i]);
        gol_model_file_drop_tensor(ld->file, tensors[i]);
    }
    if (rc == 0)
        count_bytes(&ld->weights->bytes.owned, out->n_bytes);
    return finish_load(ld, rc);
}

/* A tensor for each expert: "ffn_up_exps.weight" is "ffn_up.0.weight", "ffn_up.1.weight" ... then. Fills tensors[n]. Returns 1 found,
 * 0 there is no first one, < 0 error. */
static int find_single_experts(const loader *ld, const gol_tensor **tensors, int32_t n,
                               const gol_weights_rule *r, const part *p, int32_t il)
{
    const char *suffix = strstr(r->name, "_exps.");
    assert(suffix);
    for (int32_t i = 0; i < n; i++) {
        char name[TENSOR_NAME_MAX];
        snprintf(name, sizeof name, "blk.%d.%.*s.%d.%s", il, (int)(suffix - r->name), r->name, i,
                 suffix + strlen("_exps."));
        tensors[i] = gol_model_file_find_tensor(ld->file, gol_str_from(name));
        if (!tensors[i] && i == 0)
            return 0;
        if (!tensors[i])
            return gol_config_fail(ld->file, ld->err, GOL_EMODEL, "tensor '%s' is missing", name);
        const int rc = check_shape(ld, tensors[i], r, p);
        if (rc < 0)
            return rc;
        if (tensors[i]->type != tensors[0]->type)
            return gol_config_fail(ld->file, ld->err, GOL_EUNSUPPORTED,
                                   "tensor '%s' is %s and that of expert 0 %s; experts of a layer "
                                   "must have one type",
                                   name, gol_type_get(tensors[i]->type)->name,
                                   gol_type_get(tensors[0]->type)->name);
    }
    return 1;
}

static int bind_single_experts(loader *ld, gol_weight *field, const gol_weights_rule *r,
                               const char *name, const part *p, int32_t il)
{
    const gol_tensor *tensors[GOL_MOE_EXPERTS_MAX] = {NULL};
    const int32_t n = ld->config->layers[il].n_experts;
    int rc = find_single_experts(ld, tensors, n, r, p, il);
    if (rc <= 0)
        return rc < 0 ? rc : missing(ld, r, name);
    rc = load_stack(ld, field, tensors, (size_t)n, name, p, n);
    uint64_t n_bytes = 0;
    for (int32_t i = 0; i < n && rc == 0; i++) {
        assert(tensors[i]);
        note_bound(ld, tensors[i]);
        n_bytes += tensors[i]->n_bytes;
    }
    if (n_bytes > ld->weights->bytes.largest) /* they are read together */
        ld->weights->bytes.largest = n_bytes;
    return rc;
}

/* A rule for something that each expert has. */
static int bind_stack(loader *ld, void *field, const gol_weights_rule *r, int32_t il)
{
    char name[TENSOR_NAME_MAX];
    tensor_name(name, r, il);
    const int32_t n = ld->config->layers[il].n_experts;
    const gol_tensor *t = gol_model_file_find_tensor(ld->file, gol_str_from(name));
    part p = find_part(ld, r, il);
    const bool is_vector = r->n_out == GOL_DIM_NONE;
    if (!t)
        return is_vector ? missing(ld, r, name) : bind_single_experts(ld, field, r, name, &p, il);
    p.shape[is_vector ? 1 : 2] = n;
    int rc = check_shape(ld, t, r, &p);
    if (rc < 0)
        return rc;
    if (is_vector) { /* all of them are one run of numbers */
        p.n_in *= n;
        p.tensor_n_in = p.n_in;
        rc = load_vector(ld, field, t, name, &p);
    } else {
        rc = load_stack(ld, field, &t, 1, name, &p, n);
    }
    if (rc == 0)
        note_bound(ld, t);
    return rc;
}

static int bind_rule(loader *ld, void *base, const gol_weights_rule *r, int32_t il)
{
    if (!gol_weights_applies(ld->config, r->when, il))
        return 0;
    void *field = (uint8_t *)base + r->field;
    if (r->when & GOL_IF_STACK)
        return bind_stack(ld, field, r, il);
    char name[TENSOR_NAME_MAX];
    tensor_name(name, r, il);
    const gol_tensor *t = gol_model_file_find_tensor(ld->file, gol_str_from(name));
    if (!t)
        return missing(ld, r, name);
    const part p = find_part(ld, r, il);
    int rc = check_shape(ld, t, r, &p);
    if (rc == 0)
        rc = load_field(ld, field, r, t, name, &p);
    if (rc == 0)
        note_bound(ld, t);
    return rc;
}

static int compare_addresses(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t) * (const gol_tensor *const *)a;
    const uintptr_t y = (uintptr_t) * (const gol_tensor *const *)b;
    return (x > y) - (x < y);
}

/* A tensor nobody asked for changes the answer in a way we do not know. */
static int check_all_bound(loader *ld)
{
    const size_t n_tensors = gol_model_file_n_tensors(ld->file);
    if (ld->n_bound == n_tensors)
        return 0;
    qsort(ld->bound, ld->n_bound, sizeof *ld->bound, compare_addresses);
    for (size_t i = 0; i < n_tensors; i++) {
        const gol_tensor *t = gol_model_file_get_tensor(ld->file, i);
        if (bsearch(&t, ld->bound, ld->n_bound, sizeof *ld->bound, compare_addresses))
            continue;
        char name[128];
        return gol_config_fail(ld->file, ld->err, GOL_EUNSUPPORTED,
                               "tensor '%s' has no place in a '%s' model of %d layers; leaving it "
                               "out would give wrong answers",
                               gol_quote(name, sizeof name, t->name), ld->config->arch,
                               ld->config->n_layers);
    }
    return 0;
}

static int bind_all(loader *ld)
{
    for (size_t i = 0; i < gol_weights_n_model_rules; i++) {
        const int rc = bind_rule(ld, ld->weights, &gol_weights_model_rules[i], -1);
        if (rc < 0)
            return rc;
    }
    for (int32_t il = 0; il < ld->config->n_layers; il++) {
        for (size_t i = 0; i < gol_weights_n_layer_rules; i++) {
            const int rc = bind_rule(ld, &ld->weights->layers[il], &gol_weights_layer_rules[i], il);
            if (rc < 0)
                return rc;
        }
    }
    return check_all_bound(ld);
}

/* Refuses a model whose weights cannot fit before the first of them is allocated: the system would rather end the process than
 * refuse memory. Weights that stay in the file do not count, their pages can come and go. */
static int check_memory(const loader *ld)
{
    gol_weight_bytes needed;
    const int rc = gol_model_plan_weights(&needed, ld->config, ld->file, ld->be, ld->err);
    if (rc < 0)
        return rc;
    uint64_t available = ld->opts ? ld->opts->mem_available : 0;
    if (available == 0)
        available = gol_sysmem_available();
    if (available == 0 || needed.owned <= available) /* 0: the system does not tell */
        return 0;
    const double gib = 1024.0 * 1024 * 1024;
    return gol_config_fail(ld->file, ld->err, GOL_ENOMEM,
                           "the weights take %.2f GiB in memory, %.2f GiB are available",
                           (double)needed.owned / gib, (double)available / gib);
}

/* Everything that binding needs, and then binding; ld->weights is empty again on failure. */
static int run_loader(loader *ld)
{
    const size_t n_tensors = gol_model_file_n_tensors(ld->file);
    gol_weights *out = ld->weights;
    *out = (gol_weights){.n_layers = ld->config->n_layers};
    for (size_t i = 0; i < n_tensors; i++)
        ld->n_total += gol_model_file_get_tensor(ld->file, i)->n_bytes;
    int rc = 0;
    ld->bound = gol_try_array(n_tensors, sizeof *ld->bound);
    out->layers = gol_try_calloc((size_t)out->n_layers, sizeof *out->layers);
    count_bytes(&out->bytes.owned, (uint64_t)out->n_layers * sizeof *out->layers);
    if (!ld->bound || !out->layers)
        rc = gol_fail(ld->err, GOL_ENOMEM, "out of memory for the table of weights");
    if (rc == 0 && !ld->is_walk)
        rc = check_memory(ld);
    if (rc == 0)
        rc = bind_all(ld);
    gol_free(ld->bound);
    if (rc < 0)
        gol_weights_deinit(out, ld->be);
    return rc;
}

int gol_model_plan_weights(gol_weight_bytes *out, const gol_config *config,
                           const gol_model_file *file, gol_backend *be, gol_err *err)
{
    gol_weights weights;
    loader ld = {
        .weights = &weights, .is_walk = true, .config = config, .file = file, .be = be, .err = err};
    const int rc = run_loader(&ld);
    *out = weights.bytes;
    gol_weights_deinit(&weights, be);
    return rc;
}

int gol_weights_load(gol_weights *out, const gol_config *config, const gol_model_file *file,
                     gol_backend *be, const gol_load_opts *opts, gol_err *err)
{
    loader ld = {
        .weights = out, .config = config, .file = file, .be = be, .opts = opts, .err = err};
    const int rc = run_loader(&ld);
    if (rc == 0)
        out->logits = out->output.n_out > 0 ? &out->output : &out->token_embd;
    return rc;
}

static void free_rules(gol_backend *be, void *base, const gol_weights_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *field = (uint8_t *)base + rules[i].field;
        if (!gol_weights_is_vector(&rules[i])) {
            be->ops->weight_free(be, field);
            continue;
        }
        float **vector = field;
        be->ops->free(be, *vector);
        *vector = NULL; /* a field may stand in two rules */
    }
}

void gol_weights_deinit(gol_weights *weights, gol_backend *be)
{
    free_rules(be, weights, gol_weights_model_rules, gol_weights_n_model_rules);
    for (int32_t i = 0; weights->layers && i < weights->n_layers; i++)
        free_rules(be, &weights->layers[i], gol_weights_layer_rules, gol_weights_n_layer_rules);
    gol_free(weights->layers);
    for (size_t i = 0; i < weights->n_kept; i++)
        gol_tensor_bytes_deinit(&weights->kept[i]);
    gol_free(weights->kept);
    *weights = (gol_weights){0};
}
