"""The instructions of a file as models get them: cleaned as typed text is, each once.

Boundary: rows in, instructions with their places out; the rules are those of `validation`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.errors import InvalidValue
from playground.exchange.imports.texts import Cleaner
from playground.records import Instruction
from playground.settings import Settings
from playground.studies.instruction_files.reading import BadRow, FileInstruction, InstructionFile


@dataclass(slots=True)
class Cleaned:
    """The instructions by place of their first row, and counts of the rest."""

    instructions: dict[Instruction, str] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    repeated: int = 0  # rows with an instruction that an earlier one has
    turns_left_out: int = 0
    cleaned: int = 0  # rows with characters that no model can read, which were removed


def clean_rows(file: InstructionFile, limits: Settings) -> Cleaned:
    """Read the whole file."""
    found = Cleaned()
    for row in file.rows():
        if isinstance(row, BadRow):
            found.bad.append(row)
            continue
        try:
            _add(row, limits, found)
        except InvalidValue as error:
            found.bad.append(BadRow(row.place, str(error)))
    return found


def _add(row: FileInstruction, limits: Settings, found: Cleaned) -> None:
    cleaner, given = Cleaner(limits), row.instruction
    instruction = cleaner.instruction(given.instruction, given.input, given.system, given.category)
    found.repeated += instruction in found.instructions
    found.instructions.setdefault(instruction, row.place)
    found.turns_left_out += row.turns_left_out
    found.cleaned += cleaner.cleaned
