/*
 * Folders without tokenizer.json: vocab.json with merges.txt (byte-level BPE) or vocab.txt (WordPiece) are put into its form, so that
 * there is one reader. Which normalizer and pre-tokenizer belong to them is not in these files: tokenizer_class decides.
 */
#include "text/hf/hf_older.h"

#include "base/mem.h"
#include "text/hf/hf_special_ids.h"

/* Qwen2's, in Oniguruma's syntax. */
#define QWEN2_PATTERN                                                                              \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+"      \
    "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

typedef enum older_class {
    OLDER_GPT2,
    OLDER_ROBERTA,
    OLDER_QWEN2,
    OLDER_BERT,
    OLDER_UNKNOWN,
} older_class;

static older_class find_class(gol_str name, older_class if_empty)
{
    static const struct {
        const char *name;
        older_class class;
    } classes[] = {
        {"GPT2Tokenizer", OLDER_GPT2},          {"WhisperTokenizer", OLDER_GPT2},
        {"CodeGenTokenizer", OLDER_GPT2},       {"GPTNeoXTokenizer", OLDER_GPT2},
        {"RobertaTokenizer", OLDER_ROBERTA},    {"BartTokenizer", OLDER_ROBERTA},
        {"LongformerTokenizer", OLDER_ROBERTA}, {"Qwen2Tokenizer", OLDER_QWEN2},
        {"BertTokenizer", OLDER_BERT},          {"DistilBertTokenizer", OLDER_BERT},
        {"ElectraTokenizer", OLDER_BERT},       {"MobileBertTokenizer", OLDER_BERT},
    };
    if (name.len == 0)
        return if_empty;
    if (name.len > 4 && memcmp(name.data + name.len - 4, "Fast", 4) == 0)
        name.len -= 4;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (gol_str_is(name, classes[i].name))
            return classes[i].class;
    }
    return OLDER_UNKNOWN;
}

/* The next line of text, without its end; false: there is none. */
static bool next_line(gol_str *text, gol_str *line)
{
    if (text->len == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->len);
    const size_t n = end != NULL ? (size_t)(end - text->data) : text->len;
    *line = (gol_str){text->data, n};
    if (n > 0 && line->data[n - 1] == '\r')
        line->len--;
    const size_t n_used = n + (end != NULL);
    *text = (gol_str){text->data + n_used, text->len - n_used};
    return true;
}

static int bad_line(gol_err *err, const char *file, size_t i, const char *what)
{
    return gol_fail(err, GOL_EMODEL, "%s: line %zu: %s", file, i + 1, what);
}

static int read_merges(json_t **out, gol_str text, gol_err *err)
{
    json_t *merges = json_array();
    gol_str line;
    for (size_t i = 0; next_line(&text, &line); i++) {
        if (line.len == 0 || (i == 0 && line.data[0] == '#' && line.len > 8 &&
                              memcmp(line.data, "#version", 8) == 0))
            continue;
        if (json_array_append_new(merges, json_stringn(line.data, line.len)) != 0) {
            json_decref(merges);
            return bad_line(err, "merges.txt", i, "no UTF-8, or out of memory");
        }
    }
    *out = merges;
    return 0;
}

/* One line a token, the line's number being its id. Of equal lines the last counts, as in transformers. */
static int read_vocab_txt(json_t **out, gol_str text, gol_err *err)
{
    json_t *vocab = json_object();
    gol_str line;
    for (size_t i = 0; next_line(&text, &line); i++) {
        if (line.len == 0)
            continue;
        if (memchr(line.data, '\0', line.len) != NULL ||
            json_object_setn_new(vocab, line.data, line.len, json_integer((json_int_t)i)) != 0) {
            json_decref(vocab);
            return bad_line(err, "vocab.txt", i, "no UTF-8, a NUL, or out of memory");
        }
    }
    *out = vocab;
    return 0;
}

/* "added_tokens" as tokenizer.json would have them, and the texts in it: files may hold as many as they like. */
typedef struct added_list {
    json_t *tokens;
    json_t *texts; /* an object whose keys they are */
    bool failed;   /* out of memory: a token is missing */
} added_list;

static void append(added_list *list, json_t *token)
{
    const char *text = json_string_value(json_object_get(token, "content"));
    if (text != NULL && json_object_set_new(list->texts, text, json_true()) != 0)
        list->failed = true;
    if (json_array_append_new(list->tokens, token) != 0)
        list->failed = true;
}

/* Adds {"content", "id", "special"} unless the list has the text. */
static void add_token(added_list *list, const char *content, json_int_t id, bool is_special)
{
    if (json_object_get(list->texts, content) == NULL)
        append(list, json_pack("{s:s, s:I, s:b, s:b}", "content", content, "id", id, "special",
                               is_special, "normalized", !is_special));
}

/* "added_tokens_decoder" of tokenizer_config.json: {"ID": {"content": ...}}. */
static void add_decoder_tokens(added_list *list, json_t *config)
{
    const char *key;
    json_t *entry;
    json_object_foreach(json_object_get(config, "added_tokens_decoder"), key, entry)
    {
        json_t *copy = json_copy(entry);
        json_object_set_new(copy, "id", json_integer(strtoll(key, NULL, 10)));
        append(list, copy);
    }
}

static void add_named_tokens(added_list *list, const json_t *vocab, const gol_hftok_config *config)
{
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const gol_str text = gol_hftok_config_token(config, keys[i]);
        const json_t *id = text.len > 0 ? json_object_get(vocab, text.data) : NULL;
        if (json_is_integer(id))
            add_token(list, text.data, json_integer_value(id), true);
    }
}

int gol_hftok_added_list(json_t **out, const gol_hftok_files *files, const json_t *vocab,
                         const gol_hftok_config *config, gol_err *err)
{
    json_t *added = NULL;
    if (files->added_tokens_json.data != NULL) {
        const int rc = gol_hftok_json_parse(&added, files->added_tokens_json, "added_tokens.json",
                                            err);
        if (rc != 0)
            return rc;
    }
    added_list list = {json_array(), json_object(), false};
    add_decoder_tokens(&list, config->config);
    const char *key;
    json_t *id;
    json_object_foreach(added, key, id)
    {
        if (json_is_integer(id))
            add_token(&list, key, json_integer_value(id), true);
    }
    add_named_tokens(&list, vocab, config);
    json_decref(list.texts);
    json_decref(added);
    if (list.failed) {
        json_decref(list.tokens);
        return gol_fail(err, GOL_ENOMEM, "out of memory for the added tokens");
    }
    *out = list.tokens;
    return 0;
}

static bool is_set(const json_t *config, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(config, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* {"type": TYPE, "cls": [text, id], "sep": [text, id]}, where the vocabulary has both; else null. */
static json_t *make_around(const char *type, const json_t *vocab, const gol_hftok_config *config,
                           const char *cls_default, const char *sep_default)
{
    gol_str cls = gol_hftok_config_token(config, "cls_token");
    gol_str sep = gol_hftok_config_token(config, "sep_token");
    cls = cls.len > 0 ? cls : gol_str_from(cls_default);
    sep = sep.len > 0 ? sep : gol_str_from(sep_default);
    json_t *cls_id = json_object_get(vocab, cls.data);
    json_t *sep_id = json_object_get(vocab, sep.data);
    if (cls_id == NULL || sep_id == NULL)
        return json_null();
    return json_pack("{s:s, s:[s, O], s:[s, O]}", "type", type, "cls", cls.data, cls_id, "sep",
                     sep.data, sep_id);
}

static json_t *make_bytes(older_class class, const json_t *config)
{
    if (class != OLDER_QWEN2)
        return json_pack("{s:s, s:b}", "type", "ByteLevel", "add_prefix_space",
                         is_set(config, "add_prefix_space", false));
    return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, {s:s, s:b, s:b}]}", "type", "Sequence",
                     "pretokenizers", "type", "Split", "pattern", "Regex", QWEN2_PATTERN,
                     "behavior", "Isolated", "invert", 0, "type", "ByteLevel", "add_prefix_space",
                     0, "use_regex", 0);
}

static int make_bpe(json_t **out, const gol_hftok_files *files, const gol_hftok_config *config,
                    older_class class, gol_err *err)
{
    json_t *vocab = NULL, *merges = NULL, *added = NULL;
    int rc = gol_hftok_json_parse(&vocab, files->vocab_json, "vocab.json", err);
    if (rc == 0)
        rc = read_merges(&merges, files->merges_txt, err);
    if (rc == 0)
        rc = gol_hftok_added_list(&added, files, vocab, config, err);
    if (rc == 0) {
        json_t *around = class == OLDER_ROBERTA
                             ? make_around("RobertaProcessing", vocab, config, "<s>", "</s>")
                             : json_null();
        json_t *normalizer = class == OLDER_QWEN2 ? json_pack("{s:s}", "type", "NFC") : json_null();
        *out = json_pack("{s:o, s:o, s:{s:s}, s:o, s:{s:s, s:O, s:O}, s:O}", "normalizer",
                         normalizer, "pre_tokenizer", make_bytes(class, config->config), "decoder",
                         "type", "ByteLevel", "post_processor", around, "model", "type", "BPE",
                         "vocab", vocab, "merges", merges, "added_tokens", added);
        if (*out == NULL)
            rc = gol_fail(err, GOL_ENOMEM, "vocab.json: out of memory");
    }
    json_decref(vocab);
    json_decref(merges);
    json_decref(added);
    return rc;
}

static int make_wordpiece(json_t **out, const gol_hftok_files *files,
                          const gol_hftok_config *config, gol_err *err)
{
    json_t *vocab = NULL, *added = NULL;
    int rc = read_vocab_txt(&vocab, files->vocab_txt, err);
    if (rc == 0)
        rc = gol_hftok_added_list(&added, files, vocab, config, err);
    if (rc == 0) {
        const bool lowercase = is_set(config->config, "do_lower_case", true);
        gol_str unk = gol_hftok_config_token(config, "unk_token");
        *out = json_pack(
            "{s:{s:s, s:b, s:b, s:b}, s:{s:s}, s:{s:s}, s:o, s:{s:s, s:s, s:O}, s:O}", "normalizer",
            "type", "BertNormalizer", "handle_chinese_chars",
            is_set(config->config, "tokenize_chinese_chars", true), "lowercase", lowercase,
            "strip_accents", is_set(config->config, "strip_accents", lowercase), "pre_tokenizer",
            "type", "BertPreTokenizer", "decoder", "type", "WordPiece", "post_processor",
            make_around("BertProcessing", vocab, config, "[CLS]", "[SEP]"), "model", "type",
            "WordPiece", "unk_token", unk.len > 0 ? unk.data : "[UNK]", "vocab", vocab,
            "added_tokens", added);
        if (*out == NULL)
            rc = gol_fail(err, GOL_ENOMEM, "vocab.txt: out of memory");
    }
    json_decref(vocab);
    json_decref(added);
    return rc;
}

static int make_json(json_t **out, const gol_hftok_files *files, const gol_hftok_config *config,
                     gol_err *err)
{
    const bool has_merges = files->vocab_json.data != NULL && files->merges_txt.data != NULL;
    const gol_str name = gol_hftok_config_class(config);
    const older_class class = find_class(name, has_merges ? OLDER_GPT2 : OLDER_BERT);
    if (has_merges && class != OLDER_BERT && class != OLDER_UNKNOWN)
        return make_bpe(out, files, config, class, err);
    if (files->vocab_txt.data != NULL && class == OLDER_BERT)
        return make_wordpiece(out, files, config, err);
    if (!has_merges && files->vocab_txt.data == NULL)
        return gol_fail(err, GOL_EMODEL,
                        "neither tokenizer.json nor vocab.json with merges.txt, vocab.txt or "
                        "tokenizer.model: the model has no tokenizer");
    char quoted[64];
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "tokenizer_config.json: tokenizer_class: '%s' is not known without a "
                    "tokenizer.json",
                    gol_quote(quoted, sizeof quoted, name));
}

const char *gol_hftok_json_name(const gol_hftok_files *files)
{
    if (files->tokenizer_json.data != NULL)
        return "tokenizer.json";
    return files->merges_txt.data != NULL ? "vocab.json and merges.txt, as tokenizer.json"
                                          : "vocab.txt, as tokenizer.json";
}

int gol_hftok_json_find(json_t **out, const gol_hftok_files *files, gol_err *err)
{
    *out = NULL;
    if (files->tokenizer_json.data != NULL)
        return gol_hftok_json_parse(out, files->tokenizer_json, "tokenizer.json", err);
    gol_hftok_config config;
    int rc = gol_hftok_config_init(&config, files, err);
    if (rc != 0)
        return rc;
    rc = make_json(out, files, &config, err);
    gol_hftok_config_deinit(&config);
    return rc;
}
