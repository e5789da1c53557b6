"""Read starter instructions by category from prompts/instructions/<category>.jsonl.

Boundary: reads files of the operator; each line is what a visitor could have typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from playground.documents import read_json, strict_keys
from playground.errors import InvalidInstruction, Unknown
from playground.records import Instruction
from playground.validation.texts import clean_instruction

MAX_BYTES = 4_000_000


@strict_keys
@dataclass(frozen=True, slots=True)
class Starter:
    """A line of a file."""

    instruction: str
    input: str = ""
    system: str = ""


def load_starters(folder: Path) -> dict[str, tuple[Instruction, ...]]:
    """Return the instructions of every ``.jsonl`` file, by its name.

    Raises:
        InvalidInstruction: a file or line that cannot be read as starters, naming file, line and what is valid.
    """
    if not folder.is_dir():
        raise InvalidInstruction(f"{folder} is not a folder; it has to hold a .jsonl file per category")
    return {path.stem: tuple(_file(path)) for path in sorted(folder.glob("*.jsonl"))}


def in_turn(starters: Mapping[str, Sequence[Instruction]], order: int, turn: int) -> Instruction:
    """Return the starter number `turn` of a shuffled order: each comes once before any comes again.

    Args:
        order: any number; the same one gives the same order.

    Raises:
        Unknown: there are no starters at all.
    """
    every = [starter for category in sorted(starters) for starter in starters[category]]
    if not every:
        raise Unknown("there are no starter instructions; add a .jsonl file to prompts/instructions")
    return Random(order).sample(every, len(every))[turn % len(every)]


def with_category(instruction: Instruction, starters: Mapping[str, Sequence[Instruction]]) -> Instruction:
    """Return a starter with its category, and any other instruction with none."""
    bare = replace(instruction, category="")
    same = (starter for group in starters.values() for starter in group if replace(starter, category="") == bare)
    return next(same, bare)


def _file(path: Path) -> Iterator[Instruction]:
    seen: dict[Instruction, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        starter = _starter(line, path.stem, f"{path}, line {number}")
        if starter in seen:
            raise InvalidInstruction(f"{path}, line {number}: the same as line {seen[starter]}; remove one")
        seen[starter] = number
        yield starter
    if not seen:
        raise InvalidInstruction(f'{path} is empty; add a line such as {{"instruction": "…"}}, or remove the file')


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInstruction(f"{path} is larger than {MAX_BYTES:,} bytes; split it")
        return path.read_text("utf-8-sig").split("\n")
    except OSError as problem:
        raise InvalidInstruction(f"{path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise InvalidInstruction(f"{path} is not UTF-8 (byte {problem.start}); save it as UTF-8") from problem


def _starter(line: str, category: str, where: str) -> Instruction:
    starter = read_json(Starter, line, where, InvalidInstruction)
    try:
        clean, notes = clean_instruction(starter.instruction, starter.input, starter.system)
    except InvalidInstruction as problem:
        raise InvalidInstruction(f"{where}: {problem}") from problem
    if notes:
        raise InvalidInstruction(f"{where}: {notes[0]}; correct the line")
    return replace(clean, category=category)
