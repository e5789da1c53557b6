"""What an export format is, what may be asked of one, and what several of them share.

Boundary: pure; rows come from a snapshot of the store, `containers` turns them into bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.ratings.policy import CountingPolicy
from playground.records import Instruction
from playground.storage.database.statements import Reading


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to leave out and what to hide."""

    counted_only: bool = False  # votes that count on the leaderboard
    blind_only: bool = False  # battles whose models were hidden until the vote
    category: str = ""  # one category; empty: all
    commercial_only: bool = False  # no row with an answer whose license does not clearly allow commercial use
    anonymous: bool = False  # raters as numbers in the order of the file
    policy: CountingPolicy = CountingPolicy()  # which votes count


@dataclass(slots=True)
class Raters:
    """The names of raters in one file: their ids, or numbers."""

    anonymous: bool
    numbers: dict[str, str] = field(default_factory=dict)

    def name(self, rater_id: str) -> str:
        """As it stands in the file; the same rater has the same name all through it."""
        if not self.anonymous:
            return rater_id
        return self.numbers.setdefault(rater_id, str(len(self.numbers) + 1))


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format: its columns in order, and its rows from a snapshot."""

    name: str
    description: str
    columns: tuple[str, ...]
    rows: Callable[[Reading, ExportOptions], Iterator[Row]]


def prompt_text(instruction: Instruction) -> str:
    """What was asked, as one text: system, instruction and input, those that are not empty, an empty line between.

    It is what the visitor typed, not the text that a model's template made of it, which differs from model to model.
    """
    return "\n\n".join(part for part in (instruction.system, instruction.instruction, instruction.input) if part)
