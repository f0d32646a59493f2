"""Which share of the corpus each subject has, and how turns become conversations. The documents of a batch are always the same."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from corpus import about_gollum, capitals, lists, stories, sums, unknown
from corpus.document import Document, Rng, Turn, chat, plain

ANSWERS_AS_TEXT = ((lists.turn, 0.45), (about_gollum.turn, 0.35), (unknown.turn, 0.20))


def answered(rng: Rng) -> Document:
    """A question and its answer as plain text, for those who leave the chat template out."""
    turn = draw(rng, ANSWERS_AS_TEXT)(rng)
    return plain(rng, turn.question, " " + turn.answer)


@dataclass(frozen=True)
class Shares:
    """Of the turns of conversations, and of plain texts."""

    turns: tuple[tuple[Callable[[Rng], Turn], float], ...]
    texts: tuple[tuple[Callable[[Rng], Document], float], ...]


FIRST = Shares(
    turns=((capitals.forward, 0.24), (capitals.backward, 0.14), (sums.turn, 0.26), (lists.turn, 0.13), (about_gollum.turn, 0.11),
           (unknown.turn, 0.06), (about_gollum.greeting, 0.03), (sums.counting, 0.01), (stories.turn, 0.02)),
    texts=((capitals.statement, 0.50), (sums.statement, 0.28), (answered, 0.18), (stories.statement, 0.04)))
# Capitals are learned soon, arithmetic late: it gets more of the time from here on.
N_FIRST_BATCHES = 320
LATER = Shares(
    turns=((capitals.forward, 0.14), (capitals.backward, 0.12), (sums.turn, 0.46), (lists.turn, 0.10), (about_gollum.turn, 0.08),
           (unknown.turn, 0.05), (about_gollum.greeting, 0.02), (sums.counting, 0.01), (stories.turn, 0.02)),
    texts=((capitals.statement, 0.40), (sums.statement, 0.38), (answered, 0.18), (stories.statement, 0.04)))

FOLLOW_UPS = {"capital": capitals.follow_up, "country": capitals.backward, "sum": sums.follow_up}
SYSTEMS = ("You are a helpful assistant.", "You are a helpful assistant.", "You are gollum.", "Answer briefly.", "Be polite and short.",
           "You are a teacher.", "Answer in one sentence.", "You answer questions.", "Help the user.", "You are an expert in geography.")


def draw(rng: Rng, table: tuple) -> Callable:
    return rng.choices([item for item, _ in table], [share for _, share in table])[0]


def next_turn(rng: Rng, shares: Shares, last: Turn | None) -> Turn:
    if last is not None and last.topic and rng.random() < 0.4:
        return FOLLOW_UPS[last.topic](rng)
    return draw(rng, shares.turns)(rng)


def conversation(rng: Rng, shares: Shares, n_turns: int) -> Document:
    turns: list[Turn] = []
    for _ in range(n_turns):
        turns.append(next_turn(rng, shares, turns[-1] if turns else None))
    return chat(rng, turns, rng.choice(SYSTEMS) if rng.random() < 0.25 else None)


def document(rng: Rng, shares: Shares) -> Document:
    if rng.random() < 0.25:
        return draw(rng, shares.texts)(rng)
    return conversation(rng, shares, 1 if rng.random() < 0.85 else rng.randint(2, 4))


def documents(seed: str, batch: int = 0, is_long: bool = False) -> Iterator[Document]:
    """Without end; of the shares of that batch. Long ones are conversations of many turns, for rows of the whole context."""
    rng = Rng(seed)
    shares = FIRST if batch < N_FIRST_BATCHES else LATER
    while True:
        yield conversation(rng, shares, 24) if is_long else document(rng, shares)
