"""The columns of an instruction file: which of them holds the instruction, the input, the system text.

Boundary: names of keys in, names of columns out. A column is a key, or a place in its value such as ``turns[0]``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.imports.fields import parse_json
from playground.messages import Message, joined

FIELDS: Mapping[str, tuple[str, ...]] = {
    "instruction": ("instruction", "Instruction", "prompt", "question", "text", "turns[0]", "messages"),
    "input": ("input", "context", "instances[0].input"),
    "system": ("system",),
    "category": ("category", "tags", "task"),
    "id": ("id", "question_id"),
}
"""The columns in which each field is looked for, the first one first."""
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each field that a file has, by field, and the keys of rows that they stand in."""

    by_field: Mapping[str, str]
    keys: frozenset[str]

    @property
    def words(self) -> Message:
        """Return the column of each field as a message."""
        named = [
            Message("{field} from {column!r}", field=field, column=column) for field, column in self.by_field.items()
        ]
        return joined(", ", named) if named else Message("no columns")


def find_columns(keys: Collection[str], chosen: Mapping[str, str]) -> Columns:
    """Return the columns of a file whose rows have values under these keys.

    Args:
        chosen: columns by field, in place of those that are looked for; an empty one leaves the field out.
    """
    found = {}
    for field, candidates in FIELDS.items():
        column = chosen.get(field)
        if column is None:
            column = next((one for one in candidates if key_of(one, keys) in keys), "")
        if column:
            found[field] = column
    return Columns(found, frozenset(key_of(column, keys) for column in found.values()))


def read_overrides(given: Iterable[str]) -> dict[str, str]:
    """Return the columns that ``--field instruction=COLUMN`` names, by field.

    Raises:
        InvalidValue: of another form, or an unknown field.
    """
    chosen = {}
    for one in given:
        field, equals, column = one.partition("=")
        if not equals or field not in FIELDS:
            raise InvalidValue(f"--field {one!r} is not FIELD=COLUMN; valid fields: {', '.join(FIELDS)}")
        chosen[field] = column
    return chosen


def key_of(column: str, keys: Collection[str]) -> str:
    """Return the key that a column stands in: itself, or ``turns`` of ``turns[0]``."""
    return column if column in keys else re.split(r"[.\[]", column, maxsplit=1)[0]


def value_of(row: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column; None if the row does not have it.

    In CSV a list is JSON text, which is read.

    Raises:
        InvalidValue: that text is not JSON.
    """
    if column in row:
        return row[column]
    value: Any = row
    for index, key in _STEP.findall(column):
        if isinstance(value, str):
            value = nested(value)
        if key:
            value = value.get(key) if isinstance(value, Mapping) else None
        else:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value


def nested(value: Any) -> Any:
    """Return a list or a table, which a cell of CSV holds as JSON text.

    Raises:
        InvalidValue: the text is not JSON.
    """
    return parse_json(value) if isinstance(value, str) and value else value
