"""The rows of a file, each with its place: JSON Lines, a JSON document, CSV or Parquet, by the file's ending.

Text files have to be UTF-8 and are read as a stream. A JSON document is read whole, so its size is limited.

Boundary: bytes in, rows out; knows no format. A row that cannot be read has an error in place of values.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from playground.errors import InvalidValue
from playground.exchange.containers import with_formula
from playground.exchange.imports.fields import parse_json

MAX_LINE_BYTES = 64 * 1024 * 1024
"""The longest line of JSON Lines, and the longest cell of CSV."""
MAX_JSON_BYTES = 512 * 1024 * 1024
"""The largest JSON document, which takes several times its size in memory."""
BLOCK_BYTES = 1 << 20
BATCH = 512
"""Rows of Parquet that are read together."""

Check = Callable[[Collection[str]], None]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row, or why it cannot be read."""

    place: str  # "line 17", "row 17"
    done: float  # the share of the file that has been read
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The name of a file and the hash of its content."""

    path: Path
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Name and hash, as votes that come from it are marked."""
        return f"{self.path.name} {self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Peculiarities of a format that its reader of rows has to know."""

    documents: Callable[[Any], Any] | None = None  # finds the rows in a JSON document that is no array
    is_escaped: bool = False  # in CSV, an apostrophe stands before cells that a spreadsheet would run
    delimiter: str = ","  # of CSV
    most_line_bytes: int = MAX_LINE_BYTES  # of JSON Lines


def examine(path: Path) -> FileFacts:
    """Hash a file; if it is text, check its encoding before anything of it is imported.

    Raises:
        InvalidValue: an ending that names no container, or a text file that is not UTF-8.
        OSError: the file cannot be read.
    """
    if path.suffix.lower() not in READERS:
        raise InvalidValue(f"{path.name!r} has no ending that names a container; valid: {', '.join(READERS)}")
    return read_facts(path, is_text=path.suffix.lower() != ".parquet")


def read_facts(path: Path, *, is_text: bool) -> FileFacts:
    """Hash a file of any ending.

    Args:
        is_text: check its encoding too.

    Raises:
        InvalidValue: an empty file, or one that has to be text and is not UTF-8.
        OSError: the file cannot be read.
    """
    digest, size, line = hashlib.sha256(), 0, 1
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            if is_text:
                _check_encoding(path, decoder, block, line)
                line += block.count(b"\n")
    if is_text:
        _check_encoding(path, decoder, b"", line)
    if not size:
        raise InvalidValue(f"{path.name} is empty")
    return FileFacts(path, digest.hexdigest(), size)


def read_rows(facts: FileFacts, options: ReadOptions, check: Check = lambda columns: None) -> Iterator[FileRow]:
    """Yield the rows of a file in order.

    Args:
        check: raises InvalidValue if a table does not have the columns that every row needs.

    Raises:
        InvalidValue: the file as a whole cannot be read.
    """
    return READERS[facts.path.suffix.lower()](facts, options, check)


def _check_table(path: Path, check: Check, columns: Collection[str]) -> None:
    """Refuse a table with other columns once, and not in each of its rows."""
    try:
        check(columns)
    except InvalidValue as error:
        raise InvalidValue(f"{path.name}: {error}; nothing was read") from error


def _check_encoding(path: Path, decoder: codecs.IncrementalDecoder, block: bytes, line: int) -> None:
    try:
        decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        place = line + error.object[: error.start].count(b"\n")
        raise InvalidValue(
            f"{path.name} is not UTF-8 (line {place}: byte 0x{error.object[error.start]:02x});"
            " save it as UTF-8, in a spreadsheet as 'CSV UTF-8'; nothing was read"
        ) from error


# JSON Lines


def _read_jsonl(facts: FileFacts, options: ReadOptions, check: Check) -> Iterator[FileRow]:
    with facts.path.open("rb") as file:
        done = number = 0
        while line := file.readline(options.most_line_bytes + 1):
            number += 1
            done += len(line)
            is_whole = len(line) <= options.most_line_bytes
            if not is_whole:
                done += _skip_line(file, line)
            place, share = f"line {number}", done / facts.size_bytes
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not is_whole:
                yield FileRow(place, share, error=f"is longer than {options.most_line_bytes // 2**20} MB; split it")
            elif text.strip():
                yield _object_row(place, share, text)


def _skip_line(file: BinaryIO, line: bytes) -> int:
    """Read on to the end of a line that is too long; return the number of bytes."""
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(BLOCK_BYTES)
        skipped += len(line)
    return skipped


def _object_row(place: str, share: float, text: bytes) -> FileRow:
    try:
        return _table_row(place, share, parse_json(text))
    except InvalidValue as error:
        return FileRow(place, share, error=str(error))


def _table_row(place: str, share: float, value: object) -> FileRow:
    if isinstance(value, Mapping):
        return FileRow(place, share, value)
    return FileRow(place, share, error='is not a JSON object such as {"column": "value"}')


# JSON


def _read_json(facts: FileFacts, options: ReadOptions, check: Check) -> Iterator[FileRow]:
    name = facts.path.name
    if facts.size_bytes > MAX_JSON_BYTES:
        raise InvalidValue(
            f"{name} has {facts.size_bytes / 2**20:,.0f} MB; a JSON document is read into memory, so that up to"
            f" {MAX_JSON_BYTES // 2**20} MB are read; save it as .jsonl, one object per line"
        )
    try:
        document = parse_json(facts.path.read_bytes().removeprefix(codecs.BOM_UTF8))
        rows = document if options.documents is None else options.documents(document)
        if not isinstance(rows, list):
            raise InvalidValue("is not an array of rows; for one object per line use the ending .jsonl")
    except InvalidValue as error:
        raise InvalidValue(f"{name} {error}; nothing was read") from error
    return (_table_row(f"row {number}", number / len(rows), value) for number, value in enumerate(rows, start=1))


# CSV


def _read_csv(facts: FileFacts, options: ReadOptions, check: Check) -> Iterator[FileRow]:
    with _long_cells(), facts.path.open("r", encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_lines(file), strict=True, delimiter=options.delimiter)
        header, read = _header(facts.path, reader, options.delimiter), 0
        _check_table(facts.path, check, header)
        while True:
            place = f"line {reader.line_num + 1}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield FileRow(place, 1.0, error=f"is not CSV: {error}; the rest of the file was not read")
                return
            read += sum(map(len, cells)) + len(cells)
            if cells:
                yield _cells_row(place, min(1.0, read / facts.size_bytes), header, cells, options.is_escaped)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; one that is too long is an error of CSV, before it is in memory."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise csv.Error(f"a line is longer than {MAX_LINE_BYTES // 2**20} MB")
        yield line


def _header(path: Path, reader: Any, delimiter: str) -> list[str]:
    try:
        header: list[str] = next(reader, [])
    except csv.Error as error:
        raise InvalidValue(f"{path.name} is not CSV: {error}; nothing was read") from error
    if len(header) == 1 and any(other in header[0] for other in ";\t," if other != delimiter):
        words = {",": "commas", "\t": "tabs"}[delimiter]
        raise InvalidValue(f"{path.name} does not separate its columns by {words}; save it with {words}")
    double = sorted({name for name in header if header.count(name) > 1 and name})
    if double:
        raise InvalidValue(f"{path.name} has two columns {double[0]!r}; keep one")
    return header


def _cells_row(place: str, share: float, header: list[str], cells: list[str], is_escaped: bool) -> FileRow:
    if len(cells) != len(header):
        return FileRow(place, share, error=f"has {len(cells)} cells; the header has {len(header)}")
    values = map(with_formula, cells) if is_escaped else cells
    return FileRow(place, share, dict(zip(header, values, strict=True)))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Read cells of any sensible length; the csv module's own limit is 128 KB."""
    before = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


# Parquet


def _read_parquet(facts: FileFacts, options: ReadOptions, check: Check) -> Iterator[FileRow]:
    import pyarrow as pa  # only who reads Parquet waits for it
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(facts.path)
        _check_table(facts.path, check, file.schema_arrow.names)
        total, number = file.metadata.num_rows, 0
        for batch in file.iter_batches(batch_size=BATCH):
            for values in batch.to_pylist():
                number += 1
                yield FileRow(f"row {number}", number / total, values)
    except InvalidValue:  # of other columns; it is a ValueError too
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # a text that is not UTF-8 is a ValueError
        raise InvalidValue(f"{facts.path.name} is not Parquet that can be read: {error}") from error


READERS: Mapping[str, Callable[[FileFacts, ReadOptions, Check], Iterator[FileRow]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
"""The reader of each ending."""
