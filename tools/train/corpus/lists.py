"""Days, months, colours, opposites and other small lists."""
from __future__ import annotations

from corpus.document import Rng, Turn, roughen

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
COLOURS = {
    "grass": "green", "snow": "white", "milk": "white", "coal": "black", "blood": "red", "a lemon": "yellow", "a banana": "yellow",
    "the sky": "blue", "a tomato": "red", "a strawberry": "red", "a carrot": "orange", "a pumpkin": "orange", "chocolate": "brown",
    "a frog": "green", "the sun": "yellow", "a crow": "black", "salt": "white", "a leaf": "green", "an elephant": "grey", "the sea": "blue",
}
MIXED = {("blue", "yellow"): "green", ("red", "yellow"): "orange", ("red", "blue"): "purple", ("black", "white"): "grey",
         ("red", "white"): "pink"}
OPPOSITES = (
    "big small, hot cold, up down, left right, day night, black white, good bad, fast slow, old young, happy sad, open closed, rich poor, "
    "hard soft, high low, long short, early late, light dark, wet dry, full empty, strong weak, loud quiet, near far, in out, true false, "
    "first last, easy difficult, thick thin, wide narrow, clean dirty, love hate, begin end, buy sell, push pull, win lose, give take, "
    "always never, all nothing, inside outside, above below, summer winter, sweet bitter, safe dangerous, brave afraid, yes no"
)
PAIRS = [tuple(pair.split()) for pair in OPPOSITES.split(", ")]
OPPOSITE_OF = {a: b for a, b in PAIRS} | {b: a for a, b in PAIRS}

AFTER = ("Which {k} comes after {x}?", "What {k} comes after {x}?", "What is the {k} after {x}?", "Which {k} follows {x}?",
         "Name the {k} after {x}.", "{x} is followed by which {k}?")
AFTER_HELD_OUT = ("Tell me which {k} comes after {x}.", "Do you know which {k} follows {x}?")
BEFORE = ("Which {k} comes before {x}?", "What {k} comes before {x}?", "What is the {k} before {x}?", "Name the {k} before {x}.",
          "Which {k} is just before {x}?")
BEFORE_HELD_OUT = ("Tell me which {k} comes before {x}.", "Do you know what the {k} before {x} is?")
NTH = ("What is the {n} month of the year?", "Which month is the {n}?", "Name the {n} month.", "What is the {n} month?")
NTH_HELD_OUT = ("Tell me the {n} month of the year.",)
LENGTH = ("How many days are in {x}?", "How many days does {x} have?", "How long is {x}?")
LENGTH_HELD_OUT = ("Tell me how many days are in {x}.",)
COLOUR = ("What colour is {x}?", "What color is {x}?", "Which colour does {x} have?", "Tell me the colour of {x}.", "What is the colour of {x}?")
COLOUR_HELD_OUT = ("Do you know what colour {x} is?", "Can you tell me the colour of {x}?")
MIX = ("What colour do {a} and {b} make?", "What do you get if you mix {a} and {b}?", "Mix {a} and {b}.", "{a} and {b} make which colour?")
MIX_HELD_OUT = ("Which colour do you get if you mix {a} and {b}?",)
OPPOSITE = ("What is the opposite of {x}?", "What's the opposite of {x}?", "Opposite of {x}?", "Tell me the opposite of {x}.",
            "Which word is the opposite of {x}?", "Name the opposite of {x}.", "What is the opposite of the word {x}?")
OPPOSITE_HELD_OUT = ("Do you know the opposite of {x}?", "Can you give me the opposite of {x}?")
FIXED = (
    (("How many days are in a week?", "How many days does a week have?", "How many days has a week?"), "A week has 7 days."),
    (("How many months are in a year?", "How many months does a year have?", "How many months are there in a year?"), "A year has 12 months."),
    (("How many days are in a year?", "How many days does a year have?"), "A year has 365 days, a leap year 366."),
    (("Name the days of the week.", "What are the days of the week?", "List the days."), "The days are " + ", ".join(DAYS[:-1]) + " and Sunday."),
    (("Name the months.", "What are the months of the year?", "List the months of the year."), ", ".join(MONTHS[:-1]) + " and December."),
    (("Which days are the weekend?", "What is the weekend?", "Which days are at the weekend?"), "The weekend is Saturday and Sunday."),
    (("What are the seasons?", "Name the four seasons.", "Which seasons are there?"), "The seasons are spring, summer, autumn and winter."),
    (("How many hours are in a day?", "How many hours does a day have?"), "A day has 24 hours."),
    (("How many minutes are in an hour?", "How many minutes does an hour have?"), "An hour has 60 minutes."),
    (("How many legs does a dog have?", "How many legs has a cat?", "How many legs does a horse have?"), "It has four legs."),
)


def neighbour(kind: str, i: int, step: int, pattern: str) -> Turn:
    names = DAYS if kind == "day" else MONTHS
    other = names[(i + step) % len(names)]
    word = "after" if step > 0 else "before"
    return Turn(pattern.format(k=kind, x=names[i]), f"{other} comes {word} {names[i]}.")


def month_length(i: int, pattern: str) -> Turn:
    extra = ", in leap years 29" if i == 1 else ""
    return Turn(pattern.format(x=MONTHS[i]), f"{MONTHS[i]} has {LENGTHS[i]} days{extra}.")


def nth_month(i: int, pattern: str) -> Turn:
    return Turn(pattern.format(n=ORDINALS[i]), f"The {ORDINALS[i]} month is {MONTHS[i]}.")


def colour(thing: str, pattern: str) -> Turn:
    text = f"{thing} is {COLOURS[thing]}."
    return Turn(pattern.format(x=thing), text[0].upper() + text[1:])


def mixture(pair: tuple[str, str], pattern: str) -> Turn:
    a, b = pair
    question = pattern.format(a=a, b=b)
    return Turn(question[0].upper() + question[1:], f"{pair[0].capitalize()} and {pair[1]} make {MIXED[pair]}.")


def opposite(word: str, pattern: str) -> Turn:
    return Turn(pattern.format(x=word), f"The opposite of {word} is {OPPOSITE_OF[word]}.")


def turn(rng: Rng) -> Turn:
    kind = rng.random()
    if kind < 0.30:
        names = ("day", 7) if rng.random() < 0.4 else ("month", 12)
        step = rng.choice((1, -1))
        made = neighbour(names[0], rng.randrange(names[1]), step, rng.choice(AFTER if step > 0 else BEFORE))
    elif kind < 0.38:
        made = month_length(rng.randrange(12), rng.choice(LENGTH))
    elif kind < 0.46:
        made = nth_month(rng.randrange(12), rng.choice(NTH))
    elif kind < 0.62:
        made = colour(rng.choice(list(COLOURS)), rng.choice(COLOUR))
    elif kind < 0.66:
        made = mixture(rng.choice(list(MIXED)), rng.choice(MIX))
    elif kind < 0.94:
        made = opposite(rng.choice(list(OPPOSITE_OF)), rng.choice(OPPOSITE))
    else:
        questions, answer = rng.choice(FIXED)
        made = Turn(rng.choice(questions), answer)
    return Turn(roughen(rng, made.question), made.answer)
