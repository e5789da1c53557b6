"""Export formats: their options, columns and rows.

Boundary: rows come from a snapshot of the store; `containers` turns them into bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.ratings.policy import CountingPolicy
from playground.records import Instruction
from playground.storage.database.statements import Reading

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Filters of an export."""

    counted_only: bool = False  # votes that count on the leaderboard
    blind_only: bool = False  # battles whose models were hidden until the vote
    category: str = ""  # empty: all
    commercial_only: bool = False  # no row with an answer whose license does not clearly allow commercial use
    anonymous: bool = False  # raters as numbers in the order of the file
    policy: CountingPolicy = CountingPolicy()  # which votes count


@dataclass(slots=True)
class RaterNames:
    """The names of the raters in one file: their ids, or numbers."""

    anonymous: bool
    numbers: dict[str, str] = field(default_factory=dict)

    def name(self, rater_id: str) -> str:
        """Return a rater's name, the same throughout the file."""
        if not self.anonymous:
            return rater_id
        return self.numbers.setdefault(rater_id, str(len(self.numbers) + 1))


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: its records from a snapshot, and its columns in order, each with its value of a record."""

    name: str
    description: str
    records: Callable[[Reading, ExportOptions], Iterator[Any]]
    values: Mapping[str, Callable[[Any], Any]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.values)

    def rows(self, reading: Reading, options: ExportOptions) -> Iterator[Row]:
        """Yield the rows in order of time."""
        for record in self.records(reading, options):
            yield {name: value(record) for name, value in self.values.items()}


def prompt_text(instruction: Instruction) -> str:
    """Return system, instruction and input as one text, separated by empty lines.

    It is what the visitor typed, not the prompt, which differs from model to model.
    """
    return "\n\n".join(part for part in (instruction.system, instruction.instruction, instruction.input) if part)
