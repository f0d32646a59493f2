"""Tiny random recurrent and hybrid models and what llama.cpp answers to them.

    python3 tests/golden/make/mamba2_models.py tests/data

writes NAME.gguf (all tensors in F32) and NAME.logits.f32 ([n_tokens][n_vocab], little-endian) for every model below; the tokens are
TOKENS. Needs numpy, gguf and llama-cpp-python.
"""

import os
import sys

import gguf
import numpy as np

from llama_cpp_logits import logits_of

TOKENS = [3, 17, 8, 8, 31, 0, 22, 5, 39, 12, 26, 4, 19, 3, 17, 8, 30, 1, 11, 2]
N_VOCAB = 40
N_EMBD = 32
N_CTX = 64
D_CONV = 4
D_INNER = 64
D_STATE = 16


class Model:
    def __init__(self, arch, path, n_layers, n_heads, n_groups):
        self.rng = np.random.default_rng(7)
        self.n_heads = n_heads
        self.n_groups = n_groups
        self.w = gguf.GGUFWriter(path, arch)
        self.w.add_block_count(n_layers)
        self.w.add_context_length(N_CTX)
        self.w.add_embedding_length(N_EMBD)
        self.w.add_layer_norm_rms_eps(1e-5)
        self.w.add_vocab_size(N_VOCAB)
        self.w.add_ssm_conv_kernel(D_CONV)
        self.w.add_ssm_inner_size(D_INNER)
        self.w.add_ssm_state_size(D_STATE)
        self.w.add_ssm_time_step_rank(n_heads)
        self.w.add_ssm_group_count(n_groups)
        self.w.add_tokenizer_model("none")
        self.tensor("token_embd.weight", (N_VOCAB, N_EMBD), 1.0)
        self.tensor("output_norm.weight", (N_EMBD,), 0.3, 1.0)

    def tensor(self, name, shape, scale=None, mean=0.0):
        scale = shape[-1] ** -0.5 * 1.5 if scale is None else scale
        values = self.rng.standard_normal(shape) * scale + mean
        self.w.add_tensor(name, values.astype(np.float32))

    def mamba(self, il):
        n_channels = D_INNER + 2 * self.n_groups * D_STATE
        self.tensor(f"blk.{il}.attn_norm.weight", (N_EMBD,), 0.3, 1.0)
        self.tensor(f"blk.{il}.ssm_in.weight", (D_INNER + n_channels + self.n_heads, N_EMBD))
        self.tensor(f"blk.{il}.ssm_conv1d.weight", (n_channels, D_CONV))
        self.tensor(f"blk.{il}.ssm_conv1d.bias", (n_channels,), 0.3)
        self.tensor(f"blk.{il}.ssm_dt.bias", (self.n_heads,), 1.0, -1.0)
        a = -np.exp(self.rng.standard_normal((self.n_heads, 1)))
        self.w.add_tensor(f"blk.{il}.ssm_a", a.astype(np.float32))
        self.tensor(f"blk.{il}.ssm_d", (self.n_heads, 1), 0.5, 1.0)
        self.tensor(f"blk.{il}.ssm_norm.weight", (self.n_groups, D_INNER // self.n_groups), 0.3, 1.0)
        self.tensor(f"blk.{il}.ssm_out.weight", (N_EMBD, D_INNER))

    def attention(self, il, n_heads, n_kv_heads):
        head_dim = N_EMBD // n_heads
        self.tensor(f"blk.{il}.attn_norm.weight", (N_EMBD,), 0.3, 1.0)
        self.tensor(f"blk.{il}.attn_q.weight", (n_heads * head_dim, N_EMBD))
        self.tensor(f"blk.{il}.attn_k.weight", (n_kv_heads * head_dim, N_EMBD))
        self.tensor(f"blk.{il}.attn_v.weight", (n_kv_heads * head_dim, N_EMBD))
        self.tensor(f"blk.{il}.attn_output.weight", (N_EMBD, n_heads * head_dim))

    def ffn(self, il, n_ff):
        self.tensor(f"blk.{il}.ffn_norm.weight", (N_EMBD,), 0.3, 1.0)
        self.tensor(f"blk.{il}.ffn_gate.weight", (n_ff, N_EMBD))
        self.tensor(f"blk.{il}.ffn_up.weight", (n_ff, N_EMBD))
        self.tensor(f"blk.{il}.ffn_down.weight", (N_EMBD, n_ff))

    def close(self):
        self.w.write_header_to_file()
        self.w.write_kv_data_to_file()
        self.w.write_tensors_to_file()
        self.w.close()


def mamba2(path):
    """Groups of heads, as Codestral Mamba has them; heads of 8 numbers."""
    m = Model("mamba2", path, n_layers=2, n_heads=8, n_groups=2)
    m.w.add_feed_forward_length(0)
    m.w.add_head_count(0)
    m.mamba(0)
    m.mamba(1)
    m.close()


def granitehybrid(path):
    """Ends with a recurrent layer, and rotates q and k."""
    m = Model("granitehybrid", path, n_layers=3, n_heads=4, n_groups=1)
    m.w.add_feed_forward_length(48)
    m.w.add_head_count(4)
    m.w.add_head_count_kv([0, 2, 0])
    m.w.add_rope_dimension_count(8)
    m.w.add_rope_scaling_finetuned(True)
    m.w.add_float32("granitehybrid.embedding_scale", 1.5)
    m.w.add_float32("granitehybrid.residual_scale", 0.7)
    m.w.add_float32("granitehybrid.attention.scale", 0.2)
    m.w.add_float32("granitehybrid.logit_scale", 2.5)
    for il in range(3):
        if il == 1:
            m.attention(il, 4, 2)
        else:
            m.mamba(il)
        m.ffn(il, 48)
    m.close()


def main():
    folder = sys.argv[1]
    for make in (mamba2, granitehybrid):
        path = os.path.join(folder, make.__name__ + ".gguf")
        make(path)
        logits_of(path, TOKENS, N_VOCAB, N_CTX).tofile(os.path.join(folder, make.__name__ + ".logits.f32"))


if __name__ == "__main__":
    main()
