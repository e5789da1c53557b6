"""An instruction file: its columns, and its rows as instructions.

Boundary: texts come as they stand in the file; `validation` cleans them where they are sent to models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import InvalidInstruction, InvalidValue
from playground.exchange.imports.conversations import content_of
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.rows import FileFacts, FileRow
from playground.messages import Message
from playground.records import Instruction
from playground.studies.instruction_files.columns import FIELDS, Columns, find_columns, key_of, nested, value_of
from playground.studies.instruction_files.containers import Read, facts_of, on_disk

MAX_KEYS = 40
"""Keys of a file that an error names."""
_ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class FileInstruction:
    """A row."""

    place: str  # "line 17"
    instruction: Instruction
    id: str  # empty: the file has none
    turns_left_out: int  # of the user, beside the one that is the instruction
    metadata: Mapping[str, Any]  # the keys that nothing was read from


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    place: str
    error: str


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """A file with the columns that were found in it."""

    name: str
    columns: Columns
    facts: FileFacts
    read: Read

    def rows(self) -> Iterator[FileInstruction | BadRow]:
        """Yield the rows in order."""
        for row in self.read(self.facts):
            try:
                if row.error:
                    raise InvalidValue(row.error)
                yield _instruction_of(row, self.columns)
            except InvalidValue as error:
                yield BadRow(row.place, error.message)


@contextmanager
def open_file(path: Path, chosen: Mapping[str, str] | None = None, name: str = "") -> Iterator[InstructionFile]:
    """Find the columns of a file, which may be a pipe; all of its rows are looked at.

    Args:
        chosen: columns by field, in place of those that are looked for.
        name: of the file in messages; its path if empty.

    Raises:
        InvalidInstruction: nothing of it can be used; the message names its keys.
        OSError: the file cannot be read.
    """
    name = name or str(path)
    with on_disk(path) as found:
        if found.is_file() and not found.stat().st_size:
            raise InvalidInstruction(_empty(name))
        try:
            facts, read = facts_of(found)
            keys, filled, bad = _keys_of(facts, read)
        except InvalidValue as error:
            raise InvalidInstruction(error.message) from error
        if not keys and not bad:
            raise InvalidInstruction(_empty(name))
        columns = find_columns(filled, chosen or {})
        if keys:
            _check(name, columns, keys, chosen or {})
        yield InstructionFile(name, columns, facts, read)


def _check(name: str, columns: Columns, keys: list[str], chosen: Mapping[str, str]) -> None:
    for column in chosen.values():
        if column and key_of(column, keys) not in keys:
            words = Message(
                "{file} has no column {column!r}; its keys: {keys}", file=name, column=column, keys=_named(keys)
            )
            raise InvalidInstruction(words)
    if "instruction" not in columns.by_field:
        raise InvalidInstruction(_nothing(name, keys))


def _keys_of(facts: FileFacts, read: Read) -> tuple[list[str], frozenset[str], int]:
    """Return the keys of all rows, those that have a value somewhere, and the number of rows that cannot be read."""
    keys: dict[str, bool] = {}
    bad = 0
    for row in read(facts):
        bad += bool(row.error)
        for key, value in row.values.items():
            keys[key] = keys.get(key, False) or value not in (None, "", [])
    return list(keys), frozenset(key for key, is_filled in keys.items() if is_filled), bad


def _empty(name: str) -> Message:
    return Message("{file} is empty; write one {{instruction, input, system}} per line", file=name)


def _nothing(name: str, keys: list[str]) -> Message:
    return Message(
        "{file} has no instructions under any known name ({looked}); its keys: {keys}; rename the right one to"
        " instruction, or name it with --field instruction=COLUMN",
        file=name,
        looked=", ".join(FIELDS["instruction"]),
        keys=_named(keys),
    )


def _named(keys: list[str]) -> Message:
    more = len(keys) - MAX_KEYS
    named = ", ".join(keys[:MAX_KEYS])
    if more <= 0:
        return Message("{keys}", keys=named)
    return Message("{keys} and {more} more", keys=named, more=more)


def _instruction_of(row: FileRow, columns: Columns) -> FileInstruction:
    found = dict(columns.by_field)
    column = found.pop("instruction", "instruction")
    if column == "messages":
        text, system, left_out = _last_turn(row)
    else:
        text, system, left_out = _text(row, column, required=True), "", _later_turns(row, column)
    texts = {field: _text(row, found[field]) for field in ("input", "system") if field in found}
    category, id = (_word(row, found[field]) if field in found else "" for field in ("category", "id"))
    instruction = Instruction(text, texts.get("input", ""), texts.get("system", "") or system, category)
    metadata = {key: value for key, value in row.values.items() if key not in columns.keys}
    return FileInstruction(row.place, instruction, id, left_out, metadata)


def _text(row: FileRow, column: str, *, required: bool = False) -> str:
    value = value_of(row.values, column)
    fields = Fields({column: value})
    return fields.text(column, None if required else "")


def _word(row: FileRow, column: str) -> str:
    """Return a category or an id: a text, a whole number, or the first of a list."""
    value = value_of(row.values, column)
    if isinstance(value, list):
        value = value[0] if value else None
    return Fields({column: value}).name(column, "")


def _later_turns(row: FileRow, column: str) -> int:
    if column != "turns[0]":
        return 0
    turns = nested(row.values.get("turns"))
    return len(turns) - 1 if isinstance(turns, list) else 0


def _last_turn(row: FileRow) -> tuple[str, str, int]:
    """Return the last turn of the user, the system text, and the number of earlier turns."""
    messages = [(m.one_of("role", _ROLES), content_of(m)) for m in Fields(row.values).tables("messages")]
    asked = [text for role, text in messages if role == "user"]
    if not asked:
        raise InvalidValue(Message("'messages' has no turn of the user; add one"))
    system = [text for role, text in messages if role in ("system", "developer")]
    return asked[-1], "\n".join(system), len(asked) - 1
