"""What a tokenizer is, whatever file it was read from, and how each kind says what is wrong.

Boundary: knows neither `sentencepiece` nor `tokenizers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from playground.errors import InvalidInstruction, TokenizerError


class TextStream(Protocol):
    """Ids in, text out, in linear time; bytes of an incomplete character are held back."""

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id; often empty in the middle of a character."""

    def finish(self) -> str:
        """What was held back, U+FFFD for bytes that stayed incomplete; nothing may be fed after it."""


class Tokenizer(Protocol):
    """A checkpoint's vocabulary."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are, added tokens included."""

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of `text` as a segment of its own; markers of special tokens in it stay text.

        Raises:
            InvalidInstruction: the text has a lone surrogate, which is no character.
        """

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        """The text of `ids` without those in `drop`; ids outside the vocabulary have no text."""

    def token(self, token_id: int) -> str:
        """The token as the vocabulary spells it, such as ``</s>``; for showing special ids to people.

        Raises:
            TokenizerError: the vocabulary has no such id.
        """

    def stream(self) -> TextStream:
        """A fresh decoder whose pieces, joined, equal `decode`."""


@runtime_checkable
class ChatTokenizer(Tokenizer, Protocol):
    """A vocabulary that knows the special tokens of its checkpoint's chat template."""

    @property
    def special_ids(self) -> tuple[int, ...]:
        """What ``skip_special_tokens=True`` leaves out of an answer."""

    @property
    def marker_texts(self) -> tuple[str, ...]:
        """Every token that is found in text as it stands."""

    def id_of(self, text: str) -> int | None:
        """The id of the token that is spelt so; None: there is none."""

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """The ids of a rendered chat; special tokens are found where `safe` has them, and nowhere else.

        Args:
            safe: `text`, character for character, with another character wherever a visitor's stands.

        Raises:
            InvalidInstruction: the text has a lone surrogate, which is no character.
        """


def checked(text: str) -> str:
    """`text`, when it is text: a lone surrogate is none."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InvalidInstruction(
            f"the text has a lone surrogate at character {problem.start}; take it out"
        ) from problem
    return text


def broken(path: Path, problem: object) -> TokenizerError:
    """A file that is no tokenizer."""
    return TokenizerError(f"{path} cannot be read as a tokenizer ({problem}); fetch the model again")


def decoded(stream: TextStream, ids: Iterable[int], drop: Collection[int]) -> str:
    """The text of `ids` without those in `drop`."""
    pieces = [stream.feed(token_id) for token_id in ids if token_id not in drop]
    return "".join(pieces) + stream.finish()


def no_such_token(path: Path, token_id: int, size: int) -> TokenizerError:
    """An id beyond the vocabulary."""
    return TokenizerError(f"{path} has no token {token_id}, only {size} of them; the template is for another tokenizer")


def cannot_be_text(marker: str) -> InvalidInstruction:
    """A marker that the vocabulary has no other way to write."""
    return InvalidInstruction(f"{marker!r} can only be read as a special token by this model; take it out of the text")
