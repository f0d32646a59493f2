"""Very short stories by a grammar."""
from __future__ import annotations

from corpus.document import Document, Rng, Turn, plain, roughen

WHO = ("cat", "dog", "bird", "fox", "bear", "mouse", "rabbit", "frog", "horse", "girl", "boy", "king", "queen", "robot", "fish")
KIND = ("little", "old", "happy", "brave", "quiet", "clever", "hungry", "tired")
NAME = ("Anna", "Ben", "Clara", "David", "Ella", "Finn", "Mia", "Tom")
PLACE = ("in a forest", "by the sea", "on a hill", "in a small house", "in a big city", "near a river")
WANT = (("wanted to find a friend", "had a friend"), ("looked for something to eat", "was full"), ("wanted to see the world", "was home again"),
        ("lost a red ball", "had the ball again"), ("wanted to learn to sing", "could sing"))
HELP = ("cat", "dog", "bird", "fox", "bear", "mouse", "rabbit", "frog", "horse")
END = ("and they laughed together.", "and everybody was happy.", "and slept well that night.", "and never forgot that day.")
ASK = ("Tell me a story.", "Tell me a short story.", "Can you tell me a story?", "Write a story.", "I want to hear a story.", "A story, please.")
ASK_ABOUT = ("Tell me a story about a {x}.", "Write a story about a {x}.", "Can you tell me a story about a {x}?", "A story about a {x}.")


def story(rng: Rng, who: str) -> tuple[str, str]:
    """Its first words, and the rest."""
    want, got = rng.choice(WANT)
    kind = rng.choice(KIND)
    helper = rng.choice([x for x in HELP if x != who])
    name, article = rng.choice(NAME), "an" if kind[0] in "aeiou" else "a"
    return "Once upon a time", (
        f" there was {article} {kind} {who} named {name} who lived {rng.choice(PLACE)}. One day {name} {want}. "
        f"The {rng.choice(KIND)} {helper} came and helped. In the end {name} {got}, {rng.choice(END)}")


def turn(rng: Rng) -> Turn:
    who = rng.choice(WHO)
    question = rng.choice(ASK) if rng.random() < 0.5 else rng.choice(ASK_ABOUT).format(x=who)
    return Turn(roughen(rng, question), "".join(story(rng, who)))


def statement(rng: Rng) -> Document:
    return plain(rng, *story(rng, rng.choice(WHO)))
