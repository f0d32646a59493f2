/*
 * Thousands of Hugging Face folders that are almost valid: numbers in config.json set to border values, words exchanged, bytes and
 * pieces changed, in the index and in the headers of the weights too. Each is refused with a message that names the folder, or
 * opens, gives every tensor and loads as a model, or is refused by that with a message.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/rng.h"
#include "model/model.h"
#include "support/temp_dir.h"

enum { N_CASES = 10000, SECONDS_MAX = 10, FILES_MAX = 12, PATH_SIZE = 768 };

typedef struct file_bytes {
    char name[256];
    char *data;
    size_t len;
} file_bytes;

typedef struct folder {
    file_bytes files[FILES_MAX];
    int n;
} folder;

static const char *const seeds[] = {"llama", "gpt2", "llama_shards"};
enum { N_SEEDS = sizeof seeds / sizeof *seeds };

static temp_dir dir;
static folder folders[N_SEEDS];
static gol_backend *be;
static volatile uint64_t running;
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
        file->data = malloc(1 << 18);
        file->len = fread(file->data, 1, 1 << 18, stream);
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

/* ------------------------------------------------------------------ mutations of a text ---- */

static size_t pick(gol_rng *rng, size_t n)
{
    return n > 0 ? (size_t)gol_rng_below(rng, n) : 0;
}

/* text[at, at + n_old) becomes what is given. The buffer has room. */
static size_t replace(char *text, size_t len, size_t at, size_t n_old, const char *with)
{
    const size_t n_new = strlen(with);
    memmove(text + at + n_new, text + at + n_old, len - at - n_old);
    memcpy(text + at, with, n_new);
    return len - n_old + n_new;
}

/* The value that follows a colon chosen at random becomes another one. */
static size_t set_value(char *text, size_t len, gol_rng *rng)
{
    static const char *const values[] = {"0",
                                         "1",
                                         "-1",
                                         "2",
                                         "3",
                                         "7",
                                         "8",
                                         "16",
                                         "64",
                                         "65",
                                         "1024",
                                         "1025",
                                         "2147483647",
                                         "2147483648",
                                         "4294967296",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "18446744073709551616",
                                         "1e308",
                                         "1e999",
                                         "0.5",
                                         "-0.0",
                                         "1e-30",
                                         "null",
                                         "true",
                                         "false",
                                         "\"\"",
                                         "\"llama3\"",
                                         "\"yarn\"",
                                         "\"linear\"",
                                         "\"longrope\"",
                                         "[]",
                                         "{}",
                                         "[1]",
                                         "[null]",
                                         "NaN",
                                         "Infinity",
                                         "\"LlamaForCausalLM\"",
                                         "[\"GPT2LMHeadModel\"]",
                                         "[\"Qwen3MoeForCausalLM\"]",
                                         "[\"MixtralForCausalLM\"]",
                                         "[\"GraniteMoeHybridForCausalLM\"]",
                                         "[\"GptOssForCausalLM\"]",
                                         "[\"Gemma3ForCausalLM\"]",
                                         "[\"BertModel\"]",
                                         "[\"FalconForCausalLM\"]",
                                         "[\"Mamba2ForCausalLM\"]",
                                         "\"../model.safetensors\"",
                                         "\"a/b.safetensors\""};
    size_t at = pick(rng, len);
    while (at < len && text[at] != ':')
        at++;
    if (at + 2 >= len)
        return len;
    at++;
    size_t end = at;
    int depth = 0;
    while (end < len &&
           (depth > 0 || (text[end] != ',' && text[end] != '}' && text[end] != '\n'))) {
        depth += text[end] == '[' || text[end] == '{';
        depth -= text[end] == ']' || text[end] == '}';
        end++;
    }
    return replace(text, len, at, end - at, values[pick(rng, sizeof values / sizeof *values)]);
}

static size_t flip(char *text, size_t len, gol_rng *rng)
{
    text[pick(rng, len)] ^= (char)(1 << pick(rng, 8));
    return len;
}

static size_t drop_piece(char *text, size_t len, gol_rng *rng)
{
    const size_t at = pick(rng, len);
    const size_t n = 1 + pick(rng, 40);
    return replace(text, len, at, n < len - at ? n : len - at, "");
}

static size_t cut(char *text, size_t len, gol_rng *rng)
{
    (void)text;
    return pick(rng, len);
}

static size_t double_piece(char *text, size_t len, gol_rng *rng)
{
    char piece[64];
    const size_t at = pick(rng, len);
    size_t n = 1 + pick(rng, sizeof piece - 2);
    if (n > len - at)
        n = len - at;
    memcpy(piece, text + at, n);
    piece[n] = '\0';
    return strlen(piece) == n ? replace(text, len, at, 0, piece) : len;
}

/* One digit becomes another: keeps the length, so that a header of weights stays one. */
static size_t change_digit(char *text, size_t len, gol_rng *rng)
{
    size_t at = pick(rng, len);
    while (at < len && !isdigit((unsigned char)text[at]))
        at++;
    if (at < len)
        text[at] = (char)('0' + pick(rng, 10));
    return len;
}

static size_t (*const mutations[])(char *, size_t, gol_rng *) = {
    set_value,    set_value, set_value,  set_value,    change_digit,
    change_digit, flip,      drop_piece, double_piece, cut};

/* ------------------------------------------------------------------ cases ---- */

/* The header of the weights is mutated in place, so that its length stays right. */
static void mutate_weights(char *data, size_t len, gol_rng *rng)
{
    uint64_t n_header;
    memcpy(&n_header, data, sizeof n_header);
    if (n_header > len - 8)
        n_header = len - 8;
    for (size_t i = 1 + pick(rng, 3); i > 0; i--)
        (void)(pick(rng, 3) > 0 ? change_digit : flip)(data + 8, (size_t)n_header, rng);
    if (pick(rng, 8) == 0)
        data[pick(rng, 8)] ^= (char)(1 << pick(rng, 8));
}

static void make_case(uint64_t k)
{
    gol_rng rng = {.key = k};
    const folder *f = &folders[pick(&rng, N_SEEDS)];
    const bool is_config = pick(&rng, 4) > 0;
    const int chosen = (int)pick(&rng, (size_t)f->n);
    char path[256];
    for (int s = 0; s < N_SEEDS; s++) {
        for (int i = 0; i < folders[s].n; i++)
            (void)unlink(temp_dir_file(&dir, folders[s].files[i].name, path));
    }
    for (int i = 0; i < f->n; i++) {
        const file_bytes *file = &f->files[i];
        const bool is_chosen = is_config ? strcmp(file->name, "config.json") == 0 : i == chosen;
        if (!is_chosen) {
            write_file(file->name, file->data, file->len);
            continue;
        }
        char *copy = malloc(file->len + 4096);
        size_t len = file->len;
        assert_non_null(copy);
        memcpy(copy, file->data, len);
        if (strstr(file->name, ".json")) {
            for (size_t n = 1 + pick(&rng, 4); n > 0 && len > 0; n--)
                len = mutations[pick(&rng, sizeof mutations / sizeof *mutations)](copy, len, &rng);
        } else {
            mutate_weights(copy, len, &rng);
        }
        write_file(file->name, copy, len);
        free(copy);
    }
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    char text[96];
    const int n = snprintf(text, sizeof text, "case %llu took over %d s of computing\n",
                           (unsigned long long)running, SECONDS_MAX);
    (void)!write(STDERR_FILENO, text, (size_t)n);
    _exit(1);
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

/* 0: refused, 1: opened, 2: loaded too. */
static int run_case(uint64_t k)
{
    running = k;
    make_case(k);
    gol_err err = {0};
    gol_model_file *file;
    gol_model *model = NULL;
    int result = 0;
    const struct itimerval limit = {.it_value = {.tv_sec = SECONDS_MAX}};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
    int rc = gol_model_file_open(&file, dir.path, &err);
    if (rc == 0) {
        rc = fetch_all(file, &err);
        result = 1;
    }
    if (rc == 0 && gol_model_load(&model, file, be, NULL, &err) == 0)
        result = 2;
    if (result < 2 &&
        (err.code == 0 || err.message[0] == '\0' || (!file && !strstr(err.message, dir.path))))
        fail_msg("case %llu: %d, message '%s'", (unsigned long long)k, rc, err.message);
    gol_model_destroy(&model);
    gol_model_file_close(&file);
    return result;
}

static void mutated_folders_are_refused_or_work(void **state)
{
    (void)state;
    const char *n_text = getenv("GOLLUM_MUTATIONS");
    const char *one_text = getenv("GOLLUM_MUTATION");
    const uint64_t n_cases = n_text ? strtoull(n_text, NULL, 10) : N_CASES;
    int counts[3] = {0};
    if (one_text) {
        printf("result %d\n", run_case(strtoull(one_text, NULL, 10)));
        return;
    }
    for (uint64_t k = 0; k < n_cases; k++)
        counts[run_case(k)]++;
    printf("%d refused, %d opened, %d loaded\n", counts[0], counts[1], counts[2]);
    if (n_cases >= N_CASES) /* the mutations reach behind the first check, and some do no harm */
        assert_true(counts[0] > 1000 && counts[2] > 100);
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_create();
    for (int i = 0; i < N_SEEDS; i++)
        read_folder(&folders[i], seeds[i]);
    signal(SIGVTALRM, on_alarm);
    return gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 1}, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    gol_backend_destroy(&be);
    for (int s = 0; s < N_SEEDS; s++) {
        for (int i = 0; i < folders[s].n; i++)
            free(folders[s].files[i].data);
    }
    temp_dir_destroy(&dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_folders_are_refused_or_work),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
