"""The interface of all tokenizers, and their error messages.

Boundary: knows neither `sentencepiece` nor `tokenizers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from playground.errors import InvalidInstruction, TokenizerError


class TextStream(Protocol):
    """A decoder of ids in linear time, which holds back the bytes of an incomplete character."""

    def feed(self, token_id: int) -> str:
        """Return the text that is certain after one more id; often empty within a character."""

    def finish(self) -> str:
        """Return the text that was held back, with U+FFFD for each byte of an incomplete character."""


class Tokenizer(Protocol):
    """A checkpoint's vocabulary."""

    @property
    def vocab_size(self) -> int:
        """The number of ids, with added tokens."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the ids of `text` by itself; markers of special tokens in it stay text.

        Raises:
            InvalidInstruction: the text has a lone surrogate, which is not a character.
        """

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        """Return the text of `ids` without those in `drop`; ids outside the vocabulary have no text."""
        stream = self.stream()
        return "".join(stream.feed(token_id) for token_id in ids if token_id not in drop) + stream.finish()

    def token(self, token_id: int) -> str:
        """Return the token as the vocabulary spells it, such as ``</s>``, to show a special id.

        Raises:
            TokenizerError: the vocabulary has no such id.
        """

    def stream(self) -> TextStream:
        """Return a new decoder, whose pieces add up to the result of `decode`."""


@runtime_checkable
class ChatTokenizer(Tokenizer, Protocol):
    """A vocabulary that knows the special tokens of its checkpoint's chat template."""

    @property
    def special_ids(self) -> tuple[int, ...]:
        """The ids that ``skip_special_tokens=True`` leaves out of an answer."""

    @property
    def marker_texts(self) -> tuple[str, ...]:
        """Every token that is found in text as it is written."""

    def id_of(self, text: str) -> int | None:
        """Return the id of the token with this spelling, or None."""

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """Return the ids of a rendered chat; special tokens are found only where `safe` has them.

        Args:
            safe: `text`, character for character, with each of a visitor's characters replaced.

        Raises:
            InvalidInstruction: the text has a lone surrogate, which is not a character.
        """


def checked(text: str) -> str:
    """Return `text` if it has no lone surrogate, which is not a character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InvalidInstruction(
            f"the text has a lone surrogate at character {problem.start}; take it out"
        ) from problem
    return text


def broken(path: Path, problem: object) -> TokenizerError:
    return TokenizerError(f"{path} cannot be read as a tokenizer ({problem}); fetch the model again")


def no_such_token(path: Path, token_id: int, size: int) -> TokenizerError:
    return TokenizerError(f"{path} has no token {token_id}, only {size} of them; the template is for another tokenizer")


def cannot_be_text(marker: str) -> InvalidInstruction:
    return InvalidInstruction(f"{marker!r} can only be read as a special token by this model; take it out of the text")
