"""Writes a checkpoint as a GGUF file in 32-bit floats, for `gollum quantize` to make small.

    python export.py DIR OUT.gguf

DIR is the --out of train.py.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import gguf
import torch
from tokenizers import Tokenizer

from corpus.document import END, SPECIALS
from model import Shape
from vocabulary import PRE_TOKENIZER

TEMPLATE = Path(__file__).parent / "chat_template.jinja"


def add_vocabulary(writer: gguf.GGUFWriter, path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))["model"]
    tokens = sorted(kept["vocab"], key=kept["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in kept["merges"]]
    end_of_text, end = kept["vocab"][SPECIALS[0]], kept["vocab"][END]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIALS else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(end_of_text)
    writer.add_eos_token_id(end_of_text)
    writer.add_eot_token_id(end)
    writer.add_pad_token_id(end_of_text)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE.read_text(encoding="utf-8").strip())


def add_model(writer: gguf.GGUFWriter, shape: Shape, weights: dict[str, torch.Tensor]) -> None:
    writer.add_name("gollum demo")
    writer.add_description("demonstration model: capitals, small sums, lists, and how to use gollum; trained from nothing on generated text")
    writer.add_license("apache-2.0")
    writer.add_size_label(f"{sum(w.numel() for w in weights.values()) / 1e6:.1f}M")
    writer.add_languages(["en"])
    writer.add_float32("general.sampling.temp", 0.0)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(shape.n_vocab)
    writer.add_context_length(shape.n_ctx)
    writer.add_embedding_length(shape.n_embd)
    writer.add_block_count(shape.n_layers)
    writer.add_feed_forward_length(shape.n_ff)
    writer.add_head_count(shape.n_heads)
    writer.add_head_count_kv(shape.n_kv_heads)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.eps)
    for name, weight in weights.items():  # the network's names are GGUF's, and so is the order of its rows
        writer.add_tensor(name, weight.float().numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    state = torch.load(args.dir / "checkpoint.pt", weights_only=False)
    tokenizer_path = args.dir / "tokenizer.json"
    Tokenizer.from_file(str(tokenizer_path))  # says what is wrong with it
    writer = gguf.GGUFWriter(args.out, "llama")
    add_model(writer, Shape(**state["shape"]), state["model"])
    add_vocabulary(writer, tokenizer_path)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{args.out}: step {state['step']}, {state['n_tokens']} tokens, {state['seconds'] / 3600:.2f} hours")


if __name__ == "__main__":
    main()
