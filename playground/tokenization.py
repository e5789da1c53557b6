"""Exact token ids and their text, from a checkpoint's own tokenizer files, without transformers.

Boundary: knows nothing of prompts or models. Text never becomes a special token here; special ids are put in by
whoever makes the prompt. `sentencepiece` and `tokenizers` are imported when the first file of their kind is read.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Protocol

from playground.errors import InvalidInstruction, TokenizerError

SENTENCEPIECE_FILE = "tokenizer.model"
TOKENIZERS_FILE = "tokenizer.json"
WORD_MARK = "▁"
"""How sentencepiece writes a space in its pieces."""


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


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint's folder: `tokenizer.model` if it is there, else `tokenizer.json`.

    Raises:
        TokenizerError: neither file is there, or the one that is cannot be read.
    """
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceTokenizer(folder / SENTENCEPIECE_FILE)
    if (folder / TOKENIZERS_FILE).is_file():
        return FastTokenizer(folder / TOKENIZERS_FILE)
    raise TokenizerError(
        f"no tokenizer in {folder}: it has to hold {SENTENCEPIECE_FILE} or {TOKENIZERS_FILE}; "
        "fetch the model again, or correct the card's repo"
    )


def _checked(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InvalidInstruction(
            f"the text has a lone surrogate at character {problem.start}; take it out"
        ) from problem
    return text


def _broken(path: Path, problem: object) -> TokenizerError:
    return TokenizerError(f"{path} cannot be read as a tokenizer ({problem}); fetch the model again")


def _decode(stream: TextStream, ids: Iterable[int], drop: Collection[int]) -> str:
    pieces = [stream.feed(token_id) for token_id in ids if token_id not in drop]
    return "".join(pieces) + stream.finish()


def _no_such_token(path: Path, token_id: int, size: int) -> TokenizerError:
    return TokenizerError(f"{path} has no token {token_id}, only {size} of them; the template is for another tokenizer")


# sentencepiece


class SentencePieceTokenizer:
    """A `tokenizer.model`, encoded by sentencepiece itself."""

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self.path = path
        try:
            self._model = SentencePieceProcessor(model_proto=path.read_bytes())
        except (OSError, RuntimeError) as problem:
            raise _broken(path, problem) from problem
        if self._model.get_piece_size() == 0:
            raise _broken(path, "no pieces in it")
        self._strips = _strips_leading_space(self._model)

    @property
    def vocab_size(self) -> int:
        """How many pieces there are."""
        return int(self._model.get_piece_size())

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of `text` as a segment of its own."""
        return tuple(self._model.encode(_checked(text)))

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        """The text of `ids`; control pieces such as ``<s>`` have none."""
        return _decode(self.stream(), ids, drop)

    def token(self, token_id: int) -> str:
        """The piece with this id."""
        if not 0 <= token_id < self.vocab_size:
            raise _no_such_token(self.path, token_id, self.vocab_size)
        return str(self._model.id_to_piece(token_id))

    def stream(self) -> TextStream:
        """A fresh decoder."""
        return SentencePieceStream(self._model, *self._strips)


def _strips_leading_space(model: Any) -> tuple[bool, bool]:
    """Whether decoding takes a leading space off, and whether it takes all of them; asked of the model itself."""
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
    """Decodes as sentencepiece does, piece by piece: byte pieces make characters, the first space is not text."""

    def __init__(self, model: Any, strips_one: bool, strips_all: bool) -> None:
        self._model, self._size = model, model.get_piece_size()
        self._stripping, self._strips_all = strips_one, strips_all
        self._bytes = b""

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id."""
        if not 0 <= token_id < self._size:
            return ""
        if self._model.is_byte(token_id):
            self._bytes += bytes([int(self._model.id_to_piece(token_id)[3:5], 16)])
            text, self._bytes = _characters(self._bytes)
            return self._started(text)
        return self._started(self.finish()) + self._piece(token_id)

    def finish(self) -> str:
        """What was held back."""
        held, self._bytes = self._bytes, b""
        return "\ufffd" * len(held)

    def _piece(self, token_id: int) -> str:
        if self._model.is_control(token_id):
            return ""
        if self._model.is_unknown(token_id):
            return self._started(str(self._model.decode([token_id])))
        piece = str(self._model.id_to_piece(token_id))
        if self._stripping and piece.startswith(WORD_MARK):
            piece, self._stripping = piece[1:], self._strips_all
        return self._started(piece.replace(WORD_MARK, " "))

    def _started(self, text: str) -> str:
        """`text`; once there is any, spaces are text."""
        if text:
            self._stripping = False
        return text


def _characters(data: bytes) -> tuple[str, bytes]:
    """The characters of `data` and the bytes that may still become one; U+FFFD for each byte that cannot."""
    text = ""
    while data:
        try:
            return text + data.decode("utf-8"), b""
        except UnicodeDecodeError as problem:
            text += data[: problem.start].decode("utf-8")
            data = data[problem.start :]
            if problem.reason == "unexpected end of data":
                return text, data
            text, data = text + "\ufffd", data[1:]
    return text, b""


# tokenizers


class FastTokenizer:
    """A `tokenizer.json`, read by the `tokenizers` library."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Library

        self.path = path
        try:
            self._model = Library.from_str(path.read_text("utf-8"))
        except Exception as problem:  # the library raises bare Exception
            raise _broken(path, problem) from problem
        self._model.no_truncation()
        self._model.no_padding()
        self._model.encode_special_tokens = True  # markers in text stay text
        self._bytes = _byte_alphabet() if _decoder_type(self._model) == "ByteLevel" else None

    @property
    def vocab_size(self) -> int:
        """How many ids there are, added tokens included."""
        return int(self._model.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of `text`; added tokens that are not special (runs of spaces, say) are found in it."""
        return tuple(self._model.encode(_checked(text), add_special_tokens=False).ids)

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        """The text of `ids`; special tokens are text too unless they are in `drop`."""
        return _decode(self.stream(), ids, drop)

    def token(self, token_id: int) -> str:
        """The token with this id."""
        token = _token(self._model, token_id)
        if token is None:
            raise _no_such_token(self.path, token_id, self.vocab_size)
        return token

    def stream(self) -> TextStream:
        """A fresh decoder."""
        if self._bytes is not None:
            return ByteLevelStream(self._model, self._bytes)
        return WindowStream(self._model)


def _token(model: Any, token_id: int) -> str | None:
    token: str | None = model.id_to_token(token_id) if 0 <= token_id < 2**31 else None
    return token


def _decoder_type(model: Any) -> str:
    decoder = json.loads(model.to_str()).get("decoder") or {}
    return str(decoder.get("type", ""))


def _byte_alphabet() -> dict[str, int]:
    """The character by which byte-level BPE writes each byte (GPT-2's table), the other way round."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(hidden)}


class ByteLevelStream:
    """Decodes byte-level BPE: every token is bytes."""

    def __init__(self, model: Any, alphabet: dict[str, int]) -> None:
        self._model, self._alphabet = model, alphabet
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id."""
        token = _token(self._model, token_id)
        return "" if token is None else self._decoder.decode(self._bytes(token))

    def finish(self) -> str:
        """What was held back."""
        return self._decoder.decode(b"", True)

    def _bytes(self, token: str) -> bytes:
        """Added tokens are spelt as they are, the others in the alphabet of bytes."""
        if all(character in self._alphabet for character in token):
            return bytes(self._alphabet[character] for character in token)
        return token.encode("utf-8")


class WindowStream:
    """Decodes any other `tokenizer.json`: a token's text is what it adds to that of the tokens just before it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._before: list[int] = []  # whose text is out already
        self._held: list[int] = []

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id."""
        if _token(self._model, token_id) is None:
            return ""
        self._held.append(token_id)
        text = self._text()
        if text.endswith("\ufffd") and len(self._held) < 4:
            return ""
        return self._emit(text)

    def finish(self) -> str:
        """What was held back."""
        return self._emit(self._text()) if self._held else ""

    def _text(self) -> str:
        known = self._model.decode(self._before, skip_special_tokens=False) if self._before else ""
        whole: str = self._model.decode(self._before + self._held, skip_special_tokens=False)
        return whole[len(known) :]

    def _emit(self, text: str) -> str:
        self._before, self._held = self._held, []
        return text
