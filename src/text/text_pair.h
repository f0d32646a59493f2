/*
 * A query and a document in one sequence, as a reranker reads them: by the prompt that its file brings (Qwen3-Reranker), or
 * with the tokens between that its vocabulary has for it (BERT and its kin).
 *
 *     gol_str prompt;
 *     rc = gol_text_pair_find_prompt(file, &prompt, &err);
 *     rc = gol_text_pair_encode(tok, &ids, &n_first, prompt, query, document, 0, &err);
 */
#ifndef GOL_TEXT_TEXT_PAIR_H
#define GOL_TEXT_TEXT_PAIR_H

#include "text/tokenizer.h"

/* tokenizer.chat_template.rerank, where {query} and {document} stand for the texts; lives as long as file. data NULL: the file has
 * none. Errors: GOL_EMODEL (the metadata's type, or a prompt without one of the two). */
int gol_text_pair_find_prompt(const gol_model_file *file, gol_str *out, gol_err *err);

/* Appends to ids; *n_first: how many of those belong to the query, with what parts it from the document, and 0 with a prompt, which is one
 * text. flags: GOL_ENCODE_PARSE_SPECIAL or 0, for the two texts; control tokens of the prompt are always tokens. Errors:
 * those of gol_tokenizer_encode(), GOL_EUNSUPPORTED (no prompt, and the model has no separator). On failure ids holds what it held
 * before. */
int gol_text_pair_encode(const gol_tokenizer *tok, gol_ids *ids, size_t *n_first, gol_str prompt,
                         gol_str query, gol_str document, unsigned flags, gol_err *err);

#endif
