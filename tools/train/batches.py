"""Documents packed into rows. A token looks at its own document alone, so nothing leaks from the neighbours in its row.

Batch n is a function of the seed and n: training that goes on from a checkpoint sees what it would have seen.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from corpus.mixture import documents
from vocabulary import encode

N_TOKENS = 4096  # of a batch
ROW, LONG_ROW = 128, 512
LONG_EVERY = 8  # every so many batches are rows of the whole context, so that long conversations work


@dataclass(frozen=True)
class Batch:
    ids: Tensor  # [n_rows][n_tokens]
    mask: Tensor  # [n_rows][1][n_tokens][n_tokens], true where a token may look
    positions: Tensor  # of learned tokens' predecessors, in the flattened rows
    targets: Tensor  # the learned tokens


def make_batch(tokenizer: Tokenizer, seed: int, index: int) -> Batch:
    is_long = index % LONG_EVERY == LONG_EVERY - 1
    length = LONG_ROW if is_long else ROW
    n_rows = N_TOKENS // length
    rows: list[list[int]] = [[] for _ in range(n_rows)]
    learned: list[list[bool]] = [[] for _ in range(n_rows)]
    owner: list[list[int]] = [[] for _ in range(n_rows)]
    for n, document in enumerate(documents(f"{seed}/{index}", index, is_long)):
        ids, flags = encode(tokenizer, document)
        ids, flags = ids[:length], flags[:length]
        place = next((i for i, row in enumerate(rows) if len(row) + len(ids) <= length), None)
        if place is None:
            break
        rows[place] += ids
        learned[place] += flags
        owner[place] += [n] * len(ids)
    for i in range(n_rows):
        n_pad = length - len(rows[i])
        rows[i] += [0] * n_pad
        learned[i] += [False] * n_pad
        owner[i] += [-1] * n_pad
    ids, flags, owners = torch.tensor(rows), torch.tensor(learned), torch.tensor(owner)
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    mask = (owners[:, :, None] == owners[:, None, :]) & causal
    wanted = torch.zeros_like(flags)
    wanted[:, :-1] = flags[:, 1:]
    return Batch(ids, mask[:, None], wanted.flatten().nonzero()[:, 0], ids[flags])
