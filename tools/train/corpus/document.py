"""What the generators of subjects make, and what they share: turns, documents, and the ways people write a question."""
from __future__ import annotations

import random
from dataclasses import dataclass

Rng = random.Random

END_OF_TEXT, SYSTEM, USER, ASSISTANT, END = SPECIALS = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")


@dataclass(frozen=True)
class Turn:
    """A question and its answer; `topic` tells a following turn what it may refer to."""

    question: str
    answer: str
    topic: str = ""


@dataclass(frozen=True)
class Piece:
    """A part of a document; only pieces that are learned count in the loss."""

    text: str
    is_learned: bool


Document = list[Piece]

HELLOS = ("Hello! ", "Hi, ", "Hey, ", "Hi! ", "Good morning. ", "Excuse me, ", "OK. ", "So, ", "Now, ", "Well, ", "Quick question: ",
          "A question: ", "Please: ", "Gollum, ", "Next: ", "Sorry, ")
THANKS = (" Thanks.", " Thank you!", " Please.", " I forgot.", " I need it for school.", " Just the answer.", " Answer in one sentence.")


def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """With a full stop, unless it ends in one."""
    return text if text.endswith(".") else text + "."


def mistype(rng: Rng, text: str) -> str:
    """Swaps, drops or doubles one letter that has letters on both sides."""
    places = [i for i in range(1, len(text) - 2) if text[i - 1:i + 2].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text
    i = rng.choice(places)
    change = (text[i + 1] + text[i], text[i + 1], text[i] + text[i] + text[i + 1])
    return text[:i] + rng.choice(change) + text[i + 2:]


def roughen(rng: Rng, question: str) -> str:
    """A question as somebody may write it: with a greeting, in lower case, without its mark, with a slip of the keys."""
    if rng.random() < 0.12:
        hello = rng.choice(HELLOS)
        starts_sentence = hello.rstrip()[-1] in "!."
        question = hello + (question if starts_sentence or rng.random() < 0.5 else question[:1].lower() + question[1:])
    if rng.random() < 0.06:
        question = question[:-1] + ", please" + question[-1] if question[-1] in "?." else question + " please"
    elif rng.random() < 0.06:
        question += rng.choice(THANKS)
    if rng.random() < 0.12 and question[-1] in "?.":
        question = question[:-1]
    style = rng.random()
    if style < 0.12:
        question = question.lower()
    elif style < 0.13:
        question = question.upper()
    return mistype(rng, question) if rng.random() < 0.04 else question


def plain(rng: Rng, start: str, rest: str) -> Document:
    """A text without roles. Now and then it is learned from its first word on."""
    return [Piece(start, rng.random() < 0.1), Piece(rest, True), Piece(END_OF_TEXT, True)]


def chat(rng: Rng, turns: list[Turn], system: str | None) -> Document:
    """A conversation as the model's template writes it; sometimes with line ends behind the roles, as other programs write this format."""
    gap = "\n" if rng.random() < 0.1 else ""
    pieces = [Piece(SYSTEM + gap + system + END + gap, False)] if system is not None else []
    for turn in turns:
        pieces.append(Piece(USER + gap + turn.question + END + gap + ASSISTANT + gap, False))
        pieces.append(Piece(turn.answer + END, True))
        if gap:
            pieces.append(Piece(gap, False))
    return pieces
