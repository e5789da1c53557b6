"""Exact token ids and their text, from a checkpoint's own tokenizer files, without transformers.

Boundary: knows nothing of prompts or models. What a visitor typed never becomes a special token here: special ids are
put in by whoever makes the prompt, or stand in the parts of a rendered chat that are the template's own.
`sentencepiece` and `tokenizers` are imported when the first file of their kind is read.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from playground.errors import InvalidInstruction, TokenizerError
from playground.markers import SIDES, Marker, Markers

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


def load_chat_tokenizer(folder: Path, markers: Markers, template: str = "") -> ChatTokenizer:
    """The tokenizer that a checkpoint's own chat template is made for: `tokenizer.json` if it is there.

    Args:
        template: the source of the chat template; added tokens in it are its own, also those that are not special.

    Raises:
        TokenizerError: neither file is there, or the one that is cannot be read.
    """
    if (folder / TOKENIZERS_FILE).is_file():
        return FastChatTokenizer(folder / TOKENIZERS_FILE, markers.added, template)
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceChatTokenizer(folder / SENTENCEPIECE_FILE, markers.added)
    raise _no_tokenizer(folder)


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint's folder: `tokenizer.model` if it is there, else `tokenizer.json`.

    Raises:
        TokenizerError: neither file is there, or the one that is cannot be read.
    """
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceTokenizer(folder / SENTENCEPIECE_FILE)
    if (folder / TOKENIZERS_FILE).is_file():
        return FastTokenizer(folder / TOKENIZERS_FILE)
    raise _no_tokenizer(folder)


def _no_tokenizer(folder: Path) -> TokenizerError:
    return TokenizerError(
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


class SentencePieceChatTokenizer(SentencePieceTokenizer):
    """A `tokenizer.model` with the tokens that the files beside it add; stretches between them stand for themselves."""

    def __init__(self, path: Path, added: Sequence[Marker]) -> None:
        super().__init__(path)
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
        """Control pieces and special added tokens."""
        return tuple(self._special)

    @property
    def marker_texts(self) -> tuple[str, ...]:
        """Control pieces and added tokens."""
        return tuple(self._ids)

    def id_of(self, text: str) -> int | None:
        """The id of an added token or a piece."""
        return self._ids.get(text, self._piece_id(text))

    def token(self, token_id: int) -> str:
        """The added token or piece with this id."""
        return self._beyond.get(token_id) or super().token(token_id)

    def stream(self) -> TextStream:
        """A fresh decoder; added tokens have text."""
        return BeyondStream(super().stream(), self._beyond)

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """The ids of the template's special tokens, and of each stretch between them by itself."""
        ids: list[int] = []
        begin = 0
        for marker in self._markers.finditer(safe):
            ids += [*self._stretch(text[begin : marker.start()]), self._ids[marker[0]]]
            begin = marker.end()
        return tuple(ids) + self._stretch(text[begin:])

    def _stretch(self, text: str) -> tuple[int, ...]:
        """The ids of what stands between two markers; a marker that sentencepiece would find is broken in two."""
        cuts = [0, *(found.end() - 1 for found in self._own.finditer(text)), len(text)]
        ids = tuple(token_id for begin, end in pairwise(cuts) for token_id in self.encode(text[begin:end]))
        for token_id in self._own_ids.intersection(ids):
            raise _cannot_be_text(self.token(token_id))
        return ids

    def _piece_id(self, piece: str) -> int | None:
        token_id = int(self._model.piece_to_id(piece))
        return token_id if self._model.id_to_piece(token_id) == piece else None


def _cannot_be_text(marker: str) -> InvalidInstruction:
    return InvalidInstruction(f"{marker!r} can only be read as a special token by this model; take it out of the text")


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the texts, the longest first; nothing when there are none."""
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


class BeyondStream:
    """Reads what a stream reads, and tokens that stand beyond its vocabulary as they are spelt."""

    def __init__(self, within: TextStream, beyond: Mapping[int, str]) -> None:
        self._within, self._beyond = within, beyond

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id."""
        return self._beyond.get(token_id) or self._within.feed(token_id)

    def finish(self) -> str:
        """What was held back."""
        return self._within.finish()


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
        self._bytes = ByteTokens(self._model) if _decoder_type(self._model) == "ByteLevel" else None

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
            return ByteLevelStream(self._bytes)
        return WindowStream(self._model)


class FastChatTokenizer(FastTokenizer):
    """A `tokenizer.json` with the tokens that the files beside it add, as transformers puts the two together."""

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
        """The id of a token."""
        token_id: int | None = self._model.token_to_id(text)
        return token_id

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of `text` as a segment of its own; no marker is found in it."""
        return self._unmarked(_checked(text), self._model)

    def encode_chat(self, text: str, safe: str) -> tuple[int, ...]:
        """The ids as transformers makes them, unless a visitor typed a marker: then stretch by stretch."""
        whole = self._finding.encode(_checked(text), add_special_tokens=False)
        own = list(self._found(self._finding.encode(safe, add_special_tokens=False), safe))
        if list(self._found(whole, text)) == own:
            return tuple(whole.ids)
        ids: list[int] = []
        for (_, _, begin), (token_id, end, _) in pairwise([(-1, 0, 0), *own, (-1, len(text), len(text))]):
            ids += [*self._stretch(text[begin:end], begin), token_id]
        return tuple(ids[:-1])

    def _found(self, encoding: Any, text: str) -> Iterator[tuple[int, int, int]]:
        """Markers in order: id, begin, end. The id of the unknown token also stands for text that is no marker."""
        for token_id, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if token_id in self._markers and (
                token_id != self._unknown or text[begin:end].strip() == self._markers[token_id]
            ):
                yield token_id, begin, end

    def _stretch(self, text: str, begin: int) -> tuple[int, ...]:
        """The ids of what stands between two markers; nothing in it is a marker."""
        return self._unmarked(text, self._going_on if begin else self._model) if text else ()

    def _unmarked(self, text: str, model: Any) -> tuple[int, ...]:
        """The ids of `text`; where the vocabulary's own rules would make a marker of it, it is broken in two."""
        encoding = model.encode(text, add_special_tokens=False)
        cuts = [self._cut(*found) for found in self._found(encoding, text)]
        if not cuts:
            return tuple(encoding.ids)
        pieces = [(text[begin:end], self._within if begin else model) for begin, end in pairwise([0, *cuts, len(text)])]
        return tuple(token_id for piece, model in pieces for token_id in self._unmarked(piece, model))

    def _cut(self, token_id: int, begin: int, end: int) -> int:
        """Where a marker is broken: before its last character."""
        if end - begin < 2:
            raise _cannot_be_text(self._markers[token_id])
        return end - 1

    @cached_property
    def _unknown(self) -> int | None:
        model = json.loads(self._model.to_str())["model"]
        unknown = model.get("unk_token")
        token_id: int | None = model.get("unk_id") if unknown is None else self._model.token_to_id(unknown)
        return token_id

    @cached_property
    def _finding(self) -> Any:
        """A second model, because the switch of the first cannot be turned while another thread uses it."""
        return self._copy(text_stays_text=False)

    @cached_property
    def _going_on(self) -> Any:
        """The model for text after a marker, where some put no space before the first word."""
        return self._copy("first")

    @cached_property
    def _within(self) -> Any:
        """The model for text in the middle of a word."""
        return self._copy("first", "always")

    def _copy(self, *unspaced: str, text_stays_text: bool = True) -> Any:
        """The same model, but without a space before the first word where the file puts it in one of these ways."""
        from tokenizers import Tokenizer as Library

        data = self._model.to_str()
        for scheme in unspaced:
            data = data.replace(f'"prepend_scheme":"{scheme}"', '"prepend_scheme":"never"')
        model = Library.from_str(data)
        model.encode_special_tokens = text_stays_text
        return model


def _by_id(added: Sequence[Marker]) -> list[Marker]:
    """Tokens with an id in the order of their ids, which is the order that gives them these ids."""
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
    """The character by which byte-level BPE writes each byte (GPT-2's table), the other way round."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(hidden)}


class ByteTokens(dict[int, bytes]):
    """The bytes of each token of a byte-level BPE; asked of the model once, kept for every later stream."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        self._alphabet = _byte_alphabet()

    def __missing__(self, token_id: int) -> bytes:
        """Of an id that comes for the first time; nothing of one that does not exist."""
        token = _token(self._model, token_id)
        if token is None:
            return b""
        self[token_id] = self._spelt(token)
        return self[token_id]

    def _spelt(self, token: str) -> bytes:
        """Added tokens are spelt as they are, the others in the alphabet of bytes."""
        if all(character in self._alphabet for character in token):
            return bytes(self._alphabet[character] for character in token)
        return token.encode("utf-8")


class ByteLevelStream:
    """Decodes byte-level BPE: every token is bytes."""

    def __init__(self, tokens: Mapping[int, bytes]) -> None:
        self._tokens = tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        """The text that is certain after one more id."""
        return self._decoder.decode(self._tokens[token_id])

    def finish(self) -> str:
        """What was held back."""
        return self._decoder.decode(b"", True)


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
