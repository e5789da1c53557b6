"""Import formats: the columns that a row needs, and the function that makes a judged battle of it.

Boundary: rows in, records out; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.rows import ReadOptions
from playground.records import JudgedBattle
from playground.settings import Settings


@dataclass(frozen=True, slots=True)
class Origins:
    """The circumstances of an import that its rows refer to."""

    file: str  # name and hash
    now: str  # the time of votes whose format has none
    limits: Settings = field(default_factory=Settings)  # of texts, see `texts.long_texts`


@dataclass(frozen=True, slots=True)
class ReadBattle:
    """A judged battle made of a row."""

    judged: JudgedBattle
    known_as: tuple[str, ...] = ()  # ids of a vote or battle that this row is, if one is stored here
    cleaned: bool = False  # characters were removed from a text


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A format: its name, the columns that it needs, and its reader of a row."""

    name: str
    read: Callable[[Fields, Origins], ReadBattle]
    needed: tuple[str, ...]
    options: ReadOptions = ReadOptions()

    def battle(self, values: Any, origins: Origins) -> ReadBattle:
        """Make a judged battle of a row.

        Raises:
            InvalidValue: naming the field, its value and what is valid.
        """
        self.check_columns(values)
        return self.read(Fields(values), origins)

    def check_columns(self, there: Collection[str]) -> None:
        """Raise InvalidValue, naming all that are needed, if one is missing."""
        missing = [name for name in self.needed if name not in there]
        if missing:
            raise InvalidValue(
                f"{', '.join(map(repr, missing))} missing; a row of {self.name} has {', '.join(self.needed)}"
            )
