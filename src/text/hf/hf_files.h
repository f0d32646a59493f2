/*
 * The tokenizer files of a Hugging Face folder, as bytes, and the tokenizer that they describe: tokenizer.json, or the older forms
 * (vocab.json with merges.txt, vocab.txt, tokenizer.model). The rest says which tokens begin and end a text.
 *
 *     gol_hftok_files files = {.tokenizer_json = bytes, .tokenizer_config_json = more_bytes};
 *     gol_tokenizer *tok;
 *     rc = gol_hftok_create(&tok, &files, &err);
 *
 * A model file that stands for such a folder has the bytes under the keys of GOL_HFTOK_FILES; gol_tokenizer_load() looks there.
 */
#ifndef GOL_TEXT_HF_HF_FILES_H
#define GOL_TEXT_HF_HF_FILES_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "formats/gguf.h"
#include "formats/model_file.h"
#include "text/tokenizer.h"

/*  X(field, metadata key, file name) */
#define GOL_HFTOK_FILES(X)                                                                         \
    X(tokenizer_json, "gollum.hf.tokenizer_json", "tokenizer.json")                                \
    X(tokenizer_config_json, "gollum.hf.tokenizer_config_json", "tokenizer_config.json")           \
    X(vocab_json, "gollum.hf.vocab_json", "vocab.json")                                            \
    X(merges_txt, "gollum.hf.merges_txt", "merges.txt")                                            \
    X(vocab_txt, "gollum.hf.vocab_txt", "vocab.txt")                                               \
    X(tokenizer_model, "gollum.hf.tokenizer_model", "tokenizer.model")                             \
    X(special_tokens_map_json, "gollum.hf.special_tokens_map_json", "special_tokens_map.json")     \
    X(added_tokens_json, "gollum.hf.added_tokens_json", "added_tokens.json")

/* data NULL: the folder has no such file. */
typedef struct gol_hftok_files {
#define GOL_HFTOK_FIELD(field, key, file_name) gol_str field;
    GOL_HFTOK_FILES(GOL_HFTOK_FIELD)
#undef GOL_HFTOK_FIELD
} gol_hftok_files;

/* The files that a model file has as metadata; views. 1: some that a tokenizer can be made of, 0: none, GOL_EMODEL. */
int gol_hftok_files_find(gol_hftok_files *out, const gol_model_file *file, gol_err *err);

/* The bytes may go afterwards. Errors: GOL_EMODEL and GOL_EUNSUPPORTED (the message begins with the file's name and names the field),
 * GOL_ETOOLARGE, GOL_ENOMEM. */
int gol_hftok_create(gol_tokenizer **out, const gol_hftok_files *files, gol_err *err);

/* The same tokenizer as keys of a GGUF file: tokenizer.ggml.*. Errors as above; GOL_EUNSUPPORTED where GGUF has no words for what the
 * tokenizer does. n_rows: of the embedding; fillers are put behind the tokens
 * until there are as many; 0: none. */
int gol_hftok_write(const gol_hftok_files *files, size_t n_rows, gol_gguf_writer *w, gol_err *err);

#endif
