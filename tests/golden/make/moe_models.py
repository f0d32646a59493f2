"""Tiny random mixtures of experts and what llama.cpp answers to them.

    python3 tests/golden/make/moe_models.py tests/data

writes NAME.gguf (matrices in F16) and NAME.logits.f32 ([n_tokens][n_vocab], little-endian) for every model below; the tokens are
TOKENS. Needs numpy, gguf and llama-cpp-python. llama.cpp rounds activations to the type of the weights, so it is given the same
values as F32, and a KV cache in F32.
"""

import os
import sys
import tempfile

import gguf
import numpy as np

from llama_cpp_logits import logits_of

TOKENS = [3, 17, 8, 8, 31, 0, 22, 5, 39, 12, 26, 4, 19, 3, 17, 8, 30, 1, 11, 2]
N_VOCAB = 40
N_EMBD = 32
N_HEADS = 4
N_KV_HEADS = 2
N_FF = 32
N_CTX = 64
N_EXPERTS = 5
N_USED = 2


class Model:
    """A file that is being written: once with matrices in F16, once with the same values in F32."""

    def __init__(self, arch, path, plain, n_layers, head_dim=8):
        self.rng = np.random.default_rng(11)
        self.plain = plain
        self.head_dim = head_dim
        self.n_layers = n_layers
        self.w = gguf.GGUFWriter(path, arch)
        self.w.add_block_count(n_layers)
        self.w.add_context_length(N_CTX)
        self.w.add_embedding_length(N_EMBD)
        self.w.add_feed_forward_length(N_FF)
        self.w.add_head_count(N_HEADS)
        self.w.add_head_count_kv(N_KV_HEADS)
        self.w.add_key_length(head_dim)
        self.w.add_value_length(head_dim)
        self.w.add_layer_norm_rms_eps(1e-5)
        self.w.add_rope_dimension_count(head_dim)
        self.w.add_vocab_size(N_VOCAB)
        self.w.add_expert_count(N_EXPERTS)
        self.w.add_expert_used_count(N_USED)
        self.w.add_tokenizer_model("none")
        self.matrix("token_embd.weight", N_VOCAB, N_EMBD, scale=1.0)
        self.vector("output_norm.weight", N_EMBD, mean=1.0)
        self.matrix("output.weight", N_VOCAB, N_EMBD, scale=0.5)

    def matrix(self, name, *shape, scale=None, f32=False):
        scale = shape[-1] ** -0.5 * 1.5 if scale is None else scale
        values = (self.rng.standard_normal(shape) * scale).astype(np.float16)
        keep = self.plain or f32
        self.w.add_tensor(name, values.astype(np.float32) if keep else values)

    def vector(self, name, *shape, mean=0.0, scale=0.3):
        values = self.rng.standard_normal(shape) * scale + mean
        self.w.add_tensor(name, values.astype(np.float32))

    def attention(self, il, bias=False):
        n_q = N_HEADS * self.head_dim
        n_kv = N_KV_HEADS * self.head_dim
        self.vector(f"blk.{il}.attn_norm.weight", N_EMBD, mean=1.0)
        for name, n in (("q", n_q), ("k", n_kv), ("v", n_kv)):
            self.matrix(f"blk.{il}.attn_{name}.weight", n, N_EMBD)
            if bias:
                self.vector(f"blk.{il}.attn_{name}.bias", n)
        self.matrix(f"blk.{il}.attn_output.weight", N_EMBD, n_q)

    def experts(self, il, n_ff=N_FF):
        self.matrix(f"blk.{il}.ffn_gate_inp.weight", N_EXPERTS, N_EMBD, f32=True)
        self.matrix(f"blk.{il}.ffn_gate_exps.weight", N_EXPERTS, n_ff, N_EMBD)
        self.matrix(f"blk.{il}.ffn_up_exps.weight", N_EXPERTS, n_ff, N_EMBD)
        self.matrix(f"blk.{il}.ffn_down_exps.weight", N_EXPERTS, N_EMBD, n_ff)

    def shared_expert(self, il, n_ff):
        self.matrix(f"blk.{il}.ffn_gate_shexp.weight", n_ff, N_EMBD)
        self.matrix(f"blk.{il}.ffn_up_shexp.weight", n_ff, N_EMBD)
        self.matrix(f"blk.{il}.ffn_down_shexp.weight", N_EMBD, n_ff)

    def close(self):
        self.w.write_header_to_file()
        self.w.write_kv_data_to_file()
        self.w.write_tensors_to_file()
        self.w.close()


def mixtral(path, plain):
    m = Model("llama", path, plain, 1)
    m.attention(0)
    m.vector("blk.0.ffn_norm.weight", N_EMBD, mean=1.0)
    m.experts(0)
    m.close()


def qwen2moe(path, plain):
    m = Model("qwen2moe", path, plain, 1)
    m.w.add_expert_feed_forward_length(N_FF)
    m.w.add_expert_shared_feed_forward_length(48)
    m.attention(0, bias=True)
    m.vector("blk.0.ffn_norm.weight", N_EMBD, mean=1.0)
    m.experts(0)
    m.shared_expert(0, 48)
    m.vector("blk.0.ffn_gate_inp_shexp.weight", N_EMBD)
    m.close()


def granitemoe(path, plain):
    m = Model("granitemoe", path, plain, 1)
    m.w.add_float32("granitemoe.embedding_scale", 1.5)
    m.w.add_float32("granitemoe.residual_scale", 0.7)
    m.w.add_float32("granitemoe.attention.scale", 0.2)
    m.w.add_float32("granitemoe.logit_scale", 2.5)
    m.w.add_expert_shared_feed_forward_length(48)
    m.attention(0)
    m.vector("blk.0.ffn_norm.weight", N_EMBD, mean=1.0)
    m.experts(0)
    m.shared_expert(0, 48)
    m.close()


def gpt_oss(path, plain):
    m = Model("gpt-oss", path, plain, 2)
    m.w.add_expert_feed_forward_length(N_FF)
    m.w.add_sliding_window(6)
    m.w.add_rope_freq_base(150000.0)
    m.w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    m.w.add_rope_scaling_factor(4.0)
    m.w.add_rope_scaling_orig_ctx_len(16)
    for il in range(m.n_layers):
        m.attention(il, bias=True)
        m.vector(f"blk.{il}.attn_output.bias", N_EMBD)
        m.vector(f"blk.{il}.attn_sinks.weight", N_HEADS, scale=1.0)
        m.vector(f"blk.{il}.post_attention_norm.weight", N_EMBD, mean=1.0)
        m.experts(il)
        m.vector(f"blk.{il}.ffn_gate_inp.bias", N_EXPERTS)
        # large enough that some gates and some halves reach their limits
        m.vector(f"blk.{il}.ffn_gate_exps.bias", N_EXPERTS, N_FF, scale=4.0)
        m.vector(f"blk.{il}.ffn_up_exps.bias", N_EXPERTS, N_FF, scale=4.0)
        m.vector(f"blk.{il}.ffn_down_exps.bias", N_EXPERTS, N_EMBD)
    m.close()


def main():
    folder = sys.argv[1]
    for make in (mixtral, qwen2moe, granitemoe, gpt_oss):
        path = os.path.join(folder, make.__name__ + ".gguf")
        make(path, plain=False)
        with tempfile.TemporaryDirectory() as temporary:
            plain = os.path.join(temporary, "plain.gguf")
            make(plain, plain=True)
            logits_of(plain, TOKENS, N_VOCAB, N_CTX).tofile(os.path.join(folder, make.__name__ + ".logits.f32"))


if __name__ == "__main__":
    main()
