#!/usr/bin/env python3
"""Writes tests/data/tokenizers/: small tokenizers of every kind that tokenizer.json knows, trained here on text made here, and
what the `tokenizers` and `sentencepiece` packages make of some hundred texts.

    NAME.json     a tokenizer.json
    NAME.model    a tokenizer.model of sentencepiece
    texts.hex     one text a line, UTF-8 in hex
    NAME.ids      line i: the ids of text i, with special tokens added (NAME.json) or without (NAME.model)

Made with tokenizers 0.23.3 and sentencepiece 0.2; the last sixty texts have characters up to Unicode 17."""
import io
import json
import pathlib
import random
import unicodedata

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).parents[2] / "data" / "tokenizers"
N_TEXTS = 120
N_YOUNG_TEXTS = 60

WORDS = """the of and to a in is it you that he was for on are with as his they be at one have this from by hot but some what
there we can out other were all your when up use word how said an each she which do their time if will way about many then
them would write like so these her long make thing see him two has look more day could go come did my sound Don't can't I'm
we'll they've naïve café résumé Übung Straße façade""".split()
PHRASES = ["Привет мир как дела", "съешь ещё этих мягких французских булок", "日本語のテキストです", "中文分词测试",
           "한국어 문장을 나눕니다", "Ελληνικά κείμενα", "العربية نص", "עברית", "ภาษาไทย", "हिन्दी पाठ", "tiếng Việt", "½ ² ³ ﬁ ﬂ Ⅻ ①",
           "x̂ ñ é à", "\t\ttab\n\nnew  line", "  spaces   here ", "12345 67 890.12", "foo_bar(baz)[0] += 1;",
           "http://a.b/c?d=e&f=g", "ＦＵＬＬ ｗｉｄｔｈ", "İstanbul ıI ſ"]
WRITTEN = ["<s>", "</s>", "<unk>", "[CLS]", "[SEP]", "<|x|>", "<user>", "<norm>", "<Norm>", "##", "</w>", "<0x41>", "word", "  word "]


def pool(*ranges):
    return [chr(c) for first, end in ranges for c in range(first, end)
            if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co")]


POOLS = [pool((32, 127)), list("aeiou tnshr"), pool((0, 32), (127, 161), (173, 174)), pool((0xA1, 0x250)), pool((0x300, 0x370)),
         pool((0x400, 0x500)), pool((0x590, 0x780)), pool((0x900, 0xA00)), pool((0xE00, 0xE80)), pool((0x1100, 0x1200)),
         pool((0x1E00, 0x2070)), pool((0x2070, 0x2600)), pool((0x3000, 0x3100)), pool((0x4E00, 0x5200)), pool((0xAC00, 0xB000)),
         pool((0xF900, 0xFB50)), pool((0xFB50, 0xFFFD)), pool((0x1D400, 0x1D500)), list("▁ ▁  \n\t"), list("'sStTrRvVmM lLdD")]


def sentence(r):
    return " ".join(r.choice(WORDS) if r.random() < .85 else r.choice(PHRASES) for _ in range(r.randint(3, 20)))


def text(r):
    kind = r.random()
    if kind < .3:
        return sentence(r)
    if kind < .5:
        return "".join(r.choice(r.choice(POOLS)) for _ in range(r.randint(1, 30)))
    if kind < .75:
        return "".join("".join(r.choice(p) for _ in range(r.randint(1, 8))) + r.choice(["", " "])
                       for p in r.choices(POOLS, k=r.randint(1, 8)))
    return "".join(r.choice([r.choice(WORDS), r.choice(PHRASES), r.choice(WRITTEN), " ", "  ", r.choice(r.choice(POOLS))])
                   for _ in range(r.randint(1, 10)))


def everywhere(r):
    """Characters of all planes, the youngest ones often."""
    ranges = [(0x20, 0x7F), (0xA0, 0x530), (0x530, 0x900), (0x860, 0x8FF), (0x900, 0x1000), (0x1000, 0x2000), (0x1AB0, 0x1B00),
              (0x1C80, 0x1D00), (0x1DC0, 0x1E00), (0x2000, 0x2C00), (0x2C00, 0x3400), (0xA640, 0xAC00), (0xA7C0, 0xA800),
              (0xF900, 0xFFFE), (0x10000, 0x11400), (0x10D40, 0x10F00), (0x11380, 0x11400), (0x11B00, 0x12000), (0x16100, 0x17000),
              (0x18CFF, 0x18E00), (0x1AFF0, 0x1B300), (0x1CC00, 0x1D000), (0x1D000, 0x1E000), (0x1DF00, 0x1F000), (0x1F000, 0x20000),
              (0x2A6D0, 0x2A740), (0x2EBE0, 0x2EE60), (0x31340, 0x33480)]
    first, end = r.choice(ranges)
    return "".join(chr(r.randrange(first, end)) for _ in range(r.randint(1, 6)))


def young_text(r):
    return "".join(r.choice([everywhere(r), sentence(r)[:12], " ", "\n", "1٣"]) for _ in range(r.randint(1, 12)))


CORPUS = [sentence(random.Random(i)) for i in range(1000)] + [w.capitalize() + "." for w in WORDS]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()
CASES = {}


def case(make):
    CASES[make.__name__] = make
    return make


RULES = {"ﬁ": "fi", "①": "1", "½": "1/2", "Ⅻ": "XII", "e\u0301": "\u00E9", "ｗ": "w", "\u3000": " ", "\t": " ", "\n": " ",
         "\u1112\u1161\u11AB": "\uD55C", "\u200B": "", "…": "..."}


def train_spm(kind, **options):
    OUT.mkdir(parents=True, exist_ok=True)
    rules = OUT / "rules.tsv"
    rules.write_text("".join("%s\t%s\n" % (" ".join("%X" % ord(c) for c in a), " ".join("%X" % ord(c) for c in b))
                             for a, b in RULES.items()))
    model = io.BytesIO()
    sentences = (line.replace("\n", " ") for line in CORPUS)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=sentences, model_writer=model, model_type=kind, vocab_size=600,
                                             normalization_rule_tsv=str(rules), hard_vocab_limit=False, minloglevel=2,
                                             num_threads=1, **options)
    rules.unlink()
    return model.getvalue()


def charsmap():
    """The map of a sentencepiece model: field 2 of its field 3."""
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(train_spm("unigram"))
    return proto.normalizer_spec.precompiled_charsmap


def added(t, special=True):
    t.add_special_tokens(["<|x|>"])
    t.add_tokens([AddedToken("<user>", normalized=False, lstrip=True, rstrip=True), AddedToken("<Norm>", normalized=True), AddedToken("word", single_word=True, normalized=False)])


def bpe_train(t, vocab=420, alpha=(), special=("<unk>", "<s>", "</s>"), **k):
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=vocab, special_tokens=list(special), initial_alphabet=list(alpha), show_progress=False, **k))
    return t


def template(t, a="<s>", b="</s>"):
    t.post_processor = processors.TemplateProcessing(single=f"{a} $A {b}", pair=None, special_tokens=[(a, t.token_to_id(a)), (b, t.token_to_id(b))])


@case
def gpt2():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<|endoftext|>"])
    added(t)
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


@case
def roberta():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET)
    added(t)
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@case
def llama3():
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>", "</s>"])
    added(t)
    t.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(single="<s> $A", pair=None, special_tokens=[("<s>", 0)])])
    return t


@case
def qwen2():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3.replace("{1,3}", "")), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"])
    added(t)
    return t


@case
def falcon():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"])
    added(t)
    return t


@case
def starcoder():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"])
    return t


@case
def deepseek():
    t = Tokenizer(models.BPE())
    S = pre_tokenizers.Split
    t.pre_tokenizer = pre_tokenizers.Sequence([S(Regex(r"[\r\n]"), "isolated"), S(Regex(r"\s?\p{L}+"), "isolated"), S(Regex(r"\s?\p{P}+"), "isolated"), S(Regex("[一-龥ࠀ-一가-퟿]+"), "isolated"), pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"])
    return t


@case
def gpt4o():
    t = Tokenizer(models.BPE())
    rx = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(rx), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"])
    return t


@case
def llama2():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    bpe_train(t, vocab=500, special=["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)], limit_alphabet=100, max_token_length=16)
    j = json.loads(t.to_str())
    j['added_tokens'] = [a for a in j['added_tokens'] if not a['content'].startswith('<0x')]
    t = Tokenizer.from_str(json.dumps(j))
    added(t)
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair=None, special_tokens=[("<s>", 1)])
    return t


def metaspace(scheme, split, **k):
    t = Tokenizer(models.BPE(unk_token="<unk>", **k))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
    t.decoder = decoders.Metaspace(prepend_scheme=scheme)
    bpe_train(t, limit_alphabet=90)
    added(t)
    return t


@case
def metaspace_always(): return metaspace("always", True)
@case
def metaspace_first(): return metaspace("first", True, fuse_unk=True)
@case
def metaspace_never(): return metaspace("never", False)


@case
def suffix_bpe():
    t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True)])
    t.decoder = decoders.BPEDecoder("</w>")
    return bpe_train(t, end_of_word_suffix="</w>")


@case
def prefix_bpe():
    t = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    return bpe_train(t, continuing_subword_prefix="##")


def wp(norm, pre, dec=None):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = norm
    t.pre_tokenizer = pre
    t.decoder = dec or decoders.WordPiece()
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False, limit_alphabet=120))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


@case
def bert_uncased(): return wp(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())


@case
def bert_cased(): 
    t = wp(normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer())
    added(t)
    return t


@case
def wp_nfkd(): return wp(normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]), pre_tokenizers.Whitespace())
@case
def wp_nfd_split(): return wp(normalizers.Sequence([normalizers.NFD(), normalizers.Strip()]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Digits(False)]))
@case
def wp_nfkc_next(): return wp(normalizers.Sequence([normalizers.NFKC(), normalizers.Nmt()]), pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit(" "), pre_tokenizers.Punctuation("merged_with_next")]))
@case
def wp_contig(): return wp(normalizers.NFC(), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Split("e", "merged_with_next"), pre_tokenizers.Split(Regex("[aou]+"), "merged_with_previous", invert=True)]))


@case
def wordlevel():
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.normalizer = normalizers.Lowercase()
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("removed")])
    t.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False))
    return t


def uni(norm, pre, vocab=300, **k):
    t = Tokenizer(models.Unigram())
    t.normalizer = norm
    t.pre_tokenizer = pre
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=vocab, unk_token="<unk>", special_tokens=["<pad>", "<s>", "</s>", "<unk>"], show_progress=False))
    return t


@case
def t5():
    t = uni(normalizers.Sequence([normalizers.Precompiled(charsmap()), normalizers.Replace(Regex(" {2,}"), " ")]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]))
    added(t)
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair=None, special_tokens=[("</s>", 2)])
    return t


@case
def unigram_plain(): return uni(None, pre_tokenizers.Metaspace(prepend_scheme="always", split=False))


@case
def unigram_bytes():
    t = uni(normalizers.Replace(" ", "▁"), None)
    j = json.loads(t.to_str())
    j['model']['byte_fallback'] = True
    j['model']['vocab'] += [["<0x%02X>" % i, -20.0] for i in range(256)]
    return Tokenizer.from_str(json.dumps(j))


@case
def norm_bytelevel():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()])
    t.decoder = decoders.ByteLevel()
    bpe_train(t, alpha=ALPHABET, special=["<s>"], max_token_length=12)
    return t


@case
def regex_odd():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    S = pre_tokenizers.Split
    t.pre_tokenizer = pre_tokenizers.Sequence([S(Regex(r"(?=[A-Z])"), "isolated"), S(Regex(r"\w+|\h|\W"), "isolated"), S(Regex(r"[a-e[x-z]]{1,2}+"), "isolated"), S(Regex(r"^\p{Letter}|\d++$"), "merged_with_next")])
    return bpe_train(t)


@case
def clip():
    t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    return bpe_train(t, vocab=640, alpha=ALPHABET, end_of_word_suffix="</w>")


@case
def wp_scripts(): return wp(None, pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.WhitespaceSplit()]))
@case
def wp_fixed(): return wp(normalizers.StripAccents(), pre_tokenizers.Sequence([pre_tokenizers.Punctuation("isolated"), pre_tokenizers.FixedLength(length=3)]))


@case
def regex_classes():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    S = pre_tokenizers.Split
    t.pre_tokenizer = pre_tokenizers.Sequence([S(Regex(r"\p{Han}+|[\p{L}\p{M}&&[^\p{Han}]]+"), "isolated"), S(Regex(r"[[:punct:]&&[^'.]]|[\W&&[^\s]]"), "isolated"), S(Regex(r"\b[a-m[^\x00-\x7F]]"), "merged_with_next"), S(Regex(r"\d{1,3}(?=(?:\d{3})*\b)"), "isolated")])
    return bpe_train(t)


@case
def byte_metaspace():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.normalizer = normalizers.Sequence([normalizers.StripAccents(), normalizers.ByteLevel()])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    return bpe_train(t, vocab=500)


@case
def ctc():
    t = Tokenizer(models.WordLevel({c: i for i, c in enumerate(["<pad>", "<unk>", "|"] + list("abcdefghijklmnopqrstuvwxyz'."))}, unk_token="<unk>"))
    t.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "|")])
    t.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    t.decoder = decoders.CTC()
    return t


SPM_CASES = (("spm_unigram", "unigram", {}), ("spm_unigram_bytes", "unigram", {"byte_fallback": True}),
             ("spm_bpe", "bpe", {"byte_fallback": True, "remove_extra_whitespaces": False}),
             ("spm_bpe_plain", "bpe", {"add_dummy_prefix": False, "user_defined_symbols": ["<user>"]}))


def write_ids(name, rows):
    (OUT / (name + ".ids")).write_text("".join(" ".join(map(str, ids)) + "\n" for ids in rows))


def write_json(name, tokenizer):
    compact = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (OUT / (name + ".json")).write_text(compact + "\n")


def main():
    """Tokenizers that are there already are kept as they are: training is not the same everywhere."""
    OUT.mkdir(parents=True, exist_ok=True)
    texts = [text(random.Random(1000 + i)) for i in range(N_TEXTS)] + [young_text(random.Random(i)) for i in range(N_YOUNG_TEXTS)]
    (OUT / "texts.hex").write_text("".join(t.encode().hex() + "\n" for t in texts))
    for name, make in CASES.items():
        if not (OUT / (name + ".json")).exists():
            write_json(name, make())
        tokenizer = Tokenizer.from_file(str(OUT / (name + ".json")))
        write_ids(name, (tokenizer.encode(t).ids for t in texts))
    for name, kind, options in SPM_CASES:
        path = OUT / (name + ".model")
        if not path.exists():
            path.write_bytes(train_spm(kind, **options))
        processor = sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
        write_ids(name, (processor.encode(t) for t in texts))


if __name__ == "__main__":
    main()
