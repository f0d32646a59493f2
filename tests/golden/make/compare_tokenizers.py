#!/usr/bin/env python3
"""Compares gollum's ids and texts with those of the `tokenizers` and `sentencepiece` packages on random texts.

    compare_tokenizers.py BUILD [--texts 10000] [--seed 1] [NAME ...]

BUILD is a built tree (for its libgol_*.a). Every case of make_tokenizers.py is run, and each kind of model (byte-level BPE, BPE over
Metaspace, Unigram, WordPiece) plain and behind each normalizer. The texts are of all writings, characters of Unicode 17 included.
Three comparisons a case: ids of the texts, the texts of these ids, and the texts of random ids, whose bytes are no UTF-8 in places.
src/text/README.md says where texts differ on purpose. Ends with 1 if ids differ.

Made for tokenizers 0.23.3 and sentencepiece 0.2.2."""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers as N, pre_tokenizers as P, trainers

import make_tokenizers as make

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]


def text(r):
    return make.text(r) if r.random() < .7 else make.young_text(r)


def normalizers():
    yield "plain", None
    yield "bert", N.BertNormalizer()
    yield "bert_cased", N.BertNormalizer(lowercase=False, strip_accents=True)
    for kind in (N.ByteLevel, N.Lowercase, N.NFC, N.NFD, N.NFKC, N.NFKD, N.Nmt, N.Strip, N.StripAccents):
        yield kind.__name__.lower(), kind()
    yield "precompiled", N.Precompiled(make.charsmap())
    yield "prepend", N.Prepend("▁")
    yield "replace", N.Replace("e", "éé")
    yield "replace_regex", N.Replace(Regex(r"\p{Mn}|\s{2,}|[[:punct:]&&[^'.]]"), "-")
    yield "sequence", N.Sequence([N.NFKD(), N.Lowercase(), N.StripAccents(), N.Strip()])


PRES = [P.BertPreTokenizer(), P.Whitespace(), P.WhitespaceSplit(), P.Punctuation(), P.Digits(True), P.UnicodeScripts(),
        P.FixedLength(length=4), P.CharDelimiterSplit("e"),
        P.Sequence([P.Split(Regex(r"[\p{L}&&[^\p{Han}]]+|[^\w\s]|\h+\b"), "merged_with_previous"), P.UnicodeScripts()])]


def matrix():
    """NAME, the tokenizer."""
    for i, (name, normalizer) in enumerate(normalizers()):
        t = Tokenizer(models.BPE())
        t.normalizer, t.pre_tokenizer, t.decoder = normalizer, P.ByteLevel(add_prefix_space=bool(i % 2)), decoders.ByteLevel()
        yield "bytes+" + name, make.bpe_train(t, vocab=600, alpha=make.ALPHABET)
        t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=bool(i % 2)))
        t.normalizer, t.pre_tokenizer, t.decoder = normalizer, P.Metaspace(prepend_scheme=["always", "first"][i % 2]), decoders.Metaspace()
        yield "metaspace+" + name, make.bpe_train(t, vocab=600, limit_alphabet=150)
        yield "unigram+" + name, make.uni(normalizer, P.Metaspace(split=bool(i % 2)), vocab=500)
        t = make.wp(normalizer, PRES[i % len(PRES)])
        yield "wordpiece+" + name, t


class Checker:
    def __init__(self, build, folder):
        self.folder = pathlib.Path(folder)
        self.tool = self.folder / "encode_texts"
        libs = [f"{build}/libgol_{name}.a" for name in ("text", "formats", "quant", "base")]
        subprocess.run(["cc", "-O1", "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT}/src", "-o", self.tool, HERE / "encode_texts.c", *libs,
                        "-lpcre2-8", "-lutf8proc", "-ljansson", "-lpthread", "-lm"], check=True)

    def run(self, path, mode, lines):
        got = subprocess.run([self.tool, path, mode], input="".join(line + "\n" for line in lines), capture_output=True, text=True)
        if got.returncode != 0:
            raise SystemExit(f"{path.name}: {got.stderr}")
        return got.stdout.split("\n")[:-1]


def report(name, what, texts, got, expected, shown):
    bad = [i for i, (a, b) in enumerate(zip(got, expected)) if a != b]
    for i in bad[:shown]:
        print(f"    {name}: {what} of {texts[i]!r}\n        got      {got[i]!r}\n        expected {expected[i]!r}")
    return len(bad) + abs(len(got) - len(expected))


def compare_json(checker, name, t, texts, seed, shown):
    path = checker.folder / "tokenizer.json"
    path.write_text(t.to_str())
    expected = [e.ids for e in t.encode_batch(texts)]
    got = [line if line.startswith("error") else [int(i) for i in line.split()]
           for line in checker.run(path, "encode", (x.encode().hex() for x in texts))]
    n_ids = report(name, "ids", texts, got, expected, shown)
    r = random.Random(seed)
    wild = [[r.randrange(t.get_vocab_size()) for _ in range(r.randint(1, 12))] for _ in range(len(texts) // 5)]
    counts = []
    for ids in (expected, wild):
        lines = checker.run(path, "decode", (" ".join(map(str, i)) for i in ids))
        plain = [bytes.fromhex(line).decode() for line in lines]
        counts.append(report(name, "text", ids, plain, t.decode_batch(ids), 0))
    print(f"{name:26} ids differ {n_ids:3} of {len(texts)}, their texts {counts[0]:4}, texts of random ids {counts[1]:4} of {len(wild)}",
          flush=True)
    return n_ids


def compare_model(checker, name, model, texts, shown):
    path = checker.folder / "tokenizer.model"
    path.write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    expected = processor.encode(texts)
    got = [[int(i) for i in line.split()] for line in checker.run(path, "plain", (x.encode().hex() for x in texts))]
    n_ids = report(name, "ids", texts, got, expected, shown)
    lines = checker.run(path, "decode", (" ".join(map(str, i)) for i in expected))
    n_texts = report(name, "text", texts, [bytes.fromhex(line).decode() for line in lines], processor.decode(expected), 0)
    print(f"{name:26} ids differ {n_ids:3} of {len(texts)}, their texts {n_texts:4}", flush=True)
    return n_ids


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--texts", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=2)
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    texts = [text(random.Random(args.seed * 1000003 + i)) for i in range(args.texts)]
    n_bad = n_cases = 0
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(args.build, folder)
        cases = [(name, case) for name, case in make.CASES.items()] + [(name, lambda t=t: t) for name, t in matrix()]
        for name, case in cases:
            if not args.names or name in args.names:
                n_bad += compare_json(checker, name, case(), texts, args.seed, args.show)
                n_cases += 1
        for name, kind, options in make.SPM_CASES:
            if not args.names or name in args.names:
                n_bad += compare_model(checker, name, make.train_spm(kind, **options), texts, args.show)
                n_cases += 1
    print(f"{n_cases} tokenizers, {len(texts)} texts each: {n_bad} lists of ids differ")
    sys.exit(n_bad > 0)


main()
