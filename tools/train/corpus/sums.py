"""Addition to 12 + 12, subtraction from 20, multiplication to 10 times 10, and counting."""
from __future__ import annotations

from corpus.document import Document, Rng, Turn, plain, roughen

WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
         "nineteen twenty").split()

# Sign, words for it.
PLUS, MINUS, TIMES = ("+", "plus"), ("-", "minus"), ("*", "times")
TIMES_SIGNS = ("*", "*", "x", "×")

QUESTIONS = (
    "What is {s}?", "What is {s}?", "What's {s}?", "{s} = ?", "{s}", "{s}?", "{s} =", "How much is {s}?", "Calculate {s}.", "Compute {s}.",
    "What does {s} make?", "Tell me {s}.", "Can you tell me what {s} is?", "What is the result of {s}?", "What do you get for {s}?",
    "Please work out {s}.", "Do you know what {s} is?", "How much does {s} make?", "I want to know what {s} is.", "Solve {s}.",
    "What is the answer to {s}?", "I have a sum for you: {s}",
)
QUESTIONS_HELD_OUT = ("Can you work out {s}?", "Please tell me what {s} is.", "Do you know how much {s} is?", "Tell me the result of {s}.",
                      "What do I get for {s}?", "Could you calculate {s}?")
ADDITIONS = ("What is the sum of {a} and {b}?", "Add {a} and {b}.", "What do you get if you add {a} and {b}?", "Add {b} to {a}.")
SUBTRACTIONS = ("Take {b} from {a}.", "Subtract {b} from {a}.", "What is left if you take {b} from {a}?")
MULTIPLICATIONS = ("Multiply {a} by {b}.", "What is the product of {a} and {b}?", "What do you get if you multiply {a} by {b}?")
FOLLOW_UP = ("And {s}?", "What about {s}?", "And what is {s}?", "{s}?", "Now {s}.")


def draw(rng: Rng) -> tuple[int, tuple[str, str], int, int]:
    """a, operation, b, result."""
    kind = rng.random()
    if kind < 0.42:
        n = 9 if rng.random() < 0.75 else 12
        a, b = rng.randint(0, n), rng.randint(0, n)
        return a, PLUS, b, a + b
    if kind < 0.74:
        a = rng.randint(0, 20)
        b = rng.randint(0, a)
        return a, MINUS, b, a - b
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    return a, TIMES, b, a * b


def write(rng: Rng, a: int, op: tuple[str, str], b: int) -> str:
    kind = rng.random()
    if kind < 0.15:
        return f"{WORDS[a]} {op[1]} {WORDS[b]}"
    if kind < 0.25:
        return f"{a} {op[1]} {b}"
    sign = rng.choice(TIMES_SIGNS) if op is TIMES else op[0]
    return f"{a}{sign}{b}" if kind < 0.40 else f"{a} {sign} {b}"


def turn(rng: Rng) -> Turn:
    a, op, b, result = draw(rng)
    if rng.random() < 0.12:
        pattern = rng.choice({PLUS: ADDITIONS, MINUS: SUBTRACTIONS, TIMES: MULTIPLICATIONS}[op])
        question = pattern.format(a=a, b=b) if rng.random() < 0.8 else pattern.format(a=WORDS[a], b=WORDS[b])
    else:
        s = write(rng, a, op, b)
        question = rng.choice(QUESTIONS).format(s=s)
    return Turn(roughen(rng, question), str(result), "sum")


def follow_up(rng: Rng) -> Turn:
    a, op, b, result = draw(rng)
    return Turn(rng.choice(FOLLOW_UP).format(s=write(rng, a, op, b)), str(result), "sum")


def counting(rng: Rng) -> Turn:
    n = rng.randint(3, 10)
    question = rng.choice(("Count to {n}.", "Can you count to {n}?", "Please count from one to {n}.", "Count up to {n}."))
    numbers = ", ".join(str(i) for i in range(1, n + 1))
    return Turn(roughen(rng, question.format(n=rng.choice((str(n), WORDS[n])))), numbers + ".")


def statement(rng: Rng) -> Document:
    a, op, b, result = draw(rng)
    s = write(rng, a, op, b)
    kind = rng.random()
    if kind < 0.4:
        return plain(rng, rng.choice(QUESTIONS[:3]).format(s=s), f" {result}")
    return plain(rng, f"{s} =", f" {result}") if kind < 0.7 else plain(rng, f"{s} is", f" {result}")
