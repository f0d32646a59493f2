/*
 * How byte-level BPE vocabularies cut a text into words before merging: tokenizer.ggml.pre -> regular expressions. Each
 * expression is applied to every piece that the ones before it left; its matches become pieces, and so do the gaps between
 * them.
 */
#ifndef GOL_TEXT_PRE_PATTERNS_H
#define GOL_TEXT_PRE_PATTERNS_H

#include <stdbool.h>

#include "base/str.h"

enum { GOL_PRE_PATTERNS_MAX = 7 };

/* \d{1,3}(?=(?:\d{3})*\b): groups of three digits, counted from the right. Written so that a run of digits is looked at to its end only
 * where it begins; with a word's character behind it the run is left alone. */
#define GOL_PRE_WORD_CHAR "[\\p{Alphabetic}\\p{M}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}]"
#define GOL_PRE_DIGITS_RIGHT                                                                       \
    "(?<=\\p{Nd})\\p{Nd}{3}|\\p{Nd}++(?=" GOL_PRE_WORD_CHAR                                        \
    ")(*SKIP)(*F)|\\p{Nd}{1,3}(?=(?:\\p{Nd}{3})*+(?!\\p{Nd}))"

typedef struct gol_pre_spec {
    const char *name;                           /* tokenizer.ggml.pre */
    const char *patterns[GOL_PRE_PATTERNS_MAX]; /* NULL-terminated */
    bool ignore_merges; /* a word that is a token is taken as it is, whatever the merges say */
    bool adds_bos;      /* unless tokenizer.ggml.add_bos_token says otherwise */
} gol_pre_spec;

const gol_pre_spec *gol_pre_spec_find(gol_str name); /* NULL: unknown */
const gol_pre_spec *gol_pre_spec_default(void);
/* All of them in order, aliases too; NULL behind the last. */
const gol_pre_spec *gol_pre_spec_at(int i);

#endif
