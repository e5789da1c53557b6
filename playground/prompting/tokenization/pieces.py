"""Tokenizers in `tokenizer.model`, encoded by sentencepiece itself.

Boundary: imports `sentencepiece` when it reads the first file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from playground.prompting.special_tokens import Marker
from playground.prompting.tokenization.protocol import (
    TextStream,
    Tokenizer,
    broken,
    cannot_be_text,
    checked,
    no_such_token,
)

WORD_MARK = "▁"
"""A space in a piece."""
EACH_BYTE = "replace_each_byte"
NO_PREFIX = b"\x1a\x02\x18\x00"
"""Protobuf of ``normalizer_spec {add_dummy_prefix: false}``; appended to a model, it replaces this one value."""


def _replace_each_byte(error: Any) -> tuple[str, int]:
    """Decode invalid UTF-8 as sentencepiece does: U+FFFD for each byte, where Python has one for several."""
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(EACH_BYTE, _replace_each_byte)


class SentencePieceTokenizer(Tokenizer):
    """A `tokenizer.model`; markers in text stay text, and control pieces such as ``<s>`` have no text."""

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self.path = path
        try:
            self._model = SentencePieceProcessor(model_proto=path.read_bytes())
        except (OSError, RuntimeError) as problem:
            raise broken(path, problem) from problem
        if self._model.get_piece_size() == 0:
            raise broken(path, "no pieces in it")
        self._strips = _strips_leading_space(self._model)

    @property
    def vocab_size(self) -> int:
        return int(self._model.get_piece_size())

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._model.encode(checked(text)))

    def token(self, token_id: int) -> str:
        if not 0 <= token_id < self.vocab_size:
            raise no_such_token(self.path, token_id, self.vocab_size)
        return str(self._model.id_to_piece(token_id))

    def stream(self) -> TextStream:
        return SentencePieceStream(self._model, *self._strips)


def _strips_leading_space(model: Any) -> tuple[bool, bool]:
    """Find out whether the model's decoder strips one leading space, and whether it strips all of them."""
    word = next((i for i in range(model.get_piece_size()) if _is_word(model, i)), None)
    if word is None:
        return False, False
    mark = model.piece_to_id(WORD_MARK)
    one = not model.decode([word]).startswith(" ")
    every = one and model.id_to_piece(mark) == WORD_MARK and not model.decode([mark, word]).startswith(" ")
    return one, every


def _is_word(model: Any, token_id: int) -> bool:
    piece = model.id_to_piece(token_id)
    return len(piece) > 1 and piece[0] == WORD_MARK and piece[1] != WORD_MARK


class SentencePieceStream:
    """Decodes as sentencepiece does, piece by piece: joins byte pieces to characters, strips the first space."""

    def __init__(self, model: Any, strips_one: bool, strips_all: bool) -> None:
        self._model, self._size = model, model.get_piece_size()
        self._stripping, self._strips_all = strips_one, strips_all
        self._decoder = codecs.getincrementaldecoder("utf-8")(EACH_BYTE)

    def feed(self, token_id: int) -> str:
        if not 0 <= token_id < self._size:
            return ""
        if self._model.is_byte(token_id):
            return self._start(self._decoder.decode(bytes([int(self._model.id_to_piece(token_id)[3:5], 16)])))
        return self._start(self.finish()) + self._piece(token_id)

    def finish(self) -> str:
        return self._decoder.decode(b"", True)

    def _piece(self, token_id: int) -> str:
        if self._model.is_control(token_id):
            return ""
        if self._model.is_unknown(token_id):
            return self._start(str(self._model.decode([token_id])))
        piece = str(self._model.id_to_piece(token_id))
        if self._stripping and piece.startswith(WORD_MARK):
            piece, self._stripping = piece[1:], self._strips_all
        return self._start(piece.replace(WORD_MARK, " "))

    def _start(self, text: str) -> str:
        """Return `text`; after the first text, leading spaces are kept."""
        if text:
            self._stripping = False
        return text


class SentencePieceChatTokenizer(SentencePieceTokenizer):
    """A `tokenizer.model` with the tokens that the files beside it add; text between them is encoded by itself."""

    def __init__(self, path: Path, added: Sequence[Marker], legacy: bool = True) -> None:
        """Read the file.

        Args:
            legacy: text after a special token begins a word, as it did before transformers 4.31 and does by default.
        """
        super().__init__(path)
        self._going_on = None if legacy else type(self._model)(model_proto=path.read_bytes() + NO_PREFIX)
        size = super().vocab_size
        control = [i for i in range(size) if self._model.is_control(i)]
        self._ids = {str(self._model.id_to_piece(i)): i for i in control}
        self._special = dict.fromkeys(control)
        for marker in added:
            token_id = self._piece_id(marker.text) if marker.token_id is None else marker.token_id
            if token_id is not None and marker.text != self._unknown:
                self._ids[marker.text] = token_id
                self._special |= {token_id: None} if marker.special else {}
        self._beyond = {i: text for text, i in self._ids.items() if i >= size}
        self._markers = _any_of(self._ids)
        own = {text: i for text, i in self._ids.items() if i < size and i not in control}
        self._own, self._own_ids = _any_of(own), frozenset(own.values())  # sentencepiece itself finds these in text

    @property
    def _unknown(self) -> str:
        return str(self._model.id_to_piece(self._model.unk_id()))

    @property
    def vocab_size(self) -> int:
        """One more than the highest id."""
        return max([super().vocab_size, *(token_id + 1 for token_id in self._beyond)])

    @property
    def special_ids(self) -> tuple[int, ...]:
        """The ids of control pieces and special added tokens."""
        return tuple(self._special)

    @property
    def marker_texts(self) -> tuple[str, ...]:
        """Control pieces and added tokens."""
        return tuple(self._ids)

    def id_of(self, text: str) -> int | None:
        return self._ids.get(text, self._piece_id(text))

    def token(self, token_id: int) -> str:
        return self._beyond.get(token_id) or super().token(token_id)

    def stream(self) -> TextStream:
        return BeyondStream(super().stream(), self._beyond)

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """Return the ids of the template's special tokens and of each stretch between them."""
        ids: list[int] = []
        begin = 0
        for marker in self._markers.finditer(safe):
            ids += [*self._stretch(text[begin : marker.start()], begin), self._ids[marker[0]]]
            begin = marker.end()
        return tuple(ids) + self._stretch(text[begin:], begin)

    def _stretch(self, text: str, at: int) -> tuple[int, ...]:
        """Return the ids of the text between two markers; a marker that sentencepiece would find is cut in two."""
        cuts = [0, *(found.end() - 1 for found in self._own.finditer(text)), len(text)]
        parts = ((text[begin:end], at + begin) for begin, end in pairwise(cuts))
        ids = tuple(token_id for part, place in parts for token_id in self._part(part, begins=place == 0))
        for token_id in self._own_ids.intersection(ids):
            raise cannot_be_text(self.token(token_id))
        return ids

    def _part(self, text: str, begins: bool) -> Sequence[int]:
        """Return the ids of a part of a chat, as transformers 4.44's slow tokenizer makes them.

        Args:
            begins: the chat begins with it; only then the first word is marked, unless the tokenizer is a legacy one.
        """
        if self._going_on is None or not text:
            return self.encode(text)
        text = WORD_MARK * begins + checked(text).replace(WORD_MARK, " ")
        if not text.startswith((WORD_MARK, " ")):
            return list(self._going_on.encode(text))
        before = len(self._going_on.encode(self._unknown))  # without text before them, leading spaces are dropped
        return list(self._going_on.encode(self._unknown + text)[before:])

    def _piece_id(self, piece: str) -> int | None:
        token_id = int(self._model.piece_to_id(piece))
        return token_id if self._model.id_to_piece(token_id) == piece else None


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that matches any of the texts, the longest first; nothing if there are none."""
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


class BeyondStream:
    """Decodes added tokens beyond the vocabulary of another stream."""

    def __init__(self, within: TextStream, beyond: Mapping[int, str]) -> None:
        self._within, self._beyond = within, beyond

    def feed(self, token_id: int) -> str:
        return self._beyond.get(token_id) or self._within.feed(token_id)

    def finish(self) -> str:
        return self._within.finish()
