#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets into tests/fuzz/corpus/: small, valid GGUF files in which every kind of value
occurs. They are committed; run this again after changing it. The layout is that of ggml's docs/gguf.md."""
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
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


def encodings():
    """The first byte chooses one of eight vocabularies, and above them whether control tokens are parsed."""
    sample = "Hello  aab's 12345 \u00e9\u4f60 \u2581<|x|>\r\n\n\t (x)/ 'LL caseHTTP\u00a0".encode() + b"\xff\xe2\x82"
    for first in (0, 4, 6, 7, 9, 15):
        write("encode", "sample_%d" % first, bytes([first]) + sample)


model_files()
tokenizers()
safetensors_files()
encodings()
