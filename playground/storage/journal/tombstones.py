"""What was erased, as the journal knows it, and what is left of a record whose words were.

Boundary: pure; changes records, never a file or a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.records import Instruction
from playground.storage.database.rows import instruction_row, to_json
from playground.storage.database.tables.erasures import NO_TEXT

Record = dict[str, Any]

HER_NOTES = ("comment", "report")
"""Notes in words of her own; reasons are counted, and stay."""
_PEOPLE = re.compile(rb'"(?:owner|rater_id)":("(?:[^"\\]|\\.)*")')


@dataclass(slots=True)
class Tombstones:
    """Of some erasures; filled by `add`."""

    battles: dict[str, Record] = field(default_factory=dict)  # erased ones, as they stand since
    generations: dict[str, str] = field(default_factory=dict)  # emptied ones, and their instruction since
    raters: dict[str, int] = field(default_factory=dict)  # up to which event notes are gone
    _marks: set[bytes] = field(default_factory=set)

    def add(self, erasure: Record) -> None:
        """One more, from its record."""
        self.battles |= {row["id"]: row for row in erasure["rows"]["battles"]}
        self.generations |= erasure["generations"]
        raters = [row["rater_id"] for row in erasure["rows"]["erasures"]]
        for rater in raters:
            self.raters[rater] = max(erasure["seq"], self.raters.get(rater, 0))
        self._marks |= {to_json(rater).encode() for rater in (*raters, *erasure["holders"])}

    def may_change(self, text: bytes) -> bool:
        """False for the text of a record that stays as it is: it names nobody whose words, or whose answers, went."""
        return not self._marks.isdisjoint(_PEOPLE.findall(text))

    def applied(self, record: Record) -> Record:
        """The record without erased words; itself where it has none."""
        if record["event"] == "erasure" or not self.raters:
            return record
        old = record["rows"]
        new = {table: self._table(table, found, record["seq"]) for table, found in old.items()}
        if "instructions" in new:
            new["instructions"] = _still_asked(new)
        return record if new == old else {**record, "rows": new}

    def _table(self, table: str, found: list[Record], seq: int) -> list[Record]:
        match table:
            case "battles":
                return [self._battle(row) for row in found]
            case "generations":
                return [self._generation(row) for row in found]
            case "generation_flags":  # what was found in an answer is a piece of it
                return [{**row, "detail": ""} if row["generation_id"] in self.generations else row for row in found]
            case "vote_notes":
                return [row for row in found if not self._is_gone(row, seq)]
        return found

    def _battle(self, row: Record) -> Record:
        erased = self.battles.get(row["id"])
        return row if erased is None else {**row, **{name: erased[name] for name in ("instruction_id", "erased_at")}}

    def _generation(self, row: Record) -> Record:
        instruction = self.generations.get(row["id"])
        return row if instruction is None else {**row, **NO_TEXT, "instruction_id": instruction}

    def _is_gone(self, note: Record, seq: int) -> bool:
        return note["kind"] in HER_NOTES and seq < self.raters.get(note["rater_id"], 0)


def _still_asked(rows: Mapping[str, list[Record]]) -> list[Record]:
    """The instructions that a battle or an answer of the record still has, or those without words in their place."""
    known = list(rows["instructions"])
    known += [row for row in _empty(known) if row not in known]
    asked = {row["instruction_id"] for table in ("battles", "generations") for row in rows.get(table, ())}
    return [row for row in known if row["id"] in asked]


def _empty(instructions: Iterable[Record]) -> Iterable[Record]:
    categories = sorted({row["category"] for row in instructions})
    return [instruction_row(Instruction("", category=category)) for category in categories]
