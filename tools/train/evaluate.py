"""Greedy answers of a network in PyTorch to the test questions, while it is trained. The figures that count are those of the test,
which asks gollum with the exported file."""
from __future__ import annotations

import re
from collections import defaultdict

import torch
from tokenizers import Tokenizer

from corpus.document import ASSISTANT, END, SPECIALS, USER
from model import Llama
from questions import Question, questions

N_ANSWER = 40
N_BATCH = 64


def prompt(question: Question) -> str:
    return USER + question.text + END + ASSISTANT if question.mode == "chat" else question.text


def is_right(question: Question, answer: str) -> bool:
    """The answer ends in an accepted text, and that is no part of a longer word."""
    answer = answer.strip().removesuffix(".")
    ends = [end.removesuffix(".") for end in question.accepted]
    return any(answer.endswith(end) and not re.search(r"\w$", answer[:len(answer) - len(end)]) for end in ends)


@torch.no_grad()
def answers(model: Llama, tokenizer: Tokenizer, asked: list[Question]) -> list[str]:
    ends = {tokenizer.token_to_id(SPECIALS[0]), tokenizer.token_to_id(END)}
    out = []
    for start in range(0, len(asked), N_BATCH):
        rows = [[tokenizer.token_to_id(SPECIALS[0])] + tokenizer.encode(prompt(q)).ids for q in asked[start:start + N_BATCH]]
        made: list[list[int]] = [[] for _ in rows]
        open_rows = list(range(len(rows)))
        for _ in range(N_ANSWER):
            n = max(len(rows[i]) for i in open_rows)
            ids = torch.tensor([rows[i] + [0] * (n - len(rows[i])) for i in open_rows])
            mask = torch.ones(n, n, dtype=torch.bool).tril()[None, None]
            last = torch.tensor([len(rows[i]) - 1 for i in open_rows])
            hidden = model.hidden(ids, mask)[torch.arange(len(open_rows)), last]
            for i, token in zip(open_rows, model.logits(hidden).argmax(-1).tolist(), strict=True):
                rows[i].append(token)
                made[i].append(token)
            open_rows = [i for i in open_rows if made[i][-1] not in ends]
            if not open_rows:
                break
        out += [tokenizer.decode(ids) for ids in made]
    return out


def accuracy(model: Llama, tokenizer: Tokenizer, limit: int | None = None) -> dict[str, float]:
    """Share of right answers by subject, mode and phrasing; at most `limit` questions of each, spread evenly."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for q in questions():
        groups[f"{q.subject} {q.mode} {q.phrasing}"].append(q)
    result = {}
    for name, group in groups.items():
        if limit and len(group) > limit:
            group = [group[i * len(group) // limit] for i in range(limit)]
        right = [is_right(q, a) for q, a in zip(group, answers(model, tokenizer, group), strict=True)]
        result[name] = round(sum(right) / len(right), 3)
    return result
