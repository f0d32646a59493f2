/*
 * A Hugging Face tokenizer as the keys of a GGUF file. GGUF knows four kinds, each with a fixed way to normalize and to cut; the files
 * must describe one of them:
 *
 *   gpt2    byte-level BPE whose pre-tokenizer is a row of expressions that tokenizer.ggml.pre has a name for
 *   llama   BPE over text whose spaces are U+2581, not cut, with byte tokens: merges become scores
 *   t5      Unigram, with the character map
 *   bert    WordPiece behind BERT's normalizer: "##" goes, words begin with U+2581
 */
#include "text/hf/hf_files.h"

#include <stdio.h>

#include "base/mem.h"
#include "text/hf/hf_older.h"
#include "text/hf/spm_model.h"
#include "text/pre_patterns.h"
#include "text/space_mark.h"
#include "text/tokenizer_kind.h"

/* What is written, gathered from a tokenizer and its JSON (NULL: of a tokenizer.model). */
typedef struct gguf_tokenizer {
    const gol_tokenizer *tok;
    const char *model;
    const char *pre;
    size_t n;        /* tokens that are written: those of tok, and fillers behind them */
    gol_str *texts;  /* [n] */
    int32_t *types;  /* [n] */
    float *scores;   /* [n]; NULL: the kind has none */
    gol_str *merges; /* [n_merges] */
    size_t n_merges;
    gol_str charsmap;
    gol_str form; /* a Unicode form of gpt2's texts; empty: none */
    bool adds_space, removes_extra_spaces;
    gol_arena arena; /* texts that are made here */
} gguf_tokenizer;

static int out_of_memory(gol_err *err)
{
    return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
}

/* n: the embedding's rows, which the tokens must fill; 0: as many as there are tokens. */
static int begin(gguf_tokenizer *g, const gol_tokenizer *tok, size_t n, gol_err *err)
{
    const size_t n_vocab = (size_t)tok->vocab.n;
    *g = (gguf_tokenizer){.tok = tok, .n = n > n_vocab ? n : n_vocab};
    gol_arena_init(&g->arena, SIZE_MAX);
    if (n > 0 && n < n_vocab)
        return gol_fail(err, GOL_EUNSUPPORTED, "tokenizer: %zu tokens for %zu rows of embeddings",
                        n_vocab, n);
    n = g->n;
    g->texts = gol_arena_try_array(&g->arena, n, sizeof *g->texts);
    g->types = gol_arena_try_array(&g->arena, n, sizeof *g->types);
    if (g->texts == NULL || g->types == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        const gol_token *token = i < n_vocab ? &tok->vocab.tokens[i] : NULL;
        if (token && token->text.len > 0) {
            g->texts[i] = token->text;
            g->types[i] = token->type;
            continue;
        }
        char *name = gol_arena_try_alloc(&g->arena, 24); /* a gap between the ids */
        if (name == NULL)
            return out_of_memory(err);
        g->texts[i] = (gol_str){name, (size_t)snprintf(name, 24, "[PAD%zu]", i)};
        g->types[i] = GOL_TOKEN_UNUSED;
    }
    return 0;
}

static float *make_scores(gguf_tokenizer *g)
{
    g->scores = gol_arena_try_calloc(&g->arena, g->n, sizeof *g->scores);
    return g->scores;
}

static int copy_scores(gguf_tokenizer *g, gol_err *err)
{
    if (make_scores(g) == NULL)
        return out_of_memory(err);
    for (int32_t id = 0; id < g->tok->vocab.n; id++)
        g->scores[id] = g->tok->vocab.tokens[id].score;
    return 0;
}

/* Each merge as "left right". */
static int copy_merges(gguf_tokenizer *g, const gol_hftok_node *model, gol_err *err)
{
    const gol_hftok_node merges = gol_hftok_get(model, "merges");
    const size_t n = gol_hftok_n(&merges);
    g->merges = gol_arena_try_array(&g->arena, n, sizeof *g->merges);
    for (size_t i = 0; g->merges != NULL && i < n; i++) {
        const json_t *merge = json_array_get(merges.json, i);
        if (json_is_string(merge)) {
            g->merges[i] = gol_hftok_view(merge);
            continue;
        }
        const gol_str left = gol_hftok_view(json_array_get(merge, 0));
        const gol_str right = gol_hftok_view(json_array_get(merge, 1));
        const gol_hftok_node node = gol_hftok_at(&merges, i);
        if (memchr(left.data, ' ', left.len) != NULL || memchr(right.data, ' ', right.len) != NULL)
            return gol_hftok_fail(&node, err, GOL_EUNSUPPORTED,
                                  "a merge of texts with spaces cannot be written as GGUF");
        char *line = gol_arena_try_alloc(&g->arena, left.len + right.len + 1);
        if (line == NULL)
            return out_of_memory(err);
        memcpy(line, left.data, left.len);
        line[left.len] = ' ';
        memcpy(line + left.len + 1, right.data, right.len);
        g->merges[i] = (gol_str){line, left.len + right.len + 1};
    }
    g->n_merges = n;
    return g->merges != NULL ? 0 : out_of_memory(err);
}

/* The first name whose row of expressions is the same. */
static const char *find_pre(const gol_hftok_facts *facts, bool ignores_merges)
{
    for (int i = 0; gol_pre_spec_at(i) != NULL; i++) {
        const gol_pre_spec *spec = gol_pre_spec_at(i);
        int n = 0;
        while (n < facts->n_patterns && n < GOL_PRE_PATTERNS_MAX && spec->patterns[n] != NULL &&
               gol_str_is(gol_buf_view(&facts->patterns[n]), spec->patterns[n]))
            n++;
        const bool is_all = n == facts->n_patterns &&
                            (n == GOL_PRE_PATTERNS_MAX || spec->patterns[n] == NULL);
        if (is_all && n > 0 && spec->ignore_merges == ignores_merges)
            return spec->name;
    }
    return NULL;
}

static bool is_form(gol_str type)
{
    return gol_str_is(type, "NFC") || gol_str_is(type, "NFD") || gol_str_is(type, "NFKC") ||
           gol_str_is(type, "NFKD");
}

static int describe_bytes(gguf_tokenizer *g, const gol_hftok_node *root,
                          const gol_hftok_facts *facts, gol_err *err)
{
    const gol_hftok_node model = gol_hftok_get(root, "model");
    const gol_hftok_node normalizer = gol_hftok_get(root, "normalizer");
    const gol_hftok_node pre = gol_hftok_get(root, "pre_tokenizer");
    gol_str type = {NULL, 0};
    bool ignores_merges = false;
    if (gol_hftok_bool(&model, "ignore_merges", &ignores_merges, err) < 0 ||
        gol_hftok_str(&normalizer, "type", &type, err) < 0)
        return GOL_EMODEL;
    if (type.len > 0 && !is_form(type))
        return gol_hftok_fail(&normalizer, err, GOL_EUNSUPPORTED,
                              "for byte-level BPE only NFC, NFD, NFKC and NFKD can be written");
    g->form = type;
    if (facts->bytes_add_space)
        return gol_hftok_fail(&pre, err, GOL_EUNSUPPORTED,
                              "add_prefix_space: GGUF has none for byte-level BPE");
    g->model = "gpt2";
    g->pre = facts->has_other_steps ? NULL : find_pre(facts, ignores_merges);
    if (g->pre == NULL)
        return gol_hftok_fail(&pre, err, GOL_EUNSUPPORTED,
                              "no value of tokenizer.ggml.pre cuts words so%s",
                              ignores_merges ? " and ignores merges" : "");
    return copy_merges(g, &model, err);
}

/* A token's score is minus the best rank of the merges that make it; what no merge makes is worst. */
static int describe_spaces(gguf_tokenizer *g, const gol_hftok_node *root,
                           const gol_hftok_facts *facts, gol_err *err)
{
    const gol_hftok_node model = gol_hftok_get(root, "model");
    bool byte_fallback = false;
    if (gol_hftok_bool(&model, "byte_fallback", &byte_fallback, err) < 0)
        return GOL_EMODEL;
    if (!byte_fallback || facts->n_patterns > 0 || facts->has_other_steps ||
        (!facts->has_prepend && !facts->has_metaspace))
        return gol_hftok_fail(
            &model, err, GOL_EUNSUPPORTED,
            "GGUF has BPE over bytes, and over spaces as U+2581 with byte_fallback "
            "and nothing cut; this is neither");
    int rc = copy_merges(g, &model, err);
    if (rc != 0 || make_scores(g) == NULL)
        return rc != 0 ? rc : out_of_memory(err);
    for (int32_t id = 0; id < g->tok->vocab.n; id++)
        g->scores[id] = -(float)g->n_merges - 1;
    for (size_t i = g->n_merges; i-- > 0;) {
        char *whole = gol_arena_try_strdup(&g->arena, g->merges[i]);
        char *space = whole != NULL ? memchr(whole, ' ', g->merges[i].len) : NULL;
        if (space == NULL)
            return out_of_memory(err);
        memmove(space, space + 1, g->merges[i].len - (size_t)(space - whole) - 1);
        const int32_t id = gol_str_table_find(&g->tok->vocab.by_text,
                                              (gol_str){whole, g->merges[i].len - 1});
        if (id >= 0)
            g->scores[id] = -(float)i;
    }
    g->model = "llama";
    g->pre = "default";
    g->n_merges = 0;
    g->adds_space = facts->has_prepend || facts->prepend != GOL_PREPEND_NEVER;
    return 0;
}

static int describe_unigram(gguf_tokenizer *g, const gol_hftok_node *root,
                            const gol_hftok_facts *facts, gol_err *err)
{
    const gol_hftok_node pre = gol_hftok_get(root, "pre_tokenizer");
    if (facts->n_patterns > 0 || !facts->has_metaspace || facts->n_charsmaps > 1)
        return gol_hftok_fail(&pre, err, GOL_EUNSUPPORTED,
                              "GGUF's Unigram writes spaces as U+2581 and cuts nothing");
    g->model = "t5";
    g->pre = "default";
    g->charsmap = facts->charsmap;
    g->adds_space = facts->prepend != GOL_PREPEND_NEVER;
    /* WhitespaceSplit, or a Replace of several spaces, stands for this in tokenizer.json. */
    g->removes_extra_spaces = facts->has_other_steps;
    return copy_scores(g, err);
}

static int describe_wordpiece(gguf_tokenizer *g, const gol_hftok_node *root,
                              const gol_hftok_facts *facts, gol_err *err)
{
    const gol_hftok_node model = gol_hftok_get(root, "model");
    gol_str mark = GOL_STR("##");
    if (gol_hftok_str(&model, "continuing_subword_prefix", &mark, err) < 0)
        return GOL_EMODEL;
    if (!facts->has_bert_normalizer)
        return gol_hftok_fail(root, err, GOL_EUNSUPPORTED,
                              "normalizer: GGUF's WordPiece has BERT's, with all its parts");
    for (int32_t id = 0; id < g->tok->vocab.n; id++) {
        const gol_str text = g->texts[id];
        if (g->types[id] != GOL_TOKEN_NORMAL)
            continue;
        if (mark.len > 0 && text.len > mark.len && memcmp(text.data, mark.data, mark.len) == 0) {
            g->texts[id] = (gol_str){text.data + mark.len, text.len - mark.len};
            continue;
        }
        char *marked = gol_arena_try_alloc(&g->arena, text.len + GOL_SPACE_MARK_LEN);
        if (marked == NULL)
            return out_of_memory(err);
        memcpy(marked, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN);
        memcpy(marked + GOL_SPACE_MARK_LEN, text.data, text.len);
        g->texts[id] = (gol_str){marked, text.len + GOL_SPACE_MARK_LEN};
    }
    g->model = "bert";
    g->pre = "default";
    return 0;
}

static void write_id(gol_gguf_writer *w, const char *key, int32_t id)
{
    if (id >= 0)
        gol_gguf_writer_add_u32(w, key, (uint32_t)id);
}

static void write_keys(const gguf_tokenizer *g, gol_gguf_writer *w)
{
    const gol_vocab *vocab = &g->tok->vocab;
    const size_t n = g->n;
    const bool is_bert = strcmp(g->model, "bert") == 0;
    gol_gguf_writer_add_str(w, "tokenizer.ggml.model", gol_str_from(g->model));
    gol_gguf_writer_add_str(w, "tokenizer.ggml.pre", gol_str_from(g->pre));
    gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens", g->texts, n);
    gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_I32, g->types, n);
    if (g->scores != NULL)
        gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, g->scores, n);
    if (strcmp(g->model, "gpt2") == 0)
        gol_gguf_writer_add_strs(w, "tokenizer.ggml.merges", g->merges, g->n_merges);
    if (g->form.len > 0)
        gol_gguf_writer_add_str(w, GOL_META_NORMALIZER, g->form);
    if (g->charsmap.len > 0)
        gol_gguf_writer_add_array(w, "tokenizer.ggml.precompiled_charsmap", GOL_VALUE_U8,
                                  g->charsmap.data, g->charsmap.len);
    if (g->scores != NULL) {
        gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_space_prefix", g->adds_space);
        gol_gguf_writer_add_bool(w, "tokenizer.ggml.remove_extra_whitespaces",
                                 g->removes_extra_spaces);
    }
    write_id(w, "tokenizer.ggml.bos_token_id", vocab->bos);
    write_id(w, "tokenizer.ggml.eos_token_id", vocab->eos);
    write_id(w, "tokenizer.ggml.unknown_token_id", vocab->unk);
    if (is_bert) {
        write_id(w, "tokenizer.ggml.cls_token_id", vocab->bos);
        write_id(w, "tokenizer.ggml.seperator_token_id", vocab->eos);
    } else if (g->tok->middle.n > 1) { /* RoBERTa's second </s> between two texts */
        write_id(w, "tokenizer.ggml.seperator_token_id", g->tok->middle.data[1]);
        gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_sep_token", true);
    }
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_bos_token", g->tok->prefix.n > 0);
    gol_gguf_writer_add_bool(w, "tokenizer.ggml.add_eos_token", g->tok->suffix.n > 0);
}

/* GGUF puts one token before a text and one behind it, and these are BOS and EOS. */
static int check_around(gol_tokenizer *tok, gol_err *err)
{
    gol_vocab *vocab = &tok->vocab;
    if (vocab->bos < 0 && tok->prefix.n == 1)
        vocab->bos = tok->prefix.data[0];
    if (vocab->eos < 0 && tok->suffix.n == 1)
        vocab->eos = tok->suffix.data[0];
    if (tok->prefix.n > 1 || tok->suffix.n > 1 ||
        (tok->prefix.n == 1 && tok->prefix.data[0] != vocab->bos) ||
        (tok->suffix.n == 1 && tok->suffix.data[0] != vocab->eos))
        return gol_fail(
            err, GOL_EUNSUPPORTED,
            "tokenizer.json: post_processor: GGUF puts BOS before a text and EOS behind "
            "it, and nothing else");
    return 0;
}

static int write_json(const gol_hftok_files *files, size_t n_rows, gol_gguf_writer *w, gol_err *err)
{
    json_t *json = NULL;
    gol_tokenizer *tok = NULL;
    gguf_tokenizer g = {.tok = NULL};
    gol_hftok_facts facts;
    gol_hftok_facts_init(&facts);
    int rc = gol_hftok_json_find(&json, files, err);
    if (rc == 0)
        rc = gol_hftok_build(&tok, json, files, &facts, err);
    if (rc == 0)
        rc = check_around(tok, err);
    if (rc == 0)
        rc = begin(&g, tok, n_rows, err);
    if (rc == 0) {
        const gol_hftok_node root = gol_hftok_root(json, gol_hftok_json_name(files));
        const gol_word_model_class *kind = ((const gol_pipeline *)tok->state)->model.kind;
        const gol_hftok_node model = gol_hftok_get(&root, "model");
        if (strcmp(kind->name, "BPE") == 0)
            rc = ((const gol_pipeline *)tok->state)->is_byte_level
                     ? describe_bytes(&g, &root, &facts, err)
                     : describe_spaces(&g, &root, &facts, err);
        else if (strcmp(kind->name, "Unigram") == 0)
            rc = describe_unigram(&g, &root, &facts, err);
        else if (strcmp(kind->name, "WordPiece") == 0)
            rc = describe_wordpiece(&g, &root, &facts, err);
        else
            rc = gol_hftok_fail(&model, err, GOL_EUNSUPPORTED, "GGUF has no kind for WordLevel");
    }
    if (rc == 0)
        write_keys(&g, w);
    gol_arena_deinit(&g.arena);
    gol_tokenizer_destroy(&tok);
    gol_hftok_facts_deinit(&facts);
    json_decref(json);
    return rc;
}

static int write_spm(const gol_hftok_files *files, size_t n_rows, gol_gguf_writer *w, gol_err *err)
{
    gol_spm_model model;
    gol_tokenizer *tok = NULL;
    gguf_tokenizer g = {.tok = NULL};
    int rc = gol_spm_model_parse(&model, files->tokenizer_model, err);
    if (rc != 0)
        return rc;
    rc = gol_hftok_spm_create(&tok, files, err);
    if (rc == 0)
        rc = check_around(tok, err);
    if (rc == 0 && model.kind == GOL_SPM_BPE &&
        (model.charsmap.len > 0 || model.removes_extra_spaces))
        rc = gol_fail(err, GOL_EUNSUPPORTED,
                      "tokenizer.model: BPE with a normalizer: GGUF's kind 'llama' has none");
    if (rc == 0)
        rc = begin(&g, tok, n_rows, err);
    if (rc == 0)
        rc = copy_scores(&g, err);
    if (rc == 0) {
        g.model = model.kind == GOL_SPM_BPE ? "llama" : "t5";
        g.pre = "default";
        g.charsmap = model.charsmap;
        g.adds_space = model.adds_space;
        g.removes_extra_spaces = model.removes_extra_spaces;
        write_keys(&g, w);
    }
    gol_arena_deinit(&g.arena);
    gol_tokenizer_destroy(&tok);
    gol_spm_model_deinit(&model);
    return rc;
}

int gol_hftok_write(const gol_hftok_files *files, size_t n_rows, gol_gguf_writer *w, gol_err *err)
{
    if (files->tokenizer_model.data != NULL && files->tokenizer_json.data == NULL)
        return write_spm(files, n_rows, w, err);
    return write_json(files, n_rows, w, err);
}
