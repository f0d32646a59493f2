"""Tiny random rerankers with real tokenizers, and what llama.cpp makes of pairs of texts with them.

    python3 tests/golden/make/rerankers.py tests/data/rerank

writes NAME.gguf (matrices in F16), NAME.pairs (a line for each pair: score, token ids, query, document; tabs between) and
NAME.texts (a line for each text: token ids, text, the vector's numbers, pooled as VECTORS says) for a BERT with WordPiece, a BERT
with the tokenizer of XLM-RoBERTa, and a Qwen3 with its reranker's prompt. Needs numpy, gguf and llama-cpp-python. llama.cpp is given the
same values as F32. Pairs are put together as in its example `embedding`.
"""

import os
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np

from llama_cpp_logits import Pooled

N_EMBD = 32
N_HEADS = 4
N_FF = 64
N_LAYERS = 2
N_CTX = 128
VECTORS = {"bert": llama_cpp.LLAMA_POOLING_TYPE_CLS, "xlmr": llama_cpp.LLAMA_POOLING_TYPE_MEAN,
           "qwen3": llama_cpp.LLAMA_POOLING_TYPE_LAST}

NORMAL, UNKNOWN, CONTROL, USER = 1, 2, 3, 4
SPACE = "\u2581"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'-"
WORDS = ["the", "panda", "bear", "what", "is", "a", "of", "capital", "paris", "china", "lives", "in", "and"]
PARTS = ["ing", "er", "ed", "an", "th", "on", "is"]

PAIRS = [
    ("what is a panda?", "The giant panda is a bear that lives in China."),
    ("what is a panda?", "Paris is the capital of France."),
    ("What is a  panda?", ""),
    ("capital of France", "Paris, and only Paris."),
    ("na\u00efve caf\u00e9", "\u00dcber den D\u00e4chern \u2014 1234!"),
    ("a", "the panda and the bear and the panda"),
]

PROMPT = ('<|im_start|>system\nJudge whether the Document meets the requirements based on the Query. Note that the answer can only be '
          '"yes" or "no".<|im_end|>\n<|im_start|>user\n<Query>: {query}\n<Document>: {document}<|im_end|>\n'
          '<|im_start|>assistant\n<think>\n\n</think>\n\n')


class Model:
    def __init__(self, path, arch, plain, n_ctx=N_CTX):
        self.rng = np.random.default_rng(29)
        self.plain = plain
        self.w = gguf.GGUFWriter(path, arch)
        self.w.add_block_count(N_LAYERS)
        self.w.add_context_length(n_ctx)
        self.w.add_embedding_length(N_EMBD)
        self.w.add_feed_forward_length(N_FF)
        self.w.add_head_count(N_HEADS)

    def matrix(self, name, n_out, n_in, scale=1.0):
        x = (self.rng.standard_normal((n_out, n_in)) * scale / np.sqrt(n_in)).astype(np.float16)
        self.w.add_tensor(name, x.astype(np.float32) if self.plain else x)

    def vector(self, name, n, mean=0.0):
        self.w.add_tensor(name, (mean + 0.2 * self.rng.standard_normal(n)).astype(np.float32))

    def linear(self, name, n_out, n_in):
        self.matrix(name + ".weight", n_out, n_in)
        self.vector(name + ".bias", n_out)

    def norm(self, name, has_bias=True):
        self.vector(name + ".weight", N_EMBD, 1.0)
        if has_bias:
            self.vector(name + ".bias", N_EMBD)

    def vocabulary(self, kind, pre, tokens, types, scores=None):
        self.n_vocab = len(tokens)
        self.w.add_tokenizer_model(kind)
        self.w.add_tokenizer_pre(pre)
        self.w.add_token_list(tokens)
        self.w.add_token_types(types)
        if scores:
            self.w.add_token_scores(scores)

    def close(self):
        self.w.write_header_to_file()
        self.w.write_kv_data_to_file()
        self.w.write_tensors_to_file()
        self.w.close()


def bert_block(m):
    for i in range(N_LAYERS):
        b = f"blk.{i}."
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            m.linear(b + name, N_EMBD, N_EMBD)
        m.norm(b + "attn_output_norm")
        m.linear(b + "ffn_up", N_FF, N_EMBD)
        m.linear(b + "ffn_down", N_EMBD, N_FF)
        m.norm(b + "layer_output_norm")


def bert_model(m, n_types):
    m.w.add_layer_norm_eps(1e-5)
    m.w.add_causal_attention(False)
    m.w.add_token_type_count(n_types)
    m.matrix("token_embd.weight", m.n_vocab, N_EMBD, 6.0)
    m.matrix("position_embd.weight", N_CTX, N_EMBD)
    # llama.cpp gives a second text the type of the first, so both are the same here
    row = m.rng.standard_normal(N_EMBD).astype(np.float32)
    m.w.add_tensor("token_types.weight", np.tile(row, (n_types, 1)))
    m.norm("token_embd_norm")
    bert_block(m)
    m.linear("cls", N_EMBD, N_EMBD)
    m.linear("cls.output", 1, N_EMBD)


def write_bert(path, plain):
    m = Model(path, "bert", plain)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    first = [SPACE + t for t in dict.fromkeys([*LETTERS, *WORDS])]
    inner = list(LETTERS) + PARTS
    m.vocabulary("bert", "default", special + first + inner, [CONTROL] * len(special) + [NORMAL] * len(first + inner))
    m.w.add_pad_token_id(0)
    m.w.add_unk_token_id(1)
    m.w.add_bos_token_id(2)
    m.w.add_uint32("tokenizer.ggml.cls_token_id", 2)
    m.w.add_sep_token_id(3)
    m.w.add_mask_token_id(4)
    m.w.add_pooling_type(gguf.PoolingType.RANK)
    bert_model(m, 2)
    m.close()


def write_xlmr(path, plain):
    """As converters leave it: without a pooling_type, positions counted from 0."""
    m = Model(path, "bert", plain)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [SPACE] + [SPACE + t for t in WORDS + list("aT")] + list(LETTERS + LETTERS.upper()[:26]) + PARTS
    pieces = list(dict.fromkeys(pieces))
    scores = [0.0] * 4 + [-2.0 - 0.13 * i if len(p) > 1 else -9.0 - 0.01 * i for i, p in enumerate(pieces)]
    m.vocabulary("t5", "default", special + pieces + ["<mask>"],
                 [CONTROL] * 3 + [UNKNOWN] + [NORMAL] * len(pieces) + [CONTROL], scores + [0.0])
    m.w.add_add_space_prefix(True)
    m.w.add_remove_extra_whitespaces(True)
    m.w.add_bos_token_id(0)
    m.w.add_eos_token_id(2)
    m.w.add_unk_token_id(3)
    m.w.add_sep_token_id(2)
    m.w.add_pad_token_id(1)
    m.w.add_mask_token_id(len(special) + len(pieces))
    m.w.add_add_bos_token(True)
    m.w.add_add_eos_token(True)
    m.w.add_add_sep_token(True)
    bert_model(m, 1)
    m.close()


def byte_letters():
    """GPT-2's letters for the 256 bytes, in order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return [chr(b) if b in plain else chr(256 + others.index(b)) for b in range(256)]


def write_qwen3(path, plain):
    m = Model(path, "qwen3", plain, 512)
    merges = ["t h", "th e", "\u0120 t", "i s", "\u0120 is", "a n", "p an", "\u0120 pan", "\u0120t he", "n o", "\u0120 a"]
    tokens = byte_letters() + [merge.replace(" ", "") for merge in merges]
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    n = len(tokens)
    m.vocabulary("gpt2", "qwen2", tokens + special + ["<think>", "</think>"],
                 [NORMAL] * n + [CONTROL] * 3 + [USER] * 2)
    m.w.add_token_merges(merges)
    m.w.add_eos_token_id(n + 2)
    m.w.add_pad_token_id(n)
    m.w.add_add_bos_token(False)
    m.w.add_chat_template([{"name": "rerank", "template": PROMPT}])
    m.w.add_pooling_type(gguf.PoolingType.RANK)
    m.w.add_classifier_output_labels(["yes", "no"])
    m.w.add_head_count_kv(2)
    m.w.add_key_length(8)
    m.w.add_value_length(8)
    m.w.add_layer_norm_rms_eps(1e-6)
    m.w.add_rope_freq_base(1e6)
    m.matrix("token_embd.weight", m.n_vocab, N_EMBD, 4.0)
    m.norm("output_norm", False)
    for i in range(N_LAYERS):
        b = f"blk.{i}."
        m.norm(b + "attn_norm", False)
        for name, rows in (("attn_q", N_EMBD), ("attn_k", 16), ("attn_v", 16)):
            m.matrix(b + name + ".weight", rows, N_EMBD)
        m.vector(b + "attn_q_norm.weight", 8, 1.0)
        m.vector(b + "attn_k_norm.weight", 8, 1.0)
        m.matrix(b + "attn_output.weight", N_EMBD, N_EMBD)
        m.norm(b + "ffn_norm", False)
        m.matrix(b + "ffn_gate.weight", N_FF, N_EMBD)
        m.matrix(b + "ffn_up.weight", N_FF, N_EMBD)
        m.matrix(b + "ffn_down.weight", N_EMBD, N_FF)
    m.matrix("cls.output.weight", 2, N_EMBD)
    m.close()


def pair_tokens(model, query, document):
    vocab = model.vocab
    prompt = llama_cpp.llama_model_chat_template(model.model, b"rerank")
    if prompt:
        return model.tokens(prompt.decode().replace("{query}", query).replace("{document}", document))
    between = b""
    if llama_cpp.llama_vocab_get_add_eos(vocab):
        between += llama_cpp.llama_vocab_get_text(vocab, llama_cpp.llama_vocab_eos(vocab))
    if llama_cpp.llama_vocab_get_add_sep(vocab):
        between += llama_cpp.llama_vocab_get_text(vocab, llama_cpp.llama_vocab_sep(vocab))
    return model.tokens(query + between.decode() + document)


def write_answers(name, to, path):
    model = Pooled(path, 512)
    with open(f"{to}/{name}.pairs", "w", encoding="utf-8") as f:
        for query, document in PAIRS:
            ids = pair_tokens(model, query, document)
            score = model.values(ids, llama_cpp.LLAMA_POOLING_TYPE_RANK)[0]
            f.write(f"{score:.9g}\t{' '.join(map(str, ids))}\t{query}\t{document}\n")
    with open(f"{to}/{name}.texts", "w", encoding="utf-8") as f:
        for text in (PAIRS[0][1], PAIRS[4][1]):
            ids = model.tokens(text)
            vector = model.values(ids, VECTORS[name])
            f.write(f"{' '.join(map(str, ids))}\t{text}\t{' '.join(f'{x:.9g}' for x in vector)}\n")


def main():
    to = sys.argv[1]
    os.makedirs(to, exist_ok=True)
    for name, write in (("bert", write_bert), ("xlmr", write_xlmr), ("qwen3", write_qwen3)):
        write(f"{to}/{name}.gguf", False)
        with tempfile.TemporaryDirectory() as work:
            write(f"{work}/m.gguf", True)
            write_answers(name, to, f"{work}/m.gguf")


main()
