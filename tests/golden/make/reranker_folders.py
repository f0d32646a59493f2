#!/usr/bin/env python3
"""Tiny random folders of Qwen3's rerankers, and the scores of Hugging Face's transformers.

    reranker_folders.py tests/data/rerank               writes qwen3_yes_no/, qwen3_scores/ and NAME.pairs
    reranker_folders.py --compare NAME.pairs FILE.gguf  what llama.cpp makes of the same pairs, and how far apart both are

qwen3_yes_no is a Qwen3ForCausalLM whose card is headed as Qwen's: its score is the softmax of the logits of "yes" and "no" behind the
published prompt. qwen3_scores is a Qwen3ForSequenceClassification with one row, of other numbers: the logistic function of its logit.
NAME.pairs has a line for each pair: score, token ids, query, document; tabs between. Needs transformers 5, torch and tokenizers;
--compare needs llama-cpp-python. Development only.
"""
import json
import math
import pathlib
import sys

N_EMBD = 32
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["t h", "th e", "\u0120 t", "i s", "\u0120 is", "a n", "p an", "\u0120 pan", "\u0120t h", "\u0120th e", "n o", "\u0120 a", "e s", "y es"]
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

PAIRS = [
    ("what is a panda?", "The giant panda is a bear that lives in China."),
    ("what is a panda?", "Paris is the capital of France."),
    ("What is a  panda?", ""),
    ("capital of France", "Paris, and only Paris. yes"),
    ("na\u00efve caf\u00e9", "\u00dcber den D\u00e4chern \u2014 1234!"),
]

# As in the model's card
PREFIX = ('<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. '
          'Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n')
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
TASK = "Given a web search query, retrieve relevant passages that answer the query"


def byte_letters():
    """GPT-2's letters for the 256 bytes, in order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return [chr(b) if b in plain else chr(256 + others.index(b)) for b in range(256)]


def make_tokenizer():
    import tokenizers
    from tokenizers import decoders, normalizers, pre_tokenizers
    import transformers
    texts = byte_letters() + [merge.replace(" ", "") for merge in MERGES]
    bpe = tokenizers.models.BPE({t: i for i, t in enumerate(texts)}, [tuple(m.split(" ")) for m in MERGES])
    tokenizer = tokenizers.Tokenizer(bpe)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([tokenizers.AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.add_tokens([tokenizers.AddedToken(t, normalized=False) for t in ("<think>", "</think>")])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=SPECIAL[2], pad_token=SPECIAL[0])


def encode(tokenizer, query, document):
    """Three pieces, as the card's code puts them together."""
    content = f"<Instruct>: {TASK}\n<Query>: {query}\n<Document>: {document}"
    return [i for text in (PREFIX, content, SUFFIX) for i in tokenizer.encode(text, add_special_tokens=False)]


def make_model(name, tokenizer):
    import torch
    import transformers
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer) + 3, hidden_size=N_EMBD, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=512, tie_word_embeddings=True, num_labels=1,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id)
    config._attn_implementation = "eager"
    kind = transformers.Qwen3ForSequenceClassification if name == "qwen3_scores" else transformers.Qwen3ForCausalLM
    model = kind(config).eval().float()
    generator = torch.Generator().manual_seed(31 if name == "qwen3_scores" else 30)
    with torch.no_grad():
        for key, p in sorted(model.named_parameters()):
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(1.0 + 0.2 * noise if "norm" in key else noise * (1.5 / p.shape[-1] ** 0.5))
    return model


CARDS = {
    "qwen3_yes_no": "---\nlicense: apache-2.0\npipeline_tag: text-ranking\n---\n# Qwen3-Reranker-Tiny\n\nRandom numbers, for tests.\n",
    "qwen3_scores": "---\nbase_model:\n- Qwen/Qwen3-Reranker-0.6B\n---\nRandom numbers, for tests.\n",
}


def make(to, name):
    import torch
    tokenizer = make_tokenizer()
    folder = to / name
    model = make_model(name, tokenizer)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "README.md").write_text(CARDS[name])
    config = json.loads((folder / "config.json").read_text())
    config.pop("transformers_version", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    model = type(model).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    answers = [tokenizer.convert_tokens_to_ids(t) for t in ("no", "yes")]
    with open(to / f"{name}.pairs", "w", encoding="utf-8") as f:
        for query, document in PAIRS:
            ids = encode(tokenizer, query, document)
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0]
            if name == "qwen3_scores":
                score = torch.sigmoid(logits[0].double())
            else:
                score = torch.softmax(logits[-1, answers].double(), 0)[1]
            f.write(f"{score:.9g}\t{' '.join(map(str, ids))}\t{query}\t{document}\n")


def compare(pairs, path):
    import llama_cpp
    from llama_cpp_logits import Pooled
    model = Pooled(path, 512)
    prompt = llama_cpp.llama_model_chat_template(model.model, b"rerank").decode()
    worst = 0.0
    for line in pathlib.Path(pairs).read_text(encoding="utf-8").splitlines():
        score, ids, query, document = line.split("\t")
        mine = model.tokens(prompt.replace("{query}", query).replace("{document}", document))
        if list(mine) != [int(i) for i in ids.split()]:
            raise ValueError(f"other tokens: {query} {document}")
        worst = max(worst, math.fabs(model.values(mine, llama_cpp.LLAMA_POOLING_TYPE_RANK)[0] - float(score)))
    print(f"{path}: scores differ by {worst:.2e} at most")


if sys.argv[1] == "--compare":
    compare(*sys.argv[2:])
else:
    for case in CARDS:
        make(pathlib.Path(sys.argv[1]), case)
