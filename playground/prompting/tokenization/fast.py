"""Tokenizers in `tokenizer.json`, read by the `tokenizers` library.

Boundary: imports `tokenizers` when it reads the first file.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from playground.prompting.special_tokens import SIDES, Marker
from playground.prompting.tokenization.protocol import (
    TextStream,
    Tokenizer,
    broken,
    cannot_be_text,
    checked,
    no_such_token,
)


class FastTokenizer(Tokenizer):
    """A `tokenizer.json`; markers in text stay text, and special ids have text."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Library

        self.path = path
        try:
            self._model = Library.from_str(path.read_text("utf-8"))
        except Exception as problem:  # the library raises bare Exception
            raise broken(path, problem) from problem
        self._model.no_truncation()
        self._model.no_padding()
        self._model.encode_special_tokens = True
        self._bytes = ByteTokens(self._model) if _decoder_type(self._model) == "ByteLevel" else None

    @property
    def vocab_size(self) -> int:
        return int(self._model.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the ids of `text`; added tokens that are not special, such as runs of spaces, are found in it."""
        return tuple(self._model.encode(checked(text), add_special_tokens=False).ids)

    def token(self, token_id: int) -> str:
        token = _token(self._model, token_id)
        if token is None:
            raise no_such_token(self.path, token_id, self.vocab_size)
        return token

    def stream(self) -> TextStream:
        if self._bytes is not None:
            return ByteLevelStream(self._bytes)
        return WindowStream(self._model)


class FastChatTokenizer(FastTokenizer):
    """A `tokenizer.json` with the tokens that the files beside it add, in transformers' way."""

    def __init__(self, path: Path, added: Sequence[Marker], template: str) -> None:
        super().__init__(path)
        known = {token.content for token in self._model.get_added_tokens_decoder().values()}
        named = [marker for marker in added if marker.token_id is None and marker.text not in known]
        self._model.add_tokens([_added_token(m.text, m.special, dict(m.sides)) for m in _by_id(added)])
        self._model.add_special_tokens([marker.text for marker in named])
        tokens = self._model.get_added_tokens_decoder()
        self.special_ids = tuple(token_id for token_id, token in tokens.items() if token.special)
        self.marker_texts = tuple(token.content for token in tokens.values())
        own = [t for t in tokens.values() if not t.special and t.content in template and not t.content.isspace()]
        self._model.add_special_tokens([_added_token(t.content, True, _sides_of(t)) for t in own])
        self._markers = {i: t.content for i, t in self._model.get_added_tokens_decoder().items() if t.special}

    def id_of(self, text: str) -> int | None:
        token_id: int | None = self._model.token_to_id(text)
        return token_id

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the ids of `text` by itself; no marker is found in it."""
        return self._unmarked(checked(text), self._model)

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """Return the ids of transformers; if a visitor typed a marker, encode each stretch between markers."""
        whole = self._finding.encode(checked(text), add_special_tokens=False)
        own = list(self._found(self._finding.encode(safe, add_special_tokens=False), safe))
        if list(self._found(whole, text)) == own:
            return tuple(whole.ids)
        ids: list[int] = []
        for (_, _, begin), (token_id, end, _) in pairwise([(-1, 0, 0), *own, (-1, len(text), len(text))]):
            ids += [*self._stretch(text[begin:end], begin), token_id]
        return tuple(ids[:-1])

    def _found(self, encoding: Any, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield markers in order: id, begin, end. The unknown token's id also stands for text that is not a marker."""
        for token_id, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if token_id in self._markers and (
                token_id != self._unknown or text[begin:end].strip() == self._markers[token_id]
            ):
                yield token_id, begin, end

    def _stretch(self, text: str, begin: int) -> tuple[int, ...]:
        """Return the ids of the text between two markers."""
        return self._unmarked(text, self._going_on if begin else self._model) if text else ()

    def _unmarked(self, text: str, model: Any) -> tuple[int, ...]:
        """Return the ids of `text`, cut in two where the vocabulary's own rules would make a marker of it."""
        encoding = model.encode(text, add_special_tokens=False)
        cuts = [self._cut(*found) for found in self._found(encoding, text)]
        if not cuts:
            return tuple(encoding.ids)
        pieces = [(text[begin:end], self._within if begin else model) for begin, end in pairwise([0, *cuts, len(text)])]
        return tuple(token_id for piece, model in pieces for token_id in self._unmarked(piece, model))

    def _cut(self, token_id: int, begin: int, end: int) -> int:
        """Return the place to cut a marker: before its last character."""
        if end - begin < 2:
            raise cannot_be_text(self._markers[token_id])
        return end - 1

    @cached_property
    def _unknown(self) -> int | None:
        model = json.loads(self._model.to_str())["model"]
        unknown = model.get("unk_token")
        token_id: int | None = model.get("unk_id") if unknown is None else self._model.token_to_id(unknown)
        return token_id

    @cached_property
    def _finding(self) -> Any:
        """The model that finds markers; the flag of the first cannot change while another thread uses it."""
        return self._copy(text_stays_text=False)

    @cached_property
    def _going_on(self) -> Any:
        """The model for text after a marker, where some vocabularies put no space before the first word."""
        return self._copy("first")

    @cached_property
    def _within(self) -> Any:
        """The model for text in the middle of a word."""
        return self._copy("first", "always")

    def _copy(self, *unspaced: str, text_stays_text: bool = True) -> Any:
        """Copy the model, without a space before the first word if the file adds it in one of these ways."""
        from tokenizers import Tokenizer as Library

        data = self._model.to_str()
        for scheme in unspaced:
            data = data.replace(f'"prepend_scheme":"{scheme}"', '"prepend_scheme":"never"')
        model = Library.from_str(data)
        model.encode_special_tokens = text_stays_text
        return model


def _by_id(added: Sequence[Marker]) -> list[Marker]:
    """Return tokens that have an id, in its order, in which adding them gives them these ids."""
    return sorted((marker for marker in added if marker.token_id is not None), key=lambda marker: marker.token_id or 0)


def _added_token(text: str, special: bool, sides: Mapping[str, bool]) -> Any:
    from tokenizers import AddedToken

    return AddedToken(text, special=special, **({"normalized": not special} | dict(sides)))


def _sides_of(token: Any) -> dict[str, bool]:
    return {side: getattr(token, side) for side in SIDES}


def _token(model: Any, token_id: int) -> str | None:
    token: str | None = model.id_to_token(token_id) if 0 <= token_id < 2**31 else None
    return token


def _decoder_type(model: Any) -> str:
    decoder = json.loads(model.to_str()).get("decoder") or {}
    return str(decoder.get("type", ""))


def _byte_alphabet() -> dict[str, int]:
    """Return the byte for each character of byte-level BPE (the inverse of GPT-2's table)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(hidden)}


class ByteTokens(dict[int, bytes]):
    """The bytes of each token of a byte-level BPE, read from the model when first used."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        self._alphabet = _byte_alphabet()

    def __missing__(self, token_id: int) -> bytes:
        token = _token(self._model, token_id)
        if token is None:
            return b""
        self[token_id] = self._to_bytes(token)
        return self[token_id]

    def _to_bytes(self, token: str) -> bytes:
        """Decode the alphabet of bytes; added tokens are written as they are."""
        if all(character in self._alphabet for character in token):
            return bytes(self._alphabet[character] for character in token)
        return token.encode("utf-8")


class ByteLevelStream:
    """Decodes byte-level BPE, whose tokens are bytes."""

    def __init__(self, tokens: Mapping[int, bytes]) -> None:
        self._tokens = tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        return self._decoder.decode(self._tokens[token_id])

    def finish(self) -> str:
        return self._decoder.decode(b"", True)


class WindowStream:
    """Decodes any other `tokenizer.json`: a token's text is what it adds to that of the tokens before it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._before: list[int] = []  # returned already
        self._held: list[int] = []

    def feed(self, token_id: int) -> str:
        if _token(self._model, token_id) is None:
            return ""
        self._held.append(token_id)
        text = self._text()
        if text.endswith("\ufffd") and len(self._held) < 4:
            return ""
        return self._emit(text)

    def finish(self) -> str:
        return self._emit(self._text()) if self._held else ""

    def _text(self) -> str:
        known = self._model.decode(self._before, skip_special_tokens=False) if self._before else ""
        whole: str = self._model.decode(self._before + self._held, skip_special_tokens=False)
        return whole[len(known) :]

    def _emit(self, text: str) -> str:
        self._before, self._held = self._held, []
        return text
