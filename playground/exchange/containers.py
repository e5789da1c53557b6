r"""Rows into a file: JSON Lines, one JSON array, or CSV, chosen by the file's ending.

JSON is exact. CSV puts an apostrophe before a text that a spreadsheet would take for a formula (it begins with
``= + - @``, tab or carriage return), and writes lists and objects as JSON text. The file appears under its name only
when it is complete.

Boundary: knows rows and bytes, no format and no database.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from playground.errors import InvalidValue, StorageError

Row = Mapping[str, Any]
Write = Callable[[TextIO, Sequence[str], Iterable[Row]], int]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that spreadsheet programs run."""


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write all rows and return their number; an existing file is replaced atomically.

    Raises:
        InvalidValue: an ending that names no container.
        StorageError: the file cannot be written; nothing is left behind.
    """
    write = container(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            count = write(file, columns, rows)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def container(path: Path) -> Write:
    """Return the writer for a file's ending."""
    if path.suffix.lower() not in CONTAINERS:
        raise InvalidValue(f"{path.name!r} has no ending that names a container; valid: {', '.join(CONTAINERS)}")
    return CONTAINERS[path.suffix.lower()]


def write_jsonl(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write one object per line."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        file.write(to_json(row) + "\n")
    return count


def write_json(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write one array, an object per line."""
    count = 0
    for count, row in enumerate(rows, start=1):
        file.write(("[\n" if count == 1 else ",\n") + to_json(row))
    file.write("\n]\n" if count else "[]\n")
    return count


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a header and one record per row."""
    writer = csv.writer(file)
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        writer.writerow([cell(row[column]) for column in columns])
    return count


def cell(value: object) -> object:
    """Return a value as a CSV cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return to_json(value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def to_json(value: object) -> str:
    """Return JSON on one line, also for readers that take U+2028, U+2029 and U+0085 for the end of a line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


CONTAINERS: Mapping[str, Write] = {".jsonl": write_jsonl, ".json": write_json, ".csv": write_csv}
