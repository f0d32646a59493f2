#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets into tests/fuzz/corpus/: small, valid files in which every kind of value
occurs. They are committed; run this again after changing it. The layout is that of ggml's docs/gguf.md."""
import json
import pathlib
import struct
import sys

TESTS = pathlib.Path(__file__).parents[1]
CORPUS = TESTS / "fuzz" / "corpus"
sys.path.insert(0, str(TESTS / "golden" / "make"))
import template_cases_chat  # noqa: E402
import template_cases_families  # noqa: E402
U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARRAY, U64, I64, F64 = range(13)
NUMBERS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", F64: "d"}
TENSOR_F32, TENSOR_Q8_0 = 0, 8


def text(s):
    data = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, v):
    if kind == STR:
        return text(v)
    if kind == ARRAY:
        of, items = v
        return struct.pack("<IQ", of, len(items)) + b"".join(value(of, i) for i in items)
    return struct.pack("<" + NUMBERS[kind], v)


def gguf(meta, tensors, version=3, alignment=32):
    """meta: (key, kind, value); tensors: (name, type, shape with the row first, bytes)."""
    head = struct.pack("<IIQQ", 0x46554747, version, len(tensors), len(meta))
    for key, kind, v in meta:
        head += text(key) + struct.pack("<I", kind) + value(kind, v)
    data = b""
    for name, kind, shape, content in tensors:
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack("<%dQ" % len(shape), *shape)
        head += struct.pack("<IQ", kind, len(data))
        data += content + bytes(-len(content) % alignment)
    return head + bytes(-len(head) % alignment) + data if tensors else head


def write(what, name, data):
    path = CORPUS / what / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def model_files():
    write("model_file", "empty.gguf", gguf([], []))
    write("model_file", "every_value.gguf", gguf(
        [("n.%d" % kind, kind, 1) for kind in NUMBERS] +
        [("s", STR, "caf\u00e9"), ("a.str", ARRAY, (STR, ["a", "", "bc"])), ("a.f32", ARRAY, (F32, [1.0, -0.5])),
         ("a.a", ARRAY, (ARRAY, [(U8, [1, 2]), (STR, ["x"])])), ("general.alignment", U32, 64)],
        [("a.weight", TENSOR_F32, [4, 2], bytes(32)), ("b.weight", TENSOR_Q8_0, [32, 1], bytes(34)),
         ("c.bias", TENSOR_F32, [3], bytes(12))], alignment=64))
    write("model_file", "version2.gguf", gguf([("general.architecture", STR, "llama")],
                                             [("t", TENSOR_F32, [1, 1, 1, 2], bytes(8))], version=2))


def safetensors_files():
    def file(header, data):
        head = json.dumps(header, separators=(",", ":")).encode()
        return struct.pack("<Q", len(head)) + head + data
    two = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "b": {"dtype": "BF16", "shape": [3], "data_offsets": [24, 30]}}
    write("safetensors", "two.safetensors", file(two, bytes(30)))
    write("safetensors", "metadata.safetensors", file({"__metadata__": {"format": "pt"}, **two}, bytes(30)))
    write("safetensors", "small.safetensors", file({"s": {"dtype": "F8_E4M3", "shape": [], "data_offsets": [0, 1]}}, bytes(1)))
    write("safetensors", "hole.safetensors", file({"s": {"dtype": "I8", "shape": [1], "data_offsets": [1, 2]}}, bytes(2)))


def tokenizers():
    pieces = ["<unk>", "<s>", "</s>", "<0x0A>", "<0xC3>", "\u2581", "H", "e", "l", "o", "He", "ll", "Hell", "Hello", "\u2581a"]
    kinds = [2, 3, 3, 6, 6] + [1] * (len(pieces) - 5)
    write("tokenizer", "spm.gguf", gguf(
        [("tokenizer.ggml.model", STR, "llama"), ("tokenizer.ggml.tokens", ARRAY, (STR, pieces)),
         ("tokenizer.ggml.scores", ARRAY, (F32, [-float(i) for i in range(len(pieces))])),
         ("tokenizer.ggml.token_type", ARRAY, (I32, kinds)), ("tokenizer.ggml.bos_token_id", U32, 1),
         ("tokenizer.ggml.eos_token_id", U32, 2), ("tokenizer.ggml.unknown_token_id", U32, 0),
         ("tokenizer.ggml.add_bos_token", BOOL, True), ("tokenizer.ggml.add_eos_token", BOOL, False)], []))
    # GPT-2 writes a byte as one printable character: 0x20, the space, is U+0120.
    pieces = ["H", "e", "l", "o", "\u0120", "a", "1", "He", "ll", "Hell", "Hello", "\u0120a", "<|endoftext|>"]
    write("tokenizer", "gpt2.gguf", gguf(
        [("tokenizer.ggml.model", STR, "gpt2"), ("tokenizer.ggml.pre", STR, "gpt-2"),
         ("tokenizer.ggml.tokens", ARRAY, (STR, pieces)),
         ("tokenizer.ggml.token_type", ARRAY, (I32, [1] * (len(pieces) - 1) + [3])),
         ("tokenizer.ggml.merges", ARRAY, (STR, ["H e", "l l", "He ll", "Hell o", "\u0120 a"])),
         ("tokenizer.ggml.bos_token_id", U32, 12), ("tokenizer.ggml.eos_token_id", U32, 12)], []))


def renumber(node, ids):
    """Members named "id" or "ids" that hold numbers, wherever they stand."""
    if isinstance(node, list):
        for item in node:
            renumber(item, ids)
    elif isinstance(node, dict):
        for key, v in node.items():
            if key == "id" and isinstance(v, int):
                node[key] = ids[v]
            elif key == "ids" and isinstance(v, list):
                node[key] = [ids[i] for i in v]
            elif key in ("sep", "cls") and isinstance(v, list):
                node[key] = [v[0], ids[v[1]]]
            else:
                renumber(v, ids)


def cut_tokenizer(t, n_tokens, n_merges):
    """The same tokenizer with few tokens: the first ones, those that the first merges need, and those that it names."""
    model = t["model"]
    named = {a["content"] for a in t["added_tokens"]} | {model.get("unk_token")}
    if model["type"] == "Unigram":
        kept = [i for i, (piece, _) in enumerate(model["vocab"]) if i < n_tokens or piece in named or i == model["unk_id"]]
        ids = {old: new for new, old in enumerate(kept)}
        model["vocab"] = [model["vocab"][i] for i in kept]
        model["unk_id"] = ids.get(model["unk_id"])
    else:
        by_id = sorted(model["vocab"], key=model["vocab"].get)
        merges = [m.split(" ") if isinstance(m, str) else m for m in model.get("merges", [])[:n_merges]]
        needed = {part for m in merges for part in m}
        affix = model.get("continuing_subword_prefix") or ""
        needed |= {a + b.removeprefix(affix) for a, b in merges}
        kept = [p for i, p in enumerate(by_id) if i < n_tokens or p in named or p in needed]
        ids = {model["vocab"][p]: i for i, p in enumerate(kept)}
        model["vocab"] = {p: i for i, p in enumerate(kept)}
        if "merges" in model:
            model["merges"] = model["merges"][:n_merges]
    n = len(kept)
    for a in t["added_tokens"]:
        if a["id"] not in ids:
            ids[a["id"]] = n
            n += 1
    renumber(t["added_tokens"], ids)
    renumber(t["post_processor"], ids)
    return t


def tokenizer_jsons():
    for path in sorted((TESTS / "data" / "tokenizers").glob("*.json")):
        t = cut_tokenizer(json.loads(path.read_text()), 24, 8)
        write("tokenizer_json", path.name, json.dumps(t, ensure_ascii=False, separators=(",", ":")).encode())


def varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return n, at


def cut_spm(data, n_pieces):
    """A ModelProto of sentencepiece with the first pieces alone: its field 1, again and again."""
    out, at, n = b"", 0, 0
    while at < len(data):
        begin = at
        tag, at = varint(data, at)
        assert tag & 7 == 2
        size, at = varint(data, at)
        at += size
        n += tag >> 3 == 1
        if tag >> 3 != 1 or n <= n_pieces:
            out += data[begin:at]
    return out


def tokenizer_files():
    """The first byte says which files these are (fuzz_tokenizer_files.c), the last 0xFE stands between two of them."""
    for path in sorted((TESTS / "data" / "tokenizers").glob("*.model")):
        write("tokenizer_files", path.name, bytes([0]) + cut_spm(path.read_bytes(), 300 if "bytes" in path.name else 60))
    config = {"add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": False},
              "unk_token": "<unk>", "model_max_length": 1e30, "clean_up_tokenization_spaces": False, "tokenizer_class": "GPT2Tokenizer",
              "added_tokens_decoder": {"0": {"content": "<s>", "special": True}, "9": {"content": "<x>", "special": False, "rstrip": True}}}
    vocab = {p: i for i, p in enumerate(["<s>", "</s>", "<unk>", "a", "b", "\u0120", "ab", "\u0120a", "H"])}
    between = b"\xfe"
    write("tokenizer_files", "bpe", bytes([1]) + json.dumps(vocab).encode() + between + b"#version: 0.2\na b\n\xc4\xa0 a\n")
    write("tokenizer_files", "bpe_config", bytes([2]) + json.dumps(vocab).encode() + between + json.dumps(config).encode())
    config["tokenizer_class"] = "BertTokenizer"
    write("tokenizer_files", "wordpiece", bytes([3]) + b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n##s\n,\nw\n##o\n" + between + json.dumps(config).encode())
    spm = cut_spm((TESTS / "data" / "tokenizers" / "spm_bpe.model").read_bytes(), 60)
    assert between not in json.dumps(config).encode()
    config["tokenizer_class"] = "LlamaTokenizer"
    write("tokenizer_files", "spm_config", bytes([4]) + spm + between + json.dumps(config).encode())
    write("tokenizer_files", "spm_added", bytes([5]) + spm + between + json.dumps({"<x>": 600, "<y>": 601}).encode())
    write("tokenizer_files", "special_map", bytes([6]) + json.dumps(vocab).encode() + between + json.dumps({k: config[k] for k in ("bos_token", "eos_token", "unk_token")}).encode())


def templates():
    """The first byte of an input chooses the conversation (template_context.h)."""
    for module in (template_cases_chat, template_cases_families):
        for i, (name, source) in enumerate(module.TEMPLATES.items()):
            write("template", "%s.jinja" % name.replace(" ", "_"), bytes([i]) + source.encode())


def encodings():
    """The first byte chooses the vocabulary, the second whether control tokens are parsed."""
    sample = "Hello  aab's 12345 \u00e9\u4f60 \u2581<|x|>\r\n\n\t (x)/ 'LL caseHTTP\u00a0<s> <user>word x\u0302 \ufb01".encode()
    for first in range(0, 40, 3):
        write("encode", "sample_%02d" % first, bytes([first, first % 4]) + sample + b"\xff\xe2\x82")


model_files()
tokenizers()
tokenizer_jsons()
tokenizer_files()
safetensors_files()
templates()
encodings()
