"""The network: a llama-architecture decoder, written to be exported without any change of meaning.

Rotary pairs are neighbours (2i, 2i+1) of a head, which is how GGUF's `llama` stores q and k, so weights go out as they are.
"""
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Every row length is a multiple of 32, the block of Q8_0."""

    n_vocab: int = 2048
    n_embd: int = 192
    n_layers: int = 4
    n_heads: int = 6
    n_kv_heads: int = 3
    n_ff: int = 512
    n_ctx: int = 512
    rope_base: float = 10000.0
    eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.n_embd // self.n_heads

    def as_dict(self) -> dict:
        return asdict(self)


class Norm(nn.Module):
    def __init__(self, n: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


def rope_tables(shape: Shape) -> tuple[Tensor, Tensor]:
    """cos and sin, each [n_ctx][head_dim / 2]."""
    freq = shape.rope_base ** (-torch.arange(0, shape.head_dim, 2).double() / shape.head_dim)
    angle = torch.arange(shape.n_ctx).double()[:, None] * freq[None, :]
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [batch][n_tokens][n_heads][head_dim]."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = cos[None, :, None, :], sin[None, :, None, :]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        n, kv = shape.n_embd, shape.n_kv_heads * shape.head_dim
        self.attn_norm = Norm(n, shape.eps)
        self.attn_q = nn.Linear(n, n, bias=False)
        self.attn_k = nn.Linear(n, kv, bias=False)
        self.attn_v = nn.Linear(n, kv, bias=False)
        self.attn_output = nn.Linear(n, n, bias=False)
        self.ffn_norm = Norm(n, shape.eps)
        self.ffn_gate = nn.Linear(n, shape.n_ff, bias=False)
        self.ffn_up = nn.Linear(n, shape.n_ff, bias=False)
        self.ffn_down = nn.Linear(shape.n_ff, n, bias=False)

    def forward(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        s = self.shape
        h = self.attn_norm(x)
        q = rotate(self.attn_q(h).unflatten(-1, (s.n_heads, s.head_dim)), cos, sin).transpose(1, 2)
        k = rotate(self.attn_k(h).unflatten(-1, (s.n_kv_heads, s.head_dim)), cos, sin).transpose(1, 2)
        v = self.attn_v(h).unflatten(-1, (s.n_kv_heads, s.head_dim)).transpose(1, 2)
        group = s.n_heads // s.n_kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.attn_output(out.transpose(1, 2).flatten(-2))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.n_vocab, shape.n_embd)  # also the output matrix
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.n_layers))
        self.output_norm = Norm(shape.n_embd, shape.eps)
        cos, sin = rope_tables(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        nn.init.normal_(self.token_embd.weight, std=0.02)
        for block in self.blk:
            for name, p in block.named_parameters():
                if p.dim() == 2:
                    is_last = name.startswith(("attn_output", "ffn_down"))
                    nn.init.normal_(p, std=p.shape[1] ** -0.5 * (0.5 / shape.n_layers**0.5 if is_last else 0.5))

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids [batch][n_tokens], mask [batch][1][n_tokens][n_tokens], true where a token may look."""
        n = ids.shape[1]
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, mask, self.cos[:n], self.sin[:n])
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.token_embd.weight)

    def n_params(self) -> int:
        return sum(p.numel() for p in self.parameters())
