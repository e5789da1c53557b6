"""Export formats: their options, columns and rows.

Boundary: a record of the store in, rows of plain values out; `containers` turns rows into bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from playground.errors import InvalidValue
from playground.messages import Message
from playground.ratings.policy import CountingPolicy
from playground.records import Instruction, VoteFilter

Shape = Any
"""The type of a column: "text", "int", "float", "bool" or "json" (JSON text of any shape), [shape] for a list, {name:
shape} for an object."""

MESSAGES: Shape = [{"role": "text", "content": "text"}]
"""A conversation."""

Values = Sequence[Any]
"""One row: values in the order of the format's columns. Bytes are JSON of the database, which is copied into JSON files
without decoding."""


class Source(StrEnum):
    """The records that a format has rows of."""

    PAIRS = "pair"  # `ExportedPair`, one per judged pair
    VOTES = "vote"  # `ExportedVote`, one per vote with its answers


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The selection of an export, and the way it names raters."""

    filter: VoteFilter = VoteFilter()
    counted_only: bool = False  # votes that count on the leaderboard
    anonymous: bool = False  # raters as numbers in the order of the file
    split_licenses: bool = False  # rows whose licenses do not all allow commercial use go to a second file
    policy: CountingPolicy = CountingPolicy()  # which votes count
    final_by: str = ""  # leave out votes that could still be undone at that time; empty: none
    running_studies: bool = True  # with the votes of studies that are not closed

    def __post_init__(self) -> None:
        if self.split_licenses and self.filter.license:
            raise InvalidValue(
                Message(
                    "split_licenses and the condition license={license!r} exclude each other; give one of them",
                    license=self.filter.license,
                )
            )


@dataclass(slots=True)
class ExportedRaterNames:
    """The names of the raters in one export: their ids, or numbers."""

    anonymous: bool
    numbers: dict[str, str] = field(default_factory=dict)

    def name(self, rater_id: str) -> str:
        """Return a rater's name, the same throughout the export."""
        if not self.anonymous:
            return rater_id
        return self.numbers.setdefault(rater_id, str(len(self.numbers) + 1))


class Context(NamedTuple):
    """Values that a row needs beside its record."""

    why_not: str  # the reason why the vote does not count, in words; empty if it counts
    rater: Callable[[str], str]  # a rater's name in this export
    license: Callable[[str, str], str]  # the license of an answer from its own and its model
    models: tuple[str, ...]  # the two models of the file, for formats of two


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: its columns in order with their shapes, and the function from a record to its rows."""

    name: str
    description: str
    source: Source
    containers: tuple[str, ...]  # endings
    columns: Mapping[str, Shape]
    rows: Callable[[Any, Context], Sequence[Values]]
    no_row: str = ""  # the votes that give no row, in words, as in "12 votes: {no_row}"
    optional: frozenset[str] = frozenset()  # columns, the last ones, that only votes with a strength have
    counts: bool = False  # a column says whether the vote counts
    provenance: bool = False  # a column needs more of an answer than text, model and license
    two_models: bool = False  # a file is about two models
    for_spreadsheets: bool = False  # the CSV begins with a byte order mark and has no cells that run as formulas
    document: Callable[[tuple[str, ...]], tuple[bytes, bytes]] | None = None  # around the array of a JSON file

    def check_container(self, ending: str) -> None:
        """Raise InvalidValue, naming the valid ones, unless files of this format may have the ending."""
        if ending not in self.containers:
            container = ending or Message("a file without an ending")
            raise InvalidValue(
                Message(
                    "{format} is not written as {container}; valid: {valid}",
                    format=self.name,
                    container=container,
                    valid=", ".join(self.containers),
                )
            )

    def columns_with(self, strengths: bool) -> Mapping[str, Shape]:
        """Return the columns of a file; `optional` ones only if there are strengths."""
        return {name: shape for name, shape in self.columns.items() if strengths or name not in self.optional}


ALL_CONTAINERS = (".jsonl", ".json", ".csv", ".parquet")


def prompt_text(asked: Instruction, *, system: bool = True) -> str:
    """Return system, instruction and input as one text, separated by empty lines.

    It is what the visitor typed, not the prompt, which differs from model to model.
    """
    if not asked.input and not (system and asked.system):
        return asked.instruction
    parts = (asked.system if system else "", asked.instruction, asked.input)
    return "\n\n".join(part for part in parts if part)
