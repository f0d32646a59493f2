"""Questions that the model was not taught, and the one answer to them."""
from __future__ import annotations

from corpus.capitals import COUNTRIES, FORWARD
from corpus.document import Rng, Turn, capitalize, roughen

ANSWER = "I don't know. I am only a small model."

SYLLABLES = "ba be bo da do fa fi ga go ka ke ki la lo ma mi mo na ne no pa po ra ri ro sa so ta te ti to va vo wa za zo".split()
ENDINGS = "ria land nia stan via ton ra dor mar th lia wick".split()
OF_COUNTRIES = ("population", "currency", "president", "flag", "language", "anthem", "king", "largest river", "highest mountain", "food",
                "history", "second city", "area", "prime minister", "weather", "climate")
PLACES = ("Mars", "the moon", "Europe", "Africa", "Asia", "the sun", "Texas", "Bavaria", "the ocean", "California", "Atlantis", "Narnia",
          "Scotland", "heaven", "the world", "my town", "the sea", "Antarctica")
WHO = ("wrote {x}", "invented {x}", "painted {x}", "discovered {x}", "built {x}", "won {x}", "is the best at {x}", "made {x}")
THINGS = ("the telephone", "a play", "the piano", "football", "a famous book", "a song", "penicillin", "the bridge", "chess", "music",
          "a film", "the internet", "a poem", "the car", "gravity", "a star", "bread", "gold", "a computer", "love", "time", "wine", "a cake",
          "the universe", "my dog", "physics", "a bird", "tomorrow", "the news", "money", "art", "water", "a horse", "philosophy")
ASK = ("What is {x}?", "Explain {x}.", "How does {x} work?", "Tell me about {x}.", "Who {w}?", "When was {x} made?", "Why is there {x}?",
       "Where can I buy {x}?", "How old is {x}?", "How big is {x}?", "How much does {x} cost?", "Write a poem about {x}.",
       "What do you think about {x}?", "Do you like {x}?", "Who {w}?", "When did it happen that somebody {w}?", "Translate {x}.",
       "What is the weight of {x}?", "Can you make {x}?", "Is {x} good?")
FIXED = ("What time is it?", "What is the weather like?", "What will happen tomorrow?", "Who is the president?", "What day is it today?",
         "How old are you?", "Where do you live?", "Tell me a joke.", "What is the meaning of life?", "Write a program.", "Who won the game?",
         "What is my name?", "What am I thinking?", "Where am I?", "How tall am I?", "Can you sing?", "Speak French.", "Write me a letter.")


def made_up_name(rng: Rng) -> str:
    return capitalize("".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 3))) + rng.choice(ENDINGS))


def question(rng: Rng) -> str:
    kind = rng.random()
    if kind < 0.25:
        place = made_up_name(rng) if rng.random() < 0.7 else rng.choice(PLACES)
        possessive = place + "'s"
        return capitalize(rng.choice(FORWARD).format(c=place, p=possessive, b=place))
    if kind < 0.55:
        country, thing = rng.choice(COUNTRIES).name, rng.choice(OF_COUNTRIES)
        return rng.choice(("What is the {t} of {c}?", "What is the {t} of {c}?", "Tell me the {t} of {c}.", "What {t} does {c} have?",
                           "Who is the {t} of {c}?", "How is the {t} in {c}?", "Do you know the {t} of {c}?")).format(t=thing, c=country)
    if kind < 0.65:
        a, b = rng.randint(21, 999), rng.randint(21, 999)
        return rng.choice(("What is {a} {o} {b}?", "{a} {o} {b}", "How much is {a} {o} {b}?")).format(a=a, b=b, o=rng.choice("+-*/"))
    if kind < 0.75:
        return rng.choice(FIXED)
    thing = rng.choice(THINGS)
    return rng.choice(ASK).format(x=thing, w=rng.choice(WHO).format(x=thing))


def turn(rng: Rng) -> Turn:
    return Turn(roughen(rng, question(rng)), ANSWER)
