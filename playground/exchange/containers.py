r"""Rows into bytes: JSON Lines, one JSON array, CSV or Parquet, chosen by a file's ending.

JSON and Parquet are exact, and so is CSV, but for the CSV files of formats for spreadsheets: these begin with a byte
order mark and have an apostrophe before a text that a spreadsheet would take for a formula (it begins with
``= + - @``, tab or carriage return), and before one that begins with an apostrophe and such a character. CSV holds
lists and objects as JSON text.

Boundary: knows rows, columns and bytes; no format and no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from playground.exchange.formats import Shape, Values

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that spreadsheet programs run."""
_SUSPICIOUS = frozenset(("'", *FORMULA))
_TO_QUOTE = (",", '"', "\n", "\r")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> int: ...


class Container(Protocol):
    """Writes rows to a sink."""

    def write(self, rows: Sequence[Values]) -> int:
        """Write or take rows; return about the bytes that they have."""

    def close(self) -> None:
        """Write what is left; the sink stays open."""


class JsonLines:
    """One object per line."""

    _before, _between = b"", b""

    def __init__(self, sink: Sink, columns: Mapping[str, Shape], optional: Iterable[str] = ()) -> None:
        self._sink = sink
        self._names = tuple(columns)
        self._optional = tuple(name for name in optional if name in columns)

    def write(self, rows: Sequence[Values]) -> int:
        """Write rows; the fields of `optional` only where they have a value."""
        names = self._names
        objects = [dict(zip(names, row, strict=False)) for row in rows]  # optional columns come last
        for name in self._optional:
            for one in objects:
                if one[name] is None:
                    del one[name]
        return self._write([orjson.dumps(one, default=_stored) for one in objects])

    def _write(self, objects: list[bytes]) -> int:
        return self._sink.write(_on_their_lines(b"\n".join([*objects, b""])))

    def close(self) -> None:
        """Nothing is left."""


class JsonArray(JsonLines):
    """One array, an object per line, with a document around it if the format has one."""

    def __init__(
        self,
        sink: Sink,
        columns: Mapping[str, Shape],
        optional: Iterable[str] = (),
        around: tuple[bytes, bytes] = (b"", b""),
    ) -> None:
        super().__init__(sink, columns, optional)
        self._around = around
        self._empty = True
        sink.write(around[0] + b"[")

    def _write(self, objects: list[bytes]) -> int:
        if not objects:
            return 0
        before, self._empty = b"\n" if self._empty else b",\n", False
        return self._sink.write(_on_their_lines(before + b",\n".join(objects)))

    def close(self) -> None:
        """End the array."""
        self._sink.write((b"]" if self._empty else b"\n]") + self._around[1] + b"\n")


class Csv:
    """A header and one record per row, ended by CR LF (RFC 4180), in UTF-8."""

    def __init__(self, sink: Sink, columns: Mapping[str, Shape], for_spreadsheets: bool = False) -> None:
        self._sink = sink
        self._cells = [_cells_of(shape, for_spreadsheets) for shape in columns.values()]
        if for_spreadsheets:
            sink.write(BYTE_ORDER_MARK)
        self._write([tuple(columns)])

    def write(self, rows: Sequence[Values]) -> int:
        """Write rows; the cells are made column by column, which takes a third of the csv module's time."""
        if not rows:
            return 0
        columns = zip(*rows, strict=True)
        made = [cells(column) for cells, column in zip(self._cells, columns, strict=False)]
        return self._write(zip(*made, strict=True))

    def _write(self, rows: Iterable[Sequence[str]]) -> int:
        return self._sink.write("\r\n".join([*map(",".join, rows), ""]).encode())

    def close(self) -> None:
        """Nothing is left."""


def to_json(value: object) -> bytes:
    """Return JSON on one line."""
    return _on_their_lines(orjson.dumps(value, default=_stored))


def _on_their_lines(data: bytes) -> bytes:
    """Escape U+2028, U+2029 and U+0085 in JSON, which some readers take for the end of a line."""
    if b"\xe2\x80" in data:
        data = data.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return data.replace(b"\xc2\x85", b"\\u0085") if b"\xc2\x85" in data else data


def without_formula(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet would run it, or if it looks as if it had one.

    So the apostrophe can be removed again: `with_formula` is the inverse.
    """
    if text[:1] not in _SUSPICIOUS:
        return text
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def with_formula(cell: str) -> str:
    """Return the text of a cell that `without_formula` made."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _stored(value: object) -> Any:
    """Return what `orjson` writes for a value that it does not know."""
    if isinstance(value, bytes):
        return orjson.Fragment(value)
    raise TypeError(f"{type(value).__name__} is not a value of a row")


def _cells_of(shape: Shape, for_spreadsheets: bool) -> Callable[[Sequence[Any]], Sequence[str]]:
    """Return the function from a column to its cells."""
    if shape == "bool":
        return lambda column: ["" if value is None else "true" if value else "false" for value in column]
    if shape == "text":
        return _safe_texts if for_spreadsheets else _texts
    if isinstance(shape, list | dict) or shape == "json":
        return lambda column: _texts(
            [(value if isinstance(value, bytes) else to_json(value)).decode() for value in column]
        )
    return lambda column: ["" if value is None else repr(value) for value in column]


def _texts(column: Sequence[str | None]) -> Sequence[str]:
    """Return the cells of texts; most columns have no text that must be quoted, and are looked at once."""
    cells = ["" if text is None else text for text in column]
    every = "".join(cells)
    return list(map(_quoted, cells)) if any(mark in every for mark in _TO_QUOTE) else cells


def _safe_texts(column: Sequence[str | None]) -> Sequence[str]:
    if _SUSPICIOUS.isdisjoint({text[:1] for text in column if text}):
        return _texts(column)
    return _texts([text and without_formula(text) for text in column])


def _quoted(text: str) -> str:
    if '"' in text:
        escaped = text.replace('"', '""')
        return f'"{escaped}"'
    return f'"{text}"' if "," in text or "\n" in text or "\r" in text else text
