"""Read a checkpoint's special tokens: their names in chat templates, and how they are found in text.

Boundary: reads `tokenizer_config.json` and the files that it replaced, as transformers 5 does; knows no tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import TokenizerError

CONFIG_FILE = "tokenizer_config.json"
MAP_FILE = "special_tokens_map.json"
ADDED_FILE = "added_tokens.json"
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
LISTS = ("extra_special_tokens", "additional_special_tokens")
SIDES = ("lstrip", "rstrip", "normalized", "single_word")


@dataclass(frozen=True, slots=True)
class Marker:
    """A token that is found in text as it is written; `sides` has the unusual flags of its ``AddedToken``."""

    text: str
    token_id: int | None = None  # None: the vocabulary's own
    special: bool = True
    sides: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Markers:
    """The special tokens of a checkpoint, except those in `tokenizer.json`."""

    names: tuple[tuple[str, str], ...] = ()  # as chat templates call them: ("eos_token", "</s>")
    added: tuple[Marker, ...] = ()
    legacy: bool = True  # of a `tokenizer.model`: text after a special token begins a word

    def named(self, name: str) -> str:
        """Return the token of this name; empty if there is none."""
        return dict(self.names).get(name, "")


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if the file is missing.

    Raises:
        TokenizerError: it cannot be read, or is no object.
    """
    try:
        data = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError) as problem:
        raise TokenizerError(f"{path} cannot be read as JSON ({problem}); fetch the model again") from problem
    if not isinstance(data, dict):
        raise TokenizerError(f"{path} is not a JSON object; fetch the model again")
    return data


def read_markers(folder: Path) -> Markers:
    """Return the special tokens of a checkpoint's folder, any of whose files may be missing.

    Raises:
        TokenizerError: a file cannot be read.
    """
    config = read_object(folder / CONFIG_FILE)
    listed = config.get("added_tokens_decoder")
    if not isinstance(listed, dict):
        config |= read_object(folder / MAP_FILE)
    names = {name: text for name, value in _named(config) if (text := _text(value))}
    special = dict.fromkeys((*names.values(), *_listed(config)))
    if isinstance(listed, dict):
        added = tuple(_added(folder, token_id, token) for token_id, token in listed.items())
    else:
        found = read_object(folder / ADDED_FILE)
        added = tuple(_found(folder, text, token_id, text in special) for text, token_id in found.items())
    known = {marker.text for marker in added}
    added += tuple(Marker(text) for text in special if text not in known)
    return Markers(tuple(names.items()), added, config.get("legacy") is not False)


def _named(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield named tokens: the usual names, the model's own, and the table of extra tokens."""
    yield from ((name, config.get(name)) for name in NAMES)
    own = (name for name in config if name.endswith("_token") and name not in NAMES)
    yield from ((name, config[name]) for name in own if _text(config[name]))
    extra = config.get(LISTS[0])
    if isinstance(extra, dict):
        yield from extra.items()


def _listed(config: Mapping[str, Any]) -> Iterator[str]:
    for name in LISTS:
        tokens = config.get(name)
        if isinstance(tokens, list):
            yield from (text for token in tokens if (text := _text(token)))


def _text(value: Any) -> str:
    """Return a token's text, which is a string or in an object; empty for anything else (`add_bos_token: true`)."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def _added(folder: Path, token_id: str, token: Any) -> Marker:
    if not (token_id.isascii() and token_id.isdigit() and _text(token)):
        raise TokenizerError(f"{folder / CONFIG_FILE}: added token {token_id!r} is {token!r}; fetch the model again")
    flags = token if isinstance(token, dict) else {}
    sides = tuple((side, bool(flags[side])) for side in SIDES if side in flags)
    return Marker(_text(token), int(token_id), bool(flags.get("special", False)), sides)


def _found(folder: Path, text: str, token_id: Any, special: bool) -> Marker:
    if not isinstance(token_id, int) or not text:
        raise TokenizerError(f"{folder / ADDED_FILE}: {text!r} has the id {token_id!r}; fetch the model again")
    return Marker(text, token_id, special, (("normalized", not special),))
