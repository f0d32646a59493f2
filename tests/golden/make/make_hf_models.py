#!/usr/bin/env python3
"""Small random models in the form of Hugging Face's transformers, and that library's answers.

    make_hf_models.py OUT [NAME...]     NAME: those in hf_cases.py, all without one

Writes OUT/NAME/ as save_pretrained() does (32-bit floats), with config.json in the older form where the case has one, reads it back with
the library, and writes beside it `tokens` (ids separated by blanks) and, little-endian,
    logits.f32     [n_tokens][n_vocab], of models that generate
    states.f32     [n_tokens][n_embd], of encoders: the last layer's
    scores.f32     [n_classes], of classifiers
    n_first        of two texts: tokens of the first one, the others have type 1
    embedding.f32  [n_embd], of folders that say how a text becomes one vector
Needs transformers 5 and torch; development only. The folders in tests/data/hf were made by
    make_hf_models.py tests/data/hf $(make_hf_models.py --committed)
"""
import json
import pathlib
import sys

import safetensors.torch
import tokenizers
import torch
import transformers

from hf_cases import CASES, UNCOMMITTED

N_TOKENS = 16


def randomize(model):
    """Everything gets its own random numbers: biases of zero and norms of one would hide what is not used."""
    generator = torch.Generator().manual_seed(1234)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name.lower() or "ln_" in name:
                parameter.copy_((0.0 if name.endswith("bias") else 1.0) + 0.2 * noise)
            elif name.endswith("A_log"):
                parameter.copy_(torch.log(torch.arange(1, parameter.numel() + 1).float()) + 0.1 * noise)
            elif parameter.dim() < 2:
                parameter.copy_(0.2 * noise)
            else:
                parameter.copy_(noise * (1.5 / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.2))


def change_config(folder, case):
    """Keys as models in use have them, which are older than the library."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for place in (config, config.get("text_config", {})):
        for key in case.get("drop", ()):
            place.pop(key, None)
    where = config["text_config"] if "text_config" in config else config
    where.update(case.get("add", {}))
    config.pop("transformers_version", None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def pool(states, mode):
    """[n_tokens][n_embd] to [n_embd]."""
    return {"mean": states.mean(0), "cls": states[0], "lasttoken": states[-1]}[mode]


def write_modules(folder, case, states):
    """What sentence-transformers put beside a model: a pooling, then linear layers. Returns the vector."""
    mode = case["pooling"]
    n_embd = states.shape[-1]
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
               {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    (folder / "1_Pooling").mkdir(exist_ok=True)
    names = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "lasttoken": "lasttoken"}
    (folder / "1_Pooling/config.json").write_text(json.dumps(
        {"word_embedding_dimension": n_embd, **{f"pooling_mode_{names[m]}": m == mode for m in names},
         "include_prompt": True}, indent=2) + "\n")
    vector = pool(states, mode)
    generator = torch.Generator().manual_seed(99)
    n_in = n_embd
    for i, n_out in enumerate(case.get("dense", ()), 2):
        path = folder / f"{i}_Dense"
        path.mkdir(exist_ok=True)
        weight = torch.randn((n_out, n_in), generator=generator) / n_in ** 0.5
        safetensors.torch.save_file({"linear.weight": weight}, path / "model.safetensors")
        (path / "config.json").write_text(json.dumps(
            {"in_features": n_in, "out_features": n_out, "bias": False,
             "activation_function": "torch.nn.modules.linear.Identity"}, indent=2) + "\n")
        modules.append({"idx": i, "name": str(i), "path": f"{i}_Dense", "type": "sentence_transformers.models.Dense"})
        vector = weight @ vector
        n_in = n_out
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    return vector


def write_tokenizer(folder, n_vocab):
    """Whole words: `gollum embed` wants a tokenizer, if only to be given tokens."""
    vocab = {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2, **{f"w{i}": i for i in range(3, n_vocab)}}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def write_floats(path, values):
    path.write_bytes(values.float().contiguous().numpy().tobytes())


def build(case):
    config = getattr(transformers, case["config"])(**case["changes"])
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = getattr(transformers, case["class"])(config).eval().float()
    randomize(model)
    return model


def answers(model, case, ids):
    """The logits, or the last layer's states."""
    with torch.no_grad():
        if case.get("is_encoder"):
            base = getattr(model, model.base_model_prefix, model)
            return base(input_ids=ids).last_hidden_state[0]
        if case.get("is_classifier"):
            types = torch.arange(N_TOKENS)[None] >= case.get("n_first", N_TOKENS)
            return model(input_ids=ids, token_type_ids=types.long()).logits[0]
        return model(input_ids=ids, use_cache=False).logits[0]


def make(out, name):
    case = CASES[name]
    folder = out / name
    made = build(case)
    made.save_pretrained(folder, max_shard_size="20KB" if name.endswith("_shards") else "5GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    change_config(folder, case)
    model = made
    if not case.get("is_not_read_back"):
        model, info = getattr(transformers, case["class"]).from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        if info["missing_keys"] or info["unexpected_keys"]:
            raise ValueError(f"{info['missing_keys']} {info['unexpected_keys']}")
    n_vocab = model.get_input_embeddings().weight.shape[0]
    ids = torch.randint(3, n_vocab, (1, N_TOKENS), generator=torch.Generator().manual_seed(7))
    values = answers(model.eval(), case, ids)
    (folder / "tokens").write_text(" ".join(map(str, ids[0].tolist())) + "\n")
    kind = "states" if case.get("is_encoder") else "scores" if case.get("is_classifier") else "logits"
    write_floats(folder / f"{kind}.f32", values)
    if case.get("is_classifier"):
        write_tokenizer(folder, n_vocab)
    if "n_first" in case:
        (folder / "n_first").write_text(f"{case['n_first']}\n")
    if case.get("pooling"):
        write_floats(folder / "embedding.f32", write_modules(folder, case, values))
        write_tokenizer(folder, n_vocab)
    print(name, case["class"], tuple(values.shape))


def main():
    if sys.argv[1:] == ["--committed"]:
        print(" ".join(name for name in CASES if name not in UNCOMMITTED))
        return
    out = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        try:
            make(out, name)
        except Exception as error:  # a class that this version of the library lacks
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            if sys.argv[2:]:
                raise


if __name__ == "__main__":
    main()
