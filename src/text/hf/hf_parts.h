/*
 * The parts of a tokenizer.json, one reader for each. All take a node, fill what they are given, and fail with GOL_EMODEL (what the
 * file says makes no sense), GOL_EUNSUPPORTED (a kind of step that we do not know) or GOL_ENOMEM, the message beginning with the
 * node's path. What they have put into the pipeline before belongs to it.
 */
#ifndef GOL_TEXT_HF_HF_PARTS_H
#define GOL_TEXT_HF_HF_PARTS_H

#include "text/hf/hf_json.h"
#include "text/pipeline.h"
#include "text/vocab.h"

/* What a pre-tokenizer is for the patterns of GGUF files: the steps as expressions of ours, while they can be said so. */
enum { GOL_HFTOK_PATTERNS_MAX = 8 };

/* What the readers find out beyond the pipeline. */
typedef struct gol_hftok_facts {
    gol_buf patterns[GOL_HFTOK_PATTERNS_MAX];
    int n_patterns;
    bool has_other_steps; /* that are no such expression */
    bool has_byte_steps;  /* ByteLevel among the pre-tokenizer's steps */
    bool bytes_add_space; /* ByteLevel puts a space before */
    bool merges_by_rank;  /* the model has merges */
    gol_prepend_scheme prepend;
    bool has_metaspace;
    bool has_prepend; /* by a normalizer step */
    bool has_bert_normalizer;
    bool bert_lowercases;
    int n_charsmaps;
    double *scores; /* [n_vocab], of a Unigram model; NULL otherwise */
    gol_str charsmap;
    gol_buf charsmap_bytes;
    bool removes_extra_spaces;
    bool strips_left; /* the decoder removes a space that a text begins with */
} gol_hftok_facts;

void gol_hftok_facts_init(gol_hftok_facts *facts);
void gol_hftok_facts_deinit(gol_hftok_facts *facts);

int gol_hftok_read_normalizer(const gol_hftok_node *node, gol_pipeline *pipeline,
                              gol_hftok_facts *facts, gol_err *err);
int gol_hftok_read_pre_tokenizer(const gol_hftok_node *node, gol_pipeline *pipeline,
                                 gol_hftok_facts *facts, gol_err *err);

/* The vocabulary's size comes first: ids of the model and of the added tokens. Texts and types, unknown and byte tokens. */
int gol_hftok_read_vocab(const gol_hftok_node *root, gol_vocab *vocab, gol_hftok_facts *facts,
                         gol_err *err);
/* The word model, with a vocabulary whose types are final. */
int gol_hftok_read_model(const gol_hftok_node *model, const gol_vocab *vocab,
                         gol_pipeline *pipeline, gol_hftok_facts *facts, gol_err *err);
/* "BPE", "Unigram", "WordPiece", "WordLevel": old files do not say it. */
int gol_hftok_model_type(const gol_hftok_node *model, gol_str *out, gol_err *err);

/* Added tokens into the two tries: those looked for in the text, and in the normalized text. */
int gol_hftok_read_added_tokens(const gol_hftok_node *root, const gol_vocab *vocab,
                                gol_special_tokens *raw, gol_pipeline *pipeline, gol_err *err);

/* Ids around a text, and those between two. */
int gol_hftok_read_post_processor(const gol_hftok_node *node, const gol_vocab *vocab,
                                  gol_ids *prefix, gol_ids *suffix, gol_ids *middle, gol_err *err);

/* Every token's piece. */
int gol_hftok_read_decoder(const gol_hftok_node *node, gol_vocab *vocab, gol_hftok_facts *facts,
                           gol_err *err);

/* A "pattern" member: {"String": ...} or {"Regex": ...}. The expression is translated into out. */
int gol_hftok_read_pattern(const gol_hftok_node *from, bool *is_regex, gol_buf *out, gol_err *err);

#endif
