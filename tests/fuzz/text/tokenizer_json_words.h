/* What mutations of tokenizer.json put in: the names of its parts and their members, and values that these may have. */
#ifndef TESTS_FUZZ_TEXT_TOKENIZER_JSON_WORDS_H
#define TESTS_FUZZ_TEXT_TOKENIZER_JSON_WORDS_H

#include "fuzz/json_mutations.h"

static const char *const tokenizer_json_values[] = {
    "\"BPE\"",
    "\"Unigram\"",
    "\"WordPiece\"",
    "\"WordLevel\"",
    "\"ByteLevel\"",
    "\"Metaspace\"",
    "\"Sequence\"",
    "\"Split\"",
    "\"Isolated\"",
    "\"Removed\"",
    "\"MergedWithPrevious\"",
    "\"MergedWithNext\"",
    "\"Contiguous\"",
    "\"first\"",
    "\"always\"",
    "\"never\"",
    "\"<0x41>\"",
    "\"\xe2\x96\x81\"",
    "\"##\"",
    "\"<unk>\"",
    "\"a b\"",
    "[\"a\", \"b\"]",
    "[\"a\", -1.5]",
    "{\"a\": 0, \"b\": 1}",
    "{\"a\": 4294967295}",
    "[\"a b\", \"b c\"]",
    "[[\"a\", \"b\"], [\"ab\", \"c\"]]",
    "{\"type\": \"NFC\"}",
    "{\"type\": \"NFKD\"}",
    "{\"type\": \"Lowercase\"}",
    "{\"type\": \"StripAccents\"}",
    "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}",
    "{\"type\": \"Prepend\", \"prepend\": \"\xe2\x96\x81\"}",
    "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\xe2\x96\x81\"}",
    "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \"\"}",
    "{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, "
    "\"strip_accents\": null, \"lowercase\": true}",
    "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}",
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": "
    "true}",
    "{\"type\": \"Metaspace\", \"replacement\": \"\xe2\x96\x81\", \"prepend_scheme\": \"always\", "
    "\"split\": true}",
    "{\"type\": \"Whitespace\"}",
    "{\"type\": \"WhitespaceSplit\"}",
    "{\"type\": \"BertPreTokenizer\"}",
    "{\"type\": \"Punctuation\", \"behavior\": \"Isolated\"}",
    "{\"type\": \"Digits\", \"individual_digits\": true}",
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\s+(?!\\\\S)|\\\\p{L}+|(a|b)*c\"}, "
    "\"behavior\": \"Isolated\", \"invert\": false}",
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a*)*b\"}, \"behavior\": \"Removed\", "
    "\"invert\": true}",
    "{\"type\": \"Sequence\", \"normalizers\": [], \"pretokenizers\": [], \"decoders\": [], "
    "\"processors\": []}",
    "{\"type\": \"ByteFallback\"}",
    "{\"type\": \"Fuse\"}",
    "{\"type\": \"BPEDecoder\", \"suffix\": \"</w>\"}",
    "{\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true}",
    "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": "
    "0}}], \"pair\": [], \"special_tokens\": {}}",
    "{\"id\": 0, \"content\": \"a\", \"single_word\": true, \"lstrip\": true, \"rstrip\": true, "
    "\"normalized\": true, \"special\": true}",
    "{\"Regex\": \"[a-z&&[^b]]\"}",
    "{\"String\": \"\"}",
};

static const char *const tokenizer_json_keys[] = {"type",
                                                  "model",
                                                  "vocab",
                                                  "merges",
                                                  "normalizer",
                                                  "pre_tokenizer",
                                                  "decoder",
                                                  "post_processor",
                                                  "added_tokens",
                                                  "unk_token",
                                                  "unk_id",
                                                  "byte_fallback",
                                                  "fuse_unk",
                                                  "ignore_merges",
                                                  "continuing_subword_prefix",
                                                  "end_of_word_suffix",
                                                  "max_input_chars_per_word",
                                                  "dropout",
                                                  "id",
                                                  "content",
                                                  "special",
                                                  "pattern",
                                                  "behavior",
                                                  "invert",
                                                  "replacement",
                                                  "prepend_scheme",
                                                  "add_prefix_space",
                                                  "use_regex",
                                                  "truncation",
                                                  "padding",
                                                  "version",
                                                  "\\u0000"};

static const json_words tokenizer_json_words = {
    tokenizer_json_values, sizeof tokenizer_json_values / sizeof *tokenizer_json_values,
    tokenizer_json_keys, sizeof tokenizer_json_keys / sizeof *tokenizer_json_keys};

#endif
