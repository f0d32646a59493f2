/*
 * Tiny rerankers with real tokenizers, as users meet them: token ids of pairs, scores and vectors against those of llama.cpp (files) and
 * transformers (folders), which are committed (tests/data/rerank, made by rerankers.py and reranker_folders.py in tests/golden/make), and the
 * same bits alone and in company.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gollum.h"
#include "text/text_pair.h"

enum { N_PAIRS_MAX = 16, N_IDS_MAX = 1024, N_EMBD = 32, LINE_MAX_BYTES = 1 << 14 };

typedef struct kind {
    const char *name;
    const char *suffix;     /* "": a folder */
    gollum_pooling pooling; /* of NAME.texts; MODEL: there are none */
    double off_max;         /* of a score, and of a number of a vector */
} kind;

/* BERT's GELU is the exact one here, the tanh approximation there. */
static const kind kinds[] = {
    {"bert", ".gguf", GOLLUM_POOLING_CLS, 3e-3},
    {"xlmr", ".gguf", GOLLUM_POOLING_MEAN, 3e-3},
    {"qwen3", ".gguf", GOLLUM_POOLING_LAST, 2e-5},
    {"qwen3_yes_no", "", GOLLUM_POOLING_MODEL, 1e-5},
    {"qwen3_scores", "", GOLLUM_POOLING_MODEL, 1e-5},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/* One line, cut at its tabs; fields view line. */
typedef struct record {
    char line[LINE_MAX_BYTES];
    const char *fields[4];
} record;

typedef struct records {
    record items[N_PAIRS_MAX];
    int n;
} records;

static void read_records(records *out, const char *name, const char *suffix, int n_fields)
{
    char path[512];
    snprintf(path, sizeof path, "%s/rerank/%s.%s", TEST_DATA_DIR, name, suffix);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    out->n = 0;
    while (out->n < N_PAIRS_MAX && fgets(out->items[out->n].line, LINE_MAX_BYTES, f)) {
        record *r = &out->items[out->n++];
        r->line[strcspn(r->line, "\n")] = '\0';
        char *rest = r->line;
        for (int i = 0; i < n_fields; i++) {
            if (rest == NULL)
                fail_msg("%s: line %d has %d fields", path, out->n, i);
            r->fields[i] = rest;
            rest = strchr(rest, '\t');
            if (rest != NULL)
                *rest++ = '\0';
        }
    }
    fclose(f);
    assert_true(out->n > 1);
}

static size_t parse_ids(int32_t ids[static N_IDS_MAX], const char *text)
{
    size_t n = 0;
    char *end = NULL;
    for (const char *p = text; *p && n < N_IDS_MAX; p = end) {
        ids[n++] = (int32_t)strtol(p, &end, 10);
        assert_true(end != p);
    }
    return n;
}

static void path_of(char path[static 512], const kind *k)
{
    snprintf(path, 512, "%s/rerank/%s%s", TEST_DATA_DIR, k->name, k->suffix);
}

static gollum *open_model(const kind *k, int n_threads)
{
    char path[512];
    gollum_error error;
    gollum_options options;
    gollum *g;
    path_of(path, k);
    gollum_options_init(&options);
    options.model_path = path;
    options.n_threads = n_threads;
    options.kv_type = GOLLUM_KV_F32; /* as in the reference */
    if (gollum_open(&g, &options, &error) != 0)
        fail_msg("%s", error.message);
    return g;
}

static void pairs_have_the_reference_ids(void **state)
{
    (void)state;
    static records pairs;
    for (int k = 0; k < N_KINDS; k++) {
        char path[512];
        gol_err err = {0};
        gol_model_file *file;
        gol_tokenizer *tok;
        gol_str prompt;
        path_of(path, &kinds[k]);
        if (gol_model_file_open(&file, path, &err) != 0 ||
            gol_tokenizer_load(&tok, file, &err) != 0 ||
            gol_text_pair_find_prompt(file, &prompt, &err) != 0)
            fail_msg("%s", err.message);
        assert_int_equal(prompt.data != NULL, strncmp(kinds[k].name, "qwen3", 5) == 0);
        read_records(&pairs, kinds[k].name, "pairs", 4);
        for (int i = 0; i < pairs.n; i++) {
            int32_t want[N_IDS_MAX];
            gol_ids ids = {0};
            size_t n_first;
            const record *r = &pairs.items[i];
            const size_t n = parse_ids(want, r->fields[1]);
            if (gol_text_pair_encode(tok, &ids, &n_first, prompt, gol_str_from(r->fields[2]),
                                     gol_str_from(r->fields[3]), 0, &err) != 0)
                fail_msg("%s", err.message);
            assert_int_equal(ids.n, n);
            assert_memory_equal(ids.data, want, n * sizeof *want);
            gol_ids_deinit(&ids);
        }
        gol_tokenizer_destroy(&tok);
        gol_model_file_close(&file);
    }
}

static void scores_agree_with_the_reference_in_any_company(void **state)
{
    (void)state;
    static records lines;
    for (int k = 0; k < N_KINDS; k++) {
        read_records(&lines, kinds[k].name, "pairs", 4);
        float first[N_PAIRS_MAX];
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            gollum *g = open_model(&kinds[k], n_threads);
            gollum_pair pairs[N_PAIRS_MAX];
            float scores[N_PAIRS_MAX];
            gollum_error error;
            double off = 0;
            for (int i = 0; i < lines.n; i++) {
                const record *r = &lines.items[i];
                pairs[i] = (gollum_pair){r->fields[2], strlen(r->fields[2]), r->fields[3],
                                         strlen(r->fields[3])};
                if (gollum_rerank(g, NULL, &pairs[i], 1, &scores[i], &error) != 0)
                    fail_msg("%s", error.message);
                off = fmax(off, fabs((double)scores[i] - strtod(r->fields[0], NULL)));
            }
            if (n_threads == 1)
                printf("    %-12s scores differ by %.1e at most\n", kinds[k].name, off);
            assert_true(off <= kinds[k].off_max);
            if (n_threads == 1)
                memcpy(first, scores, sizeof first);
            else
                assert_memory_equal(scores, first, (size_t)lines.n * sizeof *scores);
            if (gollum_rerank(g, NULL, pairs, (size_t)lines.n, scores, &error) != 0)
                fail_msg("%s", error.message);
            assert_memory_equal(scores, first, (size_t)lines.n * sizeof *scores);
            gollum_close(&g);
        }
    }
}

static void vectors_of_the_same_files_agree_with_the_reference(void **state)
{
    (void)state;
    static records lines;
    for (int k = 0; k < N_KINDS; k++) {
        if (kinds[k].pooling == GOLLUM_POOLING_MODEL)
            continue;
        read_records(&lines, kinds[k].name, "texts", 3);
        gollum *g = open_model(&kinds[k], 1);
        gollum_embed_options options;
        gollum_embed_options_init(&options);
        options.pooling = kinds[k].pooling;
        assert_int_equal(gollum_embed_width(g, options.pooling), N_EMBD);
        double off = 0;
        for (int i = 0; i < lines.n; i++) {
            const record *r = &lines.items[i];
            int32_t want[N_IDS_MAX];
            int32_t ids[N_IDS_MAX];
            size_t n_ids;
            float x[N_EMBD];
            gollum_error error;
            const gollum_text text = {.text = r->fields[1], .text_len = strlen(r->fields[1])};
            const size_t n = parse_ids(want, r->fields[0]);
            if (gollum_tokenize(g, text.text, text.text_len, 1, 0, ids, N_IDS_MAX, &n_ids,
                                &error) != 0 ||
                gollum_embed(g, &options, &text, 1, x, &error) != 0)
                fail_msg("%s", error.message);
            assert_int_equal(n_ids, n);
            assert_memory_equal(ids, want, n * sizeof *want);
            char *end = NULL;
            const char *p = r->fields[2];
            for (int j = 0; j < N_EMBD; j++, p = end)
                off = fmax(off, fabs((double)x[j] - strtod(p, &end)));
            assert_true(*end == '\0');
        }
        printf("    %-12s vectors differ by %.1e at most\n", kinds[k].name, off);
        assert_true(off <= kinds[k].off_max);
        gollum_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_have_the_reference_ids),
        cmocka_unit_test(scores_agree_with_the_reference_in_any_company),
        cmocka_unit_test(vectors_of_the_same_files_agree_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
