"""Encode a card's examples as token ids, with the prompt code that serves visitors.

Boundary: knows templates and tokenizer files, no model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from playground.catalog.card_files import read_card
from playground.catalog.catalog import CARD_FOLDER, TEMPLATE_FOLDER
from playground.pocket.architectures import Architecture
from playground.pocket.corpus import Example
from playground.prompting.prompt import build_prompt
from playground.prompting.templates import load_templates
from playground.prompting.tokenization import TextStream, Tokenizer, load_tokenizer
from playground.records import Prompt, PromptTemplate


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as token ids; the answer ends with the card's end id."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        """Tokens of prompt and answer together."""
        return len(self.prompt) + len(self.answer)


def template_of(card_id: str) -> PromptTemplate:
    """Return the card's prompt template."""
    return load_templates([TEMPLATE_FOLDER])[read_card(CARD_FOLDER / f"{card_id}.toml").template]


class TextOnly:
    """A tokenizer before one is trained; special ids have no text."""

    vocab_size = 0

    def encode(self, text: str) -> tuple[int, ...]:
        return ()

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        return ""

    def token(self, token_id: int) -> str:
        return ""

    def stream(self) -> TextStream:
        raise NotImplementedError("there is no tokenizer yet")


def texts(card_id: str, examples: Iterable[Example]) -> Iterable[str]:
    """Yield prompt and answer of each example, to train the tokenizer."""
    template = template_of(card_id)
    for example in examples:
        yield build_prompt(template, TextOnly(), example.instruction).text
        yield example.answer


class Encoder:
    """Encodes examples with the tokenizer of a finished folder."""

    def __init__(self, card_id: str, architecture: Architecture, folder: Path) -> None:
        self.card_id = card_id
        self.template = template_of(card_id)
        self.tokenizer: Tokenizer = load_tokenizer(folder)
        self._architecture = architecture
        self._special = {self.tokenizer.token(i): i for i in range(len(architecture.tokens))}

    def prompt(self, example: Example) -> Prompt:
        """Return the prompt, built like a visitor's."""
        return build_prompt(self.template, self.tokenizer, example.instruction)

    def encoded(self, example: Example) -> Encoded:
        """Return prompt ids, answer ids and the end id."""
        text = f" {example.answer}" if self._architecture.answer_space else example.answer
        return Encoded(self.prompt(example).token_ids, (*self._answer(text), self._architecture.end_id))

    def _answer(self, text: str) -> Iterable[int]:
        """Encode an answer; special tokens such as ``[START_REF]`` in it count as such, unlike in a prompt."""
        found = [(text.find(token), token) for token in self._special if token in text]
        if not found:
            return self.tokenizer.encode(text)
        at, token = min(found)
        before, after = text[:at], text[at + len(token) :]
        return (*self.tokenizer.encode(before), self._special[token], *self._answer(after))

    def text(self, ids: Iterable[int]) -> str:
        """Return an answer's text as it is shown."""
        text = self.tokenizer.decode(ids, self.template.drop_ids)
        if self.template.strip == "both":
            return text.strip()
        return text.removeprefix(" ") if self.template.strip == "one_leading_space" else text
