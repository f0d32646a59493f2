/*
 * The pre-tokenizer table. Facts, from the models' tokenizer.json files (the Split, Digits, Punctuation and ByteLevel steps)
 * and, where those are no regular expressions, from the forms that llama.cpp gives them. Where llama.cpp approximates an
 * expression (tekken, gpt-4o), the model's own stands here.
 *
 * White space is written \p{White_Space}: \s would also match U+180E in PCRE2.
 */
#include "text/pre_patterns.h"

#include <stddef.h>

#define WS     "\\p{White_Space}"
#define NOT_WS "\\P{White_Space}"

/* GPT-2's own (encoder.py), also what the ByteLevel step of tokenizer.json does. */
#define GPT2                                                                                       \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" WS "\\p{L}\\p{N}]+|" WS "+(?!" NOT_WS       \
    ")|" WS "+"

/* cl100k and its descendants differ in how they group digits. */
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define WORD        "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define OTHERS      " ?[^" WS "\\p{L}\\p{N}]+[\\r\\n]*"
#define BLANKS      WS "*[\\r\\n]+|" WS "+(?!" NOT_WS ")|" WS "+"
#define CL100K      CONTRACTION "|" WORD "|\\p{N}{1,3}|" OTHERS "|" BLANKS
#define QWEN2       CONTRACTION "|" WORD "|\\p{N}|" OTHERS "|" BLANKS

/* o200k: words are cut where lower case turns to upper. */
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED_OF(upper, lower, suffix)                                                             \
    "[^\\r\\n\\p{L}\\p{N}]?" upper "*" lower "+" suffix "|[^\\r\\n\\p{L}\\p{N}]?" upper "+" lower  \
    "*" suffix
#define CASED(suffix) CASED_OF(UPPER, LOWER, suffix)
#define OTHERS_SLASH  " ?[^" WS "\\p{L}\\p{N}]+[\\r\\n/]*"

/* DeepSeek's first generation: cased letters (without modifier and other letters), ASCII and fullwidth punctuation. */
#define CASED_LETTERS                                                                              \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}"                 \
    "\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}"         \
    "\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}"                  \
    "\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}"    \
    "\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}"                 \
    "\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}"                 \
    "\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}"         \
    "\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}"        \
    "\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}"                 \
    "\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}"         \
    "\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}"         \
    "\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"                   \
    "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}"                  \
    "\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}"                 \
    "\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}"                 \
    "\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"             \
    "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}"         \
    "\\x{1E900}-\\x{1E943}"
#define PUNCTUATION                                                                                \
    "!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}"
#define EAST_ASIAN "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
/* "\s+$": a match can only begin where a run begins, and saying so keeps the search linear. */
#define TRAILING_WS "(?<!" WS ")" WS "++$"

#define ASCII_WORD "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
#define DEEPSEEK3                                                                                  \
    ASCII_WORD "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "                                    \
               "?[\\p{P}\\p{S}]+[\\r\\n]*|" BLANKS

/* Digits in groups of three, counted from the right, as GOL_PRE_DIGITS_RIGHT, whatever is behind them. */
#define DIGITS_RIGHT "(?<=\\p{Nd})\\p{Nd}{3}|\\p{Nd}{1,3}(?=(?:\\p{Nd}{3})*+(?!\\p{Nd}))"

/* Kimi K2: o200k's words without ideographs, [A&&[^\p{Han}]] written as what is in none of the other categories. */
#define UPPER_NO_HAN "[^\\p{Ll}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{C}\\p{sc:Han}]"
#define LOWER_NO_HAN "[^\\p{Lu}\\p{Lt}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{C}\\p{sc:Han}]"

/* Bloom and its kin: everything up to white space or one of these marks. */
#define BLOOM " ?[^(" WS "|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"

#define PATTERNS_GPT2                                                                              \
    {                                                                                              \
        GPT2                                                                                       \
    }
#define PATTERNS_DIGITS_GPT2                                                                       \
    {                                                                                              \
        "\\p{N}", GPT2                                                                             \
    }
#define PATTERNS_CL100K                                                                            \
    {                                                                                              \
        CL100K                                                                                     \
    }
#define PATTERNS_QWEN2                                                                             \
    {                                                                                              \
        QWEN2                                                                                      \
    }
#define PATTERNS_GPT4O                                                                             \
    {                                                                                              \
        CASED(CONTRACTION "?") "|\\p{N}{1,3}|" OTHERS_SLASH "|" BLANKS                             \
    }
#define PATTERNS_AYA                                                                               \
    {                                                                                              \
        GOL_PRE_DIGITS_RIGHT, CASED(CONTRACTION "?") "|\\p{N}{1,3}|" OTHERS_SLASH "|" BLANKS       \
    }
#define PATTERNS_TEKKEN                                                                            \
    {                                                                                              \
        CASED("") "|\\p{N}|" OTHERS_SLASH "|" BLANKS                                               \
    }
#define PATTERNS_BLOOM                                                                             \
    {                                                                                              \
        BLOOM                                                                                      \
    }
#define PATTERNS_DEEPSEEK3                                                                         \
    {                                                                                              \
        "\\p{N}{1,3}", "[" KANA_HAN "]+", DEEPSEEK3                                                \
    }
#define PATTERNS_BAILING                                                                           \
    {                                                                                              \
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^" WS                      \
        "\\p{L}\\p{N}]++[\\r\\n]*|" WS "*[\\r\\n]|" WS "+(?!" NOT_WS ")|" WS "+"                   \
    }

/* Jais 2: white space in powers of two. */
#define BLANKS_OF(n) WS "{" n "}(?!" NOT_WS ")|"
#define BLANKS_JAIS2                                                                               \
    BLANKS_OF("512")                                                                               \
    BLANKS_OF("256")                                                                               \
    BLANKS_OF("128")                                                                               \
    BLANKS_OF("64")                                                                                \
    BLANKS_OF("32") BLANKS_OF("16") BLANKS_OF("8") BLANKS_OF("4") BLANKS_OF("1,2") WS

/* Trinity: scripts that are written without spaces. */
#define ASIAN                                                                                      \
    "[\\x{4E00}-\\x{9FFF}\\x{3400}-\\x{4DBF}\\x{F900}-\\x{FAFF}\\x{3040}-\\x{309F}\\x{30A0}-"      \
    "\\x{30FF}\\x{FF65}-\\x{FF9F}\\x{2F00}-\\x{2FDF}\\x{E40}-\\x{E7F}\\x{E80}-\\x{EFF}\\x{1780}-"  \
    "\\x{17FF}\\x{1000}-\\x{109F}\\x{AA60}-\\x{AA7F}\\x{A9E0}-\\x{A9FF}\\x{AC00}-\\x{D7AF}\\x{"    \
    "1100}-"                                                                                       \
    "\\x{11FF}]"
#define KANA_HAN "\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}"

/* The first is the default. */
static const gol_pre_spec specs[] = {
    {.name = "default", .patterns = {"[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"}},
    {.name = "gpt-2", .patterns = PATTERNS_GPT2},
    {.name = "llama-bpe", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "qwen2", .patterns = PATTERNS_QWEN2},
    {.name = "falcon", .patterns = {"[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]"}},
    {.name = "deepseek-llm",
     .patterns = {"[\\r\\n]", WS "?[" CASED_LETTERS "]+", WS "?[" PUNCTUATION "]+", TRAILING_WS,
                  EAST_ASIAN, "\\p{N}+"}},
    {.name = "deepseek-coder",
     .patterns = {"[\\r\\n]", WS "?\\p{L}+", WS "?\\p{P}+", EAST_ASIAN, "\\p{N}"}},
    {.name = "deepseek-v3", .patterns = PATTERNS_DEEPSEEK3},
    {.name = "starcoder", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "refact", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "mpt", .patterns = PATTERNS_GPT2},
    {.name = "smollm", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "tekken", .patterns = PATTERNS_TEKKEN, .ignore_merges = true, .adds_bos = true},
    {.name = "gpt-4o", .patterns = PATTERNS_GPT4O},
    /* The rest share one of these. */
    {.name = "llama3", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "llama-v3", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "falcon3", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "falcon-h1", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "pixtral", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "midm-2.0", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "lfm2", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "dbrx", .patterns = PATTERNS_CL100K},
    {.name = "smaug-bpe", .patterns = PATTERNS_CL100K},
    {.name = "chatglm-bpe", .patterns = PATTERNS_CL100K},
    {.name = "glm4", .patterns = PATTERNS_CL100K, .ignore_merges = true},
    {.name = "glm5", .patterns = PATTERNS_CL100K, .ignore_merges = true},
    {.name = "jina-v5-nano", .patterns = PATTERNS_CL100K, .ignore_merges = true, .adds_bos = true},
    {.name = "minicpm5",
     .patterns = {"\\p{N}{1,3}", CONTRACTION "|" WORD "|\\p{N}+|" OTHERS "|" BLANKS},
     .ignore_merges = true},
    {.name = "jais-2",
     .patterns = {CONTRACTION "|" WORD "|\\p{N}{1,3}|" OTHERS "|" WS "*[\\r\\n]+|" BLANKS_JAIS2}},
    {.name = "stablelm2", .patterns = PATTERNS_QWEN2},
    {.name = "deepseek-r1-qwen", .patterns = PATTERNS_QWEN2},
    {.name = "megrez", .patterns = PATTERNS_QWEN2},
    {.name = "hunyuan", .patterns = PATTERNS_QWEN2},
    {.name = "grok-2", .patterns = PATTERNS_QWEN2},
    {.name = "kormo", .patterns = PATTERNS_QWEN2},
    {.name = "f2llmv2", .patterns = PATTERNS_QWEN2},
    {.name = "solar-open", .patterns = PATTERNS_QWEN2},
    {.name = "laguna", .patterns = {"[^\\n]+|[\\n]+", QWEN2}},
    {.name = "ufakzeka", .patterns = {WORD "|\\p{N}|" OTHERS "|" BLANKS}},
    {.name = "qwen35",
     .patterns = {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS
                              "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" BLANKS}},
    {.name = "exaone-moe",
     .patterns = {CONTRACTION
                  "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}\\p{M}*+(?: ?\\p{L}\\p{M}*+)*+|\\p{N}| ?[^" WS
                  "\\p{L}\\p{N}]+[\\r\\n/]?|" WS "*[\\r\\n]|" WS "+(?!" NOT_WS ")|" WS "+"}},
    {.name = "hunyuan-dense", .patterns = PATTERNS_DEEPSEEK3},
    {.name = "hy_v4", .patterns = PATTERNS_DEEPSEEK3},
    {.name = "joyai-llm", .patterns = PATTERNS_DEEPSEEK3},
    {.name = "spark2_5",
     .patterns = {"\\p{N}{1,3}", "[" KANA_HAN "]+",
                  ASCII_WORD "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+|"
                             "[\\r\\n]|" WS "+(?!" NOT_WS ")|" WS "+",
                  "\\p{N}"}},
    {.name = "afmoe",
     .patterns = {"\\p{N}+", "(?<=\\p{N})\\p{N}{3}|\\p{N}{1,3}(?=(?:\\p{N}{3})*+(?!\\p{N}))",
                  ASIAN "+", DEEPSEEK3}},
    {.name = "youtu",
     .patterns =
         {"[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+|[\\x{FF01}\\x{2026}\\x{201C}\\x{201D}\\x{2018}"
          "\\x{2019}\\x{2014}\\x{FF1A}\\x{FF1B}\\x{FF0C}\\x{3001}-\\x{303F}\\x{FE30}-\\x{FE4F}]+|"
          "[\\x{3105}-\\x{312F}]+|[" KANA_HAN "]+",
          CASED(CONTRACTION "?") "|\\p{N}|" OTHERS_SLASH "|" BLANKS},
     .ignore_merges = true},
    {.name = "llama4", .patterns = PATTERNS_GPT4O},
    {.name = "kanana2", .patterns = PATTERNS_GPT4O},
    {.name = "talkie", .patterns = PATTERNS_GPT4O},
    {.name = "minimax-m2", .patterns = PATTERNS_GPT4O},
    {.name = "granite-embed-multi-97m", .patterns = PATTERNS_GPT4O, .ignore_merges = true},
    {.name = "tiny_aya", .patterns = PATTERNS_AYA},
    {.name = "cohere2moe", .patterns = PATTERNS_AYA},
    {.name = "superbpe", .patterns = {"\\p{N}+", DIGITS_RIGHT}},
    {.name = "kimi-k2",
     .patterns = {"[\\p{sc:Han}]+|" CASED_OF(UPPER_NO_HAN, LOWER_NO_HAN,
                                             CONTRACTION "?") "|\\p{N}{"
                                                              "1,3}|" OTHERS "|" BLANKS}},
    {.name = "command-r", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "codeshell", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "exaone", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "minerva-7b", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "mellum2", .patterns = PATTERNS_DIGITS_GPT2},
    {.name = "chameleon",
     .patterns = {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", "[\\t\\n]|    |  ", "\\p{N}",
                  "[\\p{P}!-/:-@\\[-`{-~]", GPT2}},
    {.name = "exaone4", .patterns = PATTERNS_GPT2},
    {.name = "phi-2", .patterns = PATTERNS_GPT2},
    {.name = "olmo", .patterns = PATTERNS_GPT2},
    {.name = "jais", .patterns = PATTERNS_GPT2},
    {.name = "jina-es", .patterns = PATTERNS_GPT2},
    {.name = "jina-de", .patterns = PATTERNS_GPT2},
    {.name = "jina-v1-en", .patterns = PATTERNS_GPT2},
    {.name = "jina-v2-es", .patterns = PATTERNS_GPT2},
    {.name = "jina-v2-de", .patterns = PATTERNS_GPT2},
    {.name = "jina-v2-code", .patterns = PATTERNS_GPT2},
    {.name = "roberta-bpe", .patterns = PATTERNS_GPT2},
    {.name = "modern-bert", .patterns = PATTERNS_GPT2},
    {.name = "gigachat", .patterns = PATTERNS_GPT2},
    {.name = "mellum", .patterns = PATTERNS_GPT2},
    {.name = "a.x-4.0", .patterns = PATTERNS_GPT2},
    {.name = "trillion", .patterns = PATTERNS_GPT2},
    {.name = "granite-docling", .patterns = PATTERNS_GPT2},
    {.name = "bailingmoe", .patterns = PATTERNS_BAILING},
    {.name = "bailingmoe2", .patterns = PATTERNS_BAILING},
    {.name = "llada-moe", .patterns = PATTERNS_BAILING},
    {.name = "seed-coder",
     .patterns = {CONTRACTION "|" WORD "|\\p{N}| ?[^" WS "\\p{L}\\p{N}\\r\\n]+|" BLANKS}},
    {.name = "poro-chat", .patterns = PATTERNS_BLOOM},
    {.name = "bloom", .patterns = PATTERNS_BLOOM},
    {.name = "gpt3-finnish", .patterns = PATTERNS_BLOOM},
    {.name = "viking", .patterns = {BLOOM, "\\p{N}"}},
};

enum { N_SPECS = sizeof specs / sizeof specs[0] };

const gol_pre_spec *gol_pre_spec_find(gol_str name)
{
    for (int i = 0; i < N_SPECS; i++) {
        if (gol_str_is(name, specs[i].name))
            return &specs[i];
    }
    return NULL;
}

const gol_pre_spec *gol_pre_spec_default(void)
{
    return &specs[0];
}

const gol_pre_spec *gol_pre_spec_at(int i)
{
    return i >= 0 && i < N_SPECS ? &specs[i] : NULL;
}
