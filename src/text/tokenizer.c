/*
 * Tokenizer: the kinds' list, loading, and encoding around the kinds: special tokens in the text, BOS and EOS.
 */
#include "text/tokenizer.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "text/hf/hf_files.h"
#include "text/tokenizer_kind.h"

static const gol_tokenizer_class *const kinds[] = {&gol_kind_sentencepiece, &gol_kind_byte_bpe,
                                                   &gol_kind_bert, &gol_kind_t5};

enum { N_KINDS = sizeof kinds / sizeof kinds[0], IDS_CAP_MIN = 64 };

int gol_ids_push(gol_ids *ids, int32_t id)
{
    if (ids->n == ids->cap) {
        const size_t cap = ids->cap == 0 ? IDS_CAP_MIN : ids->cap * 2;
        int32_t *data = gol_try_realloc(ids->data, cap, sizeof *data);
        if (data == NULL)
            return GOL_ENOMEM;
        ids->data = data;
        ids->cap = cap;
    }
    ids->data[ids->n++] = id;
    return 0;
}

void gol_ids_deinit(gol_ids *ids)
{
    gol_free(ids->data);
    *ids = (gol_ids){0};
}

static int find_kind(const gol_tokenizer_class **out, const gol_model_file *file, gol_err *err)
{
    gol_str name;
    const int rc = gol_meta_str(file, "tokenizer.ggml.model", &name, err);
    if (rc < 0)
        return rc;
    if (rc == 0 && gol_model_file_find_meta(file, "gollum.hf.config_json") != NULL)
        return gol_fail(err, GOL_EMODEL,
                        "no tokenizer: tokenizer.json, tokenizer.model, vocab.txt or vocab.json "
                        "with merges.txt is expected beside config.json");
    if (rc == 0)
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.model: missing, the file has no tokenizer");
    for (int i = 0; i < N_KINDS; i++) {
        if (gol_str_is(name, kinds[i]->name)) {
            *out = kinds[i];
            return 0;
        }
    }
    char quoted[64];
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "tokenizer.ggml.model: '%s', 'llama', 'gpt2', 'bert' and 't5' are accepted",
                    gol_quote(quoted, sizeof quoted, name));
}

static bool contains(gol_str text, const char *word)
{
    return text.len > 0 && memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/* Phi-3's special tokens swallow the white space behind them; its files say so by name only. */
static int is_phi3(const gol_model_file *file, bool *out, gol_err *err)
{
    gol_str name = {NULL, 0};
    if (gol_meta_str(file, "general.name", &name, err) < 0)
        return GOL_EMODEL;
    *out = contains(name, "phi-3") || contains(name, "Phi-3") || contains(name, "phi3") ||
           contains(name, "Phi3") || contains(name, "Phi 3");
    return 0;
}

static int set_around(gol_tokenizer *tok, gol_err *err)
{
    int rc = 0;
    if (tok->vocab.adds_bos)
        rc = gol_ids_push(&tok->prefix, tok->vocab.bos);
    if (rc == 0 && tok->vocab.adds_eos)
        rc = gol_ids_push(&tok->suffix, tok->vocab.eos);
    return rc == 0 ? 0 : gol_fail(err, rc, "tokenizer: out of memory");
}

/* Two texts are parted by what ends one, BERT's [SEP], and by a separator beside it, RoBERTa's second </s>. Older files name the
 * separator and do not say that it is added. */
static int set_middle(gol_tokenizer *tok, const gol_model_file *file, gol_err *err)
{
    int32_t sep = -1;
    int rc = gol_vocab_meta_id(&tok->vocab, file, "tokenizer.ggml.seperator_token_id", &sep, err);
    if (rc < 0)
        return rc;
    bool adds_sep = true;
    if (gol_meta_bool(file, "tokenizer.ggml.add_sep_token", &adds_sep, err) < 0)
        return GOL_EMODEL;
    for (size_t i = 0; rc >= 0 && i < tok->suffix.n; i++)
        rc = gol_ids_push(&tok->middle, tok->suffix.data[i]);
    if (rc >= 0 && adds_sep && sep >= 0 && tok->kind != &gol_kind_bert)
        rc = gol_ids_push(&tok->middle, sep);
    return rc >= 0 ? 0 : gol_fail(err, rc, "tokenizer: out of memory");
}

static int load(gol_tokenizer **out, const gol_model_file *file, gol_err *err)
{
    const gol_tokenizer_class *kind = NULL;
    int rc = find_kind(&kind, file, err);
    if (rc != 0)
        return rc;
    assert(kind);
    gol_tokenizer *tok = gol_try_calloc(1, sizeof *tok);
    if (tok == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    tok->kind = kind;
    bool strips_right = false;
    rc = gol_vocab_load(&tok->vocab, file, err);
    if (rc == 0)
        rc = kind->create(&tok->state, &tok->vocab, file, err);
    if (rc == 0)
        rc = gol_vocab_load_special(&tok->vocab, file, err);
    if (rc == 0)
        rc = set_around(tok, err);
    if (rc == 0)
        rc = set_middle(tok, file, err);
    if (rc == 0)
        rc = is_phi3(file, &strips_right, err);
    if (rc == 0)
        rc = gol_special_tokens_init(&tok->special, &tok->vocab, strips_right, err);
    if (rc != 0) {
        gol_tokenizer_destroy(&tok);
        return rc;
    }
    *out = tok;
    return 0;
}

/* The typed look-ups of formats name the file themselves; what this layer finds wrong begins with a key. */
static void name_file(const gol_model_file *file, gol_err *err)
{
    char path[GOL_ERR_MESSAGE_MAX / 2];
    gol_quote(path, sizeof path, gol_str_from(gol_model_file_path(file)));
    const size_t n = strlen(path);
    if (strncmp(err->message, path, n) != 0 || err->message[n] != ':')
        gol_fail_prefix(err, "%s", path);
}

int gol_tokenizer_load(gol_tokenizer **out, const gol_model_file *file, gol_err *err)
{
    *out = NULL;
    gol_hftok_files files;
    int rc = 0;
    if (gol_model_file_find_meta(file, "tokenizer.ggml.model") == NULL)
        rc = gol_hftok_files_find(&files, file, err);
    if (rc == 1)
        rc = gol_hftok_create(out, &files, err);
    else if (rc == 0)
        rc = load(out, file, err);
    if (rc != 0 && err != NULL)
        name_file(file, err);
    return rc;
}

void gol_tokenizer_destroy(gol_tokenizer **tok)
{
    if (*tok == NULL)
        return;
    if ((*tok)->state != NULL)
        (*tok)->kind->destroy((*tok)->state);
    gol_special_tokens_deinit(&(*tok)->special);
    gol_ids_deinit(&(*tok)->prefix);
    gol_ids_deinit(&(*tok)->suffix);
    gol_ids_deinit(&(*tok)->middle);
    gol_vocab_deinit(&(*tok)->vocab);
    gol_free(*tok);
    *tok = NULL;
}

static int push_id(gol_ids *ids, int32_t id, gol_err *err)
{
    const int rc = gol_ids_push(ids, id);
    return rc == 0 ? 0 : gol_fail(err, rc, "tokenizer: out of memory for %zu tokens", ids->n);
}

static int push_ids(gol_ids *ids, const gol_ids *more, gol_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < more->n; i++)
        rc = push_id(ids, more->data[i], err);
    return rc;
}

static int encode_text(const gol_tokenizer *tok, gol_ids *ids, gol_str text, bool parse_control,
                       gol_err *err)
{
    const unsigned where = GOL_RUN_AT_START | (parse_control ? GOL_RUN_PARSE_SPECIAL : 0);
    size_t pos = 0;
    gol_special_match match;
    while (pos < text.len) {
        const bool found = gol_special_tokens_next(&tok->special, text, pos, parse_control, &match);
        const size_t end = found ? match.start : text.len;
        if (end > pos) {
            const gol_str run = {text.data + pos, end - pos};
            const unsigned here = where | (pos == 0 ? GOL_RUN_AT_TEXT_START : 0);
            const int rc = tok->kind->encode(tok->state, &tok->vocab, ids, run, here, err);
            if (rc != 0)
                return rc;
        }
        if (!found)
            break;
        const int rc = push_id(ids, match.id, err);
        if (rc != 0)
            return rc;
        pos = match.end;
    }
    return 0;
}

int gol_tokenizer_encode(const gol_tokenizer *tok, gol_ids *ids, gol_str text, unsigned flags,
                         gol_err *err)
{
    if (text.len > GOL_ENCODE_TEXT_MAX)
        return gol_fail(err, GOL_ETOOLARGE, "text: %zu bytes, at most %d are accepted", text.len,
                        GOL_ENCODE_TEXT_MAX);
    const size_t n_before = ids->n;
    const bool add_special = (flags & GOL_ENCODE_ADD_SPECIAL) != 0;
    int rc = 0;
    if (add_special)
        rc = push_ids(ids, &tok->prefix, err);
    if (rc == 0)
        rc = encode_text(tok, ids, text, (flags & GOL_ENCODE_PARSE_SPECIAL) != 0, err);
    if (rc == 0 && add_special)
        rc = push_ids(ids, &tok->suffix, err);
    if (rc != 0)
        ids->n = n_before;
    return rc;
}

static const gol_token *get_token(const gol_tokenizer *tok, int32_t id)
{
    assert(id >= 0 && id < tok->vocab.n);
    return &tok->vocab.tokens[id];
}

gol_str gol_tokenizer_piece(const gol_tokenizer *tok, int32_t id)
{
    return get_token(tok, id)->piece;
}

const char *gol_tokenizer_kind(const gol_tokenizer *tok)
{
    return tok->kind->name;
}

const char *gol_tokenizer_pre(const gol_tokenizer *tok)
{
    return tok->kind->pre(tok->state);
}

int32_t gol_tokenizer_n_vocab(const gol_tokenizer *tok)
{
    return tok->vocab.n;
}

int32_t gol_tokenizer_find(const gol_tokenizer *tok, gol_str token)
{
    return gol_str_table_find(&tok->vocab.by_text, token);
}

bool gol_tokenizer_is_control(const gol_tokenizer *tok, int32_t id)
{
    const uint8_t type = get_token(tok, id)->type;
    return type == GOL_TOKEN_CONTROL || type == GOL_TOKEN_UNKNOWN;
}

bool gol_tokenizer_adds_space(const gol_tokenizer *tok)
{
    return tok->vocab.adds_space;
}

bool gol_tokenizer_is_eog(const gol_tokenizer *tok, int32_t id)
{
    return get_token(tok, id)->is_eog;
}

const int32_t *gol_tokenizer_eog_ids(const gol_tokenizer *tok, size_t *n)
{
    *n = tok->vocab.n_eog_ids;
    return tok->vocab.eog_ids;
}

int32_t gol_tokenizer_bos(const gol_tokenizer *tok)
{
    return tok->vocab.bos;
}

int32_t gol_tokenizer_eos(const gol_tokenizer *tok)
{
    return tok->vocab.eos;
}

bool gol_tokenizer_adds_bos(const gol_tokenizer *tok)
{
    return tok->vocab.adds_bos;
}
