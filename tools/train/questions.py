"""The test set: one question of each taught fact in a taught phrasing and one in a held-out one, which no training text has.

    python questions.py > ../../tests/data/demo_model/questions.tsv

Columns: subject, phrasing (taught or held-out), mode (chat, or plain continuation), question, how a right answer ends (alternatives
between bars; the full stop does not count).
"""
from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from corpus import about_gollum, capitals, lists, sums, unknown
from corpus.capitals import COUNTRIES, fill
from corpus.mixture import documents

SEED = 21


class Question(NamedTuple):
    subject: str
    phrasing: str
    mode: str
    text: str
    accepted: tuple[str, ...]


def countries() -> Iterator[Question]:
    for phrasing, forward, backward, statements in (
            ("taught", capitals.FORWARD, capitals.BACKWARD, capitals.STATEMENTS[:9]),
            ("held-out", capitals.FORWARD_HELD_OUT, capitals.BACKWARD_HELD_OUT, capitals.STATEMENTS_HELD_OUT)):
        for i, country in enumerate(COUNTRIES):
            yield Question("capital", phrasing, "chat", fill(forward[i % len(forward)], country), country.capitals)
            yield Question("capital", phrasing, "plain", fill(statements[i % len(statements)][0], country), country.capitals)
            yield Question("country", phrasing, "chat", fill(backward[i % len(backward)], country), (country.name,))


def arithmetic() -> Iterator[Question]:
    for phrasing, patterns in (("taught", sums.QUESTIONS), ("held-out", sums.QUESTIONS_HELD_OUT)):
        for i in range(100):
            a, b = divmod(i, 10)
            yield Question("sum", phrasing, "chat", patterns[i % len(patterns)].format(s=f"{a} + {b}"), (str(a + b),))
            high, low = max(a, b), min(a, b)
            yield Question("difference", phrasing, "chat", patterns[(i + 1) % len(patterns)].format(s=f"{high} - {low}"), (str(high - low),))
            yield Question("product", phrasing, "chat", patterns[(i + 2) % len(patterns)].format(s=f"{a} * {b}"), (str(a * b),))
    for i in range(100):
        a, b = divmod(i, 10)
        yield Question("sum", "taught", "plain", f"What is {a} + {b}?", (str(a + b),))


def small_lists() -> Iterator[Question]:
    def pick(patterns: tuple[str, ...], i: int) -> str:
        return patterns[i % len(patterns)]

    for phrasing, after, before, nth, length, colour, opposite in (
            ("taught", lists.AFTER, lists.BEFORE, lists.NTH, lists.LENGTH, lists.COLOUR, lists.OPPOSITE),
            ("held-out", lists.AFTER_HELD_OUT, lists.BEFORE_HELD_OUT, lists.NTH_HELD_OUT, lists.LENGTH_HELD_OUT, lists.COLOUR_HELD_OUT,
             lists.OPPOSITE_HELD_OUT)):
        turns = [lists.neighbour("day", i, 1, pick(after, i)) for i in range(7)]
        turns += [lists.neighbour("month", i, -1, pick(before, i)) for i in range(12)]
        turns += [lists.nth_month(i, pick(nth, i)) for i in range(12)] + [lists.month_length(i, pick(length, i)) for i in range(12)]
        turns += [lists.colour(thing, pick(colour, i)) for i, thing in enumerate(lists.COLOURS)]
        turns += [lists.opposite(word, pick(opposite, i)) for i, word in enumerate(lists.OPPOSITE_OF)]
        for turn in turns:
            yield Question("list", phrasing, "chat", turn.question, (turn.answer,))


def gollum() -> Iterator[Question]:
    for fact in about_gollum.FACTS:
        yield Question("gollum", "taught", "chat", fact.taught[0], (fact.answer,))
        for text in fact.held_out:
            yield Question("gollum", "held-out", "chat", text, (fact.answer,))


def not_taught() -> Iterator[Question]:
    for text in ("What is the population of Norway?", "What is the capital of Mars?", "Who invented the telephone?", "What time is it?",
                 "What is 345 + 678?", "Tell me the currency of Japan.", "What is the capital of Borvania?", "Tell me a joke."):
        yield Question("unknown", "taught", "chat", text, (unknown.ANSWER,))
    for text in ("Who was the king of France?", "What is the capital of Zandor?", "Can you tell me the population of Peru?",
                 "Can you tell me what 512 - 37 is?", "How heavy is gravity?", "Who reads the news?", "Can you name the highest mountain of Chile?"):
        yield Question("unknown", "held-out", "chat", text, (unknown.ANSWER,))


def questions() -> list[Question]:
    return [*countries(), *arithmetic(), *small_lists(), *gollum(), *not_taught()]


def check_held_out(asked: list[Question], n_documents: int = 50000) -> None:
    """Ends with a message if a held-out question is in the training text."""
    held_out = {q.text.lower() for q in asked if q.phrasing == "held-out"}
    for document in itertools.islice(documents(str(SEED)), n_documents):
        for piece in document:
            for text in re.split(r"<\|\w+\|>\n?", piece.text):
                if text.lower() in held_out:
                    sys.exit(f"questions.py: held out, and yet taught: {text}")


def main() -> None:
    check_held_out(questions())
    print("subject\tphrasing\tmode\tquestion\taccepted")
    for q in questions():
        print(*q[:4], "|".join(q.accepted), sep="\t")


if __name__ == "__main__":
    main()
