"""Trains the built-in model; goes on from the last checkpoint if there is one.

    python train.py --out DIR [--steps N] [--decay-steps N] [--threads N]

The learning rate is constant until the last --decay-steps of --steps, so a run can be ended well at any time: start again with a
smaller (or larger) --steps.
"""
from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import vocabulary
from batches import ROW, make_batch
from evaluate import accuracy
from model import Llama, Shape
from muon import Muon

SEED = 20
WARMUP = 60
MATRIX_RATE, OTHER_RATE = 0.02, 0.004
SAVE_EVERY_S = 120


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of tokenizer, checkpoint and log")
    parser.add_argument("--steps", type=int, default=1260)
    parser.add_argument("--decay-steps", type=int, default=380)
    parser.add_argument("--evaluate-every", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="let torch.compile write the kernels; needs a C++ compiler")
    return parser.parse_args()


def rate_factor(step: int, n_steps: int, n_decay: int) -> float:
    return min(1.0, (step + 1) / WARMUP, (n_steps - step) / n_decay)


class Run:
    def __init__(self, out: Path) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)
        self.tokenizer = vocabulary.load(out / "tokenizer.json")
        torch.manual_seed(SEED)
        self.model = Llama(replace(Shape(), n_vocab=self.tokenizer.get_vocab_size()))
        matrices = [p for p in self.model.blk.parameters() if p.dim() == 2]
        others = [p for p in self.model.parameters() if not any(p is m for m in matrices)]
        self.optimizers = [Muon(matrices, MATRIX_RATE, weight_decay=0.01), torch.optim.AdamW(others, OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0)]
        self.rates = [MATRIX_RATE, OTHER_RATE]
        self.step, self.seconds, self.n_tokens = 0, 0.0, 0
        path = self.checkpoint_path()
        if path.exists():
            state = torch.load(path, weights_only=False)
            self.model.load_state_dict(state["model"])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self.step, self.seconds, self.n_tokens = state["step"], state["seconds"], state["n_tokens"]

    def checkpoint_path(self) -> Path:
        return self.out / "checkpoint.pt"

    def save(self) -> None:
        fresh = self.out / "checkpoint.tmp"
        torch.save({"shape": self.model.shape.as_dict(), "model": self.model.state_dict(), "step": self.step, "seconds": self.seconds,
                    "n_tokens": self.n_tokens, "optimizers": [o.state_dict() for o in self.optimizers]}, fresh)
        os.replace(fresh, self.checkpoint_path())

    def train_step(self, compiled: Callable[[Tensor, Tensor], Tensor], factor: float) -> float:
        batch = make_batch(self.tokenizer, SEED, self.step)
        hidden = compiled if batch.ids.shape[1] == ROW else self.model.hidden  # long rows are too few to be worth a compilation
        rows = hidden(batch.ids, batch.mask).flatten(0, 1)[batch.positions]
        loss = F.cross_entropy(self.model.logits(rows), batch.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self.n_tokens += batch.ids.numel()
        return loss.item()

    def log(self, **values: object) -> None:
        line = json.dumps({"step": self.step, "tokens": self.n_tokens, "seconds": round(self.seconds), **values})
        print(line, flush=True)
        with open(self.out / "log.jsonl", "a", encoding="utf-8") as f:
            f.write(line + "\n")


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    run = Run(args.out)
    print(f"{run.model.n_params()} parameters, step {run.step}", flush=True)
    compiled = torch.compile(run.model.hidden) if args.compile else run.model.hidden
    saved, losses = time.monotonic(), []
    while run.step < args.steps:
        started = time.monotonic()
        losses.append(run.train_step(compiled, rate_factor(run.step, args.steps, args.decay_steps)))
        run.seconds += time.monotonic() - started
        if run.step % 25 == 0:
            run.log(loss=round(sum(losses) / len(losses), 4))
            losses = []
        if time.monotonic() - saved > SAVE_EVERY_S or run.step == args.steps:
            run.save()
            saved = time.monotonic()
        if run.step % args.evaluate_every == 0 or run.step == args.steps:
            run.log(accuracy=accuracy(run.model, run.tokenizer, limit=None if run.step == args.steps else 60))


if __name__ == "__main__":
    main()
