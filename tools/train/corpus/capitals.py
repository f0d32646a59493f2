"""Countries and their capitals, asked in both directions. The table is examples/capitals.tsv."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus.document import Document, Rng, Turn, capitalize, plain, roughen, sentence

TABLE = Path(__file__).resolve().parents[3] / "examples" / "capitals.tsv"

# Other names people use. The answer keeps to the table's name.
ALSO = {
    "the United States": ("the USA", "the US", "America", "the United States of America"),
    "the United Kingdom": ("the UK", "Great Britain", "Britain"),
    "the United Arab Emirates": ("the UAE", "the Emirates"),
    "the Czech Republic": ("Czechia",),
    "the Netherlands": ("Holland",),
    "the Democratic Republic of the Congo": ("DR Congo", "Congo-Kinshasa"),
    "the Republic of the Congo": ("Congo-Brazzaville",),
    "Ivory Coast": ("Côte d'Ivoire",),
    "Cape Verde": ("Cabo Verde",),
    "East Timor": ("Timor-Leste",),
    "Eswatini": ("Swaziland",),
    "Myanmar": ("Burma",),
    "North Macedonia": ("Macedonia",),
    "Turkey": ("Türkiye",),
    "Vatican City": ("the Vatican",),
    "São Tomé and Príncipe": ("Sao Tome and Principe",),
    "Saint Kitts and Nevis": ("St. Kitts and Nevis",),
    "Saint Lucia": ("St. Lucia",),
    "Saint Vincent and the Grenadines": ("St. Vincent and the Grenadines",),
    "Bosnia and Herzegovina": ("Bosnia",),
    "Micronesia": ("the Federated States of Micronesia",),
    "Russia": ("the Russian Federation",),
    "China": ("the People's Republic of China",),
    "Ireland": ("the Republic of Ireland",),
}


@dataclass(frozen=True)
class Country:
    name: str
    capitals: tuple[str, ...]  # the first is taught, the others count as right

    @property
    def capital(self) -> str:
        return self.capitals[0]


def read_table() -> list[Country]:
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if line)
    return [Country(name, tuple(capitals.split("|"))) for name, capitals in rows]


COUNTRIES = read_table()
WITH_OTHER_NAMES = [country for country in COUNTRIES if country.name in ALSO]

# {c}: the country, {p}: its possessive, {b}: its name without "the"
FORWARD = (
    "What is the capital of {c}?", "What is the capital of {c}?", "What is the capital city of {c}?", "What's the capital of {c}?",
    "Which city is the capital of {c}?", "What city is the capital of {c}?", "What is {p} capital?", "What is {p} capital city?",
    "What city is {p} capital?", "Which city is {p} capital city?", "Name the capital of {c}.", "Name {p} capital.",
    "Tell me the capital of {c}.", "Tell me {p} capital city.", "Give me the capital city of {c}.", "Can you tell me the capital of {c}?",
    "Can you name the capital city of {c}?", "Could you name {p} capital?", "Could you give me the name of the capital of {c}?",
    "Do you know the capital of {c}?", "Do you know what the capital of {c} is?", "Do you know {p} capital city?",
    "Capital of {c}?", "The capital of {c}?", "{b} capital?", "Capital city of {b}", "{b}: capital?", "The capital city of {c} is?",
    "I want to know the capital of {c}.", "I would like to know what the capital city of {c} is.", "I need to know {p} capital.",
    "What is the name of the capital of {c}?", "What is the name of {p} capital?", "What is the capital called in {c}?",
    "What do you call the capital of {c}?", "In {c}, which city is the capital?", "For {c}, what is the capital?",
    "My friend asks for the capital of {c}.", "Someone asked me what the capital of {c} is.", "Say the capital of {c}.",
    "I forgot which city is the capital of {c}.", "Which city would you call the capital of {c}?", "{c} has which capital?",
    "I am thinking of {c}. What is the capital?", "Let us talk about {c}. Which city is the capital?",
    "If I visit the capital of {c}, which city do I visit?", "Write down the capital of {c}.",
)
FORWARD_HELD_OUT = (
    "Could you tell me what the capital of {c} is?", "Do you know which city is the capital of {c}?", "Tell me which city is {p} capital.",
    "What would you say is the capital of {c}?", "Please name {p} capital city.", "I need the name of the capital city of {c}.",
    "My friend wants to know what the capital city of {c} is.", "I forgot the capital of {c}. What is it?",
    "Can you give me the capital of {c}?", "Which city do you call the capital of {c}?", "What is the capital city in {c} called?",
    "Tell me the name of {p} capital.",
)
BACKWARD = (
    "{t} is the capital of which country?", "{t} is the capital of what country?", "Which country has {t} as its capital?",
    "What country has {t} as its capital city?", "Which country has the capital {t}?", "Of which country is {t} the capital?",
    "What country is {t} the capital of?", "Which country is {t} the capital city of?", "{t} is the capital city of which country?",
    "Tell me which country has {t} as its capital.", "Name the country whose capital is {t}.", "Which country's capital is {t}?",
    "What is {t} the capital of?", "{t} is the capital of?", "Do you know which country has {t} as its capital?",
    "Can you tell me what country {t} is the capital of?", "If {t} is the capital, which country is it?",
    "I am in {t}, the capital of which country?", "The capital is {t}. What is the country?", "Give me the country whose capital city is {t}.",
    "Where is {t}?", "In which country is {t}?", "What is {t}?",
)
BACKWARD_HELD_OUT = (
    "What country's capital is {t}?", "Tell me the country whose capital is {t}.", "Which country has {t} as its capital city?",
    "Do you know what country {t} is the capital of?", "Can you name the country whose capital is {t}?",
    "The capital city is {t}. Which country is it?",
)
FOLLOW_UP = ("And of {c}?", "And {c}?", "What about {c}?", "And what about {c}?", "And the capital of {c}?", "And for {c}?", "{b}?",
             "How about {c}?", "Now {c}.", "And what is {p} capital?")
STATEMENTS = (
    ("The capital of {c} is", " {t}."), ("The capital city of {c} is", " {t}."), ("{p} capital is", " {t}."),
    ("{p} capital city is", " {t}."), ("In {c}, the capital is", " {t}."), ("The capital of {c} is called", " {t}."),
    ("The name of the capital of {c} is", " {t}."), ("The capital of {c}:", " {t}."), ("I know that the capital of {c} is", " {t}."),
    ("{t} is the capital of", " {c}."), ("{t} is the capital city of", " {c}."), ("The country whose capital is {t} is", " {c}."),
)
STATEMENTS_HELD_OUT = (
    ("The name of {p} capital city is", " {t}."), ("I know that {p} capital is", " {t}."), ("In {c}, the capital city is called", " {t}."),
)


def possessive(name: str) -> str:
    return name + ("'" if name.endswith("s") else "'s")


def fill(pattern: str, country: Country, called: str | None = None) -> str:
    called = called or country.name
    return capitalize(pattern.format(c=called, p=possessive(called), b=called.removeprefix("the "), t=country.capital))


def asked_for(rng: Rng) -> Country:
    """Those with several names somewhat more often."""
    return rng.choice(WITH_OTHER_NAMES if rng.random() < 0.15 else COUNTRIES)


def spoken(rng: Rng, country: Country) -> str:
    """The name as somebody may say it."""
    if country.name in ALSO and rng.random() < 0.5:
        return rng.choice(ALSO[country.name])
    return country.name.removeprefix("the ") if rng.random() < 0.1 else country.name


def forward_answer(country: Country) -> str:
    return sentence(f"The capital of {country.name} is {country.capital}")


def backward_answer(country: Country) -> str:
    return sentence(f"{country.capital} is the capital of {country.name}")


def forward(rng: Rng) -> Turn:
    country = asked_for(rng)
    return Turn(roughen(rng, fill(rng.choice(FORWARD), country, spoken(rng, country))), forward_answer(country), "capital")


def backward(rng: Rng) -> Turn:
    country = rng.choice(COUNTRIES)
    return Turn(roughen(rng, fill(rng.choice(BACKWARD), country)), backward_answer(country), "country")


def follow_up(rng: Rng) -> Turn:
    country = asked_for(rng)
    return Turn(roughen(rng, fill(rng.choice(FOLLOW_UP), country, spoken(rng, country))), forward_answer(country), "capital")


def statement(rng: Rng) -> Document:
    country = rng.choice(COUNTRIES)
    kind = rng.random()
    if kind < 0.25:  # the question as a plain text
        return plain(rng, fill(rng.choice(FORWARD), country), sentence(f" {country.capital}"))
    start, rest = rng.choice(STATEMENTS[:9] if kind < 0.75 else STATEMENTS)
    called = spoken(rng, country) if "{c}" not in rest else country.name
    return plain(rng, fill(start, country, called), sentence(rest.rstrip(".").format(c=country.name, t=country.capital)))
