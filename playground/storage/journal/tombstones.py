"""Tombstones: what was erased, and the removal of it from records of the journal.

Boundary: pure; changes records, never a file or a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from playground.records import Instruction
from playground.storage.database.rows import instruction_row, to_json
from playground.storage.database.tables.erasures import NO_TEXT
from playground.storage.journal.lines import Record

WRITTEN_NOTES = ("comment", "report")
"""Notes in a rater's own words; reasons are counted, and stay."""

_RATERS = re.compile(rb'"(?:owner|rater_id)":("(?:[^"\\]|\\.)*")')


@dataclass(slots=True)
class Tombstones:
    """The tombstones of any number of erasures."""

    battles: dict[str, Record] = field(default_factory=dict)  # rows of the erased battles
    generations: dict[str, str] = field(default_factory=dict)  # erased generations -> their empty instruction
    raters: dict[str, int] = field(default_factory=dict)  # -> the event before which their notes are erased
    _marks: set[bytes] = field(default_factory=set)

    @classmethod
    def of(cls, erasures: Iterable[Record]) -> Tombstones:
        made = cls()
        for erasure in erasures:
            made.add(erasure)
        return made

    def add(self, erasure: Record) -> None:
        self.battles |= {row["id"]: row for row in erasure["rows"]["battles"]}
        self.generations |= erasure["generations"]
        raters = [row["rater_id"] for row in erasure["rows"]["erasures"]]
        for rater in raters:
            self.raters[rater] = max(erasure["seq"], self.raters.get(rater, 0))
        self._marks |= {to_json(rater).encode() for rater in (*raters, *erasure["holders"])}

    def may_change(self, text: bytes) -> bool:
        """Return False if a line names no rater of an erasure, and so holds no erased text."""
        return not self._marks.isdisjoint(_RATERS.findall(text))

    def applied(self, record: Record) -> Record:
        """Return the record without erased text; itself if it has none."""
        if record["event"] == "erasure" or not self.raters:
            return record
        old = record["rows"]
        new = {table: self._table(table, rows, record["seq"]) for table, rows in old.items()}
        if "instructions" in new:
            new["instructions"] = _used_instructions(new)
        return record if new == old else {**record, "rows": new}

    def _table(self, table: str, rows: list[Record], seq: int) -> list[Record]:
        match table:
            case "battles":
                return [self._battle(row) for row in rows]
            case "generations":
                return [self._generation(row) for row in rows]
            case "generation_flags":  # the detail quotes the answer
                return [{**row, "detail": ""} if row["generation_id"] in self.generations else row for row in rows]
            case "vote_notes":
                return [row for row in rows if not self._is_erased(row, seq)]
            case "vote_criteria":
                return [{**row, "reason": ""} if self._precedes(row, seq) else row for row in rows]
        return rows

    def _battle(self, row: Record) -> Record:
        erased = self.battles.get(row["id"])
        return row if erased is None else {**row, **{name: erased[name] for name in ("instruction_id", "erased_at")}}

    def _generation(self, row: Record) -> Record:
        instruction = self.generations.get(row["id"])
        return row if instruction is None else {**row, **NO_TEXT, "instruction_id": instruction}

    def _is_erased(self, note: Record, seq: int) -> bool:
        return note["kind"] in WRITTEN_NOTES and self._precedes(note, seq)

    def _precedes(self, row: Record, seq: int) -> bool:
        """Return True if the rater of a row erased their words after the event with it."""
        return seq < self.raters.get(row["rater_id"], 0)


def _used_instructions(rows: Mapping[str, list[Record]]) -> list[Record]:
    """Return the instructions, empty ones included, that a battle or generation of the record refers to."""
    known = list(rows["instructions"])
    empty = (instruction_row(Instruction("", category=name)) for name in sorted({row["category"] for row in known}))
    known += [row for row in empty if row not in known]
    used = {row["instruction_id"] for table in ("battles", "generations") for row in rows.get(table, ())}
    return [row for row in known if row["id"] in used]
