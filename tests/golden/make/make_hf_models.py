#!/usr/bin/env python3
"""Small random models in the form of Hugging Face's transformers, and that library's logits.

    make_hf_models.py OUT [NAME...]     NAME: those in MODELS, all without one

Writes OUT/NAME/ as save_pretrained() does (32-bit floats), and in it `tokens` (ids separated by blanks) and `logits.f32`
(little-endian, [n_tokens][n_vocab]). Needs transformers and torch; development only. The folders in tests/data/hf were made by
    make_hf_models.py tests/data/hf llama llama_shards gpt2
"""
import json
import pathlib
import sys

import torch
import transformers

N_TOKENS = 16
BASE = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0,
            tie_word_embeddings=False)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
MOE = dict(num_experts_per_tok=2)

# name: (class of the configuration, class of the model, changes to BASE)
MODELS = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", dict(rope_parameters=LLAMA3, attention_bias=True)),
    "llama_shards": ("LlamaConfig", "LlamaForCausalLM", dict(mlp_bias=True)),
    "mistral": ("MistralConfig", "MistralForCausalLM", dict(sliding_window=None, head_dim=16)),
    "mistral_window": ("MistralConfig", "MistralForCausalLM", dict(sliding_window=8)),
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", dict(tie_word_embeddings=True)),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", dict(tie_word_embeddings=True)),
    "qwen3": ("Qwen3Config", "Qwen3ForCausalLM", dict(head_dim=16)),
    "smollm3": ("SmolLM3Config", "SmolLM3ForCausalLM", dict(num_hidden_layers=4, tie_word_embeddings=True)),
    "olmo2": ("Olmo2Config", "Olmo2ForCausalLM", {}),
    "mixtral": ("MixtralConfig", "MixtralForCausalLM", dict(num_local_experts=4, **MOE)),
    "qwen3moe": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM",
                 dict(num_experts=4, moe_intermediate_size=24, head_dim=8, norm_topk_prob=True, **MOE)),
    "gemma2": ("Gemma2Config", "Gemma2ForCausalLM",
               dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=8, tie_word_embeddings=True)),
    "gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM",
               dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=8, num_hidden_layers=7, tie_word_embeddings=True)),
    "phi3": ("Phi3Config", "Phi3ForCausalLM", dict(sliding_window=None)),
    "granite": ("GraniteConfig", "GraniteForCausalLM",
                dict(logits_scaling=2.0, residual_multiplier=0.5, embedding_multiplier=3.0, attention_multiplier=0.25)),
    "granitemoe": ("GraniteMoeConfig", "GraniteMoeForCausalLM",
                   dict(num_local_experts=4, logits_scaling=2.0, residual_multiplier=0.5, embedding_multiplier=3.0,
                        attention_multiplier=0.25, **MOE)),
    "granitemoeshared": ("GraniteMoeSharedConfig", "GraniteMoeSharedForCausalLM",
                         dict(num_local_experts=4, shared_intermediate_size=40, logits_scaling=2.0, residual_multiplier=0.5,
                              embedding_multiplier=3.0, attention_multiplier=0.25, **MOE)),
    "granitehybrid": ("GraniteMoeHybridConfig", "GraniteMoeHybridForCausalLM",
                      dict(num_local_experts=4, shared_intermediate_size=40, num_hidden_layers=4, mamba_n_heads=8,
                           mamba_d_head=8, mamba_d_state=16, mamba_n_groups=1, mamba_expand=2, mamba_chunk_size=16,
                           layer_types=["mamba", "mamba", "attention", "mamba"], **MOE)),
    "granitehybrid_dense": ("GraniteMoeHybridConfig", "GraniteMoeHybridForCausalLM",
                            dict(num_local_experts=0, shared_intermediate_size=40, num_hidden_layers=4, mamba_n_heads=8,
                                 mamba_d_head=8, mamba_d_state=16, mamba_n_groups=1, mamba_expand=2, mamba_chunk_size=16,
                                 layer_types=["mamba", "mamba", "attention", "mamba"], position_embedding_type="rope")),
    "falcon": ("FalconConfig", "FalconForCausalLM",
               dict(new_decoder_architecture=True, num_kv_heads=2, bias=False, alibi=False, tie_word_embeddings=True)),
    "falcon7": ("FalconConfig", "FalconForCausalLM",
                dict(multi_query=True, parallel_attn=True, bias=False, alibi=False, new_decoder_architecture=False,
                     tie_word_embeddings=True)),
    "starcoder2": ("Starcoder2Config", "Starcoder2ForCausalLM", dict(sliding_window=None, use_bias=True)),
    "gptneox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", dict(rotary_pct=0.25, use_parallel_residual=True)),
    "stablelm": ("StableLmConfig", "StableLmForCausalLM", dict(partial_rotary_factor=0.25, use_qkv_bias=True)),
    "cohere": ("CohereConfig", "CohereForCausalLM", dict(logit_scale=0.25, tie_word_embeddings=True)),
    "cohere2": ("Cohere2Config", "Cohere2ForCausalLM",
                dict(logit_scale=0.25, num_hidden_layers=4, sliding_window=8, tie_word_embeddings=True)),
    "mamba2": ("Mamba2Config", "Mamba2ForCausalLM",
               dict(num_heads=8, head_dim=8, expand=2, state_size=16, n_groups=2, chunk_size=16, tie_word_embeddings=True)),
    "gptoss": ("GptOssConfig", "GptOssForCausalLM",
               dict(head_dim=8, num_local_experts=4, sliding_window=8, **MOE)),
    "bert": ("BertConfig", "BertModel", dict(type_vocab_size=2)),
}


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


def make(out, name):
    config_class, model_class, changes = MODELS[name]
    config = getattr(transformers, config_class)(**{**BASE, **changes})
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = getattr(transformers, model_class)(config).eval().float()
    randomize(model)
    folder = out / name
    model.save_pretrained(folder, max_shard_size="20KB" if name.endswith("_shards") else "5GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    ids = torch.randint(3, config.vocab_size, (1, N_TOKENS), generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        result = model(input_ids=ids) if name == "bert" else model(input_ids=ids, use_cache=False)
    values = result.last_hidden_state if name == "bert" else result.logits
    (folder / "tokens").write_text(" ".join(map(str, ids[0].tolist())) + "\n")
    (folder / "logits.f32").write_bytes(values[0].float().contiguous().numpy().tobytes())
    print(name, json.loads((folder / "config.json").read_text()).get("architectures"), tuple(values.shape))


def main():
    out = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or MODELS:
        try:
            make(out, name)
        except Exception as error:  # a class that this version of the library lacks
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            if sys.argv[2:]:
                raise


if __name__ == "__main__":
    main()
