"""The tokenizer of a model whose server keeps it to itself.

Boundary: text in, nothing out; a server's answer is text already.
"""

from __future__ import annotations

from playground.errors import TokenizerError
from playground.prompting.tokenization.protocol import TextStream, Tokenizer

_UNKNOWN = "the tokenizer of this model is known to its server only"


class NoTokenizer(Tokenizer):
    """A vocabulary of which nothing is known."""

    @property
    def vocab_size(self) -> int:
        return 0

    def encode(self, text: str) -> tuple[int, ...]:
        raise TokenizerError(_UNKNOWN)

    def token(self, token_id: int) -> str:
        raise TokenizerError(_UNKNOWN)

    def stream(self) -> TextStream:
        return NoStream()


class NoStream:
    """A decoder of no ids."""

    def feed(self, token_id: int) -> str:
        raise TokenizerError(_UNKNOWN)

    def finish(self) -> str:
        return ""
