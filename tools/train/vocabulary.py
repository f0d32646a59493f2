"""The tokenizer: byte-level BPE with single digits, trained on the corpus itself. GGUF calls this pre-tokenizer `smollm`."""
from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.document import SPECIALS, Document
from corpus.mixture import documents

PRE_TOKENIZER = "smollm"
N_VOCAB = 2048
N_DOCUMENTS = 60000


def _texts() -> Iterator[str]:
    for document in itertools.islice(documents("vocabulary"), N_DOCUMENTS):
        text = "".join(piece.text for piece in document)
        for special in SPECIALS:
            text = text.replace(special, "\n")
        yield text


def train(path: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=N_VOCAB, special_tokens=list(SPECIALS), show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(_texts(), trainer)
    tokenizer.save(str(path))


def load(path: Path) -> Tokenizer:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        train(path)
    return Tokenizer.from_file(str(path))


def encode(tokenizer: Tokenizer, document: Document) -> tuple[list[int], list[bool]]:
    """Ids, and which of them are learned. Every document begins with <|endoftext|>, which is also the BOS token."""
    ids, is_learned = [tokenizer.token_to_id(SPECIALS[0])], [False]
    for piece in document:
        new = tokenizer.encode(piece.text).ids
        ids += new
        is_learned += [piece.is_learned] * len(new)
    return ids, is_learned
