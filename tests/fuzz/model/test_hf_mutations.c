/*
 * Hugging Face folders of every family that are almost valid: ten thousand with config.json changed (numbers set to border values,
 * members exchanged, renamed, dropped, doubled and nested, bytes changed), and half as many with the index or the header of the
 * weights changed. Each is refused with a message that names the folder, or opens, gives every tensor, and loads as a model that
 * computes a step, or is refused by that with a message.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases of each test, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fuzz/json_mutations.h"
#include "fuzz/mutation_cases.h"
#include "model/model.h"
#include "support/temp_dir.h"

enum {
    N_CASES = 10000,

    FILES_MAX = 12,
    FOLDERS_MAX = 256,
    PATH_SIZE = 768,
    ROOM = 1 << 14
};
enum {
    CASES_IN_A_ROW = 50,
    N_STEP = 4,
    BLOCK_SIZE = 16
}; /* of the step that a loaded model computes */

typedef struct file_bytes {
    char name[256];
    char *data;
    size_t len;
} file_bytes;

typedef struct folder {
    file_bytes files[FILES_MAX];
    int n;
} folder;

static temp_dir dir;
static folder folders[FOLDERS_MAX]; /* those of tests/data/hf/: every family there is */
static size_t n_folders;
static gol_backend *be;
static const folder *written; /* what dir holds, but for one file that is changed; NULL: nothing */
static int changed = -1;
static volatile uint8_t byte_sink; /* where reads end, so that no compiler leaves them out */

static void read_folder(folder *f, const char *name)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/hf/%s", TEST_DATA_DIR, name);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        const size_t len = strlen(entry->d_name);
        if (len < 6 || (!strstr(entry->d_name, ".json") && !strstr(entry->d_name, ".safetensors")))
            continue;
        assert_true(f->n < FILES_MAX);
        file_bytes *file = &f->files[f->n++];
        snprintf(file->name, sizeof file->name, "%s", entry->d_name);
        snprintf(path, sizeof path, "%s/hf/%s/%s", TEST_DATA_DIR, name, entry->d_name);
        FILE *stream = fopen(path, "rb");
        assert_non_null(stream);
        struct stat st;
        assert_int_equal(fstat(fileno(stream), &st), 0);
        file->data = malloc((size_t)st.st_size);
        assert_non_null(file->data);
        file->len = fread(file->data, 1, (size_t)st.st_size, stream);
        assert_int_equal(file->len, st.st_size);
        fclose(stream);
    }
    closedir(d);
    assert_true(f->n >= 2);
}

static void write_file(const char *name, const char *data, size_t len)
{
    char path[256];
    temp_dir_file(&dir, name, path);
    temp_write_file(path, data, len);
}

/* ------------------------------------------------------------------ mutations ---- */

static const char *const config_values[] = {"\"llama3\"",
                                            "\"yarn\"",
                                            "\"linear\"",
                                            "\"dynamic\"",
                                            "\"longrope\"",
                                            "{\"rope_type\": \"yarn\", \"factor\": 4.0, "
                                            "\"original_max_position_embeddings\": 64}",
                                            "{\"rope_type\": \"llama3\", \"factor\": 8, "
                                            "\"low_freq_factor\": 1, \"high_freq_factor\": 4, "
                                            "\"original_max_position_embeddings\": 64}",
                                            "{\"type\": \"linear\", \"factor\": 0}",
                                            "\"gelu_pytorch_tanh\"",
                                            "\"silu\"",
                                            "\"relu\"",
                                            "\"float16\"",
                                            "[\"LlamaForCausalLM\"]",
                                            "[\"GPT2LMHeadModel\"]",
                                            "[\"MistralForCausalLM\"]",
                                            "[\"Qwen2ForCausalLM\"]",
                                            "[\"Qwen3MoeForCausalLM\"]",
                                            "[\"MixtralForCausalLM\"]",
                                            "[\"GraniteMoeHybridForCausalLM\"]",
                                            "[\"GptOssForCausalLM\"]",
                                            "[\"Gemma3ForCausalLM\"]",
                                            "[\"BertModel\"]",
                                            "[\"FalconForCausalLM\"]",
                                            "[\"Phi3ForCausalLM\"]",
                                            "[\"Mamba2ForCausalLM\"]",
                                            "[0, 1]",
                                            "[2147483647]",
                                            "[\"full_attention\", \"sliding_attention\"]",
                                            "\"../model.safetensors\"",
                                            "\"/dev/zero\"",
                                            "\"a/b.safetensors\""};

static const char *const config_keys[] = {"architectures",
                                          "model_type",
                                          "hidden_size",
                                          "intermediate_size",
                                          "num_hidden_layers",
                                          "num_attention_heads",
                                          "num_key_value_heads",
                                          "head_dim",
                                          "vocab_size",
                                          "max_position_embeddings",
                                          "rms_norm_eps",
                                          "rope_theta",
                                          "rope_scaling",
                                          "rope_parameters",
                                          "tie_word_embeddings",
                                          "sliding_window",
                                          "layer_types",
                                          "attention_bias",
                                          "hidden_act",
                                          "quantization_config",
                                          "text_config",
                                          "n_embd",
                                          "n_head",
                                          "n_layer",
                                          "eos_token_id",
                                          "partial_rotary_factor",
                                          "dtype"};

static const json_words config_words = {config_values, sizeof config_values / sizeof *config_values,
                                        config_keys, sizeof config_keys / sizeof *config_keys};

static size_t pick(gol_rng *rng, size_t n)
{
    return json_pick(rng, n);
}

/* The header of weights as JSON; its length is written right but for one in eight. data has room for more. */
static size_t mutate_weights(char *data, size_t len, gol_rng *rng)
{
    static char header[1 << 17];
    uint64_t n_header;
    memcpy(&n_header, data, sizeof n_header);
    assert_true(n_header <= len - 8 && n_header < sizeof header - ROOM);
    const size_t n_data = len - 8 - (size_t)n_header;
    json_text text = {header, (size_t)n_header, (size_t)n_header + ROOM / 2};
    memcpy(header, data + 8, text.len);
    for (size_t n = 1 + pick(rng, 3); n > 0; n--)
        json_mutate(&text, rng, NULL);
    memmove(data + 8 + text.len, data + 8 + n_header, n_data);
    memcpy(data + 8, header, text.len);
    n_header = text.len;
    if (pick(rng, 8) == 0)
        n_header ^= 1ull << pick(rng, 64);
    memcpy(data, &n_header, sizeof n_header);
    return 8 + text.len + n_data;
}

static size_t mutate_file(const char *name, char *data, size_t len, gol_rng *rng)
{
    if (!strstr(name, ".json"))
        return mutate_weights(data, len, rng);
    json_text text = {data, len, len + ROOM};
    for (size_t n = 1 + pick(rng, 3); n > 0; n--)
        json_mutate(&text, rng, strcmp(name, "config.json") == 0 ? &config_words : NULL);
    return text.len;
}

/* ------------------------------------------------------------------ cases ---- */

static void make_case(uint64_t k, bool is_config)
{
    gol_rng rng = {.key = k};
    const folder *f =
        &folders[k / CASES_IN_A_ROW % n_folders]; /* a while each: writing it whole takes long */
    int chosen;
    do {
        chosen = (int)pick(&rng, (size_t)f->n);
    } while ((strcmp(f->files[chosen].name, "config.json") == 0) != is_config);
    if (written != f) { /* the other files are as they were */
        char path[256];
        for (int i = 0; written && i < written->n; i++)
            (void)unlink(temp_dir_file(&dir, written->files[i].name, path));
        for (int i = 0; i < f->n; i++)
            write_file(f->files[i].name, f->files[i].data, f->files[i].len);
        written = f;
    } else if (changed >= 0) {
        write_file(f->files[changed].name, f->files[changed].data, f->files[changed].len);
    }
    changed = chosen;
    const file_bytes *file = &f->files[chosen];
    char *copy = malloc(file->len + ROOM);
    assert_non_null(copy);
    memcpy(copy, file->data, file->len);
    write_file(file->name, copy, mutate_file(file->name, copy, file->len, &rng));
    free(copy);
}

/* All bytes, as a converter would want them. */
static int fetch_all(const gol_model_file *file, gol_err *err)
{
    int rc = 0;
    for (size_t i = 0; i < gol_model_file_n_tensors(file) && rc == 0; i++) {
        const gol_tensor *t = gol_model_file_get_tensor(file, i);
        gol_tensor_bytes bytes;
        rc = gol_model_file_fetch(file, t, &bytes, err);
        for (uint64_t k = 0; rc == 0 && k < t->n_bytes; k++)
            byte_sink ^= bytes.data[k];
        gol_tensor_bytes_deinit(&bytes);
        gol_model_file_drop_tensor(file, t);
    }
    return rc;
}

/* A few tokens through the model. What it cannot be given is an error with a message, too. */
static int compute_step(const gol_model *model, gol_err *err)
{
    static const int32_t positions[N_STEP] = {0, 1, 2, 3};
    static const int32_t block_table[1] = {0};
    const gol_config *c = gol_model_config(model);
    gol_kv *kv = NULL;
    gol_state *state = NULL;
    gol_forward *fwd = NULL;
    gol_kv_layer_shape *layers = calloc((size_t)c->n_layers, sizeof *layers);
    assert_non_null(layers);
    gol_model_kv_layers(model, layers);
    const gol_kv_shape shape = {GOL_KV_F32, c->n_layers, 1, BLOCK_SIZE, layers};
    int rc = be->ops->kv_create(be, &kv, &shape, err);
    if (rc == 0)
        rc = gol_model_state_create(&state, model, 1, err);
    if (rc == 0)
        rc = gol_forward_create(&fwd, model, N_STEP, 1, BLOCK_SIZE, err);
    if (rc == 0) {
        int32_t tokens[N_STEP];
        for (int32_t i = 0; i < N_STEP; i++)
            tokens[i] = i % c->n_vocab;
        const int32_t last = N_STEP - 1;
        const gol_batch_seq seq = {.n_rows = N_STEP,
                                   .n_blocks = 1,
                                   .block_table = block_table,
                                   .state_slot = state ? 0 : -1};
        const gol_batch batch = {.n_tokens = N_STEP,
                                 .tokens = tokens,
                                 .positions = positions,
                                 .slot_mapping = positions,
                                 .n_seqs = 1,
                                 .seqs = &seq,
                                 .n_outputs = c->is_causal,
                                 .output_rows = &last,
                                 .n_states = !c->is_causal,
                                 .state_rows = &last};
        const float *logits = gol_forward_run(fwd, kv, state, &batch);
        const float *values = c->is_causal ? logits : gol_forward_states(fwd, &batch, 0);
        for (int32_t i = 0; i < (c->is_causal ? c->n_vocab : c->n_embd); i++)
            byte_sink ^= (uint8_t)(values[i] > 0);
    }
    gol_forward_destroy(&fwd);
    if (kv)
        be->ops->kv_destroy(be, &kv);
    if (state)
        be->ops->state_destroy(be, &state);
    free(layers);
    return rc;
}

typedef enum outcome { REFUSED, OPENED, LOADED, COMPUTED, N_OUTCOMES } outcome;

static outcome run_case(uint64_t k, bool is_config)
{
    mutation_begin(k);
    make_case(k, is_config);
    gol_err err = {0};
    gol_model_file *file;
    gol_model *model = NULL;
    outcome result = REFUSED;
    int rc = gol_model_file_open(&file, dir.path, &err);
    if (rc == 0) {
        rc = fetch_all(file, &err);
        result = OPENED;
    }
    if (rc == 0)
        rc = gol_model_load(&model, file, be, NULL, &err);
    if (rc == 0) {
        result = LOADED;
        rc = compute_step(model, &err);
    }
    if (rc == 0)
        result = COMPUTED;
    else if (err.code == 0 || !strstr(err.message, dir.path))
        fail_msg("case %llu: %d, message '%s'", (unsigned long long)k, rc, err.message);
    gol_model_destroy(&model);
    gol_model_file_close(&file);
    return result;
}

static void run_cases(bool is_config, uint64_t n_usual)
{
    const mutation_range cases = mutation_range_find(n_usual);
    const uint64_t n_cases = cases.end - cases.begin;
    int counts[N_OUTCOMES] = {0};
    for (uint64_t k = cases.begin; k < cases.end; k++)
        counts[run_case(k, is_config)]++;
    printf("%d refused, %d opened, %d loaded, %d computed\n", counts[REFUSED], counts[OPENED],
           counts[LOADED], counts[COMPUTED]);
    if (cases.is_whole) /* the mutations reach behind the first check, and some do no harm */
        assert_true((uint64_t)counts[REFUSED] > n_cases / 10 &&
                    (uint64_t)counts[COMPUTED] > n_cases / 50);
}

static void mutated_configs_are_refused_or_work(void **state)
{
    (void)state;
    run_cases(true, N_CASES);
}

static void mutated_weights_are_refused_or_work(void **state)
{
    (void)state;
    run_cases(false, N_CASES / 2);
}

static int is_folder(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int set_up(void **state)
{
    (void)state;
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL); /* oddities are warnings */
    dir = temp_dir_create();
    struct dirent **names;
    const int n = scandir(TEST_DATA_DIR "/hf", &names, is_folder, alphasort);
    assert_in_range(n, 3, FOLDERS_MAX);
    for (int i = 0; i < n; i++) {
        read_folder(&folders[n_folders++], names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 1}, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    gol_backend_destroy(&be);
    for (size_t s = 0; s < n_folders; s++) {
        for (int i = 0; i < folders[s].n; i++)
            free(folders[s].files[i].data);
    }
    temp_dir_destroy(&dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_configs_are_refused_or_work),
        cmocka_unit_test(mutated_weights_are_refused_or_work),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
