/*
 * Small tokenizers of every kind with something wrong in their tokenizer.json, thousands and always the same: parts exchanged, dropped,
 * doubled and nested, ids and names changed. Each is refused with a message that names the file, or encodes and decodes.
 *
 * Case k is a function of k alone. GOLLUM_MUTATIONS=N runs N cases, GOLLUM_MUTATION=K that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz/text/tokenizer_json_words.h"
#include "fuzz/text/use_tokenizer.h"
#include "text/hf/hf_files.h"

enum { N_CASES = 10000, SEEDS_MAX = 64, SEED_BYTES_MAX = 1 << 15, SECONDS_MAX = 10 };

#define FOLDER TEST_DATA_DIR "/../fuzz/corpus/tokenizer_json"

static char seeds[SEEDS_MAX][SEED_BYTES_MAX];
static size_t seed_lens[SEEDS_MAX];
static size_t n_seeds;
static volatile uint64_t running;

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_json(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int load_seeds(void **state)
{
    (void)state;
    struct dirent **names;
    gol_log_init(GOL_LOG_ERROR, GOL_LOG_TEXT, NULL, NULL); /* oddities are warnings */
    const int n = scandir(FOLDER, &names, is_json, by_name);
    assert_in_range(n, 20, SEEDS_MAX);
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, FOLDER "/%s", names[i]->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        seed_lens[n_seeds] = fread(seeds[n_seeds], 1, SEED_BYTES_MAX, f);
        assert_in_range(seed_lens[n_seeds], 1, SEED_BYTES_MAX - 1);
        n_seeds++;
        fclose(f);
        free(names[i]);
    }
    free(names);
    return 0;
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

static bool run_case(uint64_t k)
{
    static char data[2 * SEED_BYTES_MAX];
    running = k;
    gol_rng rng = {.key = k};
    const size_t s = (size_t)(k % n_seeds);
    json_text text = {data, seed_lens[s], sizeof data};
    memcpy(data, seeds[s], seed_lens[s]);
    for (size_t n = json_pick(&rng, 4); n > 0; n--)
        json_mutate(&text, &rng, &tokenizer_json_words);
    char *copy = malloc(text.len +
                        1); /* of its exact size: AddressSanitizer sees a byte too many */
    assert_non_null(copy);
    memcpy(copy, data, text.len);
    const struct itimerval limit = {.it_value = {.tv_sec = SECONDS_MAX}};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
    const gol_hftok_files files = {.tokenizer_json = {copy, text.len}};
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    const int rc = gol_hftok_create(&tok, &files, &err);
    free(copy);
    if (rc == 0)
        use_tokenizer_on_texts(tok);
    else if (tok || err.code != rc ||
             (strncmp(err.message, "tokenizer.json: ", 16) != 0 &&
              strncmp(err.message, "tokenizer.ggml.tokens[", 22) != 0))
        fail_msg("case %llu: %d, message '%s' does not name the file", (unsigned long long)k, rc,
                 err.message);
    gol_tokenizer_destroy(&tok);
    return rc == 0;
}

static void mutated_files_are_refused_or_work(void **state)
{
    (void)state;
    const char *n_text = getenv("GOLLUM_MUTATIONS");
    const char *one_text = getenv("GOLLUM_MUTATION");
    const uint64_t n_cases = n_text ? strtoull(n_text, NULL, 10) : N_CASES;
    uint64_t n_loaded = 0;
    signal(SIGVTALRM, on_alarm);
    if (one_text) {
        printf("works: %d\n", run_case(strtoull(one_text, NULL, 10)));
        return;
    }
    for (uint64_t k = 0; k < n_cases; k++)
        n_loaded += run_case(k);
    printf("%llu work, %llu refused\n", (unsigned long long)n_loaded,
           (unsigned long long)(n_cases - n_loaded));
    if (n_cases >= N_CASES) /* neither side is left untried */
        assert_true(n_loaded > n_cases / 5 && n_cases - n_loaded > n_cases / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_files_are_refused_or_work),
    };
    return cmocka_run_group_tests(tests, load_seeds, NULL);
}
