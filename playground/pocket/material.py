"""Read the material of the corpus from `data/*.toml`: facts, words, phrasings, voices, frequencies.

Boundary: reads files; draws nothing and writes no sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA_FOLDER = Path(__file__).parent / "data"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one kind; a right answer contains the value of the slot `key`."""

    key: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Phrasings:
    """Phrasings of one kind of task, in training and in the test alone."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """The content of all data files."""

    frequencies: Mapping[str, Mapping[str, float]]  # category -> kind of task -> how often it is drawn
    facts: Mapping[str, Facts]
    words: Mapping[str, Any]
    lists: Mapping[str, Mapping[str, list[str]]]
    writing: Mapping[str, list[str]]
    snippets: tuple[Row, ...]
    phrasings: Mapping[str, Phrasings]
    wraps: Mapping[str, list[str]]
    made_up: Mapping[str, list[str]]
    voices: Mapping[str, Mapping[str, list[str]]]


def load_material(folder: Path = DATA_FOLDER) -> Material:
    """Read the data files of a folder."""
    asked = _read(folder, "phrasings")
    unknown = _read(folder, "unknown")
    phrasings = {kind: _phrasings(table) for kind, table in asked.items() if kind != "wrap"}
    return Material(
        frequencies=_read(folder, "tasks"),
        facts={kind: _facts(table) for kind, table in _read(folder, "facts").items()},
        words=_read(folder, "words"),
        lists=_read(folder, "lists"),
        writing=_read(folder, "writing"),
        snippets=tuple(_read(folder, "code")["snippet"]),
        phrasings=phrasings | {"unknown": _phrasings(unknown)},
        wraps=asked["wrap"],
        made_up={"parts": unknown["made_up_parts"], "ends": unknown["made_up_ends"]},
        voices=_read(folder, "voices"),
    )


def _read(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))


def _phrasings(table: Mapping[str, list[str]]) -> Phrasings:
    return Phrasings(tuple(table["train"]), tuple(table["held_out"]))


def _facts(table: Mapping[str, Any]) -> Facts:
    rows = tuple(dict(zip(table["slots"], row, strict=True)) for row in table["rows"])
    return Facts(table["key"], rows)
